//! Reloads: the file is read again on a thread of its own; what is wrong changes nothing.

use super::ControlLoop;
use super::files::Stamps;
use super::health::watched;
use super::orders::Orders;
use crate::access;
use crate::commands::run::say;
use crate::note::note;
use crate::sockets::{Opened, Wanted};
use lb_config::{Built, Plan, Problems, Resolved};
use lb_net::{Address, UnixSocket};
use lb_probe::{Asked, Watched};
use lb_proxy::{ListenerOptions, Order, Service, Snapshot};
use lb_types::Time;
use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::mem::discriminant;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where the configuration came from: only a file can be read again.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// With the text that it had at the start.
    File(PathBuf, Arc<str>),
    Arguments,
}

impl Source {
    /// The file, if it is one.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path, _) => Some(path),
            Self::Arguments => None,
        }
    }
}

/// What the reading of the file came to: its warnings, and what can be applied, or why nothing can.
pub(super) type Loaded = Result<(Problems, Result<Ready, String>), Problems>;

/// A configuration that was built, with all of its tables, and is not in force.
pub(super) struct Ready {
    plan: Plan,
    text: Arc<str>,
    /// What the files that it names were like before they were read.
    stamps: Stamps,
    built: Built,
    watched: Vec<Watched>,
    asked: Vec<Asked>,
    /// New Unix domain sockets of listeners, and the admin socket, if it is a new one. Their files go when they are dropped.
    files: HashMap<Address, UnixSocket>,
    admin: Option<UnixSocket>,
}

/// What of the present configuration the reading of another one goes by.
struct Present {
    snapshot: Arc<Snapshot>,
    /// Where its Unix domain sockets are.
    files: HashSet<Address>,
    admin: Option<PathBuf>,
}

impl Ready {
    /// Everything that may take long. Changes nothing that is in force.
    fn new(plan: Plan, text: Arc<str>, stamps: Stamps, present: &Present) -> Result<Self, Box<dyn Error>> {
        let built = lb_config::build(&plan, Some(&present.snapshot))?;
        let (watched, asked) = (watched(&plan, built.snapshot())?, super::agents::asked(&plan)?);
        let mut files = HashMap::new();
        for listener in &plan.listeners {
            if !present.files.contains(&listener.address)
                && let Some(socket) = Wanted::from(listener).open_file()?
            {
                files.insert(listener.address, socket);
            }
        }
        let admin = plan.admin.as_ref();
        let admin = admin.filter(|wanted| present.admin.as_ref() != Some(&wanted.socket));
        let admin = admin.map(super::admin::open).transpose()?;
        Ok(Self {
            plan,
            text,
            stamps,
            built,
            watched,
            asked,
            files,
            admin,
        })
    }
}

/// A configuration that is in force until the tables of the next one are made.
pub(super) struct Former {
    plan: Plan,
    snapshot: Arc<Snapshot>,
    orders: Orders,
    loaded: Time,
}

/// What is done when the tables of a new configuration are in force.
struct Arrival {
    /// Of these listeners the old sockets go.
    leaving: Vec<Address>,
    sockets: Vec<Opened>,
    log: Option<Option<(lb_proxy::AccessLog, access::Writer)>>,
}

impl ControlLoop {
    /// Reads the file again. Whatever is wrong, nothing changes and everything is said.
    pub(super) fn reload(&mut self) {
        let Source::File(path, _) = self.source.clone() else {
            note("there is no configuration file to read again");
            return;
        };
        self.load(path, None);
    }

    /// Reads again what the configuration that is in force names: certificates, keys, lists. Its own file may have been
    /// changed meanwhile, and nobody has asked for that.
    pub(super) fn reload_files(&mut self) {
        note("files that the configuration names have changed: they are loaded");
        let Source::File(path, _) = self.source.clone() else {
            return;
        };
        self.load(path, Some(Arc::clone(&self.text)));
    }

