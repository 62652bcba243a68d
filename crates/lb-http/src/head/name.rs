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
}

impl Name {
    /// The number of `name`, a token, which is compared without regard to ASCII case.
    pub(crate) fn of(name: &[u8]) -> Self {
        let candidates: &[(&[u8], Self)] = match name.len() {
            2 => &[(b"te", Self::Te)],
            3 => &[(b"via", Self::Via)],
            4 => &[(b"host", Self::Host), (b"date", Self::Date)],
            5 => &[(b"proxy", Self::Proxy)],
            6 => &[
                (b"cookie", Self::Cookie),
                (b"accept", Self::Accept),
                (b"server", Self::Server),
                (b"expect", Self::Expect),
                (b"origin", Self::Origin),
            ],
            7 => &[(b"referer", Self::Referer), (b"upgrade", Self::Upgrade)],
            8 => &[(b"location", Self::Location)],
            9 => &[(b"forwarded", Self::Forwarded), (b"x-real-ip", Self::XRealIp)],
            10 => &[
                (b"connection", Self::Connection),
                (b"user-agent", Self::UserAgent),
                (b"set-cookie", Self::SetCookie),
                (b"keep-alive", Self::KeepAlive),
            ],
            12 => &[
                (b"content-type", Self::ContentType),
                (b"max-forwards", Self::MaxForwards),
            ],
            13 => &[
                (b"cache-control", Self::CacheControl),
                (b"authorization", Self::Authorization),
            ],
            14 => &[
                (b"content-length", Self::ContentLength),
                (b"http2-settings", Self::Http2Settings),
            ],
            15 => &[
                (b"x-forwarded-for", Self::XForwardedFor),
                (b"accept-encoding", Self::AcceptEncoding),
                (b"accept-language", Self::AcceptLanguage),
            ],
            16 => &[
                (b"x-forwarded-port", Self::XForwardedPort),
                (b"x-forwarded-host", Self::XForwardedHost),
                (b"proxy-connection", Self::ProxyConnection),
            ],
            17 => &[
                (b"transfer-encoding", Self::TransferEncoding),
                (b"x-forwarded-proto", Self::XForwardedProto),
            ],
            18 => &[(b"proxy-authenticate", Self::ProxyAuthenticate)],
            19 => &[(b"proxy-authorization", Self::ProxyAuthorization)],
            25 => &[(b"proxy-authentication-info", Self::ProxyAuthenticationInfo)],
            _ => return Self::Other,
        };
        let lower = |byte: Option<&u8>| byte.copied().unwrap_or_default() | CASE;
        let first = lower(name.first());
        for (text, id) in candidates {
            if lower(text.first()) != first {
                continue;
            }
            if is_same(name, text) {
                return *id;
            }
            // Rare: a name of the length and the first letter of a dangerous one.
            let alias = match id {
                Self::ContentLength | Self::TransferEncoding => Self::FramingAlias,
                Self::XForwardedFor
                | Self::XForwardedProto
                | Self::XForwardedPort
                | Self::XForwardedHost
                | Self::XRealIp => Self::ForwardedAlias,
                _ => continue,
            };
            if folds_to(name, text) {
                return alias;
            }
        }
        Self::Other
    }

    /// The bit of this name in a mask of names.
    pub(crate) const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Does the number stand for more than one spelling?
    pub(crate) const fn is_vague(self) -> bool {
        matches!(self, Self::Other | Self::ForwardedAlias | Self::FramingAlias)
    }
}

/// The bit in which upper and lower case differ.
const CASE: u8 = 0x20;

/// Are two texts of one length equal but for case? `text` is in lower case. Eight bytes at a time:
/// this runs for every field of every message.
///
/// Setting the bit makes of no token character but an upper-case letter a letter, digit or hyphen.
fn is_same(name: &[u8], text: &[u8]) -> bool {
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes) | u64::from_ne_bytes([CASE; 8]);
    match (name.last_chunk(), text.last_chunk()) {
        (Some(a), Some(b)) => {
            word(a) == word(b)
                && name
                    .as_chunks()
                    .0
                    .iter()
                    .zip(text.as_chunks().0)
                    .all(|(a, b)| word(a) == word(b))
        }
        _ => name.iter().zip(text).all(|(a, b)| a | CASE == b | CASE),
    }
}

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
    !bytes.is_empty() && bytes.iter().all(|b| is_token_byte(*b))
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
        assert!((Name::Via as u8) < 64);
    }
}
