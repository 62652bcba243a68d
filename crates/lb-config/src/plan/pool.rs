use super::{Health, Limits, PoolTls};
use crate::grammar::{self, HostPort};
use crate::secret::Secret;
use lb_balance::FailOpen;
use lb_http::h1::Parsing;
use lb_persist::HashBy;
use lb_sched::{Algorithm, Recipe};
use lb_types::Address;
use lb_types::{BackendId, Weight};
use std::path::PathBuf;
use std::time::Duration;

/// Backends behind one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// Part of the identity of its backends.
    pub name: String,
    /// Who gets the next request.
    pub algorithm: Algorithm,
    /// What the algorithm is told, and who stands aside for whom.
    pub scheduling: Scheduling,
    /// At least one.
    pub backends: Vec<Backend>,
    /// How they are spoken to over TLS; `None`: in plain.
    pub tls: Option<Box<PoolTls>>,
    /// The PROXY header that they get first.
    pub proxy_protocol: Option<ProxyOut>,
    /// Do connections come from the client's address?
    pub transparent: bool,
    /// The way clients are recognised, and its fallback: at most two.
    pub persistence: Vec<Persistence>,
    /// How backends are probed.
    pub health: Option<Health>,
    /// When health is ignored.
    pub fail_open: FailOpen,
    /// Unused connections kept per worker and backend.
    pub max_idle_connections: usize,
    /// How long an unused connection is kept.
    pub keep_alive: Duration,
    /// How strictly responses are read, those to probes included.
    pub parsing: Parsing,
    /// Limits of a response: of its head.
    pub limits: Limits,
    /// Second attempts.
    pub retries: Retries,
}

/// A PROXY header in front of every connection to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyOut {
    /// Its form.
    pub version: ProxyVersion,
    /// Does it have a checksum?
    pub crc: bool,
    /// Does it say the name that the client asked for?
    pub authority: bool,
    /// Does it have a value that no other connection has?
    pub unique_id: bool,
    /// Does it say what the client's TLS is?
    pub ssl: bool,
    /// Does it say the protocol that was agreed on?
    pub alpn: bool,
}

/// The form of a PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyVersion {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// How requests are spread, besides the algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scheduling {
    /// What requests are placed by; set for algorithms that place by hash, and for no other.
    pub hash: Option<HashBy>,
    /// The most load of a backend beside the mean, for algorithms that place by hash.
    pub bounded_load_percent: Option<u16>,
    /// The size of a Maglev table; `None`: by the number of backends.
    pub table_size: Option<u32>,
    /// How fast a measured latency is forgotten.
    pub ewma_decay: Duration,
    /// Backups join when fewer than this share of those before them are up; 0: when none is.
    pub backup_below_percent: u8,
    /// Other zones join when fewer than this share of the backends of this zone are up; 0: when none is.
    pub other_zones_below_percent: u8,
}

/// Second attempts at other backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retries {
    /// At most so many per request.
    pub attempts: u8,
    /// At most this share of all requests.
    pub budget_percent: u8,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backend {
    /// Its name inside the pool.
    pub name: String,
    /// As it was written: an address, a host name and a port, or a Unix domain socket.
    pub address_text: String,
    /// Where it is.
    pub address: Address,
    /// Its share beside the others.
    pub weight: Weight,
    /// Most requests (HTTP) or connections (TCP) at once.
    pub max_connections: Option<u32>,
    /// Its place in line: 0 serves first, a backup has 1 or more.
    pub priority: u8,
    /// Where it is, beside the zone of the process.
    pub zone: Option<String>,
    /// Does it take known clients only?
    pub drain: bool,
    /// The name that its certificate must have, where that is not the pool's.
    pub server_name: Option<String>,
}

/// How clients are recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Persistence {
    /// By their address.
    ClientIp(ClientIp),
    /// By a cookie of ours.
    CookieInsert(Box<CookieInsert>),
}

/// Clients are recognised by their address.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientIp {
    /// IPv4 bits that make one client.
    pub netmask_v4: u8,
    /// IPv6 bits that make one client.
    pub netmask_v6: u8,
    /// How long a client is remembered after its last connection or request.
    pub timeout: Duration,
    /// Most clients remembered.
    pub capacity: usize,
    /// Does a new client push out the one that was away for longest?
    pub evict_oldest: bool,
}

/// Clients are recognised by a cookie of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CookieInsert {
    /// The cookie's name.
    pub name: String,
    /// Its lifetime; `None`: as long as the browser runs.
    pub max_age: Option<Duration>,
    /// When it is written again.
    pub refresh: lb_persist::Refresh,
    /// `Path`.
    pub path: String,
    /// `Domain`.
    pub domain: Option<String>,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
    /// `SameSite`.
    pub same_site: Option<lb_persist::SameSite>,
    /// `Partitioned`.
    pub partitioned: bool,
    /// Are answers with the cookie marked `Cache-Control: private`?
    pub mark_private: bool,
    /// Does the backend see the cookie?
    pub forward_to_backend: bool,
    /// What signs the cookie. `None`: a key of this process.
    pub secret: Option<Secret>,
    /// The file the secret came from.
    pub secret_file: Option<PathBuf>,
}

impl Pool {
    /// The algorithm with its table, without the bound on loads.
    pub(crate) fn recipe(&self) -> Recipe {
        Recipe::new(self.algorithm).with_table_len(self.scheduling.table_size)
    }
}

impl Backend {
    /// Its identity, for ever.
    #[must_use]
    pub fn id(&self, pool: &Pool) -> BackendId {
        BackendId::of(&pool.name, &self.name)
    }

    /// Its host, as it was written and in small letters; an address without its port. A Unix domain socket has none.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let address = self.address.ip()?;
        match grammar::host_port(&self.address_text, &|_| Ok(1)) {
            Ok(HostPort::Name { host, .. }) => Some(host.trim_end_matches('.').to_ascii_lowercase()),
            _ => Some(address.to_string()),
        }
    }

    /// Its weight now: 0 while it drains.
    #[must_use]
    pub const fn weight_now(&self) -> Weight {
        if self.drain { Weight::ZERO } else { self.weight }
    }
}
