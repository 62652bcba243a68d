use super::scope::default_duration;
use super::{default_number, passive, whole};
use crate::field::Field;
use crate::grammar::{self, StatusRange, check_path, show_duration};
use crate::plan::{Check, Health, HttpCheck, ProbeMethod};
use crate::reader::{Reader, explain, shown};
use crate::schema::HEALTH;
use crate::{Kind, Problem, Span, near};
use lb_health::{PassiveOptions, Rules, RulesOptions};
use std::time::Duration;
use toml::de::DeValue;

/// How a pool's backends are probed; `None`: not at all.
pub(super) fn read(pool: &Reader<'_>) -> Option<Health> {
    let value = pool.raw("health")?;
    let reader = match value.get_ref() {
        DeValue::String(word) if word == "off" => return None,
        DeValue::String(word) => {
            let kind = near::nearest(word, ["http", "tcp"].into_iter()).unwrap_or("tcp");
            pool.push(
                Problem::error(Kind::UnknownValue, format!("`health` is {word:?}, which is not known"))
                    .at(value.span(), "expected a table or \"off\"")
                    .help(format!("write health = {{ kind = \"{kind}\" }}")),
            );
            return None;
        }
        DeValue::Table(_) => pool.table("health", &HEALTH).value()?,
        _ => {
            pool.wrong_type("health", value, "a table or \"off\"");
            return None;
        }
    };
    let kind = reader.word("kind");
    reader.require("kind", &kind, "kind = \"http\"");
    let interval = reader.duration("interval");
    let timeout = reader.duration("timeout");
    let interval_span = interval.span().cloned();
    let interval = interval
        .value()
        .unwrap_or_else(|| default_duration(&HEALTH, "interval"));
    report_slow_probe(&reader, interval, &timeout, interval_span.as_ref());
    let small = |name| u16::try_from(default_number(&HEALTH, name)).unwrap_or(0);
    let is_probed = kind.as_ref().is_none_or(|(kind, _)| *kind != "passive");
    let mut options = RulesOptions {
        probing: is_probed,
        interval,
        interval_down: reader.duration("interval_down").value(),
        interval_changing: reader.duration("interval_changing").value(),
        jitter_percent: whole(
            reader.integer("jitter_percent"),
            u8::try_from(small("jitter_percent")).unwrap_or(0),
        ),
        rise: whole(reader.integer("rise"), small("rise")),
        fall: whole(reader.integer("fall"), small("fall")),
        slow_start: reader.duration("slow_start").value().unwrap_or_default(),
        max_failures: None,
        passive: PassiveOptions::default(),
    };
    let server_errors = passive::read(&reader, is_probed, &mut options);
    let rules = Rules::new(options).map_err(|error| {
        reader.push(Problem::error(Kind::OutOfRange, error.to_string()).at(reader.span(), "out of range"));
    });
    let http = http(&reader);
    let check = match kind.value()? {
        "http" => Check::Http(http),
        "passive" => {
            passive::report_probe_keys(&reader);
            Check::Passive
        }
        _ => {
            for name in HTTP_KEYS.iter().filter(|name| reader.has(name)) {
                reader.push(
                    Problem::error(Kind::NotApplicable, format!("`{name}` means nothing to a tcp probe"))
                        .at(
                            reader.key_span(name).unwrap_or_else(|| reader.span()),
                            "a tcp probe only connects",
                        )
                        .help("write kind = \"http\" to send a request"),
                );
            }
            Check::Tcp
        }
    };
    Some(Health {
        check,
        port: reader.integer("port").value().and_then(|port| u16::try_from(port).ok()),
        timeout: timeout
            .value()
            .unwrap_or_else(|| default_duration(&HEALTH, "timeout").min(interval)),
        rules: rules.ok()?,
        server_errors,
    })
}

/// A probe that may take longer than the pause between two starts: it stretches the interval.
fn report_slow_probe(reader: &Reader<'_>, interval: Duration, timeout: &Field<Duration>, place: Option<&Span>) {
    let Some((&longest, span)) = timeout.as_ref().filter(|(longest, _)| **longest > interval) else {
        return;
    };
    let (longest, every) = (show_duration(longest), show_duration(interval));
    let problem = Problem::warning(
        Kind::Contradiction,
        format!("a probe may take {longest}, but they begin every {every}"),
    )
    .at(
        span.clone(),
        format!("a backend that does not answer is probed every {longest} only"),
    )
    .help("make `timeout` shorter than `interval`");
    reader.push(match place {
        Some(place) => problem.see(place.clone(), "the interval"),
        None => problem,
    });
}

fn http(reader: &Reader<'_>) -> HttpCheck {
    let method = match reader.word("method").value() {
        Some("HEAD") => ProbeMethod::Head,
        _ => ProbeMethod::Get,
    };
    let body = reader.text("body").and_then(|text, span| {
        if text.len() > LONGEST_BODY {
            reader.push(
                Problem::error(
                    Kind::OutOfRange,
                    format!("`body` has {} bytes, out of range", text.len()),
                )
                .at(span.clone(), format!("allowed: 1B to {LONGEST_BODY}B")),
            );
            return None;
        }
        Some(text)
    });
    if let Some((_, span)) = body.as_ref()
        && method == ProbeMethod::Head
    {
        reader.push(
            Problem::error(Kind::NotApplicable, "`body` cannot be found in the answer to HEAD")
                .at(span.clone(), "such an answer has no body")
                .help("write method = \"GET\""),
        );
    }
    HttpCheck {
        method,
        path: reader
            .parsed("path", Kind::BadPath, |path| check_path(path).map(|()| path.to_owned()))
            .value()
            .unwrap_or_else(|| "/".into()),
        host: reader.parsed("host", Kind::BadHost, host_field).value(),
        status: status(reader),
        body: body.value(),
    }
}

/// What may stand in a `Host` field: RFC 9110, section 7.2.
fn host_field(text: &str) -> Result<String, grammar::Wrong> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_good = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => grammar::is_host_name(host),
    };
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if host_is_good && port_is_good {
        Ok(text.to_owned())
    } else {
        Err(grammar::Wrong::new("this cannot stand in a `Host` field")
            .help("write a host, or a host and a port: \"app.example.com:8080\""))
    }
}

fn status(reader: &Reader<'_>) -> Vec<StatusRange> {
    let default = || grammar::status_range("200-399").into_iter().collect();
    let list = reader.list("status", "status codes and ranges");
    if let Field::Is([], span) = &list {
        reader.push(
            Problem::error(Kind::BadStatus, "`status` is empty: every probe would fail")
                .at(span.clone(), "at least one code must stand here"),
        );
    }
    let Some(list) = list.value() else { return default() };
    let mut ranges = Vec::new();
    for element in list {
        let text = shown(element.get_ref());
        match element.get_ref() {
            DeValue::String(_) | DeValue::Integer(_) => match grammar::status_range(&text) {
                Ok(range) => ranges.push(range),
                Err(wrong) => {
                    reader.push(explain(Kind::BadStatus, "`status`", &text, element.span(), wrong));
                }
            },
            _ => reader.wrong_element("status", element, "status codes and ranges"),
        }
    }
    ranges
}

const HTTP_KEYS: [&str; 5] = ["path", "method", "host", "status", "body"];

/// The text is looked for in every answer.
const LONGEST_BODY: usize = 1024;
