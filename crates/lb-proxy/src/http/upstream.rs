//! From a request that is ready to a connection that its bytes can be written to, and what happens when
//! that fails.

use super::answer;
use super::begin::Step1;
use super::client::Client;
use super::exchange::{Exchange, Phase, Stop};
use super::patience::Wait;
use super::pool::Idle;
use crate::contact::NoContact;
use crate::core::Core;
use crate::pick::pick;
use crate::view::PoolView;
use lb_balance::Outcome;
use lb_http::h1;
use lb_net::{Opening, Stream};
use lb_telemetry::End;
use lb_types::Time;
use std::hint::cold_path;
use std::rc::Rc;
use std::task::{Context, Poll};

impl Exchange {
    /// Picks a backend and gets a connection to it, or answers that there is none. `last` is what
    /// the attempt before came to.
    pub(super) fn choose(&mut self, mut last: Option<End>, client: &mut Client, core: &Core) {
        let Some(pool) = self.pool.clone() else { return };
        loop {
            match self.pick(&pool, core) {
                // What really failed says more than that nobody is left to try.
                Err(end) => {
                    cold_path();
                    last = last.or(Some(end));
                    break;
                }
                // Who proves himself over a connection gets one that nobody used before.
                Ok(()) => {
                    if last.is_some() {
                        cold_path();
                        self.facts.retries = self.facts.retries.saturating_add(1);
                        core.counters.retry();
                        // It was said of the backend before.
                        self.detail = "";
                    }
                    match self.open(&pool, self.facts.bound, client, core) {
                        Ok(()) => return,
                        // It could not even be begun: no descriptor, no port, no route.
                        Err(end) => last = Some(end),
                    }
                }
            }
            if !self.may_retry(&pool, core) {
                break;
            }
        }
        let end = last.unwrap_or(End::NoBackend);
        answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
    }

    fn pick(&mut self, pool: &PoolView, core: &Core) -> Result<(), End> {
        let Some(recalled) = &self.recalled else {
            return Err(End::Internal);
        };
        let ticket = pick(pool, recalled, &mut self.claims, &self.tried, core)?;
        self.facts.picked = Some((ticket.slot(), ticket.why()));
        self.ticket = Some(ticket);
        Ok(())
    }

    /// Takes a connection that waits for work, or begins a new one.
    fn open(&mut self, pool: &Rc<PoolView>, fresh: bool, client: &Client, core: &Core) -> Result<(), End> {
        let Some(ticket) = &self.ticket else {
            return Err(End::Internal);
        };
        self.facts.heard = false;
        self.facts.refused_at_once = false;
        self.facts.wait = None;
        self.reply.clear();
        self.up_stopped = false;
        let now = core.now().mono;
        self.facts.connect_from = now;
        self.facts.connected = None;
        if !fresh
            && let Some(idle) = pool.idle.get(ticket.slot().index())
            && let Some(stream) = self.take_idle(idle, client, core)
        {
            self.upstream = Some(stream);
            self.facts.reused = true;
            self.phase = Phase::Relay;
            core.counters.upstream_reuse();
            return Ok(());
        }
        cold_path();
        self.begin_connection(now, core)
    }

    #[inline(always)]
    fn take_idle(&self, idle: &Idle, client: &Client, core: &Core) -> Option<Stream> {
        while let Some(stream) = idle.take(core.now().mono, client.id) {
            // What must not be sent twice is not sent on a connection that the kernel knows
            // to be closed while we were not told yet.
            if !self.request.is_idempotent() && stream.has_unread() {
                cold_path();
                continue;
            }
            return Some(stream);
        }
        None
    }

    #[inline(never)]
    fn begin_connection(&mut self, now: Time, core: &Core) -> Result<(), End> {
        let Some(ticket) = &self.ticket else {
            return Err(End::Internal);
        };
        self.facts.reused = false;
        match Opening::start(ticket.backend().address) {
            Ok(opening) => {
                core.counters.upstream_connect();
                self.opening = Some(opening);
                self.phase = Phase::Connect;
                Ok(())
            }
            Err(error) => {
                let failed = NoContact::of(&error);
                if failed.wants_room() {
                    // It is waited for without a connection.
                    core.want_room();
                    self.detail = failed.detail;
                    self.phase = Phase::Connect;
                    return Ok(());
                }
                self.no_contact(failed, now);
                if failed.is_its_fault() {
                    self.blame(failed.end, core);
                }
                if let Some(ticket) = self.ticket.take() {
                    self.tried.add(ticket.slot());
                    failed.finish(ticket, now);
                }
                Err(failed.end)
            }
        }
    }

    pub(super) fn poll_connect(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        let Some(opening) = &mut self.opening else {
            return self.poll_room(cx, client, core);
        };
        match opening.poll(cx) {
            // Whatever it is, it is no answer to a request that was not sent.
            Poll::Ready(Ok(stream)) if stream.speaks_first() => {
                self.detail = h1::Error::Unsolicited.rule();
                Err(Stop::Upstream(End::UpstreamProtocol))
            }
            Poll::Ready(Ok(stream)) => {
                if let (Some(pool), Some(ticket)) = (&self.pool, &self.ticket) {
                    pool.entry.pool.connected(ticket.slot());
                }
                self.upstream = Some(stream);
                self.opening = None;
                self.facts.connected = Some(core.now().mono);
                self.phase = Phase::Relay;
                Ok(Poll::Ready(None))
            }
            Poll::Ready(Err(error)) => Err(self.no_contact(NoContact::of(&error), core.now().mono)),
            Poll::Pending => {
                self.watch_client(cx, client, core)?;
                self.wait_for(Wait::Connect, false, client, core);
                Ok(Poll::Pending)
            }
        }
    }

