//! Limits that were reached, as lines for the operator: at once, and then at most once a minute each.

use crate::note::{Rising, counted};
use lb_net::Shortage;
use lb_proxy::ListenerEntry;
use lb_types::Time;

/// What was told of one listener.
#[derive(Debug, Default)]
pub(super) struct Limits {
    limited: Rising,
    crowded: Rising,
    unaccepted: Rising,
    broken: Rising,
}

impl Limits {
    /// What came since it was last told.
    pub(super) fn lines(&mut self, listener: &ListenerEntry, now: Time) -> Vec<String> {
        let (options, connections) = (&listener.options, &listener.connections);
        let mut lines = Vec::new();
        let mut say = |what: String| lines.push(format!("listener {}: {what}", options.name));
        if let Some(times) = self.limited.since_told(connections.limited(), now) {
            // Names the limit, the listener and the key (S-CONN-06).
            say(format!(
                "max_connections = {} reached: {} had to wait, and those behind them; raise `max_connections` in its \
                 `limits` or in `[limits]`",
                options.max_connections,
                counted(times, "connection")
            ));
        }
        if let Some(times) = self.crowded.since_told(connections.crowded(), now) {
            say(format!(
                "{} had to wait: the last descriptors{} are kept for connections to backends; {}",
                counted(times, "connection"),
                of_how_many(),
                Shortage::Descriptors.mend()
            ));
        }
        if let Some(times) = self.unaccepted.since_told(connections.unaccepted(), now) {
            let shortage = connections.shortage().unwrap_or(Shortage::Descriptors);
            say(format!(
                "accepting failed {}: {}{}; idle connections are closed to make room; {}",
                counted(times, "time"),
                shortage.what(),
                if shortage == Shortage::Descriptors {
                    of_how_many()
                } else {
                    String::new()
                },
                shortage.mend()
            ));
        }
        let (times, error) = connections.broken();
        if self.broken.since_told(times, now).is_some() {
            say(format!(
                "a worker cannot accept from its socket on {}: {error}; clients that the system gives to this worker are \
                 not served: restart lbd if this goes on",
                options.address
            ));
        }
        lines
    }
}

/// Requests and TCP connections that could not reach a backend for want of something here.
pub(super) fn no_backend_reached(times: u64) -> String {
    format!(
        "{} reached no backend for want of descriptors{}, memory or local ports here, as the access log says \
         (local_shortage); {}",
        counted(times, "request"),
        of_how_many(),
        Shortage::Descriptors.mend()
    )
}

/// ` (of 1024)`.
fn of_how_many() -> String {
    lb_net::descriptor_limit().map_or_else(String::new, |limit| format!(" (of {limit})"))
}
