//! A worker with several listeners and pools, and what it counts of each.

use crate::client::Client;
use crate::script::{Do, Script};
use crate::world::{PATIENCE, Setup, listener_to, pool, pool_options, spawn};
use lb_net::{Listener, ListenerOptions as SocketOptions};
use lb_proxy::{ListenerEntry, ListenerOptions, Order, Pool, PoolEntry, Service, Snapshot, TcpOptions, Worker};
use lb_telemetry::{BackendCounts, Counters, ListenerCounts};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;

const UPGRADE: &str = "GET /evil HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A worker with what it counts.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) counters: Arc<Counters>,
    pub(crate) orders: UnboundedSender<Order>,
    pub(crate) worker: JoinHandle<()>,
}

/// Three pools: `a` of a dead backend and a good one, `b` of one that switches protocols, `c` of a dead one alone.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) scripts: Vec<Vec<Arc<Script>>>,
    pub(crate) entries: Vec<Arc<PoolEntry>>,
}

pub(crate) const NAMES: [&str; 3] = ["a", "b", "c"];

impl Pools {
    pub(crate) fn new() -> Self {
        let evil = vec![Do::Send(SWITCH.into()), Do::Send("hello".into()), Do::UntilGone];
        let start = |is_dead| Script::start(0, evil.clone(), Vec::new(), is_dead);
        let scripts = vec![vec![start(true), start(false)], vec![start(false)], vec![start(true)]];
        let entry = |(name, scripts): (&str, &Vec<Arc<Script>>)| {
            Arc::new(PoolEntry {
                pool: Arc::new(pool(name, scripts)),
                tables: Default::default(),
                options: pool_options(&Setup::default()),
            })
        };
        let entries = NAMES.into_iter().zip(&scripts).map(entry).collect();
        Self { scripts, entries }
    }

    pub(crate) fn pool(&self, index: usize) -> &Pool {
        &self.entries[index].pool
    }

    pub(crate) fn snapshot(&self, listeners: Vec<ListenerOptions>) -> Arc<Snapshot> {
        let listeners = listeners.into_iter().map(|options| {
            Arc::new(ListenerEntry {
                options,
                connections: Arc::default(),
            })
        });
        Arc::new(Snapshot {
            serial: 1,
            listeners: listeners.collect(),
            pools: self.entries.clone(),
        })
    }
}

impl Running {
    pub(crate) fn start(seed: u64, snapshot: &Arc<Snapshot>, sockets: Vec<(SocketAddr, OwnedFd)>) -> Self {
        let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
        let counters = Arc::new(Counters::new());
        let worker = spawn(Worker::new(seed, Arc::clone(snapshot), Arc::clone(&counters)), inbox);
        let running = Self {
            counters,
            orders,
            worker,
        };
        for (address, socket) in sockets {
            running.order(Order::Listen(address.into(), socket));
        }
        running
    }

    pub(crate) fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
    }

    /// Waits until the counters say so.
    pub(crate) fn until(&self, what: &str, is: impl Fn(&Counters) -> bool) {
        let begin = Instant::now();
        while !is(&self.counters) {
            assert!(begin.elapsed() < PATIENCE, "no {what}: {:?}", self.counters.snapshot());
            std::thread::yield_now();
        }
    }

    pub(crate) fn until_ends(&self, ends: u64) {
        self.until("end", |counters| {
            let sum = counters.snapshot();
            sum.ends().map(|(_, count)| count).sum::<u64>() >= ends && sum.active() == 0
        });
    }

    pub(crate) fn listener(&self, address: SocketAddr) -> ListenerCounts {
        self.counters.read_listener(address.into())
    }

    pub(crate) fn backends(&self, pool: &Pool) -> Vec<BackendCounts> {
        let backends = pool.backends().iter();
        backends.map(|backend| self.counters.read_backend(backend.id)).collect()
    }

    pub(crate) fn end(self) {
        self.order(Order::Drain);
        self.worker.join().unwrap();
    }
}

pub(crate) fn socket() -> (SocketAddr, OwnedFd) {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let socket = TcpListener::from(Listener::bind_fd(&SocketOptions::new(any)).unwrap());
    (socket.local_addr().unwrap(), socket.into())
}

pub(crate) fn get(client: &mut Client, path: &str) -> u16 {
    client.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
    client.reply("GET").expect("a response").status
}

/// An upgraded connection that both sides have.
pub(crate) fn upgraded(proxy: SocketAddr) -> Client {
    let mut client = Client::new(proxy);
    client.send(UPGRADE.as_bytes());
    assert_eq!(client.reply("GET").unwrap().status, 101);
    assert_eq!(client.take(5), b"hello");
    client
}

pub(crate) fn close(mut client: Client) {
    client.fin().gone();
}

/// A listener for TCP in front of the first pool.
pub(crate) fn tcp(address: SocketAddr) -> ListenerOptions {
    ListenerOptions {
        service: Service::Tcp(TcpOptions {
            pool: 0,
            idle_timeout: PATIENCE,
            access_log: false,
        }),
        ..listener_to(address, &Setup::default(), &[])
    }
}
