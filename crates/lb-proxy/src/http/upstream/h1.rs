//! A backend that speaks HTTP/1.1 or 1.0.

use super::Link;
use crate::core::Core;
use crate::http::flow::Piece;
use crate::http::intake::{Intake, NoMore};
use crate::http::out::Out;
use lb_http::Head;
use lb_http::h1::{Conn, Error, Framing, Limits, Message, Next, Role, Step};
use lb_net::{Ended, Plain, Stream};
use std::hint::cold_path;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What this side is when there is no connection: a fault of ours.
const NO_LINK: Error = Error::OutOfTurn("no connection to the backend");

/// The exchange's part of a connection, which came from somewhere and goes back there.
#[derive(Debug)]
pub(in crate::http) struct H1 {
    pub(super) link: Link,
    /// It stays for the next exchange: renewing it costs less than making one.
    conn: Option<Conn>,
    pub(super) reply: Intake,
    pub(super) out: Out,
    /// A write over this connection failed, and took the error with it: an end that is read after it says nothing.
    write_broke: bool,
}

impl H1 {
    pub(super) const fn new() -> Self {
        Self {
            link: Link::None,
            conn: None,
            reply: Intake::new(),
            out: Out::new(),
            write_broke: false,
        }
    }

    pub(super) fn open(&mut self, stream: Stream) {
        self.reply.buffer.clear();
        let read_before = self.reply.read;
        self.write_broke = false;
        self.link = Link::Open { stream, read_before };
    }

    pub(super) fn rewind(&mut self) -> bool {
        self.out.rewind()
    }

    pub(super) fn write_head(
        &mut self,
        head: &Head,
        framing: Framing,
        limits: &Arc<Limits>,
        core: &Core,
    ) -> Result<(), Error> {
        self.out.take_room(core);
        let conn = match &mut self.conn {
            Some(conn) => {
                conn.renew(limits);
                conn
            }
            none => none.insert(Conn::new(Role::Client, Arc::clone(limits))),
        };
        conn.write_head(head, framing, &mut self.out.bytes)
    }

    pub(super) fn read_head(&mut self, head: &mut Head) -> Result<Option<Message>, Error> {
        if self.reply.buffer.is_empty() {
            return Ok(None);
        }
        let conn = self.conn.as_mut().ok_or(NO_LINK)?;
        match conn.read_head(self.reply.buffer.filled(), head)? {
            Step::Ready(message) => {
                self.reply.buffer.consume(message.len);
                Ok(Some(message))
            }
            Step::NeedMore => {
                cold_path();
                Ok(None)
            }
        }
    }

    pub(super) const fn has_heard(&self) -> bool {
        match &self.link {
            Link::Open { read_before, .. } => self.reply.read != *read_before,
            Link::None | Link::Opening(_) => false,
        }
    }

    pub(super) fn is_reusable(&self) -> bool {
        self.reply.buffer.is_empty() && self.conn.as_ref().is_some_and(|conn| conn.next() == Next::Reuse)
    }

    pub(super) fn will_close(&self) -> bool {
        self.conn.as_ref().is_none_or(Conn::will_close)
    }

    pub(super) fn start_next(&mut self, core: &Core) {
        self.link = Link::None;
        self.out.clear(core);
        if !self.reply.is_small() {
            self.reply.give(core);
        }
        self.reply.buffer.clear();
        self.reply.start_next();
    }

    // As a source.

    pub(super) fn part(&mut self) -> Result<Piece, Error> {
        self.reply.part(self.conn.as_mut().ok_or(NO_LINK)?)
    }

    pub(super) fn trailers(&mut self, into: &mut Head) -> Result<bool, Error> {
        self.reply.trailers(into, self.conn.as_mut().ok_or(NO_LINK)?)
    }

    /// `likely`: that something has come is most likely what woke us, else it is asked before a buffer is taken.
    pub(super) fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        bulk: bool,
        likely: bool,
        core: &Core,
    ) -> Poll<Result<usize, NoMore>> {
        let Link::Open { stream, .. } = &self.link else {
            return Poll::Ready(Err(NoMore::Broke(io::ErrorKind::NotConnected.into())));
        };
        if !likely && self.reply.buffer.capacity() == 0 && stream.poll_arrived(cx).is_pending() {
            return Poll::Pending;
        }
        if let Err(no) = self.reply.make_room(bulk, core) {
            return Poll::Ready(Err(no));
        }
        let read = self.reply.buffer.poll_read(cx, stream);
        match read {
            Poll::Ready(Ok(len)) if len > 0 => self.reply.came(len),
            Poll::Ready(_) => cold_path(),
            Poll::Pending => {
                cold_path();
                self.reply.rest(core);
            }
        }
        read.map_err(NoMore::Broke)
    }

    pub(super) fn read_end(&mut self) -> Result<(), Error> {
        if self.write_broke {
            return Err(Error::Truncated);
        }
        if let Link::Open { stream, .. } = &self.link
            && stream.tls().is_some()
            && stream.ended() != Ended::Clean
        {
            // Anybody on the way can end a connection; only the backend can say that this is all.
            return Err(Error::Truncated);
        }
        self.conn.as_mut().ok_or(NO_LINK)?.read_eof()
    }

    pub(super) fn bulk(&mut self) -> Option<(Plain<'_>, u64)> {
        let left = self.conn.as_ref()?.body_left()?;
        Some((self.plain()?, left))
    }

    pub(super) fn skip(&mut self, len: usize) -> Result<(), Error> {
        self.reply.skipped(len);
        self.conn.as_mut().ok_or(NO_LINK)?.skip_body(len as u64)
    }

    // As a sink.

    pub(super) fn put(&mut self, payload: &[u8]) -> Result<usize, Error> {
        self.out.put(payload, self.conn.as_mut().ok_or(NO_LINK)?)
    }

    pub(super) fn finish(&mut self, trailers: Option<&Head>) -> Result<(), Error> {
        self.out.finish(trailers, self.conn.as_mut().ok_or(NO_LINK)?)
    }

    #[inline(always)]
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>, window: &[u8]) -> (usize, Poll<io::Result<()>>) {
        match &mut self.link {
            Link::Open { stream, .. } => {
                let flushed = self.out.poll_flush(cx, stream, window);
                if let Poll::Ready(Err(_)) = &flushed.1 {
                    cold_path();
                    self.write_broke = true;
                }
                flushed
            }
            Link::None | Link::Opening(_) => (0, Poll::Ready(Err(io::ErrorKind::NotConnected.into()))),
        }
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_flushed() && !matches!(&self.link, Link::Open { stream, .. } if !stream.is_flushed())
    }

    pub(super) fn room(&self) -> Option<u64> {
        self.conn.as_ref()?.body_room()
    }

    pub(super) const fn plain(&self) -> Option<Plain<'_>> {
        match &self.link {
            Link::Open { stream, .. } => stream.plain(),
            Link::None | Link::Opening(_) => None,
        }
    }

    pub(super) fn announce_spliced(&mut self, len: usize) -> Result<(), Error> {
        self.out.announce_spliced(len, self.conn.as_mut().ok_or(NO_LINK)?)
    }
}
