//! Backends that refuse connections are passed over, and tried again one request at a time.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod pool;

use lb_balance::{Hint, Outcome, PickError, Picker, Refusal, Tried, Why};
use lb_sched::Algorithm;
use lb_types::{BackendId, Slot, Time};
use pool::{POOL, backends, pool, pool_of};
use std::sync::Arc;
use std::time::Duration;

fn at(millis: u64) -> Time {
    Time::ZERO.after(Duration::from_millis(millis))
}

fn name(picker: &mut Picker, hint: Hint, now: Time) -> (String, Why) {
    let ticket = picker.pick(hint, &Tried::new(), now).unwrap();
    let got = (ticket.backend().name.clone(), ticket.why());
    ticket.finish(Outcome::Neutral, now);
    got
}

fn names(picker: &mut Picker, count: usize, now: Time) -> String {
    (0..count).map(|_| name(picker, Hint::Any, now).0).collect()
}

#[test]
fn who_refused_is_passed_over_by_every_worker_until_one_tries_again() {
    for algorithm in Algorithm::ALL {
        let pool = pool(algorithm, &[1, 1, 1]);
        let mut workers = [1, 2].map(|seed| Picker::new(Arc::clone(&pool), seed));
        pool.refused(Slot(1), Refusal::Refused, at(0));
        for worker in &mut workers {
            assert!(!names(worker, 30, at(999)).contains('b'), "{algorithm}");
        }
        if !matches!(algorithm, Algorithm::RoundRobin | Algorithm::WeightedRoundRobin) {
            continue;
        }
        // the wait is over: one request goes there, and the others not before it is known how that went
        let all: String = workers.iter_mut().map(|worker| names(worker, 30, at(1_000))).collect();
        assert_eq!(all.matches('b').count(), 1, "{algorithm}: {all}");
        pool.refused(Slot(1), Refusal::Refused, at(1_001));
        assert!(!names(&mut workers[0], 30, at(2_000)).contains('b'));
        pool.connected(Slot(1));
        assert_eq!(names(&mut workers[1], 30, at(2_000)).matches('b').count(), 10);
    }
}

#[test]
fn when_all_refuse_they_are_tried_all_the_same() {
    let pool = pool(Algorithm::RoundRobin, &[1, 1]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let mut tried = Tried::new();
    for _ in 0..2 {
        let ticket = picker.pick(Hint::Any, &tried, at(0)).unwrap();
        tried.add(ticket.slot());
        pool.refused(ticket.slot(), Refusal::Refused, at(0));
    }
    assert_eq!(picker.pick(Hint::Any, &tried, at(1)).unwrap_err(), PickError::AllTried);
    assert_eq!(names(&mut picker, 4, at(2)).matches('a').count(), 2);
}

#[test]
fn a_known_client_goes_elsewhere_and_comes_back() {
    let pool = pool(Algorithm::RoundRobin, &[1, 1]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let home = Hint::Prefer(BackendId::of(POOL, "a"));
    assert_eq!(name(&mut picker, home, at(0)), ("a".to_owned(), Why::Persisted));
    pool.refused(Slot(0), Refusal::Unreachable, at(0));
    for _ in 0..3 {
        assert_eq!(name(&mut picker, home, at(500)), ("b".to_owned(), Why::Replaced));
    }
    // with nobody else left it stays at home
    pool.refused(Slot(1), Refusal::Refused, at(500));
    assert_eq!(name(&mut picker, home, at(600)), ("a".to_owned(), Why::Persisted));
    pool.connected(Slot(0));
    assert_eq!(name(&mut picker, home, at(700)), ("a".to_owned(), Why::Persisted));
}

#[test]
fn a_full_pool_is_busy_and_does_not_fall_back_to_who_refuses() {
    let pool = pool_of(backends(&[(1, Some(1)), (1, None)]), Algorithm::RoundRobin, Vec::new());
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    pool.refused(Slot(1), Refusal::Refused, at(0));
    let held = picker.pick(Hint::Any, &Tried::new(), at(1)).unwrap();
    assert_eq!(held.slot(), Slot(0));
    assert_eq!(
        picker.pick(Hint::Any, &Tried::new(), at(1)).unwrap_err(),
        PickError::AllBusy
    );
    drop(held);
}

#[test]
fn a_good_probe_ends_it_for_all() {
    let pool = pool(Algorithm::RoundRobin, &[1, 1]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    pool.refused(Slot(0), Refusal::Refused, at(0));
    assert_eq!(names(&mut picker, 4, at(1)), "bbbb");
    pool.backends()[0].contact().made();
    assert_eq!(names(&mut picker, 4, at(2)).matches('a').count(), 2);
}

#[test]
fn a_reload_keeps_what_was_found() {
    let old = pool(Algorithm::RoundRobin, &[1, 1]);
    old.refused(Slot(0), Refusal::Refused, at(0));
    let contact = Arc::clone(old.backends()[0].contact());
    let [a, b] = <[_; 2]>::try_from(backends(&[(1, None), (1, None)])).unwrap();
    let a = Arc::new(Arc::try_unwrap(a).unwrap().with_contact(contact));
    let new = pool_of(vec![a, b], Algorithm::RoundRobin, Vec::new());
    let mut picker = Picker::new(Arc::clone(&new), 1);
    assert_eq!(names(&mut picker, 4, at(500)), "bbbb");
    new.connected(Slot(0));
    assert_eq!(old.backends()[0].contact().passed_over(), None);
}
