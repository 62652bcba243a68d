use core::time::Duration;

/// A moment of the monotonic clock in nanoseconds since some fixed start of this process.
///
/// Nobody below the sockets reads a clock: time is an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
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

/// Seconds since 1970-01-01 00:00:00 UTC, for cookie dates and certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Wall(u64);

impl Wall {
    /// A moment from seconds since 1970.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
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
mod tests {
    use super::*;

    #[test]
    fn time_saturates_at_both_ends() {
        assert_eq!(Time::ZERO.since(Time::MAX), Duration::ZERO);
        assert_eq!(Time::MAX.after(Duration::from_secs(1)), Time::MAX);
        assert_eq!(Time::ZERO.after(Duration::MAX), Time::MAX);
        assert_eq!(Time::from_nanos(5).after(Duration::from_nanos(7)).as_nanos(), 12);
    }
}
