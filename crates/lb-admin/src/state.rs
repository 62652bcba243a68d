//! What there is to see, as values: the server writes them, the client reads them, the table shows them.
//!
//! Fields are only added, never renamed or given another meaning, as long as the paths begin with `/v1`. Whoever reads
//! fills in defaults for what an older program does not say.

use lb_health::Cause;
use serde::{Deserialize, Serialize};

mod totals;

pub use totals::{BackendCounts, ListenerCounts, PoolCounts, Totals};

/// Everything: the process, its listeners, its pools.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The program that answers.
    pub process: Process,
    /// Sums over all workers since the start.
    pub totals: Totals,
    /// In the order of the configuration.
    pub listeners: Vec<Listener>,
    /// In the order of the configuration.
    pub pools: Vec<Pool>,
    /// What clients are shown over TLS, each once.
    pub certificates: Vec<Certificate>,
}

/// A certificate that clients are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// Whom it is for.
    pub names: Vec<String>,
    /// The subject, as text.
    pub subject: String,
    /// The issuer, as text.
    pub issuer: String,
    /// The kind of its key.
    pub key: String,
    /// The last moment at which it is valid, RFC 3339.
    pub not_after: String,
    /// Whole days until then; negative when it is over.
    pub days_left: i64,
    /// Certificates that are sent, its own included.
    pub chain: usize,
    /// The file that it came from.
    pub file: String,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// The listeners, and their sites, that show it.
    pub used_by: Vec<String>,
}

/// The program that answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Its version.
    pub version: String,
    /// Its number in the operating system.
    pub pid: u32,
    /// Worker threads.
    pub workers: usize,
    /// The configuration file; none when it runs from arguments.
    pub config: Option<String>,
    /// Counts the configurations that were in force, from 1.
    pub serial: u64,
    /// The moment of this answer, RFC 3339.
    pub now: String,
    /// When it started, RFC 3339.
    pub started: String,
    /// How long ago that was.
    pub started_seconds: f64,
    /// When the configuration in force was loaded, RFC 3339.
    pub loaded: String,
    /// How long ago that was.
    pub loaded_seconds: f64,
    /// How often a configuration, or a file that it names, was refused since the start; what ran before stayed.
    pub refused: u64,
    /// It was told to stop and waits for its last connections.
    pub stopping: bool,
}

/// A listening address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Listener {
    /// Its name in the configuration.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// `http`, `tcp` or `tls_passthrough`.
    pub protocol: String,
    /// Client connections open now.
    pub connections: usize,
    /// Most connections at once.
    pub max_connections: usize,
    /// Connections that had to wait so far, because `max_connections` were open.
    pub limited: u64,
    /// Connections that had to wait so far, because the last descriptors are kept for connections to backends.
    pub crowded: u64,
    /// How often accepting failed so far, for want of descriptors or memory.
    pub unaccepted: u64,
    /// What came over it, all workers together.
    pub counts: ListenerCounts,
}

/// Backends behind one rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pool {
    /// Its name in the configuration.
    pub name: String,
    /// The word of the configuration.
    pub algorithm: String,
    /// Backends that get requests now, drained ones included.
    pub up: usize,
    /// Backends that take new clients now.
    pub taking: usize,
    /// All backends.
    pub total: usize,
    /// Health is ignored, because too few backends are up.
    pub failed_open: bool,
    /// The turns follow the weights exactly.
    pub exact_shares: bool,
    /// It speaks TLS to its backends and believes whatever certificate they show.
    pub unverified: bool,
    /// What was for it, all workers together.
    pub counts: PoolCounts,
    /// In the order of the configuration.
    pub backends: Vec<Backend>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Backend {
    /// Its pool.
    pub pool: String,
    /// Its name inside the pool.
    pub name: String,
    /// The id under which cookies and tables remember it.
    pub id: String,
    /// Where it is.
    pub address: String,
    /// `starting`, `up`, `down`, `draining`, `maintenance`, or `unchecked`: takes clients, and nobody probes it.
    pub state: String,
    /// Who is sent to it: `everybody`, `overflow` (a backup, or one in another zone: new clients for whom those before it
    /// have no room), `known` (clients it had before) or `nobody`.
    pub takes: String,
    /// When the state began, RFC 3339.
    pub since: String,
    /// How long ago that was.
    pub since_seconds: f64,
    /// Why it is down.
    pub cause: Option<Why>,
    /// The order in force: `ready`, `drain`, `maintenance` or `up`.
    pub admin: String,
    /// Was it given at run time? If not, the configuration says so.
    pub admin_ordered: bool,
    /// Its share.
    pub weight: Share,
    /// Requests (HTTP) or connections (TCP) under way.
    pub in_flight: u32,
    /// Most of them at once.
    pub max_connections: Option<u32>,
    /// It refuses connections, so others get its requests, whatever its state.
    pub passed_over: Option<PassedOver>,
    /// Requests in a row that failed.
    pub failures: u32,
    /// The last request that it failed.
    pub last_failure: Option<Failure>,
    /// What it had to do, all workers together.
    pub counts: BackendCounts,
    /// What its probes say; none when it is not probed.
    pub probe: Option<Probe>,
}

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// When, RFC 3339.
    pub at: String,
    /// How long ago that was.
    pub seconds_ago: f64,
    /// The end reason, as in the access log.
    pub end: String,
    /// What else there is to say, such as the rule that its response broke.
    pub detail: Option<String>,
}

