//! What must hold whatever happens: one function per rule. Each gets facts and says what is wrong with them.

use crate::history::{Asked, History, Side, Tunnel};
use crate::weather::Way;
use std::collections::BTreeMap;
use std::time::Duration;

/// Whose breach ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    ResponseBelongs,
    CutLooksCut,
    OneBackend,
    BytesArrive,
    TicketsReturn,
    NothingIsLeft,
    NobodyWaits,
    InTime,
    Blame,
    Kept,
    NobodyIsServedInVain,
    EndsOnce,
    /// Not the worker, and none of its connections.
    NobodyPanics,
    /// What a peer got is no HTTP.
    Framing,
}

/// A rule that was broken.
#[derive(Debug, Clone)]
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    pub(crate) what: String,
}

/// A response that says from which visit it comes belongs to the request that made that visit.
pub(crate) fn a_response_belongs_to_its_request(history: &History) -> Result<(), String> {
    for (asked, answer) in answered(history) {
        match (
            answer.says,
            answer.visit.and_then(|visit| history.visits.get(visit as usize)),
        ) {
            (Some(says), Some(visit)) if says != asked.id || visit.id != asked.id => {
                return Err(format!(
                    "request {} got the response to {says} (visit for {})",
                    asked.id, visit.id
                ));
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err(format!("request {} got a response that no backend gave", asked.id));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a client takes for a whole response was sent as a whole, and has the length that was meant.
pub(crate) fn a_cut_response_never_looks_whole(history: &History) -> Result<(), String> {
    for (asked, answer) in answered(history).filter(|(_, answer)| answer.is_whole) {
        let Some(visit) = answer.visit.and_then(|visit| history.visits.get(visit as usize)) else {
            continue;
        };
        if !visit.said_whole {
            return Err(format!(
                "request {}: {} of {} bytes were sent, and it looks whole with {}",
                asked.id, visit.said, visit.meant, answer.body
            ));
        }
        let body = if asked.method == "HEAD" { 0 } else { visit.meant };
        if answer.body != body {
            return Err(format!(
                "request {}: {body} bytes were sent, {} came",
                asked.id, answer.body
            ));
        }
    }
    Ok(())
}

/// A request that may not be repeated, and any of which was sent, comes to one backend at most, and there once.
pub(crate) fn what_may_not_be_repeated_comes_once(history: &History) -> Result<(), String> {
    let mut seen = BTreeMap::new();
    for visit in history.visits.iter().filter(|visit| !is_idempotent(&visit.method)) {
        if let Some(before) = seen.insert(visit.id, visit.backend) {
            let (method, id, backend) = (&visit.method, visit.id, visit.backend);
            return Err(format!("{method} {id} came to backend {before} and then to {backend}"));
        }
    }
    Ok(())
}

/// An upload that a backend takes for a whole one was sent as a whole, and has its length.
pub(crate) fn an_upload_arrives_as_it_was_sent(history: &History) -> Result<(), String> {
    let asked: BTreeMap<u32, &Asked> = history.asked.iter().map(|asked| (asked.id, asked)).collect();
    for visit in &history.visits {
        let Some(asked) = asked.get(&visit.id) else {
            return Err(format!(
                "backend {} got request {}, which nobody sent",
                visit.backend, visit.id
            ));
        };
        if visit.method != asked.method {
            return Err(format!("{} {} came as {}", asked.method, asked.id, visit.method));
        }
        if visit.is_whole && (!asked.is_whole || visit.body != asked.body) {
            let (id, body, sent) = (asked.id, asked.body, asked.sent);
            return Err(format!(
                "{id}: {sent} of {body} were sent, and it looks whole with {}",
                visit.body
            ));
        }
    }
    Ok(())
}

/// Who ended tunnels of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    Peers,
    /// The balancer, because nothing moved for as long as may be.
    Idleness,
    /// The balancer, because it was told to end now.
    Deadline,
}

/// What a tunnel delivers is what a direct connection would: nothing that was not sent, an end only where one was said,
/// and all of it to whom stays.
pub(crate) fn a_tunnel_delivers_what_a_direct_connection_would(
    tunnel: &Tunnel,
    by: EndedBy,
    way: &Way,
) -> Result<(), String> {
    let Some(client) = tunnel.client else { return Ok(()) };
    let Some(backend) = tunnel.backend else {
        return match client.got {
            0 => Ok(()),
            got => Err(format!("tunnel {}: {got} bytes came from no backend", tunnel.id)),
        };
    };
    for (to, from, got, sent) in [
        ("client", "backend", client, backend),
        ("backend", "client", backend, client),
    ] {
        delivered(got, sent, client.left || backend.left, by, way)
            .map_err(|what| format!("tunnel {}, {from} to {to}: {what}", tunnel.id))?;
    }
    Ok(())
}

fn delivered(got: Side, sent: Side, somebody_left: bool, by: EndedBy, way: &Way) -> Result<(), String> {
    if got.got > sent.sent {
        return Err(format!("{} bytes were sent and {} came", sent.sent, got.got));
    }
    // A balancer that waited for longer than it may ends in order what is not in its hands, as HAProxy does; what was under
    // way in the network in that moment is lost.
    if by == EndedBy::Idleness {
        return Ok(());
    }
    if got.saw_end && !sent.said_end {
        return Err("an end came that was not said".into());
    }
    if by == EndedBy::Deadline {
        return Ok(());
    }
    let is_whole = got.got == sent.sent && got.saw_end == sent.said_end;
    // Who said all in order and left long after has nothing under way; the balancer has it, and the other side stays.
    let was_said = !got.left
        && !got.was_deaf
        && sent.sent <= SMALL
        && sent.at_once
        && way.is_whole
        && sent.stayed.is_some_and(|stayed| stayed > way.long());
    if !is_whole && (!somebody_left || got.saw_end || (was_said && got.got < sent.sent)) {
        let how = if got.saw_end { "and the end" } else { "and no end" };
        return Err(format!("{} bytes were sent, {} came {how}", sent.sent, got.got));
    }
    Ok(())
}

/// Fits into the least buffer of a tunnel, so that it is read at once, however slow the other side is.
pub(crate) const SMALL: u64 = 16_000;

/// After all is over no backend has anything in flight.
pub(crate) fn every_ticket_comes_back(in_flight: &[(String, u32)]) -> Result<(), String> {
    let left: Vec<_> = in_flight.iter().filter(|(_, count)| *count != 0).collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("in flight still: {left:?}"))
    }
}

/// What a worker holds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    /// Of its clients, by three counts: the worker's, the listeners', and opened less closed.
    pub(crate) clients: [u64; 3],
    /// Connections of the network that its ends are not closed of.
    pub(crate) streams: u64,
    /// Connections to backends that may be kept idle.
    pub(crate) may_keep: u64,
    /// Deadlines of connections, and pipes of the kernel.
    pub(crate) timers: u64,
    pub(crate) pipes: u64,
}

