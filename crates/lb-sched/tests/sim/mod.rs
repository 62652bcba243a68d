//! Backends that serve one request after the other, on a virtual clock.
#![allow(clippy::unwrap_used)] // a helper of tests

use crate::table::Table;
use lb_sched::{Ask, Limit, Recipe};
use lb_types::{Rng, Slot, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Arrivals at random moments (Poisson) to backends whose service times are exponential.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// Mean service time of each backend.
    pub(crate) means: &'a [Duration],
    /// Of what all backends together can do, so much is asked for.
    pub(crate) utilisation: f64,
    pub(crate) requests: usize,
    pub(crate) seed: u64,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    /// From arrival to answer, ascending.
    latencies: Vec<u64>,
    /// Most requests that one backend had at once, the one in service included.
    pub(crate) worst_queue: u32,
    /// Requests by slot.
    pub(crate) shares: Vec<usize>,
}

impl Scene<'_> {
    pub(crate) fn run(&self, recipe: impl Into<Recipe>) -> Outcome {
        let table = Table::new(recipe, &vec![1; self.means.len()]);
        let mut rng = Rng::new(self.seed);
        let per_second: f64 = self.means.iter().map(|mean| 1.0 / mean.as_secs_f64()).sum();
        let between = Duration::from_secs_f64(1.0 / (per_second * self.utilisation));
        let mut free_at = vec![0_u64; self.means.len()];
        let mut under_way: BinaryHeap<Reverse<(u64, u64, Slot)>> = BinaryHeap::new();
        let mut outcome = Outcome {
            latencies: Vec::with_capacity(self.requests),
            worst_queue: 0,
            shares: vec![0; self.means.len()],
        };
        let mut now = 0;
        for _ in 0..self.requests {
            now += exponential(between, &mut rng);
            while let Some(Reverse((end, begun, slot))) = under_way.peek().copied()
                && end <= now
            {
                under_way.pop();
                table.loads[slot.index()].observe(Duration::from_nanos(end - begun), Time::from_nanos(end));
                table.loads[slot.index()].finish();
            }
            let ask = Ask {
                now: Time::from_nanos(now),
                ..table.ask(rng.next_u64())
            };
            let slot = table.scheduler.pick(&ask).unwrap();
            assert!(table.loads[slot.index()].try_begin(Limit::NONE));
            let free = &mut free_at[slot.index()];
            *free = now.max(*free) + exponential(self.means[slot.index()], &mut rng);
            under_way.push(Reverse((*free, now, slot)));
            outcome.latencies.push(*free - now);
            outcome.worst_queue = outcome.worst_queue.max(table.loads[slot.index()].in_flight());
            outcome.shares[slot.index()] += 1;
        }
        outcome.latencies.sort_unstable();
        outcome
    }
}

impl Outcome {
    /// `percent` of a hundred requests took at most this long.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        Duration::from_nanos(self.latencies[self.latencies.len() * percent / 100])
    }
}

fn exponential(mean: Duration, rng: &mut Rng) -> u64 {
    // 53 bits, above 0 and at most 1
    let chance = ((rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    (mean.as_nanos() as f64 * -chance.ln()) as u64
}
