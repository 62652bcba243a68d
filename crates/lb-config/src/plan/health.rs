use crate::grammar::StatusRange;
use lb_probe::{ExchangeOptions, Fallback, ProxyHeader, UdpOptions};
use std::net::IpAddr;
use std::time::Duration;

/// How backends are probed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// What a probe does.
    pub check: Check,
    /// Another address than the backend's.
    pub address: Option<IpAddr>,
    /// Another port than the backend's.
    pub port: Option<u16>,
    /// How long a probe may take.
    pub timeout: Duration,
    /// A right answer that takes longer is bad all the same.
    pub slow: Option<Duration>,
    /// From where to probe.
    pub origin: Origin,
    /// Is the probe made over TLS? `None`: as the pool speaks.
    pub tls: Option<bool>,
    /// Does the probe begin in clear and ask for TLS, as the service's protocol prescribes?
    pub starttls: bool,
    /// A PROXY protocol header in front of the probe.
    pub proxy_protocol: Option<ProxyHeader>,
    /// The agent that is asked besides.
    pub agent: Option<AgentCheck>,
    /// When to probe and how to judge.
    pub rules: lb_health::Rules,
    /// Does a 5xx answer count as a failed request, where requests judge? Except 501 and 505: they speak of the request.
    pub server_errors: bool,
}

/// From where to probe; the system chooses what is not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Origin {
    /// The local address.
    pub source: Option<IpAddr>,
    /// The network interface.
    pub interface: Option<String>,
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Connects and closes.
    Tcp,
    /// Sends a SYN and resets what answers.
    HalfOpen(Fallback),
    /// Sends a request.
    Http(HttpCheck),
    /// Sends and expects bytes.
    Exchange(ExchangeOptions),
    /// `PING`.
    Redis,
    /// `version`.
    Memcached,
    /// Greeting and `EHLO`.
    Smtp,
    /// The greeting, and a login when there is a user.
    Mysql {
        /// Who logs in.
        user: Option<String>,
    },
    /// A question about TLS, or the beginning of a login when there is a user.
    Postgres {
        /// Who logs in.
        user: Option<String>,
    },
    /// A datagram and its reply.
    Udp(UdpOptions),
    /// Nothing: only traffic judges.
    Passive,
}

/// What an HTTP probe sends and expects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpCheck {
    /// How.
    pub method: ProbeMethod,
    /// The request target.
    pub path: String,
    /// The `Host` field; `None`: the backend's address as written.
    pub host: Option<String>,
    /// Good answers.
    pub status: Vec<StatusRange>,
    /// What a good answer contains.
    pub body: Option<String>,
    /// So much of the body is looked at.
    pub body_bytes: usize,
    /// Where a good answer redirects to.
    pub location: Option<String>,
    /// Further fields of the request.
    pub headers: Vec<(String, String)>,
    /// The `User-Agent` field; `None`: the prober's own.
    pub user_agent: Option<String>,
    /// How strictly the answer is read: as the pool reads all answers.
    pub parsing: lb_http::h1::Parsing,
}

/// The method of an HTTP probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeMethod {
    /// With a body in the answer.
    Get,
    /// Without.
    Head,
    /// As HAProxy asks.
    Options,
}

/// The agent beside a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentCheck {
    /// Its port.
    pub port: u16,
    /// Another address than the backend's.
    pub address: Option<IpAddr>,
    /// From one question to the next.
    pub interval: Duration,
    /// How long a question may take; `None`: as long as the interval.
    pub timeout: Option<Duration>,
    /// What is sent first.
    pub send: Vec<u8>,
}
