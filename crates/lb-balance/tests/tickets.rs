//! Every count comes back, whatever ends a request, on real threads.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod pool;

use lb_balance::{Hint, Outcome, PickError, Picker, Pool, Spread, Tried};
use lb_sched::Algorithm;
use lb_types::{Rng, Slot, Time};
use pool::{all_up, backends, counts, pool, pool_of, standing};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const WORKERS: u64 = 4;

#[test]
fn s_sched_07_any_mix_of_ends_gives_every_count_back() {
    for algorithm in Algorithm::ALL {
        let pool = pool_of(
            backends(&[(3, Some(5)), (2, None), (1, Some(2))]),
            algorithm,
            Vec::new(),
        );
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                let mut picker = Picker::new(Arc::clone(&pool), worker);
                scope.spawn(move || {
                    let mut rng = Rng::new(worker);
                    let mut held = Vec::new();
                    for step in 0..5_000 {
                        let mut tried = Tried::new();
                        if rng.below(4) == 0 {
                            tried.add(Slot(rng.below(3) as u32));
                        }
                        let Ok(ticket) = picker.pick(Hint::Any, &tried, Time::ZERO) else {
                            held.clear();
                            continue;
                        };
                        let now = Time::from_nanos(step);
                        match rng.below(6) {
                            0 => ticket.finish(Outcome::Success, now),
                            1 => ticket.finish(Outcome::Failure, now),
                            2 => ticket.finish(Outcome::Neutral, now),
                            3 => drop(ticket),
                            4 => held.push(ticket),
                            _ => {
                                let panic = catch_unwind(AssertUnwindSafe(|| {
                                    let _ticket = ticket;
                                    // without the message that `panic!` prints
                                    std::panic::resume_unwind(Box::new("a request dies"));
                                }));
                                assert!(panic.is_err());
                            }
                        }
                        if rng.below(50) == 0 {
                            held.clear();
                        }
                    }
                });
            }
            // meanwhile weights and states change, as a control thread does
            let mut rng = Rng::new(99);
            for _ in 0..200 {
                let weight = rng.below(4) as u16;
                let up = rng.below(3) > 0;
                pool.update(&[standing(0, weight, up), standing(1, 1, true), standing(2, 1, !up)])
                    .unwrap();
            }
        });
        assert_eq!(counts(&pool), [0, 0, 0], "{algorithm}");
    }
}

#[test]
fn s_sched_07_counts_come_back_over_a_reload() {
    let old = pool(Algorithm::WeightedLeastConn, &[1, 1]);
    let mut picker = Picker::new(Arc::clone(&old), 1);
    let tickets: Vec<_> = (0..10)
        .map(|_| picker.pick(Hint::Any, &Tried::new(), Time::ZERO).unwrap())
        .collect();
    let backends = old.backends().to_vec();
    let standings = all_up(&backends);
    let algorithm = Algorithm::WeightedLeastConn;
    let new = lb_balance::Pool::new("web", backends, Vec::new(), algorithm, &standings, Some(&old)).unwrap();
    drop(picker);
    drop(old);
    assert_eq!(counts(&new), [5, 5]);
    drop(tickets);
    assert_eq!(counts(&new), [0, 0]);
}

#[test]
fn outcomes_count_failures_in_a_row() {
    let pool = pool(Algorithm::RoundRobin, &[1]);
    let load = pool.backends()[0].load();
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let mut end = |outcome| {
        picker
            .pick(Hint::Any, &Tried::new(), Time::ZERO)
            .unwrap()
            .finish(outcome, Time::from_nanos(9))
    };
    end(Outcome::Failure);
    end(Outcome::Failure);
    assert_eq!((load.failures(), load.last_failure()), (2, Some(Time::from_nanos(9))));
    end(Outcome::Neutral);
    assert_eq!(load.failures(), 2, "an abort by the client says nothing");
    end(Outcome::Success);
    assert_eq!(load.failures(), 0);
    end(Outcome::Failure);
    drop(picker.pick(Hint::Any, &Tried::new(), Time::ZERO).unwrap());
    assert_eq!(load.failures(), 1, "a dropped ticket says nothing");
}

#[test]
fn workers_share_limits_and_find_every_place() {
    // Four workers hold at most one request each; there are exactly four places.
    for algorithm in Algorithm::ALL {
        let pool = pool_of(
            backends(&[(1, Some(2)), (1, Some(1)), (1, Some(1))]),
            algorithm,
            Vec::new(),
        );
        let busy = AtomicU64::new(0);
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                let mut picker = Picker::new(Arc::clone(&pool), worker);
                let busy = &busy;
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        match picker.pick(Hint::Any, &Tried::new(), Time::ZERO) {
                            Ok(ticket) => drop(ticket),
                            // places moved behind the picker's back: seen in the order full, full, full
                            Err(PickError::AllBusy) => drop(busy.fetch_add(1, Ordering::Relaxed)),
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
        });
        assert_eq!(counts(&pool), [0, 0, 0], "{algorithm}");
        // no place is ever lost, so a miss needs a race: rare, and never the rule
        assert!(busy.into_inner() < WORKERS * 10_000 / 10, "{algorithm}");
    }
}

