//! The control thread: health, reloads, signals. It thinks; the workers act.

use crate::access::{self, Watcher};
use crate::commands::run::say;
use crate::workers::Workers;
use crate::{FAILED, report};
use lb_balance::{Condition, standings};
use lb_config::{Health, Plan};
use lb_health::{Admin, Report, Status};
use lb_net::{Listener, ListenerOptions, NetError};
use lb_probe::{Event, Prober, Watched};
use lb_proxy::{Order, Service, Snapshot};
use lb_types::Slot;
use std::mem::discriminant;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Where the configuration came from: only a file can be read again.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Arguments,
}

/// Everything that the control thread holds.
pub(crate) struct Control {
    plan: Plan,
    source: Source,
    snapshot: Arc<Snapshot>,
    workers: Workers,
    prober: Prober,
    watched: bool,
}

impl Control {
    /// Opens every socket, then starts the workers.
    pub(crate) fn start(
        plan: Plan,
        source: Source,
        watch: Option<Watcher>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if plan.workers == 0 {
            cores
        } else {
            usize::from(plan.workers)
        };
        let snapshot = lb_config::build(&plan, None).map_err(|problems| problems.render(false))?;
        let mut prober = Prober::new(lb_net::clock::seed(), lb_net::clock::monotonic());
        prober.replace(watched(&plan)?);
        let mut sockets = Vec::new();
        for listener in &snapshot.listeners {
            let address = listener.options.address;
            sockets.push((address, bind(address, listener.options.backlog, count)?));
        }
        let log = match &watch {
            Some(watcher) => Some(access::watch(watcher)),
            None => access::open(&plan.log.access, plan.log.format)?,
        };
        let workers = Workers::start(count, &snapshot)?;
        workers.tell(|| Order::Log(log.clone()));
        let control = Self {
            plan,
            source,
            snapshot,
            workers,
            prober,
            watched: watch.is_some(),
        };
        control.update_all();
        for (address, sockets) in sockets {
            control.workers.listen(address, sockets);
        }
        for listener in &control.snapshot.listeners {
            eprintln!(
                "lbd: listening on {} ({})",
                listener.options.address, listener.options.name
            );
        }
        Ok(control)
    }

    /// Until SIGTERM or SIGINT, then until the last connection has ended or the drain timeout
    /// has passed.
    pub(crate) async fn run(mut self) -> ExitCode {
        let signals = (
            signal(SignalKind::hangup()),
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
            signal(SignalKind::user_defined1()),
        );
        let (Ok(mut hup), Ok(mut term), Ok(mut int), Ok(mut usr1)) = signals else {
            eprintln!("lbd: cannot listen to signals");
            return ExitCode::from(FAILED);
        };
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = second.tick() => {
                    self.report_failures();
                    self.expire();
                }
                event = self.prober.next() => self.on_health(event),
                _ = hup.recv() => self.reload(),
                _ = usr1.recv() => eprint!("{}", report::state(&self.snapshot, &self.prober.views(), &self.workers.counters())),
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = self.workers.one_ended() => {
                    eprintln!("lbd: a worker ended by itself");
                    return ExitCode::from(FAILED);
                }
            }
        }
        let patience = self.plan.drain_timeout;
        eprintln!("lbd: draining, at most {patience:?}");
        self.workers.tell(|| Order::Drain);
        let deadline = tokio::time::sleep(patience);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                running = self.workers.one_ended() => if !running { break },
                () = &mut deadline => {
                    eprintln!("lbd: drain timeout: {} connections cut", self.workers.counters().active());
                    break;
                }
                _ = usr1.recv() => eprint!("{}", report::state(&self.snapshot, &self.prober.views(), &self.workers.counters())),
                _ = int.recv() => {
                    eprintln!("lbd: stopped at once");
                    break;
                }
            }
        }
        // The access-log thread writes what it was handed.
        tokio::time::sleep(Duration::from_millis(20)).await;
        ExitCode::SUCCESS
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
                eprintln!(
                    "lbd: backend {} of pool {} is {}",
                    backend.name,
                    pool.name(),
                    describe(view.status)
                );
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
            eprintln!("lbd: pool {}: {error}", entry.pool.name());
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
            eprintln!("lbd: there is no configuration file to read again");
            return;
        };
        let resolved = match lb_config::load(&path, &lb_config::System) {
            Ok(resolved) => resolved,
            Err(problems) => {
                say(&problems);
                eprintln!("lbd: reload refused, nothing was changed");
                return;
            }
        };
        say(&resolved.warnings);
        if let Err(error) = self.apply(resolved.plan) {
            eprintln!("lbd: reload refused, nothing was changed: {error}");
        }
    }

    fn apply(&mut self, plan: Plan) -> Result<(), Box<dyn std::error::Error>> {
        let snapshot = lb_config::build(&plan, Some(&self.snapshot)).map_err(|problems| problems.render(false))?;
        let watched = watched(&plan)?;
        let kept = |of: &Snapshot, address: SocketAddr, service: &Service| {
            of.listeners
                .iter()
                .any(|l| l.options.address == address && discriminant(&l.options.service) == discriminant(service))
        };
        // New sockets before anything else: this is what can still fail.
        let mut sockets = Vec::new();
        for listener in &snapshot.listeners {
            let options = &listener.options;
            if !kept(&self.snapshot, options.address, &options.service) {
                sockets.push((
                    options.address,
                    bind(options.address, options.backlog, self.workers.count())?,
                ));
            }
        }
        let log = if self.watched || plan.log == self.plan.log {
            None
        } else {
            Some(access::open(&plan.log.access, plan.log.format)?)
        };
        if plan.workers != self.plan.workers {
            eprintln!("lbd: `workers` takes effect at the next start, not at a reload");
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
            eprintln!("lbd: listening on {address}");
            self.workers.listen(address, sockets);
        }
        if let Some(log) = log {
            self.workers.tell(|| Order::Log(log.clone()));
        }
        eprintln!("lbd: configuration {} is in force", self.snapshot.serial);
        Ok(())
    }
}

fn bind(address: SocketAddr, backlog: u32, count: usize) -> Result<Vec<OwnedFd>, NetError> {
    let mut options = ListenerOptions::new(address);
    options.backlog = backlog;
    // Our own sockets share the address. A stranger's must not: see whether it is free first.
    (0..count).map(|_| Listener::bind_fd(&options)).collect()
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

/// Persistence entries freed per table and second: 10 ms of work at most.
const EXPIRE_AT_ONCE: usize = 20_000;