    fn load(&mut self, path: PathBuf, text: Option<Arc<str>>) {
        // What the one under way has opened is not among our sockets yet, and would be taken for another program's.
        if self.loading.is_some() || self.standings.has_result() {
            self.load_again = true;
            return;
        }
        // On a thread of its own: host names may take seconds to resolve, tables and the lock of a folder a good part of
        // one, and with one worker this thread carries traffic.
        let (tell, loading) = oneshot::channel();
        let present = Present {
            snapshot: Arc::clone(&self.snapshot),
            files: self.sockets.in_place(),
            admin: self.admin_path(),
        };
        let watched_before = self.files.paths();
        let load = move || {
            let stamps = Stamps::of(watched_before);
            let resolved = match text {
                None => lb_config::load(&path, &lb_config::System),
                Some(text) => {
                    let raw = lb_config::parse(&path.display().to_string(), &text);
                    lb_config::resolve(&raw, &lb_config::System)
                }
            };
            let loaded = resolved.map(|resolved| {
                let Resolved {
                    plan, warnings, text, ..
                } = resolved;
                if let Some(warning) = crate::transparent::forbidden(&plan) {
                    note(format_args!("warning: {warning}"));
                }
                let ready = Ready::new(plan, text, stamps, &present);
                (warnings, ready.map_err(|error| error.to_string()))
            });
            // Nobody waits for it when the program ends meanwhile.
            let _ = tell.send(loaded);
        };
        match std::thread::Builder::new().name("load".to_owned()).spawn(load) {
            Ok(_) => self.loading = Some(loading),
            Err(error) => self.refuse_reload(format_args!(": {error}")),
        }
    }

    /// The file was read again.
    pub(super) fn on_loaded(&mut self, loaded: Option<Loaded>) {
        match loaded {
            Some(Ok((warnings, ready))) => {
                say(&warnings);
                if let Err(error) = ready.map_err(Into::into).and_then(|ready| self.apply(ready)) {
                    self.reopen_log();
                    self.refuse_reload(format_args!(": {error}"));
                }
            }
            Some(Err(problems)) => {
                say(&problems);
                self.refuse_reload(format_args!(""));
                self.reopen_log();
            }
            None => self.refuse_reload(format_args!(": reading the file failed")),
        }
        self.load_what_came();
    }

    fn refuse_reload(&mut self, why: fmt::Arguments<'_>) {
        self.refused += 1;
        note(format_args!("reload refused, nothing was changed{why}"));
    }

