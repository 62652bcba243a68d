//! Formats that a person gives as they stand in nginx's `log_format` or Apache's `LogFormat`.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::clf::client;
use super::format::{Entry, is_address, known, last, seconds, without_port};
use super::tail::{trimmed, with_unit};
use super::time;
use super::word::is_status;
use crate::spec::SpecError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a line is made of, piece by piece: nginx's variables, Apache's directives, and the text between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Layout {
    text: Arc<str>,
    pieces: Arc<[Piece]>,
    /// The time is that of the end of the request (nginx), not of its beginning (Apache).
    is_end: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Piece {
    Text(String),
    Value(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Value {
    Client,
    Clf,
    Rfc3339,
    /// Since 1970, in seconds with a fraction, milliseconds or microseconds.
    Unix(u64),
    Status,
    /// How long, in so many nanoseconds; whole or with a fraction.
    Total(u64),
    Upstream,
    Backend,
    Pool,
    Other,
}

impl Layout {
    /// Reads a format: `combined`, `common` or `combinedio` first, if it begins with one, then variables (`$name`, `${name}`)
    /// or directives (`%D`, `%{ms}T`) with the text between them.
    ///
    /// # Errors
    /// [`SpecError`] for a directive that is not known, for values with nothing between them, and for a format without a time.
    pub(super) fn parse(text: &str) -> Result<Self, SpecError> {
        if text.len() > LONGEST {
            let head: String = text.chars().take(40).collect();
            return Err(SpecError::new(&head, "is longer than 4,096 letters", "give one format"));
        }
        let unescaped = text.replace("\\\"", "\"");
        let whole = expanded(&unescaped);
        let pieces = pieces(whole.trim(), text)?;
        let has = |wanted: fn(&Value) -> bool| {
            pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Value(value) if wanted(value)))
        };
        if !has(|value| matches!(value, Value::Clf | Value::Rfc3339 | Value::Unix(_))) {
            let mend = "add $time_local (nginx) or %t (Apache), or begin with combined";
            return Err(SpecError::new(text, "has no time", mend));
        }
        Ok(Self {
            text: text.into(),
            pieces: pieces.into(),
            is_end: [
                "$time_local",
                "$time_iso8601",
                "$msec",
                "${time_local",
                "${time_iso8601",
                "${msec",
            ]
            .iter()
            .any(|name| whole.contains(name)),
        })
    }

    /// Reads a line.
    pub(super) fn read<'a>(&self, line: &'a str) -> Result<Entry<'a>, &'static str> {
        let mut entry = Entry::default();
        let mut found = Found::default();
        let mut rest = line;
        let mut pieces: &[Piece] = &self.pieces;
        while let Some((piece, behind)) = pieces.split_first() {
            pieces = behind;
            match piece {
                Piece::Text(text) => rest = rest.strip_prefix(text.as_str()).ok_or("it is not as the format says")?,
                Piece::Value(value) => {
                    let (text, after) = cut(rest, behind).ok_or("it is not as the format says")?;
                    rest = after;
                    value.put(text, &mut entry, &mut found)?;
                }
            }
        }
        let (nanos, whole_seconds) = found.time.ok_or("no time that can be read")?;
        let took = found.total.or(found.upstream).unwrap_or_default();
        let took = if self.is_end { took } else { Duration::ZERO };
        entry.unix_nanos = nanos.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        entry.whole_seconds = whole_seconds;
        entry.duration = found.upstream.or(found.total);
        entry.source = match (found.upstream, found.total) {
            (Some(_), _) => Some("what the given format calls the backend's time"),
            (None, Some(_)) => Some("what the given format calls the time of the request"),
            (None, None) => None,
        };
        Ok(entry)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a line says of time.
#[derive(Debug, Default)]
struct Found {
    time: Option<(u64, bool)>,
    total: Option<Duration>,
    upstream: Option<Duration>,
}

impl Value {
    fn put<'a>(self, text: &'a str, entry: &mut Entry<'a>, found: &mut Found) -> Result<(), &'static str> {
        // of several attempts the last one counts
        let last = last(trimmed(text.trim_matches('"')));
        match self {
            Self::Client => entry.client = client(text).map(|client| without_port(client).into()),
            Self::Clf => found.time = Some(time::clf(text).ok_or("the time is not as in 10/Oct/2000:13:55:36 -0700")?),
            Self::Rfc3339 => {
                found.time = Some(time::rfc3339(text).ok_or("the time is not as in 2026-11-21T10:00:00Z")?)
            }
            Self::Unix(unit) => found.time = Some(unix(text, unit).ok_or("the time is no number")?),
            Self::Status => {
                entry.status = match known(text) {
                    Some(number) => Some(
                        number
                            .parse()
                            .ok()
                            .filter(|s| *s < 1000)
                            .ok_or("the status is no number")?,
                    ),
                    None => None,
                }
            }
            Self::Total(unit) => {
                found.total = last
                    .map(|text| {
                        took(text, unit)
                            .or_else(|| with_unit(text))
                            .ok_or("a duration is no number")
                    })
                    .transpose()?
            }
            Self::Upstream => {
                found.upstream = last
                    .map(|text| {
                        seconds(text)
                            .or_else(|| with_unit(text))
                            .ok_or("a duration is no number")
                    })
                    .transpose()?;
            }
            Self::Backend => {
                entry.backend = last
                    .filter(|text| is_address(text) || !text.contains('"'))
                    .map(Into::into)
            }
            Self::Pool => entry.pool = known(text).map(Into::into),
            Self::Other => {}
        }
        Ok(())
    }
}

/// With what `combined` and the like stand for; values that are skipped may stand before.
fn expanded(text: &str) -> String {
    let mut before = String::new();
    let mut rest = text;
    while let Some((word, after)) = rest.split_once(' ').or((!rest.is_empty()).then_some((rest, ""))) {
        let base = match (word, text.contains('%')) {
            ("common", false) => NGINX_COMMON.to_owned(),
            ("combined" | "nginx", false) => NGINX_COMBINED.to_owned(),
            ("common", true) => APACHE_COMMON.to_owned(),
            ("combined" | "apache", true) => APACHE_COMBINED.to_owned(),
            ("vhost_combined", _) => format!("%v:%p {APACHE_COMBINED}"),
            ("combinedio", _) => format!("{APACHE_COMBINED} %I %O"),
            (word, _) if word.starts_with('$') => {
                before.push_str(word);
                before.push(' ');
                rest = after;
                continue;
            }
            _ => break,
        };
        return format!("{before}{base} {after}");
    }
    text.to_owned()
}

/// The value at the start of `rest`, which ends where the next piece begins, and what follows it.
fn cut<'a>(rest: &'a str, behind: &[Piece]) -> Option<(&'a str, &'a str)> {
    let Some(Piece::Text(stop)) = behind.first() else {
        return Some((rest, ""));
    };
    // users may have brackets, requests quotes: the right ones have a time or a status behind them
    let fits = |before: &str, after: &str| {
        let slashes = before.bytes().rev().take_while(|b| *b == b'\\').count();
        if stop.starts_with('"') && slashes % 2 == 1 {
            return false;
        }
        let inside = after.strip_prefix(stop.as_str()).unwrap_or_default();
        match behind.get(1) {
            Some(Piece::Value(Value::Clf)) if stop.ends_with('[') => inside
                .split_once(']')
                .is_some_and(|(when, _)| time::clf(when).is_some()),
            Some(Piece::Value(Value::Status)) => is_status(inside),
            _ => true,
        }
    };
    rest.match_indices(stop.as_str())
        .filter_map(|(at, _)| rest.split_at_checked(at))
        .find(|(before, after)| fits(before, after))
}

fn took(text: &str, unit: u64) -> Option<Duration> {
    let nanos = crate::spec::decimal(text)? * unit as f64;
    (nanos <= 31_622_400e9).then(|| Duration::from_nanos(nanos as u64))
}

/// Nanoseconds since 1970, and whether there was no fraction of a second.
fn unix(text: &str, unit: u64) -> Option<(u64, bool)> {
    if unit == NANOS_PER_SECOND
        && let Some((whole, part)) = text.split_once('.')
    {
        let nanos: String = part.chars().chain(std::iter::repeat('0')).take(9).collect();
        let nanos: u64 = nanos.parse().ok()?;
        return Some((whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(nanos)?, false));
    }
    Some((text.parse::<u64>().ok()?.checked_mul(unit)?, unit == NANOS_PER_SECOND))
}

fn pieces(whole: &str, given: &str) -> Result<Vec<Piece>, SpecError> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = whole;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("%t") {
            // Apache writes the brackets itself
            rest = after;
            text(&mut pieces, '[');
            pieces.push(Piece::Value(Value::Clf));
            text(&mut pieces, ']');
            continue;
        }
        let value = match letter {
            '$' => variable(&mut rest, given)?,
            '%' => directive(&mut rest, given)?,
            letter => {
                rest = rest.get(letter.len_utf8()..).unwrap_or("");
                text(&mut pieces, letter);
                continue;
            }
        };
        match value {
            Some(value) if matches!(pieces.last(), Some(Piece::Value(_))) => {
                let _ = value;
                let mend = "where does the first one end? Put a space between them in the log";
                return Err(SpecError::new(given, "has two values with nothing between them", mend));
            }
            Some(value) => pieces.push(Piece::Value(value)),
            None => text(&mut pieces, '%'),
        }
    }
    Ok(pieces)
}

