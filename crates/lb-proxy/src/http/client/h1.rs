//! A client that speaks HTTP/1.1 or 1.0.

use super::{After, Came, is_no_request};
use crate::buffer::Buffer;
use crate::core::Core;
use crate::http::flow::Piece;
use crate::http::intake::{Intake, NoMore};
use crate::http::out::Out;
use crate::options::HttpOptions;
use lb_http::Head;
use lb_http::h1::{self, Conn, Error, Framing, Role, Step};
use lb_net::{Plain, Stream};
use std::hint::cold_path;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::task::coop::has_budget_remaining;

/// A connection, whose exchanges follow one another. It owns no buffer while it waits for one.
#[derive(Debug)]
pub(crate) struct H1 {
    io: Stream,
    conn: Conn,
    watch: Watch,
    /// While an exchange is under way.
    wire: Option<Box<Wire>>,
    /// The client closed its sending side.
    eof: bool,
    /// The close after this exchange is the client's own wish.
    asked_to_close: bool,
}

/// What is on the way in both directions. A worker has as many as exchanges, so that they stay in the cache.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The request's bytes that were not used yet, and what follows them.
    input: Intake,
    out: Out,
}

impl Wire {
    pub(crate) const fn new() -> Self {
        Self {
            input: Intake::new(),
            out: Out::new(),
        }
    }
}

/// What this side is without its wire: a fault of ours.
const NO_WIRE: Error = Error::OutOfTurn("no exchange with the client");

impl H1 {
    pub(super) fn new(io: Stream, http: &HttpOptions) -> Self {
        Self {
            io,
            conn: Conn::new(Role::Server, Arc::clone(&http.limits)),
            watch: Watch::default(),
            wire: None,
            eof: false,
            asked_to_close: false,
        }
    }

    #[cold]
    pub(super) fn begin_with(&mut self, early: Buffer, core: &Core) {
        let wire = self.wire.get_or_insert_with(|| core.take_wire());
        wire.input.read += early.filled().len() as u64;
        wire.input.buffer = early;
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll_ready(cx, &self.io)
    }

