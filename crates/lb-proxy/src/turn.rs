//! How much one connection may move before the others have their turn.

use std::future::Future;
use std::pin::pin;
use std::task::Context;

/// So many bytes of one direction in one turn, copied or spliced, beside the last piece. Both directions of a connection
/// together may move twice that. Two fills of the kernel's pipe; a turn costs what a few KiB of copies cost.
pub(crate) const TURN: u64 = 512 * 1024;

/// Wakes the task again when the others had their turn and the runtime has looked at the sockets.
pub(crate) fn give_way(cx: &mut Context<'_>) {
    // Whom it wakes it remembers by itself; what it answers says only that it will.
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}
