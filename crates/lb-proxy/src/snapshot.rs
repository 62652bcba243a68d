use crate::options::{ListenerOptions, PoolOptions};
use lb_balance::Pool;
use lb_net::Shortage;
use lb_store::Tables;
use std::sync::Arc;

use std::io;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

/// Everything that a reload replaces, as one immutable value.
///
/// A request holds the snapshot it began with until it ends; the last user frees it.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts the snapshots of this process, from 1.
    pub serial: u64,
    /// By address; an address appears once.
    pub listeners: Vec<Arc<ListenerEntry>>,
    /// What routes and TCP listeners point into.
    pub pools: Vec<Arc<PoolEntry>>,
}

/// A listener and the counts its workers share.
#[derive(Debug)]
pub struct ListenerEntry {
    /// What it does.
    pub options: ListenerOptions,
    /// Its client connections. Carried over to the next snapshot by address.
    pub connections: Arc<Occupancy>,
}

/// The client connections of a listener, over all workers.
#[derive(Debug, Default)]
pub struct Occupancy {
    open: AtomicUsize,
    limited: AtomicU64,
    crowded: AtomicU64,
    unaccepted: AtomicU64,
    broken: AtomicU64,
    short_of: AtomicI32,
    broken_by: AtomicI32,
}

impl Occupancy {
    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many connections had to wait so far because the listener's `max_connections` were open.
    /// A worker that holds one back accepts no other, so those behind it in the kernel's queue
    /// are not counted until it is their turn.
    #[must_use]
    pub fn limited(&self) -> u64 {
        self.limited.load(Ordering::Relaxed)
    }

    /// How many connections had to wait so far because the last descriptors are kept for connections to backends.
    #[must_use]
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    /// How often accepting failed so far because this machine was out of something. The connection waited on in the
    /// kernel's queue, and accepting was tried again.
    #[must_use]
    pub fn unaccepted(&self) -> u64 {
        self.unaccepted.load(Ordering::Relaxed)
    }

    /// What this machine was out of when accepting failed last.
    #[must_use]
    pub fn shortage(&self) -> Option<Shortage> {
        Shortage::of(&io::Error::from_raw_os_error(self.short_of.load(Ordering::Relaxed)))
    }

    /// How often a worker found that its socket cannot be accepted from at all, and what the system said last.
    #[must_use]
    pub fn broken(&self) -> (u64, io::Error) {
        let number = self.broken_by.load(Ordering::Relaxed);
        (
            self.broken.load(Ordering::Relaxed),
            io::Error::from_raw_os_error(number),
        )
    }

    /// A connection was accepted with one of the last descriptors and has to wait.
    pub(crate) fn count_crowded(&self) {
        self.crowded.fetch_add(1, Ordering::Relaxed);
    }

    /// Accepting failed, for want of something or for good.
    pub(crate) fn count_failed(&self, error: &io::Error) {
        if !lb_net::is_shortage(error) {
            self.count_broken(error);
            return;
        }
        self.short_of
            .store(error.raw_os_error().unwrap_or(0), Ordering::Relaxed);
        self.unaccepted.fetch_add(1, Ordering::Relaxed);
    }

    /// A worker cannot accept from its socket.
    pub(crate) fn count_broken(&self, error: &io::Error) {
        self.broken_by
            .store(error.raw_os_error().unwrap_or(0), Ordering::Relaxed);
        self.broken.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one more connection unless there are `most` already.
    pub(crate) fn try_enter(&self, most: usize) -> bool {
        if self.open.fetch_add(1, Ordering::Relaxed) < most {
            return true;
        }
        self.leave();
        false
    }

    /// A connection ended.
    pub(crate) fn leave(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection has to wait.
    pub(crate) fn count_limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }
}

/// A pool and what serves it.
#[derive(Debug)]
pub struct PoolEntry {
    /// Backends, algorithm, persistence strategies.
    pub pool: Arc<Pool>,
    /// For each strategy of the pool that looks keys up: its table.
    pub tables: [Option<Arc<Tables>>; Pool::STRATEGIES],
    /// Timeouts and limits.
    pub options: PoolOptions,
}
