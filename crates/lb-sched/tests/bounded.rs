//! What bounded loads promise.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::{Algorithm, BoundedLoad, BuildError, Limit, Recipe};
use lb_types::{Rng, Slot};
use table::{Table, members};

fn hashing() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|a| a.uses_hash())
}

fn bounded(algorithm: Algorithm, percent: u16) -> Recipe {
    let recipe = Recipe::new(algorithm).with_bounded_load(BoundedLoad::percent(percent).unwrap());
    match algorithm {
        Algorithm::Maglev => recipe.with_table_len(10_007),
        _ => recipe,
    }
}

/// `ceil(percent / 100 * (sum + 1) * weight / weights)`, by hand.
fn capacity(percent: u64, sum: u64, weight: u16, weights: &[u16]) -> u64 {
    let whole: u64 = weights.iter().map(|w| u64::from(*w)).sum();
    (percent * (sum + 1) * u64::from(weight)).div_ceil(whole * 100)
}

#[test]
fn one_hot_key_fills_backends_to_their_share_and_goes_on() {
    // Four backends, 125 %: of 80 requests in flight nobody has more than 25.
    for algorithm in hashing() {
        let table = Table::new(bounded(algorithm, 125), &[1; 4]);
        for _ in 0..80 {
            let slot = table.place(99);
            assert!(table.loads[slot.index()].try_begin(Limit::NONE));
        }
        let mut counts = table.counts();
        counts.sort_unstable();
        assert_eq!(counts, [5, 25, 25, 25], "{algorithm}");
    }
}

#[test]
fn without_load_a_key_stays_at_home() {
    for algorithm in hashing() {
        let plain = Table::new(bounded(algorithm, 125).with_bounded_load(None), &[1; 30]);
        let table = Table::new(bounded(algorithm, 125), &[1; 30]);
        for key in 0..1_000 {
            assert_eq!(table.place(key), plain.place(key), "{algorithm}");
        }
    }
}

