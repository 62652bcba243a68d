//! Names that people give to durations in their logs.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::time::Duration;

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// nginx's $request_time.
    Total,
    /// nginx's $upstream_response_time.
    Upstream,
    /// The time of the request, in a unit that the name alone does not tell.
    Loose,
}

impl Meaning {
    /// Does nginx write it, in seconds with a point?
    pub(super) fn is_nginx(self) -> bool {
        self != Self::Loose
    }
}

/// What a value of this name is, and its nanoseconds per unit where the name ends in one: `duration_ms`.
pub(super) fn meaning(name: &str) -> Option<(Meaning, Option<u64>)> {
    if let Some(meaning) = plain(name) {
        return Some((meaning, None));
    }
    let (base, unit) = name.rsplit_once(['_', '-'])?;
    let (_, nanos) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
    Some((plain(base).or((base == "time").then_some(Meaning::Loose))?, Some(nanos)))
}

fn plain(name: &str) -> Option<Meaning> {
    Some(match name {
        "rt" | "request_time" | "reqtime" | "request-time" | "req_time" => Meaning::Total,
        "urt" | "upstream_response_time" | "upstream-response-time" => Meaning::Upstream,
        "D" | "T" | "duration" | "latency" | "elapsed" | "took" | "response_time" | "response-time" | "time_taken"
        | "time-taken" | "total_time" | "total" | "dur" => Meaning::Loose,
        _ => return None,
    })
}

/// Is it a name before a colon, and no address (`fe80::1`, `unix:/run/app.sock`) or scheme?
pub(super) fn is_word(name: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = name.trim_start_matches(['[', '(', '{']);
    begins.starts_with(|c: char| c.is_ascii_alphabetic())
        && begins.chars().all(is_name)
        && (meaning(begins).is_some() || TIMES_OF_NGINX.contains(&begins) || begins.starts_with("upstream"))
}

/// So many units of `nanos`; at most a year.
pub(super) fn took(text: &str, nanos: u64) -> Option<Duration> {
    let nanos = crate::spec::decimal(text)? * nanos as f64;
    (nanos <= 31_622_400e9).then(|| Duration::from_nanos(nanos as u64))
}

const UNITS: [(&str, u64); 10] = [
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("seconds", 1_000_000_000),
    ("ms", 1_000_000),
    ("msec", 1_000_000),
    ("us", 1000),
    ("usec", 1000),
    ("micros", 1000),
    ("ns", 1),
    ("nsec", 1),
];

/// Does it name a part of the time, such as that of the connect?
pub(super) fn is_part(name: &str) -> bool {
    let parts = [
        "connect",
        "header",
        "handshake",
        "queue",
        "wait",
        "first_byte",
        "ttfb",
        "msec",
    ];
    TIMES_OF_NGINX.contains(&name) || parts.iter().any(|part| name.contains(part))
}

/// Parts of a request's time, by the names that people give them.
const TIMES_OF_NGINX: [&str; 5] = ["uct", "uht", "ut", "ct", "ht"];
