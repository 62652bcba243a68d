//! What happens at the edges: nobody, full ones, weight 0, long cycles, two choices.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::{Algorithm, Cycle, Limit, Usable};
use lb_types::{Slot, Time};
use std::time::Duration;
use table::{Table, members};

#[test]
fn nobody_is_picked_from_nobody() {
    for algorithm in Algorithm::ALL {
        for weights in [&[][..], &[0, 0][..]] {
            let table = Table::new(algorithm, weights);
            assert_eq!(table.pick(), None, "{algorithm}");
            assert!(table.scheduler.is_exact());
        }
        let mut masked = Table::new(algorithm, &[1, 2, 3]);
        masked.usable = Usable::none(3);
        assert_eq!(masked.pick(), None, "{algorithm}");
        let mut full = Table::new(algorithm, &[1, 2]).begun(&[1, 5]);
        full.limits = vec![Limit::new(1), Limit::new(5)];
        assert_eq!(full.pick(), None, "{algorithm}");
    }
}

#[test]
fn weight_0_is_never_picked() {
    for algorithm in Algorithm::ALL {
        let table = Table::new(algorithm, &[0, 3, 0]).begun(&[0, 100, 0]);
        for entropy in 0..200 {
            let entropy = lb_types::Rng::new(entropy).next_u64();
            assert_eq!(table.scheduler.pick(&table.ask(entropy)), Some(Slot(1)), "{algorithm}");
        }
    }
}

#[test]
fn the_turns_of_a_full_backend_go_to_all_others() {
    for algorithm in [Algorithm::RoundRobin, Algorithm::WeightedRoundRobin] {
        let mut table = Table::new(algorithm, &[1, 1, 1]).begun(&[1, 0, 0]);
        table.limits[0] = Limit::new(1);
        // a neighbour that inherited every turn of A would have twice the share of C
        assert_eq!(table.letters(8), "BCBCBCBC");
    }
    let mut weighted = Table::new(Algorithm::WeightedRoundRobin, &[100, 3, 1]);
    weighted.usable.remove(Slot(0));
    assert_eq!(weighted.shares(40), [0, 30, 10]);
}

#[test]
fn somebody_far_away_in_a_long_cycle_is_still_found() {
    let mut weights = vec![256; 60];
    weights.push(1);
    let mut table = Table::new(Algorithm::WeightedRoundRobin, &weights);
    (0..60).for_each(|slot| table.usable.remove(Slot(slot)));
    for _ in 0..1_000 {
        assert_eq!(table.pick(), Some(Slot(60)));
    }
}

#[test]
fn the_only_one_of_hundreds_with_room_is_found() {
    for recipe in table::recipes() {
        let mut table = Table::new(recipe, &[3; 700]);
        table.usable = Usable::none(700);
        table.usable.insert(Slot(613));
        let mut rng = lb_types::Rng::new(8);
        for _ in 0..50 {
            let ask = table.ask(rng.next_u64());
            assert_eq!(table.scheduler.pick(&ask), Some(Slot(613)), "{recipe:?}");
        }
    }
}

#[test]
fn a_cycle_that_would_be_too_long_is_scaled_and_says_so() {
    let longest = [256; 64];
    assert_eq!(Cycle::weighted(&members(&longest)).turns().len(), 64, "reduced first");
    let mut weights: Vec<u16> = vec![256; 63];
    weights.push(255);
    let just_right = Cycle::weighted(&members(&weights));
    assert_eq!((just_right.turns().len(), just_right.is_exact()), (16_383, true));
    weights.extend([255, 1]);
    let scaled = Cycle::weighted(&members(&weights));
    assert!(!scaled.is_exact());
    assert!(scaled.turns().len() <= Cycle::MAX_LEN + weights.len());
    assert!(scaled.turns().contains(&Slot(65)), "the lightest keeps a turn");
    assert!(!Table::new(Algorithm::WeightedRoundRobin, &weights).scheduler.is_exact());
    assert!(
        Table::new(Algorithm::TwoChoices, &weights).scheduler.is_exact(),
        "has no cycle"
    );
    assert!(Table::new(Algorithm::RoundRobin, &weights).scheduler.is_exact());
    assert!(
        Table::new(Algorithm::WeightedLeastConn, &weights).scheduler.is_exact(),
        "compares true weights"
    );
}

