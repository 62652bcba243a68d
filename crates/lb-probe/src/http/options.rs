use crate::Probe;
use crate::options::READ_BYTES;
use lb_http::Head;
use lb_http::h1::{Conn, Framing, Limits, Parsing, Role};
use lb_types::{Address, FieldsMut as _};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// How probes name themselves in the backend's log: `lbd-probe/` and the version. To leave them
/// out of a log: `grep -v lbd-probe/`.
pub const USER_AGENT: &str = concat!("lbd-probe/", env!("CARGO_PKG_VERSION"));

/// What to ask over HTTP and what to expect, not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// Default: GET.
    pub method: Method,
    /// Path and query. Default: `/`.
    pub path: String,
    /// The Host field, which is always sent. Default: the backend's address, with its port unless that is 80.
    pub host: Option<String>,
    /// The statuses that mean health. Default: 200 to 399, as with HAProxy.
    pub expect: Vec<RangeInclusive<u16>>,
    /// Text that must stand in the first `body_bytes` of the body. Default: none is looked for.
    pub body: Option<String>,
    /// So much of the body is looked at. Default: 64 KiB.
    pub body_bytes: usize,
    /// Where the answer must redirect to: the Location field, whole, or its beginning when this ends with `*`.
    /// Default: not looked at.
    pub location: Option<String>,
    /// Further fields of the request: names and values. Default: none.
    pub fields: Vec<(String, String)>,
    /// The User-Agent. Default: [`USER_AGENT`].
    pub user_agent: Option<String>,
    /// How strictly the answer is read. Default: strictly.
    pub parsing: Parsing,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            method: Method::Get,
            path: "/".to_owned(),
            host: None,
            expect: vec![200..=399],
            body: None,
            body_bytes: READ_BYTES,
            location: None,
            fields: Vec::new(),
            user_agent: None,
            parsing: Parsing::Strict,
        }
    }
}

/// The method of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Method {
    /// Head and body.
    #[default]
    Get,
    /// Only the head, as `curl -I`; some programs answer 405.
    Head,
    /// What HAProxy asks unless told otherwise; many programs answer it without the application's help.
    Options,
}

impl Method {
    /// The word in the request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}

/// Checked options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    method: Method,
    path: String,
    host: String,
    expect: Vec<RangeInclusive<u16>>,
    text: Option<Vec<u8>>,
    body_bytes: usize,
    location: Option<String>,
    fields: Vec<(String, String)>,
    user_agent: Option<String>,
    parsing: Parsing,
}

impl Request {
    pub(crate) fn new(options: HttpOptions, backend: Address) -> Result<Self, HttpError> {
        let HttpOptions {
            method,
            path,
            host,
            expect,
            body,
            body_bytes,
            location,
            fields,
            user_agent,
            parsing,
        } = options;
        check_path(&path)?;
        let host = host.unwrap_or_else(|| match backend {
            Address::Ip(address) if address.port() == 80 => bracketed(address),
            Address::Ip(address) => format!("{}:{}", bracketed(address), address.port()),
            // as nginx and curl have it
            Address::Unix(_) => "localhost".to_owned(),
        });
        check_host(&host)?;
        check_expect(&expect)?;
        if let Some(text) = &body {
            if method == Method::Head {
                return Err(HttpError::BodyOfHead);
            }
            if !(1..=BODY_TEXT_MOST).contains(&text.len()) {
                return Err(HttpError::BodyText {
                    bytes: text.len(),
                    most: BODY_TEXT_MOST,
                });
            }
        }
        if !(1..=Probe::READ_MOST).contains(&body_bytes) {
            return Err(HttpError::BodyBytes {
                bytes: body_bytes,
                most: Probe::READ_MOST,
            });
        }
        check_fields(&fields, user_agent.as_deref())?;
        let request = Self {
            method,
            path,
            host,
            expect,
            text: body.map(String::into_bytes),
            body_bytes,
            location,
            fields,
            user_agent,
            parsing,
        };
        match request.write() {
            Some(_) => Ok(request),
            None => Err(HttpError::Fields),
        }
    }

    /// A fresh connection's state, and the request's bytes to send on it.
    pub(crate) fn write(&self) -> Option<(Conn, Vec<u8>)> {
        let mut head = Head::with_capacity(512, 8);
        head.start_request(self.method.as_str().as_bytes(), self.path.as_bytes())
            .ok()?;
        let own = [
            ("Host", self.host.as_str()),
            ("User-Agent", self.user_agent.as_deref().unwrap_or(USER_AGENT)),
            ("Accept", "*/*"),
        ];
        let replaced = |name: &str| self.fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        let further = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.into_iter().filter(|(name, _)| !replaced(name)).chain(further) {
            head.append(name, value.as_bytes()).ok()?;
        }
        let limits = Limits {
            head_bytes: HEAD_BYTES,
            parsing: self.parsing,
            ..Limits::default()
        };
        let mut conn = Conn::new(Role::Client, Arc::new(limits));
        conn.close_after();
        let mut bytes = Vec::new();
        conn.write_head(&head, Framing::Empty, &mut bytes).ok()?;
        Some((conn, bytes))
    }

