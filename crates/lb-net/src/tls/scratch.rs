//! One buffer per thread for what is on its way through the cipher: a connection that waits owns none.

use std::cell::RefCell;

/// Where records are read into and written from.
pub(super) struct Scratch {
    pub(super) input: Vec<u8>,
    pub(super) output: Vec<u8>,
    /// What is put together for one record.
    pub(super) gather: Vec<u8>,
}

/// Lends the thread's scratch; nothing that it is lent to lends it again.
pub(super) fn with<R>(f: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.input.is_empty() {
            scratch.input.resize(INPUT, 0);
            scratch.output.resize(OUTPUT, 0);
            scratch.gather.resize(RECORD, 0);
        }
        f(scratch)
    })
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = const {
        RefCell::new(Scratch { input: Vec::new(), output: Vec::new(), gather: Vec::new() })
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