#[test]
fn up_to_31_members_nobody_at_the_bound_is_picked() {
    let weights: Vec<u16> = (0..31).map(|n| n % 5 + 1).collect();
    for algorithm in hashing() {
        for percent in [101, 150] {
            let table = Table::new(bounded(algorithm, percent), &weights);
            let mut rng = Rng::new(3);
            let mut sum = 0_u64;
            for step in 0..6_000 {
                // a few hot keys; as many come as go after a while
                let slot = table.place(rng.below(12));
                let load = &table.loads[slot.index()];
                let bound = capacity(percent.into(), sum, weights[slot.index()], &weights);
                assert!(u64::from(load.in_flight()) < bound, "{algorithm}, pick {step}");
                assert!(load.try_begin(Limit::NONE));
                sum += 1;
                while sum > 700 || (step % 3 == 0 && sum > 0) {
                    let load = &table.loads[rng.below(31) as usize];
                    if load.in_flight() > 0 {
                        load.finish();
                        sum -= 1;
                        if step % 3 == 0 {
                            break;
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn with_more_members_the_sum_is_at_most_a_sixteenth_of_a_round_old() {
    const BACKENDS: usize = 160;
    for algorithm in hashing() {
        let weights = [1; BACKENDS];
        let table = Table::new(bounded(algorithm, 125), &weights);
        let mut rng = Rng::new(5);
        // the sums before the last ten picks: 160 / 16
        let mut sums = vec![0_u64];
        let mut held = Vec::new();
        for step in 0..30_000 {
            let slot = table.place(rng.below(40));
            let load = &table.loads[slot.index()];
            let seen = sums.iter().rev().take(10);
            let bound = seen.map(|sum| capacity(125, *sum, 1, &weights)).max().unwrap();
            assert!(u64::from(load.in_flight()) < bound, "{algorithm}, pick {step}");
            assert!(load.try_begin(Limit::NONE));
            held.push(slot);
            // bursts of ends, so that an old sum would be seen
            if held.len() > 400 {
                for slot in held.drain(..350) {
                    table.loads[slot.index()].finish();
                }
            }
            sums.push(held.len() as u64);
        }
    }
}

#[test]
fn a_bound_yields_when_only_the_loaded_are_left() {
    for algorithm in hashing() {
        let mut table = Table::new(bounded(algorithm, 101), &[1, 1, 1]).begun(&[50, 0, 0]);
        table.usable.remove(Slot(1));
        table.limits[2] = Limit::new(0);
        assert_eq!(table.place(1), Slot(0), "{algorithm}");
    }
}

#[test]
fn tables_on_one_cursor_do_not_take_each_others_sums() {
    const BACKENDS: usize = 64;
    for algorithm in hashing() {
        let mut table = Table::new(bounded(algorithm, 125), &[1; BACKENDS * 24]);
        let all = members(&[1; BACKENDS * 24]);
        let mut of: Vec<_> = all
            .chunks(BACKENDS)
            .map(|members| bounded(algorithm, 125).build(members).unwrap())
            .collect();
        // the first is busy: its bound is ceil(1.25 * 641 / 64) = 13
        let busy = of.remove(0);
        for load in &table.loads[..BACKENDS] {
            (0..10).for_each(|_| assert!(load.try_begin(Limit::NONE)));
        }
        for idle in of {
            // the others have one request each, so their bound is ceil(1.25 * 2 / 64) = 1
            table.scheduler = idle;
            let home = table.place(5);
            assert!(table.loads[home.index()].try_begin(Limit::NONE));
            for round in 0..8 {
                // now these sum, now those
                for _ in 0..=round % 3 {
                    assert!(busy.pick(&table.ask_for(5)).unwrap().index() < BACKENDS);
                }
                assert_ne!(table.place(5), home, "{algorithm}");
            }
        }
    }
}

#[test]
fn each_tier_has_its_own_sum() {
    for algorithm in hashing() {
        let weights = [1; 80];
        let mut table = Table::tiered(bounded(algorithm, 125), &weights, 40, 80);
        (0..40).for_each(|slot| table.limits[slot] = Limit::new(2));
        for _ in 0..80 {
            let slot = table.place(7);
            assert!(
                slot.index() < 40 && table.loads[slot.index()].try_begin(Limit::new(2)),
                "{algorithm}"
            );
        }
        for _ in 0..400 {
            let slot = table.place(7);
            assert!(table.loads[slot.index()].try_begin(Limit::NONE));
        }
        // ceil(1.25 * 400 / 40) = 13
        let counts = table.counts();
        assert_eq!(counts[..40], [2; 40]);
        assert!(counts[40..].iter().all(|n| *n <= 13), "{algorithm}: {counts:?}");
    }
}

#[test]
fn recipes_that_do_not_fit_say_why() {
    let bound = BoundedLoad::percent(125).unwrap();
    for algorithm in Algorithm::ALL {
        let recipe = Recipe::new(algorithm).with_bounded_load(bound);
        let checked = recipe.check(3);
        assert_eq!(checked.is_ok(), algorithm.uses_hash(), "{algorithm}");
        assert_eq!(recipe.build(&members(&[1; 3])).map(drop), checked);
        let long = Recipe::new(algorithm).with_table_len(101);
        assert_eq!(long.check(3).is_ok(), algorithm == Algorithm::Maglev);
    }
    let error = Recipe::new(Algorithm::First)
        .with_bounded_load(bound)
        .check(1)
        .unwrap_err();
    assert!(error.to_string().contains("not for first"), "{error}");
    let len = |len| Recipe::new(Algorithm::Maglev).with_table_len(len).check(3).unwrap_err();
    assert_eq!(
        len(65_536),
        BuildError::TableLenNotPrime {
            len: 65_536,
            prime: 65_537
        }
    );
    assert_eq!(len(2), BuildError::TableLen { len: 2, members: 3 });
    assert_eq!(
        len(4_194_389),
        BuildError::TableLen {
            len: 4_194_389,
            members: 3
        }
    );
    assert_eq!(
        len(u32::MAX),
        BuildError::TableLenNotPrime {
            len: u32::MAX,
            prime: 4_194_319
        }
    );
    let few = Recipe::new(Algorithm::Maglev)
        .with_table_len(3)
        .build(&members(&[1; 4]));
    assert_eq!(few.map(drop), Err(BuildError::TableLen { len: 3, members: 4 }));
    assert!(
        Recipe::new(Algorithm::Maglev)
            .with_table_len(3)
            .build(&members(&[1; 3]))
            .is_ok()
    );
}
