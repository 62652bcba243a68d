use crate::End;
use crate::access::Access;
use lb_types::{Civil, Wall};
use std::fmt;
use std::io::Write as _;
use std::str::FromStr;
use std::time::Duration;

/// How an access-log line looks. Each line ends with one `\n` and holds no other.
///
/// The text formats are Apache's, byte for byte: missing values are `-`, a body of no bytes is
/// `-`, quotes, backslashes, controls and everything beyond ASCII are escaped as Apache escapes them
/// (`\"`, `\\`, `\n`, `\xhh`), so a client cannot forge a line or a column. Times are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// `%h %l %u %t "%r" %>s %b`: the common log format.
    Common,
    /// Common, then `"%{Referer}i" "%{User-Agent}i"`.
    Combined,
    /// Combined, then `"%{X-Forwarded-For}i"`; and then, where there is more to say of an end that was not good, its reason and
    /// the detail: `"bad_request: Host is missing"`.
    CombinedXff,
    /// Combined, then `"%{X-Forwarded-For}i"`, then by name, where they are known: the seconds of the whole request, of the
    /// connect and up to the response's first byte, TLS version, server name and client certificate, pool, backend and why it, retries; the reason of an end that was not good, and
    /// the detail: `rt=0.042113 uct=0.000210 uht=0.041900 pool="app" backend="web1" why="persisted" retries=1 end=".." detail=".."`.
    #[default]
    CombinedTimed,
    /// One JSON object (RFC 8259) with everything that is known; what is not is left out. Bytes
    /// that are no UTF-8, and characters that some readers take for a line end, become U+FFFD.
    Json,
    /// For a person at a terminal: `12:00:01 GET /cart -> 200 green (persisted) 0.44 ms`. In the parentheses stands
    /// what is worth a look: why the backend was chosen, unless it was simply its turn; retries; the end, unless all
    /// went well. Long targets are cut; escaped as the text formats.
    Short,
}

impl Format {
    /// Every format with its name.
    pub const ALL: [Self; 6] = [
        Self::Common,
        Self::Combined,
        Self::CombinedXff,
        Self::CombinedTimed,
        Self::Json,
        Self::Short,
    ];

