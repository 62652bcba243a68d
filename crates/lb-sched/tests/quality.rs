//! What placements promise: even shares, and few moves when a backend goes.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::{Algorithm, Maglev, Recipe, Ring};
use lb_types::{Rng, Slot};
use table::{Table, members};

const KEYS: usize = 20_000;

fn keys() -> Vec<u64> {
    let mut rng = Rng::new(11);
    (0..KEYS).map(|_| rng.next_u64()).collect()
}

/// Of all keys, how many leave their backend when slot `gone` goes: all, and those that were elsewhere.
fn moved(recipe: Recipe, weights: &[u16], gone: u32) -> (usize, usize) {
    let before = Table::new(recipe, weights);
    let mut rest = members(weights);
    rest.retain(|m| m.slot != Slot(gone));
    let after = recipe.build(&rest).unwrap();
    let moves = keys().into_iter().filter_map(|key| {
        let was = before.place(key);
        (after.pick(&before.ask_for(key)) != Some(was)).then_some(was)
    });
    let moves: Vec<Slot> = moves.collect();
    (moves.len(), moves.iter().filter(|was| **was != Slot(gone)).count())
}

/// One to seven, mixed.
fn mixed(backends: usize) -> Vec<u16> {
    (0..backends).map(|n| (n % 7 + 1) as u16).collect()
}

#[test]
fn maglev_gives_nobody_more_than_a_hundredth_too_much() {
    // tables of the first prime from 100 times the backends on
    for (backends, len) in [(10, 1_009), (100, 10_007), (655, 65_537), (1_000, 100_003)] {
        let recipe = Recipe::new(Algorithm::Maglev).with_table_len(len);
        assert_eq!(recipe.check(backends), Ok(()));
        let table = Maglev::with_table_len(&members(&vec![1; backends]), len).unwrap();
        assert_eq!(table.table_len(), len as usize);
        let most = table.shares().iter().map(|(_, entries)| *entries).max().unwrap();
        let mean = f64::from(len) / backends as f64;
        println!(
            "maglev, {backends} backends, {len} entries: max/mean {:.4}",
            most as f64 / mean
        );
        assert!(most as f64 / mean <= 1.01, "{most} of {mean}");
    }
}

#[test]
fn maglev_shares_are_the_weights_but_for_an_entry() {
    let weights = mixed(100);
    let total: u32 = weights.iter().map(|w| u32::from(*w)).sum();
    let table = Maglev::new(&members(&weights));
    for (slot, entries) in table.shares() {
        let want = 65_537.0 * f64::from(weights[slot.index()]) / f64::from(total);
        assert!((entries as f64 - want).abs() <= 1.5, "{entries} of {want}");
    }
}

#[test]
fn the_maglev_table_grows_with_the_backends_up_to_a_limit() {
    for backends in [0, 1, 655, 656, 2_621, 2_622, 10_000, 10_485, 10_486, 41_943] {
        let len = Maglev::len_for(backends) as usize;
        assert!(len >= backends * 100, "{backends} backends, {len} entries");
        assert!(
            (2..).take_while(|d| d * d <= len).all(|d| !len.is_multiple_of(d)),
            "{len} is a prime"
        );
    }
    assert_eq!(Maglev::len_for(655), 65_537);
    assert_eq!(Maglev::len_for(usize::MAX), Maglev::MAX_LEN);
}

#[test]
fn maglev_moves_at_most_two_in_a_hundred_keys_too_many() {
    for (backends, len) in [(100, 10_007), (100, 65_537), (400, 40_009)] {
        for weights in [vec![1; backends], mixed(backends)] {
            let total: u32 = weights.iter().map(|w| u32::from(*w)).sum();
            for gone in [0, backends / 2, backends - 1] {
                let recipe = Recipe::new(Algorithm::Maglev).with_table_len(len);
                let (all, others) = moved(recipe, &weights, gone as u32);
                println!("maglev, {backends} backends, {len} entries: {all} of {KEYS} keys moved, {others} of others");
                let share = f64::from(weights[gone]) / f64::from(total);
                assert!(all as f64 / KEYS as f64 <= share + 0.02, "{all} keys");
            }
        }
    }
}

#[test]
fn ring_and_rendezvous_move_the_keys_of_the_one_that_went_and_no_other() {
    for algorithm in [Algorithm::Ring, Algorithm::Rendezvous] {
        for backends in [2, 100] {
            for weights in [vec![1; backends], mixed(backends)] {
                let total: u32 = weights.iter().map(|w| u32::from(*w)).sum();
                for gone in [0, backends / 2, backends - 1] {
                    let (all, others) = moved(algorithm.into(), &weights, gone as u32);
                    assert_eq!(others, 0, "{algorithm}");
                    let share = f64::from(weights[gone]) / f64::from(total);
                    let want = KEYS as f64 * share;
                    // chance: of the keys (binomial), and on the ring of 160 points for each unit of weight
                    let of_keys = want * (1.0 - share);
                    let of_points = want * want / (160.0 * f64::from(weights[gone]));
                    let deviation = (of_keys + of_points).sqrt();
                    assert!(
                        (all as f64 - want).abs() < 4.0 * deviation,
                        "{algorithm}: {all} of {want}"
                    );
                }
            }
        }
    }
}

