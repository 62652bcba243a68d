use std::collections::HashMap;
use std::time::Duration;

use lb_types::{BackendId, Time};

use crate::Key;

/// Which client belongs to which backend: bounded, and forgetful.
///
/// An entry lives while the gap since its last use is **below** the timeout; at exactly the
/// timeout it is gone. Every successful [`lookup`](Self::lookup) or [`claim`](Self::claim) is a
/// use. `lookup`, `claim` and `remember` are `O(1)`; only a new entry may allocate, when the table
/// grows. An entry costs [`BYTES_PER_ENTRY`](Self::BYTES_PER_ENTRY) at most.
///
/// Keys are hashed with the standard library's randomly keyed map, so a client cannot choose
/// keys that collide.
///
/// Callers on several threads read the clock apart; a `now` that lies behind one seen before
/// counts as that one.
#[derive(Debug)]
pub struct Table {
    options: TableOptions,
    index: HashMap<Key, u32>,
    /// Entries and, between them, free places; `older` and `newer` chain the entries by last use.
    nodes: Vec<Node>,
    oldest: u32,
    newest: u32,
    free: u32,
    latest: Time,
    counts: TableCounts,
}

/// How much a [`Table`] holds and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableOptions {
    /// The largest number of entries. Default 100,000; at most 2^32 - 2 are used.
    pub capacity: usize,
    /// How long an unused entry lives. Default 300 s.
    pub timeout: Duration,
    /// What to do when a new key finds no room. Default [`WhenFull::Refuse`].
    pub when_full: WhenFull,
}

impl TableOptions {
    /// So many entries, so long; known clients keep their entries when the table is full.
    #[must_use]
    pub const fn new(capacity: usize, timeout: Duration) -> Self {
        Self {
            capacity,
            timeout,
            when_full: WhenFull::Refuse,
        }
    }
}

impl Default for TableOptions {
    fn default() -> Self {
        Self::new(100_000, Duration::from_secs(300))
    }
}

/// What a full table does with a new key. The request is served in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenFull {
    /// The new key is not kept: a flood of new clients cannot push known clients out.
    #[default]
    Refuse,
    /// The entry that was unused for longest makes room.
    EvictOldest,
}

/// One line of a [`Table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub key: Key,
    /// Belongs where.
    pub backend: BackendId,
    /// The last use.
    pub used: Time,
}

/// What happened to a [`Table`] since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TableCounts {
    /// New keys that were not kept because the table was full: requests served without
    /// stickiness.
    pub full: u64,
    /// Living entries that made room for a new key: stickiness lost.
    pub evicted: u64,
    /// Entries that reached their timeout.
    pub expired: u64,
    /// Entries dropped because their backend is gone.
    pub forgotten: u64,
}

impl TableCounts {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            full: self.full.saturating_add(other.full),
            evicted: self.evicted.saturating_add(other.evicted),
            expired: self.expired.saturating_add(other.expired),
            forgotten: self.forgotten.saturating_add(other.forgotten),
        }
    }
}

impl Table {
    /// The most memory one entry takes, in bytes, in a table that grew to its capacity: a node,
    /// and a place in a hash map that is filled to 7/16 just after it doubled.
    pub const BYTES_PER_ENTRY: usize = size_of::<Node>() * 2 + (size_of::<(Key, u32)>() + 1) * 16 / 7;

    /// An empty table. Allocates nothing yet.
    #[must_use]
    pub fn new(options: TableOptions) -> Self {
        Self {
            options,
            index: HashMap::new(),
            nodes: Vec::new(),
            oldest: NONE,
            newest: NONE,
            free: NONE,
            latest: Time::ZERO,
            counts: TableCounts::default(),
        }
    }

    /// Where `key` belongs; counts as a use. `O(1)`, no allocation.
    pub fn lookup(&mut self, key: &Key, now: Time) -> Option<BackendId> {
        let now = self.advance(now);
        let at = self.find(key, now)?;
        self.touch(at, now);
        self.nodes.get(at as usize).map(|node| node.entry.backend)
    }

    /// Compare and set: the backend that `key` belongs to from now on.
    ///
    /// `seen` is what the caller knows (from `lookup`, or from its last `claim` when it tries
    /// again). If the entry is still that, or is gone, `candidate` is stored and returned. Else
    /// somebody was faster, and the entry is returned: use that backend. A new key that finds no
    /// room gets its candidate all the same, and is counted in [`TableCounts::full`].
    pub fn claim(&mut self, key: Key, seen: Option<BackendId>, candidate: BackendId, now: Time) -> BackendId {
        let now = self.advance(now);
        let Some(at) = self.find(&key, now) else {
            self.insert(key, candidate, now);
            return candidate;
        };
        self.touch(at, now);
        let Some(node) = self.nodes.get_mut(at as usize) else {
            return candidate;
        };
        if seen == Some(node.entry.backend) {
            node.entry.backend = candidate;
        }
        node.entry.backend
    }

