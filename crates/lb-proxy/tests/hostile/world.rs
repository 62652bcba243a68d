//! A worker with its backends.

use crate::client::Client;
use crate::script::{Do, Script};
use lb_balance::route::{Action, Host, Prefix, Route};
use lb_balance::{Backend, Pool, Routes, Standing};
use lb_http::h1::Limits;
use lb_net::{Listener, ListenerOptions as SocketOptions};
use lb_proxy::{HttpOptions, ListenerEntry, ListenerOptions, Order, PoolEntry, PoolOptions, Service, Snapshot, Worker};
use lb_sched::Algorithm;
use lb_telemetry::{Counters, End};
use lb_types::{Slot, Weight};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// Nothing in these tests takes longer, but for a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A timeout that is meant to pass.
pub(crate) const SHORT: Duration = Duration::from_millis(250);

/// What differs from one exchange to the next.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) client_limits: Limits,
    pub(crate) backend_limits: Limits,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) request_timeout: Option<Duration>,
    pub(crate) min_body_rate: Option<NonZeroU64>,
    pub(crate) continue_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) tunnel_timeout: Duration,
    pub(crate) keep_alive_requests: u32,
    pub(crate) abort_on_half_close: bool,
    pub(crate) retries: u8,
    pub(crate) backends: usize,
    /// The first backend's port is closed.
    pub(crate) first_is_dead: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            client_limits: Limits::default(),
            backend_limits: Limits::default(),
            head_timeout: PATIENCE,
            body_timeout: PATIENCE,
            write_timeout: PATIENCE,
            request_timeout: None,
            min_body_rate: None,
            continue_timeout: PATIENCE,
            response_timeout: PATIENCE,
            keep_alive: PATIENCE,
            tunnel_timeout: PATIENCE,
            keep_alive_requests: 1000,
            abort_on_half_close: false,
            retries: 2,
            backends: 1,
            first_is_dead: false,
        }
    }
}

/// A running proxy with its backends.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) proxy: SocketAddr,
    pub(crate) backends: Vec<Arc<Script>>,
    pool: Arc<Pool>,
    counters: Arc<Counters>,
    orders: UnboundedSender<Order>,
    worker: JoinHandle<()>,
}

impl World {
    pub(crate) fn new(setup: &Setup, evil: Vec<Do>) -> Self {
        Self::greeting(setup, evil, Vec::new())
    }

    /// With something every backend says before it is asked.
    pub(crate) fn greeting(setup: &Setup, evil: Vec<Do>, greeting: Vec<u8>) -> Self {
        let backends: Vec<Arc<Script>> = (0..setup.backends)
            .map(|name| {
                let is_dead = setup.first_is_dead && name == 0;
                Script::start(name, evil.clone(), greeting.clone(), is_dead)
            })
            .collect();
        let pool = Arc::new(pool("app", &backends));
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let socket = TcpListener::from(Listener::bind_fd(&SocketOptions::new(any)).unwrap());
        let proxy = socket.local_addr().unwrap();
        let snapshot = Arc::new(Snapshot {
            serial: 1,
            listeners: vec![Arc::new(ListenerEntry {
                options: listener(proxy, setup),
                connections: Arc::default(),
            })],
            pools: vec![Arc::new(PoolEntry {
                pool: Arc::clone(&pool),
                tables: Default::default(),
                options: pool_options(setup),
            })],
        });
        let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
        orders.send(Order::Listen(proxy.into(), socket.into())).unwrap();
        let counters = Arc::new(Counters::new());
        let counts = Arc::clone(&counters);
        let worker = spawn(Worker::new(1, snapshot, counts), inbox);
        Self {
            proxy,
            backends,
            pool,
            counters,
            orders,
            worker,
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.proxy)
    }

    pub(crate) fn backend(&self) -> &Script {
        &self.backends[0]
    }

    /// Waits until something ended like this.
    pub(crate) fn until_ended(&self, end: End) {
        let begin = Instant::now();
        while self.ended(end) == 0 {
            assert!(begin.elapsed() < PATIENCE, "no {end:?}: {:?}", self.counts());
            std::thread::yield_now();
        }
    }

