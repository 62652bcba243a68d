//! Picks from a busy pool, for measuring schedulers.

#![allow(clippy::disallowed_methods, reason = "it measures time")]

use lb_sched::{Ask, BuildError, Cursor, Limit, Load, Member, Recipe, Scheduler, Usable};
use lb_types::{BackendId, Rng, Slot, Time, Weight};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// The sizes of pools that are measured.
pub const SIZES: [u32; 4] = [3, 64, 1_000, 10_000];

/// A scheduler and the pool it picks from: weights of 1 to 10, and some requests in flight everywhere.
#[derive(Debug)]
pub struct Picks {
    scheduler: Box<dyn Scheduler>,
    cursor: Cursor,
    usable: Usable,
    loads: Vec<Arc<Load>>,
    limits: Vec<Limit>,
}

impl Picks {
    /// So many backends; the same ones each time.
    ///
    /// # Errors
    /// When the scheduler cannot be built.
    pub fn new(recipe: impl Into<Recipe>, backends: u32) -> Result<Self, BuildError> {
        let members = members(backends);
        let mut rng = Rng::new(u64::from(backends));
        let loads: Vec<Arc<Load>> = members.iter().map(|_| Arc::default()).collect();
        for (load, member) in loads.iter().zip(&members) {
            // two requests per unit of weight, and up to two more
            let begun = u64::from(member.weight.get()) * 2 + rng.below(u64::from(member.weight.get()) * 2);
            for _ in 0..begun {
                load.try_begin(Limit::NONE);
            }
        }
        Ok(Self {
            scheduler: recipe.into().build(&members)?,
            cursor: Cursor::new(),
            usable: Usable::all(members.len()),
            limits: vec![Limit::new(10_000); members.len()],
            loads,
        })
    }

    /// The same pool for another scheduler.
    #[must_use]
    pub fn with(mut self, scheduler: impl Scheduler + 'static) -> Self {
        self.scheduler = Box::new(scheduler);
        self
    }

    /// The same pool without a request in flight: everybody is as good as everybody else.
    #[must_use]
    pub fn idle(mut self) -> Self {
        self.loads = self.loads.iter().map(|_| Arc::default()).collect();
        self
    }

    /// One pick. The request is not begun, so the loads stay as they are.
    ///
    /// # Panics
    /// When nobody is picked.
    pub fn pick(&self, rng: &mut Rng) -> Slot {
        let (hash, entropy) = (rng.next_u64(), rng.next_u64());
        self.pick_for(hash, entropy)
    }

    /// One pick for a hash of the caller's.
    ///
    /// # Panics
    /// When nobody is picked.
    pub fn pick_for(&self, hash: u64, entropy: u64) -> Slot {
        let slot = self.scheduler.pick(&Ask {
            hash: Some(hash),
            entropy,
            cursor: &self.cursor,
            usable: &self.usable,
            loads: black_box(&self.loads),
            limits: &self.limits,
            now: Time::ZERO,
        });
        assert!(slot.is_some(), "nobody was picked");
        slot.unwrap_or(Slot(0))
    }

    /// One pick, and its request begun and ended.
    ///
    /// # Panics
    /// When nobody is picked or the request is not begun.
    pub fn request(&self, rng: &mut Rng) -> &Load {
        let index = self.pick(rng).index();
        let load = &self.loads[index];
        assert!(load.try_begin(self.limits[index]), "the backend is full");
        load.finish();
        load
    }
}

/// The least that anybody who chooses among so many backends does, without weights, states, limits or ties. Picks are
/// measured beside it, so that a slow machine or a cache that others fill makes both slower.
#[derive(Debug)]
pub struct Plain {
    table: Vec<u32>,
    loads: Vec<Arc<Load>>,
    counter: AtomicU64,
}

impl Plain {
    /// A table of a hundred entries for each of so many backends, and their loads.
    #[must_use]
    pub fn new(backends: u32) -> Self {
        let mut rng = Rng::new(3);
        Self {
            table: (0..backends * 100)
                .map(|_| rng.below(u64::from(backends)) as u32)
                .collect(),
            loads: (0..backends).map(|_| Arc::default()).collect(),
            counter: AtomicU64::new(0),
        }
    }

    /// Finds a backend by a hash and reads its load.
    pub fn find(&self, rng: &mut Rng) {
        let entry = rng.next_u64() % self.table.len() as u64;
        black_box(rng.next_u64());
        black_box(self.loads[self.table[entry as usize] as usize].in_flight());
    }

    /// As [`Plain::find`], and takes the next number of a counter that threads share.
    pub fn find_and_count(&self, rng: &mut Rng) {
        black_box(self.counter.fetch_add(1, Ordering::Relaxed));
        self.find(rng);
    }

    /// Reads everybody's load and keeps the lowest.
    pub fn lowest(&self) {
        black_box(black_box(&self.loads).iter().map(|load| load.in_flight()).min());
    }
}

/// Backends of a pool: 1 to 10 in weight, the same ones each time.
#[must_use]
pub fn members(backends: u32) -> Vec<Member> {
    let mut rng = Rng::new(7);
    let member = |slot: u32| Member {
        slot: Slot(slot),
        id: BackendId::of("bench", &slot.to_string()),
        weight: Weight::new(1 + rng.below(10) as u16).unwrap_or(Weight::ONE),
    };
    (0..backends).map(member).collect()
}

/// How long an operation takes each of `threads` threads that do it `each` times on the same thing, the slowest of
/// them; and which part of that time all of them were at it. On a busy machine they may have gone one after the other.
///
/// # Panics
/// When the operation does.
pub fn together(threads: usize, each: u32, operation: impl Fn(&mut Rng) + Sync) -> (Duration, f64) {
    let barrier = Barrier::new(threads);
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let run = |seed| {
            let (barrier, operation) = (&barrier, &operation);
            scope.spawn(move || {
                let mut rng = Rng::new(seed);
                barrier.wait();
                let began = Instant::now();
                for _ in 0..each {
                    operation(&mut rng);
                }
                (began, Instant::now())
            })
        };
        let running: Vec<_> = (0..threads as u64).map(run).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    assert_eq!(spans.len(), threads, "an operation panicked");
    let slowest = spans.iter().map(|(began, ended)| *ended - *began).max();
    let all_began = spans.iter().map(|span| span.0).max();
    let first_ended = spans.iter().map(|span| span.1).min();
    let common = first_ended
        .zip(all_began)
        .map(|(end, begin)| end.saturating_duration_since(begin));
    let slowest = slowest.unwrap_or_default();
    (
        slowest / each,
        common.unwrap_or_default().as_secs_f64() / slowest.as_secs_f64(),
    )
}

/// What an operation takes when the machine does nothing else: the fastest of `rounds` rounds of `each`.
pub fn fastest(rounds: u32, each: u32, mut operation: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let began = Instant::now();
        for _ in 0..each {
            operation();
        }
        best = best.min(began.elapsed());
    }
    best / each
}
