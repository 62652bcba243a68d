//! What a listener and a pool may do: plain values, filled by whoever builds a snapshot.

use lb_balance::route::Routes;
use lb_guard::{Access, Caps};
use lb_http::forward::Statements;
use lb_http::h1::Limits;
use lb_preface::client_hello::ClientHello;
use lb_tls::{Sites, UpstreamTls};
use lb_types::{Address, Cidr, Slot};
use std::net::IpAddr;
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
    /// What comes before the service.
    pub preface: PrefaceOptions,
    /// What is spoken.
    pub service: Service,
}

impl ListenerOptions {
    /// What is passed through, if that is its service.
    pub(crate) fn passthrough(&self) -> Option<&PassthroughOptions> {
        match &self.service {
            Service::Passthrough(passthrough) => Some(passthrough),
            Service::Http(_) | Service::Tcp(_) => None,
        }
    }

    /// Does something come before what the service speaks?
    pub(crate) fn has_preface(&self) -> bool {
        self.preface.access.is_some()
            || self.preface.per_client.is_some()
            || self.preface.proxy.is_some()
            || self.preface.tls.is_some()
            || matches!(self.service, Service::Passthrough(_))
    }
}

/// What comes before a client's first request.
#[derive(Debug)]
pub struct PrefaceOptions {
    /// Who may connect at all; `None`: everybody.
    pub access: Option<Arc<Access>>,
    /// How much of it one client may have; `None`: all of it.
    pub per_client: Option<PerClient>,
    /// A PROXY header comes in front of each connection.
    pub proxy: Option<ProxyIn>,
    /// Clients speak TLS; `None`: plainly.
    pub tls: Option<Arc<TlsOptions>>,
    /// From a connection to the end of its PROXY header and its TLS handshake, or of the hello that is passed through.
    pub timeout: Duration,
    /// Most handshakes under way per worker; whoever comes beyond is refused.
    pub max_handshakes: usize,
    /// The most bytes of a TLS hello.
    pub hello_bytes: usize,
}

impl Default for PrefaceOptions {
    /// Nothing.
    fn default() -> Self {
        Self {
            access: None,
            per_client: None,
            proxy: None,
            tls: None,
            timeout: Duration::from_secs(10),
            max_handshakes: 2_000,
            hello_bytes: 16 * 1024,
        }
    }
}

/// At most so many connections of one client at once. Trusted proxies of an HTTP listener bring many clients: they are
/// not counted, and behind a PROXY header who that says is.
#[derive(Debug, Clone)]
pub struct PerClient {
    /// The most, 1 to [`Caps::MOST`].
    pub most: u32,
    /// The counts, of all workers together. Taken over from the snapshot before, they stay true over a reload.
    pub counts: Arc<Caps>,
}

/// Who sends PROXY headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyIn {
    /// Whoever is not among them is refused; else it is a client of its own.
    pub is_required: bool,
    /// The proxies: each of their connections begins with a header.
    pub from: Vec<Cidr>,
}

/// The TLS that clients speak.
#[derive(Debug)]
pub struct TlsOptions {
    /// Identities and rules by server name.
    pub sites: Sites,
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
    /// TLS that is not ended here: bytes, to a pool by the hello's server name.
    Passthrough(PassthroughOptions),
}

/// Options of an HTTP listener.
#[derive(Debug)]
pub struct HttpOptions {
    /// From host and path to an index into [`Snapshot::pools`](crate::Snapshot::pools).
    pub routes: Routes,
    /// Who is let in where a route has [`Guarded`](lb_balance::route::Action::Guarded) with this position.
    pub guards: Vec<Guard>,
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
    /// What has to do with https.
    pub https: HttpsOptions,
}

impl HttpOptions {
    /// Is this one of the trusted proxies? An IPv4 address in IPv6's form is told by its IPv4 form.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|range| range.contains(address))
    }
}

/// What an HTTP listener does because of TLS.
#[derive(Debug, Clone, Copy, Default)]
pub struct HttpsOptions {
    /// Every request that came without TLS is answered with 308 to the same place over https.
    pub redirect: bool,
    /// `Strict-Transport-Security` with this `max-age` on every response over TLS.
    pub hsts: Option<Duration>,
    /// Backends get `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
    pub client_cert: bool,
    /// Backends get `X-Forwarded-Client-Cert`.
    pub xfcc: bool,
    /// Backends get `X-SSL-Client-Verify`: `SUCCESS`, `NONE`, or `FAILED:` and the reason.
    pub client_verify: bool,
}

