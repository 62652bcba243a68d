//! A client that speaks HTTP/1.1 or 1.0.

use super::{After, Came};
use crate::buffer::Buffer;
use crate::core::Core;
use crate::http::flow::Part;
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
    /// The request's bytes that were not used yet, and what follows them.
    input: Intake,
    out: Out,
    /// The client closed its sending side.
    eof: bool,
    /// The close after this exchange is the client's own wish.
    asked_to_close: bool,
}

impl H1 {
    pub(super) fn new(io: Stream, http: &HttpOptions) -> Self {
        Self {
            io,
            conn: Conn::new(Role::Server, Arc::clone(&http.limits)),
            watch: Watch::default(),
            input: Intake::new(),
            out: Out::new(),
            eof: false,
            asked_to_close: false,
        }
    }

    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll_ready(cx, &self.io)
    }

    /// Reads once.
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let read = self.input.buffer.poll_read(cx, &self.io);
        self.watch.asked(read.is_pending());
        match read {
            Poll::Ready(Ok(0)) => self.eof = true,
            Poll::Ready(Ok(len)) => self.input.came(len),
            Poll::Ready(Err(_)) | Poll::Pending => {}
        }
        read
    }

    #[inline(always)] // into its one caller
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
        core: &Core,
    ) -> Poll<Result<Came, Error>> {
        self.input.take(false, core);
        loop {
            if !self.input.buffer.is_empty() {
                match self.conn.read_head(self.input.buffer.filled(), head) {
                    Ok(Step::Ready(message)) => {
                        self.input.buffer.consume(message.len);
                        return Poll::Ready(Ok(Came::Request(message.framing)));
                    }
                    Ok(Step::NeedMore) => {
                        cold_path();
                        let skipped = self.conn.skip_empty_lines(self.input.buffer.filled());
                        self.input.buffer.consume(skipped);
                        if self.input.buffer.is_empty() {
                            continue;
                        }
                        if self.input.buffer.is_full() && !self.input.buffer.enlarge(core) {
                            let limit = self.input.buffer.capacity();
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
                return Poll::Ready(self.head_cut());
            }
            match self.poll_read(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => {
                    cold_path();
                    let is_between = self.input.buffer.is_empty();
                    return Poll::Ready(Ok(if is_between { Came::Closed } else { Came::Broke }));
                }
                Poll::Pending => {
                    cold_path();
                    if self.input.buffer.is_empty() {
                        // It waits on without a buffer.
                        return Poll::Ready(Ok(Came::Nothing));
                    }
                    self.input.buffer.rest(core);
                    return Poll::Ready(Ok(Came::Part));
                }
            }
        }
    }

    /// The client closed in front of or inside a head.
    #[inline(never)]
    fn head_cut(&self) -> Result<Came, Error> {
        // what is left of an empty line is no request
        if self.window().iter().all(|byte| *byte == b'\r') {
            return Ok(Came::Closed);
        }
        Err(Error::Truncated)
    }

    pub(super) fn write_head(&mut self, head: &Head, framing: Framing, core: &Core) -> Result<(), Error> {
        self.out.begin(core);
        self.conn.write_head(head, framing, &mut self.out.bytes)
    }

    #[cold]
    pub(super) fn write_continue(&mut self) {
        self.out.bytes.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    #[cold]
    pub(super) fn answer_instead(&mut self, core: &Core) {
        self.out.take_back(core);
        self.conn.answer_instead();
        self.asked_to_close = false;
    }

    pub(super) fn poll_watch(&mut self, cx: &mut Context<'_>, core: &Core) -> Poll<io::Result<()>> {
        if self.eof {
            cold_path();
            return Poll::Pending;
        }
        if self.input.buffer.is_empty() {
            // What waits owns no buffer: the response is then read into the one that is still in the
            // cache from this request, and not into a cold one.
            self.input.give(core);
            if self.poll_ready(cx).is_pending() {
                return Poll::Pending;
            }
            self.input.buffer = core.take_buffer(false);
        }
        cold_path();
        while self.input.has_spare_room(core) {
            match self.poll_read(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.input.buffer.rest(core);
                    break;
                }
            }
        }
        Poll::Pending
    }

    pub(super) fn is_blind(&self) -> bool {
        self.input.buffer.capacity() > 0 && self.input.buffer.is_full()
    }

    pub(super) const fn read(&self) -> u64 {
        self.input.read
    }

    pub(super) fn has_begun(&self) -> bool {
        self.out.has_begun()
    }

    pub(super) const fn is_untouched(&self) -> bool {
        self.out.is_untouched()
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
        let has_input = !self.input.buffer.is_empty();
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
        self.input.start_next();
        self.out.clear(core);
    }

    pub(super) fn release(&mut self, core: &Core) {
        self.input.clear(core);
        self.out.clear(core);
    }

    pub(super) fn rest_out(&mut self, core: &Core) {
        self.out.rest(core);
    }

    pub(super) const fn stream(&self) -> &Stream {
        &self.io
    }

    pub(super) fn into_parts(self) -> (Stream, Buffer) {
        (self.io, self.input.buffer)
    }

    // As a source.

    pub(super) fn part(&mut self) -> Result<Part, Error> {
        self.input.part(&mut self.conn)
    }

    pub(super) fn trailers(&mut self, into: &mut Head) -> Result<bool, Error> {
        self.input.trailers(into, &mut self.conn)
    }

    pub(super) fn window(&self) -> &[u8] {
        self.input.buffer.filled()
    }

    pub(super) fn consume(&mut self, len: usize) {
        self.input.buffer.consume(len);
    }

    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>, bulk: bool, core: &Core) -> Poll<Result<usize, NoMore>> {
        if let Err(no) = self.input.make_room(bulk, core) {
            return Poll::Ready(Err(no));
        }
        let read = self.poll_read(cx);
        if read.is_pending() {
            self.input.rest(core);
        }
        read.map_err(NoMore::Broke)
    }

    pub(super) fn end(&mut self) -> Result<(), Error> {
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

    pub(super) fn moved(&mut self, len: usize) -> Result<(), Error> {
        self.input.passed(len);
        self.conn.skip_body(len as u64)
    }

    pub(super) fn rest(&mut self, core: &Core) {
        self.input.rest(core);
    }

    // As a sink.

    pub(super) fn begin(&mut self, core: &Core) {
        self.out.begin(core);
    }

    pub(super) fn is_full(&mut self) -> bool {
        self.out.is_full()
    }

    pub(super) fn put(&mut self, payload: &[u8]) -> Result<usize, Error> {
        self.out.put(payload, &mut self.conn)
    }

    pub(super) fn finish(&mut self, trailers: Option<&Head>) -> Result<(), Error> {
        self.out.end(trailers, &mut self.conn)
    }

    #[inline(always)]
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>, window: &[u8]) -> (usize, Poll<io::Result<()>>) {
        self.out.poll_flush(cx, &mut self.io, window)
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_flushed()
    }

    pub(super) const fn sent(&self) -> u64 {
        self.out.sent()
    }

    pub(super) fn room(&self) -> Option<u64> {
        self.conn.body_room()
    }

    pub(super) const fn plain(&self) -> Option<Plain<'_>> {
        self.io.plain()
    }

    pub(super) fn pass(&mut self, len: usize) -> Result<(), Error> {
        self.out.pass(len, &mut self.conn)
    }

    pub(super) const fn passed(&mut self, len: usize) {
        self.out.passed(len);
    }
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
