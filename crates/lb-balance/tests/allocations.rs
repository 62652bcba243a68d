//! A request costs no allocation, whatever decides it.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod pool;

use allocation_counter::measure;
use lb_balance::route::{Action, Prefix, Query, Route};
use lb_balance::{Hint, Outcome, Picker, Pool, RetryBudget, RetryOptions, Routes, Spread, Tried};
use lb_sched::Algorithm;
use lb_types::{Slot, Time};
use pool::{backends, id, standing};
use std::sync::Arc;

#[test]
fn a_pick_and_its_end_allocate_nothing() {
    for algorithm in Algorithm::ALL {
        let entries = [(5, None), (3, Some(2)), (1, Some(1)), (1, None)];
        let list = backends(&entries);
        let mut spread = Spread::from(algorithm);
        (spread.observe.latency, spread.observe.outcomes) = (true, true);
        let pool = Arc::new(Pool::new("web", list, Vec::new(), spread, &[], None).unwrap());
        let mut picker = Picker::new(Arc::clone(&pool), 1);
        pool.update(&[standing(0, 5, true), standing(1, 1, true), standing(2, 1, true)])
            .unwrap();
        let hints = [
            Hint::Any,
            Hint::Prefer(id('b')),
            Hint::Prefer(id('d')),
            Hint::Hash(1),
            Hint::PreferElse(id('d'), 1),
        ];
        // the first look at new standings on a thread may allocate, once
        drop(picker.pick(Hint::Any, &Tried::new(), Time::ZERO).unwrap());
        let counted = measure(|| {
            for hint in hints {
                let mut first = picker.pick(hint, &Tried::new(), Time::ZERO).unwrap();
                first.answered(Time::from_nanos(5));
                let second = picker.pick(hint, &Tried::new(), Time::ZERO).unwrap();
                let mut tried = Tried::new();
                tried.add(first.slot());
                tried.add(Slot(100));
                let third = picker.pick(hint, &tried, Time::ZERO).unwrap();
                (0..3).for_each(|slot| tried.add(Slot(slot)));
                assert!(picker.pick(hint, &tried, Time::ZERO).is_err());
                first.finish(Outcome::Success, Time::ZERO);
                second.finish(Outcome::Failure, Time::ZERO);
                drop(third);
            }
        });
        assert_eq!(counted.count_total, 0, "{algorithm}");
    }
}

#[test]
fn a_route_is_found_without_allocation() {
    let route = |host: &str, path: &str| Route {
        hosts: vec![host.parse().unwrap()],
        path: Prefix::new(path).unwrap(),
        action: Action::Forward(0),
    };
    let routes = Routes::new(vec![
        route("*.example.com", "/a"),
        route("www.example.com", "/b"),
        route("*", "/"),
    ]);
    let routes = routes.unwrap();
    let long = "/x".repeat(4_000) + "/../%61";
    let counted = measure(|| {
        for host in [
            None,
            Some(b"WWW.Example.com:80".as_slice()),
            Some(b"m.eu.example.com."),
            Some(b"other"),
        ] {
            for path in ["/", "/a/b", "/b/../a", "//%61;x", &long] {
                assert!(
                    routes
                        .find(&Query {
                            host,
                            path: path.as_bytes()
                        })
                        .is_some()
                );
            }
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn a_retry_budget_allocates_nothing() {
    let mut budget = RetryBudget::new(RetryOptions::default());
    let counted = measure(|| {
        for second in 0..100 {
            let now = Time::from_nanos(second * 1_000_000_000);
            budget.deposit(now);
            assert!(budget.try_withdraw(now));
        }
    });
    assert_eq!(counted.count_total, 0);
}
