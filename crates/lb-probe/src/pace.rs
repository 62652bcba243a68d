use lb_types::Time;
use std::time::Duration;

/// How fast probes may begin: twice as fast as they come on average, so that what was held up is made up for
/// without a burst.
///
/// The generic cell rate algorithm: each probe takes a gap of time, and a few gaps may be taken in advance. With twice
/// the mean and half of what comes in 10 ms in advance, no 10 ms see more than two and a half times the mean.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    /// How far gaps may be taken in advance.
    advance: Duration,
    /// Up to here gaps are taken.
    taken: Time,
}

impl Pace {
    pub(crate) fn new(gap: Duration) -> Self {
        Self {
            gap,
            advance: gap.saturating_mul(LEAST_AT_ONCE),
            taken: Time::ZERO,
        }
    }

    /// Follows backends that are probed at these intervals; never slower than one probe each `slowest`.
    pub(crate) fn set_intervals(&mut self, intervals: impl Iterator<Item = Duration>, slowest: Duration) {
        let per_second: f64 = intervals.map(|interval| interval.as_secs_f64().recip()).sum();
        let gap = Duration::try_from_secs_f64((2.0 * per_second).recip()).unwrap_or(slowest);
        self.gap = gap.min(slowest);
        // half of 10 ms at the mean is a quarter at twice the mean
        self.advance = BURST.max(self.gap.saturating_mul(LEAST_AT_ONCE));
    }

    /// Takes a gap for a probe that begins now.
    ///
    /// # Errors
    /// When one may begin, if none may now.
    pub(crate) fn begin(&mut self, now: Time) -> Result<(), Time> {
        let taken = self.taken.max(now);
        if taken.since(now) > self.advance {
            return Err(Time::from_nanos(
                taken
                    .as_nanos()
                    .saturating_sub(u64::try_from(self.advance.as_nanos()).unwrap_or(u64::MAX)),
            ));
        }
        self.taken = taken.after(self.gap);
        Ok(())
    }
}

/// Taken in advance at a fast pace.
const BURST: Duration = Duration::from_micros(2_500);
/// Taken in advance at a slow pace: a handful of backends that are due together are probed together.
const LEAST_AT_ONCE: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const SLOWEST: Duration = Duration::from_micros(500);

    fn most_in_10_ms(pace: &mut Pace, start: Time) -> usize {
        let mut now = start;
        let mut begun = Vec::new();
        while now.since(start) < Duration::from_millis(100) {
            match pace.begin(now) {
                Ok(()) => begun.push(now),
                Err(free) => {
                    assert!(free > now, "the way to the next one leads forward");
                    now = free;
                }
            }
        }
        let until = |from: Time| begun.partition_point(|at| at.since(from) < Duration::from_millis(10));
        (0..)
            .zip(&begun)
            .map(|(place, from)| until(*from) - place)
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn what_was_held_up_is_made_up_for_at_two_and_a_half_times_the_mean() {
        let mut pace = Pace::new(SLOWEST);
        // 2,000 a second: 20 in 10 ms
        pace.set_intervals(std::iter::repeat_n(Duration::from_secs(5), 10_000), SLOWEST);
        let most = most_in_10_ms(&mut pace, Time::from_nanos(7));
        assert!((40..=51).contains(&most), "{most}");
    }

    #[test]
    fn few_backends_are_probed_as_they_are_due() {
        let mut pace = Pace::new(SLOWEST);
        pace.set_intervals(std::iter::repeat_n(Duration::from_secs(5), 8), SLOWEST);
        for _ in 0..8 {
            assert_eq!(pace.begin(Time::ZERO), Ok(()));
        }
        pace.set_intervals(std::iter::empty(), SLOWEST);
        assert!(most_in_10_ms(&mut pace, Time::from_nanos(1 << 40)) <= 29);
    }
}
