use crate::grammar::StatusRange;
use crate::secret::Secret;
use lb_balance::FailOpen;
use lb_sched::Algorithm;
use lb_telemetry::Format;
use lb_types::{BackendId, Cidr, Weight};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a configuration means: every name resolved, every default filled in, every range checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Worker threads; 0 is one per core. A change needs a restart.
    pub workers: u16,
    /// How long a stopping process waits for requests under way.
    pub drain_timeout: Duration,
    /// The access log.
    pub log: Log,
    /// In the order of the file.
    pub listeners: Vec<Listener>,
    /// In the order of the file.
    pub pools: Vec<Pool>,
}

/// Where access-log lines go, and what they look like.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// Where to.
    pub access: AccessLog,
    /// The form of a line.
    pub format: Format,
}

/// Where access-log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, opened for appending.
    File(PathBuf),
}

/// One address, and what is served there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listener {
    /// For logs and metrics.
    pub name: String,
    /// Where to listen.
    pub address: SocketAddr,
    /// Handshakes the kernel keeps while the workers are busy.
    pub backlog: u32,
    /// Most client connections at once, over all workers.
    pub max_connections: usize,
    /// Does it write access-log lines?
    pub access_log: bool,
    /// What is spoken.
    pub service: Service,
}

/// What a listener speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// HTTP/1.1 and 1.0.
    Http(Box<Http>),
    /// Bytes, all to one pool.
    Tcp(Tcp),
}

/// An HTTP listener.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http {
    /// Which request goes where. The most specific one wins, whatever the order.
    pub routes: Vec<Route>,
    /// Where requests go that no route is for. `None`: 404.
    pub forward: Option<Forward>,
    /// Limits of a request.
    pub limits: Limits,
    /// Requests on one client connection.
    pub keep_alive_requests: u32,
    /// How long a client may take for what.
    pub timeouts: ClientTimeouts,
    /// Clients whose forwarded headers are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Is a client that closed its sending side taken for gone?
    pub abort_on_half_close: bool,
}

/// A TCP listener.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tcp {
    /// Where to.
    pub forward: Forward,
    /// The longest silence in both directions.
    pub idle: Duration,
}

/// Which requests, and what happens to them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Hosts in small letters, `*.` before some; none: every host.
    pub hosts: Vec<String>,
    /// The path prefix, in whole segments.
    pub path: String,
    /// What happens.
    pub action: Action,
}

/// What happens to the requests of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A pool serves them.
    Forward(Forward),
    /// They are answered with this status, without content.
    Respond(u16),
    /// They are sent elsewhere.
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// The `Location` field.
        to: String,
    },
}

/// A pool, and how long its backends may take for the requests that come this way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forward {
    /// Position in [`Plan::pools`].
    pub pool: usize,
    /// Global, listener's, route's or pool's: the last one that is set.
    pub timeouts: UpstreamTimeouts,
}

/// How long a backend may take for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UpstreamTimeouts {
    /// For the handshake.
    pub connect: Duration,
    /// For the response head, and between two pieces of its body.
    pub response: Duration,
}

/// How long a client may take for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientTimeouts {
    /// For a request head.
    pub head: Duration,
    /// Between two pieces of a request body.
    pub body: Duration,
    /// To take a piece of the response.
    pub write: Duration,
    /// Between two requests.
    pub keep_alive: Duration,
    /// How long `Expect: 100-continue` waits for the backend.
    pub expect_continue: Duration,
    /// Silence in both directions of an upgraded connection.
    pub tunnel: Duration,
}

/// What one message may cost, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Start line and fields.
    pub head_bytes: usize,
    /// Lines of fields.
    pub fields: usize,
    /// The request target.
    pub target_bytes: usize,
    /// The body; `None`: no limit.
    pub body_bytes: Option<u64>,
}

/// Backends behind one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pool {
    /// Part of the identity of its backends.
    pub name: String,
    /// Who gets the next request.
    pub algorithm: Algorithm,
    /// At least one.
    pub backends: Vec<Backend>,
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
    /// Limits of a response: of its head.
    pub limits: Limits,
    /// Second attempts.
    pub retries: Retries,
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
    /// As it was written: an address, or a host name and a port.
    pub address_text: String,
    /// Where it is.
    pub address: SocketAddr,
    /// Its share beside the others.
    pub weight: Weight,
    /// Most requests (HTTP) or connections (TCP) at once.
    pub max_connections: Option<u32>,
    /// Does it take known clients only?
    pub drain: bool,
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

/// How backends are probed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// What a probe does.
    pub check: Check,
    /// Another port than the backend's.
    pub port: Option<u16>,
    /// How long a probe may take.
    pub timeout: Duration,
    /// When to probe and how to judge.
    pub rules: lb_health::Rules,
}

/// What a probe does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// Connects and closes.
    Tcp,
    /// Sends a request.
    Http(HttpCheck),
}

/// What an HTTP probe sends and expects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpCheck {
    /// `GET` or `HEAD`.
    pub method: ProbeMethod,
    /// The request target.
    pub path: String,
    /// The `Host` field; `None`: the backend's address as written.
    pub host: Option<String>,
    /// Good answers.
    pub status: Vec<StatusRange>,
    /// What a good answer contains.
    pub body: Option<String>,
}

/// The method of an HTTP probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeMethod {
    /// With a body in the answer.
    Get,
    /// Without.
    Head,
}

impl Default for UpstreamTimeouts {
    /// What holds when nothing is set.
    fn default() -> Self {
        crate::resolve::default_upstream()
    }
}

impl Plan {
    /// The pool of this name.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// The listener of this name.
    #[must_use]
    pub fn listener(&self, name: &str) -> Option<&Listener> {
        self.listeners.iter().find(|listener| listener.name == name)
    }

    /// Positions of the pools that some listener sends to.
    #[must_use]
    pub fn used_pools(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self
            .listeners
            .iter()
            .flat_map(Listener::forwards)
            .map(|to| to.pool)
            .collect();
        used.sort_unstable();
        used.dedup();
        used
    }
}

impl Listener {
    /// Everything this listener may send to.
    #[must_use]
    pub fn forwards(&self) -> Vec<&Forward> {
        match &self.service {
            Service::Tcp(tcp) => vec![&tcp.forward],
            Service::Http(http) => {
                let routes = http.routes.iter().filter_map(|route| match &route.action {
                    Action::Forward(forward) => Some(forward),
                    Action::Respond(_) | Action::Redirect { .. } => None,
                });
                routes.chain(&http.forward).collect()
            }
        }
    }
}

impl Backend {
    /// Its identity, for ever.
    #[must_use]
    pub fn id(&self, pool: &Pool) -> BackendId {
        BackendId::of(&pool.name, &self.name)
    }

    /// Its weight now: 0 while it drains.
    #[must_use]
    pub const fn weight_now(&self) -> Weight {
        if self.drain { Weight::ZERO } else { self.weight }
    }
}
