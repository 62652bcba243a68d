use super::*;
use crate::RulesOptions;
use crate::Seen;
use core::time::Duration;
use std::vec::Vec;

const OK: Report = Report::Probe(Ok(()));
const BAD: Report = Report::Probe(Err(Cause::Refused));
const LOCAL: Report = Report::Probe(Err(Cause::Local));
const HIT: Report = Report::Traffic { ok: 1, failed: 0 };
const MISS: Report = Report::Traffic { ok: 0, failed: 1 };
const DOWN: Status = Status::Down(Cause::Refused);

fn options() -> RulesOptions {
    RulesOptions {
        interval: secs(5),
        interval_changing: Some(secs(5)),
        jitter_percent: 0,
        rise: 2,
        fall: 3,
        ..RulesOptions::default()
    }
}

fn machine(options: RulesOptions) -> Machine {
    Machine::new(Rules::new(options).unwrap(), 1, Time::ZERO)
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn at(n: u64) -> Time {
    Time::ZERO.after(secs(n))
}

/// It was up, and is down.
const DEAD: [Report; 4] = [OK, BAD, BAD, BAD];

/// Reports the probes, each at its time, and gives the last moment.
fn probes(machine: &mut Machine, reports: &[Report]) -> Time {
    let mut now = Time::ZERO;
    for report in reports {
        now = machine.next_probe().unwrap();
        assert!(machine.probe_due(now));
        machine.report(*report, now);
    }
    now
}

#[test]
fn the_transition_table_of_probes() {
    // rise 2, fall 3; each row: probes so far, status, probes that speak against it
    let table: &[(&[Report], Status, u16)] = &[
        (&[], Status::Starting, 0),
        (&[OK], Status::Up, 0),
        (&[BAD], Status::Starting, 1),
        (&[BAD, BAD], Status::Starting, 2),
        (&[BAD, BAD, OK], Status::Up, 0),
        (&[BAD, LOCAL, BAD, BAD], DOWN, 0),
        (&[BAD, BAD, BAD], DOWN, 0),
        (&[BAD, BAD, BAD, BAD, LOCAL], DOWN, 0),
        (&[BAD, BAD, BAD, BAD, OK], Status::Up, 0),
        (&[LOCAL], Status::Starting, 0),
        (&[LOCAL, OK], Status::Up, 0),
        (&[OK, BAD], Status::Up, 1),
        (&[OK, BAD, BAD], Status::Up, 2),
        (&[OK, BAD, BAD, BAD], DOWN, 0),
        (&[OK, BAD, BAD, OK], Status::Up, 0),
        (&[OK, BAD, BAD, OK, BAD, BAD], Status::Up, 2),
        (&[OK, BAD, BAD, LOCAL, BAD], DOWN, 0),
        (&[OK, BAD, BAD, LOCAL], Status::Up, 2),
        (&[OK, LOCAL, LOCAL, LOCAL, LOCAL], Status::Up, 0),
        (&[BAD, OK], Status::Up, 0),
        (&[OK, BAD, BAD, BAD, OK], DOWN, 1),
        (&[OK, BAD, BAD, BAD, OK, OK], Status::Up, 0),
        (&[OK, BAD, BAD, BAD, OK, BAD], DOWN, 0),
        (&[OK, BAD, BAD, BAD, OK, BAD, OK], DOWN, 1),
        (&[OK, BAD, BAD, BAD, OK, LOCAL], DOWN, 1),
        (&[OK, BAD, BAD, BAD, OK, LOCAL, OK], Status::Up, 0),
    ];
    for (reports, status, against) in table {
        let mut m = machine(options());
        probes(&mut m, reports);
        assert_eq!((m.status(), m.against()), (*status, *against), "{reports:?}");
    }
}

#[test]
fn the_transition_table_of_orders() {
    use Admin::{Drain, Maintenance, Ready};
    let table: &[(&[Report], &[Admin], Status)] = &[
        (&[], &[Ready], Status::Starting),
        (&[], &[Drain], Status::Draining),
        (&[OK], &[Drain], Status::Draining),
        (&[OK], &[Drain, Ready], Status::Up),
        (&[], &[Drain, Ready], Status::Starting),
        (&DEAD, &[Drain], DOWN),
        (&DEAD, &[Drain, Ready], DOWN),
        (&[OK], &[Maintenance], Status::Maintenance),
        (&DEAD, &[Maintenance], Status::Maintenance),
        (&DEAD, &[Drain, Maintenance], Status::Maintenance),
        (&[OK], &[Maintenance, Ready], Status::Starting),
        (&DEAD, &[Maintenance, Ready], Status::Starting),
        (&DEAD, &[Maintenance, Drain], Status::Draining),
        (&[OK], &[Maintenance, Maintenance, Ready], Status::Starting),
    ];
    for (reports, orders, status) in table {
        let mut m = machine(options());
        let now = probes(&mut m, reports);
        for order in *orders {
            m.set_admin(*order, now);
            assert_eq!(m.admin(), *order);
        }
        assert_eq!(m.status(), *status, "{reports:?} {orders:?}");
    }
}

#[test]
fn a_draining_backend_is_still_probed_and_goes_down() {
    let mut m = machine(options());
    let now = probes(&mut m, &[OK]);
    let change = m.set_admin(Admin::Drain, now).unwrap();
    assert_eq!((change.from, change.to), (Status::Up, Status::Draining));
    probes(&mut m, &[BAD, BAD, BAD]);
    assert_eq!(m.status(), DOWN);
    probes(&mut m, &[OK, OK]);
    assert_eq!(m.status(), Status::Draining);
}

#[test]
fn maintenance_stops_probes_and_gives_up_the_one_under_way() {
    let mut m = machine(options());
    probes(&mut m, &[OK]);
    assert!(m.probe_due(at(5)));
    m.set_admin(Admin::Maintenance, at(5));
    assert_eq!(m.poll_timeout(), None);
    assert!(!m.probe_due(at(1_000)));
    m.set_admin(Admin::Ready, at(1_000));
    assert!(m.probe_due(at(1_000)), "probed at once");
    let change = m.report(OK, at(1_000)).unwrap();
    assert_eq!((change.from, change.to), (Status::Starting, Status::Up));
}

#[test]
fn a_change_tells_both_statuses_and_how_long_the_first_lasted() {
    let mut m = machine(options());
    assert!(m.probe_due(at(0)));
    let change = m.report(OK, at(1)).unwrap();
    assert_eq!(
        (change.from, change.to, change.at, change.lasted),
        (Status::Starting, Status::Up, at(1), secs(1))
    );
    assert_eq!(change.percent, 100, "no slow start when the process starts");
    for n in 1..=2 {
        assert!(m.probe_due(at(5 * n)));
        assert_eq!(m.report(BAD, at(5 * n)), None);
    }
    assert!(m.probe_due(at(15)));
    let change = m.report(BAD, at(15)).unwrap();
    assert_eq!((change.from, change.to, change.lasted), (Status::Up, DOWN, secs(14)));
    assert_eq!(m.since(), at(15));
}

#[test]
fn another_cause_while_down_is_shown_but_changes_nothing() {
    let mut m = machine(options());
    let now = probes(&mut m, &DEAD);
    assert!(m.probe_due(at(20)));
    assert_eq!(m.report(Report::Probe(Err(Cause::Timeout)), at(22)), None);
    assert_eq!(m.status(), Status::Down(Cause::Timeout));
    assert_eq!(m.since(), now);
}

#[test]
fn the_interval_follows_the_status() {
    let mut m = machine(RulesOptions {
        interval_down: Some(secs(1)),
        interval_changing: Some(secs(2)),
        ..options()
    });
    assert_eq!(m.next_probe(), Some(at(0)));
    assert!(m.probe_due(at(0)));
    assert_eq!(m.next_probe(), None, "one probe at a time");
    m.report(OK, at(0));
    assert_eq!(m.next_probe(), Some(at(5)));
    let now = probes(&mut m, &[BAD, BAD, BAD]);
    assert_eq!((now, m.next_probe()), (at(9), Some(at(10))));
    probes(&mut m, &[OK]);
    assert_eq!(m.next_probe(), Some(at(12)));
    probes(&mut m, &[OK]);
    assert_eq!((m.status(), m.next_probe()), (Status::Up, Some(at(17))));
}

#[test]
fn who_was_never_up_is_probed_each_second_for_a_minute_and_needs_one_good_probe() {
    let mut m = machine(RulesOptions {
        interval_changing: None,
        ..options()
    });
    let mut planned = Vec::new();
    for _ in 0..63 {
        let now = probes(&mut m, &[BAD]);
        planned.push(m.next_probe().unwrap().since(now).as_secs());
    }
    assert_eq!(m.status(), DOWN);
    assert_eq!(planned, [[1; 60].as_slice(), &[5; 3]].concat());
    probes(&mut m, &[OK]);
    assert_eq!(m.status(), Status::Up);
    // from now on it is known, and counts as others do
    probes(&mut m, &[BAD, BAD, BAD, OK]);
    assert_eq!((m.status(), m.against()), (DOWN, 1));
    // after maintenance it is new again
    let now = m.next_probe().unwrap();
    m.set_admin(Admin::Maintenance, now);
    m.set_admin(Admin::Ready, now);
    probes(&mut m, &[BAD, BAD]);
    assert_eq!(m.status(), Status::Starting);
    probes(&mut m, &[BAD, OK]);
    assert_eq!(m.status(), Status::Up);
    // never slower than asked for, however slow changing is
    let mut m = machine(RulesOptions {
        interval_changing: Some(secs(20)),
        fall: 1,
        ..options()
    });
    let now = probes(&mut m, &[BAD]);
    assert_eq!(m.next_probe(), Some(now.after(secs(5))));
}

#[test]
fn slow_start_moves_in_ten_steps_after_an_outage() {
    let mut m = machine(RulesOptions {
        slow_start: secs(9),
        ..options()
    });
    probes(&mut m, &DEAD);
    probes(&mut m, &[OK]);
    let up = m.next_probe().unwrap();
    assert!(m.probe_due(up));
    let change = m.report(OK, up).unwrap();
    assert_eq!((change.to, change.percent, m.ramp(up)), (Status::Up, 10, 10));
    let mut told = Vec::new();
    while told.last() != Some(&100) {
        let now = m.poll_timeout().unwrap();
        if let Some(step) = m.handle_timeout(now) {
            assert_eq!(
                (step.from, step.to, step.percent),
                (Status::Up, Status::Up, m.ramp(now))
            );
            assert_eq!(m.since(), up, "a step is no new status");
            told.push(step.percent);
        }
        if m.probe_due(now) {
            m.report(OK, now);
        }
    }
    assert_eq!(told, [20, 30, 40, 50, 60, 70, 80, 90, 100]);
}

#[test]
fn slow_start_ends_when_the_backend_falls_and_follows_maintenance() {
    let mut m = machine(RulesOptions {
        slow_start: secs(100),
        ..options()
    });
    probes(&mut m, &DEAD);
    probes(&mut m, &[OK, OK]);
    assert_eq!(m.ramp(at(25)), 10);
    let now = probes(&mut m, &[BAD, BAD, BAD]);
    assert_eq!((m.status(), m.ramp(now)), (DOWN, 100));
    m.set_admin(Admin::Maintenance, now);
    let change = m.set_admin(Admin::Ready, now).unwrap();
    assert_eq!((change.to, change.percent), (Status::Starting, 10));
}

#[test]
fn failed_requests_in_a_row_take_it_down_and_probes_bring_it_back() {
    let mut m = machine(RulesOptions {
        max_failures: Some(3),
        ..options()
    });
    let now = probes(&mut m, &[OK]);
    for report in [MISS, MISS, HIT, MISS, MISS] {
        assert_eq!(m.report(report, now), None);
    }
    let change = m.report(Report::Traffic { ok: 0, failed: 4 }, now).unwrap();
    assert_eq!(change.to, Status::Down(Cause::Traffic(6)));
    assert_eq!(m.report(HIT, now), None, "what was under way does not bring it up");
    probes(&mut m, &[OK, OK]);
    assert_eq!(m.status(), Status::Up);
    assert_eq!(m.report(MISS, at(60)), None, "the row begins anew");
}

#[test]
fn a_report_with_any_success_ends_the_row() {
    let mut m = machine(RulesOptions {
        max_failures: Some(2),
        ..options()
    });
    m.report(MISS, at(0));
    m.report(Report::Traffic { ok: 1, failed: 50 }, at(0));
    assert_eq!(m.report(MISS, at(0)), None);
}

#[test]
fn a_row_that_keeps_growing_counts_each_failure_once() {
    let mut m = machine(RulesOptions {
        max_failures: Some(3),
        ..options()
    });
    let now = probes(&mut m, &[OK]);
    for failed in [0, 1, 2, 2, 1, 2] {
        assert_eq!(m.report(Report::Row { failed }, now), None);
    }
    assert_eq!(
        m.report(Report::Row { failed: 3 }, now).unwrap().to,
        Status::Down(Cause::Traffic(3))
    );
    m.report(Report::Row { failed: 5 }, now);
    probes(&mut m, &[OK, OK]);
    assert_eq!(
        m.report(Report::Row { failed: 5 }, at(60)),
        None,
        "the old row is paid for"
    );
    assert_eq!(m.report(Report::Row { failed: 7 }, at(60)), None, "two new ones");
    assert_eq!(
        m.report(Report::Row { failed: 8 }, at(60)).unwrap().to,
        Status::Down(Cause::Traffic(3))
    );
}

#[test]
fn without_probes_a_backend_rests_and_comes_back_on_trial() {
    let mut m = machine(RulesOptions {
        probing: false,
        interval_down: Some(secs(10)),
        max_failures: Some(2),
        ..options()
    });
    assert_eq!((m.poll_timeout(), m.probe_due(at(100))), (None, false));
    m.report(HIT, at(0));
    assert_eq!(m.status(), Status::Up);
    m.report(MISS, at(1));
    assert_eq!(m.report(MISS, at(2)).unwrap().to, Status::Down(Cause::Traffic(2)));
    assert_eq!(m.poll_timeout(), Some(at(12)));
    assert_eq!(m.handle_timeout(Time::from_nanos(at(12).as_nanos() - 1)), None);
    assert_eq!(m.handle_timeout(at(12)).unwrap().to, Status::Starting);
    assert_eq!(
        m.report(MISS, at(13)).unwrap().to,
        Status::Down(Cause::Traffic(1)),
        "one is enough on trial"
    );
    assert_eq!(m.poll_timeout(), Some(at(33)), "the second time lasts twice as long");
    m.handle_timeout(at(33));
    m.report(HIT, at(34));
    assert_eq!(m.status(), Status::Up);
    assert_eq!(m.report(MISS, at(35)), None, "the trial is over");
}

#[test]
fn without_max_failures_traffic_judges_nothing() {
    let mut m = machine(options());
    assert_eq!(
        m.report(
            Report::Traffic {
                ok: 0,
                failed: 1_000_000
            },
            at(0)
        ),
        None
    );
    assert_eq!(m.report(Report::Row { failed: 1_000_000 }, at(0)), None);
    assert_eq!(m.status(), Status::Starting);
}

#[test]
fn other_rules_keep_what_is_known() {
    let mut m = machine(options());
    let now = probes(&mut m, &[OK, BAD, BAD]);
    let since = m.since();
    m.set_rules(
        Rules::new(RulesOptions {
            interval: secs(1),
            interval_changing: None,
            ..options()
        })
        .unwrap(),
        now,
    );
    assert_eq!((m.status(), m.against(), m.since()), (Status::Up, 2, since));
    assert_eq!(m.next_probe(), Some(now), "a new interval begins with a probe");
    probes(&mut m, &[BAD]);
    assert_eq!(m.status(), DOWN);
    let same = m.rules().clone();
    m.set_rules(same, now);
    assert_eq!(m.next_probe(), Some(now.after(secs(1))));
    // down, then probing is switched off: it must not stay down for ever
    m.set_rules(
        Rules::new(RulesOptions {
            probing: false,
            ..options()
        })
        .unwrap(),
        now,
    );
    assert_eq!(m.poll_timeout(), Some(now.after(secs(5))));
    assert_eq!(m.handle_timeout(now.after(secs(5))).unwrap().to, Status::Starting);
}

#[test]
fn s_health_04_state_since_results_and_next_probe_can_be_asked_for() {
    let mut m = machine(options());
    let now = probes(&mut m, &[OK, BAD]);
    assert_eq!((m.status(), m.since(), m.against()), (Status::Up, at(0), 1));
    assert_eq!(
        m.history().last(),
        Some(Seen {
            at: now,
            result: Err(Cause::Refused)
        })
    );
    let results: Vec<_> = m.history().iter().map(|seen| (seen.at, seen.result)).collect();
    assert_eq!(results, [(at(5), Err(Cause::Refused)), (at(0), Ok(()))]);
    assert_eq!(m.next_probe(), Some(at(10)));
}

#[test]
fn an_agents_down_holds_until_its_up_and_probes_still_have_their_say() {
    let mut machine = machine(RulesOptions {
        slow_start: secs(10),
        ..options()
    });
    let down = |down| Advice {
        admin: None,
        percent: None,
        down,
    };
    let now = probes(&mut machine, &[OK]);
    let change = machine.advise(down(Some(true)), now).unwrap();
    assert_eq!((change.from, change.to), (Status::Up, Status::Down(Cause::Agent)));
    let now = probes(&mut machine, &[OK, OK, OK]);
    assert_eq!(
        machine.status(),
        Status::Down(Cause::Agent),
        "good probes do not outdo it"
    );
    assert_eq!(machine.advise(down(None), now), None, "what is not mentioned stays");
    machine.set_admin(Admin::Up, now);
    assert_eq!(machine.status(), Status::Up, "the operator outdoes it");
    machine.set_admin(Admin::Ready, now);
    let change = machine.advise(down(Some(false)), now).unwrap();
    assert_eq!((change.to, change.percent), (Status::Up, 10), "through slow start");
    machine.advise(down(Some(true)), now);
    let now = probes(&mut machine, &[BAD, BAD, BAD]);
    assert_eq!(machine.status(), DOWN, "the probes' cause is told first");
    assert_eq!(
        machine.advise(down(Some(false)), now),
        None,
        "the agent brings nobody up"
    );
    assert_eq!(machine.status(), DOWN);
}
