use crate::{
    BackendCounters, BackendCounts, Faults, ListenerCounters, ListenerCounts, PoolCounters, PoolCounts, Snapshot,
};
use lb_types::{Address, BackendId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// All that one worker counts, by listener, pool and backend.
///
/// Whoever serves a listener, pool or backend asks for its counters once and keeps them; counting then touches nothing else.
/// They are the same as long as somebody keeps them, over every reload. Of those that nobody keeps any more the numbers
/// stay in the sum, so that [`snapshot`](Self::snapshot) never goes back.
///
/// One worker each: two that share one would lose counts, as each part has **one writing thread**. Any thread may read.
/// Asking and reading take a lock, counting takes none.
#[derive(Debug, Default)]
pub struct Counters {
    parts: Mutex<Parts>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct Parts {
    listeners: HashMap<Address, Arc<ListenerCounters>>,
    pools: HashMap<Box<str>, Arc<PoolCounters>>,
    backends: HashMap<BackendId, Arc<BackendCounters>>,
    /// The sum of listeners and pools that are gone.
    gone: Snapshot,
}

impl Counters {
    /// All zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counters of the listener at this address, made when there are none. Takes the lock, may allocate.
    #[must_use]
    pub fn listener(&self, address: Address) -> Arc<ListenerCounters> {
        Arc::clone(self.parts().listeners.entry(address).or_default())
    }

    /// The counters of the pool of this name, made when there are none. Takes the lock, may allocate.
    #[must_use]
    pub fn pool(&self, name: &str) -> Arc<PoolCounters> {
        let mut parts = self.parts();
        if let Some(known) = parts.pools.get(name) {
            return Arc::clone(known);
        }
        Arc::clone(parts.pools.entry(name.into()).or_default())
    }

    /// The counters of this backend, made when there are none. Takes the lock, may allocate.
    #[must_use]
    pub fn backend(&self, id: BackendId) -> Arc<BackendCounters> {
        Arc::clone(self.parts().backends.entry(id).or_default())
    }

    /// The numbers of the listener at this address; zeros when there is none.
    #[must_use]
    pub fn read_listener(&self, address: Address) -> ListenerCounts {
        let parts = self.parts();
        let known = parts.listeners.get(&address);
        known.map_or_else(ListenerCounts::default, |one| one.read())
    }

    /// The numbers of the pool of this name; zeros when there is none.
    #[must_use]
    pub fn read_pool(&self, name: &str) -> PoolCounts {
        let parts = self.parts();
        parts.pools.get(name).map_or_else(PoolCounts::default, |one| one.read())
    }

    /// The numbers of this backend; zeros when there is none.
    #[must_use]
    pub fn read_backend(&self, id: BackendId) -> BackendCounts {
        let parts = self.parts();
        let known = parts.backends.get(&id);
        known.map_or_else(BackendCounts::default, |one| one.read())
    }

    /// The sum of everything since the start: connections, requests, responses, ends and bytes of clients are those of the
    /// listeners, all else of the pools. `O(listeners + pools)`, without stopping the writer.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let parts = self.parts();
        let mut sum = parts.gone.clone();
        parts.listeners.values().for_each(|one| sum.add_listener(&one.read()));
        parts.pools.values().for_each(|one| sum.add_pool(&one.read()));
        sum
    }

    /// Forgets the parts that nobody keeps any more; the sum remembers their numbers.
    pub fn forget_unkept(&self) {
        let Parts {
            listeners,
            pools,
            backends,
            gone,
        } = &mut *self.parts();
        // Being alone with it also means to see all that its last keeper wrote.
        listeners.retain(|_, one| {
            let unkept = Arc::get_mut(one);
            unkept.as_ref().inspect(|one| gone.add_listener(&one.read()));
            unkept.is_none()
        });
        pools.retain(|_, one| {
            let unkept = Arc::get_mut(one);
            unkept.as_ref().inspect(|one| gone.add_pool(&one.read()));
            unkept.is_none()
        });
        backends.retain(|_, one| Arc::get_mut(one).is_none());
    }

    /// How the last failed request of each backend ended.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        // Who panicked with it left numbers at worst that are a part too many or too few.
        self.parts.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests;
