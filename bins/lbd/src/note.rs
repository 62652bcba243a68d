//! Lines for the operator, on standard error.
//!
//! Nobody may be there to read them, and the disk may be full: neither is a reason to end, or to wait, so nothing here
//! fails, and while the program serves nothing waits.

use crate::outbox::Outbox;
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
struct Timed;

impl Write for Timed {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        print(&format!("{}{}", moment(), String::from_utf8_lossy(line)));
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `1 connection`, `2 connections`.
pub(crate) fn counted(number: u64, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Prints text as it stands.
pub(crate) fn print(text: &str) {
    if SERVING.load(Ordering::Relaxed) {
        OUTBOX.send(text.to_owned(), std::io::stderr(), !SHARED.load(Ordering::Relaxed));
    } else {
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// From now on nothing waits for whoever reads standard error: not a line, and not the words of a panic.
pub(crate) fn serving() {
    SERVING.store(true, Ordering::Relaxed);
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let words = panic.payload_as_str().unwrap_or("no words");
        let place = panic
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        note(format_args!(
            "a fault of lbd: thread {} panicked{place}: {words}",
            thread.name().unwrap_or("without a name")
        ));
        let backtrace = std::backtrace::Backtrace::capture();
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            print(&format!("{backtrace}\n"));
        }
    }));
}

/// Others write to standard error too: that there is room says little.
pub(crate) fn shared(is_shared: bool) {
    SHARED.store(is_shared, Ordering::Relaxed);
}

/// The last lines, before the program ends.
pub(crate) fn finish() {
    OUTBOX.finish(PATIENCE);
}

static OUTBOX: Outbox = Outbox::new();
static SERVING: AtomicBool = AtomicBool::new(false);
static SHARED: AtomicBool = AtomicBool::new(false);
/// How long the end waits for whoever reads.
const PATIENCE: Duration = Duration::from_secs(1);

/// Warnings of our own crates go to standard error too, from now on: one line each.
pub(crate) fn warnings() {
    // Somebody else may listen already: then they do not need this.
    let _ = tracing::subscriber::set_global_default(subscriber(|| Timed));
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
