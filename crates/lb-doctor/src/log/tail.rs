//! What stands behind the standard fields of a text format: durations, backends, pools. A number alone says neither
//! what it counts nor in which unit, so it is a duration only where the format itself says so.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{is_address, known, seconds};
use super::word::{Word, Words};
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
    /// The time is that of the beginning: lbd's own `combined_timed`.
    pub(super) is_begin: bool,
    /// A number that may be a duration.
    pub(super) unclear: Option<&'a str>,
    how: How,
    quoted: usize,
    bare: usize,
}

/// By what a duration was known to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum How {
    #[default]
    Nothing,
    Name,
    Digits,
    Ingress,
}

impl<'a> Tail<'a> {
    /// Of the words behind the status.
    pub(super) fn read(words: Words<'a>) -> Self {
        let mut tail = Self::default();
        if tail.ingress(words.clone()) {
            return tail;
        }
        words.for_each(|word| tail.take(word));
        tail
    }

    /// Where the duration comes from, in words.
    pub(super) fn source(&self) -> Option<&'static str> {
        (self.total.is_some() || self.upstream.is_some()).then_some(match (self.how, self.upstream.is_some()) {
            (How::Ingress, _) => "ingress-nginx's own format, $upstream_response_time, else $request_time, in seconds",
            (How::Digits, false) => {
                "the one number with three digits behind the point, which is how nginx writes seconds ($request_time)"
            }
            (How::Digits, true) => {
                "the second of two numbers with three digits behind the point, which is how nginx writes seconds \
                 ($request_time, $upstream_response_time)"
            }
            (_, true) => "the value named urt or upstream_response_time, in seconds",
            (_, false) => "the value named rt or request_time, in seconds",
        })
    }

    /// `bytes "referer" "agent" length seconds [pool] [] address bytes seconds status id`: nobody else writes that.
    fn ingress(&mut self, words: Words<'a>) -> bool {
        let words: Vec<Word<'a>> = words.take(12).collect();
        let [
            Word::Bare(_),
            Word::Quoted(_),
            Word::Quoted(_),
            Word::Bare(length),
            Word::Bare(total),
            Word::Bare(pool),
            Word::Bare(alternative),
            Word::Bare(address),
            _,
            Word::Bare(upstream),
            ..,
        ] = words.as_slice()
        else {
            return false;
        };
        let inside = |word: &'a str| word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        let (Some(pool), Some(_)) = (inside(pool), inside(alternative)) else {
            return false;
        };
        if !length.bytes().all(|b| b.is_ascii_digit()) || !is_nginx_seconds(total) {
            return false;
        }
        self.how = How::Ingress;
        self.total = seconds(total);
        self.upstream = last(upstream).and_then(seconds);
        self.backend = last(address).filter(|address| is_address(address));
        self.pool = known(pool);
        true
    }

    fn take(&mut self, word: Word<'a>) {
        match word {
            Word::Quoted(text) => {
                self.quoted = self.quoted.saturating_add(1);
                // Referer, User-Agent and, in nginx's and our own, X-Forwarded-For, whatever they look like
                if self.quoted > 3 || (self.quoted == 3 && !is_address(text)) {
                    self.take_value(text);
                }
            }
            Word::Named(name, value) => self.take_named(name, value),
            // the bytes of the body
            Word::Bare(_) if self.quoted == 0 && self.bare == 0 => self.bare = 1,
            Word::Bare(text) => self.take_value(text),
        }
    }

    fn take_named(&mut self, name: &str, value: &'a str) {
        // of several attempts the last one counts
        let Some(value) = last(value) else { return };
        let place = match name {
            "rt" | "request_time" | "reqtime" | "request-time" => &mut self.total,
            "urt" | "upstream_response_time" | "upstream-response-time" => &mut self.upstream,
            "upstream" | "upstream_addr" | "ua" | "addr" if is_address(value) => {
                self.backend = Some(value);
                return;
            }
            "backend" => {
                self.is_begin = true;
                self.backend = known(value);
                return;
            }
            "pool" | "upstream_name" => {
                self.pool = known(value);
                return;
            }
            "why" => {
                self.persisted = value == "persisted";
                return;
            }
            _ => return,
        };
        if value.contains('.') {
            *place = seconds(value);
            self.how = How::Name;
        } else if is_whole(value) {
            // Apache's %D under nginx's name
            self.unclear = self.unclear.or(Some(value));
        }
    }

    fn take_value(&mut self, text: &'a str) {
        let text = text.trim_matches([',', '[', ']', ' ']);
        let Some(text) = last(text) else { return };
        if is_address(text) {
            self.backend = Some(text);
        } else if is_nginx_seconds(text) && self.how != How::Name {
            match (seconds(text), self.total, self.upstream) {
                (Some(took), None, _) => {
                    self.total = Some(took);
                    self.how = How::Digits;
                }
                // the backend's part is no longer than the whole
                (Some(took), Some(total), None) if took <= total => self.upstream = Some(took),
                (Some(_), ..) => self.unclear = self.unclear.or(Some(text)),
                (None, ..) => {}
            }
        } else if is_whole(text) || crate::spec::decimal(text).is_some() {
            self.unclear = self.unclear.or(Some(text));
        }
    }
}

/// Of a list with one value for each attempt, the last.
fn last(list: &str) -> Option<&str> {
    list.rsplit([',', ' ']).find(|part| !part.is_empty()).and_then(known)
}

/// nginx writes each time with three digits behind the point, and a ratio with two.
fn is_nginx_seconds(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(whole, part)| is_whole(whole) && part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()))
        && seconds(text).is_some()
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
