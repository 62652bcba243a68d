//! Laws of picks, retries and budgets, for any pool.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod pool;

use lb_balance::{Hint, PickError, Picker, RetryBudget, RetryOptions, Tried, Why};
use lb_sched::{Algorithm, Limit};
use lb_types::{BackendId, Slot, Time};
use pool::{backends, counts, pool_of, standing};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

/// One backend: weight, up, requests in flight, limit.
type Place = (u16, bool, u32, Option<u32>);

fn has_room(place: &Place) -> bool {
    place.3.is_none_or(|limit| place.2 < limit)
}

fn takes_new(place: &Place) -> bool {
    place.1 && place.0 > 0
}

proptest! {
    #[test]
    fn a_pick_is_right_about_whom_it_takes_and_whom_it_refuses(
        algorithm in proptest::sample::select(Algorithm::ALL.to_vec()),
        places in vec((0_u16..4, any::<bool>(), 0_u32..3, proptest::option::of(0_u32..3)), 1..8),
        slots in vec(0_u32..8, 0..4),
        prefer in proptest::option::of(0_usize..9),
        seed: u64,
    ) {
        let entries: Vec<_> = places.iter().map(|p| (p.0, p.3)).collect();
        let pool = pool_of(backends(&entries), algorithm, Vec::new());
        let standings: Vec<_> = places.iter().zip(0..).map(|(p, slot)| standing(slot, p.0, p.1)).collect();
        pool.update(&standings).unwrap();
        for (backend, place) in pool.backends().iter().zip(&places) {
            (0..place.2).for_each(|_| assert!(backend.load().try_begin(Limit::NONE)));
        }
        let before = counts(&pool);
        let mut tried = Tried::new();
        slots.iter().for_each(|slot| tried.add(Slot(*slot)));
        let hint = match prefer {
            None => Hint::Any,
            Some(slot) => Hint::Prefer(pool.backends().get(slot).map_or(BackendId::from_u64(1), |b| b.id)),
        };
        let is_tried = |slot: usize| tried.contains(Slot(slot as u32));
        let preferred = prefer.and_then(|slot| places.get(slot).map(|place| (slot, place)));
        let reachable = preferred.filter(|(slot, place)| place.1 && !is_tried(*slot));

        match Picker::new(Arc::clone(&pool), seed).pick(hint, &tried, Time::ZERO) {
            Ok(ticket) => {
                let slot = ticket.slot().index();
                let place = &places[slot];
                prop_assert!(place.1 && has_room(place) && !is_tried(slot));
                prop_assert_eq!(ticket.backend().load().in_flight(), place.2 + 1);
                let want = match (prefer, reachable) {
                    (Some(_), Some((slot, place))) if has_room(place) => {
                        prop_assert_eq!(ticket.slot().index(), slot);
                        Why::Persisted
                    }
                    (Some(_), Some(_)) => Why::Overflow,
                    (Some(_), None) if preferred.is_none_or(|(_, place)| !place.1) => Why::Replaced,
                    _ if tried.is_empty() => Why::Scheduled,
                    _ => Why::Retried,
                };
                prop_assert_eq!(ticket.why(), want);
                prop_assert!(want == Why::Persisted || takes_new(place));
            }
            Err(error) => {
                prop_assert!(!reachable.is_some_and(|(_, place)| has_room(place)));
                let untried = (0..places.len()).filter(|slot| takes_new(&places[*slot]) && !is_tried(*slot));
                let untried: Vec<_> = untried.collect();
                prop_assert!(!untried.iter().any(|slot| has_room(&places[*slot])));
                let want = match (places.iter().any(takes_new), untried.is_empty()) {
                    (false, _) => PickError::NoBackend,
                    (true, true) => PickError::AllTried,
                    (true, false) => PickError::AllBusy,
                };
                prop_assert_eq!(error, want);
            }
        }
        prop_assert_eq!(counts(&pool), before, "the ticket gave its place back");
    }

    #[test]
    fn tried_remembers_what_a_set_would(slots in vec(prop_oneof![0_u32..70, any::<u32>()], 0..30)) {
        let mut tried = Tried::new();
        let mut set = HashSet::new();
        for slot in slots {
            tried.add(Slot(slot));
            set.insert(slot);
            prop_assert!(set.iter().all(|slot| tried.contains(Slot(*slot))), "nothing is forgotten");
            let far = set.iter().filter(|slot| **slot >= 64).count();
            if far <= Tried::FAR {
                prop_assert_eq!(tried.len(), set.len());
                prop_assert!((0..80).all(|slot| tried.contains(Slot(slot)) == set.contains(&slot)));
            }
            prop_assert_eq!(tried.is_empty(), set.is_empty());
        }
    }

    #[test]
    fn a_retry_is_granted_only_if_ten_seconds_of_traffic_pay_for_it(
        percent in 0_u8..=100, per_second in 0_u16..5, steps in vec((0_u64..2_000, 0_u32..30, 0_u32..30), 1..60),
    ) {
        let mut options = RetryOptions::default();
        (options.percent, options.per_second) = (percent, per_second);
        let mut budget = RetryBudget::new(options);
        // (second, requests, retries)
        let mut history: Vec<(u64, u64, u64)> = Vec::new();
        let mut millis = 0;
        for (wait, requests, retries) in steps {
            millis += wait;
            let now = Time::from_nanos(millis * 1_000_000);
            (0..requests).for_each(|_| budget.deposit(now));
            let granted = (0..retries).filter(|_| budget.try_withdraw(now)).count() as u64;
            history.push((millis / 1_000, u64::from(requests), granted));
            let first = (millis / 1_000).saturating_sub(9);
            let window = history.iter().filter(|(second, ..)| *second >= first);
            let (requests, retries) = window.fold((0, 0), |sum, (_, q, r)| (sum.0 + q, sum.1 + r));
            prop_assert!(granted == 0 || retries * 100 <= requests * u64::from(percent) + 1_000 * u64::from(per_second));
        }
    }
}
