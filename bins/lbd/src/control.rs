//! The control thread: health, reloads, signals. It thinks; the workers act.

use crate::access::{self, Watcher, Writer};
use crate::commands::run::say;
use crate::note::{Rising, note, print};
use crate::signals::Signals;
use crate::sockets::Sockets;
use crate::workers::Workers;
use crate::{FAILED, report};
use lb_balance::{Condition, standings};
use lb_config::{Health, Plan};
use lb_health::{Admin, Report, Status};
use lb_probe::{Event, Prober, Watched};
use lb_proxy::{ListenerEntry, Order, Service, Snapshot};
use lb_types::Slot;
use std::collections::HashMap;
use std::mem::discriminant;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Where the configuration came from: only a file can be read again.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Arguments,
}

type Loaded = Result<lb_config::Resolved, lb_config::Problems>;

/// Everything that the control thread holds.
pub(crate) struct Control {
    plan: Plan,
    source: Source,
    snapshot: Arc<Snapshot>,
    workers: Workers,
    prober: Prober,
    watched: bool,
    signals: Signals,
    sockets: Sockets,
    log: Option<Writer>,
    /// By listener: connections that had to wait for room.
    limited: HashMap<SocketAddr, Rising>,
    /// A reload whose file is being read.
    loading: Option<oneshot::Receiver<Loaded>>,
    /// Another one was asked for meanwhile.
    load_again: bool,
}

