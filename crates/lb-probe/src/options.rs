use crate::HttpOptions;
use std::net::IpAddr;
use std::time::Duration;

/// What to ask a backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Kind {
    /// A TCP connection: SYN, SYN-ACK, ACK, then an orderly close without a byte.
    #[default]
    Tcp,
    /// Half a TCP connection: SYN, SYN-ACK, RST. The program that listens never hears of it.
    HalfOpen(Fallback),
    /// An HTTP/1.1 request.
    Http(HttpOptions),
    /// Bytes to send and bytes to expect on a TCP connection.
    Exchange(ExchangeOptions),
    /// `PING` to a redis server. `-NOAUTH` is good too: a server that asks for a password is up.
    Redis,
    /// `version` to a memcached server.
    Memcached,
    /// The greeting of a mail server, `EHLO` and `QUIT`.
    Smtp,
    /// The greeting of a MySQL or MariaDB server.
    Mysql {
        /// Log in as this user, who has no password, and out again. Without a user the server counts each probe as an
        /// interrupted handshake, and may block this machine after `max_connect_errors` of them.
        user: Option<String>,
    },
    /// A PostgreSQL server: asks whether it speaks TLS, which leaves no trace in its log.
    Postgres {
        /// Begin to log in as this user. Finds also a server that is starting up or full; any answer about the
        /// user himself is good.
        user: Option<String>,
    },
    /// A datagram and its reply.
    Udp(UdpOptions),
}

/// What a half-open probe does where raw sockets are not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Fallback {
    /// Connects, holds back the last ACK and resets: most often the program that listens hears nothing either.
    #[default]
    Connect,
    /// Nothing: every probe ends with `Cause::Local`, which counts against nobody.
    Refuse,
}

/// Bytes to send and to expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeOptions {
    /// In this order; 1 to 32 of them. Default: none, which is refused.
    pub steps: Vec<Step>,
    /// The most bytes that are read in all. Default: 64 KiB.
    pub read_bytes: usize,
}

impl Default for ExchangeOptions {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            read_bytes: READ_BYTES,
        }
    }
}

/// One step of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Sends these bytes, 1 to 4096.
    Send(Vec<u8>),
    /// Reads until these bytes, 1 to 1024, have come. What came before them and they themselves are dropped.
    Expect(Vec<u8>),
}

/// A datagram and its reply.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UdpOptions {
    /// The datagram, 0 to 1400 bytes. Default: empty.
    pub send: Vec<u8>,
    /// What the reply contains, 1 to 1024 bytes. Default: any reply is good.
    pub expect: Option<Vec<u8>>,
    /// Is a backend up that says nothing until the timeout, as long as nobody says that its port is closed? For
    /// services that never answer, such as syslog. Default: no.
    pub silence_is_good: bool,
}

/// A PROXY protocol header in front of the probe, for backends that want one.
///
/// Source: haproxy's `proxy-protocol.txt`, versions 1 and 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyHeader {
    /// The line of version 1, with the addresses of the probe's connection.
    V1,
    /// Version 2, with the addresses of the probe's connection.
    V2,
    /// Version 2 with the command LOCAL and no addresses: made for probes.
    V2Local,
}

/// How to probe, not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeOptions {
    /// What to ask. Default: a TCP connection.
    pub kind: Kind,
    /// For connecting and answering together. Default: 2 s.
    pub timeout: Duration,
    /// A right answer that takes longer is `Cause::Slow`. Default: none does.
    pub slow: Option<Duration>,
    /// Another address than the backend's. Default: the backend's.
    pub address: Option<IpAddr>,
    /// Another port than the backend's. Default: the backend's.
    pub port: Option<u16>,
    /// The local address to probe from. Default: the system chooses.
    pub source: Option<IpAddr>,
    /// The network interface to probe through. Default: the system chooses.
    pub interface: Option<String>,
    /// A PROXY protocol header in front. Default: none.
    pub proxy_header: Option<ProxyHeader>,
    /// Begins in clear and asks the service to go over to TLS, as its protocol prescribes, instead of speaking TLS from
    /// the first byte: SMTP's STARTTLS (RFC 3207), SSLRequest of MySQL and PostgreSQL. The probe needs
    /// [`Probe::with_tls`](crate::Probe::with_tls) then. Default: no.
    pub starttls: bool,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            kind: Kind::Tcp,
            timeout: Duration::from_secs(2),
            slow: None,
            address: None,
            port: None,
            source: None,
            interface: None,
            proxy_header: None,
            starttls: false,
        }
    }
}

/// How much of an answer is looked at unless said otherwise: a health page is a few lines.
pub(crate) const READ_BYTES: usize = 65_536;
