//! The laws with real threads: what single-threaded tests cannot see.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::{Algorithm, Limit, Recipe};
use lb_types::{Rng, Slot, Time};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;
use table::{Table, recipes};

/// Every recipe, as one table and as tiers that end at `first` and `second`.
fn tables(weights: &[u16], first: usize, second: usize) -> Vec<(Recipe, Table)> {
    let both = |recipe| {
        [
            (recipe, Table::new(recipe, weights)),
            (recipe, Table::tiered(recipe, weights, first, second)),
        ]
    };
    recipes().into_iter().flat_map(both).collect()
}

const WORKERS: usize = 4;

#[test]
fn s_sched_02_shares_are_exact_over_all_workers() {
    for (algorithm, weights, want) in [
        (Algorithm::RoundRobin, [60, 30, 20, 10], [3_000; 4]),
        (
            Algorithm::WeightedRoundRobin,
            [60, 30, 20, 10],
            [6_000, 3_000, 2_000, 1_000],
        ),
    ] {
        let table = Table::new(algorithm, &weights);
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| table.begin(12_000 / WORKERS));
            }
        });
        assert_eq!(table.counts(), want, "{algorithm}");
    }
}

#[test]
fn s_sched_02_shares_are_exact_in_each_tier_whatever_the_others_get() {
    // The first tier is full all the time, so the second has to share exactly; and it takes no turns.
    let weights = [1, 1, 1, 6, 3, 2, 1];
    let mut table = Table::tiered(Algorithm::WeightedRoundRobin, &weights, 3, 7);
    (0..3).for_each(|slot| table.limits[slot] = Limit::new(0));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| table.begin(12_000 / WORKERS));
        }
    });
    assert_eq!(table.counts(), [0, 0, 0, 6_000, 3_000, 2_000, 1_000]);
}

#[test]
fn a_bound_holds_within_the_number_of_workers() {
    for algorithm in Algorithm::ALL.into_iter().filter(|a| a.uses_hash()) {
        let bound = lb_sched::BoundedLoad::percent(125).unwrap();
        let table = Table::new(Recipe::new(algorithm).with_bounded_load(bound), &[1; 8]);
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        // one key for all
                        let slot = table.place(7);
                        assert!(table.loads[slot.index()].try_begin(Limit::NONE));
                    }
                });
            }
        });
        // 8,000 / 8 * 1.25
        let most = *table.counts().iter().max().unwrap();
        assert!(most <= 1_250 + WORKERS as u32, "{algorithm}: {:?}", table.counts());
    }
}

#[test]
fn a_pick_is_made_while_other_threads_change_the_loads() {
    // Slot 3 always has room; the others are filled and emptied all the time.
    for (recipe, mut table) in tables(&[5, 3, 2, 1], 2, 3) {
        table.limits = vec![Limit::new(1), Limit::new(2), Limit::new(1), Limit::NONE];
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let (table, stop) = (&table, &stop);
            for worker in 0..WORKERS {
                scope.spawn(move || {
                    let slot = worker % 3;
                    while !stop.load(Ordering::Relaxed) {
                        if table.loads[slot].try_begin(table.limits[slot]) {
                            table.loads[slot].observe(Duration::from_millis(5), Time::ZERO);
                            table.loads[slot].finish();
                        }
                    }
                });
            }
            let mut rng = Rng::new(1);
            for step in 0..30_000 {
                let slot = table.scheduler.pick(&table.ask(rng.next_u64()));
                if slot.is_none() {
                    stop.store(true, Ordering::Relaxed);
                }
                assert!(slot.is_some(), "{recipe:?}, pick {step}");
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn a_limit_holds_and_no_place_is_lost() {
    const LIMIT: u32 = 3;
    for (recipe, mut table) in tables(&[2, 1], 1, 2) {
        table.limits = vec![Limit::new(LIMIT); 2];
        let inside = [AtomicU32::new(0), AtomicU32::new(0)];
        thread::scope(|scope| {
            let (table, inside) = (&table, &inside);
            // six places for four workers: everybody always finds one
            for worker in 0..WORKERS {
                scope.spawn(move || {
                    let mut rng = Rng::new(worker as u64);
                    for _ in 0..5_000 {
                        let slot = loop {
                            if let Some(slot) = table.scheduler.pick(&table.ask(rng.next_u64()))
                                && table.loads[slot.index()].try_begin(table.limits[slot.index()])
                            {
                                break slot;
                            }
                        };
                        let now = inside[slot.index()].fetch_add(1, Ordering::SeqCst) + 1;
                        assert!(now <= LIMIT, "{now} requests in slot {}", slot.0);
                        inside[slot.index()].fetch_sub(1, Ordering::SeqCst);
                        table.loads[slot.index()].finish();
                    }
                });
            }
        });
        assert_eq!(table.counts(), [0, 0], "{recipe:?}");
    }
}

#[test]
fn s_sched_05_least_conn_spreads_within_the_number_of_workers() {
    let table = Table::new(Algorithm::WeightedLeastConn, &[1; 8]);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| table.begin(2_000));
        }
    });
    let counts = table.counts();
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(most - least <= WORKERS as u32, "{counts:?}");
}

#[test]
fn a_refusal_means_that_the_count_stood_at_the_limit() {
    // One place more than workers: a refused begin would be a count that was too high for a moment.
    let table = Table::new(Algorithm::RoundRobin, &[1]);
    let limit = Limit::new(WORKERS as u32);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                for _ in 0..50_000 {
                    assert!(table.loads[0].try_begin(limit));
                    table.loads[0].finish();
                }
            });
        }
    });
    assert_eq!(table.counts(), [0]);
}

#[test]
fn no_outcome_is_lost_or_counted_twice() {
    let table = Table::new(Algorithm::RoundRobin, &[1]);
    let load = &table.loads[0];
    let (ok, failed) = (AtomicU32::new(0), AtomicU32::new(0));
    let take = || {
        let tally = load.take_tally();
        ok.fetch_add(tally.ok, Ordering::Relaxed);
        failed.fetch_add(tally.failed, Ordering::Relaxed);
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| (0..30_000).for_each(|n| load.tally(n % 3 != 0)));
        }
        scope.spawn(|| (0..1_000).for_each(|_| take()));
    });
    take();
    assert_eq!((ok.into_inner(), failed.into_inner()), (80_000, 40_000));
}

#[test]
fn a_peak_survives_whatever_the_others_observe() {
    for round in 0..200 {
        let table = Table::new(Algorithm::PeakEwma, &[1]);
        let (load, now) = (&table.loads[0], Time::from_nanos(1_000));
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                scope.spawn(move || {
                    let millis = if worker == round % WORKERS { 900 } else { 5 };
                    load.observe(Duration::from_millis(millis), now);
                });
            }
        });
        assert_eq!(load.latency(now), Some(Duration::from_millis(900)));
    }
}

#[test]
fn failures_in_a_row_are_counted_over_all_workers() {
    let table = Table::new(Algorithm::RoundRobin, &[1]);
    let load = &table.loads[Slot(0).index()];
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| (0..1_000).for_each(|nanos| load.failed(Time::from_nanos(nanos))));
        }
    });
    assert_eq!(load.failures(), 4_000);
    load.succeeded();
    assert_eq!(load.failures(), 0);
}
