//! The backend's side of an exchange, whatever version of HTTP the backend speaks.

mod h1;

use super::flow::{Piece, Sink, Source};
use super::intake::NoMore;
use super::out::Replay;
use crate::buffer::Buffer;
use crate::contact::Contact;
use crate::core::Core;
use lb_http::Head;
use lb_http::h1::{Error, Framing, Limits, Message};
use lb_net::{Plain, Stream};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

pub(super) use h1::H1;

/// A backend's side. Each verb decides once which version it is for.
#[derive(Debug)]
pub(super) enum UpstreamSide {
    /// HTTP/1: a connection that carries this exchange alone until it ends.
    H1(H1),
}

/// The connection to the backend.
#[derive(Debug)]
pub(super) enum Link {
    None,
    /// It is being made.
    Opening(Contact),
    Open {
        stream: Stream,
        /// What had been read from backends when it began to be this exchange's.
        read_before: u64,
    },
}

macro_rules! each {
    ($side:expr, $it:ident => $do:expr) => {
        match $side {
            UpstreamSide::H1($it) => $do,
        }
    };
}

impl UpstreamSide {
    pub(super) const fn new() -> Self {
        Self::H1(H1::new())
    }

    pub(super) const fn link(&self) -> &Link {
        each!(self, it => &it.link)
    }

    pub(super) const fn link_mut(&mut self) -> &mut Link {
        each!(self, it => &mut it.link)
    }

    /// The connection is there.
    pub(super) fn open(&mut self, stream: Stream) {
        each!(self, it => it.open(stream));
    }

    /// Drops the connection, or the attempt to get one.
    pub(super) fn close(&mut self) {
        *self.link_mut() = Link::None;
    }

    /// Takes the connection out, if there is one.
    pub(super) fn take(&mut self) -> Option<Stream> {
        match std::mem::replace(self.link_mut(), Link::None) {
            Link::Open { stream, .. } => Some(stream),
            Link::None | Link::Opening(_) => None,
        }
    }

    /// Puts the head of the request on its way.
    pub(super) fn write_head(
        &mut self,
        head: &Head,
        framing: Framing,
        limits: &Arc<Limits>,
        core: &Core,
    ) -> Result<(), Error> {
        each!(self, it => it.write_head(head, framing, limits, core))
    }

    /// How the request is written once more, should this attempt fail.
    pub(super) const fn set_replay(&mut self, replay: Replay) {
        each!(self, it => it.out.set_replay(replay));
    }

    /// Can every byte that was written be written again?
    pub(super) const fn can_replay(&self) -> bool {
        each!(self, it => it.out.can_replay())
    }

    /// For a new attempt. True: its head must be written.
    pub(super) fn rewind(&mut self) -> bool {
        each!(self, it => it.rewind())
    }

    /// Reads the head of a response from what is here, interim ones included; `None`: not all of it is.
    pub(super) fn read_head(&mut self, head: &mut Head) -> Result<Option<Message>, Error> {
        each!(self, it => it.read_head(head))
    }

    /// As [`Source::poll_more`], when a response may not have begun. `likely`: that is what woke us.
    pub(super) fn poll_first(
        &mut self,
        cx: &mut Context<'_>,
        likely: bool,
        core: &Core,
    ) -> Poll<Result<usize, NoMore>> {
        each!(self, it => it.poll_more(cx, false, likely, core))
    }

    /// Has anything come over this connection?
    pub(super) const fn has_heard(&self) -> bool {
        each!(self, it => it.has_heard())
    }

    /// Bytes from all backends that were asked in this exchange.
    pub(super) const fn read(&self) -> u64 {
        each!(self, it => it.reply.read)
    }

    /// The last read took all that it had room for: the runtime cannot tell whether more was there.
    pub(super) const fn may_have_more(&self) -> bool {
        each!(self, it => it.reply.may_have_more)
    }

    /// Is the connection good for another exchange, as far as the message tells?
    pub(super) fn is_reusable(&self) -> bool {
        each!(self, it => it.is_reusable())
    }

    /// Will the backend end the connection behind this response?
    pub(super) fn will_close(&self) -> bool {
        each!(self, it => it.will_close())
    }

    /// Gives back room for heads that holds nothing.
    pub(super) fn give_empty_out(&mut self, core: &Core) {
        each!(self, it => it.out.give_empty(core));
    }

    /// Ready for the next exchange. Keeps the small buffer that is still in the cache.
    pub(super) fn start_next(&mut self, core: &Core) {
        each!(self, it => it.start_next(core));
    }

    /// Gives back every buffer, whatever is in it.
    pub(super) fn release(&mut self, core: &Core) {
        each!(self, it => it.reply.clear(core));
    }

    /// What came behind the response.
    pub(super) const fn take_unread(&mut self) -> Buffer {
        each!(self, it => std::mem::replace(&mut it.reply.buffer, Buffer::empty()))
    }
}

impl Source for UpstreamSide {
    fn part(&mut self) -> Result<Piece, Error> {
        each!(self, it => it.part())
    }

    fn trailers(&mut self, into: &mut Head) -> Result<bool, Error> {
        each!(self, it => it.trailers(into))
    }

    fn window(&self) -> &[u8] {
        each!(self, it => it.reply.buffer.filled())
    }

    fn consume(&mut self, len: usize) {
        each!(self, it => it.reply.buffer.consume(len));
    }

    fn poll_more(&mut self, cx: &mut Context<'_>, bulk: bool, core: &Core) -> Poll<Result<usize, NoMore>> {
        each!(self, it => it.poll_more(cx, bulk, false, core))
    }

    fn read_end(&mut self) -> Result<(), Error> {
        each!(self, it => it.read_end())
    }

    fn has_ended(&self) -> bool {
        false
    }

    fn bulk(&mut self) -> Option<(Plain<'_>, u64)> {
        each!(self, it => it.bulk())
    }

    fn skip(&mut self, len: usize) -> Result<(), Error> {
        each!(self, it => it.skip(len))
    }

    fn give_empty(&mut self, core: &Core) {
        each!(self, it => it.reply.rest(core));
    }
}

impl Sink for UpstreamSide {
    fn take_room(&mut self, core: &Core) {
        each!(self, it => it.out.take_room(core));
    }

    fn is_full(&mut self) -> bool {
        each!(self, it => it.out.is_full())
    }

    fn put(&mut self, payload: &[u8]) -> Result<usize, Error> {
        each!(self, it => it.put(payload))
    }

    fn finish(&mut self, trailers: Option<&Head>) -> Result<(), Error> {
        each!(self, it => it.finish(trailers))
    }

    #[inline(always)]
    fn poll_flush(&mut self, cx: &mut Context<'_>, window: &[u8]) -> (usize, Poll<io::Result<()>>) {
        each!(self, it => it.poll_flush(cx, window))
    }

    fn is_flushed(&self) -> bool {
        each!(self, it => it.is_flushed())
    }

    fn sent(&self) -> u64 {
        each!(self, it => it.out.sent())
    }

    fn room(&self) -> Option<u64> {
        each!(self, it => it.room())
    }

    fn plain(&self) -> Option<Plain<'_>> {
        each!(self, it => it.plain())
    }

    fn announce_spliced(&mut self, len: usize) -> Result<(), Error> {
        each!(self, it => it.announce_spliced(len))
    }

    fn spliced(&mut self, len: usize) {
        each!(self, it => it.out.spliced(len));
    }
}
