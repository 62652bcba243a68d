//! One thread of the data plane: its listeners, its connections, its orders.

use crate::core::Core;
use crate::http::client::Connection;
use crate::log::{AccessLog, Log};
use crate::options::Service;
use crate::snapshot::{Occupancy, Snapshot};
use crate::tcp::Passage;
use crate::timer;
use crate::view::{ListenerView, Place, views};
use lb_net::{Accepted, Listener};
use lb_telemetry::Counters;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;

/// What the control thread asks of a worker. Orders are carried out one after the other.
#[derive(Debug)]
#[non_exhaustive]
pub enum Order {
    /// New requests use this snapshot; requests under way keep theirs.
    Apply(Arc<Snapshot>),
    /// Accept from this socket too. The address is the configured one, by which the snapshot
    /// knows the listener.
    Listen(SocketAddr, OwnedFd),
    /// Accept what already waits at this address, then stop listening there.
    Unlisten(SocketAddr),
    /// Access-log lines go there from now on; `None`: nowhere.
    Log(Option<AccessLog>),
    /// Accept what waits, listen no more, end each connection with its exchange;
    /// [`Worker::run`] returns when none is left.
    Drain,
    /// End every connection now. What was under way gets its log line, and [`Worker::run`] returns.
    Cut,
}

/// A worker. It lives in one current-thread runtime and shares nothing with the others but the
/// snapshot.
#[derive(Debug)]
pub struct Worker {
    seed: u64,
    snapshot: Arc<Snapshot>,
    counters: Arc<Counters>,
}