/// Without clients a worker holds no place, no deadline, and of connections only those to backends that it may keep.
pub(crate) fn nothing_is_held_without_clients(held: &Held) -> Result<(), String> {
    if held.clients != [0; 3] || held.timers + held.pipes != 0 {
        return Err(format!("nobody is connected, and yet: {held:?}"));
    }
    if held.streams > held.may_keep {
        return Err(format!(
            "{} connections are open, {} may be kept",
            held.streams, held.may_keep
        ));
    }
    Ok(())
}

/// Whoever is not waiting by his own wish gets something, an answer or an end, within the longest of all patiences.
pub(crate) fn nobody_waits_without_a_deadline(waits: Duration, longest: Duration) -> Result<(), String> {
    if waits <= longest {
        Ok(())
    } else {
        Err(format!("nothing for {waits:?}, longer than {longest:?}"))
    }
}

/// A backend whose answer was on its way before the time for it was over is not said to be late, whatever else was to be done
/// then.
pub(crate) fn who_answers_in_time_is_not_late(history: &History, timeout: Duration, way: &Way) -> Result<(), String> {
    for line in history.lines.iter().filter(|line| line.end == "upstream_timeout") {
        let Some(id) = id_of(&line.target) else { continue };
        let Some(visit) = history.visits.iter().rev().find(|visit| visit.id == id) else {
            continue;
        };
        let asked = history.asked.iter().find(|asked| asked.id == id);
        // The balancer cannot have waited for it since before that.
        if let (Some(asked), Some(said)) = (asked, visit.said_at)
            && said + way.time * 2 + COARSE <= asked.begun_at + timeout
        {
            let begun = asked.begun_at;
            return Err(format!(
                "request {id} began at {begun:?}, was answered at {said:?}, and that was too late"
            ));
        }
    }
    Ok(())
}

/// Who resets his connection is not served for long after that, whatever his request waits for.
pub(crate) fn who_resets_is_not_served_further(history: &History, way: &Way) -> Result<(), String> {
    for line in history.lines.iter().filter(|line| !line.end.starts_with("tunnel")) {
        let asked = history.asked.iter().find(|asked| Some(asked.id) == id_of(&line.target));
        let Some(reset) = asked.and_then(|asked| asked.reset_at) else {
            continue;
        };
        // Who waited to be let in is looked at then.
        let stalled = history.stalled(reset, line.ended_at);
        if line.ended_at > reset.max(line.began_at) + stalled + way.long() + ASKS {
            return Err(format!(
                "the client of {:?} reset at {reset:?}, it ended at {:?}",
                line.target, line.ended_at
            ));
        }
    }
    Ok(())
}

