use core::time::Duration;
use lb_types::Time;

/// Slow start: ten steps from 10 to 100 percent of the weight, the last at the end of its time.
///
/// Steps, not a line: each change of weight rebuilds a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ramp {
    from: Time,
    length: Duration,
    /// The share that was reached last.
    reached: u8,
}

impl Ramp {
    pub(crate) const fn new(length: Duration, now: Time) -> Option<Self> {
        if length.is_zero() {
            None
        } else {
            Some(Self {
                from: now,
                length,
                reached: 10,
            })
        }
    }

    /// The same with the step of `now` reached; `None`: it is over.
    pub(crate) fn at(self, now: Time) -> Option<Self> {
        let reached = self.percent(now);
        (reached < 100).then_some(Self { reached, ..self })
    }

    /// When the next step comes.
    pub(crate) fn step(&self) -> Option<Time> {
        self.next(self.reached)
    }

    /// The share of the weight at `now`: 10, 20, .. 100.
    pub(crate) fn percent(&self, now: Time) -> u8 {
        let done = now.since(self.from).as_nanos().saturating_mul(RISES) / self.length.as_nanos().max(1);
        u8::try_from(done.min(RISES)).map_or(100, |rises| 10 + 10 * rises)
    }

    /// When the share rises above `percent`; `None` at 100.
    fn next(&self, percent: u8) -> Option<Time> {
        let rises = u128::from(percent / 10);
        if rises > RISES {
            return None;
        }
        let wait = self.length.as_nanos().saturating_mul(rises).div_ceil(RISES);
        Some(
            self.from
                .after(Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))),
        )
    }
}

/// Ten steps have nine rises between them.
const RISES: u128 = 9;

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn ten_steps_end_with_the_full_weight_at_the_end_of_the_time() {
        let start = Time::from_nanos(1_000);
        let ramp = Ramp::new(Duration::from_secs(9), start).unwrap();
        let shares: Vec<u8> = (0..11)
            .map(|s| ramp.percent(start.after(Duration::from_secs(s))))
            .collect();
        assert_eq!(shares, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100]);
        let end = start.after(Duration::from_secs(9));
        assert_eq!(ramp.percent(Time::from_nanos(end.as_nanos() - 1)), 90);
        assert_eq!(ramp.percent(Time::ZERO), 10);
    }

    #[test]
    fn the_next_step_is_exactly_where_the_share_rises() {
        for length in [1, 7, 10, 1_000_000_007] {
            let ramp = Ramp::new(Duration::from_nanos(length), Time::ZERO).unwrap();
            let mut percent = ramp.percent(Time::ZERO);
            let mut steps = 0;
            while let Some(next) = ramp.next(percent) {
                let before = Time::from_nanos(next.as_nanos().saturating_sub(1));
                assert!(ramp.percent(next) > percent, "{length} {percent}");
                assert!(ramp.percent(before) <= percent, "{length} {percent}");
                percent = ramp.percent(next);
                steps += 1;
            }
            assert_eq!(percent, 100);
            assert!(steps <= 9);
        }
    }

    #[test]
    fn no_time_is_no_ramp() {
        assert!(Ramp::new(Duration::ZERO, Time::ZERO).is_none());
    }
}
