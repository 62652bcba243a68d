//! Buffers and their free lists: a waiting connection owns none.

use crate::core::Core;
use lb_net::Stream;
use std::io;
use std::task::{Context, Poll, ready};
use tokio::task::coop::poll_proceed;

/// Bytes that were read and not used yet. The memory is fixed; nothing grows by itself.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    /// A buffer without memory; it must be swapped for a real one before reading.
    pub(crate) const fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: vec![0; bytes],
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Is there no room even after moving the content to the front?
    pub(crate) fn is_full(&self) -> bool {
        self.len() == self.bytes.len()
    }

    /// Right after a read: did it take all that it had room for?
    pub(crate) fn took_all_room(&self) -> bool {
        self.end == self.bytes.len()
    }

    /// Moves the content of `other` here, whose memory must be no larger than ours.
    pub(crate) fn take_from(&mut self, other: &mut Self) {
        let len = other.len();
        self.bytes[..len].copy_from_slice(other.filled());
        self.start = 0;
        self.end = len;
        other.clear();
    }

    /// Swaps a small buffer for a large one, content and all; says whether it was small.
    pub(crate) fn enlarge(&mut self, core: &Core) -> bool {
        if self.capacity() >= LARGE {
            return false;
        }
        let mut large = core.take_buffer(true);
        large.take_from(self);
        core.give_buffer(std::mem::replace(self, large));
        true
    }

    /// Reads once. `Ok(0)` is the end of the stream. Says `Ready(Ok(0))` also for a full buffer:
    /// ask [`Buffer::is_full`] first.
    ///
    /// As `AsyncRead::poll_read` does, it clears the readiness after a short read, so that the next wait does
    /// not begin with a useless system call.
    #[inline]
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, io: &Stream) -> Poll<io::Result<usize>> {
        if self.end == self.bytes.len() && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        loop {
            // A connection that always has something lets others have their turn too.
            let turn = ready!(poll_proceed(cx));
            if let Some(read) = io.try_recv(&mut self.bytes[self.end..]) {
                turn.made_progress();
                let len = read?;
                self.end += len;
                return Poll::Ready(Ok(len));
            }
            drop(turn);
            ready!(io.poll_arrived(cx))?;
        }
    }
}

/// A last-in first-out list of things to use again, trimmed when they are not needed any more.
#[derive(Debug)]
pub(crate) struct FreeList<T> {
    items: Vec<T>,
    /// The fewest that lay here since the last trim: nobody needed these.
    lowest: usize,
}

impl<T> FreeList<T> {
    pub(crate) const fn new() -> Self {
        Self {
            items: Vec::new(),
            lowest: 0,
        }
    }

    pub(crate) fn take(&mut self) -> Option<T> {
        let item = self.items.pop();
        self.lowest = self.lowest.min(self.items.len());
        item
    }

    pub(crate) fn put(&mut self, item: T) {
        if self.items.len() < MOST_KEPT {
            self.items.push(item);
        }
    }

    /// Frees what was not needed since the last call, but for a few. Says whether anything is
    /// left that a later call could free.
    pub(crate) fn trim(&mut self) -> bool {
        let surplus = self.lowest.saturating_sub(ALWAYS_KEPT);
        let keep = self.items.len() - surplus;
        self.items.truncate(keep);
        if keep <= ALWAYS_KEPT * 2 {
            self.items.shrink_to(ALWAYS_KEPT * 2);
        }
        self.lowest = self.items.len();
        self.items.len() > ALWAYS_KEPT
    }

    /// Frees all; says whether there were any.
    pub(crate) fn clear(&mut self) -> bool {
        let had = !self.items.is_empty();
        self.items.clear();
        self.lowest = 0;
        had
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}

/// For heads, requests and small bodies: a whole exchange mostly fits.
pub(crate) const SMALL: usize = 16 * 1024;
/// For bodies that come faster than one small buffer per read. Measured: a copier with 64 KiB
/// needs half the CPU per byte of one with 16 KiB.
pub(crate) const LARGE: usize = 64 * 1024;
/// Beyond this many, memory goes back to the allocator at once.
const MOST_KEPT: usize = 4096;
/// These stay for the next request whatever happens.
const ALWAYS_KEPT: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_list_keeps_what_was_needed_lately() {
        let mut list = FreeList::new();
        for i in 0..100 {
            list.put(i);
        }
        list.trim();
        for _ in 0..40 {
            list.take();
        }
        for i in 0..40 {
            list.put(i);
        }
        assert!(list.trim());
        assert_eq!(list.len(), 100 - (60 - ALWAYS_KEPT), "sixty were never taken");
        while list.trim() {}
        assert_eq!(list.len(), ALWAYS_KEPT);
    }

    #[test]
    fn content_survives_the_move_to_a_larger_buffer() {
        let mut small = Buffer::with_capacity(4);
        small.bytes.copy_from_slice(b"abcd");
        small.end = 4;
        small.consume(1);
        assert!(!small.is_full());
        let mut large = Buffer::with_capacity(8);
        large.take_from(&mut small);
        assert_eq!(large.filled(), b"bcd");
        assert!(small.is_empty());
        large.consume(99);
        assert!(large.is_empty());
    }
}
