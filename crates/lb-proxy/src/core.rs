//! What all connections of one worker share. One thread; nothing here is locked.

#[cfg(feature = "sim")]
pub(crate) mod census;

use crate::buffer::{Buffer, FreeList, LARGE, SMALL, TINY};
use crate::http::client::Wire;
use crate::http::exchange::Exchange;
use crate::http::idle::{Idle, UpstreamKey};
use crate::log::Log;
use crate::preface::Turnstile;
use crate::room::Room;
use crate::timer::Timers;
use lb_balance::Backend;
use lb_http::Head;
use lb_net::Splice;
use lb_net::clock::Clock;
use lb_telemetry::{Counters, End, Fault, ListenerCounters};
use lb_types::Now;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

/// A worker's clock, wheel, free lists, counters and idle upstream connections.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) clock: Clock,
    now: Cell<Now>,
    pub(crate) timers: Rc<Timers>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) log: RefCell<Option<Log>>,
    tiny: RefCell<FreeList<Buffer>>,
    small: RefCell<FreeList<Buffer>>,
    large: RefCell<FreeList<Buffer>>,
    splices: RefCell<FreeList<Splice>>,
    /// How many are in use.
    splices_out: Cell<usize>,
    /// None is to be had for now: the system said so.
    splices_refused: Cell<bool>,
    exchanges: RefCell<FreeList<Box<Exchange>>>,
    heads: RefCell<FreeList<Box<Head>>>,
    outs: RefCell<FreeList<Vec<u8>>>,
    wires: RefCell<FreeList<Box<Wire>>>,
    /// Idle upstream connections outlive snapshots: a reload does not close them. In an order, as all that a worker goes
    /// through: what it does follows from its seed.
    pub(crate) idle: RefCell<BTreeMap<UpstreamKey, Rc<Idle>>>,
    pub(crate) room: Room,
    /// Handshakes that clients want.
    pub(crate) turnstile: Turnstile,
    draining: Cell<bool>,
    cut: Cell<bool>,
    connections: Cell<usize>,
    clients: Cell<u32>,
    /// Woken when a connection ends: whoever waits for room or for the last one.
    ended: RefCell<Vec<Waker>>,
}

impl Core {
    pub(crate) fn new(counters: Arc<Counters>) -> Rc<Self> {
        let clock = Clock::new();
        let now = clock.now();
        let timers = Timers::new(now.mono);
        let core = Rc::new(Self {
            clock,
            now: Cell::new(now),
            timers,
            counters,
            log: RefCell::new(None),
            tiny: RefCell::new(FreeList::new()),
            small: RefCell::new(FreeList::new()),
            large: RefCell::new(FreeList::new()),
            splices: RefCell::new(FreeList::new()),
            splices_out: Cell::new(0),
            splices_refused: Cell::new(false),
            exchanges: RefCell::new(FreeList::new()),
            heads: RefCell::new(FreeList::new()),
            outs: RefCell::new(FreeList::new()),
            wires: RefCell::new(FreeList::new()),
            idle: RefCell::new(BTreeMap::new()),
            room: Room::new(),
            turnstile: Turnstile::new(),
            draining: Cell::new(false),
            cut: Cell::new(false),
            connections: Cell::new(0),
            clients: Cell::new(0),
            ended: RefCell::new(Vec::new()),
        });
        #[cfg(feature = "sim")]
        census::remember(&core);
        core
    }

    /// The time at which the current task was woken: one clock read for all that it does.
    pub(crate) fn now(&self) -> Now {
        self.now.get()
    }

    /// Reads the clock. Every task does so when it is polled.
    pub(crate) fn read_clock(&self) {
        self.now.set(self.clock.now());
    }

    /// A backend failed a request or a connection: remembered for whoever looks.
    #[cold]
    pub(crate) fn blame(&self, backend: &Backend, end: End, detail: &'static str) {
        let fault = Fault {
            end,
            detail,
            at: self.now().wall,
            address: backend.address,
        };
        self.counters.faults().report(backend.id.as_u64(), fault);
    }

