use crate::End;
use lb_types::Wall;
use std::net::IpAddr;
use std::time::Duration;

/// One request (or one tunnel) as the access log tells it.
///
/// Begin with [`Access::new`] and set what is known; what is not known stays out of the line
/// (`-` in the text formats). Everything borrowed from the wire is raw bytes: the format escapes it.
/// There is no field for `Authorization` or cookies, on purpose: they cannot reach a log.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Access<'a> {
    /// The client's address, after PROXY header and trusted proxies.
    pub client: IpAddr,
    /// The moment the request's first byte came.
    pub at: Wall,
    /// The authenticated user, if something authenticated one.
    pub user: Option<&'a [u8]>,
    /// The method; empty when no request line was read (and for tunnels).
    pub method: &'a [u8],
    /// The request target as the client sent it, query included.
    pub target: &'a [u8],
    /// The protocol as in the request line: `HTTP/1.1`.
    pub version: &'a str,
    /// The status sent to the client; 0 when none was.
    pub status: u16,
    /// Body bytes sent to the client (tunnels: all bytes to the client).
    pub bytes: u64,
    /// Body bytes received from the client (tunnels: all bytes from it).
    pub request_bytes: u64,
    /// The Host or authority.
    pub host: Option<&'a [u8]>,
    /// The Referer.
    pub referer: Option<&'a [u8]>,
    /// The User-Agent.
    pub user_agent: Option<&'a [u8]>,
    /// X-Forwarded-For as the client sent it (first line), whether trusted or not.
    pub x_forwarded_for: Option<&'a [u8]>,
    /// The listener's name.
    pub listener: &'a str,
    /// The pool's name; empty when no pool was chosen.
    pub pool: &'a str,
    /// The backend's name; empty when no backend was chosen.
    pub backend: &'a str,
    /// Why this backend: a word such as `sticky`, `least`, `overflow`.
    pub why: &'a str,
    /// What persistence said: a word such as `hit`, `miss`, `new`.
    pub persist: &'a str,
    /// How it ended.
    pub end: End,
    /// What else there is to say of the end, such as the rule that a message broke; empty when there is nothing.
    pub detail: &'a str,
    /// How often the request was sent again.
    pub retries: u32,
    /// Was the upstream connection a pooled one?
    pub reused: bool,
    /// What the client's TLS is; `None`: it speaks plainly.
    pub tls: Option<TlsAccess<'a>>,
    /// What a PROXY header said beside the addresses; `None`: nothing, or none came.
    pub header: Option<HeaderAccess<'a>>,
    /// How long each part took.
    pub phases: Phases,
}

/// The TLS of a client connection, as the access log tells it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TlsAccess<'a> {
    /// `TLSv1.2` or `TLSv1.3`; empty while none was agreed on.
    pub version: &'a str,
    /// The cipher suite.
    pub cipher: &'a str,
    /// The group of the key exchange; empty when there was none.
    pub group: &'a str,
    /// The server name that was asked for; empty: none.
    pub sni: &'a str,
    /// The application protocol that was agreed on; empty: none.
    pub alpn: &'a [u8],
    /// Was a session taken up again?
    pub resumed: bool,
    /// `none`, `ok` or `failed`: what the client's certificate came to, where one is asked for.
    pub verified: &'a str,
    /// The subject of the client's certificate; empty: none.
    pub client_subject: &'a str,
    /// The SHA-256 fingerprint of the client's certificate, in hexadecimal digits; empty: none.
    pub client_fingerprint: &'a str,
}

/// What a proxy in front says of a client connection, as the access log tells it; empty: nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeaderAccess<'a> {
    /// The server name that the client asked the proxy for.
    pub authority: &'a [u8],
    /// The application protocol that they agreed on.
    pub alpn: &'a [u8],
    /// What nobody else's connection has, in hexadecimal digits.
    pub unique_id: &'a str,
    /// The version of TLS toward the proxy.
    pub tls_version: &'a [u8],
    /// What the client's certificate came to there: `none`, `ok` or `failed`.
    pub client_verified: &'a str,
    /// The common name of that certificate.
    pub client_name: &'a [u8],
    /// The endpoint of a cloud's private network: AWS's name, the number of Azure or Google.
    pub endpoint: &'a str,
}

impl Access<'_> {
    /// A record of a request that began at this moment; all else empty.
    #[must_use]
    pub const fn new(client: IpAddr, at: Wall) -> Self {
        Self {
            client,
            at,
            user: None,
            method: b"",
            target: b"",
            version: "",
            status: 0,
            bytes: 0,
            request_bytes: 0,
            host: None,
            referer: None,
            user_agent: None,
            x_forwarded_for: None,
            listener: "",
            pool: "",
            backend: "",
            why: "",
            persist: "",
            end: End::Done,
            detail: "",
            retries: 0,
            reused: false,
            tls: None,
            header: None,
            phases: Phases {
                total: Duration::ZERO,
                connect: None,
                first_byte: None,
            },
        }
    }
}

/// How long the parts of a request took. Logged in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    /// From the first byte of the request to the last byte of the response.
    pub total: Duration,
    /// Making the upstream connection; `None` when a pooled one was used or none was made.
    pub connect: Option<Duration>,
    /// From the request's first byte to the first byte of the backend's response.
    pub first_byte: Option<Duration>,
}
