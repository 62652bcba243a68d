use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lb_persist::{Entry, Key, Table, TableCounts, TableOptions, WhenFull};
use lb_types::{BackendId, Time};

/// One pool's persistence table, shared by all workers.
///
/// A [`Table`] in up to 64 parts ("shards"), each behind its own lock; a call locks one shard for
/// one map operation. So two threads that claim one key at once agree, and threads with other
/// keys seldom meet. Hold it in an `Arc` and give the same `Arc` to the next snapshot: a reload
/// keeps the entries.
///
/// Limits: [`TablesOptions::capacity`] entries in all, of at most [`Table::BYTES_PER_ENTRY`]
/// bytes. A shard may be full shortly before the whole is: keys are spread by a hash.
#[derive(Debug)]
pub struct Tables {
    shards: Box<[Shard]>,
    spread: RandomState,
    /// Where `expire` goes on.
    next: AtomicUsize,
}

/// How much [`Tables`] hold and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TablesOptions {
    /// The largest number of entries. Default 100,000.
    pub capacity: usize,
    /// How long an unused entry lives. Default 300 s.
    pub timeout: Duration,
    /// What to do when a new key finds no room. Default [`WhenFull::Refuse`].
    pub when_full: WhenFull,
}

impl TablesOptions {
    /// So many entries, so long; known clients keep their entries when the table is full.
    #[must_use]
    pub const fn new(capacity: usize, timeout: Duration) -> Self {
        Self {
            capacity,
            timeout,
            when_full: WhenFull::Refuse,
        }
    }

    /// The options of shard `index` of `count`: capacities add up to the whole.
    fn shard(&self, index: usize, count: usize) -> TableOptions {
        let share = self.capacity / count + usize::from(index < self.capacity % count);
        let mut options = TableOptions::new(share, self.timeout);
        options.when_full = self.when_full;
        options
    }
}

impl Default for TablesOptions {
    fn default() -> Self {
        Self::new(100_000, Duration::from_secs(300))
    }
}

impl Tables {
    /// Empty tables.
    #[must_use]
    pub fn new(options: TablesOptions) -> Self {
        let count = (options.capacity / LEAST_PER_SHARD)
            .next_power_of_two()
            .clamp(1, MOST_SHARDS);
        let shards = (0..count)
            .map(|index| Shard(Mutex::new(Table::new(options.shard(index, count)))))
            .collect();
        Self {
            shards,
            spread: RandomState::new(),
            next: AtomicUsize::new(0),
        }
    }

    /// Where `key` belongs; counts as a use. Asks only this process's memory: never waits for
    /// anything but a shard's lock. `O(1)`, no allocation.
    #[must_use]
    pub fn lookup_memory(&self, key: &Key, now: Time) -> Option<BackendId> {
        self.shard(key).lookup(key, now)
    }

    /// Compare and set, as [`Table::claim`]: the backend that `key` belongs to from now on. Of
    /// several threads that claim one key at once, the first decides for all.
    #[must_use]
    pub fn claim(&self, key: Key, seen: Option<BackendId>, candidate: BackendId, now: Time) -> BackendId {
        self.shard(&key).claim(key, seen, candidate, now)
    }

    /// Stores an entry, whatever was there; returns the one that had to go, as
    /// [`Table::remember`].
    pub fn remember(&self, key: Key, backend: BackendId, now: Time) -> Option<Entry> {
        self.shard(&key).remember(key, backend, now)
    }

    /// Drops every entry of `backend` and says how many there were. `O(entries)`, one shard
    /// locked at a time: for the control thread.
    pub fn forget(&self, backend: BackendId) -> usize {
        self.locked().map(|mut table| table.forget(backend)).sum()
    }

    /// Drops entries that reached their timeout, at most `limit`, and says how many. For the
    /// control thread, when [`poll_timeout`](Self::poll_timeout) says so or now and then; a call
    /// that stops at the limit is continued by the next.
    pub fn expire(&self, now: Time, limit: usize) -> usize {
        let start = self.next.load(Ordering::Relaxed);
        let mut dropped = 0;
        for offset in 0..self.shards.len() {
            let at = (start + offset) % self.shards.len();
            dropped += self
                .shards
                .get(at)
                .map_or(0, |shard| shard.lock().expire(now, limit - dropped));
            if dropped >= limit {
                self.next.store(at, Ordering::Relaxed);
                break;
            }
        }
        dropped
    }

    /// When the first entry reaches its timeout; `None` without entries. Locks every shard once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.locked().filter_map(|table| table.poll_timeout()).min()
    }

    /// Changes capacity, timeout and policy and keeps the entries; the number of shards stays.
    pub fn set_options(&self, options: TablesOptions) {
        for (index, mut table) in self.locked().enumerate() {
            table.set_options(options.shard(index, self.shards.len()));
        }
    }

    /// The number of entries, those included that are over but not dropped yet. Locks every
    /// shard once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.locked().map(|table| table.len()).sum()
    }

    /// Have they no entry?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What happened so far, over all shards.
    #[must_use]
    pub fn counts(&self) -> TableCounts {
        self.locked()
            .fold(TableCounts::default(), |sum, table| sum.plus(table.counts()))
    }

    /// Copies all entries: to show them, to hand them over. Locks one shard at a time.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut all = Vec::new();
        for table in self.locked() {
            all.extend(table.iter());
        }
        all
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Table> {
        let at = self.spread.hash_one(key) as usize & (self.shards.len() - 1); // a power of two
        self.shards[at].lock()
    }

    fn locked(&self) -> impl Iterator<Item = MutexGuard<'_, Table>> {
        self.shards.iter().map(Shard::lock)
    }
}

/// On cache lines of its own, so that threads at neighbouring shards do not slow each other.
#[derive(Debug)]
#[repr(align(128))]
struct Shard(Mutex<Table>);

impl Shard {
    /// A table is in order after every call, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More threads than this at one time are not expected on one machine's hot path.
const MOST_SHARDS: usize = 64;

/// Below this, the chance that one shard is full long before the others is too high.
const LEAST_PER_SHARD: usize = 256;
