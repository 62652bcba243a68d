//! The client's side of an exchange, whatever version of HTTP the client speaks.

mod h1;

use super::flow::{Piece, Sink, Source};
use super::intake::NoMore;
use crate::buffer::Buffer;
use crate::core::Core;
use crate::options::HttpOptions;
use lb_http::Head;
use lb_http::h1::{Error, Framing};
use lb_net::{Plain, Stream};
use std::io;
use std::task::{Context, Poll};

pub(super) use h1::H1;
pub(crate) use h1::Wire;

/// A client's side. Each verb decides once which version it is for.
#[derive(Debug)]
pub(crate) enum ClientSide {
    /// HTTP/1: the whole connection, whose exchanges follow one another.
    H1(H1),
}

/// What [`ClientSide::poll_head`] came to.
#[derive(Debug)]
pub(super) enum Came {
    /// A request, with what follows its head.
    Request(Framing),
    /// A part of one.
    Part,
    /// Nothing: it was a false alarm.
    Nothing,
    /// The client left between requests.
    Closed,
    /// The client broke inside a request.
    Broke,
}

/// What becomes of a side when an exchange is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// It may carry another one.
    Again,
    /// It ends, and the client knows or does not care.
    Close,
    /// It ends, and the client may still be sending.
    Linger,
}

/// What is left of an empty line is no request.
fn is_no_request(input: &[u8]) -> bool {
    input.iter().all(|byte| *byte == b'\r')
}

macro_rules! each {
    ($side:expr, $it:ident => $do:expr) => {
        match $side {
            ClientSide::H1($it) => $do,
        }
    };
}

impl ClientSide {
    /// `early`: what was read of it already.
    pub(super) fn h1(io: Stream, http: &HttpOptions, early: Buffer, core: &Core) -> Self {
        let mut side = H1::new(io, http);
        if !early.is_empty() {
            side.begin_with(early, core);
        }
        Self::H1(side)
    }

    /// Has something come? `Ready` may be a false alarm.
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, it => it.poll_ready(cx))
    }

    /// Reads until a head is complete.
    #[inline(always)] // into its one caller
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut Head,
        core: &Core,
    ) -> Poll<Result<Came, Error>> {
        each!(self, it => it.poll_head(cx, head, core))
    }

    /// Puts the head of a response on its way.
    pub(super) fn write_head(&mut self, head: &Head, framing: Framing, core: &Core) -> Result<(), Error> {
        each!(self, it => it.write_head(head, framing, core))
    }

    /// Says that the client may go on with the body of its request.
    pub(super) fn write_continue(&mut self) {
        each!(self, it => it.write_continue());
    }

    /// Takes back what has not left of a response. An answer of our own comes instead, whatever was read, and is the last
    /// one.
    pub(super) fn answer_instead(&mut self, core: &Core) {
        each!(self, it => it.answer_instead(core));
    }

    /// Puts the body of an answer of our own on its way.
    pub(super) fn write_body(&mut self, body: &[u8]) -> Result<(), Error> {
        each!(self, it => it.write_body(body))
    }

    /// While its request is served: is the client still there? What it sends next is read into free space only.
    /// `Ready(Ok)`: it has ended its direction.
    pub(super) fn poll_watch(&mut self, cx: &mut Context<'_>, core: &Core) -> Poll<io::Result<()>> {
        each!(self, it => it.poll_watch(cx, core))
    }

    /// Is nothing read from it, so that its end is not seen either?
    pub(super) fn is_blind(&self) -> bool {
        each!(self, it => it.is_blind())
    }

    /// Has it reset its connection? Asks the system.
    pub(super) fn has_broken(&self) -> bool {
        each!(self, it => it.stream().has_broken())
    }

    /// Is there something of a request, or of what follows one?
    pub(super) fn has_input(&self) -> bool {
        !self.window().is_empty()
    }

    /// Does what came and was not used begin so?
    pub(super) fn begins_with(&self, word: &[u8]) -> bool {
        self.window().trim_ascii_start().starts_with(word)
    }

    /// Is there nothing of a request, not even its first byte?
    pub(super) fn has_no_request(&self) -> bool {
        is_no_request(self.window())
    }

    /// Bytes that came since the exchange began.
    pub(super) fn read(&self) -> u64 {
        each!(self, it => it.read())
    }

    /// Was something of a response put on its way?
    pub(super) fn has_begun(&self) -> bool {
        each!(self, it => it.has_begun())
    }

    /// Is no response cut in two by what has left so far?
    pub(super) fn is_untouched(&self) -> bool {
        each!(self, it => it.is_untouched())
    }

    /// Was its request read to its end?
    pub(super) fn reading_done(&self) -> bool {
        each!(self, it => it.reading_done())
    }

    /// This exchange is its last one.
    pub(super) fn close_after(&mut self) {
        each!(self, it => it.close_after());
    }

    /// Remembers whether it is the client who wants this exchange to be the last one.
    pub(super) fn note_wish(&mut self) {
        each!(self, it => it.note_wish());
    }

    /// The exchange is over: what becomes of the side?
    pub(super) fn after(&mut self) -> After {
        each!(self, it => it.after())
    }

    /// Ready for the next exchange. Gives back all that holds nothing.
    pub(super) fn start_next(&mut self, core: &Core) {
        each!(self, it => it.start_next(core));
    }

    /// Gives back every buffer, whatever is in it.
    pub(super) fn release(&mut self, core: &Core) {
        each!(self, it => it.release(core));
    }

    /// Gives back room for heads that holds nothing.
    pub(super) fn give_empty_out(&mut self, core: &Core) {
        each!(self, it => it.give_empty_out(core));
    }

    pub(super) fn stream(&self) -> &Stream {
        each!(self, it => it.stream())
    }

    pub(super) fn stream_mut(&mut self) -> &mut Stream {
        each!(self, it => it.stream_mut())
    }

    /// The connection, and what was read from it and not used.
    pub(super) fn into_parts(self, core: &Core) -> (Stream, Buffer) {
        each!(self, it => it.into_parts(core))
    }
}

impl Source for ClientSide {
    fn part(&mut self) -> Result<Piece, Error> {
        each!(self, it => it.part())
    }

    fn trailers(&mut self, into: &mut Head) -> Result<bool, Error> {
        each!(self, it => it.trailers(into))
    }

    fn window(&self) -> &[u8] {
        each!(self, it => it.window())
    }

    fn consume(&mut self, len: usize) {
        each!(self, it => it.consume(len));
    }

    fn poll_more(&mut self, cx: &mut Context<'_>, bulk: bool, core: &Core) -> Poll<Result<usize, NoMore>> {
        each!(self, it => it.poll_more(cx, bulk, core))
    }

    fn read_end(&mut self) -> Result<(), Error> {
        each!(self, it => it.read_end())
    }

    fn has_ended(&self) -> bool {
        each!(self, it => it.has_ended())
    }

    fn bulk(&mut self) -> Option<(Plain<'_>, u64)> {
        each!(self, it => it.bulk())
    }

    fn skip(&mut self, len: usize) -> Result<(), Error> {
        each!(self, it => it.skip(len))
    }

    fn give_empty(&mut self, core: &Core) {
        each!(self, it => it.give_empty(core));
    }
}

impl Sink for ClientSide {
    fn take_room(&mut self, core: &Core) {
        each!(self, it => it.take_room(core));
    }

    fn is_full(&mut self) -> bool {
        each!(self, it => it.is_full())
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
        each!(self, it => it.sent())
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
        each!(self, it => it.spliced(len));
    }
}
