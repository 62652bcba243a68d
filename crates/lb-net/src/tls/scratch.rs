//! One buffer per thread for what is on its way through the cipher: a connection that waits owns none.

use std::cell::RefCell;

/// Where records are read into and written from.
pub(super) struct Scratch {
    pub(super) input: Lane,
    pub(super) output: Lane,
    /// What is put together for one record.
    pub(super) gather: Lane,
}

/// Memory that begins at a chosen place of a page.
///
/// Why: where a copy of a few KiB goes to lies within a page 1 to 63 bytes behind where it comes from, `rep movsb`, which
/// glibc takes for such lengths, is 25 times as slow on AMD's Zen 3 and Zen 4 (glibc's bug 30994). Allocators put what is
/// large at the beginning of a page, and a record's payload lies five bytes behind the beginning of the record.
pub(super) struct Lane {
    pub(super) bytes: Vec<u8>,
    pub(super) base: usize,
}

impl Lane {
    const fn empty() -> Self {
        Self {
            bytes: Vec::new(),
            base: 0,
        }
    }

    /// `bytes` of them, from the place `at` of a page on.
    fn new(bytes: usize, at: usize) -> Self {
        let bytes = vec![0; bytes + PAGE];
        let base = (at + PAGE - place_of(&bytes)) % PAGE;
        Self { bytes, base }
    }

    pub(super) fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.base..).unwrap_or_default()
    }
}

/// Would a copy of these bytes into a record of their own be a slow one? rustls makes it where the allocator says, and that
/// is most often the beginning of a page.
pub(super) fn is_slow_to_copy(bytes: &[u8]) -> bool {
    bytes.len() >= BLOCK && (place_of(bytes) + ASIDE) % PAGE < ASIDE + MOST_BEFORE_PAYLOAD
}

fn place_of(bytes: &[u8]) -> usize {
    bytes.as_ptr().addr() % PAGE
}

/// Lends the thread's scratch; nothing that it is lent to lends it again.
pub(super) fn with<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.input.bytes.is_empty() {
            scratch.gather = Lane::new(RECORD, PAGE / 4);
            scratch.output = Lane::new(OUTPUT, PAGE / 2);
            scratch.input = Lane::new(INPUT, PAGE / 4 * 3);
        }
        f(scratch)
    })
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = const {
        RefCell::new(Scratch { input: Lane::empty(), output: Lane::empty(), gather: Lane::empty() })
    };
}

/// The most plaintext of one record: RFC 8446, section 5.1.
pub(super) const RECORD: usize = 1 << 14;
/// What a record has around its plaintext at most: RFC 5246, section 6.2.3 allows 2,048 and the header; ciphers in use
/// take 29 or fewer.
pub(super) const OVERHEAD: usize = 5 + 256;
/// The most that is encrypted before the socket is asked: four records.
pub(super) const AT_ONCE: usize = 4 * RECORD;
/// What waits of an earlier record, and four more.
const INPUT: usize = MOST_UNFINISHED + AT_ONCE + OVERHEAD;
/// What is put before the records (as [`MOST_BEFORE`] says), and the records.
const OUTPUT: usize = MOST_BEFORE + 5 * (RECORD + OVERHEAD);
/// Less than this of handshake records goes out with the first payload behind them, in one write.
pub(super) const MOST_BEFORE: usize = 8 * 1024;
/// The most that is kept of records that are not whole: one record, or a handshake message over several (a chain of
/// certificates; rustls takes 64 KiB).
pub(super) const MOST_UNFINISHED: usize = 80 * 1024;
const PAGE: usize = 4096;
/// Shorter ones are copied in another way, which is never slow.
const BLOCK: usize = 2048;
/// Nearer than this, behind, is slow.
const ASIDE: usize = 64;
/// A record's header and the explicit part of a nonce (RFC 5288, section 3).
const MOST_BEFORE_PAYLOAD: usize = 5 + 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_lie_apart_within_their_pages() {
        with(|scratch| {
            for (lane, at, bytes) in [
                (&mut scratch.gather, 1024, RECORD),
                (&mut scratch.output, 2048, OUTPUT),
                (&mut scratch.input, 3072, INPUT),
            ] {
                assert_eq!(place_of(lane.room()), at);
                assert!(lane.room().len() >= bytes);
            }
        });
    }

    #[test]
    fn what_begins_a_page_is_slow_to_copy_behind_a_header() {
        let mut lane = Lane::new(3 * PAGE, 0);
        let page = lane.room();
        for (at, is_slow) in [
            (0, true),
            (12, true),
            (13, false),
            (64, false),
            (4031, false),
            (4032, true),
            (4095, true),
        ] {
            assert_eq!(is_slow_to_copy(&page[at..at + BLOCK]), is_slow, "{at}");
            assert!(!is_slow_to_copy(&page[at..at + BLOCK - 1]), "{at}");
        }
    }
}
