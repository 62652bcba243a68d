use super::claim;

/// A field name that this crate knows, as a small number.
///
/// Names are recognised once, while a head is indexed; every later question about a known name
/// (is it there, is it there twice, must it be dropped) is one bit of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Name {
    /// Any name without a number. Such names are compared byte by byte.
    Other,
    Host,
    Connection,
    ContentLength,
    TransferEncoding,
    KeepAlive,
    ProxyConnection,
    Te,
    Upgrade,
    Http2Settings,
    Expect,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyAuthenticationInfo,
    Proxy,
    XForwardedFor,
    XForwardedProto,
    XForwardedPort,
    XForwardedHost,
    Forwarded,
    XRealIp,
    /// A spelling such as `X_Forwarded_For`, which some backends cannot tell from the real name.
    ForwardedAlias,
    /// Any other name that begins with `X-Forwarded`.
    ForwardedOther,
    /// Another name by which proxies speak of their client, in any spelling.
    Claim,
    /// A spelling such as `Content_Length`, which some backends cannot tell from the real name.
    FramingAlias,
    Cookie,
    SetCookie,
    Authorization,
    UserAgent,
    Referer,
    Origin,
    ContentType,
    CacheControl,
    Accept,
    AcceptEncoding,
    AcceptLanguage,
    Date,
    Server,
    Location,
    MaxForwards,
    Via,
    WwwAuthenticate,
}

impl Name {
    /// The number of `name`, a token, which is compared without regard to ASCII case. One look into
    /// a table and one comparison: this runs for every field of every message.
    pub(crate) fn of(name: &[u8]) -> Self {
        let known = PLACES
            .get(usize::from(place(name)))
            .and_then(|index| KNOWN.get(usize::from(*index)));
        let Some((text, id)) = known else {
            return Self::of_unknown(name);
        };
        if text.len() != name.len() {
            return Self::of_unknown(name);
        }
        if is_same(name, text) {
            return *id;
        }
        // Rare: a name of the length, the first and the last letter of a dangerous one.
        match id {
            Self::ContentLength | Self::TransferEncoding if folds_to(name, text) => Self::FramingAlias,
            Self::XRealIp if folds_to(name, text) => Self::ForwardedAlias,
            _ => Self::of_unknown(name),
        }
    }

    #[inline]
    fn of_unknown(name: &[u8]) -> Self {
        if claim::may_claim(name) {
            claim::classify(name)
        } else {
            Self::Other
        }
    }

    /// The bit of this name in a mask of names.
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Does the number stand for more than one spelling?
    pub(crate) const fn is_vague(self) -> bool {
        matches!(
            self,
            Self::Other | Self::ForwardedAlias | Self::ForwardedOther | Self::Claim | Self::FramingAlias
        )
    }
}

/// The names with a number, in lower case.
const KNOWN: [(&[u8], Name); 37] = [
    (b"te", Name::Te),
    (b"via", Name::Via),
    (b"host", Name::Host),
    (b"date", Name::Date),
    (b"proxy", Name::Proxy),
    (b"cookie", Name::Cookie),
    (b"accept", Name::Accept),
    (b"server", Name::Server),
    (b"expect", Name::Expect),
    (b"origin", Name::Origin),
    (b"referer", Name::Referer),
    (b"upgrade", Name::Upgrade),
    (b"location", Name::Location),
    (b"forwarded", Name::Forwarded),
    (b"x-real-ip", Name::XRealIp),
    (b"connection", Name::Connection),
    (b"user-agent", Name::UserAgent),
    (b"set-cookie", Name::SetCookie),
    (b"keep-alive", Name::KeepAlive),
    (b"content-type", Name::ContentType),
    (b"max-forwards", Name::MaxForwards),
    (b"cache-control", Name::CacheControl),
    (b"authorization", Name::Authorization),
    (b"content-length", Name::ContentLength),
    (b"http2-settings", Name::Http2Settings),
    (b"x-forwarded-for", Name::XForwardedFor),
    (b"accept-encoding", Name::AcceptEncoding),
    (b"accept-language", Name::AcceptLanguage),
    (b"www-authenticate", Name::WwwAuthenticate),
    (b"x-forwarded-port", Name::XForwardedPort),
    (b"x-forwarded-host", Name::XForwardedHost),
    (b"proxy-connection", Name::ProxyConnection),
    (b"transfer-encoding", Name::TransferEncoding),
    (b"x-forwarded-proto", Name::XForwardedProto),
    (b"proxy-authenticate", Name::ProxyAuthenticate),
    (b"proxy-authorization", Name::ProxyAuthorization),
    (b"proxy-authentication-info", Name::ProxyAuthenticationInfo),
];

/// Where in [`PLACES`] a name is looked for: length, first, last and second last character tell all
/// known names apart. Spellings that fold to a known name have the place of that name, because these
/// three characters are letters or digits in it.
const fn place(name: &[u8]) -> u8 {
    let (Some(first), Some([before, last])) = (name.first(), name.last_chunk::<2>()) else {
        return 0;
    };
    ((name.len() as u8) << 6)
        .wrapping_add(*first | CASE)
        .wrapping_add((*last | CASE) << 2)
        .wrapping_add(*before | CASE)
}

/// Index in [`KNOWN`] by [`place`]; 255 where there is none.
const PLACES: [u8; 256] = places();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // computed by the compiler
const fn places() -> [u8; 256] {
    let mut table = [255; 256];
    let mut index = 0;
    while index < KNOWN.len() {
        let at = place(KNOWN[index].0) as usize;
        assert!(table[at] == 255, "two names with one place: choose other shifts");
        table[at] = index as u8;
        index += 1;
    }
    table
}

