use super::reader::Record;
use crate::simulate::{Request, Service};
use lb_types::{Rng, Time, hash64};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// How the requests of a log are sent again.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ReplayOptions {
    /// So many times as fast as they came: 1 is as they came.
    pub speedup: f64,
    /// The work of requests; `None`: what the log says.
    pub service: Option<Service>,
    /// The work of requests of which the log does not say it.
    pub unknown: Service,
    /// Of times that are known to the second only, the place in the second.
    pub seed: u64,
}

impl Default for ReplayOptions {
    /// As they came; 20 ms, exponential, where the log says nothing.
    fn default() -> Self {
        Self {
            speedup: 1.0,
            service: None,
            unknown: Service::Exponential {
                mean: Duration::from_millis(20),
            },
            seed: 1,
        }
    }
}

/// The requests of a log in the order they came. Logs are written when requests end, so 65,536 lines are put in order
/// at a time; who comes later than that comes at once.
#[derive(Debug)]
pub struct Replay<I> {
    records: I,
    options: ReplayOptions,
    waiting: BinaryHeap<Reverse<(u64, u64, Work)>>,
    first: Option<u64>,
    count: u64,
    places: Rng,
    work: Rng,
    entropy: Rng,
}

/// Nanoseconds of work if known, and the client.
type Work = (Option<u64>, Option<u64>);

impl<I: Iterator<Item = Record>> Replay<I> {
    /// The requests of these records.
    pub fn new(records: I, options: ReplayOptions) -> Self {
        let sequence = |number: u64| Rng::new(hash64(options.seed, &number.to_le_bytes()));
        Self {
            records,
            waiting: BinaryHeap::new(),
            first: None,
            count: 0,
            places: sequence(1),
            work: sequence(2),
            entropy: sequence(4),
            options,
        }
    }

    /// What the records came from.
    pub fn into_inner(self) -> I {
        self.records
    }

    fn fill(&mut self) {
        while self.waiting.len() < WINDOW {
            let Some(record) = self.records.next() else { return };
            let place = if record.whole_seconds {
                self.places.below(1_000_000_000)
            } else {
                0
            };
            let nanos = record
                .duration
                .map(|took| u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
            self.count += 1;
            let at = record.unix_nanos.saturating_add(place);
            self.waiting.push(Reverse((at, self.count, (nanos, record.client))));
        }
    }
}

impl<I: Iterator<Item = Record>> Iterator for Replay<I> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.fill();
        let Reverse((at, _, (nanos, client))) = self.waiting.pop()?;
        let first = *self.first.get_or_insert(at);
        let since = at.saturating_sub(first) as f64 / self.options.speedup.max(1e-9);
        let work = match (&self.options.service, nanos) {
            (Some(service), _) => service.draw(&mut self.work),
            (None, Some(nanos)) => Duration::from_nanos(nanos),
            (None, None) => self.options.unknown.draw(&mut self.work),
        };
        Some(Request {
            at: Time::from_nanos(since as u64),
            work,
            hash: client,
            entropy: self.entropy.next_u64(),
        })
    }
}

/// Lines that are put in order at a time.
const WINDOW: usize = 65_536;
