//! The laws of `Scheduler` and `Cycle`, for any pool.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::{Algorithm, Cursor, Cycle, Limit, Usable};
use lb_types::Slot;
use proptest::collection::vec;
use proptest::prelude::*;
use table::{Table, members};

/// One slot: weight, requests in flight, limit, usable.
type Place = (u16, u32, Option<u32>, bool);

fn places() -> impl Strategy<Value = Vec<Place>> {
    let weight = prop_oneof![3 => 0_u16..12, 1 => 0_u16..=256];
    vec((weight, 0_u32..6, proptest::option::of(0_u32..6), any::<bool>()), 0..12)
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    proptest::sample::select(Algorithm::ALL.to_vec())
}

fn table(algorithm: Algorithm, places: &[Place], cursor: u64) -> Table {
    let weights: Vec<u16> = places.iter().map(|p| p.0).collect();
    let counts: Vec<u32> = places.iter().map(|p| p.1).collect();
    let mut table = Table::new(algorithm, &weights).begun(&counts);
    table.limits = places.iter().map(|p| Limit::from(p.2)).collect();
    table.usable = Usable::none(places.len());
    for (slot, place) in places.iter().enumerate() {
        if place.3 {
            table.usable.insert(Slot(slot as u32));
        }
    }
    table.cursor = Cursor::at(cursor);
    table
}

fn is_candidate(place: &Place) -> bool {
    place.0 > 0 && place.3 && place.2.is_none_or(|limit| place.1 < limit)
}

/// Smooth weighted round robin, one account per member: the definition, not the fast way.
fn by_definition(weights: &[u16]) -> Vec<Slot> {
    let total: i64 = weights.iter().map(|w| i64::from(*w)).sum();
    let mut accounts = vec![0_i64; weights.len()];
    let mut turns = Vec::new();
    for _ in 0..total {
        for (account, weight) in accounts.iter_mut().zip(weights) {
            *account += i64::from(*weight);
        }
        let mut best = None;
        for (slot, account) in accounts.iter().enumerate().filter(|(slot, _)| weights[*slot] > 0) {
            if best.is_none_or(|b: usize| *account > accounts[b]) {
                best = Some(slot);
            }
        }
        let best = best.unwrap();
        accounts[best] -= total;
        turns.push(Slot(best as u32));
    }
    turns
}

