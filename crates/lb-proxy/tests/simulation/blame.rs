//! What is said of an end must be true, and what is promised to whom waits must be kept: one function per rule, as in `rules.rs`.

use crate::history::{Asked, History, Line};
use crate::rules::{COARSE, id_of};
use crate::weather::Way;
use std::time::Duration;

/// Only of a client that reset, closed or half-closed its connection it is said that it did.
pub(crate) fn who_is_said_to_have_reset_has_left(history: &History) -> Result<(), String> {
    for (line, asked) in lines(history, &["client_reset"]) {
        if asked.left_at.is_none_or(|left| left > line.ended_at) {
            let (ended, left) = (line.ended_at, asked.left_at);
            return Err(format!(
                "request {} ended so at {ended:?}, its client left: {left:?}",
                asked.id
            ));
        }
    }
    Ok(())
}

/// A backend of which it is said that it did not answer in time was asked. Where a request needs most of that time for its way,
/// a reset may overtake it.
pub(crate) fn who_is_called_late_was_asked(history: &History, timeout: Duration, way: &Way) -> Result<(), String> {
    for (line, asked) in lines(history, &["upstream_timeout"]) {
        let was_asked =
            |visit: &crate::history::Visit| visit.id == asked.id && format!("b{}", visit.backend) == line.backend;
        // While nobody runs nothing is sent, and time passes all the same.
        let may_be = timeout > way.long() * 2 && history.stalled(line.began_at, line.ended_at).is_zero();
        if may_be && !history.visits.iter().any(was_asked) {
            return Err(format!("request {} never came to {}", asked.id, line.backend));
        }
    }
    Ok(())
}

/// Backends refuse or reset connections, or say nothing: what fails otherwise is a want of the balancer's own.
pub(crate) fn a_want_of_ours_is_no_fault_of_a_backend(history: &History) -> Result<(), String> {
    let is_ours = |line: &&Line| line.end == "connect_failed" && !line.detail.starts_with("reset");
    match history.lines.iter().find(is_ours) {
        None => Ok(()),
        Some(line) => Err(format!("{:?}: {} is said to have failed", line.target, line.backend)),
    }
}

/// No request fails for want of a descriptor while somebody who asks for nothing has one.
pub(crate) fn who_is_idle_makes_room(history: &History, way: &Way) -> Result<(), String> {
    for line in history
        .lines
        .iter()
        .filter(|line| line.detail == "no free file descriptor")
    {
        let is_spare =
            |idle: &&Idle| idle.from + IDLE + way.long() <= line.began_at && idle.to >= line.ended_at + way.long();
        if line.end == "local_shortage"
            && let Some(idle) = history.idle.iter().find(is_spare)
        {
            return Err(format!("{:?} at {:?}, and {idle:?}", line.target, line.ended_at));
        }
    }
    Ok(())
}

/// A client whose requests are all answered is let go after the keep-alive time, whatever it sends that is no request.
pub(crate) fn who_asks_nothing_is_let_go(history: &History, keep_alive: Duration, way: &Way) -> Result<(), String> {
    // A drain has a patience of its own.
    let before = |idle: &&Idle| history.drained_at.is_none_or(|drained| drained > idle.to);
    for idle in history.idle.iter().filter(before) {
        let stalled = history.stalled(idle.from, idle.to);
        if idle.to > idle.from + keep_alive + stalled + way.long() + COARSE {
            return Err(format!("{idle:?}, and the time for it was {keep_alive:?}"));
        }
    }
    Ok(())
}

/// An answer of the balancer's own to a request that has nothing more to come leaves the connection open.
pub(crate) fn an_answer_of_our_own_keeps_the_connection(history: &History, most: u32) -> Result<(), String> {
    for (line, asked) in lines(history, &KEEPING) {
        let drains = history.drained_at.is_some_and(|drained| drained <= line.ended_at);
        if asked.may_be_kept && asked.number < most && !drains && asked.answer.is_some_and(|answer| answer.closes) {
            return Err(format!(
                "{} {} with no body: {} closes",
                asked.method, asked.id, line.end
            ));
        }
    }
    Ok(())
}

/// A client that has got all its answers and waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// Lines with one of these ends, and what was asked.
fn lines<'a>(history: &'a History, ends: &[&str]) -> impl Iterator<Item = (&'a Line, &'a Asked)> {
    let lines = history
        .lines
        .iter()
        .filter(move |line| ends.contains(&line.end.as_str()));
    lines.filter_map(|line| {
        let asked = history.asked.iter().find(|asked| Some(asked.id) == id_of(&line.target));
        asked.map(|asked| (line, asked))
    })
}

/// Ends that say nothing against the request or its client.
const KEEPING: [&str; 5] = [
    "no_backend",
    "backends_busy",
    "connect_refused",
    "connect_timeout",
    "upstream_closed",
];
/// Who has been idle for less may be about to ask.
const IDLE: Duration = Duration::from_secs(1);
