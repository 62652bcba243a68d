//! What stands behind the standard fields of a text format: durations, backends, pools. A number alone says neither
//! what it counts nor in which unit, so it is a duration only where the format itself says so.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{is_address, known, last, seconds};
use super::word::{Word, Words};
use super::{layouts, name};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct Tail<'a> {
    /// The whole request.
    pub(super) total: Option<Duration>,
    /// The backend's part.
    pub(super) upstream: Option<Duration>,
    pub(super) backend: Option<&'a str>,
    pub(super) pool: Option<&'a str>,
    pub(super) persisted: bool,
    /// The time is that of the beginning: lbd's own `combined_timed`, Traefik's, HAProxy's.
    pub(super) is_begin: bool,
    /// A number that may be a duration.
    pub(super) unclear: Option<&'a str>,
    /// What X-Forwarded-For said, in lbd's own format.
    pub(super) forwarded: Option<&'a str>,
    pub(super) how: How,
    pub(super) seen: Seen<'a>,
}

/// What was seen until now and cannot be judged before the end of the line.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    bare_times: Times<'a>,
    quoted_times: Times<'a>,
    /// Of the third quoted field, which may be X-Forwarded-For.
    third: Option<&'a str>,
    /// Addresses without quotes and name.
    addresses: usize,
    address: Option<&'a str>,
    ua: Option<&'a str>,
    has_us: bool,
    quoted: usize,
    bare: usize,
    /// A name whose value stands behind a space.
    waiting: Option<&'a str>,
}

/// By what a duration was known to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum How {
    #[default]
    Nothing,
    Name,
    NameUnit,
    Digits,
    Unit,
    /// More than two unnamed ones, of which none was taken.
    Crowded,
    Layout(&'static str),
}

/// Unnamed times in the order in which they stand; a `-` behind one is one that was not taken.
#[derive(Debug, Default)]
struct Times<'a> {
    count: usize,
    first: Option<&'a str>,
    second: Option<&'a str>,
    /// Was the word before one of them?
    is_open: bool,
}

impl<'a> Times<'a> {
    fn add(&mut self, text: &'a str) {
        match self.count {
            0 => self.first = Some(text),
            1 => self.second = Some(text),
            _ => {}
        }
        self.count = self.count.saturating_add(1);
        self.is_open = true;
    }

    /// Any other word: `-` behind a time counts as one.
    fn pass(&mut self, text: &str) {
        self.is_open &= text == "-";
        if self.is_open {
            self.count = self.count.saturating_add(1);
        }
    }
}

impl<'a> Tail<'a> {
    /// Of the words behind the status.
    pub(super) fn read(words: Words<'a>) -> Self {
        if let Some(tail) = layouts::read(&words) {
            return tail;
        }
        let mut tail = Self::default();
        words.for_each(|word| tail.take(word));
        tail.decide();
        tail
    }

