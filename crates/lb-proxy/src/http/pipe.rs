//! One direction of an exchange: bytes of one message on their way to one connection.

use crate::buffer::Buffer;
use crate::core::Core;
use lb_http::{Head, h1};
use lb_net::{Filled, Plain, Splice, Stream};
use std::hint::cold_path;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

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
    again: Again,
    /// Something that was written is gone and cannot be written again.
    released: bool,
    in_trailers: bool,
    done: bool,
    /// The rest of this body goes through the kernel's pipe, however small.
    is_bulk: bool,
    sent: u64,
    payload: u64,
    /// Payload on its way inside the kernel; it goes before all else. An empty one goes back to
    /// the worker at the end of the turn.
    splice: Option<Splice>,
}

/// How a message that was written can be written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Not,
    /// From `out`, which is kept.
    Kept,
    /// By its owner, who has the head; there is no body.
    Anew,
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

/// What [`Pipe::poll_splice`] came to.
#[derive(Debug)]
pub(crate) enum Bulk {
    /// These bytes are read as ever.
    Copy,
    /// Some went into the kernel's pipe.
    Moved,
    /// The source ended.
    Ended,
    /// The source broke.
    Broke(io::Error),
    /// The numbers do not fit: a fault of ours.
    Fault,
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
            again: Again::Not,
            released: false,
            in_trailers: false,
            done: false,
            is_bulk: false,
            sent: 0,
            payload: 0,
            splice: None,
        }
    }

    pub(crate) fn clear(&mut self, core: &Core) {
        core.give_splice(self.splice.take());
        core.give_out(std::mem::take(&mut self.out));
        *self = Self::new();
    }

    /// Keeps `out` after it was written: it may have to be written again.
    pub(crate) const fn keep(&mut self) {
        self.again = Again::Kept;
    }

    /// Starts again from the first byte. Only when nothing was [released](Self::is_whole). True: `out` is
    /// empty, and the head must be put into it again.
    pub(crate) fn rewind(&mut self) -> bool {
        self.written = 0;
        let anew = self.again == Again::Anew;
        if anew {
            self.out.clear();
        }
        anew
    }

    /// Can every byte that was written be written again?
    pub(crate) const fn is_whole(&self) -> bool {
        !self.released
    }

    /// Was the message filled in to its end?
    pub(crate) const fn is_done(&self) -> bool {
        self.done
    }

    /// Does the rest of this body go through the kernel's pipe?
    pub(crate) const fn is_bulk(&self) -> bool {
        self.is_bulk
    }

    /// Is no message cut in two by what was written so far?
    pub(crate) const fn is_untouched(&self) -> bool {
        self.written == 0 && self.direct == 0
    }

    /// Does anything wait to be written?
    pub(crate) fn is_flushed(&self) -> bool {
        self.written == self.out.len()
            && self.direct == 0
            && self.suffix.is_empty()
            && self.splice.as_ref().is_none_or(Splice::is_empty)
    }

    /// Bytes that the kernel took, of all attempts.
    pub(crate) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Payload bytes of the message so far.
    pub(crate) const fn payload(&self) -> u64 {
        self.payload
    }

    /// Says that nothing follows the head that was put into `out`; `again`: its owner can put it there
    /// once more.
    pub(crate) const fn has_no_body(&mut self, again: bool) {
        self.done = true;
        if again {
            self.again = Again::Anew;
        }
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
                cold_path();
                // A slow reader must not make this grow for ever.
                self.out.drain(..self.written);
                self.written = 0;
                self.released = true;
                self.again = Again::Not;
            }
            if self.direct > 0 || !self.suffix.is_empty() || self.out.len() - self.written >= FULL {
                return Ok(Fill::Full);
            }
            if self.in_trailers {
                cold_path();
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
                    cold_path();
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

    /// Takes large payload from `io` without copying it, when nothing waits to be written and nothing
    /// was read ahead: see [`BULK`]. [`poll_flush`](Self::poll_flush) brings it on its way.
    pub(crate) fn poll_splice(
        &mut self,
        cx: &mut Context<'_>,
        core: &Core,
        io: Option<Plain<'_>>,
        from: &mut h1::Conn,
        to: &mut h1::Conn,
    ) -> Poll<Bulk> {
        let (Some(io), Some(left), Some(room)) = (io, from.body_left(), to.body_room()) else {
            return Poll::Ready(Bulk::Copy);
        };
        let left = left.min(room);
        if left < if self.is_bulk { 1 } else { BULK } {
            return Poll::Ready(Bulk::Copy);
        }
        if self.splice.is_none() {
            self.splice = core.take_splice();
        }
        let Some(pipe) = &mut self.splice else {
            return Poll::Ready(Bulk::Copy);
        };
        self.is_bulk = true;
        let len = match ready!(pipe.poll_fill(cx, io, left)) {
            Ok(Filled::Bytes(len)) => len,
            Ok(Filled::Ended) => return Poll::Ready(Bulk::Ended),
            Ok(Filled::Copy) => return Poll::Ready(Bulk::Copy),
            Err(error) => return Poll::Ready(Bulk::Broke(error)),
        };
        self.forget();
        self.released = true;
        self.payload += len as u64;
        let told = from
            .skip_body(len as u64)
            .and_then(|()| to.write_body(len, &mut self.out));
        Poll::Ready(if told.is_ok() { Bulk::Moved } else { Bulk::Fault })
    }

    /// Makes room for a head, in memory that is still in the cache from the last one.
    pub(crate) fn begin(&mut self, core: &Core) {
        if self.out.capacity() == 0 {
            self.out = core.take_out();
        }
    }

    /// Gives back what holds nothing: the room for heads, and the kernel's pipe.
    pub(crate) fn rest(&mut self, core: &Core) {
        if self.out.is_empty() && self.out.capacity() > 0 {
            core.give_out(std::mem::take(&mut self.out));
        }
        if self.splice.as_ref().is_some_and(Splice::is_empty) {
            cold_path();
            core.give_splice(self.splice.take());
        }
    }

    /// Writes all there is. `Pending`: the connection takes no more now.
    #[inline(always)] // what nearly always happens; see `lb_net::try_send`
    pub(crate) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Stream,
        source: &mut Buffer,
    ) -> Poll<io::Result<()>> {
        if self.direct == 0 && self.suffix.is_empty() && self.splice.is_none() {
            let out = &self.out[self.written..];
            let whole = out.len();
            let taken = if whole == 0 { Some(Ok(0)) } else { io.try_send(out) };
            match taken {
                Some(Ok(taken)) => {
                    self.sent += taken as u64;
                    self.written += taken;
                    if taken == whole {
                        self.settle();
                        return Poll::Ready(Ok(()));
                    }
                }
                Some(Err(error)) => {
                    cold_path();
                    return Poll::Ready(Err(error));
                }
                None => {}
            }
        }
        cold_path();
        self.poll_flush_rest(cx, io, source)
    }

    #[inline(never)]
    fn poll_flush_rest(&mut self, cx: &mut Context<'_>, io: &mut Stream, source: &mut Buffer) -> Poll<io::Result<()>> {
        if let Some(pipe) = &mut self.splice {
            while !pipe.is_empty() {
                let Some(plain) = io.plain() else {
                    return Poll::Ready(Err(io::ErrorKind::Unsupported.into())); // nothing gets in on the way to it
                };
                self.sent += ready!(pipe.poll_drain(cx, plain))? as u64;
            }
        }
        loop {
            let out = &self.out[self.written..];
            let mut taken = if self.direct == 0 && self.suffix.is_empty() {
                if out.is_empty() {
                    break;
                }
                ready!(io.poll_send(cx, out))?
            } else if out.is_empty() && self.suffix.is_empty() {
                ready!(io.poll_send(cx, &source.filled()[..self.direct]))?
            } else {
                let slices = [
                    IoSlice::new(out),
                    IoSlice::new(&source.filled()[..self.direct]),
                    IoSlice::new(self.suffix),
                ];
                ready!(io.poll_send_vectored(cx, &slices))?
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
        self.settle();
        Poll::Ready(Ok(()))
    }

    /// Everything was written.
    fn settle(&mut self) {
        if self.again != Again::Kept {
            self.forget();
        }
    }

    /// Drops what was written completely, unless nothing else follows and it is to be kept.
    fn forget(&mut self) {
        if self.written > 0 && self.written == self.out.len() {
            if self.again != Again::Anew {
                self.released = true;
                self.again = Again::Not;
            }
            self.out.clear();
            self.written = 0;
        }
    }
}

/// Payload up to this size is copied behind the head and leaves with it in one `send`. A copy of
/// 4 KiB costs less than the second slice of a `writev`.
const COPIED: usize = 4096;
/// A body of known length, or one that ends with the connection, goes through a pipe in the kernel
/// when this much or more is left of it. Measured on loopback, CPU of a copied body to a spliced one: 4 MiB 2.6,
/// 1 MiB 1.5, 768 KiB 1.2, 512 KiB 0.9, below that as the moment has it.
pub(super) const BULK: u64 = 512 * 1024;
/// With this much waiting it is time to write.
const FULL: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use lb_http::h1::{Conn, Framing, Limits, Role, Step};
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::sync::Arc;

    async fn pair() -> (Stream, std::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().await.unwrap().0.into(), other)
    }

    /// Reads a request with a body of this length, and has begun to write it on.
    fn upload(length: u64) -> (Conn, Conn) {
        let limits = Arc::new(Limits::default());
        let mut from = Conn::new(Role::Server, Arc::clone(&limits));
        let mut head = Head::with_capacity(256, 8);
        let text = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        let step = from.read_head(text.as_bytes(), &mut head).unwrap();
        assert!(matches!(step, Step::Ready(message) if message.framing == Framing::Length(length)));
        let mut to = Conn::new(Role::Client, limits);
        to.write_head(&head, Framing::Length(length), &mut Vec::new()).unwrap();
        (from, to)
    }

    async fn splice(pipe: &mut Pipe, core: &Core, io: &Stream, from: &mut Conn, to: &mut Conn) -> Bulk {
        poll_fn(|cx| pipe.poll_splice(cx, core, io.plain(), from, to)).await
    }

    #[tokio::test]
    async fn what_is_left_of_a_body_decides_whether_it_is_copied() {
        let core = Core::new(Arc::default());
        let (io, mut source) = pair().await;
        source.write_all(&[b'x'; 1000]).unwrap();
        let (mut from, mut to) = upload(BULK - 1);
        let mut pipe = Pipe::new();
        let small = splice(&mut pipe, &core, &io, &mut from, &mut to).await;
        assert!(matches!(small, Bulk::Copy) && !pipe.is_bulk(), "{small:?}");
        let (mut from, mut to) = upload(BULK);
        let large = splice(&mut pipe, &core, &io, &mut from, &mut to).await;
        assert!(matches!(large, Bulk::Moved) && pipe.is_bulk(), "{large:?}");
    }

    #[tokio::test]
    async fn what_goes_by_is_counted_by_both_sides_and_not_flushed_before_it_left() {
        let core = Core::new(Arc::default());
        let (io, mut source) = pair().await;
        let (mut sink, mut reader) = pair().await;
        let (mut from, mut to) = upload(BULK);
        let mut pipe = Pipe::new();
        let mut nothing = Buffer::empty();
        let body: Vec<u8> = (0..BULK).map(|i| (i % 251) as u8).collect();
        let (first, rest) = body.split_at(1000);
        source.write_all(first).unwrap();
        assert!(matches!(
            splice(&mut pipe, &core, &io, &mut from, &mut to).await,
            Bulk::Moved
        ));
        assert_eq!(
            (from.body_left(), to.body_room()),
            (Some(BULK - 1000), Some(BULK - 1000))
        );
        assert_eq!((pipe.payload(), pipe.sent(), pipe.is_flushed()), (1000, 0, false));
        assert!(!pipe.is_whole(), "what went by cannot be sent again");
        pipe.rest(&core);
        assert!(!pipe.is_flushed(), "a pipe with bytes inside is kept");
        poll_fn(|cx| pipe.poll_flush(cx, &mut sink, &mut nothing))
            .await
            .unwrap();
        assert_eq!((pipe.payload(), pipe.sent(), pipe.is_flushed()), (1000, 1000, true));
        pipe.rest(&core);
        assert!(pipe.splice.is_none(), "an empty one goes back");
        // The rest goes the same way although less than the threshold is left, and what follows
        // the body stays.
        source.write_all(rest).unwrap();
        source.write_all(b"next").unwrap();
        while !from.reading_done() {
            assert!(matches!(
                splice(&mut pipe, &core, &io, &mut from, &mut to).await,
                Bulk::Moved
            ));
            poll_fn(|cx| pipe.poll_flush(cx, &mut sink, &mut nothing))
                .await
                .unwrap();
        }
        assert!(to.writing_done());
        assert_eq!((pipe.payload(), pipe.sent()), (BULK, BULK));
        let mut got = vec![0; body.len()];
        reader.read_exact(&mut got).unwrap();
        assert!(got == body, "the body differs");
        let mut next = [0; 16];
        io.arrived().await.unwrap();
        assert_eq!(io.try_recv(&mut next).unwrap().unwrap(), 4);
    }
}
