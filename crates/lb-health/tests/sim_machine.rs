//! One machine under a virtual clock, against backends that live and die by a seed.
//!
//! After every step: the status is what a plain reading of the rules gives, death and recovery are
//! noticed within the promised times, and the plan for the next step is neither past nor wild.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::{Admin, Cause, Change, Machine, PassiveOptions, Report, Rules, RulesOptions, Status, Traffic};
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
    /// Since it came, or out of maintenance.
    was_up: bool,
    /// Of being down.
    cause: Cause,
    against: u16,
    /// Taken out by traffic, so long.
    out_until: Option<Time>,
    repeats: u32,
    /// In service since then.
    back: Time,
}

impl Model {
    /// Good probes in a row that bring it up.
    fn rise(&self, rules: &Rules) -> u16 {
        if self.was_up { rules.options().rise } else { 1 }
    }

    fn becomes(&mut self, up: Option<bool>, back: Time) {
        self.was_up |= up == Some(true);
        (self.up, self.against, self.out_until, self.back) = (up, 0, None, back);
    }

    /// A verdict of the pool, as the documentation of `eject_for` reads.
    fn eject(&mut self, cause: Cause, rules: &Rules, now: Time) {
        if self.up == Some(false) || matches!(self.admin, Admin::Maintenance | Admin::Up) {
            return;
        }
        let (first, most) = (rules.eject_for(), rules.options().passive.eject_at_most);
        let in_service = (now.since(self.back).as_nanos() / first.as_nanos()).min(u128::from(self.repeats));
        self.repeats = self.repeats - in_service as u32 + 1;
        self.becomes(Some(false), now);
        self.cause = cause;
        self.out_until = Some(now.after((first * self.repeats).min(most.max(first))));
    }

    fn time_passes(&mut self, rules: &Rules, now: Time) -> bool {
        let is_over = self.out_until.is_some_and(|end| end <= now);
        if is_over {
            self.out_until = None;
            if self.against >= self.rise(rules) {
                self.becomes(Some(true), now);
            }
        }
        is_over
    }
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
        passive: PassiveOptions {
            eject_for: (rng.below(2) == 0).then(|| Duration::from_millis(10 + rng.below(60_000))),
            eject_at_most: Duration::from_millis(10 + rng.below(200_000)),
            ..PassiveOptions::default()
        },
        ..RulesOptions::default()
    })
    .unwrap();
    let mut now = Time::from_nanos(rng.below(1 << 40));
    let mut machine = Machine::new(rules.clone(), seed, now);
    let mut model = Model {
        admin: Admin::Ready,
        up: None,
        was_up: false,
        cause: Cause::Refused,
        against: 0,
        out_until: None,
        repeats: 0,
        back: now,
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
                model.becomes(None, now);
                model.was_up = false;
                turned = now;
            }
            if admin == Admin::Maintenance {
                model.out_until = None;
            }
            model.admin = admin;
            check_change(machine.set_admin(admin, now), &mut last, &machine, now, &context);
        }
        if orders && rng.below(10) == 0 {
            let cause = Cause::SuccessRate(rng.below(100) as u8);
            model.eject(cause, &rules, now);
            check_change(
                machine.report(Report::Eject(cause), now),
                &mut last,
                &machine,
                now,
                &context,
            );
            let traffic = Traffic {
                ok: 1,
                ..Traffic::default()
            };
            check_change(machine.saw(traffic, now), &mut last, &machine, now, &context);
        }
        assert_eq!(machine.out_until(), model.out_until, "{context}");
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
        // a time out may have ended while a probe was under way
        assert!(
            next >= now || machine.out_until() == Some(next),
            "the plan is past: {context}"
        );
        let next = next.max(now);
        assert!(
            next.since(now) <= Duration::from_secs(15),
            "the plan is wild: {context}"
        );
        now = next;
        if model.time_passes(&rules, now) {
            turned = now; // the promise of recovery begins where the time out ends
        }
        check_change(machine.handle_timeout(now), &mut last, &machine, now, &context);
        if machine.probe_due(now) {
            while turns <= now {
                (alive, turned) = (!alive, turned.max(turns)); // nobody looked before the end of a maintenance
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
            plain_reading(&mut model, result, &rules, now);
            let change = machine.report(Report::Probe(result), now);
            check_change(change, &mut last, &machine, now, &context);
        }
        let want = match (model.admin, model.up) {
            (Admin::Maintenance, _) => Status::Maintenance,
            (Admin::Up, _) => Status::Up,
            (_, Some(false)) => Status::Down(model.cause),
            (Admin::Drain, _) => Status::Draining,
            (Admin::Ready, None) => Status::Starting,
            (Admin::Ready, Some(true)) => Status::Up,
        };
        assert_eq!(
            (machine.status(), machine.against()),
            (want, model.against),
            "{context}"
        );
        if model.admin != Admin::Maintenance && model.out_until.is_none() && turns > now {
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
fn plain_reading(model: &mut Model, result: Result<(), Cause>, rules: &Rules, now: Time) {
    let good = match result {
        Err(Cause::Local) => return,
        other => other.is_ok(),
    };
    let needed = match model.up {
        None if good => 1,
        None | Some(true) => rules.options().fall,
        Some(false) => model.rise(rules),
    };
    if model.up == Some(good) {
        model.against = 0;
        model.cause = Cause::Refused;
    } else {
        model.against = needed.min(model.against + 1);
        if model.against == needed && model.out_until.is_none_or(|end| end <= now) {
            // who was starting has been in service already
            let back = if model.up.is_none() && good { model.back } else { now };
            model.becomes(Some(good), back);
            model.cause = Cause::Refused;
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
        None => {
            // another cause of being down is no change
            let (status, percent) = (machine.status(), machine.ramp(now));
            assert_eq!(
                (status.as_str(), percent),
                (last.0.as_str(), last.1),
                "not told: {context}"
            );
            last.0 = status;
        }
    }
    assert!(machine.ramp(now) == 100 || machine.status().is_usable(), "{context}");
}