    pub(crate) fn expects(&self, status: u16) -> bool {
        self.expect.iter().any(|range| range.contains(&status))
    }

    /// What must stand in the body.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        self.text.as_deref()
    }

    /// So much of the body is looked at.
    pub(crate) const fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// Is this Location, or its absence, the expected one?
    pub(crate) fn leads_to(&self, location: Option<&[u8]>) -> bool {
        match self.location.as_deref().map(|text| (text, text.strip_suffix('*'))) {
            None => true,
            Some((_, Some(beginning))) => location.is_some_and(|found| found.starts_with(beginning.as_bytes())),
            Some((whole, None)) => location == Some(whole.as_bytes()),
        }
    }
}

/// HTTP options that make no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The path is not in origin form (RFC 9112, section 3.2.1).
    #[error("path does not begin with a slash")]
    PathStart,
    /// A byte that must not stand in a request target.
    #[error("byte 0x{byte:02x} at {offset} must not stand in a path; write it as %{byte:02X}")]
    PathByte {
        /// The byte.
        byte: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A long path.
    #[error("path has {bytes} bytes, more than {most}")]
    PathLength {
        /// How long it is.
        bytes: usize,
        /// The largest length.
        most: usize,
    },
    /// No host name, or with a byte that no host name or address has.
    #[error("`{host}` is no host name or address, with or without a port")]
    Host {
        /// What was given.
        host: String,
    },
    /// No status is expected.
    #[error("no status is expected: no backend would ever be up")]
    ExpectNothing,
    /// Too many ranges.
    #[error("{count} ranges of statuses, more than {most}")]
    ExpectCount {
        /// How many there are.
        count: usize,
        /// The largest number.
        most: usize,
    },
    /// A range that is empty or reaches outside the final statuses.
    #[error("statuses {first} to {last} are not within 200 to 599")]
    ExpectRange {
        /// The first status.
        first: u16,
        /// The last status.
        last: u16,
    },
    /// A text to look for where no body comes.
    #[error("a HEAD request has no body to look for text in; use GET")]
    BodyOfHead,
    /// A field that a request cannot carry, or that the probe writes itself.
    #[error("`{name}` cannot be sent: {reason}")]
    Field {
        /// Its name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// More fields than a request of this crate can carry.
    #[error("the fields together are too long")]
    Fields,
    /// No byte, or too many bytes of the body to look at.
    #[error("{bytes} bytes of the body are looked at, outside 1 to {most}")]
    BodyBytes {
        /// How many.
        bytes: usize,
        /// The largest number.
        most: usize,
    },
    /// A text that is empty or too long.
    #[error("the text to look for has {bytes} bytes, outside 1 to {most}")]
    BodyText {
        /// How long it is.
        bytes: usize,
        /// The largest length.
        most: usize,
    },
}

fn check_path(path: &str) -> Result<(), HttpError> {
    if !path.starts_with('/') {
        return Err(HttpError::PathStart);
    }
    if path.len() > PATH_MOST {
        return Err(HttpError::PathLength {
            bytes: path.len(),
            most: PATH_MOST,
        });
    }
    // a fragment never leaves a client; the rest of printable ASCII is what browsers send
    match path
        .bytes()
        .enumerate()
        .find(|(_, byte)| !matches!(byte, 0x21..=0x7e) || *byte == b'#')
    {
        Some((offset, byte)) => Err(HttpError::PathByte { byte, offset }),
        None => Ok(()),
    }
}

fn check_host(host: &str) -> Result<(), HttpError> {
    let refused = || HttpError::Host { host: host.to_owned() };
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or_else(refused)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| refused())?;
            (address, port)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let name_is_good = host.starts_with('[')
        || name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let port_is_good = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|n| n > 0),
        None => port.is_empty(),
    };
    if name.is_empty() || name.len() > HOST_MOST || !name_is_good || !port_is_good {
        Err(refused())
    } else {
        Ok(())
    }
}

