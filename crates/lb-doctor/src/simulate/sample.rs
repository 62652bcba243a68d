use lb_types::{Rng, Time};
use std::time::Duration;

/// Quantiles of values without end in bounded memory: exact while there are at most [`Sample::EXACT`] values,
/// afterwards from that many of them, each as likely to be kept (Vitter's algorithm R, 1985).
#[derive(Debug, Clone)]
pub struct Sample {
    kept: Vec<u64>,
    is_sorted: bool,
    count: u64,
    sum: u128,
    most: u64,
    rng: Rng,
    exact: usize,
}

impl Sample {
    /// So many values are kept: 2 MiB of them. Beyond, a p99 is one between p98.92 and p99.08.
    pub const EXACT: usize = 262_144;

    /// No value yet.
    #[must_use]
    pub fn new() -> Self {
        Self::keeping(Self::EXACT)
    }

    /// No value yet; keeps `exact` of them.
    pub(crate) fn keeping(exact: usize) -> Self {
        Self {
            kept: Vec::new(),
            is_sorted: true,
            count: 0,
            sum: 0,
            most: 0,
            rng: Rng::new(0),
            exact,
        }
    }

    /// Adds a value. `O(1)`.
    pub fn add(&mut self, value: Duration) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        self.count += 1;
        self.sum += u128::from(nanos);
        self.most = self.most.max(nanos);
        if self.kept.len() < self.exact {
            self.kept.push(nanos);
            self.is_sorted = false;
            return;
        }
        let place = self.rng.below(self.count) as usize;
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = nanos;
            self.is_sorted = false;
        }
    }

    /// How many values were added.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The values that are kept.
    pub(crate) fn values(&self) -> impl Iterator<Item = Duration> + '_ {
        self.kept.iter().map(|nanos| Duration::from_nanos(*nanos))
    }

    /// The average; zero when there is no value.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let mean = self.sum / u128::from(self.count.max(1));
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The sum of all values, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.sum as f64 / 1e9
    }

    /// The largest value; zero when there is none.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.most)
    }

    /// The smallest value that `percent` of the values do not exceed ("nearest rank"). Sorts after new values came.
    #[must_use]
    pub fn quantile(&mut self, percent: f64) -> Duration {
        if !self.is_sorted {
            self.kept.sort_unstable();
            self.is_sorted = true;
        }
        let rank = (percent / 100.0 * self.kept.len() as f64).ceil() as usize;
        let place = rank.clamp(1, self.kept.len().max(1)) - 1;
        Duration::from_nanos(self.kept.get(place).copied().unwrap_or(0))
    }
}

impl Default for Sample {
    fn default() -> Self {
        Self::new()
    }
}

/// Values over time at equal distances, at most twice as many points as wanted: when they become more, every second
/// one is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) step: Duration,
    /// One row per moment, one value per backend.
    pub(crate) rows: Vec<Vec<u32>>,
    next: Time,
}

impl Series {
    pub(crate) fn new() -> Self {
        Self {
            step: Duration::from_millis(1),
            rows: Vec::new(),
            next: Time::ZERO,
        }
    }

    /// Notes `row` for each moment that passed until `now`.
    pub(crate) fn pass(&mut self, now: Time, row: impl Fn() -> Vec<u32>) {
        while self.next <= now {
            if self.rows.len() == 2 * POINTS {
                let mut keep = false;
                self.rows.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.step *= 2;
                self.next = Time::ZERO.after(self.step * u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
                continue;
            }
            self.rows.push(row());
            self.next = self.next.after(self.step);
        }
    }
}

/// At least so many moments are kept, once there were as many milliseconds.
const POINTS: usize = 150;

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let mut sample = Sample::new();
        assert_eq!((sample.quantile(50.0), sample.mean()), (Duration::ZERO, Duration::ZERO));
        for value in (1..=100).rev() {
            sample.add(millis(value));
        }
        let wanted = [(0.0, 1), (1.0, 1), (50.0, 50), (95.0, 95), (99.0, 99), (100.0, 100)];
        for (percent, value) in wanted {
            assert_eq!(sample.quantile(percent), millis(value), "{percent}");
        }
        assert_eq!((sample.max(), sample.count()), (millis(100), 100));
        assert_eq!(sample.mean(), Duration::from_micros(50_500));
    }

    #[test]
    fn more_values_than_are_kept_are_sampled_evenly() {
        let mut sample = Sample::keeping(1000);
        for value in 0..100_000 {
            sample.add(millis(value));
        }
        assert_eq!(sample.kept.len(), 1000);
        assert_eq!(sample.max(), millis(99_999));
        // 1,000 of 100,000: the median's standard error is 1.6 % of the range; four of them
        let median = sample.quantile(50.0).as_millis() as i64;
        assert!((median - 50_000).abs() < 6400, "{median}");
    }

    #[test]
    fn a_series_of_any_length_keeps_its_distance_and_its_bound() {
        let mut series = Series::new();
        for milli in 0..10_000_u32 {
            series.pass(Time::ZERO.after(millis(milli.into())), || vec![milli]);
        }
        assert!((POINTS..=2 * POINTS).contains(&series.rows.len()));
        let step = u32::try_from(series.step.as_millis()).unwrap();
        for (i, row) in series.rows.iter().enumerate() {
            assert_eq!(row[0], i as u32 * step);
        }
    }
}
