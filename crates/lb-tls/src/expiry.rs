use core::fmt;
use lb_types::Wall;

/// How long a certificate is still good; in words: `expires in 5 days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Expiry {
    not_after: i64,
    days_left: i64,
}

impl Expiry {
    /// Warnings are due with fewer whole days left than these; below 0 it is over.
    pub const STEPS: [i64; 5] = [30, 14, 7, 1, 0];

    /// Of a certificate whose last second is `not_after`, since 1970 (dates of certificates may lie before).
    #[must_use]
    pub fn new(not_after: i64, now: Wall) -> Self {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let days_left = not_after.saturating_sub(now).div_euclid(DAY);
        Self { not_after, days_left }
    }

    /// The last second of its validity, in seconds since 1970.
    #[must_use]
    pub const fn not_after(self) -> i64 {
        self.not_after
    }

    /// Whole days that are left; negative when it is over.
    #[must_use]
    pub const fn days_left(self) -> i64 {
        self.days_left
    }

    /// The smallest of [`Expiry::STEPS`] that is reached; none as long as there is nothing to warn of.
    #[must_use]
    pub fn step(self) -> Option<i64> {
        Self::STEPS.into_iter().rev().find(|step| self.days_left < *step)
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.days_left {
            ..0 => f.write_str("has expired"),
            0 => f.write_str("expires within a day"),
            1 => f.write_str("expires in 1 day"),
            days => write!(f, "expires in {days} days"),
        }
    }
}

const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_reached_with_fewer_days_than_it_says() {
        let now = Wall::from_secs(1_700_000_000);
        for (seconds, days, step, text) in [
            (30 * DAY, 30, None, "expires in 30 days"),
            (30 * DAY - 1, 29, Some(30), "expires in 29 days"),
            (14 * DAY, 14, Some(30), "expires in 14 days"),
            (14 * DAY - 1, 13, Some(14), "expires in 13 days"),
            (7 * DAY - 1, 6, Some(7), "expires in 6 days"),
            (DAY, 1, Some(7), "expires in 1 day"),
            (DAY - 1, 0, Some(1), "expires within a day"),
            (0, 0, Some(1), "expires within a day"),
            (-1, -1, Some(0), "has expired"),
        ] {
            let expiry = Expiry::new(1_700_000_000 + seconds, now);
            assert_eq!((expiry.days_left(), expiry.step()), (days, step), "{seconds}");
            assert_eq!(expiry.to_string(), text);
        }
        assert_eq!(Expiry::new(i64::MIN, now).step(), Some(0));
        assert_eq!(Expiry::new(i64::MAX, now).step(), None);
    }
}
