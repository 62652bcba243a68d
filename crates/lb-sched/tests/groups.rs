//! Who is asked first, who helps when too few are up.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::groups::{Candidate, Rules, tiers};
use lb_sched::{Algorithm, Recipe};
use lb_types::{Slot, Weight};
use proptest::prelude::*;
use table::members;

/// One candidate per word: priority, `L`ocal or `R`emote, `+` available or `-` not.
fn candidates(words: &str) -> Vec<Candidate> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let members = members(&vec![1; words.len()]);
    let candidate = |(member, word): (_, &&str)| {
        let [priority, place, state] = word.as_bytes() else {
            panic!("three letters, not {word}");
        };
        Candidate {
            member,
            priority: priority - b'0',
            local: *place == b'L',
            available: *state == b'+',
        }
    };
    members.into_iter().zip(&words).map(candidate).collect()
}

fn rules(join_below_percent: u8, local_above_percent: Option<u8>) -> Rules {
    let mut rules = Rules::new();
    rules.join_below_percent = join_below_percent;
    rules.local_above_percent = local_above_percent;
    rules
}

/// The slots of each tier.
fn slots(words: &str, rules: Rules) -> Vec<Vec<u32>> {
    let tiers = tiers(&candidates(words), &rules);
    tiers
        .iter()
        .map(|tier| tier.iter().map(|m| m.slot.0).collect())
        .collect()
}

#[test]
fn backups_serve_when_nobody_else_is_left() {
    let rules = Rules::default();
    assert_eq!(slots("0L+ 0L+ 1L+", rules), [vec![0, 1], vec![2]]);
    assert_eq!(slots("0L- 0L+ 1L+", rules), [vec![1], vec![2]]);
    assert_eq!(slots("0L- 0L- 1L+", rules), [vec![2]]);
    assert_eq!(slots("0L- 0L- 1L- 2L+", rules), [vec![3]]);
    assert_eq!(slots("0L- 1L-", rules), [[0; 0]; 0]);
    assert_eq!(slots("", rules), [[0; 0]; 0]);
}

#[test]
fn backups_help_when_fewer_than_a_share_are_up() {
    let half = rules(50, None);
    assert_eq!(
        slots("0L+ 0L+ 0L- 0L- 1L+", half),
        [vec![0, 1], vec![4]],
        "two of four are half"
    );
    assert_eq!(slots("0L+ 0L- 0L- 0L- 1L+", half), [[0, 4]]);
    // the helpers count: two are enough, so the third priority waits
    assert_eq!(slots("0L+ 0L- 0L- 0L- 1L+ 2L+", half), [vec![0, 4], vec![5]]);
    assert_eq!(slots("0L+ 0L- 0L- 0L- 1L- 2L+", half), [[0, 5]]);
    let all = rules(100, None);
    assert_eq!(slots("0L+ 0L+ 1L+", all), [vec![0, 1], vec![2]]);
    assert_eq!(slots("0L+ 0L- 1L+", all), [[0, 2]]);
    assert_eq!(slots("0L+ 0L- 1L-", all), [[0]], "nobody to help");
    assert_eq!(
        slots("0L+ 1L+", rules(255, None)),
        [vec![0], vec![1]],
        "more than all is all"
    );
}

#[test]
fn priorities_need_not_begin_at_0() {
    assert_eq!(slots("7L+ 9L+ 7L-", Rules::default()), [vec![0], vec![1]]);
}

#[test]
fn near_ones_come_first_while_enough_of_them_are_up() {
    let near = rules(0, Some(Rules::LOCAL_ABOVE_PERCENT));
    assert_eq!(slots("0R+ 0L+ 0R+ 0L+", near), [vec![1, 3], vec![0, 2]]);
    // seven of ten are enough, six are not
    let ten = "0L+ 0L+ 0L+ 0L+ 0L+ 0L+";
    assert_eq!(
        slots(&format!("{ten} 0L+ 0L- 0L- 0L- 0R+"), near),
        [vec![0, 1, 2, 3, 4, 5, 6], vec![10]]
    );
    assert_eq!(
        slots(&format!("{ten} 0L- 0L- 0L- 0L- 0R+"), near),
        [[0, 1, 2, 3, 4, 5, 10]]
    );
    assert_eq!(slots("0L- 0R+ 0R+", near), [[1, 2]]);
    assert_eq!(slots("0R+ 0R+", near), [[0, 1]]);
    assert_eq!(slots("0R+ 0L+", rules(0, None)), [[0, 1]], "locality is not asked for");
    assert_eq!(
        slots("0L- 0L+ 0R+", rules(0, Some(0))),
        [vec![1], vec![2]],
        "as long as one is up"
    );
}

