use crate::state::{Backend, State};
use std::fmt::Write;

/// One thing a line, as `word=value`: for a log, and for programs that read lines.
#[must_use]
pub fn lines(state: &State) -> String {
    let mut text = String::new();
    for backend in state.pools.iter().flat_map(|pool| &pool.backends) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "state pool={} backend={} address={} weight={} in_flight={}{} status={}",
            backend.pool,
            backend.name,
            backend.address,
            backend.weight.ordered.unwrap_or(backend.weight.configured),
            backend.in_flight,
            passed_over(backend),
            status(backend)
        );
    }
    for listener in &state.listeners {
        let _ = writeln!(
            text,
            "state listener={} address={} connections={} limited={} crowded={} unaccepted={}",
            listener.name,
            listener.address,
            listener.connections,
            listener.limited,
            listener.crowded,
            listener.unaccepted
        );
    }
    text.push_str("state total");
    for (name, count) in state.totals.counters() {
        let _ = write!(text, " {name}={count}");
    }
    text.push('\n');
    for (end, count) in &state.totals.ends {
        let _ = writeln!(text, "state end={end} count={count}");
    }
    text
}

/// ` passed_over=refused`, or nothing.
fn passed_over(backend: &Backend) -> String {
    let passed = backend.passed_over.as_ref();
    passed.map_or_else(String::new, |passed| format!(" passed_over={}", passed.cause.kind))
}

/// The state with a capital letter, and the cause: `Up`, `Down(refused)`.
fn status(backend: &Backend) -> String {
    let mut text: String = backend.state.chars().take(1).flat_map(char::to_uppercase).collect();
    text.extend(backend.state.chars().skip(1));
    if let Some(cause) = &backend.cause {
        let _ = write!(text, "({})", cause.kind);
    }
    text
}