/// The bit in which upper and lower case differ.
const CASE: u8 = 0x20;

/// Is a field's value `word`, a token in lower case, in any case?
pub(crate) fn is_word(value: &[u8], word: &[u8]) -> bool {
    value.len() == word.len() && is_same(value, word)
}

/// Are two texts of one length equal but for case? `text` is in lower case. Two words that overlap where
/// they must: this runs for every field of every message.
///
/// Setting the bit makes of no character that a message may have, but an upper-case letter, a letter,
/// digit or hyphen.
#[inline]
fn is_same(name: &[u8], text: &[u8]) -> bool {
    if let (Some(a), Some(b), Some(c), Some(d)) = (
        name.first_chunk::<8>(),
        text.first_chunk::<8>(),
        name.last_chunk::<8>(),
        text.last_chunk::<8>(),
    ) {
        let ends = is_same_word(a, b) && is_same_word(c, d);
        return ends && (name.len() <= 16 || is_same_inside(name, text));
    }
    if let (Some(a), Some(b), Some(c), Some(d)) = (
        name.first_chunk::<4>(),
        text.first_chunk::<4>(),
        name.last_chunk::<4>(),
        text.last_chunk::<4>(),
    ) {
        let word = |start: &[u8; 4], end: &[u8; 4]| {
            u64::from(u32::from_ne_bytes(*start)) << 32 | u64::from(u32::from_ne_bytes(*end))
        };
        return word(a, c) | CASES == word(b, d) | CASES;
    }
    name.iter().zip(text).all(|(a, b)| a | CASE == b | CASE)
}

fn is_same_word(a: &[u8; 8], b: &[u8; 8]) -> bool {
    u64::from_ne_bytes(*a) | CASES == u64::from_ne_bytes(*b) | CASES
}

/// The words between the first and the last.
fn is_same_inside(name: &[u8], text: &[u8]) -> bool {
    let words = name.as_chunks().0.iter().zip(text.as_chunks().0);
    words.skip(1).all(|(a, b)| is_same_word(a, b))
}

const CASES: u64 = u64::from_ne_bytes([CASE; 8]);

/// Would a reader that turns every character but letters and digits into one and the same (as
/// CGI and its heirs do for their environment variables) see `text`?
pub(crate) fn folds_to(name: &[u8], text: &[u8]) -> bool {
    name.len() == text.len()
        && name
            .iter()
            .zip(text)
            .all(|(a, b)| a.eq_ignore_ascii_case(b) || (!a.is_ascii_alphanumeric() && !b.is_ascii_alphanumeric()))
}

/// RFC 9110, section 5.6.2.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// A token: one or more token characters.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes
            .iter()
            .all(|b| TOKEN.get(usize::from(*b)).copied().unwrap_or_default())
}

/// [`is_token_byte`] of every byte.
const TOKEN: [bool; 256] = token_bytes();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // computed by the compiler
const fn token_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = is_token_byte(byte as u8);
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_in_any_case_and_only_whole() {
        assert_eq!(Name::of(b"hOST"), Name::Host);
        assert_eq!(Name::of(b"Content-Length"), Name::ContentLength);
        assert_eq!(Name::of(b"transfer-ENCODING"), Name::TransferEncoding);
        assert_eq!(Name::of(b"Content-Lengt"), Name::Other);
        assert_eq!(Name::of(b"Content-Lengthh"), Name::Other);
        assert_eq!(Name::of(b""), Name::Other);
    }

    #[test]
    fn spellings_that_fold_to_a_dangerous_name_are_marked() {
        assert_eq!(Name::of(b"Content_Length"), Name::FramingAlias);
        assert_eq!(Name::of(b"content.length"), Name::FramingAlias);
        assert_eq!(Name::of(b"TRANSFER_ENCODING"), Name::FramingAlias);
        assert_eq!(Name::of(b"X_Forwarded-For"), Name::ForwardedAlias);
        assert_eq!(Name::of(b"X_REAL_IP"), Name::ForwardedAlias);
        for (text, id) in KNOWN {
            let alias = match id {
                Name::ContentLength | Name::TransferEncoding => Name::FramingAlias,
                Name::XForwardedFor
                | Name::XForwardedProto
                | Name::XForwardedPort
                | Name::XForwardedHost
                | Name::XRealIp => Name::ForwardedAlias,
                _ => continue,
            };
            for (at, _) in text.iter().enumerate().filter(|(_, b)| **b == b'-') {
                let mut name = text.to_vec();
                name[at] = b'_';
                assert_eq!(Name::of(&name), alias, "{}", name.escape_ascii());
            }
        }
        assert_eq!(Name::of(b"Accept_Charset1"), Name::Other);
        assert_eq!(Name::of(b"ContentXLength"), Name::Other);
    }

    #[test]
    fn every_token_character_is_told_from_every_other() {
        // One byte changed at each place: only the other case of the same letter is the same name.
        for known in [
            &b"te"[..],
            b"host",
            b"connection",
            b"content-length",
            b"transfer-encoding",
            b"http2-settings",
        ] {
            let id = Name::of(known);
            assert_ne!(id, Name::Other);
            for at in 0..known.len() {
                for byte in (0..=255_u8).filter(|b| is_token_byte(*b)) {
                    let mut name = known.to_vec();
                    name[at] = byte;
                    assert_eq!(Name::of(&name) == id, name.eq_ignore_ascii_case(known), "{name:?}");
                }
            }
        }
    }

    #[test]
    fn every_name_has_its_own_bit() {
        assert!((Name::WwwAuthenticate as u8) < 64);
    }
}
