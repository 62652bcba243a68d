//! What is decided of one request, or of one connection of a TCP listener: where it goes, whether it may go somewhere
//! else, what is learned from it and how it ended. It knows no socket and no version of HTTP: whoever moves bytes says what
//! has left and what came ([`FailedAttempt`]), and is told what that means.

mod counts;
mod route;

use crate::contact::NoContact;
use crate::core::Core;
use crate::view::PoolView;
use lb_balance::{Hint, Outcome, PickError, Pool, Recalled, Ticket, Tried, Why};
use lb_persist::{Facts, Learn};
use lb_telemetry::{Access, End};
use lb_types::{BackendId, FieldsMut, InvalidField, Now, Slot, Time};
use std::hint::cold_path;
use std::rc::Rc;

pub(crate) use route::{OwnAnswer, route};

/// From the route to the last word.
///
/// [`begin`](Self::begin), then [`choose`](Self::choose) until a backend is reached; [`failed`](Self::failed) says what
/// a failure means; [`answered`](Self::answered) and [`finish`](Self::finish) when it went well, [`give_up`](Self::give_up)
/// when it is for nobody any more.
#[derive(Debug)]
pub(crate) struct Course {
    pool: Option<Rc<PoolView>>,
    ticket: Option<Ticket>,
    tried: Tried,
    recalled: Recalled,
    /// What the tables say of the keys; filled before each pick.
    known: Owners,
    /// What the tables said of them at first, or what was written since.
    claims: Owners,
    /// The backend that was picked last, and why.
    picked: Option<(Slot, Why)>,
    /// Other backends that were tried.
    retries: u8,
    /// Of those, the ones that the pool's `retries` and its budget paid for.
    paid_retries: u8,
    /// The backend that was tried last refused the connection at once.
    refused_at_once: bool,
    /// The rule that was broken, or what else there is to say of the end; else empty.
    pub(crate) detail: &'static str,
}

/// By strategy: whom a key belongs to.
type Owners = [Option<BackendId>; Pool::STRATEGIES];

/// How an attempt failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedAttempt {
    pub(crate) end: End,
    /// May the same be sent again: has nothing of it left, or does it do no harm twice?
    pub(crate) is_repeatable: bool,
    /// The connection was used before, and ended without a word.
    pub(crate) was_stale: bool,
}

impl FailedAttempt {
    /// Nothing of the request has left.
    pub(crate) const fn unsent(end: End) -> Self {
        Self {
            end,
            is_repeatable: true,
            was_stale: false,
        }
    }
}

/// What comes after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Again to the same backend, over a new connection.
    SameBackend,
    /// Again to somebody else.
    OtherBackend,
    /// It is over.
    Answer(End),
}

impl Course {
    pub(crate) const fn new() -> Self {
        Self {
            pool: None,
            ticket: None,
            tried: Tried::new(),
            recalled: Recalled::NOTHING,
            known: [None; Pool::STRATEGIES],
            claims: [None; Pool::STRATEGIES],
            picked: None,
            retries: 0,
            paid_retries: 0,
            refused_at_once: false,
            detail: "",
        }
    }

    /// Ready for the next request: nobody has it. What was read from it stays until [`begin`](Self::begin).
    pub(crate) fn clear(&mut self) {
        self.pool = None;
        self.ticket = None;
        self.tried = Tried::new();
        self.picked = None;
        (self.retries, self.paid_retries) = (0, 0);
        self.refused_at_once = false;
        self.detail = "";
    }

    /// It goes to this pool: what do the strategies read from it?
    pub(crate) fn begin(&mut self, pool: &Rc<PoolView>, facts: &Facts<'_>, now: Now) {
        self.recalled = pool.picker.borrow().recall(facts, now);
        pool.budget.borrow_mut().deposit(now.mono);
        self.pool = Some(Rc::clone(pool));
    }

    /// Edits the request before it is written, once, whoever it goes to.
    pub(crate) fn prepare(&self, request: &mut dyn FieldsMut) -> Result<(), InvalidField> {
        match &self.pool {
            Some(pool) => pool.picker.borrow().prepare(&self.recalled, request),
            None => Ok(()),
        }
    }

    pub(crate) fn pool(&self) -> Option<&Rc<PoolView>> {
        self.pool.as_ref()
    }

    pub(crate) fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    /// It is somebody else who tells the backend's record of the end.
    pub(crate) fn take_ticket(&mut self) -> Option<Ticket> {
        self.ticket.take()
    }