    /// The name in configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Combined => "combined",
            Self::CombinedXff => "combined_xff",
            Self::CombinedTimed => "combined_timed",
            Self::Json => "json",
            Self::Short => "short",
        }
    }

    /// Appends the line for `access` to `out`. `O(length of the line)`; allocates only when `out`
    /// has to grow.
    pub fn write(self, access: &Access<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Common => common(access, out),
            Self::Combined => combined(access, out),
            Self::CombinedXff => {
                combined(access, out);
                out.push(b' ');
                quoted(access.x_forwarded_for, out);
                if !access.detail.is_empty() {
                    out.extend_from_slice(b" \"");
                    ended(access, out);
                    out.push(b'"');
                }
            }
            Self::CombinedTimed => timed(access, out),
            Self::Json => json(access, out),
            Self::Short => short(access, out),
        }
        out.push(b'\n');
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Reads the name of a format.
    ///
    /// # Errors
    /// [`UnknownFormat`] for every other text.
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or(UnknownFormat)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no [`Format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "unknown access-log format; known are common, combined, combined_xff, combined_timed, json and short",
        )
    }
}

impl std::error::Error for UnknownFormat {}

fn common(a: &Access<'_>, out: &mut Vec<u8>) {
    address(a, out);
    out.extend_from_slice(b" - ");
    match a.user {
        // not in quotes, so a space must not end the column
        Some(user) if !user.is_empty() => escape(user, b' ', out),
        _ => out.push(b'-'),
    }
    out.extend_from_slice(b" [");
    clf_time(a.at, out);
    out.extend_from_slice(b"] \"");
    if a.method.is_empty() {
        out.push(b'-');
    } else {
        escape(a.method, b'"', out);
        out.push(b' ');
        escape(a.target, b'"', out);
        if !a.version.is_empty() {
            out.push(b' ');
            escape(a.version.as_bytes(), b'"', out);
        }
    }
    out.extend_from_slice(b"\" ");
    number_or_dash(u64::from(a.status), out);
    out.push(b' ');
    number_or_dash(a.bytes, out);
}

fn combined(a: &Access<'_>, out: &mut Vec<u8>) {
    common(a, out);
    out.push(b' ');
    quoted(a.referer, out);
    out.push(b' ');
    quoted(a.user_agent, out);
}

fn timed(a: &Access<'_>, out: &mut Vec<u8>) {
    combined(a, out);
    out.push(b' ');
    quoted(a.x_forwarded_for, out);
    seconds("rt", Some(a.phases.total), out);
    seconds("uct", a.phases.connect, out);
    seconds("uht", a.phases.first_byte, out);
    let bad_end = match a.end {
        End::Done | End::TunnelDone => "",
        end => end.as_str(),
    };
    let tls = a.tls.unwrap_or_default();
    let words = [
        ("tls", tls.version),
        ("sni", tls.sni),
        ("client", tls.client_subject),
        ("pool", a.pool),
        ("backend", a.backend),
        ("why", a.why),
        ("end", bad_end),
        ("detail", a.detail),
    ];
    for (name, value) in words {
        if !value.is_empty() {
            named(name, out);
            out.push(b'"');
            escape(value.as_bytes(), b'"', out);
            out.push(b'"');
        }
    }
    if a.retries > 0 {
        named("retries", out);
        decimal(u64::from(a.retries), out);
    }
}

fn named(name: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
}

/// ` rt=0.042113`.
fn seconds(name: &str, value: Option<Duration>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        named(name, out);
        decimal(value.as_secs(), out);
        out.push(b'.');
        digits(u64::from(value.subsec_micros()), 6, out);
    }
}

fn json(a: &Access<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"time\":\"");
    rfc3339(a.at, out);
    out.extend_from_slice(b"\",\"client\":\"");
    address(a, out);
    out.push(b'"');
    text("user", a.user.unwrap_or_default(), out);
    text("method", a.method, out);
    text("host", a.host.unwrap_or_default(), out);
    text("target", a.target, out);
    text("version", a.version.as_bytes(), out);
    if a.status != 0 {
        number("status", u64::from(a.status), out);
    }
    number("bytes", a.bytes, out);
    number("request_bytes", a.request_bytes, out);
    text("referer", a.referer.unwrap_or_default(), out);
    text("user_agent", a.user_agent.unwrap_or_default(), out);
    text("x_forwarded_for", a.x_forwarded_for.unwrap_or_default(), out);
    text("listener", a.listener.as_bytes(), out);
    text("pool", a.pool.as_bytes(), out);
    text("backend", a.backend.as_bytes(), out);
    text("why", a.why.as_bytes(), out);
    text("persist", a.persist.as_bytes(), out);
    text("end", a.end.as_str().as_bytes(), out);
    text("error", a.end.proxy_status().unwrap_or_default().as_bytes(), out);
    text("detail", a.detail.as_bytes(), out);
    if !a.backend.is_empty() {
        boolean("reused", a.reused, out);
        number("retries", u64::from(a.retries), out);
    }
    if let Some(tls) = &a.tls {
        text("tls_version", tls.version.as_bytes(), out);
        text("tls_cipher", tls.cipher.as_bytes(), out);
        text("tls_group", tls.group.as_bytes(), out);
        text("tls_sni", tls.sni.as_bytes(), out);
        text("tls_alpn", tls.alpn, out);
        if !tls.version.is_empty() {
            boolean("tls_resumed", tls.resumed, out);
        }
        text("client_verified", tls.verified.as_bytes(), out);
        text("client_subject", tls.client_subject.as_bytes(), out);
        text("client_fingerprint", tls.client_fingerprint.as_bytes(), out);
    }
    if let Some(header) = &a.header {
        text("proxy_authority", header.authority, out);
        text("proxy_alpn", header.alpn, out);
        text("proxy_unique_id", header.unique_id.as_bytes(), out);
        text("proxy_tls_version", header.tls_version, out);
        text("proxy_client_verified", header.client_verified.as_bytes(), out);
        text("proxy_client_name", header.client_name, out);
        text("proxy_endpoint", header.endpoint.as_bytes(), out);
    }
    micros("total_us", Some(a.phases.total), out);
    micros("connect_us", a.phases.connect, out);
    micros("first_byte_us", a.phases.first_byte, out);
    out.push(b'}');
}

fn short(a: &Access<'_>, out: &mut Vec<u8>) {
    time_of_day(a.at, out);
    out.push(b' ');
    if a.method.is_empty() {
        // a tunnel, or a request of which not even the first line could be read
        address(a, out);
    } else {
        escape(a.method, b' ', out);
        out.push(b' ');
        escape(a.target.get(..SHORT_TARGET).unwrap_or(a.target), b' ', out);
        if a.target.len() > SHORT_TARGET {
            out.extend_from_slice(b"..");
        }
    }
    out.extend_from_slice(b" -> ");
    if a.status != 0 {
        decimal(u64::from(a.status), out);
        out.push(b' ');
    }
    if !a.backend.is_empty() {
        escape(a.backend.as_bytes(), b' ', out);
        out.push(b' ');
    }
    remarks(a, out);
    let hundredths = u64::try_from(a.phases.total.as_micros() / 10).unwrap_or(u64::MAX);
    decimal(hundredths / 100, out);
    out.push(b'.');
    digits(hundredths % 100, 2, out);
    out.extend_from_slice(b" ms");
}

/// `(persisted, 1 retry, upstream_truncated) `, or nothing.
fn remarks(a: &Access<'_>, out: &mut Vec<u8>) {
    let is_plain_turn = a.why.is_empty() || a.why == "scheduled";
    let mut before: &[u8] = b"(";
    if !is_plain_turn {
        out.extend_from_slice(before);
        escape(a.why.as_bytes(), b' ', out);
        before = b", ";
    }
    // "retried" says the first one
    if a.retries > u32::from(a.why == "retried") {
        out.extend_from_slice(before);
        decimal(u64::from(a.retries), out);
        out.extend_from_slice(if a.retries == 1 { b" retry" } else { b" retries" });
        before = b", ";
    }
    if a.end != End::Done && a.end != End::TunnelDone {
        out.extend_from_slice(before);
        ended(a, out);
        before = b", ";
    }
    if before != b"(" {
        out.extend_from_slice(b") ");
    }
}

/// `bad_request: Host is missing`: how it ended, and what else there is to say.
fn ended(a: &Access<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(a.end.as_str().as_bytes());
    if !a.detail.is_empty() {
        out.extend_from_slice(b": ");
        escape(a.detail.as_bytes(), b'"', out);
    }
}

/// One more member of the object, a string; nothing when it is empty.
fn text(name: &str, value: &[u8], out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    key(name, out);
    // Writing into a Vec cannot fail, and neither can serialising a string.
    let _ = match std::str::from_utf8(value) {
        Ok(value) if !value.contains(is_hostile) => serde_json::to_writer(&mut *out, value),
        _ => serde_json::to_writer(&mut *out, &format_args!("{}", Tamed(value))),
    };
}

fn number(name: &str, value: u64, out: &mut Vec<u8>) {
    key(name, out);
    decimal(value, out);
}

fn boolean(name: &str, value: bool, out: &mut Vec<u8>) {
    key(name, out);
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

fn micros(name: &str, value: Option<Duration>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        number(name, u64::try_from(value.as_micros()).unwrap_or(u64::MAX), out);
    }
}

fn key(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Bytes as text that shows in one line of any viewer.
struct Tamed<'a>(&'a [u8]);

impl fmt::Display for Tamed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for (i, piece) in chunk.valid().split(is_hostile).enumerate() {
                if i > 0 {
                    f.write_str("\u{fffd}")?;
                }
                f.write_str(piece)?;
            }
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

/// Allowed raw in a JSON string, yet a terminal command or a line end to some reader of logs: DEL,
/// the C1 controls (NEL and CSI among them), the two Unicode separators, and what turns the direction of text around.
fn is_hostile(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn quoted(value: Option<&[u8]>, out: &mut Vec<u8>) {
    out.push(b'"');
    match value {
        Some(value) => escape(value, b'"', out),
        None => out.push(b'-'),
    }
    out.push(b'"');
}

/// Apache's escaping of log items; `end` is the byte that would end the column.
fn escape(value: &[u8], end: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let plain = |b: u8| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\' && b != end;
    let mut rest = value;
    loop {
        let len = rest.iter().position(|b| !plain(*b)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(len);
        out.extend_from_slice(head);
        let Some((&byte, tail)) = tail.split_first() else {
            return;
        };
        rest = tail;
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0b => b'v',
            _ => {
                let digit = |n: u8| HEX.get(usize::from(n & 15)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte)]);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

fn address(a: &Access<'_>, out: &mut Vec<u8>) {
    let _ = write!(out, "{}", a.client.to_canonical());
}

/// The date of a moment; after the year 9999 that year's last second, so that a year has four digits.
fn civil(at: Wall) -> Civil {
    Civil::from(at.min(Civil::LAST_OF_9999))
}

/// `10/Oct/2000:13:55:36 +0000`
fn clf_time(at: Wall, out: &mut Vec<u8>) {
    let c = civil(at);
    digits(u64::from(c.day), 2, out);
    out.push(b'/');
    out.extend_from_slice(c.month_name().as_bytes());
    out.push(b'/');
    digits(c.year.unsigned_abs(), 4, out);
    out.push(b':');
    time_of_day(at, out);
    out.extend_from_slice(b" +0000");
}

/// `13:55:36`
fn time_of_day(at: Wall, out: &mut Vec<u8>) {
    let c = civil(at);
    digits(u64::from(c.hour), 2, out);
    for part in [c.minute, c.second] {
        out.push(b':');
        digits(u64::from(part), 2, out);
    }
}

/// A moment as text for machines and people: `2000-10-10T13:55:36.000Z`, RFC 3339 section 5.6. `O(1)`, allocates the text.
#[must_use]
pub fn timestamp(at: Wall) -> String {
    let mut out = Vec::with_capacity(24);
    rfc3339(at, &mut out);
    // digits and separators only
    String::from_utf8(out).unwrap_or_default()
}

/// `2000-10-10T13:55:36.000Z`, RFC 3339 section 5.6.
fn rfc3339(at: Wall, out: &mut Vec<u8>) {
    let c = civil(at);
    digits(c.year.unsigned_abs(), 4, out);
    for (before, part) in [
        (b'-', c.month),
        (b'-', c.day),
        (b'T', c.hour),
        (b':', c.minute),
        (b':', c.second),
    ] {
        out.push(before);
        digits(u64::from(part), 2, out);
    }
    out.push(b'.');
    digits(at.as_millis() % 1_000, 3, out);
    out.push(b'Z');
}

fn number_or_dash(value: u64, out: &mut Vec<u8>) {
    if value == 0 {
        out.push(b'-')
    } else {
        decimal(value, out)
    }
}

fn decimal(value: u64, out: &mut Vec<u8>) {
    digits(value, 1, out);
}

/// `value` in decimal with at least `width` digits. Four times as fast as `write!`, and a JSON
/// line has a dozen numbers.
fn digits(value: u64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let mut left = value;
    let mut used = 0;
    for place in text.iter_mut().rev() {
        if left == 0 && used >= width {
            break;
        }
        *place = b'0' + (left % 10) as u8;
        left /= 10;
        used += 1;
    }
    out.extend_from_slice(text.get(text.len() - used..).unwrap_or_default());
}

/// Bytes of the target that a short line shows: with the rest it fits a terminal of 120 columns.
const SHORT_TARGET: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(value: &[u8], end: u8) -> String {
        let mut out = Vec::new();
        escape(value, end, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped_as_apache_does_it() {
        assert_eq!(escaped(b"plain / ?a=b&c", b'"'), "plain / ?a=b&c");
        assert_eq!(escaped(b"a\"b\\c", b'"'), r#"a\"b\\c"#);
        assert_eq!(escaped(b"\x08\n\r\t\x0b", b'"'), r"\b\n\r\t\v");
        assert_eq!(escaped(b"\x00\x1b\x7f\x80\xff", b'"'), r"\x00\x1b\x7f\x80\xff");
        assert_eq!(escaped("ä".as_bytes(), b'"'), r"\xc3\xa4");
        assert_eq!(escaped(b"two words", b' '), r"two\x20words");
    }

    #[test]
    fn numbers_have_all_their_digits() {
        let text = |value, width| {
            let mut out = Vec::new();
            digits(value, width, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(0, 1), "0");
        assert_eq!(text(7, 3), "007");
        assert_eq!(text(1_000, 3), "1000");
        assert_eq!(text(u64::MAX, 1), "18446744073709551615");
    }

    #[test]
    fn names_read_back() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        assert_eq!("Json".parse::<Format>(), Err(UnknownFormat));
    }
}
