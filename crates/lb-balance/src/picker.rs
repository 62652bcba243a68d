use crate::pool::View;
use crate::{Pool, Recalled, Ticket, Tried, Why};
use arc_swap::{ArcSwap, Cache};
use lb_persist::{Facts, Learn, Reply};
use lb_sched::{Ask, Usable};
use lb_types::{BackendId, FieldsMut, InvalidField, Now, Rng, Slot, Time};
use std::hint::cold_path;
use std::sync::Arc;

/// One worker's way into a pool: from what a request says to a [`Ticket`] for a backend.
///
/// A pick allocates nothing, takes no lock and counts one reference (the ticket's backend). It
/// costs what the algorithm costs. (The first pick after a change of standings fetches them, and may
/// allocate then.) A pick that persistence decides never asks the algorithm and
/// does not move its round.
#[derive(Debug)]
pub struct Picker {
    pool: Arc<Pool>,
    view: Cache<Arc<ArcSwap<View>>, Arc<View>>,
    rng: Rng,
    untried: Usable,
}

impl Picker {
    /// A picker for one worker. `seed` feeds its random choices; give each worker another one.
    #[must_use]
    pub fn new(pool: Arc<Pool>, seed: u64) -> Self {
        let view = Cache::new(Arc::clone(pool.view()));
        let untried = Usable::none(pool.backends().len());
        Self {
            pool,
            view,
            rng: Rng::new(seed),
            untried,
        }
    }

    /// The pool it picks from.
    #[must_use]
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// What the strategies read from a request.
    #[must_use]
    pub fn recall(&self, facts: &Facts<'_>, now: Now) -> Recalled {
        Recalled::of_all(
            self.pool
                .strategies()
                .iter()
                .map(|strategy| strategy.recall(facts, now)),
        )
    }

    /// Chooses a backend and begins a request there.
    ///
    /// A preferred backend is chosen as long as it is up, whatever its weight: a draining backend
    /// keeps its clients. If it is down, gone, tried or full, the algorithm decides, and
    /// [`Ticket::why`] says so. A backend that [refuses connections](crate::Contact) counts as down while others are left. If another worker takes the last place of the chosen backend
    /// first, the choice is made again.
    ///
    /// # Errors
    /// [`PickError`] says which kind of nobody is left.
    pub fn pick(&mut self, hint: Hint, tried: &Tried, now: Time) -> Result<Ticket, PickError> {
        if self.pool.refusing().any() {
            cold_path();
            match self.pick_around(hint, tried, now) {
                Err(PickError::NoBackend | PickError::AllTried) => {} // then those that refuse are tried as well
                picked => return picked,
            }
        }
        self.choose::<false>(hint, tried, now)
    }

    /// [`pick`](Self::pick) while backends refuse connections: as if those were down, but for one request that tries
    /// when a wait is over.
    #[inline(never)]
    fn pick_around(&mut self, hint: Hint, tried: &Tried, now: Time) -> Result<Ticket, PickError> {
        self.choose::<true>(hint, tried, now)
    }

    /// `AROUND` those that refuse connections. Compiled twice: without them a pick pays nothing for it.
    #[inline(always)]
    fn choose<const AROUND: bool>(&mut self, hint: Hint, tried: &Tried, now: Time) -> Result<Ticket, PickError> {
        let Self {
            pool,
            view,
            rng,
            untried,
        } = self;
        let view = view.load();
        let may_try = |slot: Slot| {
            let contact = || pool.backends().get(slot.index()).map(|backend| backend.contact());
            !AROUND || contact().is_some_and(|contact| contact.may_try(now))
        };
        let mut why = if tried.is_empty() { Why::Scheduled } else { Why::Retried };
        let (known, hash) = hint.parts();
        if let Some(id) = known {
            match pool.find(id).filter(|slot| view.up.contains(*slot)) {
                Some(slot) if tried.contains(slot) => {}
                Some(slot) if may_try(slot) => match begin(pool, slot, Why::Persisted, now) {
                    Some(ticket) => return Ok(ticket),
                    None => why = Why::Overflow,
                },
                _ => why = Why::Replaced,
            }
        }
        let is_less = AROUND || !tried.is_empty();
        if is_less {
            untried.copy_from(&view.taking);
            tried.each(pool.backends().len(), |slot| untried.remove(slot));
        }
        if AROUND {
            pool.refusing().each(|slot| match pool.backends().get(slot.index()) {
                Some(backend) if backend.contact().is_passed_over(now) => untried.remove(slot),
                // a good probe ended it
                Some(backend) if !backend.contact().is_refusing() => pool.refusing().remove(slot),
                _ => {}
            });
        }
        let mut looks = 0;
        // Each round takes a slot out of what is left (only around), loses a race or is the last.
        let rounds = if AROUND { pool.backends().len() } else { 0 };
        for _ in 0..rounds.saturating_add(RACES) {
            let usable = if is_less { &*untried } else { &view.taking };
            match view.scheduler.pick(&ask(pool, rng, usable, hash, now)) {
                Some(slot) if !may_try(slot) => untried.remove(slot),
                Some(slot) => {
                    if let Some(ticket) = begin(pool, slot, why, now) {
                        return Ok(ticket);
                    }
                }
                None => {
                    looks += 1;
                    let nobody = nobody(&view.taking, usable);
                    if nobody != PickError::AllBusy || looks == LOOKS {
                        return Err(nobody);
                    }
                }
            }
        }
        Err(PickError::AllBusy)
    }

