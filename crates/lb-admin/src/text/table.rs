use super::column::{self, Column, Paint};
use super::duration::{fine, short};
use crate::state::{Backend, Listener, Pool, Process, Seen, State};
use lb_net::Shortage;
use std::fmt::Write;

/// How a table looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableOptions {
    /// Colours for a terminal.
    pub color: bool,
    /// Characters in a line. Only names and addresses that are very long go beyond.
    pub width: usize,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
        }
    }
}

impl TableOptions {
    /// The same in colour, or not.
    #[must_use]
    pub const fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }
}

/// Everything as tables: what runs, its listeners, and each pool with the reason and the mend for what is down.
#[must_use]
pub fn table(state: &State, options: TableOptions) -> String {
    let mut out = String::new();
    process(&state.process, &mut out);
    let totals = &state.totals;
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}, {} ({} open), {} {}",
        counted(totals.requests, "request"),
        counted(totals.connections, "connection"),
        totals.active,
        totals.retries,
        if totals.retries == 1 { "retry" } else { "retries" }
    );
    listeners(state, options, &mut out);
    for one in &state.pools {
        pool(one, options, &mut out);
    }
    out
}

/// Backends as one table, by `POOL/BACKEND`: the answer to an order.
#[must_use]
pub fn backends(list: &[Backend], options: TableOptions) -> String {
    let mut out = String::new();
    let name = |backend: &Backend| format!("{}/{}", backend.pool, backend.name);
    rows(list, name, "", options, &mut out);
    out
}

fn process(process: &Process, out: &mut String) {
    let source = process.config.as_deref().unwrap_or("the command line");
    let _ = writeln!(
        out,
        "lbd {}, pid {}, up {}, {} worker{}{}\nconfiguration {} from {source}, loaded {} ago",
        process.version,
        process.pid,
        short(process.started_seconds),
        process.workers,
        if process.workers == 1 { "" } else { "s" },
        if process.stopping { ", stopping" } else { "" },
        process.serial,
        short(process.loaded_seconds),
    );
    if process.refused > 0 {
        let _ = writeln!(
            out,
            "{} refused since the start: the log says why",
            counted(process.refused, "reload")
        );
    }
}

fn listeners(state: &State, options: TableOptions, out: &mut String) {
    if state.listeners.is_empty() {
        return;
    }
    let mut columns = [
        Column::left("LISTENER"),
        Column::left("ADDRESS"),
        Column::left("PROTOCOL"),
        Column::right("CONNECTIONS"),
        Column::right("MOST"),
        Column::right("WAITED"),
    ];
    for listener in &state.listeners {
        let cells = [
            &listener.name,
            &listener.address,
            &listener.protocol,
            &listener.connections.to_string(),
            &listener.max_connections.to_string(),
            &listener.limited.saturating_add(listener.crowded).to_string(),
        ];
        columns
            .iter_mut()
            .zip(cells)
            .for_each(|(column, cell)| column.push(cell));
    }
    out.push('\n');
    column::row(&columns, None, "", options.color, out);
    for (index, listener) in state.listeners.iter().enumerate() {
        column::row(&columns, Some(index), "", options.color, out);
        for text in waits(listener) {
            note(&text, "", options, out);
        }
    }
}

/// Why clients had to wait, and what there is to do about it.
fn waits(listener: &Listener) -> Vec<String> {
    let mut notes = Vec::new();
    let waited = |number| format!("{} had to wait", counted(number, "connection"));
    if listener.limited > 0 {
        notes.push(format!(
            "{}: max_connections = {} was reached; raise `max_connections` in its `limits` or in `[limits]`",
            waited(listener.limited),
            listener.max_connections
        ));
    }
    if listener.crowded > 0 {
        notes.push(format!(
            "{}: the last descriptors are kept for connections to backends; {}",
            waited(listener.crowded),
            Shortage::Descriptors.mend()
        ));
    }
    if listener.unaccepted > 0 {
        notes.push(format!(
            "accepting failed {}, for want of descriptors or memory: idle connections were closed to make room",
            counted(listener.unaccepted, "time")
        ));
    }
    notes
}

