use super::error::Error;
use super::limits::QueryCharacters;
use core::hint::cold_path;
use core::net::Ipv6Addr;
use core::ops::Range;
use core::str;

/// The forms of a request target. RFC 9112, section 3.2.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `/path?query`
    Origin,
    /// `*`, with `OPTIONS` only.
    Asterisk,
    /// `http://authority/path?query`: where the two parts stand in the target.
    Absolute {
        /// Never empty.
        authority: Range<usize>,
        /// Path and query; may lack the leading slash or be empty.
        rest: Range<usize>,
        /// The port that is meant when none is given.
        default_port: u16,
    },
}

/// Which form has `target`, and are its bytes those of a URI?
pub(super) fn form(method: &[u8], target: &[u8], query: QueryCharacters) -> Result<Form, Error> {
    if target.first() == Some(&b'/') {
        check_bytes(target, 0, query)?;
        return Ok(Form::Origin);
    }
    rare_form(method, target, query)
}

#[cold]
fn rare_form(method: &[u8], target: &[u8], query: QueryCharacters) -> Result<Form, Error> {
    if target == b"*" {
        return if method == b"OPTIONS" {
            Ok(Form::Asterisk)
        } else {
            Err(Error::TargetForm)
        };
    }
    let (scheme, default_port) = if has_prefix(target, b"http://") {
        (7, 80)
    } else if has_prefix(target, b"https://") {
        (8, 443)
    } else {
        return Err(Error::TargetForm);
    };
    let behind = target.get(scheme..).unwrap_or_default();
    let len = behind
        .iter()
        .position(|b| matches!(b, b'/' | b'?' | b'#'))
        .unwrap_or(behind.len());
    let end = len.saturating_add(scheme);
    check_bytes(target, end, query)?;
    if len == 0 {
        return Err(Error::HostInvalid);
    }
    Ok(Form::Absolute {
        authority: scheme..end,
        rest: end..target.len(),
        default_port,
    })
}

/// A host and an optional port. RFC 9110, section 7.2; RFC 3986, section 3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    pub(super) host: &'a [u8],
    pub(super) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Stricter than RFC 3986: names have letters, digits, `-`, `.`, `_` and `~` only. Escapes and
    /// sub-delimiters stand in no DNS name, and readers disagree about them.
    pub(super) fn parse(text: &'a [u8]) -> Result<Self, Error> {
        let (host, port) = match text {
            [b'[', ..] => {
                cold_path();
                let close = text.iter().position(|b| *b == b']').ok_or(Error::HostInvalid)?;
                let inside = text
                    .get(1..close)
                    .and_then(|t| str::from_utf8(t).ok())
                    .unwrap_or_default();
                inside.parse::<Ipv6Addr>().map_err(|_| Error::HostInvalid)?;
                text.split_at_checked(close.saturating_add(1))
                    .ok_or(Error::HostInvalid)?
            }
            _ => {
                let end = text.iter().position(|b| *b == b':').unwrap_or(text.len());
                let (host, port) = text.split_at_checked(end).ok_or(Error::HostInvalid)?;
                if !host
                    .iter()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
                {
                    return Err(Error::HostInvalid);
                }
                // One dot may end a name; any other empty label is no name in the DNS, and readers make different hosts of it.
                if host.first() == Some(&b'.') || host.windows(2).any(|two| two == b"..") {
                    return Err(Error::HostLabel);
                }
                // No rule by host can hold such a name: it must not be passed on beside the rules.
                if host.strip_suffix(b".").unwrap_or(host).len() > LONGEST_HOST {
                    return Err(Error::HostTooLong);
                }
                (host, port)
            }
        };
        if host.is_empty() {
            return Err(Error::HostInvalid);
        }
        let port = match port {
            [] | [b':'] => None,
            [b':', digits @ ..] if digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit) => {
                let number = digits
                    .iter()
                    .fold(0_u32, |n, d| n.wrapping_mul(10).wrapping_add(u32::from(d & 15)));
                Some(u16::try_from(number).map_err(|_| Error::HostInvalid)?)
            }
            _ => return Err(Error::HostInvalid),
        };
        Ok(Self { host, port })
    }

    /// The same host and port, where no port means the default one.
    pub(super) fn is_same(&self, other: &Self, default_port: u16) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.unwrap_or(default_port) == other.port.unwrap_or(default_port)
    }
}

/// RFC 1035, section 2.3.4, as text and without the final dot.
const LONGEST_HOST: usize = 253;

fn has_prefix(target: &[u8], prefix: &[u8]) -> bool {
    target
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Checks path and query, which begin at `from`.
fn check_bytes(target: &[u8], from: usize, query: QueryCharacters) -> Result<(), Error> {
    let mut wanted = PATH;
    let mut at = from;
    while let Some(byte) = target.get(at).copied() {
        // The table has 256 entries: `get` cannot miss.
        if BYTES.get(usize::from(byte)).copied().unwrap_or(0) & wanted == 0 {
            return Err(Error::TargetByte { byte, offset: at });
        }
        if wanted == PATH {
            if byte == b'?' {
                wanted = match query {
                    QueryCharacters::Strict => QUERY,
                    QueryCharacters::Encode | QueryCharacters::Pass => QUERY | LOOSE_QUERY,
                };
            } else if byte == b'%' {
                check_escape(target, at)?;
            }
        }
        at = at.saturating_add(1);
    }
    Ok(())
}

/// In a path `%` is followed by two hexadecimal digits, and not by `00`: backends decode paths,
/// and those that meet a broken escape or a NUL disagree about what it is.
fn check_escape(target: &[u8], at: usize) -> Result<(), Error> {
    let digits = target
        .get(at.saturating_add(1)..at.saturating_add(3))
        .unwrap_or_default();
    if digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00" {
        Ok(())
    } else {
        Err(Error::TargetByte { byte: b'%', offset: at })
    }
}

