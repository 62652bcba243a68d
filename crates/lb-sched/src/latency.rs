use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use lb_types::Time;

/// A moving mean of latencies that follows peaks at once and fades with time. See
/// [`Load::observe`](crate::Load::observe).
#[derive(Debug)]
pub(crate) struct Latency {
    /// Nanoseconds as the bits of an `f64`; 0: never observed. Positive floats sort as their bits.
    mean: AtomicU64,
    /// Moment of the last observation, nanoseconds.
    observed_at: AtomicU64,
    /// Nanoseconds.
    decay: AtomicU64,
}

impl Latency {
    pub(crate) const fn new() -> Self {
        Self {
            mean: AtomicU64::new(0),
            observed_at: AtomicU64::new(0),
            decay: AtomicU64::new(DECAY.as_nanos() as u64),
        }
    }

    pub(crate) fn set_decay(&self, decay: Duration) {
        let nanos = u64::try_from(decay.as_nanos()).unwrap_or(u64::MAX);
        self.decay.store(nanos.max(1), Relaxed);
    }

    pub(crate) fn observe(&self, latency: Duration, now: Time) {
        let sample = (latency.as_nanos() as f64).max(1.0);
        // each stretch of time fades the mean for one observation only, whoever takes it
        let before = Time::from_nanos(self.observed_at.fetch_max(now.as_nanos(), Relaxed));
        let keep = self.kept(before, now);
        let mix = |bits: u64| {
            let mean = f64::from_bits(bits);
            let next = if bits == 0 || sample >= mean {
                sample
            } else {
                mean * keep + sample * (1.0 - keep)
            };
            Some(next.to_bits())
        };
        // the closure always answers, so there is nothing to handle
        let _ = self.mean.try_update(Relaxed, Relaxed, mix);
    }

    pub(crate) fn at(&self, now: Time) -> Option<f64> {
        let bits = self.mean.load(Relaxed);
        if bits == 0 {
            return None;
        }
        let before = Time::from_nanos(self.observed_at.load(Relaxed));
        let kept = self.kept(before, now);
        (kept > FADED).then(|| (f64::from_bits(bits) * kept).max(1.0))
    }

    /// What is left of 1 after the time from `before` to `now`.
    fn kept(&self, before: Time, now: Time) -> f64 {
        let passed = now.as_nanos().saturating_sub(before.as_nanos());
        if passed == 0 {
            return 1.0;
        }
        libm::exp(-(passed as f64 / self.decay.load(Relaxed) as f64))
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

/// As in Finagle (`com.twitter.finagle.loadbalancer.PeakEwma`, `decayTime` of its balancer).
const DECAY: Duration = Duration::from_secs(10);

/// After eight decays (`e^-8`) nothing is known any more.
const FADED: f64 = 0.000_335_462_6;

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(millis: u64) -> Time {
        Time::ZERO.after(ms(millis))
    }

    fn close(found: Option<f64>, want: Duration) -> bool {
        found.is_some_and(|nanos| (nanos - want.as_nanos() as f64).abs() < 1_000.0)
    }

    #[test]
    fn a_peak_counts_at_once_and_fades() {
        let latency = Latency::new();
        assert_eq!(latency.at(at(5)), None);
        latency.set_decay(ms(1_000));
        latency.observe(ms(10), at(1));
        latency.observe(ms(400), at(1));
        assert!(close(latency.at(at(1)), ms(400)));
        // 400 ms * 1/e, 1/e = 0.367879441
        assert!(close(latency.at(at(1_001)), Duration::from_nanos(147_151_776)));
        latency.observe(ms(10), at(1_001));
        // 400 ms * 0.367879441 + 10 ms * 0.632120559
        assert!(close(latency.at(at(1_001)), Duration::from_nanos(153_472_982)));
    }

    #[test]
    fn faster_ones_in_one_moment_change_nothing() {
        let latency = Latency::new();
        latency.observe(ms(400), at(1));
        (0..100).for_each(|_| latency.observe(ms(1), at(1)));
        assert!(close(latency.at(at(1)), ms(400)));
        latency.observe(ms(1), Time::ZERO);
        assert!(
            close(latency.at(at(1)), ms(400)),
            "nor does a clock that a worker read earlier"
        );
    }

    #[test]
    fn the_edges_are_numbers() {
        let latency = Latency::new();
        latency.observe(Duration::ZERO, Time::ZERO);
        assert_eq!(latency.at(Time::ZERO), Some(1.0), "observed, however short");
        assert_eq!(latency.at(at(79_999)), Some(1.0));
        assert_eq!(latency.at(at(80_001)), None, "after eight times ten seconds");
        latency.observe(Duration::MAX, Time::MAX);
        assert!(latency.at(Time::MAX).is_some_and(f64::is_finite));
        latency.set_decay(Duration::ZERO);
        latency.set_decay(Duration::MAX);
        assert!(latency.at(Time::ZERO).is_some_and(f64::is_finite));
    }
}