    pub(crate) fn take_buffer(&self, large: bool) -> Buffer {
        let (list, size) = if large {
            (&self.large, LARGE)
        } else {
            (&self.small, SMALL)
        };
        list.borrow_mut().take().unwrap_or_else(|| Buffer::with_capacity(size))
    }

    /// For a few bytes that wait for more.
    pub(crate) fn take_tiny(&self) -> Buffer {
        let kept = self.tiny.borrow_mut().take();
        kept.unwrap_or_else(|| Buffer::with_capacity(TINY))
    }

    pub(crate) fn give_buffer(&self, mut buffer: Buffer) {
        buffer.clear();
        match buffer.capacity() {
            TINY => self.tiny.borrow_mut().put(buffer),
            SMALL => self.small.borrow_mut().put(buffer),
            LARGE => self.large.borrow_mut().put(buffer),
            _ => {}
        }
    }

    /// A pipe for a large body; `None`: copy it. Give it back, whatever is inside.
    pub(crate) fn take_splice(&self) -> Option<Splice> {
        if self.splices_refused.get() || self.splices_out.get() >= MOST_SPLICES {
            return None;
        }
        let splice = match self.splices.borrow_mut().take() {
            Some(splice) => splice,
            None => match Splice::new() {
                Ok(splice) => splice,
                Err(_) => {
                    // Asked again when the worker tidies up.
                    self.splices_refused.set(true);
                    return None;
                }
            },
        };
        self.splices_out.set(self.splices_out.get() + 1);
        Some(splice)
    }

    /// A pipe with bytes inside is closed: they are nobody else's.
    pub(crate) fn give_splice(&self, splice: Option<Splice>) {
        let Some(splice) = splice else { return };
        self.splices_out.set(self.splices_out.get().saturating_sub(1));
        if splice.is_empty() {
            self.splices.borrow_mut().put(splice);
        }
    }

    /// Closes the pipes that nobody uses, and makes no more of them for a moment; says whether there were any.
    pub(crate) fn free_splices(&self) -> bool {
        self.splices_refused.set(true);
        self.splices.borrow_mut().clear()
    }

    /// A head for the length of one call.
    pub(crate) fn take_head(&self) -> Box<Head> {
        let kept = self.heads.borrow_mut().take();
        kept.unwrap_or_else(|| Box::new(Head::with_capacity(2048, 32)))
    }

    pub(crate) fn give_head(&self, head: Box<Head>) {
        if head.capacity_bytes() <= MOST_HEAD {
            self.heads.borrow_mut().put(head);
        }
    }

    /// Room for what is written next, empty.
    pub(crate) fn take_out(&self) -> Vec<u8> {
        let kept = self.outs.borrow_mut().take();
        kept.unwrap_or_else(|| Vec::with_capacity(2048))
    }

    pub(crate) fn give_out(&self, mut out: Vec<u8>) {
        if (1..=MOST_OUT).contains(&out.capacity()) {
            out.clear();
            self.outs.borrow_mut().put(out);
        }
    }

    pub(crate) fn take_wire(&self) -> Box<Wire> {
        let kept = self.wires.borrow_mut().take();
        kept.unwrap_or_else(|| Box::new(Wire::new()))
    }

    /// One without buffers.
    pub(crate) fn give_wire(&self, wire: Box<Wire>) {
        self.wires.borrow_mut().put(wire);
    }

    pub(crate) fn take_exchange(&self) -> Box<Exchange> {
        self.exchanges
            .borrow_mut()
            .take()
            .unwrap_or_else(|| Box::new(Exchange::new()))
    }

    pub(crate) fn give_exchange(&self, mut exchange: Box<Exchange>) {
        exchange.clear(self);
        self.exchanges.borrow_mut().put(exchange);
    }