    pub(crate) fn counts(&self) -> lb_telemetry::Snapshot {
        self.counters.snapshot()
    }

    /// All that the worker counts.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// How often something ended like this.
    pub(crate) fn ended(&self, end: End) -> u64 {
        self.counters.snapshot().ended(end)
    }

    /// Gives the worker an order.
    pub(crate) fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
    }

    /// The worker has nothing left to do; nor is a request counted as under way.
    pub(crate) fn ends_by_itself(self) {
        let begin = Instant::now();
        while !self.worker.is_finished() {
            assert!(begin.elapsed() < PATIENCE, "the worker goes on");
            std::thread::yield_now();
        }
        self.settle();
        self.worker.join().unwrap();
    }

    /// Every count of requests under way goes back to zero.
    pub(crate) fn settle(&self) {
        let begin = Instant::now();
        while self.pool.backends().iter().any(|b| b.load().in_flight() != 0) {
            assert!(begin.elapsed() < PATIENCE, "requests are still counted as under way");
            std::thread::yield_now();
        }
    }
}

/// Runs a worker on a thread of its own.
pub(crate) fn spawn(worker: Worker, inbox: UnboundedReceiver<Order>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(worker.run(inbox));
    })
}

pub(crate) fn pool_options(setup: &Setup) -> PoolOptions {
    PoolOptions {
        connect_timeout: PATIENCE,
        response_timeout: setup.response_timeout,
        idle_timeout: PATIENCE,
        max_idle: 8,
        retries: setup.retries,
        retry_percent: 100,
        server_errors_fail: false,
        limits: Arc::new(setup.backend_limits.clone()),
        tls: Vec::new(),
        proxy: None,
        transparent: false,
    }
}

/// The backends are called by their addresses.
pub(crate) fn pool(name: &str, backends: &[Arc<Script>]) -> Pool {
    let standings: Vec<Standing> = (0..)
        .take(backends.len())
        .map(|i| Standing {
            slot: Slot(i),
            weight: Weight::ONE,
            up: true,
        })
        .collect();
    let backends = backends
        .iter()
        .map(|b| Arc::new(Backend::new(name, &b.address.to_string(), b.address, Weight::ONE, None)))
        .collect();
    Pool::new(name, backends, Vec::new(), Algorithm::RoundRobin, &standings, None).unwrap()
}

fn listener(address: SocketAddr, setup: &Setup) -> ListenerOptions {
    listener_to(address, setup, &[("/", 0)])
}

/// With paths, and the pools that they lead to.
pub(crate) fn listener_to(address: SocketAddr, setup: &Setup, paths: &[(&str, usize)]) -> ListenerOptions {
    let routes = paths.iter().map(|(path, pool)| Route {
        hosts: vec![Host::Any],
        path: Prefix::new(path).unwrap(),
        action: Action::Forward(*pool),
    });
    ListenerOptions {
        name: "main".into(),
        address: address.into(),
        backlog: 64,
        max_connections: 1000,
        preface: lb_proxy::PrefaceOptions::default(),
        service: Service::Http(HttpOptions {
            guards: Vec::new(),
            routes: Routes::new(routes.collect()).unwrap(),
            limits: Arc::new(setup.client_limits.clone()),
            keep_alive: setup.keep_alive,
            keep_alive_requests: setup.keep_alive_requests,
            head_timeout: setup.head_timeout,
            body_timeout: setup.body_timeout,
            write_timeout: setup.write_timeout,
            request_timeout: setup.request_timeout,
            min_body_rate: setup.min_body_rate,
            continue_timeout: setup.continue_timeout,
            tunnel_timeout: setup.tunnel_timeout,
            trusted_proxies: Vec::new(),
            statements: Default::default(),
            abort_on_half_close: setup.abort_on_half_close,
            access_log: false,
            log_probes: true,
            https: lb_proxy::HttpsOptions::default(),
        }),
    }
}
