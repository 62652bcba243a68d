//! lb-sched as a selection of `pingora-load-balancing`.

use lb_sched::{Algorithm, Ask, Cursor, Load, Member, Scheduler, Usable};
use lb_types::{BackendId, Slot, Time, Weight, hash64};
use pingora_load_balancing::Backend;
use pingora_load_balancing::selection::{BackendIter, BackendSelection};
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What outlives a table: pingora builds a new selection whenever its discovery finds other backends, while the
/// requests of the old one go on.
pub struct Shared {
    algorithm: Algorithm,
    cursor: Cursor,
    loads: Mutex<HashMap<BackendId, Arc<Load>>>,
    started: Instant,
}

impl Shared {
    pub fn new(algorithm: Algorithm) -> Arc<Self> {
        Arc::new(Self {
            algorithm,
            cursor: Cursor::new(),
            loads: Mutex::default(),
            started: Instant::now(),
        })
    }
}

pub struct Selection {
    scheduler: Box<dyn Scheduler>,
    backends: Vec<Backend>,
    loads: Vec<Arc<Load>>,
    shared: Arc<Shared>,
}

impl BackendSelection for Selection {
    type Iter = Picks;
    type Config = Arc<Shared>;

    fn build_with_config(backends: &BTreeSet<Backend>, shared: &Arc<Shared>) -> Self {
        let mut known = shared.loads.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut members, mut loads, mut backends) = (Vec::new(), Vec::new(), Vec::from_iter(backends.iter().cloned()));
        for (backend, slot) in backends.iter_mut().zip(0..) {
            let id = BackendId::of("pingora", &backend.addr.to_string());
            let load = known.entry(id).or_default().clone();
            // goes with each pick, so that the proxy can count on it: see `take` in main.rs
            backend.ext.insert(load.clone());
            loads.push(load);
            let weight = u16::try_from(backend.weight).unwrap_or(u16::MAX).min(Weight::MAX.get());
            members.push(Member {
                slot: Slot(slot),
                id,
                weight: Weight::new(weight).unwrap_or(Weight::ONE),
            });
        }
        known.retain(|_, load| Arc::strong_count(load) > 1); // the gone ones
        Self {
            scheduler: shared.algorithm.build(&members).expect("each slot is given once"),
            backends,
            loads,
            shared: shared.clone(),
        }
    }

    fn build(backends: &BTreeSet<Backend>) -> Self {
        Self::build_with_config(backends, &Shared::new(Algorithm::default()))
    }

    fn iter(self: &Arc<Self>, key: &[u8]) -> Picks {
        Picks {
            hash: (!key.is_empty()).then(|| hash64(0, key)),
            untried: Usable::all(self.backends.len()),
            selection: self.clone(),
        }
    }
}

/// The best backend for a request, then the best of the others, and so on.
pub struct Picks {
    hash: Option<u64>,
    untried: Usable,
    selection: Arc<Selection>,
}

impl BackendIter for Picks {
    fn next(&mut self) -> Option<&Backend> {
        let Selection {
            scheduler,
            backends,
            loads,
            shared,
        } = &*self.selection;
        let slot = scheduler.pick(&Ask {
            hash: self.hash,
            entropy: RandomState::new().build_hasher().finish(),
            cursor: &shared.cursor,
            usable: &self.untried,
            loads,
            limits: &[], // none here: the proxy reserves a place when it accepts the pick
            now: Time::from_nanos(shared.started.elapsed().as_nanos() as u64),
        })?;
        self.untried.remove(slot);
        backends.get(slot.index())
    }
}