    #[inline(always)] // into its one caller
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
        core: &Core,
    ) -> Poll<Result<Came, Error>> {
        let wire = self.wire.get_or_insert_with(|| core.take_wire());
        wire.input.take(false, core);
        let input = &mut wire.input;
        loop {
            if !input.buffer.is_empty() {
                match self.conn.read_head(input.buffer.filled(), head) {
                    Ok(Step::Ready(message)) => {
                        input.buffer.consume(message.len);
                        return Poll::Ready(Ok(Came::Request(message.framing)));
                    }
                    Ok(Step::NeedMore) => {
                        cold_path();
                        let skipped = self.conn.skip_empty_lines(input.buffer.filled());
                        input.buffer.consume(skipped);
                        if input.buffer.is_empty() {
                            continue;
                        }
                        if input.buffer.is_full() && !input.buffer.enlarge(core) {
                            let limit = input.buffer.capacity();
                            return Poll::Ready(Err(Error::HeadTooLarge { limit }));
                        }
                    }
                    Err(error) => {
                        cold_path();
                        return Poll::Ready(Err(error));
                    }
                }
            }
            if self.eof {
                cold_path();
                return Poll::Ready(head_cut(input.buffer.filled()));
            }
            match read(input, &self.io, &mut self.watch, cx) {
                Poll::Ready(Ok(0)) => {
                    cold_path();
                    self.eof = true;
                }
                Poll::Ready(Ok(len)) => input.read += len as u64,
                Poll::Ready(Err(_)) => {
                    cold_path();
                    let is_between = input.buffer.is_empty();
                    return Poll::Ready(Ok(if is_between { Came::Closed } else { Came::Broke }));
                }
                Poll::Pending => {
                    cold_path();
                    if input.buffer.is_empty() {
                        // It waits on without a buffer.
                        return Poll::Ready(Ok(Came::Nothing));
                    }
                    input.buffer.rest(core);
                    return Poll::Ready(Ok(Came::Part));
                }
            }
        }
    }

    pub(super) fn write_head(&mut self, head: &Head, framing: Framing, core: &Core) -> Result<(), Error> {
        let wire = self.wire.as_mut().ok_or(NO_WIRE)?;
        wire.out.take_room(core);
        self.conn.write_head(head, framing, &mut wire.out.bytes)
    }

    #[cold]
    pub(super) fn write_continue(&mut self) {
        if let Some(wire) = &mut self.wire {
            wire.out.bytes.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
    }

    #[cold]
    pub(super) fn answer_instead(&mut self, core: &Core) {
        if let Some(wire) = &mut self.wire {
            wire.out.take_back(core);
        }
        self.conn.answer_instead();
        self.asked_to_close = false;
    }

    #[cold]
    pub(super) fn write_body(&mut self, body: &[u8]) -> Result<(), Error> {
        let wire = self.wire.as_mut().ok_or(NO_WIRE)?;
        wire.out.put_whole(body, &mut self.conn)
    }

    pub(super) fn poll_watch(&mut self, cx: &mut Context<'_>, core: &Core) -> Poll<io::Result<()>> {
        let Some(wire) = &mut self.wire else {
            return Poll::Pending;
        };
        if self.eof {
            cold_path();
            return Poll::Pending;
        }
        let input = &mut wire.input;
        if input.buffer.is_empty() {
            // What waits owns no buffer: the response is then read into the one that is still in the
            // cache from this request, and not into a cold one.
            input.give(core);
            if self.watch.poll_ready(cx, &self.io).is_pending() {
                return Poll::Pending;
            }
            input.buffer = core.take_buffer(false);
        }
        cold_path();
        while input.has_spare_room(core) {
            match read(input, &self.io, &mut self.watch, cx) {
                Poll::Ready(Ok(0)) => {
                    self.eof = true;
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Ok(len)) => input.read += len as u64,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    input.buffer.rest(core);
                    break;
                }
            }
        }
        Poll::Pending
    }

    pub(super) fn is_blind(&self) -> bool {
        let input = self.wire.as_ref().map(|wire| &wire.input.buffer);
        input.is_some_and(|buffer| buffer.capacity() > 0 && buffer.is_full())
    }

    pub(super) fn read(&self) -> u64 {
        self.wire.as_ref().map_or(0, |wire| wire.input.read)
    }

    pub(super) fn has_begun(&self) -> bool {
        self.wire.as_ref().is_some_and(|wire| wire.out.has_begun())
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.wire.as_ref().is_none_or(|wire| wire.out.is_untouched())
    }

    pub(super) fn reading_done(&self) -> bool {
        self.conn.reading_done()
    }

    pub(super) fn close_after(&mut self) {
        self.conn.close_after();
    }

    pub(super) fn note_wish(&mut self) {
        self.asked_to_close = self.conn.will_close();
    }

    pub(super) fn after(&mut self) -> After {
        let has_input = !self.window().is_empty();
        match self.conn.next() {
            h1::Next::Reuse if !self.eof || has_input => {
                self.conn.start_next();
                After::Again
            }
            h1::Next::Reuse => After::Close,
            // The client asked for the close and sent no more: nothing to linger for.
            _ if self.conn.reading_done() && !has_input && self.asked_to_close => After::Close,
            _ => After::Linger,
        }
    }

    pub(super) fn start_next(&mut self, core: &Core) {
        if let Some(wire) = &mut self.wire {
            wire.input.start_next();
            wire.out.clear(core);
        }
    }

    pub(super) fn release(&mut self, core: &Core) {
        if let Some(mut wire) = self.wire.take() {
            wire.input.clear(core);
            wire.out.clear(core);
            core.give_wire(wire);
        }
    }

    pub(super) fn give_empty_out(&mut self, core: &Core) {
        if let Some(wire) = &mut self.wire {
            wire.out.give_empty(core);
        }
    }

    pub(super) const fn stream(&self) -> &Stream {
        &self.io
    }

    pub(super) const fn stream_mut(&mut self) -> &mut Stream {
        &mut self.io
    }

    pub(super) fn into_parts(mut self, core: &Core) -> (Stream, Buffer) {
        let unread = match &mut self.wire {
            Some(wire) => std::mem::replace(&mut wire.input.buffer, Buffer::empty()),
            None => Buffer::empty(),
        };
        self.release(core);
        (self.io, unread)
    }

    // As a source.

    pub(super) fn part(&mut self) -> Result<Piece, Error> {
        self.wire.as_mut().ok_or(NO_WIRE)?.input.part(&mut self.conn)
    }

    pub(super) fn trailers(&mut self, into: &mut Head) -> Result<bool, Error> {
        self.wire.as_mut().ok_or(NO_WIRE)?.input.trailers(into, &mut self.conn)
    }

    pub(super) fn window(&self) -> &[u8] {
        self.wire.as_ref().map_or(&[], |wire| wire.input.buffer.filled())
    }

    pub(super) fn consume(&mut self, len: usize) {
        if let Some(wire) = &mut self.wire {
            wire.input.buffer.consume(len);
        }
    }

    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>, bulk: bool, core: &Core) -> Poll<Result<usize, NoMore>> {
        let Some(wire) = &mut self.wire else {
            return Poll::Ready(Err(NoMore::Broke(io::ErrorKind::NotConnected.into())));
        };
        if let Err(no) = wire.input.make_room(bulk, core) {
            return Poll::Ready(Err(no));
        }
        let read = read(&mut wire.input, &self.io, &mut self.watch, cx);
        match read {
            Poll::Ready(Ok(len)) => wire.input.came(len),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => wire.input.rest(core),
        }
        read.map_err(NoMore::Broke)
    }

    pub(super) fn read_end(&mut self) -> Result<(), Error> {
        self.eof = true;
        Err(Error::Truncated)
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.eof
    }

    pub(super) fn bulk(&mut self) -> Option<(Plain<'_>, u64)> {
        self.watch.stop();
        Some((self.io.plain()?, self.conn.body_left()?))
    }

    pub(super) fn skip(&mut self, len: usize) -> Result<(), Error> {
        self.wire.as_mut().ok_or(NO_WIRE)?.input.skipped(len);
        self.conn.skip_body(len as u64)
    }

    pub(super) fn give_empty(&mut self, core: &Core) {
        if let Some(wire) = &mut self.wire {
            wire.input.rest(core);
        }
    }

    // As a sink.

    pub(super) fn take_room(&mut self, core: &Core) {
        if let Some(wire) = &mut self.wire {
            wire.out.take_room(core);
        }
    }

    pub(super) fn is_full(&mut self) -> bool {
        self.wire.as_mut().is_some_and(|wire| wire.out.is_full())
    }

    pub(super) fn put(&mut self, payload: &[u8]) -> Result<usize, Error> {
        self.wire.as_mut().ok_or(NO_WIRE)?.out.put(payload, &mut self.conn)
    }

    pub(super) fn finish(&mut self, trailers: Option<&Head>) -> Result<(), Error> {
        self.wire.as_mut().ok_or(NO_WIRE)?.out.finish(trailers, &mut self.conn)
    }

    #[inline(always)]
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>, window: &[u8]) -> (usize, Poll<io::Result<()>>) {
        match &mut self.wire {
            Some(wire) => wire.out.poll_flush(cx, &mut self.io, window),
            None => (0, Poll::Ready(Ok(()))),
        }
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.wire.as_ref().is_none_or(|wire| wire.out.is_flushed()) && self.io.is_flushed()
    }

    pub(super) fn sent(&self) -> u64 {
        self.wire.as_ref().map_or(0, |wire| wire.out.sent())
    }

    pub(super) fn room(&self) -> Option<u64> {
        self.conn.body_room()
    }

    pub(super) const fn plain(&self) -> Option<Plain<'_>> {
        self.io.plain()
    }

    pub(super) fn announce_spliced(&mut self, len: usize) -> Result<(), Error> {
        self.wire
            .as_mut()
            .ok_or(NO_WIRE)?
            .out
            .announce_spliced(len, &mut self.conn)
    }

    pub(super) fn spliced(&mut self, len: usize) {
        if let Some(wire) = &mut self.wire {
            wire.out.spliced(len);
        }
    }
}