    /// Frees memory that the last moments did not need and upstream connections that died or
    /// waited too long.
    pub(crate) fn tidy(&self) {
        self.read_clock();
        let now = self.now().mono;
        self.tiny.borrow_mut().trim();
        self.small.borrow_mut().trim();
        self.large.borrow_mut().trim();
        self.exchanges.borrow_mut().trim();
        self.heads.borrow_mut().trim();
        self.outs.borrow_mut().trim();
        self.wires.borrow_mut().trim();
        self.splices.borrow_mut().trim();
        self.splices_refused.set(false);
        self.idle.borrow_mut().retain(|_, idle| {
            idle.sweep(now);
            !idle.is_empty() || Rc::strong_count(idle) > 1
        });
        if let Some(log) = &mut *self.log.borrow_mut() {
            log.flush();
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// From now on every connection ends when its exchange does.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.timers.wake_all();
        for idle in self.idle.borrow().values() {
            idle.clear();
        }
    }

    /// The drain's deadline passed: every connection ends now, and says so.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
        self.timers.wake_all();
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.get()
    }

    pub(crate) fn connection_began(&self, listener: &ListenerCounters) {
        self.connections.set(self.connections.get() + 1);
        listener.connection_opened();
    }

    pub(crate) fn connection_ended(&self, listener: &ListenerCounters) {
        self.connections.set(self.connections.get().saturating_sub(1));
        listener.connection_closed();
        self.wake_ended();
    }

    /// Wakes whoever waits for an end.
    pub(crate) fn wake_ended(&self) {
        for waker in self.ended.borrow_mut().drain(..) {
            waker.wake();
        }
    }

    /// A number for a new client connection.
    pub(crate) fn next_client(&self) -> u32 {
        let id = self.clients.get().wrapping_add(1);
        self.clients.set(id);
        id
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.get()
    }

    /// Wakes the task once when the next connection ends.
    pub(crate) fn on_end(&self, waker: &Waker) {
        let mut ended = self.ended.borrow_mut();
        // Who waits by the clock too asks again and again, for hours when no connection ends.
        if !ended.iter().any(|known| known.will_wake(waker)) {
            ended.push(waker.clone());
        }
    }
}

/// A worker has at most so many pipes in use, two descriptors each; what is more is copied.
const MOST_SPLICES: usize = 256;

/// Larger ones go back to the allocator.
const MOST_OUT: usize = 64 * 1024;
/// A head with a larger arena goes back to the allocator.
pub(crate) const MOST_HEAD: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_again_and_again_to_be_woken_is_kept_once() {
        let core = Core::new(Arc::default());
        std::future::poll_fn(|cx| {
            for _ in 0..1_000 {
                core.on_end(cx.waker());
            }
            std::task::Poll::Ready(())
        })
        .await;
        assert_eq!(core.ended.borrow().len(), 1);
        core.wake_ended();
        assert_eq!(core.ended.borrow().len(), 0);
    }

    #[tokio::test]
    async fn a_pipe_is_lent_again_unless_bytes_are_inside() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let io = lb_net::Stream::from(listener.accept().await.unwrap().0);
        let core = Core::new(Arc::default());
        core.give_splice(None);
        let mut splice = core.take_splice().unwrap();
        std::io::Write::write_all(&mut client, b"x").unwrap();
        let filled = std::future::poll_fn(|cx| splice.poll_fill(cx, io.plain().unwrap(), 1)).await;
        assert_eq!(filled.unwrap(), lb_net::Filled::Bytes(1));
        core.give_splice(Some(splice));
        assert_eq!((core.splices.borrow().len(), core.splices_out.get()), (0, 0));
        let splice = core.take_splice();
        assert_eq!((core.splices.borrow().len(), core.splices_out.get()), (0, 1));
        core.give_splice(splice);
        assert_eq!((core.splices.borrow().len(), core.splices_out.get()), (1, 0));
    }

    #[tokio::test]
    async fn no_more_pipes_than_stated_are_in_use_and_none_after_a_refusal() {
        let core = Core::new(Arc::default());
        let mut lent: Vec<Splice> = std::iter::from_fn(|| core.take_splice()).collect();
        assert_eq!(lent.len(), MOST_SPLICES);
        core.give_splice(lent.pop());
        assert!(core.take_splice().is_some_and(|splice| splice.is_empty()));
        let core = Core::new(Arc::default());
        core.splices_refused.set(true);
        assert!(core.take_splice().is_none());
        core.tidy();
        assert!(core.take_splice().is_some(), "the system is asked again");
    }
}
