//! HAProxy's `option httplog` and `option tcplog`.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{Entry, without_port};
use super::time;
use std::time::Duration;

/// `client:port [accept date] frontend backend/server timers ..`, behind whatever syslog put there.
pub(super) fn read(line: &str) -> Result<Entry<'_>, &'static str> {
    let (before, (unix_nanos, whole_seconds), rest) =
        split(line).ok_or("no [accept date] as in 06/Feb/2009:12:14:14.655")?;
    let client = before
        .split_whitespace()
        .next_back()
        .ok_or("no client before the date")?;
    let mut words = rest.split_whitespace();
    words.next().ok_or("no frontend")?;
    let place = words.next().ok_or("no backend/server")?;
    let (pool, server) = place.split_once('/').ok_or("no / in backend/server")?;
    let mut timers = words.next().ok_or("no timers")?.split('/').map(timer);
    let mut timer = || timers.next().ok_or("too few timers")?.ok_or("a timer is no number");
    let (first, second, third) = (timer()?, timer()?, timer()?);
    let rest: Vec<i64> = timers.collect::<Option<_>>().ok_or("a timer is no number")?;
    let (idle, waited, total, is_http, is_answered) = match rest.as_slice() {
        // tcplog: Tw/Tc/Tt
        [] => (0, first, third, false, second >= 0),
        // httplog: TR/Tw/Tc/Tr/Ta
        [answer, total] => (first, second, *total, true, *answer >= 0),
        _ => return Err("neither 3 nor 5 timers"),
    };
    let status = match is_http {
        true => Some(
            words
                .next()
                .and_then(|s| s.parse::<i32>().ok())
                .ok_or("no status behind the timers")?,
        ),
        false => None,
    };
    let has_server = !server.starts_with('<');
    // a request that waits for the client or in the queue is no work for the server
    let before_server = idle.max(0).saturating_add(waited.max(0));
    let took = u64::try_from(total.saturating_sub(before_server)).ok();
    let begins = u64::try_from(before_server).unwrap_or(0).saturating_mul(1_000_000);
    Ok(Entry {
        unix_nanos: unix_nanos.saturating_add(begins),
        whole_seconds,
        client: Some(without_port(client).into()),
        duration: took
            .filter(|_| has_server && is_answered && total >= 0)
            .map(Duration::from_millis),
        backend: has_server.then(|| server.into()),
        pool: Some(pool.into()),
        status: status.and_then(|status| u16::try_from(status).ok()),
        source: Some(if is_http {
            "HAProxy's timers, Ta or Tt without TR and Tw, in milliseconds"
        } else {
            "HAProxy's timers, Tt without Tw, in milliseconds"
        }),
        ..Entry::default()
    })
}

/// How long the server worked on a request, of TR, Tw, Tr and Ta: a request that waits for the client or in the queue is
/// no work. `None` inside for one that came to nothing, and outside for what is no timer.
pub(super) fn work([idle, waited, answer, total]: [&str; 4]) -> Option<Option<Duration>> {
    let [idle, waited, answer, total] = [timer(idle)?, timer(waited)?, timer(answer)?, timer(total)?];
    let before_server = idle.max(0).saturating_add(waited.max(0));
    let took = u64::try_from(total.saturating_sub(before_server)).ok();
    Some(took.filter(|_| answer >= 0 && total >= 0).map(Duration::from_millis))
}

/// The text before the accept date, the date, the text behind. Process ids and addresses stand in brackets too.
fn split(line: &str) -> Option<(&str, (u64, bool), &str)> {
    line.match_indices('[').find_map(|(open, _)| {
        let (before, inside) = line.split_at_checked(open)?;
        let (when, rest) = inside.get(1..)?.split_once(']')?;
        Some((before, time::clf(when)?, rest))
    })
}

/// Milliseconds; -1 when it did not come to that. A `+` marks a total that is still growing.
fn timer(text: &str) -> Option<i64> {
    text.strip_prefix('+')
        .unwrap_or(text)
        .parse()
        .ok()
        .filter(|millis| *millis < 31_622_400_000)
}
