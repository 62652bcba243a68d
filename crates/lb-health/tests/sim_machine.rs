//! One machine under a virtual clock, against backends that live and die by a seed.
//!
//! After every step: the status is what a plain reading of the rules gives, death and recovery are
//! noticed within the promised times, and the plan for the next step is neither past nor wild.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::{Admin, Cause, Change, Machine, Report, Rules, RulesOptions, Status};
use lb_types::{Rng, Time};
use std::time::Duration;

const SEEDS: u64 = 300;
const STEPS: usize = 400;

#[test]
fn probes_alone_follow_the_truth_within_the_promised_times() {
    for seed in 0..SEEDS {
        simulate(seed, false);
    }
}

#[test]
fn orders_in_between_never_break_the_rules() {
    for seed in SEEDS..2 * SEEDS {
        simulate(seed, true);
    }
}

struct Model {
    admin: Admin,
    /// `None`: not judged yet.
    up: Option<bool>,
    against: u16,
}

fn simulate(seed: u64, orders: bool) {
    let mut rng = Rng::new(seed);
    let timeout = Duration::from_millis(1 + rng.below(8_000));
    let rules = Rules::new(RulesOptions {
        interval: Duration::from_millis(10 + rng.below(10_000)),
        interval_changing: (rng.below(2) == 0).then(|| Duration::from_millis(10 + rng.below(10_000))),
        interval_down: (rng.below(2) == 0).then(|| Duration::from_millis(10 + rng.below(10_000))),
        jitter_percent: rng.below(51) as u8,
        rise: 1 + rng.below(5) as u16,
        fall: 1 + rng.below(5) as u16,
        slow_start: Duration::from_millis(rng.below(3) * rng.below(60_000)),
        ..RulesOptions::default()
    })
    .unwrap();
    let mut now = Time::from_nanos(rng.below(1 << 40));
    let mut machine = Machine::new(rules.clone(), seed, now);
    let mut model = Model {
        admin: Admin::Ready,
        up: None,
        against: 0,
    };
    let mut alive = rng.below(2) == 0;
    let mut turned = now;
    let mut turns = now.after(Duration::from_millis(rng.below(100_000)));
    let mut last = (machine.status(), machine.ramp(now));

    for step in 0..STEPS {
        let context = format!("seed {seed} step {step} now {now:?} {rules:?} {machine:?}");
        if orders && rng.below(20) == 0 {
            let admin = Admin::ALL[rng.below(4) as usize];
            if model.admin == Admin::Maintenance && admin != Admin::Maintenance {
                (model.up, model.against) = (None, 0);
                turned = now;
            }
            model.admin = admin;
            check_change(machine.set_admin(admin, now), &mut last, &machine, now, &context);
        }
        let Some(next) = machine.poll_timeout() else {
            assert_eq!(
                model.admin,
                Admin::Maintenance,
                "only maintenance waits for ever: {context}"
            );
            now = now.after(Duration::from_secs(1));
            machine.handle_timeout(now);
            continue;
        };
        assert!(next >= now, "the plan is past: {context}");
        assert!(
            next.since(now) <= Duration::from_secs(15),
            "the plan is wild: {context}"
        );
        now = next;
        check_change(machine.handle_timeout(now), &mut last, &machine, now, &context);
        if machine.probe_due(now) {
            while turns <= now {
                (alive, turned) = (!alive, turns);
                turns = turns.after(Duration::from_millis(1 + rng.below(100_000)));
            }
            let started_alive = alive;
            // a dead backend may take the whole timeout; time goes on meanwhile
            let took = Duration::from_nanos(rng.below(timeout.as_nanos() as u64 + 1));
            now = now.after(took);
            let result = match (started_alive, rng.below(50)) {
                (_, 0) => Err(Cause::Local),
                (true, _) => Ok(()),
                (false, _) => Err(Cause::Refused),
            };
            if result == Err(Cause::Local) {
                turned = now; // the promise holds for probes that could be made
            }
            plain_reading(&mut model, result, &rules);
            let change = machine.report(Report::Probe(result), now);
            check_change(change, &mut last, &machine, now, &context);
        }
        let want = match (model.admin, model.up) {
            (Admin::Maintenance, _) => Status::Maintenance,
            (Admin::Up, _) => Status::Up,
            (_, Some(false)) => Status::Down(Cause::Refused),
            (Admin::Drain, _) => Status::Draining,
            (Admin::Ready, None) => Status::Starting,
            (Admin::Ready, Some(true)) => Status::Up,
        };
        assert_eq!(
            (machine.status(), machine.against()),
            (want, model.against),
            "{context}"
        );
        if model.admin != Admin::Maintenance && turns > now {
            let judged = model.up == Some(alive);
            let promised = if alive {
                rules.recovery(timeout)
            } else {
                rules.detection(timeout)
            };
            assert!(
                judged || now.since(turned) <= promised,
                "late by the promise of {promised:?}: {context}"
            );
        }
    }
}

/// The rules as a person would read them from the documentation.
fn plain_reading(model: &mut Model, result: Result<(), Cause>, rules: &Rules) {
    let good = match result {
        Err(Cause::Local) => return,
        other => other.is_ok(),
    };
    let needed = match model.up {
        None => 1,
        Some(true) => rules.options().fall,
        Some(false) => rules.options().rise,
    };
    if model.up == Some(good) {
        model.against = 0;
    } else {
        model.against += 1;
        if model.against >= needed {
            (model.up, model.against) = (Some(good), 0);
        }
    }
}

/// Every visible difference is told once, and each telling continues the one before.
fn check_change(change: Option<Change>, last: &mut (Status, u8), machine: &Machine, now: Time, context: &str) {
    match change {
        Some(change) => {
            assert_eq!(change.from, last.0, "{context}");
            assert!(
                change.from != change.to || change.percent != last.1,
                "nothing new: {context}"
            );
            assert_eq!(
                (change.to, change.percent, change.at),
                (machine.status(), machine.ramp(now), now),
                "{context}"
            );
            *last = (change.to, change.percent);
        }
        None => assert_eq!((machine.status(), machine.ramp(now)), *last, "not told: {context}"),
    }
    assert!(machine.ramp(now) == 100 || machine.status().is_usable(), "{context}");
}
