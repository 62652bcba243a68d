//! Apache's and nginx's text formats.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{Entry, known, without_port};
use super::tail::{How, Tail};
use super::time;
use super::word::{Word, Words, request};
use std::net::IpAddr;

/// `host ident user [time] "request" status bytes`, then whatever there is.
pub(super) fn read(line: &str) -> Result<Entry<'_>, &'static str> {
    let (before, (unix_nanos, whole_seconds), rest) = split(line)?;
    let rest = request(rest).ok_or("no \"request\" behind the time")?;
    let mut words = Words::new(rest);
    let status = words
        .next()
        .and_then(Word::bare)
        .ok_or("no status behind the request")?;
    let status = match status {
        "-" => None,
        number => Some(
            number
                .parse()
                .ok()
                .filter(|s| *s < 1000)
                .ok_or("the status is no number")?,
        ),
    };
    let tail = Tail::read(words);
    // nginx writes the moment of the end
    let took = tail
        .total
        .or(tail.upstream)
        .filter(|_| !tail.is_begin)
        .unwrap_or_default();
    let began = unix_nanos.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    Ok(Entry {
        unix_nanos: began,
        whole_seconds,
        client: client(before).map(Into::into),
        duration: tail.upstream.or(tail.total),
        source: tail.source(),
        unclear: tail.unclear,
        backend: tail.backend.map(Into::into),
        pool: tail.pool.map(Into::into),
        status,
        persisted: tail.persisted,
        forwarded: tail.forwarded.and_then(forwarded).map(Into::into),
        is_unnamed: matches!(tail.how, How::Digits | How::Unit),
        is_crowded: tail.how == How::Crowded,
    })
}

/// The last element of X-Forwarded-For: whom the nearest proxy saw. Those before it were written by whoever came before.
pub(super) fn forwarded(chain: &str) -> Option<&str> {
    let element = chain.rsplit(',').next()?.trim();
    address(element).parse::<IpAddr>().is_ok().then(|| address(element))
}

/// What stands before `[time]`, the time, and what stands behind. Clients and users may have brackets of their own, so
/// it is the first pair that holds a time and has the request behind it.
pub(super) fn split(line: &str) -> Result<(&str, (u64, bool), &str), &'static str> {
    let mut why = "no [time]";
    for (open, _) in line.match_indices('[') {
        let (before, inside) = line.split_at_checked(open).ok_or(why)?;
        let Some((when, rest)) = inside.get(1..).and_then(|inside| inside.split_once(']')) else {
            continue;
        };
        match time::clf(when) {
            Some(when) if rest.trim_start().starts_with('"') => return Ok((before, when, rest)),
            Some(_) => why = "no \"request\" behind the time",
            None if why == "no [time]" => why = "the time is not as in 10/Oct/2000:13:55:36 -0700",
            None => {}
        }
    }
    Err(why)
}

/// The first address; the first word if none is one (a resolved name).
pub(super) fn client(before: &str) -> Option<&str> {
    let mut words = before.split_whitespace();
    let is_client = |word: &&str| address(word).parse::<IpAddr>().is_ok();
    let found = before.split_whitespace().find(is_client).map(address);
    found.or_else(|| words.next()).and_then(known)
}

/// Without port, brackets and zone: `[fe80::1%eth0]:443` is `fe80::1`.
fn address(word: &str) -> &str {
    let bare = without_port(word);
    bare.split_once('%').map_or(bare, |(address, _)| address)
}
