use crate::options::{ListenerOptions, PoolOptions};
use lb_balance::Pool;
use lb_store::Tables;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

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

/// A listener and the count its workers share.
#[derive(Debug)]
pub struct ListenerEntry {
    /// What it does.
    pub options: ListenerOptions,
    /// Client connections open now, over all workers. Carried over to the next snapshot by
    /// address.
    pub connections: Arc<AtomicUsize>,
}

/// A pool and what serves it.
#[derive(Debug)]
pub struct PoolEntry {
    /// Backends, algorithm, persistence strategies.
    pub pool: Arc<Pool>,
    /// For each strategy of the pool that looks keys up: its table.
    pub tables: [Option<Arc<Tables>>; 2],
    /// Timeouts and limits.
    pub options: PoolOptions,
}