/// A backend that did not take a connection last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PassedOver {
    /// How it refused.
    pub cause: Why,
    /// Since when, RFC 3339.
    pub since: String,
    /// How long ago that was.
    pub since_seconds: f64,
    /// When a request tries it again; 0: the next one does.
    pub next_seconds: f64,
}

/// A backend's weight, from the file to what it gets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// What the configuration says.
    pub configured: u16,
    /// What was set at run time, and counts instead.
    pub ordered: Option<u16>,
    /// Slow start: the part of the weight that it gets now.
    pub ramp_percent: u8,
    /// What the backend's agent makes of the weight, 0 to 25,600 percent; none without an agent.
    pub agent_percent: Option<u16>,
    /// What counts now: 0 for whoever takes no new clients, else the weight times the parts of slow start and agent.
    pub effective: f64,
    /// Its part of the pool's new clients, as far as weights decide that.
    pub share_percent: f64,
}

/// What the probes of a backend say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Probe {
    /// The address that is probed.
    pub address: Option<String>,
    /// Is that another one than the traffic's?
    pub elsewhere: bool,
    /// The local address that probes come from, when one was given.
    pub source: Option<String>,
    /// The next probe, RFC 3339; none while one is under way, in maintenance by order and without probes.
    pub next: Option<String>,
    /// In how long that is.
    pub next_seconds: Option<f64>,
    /// How long the last probe took.
    pub took_seconds: Option<f64>,
    /// The certificate that the backend showed to a probe; none without TLS, and where its date is not asked for.
    pub certificate: Option<Shown>,
    /// Probes in a row that speak against the state.
    pub against: u16,
    /// What the backend's own agent asks for, when that is stronger than the order: `drain` or `maintenance`.
    pub agent: Option<String>,
    /// The text that its agent gave last, such as `too hot` of `down #too hot`.
    pub agent_note: Option<String>,
    /// Why the agent's last answer was none. What it said before stays.
    pub agent_fault: Option<String>,
    /// The longest time until a death is noticed.
    pub detection_seconds: Option<f64>,
    /// The newest result.
    pub last: Option<Seen>,
    /// The last results, newest first: at most [`Probe::RESULTS`].
    pub results: Vec<Seen>,
}

impl Probe {
    /// How many results are shown.
    pub const RESULTS: usize = 10;
}

/// The certificate that a backend shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    /// When it ends, RFC 3339.
    pub not_after: String,
    /// Whole days until then; negative when it is over.
    pub days_left: i64,
    /// In words, such as `expires in 5 days`, once that is worth a warning.
    pub warning: Option<String>,
}

/// The result of one probe.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// When it was over, RFC 3339.
    pub at: String,
    /// How long ago that was.
    pub seconds_ago: f64,
    /// Was it good?
    pub ok: bool,
    /// What was wrong.
    pub cause: Option<Why>,
}

/// A cause with its words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Why {
    /// One word, stable between versions.
    pub kind: String,
    /// The same for people.
    pub text: String,
    /// What to look at first.
    pub mend: String,
}

impl From<Cause> for Why {
    fn from(cause: Cause) -> Self {
        Self {
            kind: cause.as_str().to_owned(),
            text: cause.to_string(),
            mend: cause.mend().to_owned(),
        }
    }
}

impl State {
    /// How many backends there are.
    #[must_use]
    pub fn backends(&self) -> usize {
        self.pools.iter().map(|pool| pool.backends.len()).sum()
    }
}
