//! One run: a real worker between simulated clients and backends, for as long as its seed says, and what the rules say of it.

use crate::backend::Backend;
use crate::client;
use crate::dice::Dice;
use crate::history::{Ledger, Line};
use crate::panics;
use crate::rules::{self, Breach, Counted, Held, Rule};
use crate::script::{Script, ip_of};
use crate::site::{HTTP, Site, TCP, WEB};
use lb_net::ListenerOptions;
use lb_net::sim::{Answer, Listener, Network, Weather};
use lb_proxy::{AccessLog, Address, Counters, Format, Order, Worker};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) breaches: Vec<Breach>,
    pub(crate) trace: Vec<String>,
    /// What went over the network, when the trace is printed.
    pub(crate) wire: Vec<String>,
    /// Of all that went over the network.
    pub(crate) digest: u64,
    pub(crate) tally: Tally,
}

/// How much a run had of what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) whole: u64,
    pub(crate) retries: u64,
    pub(crate) tunnels: u64,
    /// By the word of the end.
    pub(crate) ends: BTreeMap<&'static str, u64>,
}

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

struct World {
    seed: u64,
    network: Network,
    weather: Weather,
    ledger: Ledger,
    site: RefCell<Site>,
    orders: UnboundedSender<Order>,
    counters: Arc<Counters>,
    lines: Receiver<Vec<u8>>,
    lost: Arc<AtomicU64>,
    longest: Duration,
    /// The longest body.
    most: u64,
    /// Connections of the actors that are under way.
    busy: Rc<Cell<usize>>,
    ports: Cell<u16>,
    /// No client will come any more.
    is_over: Cell<bool>,
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

    fn note(&self, what: impl AsRef<str>) {
        self.ledger.note("world", what);
    }

    fn listen(&self, address: Address) {
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

    fn begin_clients(self: &Rc<Self>) -> Vec<JoinHandle<()>> {
        let mut dice = Dice::of(self.seed, 3);
        let (http, tcp) = (dice.between(1, 8), dice.between(0, 3));
        let http = (0..http).map(|n| spawn_local(Rc::clone(self).http_client(n)));
        let tcp = (0..tcp).map(|n| spawn_local(Rc::clone(self).tcp_client(n + 100)));
        http.chain(tcp).collect()
    }

    async fn connect(&self, ip: IpAddr, to: Address, who: &str) -> Option<lb_net::sim::End> {
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
            let script = Script::new(&self.ledger, &mut dice, ip_of(number), self.most);
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
            client::tcp(io, &self.ledger, id, ip, &who, self.longest, (self.seed, self.most)).await;
            sleep(Duration::from_millis(dice.between(0, 1_500))).await;
        }
    }

    /// What an operator and the probes do meanwhile.
    async fn events(self: Rc<Self>) {
        let mut dice = Dice::of(self.seed, 4);
        for _ in 0..dice.between(0, 6) {
            sleep(Duration::from_millis(dice.between(0, 2_500))).await;
            match dice.between(0, 9) {
                0..=3 => {
                    let what = self.site.borrow_mut().change_health();
                    self.note(what);
                }
                4..=8 => {
                    let what = self.site.borrow_mut().reconfigure();
                    self.note(format!("reload: {what}"));
                    self.apply();
                }
                _ => {
                    let has_tcp = !self.site.borrow().has_tcp;
                    self.site.borrow_mut().has_tcp = has_tcp;
                    self.note(format!("reload: TCP listener: {has_tcp}"));
                    self.apply();
                    if has_tcp {
                        self.listen(TCP);
                    } else {
                        send(&self.orders, Order::Unlisten(TCP));
                    }
                }
            }
        }
    }