fn text(pieces: &mut Vec<Piece>, letter: char) {
    match pieces.last_mut() {
        Some(Piece::Text(text)) => text.push(letter),
        _ => pieces.push(Piece::Text(letter.to_string())),
    }
}

/// `$name` or `${name}`; takes it off `rest`.
fn variable(rest: &mut &str, given: &str) -> Result<Option<Value>, SpecError> {
    let after = rest.get(1..).unwrap_or("");
    let (name, after) = match after.strip_prefix('{') {
        Some(inside) => inside
            .split_once('}')
            .ok_or_else(|| SpecError::new(given, "has a ${ without its }", "close it"))?,
        None => {
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(after.len());
            after.split_at_checked(end).unwrap_or((after, ""))
        }
    };
    *rest = after;
    Ok(Some(match name {
        "" => {
            return Err(SpecError::new(
                given,
                "has a $ without a name",
                "write $request_time, for example",
            ));
        }
        "remote_addr" | "http_x_real_ip" | "realip_remote_addr" => Value::Client,
        "time_local" => Value::Clf,
        "time_iso8601" => Value::Rfc3339,
        "msec" => Value::Unix(NANOS_PER_SECOND),
        "status" => Value::Status,
        "request_time" => Value::Total(NANOS_PER_SECOND),
        "upstream_response_time" => Value::Upstream,
        "upstream_addr" => Value::Backend,
        "proxy_upstream_name" | "upstream_name" | "proxy_host" => Value::Pool,
        _ => Value::Other,
    }))
}

