use lb_types::Time;
use std::time::Duration;

/// How many requests may be sent again, in proportion to the traffic, so that retries never
/// become the load that kills the backends that are left.
///
/// A retry is granted only if, with it, the retries of the last ten seconds are at most `percent`
/// of the requests of the same time plus `per_second` for each second. One per worker and pool,
/// without atomics: `percent` then holds for all workers together, and `per_second` is per worker.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    options: RetryOptions,
    /// What each of the last seconds put in minus what it took out, in hundredths of a retry.
    seconds: [i64; WINDOW],
    /// Their sum.
    balance: i64,
    second: u64,
}

/// The numbers of a [`RetryBudget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryOptions {
    /// Retries per hundred requests: 20.
    pub percent: u8,
    /// Retries per second and worker that need no traffic: 10. Lets a quiet pool retry at all.
    pub per_second: u16,
}

impl Default for RetryOptions {
    /// 20 % and 10 per second: Finagle's defaults, in use since 2016.
    fn default() -> Self {
        Self {
            percent: 20,
            per_second: 10,
        }
    }
}

impl RetryBudget {
    /// A budget before its first request. The free share of the whole window is there at once.
    #[must_use]
    pub fn new(options: RetryOptions) -> Self {
        Self {
            options,
            seconds: [0; WINDOW],
            balance: 0,
            second: 0,
        }
    }

    /// A request was sent for the first time. `O(1)`.
    pub fn deposit(&mut self, now: Time) {
        self.add(i64::from(self.options.percent), now);
    }

    /// May a request be sent again? Takes the retry out of the budget if so. `O(1)`.
    pub fn try_withdraw(&mut self, now: Time) -> bool {
        self.advance(now);
        let free = i64::from(self.options.per_second) * RETRY * WINDOW as i64;
        let enough = self.balance + free >= RETRY;
        if enough {
            self.add(-RETRY, now);
        }
        enough
    }

    fn add(&mut self, hundredths: i64, now: Time) {
        self.advance(now);
        if let Some(cell) = self.seconds.get_mut((self.second % WINDOW as u64) as usize) {
            *cell += hundredths;
            self.balance += hundredths;
        }
    }

    /// Forgets the seconds that have left the window. Time that runs backwards changes nothing.
    fn advance(&mut self, now: Time) {
        let second = now.as_nanos() / SECOND;
        let passed = second.saturating_sub(self.second).min(WINDOW as u64);
        if passed == 0 {
            return;
        }
        for step in 0..passed {
            if let Some(cell) = self.seconds.get_mut(((second - step) % WINDOW as u64) as usize) {
                self.balance -= *cell;
                *cell = 0;
            }
        }
        self.second = second;
    }
}

/// Seconds that count, as in Finagle's budget.
const WINDOW: usize = 10;
/// One retry in hundredths.
const RETRY: i64 = 100;
const SECOND: u64 = Duration::from_secs(1).as_nanos() as u64;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    fn drain(budget: &mut RetryBudget, now: Time) -> usize {
        (0..100_000).take_while(|_| budget.try_withdraw(now)).count()
    }

    #[test]
    fn a_quiet_pool_has_its_free_share_and_no_more() {
        let mut budget = RetryBudget::new(RetryOptions::default());
        assert_eq!(drain(&mut budget, at(0)), 100, "10 a second, ten seconds");
        assert_eq!(drain(&mut budget, at(9_999)), 0);
        assert_eq!(
            drain(&mut budget, at(10_000)),
            100,
            "what was taken has left the window"
        );
    }

    #[test]
    fn traffic_pays_for_its_share_of_retries() {
        let mut budget = RetryBudget::new(RetryOptions {
            percent: 20,
            per_second: 0,
        });
        assert!(!budget.try_withdraw(at(0)));
        for _ in 0..4 {
            budget.deposit(at(1));
        }
        assert!(!budget.try_withdraw(at(1)), "four fifths of a retry");
        budget.deposit(at(2));
        assert!(budget.try_withdraw(at(2)));
        assert!(!budget.try_withdraw(at(2)));
        for _ in 0..1_000 {
            budget.deposit(at(3_000));
        }
        assert_eq!(drain(&mut budget, at(12_999)), 200);
    }

    #[test]
    fn traffic_of_long_ago_pays_for_nothing() {
        let mut budget = RetryBudget::new(RetryOptions {
            percent: 20,
            per_second: 0,
        });
        for _ in 0..1_000 {
            budget.deposit(at(3_000));
        }
        assert_eq!(drain(&mut budget, at(13_000)), 0);
        assert_eq!(drain(&mut budget, at(3_600_000)), 0);
    }

    #[test]
    fn a_clock_that_steps_back_changes_nothing() {
        let mut budget = RetryBudget::new(RetryOptions {
            percent: 100,
            per_second: 0,
        });
        budget.deposit(at(5_000));
        budget.deposit(at(1_000));
        assert_eq!(drain(&mut budget, at(0)), 2);
    }
}