    fn apply(&self) {
        let snapshot = self.site.borrow_mut().snapshot();
        send(&self.orders, Order::Apply(snapshot));
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
        self.note(format!("drains, for at most {deadline:?}"));
        if !deadline.is_zero() {
            send(&self.orders, Order::Drain);
        }
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

    fn held(&self, listeners: u64) -> Held {
        let counted = self.counters.snapshot();
        let site = self.site.borrow();
        Held {
            clients: [counted.active(), site.http.open() as u64, site.tcp.open() as u64],
            streams: (self.network.descriptors() as u64).saturating_sub(listeners),
            may_keep: 0,
            timers: 0,
        }
    }

    /// All clients are gone, and for so long that nothing is kept.
    fn judge_quiet(&self) {
        let listeners = 1 + u64::from(self.site.borrow().has_tcp);
        let rule = Rule::NothingIsLeft;
        self.ledger
            .judge(rule, rules::nothing_is_held_without_clients(&self.held(listeners)));
        self.ledger.judge(
            Rule::TicketsReturn,
            rules::every_ticket_comes_back(&self.site.borrow().in_flight()),
        );
    }

    /// The worker has ended.
    fn judge(&self) -> Tally {
        let ledger = &self.ledger;
        ledger.judge(
            Rule::NothingIsLeft,
            rules::nothing_is_held_without_clients(&self.held(0)),
        );
        ledger.judge(
            Rule::TicketsReturn,
            rules::every_ticket_comes_back(&self.site.borrow().in_flight()),
        );
        for block in self.lines.try_iter() {
            let lines = String::from_utf8(block).expect("lines are text");
            ledger.change().lines.extend(lines.lines().map(line));
        }
        let snapshot = self.counters.snapshot();
        let counted = Counted {
            opened: snapshot.opened,
            requests: snapshot.requests,
            ends: snapshot
                .ends()
                .map(|(end, count)| (end.as_str().to_owned(), count))
                .collect(),
            lost_lines: self.lost.load(Ordering::Relaxed),
            all_were_accepted: *self.weather.latency.end() <= Duration::from_millis(50),
        };
        let verdicts = {
            let history = ledger.history();
            let mut verdicts = vec![
                (
                    Rule::ResponseBelongs,
                    rules::a_response_belongs_to_its_request(&history),
                ),
                (Rule::CutLooksCut, rules::a_cut_response_never_looks_whole(&history)),
                (Rule::OneBackend, rules::what_may_not_be_repeated_comes_once(&history)),
                (Rule::BytesArrive, rules::an_upload_arrives_as_it_was_sent(&history)),
                (Rule::EndsOnce, rules::each_end_is_counted_once(&history, &counted)),
            ];
            for tunnel in &history.tunnels {
                let ip = tunnel.ip.to_string();
                let own = |line: &&Line| line.client == ip && matches!(&*line.end, "tunnel_idle" | "drain_deadline");
                let cut = history.lines.iter().find(own).is_some();
                verdicts.push((
                    Rule::BytesArrive,
                    rules::a_tunnel_delivers_what_a_direct_connection_would(tunnel, cut),
                ));
            }
            verdicts
        };
        for (rule, verdict) in verdicts {
            ledger.judge(rule, verdict);
        }
        let history = ledger.history();
        Tally {
            requests: snapshot.requests,
            whole: history
                .asked
                .iter()
                .filter(|asked| asked.answer.is_some_and(|answer| answer.is_whole))
                .count() as u64,
            retries: snapshot.retries,
            tunnels: history.tunnels.len() as u64,
            ends: snapshot
                .ends()
                .filter(|(_, n)| *n > 0)
                .map(|(end, n)| (end.as_str(), n))
                .collect(),
        }
    }
}

/// The seed's weather, and how long a head takes in it. Where the way is long the window is not narrow: a body would take days.
fn weather(seed: u64) -> (Weather, Duration) {
    let mut weather = Weather::of(seed);
    let latency = *weather.latency.end();
    let least = match latency.as_millis() {
        0 | 1 => 1,
        2..=30 => 32,
        _ => 400,
    };
    weather.window = (*weather.window.start()).max(least)..=(*weather.window.end()).max(least);
    let windows = LONGEST_HEAD / *weather.window.start() as u32 + 1;
    (weather, latency * 2 * windows)
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

fn send(orders: &UnboundedSender<Order>, order: Order) {
    // A worker that has ended takes none.
    let _ = orders.send(order);
}

fn line(text: &str) -> Line {
    let line: serde_json::Value = serde_json::from_str(text).expect("a line is JSON");
    let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    Line {
        listener: word("listener"),
        client: word("client"),
        target: word("target"),
        end: word("end"),
    }
}

/// A worker that was told to cut ends as soon as nobody is in a handshake, and what it wakes was polled.
const AFTER_CUT: Duration = Duration::from_secs(2);
/// A head with all that is added to it.
const LONGEST_HEAD: u32 = 1_000;
/// No run takes longer than some of these, in virtual time.
const HORIZON: Duration = Duration::from_secs(3_600);
