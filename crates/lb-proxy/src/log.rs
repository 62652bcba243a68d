//! Access-log lines on their way out of a worker: formatted into one block, handed over whole.

use lb_telemetry::{Access, Format};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

/// Where access-log lines go. The receiver writes blocks of whole lines.
///
/// A worker never waits for it: when the queue is full the block is dropped and its lines are
/// counted.
#[derive(Debug, Clone)]
pub struct AccessLog {
    /// How a line looks.
    pub format: Format,
    /// To the thread that writes.
    pub sink: SyncSender<Vec<u8>>,
    /// Lines that were dropped because the writer was too slow.
    pub lost: Arc<AtomicU64>,
    /// Hand each line over at once instead of in blocks (for a person who watches).
    pub unbuffered: bool,
}

/// One worker's end of an [`AccessLog`].
#[derive(Debug)]
pub(crate) struct Log {
    to: AccessLog,
    block: Vec<u8>,
    lines: u64,
}

impl Log {
    pub(crate) const fn new(to: AccessLog) -> Self {
        Self {
            to,
            block: Vec::new(),
            lines: 0,
        }
    }

    pub(crate) fn write(&mut self, access: &Access<'_>) {
        self.to.format.write(access, &mut self.block);
        self.lines += 1;
        if self.block.len() >= BLOCK || self.to.unbuffered {
            self.flush();
        }
    }

    pub(crate) fn flush(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let block = std::mem::replace(
            &mut self.block,
            Vec::with_capacity(if self.to.unbuffered { 256 } else { BLOCK * 5 / 4 }),
        );
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.to.sink.try_send(block) {
            self.to.lost.fetch_add(self.lines, Ordering::Relaxed);
        }
        self.lines = 0;
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Handed over when it is this long, or when the worker tidies (once a second).
const BLOCK: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn a_full_queue_costs_lines_and_counts_them() {
        let (sink, receiver) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let to = AccessLog {
            format: Format::Common,
            sink,
            lost: Arc::clone(&lost),
            unbuffered: true,
        };
        let mut log = Log::new(to);
        let access = Access::new("127.0.0.1".parse().unwrap(), lb_types::Wall::default());
        log.write(&access);
        log.write(&access);
        assert_eq!(lost.load(Ordering::Relaxed), 1);
        assert!(receiver.recv().unwrap().ends_with(b"\n"));
    }
}
