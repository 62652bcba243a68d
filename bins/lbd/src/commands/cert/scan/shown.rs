//! What a stranger sent, as it is shown: escaped and bounded; and what its first bytes look like.

use lb_preface::{Step, sniff};
use std::fmt;

/// Some bytes of a stranger; at most [`Line::MOST`] are kept.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Line {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Line {
    /// A line of a terminal or two.
    pub(super) const MOST: usize = 120;

    pub(super) fn new(bytes: &[u8]) -> Self {
        let kept = bytes.get(..Self::MOST).unwrap_or(bytes);
        Self {
            bytes: kept.to_vec(),
            is_cut: kept.len() < bytes.len(),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind = if self.is_cut { "..." } else { "" };
        write!(f, "\"{}\"{behind}", self.bytes.escape_ascii())
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a server that does not speak TLS seems to speak, and what would make it speak TLS.
pub(super) fn looks(first: &[u8]) -> (&'static str, Option<&'static str>) {
    const HTTP: &str = "name the port of https, mostly 443";
    if first.starts_with(b"HTTP/") {
        return ("HTTP without TLS", Some(HTTP));
    }
    if first.starts_with(b"220") {
        // Both greet with the same number; most servers say what they are.
        let upper = first.to_ascii_uppercase();
        return if contains(&upper, b"SMTP") {
            ("a greeting of SMTP", Some("ask with --starttls smtp"))
        } else if contains(&upper, b"FTP") {
            ("a greeting of FTP", Some("ask with --starttls ftp"))
        } else {
            (
                "a greeting of SMTP or FTP",
                Some("ask with --starttls smtp or --starttls ftp"),
            )
        };
    }
    if first.starts_with(b"* OK") || first.starts_with(b"* PREAUTH") {
        return ("a greeting of IMAP", Some("ask with --starttls imap"));
    }
    if first.starts_with(b"+OK") {
        return ("a greeting of POP3", Some("ask with --starttls pop3"));
    }
    // A packet with number 0 that begins with the protocol's version, or an error.
    if let [_, _, 0, 0, 10 | 255, ..] = first {
        return ("a greeting of MySQL", Some("ask with --starttls mysql"));
    }
    // The others look the same from both sides, or are what this server took for the client.
    let looks = match sniff::protocol(first) {
        Step::Done { value, .. } => value,
        Step::NeedMore => sniff::Protocol::Unknown,
    };
    (
        match looks {
            sniff::Protocol::Ssh => "SSH",
            sniff::Protocol::Sslv2 => "SSL 2.0",
            sniff::Protocol::Rdp => "Remote Desktop",
            sniff::Protocol::ProxyV1 | sniff::Protocol::ProxyV2 => "a PROXY header",
            _ => "no protocol known here",
        },
        None,
    )
}

/// Are these bytes among those?
pub(super) fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_sent_is_escaped_and_cut() {
        assert_eq!(Line::new(b"a\x1b[31m\"\r\n").to_string(), r#""a\x1b[31m\"\r\n""#);
        let most = vec![b'a'; Line::MOST];
        assert_eq!(Line::new(&most).to_string(), format!("\"{}\"", "a".repeat(120)));
        let more = vec![b'a'; Line::MOST + 1];
        assert_eq!(Line::new(&more).to_string(), format!("\"{}\"...", "a".repeat(120)));
    }

    #[test]
    fn the_first_bytes_of_a_server_tell_what_it_speaks() {
        for (first, name, mend) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "HTTP without TLS", "443"),
            (b"220 mail.example ESMTP Postfix\r\n", "a greeting of SMTP", "smtp"),
            (b"220 ProFTPD Server\r\n", "a greeting of FTP", "ftp"),
            (b"220 hello\r\n", "a greeting of SMTP or FTP", "ftp"),
            (b"* OK ready\r\n", "a greeting of IMAP", "imap"),
            (b"+OK ready\r\n", "a greeting of POP3", "pop3"),
            (b"\x4a\0\0\0\x0a8.0.36\0", "a greeting of MySQL", "mysql"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH", ""),
            (b"\x01\x02\x03\x04\x05\x06", "no protocol known here", ""),
            (b"", "no protocol known here", ""),
        ] {
            let (looks, how) = looks(first);
            assert_eq!(looks, name, "{:?}", Line::new(first));
            assert!(how.unwrap_or_default().ends_with(mend), "{name}: {how:?}");
        }
    }
}
