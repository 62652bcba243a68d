use crate::contact::Refusing;
use crate::{Backend, Observe, Refusal, Spread, Standing, Standings};
use arc_swap::ArcSwap;
use lb_persist::Strategy;
use lb_sched::{Algorithm, Cursor, Limit, Load, Scheduler, Usable};
use lb_types::{BackendId, Slot, Time};
use std::fmt;
use std::sync::Arc;

/// Backends behind one rule: who they are, how clients are recognised, how requests are spread.
///
/// Shared by all workers, each with its own [`Picker`](crate::Picker). Everything is fixed but the
/// standings, which the control thread replaces as a whole with [`update`](Self::update).
pub struct Pool {
    name: String,
    backends: Vec<Arc<Backend>>,
    by_id: Vec<(BackendId, Slot)>,
    strategies: Vec<Box<dyn Strategy>>,
    spread: Spread,
    observe: Observe,
    loads: Vec<Arc<Load>>,
    limits: Vec<Limit>,
    cursor: Arc<Cursor>,
    refusing: Refusing,
    view: Arc<ArcSwap<View>>,
}

/// Everything that follows from one set of standings.
#[derive(Debug)]
pub(crate) struct View {
    standings: Vec<Standing>,
    weight_unit: u16,
    /// Backends that known clients reach.
    pub(crate) up: Usable,
    /// Those of them that take new clients too (weight above 0).
    pub(crate) taking: Usable,
    pub(crate) scheduler: Box<dyn Scheduler>,
}

impl Pool {
    /// The most strategies of a pool: two that lead a client back, main and fallback, and one that
    /// gives a hash.
    pub const STRATEGIES: usize = 3;

    /// A pool whose slots are the positions in `backends`. A slot without a standing is down.
    ///
    /// `strategies` are asked in their order: a main one, a fallback, and the one that gives algorithms
    /// their hash; any of them may be missing. `previous` is the pool of
    /// the same name in the snapshot before: the round goes on where it stood.
    ///
    /// `spread` is a [`Spread`], or an [`Algorithm`] or [`Recipe`](lb_sched::Recipe) alone.
    ///
    /// # Errors
    /// [`BuildError`] when there are more than [three](Self::STRATEGIES) strategies, two backends with one id, or a
    /// standing that is given twice or names no slot.
    pub fn new(
        name: &str,
        backends: Vec<Arc<Backend>>,
        strategies: Vec<Box<dyn Strategy>>,
        spread: impl Into<Spread>,
        standings: &[Standing],
        previous: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let spread = spread.into().for_backends(backends.len());
        if strategies.len() > Self::STRATEGIES {
            return Err(BuildError::Strategies {
                count: strategies.len(),
            });
        }
        let mut by_id: Vec<(BackendId, Slot)> = backends.iter().map(|b| b.id).zip((0..).map(Slot)).collect();
        by_id.sort_unstable();
        if let Some([(_, a), (_, b)]) = by_id.array_windows().find(|[a, b]| a.0 == b.0) {
            let name = |slot: &Slot| backends.get(slot.index()).map_or_else(String::new, |b| b.name.clone());
            return Err(BuildError::BackendTwice {
                first: name(a),
                second: name(b),
            });
        }
        let view = View::new(&backends, &spread, standings, 1)?;
        let observe = spread.observed();
        if observe.latency {
            let loads = backends.iter().map(|backend| backend.load());
            loads.for_each(|load| load.set_latency_decay(spread.latency_decay));
        }
        let refusing = Refusing::none(backends.len());
        for (backend, slot) in backends.iter().zip((0..).map(Slot)) {
            if backend.contact().is_refusing() {
                refusing.insert(slot);
            }
        }
        Ok(Self {
            name: name.to_owned(),
            refusing,
            loads: backends.iter().map(|b| Arc::clone(b.load())).collect(),
            limits: backends.iter().map(|b| b.limit()).collect(),
            backends,
            by_id,
            strategies,
            spread,
            observe,
            cursor: previous.map_or_else(Arc::default, |p| Arc::clone(&p.cursor)),
            view: Arc::new(ArcSwap::from_pointee(view)),
        })
    }

    /// Replaces the standings; every worker follows at its next pick. For one thread at a time, and none that carries
    /// traffic: allocates, and rebuilds the scheduler unless the standings are what they were.
    /// [`most_entries`](Self::most_entries) says what that costs.
    ///
    /// # Errors
    /// [`BuildError`] when a standing is given twice or names no slot; nothing changes then.
    pub fn update(&self, standings: &[Standing]) -> Result<(), BuildError> {
        self.replace(standings, 1)
    }

