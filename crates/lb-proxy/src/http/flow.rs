//! One direction of an exchange: the body of one message on its way from one side to the other.
//!
//! A side shows what came as a window into its own buffer, and takes what goes to it as it likes. So every version of
//! HTTP is written once as a [`Source`] and once as a [`Sink`], and any of them goes with any other.

use super::intake::NoMore;
use crate::core::Core;
use crate::turn::{TURN, give_way};
use lb_http::{Head, h1};
use lb_net::{Filled, Plain, Splice};
use std::hint::cold_path;
use std::io;
use std::task::{Context, Poll, ready};

/// What is next in a body, of what is here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The source must be read first.
    NeedMore,
    /// So many bytes of payload stand at the front of the window.
    Data(usize),
    /// The fields behind it, which are read when all of them are here.
    Trailers,
    End,
}

/// Where a message comes from.
pub(super) trait Source {
    /// What is next. Consumes framing, and no payload.
    fn part(&mut self) -> Result<Piece, h1::Error>;
    /// The fields behind the body, once they are here.
    fn trailers(&mut self, into: &mut Head) -> Result<bool, h1::Error>;
    /// What came and was not used.
    fn window(&self) -> &[u8];
    fn consume(&mut self, len: usize);
    /// Reads more; 0: the connection has ended, [`read_end`](Self::read_end) says what that means. `bulk`: much is expected.
    fn poll_more(&mut self, cx: &mut Context<'_>, bulk: bool, core: &Core) -> Poll<Result<usize, NoMore>>;
    /// The connection ended here: is that the end of the message?
    fn read_end(&mut self) -> Result<(), h1::Error>;
    /// Had it ended before?
    fn has_ended(&self) -> bool;
    /// The socket, and how much payload may be moved past this side in the kernel.
    fn bulk(&mut self) -> Option<(Plain<'_>, u64)>;
    /// So many bytes of payload were moved past this side.
    fn skip(&mut self, len: usize) -> Result<(), h1::Error>;
    /// Gives back a buffer that holds nothing.
    fn give_empty(&mut self, core: &Core);
}

/// Where a message goes.
pub(super) trait Sink {
    /// Makes ready to take something.
    fn take_room(&mut self, core: &Core);
    /// Must what it holds be written before it takes more?
    fn is_full(&mut self) -> bool;
    /// Takes payload; says how much of it it keeps itself. The rest is shown to it again in [`poll_flush`](Self::poll_flush).
    fn put(&mut self, payload: &[u8]) -> Result<usize, h1::Error>;
    /// Ends the message.
    fn finish(&mut self, trailers: Option<&Head>) -> Result<(), h1::Error>;
    /// Writes what it holds; `window`: as its source shows it. How much of that is gone, and whether all is.
    fn poll_flush(&mut self, cx: &mut Context<'_>, window: &[u8]) -> (usize, Poll<io::Result<()>>);
    fn is_flushed(&self) -> bool;
    /// Bytes that left, as far as this process can tell.
    fn sent(&self) -> u64;
    /// How much payload may be moved past this side in the kernel, if any.
    fn room(&self) -> Option<u64>;
    /// Its socket.
    fn plain(&self) -> Option<Plain<'_>>;
    /// So many bytes of payload will be moved past this side, ahead of what it takes next.
    fn announce_spliced(&mut self, len: usize) -> Result<(), h1::Error>;
    /// So many bytes of them went into its socket.
    fn spliced(&mut self, len: usize);
}

/// What is known of a direction beside its two sides.
#[derive(Debug)]
pub(super) struct Flow {
    at: At,
    /// The rest of this body goes through the kernel's pipe, however small.
    is_bulk: bool,
    payload: u64,
    /// Payload on its way inside the kernel; it goes before all else. An empty one goes back to
    /// the worker at the end of the turn.
    splice: Option<Splice>,
}

/// Where the source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Body,
    Trailers,
    /// The sink has the message to its end.
    Done,
    /// The sink takes no more, or nobody wants the rest; `whole`: it had the message to its end.
    Stopped {
        whole: bool,
    },
}

/// Why a direction cannot go on.
#[derive(Debug)]
pub(super) enum Halt {
    /// What came breaks a rule.
    Source(h1::Error),
    /// The source ended inside the message.
    Cut,
    /// The source broke.
    SourceBroke,
    /// The source sent more at once than there is room for, so many bytes.
    Full(usize),
    /// The sink broke.
    SinkBroke,
    /// The numbers do not fit: a fault of ours.
    Internal,
}

/// What [`Flow::fill`] came to.
#[derive(Debug, PartialEq, Eq)]
enum Fill {
    NeedMore,
    Full,
    End,
}

/// What [`Flow::poll_splice`] came to.
#[derive(Debug)]
enum Bulk {
    /// These bytes are read as ever.
    Copy,
    Moved,
    Ended,
}

impl Flow {
    pub(super) const fn new() -> Self {
        Self {
            at: At::Body,
            is_bulk: false,
            payload: 0,
            splice: None,
        }
    }

    pub(super) fn clear(&mut self, core: &Core) {
        core.give_splice(self.splice.take());
        *self = Self::new();
    }

    /// Was the message put into the sink to its end?
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.at, At::Done | At::Stopped { whole: true })
    }

