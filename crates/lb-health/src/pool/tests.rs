use super::*;
use crate::{PassiveOptions, RulesOptions};
use std::vec::Vec;

fn rules(max_failures: Option<u16>, change: impl FnOnce(&mut PassiveOptions)) -> Rules {
    let mut passive = PassiveOptions::default();
    change(&mut passive);
    Rules::new(RulesOptions {
        max_failures,
        passive,
        ..RulesOptions::default()
    })
    .unwrap()
}

/// A backend with these requests, each good one of so many milliseconds.
fn seen(id: u64, ok: u32, failed: u32, millis: u64) -> Member {
    let usual = (ok > 0).then(|| Duration::from_millis(millis));
    Member::new(
        BackendId::from_u64(id),
        None,
        Sum { ok, failed, usual },
        false,
        true,
        true,
    )
}

fn row(id: u64, failures: u16) -> Member {
    Member {
        row: Some(failures),
        ..seen(id, 0, 0, 0)
    }
}

fn ejected(id: u64) -> Member {
    Member {
        is_ejected: true,
        can_go: false,
        takes_new: false,
        ..seen(id, 0, 0, 0)
    }
}

/// Verdicts in the order of the ids.
fn verdicts(rules: &Rules, mut members: Vec<Member>) -> Vec<(u64, Cause)> {
    judge(rules, &mut members);
    members.sort_by_key(Member::backend);
    let verdict = |member: &Member| Some((member.backend().as_u64(), member.verdict()?));
    members.iter().filter_map(verdict).collect()
}

#[test]
fn too_few_successes_take_a_backend_out_when_there_were_enough_requests() {
    let rules = rules(None, |passive| {
        (passive.success_rate_percent, passive.min_requests) = (Some(80), 10);
    });
    let good = || seen(9, 100, 0, 1);
    // 79 of 100; 80 of 100 is enough; nine requests say nothing
    assert_eq!(
        verdicts(&rules, [seen(1, 79, 21, 1), good()].into()),
        [(1, Cause::SuccessRate(79))]
    );
    assert_eq!(verdicts(&rules, [seen(1, 80, 20, 1), good()].into()), []);
    assert_eq!(verdicts(&rules, [seen(1, 0, 9, 1), good()].into()), []);
    assert_eq!(
        verdicts(&rules, [seen(1, 0, 10, 1), good()].into()),
        [(1, Cause::SuccessRate(0))]
    );
    // 7 of 9 are 77.8, rounded down
    let few = [seen(1, 70, 20, 1), good()].into();
    assert_eq!(verdicts(&rules, few), [(1, Cause::SuccessRate(77))]);
}

#[test]
fn when_all_fail_alike_nobody_is_taken_out_for_it() {
    let rules = rules(None, |passive| {
        (passive.success_rate_percent, passive.min_requests) = (Some(80), 10);
    });
    assert_eq!(
        verdicts(&rules, [seen(1, 0, 50, 1), seen(2, 5, 50, 1), seen(3, 9, 0, 1)].into()),
        []
    );
    // one that does better is enough
    let better = [
        seen(1, 0, 50, 1),
        seen(2, 5, 50, 1),
        seen(3, 10, 0, 1),
        seen(4, 0, 0, 1),
    ];
    assert_eq!(
        verdicts(&rules, better.into()),
        [(1, Cause::SuccessRate(0)), (2, Cause::SuccessRate(9))]
    );
    // the only one with requests: nothing speaks for a fault behind all
    assert_eq!(
        verdicts(&rules, [seen(1, 0, 50, 1), seen(2, 0, 0, 1)].into()),
        [(1, Cause::SuccessRate(0))]
    );
}

