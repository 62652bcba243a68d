//! The laws with real threads: what single-threaded tests cannot see.

mod table;

use lb_sched::{Algorithm, Limit};
use lb_types::{Rng, Slot, Time};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use table::Table;

const WORKERS: usize = 4;

#[test]
fn shares_are_exact_over_all_workers() {
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
fn a_pick_is_made_while_other_threads_change_the_loads() {
    // Slot 3 always has room; the others are filled and emptied all the time.
    for algorithm in Algorithm::ALL {
        let mut table = Table::new(algorithm, &[5, 3, 2, 1]);
        table.limits = vec![Limit::new(1), Limit::new(2), Limit::new(1), Limit::NONE];
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let (table, stop) = (&table, &stop);
            for worker in 0..WORKERS {
                scope.spawn(move || {
                    let slot = worker % 3;
                    while !stop.load(Ordering::Relaxed) {
                        if table.loads[slot].try_begin(table.limits[slot]) {
                            table.loads[slot].finish();
                        }
                    }
                });
            }
            let mut rng = Rng::new(1);
            for step in 0..100_000 {
                let slot = table.scheduler.pick(&table.ask(rng.next_u64()));
                if slot.is_none() {
                    stop.store(true, Ordering::Relaxed);
                }
                assert!(slot.is_some(), "{algorithm}, pick {step}");
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn a_limit_holds_and_no_place_is_lost() {
    const LIMIT: u32 = 3;
    for algorithm in Algorithm::ALL {
        let mut table = Table::new(algorithm, &[2, 1]);
        table.limits = vec![Limit::new(LIMIT); 2];
        let inside = [AtomicU32::new(0), AtomicU32::new(0)];
        thread::scope(|scope| {
            let (table, inside) = (&table, &inside);
            // six places for four workers: everybody always finds one
            for worker in 0..WORKERS {
                scope.spawn(move || {
                    let mut rng = Rng::new(worker as u64);
                    for _ in 0..20_000 {
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
        assert_eq!(table.counts(), [0, 0], "{algorithm}");
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
