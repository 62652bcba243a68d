//! From a request that is ready to a connection that its bytes can be written to, and what happens when
//! that fails.

use super::answer;
use super::connection::Client;
use super::exchange::{Exchange, Phase, Progress, Stop};
use super::flow::Sink;
use super::idle::Idle;
use super::out::Replay;
use super::patience::Wait;
use super::upstream::Link;
use crate::contact::{Contact, NoContact, OnBehalf};
use crate::core::Core;
use crate::course::{FailedAttempt, Verdict};
use crate::view::PoolView;
use lb_balance::Ticket;
use lb_http::h1::{self, Framing};
use lb_net::Stream;
use lb_telemetry::End;
use lb_types::Time;
use std::hint::cold_path;
use std::task::{Context, Poll};

/// How far a connection to a backend is that was asked for.
enum Reached {
    Kept(Stream),
    Begun(Contact),
}

/// Which idle connections an exchange may have.
#[derive(Clone, Copy)]
struct Want {
    /// None: who proves himself over a connection gets one that nobody used before.
    fresh: bool,
    owner: u32,
    is_idempotent: bool,
}

impl Want {
    /// A connection that waits for work.
    #[inline(always)]
    fn take(self, idle: &Idle, now: Time) -> Option<Stream> {
        while let Some(stream) = idle.take(now, self.owner) {
            // What must not be sent twice is not sent on a connection that the kernel knows
            // to be closed while we were not told yet.
            if !self.is_idempotent && stream.has_unread() {
                cold_path();
                continue;
            }
            return Some(stream);
        }
        None
    }

    /// A connection that waits for work, or the beginning of a new one.
    fn reach(self, pool: &PoolView, ticket: &Ticket, client: &Client, core: &Core) -> Result<Reached, NoContact> {
        if !self.fresh
            && let Some(idle) = pool.idle(ticket.slot())
            && let Some(stream) = self.take(idle, core.now().mono)
        {
            return Ok(Reached::Kept(stream));
        }
        cold_path();
        Contact::begin(pool, ticket, on_behalf(client), core).map(Reached::Begun)
    }
}

fn on_behalf(client: &Client) -> OnBehalf<'_> {
    OnBehalf {
        io: client.side.stream(),
        proxied: client.peer.proxied(),
        tls: client.peer.tls.as_deref(),
    }
}

impl Exchange {
    fn want(&self, client: &Client) -> Want {
        Want {
            fresh: self.trace.bound,
            owner: client.peer.id,
            is_idempotent: self.request.is_idempotent(),
        }
    }

    /// Picks a backend and gets a connection to it, or answers that there is none. `last` is what
    /// the attempt before came to.
    pub(super) fn choose(&mut self, last: Option<End>, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let want = self.want(client);
        let reached = self
            .course
            .choose(last, core, |pool, ticket| want.reach(pool, ticket, client, core));
        match reached {
            Ok(reached) => self.begin_attempt(reached, core),
            Err(end) => {
                cold_path();
                answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
                Ok(())
            }
        }
    }

    /// A connection is there, or on its way.
    fn begin_attempt(&mut self, reached: Reached, core: &Core) -> Result<(), Stop> {
        self.patience.start_over();
        self.trace.connect_from = core.now().mono;
        self.trace.connected = None;
        match reached {
            Reached::Kept(stream) => self.begin_kept(stream, core),
            Reached::Begun(contact) => {
                cold_path();
                self.trace.reused = false;
                if let Some(why) = contact.waits_for_room() {
                    self.course.detail = why.detail;
                }
                *self.upstream.link_mut() = Link::Opening(contact);
                self.phase = Phase::Connect;
                Ok(())
            }
        }
    }

    /// It goes over a connection that was used before.
    pub(super) fn begin_kept(&mut self, stream: Stream, core: &Core) -> Result<(), Stop> {
        self.course.reused();
        self.trace.reused = true;
        self.begin_relay(stream, core)
    }

    /// There is a connection: the request is put on its way, or once more.
    fn begin_relay(&mut self, stream: Stream, core: &Core) -> Result<(), Stop> {
        self.upstream.open(stream);
        self.phase = Phase::Relay;
        self.up.start_over();
        if !self.upstream.rewind() {
            cold_path();
            return Ok(());
        }
        let Some(pool) = self.course.pool() else {
            return Err(Stop::Internal);
        };
        let limits = &pool.options().limits;
        self.upstream
            .write_head(&self.request, self.framing, limits, core)
            .map_err(|_| Stop::Internal)?;
        let is_idempotent = self.request.is_idempotent();
        if self.framing == Framing::Empty {
            self.up.has_no_body();
        }
        self.upstream.set_replay(match self.framing {
            _ if !is_idempotent => Replay::No,
            Framing::Empty => Replay::FromHead,
            _ => Replay::FromOut,
        });
        Ok(())
    }