proptest! {
    #[test]
    fn a_pick_is_accepted_and_made_whenever_somebody_is(
        algorithm in algorithm(), places in places(), cursor: u64, entropy: u64,
    ) {
        let table = table(algorithm, &places, cursor);
        match table.scheduler.pick(&table.ask(entropy)) {
            Some(slot) => prop_assert!(is_candidate(&places[slot.index()])),
            None => prop_assert!(!places.iter().any(is_candidate)),
        }
    }

    #[test]
    fn the_same_ask_gives_the_same_answer(
        algorithm in algorithm(), places in places(), cursor: u64, entropy: u64, picks in 1_usize..30,
    ) {
        let (one, two) = (table(algorithm, &places, cursor), table(algorithm, &places, cursor));
        for _ in 0..picks {
            prop_assert_eq!(one.scheduler.pick(&one.ask(entropy)), two.scheduler.pick(&two.ask(entropy)));
            prop_assert_eq!(one.cursor.peek(), two.cursor.peek());
        }
    }

    #[test]
    fn s_sched_02_any_cycle_has_exact_shares(weights in vec(0_u16..40, 1..10), cycles in 1_usize..4) {
        let cycle = Cycle::weighted(&members(&weights));
        prop_assert!(cycle.is_exact());
        let table = Table::new(Algorithm::WeightedRoundRobin, &weights);
        let total: usize = weights.iter().map(|w| usize::from(*w)).sum();
        prop_assume!(total > 0);
        let per_turn = total / cycle.turns().len();
        prop_assert_eq!(per_turn * cycle.turns().len(), total);
        let want: Vec<usize> = weights.iter().map(|w| usize::from(*w) / per_turn * cycles).collect();
        prop_assert_eq!(table.shares(cycle.turns().len() * cycles), want);
    }

    #[test]
    fn s_sched_03_any_cycle_begins_with_a_heaviest(weights in vec(0_u16..=256, 1..10)) {
        let cycle = Cycle::weighted(&members(&weights));
        if let Some(first) = cycle.turns().first() {
            prop_assert_eq!(Some(&weights[first.index()]), weights.iter().max());
        }
    }

    #[test]
    fn a_cycle_is_what_the_definition_says(weights in vec(0_u16..30, 0..12)) {
        let cycle = Cycle::weighted(&members(&weights));
        let long = by_definition(&weights);
        // the definition does not divide by the common divisor; it repeats instead
        let repeated: Vec<Slot> = cycle.turns().iter().copied().cycle().take(long.len()).collect();
        prop_assert_eq!(repeated, long);
    }

    #[test]
    fn s_sched_01_round_robin_is_the_counter_modulo_the_members(n in 1_usize..20, cursor: u64, picks in 1_u64..50) {
        let mut table = Table::new(Algorithm::RoundRobin, &vec![1; n]);
        table.cursor = Cursor::at(cursor);
        for step in 0..picks {
            let want = cursor.wrapping_add(step) % n as u64;
            prop_assert_eq!(table.pick(), Some(Slot(want as u32)));
        }
    }

    #[test]
    fn s_sched_05_least_conn_agrees_with_brute_force(places in places(), cursor: u64) {
        let table = table(Algorithm::WeightedLeastConn, &places, cursor);
        let candidates: Vec<usize> = (0..places.len()).filter(|slot| is_candidate(&places[*slot])).collect();
        let share = |slot: &usize| (u64::from(places[*slot].1), u64::from(places[*slot].0));
        let less = |a: (u64, u64), b: (u64, u64)| a.0 * b.1 < b.0 * a.1;
        let least: Vec<usize> = candidates
            .iter()
            .filter(|slot| !candidates.iter().any(|other| less(share(other), share(slot))))
            .copied()
            .collect();
        let picked = table.pick().map(Slot::index);
        prop_assert_eq!(picked.is_some(), !least.is_empty());
        if let Some(slot) = picked {
            prop_assert!(least.contains(&slot));
            prop_assert_eq!(table.cursor.peek() != cursor, least.len() > 1, "a step if and only if there is a tie");
        }
    }

    #[test]
    fn s_sched_06_ties_take_the_turns_of_the_cycle_among_themselves(places in places()) {
        let idle: Vec<Place> = places.iter().map(|p| (p.0, 0, None, p.3 && p.0 > 0)).collect();
        let tied: Vec<usize> = (0..idle.len()).filter(|slot| is_candidate(&idle[*slot])).collect();
        prop_assume!(tied.len() > 1);
        let weights: Vec<u16> = places.iter().map(|p| p.0).collect();
        let cycle = Cycle::weighted(&members(&weights));
        let mut want = cycle.turns().iter().filter(|slot| tied.contains(&slot.index())).cycle();
        let table = table(Algorithm::WeightedLeastConn, &idle, 0);
        for _ in 0..40 {
            prop_assert_eq!(table.pick(), want.next().copied());
        }
    }
}

proptest! {
    // long cycles take their time without optimisation
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_cycle_is_bounded_and_leaves_out_nobody_with_weight(weights in vec(0_u16..=256, 0..200)) {
        let cycle = Cycle::weighted(&members(&weights));
        prop_assert!(cycle.turns().len() <= Cycle::MAX_LEN + weights.len());
        for (slot, weight) in weights.iter().enumerate() {
            prop_assert_eq!(cycle.turns().contains(&Slot(slot as u32)), *weight > 0);
        }
    }
}