    /// Picks a backend and has `reach` get a connection to it, the next one when that fails at once. `last` is what the
    /// attempt before came to.
    pub(crate) fn choose<T>(
        &mut self,
        mut last: Option<End>,
        core: &Core,
        mut reach: impl FnMut(&PoolView, &Ticket) -> Result<T, NoContact>,
    ) -> Result<T, End> {
        loop {
            if let Err(end) = self.pick(core) {
                cold_path();
                // What really failed says more than that nobody is left to try.
                return Err(last.unwrap_or(end));
            }
            if last.is_some() {
                cold_path();
                self.retries = self.retries.saturating_add(1);
                self.pool.iter().for_each(|pool| pool.counters.retry());
                // It was said of the backend before.
                self.detail = "";
            }
            let missed = match self.reach(&mut reach) {
                Ok(reached) => return Ok(reached),
                Err(missed) => missed,
            };
            cold_path();
            let failure = FailedAttempt::unsent(self.not_reached(missed, core));
            match self.failed(failure, core) {
                Verdict::Answer(end) => return Err(end),
                Verdict::SameBackend | Verdict::OtherBackend => last = Some(failure.end),
            }
        }
    }

    /// Once more to the backend that was picked.
    pub(crate) fn reach<T>(
        &mut self,
        reach: &mut impl FnMut(&PoolView, &Ticket) -> Result<T, NoContact>,
    ) -> Result<T, NoContact> {
        self.refused_at_once = false;
        match (&self.pool, &self.ticket) {
            (Some(pool), Some(ticket)) => reach(pool, ticket),
            _ => Err(NoContact::INTERNAL),
        }
    }

    /// It goes over a connection that it has with the backend in this slot.
    pub(crate) fn resume(&mut self, slot: Slot, core: &Core) -> Result<(), End> {
        let Some(pool) = &self.pool else {
            return Err(End::Internal);
        };
        let ticket = pool.picker.borrow().resume(slot, core.now().mono).map_err(end_of)?;
        self.give(ticket);
        Ok(())
    }

    /// The backend took the connection.
    pub(crate) fn connected(&self) {
        if let (Some(pool), Some(ticket)) = (&self.pool, &self.ticket) {
            pool.entry.pool.connected(ticket.slot());
        }
    }

    /// No connection could be made: whoever comes next is spared the attempt. [`failed`](Self::failed) follows.
    pub(crate) fn not_reached(&mut self, missed: NoContact, core: &Core) -> End {
        self.refused_at_once = missed.is_free();
        self.detail = missed.detail;
        if let (Some(pool), Some(ticket)) = (&self.pool, &self.ticket) {
            missed.tell(pool, ticket.slot(), core.now().mono);
        }
        missed.end
    }

    /// Did the attempt fail for a want of ours that another backend would not mend?
    pub(crate) const fn is_short(&self, end: End) -> bool {
        matches!(end, End::LocalShortage) && !self.refused_at_once
    }

