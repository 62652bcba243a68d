//! The `--format` that would read a line of which a number is unclear.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::clf;
use super::format::{Format, last, without_port};
use super::tail::{time, trimmed};
use super::word::{Word, Words, request};
use std::fmt::Write as _;
use std::net::IpAddr;

/// A format in which the unclear number is the time of the request. It is tried on the line: what does not read it, and
/// what a shell would not pass on as it is, is not suggested.
pub(super) fn suggestion(line: &str, number: &str, is_crowded: bool) -> Option<String> {
    let (before, _, rest) = clf::split(line).ok()?;
    let mut words = Words::new(request(rest)?);
    words.next()?; // the status
    words.next()?; // the bytes
    let mut pieces: Vec<Word<'_>> = words.collect();
    let base = match pieces.as_slice() {
        [Word::Quoted(_), Word::Quoted(_), ..] => {
            pieces.drain(..2);
            "combined"
        }
        _ => "common",
    };
    let mut text = String::new();
    let is_address = |word: &&str| without_port(word).parse::<IpAddr>().is_ok();
    let first = before
        .split_whitespace()
        .position(|word| is_address(&word))
        .unwrap_or(0);
    (0..first).for_each(|_| text.push_str("$skip "));
    text.push_str(base);
    let places = places(&pieces, number, is_crowded);
    let mut names = names(&pieces, &places, is_crowded)?.into_iter();
    for (piece, is_wanted) in pieces.into_iter().zip(places) {
        if names.len() == 0 {
            // the rest of the line
            text.push_str(" $skip");
            break;
        }
        let name = is_wanted.then(|| names.next()).flatten().unwrap_or("$skip");
        // writing to a String cannot fail
        let _ = match piece {
            Word::Quoted(_) => write!(text, " \"{name}\""),
            Word::Named(key, _) if !key.contains(['$', '%', '"']) => write!(text, " {key}={name}"),
            Word::Named(..) => return None,
            Word::Bare(_) => write!(text, " {name}"),
        };
    }
    let reads = text
        .parse::<Format>()
        .ok()?
        .read(line)
        .is_ok_and(|entry| entry.duration.is_some());
    (reads && text.len() < 400 && !text.contains(['\'', '\\']) && !text.contains(char::is_control)).then_some(text)
}

/// Which of the words are the times, or the one unclear number.
fn places(pieces: &[Word<'_>], number: &str, is_crowded: bool) -> Vec<bool> {
    if !is_crowded {
        let first = pieces
            .iter()
            .position(|piece| last(trimmed(value(*piece))) == Some(number));
        return (0..pieces.len()).map(|place| Some(place) == first).collect();
    }
    let mut is_open = false;
    let is_place = |piece: &Word<'_>| {
        is_open = matches!(piece, Word::Bare(text) if time(text).is_some() || (is_open && *text == "-"));
        is_open
    };
    pieces.iter().map(is_place).collect()
}

/// What to call them: nginx's names of three or four times in the order in which they are usually written; for one number
/// Apache's directive or nginx's variable.
fn names(pieces: &[Word<'_>], places: &[bool], is_crowded: bool) -> Option<Vec<&'static str>> {
    let mut wanted = pieces.iter().zip(places).filter(|(_, is_wanted)| **is_wanted);
    if !is_crowded {
        let (first, _) = wanted.next()?;
        let name = if value(*first).contains('.') || time(value(*first)).is_some() {
            "$request_time"
        } else {
            "%D"
        };
        return Some(vec![name]);
    }
    match wanted.count() {
        3 => Some(vec![
            "$request_time",
            "$upstream_connect_time",
            "$upstream_response_time",
        ]),
        4 => Some(vec![
            "$request_time",
            "$upstream_connect_time",
            "$upstream_header_time",
            "$upstream_response_time",
        ]),
        _ => None,
    }
}

fn value(piece: Word<'_>) -> &str {
    match piece {
        Word::Quoted(text) | Word::Bare(text) | Word::Named(_, text) => text,
    }
}