    pub(super) const fn is_stopped(&self) -> bool {
        matches!(self.at, At::Stopped { .. })
    }

    /// Nothing follows the head.
    pub(super) const fn has_no_body(&mut self) {
        self.at = At::Done;
    }

    /// Nothing more is moved.
    pub(super) const fn stop(&mut self) {
        self.at = At::Stopped { whole: self.is_done() };
    }

    /// For a new attempt: the sink is another one.
    pub(super) const fn start_over(&mut self) {
        self.at = match self.at {
            At::Stopped { whole: true } => At::Done,
            At::Stopped { whole: false } => At::Body,
            at => at,
        };
    }

    /// Payload bytes of the message so far.
    pub(super) const fn payload(&self) -> u64 {
        self.payload
    }

    /// Has all that was moved left this process?
    pub(super) fn is_flushed(&self, sink: &impl Sink) -> bool {
        self.splice.as_ref().is_none_or(Splice::is_empty) && sink.is_flushed()
    }

    /// Gives back the kernel's pipe when it holds nothing.
    pub(super) fn give_empty(&mut self, core: &Core) {
        if self.splice.as_ref().is_some_and(Splice::is_empty) {
            cold_path();
            core.give_splice(self.splice.take());
        }
    }

    /// Moves what can be moved, with head and body in one write where both are here, and no more than [`TURN`]. Says whether the message is
    /// through; if not, one of the two sides has nothing or takes nothing, or the others have their turn.
    pub(super) fn poll<S: Source, K: Sink>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut S,
        sink: &mut K,
        core: &Core,
    ) -> Result<bool, Halt> {
        if !self.is_done() {
            sink.take_room(core);
        }
        let begun = sink.sent();
        while !self.is_stopped() {
            let fill = self.fill(source, sink, core)?;
            match self.poll_flush(cx, source, sink) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    cold_path();
                    return Err(Halt::SinkBroke);
                }
                Poll::Pending => {
                    cold_path();
                    return Ok(false);
                }
            }
            match fill {
                Fill::End => return Ok(true),
                Fill::Full => continue,
                Fill::NeedMore => cold_path(),
            }
            if source.has_ended() {
                return Err(Halt::Cut);
            }
            if sink.sent() - begun >= TURN {
                give_way(cx);
                return Ok(false);
            }
            let bulk = match self.poll_splice(cx, source, sink, core) {
                Poll::Ready(bulk) => bulk?,
                Poll::Pending => return Ok(false),
            };
            let ended = match bulk {
                Bulk::Moved => continue,
                Bulk::Ended => true,
                Bulk::Copy => match source.poll_more(cx, self.is_bulk, core) {
                    Poll::Ready(Ok(len)) => len == 0,
                    Poll::Ready(Err(NoMore::Broke(_))) => return Err(Halt::SourceBroke),
                    Poll::Ready(Err(NoMore::Full(limit))) => return Err(Halt::Full(limit)),
                    Poll::Pending => return Ok(false),
                },
            };
            if ended {
                source.read_end().map_err(|_| Halt::Cut)?;
                self.finish(sink, None)?;
            }
        }
        Ok(false)
    }

    /// Takes the body's next bytes from the source, as far as they should be written together.
    fn fill<S: Source, K: Sink>(&mut self, source: &mut S, sink: &mut K, core: &Core) -> Result<Fill, Halt> {
        loop {
            match self.at {
                At::Done | At::Stopped { .. } => return Ok(Fill::End),
                _ if sink.is_full() => return Ok(Fill::Full),
                At::Body => {}
                At::Trailers => {
                    cold_path();
                    let mut trailers = core.take_head();
                    trailers.clear();
                    let read = source.trailers(&mut trailers).map_err(Halt::Source);
                    let ended = match read {
                        Ok(true) => self.finish(sink, Some(&trailers)).map(|()| Fill::End),
                        Ok(false) => Ok(Fill::NeedMore),
                        Err(fault) => Err(fault),
                    };
                    core.give_head(trailers);
                    return ended;
                }
            }
            match source.part().map_err(Halt::Source)? {
                Piece::NeedMore => return Ok(Fill::NeedMore),
                Piece::Data(len) => {
                    let Some(payload) = source.window().get(..len) else {
                        return Err(Halt::Internal);
                    };
                    let kept = sink.put(payload).map_err(|_| Halt::Internal)?;
                    self.payload += len as u64;
                    source.consume(kept);
                }
                Piece::Trailers => {
                    cold_path();
                    self.at = At::Trailers;
                }
                Piece::End => {
                    self.finish(sink, None)?;
                    return Ok(Fill::End);
                }
            }
        }
    }

    fn finish<K: Sink>(&mut self, sink: &mut K, trailers: Option<&Head>) -> Result<(), Halt> {
        sink.finish(trailers).map_err(|_| Halt::Internal)?;
        self.at = At::Done;
        Ok(())
    }

    /// Writes all there is. `Pending`: the sink takes no more now.
    #[inline(always)] // what nearly always happens; see `lb_net::try_send`
    pub(super) fn poll_flush<S: Source, K: Sink>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut S,
        sink: &mut K,
    ) -> Poll<io::Result<()>> {
        if let Some(pipe) = &mut self.splice {
            cold_path();
            while !pipe.is_empty() {
                let Some(plain) = sink.plain() else {
                    return Poll::Ready(Err(io::ErrorKind::Unsupported.into())); // nothing gets in on the way to it
                };
                let len = ready!(pipe.poll_drain(cx, plain))?;
                sink.spliced(len);
            }
        }
        let (gone, flushed) = sink.poll_flush(cx, source.window());
        if gone > 0 {
            cold_path();
            source.consume(gone);
        }
        flushed
    }

    /// Takes large payload from the source without copying it, when nothing waits to be written and nothing was read
    /// ahead: see [`BULK`]. [`poll_flush`](Self::poll_flush) brings it on its way.
    fn poll_splice<S: Source, K: Sink>(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut S,
        sink: &mut K,
        core: &Core,
    ) -> Poll<Result<Bulk, Halt>> {
        if !source.window().is_empty() || sink.plain().is_none() {
            return Poll::Ready(Ok(Bulk::Copy));
        }
        let Some(room) = sink.room() else {
            return Poll::Ready(Ok(Bulk::Copy));
        };
        let Some((plain, left)) = source.bulk() else {
            return Poll::Ready(Ok(Bulk::Copy));
        };
        let left = left.min(room);
        if left < if self.is_bulk { 1 } else { BULK } {
            return Poll::Ready(Ok(Bulk::Copy));
        }
        if self.splice.is_none() {
            self.splice = core.take_splice();
        }
        let Some(pipe) = &mut self.splice else {
            return Poll::Ready(Ok(Bulk::Copy));
        };
        self.is_bulk = true;
        let filled = pipe.poll_fill(cx, plain, left);
        // It is read into no buffer any more.
        source.give_empty(core);
        let len = match ready!(filled) {
            Ok(Filled::Bytes(len)) => len,
            Ok(Filled::Ended) => return Poll::Ready(Ok(Bulk::Ended)),
            Ok(Filled::Copy) => return Poll::Ready(Ok(Bulk::Copy)),
            Err(_) => return Poll::Ready(Err(Halt::SourceBroke)),
        };
        self.payload += len as u64;
        let told = source.skip(len).and_then(|()| sink.announce_spliced(len));
        Poll::Ready(told.map(|()| Bulk::Moved).map_err(|_| Halt::Internal))
    }
}

/// A body of known length, or one that ends with the connection, goes through a pipe in the kernel
/// when this much or more is left of it. Measured on loopback, CPU of a copied body to a spliced one: 4 MiB 2.6,
/// 1 MiB 1.5, 768 KiB 1.2, 512 KiB 0.9, below that as the moment has it.
pub(super) const BULK: u64 = 512 * 1024;

#[cfg(test)]
mod tests;
