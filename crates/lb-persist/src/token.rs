//! Unforgeable names of backends, for cookies.
//!
//! With one secret key every replica makes the same tokens. A token shows no address and no
//! name: it is a keyed tag (SipHash-2-4-128) of the backend's id. Two forms:
//!
//! | form | bytes before base64url | characters |
//! | --- | --- | --- |
//! | plain | 16: tag of the id | 22 |
//! | dated | 8: first half of the plain tag, 6: seconds since 1970, big-endian, 16: tag of id and seconds | 40 |
//!
//! base64url without padding (RFC 4648, section 5). A text that is not the one canonical spelling
//! is refused.

use core::fmt;

use lb_types::{BackendId, Wall, tag128};

/// The key that a secret gives for one pool and cookie: the same on every machine with the same secret, and as lbd derives it.
/// A token of one pool or cookie is worth nothing in another.
///
/// `tag128(tag128(tag128("lbd-cookie-key-1", secret), pool), cookie)` with [`tag128`], SipHash-2-4-128 keyed by its first
/// argument. It stretches nothing: the secret itself must be one that nobody guesses, such as what `openssl rand -hex 32`
/// prints. Fixed for ever: tokens live in browsers.
#[must_use]
pub fn key(secret: &[u8], pool: &str, cookie: &str) -> [u8; 16] {
    let first = tag128(DERIVE, secret);
    let second = tag128(&first, pool.as_bytes());
    tag128(&second, cookie.as_bytes())
}

/// Says what the key is for.
const DERIVE: &[u8; 16] = b"lbd-cookie-key-1";

/// The tokens of a pool's backends: makes them and knows them again.
#[derive(Clone)]
pub struct Tokens {
    key: [u8; 16],
    /// Sorted by handle, the first half of the plain tag.
    known: Box<[Known]>,
    /// The plain tokens, sorted by id: they are given out far more often than they change.
    plain: Box<[(BackendId, Token)]>,
}

/// What a valid token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The backend it names.
    pub backend: BackendId,
    /// When it was made; `None` for a plain token.
    pub issued: Option<Wall>,
}

impl Tokens {
    /// Computes the tags of `backends`. Allocates once; `O(n log n)`.
    #[must_use]
    pub fn new(key: &[u8; 16], backends: &[BackendId]) -> Self {
        let known = |id: &BackendId| {
            let tag = plain_tag(key, *id);
            Known {
                handle: handle(&tag),
                id: *id,
                tag,
            }
        };
        let mut known: Vec<Known> = backends.iter().map(known).collect();
        let mut plain: Vec<_> = known.iter().map(|known| (known.id, Token::of(&known.tag))).collect();
        known.sort_unstable_by_key(|known| known.handle);
        plain.sort_unstable_by_key(|(id, _)| *id);
        Self {
            key: *key,
            known: known.into(),
            plain: plain.into(),
        }
    }

    /// The token of `backend`: dated if `issued` is given. Works for any id, known or not.
    /// No allocation; `O(log n)` and no tag for the plain token of a known backend, else two tags.
    #[must_use]
    pub fn issue(&self, backend: BackendId, issued: Option<Wall>) -> Token {
        let Some(wall) = issued else {
            let at = self.plain.binary_search_by_key(&backend, |(id, _)| *id);
            let known = at.ok().and_then(|at| self.plain.get(at));
            return known.map_or_else(|| Token::of(&plain_tag(&self.key, backend)), |(_, token)| *token);
        };
        let seconds = wall.as_secs().min(LAST_SECOND);
        let plain = plain_tag(&self.key, backend);
        let mut bytes = [0; DATED_BYTES];
        let (half, rest) = bytes.split_at_mut(8);
        let (date, tag) = rest.split_at_mut(6);
        half.copy_from_slice(plain.first_chunk::<8>().unwrap_or(&[0; 8]));
        date.copy_from_slice(seconds.to_be_bytes().last_chunk::<6>().unwrap_or(&[0; 6]));
        tag.copy_from_slice(&dated_tag(&self.key, backend, seconds));
        Token::of(&bytes)
    }

    /// What `text` says, if it is a token of one of the backends. `O(log n)` and at most one tag;
    /// no allocation. Tags are compared without stopping at the first difference.
    #[must_use]
    pub fn verify(&self, text: &[u8]) -> Option<Verified> {
        if text.len() == PLAIN_CHARS {
            let tag: [u8; PLAIN_BYTES] = decode(text)?;
            let known = self.find(handle(&tag))?;
            return same(&known.tag, &tag).then_some(Verified {
                backend: known.id,
                issued: None,
            });
        }
        if text.len() != DATED_CHARS {
            return None;
        }
        let bytes: [u8; DATED_BYTES] = decode(text)?;
        let (half, rest) = bytes.split_first_chunk::<8>()?;
        let (date, rest) = rest.split_first_chunk::<6>()?;
        let tag = rest.first_chunk::<16>()?;
        let known = self.find(u64::from_be_bytes(*half))?;
        let seconds = date.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let issued = Some(Wall::from_secs(seconds));
        same(&dated_tag(&self.key, known.id, seconds), tag).then_some(Verified {
            backend: known.id,
            issued,
        })
    }