#[test]
fn backups_have_localities_too() {
    let near = rules(0, Some(70));
    assert_eq!(
        slots("1R+ 1L+ 0R+ 0L+", near),
        [vec![3], vec![2], vec![1], vec![0]],
        "priority goes before locality"
    );
}

#[test]
fn without_overflow_only_the_first_tier_stands() {
    let mut near = rules(0, Some(70));
    near.overflow = false;
    assert_eq!(slots("1R+ 1L+ 0R+ 0L+", near), [[3]]);
    assert_eq!(slots("1R+ 1L+ 0R+ 0L-", near), [[2]]);
}

#[test]
fn weight_0_stands_nowhere_and_counts_nowhere() {
    let mut of = candidates("0L+ 0L- 0L- 1L+");
    let half = rules(50, None);
    let first = |of: &[Candidate]| tiers(of, &half)[0].iter().map(|m| m.slot.0).collect::<Vec<_>>();
    assert_eq!(first(&of), [0, 3], "one of three");
    of[1].member.weight = Weight::ZERO;
    assert_eq!(first(&of), [0], "one of two");
}

#[test]
fn a_full_tier_leaves_its_requests_to_the_next() {
    let of = candidates("0L+ 0L+ 1L+");
    let tiers = tiers(&of, &Rules::default());
    for algorithm in Algorithm::ALL {
        let mut table = table::Table::new(algorithm, &[1; 3]);
        table.scheduler = Recipe::new(algorithm).build_tiers(&tiers).unwrap();
        table.limits = vec![lb_sched::Limit::new(1); 3];
        table.begin(2);
        assert_eq!(table.counts(), [1, 1, 0], "{algorithm}");
        table.begin(1);
        assert_eq!(table.counts(), [1, 1, 1], "{algorithm}");
        table.loads[1].finish();
        assert_eq!(table.pick(), Some(Slot(1)), "{algorithm}");
    }
}

#[test]
fn turns_of_one_tier_do_not_count_in_another() {
    // Every other request finds the first tier full. With one round for both, the second tier would always
    // be asked at odd turns, and slot 2 would get nothing.
    for algorithm in [
        Algorithm::RoundRobin,
        Algorithm::WeightedRoundRobin,
        Algorithm::WeightedLeastConn,
    ] {
        let mut table = table::Table::tiered(algorithm, &[1; 4], 2, 4);
        let mut shares = [0; 4];
        for step in 0..400 {
            let limit = lb_sched::Limit::new(if step % 2 == 0 { 9 } else { 0 });
            table.limits[0] = limit;
            table.limits[1] = limit;
            shares[table.pick().unwrap().index()] += 1;
        }
        assert_eq!(shares, [100; 4], "{algorithm}");
    }
}

#[test]
fn a_slot_stands_in_one_tier_only() {
    let one = members(&[1]);
    let error = Recipe::new(Algorithm::First)
        .build_tiers(&[one.clone(), one])
        .unwrap_err();
    assert_eq!(error, lb_sched::BuildError::SlotTwice { slot: Slot(0) });
    let nobody = Recipe::default().build_tiers(&[]).unwrap();
    assert_eq!(nobody.pick(&table::Table::new(Algorithm::First, &[1]).ask(0)), None);
}

fn any_candidate() -> impl Strategy<Value = (u8, bool, bool, u16)> {
    (0_u8..4, any::<bool>(), any::<bool>(), 0_u16..3)
}

proptest! {
    #[test]
    fn whoever_is_available_stands_in_exactly_one_tier(
        of in proptest::collection::vec(any_candidate(), 0..12), join in 0_u8..=100, local: Option<u8>,
    ) {
        let weights: Vec<u16> = of.iter().map(|c| c.3).collect();
        let candidates: Vec<Candidate> = members(&weights)
            .into_iter()
            .zip(&of)
            .map(|(member, (priority, local, available, _))| Candidate {
                member, priority: *priority, local: *local, available: *available,
            })
            .collect();
        let tiers = tiers(&candidates, &rules(join, local));
        prop_assert!(tiers.iter().all(|tier| !tier.is_empty()));
        let mut placed: Vec<u32> = tiers.iter().flatten().map(|m| m.slot.0).collect();
        placed.sort_unstable();
        let want: Vec<u32> = (0_u32..).zip(&of).filter(|(_, c)| c.2 && c.3 > 0).map(|(slot, _)| slot).collect();
        prop_assert_eq!(placed, want);
        // nobody is asked before one of a lower number that is not in the same group of helpers
        let priority = |m: &lb_sched::Member| of[m.slot.index()].0;
        let first = |tier: &Vec<lb_sched::Member>| tier.iter().map(priority).min();
        prop_assert!(join > 0 || tiers.windows(2).all(|pair| first(&pair[0]) <= first(&pair[1])));
    }
}
