//! Whom a picker picks, and what it says when there is nobody.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod pool;

use lb_balance::{BuildError, Hint, PickError, Picker, Pool, Ticket, Tried, Why};
use lb_sched::Algorithm;
use lb_types::{BackendId, Slot, Time};
use pool::{all_up, backends, counts, id, names, pool, pool_of, standing};
use std::sync::Arc;

fn pick(picker: &mut Picker, hint: Hint) -> Result<Ticket, PickError> {
    picker.pick(hint, &Tried::new(), Time::ZERO)
}

fn tried(slots: &[u32]) -> Tried {
    let mut tried = Tried::new();
    slots.iter().for_each(|slot| tried.add(Slot(*slot)));
    tried
}

#[test]
fn new_clients_are_spread_by_the_algorithm() {
    let pool = pool(Algorithm::WeightedRoundRobin, &[60, 30, 20, 10]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    assert_eq!(names(&mut picker, Hint::Any, 12), "abacabdaacba");
    assert_eq!(pick(&mut picker, Hint::Any).unwrap().why(), Why::Scheduled);
    assert_eq!(
        names(&mut picker, Hint::Hash(7), 3),
        "bac",
        "an algorithm that takes turns takes no notice"
    );
}

#[test]
fn s_sched_14_persistence_wins_and_leaves_the_round_alone() {
    for algorithm in Algorithm::ALL {
        let pool = pool(algorithm, &[1, 1, 1]);
        let mut picker = Picker::new(Arc::clone(&pool), 1);
        for _ in 0..100 {
            let ticket = pick(&mut picker, Hint::Prefer(id('c'))).unwrap();
            assert_eq!((ticket.backend().name.as_str(), ticket.why()), ("c", Why::Persisted));
        }
    }
    let pool = pool(Algorithm::WeightedRoundRobin, &[1, 1, 1]);
    let mut picker = Picker::new(pool, 1);
    assert_eq!(names(&mut picker, Hint::Any, 2), "ab");
    assert_eq!(names(&mut picker, Hint::Prefer(id('a')), 50), "a".repeat(50));
    assert_eq!(
        names(&mut picker, Hint::Any, 2),
        "ca",
        "the round goes on where it stood"
    );
}

#[test]
fn a_drained_backend_keeps_its_clients() {
    let pool = pool(Algorithm::RoundRobin, &[1, 1]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    pool.update(&[standing(0, 0, true), standing(1, 1, true)]).unwrap();
    assert_eq!(names(&mut picker, Hint::Any, 4), "bbbb");
    let ticket = pick(&mut picker, Hint::Prefer(id('a'))).unwrap();
    assert_eq!((ticket.slot(), ticket.why()), (Slot(0), Why::Persisted));
    assert_eq!(pool.up_count(), 2);
}

#[test]
fn s_persist_33_a_dead_or_removed_backend_is_replaced() {
    let pool = pool(Algorithm::RoundRobin, &[1, 1, 1]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    pool.update(&[standing(0, 1, false), standing(1, 1, true), standing(2, 1, true)])
        .unwrap();
    for hint in [id('a'), id('z'), BackendId::from_u64(0)] {
        let ticket = pick(&mut picker, Hint::Prefer(hint)).unwrap();
        assert_ne!(ticket.backend().name, "a");
        assert_eq!(ticket.why(), Why::Replaced);
    }
    assert_eq!(pool.up_count(), 2);
}

#[test]
fn a_full_backend_overflows_without_losing_its_client() {
    let pool = pool_of(backends(&[(1, Some(1)), (1, None)]), Algorithm::RoundRobin, Vec::new());
    let mut picker = Picker::new(pool, 1);
    let first = pick(&mut picker, Hint::Prefer(id('a'))).unwrap();
    let second = pick(&mut picker, Hint::Prefer(id('a'))).unwrap();
    assert_eq!((second.backend().name.as_str(), second.why()), ("b", Why::Overflow));
    drop(first);
    let third = pick(&mut picker, Hint::Prefer(id('a'))).unwrap();
    assert_eq!((third.backend().name.as_str(), third.why()), ("a", Why::Persisted));
}

#[test]
fn a_retry_goes_to_somebody_else() {
    for algorithm in Algorithm::ALL {
        let pool = pool(algorithm, &[5, 3, 1]);
        let mut picker = Picker::new(pool, 1);
        for hint in [Hint::Any, Hint::Prefer(id('a'))] {
            let mut tried = Tried::new();
            tried.add(Slot(0));
            for _ in 0..2 {
                let ticket = picker.pick(hint, &tried, Time::ZERO).unwrap();
                assert_eq!(ticket.why(), Why::Retried);
                assert!(!tried.contains(ticket.slot()));
                tried.add(ticket.slot());
            }
            assert_eq!(picker.pick(hint, &tried, Time::ZERO).unwrap_err(), PickError::AllTried);
        }
    }
}

#[test]
fn nobody_is_told_apart_from_nobody() {
    let pool = pool_of(
        backends(&[(1, Some(1)), (1, Some(1))]),
        Algorithm::RoundRobin,
        Vec::new(),
    );
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let one = pick(&mut picker, Hint::Any).unwrap();
    let two = pick(&mut picker, Hint::Any).unwrap();
    assert_eq!(pick(&mut picker, Hint::Any).unwrap_err(), PickError::AllBusy);
    assert_eq!(
        pick(&mut picker, Hint::Prefer(id('a'))).unwrap_err(),
        PickError::AllBusy
    );
    assert_eq!(
        picker.pick(Hint::Any, &tried(&[0]), Time::ZERO).unwrap_err(),
        PickError::AllBusy
    );
    assert_eq!(
        picker.pick(Hint::Any, &tried(&[0, 1]), Time::ZERO).unwrap_err(),
        PickError::AllTried
    );
    drop((one, two));
    pool.update(&[standing(0, 1, false), standing(1, 0, true)]).unwrap();
    assert_eq!(pick(&mut picker, Hint::Any).unwrap_err(), PickError::NoBackend);
    assert_eq!(
        picker.pick(Hint::Any, &tried(&[1]), Time::ZERO).unwrap_err(),
        PickError::NoBackend
    );
    assert!(
        pick(&mut picker, Hint::Prefer(id('b'))).is_ok(),
        "its own clients still arrive"
    );
    pool.update(&[]).unwrap();
    assert_eq!(
        pick(&mut picker, Hint::Prefer(id('b'))).unwrap_err(),
        PickError::NoBackend
    );
    assert_eq!(counts(&pool), [0, 0]);
}

#[test]
fn s_sched_11_weights_change_at_run_time_from_the_next_pick_on() {
    let pool = pool(Algorithm::WeightedRoundRobin, &[1, 1]);
    let mut pickers = [Picker::new(Arc::clone(&pool), 1), Picker::new(Arc::clone(&pool), 2)];
    let held = pick(&mut pickers[0], Hint::Prefer(id('b'))).unwrap();
    assert_eq!(names(&mut pickers[1], Hint::Any, 2), "ab");
    pool.update(&[standing(0, 1, true), standing(1, 3, true)]).unwrap();
    for picker in &mut pickers {
        let share = names(picker, Hint::Any, 400).matches('b').count();
        assert_eq!(share, 300);
    }
    pool.update(&[standing(0, 1, true), standing(1, 0, true)]).unwrap();
    assert_eq!(names(&mut pickers[0], Hint::Any, 3), "aaa");
    assert_eq!(counts(&pool), [0, 1], "the request under way is not touched");
    drop(held);
}

#[test]
fn down_backends_do_not_skew_the_others() {
    let pool = pool(Algorithm::WeightedRoundRobin, &[6, 3, 2, 1]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    pool.update(&[
        standing(0, 6, false),
        standing(1, 3, true),
        standing(2, 2, true),
        standing(3, 1, true),
    ])
    .unwrap();
    let names = names(&mut picker, Hint::Any, 60);
    assert_eq!(
        ["a", "b", "c", "d"].map(|name| names.matches(name).count()),
        [0, 30, 20, 10]
    );
}

#[test]
fn the_order_of_standings_does_not_matter() {
    let backends = backends(&[(1, None), (1, None), (1, None)]);
    let mut standings = all_up(&backends);
    standings.reverse();
    let pool = Pool::new("web", backends, Vec::new(), Algorithm::RoundRobin, &standings, None).unwrap();
    assert_eq!(pool.standings(), standings);
    assert_eq!(names(&mut Picker::new(Arc::new(pool), 1), Hint::Any, 3), "abc");
}

#[test]
fn a_reload_keeps_counts_and_the_round() {
    let old = pool(Algorithm::RoundRobin, &[1, 1, 1]);
    let mut old_picker = Picker::new(Arc::clone(&old), 1);
    let held = pick(&mut old_picker, Hint::Any).unwrap();
    // b stays (now with a limit), a is gone, d is new
    let kept = lb_balance::Backend::new("web", "b", old.backends()[1].address, old.backends()[1].weight, Some(1));
    let kept = kept.with_load(Arc::clone(old.backends()[1].load()));
    let mut list = vec![Arc::clone(&old.backends()[2]), Arc::new(kept)];
    list.extend(backends(&[(1, None); 4]).pop());
    let standings = all_up(&list);
    let new = Pool::new("web", list, Vec::new(), Algorithm::RoundRobin, &standings, Some(&old)).unwrap();
    let new = Arc::new(new);
    let mut new_picker = Picker::new(Arc::clone(&new), 1);
    assert_eq!(
        names(&mut new_picker, Hint::Any, 3),
        "bdc",
        "step 1 of the round, not step 0"
    );
    let on_b = pick(&mut old_picker, Hint::Prefer(id('b'))).unwrap();
    assert_eq!(
        pick(&mut new_picker, Hint::Prefer(id('b'))).unwrap().why(),
        Why::Overflow,
        "one count, old and new"
    );
    assert_eq!(new.find(id('d')), Some(Slot(2)));
    assert_eq!(new.find(id('a')), None);
    drop((on_b, held));
    assert_eq!((counts(&old), counts(&new)), (vec![0; 3], vec![0; 3]));
}

#[test]
fn mistakes_in_the_parts_of_a_pool_are_named() {
    let build = |backends: &[_], standings: &[_]| {
        Pool::new(
            "web",
            backends.to_vec(),
            Vec::new(),
            Algorithm::default(),
            standings,
            None,
        )
        .unwrap_err()
    };
    let two = backends(&[(1, None), (1, None)]);
    let error = build(&two, &[standing(2, 1, true)]);
    assert_eq!(
        error,
        BuildError::NoSuchSlot {
            slot: Slot(2),
            backends: 2
        }
    );
    assert_eq!(
        error.to_string(),
        "a standing names slot 2, but the pool has 2 backends"
    );
    let error = build(&two, &[standing(1, 1, true), standing(1, 0, false)]);
    assert_eq!(error.to_string(), "backend \"b\" (slot 1) has two standings");
    let twice = [Arc::clone(&two[0]), Arc::clone(&two[1]), Arc::clone(&two[0])];
    assert_eq!(
        build(&twice, &[]).to_string(),
        "backends \"a\" and \"a\" have the same id"
    );

    let pool = pool(Algorithm::RoundRobin, &[1, 1]);
    let before = pool.standings();
    assert!(pool.update(&[standing(7, 1, true)]).is_err());
    assert_eq!(pool.standings(), before, "a bad update changes nothing");
}

#[test]
fn why_reads_well_in_a_log() {
    let all = [
        Why::Scheduled,
        Why::Persisted,
        Why::Replaced,
        Why::Overflow,
        Why::Retried,
        Why::Bound,
    ];
    let words = all.map(|why| why.to_string());
    let all = ["scheduled", "persisted", "replaced", "overflow", "retried", "bound"];
    assert_eq!(words, all);
}
