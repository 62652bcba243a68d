//! Traffic, orders and agents beside probes.

use super::*;
use crate::{PassiveOptions, RulesOptions};
use core::time::Duration;

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn at(n: u64) -> Time {
    Time::ZERO.after(secs(n))
}

fn machine(change: impl FnOnce(&mut RulesOptions)) -> Machine {
    let mut options = RulesOptions {
        interval: secs(5),
        interval_changing: Some(secs(5)),
        jitter_percent: 0,
        rise: 2,
        fall: 3,
        passive: PassiveOptions {
            eject_for: Some(secs(30)),
            ..PassiveOptions::default()
        },
        ..RulesOptions::default()
    };
    change(&mut options);
    Machine::new(Rules::new(options).unwrap(), 1, Time::ZERO)
}

fn probe(machine: &mut Machine, result: Result<(), Cause>) -> Time {
    let now = machine.next_probe().unwrap();
    machine.handle_timeout(now);
    assert!(machine.probe_due(now));
    machine.report(Report::Probe(result), now);
    now
}

fn traffic(row: u32, ok: u32, failed: u32) -> Traffic {
    let time = secs(u64::from(ok));
    Traffic {
        row,
        ok,
        failed,
        time,
        is_weightless: false,
    }
}

const BAD: Result<(), Cause> = Err(Cause::Refused);
const EJECT: Report = Report::Eject(Cause::SuccessRate(3));

#[test]
fn probes_come_faster_while_the_status_is_changing() {
    let mut m = machine(|o| (o.interval_changing, o.interval_down) = (Some(secs(1)), Some(secs(20))));
    let mut planned = std::vec::Vec::new();
    for result in [
        Ok(()),
        Ok(()),
        BAD,
        Ok(()),
        BAD,
        BAD,
        BAD,
        BAD,
        Ok(()),
        BAD,
        Ok(()),
        Ok(()),
        Ok(()),
    ] {
        let now = probe(&mut m, result);
        planned.push(m.next_probe().unwrap().since(now).as_secs());
    }
    // up, up, first bad one, up again, three bad ones to be down, down, rising, down again, rising, up, up
    assert_eq!(planned, [5, 5, 1, 5, 1, 1, 20, 20, 1, 20, 1, 5, 5]);
}

#[test]
fn good_probes_do_not_shorten_the_time_out_that_traffic_brought() {
    let mut m = machine(|_| {});
    let now = probe(&mut m, Ok(()));
    let change = m.report(EJECT, now).unwrap();
    assert_eq!(change.to, Status::Down(Cause::SuccessRate(3)));
    assert_eq!(m.out_until(), Some(at(30)));
    assert_eq!(
        m.next_probe(),
        Some(now),
        "a probe looks at once whether it sees it too"
    );
    for _ in 0..6 {
        probe(&mut m, Ok(()));
        assert_eq!(
            (m.status(), m.against() <= 2),
            (Status::Down(Cause::SuccessRate(3)), true)
        );
    }
    assert_eq!(m.poll_timeout(), Some(at(30)));
    assert_eq!(
        m.handle_timeout(at(30)).unwrap().to,
        Status::Up,
        "its probes are good: at once"
    );
    // the next time lasts twice as long, less what it has been in service for
    m.report(EJECT, at(31));
    assert_eq!(m.out_until(), Some(at(91)));
}

#[test]
fn a_bad_probe_during_the_time_out_makes_it_wait_for_good_ones_after_it() {
    let mut m = machine(|_| {});
    let now = probe(&mut m, Ok(()));
    m.report(EJECT, now);
    for result in [Ok(()), Ok(()), BAD, BAD, BAD] {
        probe(&mut m, result);
    }
    assert_eq!(
        m.status(),
        Status::Down(Cause::Refused),
        "the newest cause is the one to mend"
    );
    assert_eq!(m.handle_timeout(at(30)), None);
    assert_eq!((m.status(), m.out_until()), (Status::Down(Cause::Refused), None));
    probe(&mut m, Ok(()));
    probe(&mut m, Ok(()));
    assert_eq!(m.status(), Status::Up);
}

