//! How an exchange ends: what becomes of both connections, and what is said of it.

use super::client::Client;
use super::exchange::{Exchange, Next};
use crate::core::Core;
use lb_balance::Outcome;
use lb_http::{Head, Kind, Version, h1};
use lb_telemetry::{Access, End};
use lb_types::Fields;

impl Exchange {
    /// Drops the upstream side.
    pub(super) fn give_up(&mut self, outcome: Outcome, core: &Core) {
        self.upstream = None;
        self.connecting = None;
        if let Some(ticket) = self.ticket.take() {
            ticket.finish(outcome, core.now().mono);
        }
    }

    /// Ends what is under way, unfinished: the drain's deadline passed.
    pub(super) fn cut(&mut self, client: &Client, core: &Core) -> Next {
        self.give_up(Outcome::Neutral, core);
        self.record(client, core, End::DrainDeadline);
        if self.facts.until_close {
            Next::Reset
        } else {
            Next::Close
        }
    }

    pub(super) fn after_answer(&mut self, client: &mut Client, core: &Core) -> Next {
        let end = self.facts.end.unwrap_or(End::Internal);
        self.record(client, core, end);
        self.next_of(client, core)
    }

    /// What the client's connection does after this exchange.
    pub(super) fn next_of(&mut self, client: &mut Client, core: &Core) -> Next {
        match client.conn.next() {
            h1::Next::Reuse if !client.eof || self.has_input() => {
                client.conn.start_next();
                // Without input it goes back to the free list, which resets it too.
                if self.has_input() {
                    self.reset(core);
                }
                Next::Again
            }
            h1::Next::Reuse => Next::Close,
            // The client asked for the close and sent no more: nothing to linger for.
            _ if client.conn.reading_done() && !self.has_input() && client.asked_to_close => Next::Close,
            _ => Next::Linger,
        }
    }

    /// The log line and the counters of this exchange; once.
    pub(super) fn record(&mut self, client: &Client, core: &Core, end: End) {
        if std::mem::replace(&mut self.facts.logged, true) {
            return;
        }
        core.counters.ended(end);
        if self.facts.status != 0 {
            core.counters.response(self.facts.status);
        }
        core.counters.client_in(self.up.payload());
        core.counters.client_out(self.down.sent());
        core.counters.upstream_out(self.up.sent());
        core.counters.upstream_in(self.down.payload());
        let place = client.place.view();
        let view = self.view.as_ref().unwrap_or(&place);
        let Some(http) = view.http().filter(|http| http.access_log) else {
            return;
        };
        if !http.log_probes && is_probe(&self.request) {
            return;
        }
        let mut log = core.log.borrow_mut();
        let Some(log) = &mut *log else { return };
        let now = core.now();
        let started = if self.facts.started.wall.as_secs() == 0 {
            now
        } else {
            self.facts.started
        };
        let millis = started.wall.as_secs() * 1000 + u64::from(core.clock.micros_of(started)) / 1000;
        let mut access = Access::new(client.sender.peer(), millis);
        let head = &self.request;
        if head.kind() == Kind::Request {
            access.method = head.method();
            access.target = head.target();
            access.version = if head.version() == Version::Http10 {
                "HTTP/1.0"
            } else {
                "HTTP/1.1"
            };
            access.host = head.authority();
            access.referer = head.first("referer");
            access.user_agent = head.first("user-agent");
            access.x_forwarded_for = head.first("x-forwarded-for");
        }
        access.status = self.facts.status;
        access.bytes = self.down.payload();
        access.request_bytes = self.up.payload();
        access.listener = &view.options().name;
        if let Some(pool) = &self.pool {
            access.pool = pool.entry.pool.name();
        }
        (access.backend, access.why) = self.picked();
        access.end = end;
        access.retries = u32::from(self.facts.retries);
        access.reused = self.facts.reused;
        access.phases.total = now.mono.since(started.mono);
        access.phases.connect = self.facts.connected.map(|t| t.since(self.facts.connect_from));
        access.phases.first_byte = self.facts.first_byte.map(|t| t.since(started.mono));
        log.write(&access);
    }
}

/// A health probe of another load balancer of ours?
fn is_probe(request: &Head) -> bool {
    let agent = request.first("user-agent");
    agent.is_some_and(|agent| agent.starts_with(crate::PROBE_AGENT.as_bytes()))
}
