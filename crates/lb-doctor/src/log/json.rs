//! One JSON object a line.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{Entry, known, seconds, without_port};
use super::time;
use serde_json::{Map, Value};
use std::time::Duration;

/// lbd's own names first, then those of nginx's variables, Caddy and Traefik.
pub(super) fn read(line: &str) -> Result<Entry<'static>, &'static str> {
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|_| "not a JSON object")?;
    let (unix_nanos, whole_seconds, is_end) =
        moment(&object).ok_or("no time that can be read (time, ts, msec, @timestamp)")?;
    let (total, backend_took) = durations(&object);
    let duration = backend_took.or(total);
    let took = if is_end {
        total.or(backend_took).unwrap_or_default()
    } else {
        Duration::ZERO
    };
    let text = |names: &[&str]| names.iter().find_map(|name| text(&object, name)).map(str::to_owned);
    let last = |list: String| list.rsplit(", ").next().and_then(known).map(str::to_owned);
    let client = text(&["client", "remote_addr", "client_ip", "ClientHost", "remote_ip"]).or_else(|| {
        let request = object.get("request").and_then(Value::as_object)?;
        self::text(request, "remote_ip").map(str::to_owned)
    });
    let status = ["status", "DownstreamStatus"]
        .iter()
        .find_map(|name| number(object.get(*name)?));
    Ok(Entry {
        unix_nanos: unix_nanos.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)),
        whole_seconds,
        client: client.map(|client| without_port(&client).to_owned().into()),
        duration,
        backend: text(&["backend", "upstream_addr", "ServiceAddr"])
            .and_then(last)
            .map(Into::into),
        pool: text(&["pool", "upstream_name", "ServiceName"]).map(Into::into),
        status: status.filter(|s| (0.0..1000.0).contains(s)).map(|status| status as u16),
        persisted: text(&["persist"]).is_some_and(|word| word == "hit")
            || text(&["why"]).is_some_and(|word| word == "persisted"),
    })
}

/// When, whether to the second only, and whether that is the moment of the end.
fn moment(object: &Map<String, Value>) -> Option<(u64, bool, bool)> {
    for (name, is_end) in [
        ("time", false),
        ("time_iso8601", true),
        ("@timestamp", true),
        ("timestamp", true),
        ("StartUTC", false),
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
fn durations(object: &Map<String, Value>) -> (Option<Duration>, Option<Duration>) {
    let scaled = |names: &[(&str, f64)]| {
        names.iter().find_map(|(name, unit)| {
            let value = last_number(object.get(*name)?)? * unit;
            (0.0..31_622_400.0)
                .contains(&value)
                .then(|| Duration::from_secs_f64(value))
        })
    };
    let total = [
        ("total_us", 1e-6),
        ("request_time", 1.0),
        ("Duration", 1e-9),
        ("duration", 1.0),
        ("duration_ms", 1e-3),
        ("latency_ms", 1e-3),
        ("response_time_ms", 1e-3),
    ];
    (
        scaled(&total),
        scaled(&[("upstream_response_time", 1.0), ("OriginDuration", 1e-9)]),
    )
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
