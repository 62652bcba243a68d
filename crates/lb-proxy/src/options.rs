//! What a listener and a pool may do: plain values, filled by whoever builds a snapshot.

use lb_balance::route::Routes;
use lb_http::forward::Statements;
use lb_http::h1::Limits;
use lb_types::{Address, Cidr};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

/// One listening address and what it serves.
#[derive(Debug)]
pub struct ListenerOptions {
    /// The name, for logs.
    pub name: String,
    /// The address as configured. It is the listener's identity over reloads.
    pub address: Address,
    /// Handshakes the kernel keeps while the workers are busy.
    pub backlog: u32,
    /// Most client connections at once over all workers; more wait in the kernel's queue.
    pub max_connections: usize,
    /// What is spoken.
    pub service: Service,
}

/// What a listener speaks.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one per listener, behind an Arc")]
#[non_exhaustive]
pub enum Service {
    /// HTTP/1.1 and 1.0.
    Http(HttpOptions),
    /// Bytes.
    Tcp(TcpOptions),
}

/// Options of an HTTP listener.
#[derive(Debug)]
pub struct HttpOptions {
    /// From host and path to an index into [`Snapshot::pools`](crate::Snapshot::pools).
    pub routes: Routes,
    /// Limits of the codec toward clients.
    pub limits: Arc<Limits>,
    /// How long a client connection may be silent between requests (S-KA-01: 75 s).
    pub keep_alive: Duration,
    /// Requests on one client connection; the last one is answered with `Connection: close`.
    pub keep_alive_requests: u32,
    /// From the first byte of a head to its end. Also the patience for the first byte of a new
    /// connection.
    pub head_timeout: Duration,
    /// The longest pause between two pieces of a request body.
    pub body_timeout: Duration,
    /// The longest time a client may refuse to take response bytes.
    pub write_timeout: Duration,
    /// From the first byte of a request to the last of its response; `None`: for ever. Not for what an upgrade makes of
    /// the connection.
    pub request_timeout: Option<Duration>,
    /// Bytes per second that a client must send of a request's body and take of a response, while it is the one that
    /// is waited for; `body_timeout` and `write_timeout` are how far it may fall behind. `None`: any rate.
    pub min_body_rate: Option<NonZeroU64>,
    /// How long an `Expect: 100-continue` waits for the backend before we answer 100 ourselves.
    pub continue_timeout: Duration,
    /// The longest silence in both directions of an upgraded connection.
    pub tunnel_timeout: Duration,
    /// Peers whose forwarded headers are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// What backends are told of the client.
    pub statements: Statements,
    /// Give up a request whose client closed its sending side.
    pub abort_on_half_close: bool,
    /// Write an access-log line per request.
    pub access_log: bool,
    /// Also for requests of health probes: those whose User-Agent begins with [`PROBE_AGENT`].
    pub log_probes: bool,
}

/// How the probes of this project's prober name themselves, up to the version.
pub const PROBE_AGENT: &str = "lbd-probe/";

/// Options of a TCP listener.
#[derive(Debug)]
pub struct TcpOptions {
    /// Index into [`Snapshot::pools`](crate::Snapshot::pools).
    pub pool: usize,
    /// The longest silence in both directions (S-CONN-04, S-CONN-05).
    pub idle_timeout: Duration,
    /// Write an access-log line per connection.
    pub access_log: bool,
}

/// How a pool's backends are spoken to.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// For the handshake with a backend.
    pub connect_timeout: Duration,
    /// From the end of the request to the response head, and between pieces of its body.
    pub response_timeout: Duration,
    /// How long an unused upstream connection is kept. Shorter than the backend's own keep-alive.
    pub idle_timeout: Duration,
    /// Unused upstream connections kept per worker and backend.
    pub max_idle: usize,
    /// Other backends that are tried after the first, per request.
    pub retries: u8,
    /// Retries may be at most this share of the requests, in percent (beside a few per second).
    pub retry_percent: u8,
    /// Does an answer 5xx, other than 501 and 505, count as a failure of its backend? For pools that judge by traffic.
    pub server_errors_fail: bool,
    /// Limits of the codec toward backends.
    pub limits: Arc<Limits>,
}

#[cfg(test)]
impl HttpOptions {
    /// Without routes, limits of the codec's own, and patient.
    pub(crate) fn for_tests() -> Self {
        let forever = Duration::from_secs(60);
        Self {
            routes: Routes::new(Vec::new()).expect("no route is no conflict"),
            limits: Arc::default(),
            keep_alive: forever,
            keep_alive_requests: 1_000,
            head_timeout: forever,
            body_timeout: forever,
            write_timeout: forever,
            request_timeout: None,
            min_body_rate: None,
            continue_timeout: forever,
            tunnel_timeout: forever,
            trusted_proxies: Vec::new(),
            statements: Default::default(),
            abort_on_half_close: false,
            access_log: false,
            log_probes: true,
        }
    }
}