    /// Somebody asked for another reload while one was under way.
    fn load_what_came(&mut self) {
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

    fn apply(&mut self, ready: Ready) -> Result<(), Box<dyn Error>> {
        let Ready {
            plan,
            text,
            stamps,
            built,
            watched,
            asked,
            mut files,
            admin,
        } = ready;
        let kept = |of: &Snapshot, address: Address, service: &Service| {
            of.listeners
                .iter()
                .any(|l| l.options.address == address && discriminant(&l.options.service) == discriminant(service))
        };
        let of_plan = |address| {
            let mut listeners = plan.listeners.iter();
            listeners.find(|listener| listener.address == address).map(Wanted::from)
        };
        let mut later = Vec::new();
        // New sockets before anything else: this is what can still fail.
        let mut wanted = Vec::new();
        // Their files are gone: nobody finds the sockets that workers have.
        let mut lost = Vec::new();
        for listener in &built.snapshot().listeners {
            let options = &listener.options;
            if !kept(&self.snapshot, options.address, &options.service) {
                wanted.extend(of_plan(options.address));
            } else if self.sockets.has_lost(options.address) {
                wanted.extend(of_plan(options.address));
                lost.push(options.address);
            } else if self
                .snapshot
                .listeners
                .iter()
                .any(|old| old.options.address == options.address && old.options.backlog != options.backlog)
            {
                later.push(format!("`backlog` of listener {}", options.name));
            }
        }
        let sockets = self.sockets.open(&wanted, self.workers.count(), &mut files)?;
        let log = if self.must_open(&plan.log) {
            Some(access::open(&plan.log)?)
        } else {
            None
        };
        let all: Vec<Wanted> = plan.listeners.iter().map(Wanted::from).collect();
        let former = self.sockets.adapt(&all)?;
        // The last that can fail.
        let admin = self.prepare_admin(plan.admin.as_ref(), admin).map_err(|error| {
            let left = self.sockets.change_back(former);
            format!("{error}{left}")
        })?;
        if plan.workers != self.plan.workers {
            later.push("`workers`".to_owned());
        }
        for what in later {
            note(format_args!("{what} takes effect at the next start, not at a reload"));
        }
        if admin.is_some() || plan.admin.is_none() {
            self.admin = admin;
        }
        let old = std::mem::replace(&mut self.snapshot, built.commit());
        let (orders, loaded) = (self.orders.clone(), self.loaded);
        self.loaded = lb_net::clock::monotonic();
        for line in self.orders.carry_over(Some(&self.plan), &plan, self.loaded) {
            note(line);
        }
        crate::note::with_time(plan.log.event_time);
        self.former = Some(Former {
            plan: std::mem::replace(&mut self.plan, plan),
            snapshot: Arc::clone(&old),
            orders,
            loaded,
        });
        self.text = text;
        self.files.watch(self.plan.files(), &stamps);
        for line in self.plan.certificate_notes() {
            note(line);
        }
        self.prober.replace(watched);
        self.agents.replace(asked);
        self.tell_prober_of_all();
        let leaves = |options: &ListenerOptions| {
            !kept(&self.snapshot, options.address, &options.service) || lost.contains(&options.address)
        };
        let leaving = old.listeners.iter().filter(|listener| leaves(&listener.options));
        let arrival = Arrival {
            leaving: leaving.map(|listener| listener.options.address).collect(),
            sockets,
            log,
        };
        self.rebuild_all(|control| control.arrive(arrival));
        Ok(())
    }

    /// The program is to stop: a configuration whose tables are not made will never be in force.
    pub(super) fn give_up_reload(&mut self) {
        let Some(former) = self.former.take() else { return };
        note(format_args!(
            "configuration {} does not come into force any more",
            self.snapshot.serial
        ));
        (self.plan, self.snapshot) = (former.plan, former.snapshot);
        (self.orders, self.loaded) = (former.orders, former.loaded);
        crate::note::with_time(self.plan.log.event_time);
        // Both went well before.
        if let (Ok(watched), Ok(asked)) = (watched(&self.plan, &self.snapshot), super::agents::asked(&self.plan)) {
            self.prober.replace(watched);
            self.agents.replace(asked);
        }
        self.tell_prober_of_all();
    }

    /// The last part of a reload: the workers follow.
    fn arrive(&mut self, arrival: Arrival) {
        for address in arrival.leaving {
            self.workers.tell(|| Order::Unlisten(address));
        }
        let listening = &self.snapshot.listeners;
        self.sockets
            .release(|address| listening.iter().any(|listener| listener.options.address == address));
        self.workers.tell(|| Order::Apply(Arc::clone(&self.snapshot)));
        if let Some(former) = self.former.take() {
            self.retired.add(&former.snapshot);
        }
        self.rebuild_former();
        for opened in arrival.sockets {
            let (address, sockets) = self.sockets.keep(opened);
            note(format_args!("listening on {address}"));
            self.workers.listen(address, sockets);
        }
        if let Some(log) = arrival.log {
            self.log_to(log);
        }
        note(format_args!("configuration {} is in force", self.snapshot.serial));
        self.load_what_came();
    }
}

/// What the reading of the file came to; never, when none is read.
pub(super) async fn loaded(loading: &mut Option<oneshot::Receiver<Loaded>>) -> Option<Loaded> {
    match loading {
        Some(receiver) => {
            let loaded = receiver.await.ok();
            *loading = None;
            loaded
        }
        None => std::future::pending().await,
    }
}
