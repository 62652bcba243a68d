//! One JSON object a line.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{Entry, known, seconds, without_port};
use super::{clf, time};
use crate::spec::SpecError;
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// lbd's own names first, then those of nginx's variables, Caddy, Traefik and Envoy. With a rule, durations are what
/// it says, and nothing else.
pub(super) fn read<'a>(line: &'a str, rule: Option<&Rule>) -> Result<Entry<'a>, &'static str> {
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|_| "not a JSON object")?;
    if !is_request(&object, rule) {
        return Err("no request: it has neither a status nor a method");
    }
    let (unix_nanos, whole_seconds, is_end) =
        moment(&object).ok_or("no time that can be read (time, ts, msec, @timestamp)")?;
    let times = match rule {
        Some(rule) => {
            let value = find(&object, &rule.key).and_then(last_number);
            let total = value.and_then(|value| took(value, rule.nanos));
            Times {
                total,
                source: total.map(|_| "the key that was given"),
                ..Times::default()
            }
        }
        None => Times::of(&object),
    };
    let duration = times.upstream.or(times.total);
    let took = if is_end {
        times.total.or(times.upstream).unwrap_or_default()
    } else {
        Duration::ZERO
    };
    let text = |names: &[&str]| names.iter().find_map(|name| text(&object, name)).map(str::to_owned);
    let last = |list: String| list.rsplit(", ").next().and_then(known).map(str::to_owned);
    let client = text(&[
        "client",
        "remote_addr",
        "client_ip",
        "ClientHost",
        "remote_ip",
        "downstream_remote_address",
    ])
    .or_else(|| {
        let address = ["client_ip", "remote_ip", "remoteIp", "remote_addr"].iter();
        let mut found = address.filter_map(|name| inside(&object, name)?.as_str().and_then(known));
        found.next().map(str::to_owned)
    });
    let status = STATUS.iter().find_map(|name| number(inside(&object, name)?));
    let forwarded = object
        .get("x_forwarded_for")
        .filter(|_| object.contains_key("total_us"))
        .and_then(Value::as_str)
        .and_then(clf::forwarded);
    Ok(Entry {
        unix_nanos: unix_nanos.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
        whole_seconds,
        client: client.map(|client| without_port(&client).to_owned().into()),
        duration,
        source: times.source,
        unclear: times.unclear,
        backend: text(&["backend", "upstream_addr", "ServiceAddr", "upstream_host"])
            .and_then(last)
            .map(Into::into),
        pool: text(&["pool", "upstream_name", "ServiceName", "upstream_cluster"]).map(Into::into),
        status: status.filter(|s| (0.0..1000.0).contains(s)).map(|status| status as u16),
        persisted: text(&["persist"]).is_some_and(|word| word == "hit")
            || text(&["why"]).is_some_and(|word| word == "persisted"),
        forwarded: forwarded.map(|address| address.to_owned().into()),
        ..Entry::default()
    })
}

/// Does it tell of a request? Programs write other lines with a time into the same file: what they start, what fails.
fn is_request(object: &Map<String, Value>, rule: Option<&Rule>) -> bool {
    // Caddy tells of one request also where it failed and where it was passed on
    let is_aside = |logger: &str| {
        let part = logger.split('.').next().unwrap_or_default();
        matches!(part, "http" | "admin" | "tls" | "pki" | "events" | "layer4")
            && !(logger == "http.log.access" || logger.starts_with("http.log.access."))
    };
    if text(object, "logger").is_some_and(is_aside) {
        return false;
    }
    let has_status = STATUS
        .iter()
        .any(|name| inside(object, name).and_then(number).is_some());
    let has_method = METHODS.iter().any(|name| inside(object, name).is_some_and(says));
    // lbd's own lines of TCP connections have neither
    let is_connection = object.contains_key("total_us");
    let is_asked = rule.is_some_and(|rule| find(object, &rule.key).is_some_and(says));
    is_connection || is_asked || has_status || has_method
}

