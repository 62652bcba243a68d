//! One direction of an exchange: bytes of one message on their way to one connection.

use crate::buffer::Buffer;
use lb_http::{Head, h1};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

/// What is to be written next: first `out`, then `direct` bytes from the front of the source
/// buffer, then `suffix`.
///
/// Heads, framing and small payload are collected in `out`, so that a small message leaves in one
/// system call; large payload goes from the buffer it was read into.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) out: Vec<u8>,
    written: usize,
    direct: usize,
    suffix: &'static [u8],
    /// Keep `out` after it was written: it may have to be written again.
    keep: bool,
    /// Something that was written is gone and cannot be written again.
    released: bool,
    in_trailers: bool,
    done: bool,
    sent: u64,
    payload: u64,
}

/// What [`Pipe::fill`] came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The source must be read first.
    NeedMore,
    /// What is here must be written first.
    Full,
    /// The message is here to its end.
    End,
}

/// Whose fault it is that a message cannot go on.
#[derive(Debug)]
pub(crate) enum Fault {
    Source(h1::Error),
    Sink,
}

impl Pipe {
    pub(crate) const fn new() -> Self {
        Self {
            out: Vec::new(),
            written: 0,
            direct: 0,
            suffix: b"",
            keep: false,
            released: false,
            in_trailers: false,
            done: false,
            sent: 0,
            payload: 0,
        }
    }

    pub(crate) fn clear(&mut self) {
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        if out.capacity() > MOST_OUT {
            out = Vec::new();
        }
        *self = Self { out, ..Self::new() };
    }

    pub(crate) const fn keep(&mut self) {
        self.keep = true;
    }

    /// Starts again from the first byte. Only when nothing was [released](Self::is_whole).
    pub(crate) const fn rewind(&mut self) {
        self.written = 0;
    }

    /// Can every byte that was written be written again?
    pub(crate) const fn is_whole(&self) -> bool {
        !self.released
    }

    /// Was the message filled in to its end?
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// Is no message cut in two by what was written so far?
    pub(crate) const fn is_untouched(&self) -> bool {
        self.written == 0 && self.direct == 0
    }

    /// Does anything wait to be written?
    pub(crate) fn is_flushed(&self) -> bool {
        self.written == self.out.len() && self.direct == 0 && self.suffix.is_empty()
    }

    /// Bytes that the kernel took, of all attempts.
    pub(crate) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Payload bytes of the message so far.
    pub(crate) const fn payload(&self) -> u64 {
        self.payload
    }

    /// Says that nothing follows the head that was put into `out`.
    pub(crate) const fn has_no_body(&mut self) {
        self.done = true;
    }

    /// Takes the body's next bytes from the source, as far as they should be written together.
    pub(crate) fn fill(
        &mut self,
        from: &mut h1::Conn,
        source: &mut Buffer,
        to: &mut h1::Conn,
        trailers: &mut Head,
    ) -> Result<Fill, Fault> {
        loop {
            if self.done {
                return Ok(Fill::End);
            }
            if self.written >= FULL {
                // A slow reader must not make this grow for ever.
                self.out.drain(..self.written);
                self.written = 0;
                self.released = true;
                self.keep = false;
            }
            if self.direct > 0 || !self.suffix.is_empty() || self.out.len() - self.written >= FULL {
                return Ok(Fill::Full);
            }
            if self.in_trailers {
                match from.read_trailers(source.filled(), trailers).map_err(Fault::Source)? {
                    h1::Step::NeedMore => return Ok(Fill::NeedMore),
                    h1::Step::Ready(len) => {
                        source.consume(len);
                        self.end(to, Some(trailers))?;
                        return Ok(Fill::End);
                    }
                }
            }
            match from.read_body(source.filled()).map_err(Fault::Source)? {
                h1::Part::NeedMore { skip } => {
                    source.consume(skip);
                    return Ok(Fill::NeedMore);
                }
                h1::Part::Data { skip, len } => {
                    source.consume(skip);
                    self.forget();
                    self.suffix = to.write_body(len, &mut self.out).map_err(|_| Fault::Sink)?;
                    self.payload += len as u64;
                    if len <= COPIED {
                        self.out.extend_from_slice(&source.filled()[..len]);
                        self.out.extend_from_slice(self.suffix);
                        self.suffix = b"";
                        source.consume(len);
                    } else {
                        self.direct = len;
                    }
                }
                h1::Part::Trailers { skip } => {
                    source.consume(skip);
                    trailers.clear();
                    self.in_trailers = true;
                }
                h1::Part::End { skip } => {
                    source.consume(skip);
                    self.end(to, None)?;
                    return Ok(Fill::End);
                }
            }
        }
    }

    /// Ends the message without reading its end from the source.
    pub(crate) fn end(&mut self, to: &mut h1::Conn, trailers: Option<&Head>) -> Result<(), Fault> {
        self.forget();
        to.write_end(trailers, &mut self.out).map_err(|_| Fault::Sink)?;
        self.done = true;
        Ok(())
    }

    /// Writes all there is. `Pending`: the connection takes no more now.
    pub(crate) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut TcpStream,
        source: &mut Buffer,
    ) -> Poll<io::Result<()>> {
        loop {
            let out = &self.out[self.written..];
            let mut io = Pin::new(&mut *io);
            let mut taken = if self.direct == 0 && self.suffix.is_empty() {
                if out.is_empty() {
                    break;
                }
                ready!(io.as_mut().poll_write(cx, out))?
            } else if out.is_empty() && self.suffix.is_empty() {
                ready!(io.as_mut().poll_write(cx, &source.filled()[..self.direct]))?
            } else {
                let slices = [
                    IoSlice::new(out),
                    IoSlice::new(&source.filled()[..self.direct]),
                    IoSlice::new(self.suffix),
                ];
                ready!(io.as_mut().poll_write_vectored(cx, &slices))?
            };
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += taken as u64;
            let from_out = taken.min(out.len());
            self.written += from_out;
            taken -= from_out;
            let from_source = taken.min(self.direct);
            if from_source > 0 {
                source.consume(from_source);
                self.direct -= from_source;
                self.released = true;
                taken -= from_source;
            }
            self.suffix = &self.suffix[taken..];
        }
        if !self.keep {
            self.forget();
        }
        Poll::Ready(Ok(()))
    }

    /// Drops what was written completely, unless nothing else follows and it is to be kept.
    fn forget(&mut self) {
        if self.written > 0 && self.written == self.out.len() {
            self.released = true;
            self.keep = false;
            self.out.clear();
            self.written = 0;
        }
    }
}

/// Payload up to this size is copied behind the head and leaves with it in one `send`. A copy of
/// 4 KiB costs less than the second slice of a `writev`.
const COPIED: usize = 4096;
/// With this much waiting it is time to write.
const FULL: usize = 16 * 1024;
/// A larger `out` goes back to the allocator after its exchange.
const MOST_OUT: usize = 64 * 1024;
