use super::moved::Moved;
use super::sample::Sample;
use std::time::Duration;

/// What one algorithm made of the traffic.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The algorithm, as it is written.
    pub name: String,
    /// Requests that came.
    pub requests: u64,
    /// Requests that were answered.
    pub done: u64,
    /// Requests that found dead backends only, as often as they could be repeated.
    pub refused: u64,
    /// Requests for which nobody was up and below its limit.
    pub nobody: u64,
    /// Requests whose backend died while it had them.
    pub cut: u64,
    /// Requests that came to a line of 100,000.
    pub overflow: u64,
    /// Second and later attempts.
    pub retries: u64,
    /// From arrival to answer, of those that were answered.
    pub latency: Sample,
    /// Requests that waited for a place, on average over time, at all backends together.
    pub queue_mean: f64,
    /// The longest line at any backend.
    pub queue_worst: u64,
    /// In the order of the backends.
    pub backends: Vec<PerBackend>,
    /// Keys that change their backend; only for algorithms that place by hash.
    pub moved: Option<Moved>,
    /// Were shares exactly as the weights say, and not rounded?
    pub is_exact: bool,
    /// Between the rows of `series`.
    pub series_step: Duration,
    /// Requests in flight at each backend, held connections included, over time.
    pub series: Vec<Vec<u32>>,
}

/// What one backend had.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PerBackend {
    /// Requests sent to it.
    pub picks: u64,
    /// Requests that its weight asks for.
    pub wanted: f64,
    /// Requests lost when it died.
    pub cut: u64,
    /// Requests there, on average over time.
    pub in_flight_mean: f64,
    /// Most requests there at once.
    pub in_flight_worst: u64,
    /// Requests waiting for a place, on average over time.
    pub queue_mean: f64,
    /// Most requests waiting at once.
    pub queue_worst: u64,
    /// The part of its places at work, on average over time: 0 to 1.
    pub utilisation: f64,
}

impl Outcome {
    /// Requests without an answer.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.refused + self.nobody + self.cut + self.overflow
    }

    /// The largest share beside the one its weight asks for: 1 is exact. Backends that should have had no request
    /// are left out.
    #[must_use]
    pub fn imbalance(&self) -> f64 {
        let wanted: f64 = self.backends.iter().map(|b| b.wanted).sum();
        let picks: u64 = self.backends.iter().map(|b| b.picks).sum();
        if picks == 0 || wanted == 0.0 {
            return 1.0;
        }
        let ratio = |b: &PerBackend| (b.picks as f64 / picks as f64) / (b.wanted / wanted);
        self.backends
            .iter()
            .filter(|b| b.wanted > 0.5)
            .map(ratio)
            .fold(0.0, f64::max)
    }

    /// Part of all picks that went to this backend: 0 to 1.
    #[must_use]
    pub fn share(&self, backend: usize) -> f64 {
        let picks: u64 = self.backends.iter().map(|b| b.picks).sum();
        self.backends
            .get(backend)
            .map_or(0.0, |b| b.picks as f64 / picks.max(1) as f64)
    }

    /// Part of all requests that the weight of this backend asks for: 0 to 1.
    #[must_use]
    pub fn wanted_share(&self, backend: usize) -> f64 {
        let wanted: f64 = self.backends.iter().map(|b| b.wanted).sum();
        self.backends
            .get(backend)
            .map_or(0.0, |b| b.wanted / wanted.max(f64::MIN_POSITIVE))
    }
}