#[test]
fn who_serves_its_time_out_takes_its_room_though_a_probe_finds_it_down_too() {
    let of = |m: &mut Machine, id| m.member(BackendId::from_u64(id), at(2));
    let all = || machine(|o| o.max_failures = Some(3));
    let (mut first, mut second, mut third) = (all(), all(), all());
    let now = probe(&mut first, Ok(()));
    first.report(Report::Eject(Cause::Traffic(3)), now);
    probe(&mut first, BAD);
    assert_eq!(first.status(), Status::Down(Cause::Refused));
    second.saw(traffic(3, 0, 3), at(2));
    // a half of three is one, and that one is out
    let mut members = [of(&mut first, 1), of(&mut second, 2), of(&mut third, 3)];
    crate::judge(first.rules(), &mut members);
    assert_eq!(members.iter().find_map(Member::verdict), None);
    // its time is over: from now on its probes keep it out, and that is another matter
    first.handle_timeout(at(30));
    let mut members = [of(&mut first, 1), of(&mut second, 2), of(&mut third, 3)];
    crate::judge(first.rules(), &mut members);
    assert_eq!(members.iter().find_map(Member::verdict), Some(Cause::Traffic(3)));
}

#[test]
fn the_last_one_with_any_weight_is_spared_beside_others_without() {
    let of = |is_weightless, row| {
        let mut m = machine(|o| o.max_failures = Some(3));
        let seen = Traffic {
            is_weightless,
            ..traffic(row, 0, row)
        };
        m.saw(seen, at(0));
        m
    };
    let verdicts = |mut pool: [Machine; 3]| {
        let mut id = 0;
        let mut members = pool.each_mut().map(|m| {
            id += 1;
            m.member(BackendId::from_u64(id), at(0))
        });
        crate::judge(pool[0].rules(), &mut members);
        members.map(|member| (member.backend().as_u64(), member.verdict().is_some()))
    };
    let spared = verdicts([of(false, 9), of(true, 0), of(true, 0)]);
    assert!(spared.iter().all(|(_, is_out)| !is_out), "{spared:?}");
    // beside another one with weight it goes, and who has no weight goes anyway
    assert!(verdicts([of(false, 9), of(false, 0), of(true, 0)]).contains(&(1, true)));
    assert!(verdicts([of(false, 0), of(true, 9), of(true, 0)]).contains(&(2, true)));
}

#[test]
fn repeats_lengthen_the_time_out_and_time_in_service_shortens_it_again() {
    let mut m = machine(|o| o.probing = false);
    let mut lasted = std::vec::Vec::new();
    // in service for so long before each time: 0, 29, 30, 45 and 200 s
    let mut now = at(0);
    for good in [0, 29, 30, 45, 200] {
        now = now.after(secs(good));
        m.report(EJECT, now);
        let end = m.out_until().unwrap();
        lasted.push(end.since(now).as_secs());
        now = end;
        m.handle_timeout(now);
    }
    // repeats: 1; 1 + 1; 2 - 1 + 1; 2 - 1 + 1; none left + 1
    assert_eq!(lasted, [30, 60, 60, 60, 30]);
}

#[test]
fn shorter_times_out_after_a_reload_hold_for_who_is_out_without_probes() {
    let mut m = machine(|o| o.probing = false);
    m.report(EJECT, at(0));
    assert_eq!(m.out_until(), Some(at(30)));
    let mut options = m.rules().options().clone();
    options.passive.eject_for = Some(secs(1));
    m.set_rules(Rules::new(options).unwrap(), at(5));
    assert_eq!(m.out_until(), Some(at(6)));
}

#[test]
fn what_is_seen_is_counted_but_only_the_pool_takes_out() {
    let mut m = machine(|o| {
        o.max_failures = Some(3);
        o.passive.min_requests = 1;
    });
    assert_eq!(m.saw(traffic(9, 0, 9), at(0)), None);
    assert_eq!(m.status(), Status::Starting);
    let id = BackendId::from_u64(1);
    let mut members = [
        m.member(id, at(0)),
        Machine::new(m.rules().clone(), 2, at(0)).member(BackendId::from_u64(2), at(0)),
    ];
    crate::judge(m.rules(), &mut members);
    let verdict = members.iter().find(|member| member.backend() == id).unwrap().verdict();
    assert_eq!(verdict, Some(Cause::Traffic(9)));
    m.report(Report::Eject(Cause::Traffic(9)), at(0));
    assert_eq!(m.status(), Status::Down(Cause::Traffic(9)));
    // back: the old row is paid for, a new one is not
    probe(&mut m, Ok(()));
    probe(&mut m, Ok(()));
    m.handle_timeout(at(30));
    assert_eq!(m.status(), Status::Up);
    let verdict_of = |m: &mut Machine, row| {
        m.saw(traffic(row, 0, 0), at(31));
        let other = Machine::new(m.rules().clone(), 2, at(0)).member(BackendId::from_u64(2), at(31));
        let mut members = [m.member(id, at(31)), other];
        crate::judge(m.rules(), &mut members);
        members.iter().find_map(Member::verdict)
    };
    assert_eq!(verdict_of(&mut m, 9), None);
    assert_eq!(verdict_of(&mut m, 11), None);
    assert_eq!(verdict_of(&mut m, 12), Some(Cause::Traffic(3)));
    assert_eq!(verdict_of(&mut m, 2), None, "a success came in between");
    assert_eq!(verdict_of(&mut m, 3), Some(Cause::Traffic(3)));
}

