//! Which protocol a client speaks, from its first bytes: for words in logs and errors, never for trust.
//!
//! Whether a PROXY header is read, or TLS spoken, is a matter of configuration: section 2 of the PROXY protocol forbids
//! to guess. What is seen here says why something was refused.

use crate::Step;
use core::fmt;

/// What the first bytes of a client look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// A handshake record of TLS, or of SSL 3.0.
    Tls,
    /// A hello in the format of SSL 2.0, which may offer SSL 3.0 or TLS inside. RFC 5246, appendix E.2.
    Sslv2,
    /// A method and a space, as in HTTP/1. Line protocols whose client speaks first (`EHLO x`) look the same.
    Http1,
    /// The preface of HTTP/2 without TLS. RFC 9113, section 3.4.
    Http2Preface,
    /// A PROXY header, version 1.
    ProxyV1,
    /// A PROXY header, version 2.
    ProxyV2,
    /// A version string of SSH. RFC 4253, section 4.2.
    Ssh,
    /// A connection request of Remote Desktop: TPKT and X.224 (MS-RDPBCGR, section 2.2.1.1).
    Rdp,
    /// PostgreSQL: a request for TLS or GSSAPI, a cancellation or a start (message formats of its documentation, 3.x).
    Postgres,
    /// None of these.
    Unknown,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => "TLS",
            Self::Sslv2 => "SSL 2.0",
            Self::Http1 => "HTTP/1 without TLS",
            Self::Http2Preface => "HTTP/2 without TLS",
            Self::ProxyV1 => "a PROXY header, version 1",
            Self::ProxyV2 => "a PROXY header, version 2",
            Self::Ssh => "SSH",
            Self::Rdp => "Remote Desktop",
            Self::Postgres => "PostgreSQL",
            Self::Unknown => "no protocol known here",
        })
    }
}

/// Looks at the first bytes of a client; never needs more than [`MOST`] of them.
///
/// `len` of the answer is how many bytes decided. Servers that speak first (SMTP, MySQL, FTP) leave nothing to see
/// here. `O(1)`, no allocation.
#[must_use]
pub fn protocol(input: &[u8]) -> Step<Protocol> {
    // How far what is open looked like something else.
    let mut shared = 0_usize;
    for (prefix, protocol) in PREFIXES {
        if input.starts_with(prefix) {
            return done(protocol, prefix.len());
        }
        if prefix.starts_with(input) {
            return Step::NeedMore;
        }
        shared = shared.max(prefix.iter().zip(input).take_while(|(a, b)| a == b).count());
    }
    let open = match input.first() {
        Some(0x80..) => sslv2(input),
        Some(0x03) => rdp(input),
        Some(0x00) => postgres(input),
        _ => http1(input),
    };
    match open {
        Open::Is(protocol, len) => done(protocol, len.max(shared.saturating_add(1))),
        Open::More => Step::NeedMore,
        Open::Not(len) => done(Protocol::Unknown, len.max(shared.saturating_add(1))),
    }
}

enum Open {
    Is(Protocol, usize),
    More,
    Not(usize),
}

const fn done(value: Protocol, len: usize) -> Step<Protocol> {
    Step::Done { value, len }
}

/// Two bytes of length with the top bit, 1 for a client hello, then the version: 0.2, or 3.x.
fn sslv2(input: &[u8]) -> Open {
    fields(input, Protocol::Sslv2, 5, |at, byte| match at {
        2 => byte == 1,
        3 => byte == 0 || byte == 3,
        4 => input.get(3) == Some(&3) || byte == 2,
        _ => true,
    })
}

/// TPKT version 3 and zero, a length, the length of X.224, and its code for a connection request.
fn rdp(input: &[u8]) -> Open {
    fields(input, Protocol::Rdp, 6, |at, byte| match at {
        1 => byte == 0,
        5 => byte == 0xe0,
        _ => true,
    })
}

/// A length below 64 KiB, then a protocol number: 3.0, or 1234.5678 to 5680 for requests before the start.
fn postgres(input: &[u8]) -> Open {
    fields(input, Protocol::Postgres, 8, |at, byte| match at {
        0 | 1 => byte == 0,
        4 => byte == 0x00 || byte == 0x04,
        5 => byte == if input.get(4) == Some(&4) { 0xd2 } else { 3 },
        6 => byte == if input.get(4) == Some(&4) { 0x16 } else { 0 },
        7 => input.get(4) != Some(&4) || matches!(byte, 0x2e..=0x30),
        _ => true,
    })
}