#[test]
fn the_slow_are_compared_with_the_middle_of_the_pool() {
    let rules = rules(None, |passive| {
        (passive.latency_factor, passive.min_requests) = (Some(3), 10);
    });
    let pool = |millis: &[u64]| (1..).zip(millis).map(|(id, ms)| seen(id, 10, 0, *ms)).collect();
    assert_eq!(verdicts(&rules, pool(&[20, 22, 24, 65])), [], "not three times 22");
    assert_eq!(verdicts(&rules, pool(&[20, 22, 24, 66])), [(4, Cause::Outlier(3))]);
    assert_eq!(
        verdicts(&rules, pool(&[100, 20])),
        [(1, Cause::Outlier(5))],
        "of two the slower"
    );
    assert_eq!(
        verdicts(&rules, pool(&[500])),
        [],
        "alone there is no middle but itself"
    );
    assert_eq!(
        verdicts(&rules, pool(&[20, 20, 500, 500, 500])),
        [],
        "when most are slow, that is how it is"
    );
    assert_eq!(
        verdicts(&rules, pool(&[1, 1, 9])),
        [],
        "nine times, but 9 ms is not slow"
    );
    assert_eq!(verdicts(&rules, pool(&[0, 0, 10])), [(3, Cause::Outlier(u16::MAX))]);
    // who has too few requests is neither judged nor compared with
    let few = [seen(1, 9, 0, 500), seen(2, 10, 0, 20), seen(3, 10, 0, 20)];
    assert_eq!(verdicts(&rules, few.into()), []);
}

#[test]
fn the_largest_share_is_never_exceeded_and_the_worst_go_first() {
    let half = rules(Some(3), |passive| {
        (
            passive.success_rate_percent,
            passive.latency_factor,
            passive.min_requests,
        ) = (Some(80), Some(3), 10);
    });
    let all = || {
        [
            seen(1, 10, 0, 20),
            seen(2, 10, 0, 200),
            seen(3, 70, 30, 20),
            seen(4, 20, 80, 20),
            row(5, 3),
            row(6, 9),
            seen(7, 10, 0, 20),
            seen(8, 10, 0, 20),
        ]
    };
    // of eight, four may go: first rows, then success rates, and no more room for the slow one
    assert_eq!(
        verdicts(&half, all().into()),
        [
            (3, Cause::SuccessRate(70)),
            (4, Cause::SuccessRate(20)),
            (5, Cause::Traffic(3)),
            (6, Cause::Traffic(9)),
        ]
    );
    // who is out already takes room; of nine, four may be out
    let mut more: Vec<Member> = all().into();
    more.extend([ejected(9)]);
    assert_eq!(
        verdicts(&half, more.clone()),
        [
            (4, Cause::SuccessRate(20)),
            (5, Cause::Traffic(3)),
            (6, Cause::Traffic(9))
        ]
    );
    more.extend([ejected(10), ejected(11), ejected(12), ejected(13), ejected(14)]);
    assert_eq!(
        verdicts(&half, more),
        [(6, Cause::Traffic(9))],
        "of 14, seven; six are out"
    );
}

#[test]
fn a_share_of_100_takes_all_and_below_it_the_last_one_stays() {
    let of = |percent| rules(Some(3), move |passive| passive.max_ejected_percent = percent);
    let both = || [row(1, 3), row(2, 3)].into();
    let cause = Cause::Traffic(3);
    assert_eq!(verdicts(&of(100), both()), [(1, cause), (2, cause)]);
    assert_eq!(verdicts(&of(99), both()), [(1, cause)]);
    assert_eq!(verdicts(&of(49), both()), [], "less than one of two");
    assert_eq!(verdicts(&of(0), both()), []);
    assert_eq!(verdicts(&of(100), [row(1, 3)].into()), [(1, cause)]);
    assert_eq!(verdicts(&of(99), [row(1, 3)].into()), []);
    // the others are down by their probes: there is room, but nobody else would serve
    let down = |id| Member {
        can_go: false,
        takes_new: false,
        ..seen(id, 0, 0, 0)
    };
    assert_eq!(verdicts(&of(50), [row(1, 3), down(2), down(3), down(4)].into()), []);
    let drained = Member {
        takes_new: false,
        ..row(5, 4)
    };
    assert_eq!(
        verdicts(&of(50), [row(1, 3), drained, down(2), down(3)].into()),
        [(5, Cause::Traffic(4))],
        "a drained one is not the last one that takes clients"
    );
}

#[test]
fn nothing_is_judged_by_rules_that_are_off() {
    let off = rules(None, |_| {});
    assert_eq!(
        verdicts(
            &off,
            [seen(1, 0, 1_000, 1), seen(2, 1_000, 0, 1), seen(3, 1_000, 0, 9_000)].into()
        ),
        []
    );
    assert_eq!(verdicts(&off, Vec::new()), []);
}
