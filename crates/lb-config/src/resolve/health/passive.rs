//! `pools.health.passive`: what real requests say of a backend.

use crate::reader::Reader;
use crate::resolve::whole;
use crate::schema::{HEALTH, PASSIVE};
use crate::usual;
use crate::{Kind, Problem};
use lb_health::{PassiveOptions, RulesOptions};
use std::time::Duration;

/// Puts what the file says of passive judgement into `options`; says whether 5xx answers count as failures.
pub(super) fn read(health: &Reader<'_>, is_probed: bool, options: &mut RulesOptions) -> bool {
    let table = health.table("passive", &PASSIVE);
    let short = health.integer("max_failures");
    let short_span = short.span().cloned();
    options.max_failures = short.value().and_then(small);
    options.passive.eject_for = usual::ejection(is_probed);
    let mut server_errors = true;
    if let Some(reader) = table.value() {
        let max_failures = reader.integer("max_failures");
        if let (Some(short), Some(span)) = (&short_span, max_failures.span()) {
            reader.push(
                Problem::error(
                    Kind::Contradiction,
                    "`max_failures` stands in `health` and in `passive`",
                )
                .at(span.clone(), "the same once more")
                .see(short.clone(), "the first one")
                .help("leave one of them out"),
            );
        }
        options.max_failures = max_failures.value().and_then(small).or(options.max_failures);
        let usual = options.passive.clone();
        options.passive = PassiveOptions {
            success_rate_percent: reader.integer("success_rate_percent").value().and_then(small),
            latency_factor: reader.integer("latency_factor").value().and_then(small),
            latency_least: duration(&reader, "latency_least"),
            min_requests: whole(reader.integer("min_requests"), number("min_requests")),
            window: duration(&reader, "window"),
            eject_for: reader.duration("eject_for").value().or(usual.eject_for),
            eject_at_most: duration(&reader, "eject_at_most"),
            max_ejected_percent: whole(reader.integer("max_ejected_percent"), number("max_ejected_percent")),
        };
        server_errors = reader.boolean("server_errors").value().unwrap_or(true);
        report_idle(health, &reader);
    } else if !is_probed && !health.has("max_failures") {
        health.push(
            Problem::error(Kind::Contradiction, "a passive health check has nothing to judge by")
                .at(health.span(), "neither probes nor rules for traffic")
                .help("write max_failures = 3, or passive = { success_rate_percent = 80 }"),
        );
    }
    server_errors
}

/// Keys that mean nothing where nothing is probed.
pub(super) fn report_probe_keys(health: &Reader<'_>) {
    let without_probes = [
        "kind",
        "max_failures",
        "passive",
        "slow_start",
        "agent",
        "source",
        "interface",
    ];
    let keys = HEALTH.keys.iter().map(|key| key.name);
    for name in keys.filter(|name| !without_probes.contains(name) && health.has(name)) {
        health.push(
            Problem::error(Kind::NotApplicable, format!("`{name}` means nothing without probes"))
                .at(
                    health.key_span(name).unwrap_or_else(|| health.span()),
                    "kind = \"passive\" sends none: only traffic judges",
                )
                .help("write kind = \"tcp\" or kind = \"http\" to probe as well"),
        );
    }
}

/// A table that changes how is judged where nothing is.
fn report_idle(health: &Reader<'_>, reader: &Reader<'_>) {
    let judges = ["max_failures", "success_rate_percent", "latency_factor"];
    if !health.has("max_failures") && !judges.iter().any(|name| reader.has(name)) {
        reader.push(
            Problem::error(Kind::Contradiction, "`passive` has nothing to judge by")
                .at(reader.span(), "no traffic takes a backend out")
                .help("write max_failures, success_rate_percent or latency_factor in it"),
        );
    }
}

fn duration(reader: &Reader<'_>, name: &'static str) -> Duration {
    reader
        .duration(name)
        .value()
        .unwrap_or_else(|| usual::duration(&PASSIVE, name))
}

fn number<T: TryFrom<u64> + Default>(name: &'static str) -> T {
    T::try_from(usual::number(&PASSIVE, name)).unwrap_or_default()
}

fn small<T: TryFrom<u64>>(number: u64) -> Option<T> {
    T::try_from(number).ok()
}