/// Neither null nor empty, `-` nor a list.
fn says(value: &Value) -> bool {
    match value {
        Value::String(text) => known(text).is_some(),
        Value::Number(_) => true,
        Value::Object(object) => ["method", "uri", "url"].iter().any(|name| object.contains_key(*name)),
        _ => false,
    }
}

/// The value of a key, here or in an object inside. Header fields are what clients and backends write: they are not
/// looked into.
fn find<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let is_open = |name: &str| !FOREIGN.iter().any(|word| name.contains(word));
    found(object, key, DEEPEST, is_open)
}

/// The value of a key, here or in what tells of the request and the response: Google's `httpRequest`, Caddy's `request`.
fn inside<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let is_exchange = |name: &str| ["http", "req", "res"].iter().any(|word| name.starts_with(word));
    let is_open = |name: &str| is_exchange(name) && !FOREIGN.iter().any(|word| name.contains(word));
    found(object, key, DEEPEST, is_open)
}

fn found<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    depth: u8,
    is_open: impl Fn(&str) -> bool + Copy,
) -> Option<&'a Value> {
    object.get(key).or_else(|| {
        let depth = depth.checked_sub(1)?;
        object
            .iter()
            .filter(|(name, value)| value.is_object() && is_open(&name.to_ascii_lowercase()))
            .find_map(|(_, value)| found(value.as_object()?, key, depth, is_open))
    })
}

/// In the names of objects that hold what others wrote.
const FOREIGN: [&str; 7] = ["header", "cookie", "trailer", "quer", "param", "label", "body"];

/// Objects in objects.
const DEEPEST: u8 = 2;

const STATUS: [&str; 6] = [
    "status",
    "DownstreamStatus",
    "response_code",
    "status_code",
    "statusCode",
    "response_status",
];
const METHODS: [&str; 6] = [
    "method",
    "request_method",
    "RequestMethod",
    "requestMethod",
    "http_method",
    "request",
];

/// Which key holds durations, and in which unit: `elapsed:ms`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    key: Arc<str>,
    unit: &'static str,
    nanos: u64,
}

impl FromStr for Rule {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let wrong = || {
            SpecError::new(
                text,
                "is no KEY:UNIT",
                "write elapsed:ms, for example; units are s, ms, us and ns",
            )
        };
        let (key, unit) = text.rsplit_once(':').ok_or_else(wrong)?;
        let (unit, nanos) = UNITS.into_iter().find(|(known, _)| *known == unit).ok_or_else(wrong)?;
        let key = key.trim();
        if key.is_empty() || key.len() > 128 {
            return Err(wrong());
        }
        Ok(Self {
            key: key.into(),
            unit,
            nanos,
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, self.unit)
    }
}

const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1)];

/// When, whether to the second only, and whether that is the moment of the end.
fn moment(object: &Map<String, Value>) -> Option<(u64, bool, bool)> {
    for (name, is_end) in [
        ("time", false),
        ("time_iso8601", true),
        ("@timestamp", true),
        ("timestamp", true),
        ("StartUTC", false),
        ("start_time", false),
    ] {
        if let Some((nanos, whole)) = text(object, name).and_then(time::rfc3339) {
            return Some((nanos, whole, is_end));
        }
    }
    if let Some((nanos, whole)) = text(object, "time_local").and_then(time::clf) {
        return Some((nanos, whole, true));
    }
    let unix = ["msec", "ts", "timestamp", "time"]
        .iter()
        .find_map(|name| number(object.get(*name)?))?;
    // until the year 9999
    let is_time = (0.0..253_402_300_800.0).contains(&unix);
    is_time.then(|| ((unix.min(18e9) * 1e9) as u64, unix.fract() == 0.0, true))
}

/// The whole request, and the backend's part.
#[derive(Debug, Default)]
struct Times {
    total: Option<Duration>,
    upstream: Option<Duration>,
    source: Option<&'static str>,
    unclear: Option<&'static str>,
}