#[test]
fn shares_are_exact_over_all_workers_and_their_pickers() {
    let pool = pool(Algorithm::WeightedRoundRobin, &[60, 30, 20, 10]);
    let tickets: Vec<_> = thread::scope(|scope| {
        let work = |worker| {
            let mut picker = Picker::new(Arc::clone(&pool), worker);
            move || {
                (0..3_000)
                    .map(|_| picker.pick(Hint::Any, &Tried::new(), Time::ZERO).unwrap())
                    .collect::<Vec<_>>()
            }
        };
        let handles: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(work(worker))).collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(counts(&pool), [6_000, 3_000, 2_000, 1_000]);
    drop(tickets);
    assert_eq!(counts(&pool), [0; 4]);
}

fn observing(latency: bool, outcomes: bool) -> (Arc<Pool>, Picker) {
    let mut spread = Spread::from(Algorithm::RoundRobin);
    (spread.observe.latency, spread.observe.outcomes) = (latency, outcomes);
    let list = backends(&[(1, None)]);
    let up = [standing(0, 1, true)];
    let pool = Arc::new(Pool::new("web", list, Vec::new(), spread, &up, None).unwrap());
    (Arc::clone(&pool), Picker::new(pool, 1))
}

fn at(millis: u64) -> Time {
    Time::ZERO.after(Duration::from_millis(millis))
}

fn begin(picker: &mut Picker, millis: u64) -> lb_balance::Ticket {
    picker.pick(Hint::Any, &Tried::new(), at(millis)).unwrap()
}

#[test]
fn a_latency_is_what_passed_from_the_pick_to_the_answer_and_counts_once() {
    let (pool, mut picker) = observing(true, false);
    let load = pool.backends()[0].load();
    let mut ticket = begin(&mut picker, 1_000);
    assert_eq!(load.latency(at(1_000)), None);
    ticket.answered(at(1_040));
    assert_eq!(load.latency(at(1_040)), Some(Duration::from_millis(40)));
    // a long download behind a quick answer is no latency
    ticket.answered(at(1_900));
    ticket.finish(Outcome::Success, at(2_000));
    assert!(load.latency(at(2_000)).unwrap() <= Duration::from_millis(40));
}

#[test]
fn a_failure_is_never_fast_and_an_early_end_counts_if_it_waited_longer_than_usual() {
    let (pool, mut picker) = observing(true, false);
    let load = pool.backends()[0].load();
    begin(&mut picker, 0).finish(Outcome::Neutral, at(5));
    assert_eq!(load.latency(at(5)), None, "a client that left says nothing");
    begin(&mut picker, 10).finish(Outcome::Success, at(20));
    assert_eq!(
        load.latency(at(20)),
        Some(Duration::from_millis(10)),
        "nobody said when it answered"
    );
    begin(&mut picker, 20).finish(Outcome::Neutral, at(25));
    assert!(load.latency(at(25)).unwrap() <= Duration::from_millis(10));
    begin(&mut picker, 30).finish(Outcome::Neutral, at(430));
    assert_eq!(
        load.latency(at(430)),
        Some(Duration::from_millis(400)),
        "it waited in vain"
    );
    begin(&mut picker, 430).finish(Outcome::Failure, at(431));
    assert_eq!(
        load.latency(at(431)),
        Some(Duration::from_secs(1)),
        "refused in a millisecond"
    );
    begin(&mut picker, 431).finish(Outcome::Failure, at(5_431));
    assert_eq!(load.latency(at(5_431)), Some(Duration::from_secs(5)), "timed out");
}

#[test]
fn outcomes_are_tallied_and_latencies_observed_only_where_the_pool_asks() {
    let (pool, mut picker) = observing(false, true);
    let load = pool.backends()[0].load();
    for outcome in [Outcome::Success, Outcome::Success, Outcome::Failure, Outcome::Neutral] {
        begin(&mut picker, 0).finish(outcome, at(7));
    }
    drop(begin(&mut picker, 0));
    assert_eq!(load.latency(at(7)), None);
    let tally = load.take_tally();
    assert_eq!((tally.ok, tally.failed), (2, 1));
    let (pool, mut picker) = observing(false, false);
    let mut ticket = begin(&mut picker, 0);
    ticket.answered(at(7));
    ticket.finish(Outcome::Success, at(9));
    let load = pool.backends()[0].load();
    assert_eq!(
        (load.latency(at(9)), load.take_tally()),
        (None, lb_sched::Tally::default())
    );
}

#[test]
fn an_algorithm_that_follows_latency_has_it_observed_without_being_asked() {
    let list = backends(&[(1, None)]);
    let mut spread = Spread::from(Algorithm::PeakEwma);
    spread.latency_decay = Duration::from_secs(1);
    let pool = Arc::new(Pool::new("web", list, Vec::new(), spread, &[standing(0, 1, true)], None).unwrap());
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let mut ticket = begin(&mut picker, 0);
    ticket.answered(at(100));
    let load = pool.backends()[0].load();
    assert_eq!(load.latency(at(100)), Some(Duration::from_millis(100)));
    // after one decay 1/e is left: 36.8 ms
    let faded = load.latency(at(1_100)).unwrap();
    assert!(
        faded > Duration::from_millis(36) && faded < Duration::from_millis(37),
        "{faded:?}"
    );
}