    /// An attempt failed before its response began: what it says of the backend, and what comes now.
    #[cold]
    pub(crate) fn failed(&mut self, failure: FailedAttempt, core: &Core) -> Verdict {
        let end = failure.end;
        let ours = matches!(end, End::LocalShortage);
        let mut outcome = Outcome::Failure;
        if failure.was_stale {
            self.pool.iter().for_each(|pool| pool.counters.stale_reuse());
            if failure.is_repeatable {
                return Verdict::SameBackend;
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
        let is_retriable = match end {
            End::UpstreamReset | End::UpstreamClosed => true,
            End::ConnectRefused | End::ConnectFailed | End::ConnectTimeout => true,
            End::LocalShortage => self.refused_at_once,
            _ => false,
        };
        if failure.is_repeatable && is_retriable && self.may_retry(core) {
            return Verdict::OtherBackend;
        }
        Verdict::Answer(end)
    }

    fn may_retry(&mut self, core: &Core) -> bool {
        let free = std::mem::take(&mut self.refused_at_once);
        let Some(pool) = &self.pool else { return false };
        if !pool.may_retry(self.paid_retries, free, core.now().mono) {
            return false;
        }
        self.paid_retries += u8::from(!free);
        true
    }

    /// The backend that has the request failed it: remembered for whoever looks.
    #[cold]
    pub(crate) fn blame(&self, end: End, core: &Core) {
        if let Some(ticket) = &self.ticket {
            core.blame(ticket.backend(), end, self.detail);
            self.picked().inspect(|backend| backend.failed(end));
        }
    }

    /// The backend has begun to answer; `status`: of its final response, 0 for what has none.
    pub(crate) fn answered(&mut self, status: u16, now: Time) {
        if let Some(ticket) = &mut self.ticket {
            ticket.answered(now);
        }
        if status != 0 {
            self.picked().inspect(|backend| backend.response(status));
        }
    }

    /// What its client is to bring along next time, and what is remembered of it here.
    pub(crate) fn learn(&self, reply: &mut dyn FieldsMut, now: Now) {
        let (Some(pool), Some(ticket)) = (&self.pool, &self.ticket) else {
            return;
        };
        let chosen = ticket.backend().id;
        // No room for a cookie: the response is still good, only not sticky.
        let learned = pool.picker.borrow().learn(&self.recalled, chosen, reply, now);
        for (table, learn) in pool.entry.tables.iter().zip(learned.into_iter().flatten()) {
            if let (Some(table), Learn::Remember(key)) = (table, learn) {
                table.remember(key, chosen, now.mono);
            }
        }
    }

    /// It was in use until now: what is remembered of it lives on from here.
    pub(crate) fn refresh(&mut self, now: Time) {
        self.look_up(now);
    }

    /// It is over, and its backend did as it should; `status`: what it answered, 0 for none.
    pub(crate) fn finish(&mut self, status: u16, now: Time) {
        let counts = self.pool.as_ref().is_some_and(|pool| pool.options().server_errors_fail);
        // 501 and 505 speak of the request: any backend would say so
        let has_failed = counts && matches!(status, 500 | 502..=504 | 506..=599);
        self.give_up(if has_failed { Outcome::Failure } else { Outcome::Success }, now);
    }

    /// It is over for this backend, if it has one.
    pub(crate) fn give_up(&mut self, outcome: Outcome, now: Time) {
        if let Some(ticket) = self.ticket.take() {
            ticket.finish(outcome, now);
        }
    }

    /// What a log line says of it.
    pub(crate) fn describe<'a>(&'a self, end: End, access: &mut Access<'a>) {
        if let Some(pool) = &self.pool {
            access.pool = pool.entry.pool.name();
            if let Some((slot, why)) = self.picked {
                (access.backend, access.why) = (pool.name_of(slot), why.word());
            }
        }
        access.end = end;
        access.detail = self.detail;
        access.retries = u32::from(self.retries);
    }

    /// Fills in what the tables know of its keys, before a pick; says whether it has any.
    fn look_up(&mut self, now: Time) -> bool {
        let Some(pool) = &self.pool else { return false };
        let mut has_lookups = false;
        for (strategy, key) in self.recalled.lookups() {
            has_lookups = true;
            if let (Some(table), Some(known)) = (pool.entry.tables.get(strategy), self.known.get_mut(strategy)) {
                *known = table.as_ref().and_then(|table| table.lookup_memory(key, now));
            }
        }
        has_lookups
    }

    /// Picks a backend for what was recalled and claims the keys for it, unless another request of the same client was
    /// first: then that one's backend is picked, if it can be.
    fn pick(&mut self, core: &Core) -> Result<(), End> {
        let now = core.now().mono;
        let has_lookups = self.look_up(now);
        let first = self.tried.is_empty();
        let Some(pool) = self.pool.clone() else {
            return Err(End::Internal);
        };
        let known = &self.known;
        let mut hint = self
            .recalled
            .resolve(|strategy, _| known.get(strategy).copied().flatten());
        if first {
            if has_lookups {
                self.claims = self.known;
            }
            if hint.parts().0.is_some() {
                pool.counters.persist_hit();
            } else if has_lookups {
                pool.counters.persist_miss();
            }
        }
        let mut picker = pool.picker.borrow_mut();
        let mut ticket = picker.pick(hint, &self.tried, now).map_err(end_of)?;
        let chosen = ticket.backend().id;
        // A backend that is full is not dead: its client keeps its entry.
        if has_lookups && ticket.why() != Why::Overflow {
            let agreed = self.claim(&pool, chosen, now);
            if agreed != chosen {
                cold_path();
                hint = match hint.parts() {
                    (_, Some(hash)) => Hint::PreferElse(agreed, hash),
                    (_, None) => Hint::Prefer(agreed),
                };
                drop(ticket);
                ticket = picker.pick(hint, &self.tried, now).map_err(end_of)?;
                if ticket.backend().id != agreed && ticket.why() != Why::Overflow {
                    // The one that was first chose a backend that is gone meanwhile.
                    let _ = self.claim(&pool, ticket.backend().id, now);
                }
            }
        }
        self.give(ticket);
        Ok(())
    }

    /// The backend of this ticket has it now.
    fn give(&mut self, ticket: Ticket) {
        self.picked = Some((ticket.slot(), ticket.why()));
        self.picked().inspect(|backend| backend.request());
        self.ticket = Some(ticket);
    }

    fn claim(&mut self, pool: &PoolView, chosen: BackendId, now: Time) -> BackendId {
        let mut agreed = chosen;
        for (strategy, key) in self.recalled.lookups() {
            if let (Some(Some(table)), Some(seen)) = (pool.entry.tables.get(strategy), self.claims.get_mut(strategy)) {
                agreed = table.claim(*key, *seen, agreed, now);
                *seen = Some(agreed);
            }
        }
        agreed
    }
}

fn end_of(error: PickError) -> End {
    match error {
        PickError::AllBusy => End::BackendsBusy,
        _ => End::NoBackend,
    }
}

/// Why a request that must not be sent twice failed on a connection that was used before.
const CLOSED_WHILE_KEPT: &str = "the backend closed a kept-alive connection while the request was on its way, and a \
     request of this kind is not sent again: upstream_keep_alive must be shorter than the backend's own keep-alive";

#[cfg(test)]
mod tests;