#[test]
fn two_choices_takes_the_one_with_less_load_for_its_weight() {
    // Two members: both are always looked at.
    let table = Table::new(Algorithm::TwoChoices, &[4, 1]).begun(&[3, 1]);
    for seed in 0..500 {
        let ask = table.ask(lb_types::Rng::new(seed).next_u64());
        assert_eq!(table.scheduler.pick(&ask), Some(Slot(0)), "3/4 is less than 1/1");
    }
}

#[test]
fn two_choices_of_an_idle_pool_shares_by_weight() {
    shares_by_weight(&Table::new(Algorithm::TwoChoices, &[6, 3, 1]));
}

#[test]
fn peak_ewma_of_an_idle_pool_shares_by_weight() {
    let table = Table::new(Algorithm::PeakEwma, &[6, 3, 1]);
    shares_by_weight(&table);
    let observe = |load: &std::sync::Arc<lb_sched::Load>| load.observe(Duration::from_millis(5), Time::ZERO);
    table.loads.iter().for_each(observe);
    shares_by_weight(&table);
}

fn shares_by_weight(table: &Table) {
    let mut rng = lb_types::Rng::new(42);
    let mut shares = [0_u32; 3];
    for _ in 0..100_000 {
        shares[table.scheduler.pick(&table.ask(rng.next_u64())).unwrap().index()] += 1;
    }
    // binomial: three standard deviations are below 500
    for (share, want) in shares.into_iter().zip([60_000, 30_000, 10_000]) {
        assert!(share.abs_diff(want) < 500, "{shares:?}");
    }
    assert_eq!(table.cursor.peek(), 0, "writes nothing shared");
}

#[test]
fn two_choices_keeps_a_hundred_backends_close_together() {
    let table = Table::new(Algorithm::TwoChoices, &[1; 100]);
    let mut rng = lb_types::Rng::new(7);
    for _ in 0..10_000 {
        let slot = table.scheduler.pick(&table.ask(rng.next_u64())).unwrap();
        assert!(table.loads[slot.index()].try_begin(Limit::NONE));
    }
    // One random choice would leave about 100 +- 25. Two: log2(ln 100) + O(1) above the mean
    // (Mitzenmacher, 2001).
    let counts = table.counts();
    assert!(*counts.iter().max().unwrap() <= 105, "{counts:?}");
}

#[test]
fn s_sched_08_an_idle_backend_of_any_age_is_as_good_as_new() {
    // requests that ended leave no trace in the choice of the algorithms that follow the load
    for algorithm in [Algorithm::WeightedLeastConn, Algorithm::TwoChoices, Algorithm::PeakEwma] {
        let table = Table::new(algorithm, &[1, 1]).begun(&[100, 1]);
        (0..100).for_each(|_| table.loads[0].finish());
        for seed in 0..100 {
            let ask = table.ask(lb_types::Rng::new(seed).next_u64());
            assert_eq!(table.scheduler.pick(&ask), Some(Slot(0)), "{algorithm}");
        }
    }
}

#[test]
fn random_shares_by_weight_and_so_do_those_that_are_left() {
    let mut table = Table::new(Algorithm::Random, &[6, 3, 1]);
    let mut rng = lb_types::Rng::new(9);
    let mut shares = |table: &Table| {
        let mut shares = [0_u32; 3];
        for _ in 0..100_000 {
            shares[table.scheduler.pick(&table.ask(rng.next_u64())).unwrap().index()] += 1;
        }
        shares
    };
    // binomial: three standard deviations are below 500
    for (share, want) in shares(&table).into_iter().zip([60_000, 30_000, 10_000]) {
        assert!(share.abs_diff(want) < 500, "{share}, not {want}");
    }
    table.usable.remove(Slot(0));
    for (share, want) in shares(&table).into_iter().zip([0, 75_000, 25_000]) {
        assert!(share.abs_diff(want) < 500, "{share}, not {want}");
    }
    assert_eq!(table.cursor.peek(), 0, "writes nothing shared");
}

#[test]
fn first_fills_one_before_it_uses_the_next() {
    let mut table = Table::new(Algorithm::First, &[1, 0, 9, 3]);
    table.limits = vec![Limit::new(2); 4];
    let filled: String = (0..6)
        .map(|_| {
            let slot = table.pick().unwrap();
            assert!(table.loads[slot.index()].try_begin(Limit::new(2)));
            table::letter(slot)
        })
        .collect();
    assert_eq!(filled, "AACCDD");
    assert_eq!(table.pick(), None);
    table.loads[2].finish();
    table.loads[0].finish();
    assert_eq!(table.pick(), Some(Slot(0)), "the earliest with room again");
}