#[test]
fn what_a_backend_did_before_it_went_out_is_forgotten() {
    let mut m = machine(|o| o.probing = false);
    let id = BackendId::from_u64(1);
    m.saw(traffic(0, 0, 100), at(0));
    m.report(EJECT, at(1));
    m.saw(traffic(0, 0, 100), at(2));
    m.handle_timeout(at(31));
    assert_eq!(
        m.member(id, at(31)),
        Machine::new(m.rules().clone(), 1, at(31)).member(id, at(31))
    );
}

#[test]
fn forced_up_is_full_weight_whatever_happens_and_ready_gives_the_word_back() {
    let mut m = machine(|o| o.slow_start = secs(90));
    let now = probe(&mut m, BAD);
    let change = m.set_admin(Admin::Up, now).unwrap();
    assert_eq!((change.to, change.percent), (Status::Up, 100));
    for result in [BAD, BAD, Ok(()), Ok(()), BAD, BAD] {
        let now = probe(&mut m, result);
        assert_eq!(
            (m.status(), m.ramp(now)),
            (Status::Up, 100),
            "probes go on and change nothing"
        );
        assert_eq!(m.report(EJECT, now), None, "traffic is not heard");
    }
    assert_eq!(m.history().iter().count(), 7);
    let now = probe(&mut m, BAD);
    assert_eq!(m.set_admin(Admin::Ready, now).unwrap().to, Status::Down(Cause::Refused));
    // what happened meanwhile counts: it was up under the order
    m.set_admin(Admin::Up, now);
    probe(&mut m, Ok(()));
    let now = probe(&mut m, Ok(()));
    assert_eq!(
        m.set_admin(Admin::Ready, now),
        None,
        "up it is, and it has its full weight already"
    );
    // slow start that was under way ends with the order
    m.set_admin(Admin::Maintenance, now);
    assert_eq!(m.set_admin(Admin::Ready, now).unwrap().percent, 10);
    assert_eq!(m.set_admin(Admin::Up, now).unwrap().percent, 100);
}

#[test]
fn the_agent_orders_and_takes_back_and_the_stronger_order_holds() {
    let mut m = machine(|_| {});
    let now = probe(&mut m, Ok(()));
    let say = |admin, percent| Advice {
        admin,
        percent,
        down: None,
    };
    assert_eq!(
        m.advise(say(Some(Admin::Drain), None), now).unwrap().to,
        Status::Draining
    );
    assert_eq!((m.order(), m.admin()), (Admin::Drain, Admin::Ready));
    assert_eq!(
        m.advise(say(None, Some(50)), now).unwrap().advised,
        50,
        "the drain stays"
    );
    assert_eq!(m.status(), Status::Draining);
    m.advise(say(Some(Admin::Maintenance), None), now);
    assert_eq!(m.status(), Status::Maintenance);
    assert!(
        m.next_probe().is_some(),
        "it is asked on, or the word could not be taken back"
    );
    m.set_admin(Admin::Up, now);
    assert_eq!(
        (m.status(), m.advised()),
        (Status::Up, 100),
        "the operator's word is stronger"
    );
    m.set_admin(Admin::Drain, now);
    assert_eq!(m.status(), Status::Maintenance, "the agent's is");
    m.advise(say(Some(Admin::Up), None), now);
    assert_eq!(m.order(), Admin::Drain, "an agent's up is no more than ready");
    m.set_admin(Admin::Ready, now);
    assert_eq!((m.status(), m.advised()), (Status::Up, 50));
    assert_eq!(
        m.advise(say(None, Some(0)), now).unwrap().to,
        Status::Draining,
        "no share is a drain"
    );
    assert_eq!(m.advise(say(None, Some(250)), now).unwrap().advised, 100);
    assert_eq!(m.status(), Status::Up);
}
