//! What is counted of a connection or an exchange when it is over.

use crate::course::Course;
use crate::view::PoolView;
use lb_telemetry::{BackendCounters, End, ListenerCounters, PoolCounters};
use std::rc::Rc;
use std::sync::Arc;

/// Bytes of both connections, heads and framing included, whether they could be passed on or not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) client_in: u64,
    pub(crate) client_out: u64,
    pub(crate) upstream_in: u64,
    pub(crate) upstream_out: u64,
}

impl Traffic {
    /// Once for the listener, and for the pool and the backend that it was with last.
    pub(crate) fn count(&self, listener: &ListenerCounters, course: &Course) {
        listener.moved(self.client_in, self.client_out);
        course.moved(self.upstream_in, self.upstream_out);
    }
}

/// Where a tunnel is counted beside its listener: it may outlive the snapshot that it began with.
#[derive(Debug)]
pub(crate) struct Counted {
    pool: Arc<PoolCounters>,
    backend: Arc<BackendCounters>,
}

impl Counted {
    pub(crate) fn new(pool: &Arc<PoolCounters>, backend: &Arc<BackendCounters>) -> Self {
        Self {
            pool: Arc::clone(pool),
            backend: Arc::clone(backend),
        }
    }

    pub(crate) fn backend(&self) -> &BackendCounters {
        &self.backend
    }

    pub(crate) fn ended(&self, end: End, traffic: &Traffic) {
        self.pool.ended(end);
        self.pool.moved(traffic.upstream_in, traffic.upstream_out);
        self.backend.moved(traffic.upstream_in, traffic.upstream_out);
    }
}

/// A request, or a connection of TCP, ended so: once for the listener, and once for the pool if it came so far.
pub(crate) fn ended(end: End, listener: &ListenerCounters, pool: Option<&Rc<PoolView>>) {
    listener.ended(end);
    if let Some(pool) = pool {
        pool.counters.ended(end);
    }
}

/// Its client got a final response with this status.
pub(crate) fn responded(status: u16, listener: &ListenerCounters, course: &Course) {
    listener.response(status);
    if let Some(pool) = course.pool() {
        pool.counters.response(status);
    }
}
