//! What came over a connection and was not used yet.

use crate::buffer::{Buffer, LARGE, SMALL};
use crate::core::Core;
use crate::http::flow::Piece;
use lb_http::Head;
use lb_http::h1::{self, Conn, Error, Step};
use std::io;

/// A buffer that comes when there is something to read and goes when it is empty and nothing comes.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) buffer: Buffer,
    /// Bytes that were read, those of connections before included.
    pub(super) read: u64,
    /// The last read filled the buffer: the next one gets a larger one.
    was_full: bool,
    /// The last read took all that it had room for: the runtime cannot tell whether more was there.
    pub(super) may_have_more: bool,
    /// What comes next is read into a large buffer, as what came before.
    large: bool,
}

/// Why nothing more is read.
#[derive(Debug)]
pub(super) enum NoMore {
    Broke(io::Error),
    /// The largest buffer is full, which has so many bytes.
    Full(usize),
}

impl Intake {
    pub(super) const fn new() -> Self {
        Self {
            buffer: Buffer::empty(),
            read: 0,
            was_full: false,
            may_have_more: false,
            large: false,
        }
    }

    /// Ready for the next message; what is here may be the beginning of it.
    pub(super) const fn start_next(&mut self) {
        self.read = 0;
        self.was_full = false;
        self.may_have_more = false;
        self.large = false;
    }

    /// Without a buffer, as one that was never used.
    pub(super) fn clear(&mut self, core: &Core) {
        self.give(core);
        self.start_next();
    }

    /// Gives the buffer back, whatever is in it.
    pub(super) fn give(&mut self, core: &Core) {
        if self.buffer.capacity() > 0 {
            core.give_buffer(std::mem::replace(&mut self.buffer, Buffer::empty()));
        }
    }

    /// Has it the buffer that every message begins with?
    pub(super) fn is_small(&self) -> bool {
        self.buffer.capacity() == SMALL
    }

    /// Takes a buffer if there is none.
    pub(super) fn take(&mut self, bulk: bool, core: &Core) {
        if self.buffer.capacity() == 0 {
            self.buffer = core.take_buffer(bulk || self.large);
        }
    }

    /// Makes room for the next read.
    pub(super) fn make_room(&mut self, bulk: bool, core: &Core) -> Result<(), NoMore> {
        if self.buffer.capacity() == 0 {
            self.buffer = core.take_buffer(bulk || self.large);
        } else if self.buffer.is_full() {
            if !self.buffer.enlarge(core) {
                return Err(NoMore::Full(self.buffer.capacity()));
            }
        } else if self.was_full && self.buffer.is_empty() && self.buffer.capacity() < LARGE {
            core.give_buffer(std::mem::replace(&mut self.buffer, core.take_buffer(true)));
        }
        self.was_full = false;
        Ok(())
    }

    /// What a read into the buffer came to, of a body.
    pub(super) fn came(&mut self, len: usize) {
        self.read += len as u64;
        self.was_full = self.buffer.is_full();
        self.may_have_more = self.buffer.took_all_room();
    }

    /// So many bytes went by in the kernel.
    pub(super) const fn skipped(&mut self, len: usize) {
        self.read += len as u64;
        self.may_have_more = true;
    }

    /// Nothing comes for now.
    pub(super) fn rest(&mut self, core: &Core) {
        self.large = self.buffer.capacity() == LARGE;
        self.buffer.rest(core);
    }

    /// What is next in an HTTP/1 body. Framing in front of it is used up.
    #[inline]
    pub(super) fn part(&mut self, conn: &mut Conn) -> Result<Piece, Error> {
        let (skip, part) = match conn.read_body(self.buffer.filled())? {
            h1::Part::NeedMore { skip } => (skip, Piece::NeedMore),
            h1::Part::Data { skip, len } => (skip, Piece::Data(len)),
            h1::Part::Trailers { skip } => (skip, Piece::Trailers),
            h1::Part::End { skip } => (skip, Piece::End),
        };
        self.buffer.consume(skip);
        Ok(part)
    }

    /// The fields behind an HTTP/1 body, once all of them are here.
    pub(super) fn trailers(&mut self, into: &mut Head, conn: &mut Conn) -> Result<bool, Error> {
        match conn.read_trailers(self.buffer.filled(), into)? {
            Step::NeedMore => Ok(false),
            Step::Ready(len) => {
                self.buffer.consume(len);
                Ok(true)
            }
        }
    }

    /// Is there room for a few bytes of the next request, without a large buffer?
    pub(super) fn has_spare_room(&mut self, core: &Core) -> bool {
        !self.buffer.is_full() || (self.buffer.capacity() < SMALL && self.buffer.enlarge(core))
    }
}
