//! Bytes from one socket to another that never enter this process.

use crate::Plain;
use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;

/// A pipe that carries bytes from one socket to another inside the kernel (splice(2)), and
/// what is in it now.
///
/// It costs two descriptors, and system calls instead of two copies of every byte; it pays from
/// some hundred KiB on. Whoever gets an error from [`Splice::new`] copies instead: a pipe is never
/// needed. Bytes that are inside when it is dropped are lost.
#[derive(Debug)]
pub struct Splice {
    /// Where bytes come out.
    end: OwnedFd,
    /// Where bytes go in.
    start: OwnedFd,
    inside: usize,
}

impl Splice {
    /// An empty pipe. Three system calls.
    ///
    /// # Errors
    /// Out of descriptors, over the user's limit of pipe memory (`fs.pipe-user-pages-soft`: the
    /// kernel then gives a pipe too small to be of use), or a system without splice(2).
    pub fn new() -> io::Result<Self> {
        let (end, start) = system::pipe(SIZE)?;
        Ok(Self { end, start, inside: 0 })
    }

    /// Bytes that went in and did not come out yet.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.inside
    }

    /// Is nothing inside?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.inside == 0
    }

    /// Takes what `from` has received, at most `most` bytes. After `Pending` the task is woken when
    /// there is more.
    ///
    /// Only into an empty pipe: a full one makes splice(2) say EAGAIN although the socket has
    /// bytes, and who then waits for the socket waits for ever.
    ///
    /// # Errors
    /// What the connection broke with; nothing was taken. [`io::ErrorKind::InvalidInput`] for a
    /// pipe that is not empty.
    pub fn poll_fill(&mut self, cx: &mut Context<'_>, from: Plain<'_>, most: u64) -> Poll<io::Result<Filled>> {
        if self.inside > 0 {
            return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
        }
        let most = usize::try_from(most).map_or(SIZE, |most| most.min(SIZE));
        loop {
            ready!(from.poll_readable(cx))?;
            match from.try_io(Interest::READABLE, || self.take(from, most)) {
                // Its readiness is cleared now: the next round waits.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(Filled::Bytes(len)) => {
                    self.inside = len;
                    return Poll::Ready(Ok(Filled::Bytes(len)));
                }
                other => return Poll::Ready(other),
            }
        }
    }

    fn take(&self, from: Plain<'_>, most: usize) -> io::Result<Filled> {
        for _ in 0..2 {
            match system::splice(from, &self.start, most) {
                Ok(len) if len > 0 => return Ok(Filled::Bytes(len)),
                Err(error) if is_refusal(&error) => return Ok(Filled::Copy),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                // In front of urgent data splice(2) says "nothing", or "the end", for ever; a read
                // passes over it.
                Ok(_) | Err(_) if from.peek()? == 0 => return Ok(Filled::Ended),
                // It may have come between the two calls.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Filled::Copy)
    }

    /// Gives bytes to `to` until the pipe is empty or the socket takes no more. Says how many;
    /// `Pending` when none. An empty pipe is `Ok(0)`.
    ///
    /// # Errors
    /// What the connection broke with. What is inside stays there.
    pub fn poll_drain(&mut self, cx: &mut Context<'_>, to: Plain<'_>) -> Poll<io::Result<usize>> {
        let before = self.inside;
        while self.inside > 0 {
            let taken = before - self.inside;
            match to.poll_writable(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending if taken > 0 => break,
                Poll::Pending => return Poll::Pending,
            }
            let len = self.inside;
            match to.try_io(Interest::WRITABLE, || system::splice(&self.end, to, len)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(len) => self.inside = self.inside.saturating_sub(len),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(before - self.inside))
    }
}

/// What [`Splice::poll_fill`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// So many bytes are inside now; at least 1.
    Bytes(usize),
    /// The stream ended.
    Ended,
    /// Something waits, or may wait, that cannot be spliced: behind urgent data, or on a socket or
    /// in a sandbox without splice(2). The connection is sound, the pipe empty: read.
    Copy,
}

/// Does this error only say that splice(2) is not to be had here?
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput
            | io::ErrorKind::Unsupported
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::OutOfMemory
    )
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with};
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};

    /// The ends where bytes come out and go in.
    pub(super) fn pipe(size: usize) -> io::Result<(OwnedFd, OwnedFd)> {
        let (end, start) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        if fcntl_setpipe_size(&start, size).is_err() && fcntl_getpipe_size(&start)? < super::LEAST {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok((end, start))
    }

    pub(super) fn splice(from: impl AsFd, to: impl AsFd, len: usize) -> io::Result<usize> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        Ok(rustix::io::retry_on_intr(|| {
            rustix::pipe::splice(&from, None, &to, None, len, flags)
        })?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;
    use std::os::fd::OwnedFd;

    pub(super) fn pipe(_: usize) -> io::Result<(OwnedFd, OwnedFd)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn splice<F, T>(_: F, _: T, _: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// What a pipe is made to hold, and most that is inside at once: what a slow reader can keep
/// waiting here. Measured: 64 KiB costs a sixth more CPU per byte, 1 MiB a twentieth less; and of this
/// size a user without privileges may have 256 (`fs.pipe-user-pages-soft`).
const SIZE: usize = 256 * 1024;
/// A smaller pipe is not worth its system calls. New pipes have this much, unless their user has
/// too many.
const LEAST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
