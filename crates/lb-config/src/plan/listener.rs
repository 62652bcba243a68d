use super::{Made, ServerTls};
use crate::schema::TIMEOUTS;
use crate::usual;
use lb_guard::Access;
use lb_http::h1::QueryCharacters;
use lb_types::{Address, Cidr};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One address, and what is served there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listener {
    /// For logs and metrics.
    pub name: String,
    /// Where to listen.
    pub address: Address,
    /// Who may connect, when the address is a Unix domain socket with a file.
    pub socket: SocketFile,
    /// Handshakes the kernel keeps while the workers are busy.
    pub backlog: u32,
    /// Most client connections at once, over all workers.
    pub max_connections: usize,
    /// Most connections of one client at once; `None`: all of them.
    pub per_client: Option<PerClient>,
    /// Does it write access-log lines?
    pub access_log: bool,
    /// What is spoken below the service.
    pub tls: Option<Box<ServerTls>>,
    /// Does a PROXY header come first?
    pub proxy_protocol: Option<ProxyProtocol>,
    /// For what comes before the service, a PROXY header and the handshake of TLS; `None`: nothing comes.
    pub opening: Option<Opening>,
    /// Who may connect.
    pub access: AccessLists,
    /// What is spoken.
    pub service: Service,
}

/// Proxies in front that say the client's address in a PROXY header.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProxyProtocol {
    /// Is a connection without the header refused?
    pub is_required: bool,
    /// Who may send it.
    pub from: Vec<Cidr>,
}

/// What one client may have of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PerClient {
    /// Connections at once, over all workers.
    pub most: u32,
    /// The bits of an IPv4 address that make a client.
    pub prefix_v4: u8,
    /// The bits of an IPv6 address that make a client.
    pub prefix_v6: u8,
}

/// Who may connect, or be served: the longest range that holds the client decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AccessLists {
    /// Ranges that may. Where this or `allow_files` is given, nobody else may.
    pub allow: Vec<Cidr>,
    /// Files with more of them.
    pub allow_files: Vec<PathBuf>,
    /// Ranges that may not.
    pub deny: Vec<Cidr>,
    /// Files with more of them.
    pub deny_files: Vec<PathBuf>,
    /// All of them together.
    pub(crate) made: Option<Made<Access>>,
}

/// What a client may take for what comes before requests or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// For a PROXY header and the handshake of TLS together; with `tls_passthrough`, for the client's hello.
    pub handshake: Duration,
    /// Handshakes at once, per worker.
    pub max_handshakes: usize,
    /// The longest hello of a client, in bytes.
    pub hello_bytes: usize,
}

/// The file of a Unix domain socket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketFile {
    /// Its permissions.
    pub mode: u32,
    /// Its group, by name or number; without it the process's own.
    pub group: Option<String>,
}

/// What a listener speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// HTTP/1.1 and 1.0.
    Http(Box<Http>),
    /// Bytes, all to one pool.
    Tcp(Tcp),
    /// TLS that is not ended here: by the name in the client's hello to a pool.
    Passthrough(Passthrough),
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
    /// Bytes per second that a client must send of a body and take of a response; `None`: any rate.
    pub min_body_rate: Option<NonZeroU64>,
    /// How long a client may take for what.
    pub timeouts: ClientTimeouts,
    /// Clients whose forwarded headers are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// What becomes of characters in a query that should be percent-encoded.
    pub query_characters: QueryCharacters,
    /// What backends are told of the client.
    pub forwarded: Forwarded,
    /// Is a client that closed its sending side taken for gone?
    pub abort_on_half_close: bool,
    /// Do requests of health probes get lines in the access log?
    pub log_probes: bool,
    /// Is every request answered with the same address in https?
    pub redirect_to_https: bool,
    /// For how long browsers are to come over https only; `None`: nothing is said.
    pub hsts: Option<Duration>,
}

/// Which fields about a client are sent to backends, and which are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarded {
    /// Is `X-Forwarded-For` sent?
    pub address: bool,
    /// Is `X-Forwarded-Proto` sent?
    pub proto: bool,
    /// Is `X-Forwarded-Port` sent?
    pub port: bool,
    /// Are claims by other names (`True-Client-IP`, `X-Original-URL`) of untrusted clients dropped?
    pub drop_claims: bool,
    /// Are `Client-Cert` and `Client-Cert-Chain` sent (RFC 9440)?
    pub client_cert: bool,
    /// Is `X-Forwarded-Client-Cert` sent, as Envoy writes it?
    pub xfcc: bool,
    /// Is `X-SSL-Client-Verify` sent?
    pub client_verify: bool,
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

/// A listener that looks at the hello of TLS and ends no TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passthrough {
    /// Which names go where. The most specific one wins, whatever the order.
    pub routes: Vec<PassthroughRoute>,
    /// Where other names go, and clients that say none. `None`: they are refused.
    pub forward: Option<Forward>,
    /// The longest silence in both directions.
    pub idle: Duration,
}

/// Which hellos, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassthroughRoute {
    /// Names in small letters, `*.` before some, which stands for one label.
    pub hosts: Vec<String>,
    /// Protocols of which the client must offer one; none: whatever it offers.
    pub alpn: Vec<String>,
    /// Where to.
    pub forward: Forward,
}

/// Which requests, and what happens to them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Hosts in small letters, `*.` before some; none: every host.
    pub hosts: Vec<String>,
    /// The path prefix, in whole segments.
    pub path: String,
    /// Who is served.
    pub access: AccessLists,
    /// Are only clients served whose certificate was verified?
    pub verified: bool,
    /// Is it served without TLS though its listener redirects to https?
    pub plain: bool,
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
    /// Position in [`Plan::pools`](crate::Plan::pools).
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
    /// From the first byte of a request to the last of its response; `None`: for ever.
    pub request: Option<Duration>,
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

impl Default for UpstreamTimeouts {
    /// What holds when nothing is set.
    fn default() -> Self {
        Self {
            connect: usual::duration(&TIMEOUTS, "connect"),
            response: usual::duration(&TIMEOUTS, "response"),
        }
    }
}

impl AccessLists {
    /// All lists in one: who asks it needs nothing else of this. `None`: everybody may.
    #[must_use]
    pub fn access(&self) -> Option<&Arc<Access>> {
        self.made.as_ref().map(Made::value)
    }

    /// May everybody?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Listener {
    /// Everything this listener may send to.
    #[must_use]
    pub fn forwards(&self) -> Vec<&Forward> {
        match &self.service {
            Service::Tcp(tcp) => vec![&tcp.forward],
            Service::Passthrough(service) => {
                let routes = service.routes.iter().map(|route| &route.forward);
                routes.chain(&service.forward).collect()
            }
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