/// A socket that is accepted from.
#[derive(Debug)]
struct Door {
    place: Rc<Place>,
    closing: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Worker {
    /// A worker that begins with this snapshot. `seed` makes its choices differ from those of
    /// the others.
    #[must_use]
    pub const fn new(seed: u64, snapshot: Arc<Snapshot>, counters: Arc<Counters>) -> Self {
        Self {
            seed,
            snapshot,
            counters,
        }
    }

    /// Serves until it is told to drain and the last connection has ended, or until the sender
    /// of orders is gone. Must run inside a local runtime (`Builder::build_local`).
    pub async fn run(self, mut orders: UnboundedReceiver<Order>) {
        let core = Core::new(self.counters);
        let driver = spawn_local(timer::drive(Rc::clone(&core.timers)));
        let tidier = spawn_local(tidy(Rc::clone(&core)));
        let mut current = by_address(views(&self.snapshot, &core, self.seed));
        let mut doors: HashMap<SocketAddr, Vec<Rc<Door>>> = HashMap::new();
        let mut places: HashMap<SocketAddr, Rc<Place>> = HashMap::new();
        let open = Rc::new(Cell::new(0_usize));
        while let Some(order) = orders.recv().await {
            match order {
                Order::Apply(snapshot) => {
                    current = by_address(views(&snapshot, &core, self.seed));
                    for (address, place) in &places {
                        if let Some(view) = current.get(address) {
                            place.set(Rc::clone(view));
                        }
                    }
                }
                Order::Listen(address, fd) => {
                    let Some(view) = current.get(&address) else { continue };
                    let options = lb_net::ListenerOptions::new(address);
                    // The control thread opened it; adopting can fail only without descriptors.
                    let Ok(listener) = Listener::from_fd(fd, &options) else {
                        continue;
                    };
                    let place = places.entry(address).or_insert_with(|| Place::new(Rc::clone(view)));
                    place.set(Rc::clone(view));
                    let door = Rc::new(Door {
                        place: Rc::clone(place),
                        closing: Cell::new(false),
                        waker: RefCell::new(None),
                    });
                    doors.entry(address).or_default().push(Rc::clone(&door));
                    open.set(open.get() + 1);
                    spawn_local(accept(Rc::clone(&core), listener, door, Rc::clone(&open)));
                }
                Order::Unlisten(address) => {
                    if let Some(place) = places.remove(&address) {
                        place.close();
                    }
                    close(doors.remove(&address).into_iter().flatten());
                }
                Order::Log(to) => *core.log.borrow_mut() = to.map(Log::new),
                Order::Drain => break,
                Order::Cut => {
                    core.cut();
                    break;
                }
            }
        }
        close(doors.into_values().flatten());
        core.drain();
        poll_fn(|cx| {
            if core.connections() == 0 && open.get() == 0 {
                return Poll::Ready(());
            }
            while let Poll::Ready(Some(order)) = orders.poll_recv(cx) {
                if matches!(order, Order::Cut) {
                    core.cut();
                }
            }
            core.on_end(cx.waker());
            Poll::Pending
        })
        .await;
        driver.abort();
        tidier.abort();
        *core.log.borrow_mut() = None;
    }
}

fn by_address(views: Vec<Rc<ListenerView>>) -> HashMap<SocketAddr, Rc<ListenerView>> {
    views.into_iter().map(|view| (view.options().address, view)).collect()
}

fn close(doors: impl Iterator<Item = Rc<Door>>) {
    for door in doors {
        door.closing.set(true);
        if let Some(waker) = door.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// Accepts until told to close, then once more until nothing waits.
async fn accept(core: Rc<Core>, listener: Listener, door: Rc<Door>, open: Rc<Cell<usize>>) {
    loop {
        let accepted = poll_fn(|cx| {
            *door.waker.borrow_mut() = Some(cx.waker().clone());
            match listener.poll_accept(cx) {
                Poll::Pending if door.closing.get() => Poll::Ready(None),
                other => other.map(Some),
            }
        })
        .await;
        match accepted {
            None => break,
            Some(Ok(Accepted { stream, peer })) => {
                let (view, count) = admit(&core, &door).await;
                match view.options().service {
                    Service::Http(_) => {
                        let connection = Connection::new(Rc::clone(&core), Rc::clone(&door.place), stream, peer, count);
                        spawn_local(connection);
                    }
                    Service::Tcp(_) => {
                        spawn_local(Passage::new(Rc::clone(&core), &door.place, stream, peer, count));
                    }
                }
            }
            // It went away while it waited.
            Some(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
            // Out of descriptors or memory: whoever ends next makes room.
            Some(Err(_)) => room(&core).await,
        }
    }
    drop(listener);
    open.set(open.get() - 1);
    core.wake_ended();
}

/// Counts a connection that was accepted, once there is room for it; more wait in the kernel's
/// queue meanwhile. Counting before serving keeps the limit exact over all workers.
async fn admit(core: &Core, door: &Door) -> (Rc<ListenerView>, Count) {
    let mut waited = false;
    loop {
        let view = door.place.view();
        let connections = &view.entry.connections;
        let most = if door.closing.get() {
            usize::MAX
        } else {
            view.options().max_connections
        };
        if connections.try_enter(most) {
            let count = Count(Arc::clone(connections));
            return (view, count);
        }
        if !waited {
            waited = true;
            connections.count_limited();
        }
        // Another worker's connection may be the one that ends, so look again by the clock too.
        room(core).await;
    }
}

/// Until a connection of this worker ends, or a moment passed.
async fn room(core: &Core) {
    let mut pause = std::pin::pin!(tokio::time::sleep(Duration::from_millis(20)));
    let before = core.connections();
    poll_fn(|cx| {
        if core.connections() < before {
            return Poll::Ready(());
        }
        core.on_end(cx.waker());
        std::future::Future::poll(pause.as_mut(), cx)
    })
    .await;
}

/// A client connection's part in the count that all workers share.
#[derive(Debug)]
pub(crate) struct Count(Arc<Occupancy>);

#[cfg(test)]
impl Count {
    /// One more, whatever the limit.
    pub(crate) fn one_of(connections: &Arc<Occupancy>) -> Self {
        connections.try_enter(usize::MAX);
        Self(Arc::clone(connections))
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Once a second: free lists, dead upstream connections, log lines.
async fn tidy(core: Rc<Core>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        core.tidy();
    }
}
