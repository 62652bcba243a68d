//! One run: a real worker between simulated clients and backends, for as long as its seed says, and what the rules say of it.

use crate::backend::Backend;
use crate::client;
use crate::dice::Dice;
use crate::history::Ledger;
use crate::panics;
use crate::rules::Rule;
use crate::script::{Script, ip_of};
use crate::site::{HTTP, Site, TCP, WEB};
use crate::tunnel;
use crate::verdict::Outcome;
use crate::weather::{Way, weather};
use lb_net::ListenerOptions;
use lb_net::sim::{Answer, Listener, Network, Weather};
use lb_proxy::{AccessLog, Address, Counters, Format, Order, Worker};
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Runs a seed. `is_live`: the trace is printed as it comes.
pub(crate) fn run(seed: u64, is_live: bool) -> Outcome {
    panics::watch();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build_local(Default::default())
        .expect("a runtime");
    runtime.block_on(World::run(seed, is_live))
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) network: Network,
    pub(crate) weather: Weather,
    pub(crate) ledger: Ledger,
    pub(crate) site: RefCell<Site>,
    pub(crate) orders: UnboundedSender<Order>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) lines: Receiver<Vec<u8>>,
    pub(crate) lost: Arc<AtomicU64>,
    pub(crate) longest: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) write_timeout: Duration,
    /// How long a connection is kept, and for how many requests.
    pub(crate) keep_alive: (Duration, u32),
    pub(crate) way: Way,
    /// The longest body.
    pub(crate) most: u64,
    /// Connections of the actors that are under way.
    pub(crate) busy: Rc<Cell<usize>>,
    pub(crate) ports: Cell<u16>,
    /// No client will come any more.
    pub(crate) is_over: Cell<bool>,
}

impl World {
    async fn run(seed: u64, is_live: bool) -> Outcome {
        let (weather, slowness) = weather(seed);
        let network = Network::new(seed, weather.clone());
        if is_live {
            network.record();
        }
        let entered = network.enter();
        let ledger = Ledger::new(is_live);
        let mut site = Site::new(seed);
        let counters = Arc::new(Counters::new());
        let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
        let worker = Worker::new(seed, site.snapshot(), Arc::clone(&counters));
        let (sink, lines) = sync_channel(100_000);
        let lost = Arc::new(AtomicU64::new(0));
        let log = AccessLog {
            format: Format::Json,
            sink,
            lost: Arc::clone(&lost),
            unbuffered: false,
        };
        send(&orders, Order::Log(Some(log)));
        let crowded = if weather.descriptors < 1_000 { 300 } else { 0 };
        let crowded = Duration::from_secs(crowded);
        let (window, piece) = (*weather.window.end() as u64, *weather.piece.end() as u64);
        let response_timeout = site.options.response_timeout;
        let options = site.http_options();
        let world = Rc::new(Self {
            seed,
            network,
            ledger,
            longest: site.longest + crowded + slowness,
            site: RefCell::new(site),
            orders,
            counters,
            lines,
            lost,
            response_timeout,
            write_timeout: options.write_timeout,
            keep_alive: (options.keep_alive, options.keep_alive_requests),
            way: Way {
                is_whole: *weather.piece.start() == usize::MAX && weather.short_send_permille == 0,
                time: *weather.latency.end() + (*weather.latency.end()).max(Duration::from_millis(5)),
            },
            most: window.saturating_mul(30).min(piece.saturating_mul(1_000)).min(150_000),
            weather,
            busy: Rc::default(),
            ports: Cell::new(1),
            is_over: Cell::new(false),
        });
        world.note(format!("seed {seed}: {:?}", world.weather));
        world.listen(HTTP);
        world.listen(TCP);
        let worker = spawn_local(worker.run(inbox));
        world.open_backends();
        let clients = world.begin_clients();
        let events = spawn_local(Rc::clone(&world).events());
        world.end(worker, clients, events).await;
        let tally = world.judge();
        if let Some(what) = panics::taken() {
            world.ledger.breach(Rule::NobodyPanics, what);
        }
        drop(entered);
        Outcome {
            breaches: world.ledger.breaches(),
            trace: world.ledger.trace(),
            wire: world.network.trace(),
            digest: world.network.digest(),
            tally,
        }
    }

