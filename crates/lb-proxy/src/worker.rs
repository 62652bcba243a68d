//! One thread of the data plane: its listeners, its connections, its orders.

use crate::core::Core;
use crate::http::connection::Connection;
use crate::log::{AccessLog, Log};
use crate::options::Service;
use crate::preface::{Preface, Turnstile};
use crate::room;
use crate::snapshot::{Occupancy, Snapshot};
use crate::tasks::Tasks;
use crate::tcp::Passage;
use crate::timer;
use crate::view::{ListenerHandle, ListenerView, views};
use lb_net::{AcceptFault, Accepted, Listener, NetError, Stream};
use lb_telemetry::Counters;
use lb_types::Address;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use tokio::time::Sleep;

/// What the control thread asks of a worker. Orders are carried out one after the other.
#[derive(Debug)]
#[non_exhaustive]
pub enum Order {
    /// New requests use this snapshot; requests under way keep theirs.
    Apply(Arc<Snapshot>),
    /// Accept from this socket too. The address is the configured one, by which the snapshot
    /// knows the listener.
    Listen(Address, OwnedFd),
    /// Accept what already waits at this address, or is about to, then stop listening there.
    Unlisten(Address),
    /// Access-log lines go there from now on; `None`: nowhere.
    Log(Option<AccessLog>),
    /// Accept what waits, listen no more, end each connection with its exchange;
    /// [`Worker::run`] returns when none is left.
    Drain,
    /// End every connection now. What was under way gets its log line, and [`Worker::run`] returns.
    Cut,
    /// One of the worker's tasks panics.
    #[cfg(test)]
    Panic,
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
    listener: Rc<ListenerHandle>,
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
    ///
    /// # Panics
    /// When its wheel, its accepting or its tidying does, whose panic goes on here: a worker without one of them would
    /// serve nobody and say nothing. A panic in one connection ends that connection alone.
    pub fn run(self, orders: UnboundedReceiver<Order>) -> Pin<Box<dyn Future<Output = ()>>> {
        // Behind a pointer its tasks are compiled here, optimised as this crate is, and not in the program that starts it.
        Box::pin(self.serve(orders))
    }

