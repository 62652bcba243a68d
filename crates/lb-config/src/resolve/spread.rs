//! How a pool spreads its requests: the algorithm, what it places by, who is a backup, who is near.

use super::backend::ReadBackend;
use super::scope::default_duration;
use super::{default_number, hash, whole};
use crate::field::Field;
use crate::plan::Scheduling;
use crate::reader::Reader;
use crate::schema::{HEALTH, POOLS};
use crate::{Kind, Problem};
use lb_persist::{ClientIp, HashBy};
use lb_sched::{Algorithm, BuildError, Maglev, Recipe};
use lb_types::Weight;

pub(super) fn read(reader: &Reader<'_>) -> (Algorithm, Scheduling) {
    let word = reader.word("algorithm");
    // a misspelt algorithm has been reported; what goes with it is not judged
    let misspelt = matches!(word, Field::Broken);
    let algorithm: Algorithm = word.value().and_then(|word| word.parse().ok()).unwrap_or_default();
    let number = |name| reader.integer(name).value();
    let scheduling = Scheduling {
        hash: match hash::read(reader) {
            Field::Is(by, _) => Some(by),
            _ if algorithm.uses_hash() => Some(HashBy::Source(ClientIp::default())),
            _ => None,
        },
        bounded_load_percent: number("bounded_load_percent").and_then(|percent| u16::try_from(percent).ok()),
        table_size: number("table_size").and_then(|size| u32::try_from(size).ok()),
        ewma_decay: reader
            .duration("ewma_decay")
            .value()
            .unwrap_or_else(|| default_duration(&POOLS, "ewma_decay")),
        backup_below_percent: percent(reader, "backup_below_percent"),
        other_zones_below_percent: percent(reader, "other_zones_below_percent"),
    };
    if !misspelt {
        report_ignored(reader, algorithm);
    }
    (algorithm, scheduling)
}

fn percent(reader: &Reader<'_>, name: &'static str) -> u8 {
    let default = u8::try_from(default_number(&POOLS, name)).unwrap_or(0);
    whole(reader.integer(name), default)
}

/// Keys that this algorithm does not look at.
fn report_ignored(reader: &Reader<'_>, algorithm: Algorithm) {
    let hashing = "use algorithm = \"ring\", \"maglev\" or \"rendezvous\", or leave it out";
    let rules = [
        ("hash", algorithm.uses_hash(), hashing),
        ("bounded_load_percent", algorithm.uses_hash(), hashing),
        (
            "table_size",
            matches!(algorithm, Algorithm::Maglev),
            "use algorithm = \"maglev\", or leave it out",
        ),
        (
            "ewma_decay",
            algorithm.uses_latency(),
            "use algorithm = \"peak_ewma\", or leave it out",
        ),
    ];
    for (key, heeded, help) in rules {
        if let Some(span) = reader.key_span(key).filter(|_| !heeded) {
            reader.push(
                Problem::error(Kind::NotApplicable, format!("`{key}` means nothing to `{algorithm}`"))
                    .at(span, "nobody reads it here")
                    .help(help),
            );
        }
    }
}

/// What does not go together although each part is allowed.
pub(super) fn report(
    reader: &Reader<'_>,
    algorithm: Algorithm,
    scheduling: &Scheduling,
    zone: Option<&str>,
    backends: &[ReadBackend],
) {
    report_table(reader, algorithm, scheduling, backends.len());
    report_weights(reader, algorithm, backends);
    report_backups(reader, backends);
    report_zones(reader, zone, backends);
    report_first(reader, algorithm, backends);
    report_many(reader, algorithm, backends);
}

/// A table that skips entries, or has too few.
fn report_table(reader: &Reader<'_>, algorithm: Algorithm, scheduling: &Scheduling, backends: usize) {
    let (Some(len), Some(span)) = (scheduling.table_size, reader.raw_span("table_size")) else {
        return;
    };
    let problem = |label: String| {
        Problem::error(Kind::OutOfRange, format!("`table_size` is {len}, out of range")).at(span, label)
    };
    match Recipe::new(algorithm).with_table_len(len).check(backends) {
        Err(BuildError::TableLenNotPrime { prime, .. }) => {
            reader.push(problem("a table's size must be a prime".into()).help(format!("write table_size = {prime}")))
        }
        Err(BuildError::TableLen { .. }) => {
            reader.push(problem(format!("fewer than the {backends} backends")).help(format!(
                "{} is good for so many, and holds without the key",
                Maglev::len_for(backends)
            )))
        }
        _ => {}
    }
}

/// Why this algorithm looks at no weight, if it does not, and what to do about it.
fn no_weights(algorithm: Algorithm) -> Option<(&'static str, &'static str)> {
    match algorithm {
        Algorithm::RoundRobin => Some((
            "`round_robin` gives every backend the same share",
            "use algorithm = \"weighted_round_robin\"",
        )),
        Algorithm::First => Some((
            "`first` fills the backends in the order of their list",
            "put the strongest backend first",
        )),
        _ => None,
    }
}