    /// Stores an entry, whatever was there. Returns the entry that had to go for it: the old one
    /// of this key if it named another backend, or the evicted one.
    ///
    /// When the table is full and refuses new keys, nothing is stored and `full` is counted.
    pub fn remember(&mut self, key: Key, backend: BackendId, now: Time) -> Option<Entry> {
        let now = self.advance(now);
        let Some(at) = self.find(&key, now) else {
            return self.insert(key, backend, now);
        };
        let old = self.nodes.get(at as usize).map(|node| node.entry);
        self.touch(at, now);
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.entry.backend = backend;
        }
        old.filter(|entry| entry.backend != backend)
    }

    /// Drops every entry of `backend` and says how many there were. `O(entries)`: for the control
    /// thread, when a backend leaves the pool.
    pub fn forget(&mut self, backend: BackendId) -> usize {
        let mut at = self.oldest;
        let mut count = 0_usize;
        while let Some(node) = self.nodes.get(at as usize) {
            let newer = node.newer;
            if node.entry.backend == backend {
                self.drop_node(at);
                count = count.saturating_add(1);
            }
            at = newer;
        }
        self.counts.forgotten = self.counts.forgotten.saturating_add(count as u64);
        count
    }

    /// When [`expire`](Self::expire) has something to do; `None` when the table is empty. `O(1)`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.nodes
            .get(self.oldest as usize)
            .map(|node| node.entry.used.after(self.options.timeout))
    }

    /// Drops entries that reached their timeout, at most `limit` of them, and says how many.
    /// `O(dropped)`. An entry that was not dropped yet is not found either.
    pub fn expire(&mut self, now: Time, limit: usize) -> usize {
        let now = self.advance(now);
        let mut count = 0_usize;
        while count < limit && self.oldest_is_over(now) {
            self.drop_node(self.oldest);
            count = count.saturating_add(1);
        }
        self.counts.expired = self.counts.expired.saturating_add(count as u64);
        count
    }

    /// Changes capacity, timeout and policy and keeps the entries. With a lower capacity the
    /// table counts as full until enough entries are gone.
    pub fn set_options(&mut self, options: TableOptions) {
        self.options = options;
    }

    /// The options in force.
    #[must_use]
    pub const fn options(&self) -> &TableOptions {
        &self.options
    }

    /// The number of entries, those included that are over but not dropped yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Has it no entry?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// What happened so far.
    #[must_use]
    pub const fn counts(&self) -> TableCounts {
        self.counts
    }

    /// All entries, least recently used first: to show them, to hand them over.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> + '_ {
        let mut at = self.oldest;
        core::iter::from_fn(move || {
            let node = self.nodes.get(at as usize)?;
            at = node.newer;
            Some(&node.entry)
        })
    }

    fn advance(&mut self, now: Time) -> Time {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// The living entry of `key`; drops it when it is over.
    fn find(&mut self, key: &Key, now: Time) -> Option<u32> {
        let at = *self.index.get(key)?;
        let node = self.nodes.get(at as usize)?;
        if now.since(node.entry.used) < self.options.timeout {
            return Some(at);
        }
        self.drop_node(at);
        self.counts.expired = self.counts.expired.saturating_add(1);
        None
    }

    fn oldest_is_over(&self, now: Time) -> bool {
        self.nodes
            .get(self.oldest as usize)
            .is_some_and(|node| now.since(node.entry.used) >= self.options.timeout)
    }

    /// Adds a key that is not there. Returns the evicted entry.
    fn insert(&mut self, key: Key, backend: BackendId, now: Time) -> Option<Entry> {
        let mut evicted = None;
        if self.len() >= self.options.capacity.min(MOST_ENTRIES) {
            if self.oldest_is_over(now) {
                self.drop_node(self.oldest);
                self.counts.expired = self.counts.expired.saturating_add(1);
            } else if self.options.when_full == WhenFull::EvictOldest && self.options.capacity > 0 {
                evicted = self.drop_node(self.oldest);
                self.counts.evicted = self.counts.evicted.saturating_add(1);
            }
            // After a lowered capacity one dropped entry is not enough.
            if self.len() >= self.options.capacity.min(MOST_ENTRIES) {
                self.counts.full = self.counts.full.saturating_add(1);
                return evicted;
            }
        }
        let node = Node {
            entry: Entry {
                key,
                backend,
                used: now,
            },
            older: NONE,
            newer: NONE,
        };
        let at = match self.nodes.get_mut(self.free as usize) {
            Some(place) => {
                let at = self.free;
                self.free = place.newer;
                *place = node;
                at
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() as u32).wrapping_sub(1) // below 2^32 - 1: checked above
            }
        };
        self.index.insert(key, at);
        self.link_newest(at);
        evicted
    }

    fn touch(&mut self, at: u32, now: Time) {
        if self.newest != at {
            self.unlink(at);
            self.link_newest(at);
        }
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.entry.used = now;
        }
    }

    fn drop_node(&mut self, at: u32) -> Option<Entry> {
        self.unlink(at);
        let free = self.free;
        let node = self.nodes.get_mut(at as usize)?;
        node.newer = free;
        self.free = at;
        let entry = node.entry;
        self.index.remove(&entry.key);
        Some(entry)
    }

    fn link_newest(&mut self, at: u32) {
        let before = self.newest;
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.older = before;
            node.newer = NONE;
        }
        match self.nodes.get_mut(before as usize) {
            Some(node) => node.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32) {
        let Some(&Node { older, newer, .. }) = self.nodes.get(at as usize) else {
            return;
        };
        match self.nodes.get_mut(older as usize) {
            Some(node) => node.newer = newer,
            None => self.oldest = newer,
        }
        match self.nodes.get_mut(newer as usize) {
            Some(node) => node.older = older,
            None => self.newest = older,
        }
    }
}

#[derive(Debug)]
struct Node {
    entry: Entry,
    older: u32,
    newer: u32,
}

/// No node: an index that no vector of nodes reaches.
const NONE: u32 = u32::MAX;

/// So that every index lies below [`NONE`].
const MOST_ENTRIES: usize = 0xffff_fffe;