fn fields(input: &[u8], protocol: Protocol, len: usize, fits: impl Fn(usize, u8) -> bool) -> Open {
    match input.iter().take(len).enumerate().find(|(at, byte)| !fits(*at, **byte)) {
        Some((at, _)) => Open::Not(at.saturating_add(1)),
        None if input.len() < len => Open::More,
        None => Open::Is(protocol, len),
    }
}

/// A token and a space, behind empty lines that a server is to pass over (RFC 9112, section 2.2): two of them here.
fn http1(input: &[u8]) -> Open {
    let mut rest = input;
    for _ in 0..2 {
        if rest == b"\r" || rest.is_empty() {
            return Open::More;
        }
        rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    }
    let before = input.len().saturating_sub(rest.len());
    for (at, byte) in input.iter().enumerate().take(MOST).skip(before) {
        let len = at.saturating_add(1);
        match byte {
            b' ' if at > before => return Open::Is(Protocol::Http1, len),
            byte if is_token(*byte) => {}
            _ => return Open::Not(len),
        }
    }
    if input.len() < MOST {
        Open::More
    } else {
        Open::Not(MOST)
    }
}

/// RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// The most bytes that are looked at: the preface of HTTP/2.
pub const MOST: usize = 24;

const PREFIXES: [(&[u8], Protocol); 5] = [
    (b"\x16\x03", Protocol::Tls),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Protocol::Http2Preface),
    (b"PROXY ", Protocol::ProxyV1),
    (b"\r\n\r\n\0\r\nQUIT\n", Protocol::ProxyV2),
    (b"SSH-", Protocol::Ssh),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_is_seen_as_early_as_it_can_be() {
        let cases: [(&[u8], Protocol, usize); 18] = [
            (b"\x16\x03\x01\x02\x00\x01", Protocol::Tls, 2),
            (b"\x80\x2e\x01\x00\x02\x00\x15", Protocol::Sslv2, 5),
            (b"\x80\x2e\x01\x03\x01\x00\x15", Protocol::Sslv2, 5),
            (b"GET / HTTP/1.1\r\n", Protocol::Http1, 4),
            (b"\r\nGET / HTTP/1.1\r\n", Protocol::Http1, 6),
            (b"\r\n\r\nGET / HTTP/1.1\r\n", Protocol::Http1, 8),
            (b"PRI /x HTTP/1.1\r\n", Protocol::Http1, 5),
            (b"PROPFIND / HTTP/1.1\r\n", Protocol::Http1, 9),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0", Protocol::Http2Preface, 24),
            (b"PROXY TCP4 ", Protocol::ProxyV1, 6),
            (b"\r\n\r\n\0\r\nQUIT\n\x21", Protocol::ProxyV2, 12),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Protocol::Ssh, 4),
            (b"\x03\0\0\x13\x0e\xe0\0\0", Protocol::Rdp, 6),
            (b"\0\0\0\x08\x04\xd2\x16\x2f", Protocol::Postgres, 8),
            (b"\0\0\0\x54\0\x03\0\0user", Protocol::Postgres, 8),
            (b"\x01\x02", Protocol::Unknown, 1),
            (b"\x16\x02", Protocol::Unknown, 2),
            (b"\0\0\0\x08\x04\xd2\x16\x31", Protocol::Unknown, 8),
        ];
        for (input, value, len) in cases {
            let want = done(value, len);
            assert_eq!(protocol(input), want, "{}", input.escape_ascii());
            let decided = (0..=input.len()).find(|end| protocol(&input[..*end]) != Step::NeedMore);
            assert_eq!(decided, Some(len), "{}", input.escape_ascii());
            for end in len..=input.len() {
                assert_eq!(protocol(&input[..end]), want);
            }
        }
    }

    #[test]
    fn a_token_without_end_is_unknown_at_the_24th_byte() {
        assert_eq!(protocol(&[b'A'; 23]), Step::NeedMore);
        assert_eq!(protocol(&[b'A'; 24]), done(Protocol::Unknown, 24));
        assert_eq!(protocol(b" / HTTP/1.1"), done(Protocol::Unknown, 1));
        assert_eq!(protocol(b""), Step::NeedMore);
    }
}
