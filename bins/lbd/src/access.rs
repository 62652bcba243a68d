//! The thread that writes access-log lines.

use crate::note::{Rising, counted, note};
use lb_config::{AccessLog as To, Log as LogPlan};
use lb_proxy::AccessLog;
use lb_telemetry::Format;
use lb_types::Time;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// A place for lines that a person watches: every line at once.
pub(crate) struct Watcher {
    pub(crate) format: Format,
}

/// An access log that is written. The thread ends when no worker sends to it any more.
#[derive(Debug)]
pub(crate) struct Writer {
    lost: Arc<AtomicU64>,
    told: Rising,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Has every line that was sent been written, and will no other come?
    pub(crate) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Lines that were dropped because writing was too slow.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Says that lines were dropped, if it was not said a moment ago.
    pub(crate) fn tell_lost(&mut self, now: Time) {
        if let Some(lines) = self.told.since_told(self.lost(), now) {
            note(format_args!(
                "{} dropped: writing is too slow",
                counted(lines, "access-log line")
            ));
        }
    }
}

/// Opens the log of a configuration; `None` when it is off.
pub(crate) fn open(plan: &LogPlan) -> io::Result<Option<(AccessLog, Writer)>> {
    let out: Box<dyn Write + Send> = match &plan.access {
        To::Off => return Ok(None),
        To::Stdout => Box::new(io::stdout()),
        To::Stderr => Box::new(io::stderr()),
        To::File(path) => {
            let file = File::options().append(true).create(true).open(path);
            Box::new(file.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?)
        }
        _ => return Err(io::Error::other("this kind of access log is not known")),
    };
    Ok(Some(start(out, plan.format, false)))
}

/// Lines for a person, on standard output.
pub(crate) fn watch(watcher: &Watcher) -> (AccessLog, Writer) {
    start(Box::new(io::stdout()), watcher.format, true)
}

fn start(out: Box<dyn Write + Send>, format: Format, unbuffered: bool) -> (AccessLog, Writer) {
    let (sink, blocks) = sync_channel(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    let thread = std::thread::Builder::new()
        .name("access-log".to_owned())
        .spawn(move || write(out, &blocks))
        .expect("a thread for the access log");
    let writer = Writer {
        lost: Arc::clone(&lost),
        told: Rising::default(),
        thread,
    };
    let log = AccessLog {
        format,
        sink,
        lost,
        unbuffered,
    };
    (log, writer)
}

/// Ends when the last sender is gone.
fn write(mut out: Box<dyn Write + Send>, blocks: &Receiver<Vec<u8>>) {
    let mut failing = false;
    while let Ok(block) = blocks.recv() {
        let result = out.write_all(&block).and_then(|()| out.flush());
        if let Err(error) = &result
            && !failing
        {
            note(format_args!("cannot write the access log: {error}"));
        }
        failing = result.is_err();
    }
}

/// Blocks of 32 KiB that may wait while the disk is slow.
const QUEUE: usize = 256;