    pub(crate) fn note(&self, what: impl AsRef<str>) {
        self.ledger.note("world", what);
    }

    pub(crate) fn listen(&self, address: Address) {
        let fd = lb_net::Listener::bind_fd(&ListenerOptions::new(address)).expect("a simulated socket");
        send(&self.orders, Order::Listen(address, fd));
    }

    /// Every backend listens, each in its way.
    fn open_backends(self: &Rc<Self>) {
        for number in 0..self.site.borrow().backends.len() {
            spawn_local(Rc::clone(self).backend(number));
        }
    }

    async fn backend(self: Rc<Self>, number: usize) {
        let (address, pool, temper) = {
            let site = self.site.borrow();
            let known = &site.backends[number];
            (known.address, known.pool, known.temper)
        };
        self.note(format!("backend {number} is {}", temper.name));
        let listener = Rc::new(self.network.listen(address.into()));
        spawn_local(Rc::clone(&self).moods(number, Rc::clone(&listener)));
        for connection in 0.. {
            let Ok((io, _)) = listener.accept().await else { return };
            let backend = Backend {
                number,
                temper,
                ledger: self.ledger.clone(),
                longest: self.longest,
                seed: self.seed,
                most: self.most,
                flood: self.flood(),
            };
            let busy = Busy::new(&self.busy);
            spawn_local(async move {
                if pool == WEB {
                    backend.serve(io, connection).await;
                } else {
                    backend.serve_tunnel(io, connection).await;
                }
                drop(busy);
            });
        }
    }

    /// A backend does not always take connections.
    async fn moods(self: Rc<Self>, number: usize, listener: Rc<Listener>) {
        let mut dice = Dice::of(self.seed, 200 + number as u64);
        while !self.is_over.get() {
            let answer = dice.weighted(&[
                (12, Answer::Accept),
                (2, Answer::Refuse),
                (1, Answer::Nothing),
                (1, Answer::After(Duration::from_millis(500))),
            ]);
            if answer != Answer::Accept {
                self.note(format!("backend {number} to SYNs: {answer:?}"));
            }
            listener.answer(answer);
            sleep(Duration::from_millis(dice.between(200, 5_000))).await;
        }
    }

    /// More than fits into all windows and buffers.
    fn flood(&self) -> u64 {
        *self.weather.window.end() as u64 * 3 + 200_000
    }

    fn begin_clients(self: &Rc<Self>) -> Vec<JoinHandle<()>> {
        let mut dice = Dice::of(self.seed, 3);
        let (http, tcp) = (dice.between(1, 8), dice.between(0, 3));
        let http = (0..http).map(|n| spawn_local(Rc::clone(self).http_client(n)));
        let tcp = (0..tcp).map(|n| spawn_local(Rc::clone(self).tcp_client(n + 100)));
        http.chain(tcp).collect()
    }

    pub(crate) async fn connect(&self, ip: IpAddr, to: Address, who: &str) -> Option<lb_net::sim::End> {
        self.ports.set(self.ports.get() + 1);
        let from = SocketAddr::new(ip, self.ports.get());
        match self.network.connect(from, to).await {
            Ok(io) => {
                self.connected(to);
                Some(io)
            }
            Err(error) => {
                // It was made, and broken off before its client looked.
                if error.kind() == std::io::ErrorKind::ConnectionReset {
                    self.connected(to);
                }
                self.ledger.note(who, format!("cannot connect: {error}"));
                None
            }
        }
    }

    fn connected(&self, to: Address) {
        let connected = &mut self.ledger.change().connected;
        if to == HTTP { connected.0 += 1 } else { connected.1 += 1 }
    }