fn pool(pool: &Pool, options: TableOptions, out: &mut String) {
    let _ = write!(
        out,
        "\npool {}: {}, {} of {} up",
        pool.name, pool.algorithm, pool.up, pool.total
    );
    if pool.taking != pool.up {
        let _ = write!(out, ", {} for new clients", pool.taking);
    }
    if pool.exact_shares {
        out.push_str(", shares exact");
    }
    out.push('\n');
    if pool.failed_open {
        out.push_str("  FAILED OPEN: too few backends are up, so health is ignored\n");
    }
    if pool.unverified {
        out.push_str(
            "  UNVERIFIED: `verify = \"none\"` believes whoever answers; set `roots` or `pins` in the pool's `tls` instead\n",
        );
    }
    rows(&pool.backends, |backend| backend.name.clone(), "  ", options, out);
}

/// Backends with titles and, under each, what there is to say.
fn rows(list: &[Backend], name: impl Fn(&Backend) -> String, indent: &str, options: TableOptions, out: &mut String) {
    let named = list.iter().any(|backend| backend.name != backend.address);
    let mut columns = columns(list, &name, named);
    let apart = named && indent.len() + column::width(&columns) > options.width;
    if apart {
        columns.remove(1);
    }
    column::row(&columns, None, indent, options.color, out);
    for (index, backend) in list.iter().enumerate() {
        column::row(&columns, Some(index), indent, options.color, out);
        if apart {
            note(&format!("at {}", backend.address), indent, options, out);
        }
        for text in notes(backend) {
            note(&text, indent, options, out);
        }
    }
}

fn columns(list: &[Backend], name: &impl Fn(&Backend) -> String, named: bool) -> Vec<Column> {
    let [mut names, mut addresses, mut states] = ["BACKEND", "ADDRESS", "STATE"].map(Column::left);
    let [mut since, mut weights, mut shares, mut active, mut next] =
        ["SINCE", "WEIGHT", "SHARE", "ACTIVE", "NEXT"].map(Column::right);
    let mut results = Column::left("LAST TEN");
    for backend in list {
        names.push(name(backend));
        addresses.push(&backend.address);
        states.paint(&backend.state, paint(backend));
        since.push(short(backend.since_seconds));
        weights.push(weight(backend));
        shares.push(format!("{:.0}%", backend.weight.share_percent));
        active.push(backend.in_flight);
        let probe = backend.probe.as_ref();
        let mark = |seen: &Seen| if seen.ok { '.' } else { 'x' };
        results.push(probe.map_or_else(|| "-".to_owned(), |probe| probe.results.iter().map(mark).collect()));
        next.push(match probe.map(|probe| probe.next_seconds) {
            Some(Some(seconds)) => short(seconds),
            Some(None) if is_probed(backend) => "now".to_owned(),
            _ => "-".to_owned(),
        });
    }
    let mut all = vec![names];
    if named {
        all.push(addresses);
    }
    all.extend([states, since, weights, shares, active, results, next]);
    all
}

/// Do probes come at all? Not in maintenance by order, and not where only traffic judges.
fn is_probed(backend: &Backend) -> bool {
    let address = backend.probe.as_ref().and_then(|probe| probe.address.as_ref());
    address.is_some() && backend.admin != "maintenance"
}

/// The weight, and what else there is behind it: `5`, `0.5 of 5` in slow start or by an agent's word.
fn weight(backend: &Backend) -> String {
    let weight = &backend.weight;
    let full = weight.ordered.unwrap_or(weight.configured);
    let is_other = weight.ramp_percent < 100 || weight.agent_percent.is_some_and(|percent| percent != 100);
    if is_other && weight.effective > 0.0 {
        return format!("{} of {full}", number(weight.effective));
    }
    full.to_string()
}

/// With as many places as are needed, at most two.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn paint(backend: &Backend) -> Paint {
    match backend.state.as_str() {
        "up" => Paint::Good,
        "down" => Paint::Bad,
        "draining" | "maintenance" => Paint::Care,
        _ => Paint::None,
    }
}

