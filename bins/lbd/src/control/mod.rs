//! The control thread: health, reloads, signals. It thinks; the workers act.

mod admin;
mod agents;
mod certificates;
mod expiry;
mod files;
mod health;
mod limits;
mod making;
mod orders;
mod reload;
mod retired;
mod see;
mod standings;

pub(crate) use health::probes_at_once;
pub(crate) use reload::Source;

use crate::FAILED;
use crate::access::{self, Watcher, Writer};
use crate::note::{Rising, counted, note, print};
use crate::signals::Signals;
use crate::sockets::{Sockets, Wanted};
use crate::workers::{Ending, Workers};
use admin::{Admin, Asks};
use expiry::Expiry;
use files::Files;
use health::watched;
use lb_config::Plan;
use lb_net::Address;
use lb_probe::{Agents, Prober};
use lb_proxy::{Order, Snapshot};
use lb_telemetry::End;
use lb_types::Time;
use limits::Limits;
use orders::Orders;
use reload::{Former, Loaded, loaded};
use retired::Retired;
use standings::{Due, Standings};
use std::collections::{HashMap, HashSet};
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Everything that the control thread holds.
pub(crate) struct ControlLoop {
    plan: Plan,
    source: Source,
    snapshot: Arc<Snapshot>,
    workers: Workers,
    prober: Prober,
    agents: Agents,
    standings: Standings,
    /// What requests of former configurations go by.
    retired: Retired,
    watched: bool,
    signals: Signals,
    sockets: Sockets,
    log: Option<Writer>,
    /// Where status is asked for and orders come from.
    admin: Option<Admin>,
    asks: Asks,
    /// What was ordered there.
    orders: Orders,
    /// Pools that ignore health, because too few of their backends are up.
    failed_open: HashSet<String>,
    /// When the process started, and when it took its present configuration.
    started: Time,
    loaded: Time,
    /// Configurations and certificates that were refused since the start, what ran before staying.
    refused: u64,
    /// It was told to stop.
    stopping: bool,
    /// A worker ended by a fault of ours.
    has_fault: bool,
    /// By listener: what the operator hears of now and then.
    limits: HashMap<Address, Limits>,
    /// Requests and connections that found no descriptor, memory or port for a backend.
    short: Rising,
    expiry: Expiry,
    ending: certificates::Warnings,
    /// The text of the configuration that is in force.
    text: Arc<str>,
    /// What it names, for whoever renews that.
    files: Files,
    /// A reload whose file is being read.
    loading: Option<oneshot::Receiver<Loaded>>,
    /// Another one was asked for meanwhile.
    load_again: bool,
    /// What is in force while the tables of a new configuration are made.
    former: Option<Former>,
}

impl ControlLoop {
    /// Opens every socket, then starts the workers: [`Workers::start`].
    pub(crate) fn start(
        plan: Plan,
        source: Source,
        watch: Option<Watcher>,
        workers: impl FnOnce(usize, &Arc<Snapshot>) -> io::Result<Workers>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        crate::note::with_time(plan.log.event_time);
        let signals = Signals::new()?;
        let count = workers_of(&plan);
        let snapshot = lb_config::build(&plan, None)?.commit();
        let mut prober = Prober::new(lb_net::clock::seed(), lb_net::clock::monotonic())
            .with_most_at_once(probes_at_once(lb_net::raise_descriptor_limit().now));
        prober.replace(watched(&plan, &snapshot)?);
        let mut agents = Agents::new(lb_net::clock::seed());
        agents.replace(agents::asked(&plan)?);
        let wanted: Vec<_> = plan.listeners.iter().map(Wanted::from).collect();
        // First: whoever finds the program listening finds this socket too.
        let asks = Asks::new();
        let admin = plan.admin.as_ref().map(|wanted| asks.serve(admin::open(wanted)?));
        let admin = admin.transpose()?;
        let sockets = Sockets::default();
        let opened = sockets.open(&wanted, count, &mut HashMap::new())?;
        let log = match &watch {
            Some(watcher) => Some(access::watch(watcher)),
            None => access::open(&plan.log)?,
        };
        let workers = workers(count, &snapshot)?;
        let now = lb_net::clock::monotonic();
        let mut orders = Orders::default();
        orders.carry_over(None, &plan, now);
        let text = match &source {
            Source::File(_, text) => Arc::clone(text),
            Source::Arguments => Arc::from(""),
        };
        let mut control = Self {
            plan,
            source,
            snapshot,
            workers,
            prober,
            agents,
            standings: Standings::default(),
            retired: Retired::default(),
            expiry: Expiry::default(),
            ending: certificates::Warnings::default(),
            text,
            files: Files::default(),
            loading: None,
            load_again: false,
            former: None,
            watched: watch.is_some(),
            signals,
            sockets,
            log: None,
            admin,
            asks,
            orders,
            failed_open: HashSet::new(),
            started: now,
            loaded: now,
            refused: 0,
            stopping: false,
            has_fault: false,
            limits: HashMap::new(),
            short: Rising::default(),
        };
        control.files.watch(control.plan.files(), &files::Stamps::default());
        for line in control.plan.certificate_notes() {
            note(line);
        }
        control.log_to(log);
        control.tell_prober_of_all();
        control.rebuild_all_now();
        for opened in opened {
            let (address, sockets) = control.sockets.keep(opened);
            control.workers.listen(address, sockets);
        }
        for listener in &control.snapshot.listeners {
            note(format_args!(
                "listening on {} ({})",
                listener.options.address, listener.options.name
            ));
        }
        Ok(control)
    }