/// Names are tokens, values are visible (RFC 9110, sections 5.1 and 5.5); what frames the request is ours.
fn check_fields(fields: &[(String, String)], user_agent: Option<&str>) -> Result<(), HttpError> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let visible = |byte: u8| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..);
    let ours = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "expect",
        "upgrade",
        "te",
        "trailer",
    ];
    let all = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain(user_agent.map(|value| ("User-Agent", value)));
    for (name, value) in all {
        let reason = if name.is_empty() || !name.bytes().all(token) {
            "its name is no token"
        } else if ours.contains(&name.to_ascii_lowercase().as_str()) {
            "the probe writes it itself; for Host there is `host`"
        } else if value.is_empty() || value.len() > VALUE_MOST || value.trim() != value || !value.bytes().all(visible) {
            "its value is empty, too long, or has control characters or blanks at an end"
        } else {
            continue;
        };
        return Err(HttpError::Field {
            name: name.to_owned(),
            reason,
        });
    }
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    if fields.len() > FIELDS_MOST || bytes > HEAD_BYTES {
        return Err(HttpError::Fields);
    }
    Ok(())
}

fn check_expect(expect: &[RangeInclusive<u16>]) -> Result<(), HttpError> {
    if expect.is_empty() {
        return Err(HttpError::ExpectNothing);
    }
    if expect.len() > EXPECT_MOST {
        return Err(HttpError::ExpectCount {
            count: expect.len(),
            most: EXPECT_MOST,
        });
    }
    let bad = |range: &&RangeInclusive<u16>| *range.start() < 200 || *range.end() > 599 || range.is_empty();
    match expect.iter().find(bad) {
        Some(range) => Err(HttpError::ExpectRange {
            first: *range.start(),
            last: *range.end(),
        }),
        None => Ok(()),
    }
}