impl Control {
    /// Opens every socket, then starts the workers.
    pub(crate) fn start(
        plan: Plan,
        source: Source,
        watch: Option<Watcher>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let signals = Signals::new()?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if plan.workers == 0 {
            cores
        } else {
            usize::from(plan.workers)
        };
        let snapshot = lb_config::build(&plan, None).map_err(|problems| problems.render(false))?;
        let mut prober = Prober::new(lb_net::clock::seed(), lb_net::clock::monotonic());
        prober.replace(watched(&plan)?);
        let wanted: Vec<_> = snapshot.listeners.iter().map(|listener| socket_of(listener)).collect();
        let mut sockets = Sockets::default();
        let opened = sockets.open(&wanted, count)?;
        let log = match &watch {
            Some(watcher) => Some(access::watch(watcher)),
            None => access::open(&plan.log)?,
        };
        let workers = Workers::start(count, &snapshot)?;
        let mut control = Self {
            plan,
            source,
            snapshot,
            workers,
            prober,
            loading: None,
            load_again: false,
            watched: watch.is_some(),
            signals,
            sockets,
            log: None,
            limited: HashMap::new(),
        };
        control.log_to(log);
        control.update_all();
        for (address, sockets) in opened {
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
                    self.report_failures();
                    self.expire();
                    self.tell_limits();
                }
                event = self.prober.next() => self.on_health(event),
                _ = self.signals.hup.recv() => self.reload(),
                loaded = loaded(&mut self.loading) => self.on_loaded(loaded),
                _ = self.signals.usr1.recv() => self.tell_state(),
                _ = self.signals.term.recv() => break,
                _ = self.signals.int.recv() => break,
                _ = self.workers.one_ended() => {
                    note("a worker ended by itself");
                    return ExitCode::from(FAILED);
                }
            }
        }
        let patience = self.plan.drain_timeout;
        note(format_args!("draining, at most {patience:?}"));
        self.workers.tell(|| Order::Drain);
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                running = self.workers.one_ended() => if !running { break },
                () = &mut deadline => {
                    note(format_args!("drain timeout: {} connections cut", self.workers.counters().active()));
                    break;
                }
                _ = self.signals.usr1.recv() => self.tell_state(),
                _ = self.signals.int.recv() => {
                    note("stopped at once");
                    break;
                }
            }
        }
        self.finish_log().await;
        ExitCode::SUCCESS
    }

    /// Lets the workers hand over their last lines and the log's thread write them, if that does not take long.
    async fn finish_log(&mut self) {
        self.workers.tell(|| Order::Cut);
        let written = async {
            while self.workers.one_ended().await {}
            while self.log.as_ref().is_some_and(|log| !log.is_done()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(PATIENCE_FOR_LOG, written).await.is_err() {
            note("the last access-log lines may be missing: writing is too slow");
        }
    }

    fn tell_state(&self) {
        let views = self.prober.views();
        print(&report::state(&self.snapshot, &views, &self.workers.counters()));
    }

    /// Limits that were hit since they were last told.
    fn tell_limits(&mut self) {
        let now = lb_net::clock::monotonic();
        for listener in &self.snapshot.listeners {
            let rising = self.limited.entry(listener.options.address).or_default();
            if let Some(times) = rising.since_told(listener.connections.limited(), now) {
                note(limit_reached(listener, times));
            }
        }
        if let Some(log) = &mut self.log {
            log.tell_lost(now);
        }
    }

    /// The workers' lines go there from now on.
    fn log_to(&mut self, log: Option<(lb_proxy::AccessLog, Writer)>) {
        let (log, writer) = log.unzip();
        self.workers.tell(|| Order::Log(log.clone()));
        self.log = writer;
    }

    fn on_health(&mut self, event: Event) {
        let view = self.prober.view(event.backend);
        // A pool that is reached with different timeouts has several entries.
        let mut told: Vec<*const lb_balance::Pool> = Vec::new();
        for (index, entry) in self.snapshot.pools.iter().enumerate() {
            let pool = &entry.pool;
            let Some(slot) = pool.find(event.backend) else { continue };
            if told.contains(&Arc::as_ptr(pool)) {
                continue;
            }
            told.push(Arc::as_ptr(pool));
            if let (Some(view), Some(backend)) = (&view, pool.backends().get(slot.index())) {
                note(format_args!(
                    "backend {} of pool {} is {}",
                    backend.name,
                    pool.name(),
                    describe(view.status)
                ));
            }
            self.update(index);
        }
    }

    /// Failures in a row that the workers saw, told to whoever judges.
    fn report_failures(&mut self) {
        for entry in &self.snapshot.pools {
            for backend in entry.pool.backends() {
                let failed = backend.load().failures();
                if failed > 0 {
                    self.prober.report(backend.id, Report::Row { failed });
                }
            }
        }
    }

    /// Frees persistence entries whose time is over, a bounded number each second.
    fn expire(&self) {
        let now = lb_net::clock::monotonic();
        for table in self.snapshot.pools.iter().flat_map(|pool| pool.tables.iter().flatten()) {
            table.expire(now, EXPIRE_AT_ONCE);
        }
    }

    /// Makes the standings of a pool from configuration and health.
    fn update(&self, index: usize) {
        let Some(entry) = self.snapshot.pools.get(index) else {
            return;
        };
        let Some(plan) = self.plan.pool(entry.pool.name()) else {
            return;
        };
        let conditions: Vec<Condition> = plan
            .backends
            .iter()
            .zip(entry.pool.backends())
            .zip((0..).map(Slot))
            .map(|((planned, backend), slot)| {
                let view = self.prober.view(backend.id);
                Condition {
                    slot,
                    weight: planned.weight,
                    status: view.as_ref().map_or(Status::Up, |view| view.status),
                    admin: if planned.drain { Admin::Drain } else { Admin::Ready },
                    ramp_percent: view.map_or(100, |view| view.ramp_percent),
                }
            })
            .collect();
        let made = standings(&conditions, plan.fail_open);
        if let Err(error) = entry.pool.update(&made.list) {
            note(format_args!("pool {}: {error}", entry.pool.name()));
        }
    }

    fn update_all(&self) {
        for index in 0..self.snapshot.pools.len() {
            self.update(index);
        }
    }

    /// Reads the file again. Whatever is wrong, nothing changes and everything is said.
    fn reload(&mut self) {
        let Source::File(path) = self.source.clone() else {
            note("there is no configuration file to read again");
            return;
        };
        if self.loading.is_some() {
            self.load_again = true;
            return;
        }
        // On a thread of its own: host names may take seconds to resolve, and with one worker
        // this thread carries traffic.
        let (tell, loading) = oneshot::channel();
        let load = move || {
            // Nobody waits for it when the program ends meanwhile.
            let _ = tell.send(lb_config::load(&path, &lb_config::System));
        };
        match std::thread::Builder::new().name("load".to_owned()).spawn(load) {
            Ok(_) => self.loading = Some(loading),
            Err(error) => note(format_args!("reload refused, nothing was changed: {error}")),
        }
    }

    /// The file was read again.
    fn on_loaded(&mut self, loaded: Option<Loaded>) {
        match loaded {
            Some(Ok(resolved)) => {
                say(&resolved.warnings);
                if let Err(error) = self.apply(resolved.plan) {
                    self.reopen_log();
                    note(format_args!("reload refused, nothing was changed: {error}"));
                }
            }
            Some(Err(problems)) => {
                say(&problems);
                note("reload refused, nothing was changed");
                self.reopen_log();
            }
            None => note("reload refused, nothing was changed: reading the file failed"),
        }
        if std::mem::take(&mut self.load_again) {
            self.reload();
        }
    }

    /// After a refused reload: the file may have been moved away all the same, to be archived.
    fn reopen_log(&mut self) {
        if !self.must_open(&self.plan.log) {
            return;
        }
        match access::open(&self.plan.log) {
            Ok(log) => self.log_to(log),
            Err(error) => note(format_args!("the access log stays as it is: {error}")),
        }
    }

    /// Files are opened at each reload, because somebody may have moved them away.
    fn must_open(&self, log: &lb_config::Log) -> bool {
        !self.watched && (*log != self.plan.log || matches!(log.access, lb_config::AccessLog::File(_)))
    }

    fn apply(&mut self, plan: Plan) -> Result<(), Box<dyn std::error::Error>> {
        let snapshot = lb_config::build(&plan, Some(&self.snapshot)).map_err(|problems| problems.render(false))?;
        let watched = watched(&plan)?;
        let kept = |of: &Snapshot, address: SocketAddr, service: &Service| {
            of.listeners
                .iter()
                .any(|l| l.options.address == address && discriminant(&l.options.service) == discriminant(service))
        };
        let mut later = Vec::new();
        // New sockets before anything else: this is what can still fail.
        let mut wanted = Vec::new();
        for listener in &snapshot.listeners {
            let options = &listener.options;
            if !kept(&self.snapshot, options.address, &options.service) {
                wanted.push(socket_of(listener));
            } else if self
                .snapshot
                .listeners
                .iter()
                .any(|old| old.options.address == options.address && old.options.backlog != options.backlog)
            {
                later.push(format!("`backlog` of listener {}", options.name));
            }
        }
        let sockets = self.sockets.open(&wanted, self.workers.count())?;
        let log = if self.must_open(&plan.log) {
            Some(access::open(&plan.log)?)
        } else {
            None
        };
        if plan.workers != self.plan.workers {
            later.push("`workers`".to_owned());
        }
        for what in later {
            note(format_args!("{what} takes effect at the next start, not at a reload"));
        }
        let old = std::mem::replace(&mut self.snapshot, snapshot);
        self.plan = plan;
        self.prober.replace(watched);
        self.update_all();
        for listener in &old.listeners {
            let options = &listener.options;
            if !kept(&self.snapshot, options.address, &options.service) {
                self.workers.tell(|| Order::Unlisten(options.address));
            }
        }
        self.workers.tell(|| Order::Apply(Arc::clone(&self.snapshot)));
        for (address, sockets) in sockets {
            note(format_args!("listening on {address}"));
            self.workers.listen(address, sockets);
        }
        if let Some(log) = log {
            self.log_to(log);
        }
        note(format_args!("configuration {} is in force", self.snapshot.serial));
        Ok(())
    }
}

fn socket_of(listener: &ListenerEntry) -> (SocketAddr, u32) {
    (listener.options.address, listener.options.backlog)
}

/// Names the limit, the listener and the key (S-CONN-06).
fn limit_reached(listener: &ListenerEntry, times: u64) -> String {
    let options = &listener.options;
    format!(
        "listener {}: max_connections = {} reached: {times} connections had to wait, and those behind them; \
         raise `max_connections` in its `limits` or in `[limits]`",
        options.name, options.max_connections
    )
}

fn watched(plan: &Plan) -> Result<Vec<Watched>, Box<dyn std::error::Error>> {
    let mut list = Vec::new();
    for pool in &plan.pools {
        let Some(health) = &pool.health else { continue };
        for backend in &pool.backends {
            list.push(
                Watched::new(backend.id(pool), &backend.name, probe(health, backend.address)?)
                    .with_rules(health.rules.clone()),
            );
        }
    }
    Ok(list)
}

fn probe(health: &Health, address: SocketAddr) -> Result<lb_probe::Probe, Box<dyn std::error::Error>> {
    Ok(lb_config::probe(health, address)?)
}

fn describe(status: Status) -> String {
    match status {
        Status::Down(cause) => format!("down: {cause} ({})", cause.mend()),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// How long the end waits for the access log.
const PATIENCE_FOR_LOG: Duration = Duration::from_secs(1);
/// Persistence entries freed per table and second: 10 ms of work at most.
const EXPIRE_AT_ONCE: usize = 20_000;

/// What the reading of the file came to; never, when none is read.
async fn loaded(loading: &mut Option<oneshot::Receiver<Loaded>>) -> Option<Loaded> {
    match loading {
        Some(receiver) => {
            let loaded = receiver.await.ok();
            *loading = None;
            loaded
        }
        None => std::future::pending().await,
    }
}