    /// Until SIGTERM or SIGINT, then until the last connection has ended or the drain timeout
    /// has passed.
    pub(crate) async fn run(mut self) -> ExitCode {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = second.tick() => {
                    self.judge_traffic();
                    self.expiry.begin(&self.snapshot.pools);
                    self.note_limits();
                    self.warn_of_certificates();
                }
                () = self.files.changed(), if self.loading.is_none() && !self.standings.is_rebuilding() => self.reload_files(),
                () = self.expiry.due() => self.expiry.step(lb_net::clock::monotonic()),
                event = self.prober.next() => self.on_health(event),
                event = self.agents.next() => self.on_agent(event),
                due = self.standings.due() => match due {
                    Due::Make(pool) => self.rebuild([pool], None),
                    Due::Made(faults) => self.on_rebuilt(faults),
                },
                _ = self.signals.hup.recv() => self.reload(),
                loaded = loaded(&mut self.loading), if !self.standings.is_rebuilding() => self.on_loaded(loaded),
                ask = self.asks.next(), if !self.standings.has_result() => self.answer(ask),
                _ = self.signals.usr1.recv(), if !self.standings.has_result() => self.note_state(),
                _ = self.signals.term.recv() => break,
                _ = self.signals.int.recv() => break,
                ending = self.workers.one_ended() => {
                    note(ending.map_or_else(|| "every worker has ended".to_owned(), |ending| ending.explain()));
                    return ExitCode::from(FAILED);
                }
            }
        }
        self.stopping = true;
        self.load_again = false;
        self.stop_making();
        self.give_up_reload();
        let patience = self.plan.drain_timeout;
        note(format_args!("draining, at most {patience:?}"));
        self.sockets.release(|_| false);
        self.workers.tell(|| Order::Drain);
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                ending = self.workers.one_ended() => {
                    self.on_ended(ending);
                    if self.workers.are_over() {
                        break;
                    }
                }
                () = &mut deadline => {
                    note(format_args!(
                        "drain timeout: {} cut",
                        counted(self.workers.counters().active(), "connection")
                    ));
                    break;
                }
                ask = self.asks.next() => self.answer(ask),
                _ = self.signals.usr1.recv() => self.note_state(),
                _ = self.signals.int.recv() => {
                    note("stopped at once");
                    break;
                }
            }
        }
        self.finish_log().await;
        if self.has_fault {
            ExitCode::from(FAILED)
        } else {
            ExitCode::SUCCESS
        }
    }

    /// Says which certificates end soon: once at the start, and when there is less time by a good part.
    fn warn_of_certificates(&mut self) {
        for line in self.ending.lines(&self.plan, lb_net::clock::now().wall) {
            note(line);
        }
    }

    /// A worker ended while all are to end.
    fn on_ended(&mut self, ending: Option<Ending>) {
        if let Some(ending) = ending.filter(|ending| ending.fault.is_some()) {
            self.has_fault = true;
            note(ending.explain());
        }
    }

    /// Lets the workers hand over their last lines and the log's thread write them, if that does not take long.
    async fn finish_log(&mut self) {
        self.workers.tell(|| Order::Cut);
        let written = async {
            while !self.workers.are_over() {
                let ending = self.workers.one_ended().await;
                self.on_ended(ending);
            }
            while self.log.as_ref().is_some_and(|log| !log.is_done()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(PATIENCE_FOR_LOG, written).await.is_err() {
            note("the last access-log lines may be missing: writing is too slow");
        }
    }

    fn note_state(&self) {
        print(&lb_admin::text::lines(&self.see()));
    }

    /// Limits that were hit since they were last told.
    fn note_limits(&mut self) {
        let now = lb_net::clock::monotonic();
        for listener in &self.snapshot.listeners {
            let told = self.limits.entry(listener.options.address).or_default();
            told.lines(listener, now).into_iter().for_each(note);
        }
        let short = self.workers.counters().ended(End::LocalShortage);
        if let Some(times) = self.short.since_told(short, now) {
            note(limits::no_backend_reached(times));
        }
        if let Some(log) = &mut self.log {
            log.tell_lost(now);
        }
    }

    /// The workers' lines go there from now on.
    fn log_to(&mut self, log: Option<(lb_proxy::AccessLog, Writer)>) {
        crate::note::shared(!self.watched && self.plan.log.access == lb_config::AccessLog::Stderr);
        let (log, writer) = log.unzip();
        self.workers.tell(|| Order::Log(log.clone()));
        self.log = writer;
    }
}

/// How many workers a configuration asks for.
pub(crate) fn workers_of(plan: &Plan) -> usize {
    match plan.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => usize::from(count),
    }
}

/// How long the end waits for the access log.
const PATIENCE_FOR_LOG: Duration = Duration::from_secs(1);