/// `%D`, `%>s`, `%{ms}T`; takes it off `rest`. `None` for `%%`.
fn directive(rest: &mut &str, given: &str) -> Result<Option<Value>, SpecError> {
    let wrong = |what: String| {
        let mend = "known are the directives of Apache's mod_log_config, as in '%h %l %u %t \"%r\" %>s %b %D'";
        Err(SpecError::new(given, what, mend))
    };
    let after = rest.get(1..).unwrap_or("");
    let after = after.trim_start_matches(|c: char| matches!(c, '<' | '>' | '!' | ',') || c.is_ascii_digit());
    let (argument, after) = match after.strip_prefix('{') {
        Some(inside) => match inside.split_once('}') {
            Some((argument, after)) => (argument, after),
            None => return wrong("has a %{ without its }".to_owned()),
        },
        None => ("", after),
    };
    // %^ti, %^FB: two letters
    let (after, two) = after.strip_prefix('^').map_or((after, false), |after| (after, true));
    let Some(letter) = after.chars().next() else {
        return wrong("ends with a %".to_owned());
    };
    *rest = after.get(letter.len_utf8()..).unwrap_or("");
    if two {
        let second = rest.chars().next().map_or(0, char::len_utf8);
        *rest = rest.get(second..).unwrap_or("");
        return Ok(Some(Value::Other));
    }
    Ok(Some(match (letter, argument) {
        ('%', _) => return Ok(None),
        ('h' | 'a', "" | "c") => Value::Client,
        ('t', "sec" | "begin:sec") => Value::Unix(NANOS_PER_SECOND),
        ('t', "msec" | "begin:msec") => Value::Unix(1_000_000),
        ('t', "usec" | "begin:usec") => Value::Unix(1000),
        ('t', other) => return wrong(format!("has the time as {other:?}, which is not read; use %t")),
        ('s', _) => Value::Status,
        ('D', _) | ('T', "us") => Value::Total(1000),
        ('T', "ms") => Value::Total(1_000_000),
        ('T', "" | "s") => Value::Total(NANOS_PER_SECOND),
        ('e', "BALANCER_WORKER_NAME") => Value::Backend,
        ('e', "BALANCER_NAME") => Value::Pool,
        (letter, _) if letter.is_ascii_alphabetic() => Value::Other,
        (letter, _) => return wrong(format!("has %{letter}, which is no directive")),
    }))
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Letters of a format.
const LONGEST: usize = 4096;

// As nginx and Apache define them.
const NGINX_COMMON: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
const NGINX_COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \
                              \"$http_user_agent\"";
const APACHE_COMMON: &str = "%h %l %u %t \"%r\" %>s %b";
const APACHE_COMBINED: &str = "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"";