    /// There was no descriptor for a connection: waits for one, or for a connection that is idle again, as long as for a
    /// handshake.
    #[inline(never)]
    fn poll_room(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        let (Some(pool), Some(ticket)) = (&self.pool, &self.ticket) else {
            return Err(Stop::Internal);
        };
        let (slot, address) = (ticket.slot(), ticket.backend().address);
        if !self.facts.bound
            && let Some(idle) = pool.idle.get(slot.index())
            && let Some(stream) = self.take_idle(idle, client, core)
        {
            self.upstream = Some(stream);
            self.facts.reused = true;
            self.facts.wait = None;
            self.detail = "";
            self.phase = Phase::Relay;
            core.counters.upstream_reuse();
            return Ok(Poll::Ready(None));
        }
        match Opening::start(address) {
            Ok(opening) => {
                core.counters.upstream_connect();
                self.opening = Some(opening);
                self.facts.connect_from = core.now().mono;
                self.facts.wait = None;
                self.detail = "";
                Ok(Poll::Ready(None))
            }
            Err(error) => {
                let failed = NoContact::of(&error);
                if !failed.wants_room() {
                    return Err(self.no_contact(failed, core.now().mono));
                }
                core.want_room();
                core.wait_for_room(cx.waker());
                self.watch_client(cx, client, core)?;
                self.wait_for(Wait::Connect, false, client, core);
                Ok(Poll::Pending)
            }
        }
    }

    /// The connection could not be made: whoever comes next is spared the attempt.
    pub(super) fn no_contact(&mut self, failed: NoContact, now: Time) -> Stop {
        self.facts.refused_at_once = failed.is_free();
        self.detail = failed.detail;
        if let (Some(pool), Some(ticket)) = (&self.pool, &self.ticket) {
            failed.tell(pool, ticket.slot(), now);
        }
        Stop::Upstream(failed.end)
    }

    /// The backend failed before its final response began. A stale connection of the pool is
    /// replaced by a fresh one to the same backend; a fresh one that fails counts against the
    /// backend, and the request goes to another one if it may.
    pub(super) fn upstream_failed(&mut self, end: End, client: &mut Client, core: &Core) {
        let Some(pool) = self.pool.clone() else { return };
        self.upstream = None;
        self.opening = None;
        let ours = matches!(end, End::LocalShortage);
        let untouched = self.up.sent() == 0 && self.up.is_whole();
        let whole = self.request.is_idempotent() && self.up.is_done() && self.up.is_whole();
        let mut repeatable = !self.facts.forwarded && !self.facts.heard && (untouched || whole);
        if self.facts.bound && self.up.sent() > 0 {
            // What was proved over the old connection holds over no other one.
            repeatable = false;
            client.conn.close_after();
        }
        let died = matches!(end, End::UpstreamReset | End::UpstreamClosed);
        let mut outcome = Outcome::Failure;
        if self.facts.reused && died && !self.facts.heard {
            core.counters.stale_reuse();
            if repeatable {
                let opened = self
                    .write_again(&pool, core)
                    .and_then(|()| self.open(&pool, true, client, core));
                if let Err(end) = opened {
                    answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
                }
                return;
            }
            self.detail = CLOSED_WHILE_KEPT;
            outcome = Outcome::Neutral;
        }
        if !ours {
            self.blame(end, core);
        }
        if let Some(ticket) = self.ticket.take() {
            self.tried.add(ticket.slot());
            // It says nothing of the backend, not even how long it took.
            if !ours {
                ticket.finish(outcome, core.now().mono);
            }
        }
        let retriable = died
            || matches!(end, End::ConnectRefused | End::ConnectFailed | End::ConnectTimeout)
            || (ours && self.facts.refused_at_once);
        if ours && !retriable {
            // Its descriptor helps those who wait.
            client.conn.close_after();
        }
        if repeatable && retriable && self.may_retry(&pool, core) {
            match self.write_again(&pool, core) {
                Ok(()) => self.choose(Some(end), client, core),
                Err(end) => answer::respond(self, client, end.status().unwrap_or(500), end, None, core),
            }
            return;
        }
        // An interim response may have left already, or a part of it: ours follows.
        answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
    }

    /// Makes the request ready to be written from its first byte.
    fn write_again(&mut self, pool: &PoolView, core: &Core) -> Result<(), End> {
        if self.up.rewind() {
            self.write(pool, core).map_err(|_| End::Internal)?;
        }
        Ok(())
    }

    fn may_retry(&mut self, pool: &PoolView, core: &Core) -> bool {
        let free = std::mem::take(&mut self.facts.refused_at_once);
        if !pool.may_retry(self.facts.paid_retries, free, core.now().mono) {
            return false;
        }
        self.facts.paid_retries += u8::from(!free);
        true
    }

    /// Name of the backend that was picked last, and why; empty before.
    pub(super) fn picked(&self) -> (&str, &'static str) {
        let (Some((slot, why)), Some(pool)) = (self.facts.picked, &self.pool) else {
            return ("", "");
        };
        (pool.name_of(slot), why.word())
    }
}

/// Why a request that must not be sent twice failed on a connection that was used before.
const CLOSED_WHILE_KEPT: &str = "the backend closed a kept-alive connection while the request was on its way, and a \
     request of this kind is not sent again: upstream_keep_alive must be shorter than the backend's own keep-alive";
