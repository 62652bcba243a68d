use crate::Civil;
use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A moment of the monotonic clock in nanoseconds since some fixed start of this process.
///
/// Nobody below the sockets reads a clock: time is an argument.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time(u64);

impl Time {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// Later than any moment that will be seen.
    pub const MAX: Self = Self(u64::MAX);

    /// A moment from nanoseconds since the start of the clock.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start of the clock.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `wait` after this one; the largest moment when it would overflow.
    #[must_use]
    pub const fn after(self, wait: Duration) -> Self {
        let nanos = wait.as_nanos();
        if nanos > u64::MAX as u128 {
            Self::MAX
        } else {
            Self(self.0.saturating_add(nanos as u64))
        }
    }
}

/// As [`after`](Time::after).
impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        self.after(wait)
    }
}

/// As [`after`](Time::after).
impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, wait: Duration) {
        *self = self.after(wait);
    }
}

/// As [`since`](Time::since): zero when the other is later.
impl Sub for Time {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// `Time(12.345s)`, from the start of the clock.
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({:?})", Duration::from_nanos(self.0))
    }
}

/// Milliseconds since 1970-01-01 00:00:00 UTC: what every crate takes for wall time. For cookie dates, logs and people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Wall(u64);

impl Wall {
    /// A moment from seconds since 1970; the largest moment when it would overflow.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// A moment from milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `wait` after this one; the largest moment when it would overflow.
    #[must_use]
    pub const fn after(self, wait: Duration) -> Self {
        let millis = wait.as_millis();
        if millis > u64::MAX as u128 {
            Self(u64::MAX)
        } else {
            Self(self.0.saturating_add(millis as u64))
        }
    }

    /// The moment `wait` before this one; 1970 when it would be earlier.
    #[must_use]
    pub const fn before(self, wait: Duration) -> Self {
        let millis = wait.as_millis();
        if millis > u64::MAX as u128 {
            Self(0)
        } else {
            Self(self.0.saturating_sub(millis as u64))
        }
    }
}

/// `Wall(2026-11-21 10:51:19 UTC)`, with milliseconds where there are some: `10:51:19.976`.
impl fmt::Debug for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 % 1_000;
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = Civil::from(*self);
        write!(f, "Wall({year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if millis > 0 {
            write!(f, ".{millis:03}")?;
        }
        f.write_str(" UTC)")
    }
}

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// For waiting and measuring.
    pub mono: Time,
    /// For dates.
    pub wall: Wall,
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "the operators of moments saturate")]
mod tests {
    use super::*;

    /// Right values: `date -u -d @SECONDS`.
    #[test]
    fn moments_are_readable_and_added_to_as_durations_are() {
        let time = Time::from_nanos(1_500_000_000);
        assert_eq!(std::format!("{time:?}"), "Time(1.5s)");
        assert_eq!((time + Duration::from_millis(500)).as_nanos(), 2_000_000_000);
        assert_eq!(time - Time::from_nanos(500_000_000), Duration::from_secs(1));
        assert_eq!(Time::ZERO - time, Duration::ZERO);
        let mut later = Time::MAX;
        later += Duration::from_secs(1);
        assert_eq!(later, Time::MAX);
        for (secs, shown) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_795_085_642, "2026-11-19 10:54:02"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(
                std::format!("{:?}", Wall::from_secs(secs)),
                std::format!("Wall({shown} UTC)")
            );
        }
        assert!(!std::format!("{:?}", Wall::from_secs(u64::MAX)).is_empty());
        let wall = Wall::from_millis(1_795_085_642_007);
        assert_eq!(std::format!("{wall:?}"), "Wall(2026-11-19 10:54:02.007 UTC)");
        assert_eq!((wall.as_secs(), wall.as_millis()), (1_795_085_642, 1_795_085_642_007));
        assert_eq!(wall.since(Wall::from_secs(1_795_085_642)), Duration::from_millis(7));
        assert_eq!(wall.before(Duration::from_millis(7)), Wall::from_secs(1_795_085_642));
        assert_eq!(wall.after(Duration::MAX), Wall::from_secs(u64::MAX));
        assert_eq!(Wall::from_secs(1).before(Duration::MAX), Wall::default());
    }

    #[test]
    fn time_saturates_at_both_ends() {
        assert_eq!(Time::ZERO.since(Time::MAX), Duration::ZERO);
        assert_eq!(Time::MAX.after(Duration::from_secs(1)), Time::MAX);
        assert_eq!(Time::ZERO.after(Duration::MAX), Time::MAX);
        assert_eq!(Time::from_nanos(5).after(Duration::from_nanos(7)).as_nanos(), 12);
    }
}