/// What health would do to weights that nobody looks at.
pub(super) fn report_idle_health(reader: &Reader<'_>, algorithm: Algorithm) {
    let Some((why, _)) = no_weights(algorithm) else { return };
    let Some(health) = reader.quiet_table("health", &HEALTH).value() else {
        return;
    };
    let slow_start = health.key_span("slow_start").map(|span| {
        let slow = "a backend that comes back gets its whole share at once";
        (
            span,
            slow,
            "leave `slow_start` out, or use algorithm = \"weighted_round_robin\"",
        )
    });
    let agent = health.key_span("agent").map(|span| {
        let agent = "its percentages have no effect, except 0%";
        (
            span,
            agent,
            "let the agent say no others, or use algorithm = \"weighted_round_robin\"",
        )
    });
    for (span, effect, help) in slow_start.into_iter().chain(agent) {
        reader.push(Problem::warning(Kind::IgnoredWeight, why).at(span, effect).help(help));
    }
}

/// Weights that nobody looks at.
fn report_weights(reader: &Reader<'_>, algorithm: Algorithm, backends: &[ReadBackend]) {
    let Some((why, help)) = no_weights(algorithm) else {
        return;
    };
    let weights = || {
        backends
            .iter()
            .map(|backend| backend.plan.weight)
            .filter(|weight| *weight != Weight::ZERO)
    };
    let differ = weights().any(|weight| Some(weight) != weights().next());
    let first = backends.iter().find_map(|backend| backend.weight_span.clone());
    if let Some(span) = first.filter(|_| differ) {
        let problem = Problem::warning(Kind::IgnoredWeight, why).at(span, "this weight has no effect");
        reader.push(problem.help(help));
    }
}

fn report_backups(reader: &Reader<'_>, backends: &[ReadBackend]) {
    let Some(least) = backends.iter().map(|backend| backend.plan.priority).min() else {
        return;
    };
    let backup = backends.iter().find(|backend| backend.plan.priority > least);
    let nobody_first = backends.iter().find_map(|backend| backend.priority_span.clone());
    if let (1.., Some(span)) = (least, nobody_first) {
        reader.push(
            Problem::warning(Kind::Contradiction, "every backend of this pool is a backup")
                .at(span, "there is nobody whose place it could take")
                .help("leave `backup` (or `priority`) out where traffic shall go first"),
        );
    }
    if let (None, Some(span)) = (backup, reader.key_span("backup_below_percent")) {
        reader.push(
            Problem::warning(
                Kind::Contradiction,
                "`backup_below_percent` is set, but no backend is a backup",
            )
            .at(span, "there is nobody to help out")
            .help("mark one with backup = true, or leave the key out"),
        );
    }
}

fn report_zones(reader: &Reader<'_>, zone: Option<&str>, backends: &[ReadBackend]) {
    let zones = || backends.iter().filter_map(|backend| backend.plan.zone.as_deref());
    let written = backends.iter().find_map(|backend| backend.zone_span.clone());
    let warn = |message: String| Problem::warning(Kind::Contradiction, message);
    match (zone, written) {
        (None, Some(span)) => reader.push(
            warn("a backend has a zone, but this process has none".into())
                .at(span, "zones are compared with the one at the top of the file")
                .help("write zone = \"..\" at the top of the file: where this process runs"),
        ),
        (Some(here), Some(span)) if zones().all(|there| there != here) => {
            let problem = warn(format!(
                "no backend of this pool is in zone \"{here}\", where this process is"
            ))
            .at(span, "this is another zone");
            reader.push(match lb_types::nearest(here, zones()) {
                Some(meant) => problem.help(format!("is \"{meant}\" meant? Zones are compared letter by letter")),
                None => problem,
            });
        }
        _ => {}
    }
    let uses_zones = zone.is_some() && zones().next().is_some();
    if let Some(span) = reader.key_span("other_zones_below_percent").filter(|_| !uses_zones) {
        reader.push(
            warn("`other_zones_below_percent` is set, but there are no zones".into())
                .at(span, "nobody reads it here")
                .help("give this process and its backends a `zone`, or leave the key out"),
        );
    }
}

/// `first` leaves a backend only when it is full.
fn report_first(reader: &Reader<'_>, algorithm: Algorithm, backends: &[ReadBackend]) {
    if algorithm != Algorithm::First {
        return;
    }
    let mut endless = backends
        .iter()
        .filter(|backend| backend.plan.weight_now() != Weight::ZERO)
        .skip_while(|backend| backend.plan.max_connections.is_some());
    if let (Some(endless), Some(_)) = (endless.next(), endless.next()) {
        reader.push(
            Problem::warning(
                Kind::Contradiction,
                format!("`first` sends everything to backend \"{}\"", endless.plan.name),
            )
            .at(endless.span.clone(), "without `max_connections` it is never full")
            .help("give every backend but the last one a `max_connections`"),
        );
    }
}

/// Least connections reads every load at every choice.
fn report_many(reader: &Reader<'_>, algorithm: Algorithm, backends: &[ReadBackend]) {
    if algorithm != Algorithm::WeightedLeastConn || backends.len() <= LEAST_CONN_BACKENDS {
        return;
    }
    let span = reader.raw_span("algorithm").unwrap_or_else(|| reader.span());
    reader.push(
        Problem::warning(
            Kind::CostlyChoice,
            format!(
                "`least_conn` compares all {} backends for every request",
                backends.len()
            ),
        )
        .at(span, format!("above {LEAST_CONN_BACKENDS} backends this is felt"))
        .help("use algorithm = \"two_choices\": nearly as even, and as fast with any number"),
    );
}

/// From here on a choice takes some microseconds.
const LEAST_CONN_BACKENDS: usize = 1_000;
