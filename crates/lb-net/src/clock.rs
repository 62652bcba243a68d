//! The one clock of the workspace.
//!
//! Everything else is told the time, so that it can be tested without waiting.
#![allow(clippy::disallowed_methods)] // this is the one file that may read clocks

use lb_types::{Now, Time, Wall};
use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

/// Nanoseconds since the first call in this process, on the monotonic clock. About 25 ns.
#[must_use]
pub fn monotonic() -> Time {
    #[cfg(feature = "sim")]
    if let Some(network) = crate::sim::current() {
        return network.now();
    }
    Time::ZERO.after(start().elapsed())
}

/// Both clocks. Two clock reads; per request use [`Clock`], which needs one.
#[must_use]
pub fn now() -> Now {
    Now {
        mono: monotonic(),
        wall: wall(),
    }
}

/// The standard library's moment that belongs to `time`, for a runtime's timer.
#[must_use]
pub fn instant(time: Time) -> Instant {
    #[cfg(feature = "sim")]
    if let Some(network) = crate::sim::current() {
        return network.instant(time);
    }
    let since = time.since(Time::ZERO);
    start()
        .checked_add(since)
        .unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400))
}

/// A worker's clock: reads the monotonic clock and derives the date from it, asking the system
/// for the date again only once a second.
#[derive(Debug)]
pub struct Clock {
    checked: Cell<Time>,
    /// Nanoseconds since 1970 at that moment.
    unix: Cell<u64>,
}

impl Clock {
    /// A clock that shows the present.
    #[must_use]
    pub fn new() -> Self {
        let clock = Self {
            checked: Cell::new(Time::ZERO),
            unix: Cell::new(0),
        };
        clock.check(monotonic());
        clock
    }

    /// Both clocks; one clock read, sometimes two. The date may be late by up to a second after
    /// the system's clock was set.
    #[must_use]
    pub fn now(&self) -> Now {
        let mono = monotonic();
        if mono.since(self.checked.get()) >= Duration::from_secs(1) {
            self.check(mono);
        }
        let passed = mono.as_nanos().saturating_sub(self.checked.get().as_nanos());
        Now {
            mono,
            wall: Wall::from_millis(self.unix.get().saturating_add(passed) / NANOS_PER_MILLI),
        }
    }

    fn check(&self, mono: Time) {
        self.checked.set(mono);
        self.unix.set(unix_nanos());
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

/// Sixty-four bits that differ from process to process and call to call, to seed generators that
/// need no secrecy.
#[must_use]
pub fn seed() -> u64 {
    #[cfg(feature = "sim")]
    if let Some(network) = crate::sim::current() {
        return network.draw(u64::MAX);
    }
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u64(monotonic().as_nanos());
    hasher.finish()
}

fn wall() -> Wall {
    Wall::from_millis(unix_nanos() / NANOS_PER_MILLI)
}

/// Fits until the year 2554.
fn unix_nanos() -> u64 {
    #[cfg(feature = "sim")]
    if crate::sim::is_entered() {
        return SIMULATED_DATE + monotonic().as_nanos();
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// The 1st of January 2026, in nanoseconds since 1970.
#[cfg(feature = "sim")]
const SIMULATED_DATE: u64 = 1_767_225_600_000_000_000;

const NANOS_PER_MILLI: u64 = 1_000_000;

fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_and_knows_the_year() {
        let clock = Clock::new();
        let first = clock.now();
        let second = clock.now();
        assert!(second.mono >= first.mono);
        assert!(second.wall.as_secs() > 1_700_000_000, "after November 2023");
        assert!(now().wall.as_secs().abs_diff(second.wall.as_secs()) <= 1);
        assert!(second.wall >= first.wall);
        assert!(now().wall.as_millis().abs_diff(clock.now().wall.as_millis()) < 1_000);
    }

    #[test]
    fn a_moment_keeps_its_date_whatever_the_next_look_at_the_systems_clock_sees() {
        let clock = Clock::new();
        let began = clock.now();
        clock.check(began.mono + Duration::from_millis(1_870)); // sees the date of now, 1.87 s early
        let next = clock.now();
        assert!(next.wall.since(began.wall) <= Duration::from_millis(100), "{next:?}");
        assert!(began.wall.since(next.wall) <= Duration::from_millis(100), "{next:?}");
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(seed(), seed());
    }
}