    async fn serve(self, mut orders: UnboundedReceiver<Order>) {
        let core = Core::new(self.counters);
        let mut tasks = Tasks::default();
        tasks.spawn(timer::drive(Rc::clone(&core.timers)));
        tasks.spawn(tidy(Rc::clone(&core)));
        tasks.spawn(Turnstile::drive(Rc::clone(&core)));
        tasks.spawn(room::wake_waiting(Rc::clone(&core)));
        tasks.spawn(room::help_others(Rc::clone(&core)));
        let mut current = by_address(views(&self.snapshot, &core, self.seed));
        let mut doors: BTreeMap<Address, Vec<Rc<Door>>> = BTreeMap::new();
        let mut handles: BTreeMap<Address, Rc<ListenerHandle>> = BTreeMap::new();
        let open = Rc::new(Cell::new(0_usize));
        while let Some(order) = poll_fn(|cx| {
            tasks.watch(cx);
            orders.poll_recv(cx)
        })
        .await
        {
            match order {
                #[cfg(test)]
                Order::Panic => tasks.spawn(async { panic!("as the test wants it") }),
                Order::Apply(snapshot) => {
                    current = by_address(views(&snapshot, &core, self.seed));
                    for (address, handle) in &handles {
                        if let Some(view) = current.get(address) {
                            handle.set(Rc::clone(view));
                        }
                    }
                    core.counters.forget_unkept();
                }
                Order::Listen(address, fd) => {
                    let Some(view) = current.get(&address) else { continue };
                    let options = lb_net::ListenerOptions::new(address);
                    let listener = match Listener::from_fd(fd, &options) {
                        Ok(listener) => listener,
                        Err(NetError::Bind { source, .. }) => {
                            view.entry.connections.count_broken(&source);
                            continue;
                        }
                        Err(_) => continue,
                    };
                    let handle = handles
                        .entry(address)
                        .or_insert_with(|| ListenerHandle::new(Rc::clone(view)));
                    handle.set(Rc::clone(view));
                    let door = Rc::new(Door {
                        listener: Rc::clone(handle),
                        closing: Cell::new(false),
                        waker: RefCell::new(None),
                    });
                    doors.entry(address).or_default().push(Rc::clone(&door));
                    open.set(open.get() + 1);
                    tasks.spawn(accept(Rc::clone(&core), listener, door, Rc::clone(&open)));
                }
                Order::Unlisten(address) => {
                    if let Some(handle) = handles.remove(&address) {
                        handle.close();
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
            tasks.watch(cx);
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
        drop(tasks);
        *core.log.borrow_mut() = None;
    }
}

fn by_address(views: Vec<Rc<ListenerView>>) -> BTreeMap<Address, Rc<ListenerView>> {
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

/// Accepts until told to close, then whoever has begun a handshake, for a moment, and until nothing waits.
async fn accept(core: Rc<Core>, listener: Listener, door: Rc<Door>, open: Rc<Cell<usize>>) {
    let mut last: Option<Pin<Box<Sleep>>> = None;
    loop {
        let accepted = poll_fn(|cx| {
            *door.waker.borrow_mut() = Some(cx.waker().clone());
            match listener.poll_accept(cx) {
                // A Unix domain socket has no handshakes.
                Poll::Pending if door.closing.get() && listener.address().port().is_none() => Poll::Ready(None),
                Poll::Pending if door.closing.get() => {
                    let last = last.get_or_insert_with(|| {
                        // Where it cannot be had, handshakes that begin in this moment may be reset.
                        let _ = listener.begin_no_handshake();
                        Box::pin(tokio::time::sleep(HANDSHAKE))
                    });
                    last.as_mut().poll(cx).map(|()| None)
                }
                other => other.map(Some),
            }
        })
        .await;
        match accepted {
            None => break,
            Some(Ok(Accepted { stream, peer })) => {
                if core.is_crowded(&stream) {
                    make_way(&core, &door, &stream).await;
                }
                let (view, count) = admit(&core, &door).await;
                if view.options().has_preface() {
                    spawn_local(enter(
                        Rc::clone(&core),
                        Rc::clone(&door.listener),
                        view,
                        stream,
                        peer,
                        count,
                    ));
                    continue;
                }
                match view.options().service {
                    Service::Http(_) => {
                        let connection =
                            Connection::new(Rc::clone(&core), Rc::clone(&door.listener), stream, peer, count);
                        spawn_local(connection);
                    }
                    Service::Tcp(_) | Service::Passthrough(_) => {
                        spawn_local(Passage::new(Rc::clone(&core), &door.listener, stream, peer, count));
                    }
                }
            }
            Some(Err(error)) => {
                let fault = AcceptFault::of(&error);
                if fault != AcceptFault::Connection {
                    door.listener.view().entry.connections.count_failed(&error);
                }
                match fault {
                    AcceptFault::Connection => {}
                    AcceptFault::Shortage(_) => {
                        core.read_clock();
                        core.want_room();
                        until_room(&core).await;
                    }
                    _ if door.closing.get() => break,
                    _ => tokio::time::sleep(BROKEN).await,
                }
            }
        }
    }
    drop(listener);
    open.set(open.get() - 1);
    core.wake_ended();
}

/// The task of a connection that begins with something else than its service.
async fn enter(
    core: Rc<Core>,
    listener: Rc<ListenerHandle>,
    view: Rc<ListenerView>,
    stream: Stream,
    peer: SocketAddr,
    count: Count,
) {
    let presence = Presence::new(&core, &listener);
    let is_http = view.http().is_some();
    let entered = {
        let mut preface = Preface::new(&core, &listener, view, stream, peer);
        poll_fn(|cx| preface.poll(cx)).await
    };
    let Some(entered) = entered else { return };
    presence.hand_over();
    // A task of its own again: this one has room for a preface, which nobody needs any more.
    if is_http {
        spawn_local(Connection::entered(core, listener, entered, count));
    } else {
        spawn_local(Passage::entered(core, &listener, entered, count));
    }
}

/// A connection is counted from its first moment on.
struct Presence(Option<(Rc<Core>, Rc<ListenerHandle>)>);

impl Presence {
    fn new(core: &Rc<Core>, listener: &Rc<ListenerHandle>) -> Self {
        core.connection_began(&listener.counters);
        Self(Some((Rc::clone(core), Rc::clone(listener))))
    }

    /// Somebody else counts its end.
    fn hand_over(mut self) {
        self.0 = None;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some((core, listener)) = &self.0 {
            core.connection_ended(&listener.counters);
        }
    }
}

/// Waits until a client that was accepted with one of the last descriptors may come in.
#[cold]
async fn make_way(core: &Core, door: &Door, stream: &Stream) {
    let mut waited = false;
    // Where nobody is served there is nobody to wait for.
    while !door.closing.get() && core.connections() > 0 && !core.has_room(stream) {
        if !std::mem::replace(&mut waited, true) {
            door.listener.view().entry.connections.count_crowded();
        }
        core.read_clock();
        core.want_room();
        until_room(core).await;
    }
}

/// Counts a connection that was accepted, once there is room for it; more wait in the kernel's
/// queue meanwhile. Counting before serving keeps the limit exact over all workers.
async fn admit(core: &Core, door: &Door) -> (Rc<ListenerView>, Count) {
    let mut waited = false;
    loop {
        let view = door.listener.view();
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
        until_room(core).await;
    }
}

/// Until a connection of this worker ends, or a moment passed.
async fn until_room(core: &Core) {
    let mut pause = std::pin::pin!(tokio::time::sleep(room::AGAIN));
    let before = core.connections();
    poll_fn(|cx| {
        if core.connections() < before {
            return Poll::Ready(());
        }
        core.on_end(cx.waker());
        pause.as_mut().poll(cx)
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

/// Between a SYN and the end of its handshake lies a round trip; to the other side of the earth it takes 250 ms.
const HANDSHAKE: Duration = Duration::from_millis(250);
/// A socket that cannot be accepted from is tried again so often.
const BROKEN: Duration = Duration::from_secs(1);

/// Once a second: free lists, dead upstream connections, log lines.
async fn tidy(core: Rc<Core>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        core.tidy();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{ListenerOptions, TcpOptions};
    use crate::snapshot::ListenerEntry;
    use std::panic::AssertUnwindSafe;
    use tokio::sync::mpsc::unbounded_channel;

    /// A TCP listener without a pool: who comes is accepted and sent away.
    fn listener() -> Arc<ListenerEntry> {
        let options = ListenerOptions {
            name: "main".to_owned(),
            address: "127.0.0.1:1".parse().unwrap(),
            backlog: 16,
            max_connections: 10,
            preface: crate::PrefaceOptions::default(),
            service: Service::Tcp(TcpOptions {
                pool: 0,
                idle_timeout: Duration::from_secs(1),
                access_log: false,
            }),
        };
        Arc::new(ListenerEntry {
            options,
            connections: Arc::default(),
        })
    }

    /// Runs a worker with these orders, given one after the other when `ready` says so.
    fn run(entry: &Arc<ListenerEntry>, orders: Vec<Order>, ready: impl AsyncFn()) -> std::thread::Result<()> {
        run_counted(entry, orders, &Arc::default(), ready)
    }

    fn run_counted(
        entry: &Arc<ListenerEntry>,
        orders: Vec<Order>,
        counters: &Arc<Counters>,
        ready: impl AsyncFn(),
    ) -> std::thread::Result<()> {
        let snapshot = Arc::new(Snapshot {
            serial: 1,
            listeners: vec![Arc::clone(entry)],
            pools: Vec::new(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        std::panic::catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let (tell, inbox) = unbounded_channel();
                let worker = spawn_local(Worker::new(1, snapshot, Arc::clone(counters)).run(inbox));
                for order in orders {
                    tell.send(order).unwrap();
                    ready().await;
                }
                let ended = tokio::time::timeout(Duration::from_secs(10), worker).await;
                if let Err(error) = ended.expect("the worker ends") {
                    std::panic::resume_unwind(error.into_panic());
                }
            });
        }))
    }

    #[test]
    fn a_panic_in_a_task_ends_the_worker_at_work_and_in_its_drain() {
        let entry = listener();
        assert!(run(&entry, vec![Order::Drain], async || {}).is_ok());
        assert!(run(&entry, vec![Order::Panic], async || {}).is_err());
        let socket =
            Listener::bind_fd(&lb_net::ListenerOptions::new("127.0.0.1:0".parse::<Address>().unwrap())).unwrap();
        let orders = vec![Order::Listen(entry.options.address, socket), Order::Panic, Order::Drain];
        assert!(run(&entry, orders, async || {}).is_err());
    }

    #[test]
    fn a_socket_that_cannot_be_accepted_from_is_counted_and_holds_up_no_drain() {
        // A connection does not listen: EINVAL, 22. It is asked when something comes.
        let entry = listener();
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = std::net::TcpStream::connect(other.local_addr().unwrap()).unwrap();
        std::io::Write::write_all(&mut other.accept().unwrap().0, b"x").unwrap();
        let counted = async || {
            let patience = Duration::from_secs(10);
            let counted = async {
                while entry.connections.broken().0 == 0 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(patience, counted).await.expect("it is counted");
        };
        let orders = vec![Order::Listen(entry.options.address, socket.into()), Order::Drain];
        assert!(run(&entry, orders, counted).is_ok());
        assert_eq!(entry.connections.broken().1.raw_os_error(), Some(22));
        // A file is no socket at all: ENOTSOCK, 88.
        let entry = listener();
        let file = std::fs::File::open("/dev/null").unwrap();
        let orders = vec![Order::Listen(entry.options.address, file.into()), Order::Drain];
        assert!(run(&entry, orders, async || {}).is_ok());
        assert_eq!(entry.connections.broken().1.raw_os_error(), Some(88));
        assert_eq!((entry.connections.broken().0, entry.connections.unaccepted()), (1, 0));
    }

    #[test]
    fn who_has_begun_a_handshake_when_a_listener_is_taken_away_is_served() {
        for taken_away in [false, true] {
            let entry = listener();
            let socket =
                Listener::bind_fd(&lb_net::ListenerOptions::new("127.0.0.1:0".parse::<Address>().unwrap())).unwrap();
            // As if the last word of a handshake were late: the kernel drops a bare ACK, so that it ends with the first data.
            let program = [
                (0x30, 0, 0, 13),
                (0x15, 0, 1, 0x10),
                (0x06, 0, 0, 0),
                (0x06, 0, 0, u32::MAX),
            ];
            let program = program.map(|(code, then, or, k)| socket2::SockFilter::new(code, then, or, k));
            socket2::SockRef::from(&socket).attach_filter(&program).unwrap();
            let address = socket2::SockRef::from(&socket).local_addr().unwrap();
            let mut client = std::net::TcpStream::connect(address.as_socket().unwrap()).unwrap();
            let mut orders = vec![Order::Listen(entry.options.address, socket)];
            orders.extend(taken_away.then_some(Order::Unlisten(entry.options.address)));
            orders.push(Order::Drain);
            let (counters, given) = (Arc::default(), Cell::new(0));
            let last = orders.len();
            let client = RefCell::new(&mut client);
            run_counted(&entry, orders, &counters, async || {
                // The worker has seen each order before the next, and the data come behind all of them.
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                given.set(given.get() + 1);
                if given.get() == last {
                    std::io::Write::write_all(*client.borrow_mut(), b"x").unwrap();
                }
            })
            .unwrap();
            assert_eq!(counters.snapshot().opened, 1, "taken away before: {taken_away}");
        }
    }
}