/// As a Host field has it: without the zone, which means nothing elsewhere (RFC 6874, section 3).
fn bracketed(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

/// What a response head may have, and the further fields of a request together.
const HEAD_BYTES: usize = 16_384;
/// As long as common URL limits.
const PATH_MOST: usize = 2_048;
/// The longest DNS name (RFC 1035, section 2.3.4).
const HOST_MOST: usize = 255;
/// More ranges than anybody writes.
const EXPECT_MOST: usize = 16;
/// Tokens that services ask for are shorter.
const VALUE_MOST: usize = 2_048;
/// More than anybody writes.
const FIELDS_MOST: usize = 16;
/// Keeps the search in 64 KiB below some milliseconds in the worst case.
const BODY_TEXT_MOST: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut HttpOptions)) -> Result<Request, HttpError> {
        let mut options = HttpOptions::default();
        change(&mut options);
        Request::new(options, "10.1.1.2:8080".parse().unwrap())
    }

    fn error(change: impl FnOnce(&mut HttpOptions)) -> String {
        with(change).unwrap_err().to_string()
    }

    #[test]
    fn s_health_09_a_host_is_always_sent_and_can_be_set() {
        let text = |request: Request| String::from_utf8(request.write().unwrap().1).unwrap();
        assert!(text(with(|_| {}).unwrap()).contains("\r\nHost: 10.1.1.2:8080\r\n"));
        let set = with(|o| o.host = Some("www.example.com".to_owned())).unwrap();
        assert!(text(set).contains("\r\nHost: www.example.com\r\n"));
        for (backend, host) in [
            ("10.1.1.2:80", "10.1.1.2"),
            ("[2001:db8::2]:80", "[2001:db8::2]"),
            ("[fe80::2%3]:80", "[fe80::2]"),
            ("[fe80::2%3]:8080", "[fe80::2]:8080"),
            ("[::1]:81", "[::1]:81"),
        ] {
            let request = Request::new(HttpOptions::default(), backend.parse().unwrap()).unwrap();
            assert_eq!(request.host, host);
        }
    }

    #[test]
    fn s_xff_11_probes_carry_a_recognisable_user_agent() {
        let text = String::from_utf8(with(|_| {}).unwrap().write().unwrap().1).unwrap();
        assert!(text.contains(&format!("\r\nUser-Agent: lbd-probe/{}\r\n", env!("CARGO_PKG_VERSION"))));
        assert!(USER_AGENT.starts_with("lbd-probe/"));
    }

    #[test]
    fn the_request_is_one_plain_head() {
        let request = with(|o| {
            o.method = Method::Head;
            o.path = "/health?deep=1".to_owned();
            o.host = Some("app".to_owned());
        });
        let want = format!(
            "HEAD /health?deep=1 HTTP/1.1\r\nHost: app\r\nUser-Agent: {USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(String::from_utf8(request.unwrap().write().unwrap().1).unwrap(), want);
    }

    #[test]
    fn further_fields_follow_and_replace_what_a_user_names_again() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = with(|o| {
            o.fields = vec![field("Authorization", "Bearer abc"), field("accept", "text/plain")];
            o.user_agent = Some("lbd/health".to_owned());
        });
        let text = String::from_utf8(request.unwrap().write().unwrap().1).unwrap();
        let want = "GET / HTTP/1.1\r\nHost: 10.1.1.2:8080\r\nUser-Agent: lbd/health\r\n\
                    Authorization: Bearer abc\r\naccept: text/plain\r\nConnection: close\r\n\r\n";
        assert_eq!(text, want);
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("Host", "x"),
            ("content-length", "5"),
            ("Transfer-Encoding", "chunked"),
            ("X", ""),
            ("X", "a\r\nY: b"),
            ("X", " a"),
        ] {
            let refused = with(|o| o.fields = vec![field(name, value)]).unwrap_err();
            assert!(matches!(refused, HttpError::Field { .. }), "{name}: {value}");
        }
        assert!(with(|o| o.fields = vec![field("X", "1"); 16]).is_ok());
        assert_eq!(
            with(|o| o.fields = vec![field("X", "1"); 17]).unwrap_err(),
            HttpError::Fields
        );
        assert_eq!(
            with(|o| o.fields = vec![field("X", &"1".repeat(2_048)); 16]).unwrap_err(),
            HttpError::Fields,
            "more than a head of 16 KiB"
        );
    }

    #[test]
    fn a_location_is_compared_whole_or_by_its_beginning() {
        let leads = |wanted: &str, found: Option<&[u8]>| {
            with(|o| o.location = Some(wanted.to_owned())).unwrap().leads_to(found)
        };
        assert!(leads("/login", Some(b"/login")));
        assert!(!leads("/login", Some(b"/login?x")) && !leads("/login", None));
        assert!(leads("https://*", Some(b"https://www.example.com/")) && !leads("https://*", Some(b"http://x/")));
        assert!(with(|_| {}).unwrap().leads_to(None));
    }

    #[test]
    fn s_health_08_path_host_and_statuses_are_checked() {
        assert_eq!(error(|o| o.path = String::new()), "path does not begin with a slash");
        assert_eq!(
            error(|o| o.path = "http://x/".to_owned()),
            "path does not begin with a slash"
        );
        assert_eq!(
            error(|o| o.path = "/a b".to_owned()),
            "byte 0x20 at 2 must not stand in a path; write it as %20"
        );
        assert_eq!(
            error(|o| o.path = "/\r\nX: y".to_owned()),
            "byte 0x0d at 1 must not stand in a path; write it as %0D"
        );
        assert_eq!(
            error(|o| o.path = "/a#b".to_owned()),
            "byte 0x23 at 2 must not stand in a path; write it as %23"
        );
        assert_eq!(
            error(|o| o.path = format!("/{}", "x".repeat(2_048))),
            "path has 2049 bytes, more than 2048"
        );
        assert!(with(|o| o.path = format!("/{}", "x".repeat(2_047))).is_ok());

        for host in ["a", "a.example", "a_b-c:8080", "10.0.0.1", "[::1]", "[::1]:443"] {
            assert!(with(|o| o.host = Some(host.to_owned())).is_ok(), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b",
            "a\r\nX: y",
            "a/b",
            "u@a",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "[::1",
            "[x]",
            "::1",
            "[::1]x",
        ] {
            let error = with(|o| o.host = Some(host.to_owned())).unwrap_err();
            assert_eq!(error, HttpError::Host { host: host.to_owned() });
        }

        assert!(with(|o| o.expect = vec![200..=200, 300..=399, 599..=599]).is_ok());
        assert_eq!(
            error(|o| o.expect = vec![]),
            "no status is expected: no backend would ever be up"
        );
        assert_eq!(
            error(|o| o.expect = vec![199..=299]),
            "statuses 199 to 299 are not within 200 to 599"
        );
        assert_eq!(
            error(|o| o.expect = vec![200..=200, 500..=600]),
            "statuses 500 to 600 are not within 200 to 599"
        );
        assert_eq!(
            error(|o| o.expect = vec![RangeInclusive::new(404, 403)]),
            "statuses 404 to 403 are not within 200 to 599"
        );
        assert_eq!(
            error(|o| o.expect = vec![200..=200; 17]),
            "17 ranges of statuses, more than 16"
        );
    }

    #[test]
    fn a_text_to_look_for_needs_a_body_and_a_length() {
        assert!(error(|o| (o.method, o.body) = (Method::Head, Some("ok".to_owned()))).contains("use GET"));
        assert_eq!(
            error(|o| o.body = Some(String::new())),
            "the text to look for has 0 bytes, outside 1 to 1024"
        );
        assert_eq!(
            error(|o| o.body = Some("x".repeat(1_025))),
            "the text to look for has 1025 bytes, outside 1 to 1024"
        );
        assert!(with(|o| o.body = Some("x".repeat(1_024))).is_ok());
    }
}