/// Reads once.
#[inline(always)]
fn read(input: &mut Intake, io: &Stream, watch: &mut Watch, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let read = input.buffer.poll_read(cx, io);
    watch.asked(read.is_pending());
    read
}

/// The client closed in front of or inside a head.
#[inline(never)]
fn head_cut(input: &[u8]) -> Result<Came, Error> {
    if is_no_request(input) {
        return Ok(Came::Closed);
    }
    Err(Error::Truncated)
}

/// Does the runtime wake this task when something comes from a client? While it does, to ask again needs
/// no lock of its record.
#[derive(Debug, Default)]
struct Watch {
    /// Nothing was read since it was asked to.
    on: bool,
}

impl Watch {
    fn poll_ready(&mut self, cx: &mut Context<'_>, io: &Stream) -> Poll<io::Result<()>> {
        if self.on && !io.has_arrived() {
            return Poll::Pending;
        }
        let ready = io.poll_arrived(cx);
        self.asked(ready.is_pending());
        ready
    }

    /// The runtime was asked. When the task had used up its budget, `Pending` says only that: the runtime
    /// wakes it once for its next turn, and for nothing that comes.
    fn asked(&mut self, pending: bool) {
        self.on = pending && has_budget_remaining();
    }

    /// Somebody else reads.
    const fn stop(&mut self) {
        self.on = false;
    }
}

#[cfg(test)]
mod tests;