    fn find(&self, handle: u64) -> Option<&Known> {
        let at = self.known.binary_search_by_key(&handle, |known| known.handle).ok()?;
        self.known.get(at)
    }
}

impl fmt::Debug for Tokens {
    /// Not the key, and no tag.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("backends", &self.known.len())
            .finish_non_exhaustive()
    }
}

/// A token as text: 22 or 40 characters of `A-Z a-z 0-9 - _`.
#[derive(Clone, Copy)]
pub struct Token {
    text: [u8; DATED_CHARS],
    len: usize,
}

impl Token {
    fn of(bytes: &[u8]) -> Self {
        let mut text = [0; DATED_CHARS];
        let len = encode(bytes, &mut text);
        Self { text, len }
    }

    /// The characters.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Token {
    /// A token lets its holder choose a backend, so logs do not get it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} characters)", self.len)
    }
}

#[derive(Clone, Copy)]
struct Known {
    handle: u64,
    id: BackendId,
    tag: [u8; 16],
}

fn plain_tag(key: &[u8; 16], id: BackendId) -> [u8; 16] {
    let mut input = [0; 16];
    let (label, rest) = input.split_at_mut(8);
    label.copy_from_slice(LABEL_PLAIN);
    rest.copy_from_slice(&id.as_u64().to_be_bytes());
    tag128(key, &input)
}

fn dated_tag(key: &[u8; 16], id: BackendId, seconds: u64) -> [u8; 16] {
    let mut input = [0; 24];
    let (label, rest) = input.split_at_mut(8);
    let (name, date) = rest.split_at_mut(8);
    label.copy_from_slice(LABEL_DATED);
    name.copy_from_slice(&id.as_u64().to_be_bytes());
    date.copy_from_slice(&seconds.to_be_bytes());
    tag128(key, &input)
}

fn handle(tag: &[u8; 16]) -> u64 {
    tag.first_chunk::<8>().map_or(0, |half| u64::from_be_bytes(*half))
}

/// One comparison of all 128 bits: its duration does not tell how many bytes agree.
fn same(a: &[u8; 16], b: &[u8; 16]) -> bool {
    u128::from_ne_bytes(*a) ^ u128::from_ne_bytes(*b) == 0
}

/// Writes base64url and returns its length; `out` has room for 4 characters per 3 bytes.
fn encode(bytes: &[u8], out: &mut [u8; DATED_CHARS]) -> usize {
    let mut len = 0_usize;
    let mut put = |sextet: u32| {
        if let (Some(place), Some(character)) = (out.get_mut(len), ALPHABET.get((sextet & 63) as usize)) {
            *place = *character;
            len = len.saturating_add(1);
        }
    };
    let (triples, rest) = bytes.as_chunks::<3>();
    for [a, b, c] in triples {
        let word = u32::from_be_bytes([0, *a, *b, *c]);
        put(word >> 18);
        put(word >> 12);
        put(word >> 6);
        put(word);
    }
    match rest {
        [a] => {
            let word = u32::from_be_bytes([0, *a, 0, 0]);
            put(word >> 18);
            put(word >> 12);
        }
        [a, b] => {
            let word = u32::from_be_bytes([0, *a, *b, 0]);
            put(word >> 18);
            put(word >> 12);
            put(word >> 6);
        }
        _ => {}
    }
    len
}

/// Reads exactly `N` bytes of base64url; `None` for foreign characters, another length, or unused
/// bits that are not zero.
fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut out = [0; N];
    let mut places = out.iter_mut();
    let (mut word, mut bits) = (0_u32, 0_u32);
    for character in text {
        let sextet = *SEXTETS.get(usize::from(*character))?;
        if sextet > 63 {
            return None;
        }
        word = (word << 6) | u32::from(sextet);
        bits = bits.wrapping_add(6); // at most 6 + 6: eight leave at once
        if bits >= 8 {
            bits = bits.wrapping_sub(8);
            *places.next()? = (word >> bits) as u8;
            word &= !(u32::MAX << bits);
        }
    }
    (places.next().is_none() && word == 0).then_some(out)
}

const PLAIN_BYTES: usize = 16;
const PLAIN_CHARS: usize = 22;
const DATED_BYTES: usize = 30;
const DATED_CHARS: usize = 40;

/// What six bytes hold.
const LAST_SECOND: u64 = (1 << 48) - 1;

/// The key may serve elsewhere too: a tag made here is good for nothing there.
const LABEL_PLAIN: &[u8; 8] = b"lbd-tok1";
const LABEL_DATED: &[u8; 8] = b"lbd-tok2";

/// RFC 4648, table 2.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The alphabet backwards; 255 for foreign characters.
const SEXTETS: [u8; 256] = sextets();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // computed by the compiler
const fn sextets() -> [u8; 256] {
    let mut table = [255; 256];
    let mut i = 0;
    while i < ALPHABET.len() {
        table[ALPHABET[i] as usize] = i as u8;
        i += 1;
    }
    table
}
