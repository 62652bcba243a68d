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
    wall: Cell<Wall>,
    micros: Cell<u32>,
}

impl Clock {
    /// A clock that shows the present.
    #[must_use]
    pub fn new() -> Self {
        let clock = Self {
            checked: Cell::new(Time::ZERO),
            wall: Cell::new(Wall::default()),
            micros: Cell::new(0),
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
        let passed = mono.since(self.checked.get()) + Duration::from_micros(u64::from(self.micros.get()));
        Now {
            mono,
            wall: Wall::from_secs(self.wall.get().as_secs() + passed.as_secs()),
        }
    }

    /// Milliseconds since 1970 of a moment on the monotonic clock, earlier or later than the last look at the system's
    /// clock, by what that look saw: the date of a request's beginning is right however long it took.
    #[must_use]
    pub fn unix_millis(&self, at: Time) -> u64 {
        let looked = self.checked.get();
        let seen = Duration::from_secs(self.wall.get().as_secs()) + Duration::from_micros(u64::from(self.micros.get()));
        let date = (seen + at.since(looked)).saturating_sub(looked.since(at));
        u64::try_from(date.as_millis()).unwrap_or(u64::MAX)
    }

    fn check(&self, mono: Time) {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        self.checked.set(mono);
        self.wall.set(Wall::from_secs(since.as_secs()));
        self.micros.set(since.subsec_micros());
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
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u64(monotonic().as_nanos());
    hasher.finish()
}

fn wall() -> Wall {
    Wall::from_secs(
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs(),
    )
}

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
        assert_eq!(clock.unix_millis(second.mono) / 1_000, second.wall.as_secs());
    }

    #[test]
    fn a_moment_before_the_last_look_at_the_date_has_its_own_date() {
        let clock = Clock::new();
        let began = monotonic();
        let date = clock.unix_millis(began);
        let later = began + Duration::from_millis(1_870);
        clock.check(later); // sees the date of now, 1.87 s early
        let early = |at| clock.unix_millis(at) + 1_870;
        assert!(early(began).abs_diff(date) <= 50, "{} and {date}", early(began));
        assert!(clock.unix_millis(later).abs_diff(date) <= 50);
        assert_eq!(
            clock.unix_millis(later + Duration::from_secs(3)),
            clock.unix_millis(later) + 3_000
        );
        assert_eq!(
            clock.unix_millis(Time::ZERO) + 1_000,
            clock.unix_millis(Time::from_nanos(1_000_000_000))
        );
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(seed(), seed());
    }
}