/// Who of two is picked, whichever is drawn first.
fn of_two(table: &Table, now: Time) -> Slot {
    let pick = |seed| {
        let ask = lb_sched::Ask {
            now,
            ..table.ask(lb_types::Rng::new(seed).next_u64())
        };
        table.scheduler.pick(&ask).unwrap()
    };
    let slot = pick(0);
    assert!((1..200).all(|seed| pick(seed) == slot));
    slot
}

#[test]
fn peak_ewma_takes_the_shorter_wait_for_the_weight() {
    let ms = Duration::from_millis;
    let table = Table::new(Algorithm::PeakEwma, &[1, 1]).begun(&[5, 0]);
    table.loads[0].observe(ms(10), Time::ZERO);
    table.loads[1].observe(ms(100), Time::ZERO);
    assert_eq!(of_two(&table, Time::ZERO), Slot(0), "10 ms * 6 is less than 100 ms * 1");
    let table = table.begun(&[5, 0]);
    assert_eq!(of_two(&table, Time::ZERO), Slot(1), "10 ms * 11 is more");
    let table = Table::new(Algorithm::PeakEwma, &[3, 1]).begun(&[5, 3]);
    table.loads[0].observe(ms(10), Time::ZERO);
    table.loads[1].observe(ms(7), Time::ZERO);
    // the mean weight is 2
    assert_eq!(
        of_two(&table, Time::ZERO),
        Slot(0),
        "10 ms * (5 * 2/3 + 1) is less than 7 ms * (3 * 2 + 1)"
    );
    let table = table.begun(&[4, 0]);
    assert_eq!(of_two(&table, Time::ZERO), Slot(1), "10 ms * (9 * 2/3 + 1) is more");
}

#[test]
fn peak_ewma_looks_at_weights_beside_each_other_only() {
    for scale in [2, 10, 64] {
        let loads = [7, 0, 3, 12];
        let of = |by: u16| Table::new(Algorithm::PeakEwma, &[1, 4, 2, 1].map(|w| w * by)).begun(&loads);
        let (small, large) = (of(1), of(scale));
        for table in [&small, &large] {
            for (slot, millis) in [(0, 3), (1, 40), (2, 9), (3, 2)] {
                table.loads[slot].observe(Duration::from_millis(millis), Time::ZERO);
            }
        }
        let mut rng = lb_types::Rng::new(5);
        for _ in 0..2_000 {
            let entropy = rng.next_u64();
            let pick = |table: &Table| table.scheduler.pick(&table.ask(entropy));
            assert_eq!(pick(&small), pick(&large), "weights times {scale}");
        }
    }
}

#[test]
fn peak_ewma_tries_a_slow_backend_again_after_a_while() {
    let table = Table::new(Algorithm::PeakEwma, &[1, 1]);
    let at = |secs| Time::ZERO.after(Duration::from_secs(secs));
    table.loads[0].set_latency_decay(Duration::from_secs(1));
    table.loads[0].observe(Duration::from_millis(500), at(0));
    for secs in 0..6 {
        table.loads[1].observe(Duration::from_millis(10), at(secs));
        // 500 ms / e^secs passes 10 ms when secs passes ln 50 = 3.9
        assert_eq!(
            of_two(&table, at(secs)),
            Slot(if secs < 4 { 1 } else { 0 }),
            "after {secs} s"
        );
    }
}

#[test]
fn peak_ewma_neither_floods_nor_avoids_a_backend_that_was_never_measured() {
    let table = Table::new(Algorithm::PeakEwma, &[1, 1]).begun(&[4, 3]);
    table.loads[0].observe(Duration::from_micros(1), Time::ZERO);
    assert_eq!(
        of_two(&table, Time::ZERO),
        Slot(1),
        "fewer in flight, however fast the other"
    );
    let table = table.begun(&[0, 2]);
    assert_eq!(
        of_two(&table, Time::ZERO),
        Slot(0),
        "as many at once as the other, no more"
    );
}

#[test]
fn every_algorithm_says_what_it_costs_and_keeps() {
    for algorithm in Algorithm::ALL {
        let facts = algorithm.facts();
        for fact in [facts.suits, facts.pick_cost, facts.build_cost, facts.keeps] {
            assert!(
                !fact.is_empty() && !fact.contains('\n') && fact.len() < 120,
                "{algorithm}: {fact}"
            );
        }
        assert!(facts.pick_cost.starts_with("O("), "{algorithm}");
    }
}
