//! Connections to backends that belong to one client connection, because the client proves itself over them
//! (NTLM, Negotiate; RFC 4559): for as long as both live, no other client gets them and this one gets no other.
//!
//! One for each pool that asked for it. They are on no shelf, so neither the pool's limit of idle connections nor their
//! timeout counts for them; a request over one counts at its backend like any other. Whichever side ends first ends
//! the other: a client that is told nothing would go on as somebody whom the backend has forgotten.

use super::answer;
use super::connection::Client;
use super::exchange::{Exchange, Sequel, Stop};
use super::flow::Sink;
use crate::core::Core;
use crate::view::PoolView;
use lb_balance::Outcome;
use lb_http::h1::Framing;
use lb_net::Stream;
use lb_telemetry::End;
use lb_types::Slot;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The bonds of one client connection.
#[derive(Debug, Default)]
pub(super) struct Bonds(Vec<Bond>);

/// A connection to a backend.
#[derive(Debug)]
pub(super) struct Bond {
    stream: Stream,
    pool: Rc<PoolView>,
    slot: Slot,
}

impl Bond {
    pub(super) fn new(stream: Stream, pool: &Rc<PoolView>, slot: Slot) -> Self {
        let pool = Rc::clone(pool);
        Self { stream, pool, slot }
    }

    /// Its backend's place in `pool`, a later or the same state of its own pool.
    fn slot_in(&self, pool: &PoolView) -> Option<Slot> {
        let (old, new) = (&self.pool.entry.pool, &pool.entry.pool);
        let backend = old.backends().get(self.slot.index())?;
        let slot = new.find(backend.id)?;
        // another address is another machine, and another trust another connection
        (self.pool.key(self.slot)? == pool.key(slot)?).then_some(slot)
    }

    /// Has the backend ended it, or said what nobody asked for? As far as the kernel knows.
    fn has_ended(&self) -> bool {
        self.stream.has_unread()
    }

    fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.stream.poll_arrived(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            // A read that took all its room leaves the readiness set: ask the kernel.
            if self.stream.try_recv(&mut [0]).is_some() {
                return Poll::Ready(());
            }
        }
    }
}

impl Bonds {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pool as it was, when the client's bond leads to a backend that it does not have any more.
    #[inline]
    pub(super) fn pool(&self, pool: &PoolView) -> Option<Rc<PoolView>> {
        let bond = self.0.iter().find(|bond| bond.is_of(pool))?;
        bond.slot_in(pool).is_none().then(|| Rc::clone(&bond.pool))
    }

    /// The bond for requests to `pool`.
    pub(super) fn take(&mut self, pool: &PoolView) -> Option<Bond> {
        let at = self.0.iter().position(|bond| bond.is_of(pool))?;
        Some(self.0.swap_remove(at))
    }

    /// `Ready` when one of them has ended.
    pub(super) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.iter().any(|bond| bond.poll_ended(cx).is_ready()) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Bond {
    fn is_of(&self, pool: &PoolView) -> bool {
        self.pool.entry.pool.name() == pool.entry.pool.name()
    }
}

impl Client {
    /// Keeps a bond whose exchange is over. Without one, or with more than a client may have, this connection
    /// ends as well.
    pub(super) fn keep(&mut self, bond: Option<Bond>) {
        match bond {
            Some(bond) if self.bonds.0.len() < MOST_BONDS => self.bonds.0.push(bond),
            _ => self.side.close_after(),
        }
    }
}

impl Exchange {
    /// The next request over a bond. `asked`: the pool that the route leads to, as it is now.
    #[inline(never)]
    pub(super) fn resume(
        &mut self,
        bond: Bond,
        asked: &PoolView,
        client: &mut Client,
        core: &Core,
    ) -> Result<(), Stop> {
        let Some(pool) = self.course.pool() else {
            return Err(Stop::Internal);
        };
        let slot = bond.slot_in(pool).unwrap_or(bond.slot);
        if bond.has_ended() {
            return Err(Stop::Bound);
        }
        // A backend that is down, in maintenance or gone gets this request still; then its client is sent to look
        // for another one.
        let is_last = bond.slot_in(asked).is_none() || !pool.picker.borrow_mut().is_up(slot);
        if let Err(end) = self.course.resume(slot, core) {
            client.bonds.0.push(bond);
            answer::respond(self, client, end.status().unwrap_or(503), end, None, core);
            return Ok(());
        }
        if is_last {
            client.side.close_after();
        }
        self.trace.bound = true;
        self.trace.connect_from = core.now().mono;
        self.begin_kept(bond.stream, core)
    }

    /// The response comes over a connection that is this client's alone: does that end with it, the client's ends too.
    #[inline(never)]
    pub(super) fn bind(&mut self, framing: Framing, early: bool, client: &mut Client) {
        self.trace.bound = true;
        // A body behind the answer to HEAD would be seen before the next request, and would reach nobody else.
        if self.upstream.will_close() || framing == Framing::UntilClose || early || self.up.is_stopped() {
            client.side.close_after();
        }
    }

    /// Has the backend ended a bond without a word on a request that may be sent again? The client's own
    /// software will do so over a new connection, as it does when a backend closes without a proxy in between.
    pub(super) fn never_came(&self, end: End, client: &Client) -> bool {
        let died = matches!(end, End::UpstreamReset | End::UpstreamClosed);
        let harmless = self.upstream.sent() == 0 || self.request.is_idempotent();
        died && self.trace.reused && !self.upstream.has_heard() && !client.side.has_begun() && harmless
    }

    /// Ends the client's connection, because the one to its backend has ended.
    #[inline(never)]
    pub(super) fn bond_ended(&mut self, client: &Client, core: &Core) -> Sequel {
        self.give_up(Outcome::Neutral, core);
        self.record(client, core, End::UpstreamClosed);
        Sequel::Linger
    }
}

/// Pools that one client connection may have a bond with.
const MOST_BONDS: usize = 8;
