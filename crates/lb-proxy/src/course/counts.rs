//! Where a course is counted: at its pool, and at the backend that was picked last.

use super::Course;
use crate::record::Counted;
use lb_telemetry::BackendCounters;
use std::sync::Arc;

impl Course {
    /// It goes over a connection that was used before.
    pub(crate) fn reused(&self) {
        if let (Some(pool), Some(ticket)) = (&self.pool, &self.ticket) {
            pool.counters.reuse();
            pool.counters_of(ticket.slot()).inspect(|backend| backend.reuse());
        }
    }

    /// So many bytes came from the backend that was picked last, and went to it.
    pub(crate) fn moved(&self, upstream_in: u64, upstream_out: u64) {
        if let (Some(pool), Some(backend)) = (&self.pool, self.picked()) {
            pool.counters.moved(upstream_in, upstream_out);
            backend.moved(upstream_in, upstream_out);
        }
    }

    /// What is counted of the backend that was picked last.
    pub(crate) fn picked(&self) -> Option<&BackendCounters> {
        let (slot, _) = self.picked?;
        self.pool.as_ref()?.counters_of(slot).map(Arc::as_ref)
    }

    /// Where the rest is counted when it goes on without a course.
    pub(crate) fn counted(&self) -> Option<Counted> {
        let (pool, (slot, _)) = (self.pool.as_ref()?, self.picked?);
        Some(Counted::new(&pool.counters, pool.counters_of(slot)?))
    }
}
