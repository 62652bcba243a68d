//! Paths as they are written, and prefixes that end at a segment.

use super::normal::Normal;
use super::reading::{decode, decoded};

/// The start of a path, in whole segments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Prefix {
    text: Box<str>,
    /// The same, percent-decoded: what normal forms are compared with.
    decoded: Box<[u8]>,
}

impl Prefix {
    /// The longest prefix, in bytes.
    pub const MAX_LEN: usize = 512;

    /// A prefix: `/` for every path; `/a` for `/a` and everything below; `/a/` only for what is
    /// below. Percent-encoding may stand where it must (`/caf%C3%A9`) and is compared as written.
    ///
    /// # Errors
    /// [`PrefixError`] when it does not begin with a slash, is too long, carries a query, or is
    /// not in normal form, so that no request could match it both ways.
    pub fn new(text: &str) -> Result<Self, PrefixError> {
        if !text.starts_with('/') {
            return Err(PrefixError::NoSlash);
        }
        if text.len() > Self::MAX_LEN {
            return Err(PrefixError::TooLong { len: text.len() });
        }
        let wrong = |b: u8| b <= b' ' || b >= 0x7f || matches!(b, b'?' | b'#' | b'\\' | b';');
        if let Some(offset) = text.bytes().position(wrong) {
            return Err(PrefixError::Character { offset });
        }
        let decoded: Box<[u8]> = decoded(text.as_bytes()).map(|char| char.byte).collect();
        if Normal::of(text.as_bytes(), 0).bytes() != &*decoded || is_badly_encoded(text.as_bytes()) {
            return Err(PrefixError::NotNormal);
        }
        Ok(Self {
            text: text.into(),
            decoded,
        })
    }

    /// The prefix as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Is it the beginning of a path, byte for byte?
    pub(super) fn begins(&self, path: &[u8]) -> bool {
        starts(path, self.text.as_bytes())
    }

    /// Is it the beginning of a path that somebody decoded?
    pub(super) fn begins_decoded(&self, path: &[u8]) -> bool {
        starts(path, &self.decoded)
    }
}

/// Why a text is no path prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
    /// It does not begin with a slash.
    #[error("a path begins with a slash")]
    NoSlash,
    /// Longer than [`Prefix::MAX_LEN`].
    #[error("the path has {len} bytes, a prefix has at most 512")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A byte that no path prefix has: query, parameter, backslash, space, control or not ASCII.
    #[error("the byte at {offset} must not stand in a path prefix (write it percent-encoded)")]
    Character {
        /// Where it stands.
        offset: usize,
    },
    /// It has empty or dot segments, a blank at its end, or percent-encoding that encodes nothing, a slash, or what needs
    /// no encoding.
    #[error(
        "the path is not in normal form: it has empty or dot segments, a blank at its end or needless percent-encoding"
    )]
    NotNormal,
}

fn starts(path: &[u8], prefix: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(prefix) else {
        return false;
    };
    rest.is_empty() || prefix.ends_with(b"/") || rest.starts_with(b"/")
}

/// The path of a request target, without query, and whether every reader reads it as it is written. The path is `/` for
/// what is no path (`*`, an authority).
pub(super) fn scan(target: &[u8]) -> (&[u8], bool) {
    if target.first() != Some(&b'/') {
        return (b"/", true);
    }
    let (mut is_plain, mut after_slash) = (true, false);
    for (at, byte) in target.iter().enumerate() {
        let class = CLASSES.get(usize::from(*byte)).copied().unwrap_or(ODD);
        if class == PLAIN {
            after_slash = false;
            continue;
        }
        if class == END {
            return (target.get(..at).unwrap_or(target), is_plain);
        }
        is_plain &= class != ODD && !after_slash;
        after_slash = *byte == b'/';
    }
    (target, is_plain)
}

const PLAIN: u8 = 0;
/// Plain unless it follows a slash.
const BEHIND_SLASH: u8 = 1;
const ODD: u8 = 2;
const END: u8 = 3;

static CLASSES: [u8; 256] = classes();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // evaluated by the compiler
const fn classes() -> [u8; 256] {
    let mut table = [PLAIN; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'?' | b'#' => END,
            b'/' | b'.' => BEHIND_SLASH,
            b'%' | b'\\' | b';' | 0..b' ' | 0x7f | 0xc0 | 0xc1 | 0xe0 | 0xf0 => ODD,
            _ => PLAIN,
        };
        byte += 1;
    }
    table
}

/// Does a percent sign encode nothing, or what needs no encoding, or a slash?
fn is_badly_encoded(path: &[u8]) -> bool {
    let needless = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    let starts = path.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    let mut encodings = starts.map(|(at, _)| path.get(at..).unwrap_or_default());
    encodings.any(|rest| match rest {
        [_, high, low, ..] => decode(*high, *low).is_none_or(needless),
        _ => true,
    })
}
