//! The thread that writes access-log lines.

use lb_config::AccessLog as To;
use lb_proxy::AccessLog;
use lb_telemetry::Format;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};

/// A place for lines that a person watches: every line at once.
pub(crate) struct Watcher {
    pub(crate) format: Format,
}

/// Opens the log of a configuration; `None` when it is off.
pub(crate) fn open(to: &To, format: Format) -> io::Result<Option<AccessLog>> {
    let out: Box<dyn Write + Send> = match to {
        To::Off => return Ok(None),
        To::Stdout => Box::new(io::stdout()),
        To::Stderr => Box::new(io::stderr()),
        To::File(path) => Box::new(File::options().append(true).create(true).open(path)?),
        _ => return Err(io::Error::other("this kind of access log is not known")),
    };
    Ok(Some(start(out, format, false)))
}

/// Lines for a person, on standard output.
pub(crate) fn watch(watcher: &Watcher) -> AccessLog {
    start(Box::new(io::stdout()), watcher.format, true)
}

fn start(out: Box<dyn Write + Send>, format: Format, unbuffered: bool) -> AccessLog {
    let (sink, blocks) = sync_channel(QUEUE);
    std::thread::Builder::new()
        .name("access-log".to_owned())
        .spawn(move || write(out, &blocks))
        .expect("a thread for the access log");
    AccessLog {
        format,
        sink,
        lost: Arc::new(AtomicU64::new(0)),
        unbuffered,
    }
}

/// Ends when the last sender is gone.
fn write(mut out: Box<dyn Write + Send>, blocks: &Receiver<Vec<u8>>) {
    let mut failing = false;
    while let Ok(block) = blocks.recv() {
        let result = out.write_all(&block).and_then(|()| out.flush());
        if let Err(error) = &result
            && !failing
        {
            eprintln!("lbd: cannot write the access log: {error}");
        }
        failing = result.is_err();
    }
}

/// Blocks of 32 KiB that may wait while the disk is slow.
const QUEUE: usize = 256;
