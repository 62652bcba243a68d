//! Whole text formats of programs that put more behind the standard fields, which nobody else writes like that.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{is_address, known, last, seconds};
use super::haproxy::work;
use super::tail::{How, Tail, is_nginx_seconds, is_whole, with_unit};
use super::word::{Word, Words};

/// ingress-nginx's, Traefik's or HAProxy's, of the words behind the status.
pub(super) fn read<'a>(words: &Words<'a>) -> Option<Tail<'a>> {
    let words: Vec<Word<'a>> = words.clone().take(14).collect();
    let [Word::Bare(_), Word::Quoted(_), Word::Quoted(_), rest @ ..] = words.as_slice() else {
        return None;
    };
    ingress(rest).or_else(|| traefik(rest)).or_else(|| haproxy(rest))
}

/// `length seconds [pool] [] address bytes seconds status id`.
fn ingress<'a>(words: &[Word<'a>]) -> Option<Tail<'a>> {
    let [
        Word::Bare(length),
        Word::Bare(total),
        Word::Bare(pool),
        Word::Bare(alternative),
        Word::Bare(address),
        _,
        Word::Bare(upstream),
        ..,
    ] = words
    else {
        return None;
    };
    let inside = |word: &'a str| word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
    let (pool, _) = (inside(pool)?, inside(alternative)?);
    (is_whole(length) && is_nginx_seconds(total)).then(|| Tail {
        how: How::Layout("ingress-nginx's own format, $upstream_response_time, else $request_time, in seconds"),
        total: seconds(total),
        upstream: last(upstream).and_then(seconds),
        backend: last(address).filter(|address| is_address(address)),
        pool: known(pool),
        ..Tail::default()
    })
}

/// `count "router" "server's URL" 91ms`.
fn traefik<'a>(words: &[Word<'a>]) -> Option<Tail<'a>> {
    let [
        Word::Bare(count),
        Word::Quoted(router),
        Word::Quoted(server),
        Word::Bare(took),
    ] = words
    else {
        return None;
    };
    let is_server = known(server).is_none() || server.contains("://");
    if !is_whole(count) && *count != "-" || !is_server || !took.ends_with("ms") {
        return None;
    }
    let server = known(server)
        .and_then(|url| url.split_once("://"))
        .map(|(_, rest)| rest);
    Some(Tail {
        how: How::Layout("Traefik's own format, the milliseconds at its end"),
        total: Some(with_unit(took)?),
        backend: server.and_then(|rest| rest.split('/').next()).and_then(known),
        pool: known(router),
        is_begin: true,
        ..Tail::default()
    })
}

/// `port milliseconds "frontend" "backend" "server" TR Tw Tc Tr Ta ..`: `option httplog clf`.
fn haproxy<'a>(words: &[Word<'a>]) -> Option<Tail<'a>> {
    let [
        Word::Bare(port),
        Word::Bare(millis),
        Word::Quoted(_),
        Word::Quoted(pool),
        Word::Quoted(server),
        timers @ ..,
    ] = words
    else {
        return None;
    };
    let timers: Vec<&str> = timers.iter().map_while(|word| word.bare()).take(5).collect();
    let [idle, waited, _, answer, total] = *timers.as_slice() else {
        return None;
    };
    if !is_whole(port) || !is_whole(millis) {
        return None;
    }
    let has_server = known(server).is_some_and(|server| !server.starts_with('<'));
    let took = work([idle, waited, answer, total])?;
    Some(Tail {
        how: How::Layout("HAProxy's timers, Ta or Tt without TR and Tw, in milliseconds"),
        total: took.filter(|_| has_server),
        backend: has_server.then_some(*server),
        pool: known(pool),
        is_begin: true,
        ..Tail::default()
    })
}
