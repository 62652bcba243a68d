//! Weighted least connections beside its definition, in pools where it reads less than everybody
//! and where more are tied than it remembers.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::{Algorithm, Cursor, Cycle, Usable};
use lb_types::Slot;
use proptest::collection::vec;
use proptest::prelude::*;
use table::{Table, members};

/// The definition: of those with the least `c / w`, whoever has the next turn of the cycle; the
/// cursor goes past that turn if there was a choice.
fn by_definition(weights: &[u16], counts: &[u32], usable: &[bool], cursor: u64) -> (Option<Slot>, u64) {
    let candidates: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] > 0 && usable[*i]).collect();
    let product = |count: usize, weight: usize| u64::from(counts[count]) * u64::from(weights[weight]);
    let is_least = |i: &&usize| candidates.iter().all(|j| product(**i, *j) <= product(*j, **i));
    let least: Vec<usize> = candidates.iter().filter(is_least).copied().collect();
    if let [] | [_] = least.as_slice() {
        return (least.first().map(|i| Slot(*i as u32)), cursor);
    }
    let cycle = Cycle::weighted(&members(weights));
    let turns = cycle.turns();
    let turn = (cursor % turns.len() as u64) as usize;
    let mut later = (0..turns.len()).map(|wait| (turns[(turn + wait) % turns.len()], wait));
    let (slot, wait) = later.find(|(slot, _)| least.contains(&slot.index())).unwrap();
    (Some(slot), cursor + wait as u64 + 1)
}

fn compare(weights: &[u16], counts: &[u32], usable: &[bool], cursor: u64) {
    let mut table = Table::new(Algorithm::WeightedLeastConn, weights).begun(counts);
    table.cursor = Cursor::at(cursor);
    table.usable = Usable::none(weights.len());
    for (slot, _) in usable.iter().enumerate().filter(|(_, usable)| **usable) {
        table.usable.insert(Slot(slot as u32));
    }
    let want = by_definition(weights, counts, usable, cursor);
    assert_eq!((table.pick(), table.cursor.peek()), want);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    // Few different weights and counts: ties of any number, with and without idle backends.
    #[test]
    fn s_sched_05_a_pick_is_what_reading_everybody_gives(
        places in vec((0_u16..4, 0_u32..4, prop::bool::weighted(0.8)), 1..150),
        least in 0_u32..3,
        cursor in 0_u64..1_000,
    ) {
        let weights: Vec<u16> = places.iter().map(|p| p.0).collect();
        let counts: Vec<u32> = places.iter().map(|p| p.1.max(least)).collect();
        let usable: Vec<bool> = places.iter().map(|p| p.2).collect();
        compare(&weights, &counts, &usable, cursor);
    }
}

#[test]
fn s_sched_06_a_tie_is_found_however_far_its_turns_are() {
    // The last twenty of 200 are tied, and the cursor has just gone past them: more than are
    // remembered, and too far ahead to be met on the way.
    let counts: Vec<u32> = (0..200).map(|i| if i < 180 { 5 } else { 3 }).collect();
    for cursor in [0, 90, 179, 180, 199] {
        compare(&[1; 200], &counts, &[true; 200], cursor);
    }
    // Two tied, and nobody else in reach.
    let counts: Vec<u32> = (0..200).map(|i| if i == 100 || i == 101 { 0 } else { 1 }).collect();
    for cursor in [0, 50, 100, 101, 102, 150] {
        compare(&[1; 200], &counts, &[true; 200], cursor);
    }
}

#[test]
fn s_sched_06_one_idle_backend_is_no_tie() {
    // It has the very next turns, and several of them: still no choice, so the cursor stays.
    let table = Table::new(Algorithm::WeightedLeastConn, &[9, 1, 1]).begun(&[0, 1, 1]);
    assert_eq!((table.pick(), table.cursor.peek()), (Some(Slot(0)), 0));
    let table = Table::new(Algorithm::WeightedLeastConn, &[9, 1, 1]).begun(&[0, 0, 1]);
    assert_eq!((table.pick(), table.cursor.peek()), (Some(Slot(0)), 1));
}

#[test]
fn an_idle_pool_of_a_thousand_takes_turns_like_weighted_round_robin() {
    let weights: Vec<u16> = (0..1_000).map(|i| 1 + i % 10).collect();
    let table = Table::new(Algorithm::WeightedLeastConn, &weights);
    let cycle = Cycle::weighted(&members(&weights));
    for turn in cycle.turns() {
        assert_eq!(table.pick(), Some(*turn));
    }
}
