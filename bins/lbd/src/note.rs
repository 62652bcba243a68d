//! Lines for the operator, on standard error.
//!
//! Nobody may be there to read them, and the disk may be full: neither is a reason to end, so nothing here fails.

use lb_types::Time;
use std::fmt::Display;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

/// Prints `lbd: ` and a line; the time before it, if the configuration wants it.
pub(crate) fn note(line: impl Display) {
    print(&format!("{}lbd: {line}\n", moment()));
}

/// From now on, does each line begin with the time?
pub(crate) fn with_time(wanted: bool) {
    WITH_TIME.store(wanted, Ordering::Relaxed);
}

/// `2026-11-21T10:51:19.976Z `, or nothing.
fn moment() -> String {
    if !WITH_TIME.load(Ordering::Relaxed) {
        return String::new();
    }
    format!("{} ", lb_telemetry::timestamp(lb_net::clock::now().wall))
}

static WITH_TIME: AtomicBool = AtomicBool::new(false);

/// Standard error for lines of our crates: each comes in one piece.
struct Timed(std::io::Stderr);

impl Write for Timed {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(&[moment().as_bytes(), line].concat())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// `1 connection`, `2 connections`.
pub(crate) fn counted(number: u64, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Prints text as it stands.
pub(crate) fn print(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Warnings of our own crates go to standard error too, from now on: one line each.
pub(crate) fn warnings() {
    // Somebody else may listen already: then they do not need this.
    let _ = tracing::subscriber::set_global_default(subscriber(|| Timed(std::io::stderr())));
}

fn subscriber<W>(writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .log_internal_errors(false)
        .with_writer(writer);
    // What other crates warn of may be a client's doing; changes of health are notes already.
    let ours = Targets::new()
        .with_target("lb_", LevelFilter::WARN)
        .with_target("lb_probe::entry", LevelFilter::OFF);
    tracing_subscriber::registry().with(lines.with_filter(ours))
}

/// A count that only rises, of which the operator hears now and then.
#[derive(Debug, Default)]
pub(crate) struct Rising {
    told: u64,
    quiet_until: Time,
}

impl Rising {
    /// By how much it rose since it was last told; `None` when it did not, or was told a moment ago.
    pub(crate) fn since_told(&mut self, count: u64, now: Time) -> Option<u64> {
        let by = count.checked_sub(self.told).filter(|by| *by > 0)?;
        if now < self.quiet_until {
            return None;
        }
        *self = Self {
            told: count,
            quiet_until: now.after(QUIET),
        };
        Some(by)
    }
}

/// What goes on for hours is told sixty times an hour.
const QUIET: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_our_crates_are_lines_and_those_of_others_are_not() {
        let path = std::env::temp_dir().join(format!("lbd-warnings-{}", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        tracing::subscriber::with_default(subscriber(file), || {
            tracing::warn!(target: "lb_probe::prober", most = 16, "probes are late");
            tracing::info!(target: "lb_probe::prober", "probes are in time again");
            tracing::warn!(target: "lb_probe::entry", "health changed");
            tracing::error!(target: "rustls::server", "a client misbehaves");
        });
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text.trim(), "WARN probes are late most=16");
    }

    #[test]
    fn what_rises_is_told_at_once_and_then_once_a_minute() {
        let at = |secs| Time::ZERO.after(Duration::from_secs(secs));
        let mut rising = Rising::default();
        assert_eq!(rising.since_told(0, at(1)), None);
        assert_eq!(rising.since_told(3, at(2)), Some(3));
        assert_eq!(rising.since_told(3, at(100)), None);
        assert_eq!(rising.since_told(4, at(101)), Some(1));
        assert_eq!(rising.since_told(9, at(160)), None);
        assert_eq!(rising.since_told(10, at(161)), Some(6));
    }
}
