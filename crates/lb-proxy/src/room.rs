//! Out of descriptors: who makes room, and who waits for it.
//!
//! Idle upstream connections go first, then the clients that have been idle for longest. Descriptors belong to the
//! process, so a worker that has nobody idle asks the others. Nothing here is touched while there are enough.

use crate::core::Core;
use lb_types::Time;
use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::task::Waker;
use std::time::Duration;
use tokio::sync::Notify;

/// Who waits for a descriptor in one worker.
#[derive(Debug)]
pub(crate) struct Room {
    waiting: RefCell<Vec<Waker>>,
    /// Somebody waits.
    wanted: Notify,
    /// From this number on descriptors are kept for connections to backends: a client that is let in and can reach
    /// none of them helps nobody.
    reserved_from: u64,
    /// Clients of TCP listeners that are in and have no descriptor for a connection to a backend yet: each needs one more.
    unconnected: Cell<u64>,
    /// When room was made last: once in a while is enough for all who wait.
    made: Cell<Option<Time>>,
    /// When a client was last held back. For a while after that a low number says nothing of how many are free: those
    /// who have left made holes.
    crowded: Cell<Option<Time>>,
    elsewhere: Arc<Notify>,
}

/// A client of a TCP listener, until it has the descriptor of its connection to a backend.
#[derive(Debug)]
pub(crate) struct Unconnected(Rc<Core>);

impl Unconnected {
    pub(crate) fn new(core: &Rc<Core>) -> Self {
        core.room.unconnected.update(|count| count + 1);
        Self(Rc::clone(core))
    }
}

impl Drop for Unconnected {
    fn drop(&mut self) {
        self.0.room.unconnected.update(|count| count.saturating_sub(1));
    }
}

impl Room {
    pub(crate) fn new() -> Self {
        let limit = lb_net::descriptor_limit().unwrap_or(u64::MAX);
        Self {
            waiting: RefCell::new(Vec::new()),
            wanted: Notify::new(),
            unconnected: Cell::new(0),
            made: Cell::new(None),
            crowded: Cell::new(None),
            elsewhere: elsewhere(),
            reserved_from: limit.saturating_sub((limit / RESERVED).clamp(FEWEST_RESERVED, MOST_RESERVED)),
        }
    }
}

impl Core {
    /// Makes some room here, or has the other workers do so. Who needs it tries again later.
    #[cold]
    pub(crate) fn want_room(&self) {
        let now = self.now().mono;
        if self.room.made.get().is_some_and(|last| now.since(last) < AGAIN) {
            return;
        }
        self.room.made.set(Some(now));
        if !self.make_room() {
            self.room.elsewhere.notify_waiters();
        }
    }

    /// Closes what is idle, or asks it to end; says whether there was any.
    fn make_room(&self) -> bool {
        self.free_splices() || self.close_idle() || self.timers.ask_idle_to_end(self.now().mono) > 0
    }

    /// Closes the upstream connections that have been idle for longest.
    fn close_idle(&self) -> bool {
        let kept = self.idle.borrow();
        let mut shelves: Vec<_> = kept
            .values()
            .filter_map(|shelf| Some((shelf.oldest_since()?, shelf)))
            .collect();
        shelves.sort_unstable_by_key(|(since, _)| *since);
        let most = shelves.len().div_ceil(SHELVES_AT_ONCE);
        for (_, shelf) in shelves.iter().take(most) {
            shelf.drop_oldest();
        }
        most > 0
    }

    /// Wakes this task when there may be room.
    #[cold]
    pub(crate) fn wait_for_room(&self, waker: &Waker) {
        self.room.waiting.borrow_mut().push(waker.clone());
        self.room.wanted.notify_one();
    }

    /// Is this the descriptor of a client that has to wait, so that those who are in can reach backends?
    pub(crate) fn is_crowded(&self, of: &impl AsRawFd) -> bool {
        let is_high =
            u64::try_from(of.as_raw_fd()).is_ok_and(|number| number + self.spoken_for() >= self.room.reserved_from);
        is_high || self.was_crowded()
    }

    /// Was a client held back a moment ago?
    fn was_crowded(&self) -> bool {
        let crowded = self.room.crowded.get();
        crowded.is_some_and(|since| self.clock.now().mono.since(since) < CROWDED)
    }

    /// Descriptors that those who are in still need.
    fn spoken_for(&self) -> u64 {
        self.room.unconnected.get() + self.room.waiting.borrow().len() as u64
    }

    /// Would the next client's descriptor be one that is not reserved? Asks the kernel.
    pub(crate) fn has_room(&self, any: impl AsFd) -> bool {
        let is_low =
            lb_net::lowest_free(any).is_some_and(|number| number + self.spoken_for() < self.room.reserved_from);
        if !is_low {
            self.room.crowded.set(Some(self.clock.now().mono));
        }
        // One free descriptor is known of; it is spoken for when somebody who is in has none yet.
        is_low && (self.spoken_for() == 0 || !self.was_crowded())
    }
}

/// Wakes who waits for room, as long as somebody does.
pub(crate) async fn wake_waiting(core: Rc<Core>) {
    loop {
        core.room.wanted.notified().await;
        tokio::time::sleep(AGAIN).await;
        for waker in core.room.waiting.take() {
            waker.wake();
        }
    }
}

/// Makes room for other workers.
pub(crate) async fn help_others(core: Rc<Core>) {
    loop {
        core.room.elsewhere.notified().await;
        core.read_clock();
        core.make_room();
    }
}

/// Some worker of this process is out of descriptors and has nobody idle.
fn elsewhere() -> Arc<Notify> {
    static ELSEWHERE: LazyLock<Arc<Notify>> = LazyLock::new(Arc::default);
    #[cfg(feature = "sim")]
    if lb_net::sim::is_entered() {
        // A network is a thread's own: tests beside it do not wake its workers.
        thread_local!(static SIMULATED: Arc<Notify> = Arc::default());
        return SIMULATED.with(Arc::clone);
    }
    Arc::clone(&ELSEWHERE)
}

/// After a client was held back, so long each is looked at.
const CROWDED: Duration = Duration::from_secs(10);
/// Who waits for room tries again so often: an end elsewhere is not told here.
pub(crate) const AGAIN: Duration = Duration::from_millis(20);
/// Of so many backends with idle connections one loses its oldest at once.
const SHELVES_AT_ONCE: usize = 64;
/// One in so many descriptors is kept for connections to backends,
const RESERVED: u64 = 16;
/// at least so many,
const FEWEST_RESERVED: u64 = 4;
/// and at most so many.
const MOST_RESERVED: u64 = 256;
