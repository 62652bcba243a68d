//! One end of a connection as the kernel has it, and as the runtime knows it.

use rustix::io::Errno;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::task::Waker;
use std::time::Duration;

use lb_types::Time;
use tokio::io::Interest;

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The other side has not answered yet.
    Asking,
    Open,
    /// Nothing comes or goes any more.
    Gone,
}

#[derive(Debug)]
pub(super) struct Socket {
    /// The other end's number; 0 while there is none.
    pub(super) other: u64,
    /// Of this machine: no latency, no reset, and the other end learns of a close at once.
    pub(super) is_unix: bool,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) phase: Phase,
    pub(super) unread: VecDeque<u8>,
    /// The other side has said its end.
    pub(super) fin: bool,
    /// The other side has broken off.
    pub(super) rst: bool,
    /// We have said our end.
    pub(super) said_end: bool,
    /// The error that waits.
    pub(super) error: Option<Errno>,
    /// Its owner has closed it; it says the rest on its own.
    pub(super) closed: bool,
    /// Sent and not yet taken by the other side's reader.
    pub(super) out: usize,
    /// The most of that.
    pub(super) window: usize,
    /// Somebody found it full.
    pub(super) wants_room: bool,
    /// What is sent later does not come earlier.
    pub(super) last: Time,
    pub(super) latency: RangeInclusive<Duration>,
    pub(super) descriptor: Option<u64>,
    pub(super) known: Known,
}

/// What the runtime was told.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) readable: bool,
    pub(super) read_closed: bool,
    pub(super) writable: bool,
    pub(super) write_closed: bool,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
}

impl Socket {
    pub(super) fn is_full(&self) -> bool {
        self.out >= self.window
    }

    /// Is there so much room that a writer is told? (`sk_stream_is_writeable` in the kernel: half of what is in use.)
    pub(super) fn has_room(&self) -> bool {
        self.window.saturating_sub(self.out) >= (self.out / 2).max(1)
    }

    /// Tells the runtime all that is so now, as epoll(7) does with each event, and returns who is to be woken.
    pub(super) fn tell(&mut self, for_nothing: bool) -> [Option<Waker>; 2] {
        let gone = self.phase == Phase::Gone;
        let read_closed = self.fin || gone;
        let hung_up = gone || (self.fin && self.said_end);
        let readable = read_closed || !self.unread.is_empty() || self.error.is_some();
        let asked = self.phase != Phase::Asking;
        let writable = asked && (self.said_end || gone || self.has_room());
        if asked && !writable {
            self.wants_room = true;
        }
        let known = &mut self.known;
        known.readable |= readable || for_nothing;
        known.read_closed |= read_closed;
        known.writable |= writable || (for_nothing && asked);
        known.write_closed |= hung_up || (writable && self.error.is_some());
        let reader = if known.readable { known.reader.take() } else { None };
        let writer = if known.writable || known.write_closed {
            known.writer.take()
        } else {
            None
        };
        [reader, writer]
    }

    /// recv(2). Says how many were taken.
    pub(super) fn take(&mut self, into: &mut [u8], peek: bool) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let len = into.len().min(self.unread.len());
        if len > 0 {
            for (to, byte) in into.iter_mut().zip(&self.unread) {
                *to = *byte;
            }
            if !peek {
                self.unread.drain(..len);
            }
            return Ok(len);
        }
        // A TCP socket that has read the end does not speak of later errors; a Unix domain socket does.
        if self.fin && !self.is_unix {
            return Ok(0);
        }
        if let Some(error) = self.error.take() {
            return Err(error.into());
        }
        if self.fin || self.phase == Phase::Gone {
            return Ok(0);
        }
        Err(Errno::AGAIN.into())
    }

    /// What send(2) says before it looks for room.
    pub(super) fn may_send(&mut self) -> io::Result<()> {
        if self.phase != Phase::Gone && !self.said_end && self.error.is_none() {
            return if self.phase == Phase::Asking {
                Err(Errno::AGAIN.into())
            } else {
                Ok(())
            };
        }
        let error = if self.is_unix { None } else { self.error.take() };
        Err(error.unwrap_or(Errno::PIPE).into())
    }

    /// The other side broke off, or never answered.
    pub(super) fn fail(&mut self, error: Errno) {
        self.error = Some(error);
        self.phase = Phase::Gone;
    }
}

impl Known {
    pub(super) fn is_ready(&self, interest: Interest) -> bool {
        if interest.is_readable() {
            self.readable || self.read_closed
        } else {
            self.writable || self.write_closed
        }
    }

    /// That a direction is closed is final.
    pub(super) fn clear(&mut self, interest: Interest) {
        if interest.is_readable() {
            self.readable = false;
        } else {
            self.writable = false;
        }
    }

    /// One task per direction is woken: the last that asked.
    pub(super) fn wake_later(&mut self, interest: Interest, waker: &Waker) {
        let place = if interest.is_readable() {
            &mut self.reader
        } else {
            &mut self.writer
        };
        *place = Some(waker.clone());
    }
}