/// A byte of a query that [`QueryCharacters::Encode`] writes as `%` and two digits: those that RFC 3986 leaves out and
/// that clients send, but for `[` and `]`, which stand unescaped in the names of form fields everywhere.
pub(super) fn must_be_encoded(byte: u8) -> bool {
    matches!(
        byte,
        b'"' | b'<' | b'>' | b'{' | b'}' | b'|' | b'\\' | b'^' | b'`' | 0x80..
    )
}

const PATH: u8 = 1;
const QUERY: u8 = 2;
/// In a query, when the listener takes more than is right.
const LOOSE_QUERY: u8 = 4;

/// Which bytes may stand in a path, which in a query: RFC 3986, sections 3.3 and 3.4, and what
/// browsers leave unescaped there (WHATWG URL, percent-encode sets).
static BYTES: [u8; 256] = bytes();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // evaluated by the compiler
const fn bytes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => PATH | QUERY,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => PATH | QUERY,
            b':' | b'@' | b'/' | b'%' | b'[' | b']' | b'|' | b'^' | b'?' => PATH | QUERY,
            b'{' | b'}' | b'\\' | b'`' => QUERY,
            b'"' | b'<' | b'>' | 0x80.. => LOOSE_QUERY,
            _ => 0,
        };
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_are_told_apart() {
        assert_eq!(form(b"GET", b"/a?b", QueryCharacters::Strict), Ok(Form::Origin));
        assert_eq!(form(b"OPTIONS", b"*", QueryCharacters::Strict), Ok(Form::Asterisk));
        assert_eq!(form(b"GET", b"*", QueryCharacters::Strict), Err(Error::TargetForm));
        assert_eq!(
            form(b"GET", b"HTTP://a.b:1/x", QueryCharacters::Strict),
            Ok(Form::Absolute {
                authority: 7..12,
                rest: 12..14,
                default_port: 80
            })
        );
        assert_eq!(
            form(b"GET", b"https://a?x", QueryCharacters::Strict),
            Ok(Form::Absolute {
                authority: 8..9,
                rest: 9..11,
                default_port: 443
            })
        );
        assert_eq!(
            form(b"GET", b"http:///x", QueryCharacters::Strict),
            Err(Error::HostInvalid)
        );
        assert_eq!(
            form(b"GET", b"ftp://a/x", QueryCharacters::Strict),
            Err(Error::TargetForm)
        );
        assert_eq!(form(b"GET", b"a/x", QueryCharacters::Strict), Err(Error::TargetForm));
        assert_eq!(form(b"GET", b"a:80", QueryCharacters::Strict), Err(Error::TargetForm));
    }

    #[test]
    fn authorities_are_read_strictly() {
        let good: [(&[u8], &[u8], Option<u16>); 7] = [
            (b"a", b"a", None),
            (b"A.b-c_d~e:80", b"A.b-c_d~e", Some(80)),
            (b"a:", b"a", None),
            (b"127.0.0.1:65535", b"127.0.0.1", Some(65_535)),
            (b"[::1]", b"[::1]", None),
            (b"[2001:db8::1]:00080", b"[2001:db8::1]", Some(80)),
            (b"a:0", b"a", Some(0)),
        ];
        for (text, host, port) in good {
            assert_eq!(Authority::parse(text), Ok(Authority { host, port }));
        }
        for text in [
            "",
            ":80",
            "a b",
            "a,b",
            "a@b",
            "u:p@b",
            "a:80:80",
            "a:x",
            "a:+80",
            "a:65536",
            "a:000080",
            "a%41",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]:x",
            "[fe80::1%25eth0]",
            "[v1.a]",
            "[]",
            "[1.2.3.4]",
            "a\tb",
            "a;b",
            "a\u{e9}",
            "a'b",
            "<a>",
        ] {
            assert_eq!(Authority::parse(text.as_bytes()), Err(Error::HostInvalid), "{text}");
        }
    }

    #[test]
    fn a_host_has_no_empty_label_but_the_root() {
        for text in ["a.b.", "a.", "a.:80", "127.0.0.1.", "-.-"] {
            assert!(Authority::parse(text.as_bytes()).is_ok(), "{text}");
        }
        for text in [".", ".a", ".corp.test:80", "admin.test..", "a..b", "a..:80", ".."] {
            assert_eq!(Authority::parse(text.as_bytes()), Err(Error::HostLabel), "{text}");
        }
    }

    #[test]
    fn a_host_has_at_most_253_bytes() {
        for (len, rest, is_good) in [
            (253, "", true),
            (253, ".", true),
            (253, ".:65535", true),
            (254, "", false),
            (254, ".", false),
            (254, ":80", false),
            (16_000, "", false),
        ] {
            // Labels above 63 bytes pass, as with nginx and HAProxy: rules by host see them like any other.
            let text = format!("{}.corp.test{rest}", "a".repeat(len - 10));
            let answer = Authority::parse(text.as_bytes());
            match is_good {
                true => assert!(answer.is_ok(), "{len}{rest}"),
                false => assert_eq!(answer, Err(Error::HostTooLong), "{len}{rest}"),
            }
        }
    }

    #[test]
    fn the_default_port_counts_as_given() {
        let parse = |t: &'static str| Authority::parse(t.as_bytes()).unwrap();
        assert!(parse("A").is_same(&parse("a:80"), 80));
        assert!(!parse("a").is_same(&parse("a:80"), 443));
        assert!(!parse("a:81").is_same(&parse("a"), 80));
        assert!(parse("a:").is_same(&parse("a"), 80));
    }
}