    pub(super) fn poll_connect(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Progress {
        let want = self.want(client);
        let (Some(pool), Some(ticket)) = (self.course.pool(), self.course.ticket()) else {
            return Err(Stop::Internal);
        };
        let Link::Opening(contact) = self.upstream.link_mut() else {
            return Err(Stop::Internal);
        };
        let waited = contact.waits_for_room().is_some();
        if waited
            && !want.fresh
            && let Some(idle) = pool.idle(ticket.slot())
            && let Some(stream) = want.take(idle, core.now().mono)
        {
            self.course.detail = "";
            self.begin_kept(stream, core)?;
            return Ok(Poll::Ready(None));
        }
        match contact.poll(cx, pool, ticket, core) {
            // Whatever it is, it is no answer to a request that was not sent.
            Poll::Ready(Ok(stream)) if stream.speaks_first() => {
                self.course.detail = h1::Error::Unsolicited.rule();
                Err(Stop::Upstream(End::UpstreamProtocol))
            }
            Poll::Ready(Ok(stream)) => {
                self.course.connected();
                self.course.detail = "";
                let now = core.now().mono;
                if waited {
                    self.trace.connect_from = now;
                }
                self.trace.connected = Some(now);
                self.begin_relay(stream, core)?;
                Ok(Poll::Ready(None))
            }
            Poll::Ready(Err(missed)) => Err(Stop::Upstream(self.course.not_reached(missed, core))),
            Poll::Pending => {
                if waited && contact.waits_for_room().is_none() {
                    self.trace.connect_from = core.now().mono;
                    self.patience.start_over();
                    self.course.detail = "";
                }
                self.watch_client(cx, client, core)?;
                self.wait_for(Wait::Connect, false, client, core);
                Ok(Poll::Pending)
            }
        }
    }

    /// The connection took too long.
    pub(super) fn connect_timed_out(&mut self, core: &Core) -> Stop {
        let missed = match self.upstream.link() {
            Link::Opening(contact) => contact.waits_for_room().unwrap_or(NoContact::TIMEOUT),
            Link::None | Link::Open { .. } => NoContact::TIMEOUT,
        };
        Stop::Upstream(self.course.not_reached(missed, core))
    }

    /// The backend failed before its final response began. A stale connection of the pool is
    /// replaced by a fresh one to the same backend; a fresh one that fails counts against the
    /// backend, and the request goes to another one if it may.
    pub(super) fn upstream_failed(&mut self, end: End, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let is_unsent = self.upstream.sent() == 0;
        let is_whole = self.request.is_idempotent() && self.up.is_done() && self.upstream.can_replay();
        let has_heard = self.upstream.has_heard();
        let mut failure = FailedAttempt {
            end,
            is_repeatable: !client.side.has_begun() && !has_heard && (is_unsent || is_whole),
            was_stale: self.trace.reused && !has_heard && matches!(end, End::UpstreamReset | End::UpstreamClosed),
        };
        if self.trace.bound && !is_unsent {
            // What was proved over the old connection holds over no other one.
            failure.is_repeatable = false;
            client.side.close_after();
        }
        if self.course.is_short(end) {
            // Its descriptor helps those who wait.
            client.side.close_after();
        }
        self.upstream.close();
        self.trace.reused = false;
        self.count_upstream();
        let mut last = end;
        let mut verdict = self.course.failed(failure, core);
        if verdict == Verdict::SameBackend {
            let begin = &mut |pool: &PoolView, ticket: &Ticket| Contact::begin(pool, ticket, on_behalf(client), core);
            match self.course.reach(begin) {
                Ok(contact) => return self.begin_attempt(Reached::Begun(contact), core),
                Err(missed) => {
                    last = self.course.not_reached(missed, core);
                    verdict = self.course.failed(FailedAttempt::unsent(last), core);
                }
            }
        }
        match verdict {
            Verdict::Answer(end) => {
                // An interim response may have left already, or a part of it: ours follows.
                answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
                Ok(())
            }
            Verdict::SameBackend | Verdict::OtherBackend => self.choose(Some(last), client, core),
        }
    }
}