/// Who takes nothing of his answer keeps its backend for as long as one may, and not for as long as he sends something.
pub(crate) fn who_takes_nothing_is_not_waited_for(
    history: &History,
    patience: Duration,
    way: &Way,
) -> Result<(), String> {
    for line in &history.lines {
        let asked = history.asked.iter().find(|asked| Some(asked.id) == id_of(&line.target));
        let Some(stopped) = asked.and_then(|asked| asked.stopped_at) else {
            continue;
        };
        let stalled: Duration = history.stalls.iter().map(|(_, stall)| *stall).sum();
        if line.ended_at > stopped + FILLS + patience + stalled + way.long() * 10 {
            let ended = line.ended_at;
            return Err(format!(
                "{:?}: nothing was read from {stopped:?} on, it ended at {ended:?}",
                line.target
            ));
        }
    }
    Ok(())
}

/// All windows are full by then.
const FILLS: Duration = Duration::from_secs(15);

/// A client from which nothing is read is asked so often whether it is there, and once more when it is heard late.
const ASKS: Duration = Duration::from_millis(2_300);

/// The wheel of deadlines looks so seldom.
pub(crate) const COARSE: Duration = Duration::from_millis(150);

/// What was counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counted {
    pub(crate) opened: u64,
    pub(crate) requests: u64,
    /// By the word of the end.
    pub(crate) ends: BTreeMap<String, u64>,
    /// By the names of the pool and of the end.
    pub(crate) pool_ends: BTreeMap<(String, String), u64>,
    pub(crate) lost_lines: u64,
    /// The network is so quick that whoever shook hands in time was accepted.
    pub(crate) all_were_accepted: bool,
}

/// Each request that came to a backend, and each TCP connection, has one line and one end; what else has
/// an end is a connection that ended between requests.
pub(crate) fn each_end_is_counted_once(history: &History, counted: &Counted) -> Result<(), String> {
    let (http, tcp) = history.connected;
    if counted.opened > http + tcp || (counted.opened < http + tcp && counted.all_were_accepted) {
        return Err(format!(
            "{} connections were made, {} counted",
            http + tcp,
            counted.opened
        ));
    }
    let lines = |listener: &str| history.lines.iter().filter(|line| line.listener == listener).count() as u64;
    if lines("tcp") > tcp || (lines("tcp") < tcp && counted.all_were_accepted) || counted.lost_lines > 0 {
        return Err(format!("{tcp} TCP connections, {} lines", lines("tcp")));
    }
    if counted.requests > lines("http") {
        return Err(format!("{} requests, {} lines", counted.requests, lines("http")));
    }
    let mut by_id: BTreeMap<u32, u64> = BTreeMap::new();
    for id in history.lines.iter().filter_map(|line| id_of(&line.target)) {
        *by_id.entry(id).or_default() += 1;
    }
    for visit in &history.visits {
        by_id.entry(visit.id).or_default();
    }
    if let Some((id, count)) = by_id.iter().find(|(_, count)| **count != 1) {
        return Err(format!("request {id} has {count} lines"));
    }
    let mut between = 0;
    let mut ends: BTreeMap<&str, u64> = counted.ends.keys().map(|end| (end.as_str(), 0)).collect();
    for line in &history.lines {
        *ends.entry(&line.end).or_default() += 1;
    }
    for (end, logged) in ends {
        let count = counted.ends.get(end).copied().unwrap_or(0);
        if count < logged || (count > logged && !BETWEEN_REQUESTS.contains(&end)) {
            return Err(format!("{end} was counted {count} times and logged {logged} times"));
        }
        between += count - logged;
    }
    if between > http {
        return Err(format!("{between} of {http} connections ended between requests"));
    }
    // Nothing that is no pool's ends in a pool, and what is a pool's has a line.
    let mut pool_ends: BTreeMap<(String, String), u64> = BTreeMap::new();
    for line in history.lines.iter().filter(|line| !line.pool.is_empty()) {
        *pool_ends.entry((line.pool.clone(), line.end.clone())).or_default() += 1;
    }
    if pool_ends != counted.pool_ends {
        return Err(format!("pools counted {:?}, logged {pool_ends:?}", counted.pool_ends));
    }
    Ok(())
}

/// How a connection can end between requests.
const BETWEEN_REQUESTS: [&str; 4] = ["client_idle", "client_reset", "made_room", "drain"];

/// The id in a target.
pub(crate) fn id_of(target: &str) -> Option<u32> {
    target.strip_prefix("/r/")?.get(..ID_DIGITS)?.parse().ok()
}

/// An id in a target has so many digits, so that a part of it is not taken for another one.
pub(crate) const ID_DIGITS: usize = 6;

fn answered(history: &History) -> impl Iterator<Item = (&Asked, crate::history::Answer)> {
    history.asked.iter().filter_map(|asked| Some((asked, asked.answer?)))
}

pub(crate) fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "PUT" | "DELETE")
}