/// `1 request`, `2 requests`.
fn counted(number: u64, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// What an operator should know beside the numbers.
fn notes(backend: &Backend) -> Vec<String> {
    let full = format!("{}/{}", backend.pool, backend.name);
    let mut notes = Vec::new();
    let last = backend.probe.as_ref().and_then(|probe| probe.last.as_ref());
    let same = last.filter(|last| last.cause.is_some() && last.cause == backend.cause);
    if let Some(cause) = &backend.cause {
        let when = same.map_or_else(String::new, |last| format!(", {} ago", short(last.seconds_ago)));
        notes.push(format!("{}{when}: {}", cause.text, cause.mend));
    }
    if let Some(probe) = &backend.probe {
        if let Some(last) = last.filter(|last| same.is_none() && (!last.ok || backend.state == "down")) {
            let took = probe
                .took_seconds
                .map_or_else(String::new, |took| format!(" in {}", fine(took)));
            let what = last.cause.as_ref().map_or("good", |cause| cause.text.as_str());
            notes.push(format!("last probe {} ago: {what}{took}", short(last.seconds_ago)));
        }
        if probe.against > 0 && (backend.state == "up" || backend.state == "down") {
            let kind = if backend.state == "up" { "failed" } else { "good" };
            notes.push(format!(
                "{} {kind} probe{} in a row",
                probe.against,
                if probe.against == 1 { "" } else { "s" }
            ));
        }
        if let Some(word) = &probe.agent {
            notes.push(format!("its own agent asks for {word}"));
        }
        match backend.weight.agent_percent {
            Some(0) => notes.push("its own agent says 0%: no new clients".to_owned()),
            Some(percent) if percent != 100 => notes.push(format!("its own agent says {percent}% of the weight")),
            _ => {}
        }
        if let Some(text) = &probe.agent_note {
            notes.push(format!("its own agent notes: {text}"));
        }
        if let Some(fault) = &probe.agent_fault {
            notes.push(format!("{fault}; what it said last stays"));
        }
        let shown = probe.certificate.as_ref();
        if let Some(warning) = shown.and_then(|shown| shown.warning.as_ref()) {
            notes.push(format!("its certificate {warning}: renew it there"));
        }
        if probe.elsewhere {
            let address = probe.address.as_deref().unwrap_or("another address");
            notes.push(format!("probed at {address}, not where its traffic goes"));
        }
    }
    if backend.takes == "overflow" {
        notes.push("stands by: gets new clients when those before it are full or down".to_owned());
    }
    if let Some(passed) = &backend.passed_over {
        let (cause, since) = (&passed.cause, short(passed.since_seconds));
        notes.push(format!("passed over, for {since} now: {}: {}", cause.text, cause.mend));
    }
    match backend.failures {
        0 => {}
        1 => notes.push("the last request failed".to_owned()),
        many => notes.push(format!("{many} requests in a row failed")),
    }
    if let Some(failure) = &backend.last_failure
        && (backend.failures > 0 || failure.seconds_ago < RECENT_SECONDS)
    {
        let detail = failure
            .detail
            .as_deref()
            .map_or_else(String::new, |detail| format!(": {detail}"));
        notes.push(format!(
            "last failure {} ago: {}{detail}",
            short(failure.seconds_ago),
            failure.end
        ));
    }
    if backend.max_connections.is_some_and(|most| backend.in_flight >= most) {
        notes.push(format!("full: {} of {}", backend.in_flight, backend.in_flight));
    }
    if backend.admin_ordered {
        notes.push(format!(
            "{} was ordered at run time; `lbd backend reset {full}` ends that",
            backend.admin
        ));
    } else if backend.admin == "drain" {
        notes.push("the configuration says drain = true".to_owned());
    }
    if let Some(ordered) = backend.weight.ordered {
        let configured = backend.weight.configured;
        notes.push(format!(
            "weight {ordered} was set at run time, the configuration says {configured}; `lbd backend reset {full}` ends that"
        ));
    }
    notes
}

/// A failed request is worth a line for so long, if others went well since.
const RECENT_SECONDS: f64 = 600.0;

/// A text under a row, broken between words.
fn note(text: &str, indent: &str, options: TableOptions, out: &mut String) {
    let room = options.width.saturating_sub(indent.len() + NOTE.len()).max(LEAST_ROOM);
    let mut line = String::new();
    let mut flush = |line: &mut String| {
        if !line.is_empty() {
            out.push_str(indent);
            out.push_str(NOTE);
            out.push_str(line);
            out.push('\n');
            line.clear();
        }
    };
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            flush(&mut line);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    flush(&mut line);
}

const NOTE: &str = "    ";
const LEAST_ROOM: usize = 20;