    async fn http_client(self: Rc<Self>, number: u64) {
        let mut dice = Dice::of(self.seed, 1_000 + number);
        let who = format!("client {number}");
        let cookie = RefCell::new(None);
        sleep(Duration::from_millis(dice.between(0, 2_000))).await;
        for _ in 0..dice.between(1, 3) {
            let ip = ip_of(number);
            // Where few may come in, the others would wait for it.
            let may_trickle = self.longest < Duration::from_secs(200);
            let script = match dice.between(0, 24) {
                0 if may_trickle => Script::trickle(&self.ledger, &mut dice, ip, self.longest),
                1 => Script::give_up(&self.ledger, &mut dice, ip, self.flood()),
                _ => Script::new(&self.ledger, &mut dice, ip, self.most),
            };
            let Some(io) = self.connect(script.ip, HTTP, &who).await else {
                return;
            };
            client::run(
                io,
                &self.ledger,
                &script,
                &who,
                self.longest,
                (self.seed, self.most),
                &cookie,
            )
            .await;
            sleep(Duration::from_millis(dice.between(0, 1_500))).await;
        }
    }

    async fn tcp_client(self: Rc<Self>, number: u64) {
        let mut dice = Dice::of(self.seed, 1_000 + number);
        let who = format!("tcp {number}");
        sleep(Duration::from_millis(dice.between(0, 2_000))).await;
        for _ in 0..dice.between(1, 3) {
            let ip = ip_of(number);
            let Some(io) = self.connect(ip, TCP, &who).await else {
                return;
            };
            let id = self.ledger.id();
            tunnel::run(io, &self.ledger, id, ip, &who, self.longest, (self.seed, self.most)).await;
            sleep(Duration::from_millis(dice.between(0, 1_500))).await;
        }
    }

    /// Waits for the clients, or drains in the middle; then nothing may be left.
    async fn end(self: &Rc<Self>, worker: JoinHandle<()>, clients: Vec<JoinHandle<()>>, events: JoinHandle<()>) {
        let mut dice = Dice::of(self.seed, 5);
        let is_early = dice.percent(40);
        let when = Instant::now() + Duration::from_millis(dice.between(500, 12_000));
        if is_early {
            sleep_until(when).await;
        } else {
            self.bounded("the clients", || clients.iter().all(JoinHandle::is_finished))
                .await;
            self.is_over.set(true);
            // Whatever the balancer still waits for ends, and what it keeps is not kept for ever.
            sleep(self.longest).await;
            self.judge_quiet();
        }
        events.abort();
        let deadline = Duration::from_millis(dice.pick(&[0, 300, 3_000, 20_000]));
        self.ledger.change().drained_at = Some(self.ledger.now());
        self.note(format!("drains, for at most {deadline:?}"));
        if !deadline.is_zero() {
            send(&self.orders, Order::Drain);
        }
        let late = self.begin_late_clients();
        let cut = Instant::now() + deadline;
        let orders = self.orders.clone();
        let cutter = spawn_local(async move {
            sleep_until(cut).await;
            send(&orders, Order::Cut);
        });
        if timeout(deadline + AFTER_CUT, worker).await.is_err() {
            let what = format!("the worker goes on {AFTER_CUT:?} after the cut");
            self.ledger.breach(Rule::NobodyWaits, what);
        }
        cutter.abort();
        self.note("the worker has ended");
        self.bounded("the clients", || clients.iter().all(JoinHandle::is_finished))
            .await;
        self.bounded("the last clients", || late.iter().all(JoinHandle::is_finished))
            .await;
        self.bounded("the backends", || self.busy.get() == 0).await;
    }

    /// Actors end by themselves, or somebody has let them wait.
    async fn bounded(&self, who: &str, are_done: impl Fn() -> bool) {
        let end = Instant::now() + HORIZON;
        while !are_done() {
            if Instant::now() > end {
                return self
                    .ledger
                    .breach(Rule::NobodyWaits, format!("{who} go on after {HORIZON:?}"));
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// A connection of an actor is under way.
struct Busy(Rc<Cell<usize>>);

impl Busy {
    fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

pub(crate) fn send(orders: &UnboundedSender<Order>, order: Order) {
    // A worker that has ended takes none.
    let _ = orders.send(order);
}

/// A worker that was told to cut ends as soon as nobody is in a handshake; it may have no turn for a few seconds.
const AFTER_CUT: Duration = Duration::from_secs(10);
/// No run takes longer than some of these, in virtual time.
const HORIZON: Duration = Duration::from_secs(3_600);