    /// Where the duration comes from, in words.
    pub(super) fn source(&self) -> Option<&'static str> {
        (self.total.is_some() || self.upstream.is_some()).then_some(match (self.how, self.upstream.is_some()) {
            (How::Layout(source), _) => source,
            (How::Digits, false) => {
                "the one number with three digits behind the point, which is how nginx writes seconds ($request_time)"
            }
            (How::Digits, true) => {
                "the second of two numbers with three digits behind the point, which is how nginx writes seconds \
                 ($request_time, $upstream_response_time)"
            }
            (How::Unit, false) => "the one number that has a unit of time",
            (How::Unit, true) => "the second of two numbers that have a unit of time",
            (How::NameUnit, true) => "the value named urt or upstream_response_time, with its unit",
            (How::NameUnit, false) => "the value whose name says that it is the time of the request, with its unit",
            (_, true) => "the value named urt or upstream_response_time, in seconds",
            (_, false) => "the value named rt or request_time, in seconds",
        })
    }

    fn take(&mut self, word: Word<'a>) {
        if let Some(name) = self.seen.waiting.take()
            && let Word::Quoted(value) | Word::Bare(value) = word
        {
            return self.take_named(name, value);
        }
        match word {
            Word::Quoted(text) => {
                self.seen.quoted = self.seen.quoted.saturating_add(1);
                // Referer, User-Agent and, in nginx's and our own, X-Forwarded-For, whatever they look like
                match self.seen.quoted {
                    ..3 => {}
                    3 => {
                        self.seen.third = Some(text);
                        if time(text).is_some() {
                            self.seen.quoted_times.add(text);
                        }
                    }
                    _ if time(text).is_some() => self.seen.quoted_times.add(text),
                    _ => {
                        self.seen.quoted_times.pass(text);
                        self.take_number(text);
                    }
                }
            }
            Word::Named(name, "") => self.seen.waiting = Some(name),
            Word::Named(name, value) => self.take_named(name, value),
            // the bytes of the body
            Word::Bare(_) if self.seen.quoted == 0 && self.seen.bare == 0 => self.seen.bare = 1,
            Word::Bare(text) => self.take_bare(text),
        }
    }

    fn take_bare(&mut self, text: &'a str) {
        if let Some((name, value)) = text.split_once(':').filter(|(name, _)| name::is_word(name)) {
            match value {
                "" => self.seen.waiting = Some(name),
                value => self.take_named(name, value),
            }
            return;
        }
        let text = trimmed(text);
        if time(text).is_some() {
            self.seen.bare_times.add(text);
        } else if last(text).is_some_and(is_address) {
            self.seen.addresses = self.seen.addresses.saturating_add(1);
            self.seen.address = last(text);
            self.seen.bare_times.is_open = false;
        } else {
            self.seen.bare_times.pass(text);
            self.take_number(text);
        }
    }

    fn take_named(&mut self, name: &'a str, value: &'a str) {
        let name = name.trim_matches(AROUND);
        // of several attempts the last one counts
        let Some(value) = last(trimmed(value)) else {
            return;
        };
        match name {
            "upstream" | "upstream_addr" | "upstream-addr" | "upstream_host" if is_address(value) => {
                self.backend = Some(value);
            }
            "backend" => {
                self.is_begin = true;
                self.backend = known(value);
            }
            // nginx's documented long format: ua="$upstream_addr" us="$upstream_status"; alone it may be a user agent
            "ua" if is_address(value) => self.seen.ua = Some(value),
            "us" => self.seen.has_us |= value.len() == 3 && is_whole(value),
            "pool" | "upstream_name" => self.pool = known(value),
            "why" => self.persisted = value == "persisted",
            _ => self.take_named_time(name, value),
        }
    }

    fn take_named_time(&mut self, name: &str, value: &'a str) {
        let Some((meaning, unit)) = name::meaning(name) else {
            // a name that we do not know, and a value that looks like nothing but a time
            if time(value).is_some() && !name::is_part(name) {
                self.unclear = self.unclear.or(Some(value));
            }
            return;
        };
        let (took, how) = match (with_unit(value), unit) {
            (Some(took), _) => (Some(took), How::NameUnit),
            (None, Some(nanos)) => (name::took(value, nanos), How::NameUnit),
            (None, None) if meaning.is_nginx() && value.contains('.') => (seconds(value), How::Name),
            (None, None) => (None, How::Nothing),
        };
        match took {
            Some(took) => {
                let place = if meaning == name::Meaning::Upstream {
                    &mut self.upstream
                } else {
                    &mut self.total
                };
                *place = Some(took);
                self.how = how;
            }
            // Apache's %D under nginx's name, and such
            None => self.take_number(value),
        }
    }

    /// A number that does not say what it counts.
    fn take_number(&mut self, text: &'a str) {
        let Some(text) = last(trimmed(text)) else {
            return;
        };
        if crate::spec::decimal(text).is_some() {
            self.unclear = self.unclear.or(Some(text));
        }
    }

    /// What unnamed values are, now that all have been seen.
    fn decide(&mut self) {
        if self.is_begin {
            self.forwarded = self.seen.third.and_then(known);
        }
        if self.seen.has_us {
            self.backend = self.backend.or(self.seen.ua);
        }
        // two of them would be one too many to know which one it is
        if self.seen.addresses == 1 {
            self.backend = self.backend.or(self.seen.address);
        }
        if self.total.is_some() || self.upstream.is_some() {
            return;
        }
        // clients write much of what stands in quotes
        let mut times = std::mem::take(&mut self.seen.bare_times);
        if times.count == 0 {
            times = std::mem::take(&mut self.seen.quoted_times);
        }
        if let Some(text) = self.seen.third.filter(|_| times.count == 0) {
            self.take_number(text);
        }
        let Some(first) = times.first else { return };
        if times.count > 2 {
            // $request_time, $upstream_connect_time, $upstream_header_time, $upstream_response_time: which one is the backend's?
            self.unclear = Some(first);
            self.how = How::Crowded;
            return;
        }
        self.total = time(first);
        self.how = match with_unit(first) {
            Some(_) => How::Unit,
            None => How::Digits,
        };
        if let Some(second) = times.second {
            // the backend's part is no longer than the whole
            self.upstream = time(second).filter(|took| Some(*took) <= self.total);
            if self.upstream.is_none() {
                self.unclear = self.unclear.or(Some(second));
            }
        }
    }
}

/// An unnamed value that is a time by itself: three digits behind the point, or a unit. Of several attempts the last.
pub(super) fn time(text: &str) -> Option<Duration> {
    let text = last(trimmed(text))?;
    if is_nginx_seconds(text) {
        return seconds(text);
    }
    with_unit(text)
}

/// Without what people put around a value; the brackets of an IPv6 address belong to it.
pub(super) fn trimmed(text: &str) -> &str {
    let text = text.trim_matches([',', ';', ' ']);
    if is_address(text) {
        text
    } else {
        text.trim_matches(AROUND)
    }
}

/// `91ms`, `0.050s`: a number and one of the units in which programs log.
pub(super) fn with_unit(text: &str) -> Option<Duration> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_logged = matches!(unit, "s" | "ms" | "us" | "µs" | "ns");
    is_logged.then(|| crate::spec::duration(text).ok()).flatten()
}

/// nginx writes each time with three digits behind the point, and a ratio with two.
pub(super) fn is_nginx_seconds(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(whole, part)| is_whole(whole) && part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()))
        && seconds(text).is_some()
}

pub(super) fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What people put around a value.
const AROUND: [char; 9] = [',', ';', '[', ']', '(', ')', '{', '}', ' '];