impl Times {
    /// Of the keys whose unit is known: by their name, or by the program that the other keys give away.
    fn of(object: &Map<String, Value>) -> Self {
        let mut times = Self::default();
        for (key, nanos, is_total, source) in KEYS {
            let place = if is_total {
                &mut times.total
            } else {
                &mut times.upstream
            };
            let Some(value) = find(object, key).filter(|_| place.is_none()) else {
                continue;
            };
            *place = last_number(value).and_then(|value| took(value, nanos));
            if place.is_some() && (times.source.is_none() || !is_total) {
                times.source = Some(source);
            }
        }
        if times.source.is_none() {
            times.by_program(object);
        }
        times
    }

    fn by_program(&mut self, object: &Map<String, Value>) {
        let Some((key, value)) = LOOSE.into_iter().find_map(|key| Some((key, find(object, key)?))) else {
            return;
        };
        let has = |keys: &[&str]| keys.iter().any(|key| object.contains_key(*key));
        let written = value.as_str().and_then(|text| crate::spec::duration(text).ok());
        let is_whole =
            value.as_u64().is_some_and(|value| value > 0) || value.as_str().is_some_and(|text| !text.contains('.'));
        let (nanos, source) = match key {
            _ if written.is_some() => (0, "a text with its unit"),
            "Duration" if has(&["DownstreamStatus", "RouterName", "ServiceName"]) => {
                (1, "Traefik's Duration, in nanoseconds")
            }
            "duration" if object.get("request").is_some_and(Value::is_object) && !is_whole => {
                (1_000_000_000, "Caddy's duration, in seconds")
            }
            "duration" if has(&["response_flags", "upstream_cluster"]) => {
                (1_000_000, "Envoy's duration, in milliseconds")
            }
            "request_time" if !is_whole => (1_000_000_000, "request_time, in seconds as nginx writes it"),
            _ => {
                self.unclear = number(value).is_some().then_some(key);
                return;
            }
        };
        self.total = written.or_else(|| last_number(value).and_then(|value| took(value, nanos)));
        self.source = Some(source);
    }
}

/// Keys that say what they hold, with nanoseconds of their unit: lbd's, nginx's, Traefik's, and such as end in a unit.
const KEYS: [(&str, u64, bool, &str); 9] = [
    (
        "upstream_response_time",
        1_000_000_000,
        false,
        "upstream_response_time, in seconds",
    ),
    ("OriginDuration", 1, false, "Traefik's OriginDuration, in nanoseconds"),
    ("total_us", 1000, true, "total_us, in microseconds"),
    ("duration_ms", 1_000_000, true, "duration_ms, in milliseconds"),
    ("latency_ms", 1_000_000, true, "latency_ms, in milliseconds"),
    ("response_time_ms", 1_000_000, true, "response_time_ms, in milliseconds"),
    ("elapsed_ms", 1_000_000, true, "elapsed_ms, in milliseconds"),
    ("duration_us", 1000, true, "duration_us, in microseconds"),
    ("duration_ns", 1, true, "duration_ns, in nanoseconds"),
];

/// Keys whose unit depends on who wrote them.
const LOOSE: [&str; 11] = [
    "request_time",
    "Duration",
    "duration",
    "latency",
    "elapsed",
    "response_time",
    "took",
    "responseTime",
    "requestTime",
    "request_duration",
    "time_taken",
];

fn took(value: f64, nanos: u64) -> Option<Duration> {
    let seconds = value * nanos as f64 / 1e9;
    (0.0..31_622_400.0)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => crate::spec::decimal(text),
        _ => None,
    }
}

/// nginx writes one time for each attempt: `0.001, 0.020`. The last one counts.
fn last_number(value: &Value) -> Option<f64> {
    match value {
        Value::String(list) => seconds(list.rsplit([',', ' ']).next()?).map(|duration| duration.as_secs_f64()),
        other => number(other),
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).and_then(known)
}