impl HttpsOptions {
    /// Are backends told of the client's certificate?
    pub(crate) const fn tells_of_clients(&self) -> bool {
        self.client_cert || self.xfcc || self.client_verify
    }
}

/// Who is let in by a route.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// By address; `None`: from anywhere.
    pub access: Option<Arc<Access>>,
    /// Only clients whose certificate was found good.
    pub verified: bool,
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

/// Options of a listener that passes TLS through.
#[derive(Debug)]
pub struct PassthroughOptions {
    /// By server name and application protocol; the longest name that fits wins, and one with a protocol before one without.
    pub routes: Vec<PassthroughRoute>,
    /// Index into [`Snapshot::pools`](crate::Snapshot::pools) for every other name, and for none; `None`: refused.
    pub default: Option<usize>,
    /// The longest silence in both directions.
    pub idle_timeout: Duration,
    /// Write an access-log line per connection.
    pub access_log: bool,
}

impl PassthroughOptions {
    /// Where a connection with this hello goes; `None`: nowhere. `O(routes)`.
    pub(crate) fn pool_for(&self, hello: &ClientHello<'_>) -> Option<usize> {
        let name = hello.server_name().host();
        let mut best: Option<((usize, bool), usize)> = None;
        for route in &self.routes {
            let offered = |wanted: &Vec<u8>| hello.alpn().any(|protocol| protocol == wanted.as_slice());
            if !route.alpn.is_empty() && !route.alpn.iter().any(offered) {
                continue;
            }
            let Some(name) = name else { break };
            for host in &route.hosts {
                let score = (fit(host, name), !route.alpn.is_empty());
                if score.0 > 0 && best.is_none_or(|(known, _)| known < score) {
                    best = Some((score, route.pool));
                }
            }
        }
        best.map(|(_, pool)| pool).or(self.default)
    }
}

/// How well a pattern fits a name: 0 not at all, an exact one better than any with `*.`, which stands for one label.
fn fit(pattern: &str, name: &str) -> usize {
    match pattern.strip_prefix("*.") {
        None if pattern.eq_ignore_ascii_case(name) => usize::MAX,
        Some(rest) => match name.split_once('.') {
            Some((label, parent)) if !label.is_empty() && parent.eq_ignore_ascii_case(rest) => pattern.len(),
            _ => 0,
        },
        None => 0,
    }
}

/// Where connections with some server names go.
#[derive(Debug)]
pub struct PassthroughRoute {
    /// Names in small letters; `*.` stands for one label.
    pub hosts: Vec<String>,
    /// Only clients that offer one of these application protocols; none: all.
    pub alpn: Vec<Vec<u8>>,
    /// Index into [`Snapshot::pools`](crate::Snapshot::pools).
    pub pool: usize,
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
    /// TLS by slot; `None`, or no such place: plainly.
    pub tls: Vec<Option<Arc<UpstreamTls>>>,
    /// A PROXY header goes in front of each connection.
    pub proxy: Option<ProxyOut>,
    /// Connections are made from the client's address, which the backend then sees as its peer; see
    /// [`lb_net::Opening::start_from`].
    pub transparent: bool,
}

impl PoolOptions {
    /// Does each connection speak for one client alone, so that no other may have it?
    pub(crate) const fn is_for_one_client(&self) -> bool {
        self.proxy.is_some() || self.transparent
    }

    /// The TLS that the backend in this place speaks.
    pub(crate) fn tls_of(&self, slot: Slot) -> Option<&Arc<UpstreamTls>> {
        self.tls.get(slot.index())?.as_ref()
    }
}

/// The PROXY header in front of a connection to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyOut {
    /// The format.
    pub version: ProxyVersion,
    /// Version 2: with a checksum.
    pub crc: bool,
    /// Version 2: with the server name that the client asked for.
    pub authority: bool,
    /// Version 2: with a number of the connection.
    pub unique_id: bool,
    /// Version 2: with the facts of the client's TLS.
    pub ssl: bool,
    /// Version 2: with the client's application protocol.
    pub alpn: bool,
}

/// A format of the PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyVersion {
    /// The line of text.
    V1,
    /// The binary block.
    V2,
}

#[cfg(test)]
impl HttpOptions {
    /// Without routes, limits of the codec's own, and patient.
    pub(crate) fn for_tests() -> Self {
        let forever = Duration::from_secs(60);
        Self {
            routes: Routes::new(Vec::new()).expect("no route is no conflict"),
            guards: Vec::new(),
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
            https: HttpsOptions::default(),
        }
    }
}
