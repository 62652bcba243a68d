use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use lb_types::Time;

/// What one backend is doing right now, shared by all workers: requests in flight and failures
/// in a row. Stands alone on its cache lines, so that two backends never slow each other down.
///
/// A request in flight is one that was begun and not finished: an idle connection kept for later
/// does not count. Counts are relaxed atomics: they decide where traffic goes, they order nothing.
#[derive(Debug, Default)]
#[repr(align(128))] // two lines of 64 bytes: x86 prefetches lines in pairs, some arm64 lines have 128
pub struct Load {
    in_flight: AtomicU32,
    failures: AtomicU32,
    failed_at: AtomicU64, // nanoseconds + 1; 0: never
}

impl Load {
    /// A backend that does nothing and never failed.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_flight: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            failed_at: AtomicU64::new(0),
        }
    }

    /// Begins a request if `limit` has room for it; says whether it did. Each `true` must be
    /// followed by exactly one [`finish`](Self::finish).
    ///
    /// The count never goes above the limit, not even for a moment, and a request is refused only
    /// if the count stood at the limit. One atomic step; with a limit, again for each other thread
    /// that changes the count in between.
    pub fn try_begin(&self, limit: Limit) -> bool {
        if limit.is_none() {
            self.in_flight.fetch_add(1, Relaxed);
            return true;
        }
        let begin = |count: u32| limit.has_room(count).then(|| count.wrapping_add(1));
        self.in_flight.try_update(Relaxed, Relaxed, begin).is_ok()
    }

    /// Ends a request that was begun.
    pub fn finish(&self) {
        let before = self.in_flight.fetch_sub(1, Relaxed);
        debug_assert!(before != 0, "a request was finished that was never begun");
    }

    /// Requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// A request ended well. Writes only if the one before it failed.
    pub fn succeeded(&self) {
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
    }

    /// A request failed through the backend's fault.
    pub fn failed(&self, now: Time) {
        self.failed_at.store(now.as_nanos().saturating_add(1), Relaxed);
        let more = |count: u32| Some(count.saturating_add(1));
        // the closure always answers, so there is nothing to handle
        let _ = self.failures.try_update(Relaxed, Relaxed, more);
    }

    /// Failures since the last success: what passive health checks look at.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures.load(Relaxed)
    }

    /// When a request failed last, also if others succeeded since.
    #[must_use]
    pub fn last_failure(&self) -> Option<Time> {
        self.failed_at.load(Relaxed).checked_sub(1).map(Time::from_nanos)
    }
}

/// How many requests a backend may have in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

impl Limit {
    /// As many as come.
    pub const NONE: Self = Self(u32::MAX);

    /// At most `requests` at once; 0 lets none through.
    #[must_use]
    pub const fn new(requests: u32) -> Self {
        Self(requests)
    }

    /// Is there no limit?
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == u32::MAX
    }

    /// May one more request begin beside `in_flight`?
    #[must_use]
    pub const fn has_room(self, in_flight: u32) -> bool {
        in_flight < self.0
    }
}

impl From<Option<u32>> for Limit {
    fn from(requests: Option<u32>) -> Self {
        requests.map_or(Self::NONE, Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_reached_and_freed_again() {
        let load = Load::new();
        let limit = Limit::new(2);
        assert!(load.try_begin(limit));
        assert!(load.try_begin(limit));
        assert!(!load.try_begin(limit));
        assert_eq!(load.in_flight(), 2);
        load.finish();
        assert!(load.try_begin(limit));
        assert!(load.try_begin(Limit::NONE), "no limit ignores the count");
        assert!(!load.try_begin(Limit::new(0)));
        assert_eq!(load.in_flight(), 3);
    }

    #[test]
    fn one_success_ends_a_row_of_failures_but_not_its_memory() {
        let load = Load::new();
        assert_eq!((load.failures(), load.last_failure()), (0, None));
        load.failed(Time::from_nanos(5));
        load.failed(Time::from_nanos(7));
        assert_eq!((load.failures(), load.last_failure()), (2, Some(Time::from_nanos(7))));
        load.succeeded();
        assert_eq!((load.failures(), load.last_failure()), (0, Some(Time::from_nanos(7))));
        load.failed(Time::ZERO);
        assert_eq!((load.failures(), load.last_failure()), (1, Some(Time::ZERO)));
    }

    #[test]
    fn two_loads_never_share_a_cache_line() {
        assert_eq!(align_of::<Load>(), 128);
        assert_eq!(size_of::<Load>(), 128);
    }
}
