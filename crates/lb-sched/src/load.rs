use crate::latency::Latency;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use lb_types::Time;

/// What one backend is doing right now, shared by all workers: requests in flight, failures in a
/// row and, where somebody asks for them, its latency and a tally of outcomes. Stands alone on its
/// cache lines, so that two backends never slow each other down.
///
/// A request in flight is one that was begun and not finished: an idle connection kept for later
/// does not count. Counts are relaxed atomics: they decide where traffic goes, they order nothing.
#[derive(Debug, Default)]
#[repr(align(128))] // two lines of 64 bytes: x86 prefetches lines in pairs, some arm64 lines have 128
pub struct Load {
    in_flight: AtomicU32,
    failures: AtomicU32,
    failed_at: AtomicU64, // nanoseconds + 1; 0: never
    latency: Latency,
    tally: AtomicU64, // well in the lower half, failed in the upper
    time: AtomicU64,  // nanoseconds
}

impl Load {
    /// A backend that does nothing and never failed.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            in_flight: AtomicU32::new(0),
            failures: AtomicU32::new(0),
            failed_at: AtomicU64::new(0),
            latency: Latency::new(),
            tally: AtomicU64::new(0),
            time: AtomicU64::new(0),
        }
    }

    /// Begins a request if `limit` has room for it; says whether it did. Each `true` must be
    /// followed by exactly one [`finish`](Self::finish); a [`InFlight`](crate::InFlight) sees to that.
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

    /// A request took `latency` and ended at `now`. For pools whose algorithm
    /// [uses latency](crate::Algorithm::uses_latency). Two atomic steps on the line that
    /// [`finish`](Self::finish) writes anyway.
    ///
    /// What is kept is a moving mean that is sensitive to peaks, as in Finagle: a latency above the
    /// mean becomes the mean at once, one below it pulls the mean down, the more the longer it is
    /// since the one before.
    pub fn observe(&self, latency: Duration, now: Time) {
        self.latency.observe(latency, now);
    }

    /// The moving mean as of `now`. It fades while nothing is observed, to `1/e` after each
    /// [decay](Self::set_latency_decay), so that a backend that was slow is tried again. `None` before
    /// the first observation and after eight decays without one.
    #[must_use]
    pub fn latency(&self, now: Time) -> Option<Duration> {
        self.latency.at(now).map(|nanos| Duration::from_nanos(nanos as u64))
    }

    /// The same in nanoseconds, without rounding.
    pub(crate) fn latency_nanos(&self, now: Time) -> Option<f64> {
        self.latency.at(now)
    }

    /// How long a latency takes to fade to `1/e`; 10 s unless told otherwise. Zero is as one
    /// nanosecond: only the latest counts.
    pub fn set_latency_decay(&self, decay: Duration) {
        self.latency.set_decay(decay);
    }

    /// Counts an outcome, for success rates. Only for pools that judge by them: it is one more
    /// atomic step. Counts stop at 2^32 - 1.
    pub fn tally(&self, ok: bool) {
        let one = if ok { 1 } else { 1 << 32 };
        let add = |both: u64| {
            let half = if ok { both as u32 } else { (both >> 32) as u32 };
            (half != u32::MAX).then(|| both.wrapping_add(one))
        };
        // refused only where a count is at its end
        let _ = self.tally.try_update(Relaxed, Relaxed, add);
    }

    /// Adds the time that a request took which ended well, for pools that compare their backends by it: one more
    /// atomic step.
    pub fn tally_time(&self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        let add = |sum: u64| Some(sum.saturating_add(nanos));
        // the closure always answers, so there is nothing to handle
        let _ = self.time.try_update(Relaxed, Relaxed, add);
    }

    /// The outcomes since the last call, which begins a new count. None is lost or counted twice; the time of a
    /// request that ends in this moment may be in the next tally.
    #[must_use]
    pub fn take_tally(&self) -> Tally {
        let both = self.tally.swap(0, Relaxed);
        Tally {
            ok: both as u32,
            failed: (both >> 32) as u32,
            time: Duration::from_nanos(self.time.swap(0, Relaxed)),
        }
    }
}

/// Outcomes of requests: what [`Load::take_tally`] hands over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests that ended well.
    pub ok: u32,
    /// Requests that failed through the backend's fault.
    pub failed: u32,
    /// How long those that ended well took together, as far as somebody said so ([`Load::tally_time`]).
    pub time: Duration,
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
    fn a_tally_is_taken_once() {
        let load = Load::new();
        assert_eq!(load.take_tally(), Tally::default());
        (0..3).for_each(|_| load.tally(true));
        (0..2).for_each(|_| load.tally(false));
        load.tally_time(Duration::from_millis(7));
        load.tally_time(Duration::from_millis(2));
        let time = Duration::from_millis(9);
        assert_eq!(load.take_tally(), Tally { ok: 3, failed: 2, time });
        assert_eq!(load.take_tally(), Tally::default());
    }

    #[test]
    fn a_full_tally_stays_full_and_leaves_the_other_alone() {
        let load = Load::new();
        load.tally.store(u64::from(u32::MAX) | (7 << 32), Relaxed);
        load.tally(true);
        load.tally(false);
        assert_eq!(
            load.take_tally(),
            Tally {
                ok: u32::MAX,
                failed: 8,
                time: Duration::ZERO
            }
        );
        load.tally.store(u64::from(u32::MAX) << 32, Relaxed);
        load.tally(false);
        load.tally(true);
        assert_eq!(
            load.take_tally(),
            Tally {
                ok: 1,
                failed: u32::MAX,
                time: Duration::ZERO
            }
        );
    }

    #[test]
    fn two_loads_never_share_a_cache_line() {
        assert_eq!(align_of::<Load>(), 128);
        assert_eq!(size_of::<Load>(), 128);
    }
}
