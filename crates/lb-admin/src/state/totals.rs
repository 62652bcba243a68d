//! What is counted, by everything and by listener, pool and backend.

use lb_telemetry::End;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sums over all workers since the start: of clients and ends what the listeners count, of backends what the pools do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Client connections.
    pub connections: u64,
    /// Client connections open now.
    pub active: u64,
    /// Handshakes of TLS with clients that came to their end.
    pub tls_handshakes: u64,
    /// Those of them that took up a session from before: the cheap ones.
    pub tls_resumed: u64,
    /// Request heads read.
    pub requests: u64,
    /// Final responses by class: `1xx` to `5xx`, and `other`.
    pub responses: BTreeMap<String, u64>,
    /// Bytes from clients.
    pub client_bytes_in: u64,
    /// Bytes to clients.
    pub client_bytes_out: u64,
    /// Bytes from backends.
    pub upstream_bytes_in: u64,
    /// Bytes to backends.
    pub upstream_bytes_out: u64,
    /// New connections to backends.
    pub upstream_connects: u64,
    /// Connections to backends used again.
    pub upstream_reuses: u64,
    /// Kept connections that proved dead.
    pub stale_reuses: u64,
    /// Requests sent again to another backend.
    pub retries: u64,
    /// Returning clients sent to their backend.
    pub persist_hits: u64,
    /// Clients not known, or whose backend was gone.
    pub persist_misses: u64,
    /// How requests and connections ended, by reason; those that happened.
    pub ends: BTreeMap<String, u64>,
}

/// What is counted of a listener: its part of [`Totals`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ListenerCounts {
    /// Client connections so far.
    pub connections: u64,
    /// Handshakes of TLS with clients that came to their end.
    pub tls_handshakes: u64,
    /// Those of them that took up a session from before: the cheap ones.
    pub tls_resumed: u64,
    /// Request heads read.
    pub requests: u64,
    /// Final responses by class: `1xx` to `5xx`, and `other`.
    pub responses: BTreeMap<String, u64>,
    /// Bytes from clients.
    pub client_bytes_in: u64,
    /// Bytes to clients.
    pub client_bytes_out: u64,
    /// How its requests and connections ended, by reason; those that happened.
    pub ends: BTreeMap<String, u64>,
}

/// What is counted of a pool. Responses and ends are also their listeners'; the rest is its part of [`Totals`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolCounts {
    /// Final responses to what was for it, our own included, by class: `1xx` to `5xx`, and `other`.
    pub responses: BTreeMap<String, u64>,
    /// Bytes from its backends.
    pub upstream_bytes_in: u64,
    /// Bytes to its backends.
    pub upstream_bytes_out: u64,
    /// New connections to its backends.
    pub upstream_connects: u64,
    /// Connections to its backends used again.
    pub upstream_reuses: u64,
    /// Kept connections that proved dead.
    pub stale_reuses: u64,
    /// Requests sent again to another backend.
    pub retries: u64,
    /// Returning clients sent to their backend.
    pub persist_hits: u64,
    /// Clients not known, or whose backend was gone.
    pub persist_misses: u64,
    /// How the requests and connections of TCP that were for it ended, by reason; those that happened.
    pub ends: BTreeMap<String, u64>,
}

/// What is counted of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BackendCounts {
    /// Requests (HTTP) or connections (TCP) that it was picked for, each attempt.
    pub requests: u64,
    /// Final responses that it began, by class: `1xx` to `5xx`, and `other`.
    pub responses: BTreeMap<String, u64>,
    /// Bytes from it.
    pub upstream_bytes_in: u64,
    /// Bytes to it.
    pub upstream_bytes_out: u64,
    /// New connections to it.
    pub upstream_connects: u64,
    /// Connections to it used again.
    pub upstream_reuses: u64,
    /// How it failed requests and connections, by reason, whatever their clients got in the end; those that happened.
    pub failures: BTreeMap<String, u64>,
}

impl Totals {
    /// Names and numbers of the counters, in one order for every print.
    pub(crate) fn counters(&self) -> [(&'static str, u64); 7] {
        [
            ("connections", self.connections),
            ("active", self.active),
            ("requests", self.requests),
            ("upstream_connects", self.upstream_connects),
            ("upstream_reuses", self.upstream_reuses),
            ("stale_reuses", self.stale_reuses),
            ("retries", self.retries),
        ]
    }
}

impl From<&lb_telemetry::Snapshot> for Totals {
    fn from(sums: &lb_telemetry::Snapshot) -> Self {
        Self {
            connections: sums.opened,
            active: sums.active(),
            tls_handshakes: sums.handshakes,
            tls_resumed: sums.resumed,
            requests: sums.requests,
            responses: responses(sums.responses),
            client_bytes_in: sums.client_in,
            client_bytes_out: sums.client_out,
            upstream_bytes_in: sums.upstream_in,
            upstream_bytes_out: sums.upstream_out,
            upstream_connects: sums.upstream_connects,
            upstream_reuses: sums.upstream_reuses,
            stale_reuses: sums.stale_reuses,
            retries: sums.retries,
            persist_hits: sums.persist_hits,
            persist_misses: sums.persist_misses,
            ends: reasons(sums.ends()),
        }
    }
}

impl From<&lb_telemetry::ListenerCounts> for ListenerCounts {
    fn from(counts: &lb_telemetry::ListenerCounts) -> Self {
        Self {
            connections: counts.opened,
            tls_handshakes: counts.handshakes,
            tls_resumed: counts.resumed,
            requests: counts.requests,
            responses: responses(counts.responses),
            client_bytes_in: counts.client_in,
            client_bytes_out: counts.client_out,
            ends: reasons(counts.ends.iter()),
        }
    }
}

impl From<&lb_telemetry::PoolCounts> for PoolCounts {
    fn from(counts: &lb_telemetry::PoolCounts) -> Self {
        Self {
            responses: responses(counts.responses),
            upstream_bytes_in: counts.upstream_in,
            upstream_bytes_out: counts.upstream_out,
            upstream_connects: counts.upstream_connects,
            upstream_reuses: counts.upstream_reuses,
            stale_reuses: counts.stale_reuses,
            retries: counts.retries,
            persist_hits: counts.persist_hits,
            persist_misses: counts.persist_misses,
            ends: reasons(counts.ends.iter()),
        }
    }
}

impl From<&lb_telemetry::BackendCounts> for BackendCounts {
    fn from(counts: &lb_telemetry::BackendCounts) -> Self {
        Self {
            requests: counts.requests,
            responses: responses(counts.responses),
            upstream_bytes_in: counts.upstream_in,
            upstream_bytes_out: counts.upstream_out,
            upstream_connects: counts.upstream_connects,
            upstream_reuses: counts.upstream_reuses,
            failures: reasons(counts.failures.iter()),
        }
    }
}

/// By class, zeros included.
fn responses(counts: [u64; 6]) -> BTreeMap<String, u64> {
    let classes = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];
    classes.map(str::to_owned).into_iter().zip(counts).collect()
}

/// Those that happened.
fn reasons(ends: impl Iterator<Item = (End, u64)>) -> BTreeMap<String, u64> {
    ends.filter(|(_, count)| *count > 0)
        .map(|(end, count)| (end.as_str().to_owned(), count))
        .collect()
}