#[test]
fn rendezvous_shares_are_the_weights() {
    let weights = [10, 5, 3, 2, 1, 1, 1, 1];
    let table = Table::new(Algorithm::Rendezvous, &weights);
    let mut counts = [0_u32; 8];
    keys().iter().for_each(|key| counts[table.place(*key).index()] += 1);
    for (count, weight) in counts.into_iter().zip(weights) {
        let share = f64::from(weight) / 24.0;
        let deviation = (KEYS as f64 * share * (1.0 - share)).sqrt();
        assert!(
            (f64::from(count) - KEYS as f64 * share).abs() < 4.0 * deviation,
            "{counts:?}"
        );
    }
}

#[test]
fn a_backend_that_comes_only_takes_and_a_heavier_one_too() {
    for algorithm in [Algorithm::Ring, Algorithm::Rendezvous] {
        let before = Table::new(algorithm, &[1; 50]);
        let more = Table::new(algorithm, &[1; 51]);
        let mut weights = [1; 50];
        weights[20] = 3;
        let heavier = Table::new(algorithm, &weights);
        for key in keys() {
            let was = before.place(key);
            assert!([was, Slot(50)].contains(&more.place(key)), "{algorithm}");
            assert!([was, Slot(20)].contains(&heavier.place(key)), "{algorithm}");
        }
    }
}

#[test]
fn multiplied_weights_move_no_key_of_a_ring_that_knows_the_unit() {
    let plain = Recipe::new(Algorithm::Ring);
    let before = Table::new(plain, &[1, 2, 1, 1]);
    // slow start: all weights times ten, and the last is at a third
    let ramp = Table::new(plain.with_weight_unit(10), &[10, 20, 10, 3]);
    let mut gained = 0;
    for key in keys() {
        let (was, is) = (before.place(key), ramp.place(key));
        assert!(was == is || was == Slot(3), "{was:?} to {is:?}");
        gained += usize::from(is == Slot(3));
    }
    // 48 of 688 points, in the mean; a seventh of its points more or less
    assert!((KEYS * 5 / 100..KEYS * 9 / 100).contains(&gained), "{gained}");
}

#[test]
fn members_in_another_order_are_placed_the_same() {
    let weights = mixed(60);
    for algorithm in Algorithm::ALL.into_iter().filter(|a| a.uses_hash()) {
        let table = Table::new(algorithm, &weights);
        let mut members = members(&weights);
        members.reverse();
        members.rotate_left(17);
        let other = algorithm.build(&members).unwrap();
        for key in keys().into_iter().take(2_000) {
            assert_eq!(other.pick(&table.ask_for(key)), Some(table.place(key)), "{algorithm}");
        }
    }
}

#[test]
fn poor_hashes_are_spread_too() {
    // small numbers, and multiples of a power of two: the lower or the upper bits alone
    for algorithm in Algorithm::ALL.into_iter().filter(|a| a.uses_hash()) {
        let table = Table::new(algorithm, &[1; 10]);
        for shift in [0, 20, 48] {
            let mut counts = [0_u32; 10];
            (0..10_000_u64).for_each(|n| counts[table.place(n << shift).index()] += 1);
            assert!(
                counts.iter().all(|n| (700..1_400).contains(n)),
                "{algorithm}: {counts:?}"
            );
        }
    }
}

#[test]
fn a_masked_backend_gives_its_keys_to_many_and_gets_them_back() {
    for algorithm in Algorithm::ALL.into_iter().filter(|a| a.uses_hash()) {
        let mut table = Table::new(algorithm, &[1; 20]);
        let before: Vec<Slot> = keys().into_iter().map(|key| table.place(key)).collect();
        table.usable.remove(Slot(4));
        let mut heirs = std::collections::BTreeSet::new();
        for (key, was) in keys().into_iter().zip(&before) {
            let is = table.place(key);
            if *was == Slot(4) {
                heirs.insert(is);
            } else {
                assert_eq!(is, *was, "{algorithm}: nobody else moves");
            }
        }
        assert!(heirs.len() >= 15, "{algorithm}: {heirs:?}");
        table.usable.insert(Slot(4));
        assert!(keys().into_iter().map(|key| table.place(key)).eq(before));
    }
}

#[test]
fn no_table_has_more_entries_than_a_recipe_says() {
    let maglev = Recipe::new(Algorithm::Maglev);
    let ring = Recipe::new(Algorithm::Ring);
    for (backends, weight) in [(1, 1), (3, 256), (700, 256), (10_000, 1)] {
        let members = members(&vec![weight; backends]);
        assert_eq!(Maglev::new(&members).table_len(), maglev.most_entries(backends));
        let points = Ring::new(&members).points().count();
        assert!(points <= ring.most_entries(backends), "{points} for {backends}");
    }
    let fixed = maglev.with_table_len(1_009);
    assert_eq!(fixed.most_entries(3), 1_009);
    assert_eq!(Recipe::new(Algorithm::Random).most_entries(7), 7);
}
