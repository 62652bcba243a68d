//! Apache's and nginx's text formats.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{Entry, is_address, known, seconds, without_port};
use super::time;
use std::net::IpAddr;
use std::time::Duration;

/// `host ident user [time] "request" status bytes`, then whatever there is.
pub(super) fn read(line: &str) -> Result<Entry<'_>, &'static str> {
    let (before, rest) = line.split_once('[').ok_or("no [time]")?;
    let (when, rest) = rest.split_once(']').ok_or("no end of [time]")?;
    let (unix_nanos, whole_seconds) = time::clf(when).ok_or("the time is not as in 10/Oct/2000:13:55:36 -0700")?;
    let mut words = Words(rest);
    match words.next() {
        Some(Word::Quoted(_)) => {}
        _ => return Err("no \"request\" behind the time"),
    }
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
    let mut more = More::default();
    words.for_each(|word| more.take(word));
    let duration = more.upstream.or(more.total).or_else(|| more.micros());
    // nginx writes the moment of the end, and times with a point; Apache that of the beginning
    let took = more.total.or(more.upstream).unwrap_or_default();
    let began = unix_nanos.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    Ok(Entry {
        unix_nanos: began,
        whole_seconds,
        client: client(before).map(Into::into),
        duration,
        backend: more.backend.map(Into::into),
        status,
        ..Entry::default()
    })
}

/// The first address; the first word if none is one (a resolved name).
fn client(before: &str) -> Option<&str> {
    let mut words = before.split_whitespace();
    let is_client = |word: &&str| without_port(word).parse::<IpAddr>().is_ok();
    let found = before.split_whitespace().find(is_client).map(without_port);
    found.or_else(|| words.next()).and_then(known)
}

/// What stands behind the standard fields.
#[derive(Debug, Default)]
struct More<'a> {
    total: Option<Duration>,
    upstream: Option<Duration>,
    backend: Option<&'a str>,
    quoted: usize,
    last_whole: Option<u64>,
}

impl<'a> More<'a> {
    fn take(&mut self, word: Word<'a>) {
        match word {
            Word::Quoted(text) => {
                self.quoted = self.quoted.saturating_add(1);
                // the first two are Referer and User-Agent, whatever they look like
                if self.quoted > 2 {
                    self.take_value(text);
                }
            }
            Word::Named(name, value) => self.take_named(name, value),
            Word::Bare(text) => self.take_value(text),
        }
    }

    fn take_named(&mut self, name: &str, value: &'a str) {
        // of several attempts the last one counts
        let value = value.rsplit([',', ' ']).find(|part| !part.is_empty()).unwrap_or(value);
        match name {
            "rt" | "request_time" | "reqtime" | "request-time" => self.total = seconds(value),
            "urt" | "upstream_response_time" | "upstream-response-time" => self.upstream = seconds(value),
            "upstream" | "upstream_addr" | "ua" | "addr" if is_address(value) => self.backend = Some(value),
            _ => {}
        }
    }

    fn take_value(&mut self, text: &'a str) {
        let text = text.trim_matches([',', '[', ']', ' ']);
        let text = text.rsplit(", ").next().unwrap_or(text);
        if is_address(text) {
            self.backend = Some(text);
        } else if text.contains('.') {
            match (seconds(text), self.total) {
                (Some(took), None) => self.total = Some(took),
                (Some(took), Some(_)) => self.upstream = Some(took),
                (None, _) => {}
            }
        } else if let Ok(number) = text.parse() {
            self.last_whole = (self.quoted >= 2).then_some(number);
        }
    }

    /// Apache's `%D`: a whole number behind the combined format.
    fn micros(&self) -> Option<Duration> {
        self.last_whole
            .filter(|micros| *micros < 31_622_400_000_000)
            .map(Duration::from_micros)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    Quoted(&'a str),
    Named(&'a str, &'a str),
    Bare(&'a str),
}

impl<'a> Word<'a> {
    fn bare(self) -> Option<&'a str> {
        match self {
            Self::Bare(text) => Some(text),
            _ => None,
        }
    }
}

/// Words separated by spaces; quotes keep spaces, backslashes keep quotes.
#[derive(Debug)]
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let text = self.0.trim_start();
        if let Some(rest) = text.strip_prefix('"') {
            let (inside, after) = quoted(rest);
            self.0 = after;
            return Some(Word::Quoted(inside));
        }
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (word, after) = text.split_at_checked(end)?;
        if word.is_empty() {
            return None;
        }
        if let Some((name, value)) = word.split_once('=') {
            if value.starts_with('"') {
                let rest = text.split_once("=\"").map_or("", |(_, rest)| rest);
                let (inside, after) = quoted(rest);
                self.0 = after;
                return Some(Word::Named(name, inside));
            }
            self.0 = after;
            return Some(Word::Named(name, value));
        }
        self.0 = after;
        Some(Word::Bare(word))
    }
}

/// What stands before the closing quote, and what behind; all of it when there is none.
fn quoted(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => {
                let (inside, rest) = text.split_at_checked(at).unwrap_or((text, ""));
                return (inside, rest.strip_prefix('"').unwrap_or(rest));
            }
            _ => {}
        }
    }
    (text, "")
}
