//! The tables of the crate page, cell by cell.

use super::*;
use crate::RulesOptions;
use core::time::Duration;
use std::vec::Vec;
use std::{format, println};

const PAGE: &str = include_str!("../lib.rs");

#[test]
fn every_cell_of_the_table_with_probes_is_what_the_machine_does() {
    check("| from | good | bad |", true, 14, 11);
}

#[test]
fn every_cell_of_the_table_without_probes_is_what_the_machine_does() {
    check("| from | ok | fail |", false, 9, 9);
}

fn check(head: &str, probing: bool, states: usize, events: usize) {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .skip_while(|line| !line.starts_with(head))
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let (columns, body) = (&rows[0], &rows[2..]);
    assert_eq!((body.len(), columns.len() - 1), (states, events), "the table is whole");
    for row in body {
        assert_eq!(row.len(), columns.len(), "{row:?}");
        for (event, want) in columns.iter().zip(row).skip(1) {
            let (mut machine, now) = make(row[0], probing);
            assert_eq!(name(&machine), row[0], "the way to the row");
            apply(&mut machine, event, now);
            assert_eq!(name(&machine), *want, "{} + {event}", row[0]);
        }
    }
    println!("{} cells", states * events);
}

/// A machine in this state: rise, fall and `max_failures` are 2, a time out is long.
fn make(state: &str, probing: bool) -> (Machine, Time) {
    let rules = Rules::new(RulesOptions {
        probing,
        rise: 2,
        fall: 2,
        max_failures: Some(2),
        passive: crate::PassiveOptions {
            eject_for: Some(Duration::from_secs(1_000)),
            ..crate::PassiveOptions::default()
        },
        ..RulesOptions::default()
    });
    let mut machine = Machine::new(rules.unwrap(), 1, Time::ZERO);
    let up = if probing { "good" } else { "ok" };
    let down: &[&str] = if probing { &["good", "bad", "bad"] } else { &["eject"] };
    let way: Vec<&str> = match state {
        "Starting" => [].into(),
        "Up" => [up].into(),
        "Doubted" => ["bad"].into(),
        "Absent" => ["bad", "bad"].into(),
        "Falling" => [up, "bad"].into(),
        "Down" => down.to_vec(),
        "Rising" => [down, &["good"]].concat(),
        "Ejected" => [up, "eject"].into(),
        "Waiting" => [up, "eject", "good", "good"].into(),
        "Trial" => [up, "eject", "over"].into(),
        "Draining" => [up, "drain"].into(),
        "Drained" => [down, &["drain"]].concat(),
        "Maintenance" => [up, "maint"].into(),
        "Forced" => [up, "up"].into(),
        "Forced-ill" => [down, &["up"]].concat(),
        other => panic!("{other} is not known"),
    };
    let mut now = Time::ZERO;
    for event in way {
        now = apply(&mut machine, event, now);
    }
    (machine, now)
}

/// Lets something happen; says when it was over.
fn apply(machine: &mut Machine, event: &str, now: Time) -> Time {
    let result = match event {
        "good" => Some(Ok(())),
        "bad" => Some(Err(Cause::Refused)),
        "local" => Some(Err(Cause::Local)),
        _ => None,
    };
    if let Some(result) = result {
        // in maintenance it is the rest of a probe that was under way
        let now = machine.next_probe().unwrap_or(now).max(now);
        machine.probe_due(now);
        machine.report(Report::Probe(result), now);
        return now;
    }
    let traffic = |row, ok, failed| Traffic {
        row,
        ok,
        failed,
        ..Traffic::default()
    };
    match event {
        "ok" => machine.saw(traffic(0, 1, 0), now),
        "fail" => machine.report(
            Report::Row {
                failed: machine.row + 1,
            },
            now,
        ),
        "row" => machine.report(
            Report::Row {
                failed: machine.row + 2,
            },
            now,
        ),
        "eject" => machine.report(Report::Eject(Cause::SuccessRate(50)), now),
        "over" => {
            let end = machine.out_until().unwrap_or(now.after(Duration::from_secs(1)));
            machine.handle_timeout(end);
            return end;
        }
        "ready" => machine.set_admin(Admin::Ready, now),
        "drain" => machine.set_admin(Admin::Drain, now),
        "maint" => machine.set_admin(Admin::Maintenance, now),
        "up" => machine.set_admin(Admin::Up, now),
        other => panic!("{other} is not known"),
    };
    now
}

/// The word of the tables for what the machine is.
fn name(machine: &Machine) -> &'static str {
    let rules = machine.rules().options();
    let is_down = matches!(machine.health, Health::Down(_));
    let want_status = match machine.admin() {
        Admin::Maintenance => "maintenance",
        Admin::Up => "up",
        _ if is_down => "down",
        Admin::Drain => "draining",
        Admin::Ready if machine.health == Health::Up => "up",
        Admin::Ready => "starting",
    };
    assert_eq!(machine.status().as_str(), want_status, "{machine:?}");
    let is_ejected = machine.out_until().is_some();
    match (machine.admin(), machine.health) {
        (Admin::Maintenance, _) => "Maintenance",
        (Admin::Up, _) if is_down => "Forced-ill",
        (Admin::Up, _) => "Forced",
        (Admin::Drain, _) if is_down => "Drained",
        (Admin::Drain, _) => "Draining",
        (Admin::Ready, Health::Starting) if machine.on_trial => "Trial",
        (Admin::Ready, Health::Starting) if machine.against() + 1 == rules.fall => "Doubted",
        (Admin::Ready, Health::Starting) => "Starting",
        (Admin::Ready, Health::Up) if machine.against() + 1 == rules.fall => "Falling",
        (Admin::Ready, Health::Up) => "Up",
        (Admin::Ready, Health::Down(_)) if is_ejected && machine.against() == rules.rise => "Waiting",
        (Admin::Ready, Health::Down(_)) if is_ejected => "Ejected",
        (Admin::Ready, Health::Down(_)) if machine.new_since.is_some() => "Absent",
        (Admin::Ready, Health::Down(_)) if machine.against() + 1 == rules.rise => "Rising",
        (Admin::Ready, Health::Down(_)) => "Down",
    }
}

#[test]
fn both_tables_stand_on_the_page_once() {
    for head in ["from | good | bad", "from | ok | fail"] {
        assert_eq!(PAGE.matches(&format!("//! | {head}")).count(), 1);
    }
}