    /// [`update`](Self::update) with what [`standings`](crate::standings()) made: knows by what number it
    /// multiplied the weights.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn apply(&self, standings: &Standings) -> Result<(), BuildError> {
        self.replace(&standings.list, standings.weight_unit)
    }

    fn replace(&self, standings: &[Standing], weight_unit: u16) -> Result<(), BuildError> {
        let view = self.view.load();
        if view.standings == standings && view.weight_unit == weight_unit {
            return Ok(());
        }
        let view = View::new(&self.backends, &self.spread, standings, weight_unit)?;
        self.view.store(Arc::new(view));
        Ok(())
    }

    /// A connection to the backend in this slot was not made: it is [passed over](crate::Contact) from now on.
    pub fn refused(&self, slot: Slot, refusal: Refusal, now: Time) {
        if let Some(backend) = self.backends.get(slot.index()) {
            backend.contact().refused(refusal, now);
            self.refusing.insert(slot);
        }
    }

    /// A connection to it was made, or a probe found it well. One look where nobody was passed over.
    pub fn connected(&self, slot: Slot) {
        if self.refusing.any()
            && let Some(backend) = self.backends.get(slot.index())
        {
            backend.contact().made();
            self.refusing.remove(slot);
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The backends, by slot.
    #[must_use]
    pub fn backends(&self) -> &[Arc<Backend>] {
        &self.backends
    }

    /// The strategies: main, fallback, hash.
    #[must_use]
    pub fn strategies(&self) -> &[Box<dyn Strategy>] {
        &self.strategies
    }

    /// How requests are spread.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.spread.recipe.algorithm
    }

    /// How requests are spread, in full.
    #[must_use]
    pub fn spread(&self) -> &Spread {
        &self.spread
    }

    /// The slot of a backend. `O(log backends)`.
    #[must_use]
    pub fn find(&self, id: BackendId) -> Option<Slot> {
        let at = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.by_id.get(at).map(|(_, slot)| *slot)
    }

    /// How many backends are up, draining ones included.
    #[must_use]
    pub fn up_count(&self) -> usize {
        self.view.load().up.count()
    }

    /// The standings in force, as they were given. Allocates.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        self.view.load().standings.clone()
    }

    /// Who is asked first for new clients, and who when nobody of those has room; only backends that take new ones. For
    /// showing: made anew by each call, allocates.
    #[must_use]
    pub fn tiers(&self) -> Vec<Vec<lb_sched::Member>> {
        self.spread.tiers(&self.backends, &self.view.load().standings)
    }

    /// The most entries that its scheduler is made of: see [`Recipe::most_entries`](lb_sched::Recipe::most_entries).
    #[must_use]
    pub fn most_entries(&self) -> usize {
        self.spread.recipe.most_entries(self.backends.len())
    }

    /// Are shares exactly as the weights say? See [`Scheduler::is_exact`].
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.view.load().scheduler.is_exact()
    }

    pub(crate) fn view(&self) -> &Arc<ArcSwap<View>> {
        &self.view
    }

    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    pub(crate) fn refusing(&self) -> &Refusing {
        &self.refusing
    }

    pub(crate) fn observe(&self) -> Observe {
        self.observe
    }

    pub(crate) fn loads(&self) -> &[Arc<Load>] {
        &self.loads
    }

    pub(crate) fn limits(&self) -> &[Limit] {
        &self.limits
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name)
            .field("backends", &self.backends)
            .field("strategies", &self.strategies.len())
            .field("spread", &self.spread)
            .field("view", &self.view.load())
            .finish_non_exhaustive()
    }
}

impl View {
    fn new(
        backends: &[Arc<Backend>],
        spread: &Spread,
        standings: &[Standing],
        weight_unit: u16,
    ) -> Result<Self, BuildError> {
        let mut known = Usable::none(backends.len());
        let (mut up, mut taking) = (known.clone(), known.clone());
        for standing in standings {
            let slot = standing.slot;
            let Some(backend) = backends.get(slot.index()) else {
                return Err(BuildError::NoSuchSlot {
                    slot,
                    backends: backends.len(),
                });
            };
            if known.contains(slot) {
                return Err(BuildError::StandingTwice {
                    slot,
                    name: backend.name.clone(),
                });
            }
            known.insert(slot);
            if standing.up {
                up.insert(slot);
                if standing.weight.get() > 0 {
                    taking.insert(slot);
                }
            }
        }
        Ok(Self {
            standings: standings.to_vec(),
            weight_unit,
            up,
            taking,
            scheduler: spread.build(backends, standings, weight_unit)?,
        })
    }
}

/// Why parts make no pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// More than a main strategy, a fallback and a hash.
    #[error("a pool has at most {} strategies, not {count}", Pool::STRATEGIES)]
    Strategies {
        /// How many were given.
        count: usize,
    },
    /// Two backends with one id.
    #[error("backends {first:?} and {second:?} have the same id")]
    BackendTwice {
        /// The name of one.
        first: String,
        /// The name of the other.
        second: String,
    },
    /// A standing for a slot that the pool does not have.
    #[error("a standing names slot {}, but the pool has {backends} backends", slot.0)]
    NoSuchSlot {
        /// The slot it names.
        slot: Slot,
        /// How many backends there are.
        backends: usize,
    },
    /// Two standings for one backend.
    #[error("backend {name:?} (slot {}) has two standings", slot.0)]
    StandingTwice {
        /// The slot both name.
        slot: Slot,
        /// Its backend.
        name: String,
    },
    /// The scheduler refused the members.
    #[error(transparent)]
    Schedule(#[from] lb_sched::BuildError),
}