    /// Begins a request at the backend in this slot, whatever is thought of it: for a client that has a connection to
    /// it which nobody else may use. Only its limit counts.
    ///
    /// # Errors
    /// [`PickError::AllBusy`] when it has as many requests as it may have, [`PickError::NoBackend`] when there is
    /// no such slot.
    pub fn resume(&self, slot: Slot, now: Time) -> Result<Ticket, PickError> {
        if slot.index() >= self.pool.backends().len() {
            return Err(PickError::NoBackend);
        }
        begin(&self.pool, slot, Why::Bound, now).ok_or(PickError::AllBusy)
    }

    /// Is the backend in this slot up, draining ones included?
    pub fn is_up(&mut self, slot: Slot) -> bool {
        self.view.load().up.contains(slot)
    }

    /// Edits a request before it is forwarded, once, whoever it goes to. `recalled` is what was read
    /// from this request.
    ///
    /// # Errors
    /// [`InvalidField`] when an edited field cannot stand in the message.
    pub fn prepare(&self, recalled: &Recalled, request: &mut dyn FieldsMut) -> Result<(), InvalidField> {
        let mut strategies = self.pool.strategies().iter().enumerate();
        strategies.try_for_each(|(index, strategy)| strategy.prepare(recalled.of(index), request))
    }

    /// Edits a response so that its client comes back to `chosen`, and says which keys to
    /// remember, by strategy.
    ///
    /// # Errors
    /// [`InvalidField`] when the response has no room for a field. The response is still good.
    pub fn learn(
        &self,
        recalled: &Recalled,
        chosen: BackendId,
        response: &mut dyn FieldsMut,
        now: Now,
    ) -> Result<[Learn; Pool::STRATEGIES], InvalidField> {
        let mut learned = [Learn::Nothing; Pool::STRATEGIES];
        for (index, (strategy, learn)) in self.pool.strategies().iter().zip(&mut learned).enumerate() {
            *learn = strategy.learn(recalled.of(index), chosen, Reply::Head(&mut *response), now)?;
        }
        Ok(learned)
    }
}

/// What persistence says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Nothing: anybody will do.
    Any,
    /// It belongs to this backend.
    Prefer(BackendId),
    /// It goes where requests with this hash go, if the algorithm places by hash.
    Hash(u64),
    /// It belongs to this backend, and if that one cannot serve it, goes where requests with this
    /// hash go.
    PreferElse(BackendId, u64),
}

impl Hint {
    /// The backend that it belongs to, and the hash that places it.
    #[must_use]
    pub const fn parts(self) -> (Option<BackendId>, Option<u64>) {
        match self {
            Self::Any => (None, None),
            Self::Prefer(id) => (Some(id), None),
            Self::Hash(hash) => (None, Some(hash)),
            Self::PreferElse(id, hash) => (Some(id), Some(hash)),
        }
    }
}

/// Why there is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickError {
    /// No backend takes new clients: all are down, or draining.
    #[error("no backend is up for new clients")]
    NoBackend,
    /// Every backend that takes new clients was tried for this request.
    #[error("every backend was tried")]
    AllTried,
    /// Every backend that is left has `max_connections` requests in flight.
    #[error("every backend is at its max_connections")]
    AllBusy,
}

fn ask<'a>(pool: &'a Pool, rng: &mut Rng, usable: &'a Usable, hash: Option<u64>, now: Time) -> Ask<'a> {
    Ask {
        hash,
        entropy: rng.next_u64(),
        cursor: pool.cursor(),
        usable,
        loads: pool.loads(),
        limits: pool.limits(),
        now,
    }
}

fn begin(pool: &Pool, slot: Slot, why: Why, now: Time) -> Option<Ticket> {
    let backend = pool.backends().get(slot.index())?;
    backend
        .load()
        .try_begin(backend.limit())
        .then(|| Ticket::new(backend, slot, why, pool.observe(), now))
}

#[cold]
fn nobody(taking: &Usable, usable: &Usable) -> PickError {
    if taking.count() == 0 {
        PickError::NoBackend
    } else if usable.count() == 0 {
        PickError::AllTried
    } else {
        PickError::AllBusy
    }
}

/// Choices before giving up. Each lost race means that another worker began a request in that
/// very moment; this many in a row do not happen to a pool with room.
const RACES: usize = 64;
/// Times that all must be seen full. Once is not enough: while one backend after the other is
/// looked at, another worker may give back a place behind and take the one ahead.
const LOOKS: usize = 2;
