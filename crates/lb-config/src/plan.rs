mod health;
mod listener;
mod made;
mod pool;
mod tls;

pub use health::{AgentCheck, Check, Health, HttpCheck, Origin, ProbeMethod};
pub use listener::{
    AccessLists, Action, ClientTimeouts, Forward, Forwarded, Http, Limits, Listener, Opening, Passthrough,
    PassthroughRoute, PerClient, ProxyProtocol, Route, Service, SocketFile, Tcp, UpstreamTimeouts,
};
pub use pool::{Backend, ClientIp, CookieInsert, Persistence, Pool, ProxyOut, ProxyVersion, Retries, Scheduling};
pub use tls::{Certificates, ClientAuth, PoolTls, ServerTls, Site, TrustedRoots};

pub(crate) use made::Made;

use lb_telemetry::Format;
use std::path::PathBuf;
use std::time::Duration;

/// What a configuration means: every name resolved, every default filled in, every range checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Worker threads; 0 is one per core. A change needs a restart.
    pub workers: u16,
    /// Where this process runs: backends of the same zone serve first.
    pub zone: Option<String>,
    /// How long a stopping process waits for requests under way.
    pub drain_timeout: Duration,
    /// The access log.
    pub log: Log,
    /// Where status is asked for and orders are given; `None`: nowhere.
    pub admin: Option<AdminSocket>,
    /// In the order of the file.
    pub listeners: Vec<Listener>,
    /// In the order of the file.
    pub pools: Vec<Pool>,
    pub(crate) files: Vec<PathBuf>,
}

/// Where access-log lines go, and what they look like.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// Where to.
    pub access: AccessLog,
    /// The form of a line.
    pub format: Format,
    /// Do the program's own lines on standard error begin with the time?
    pub event_time: bool,
}

/// The socket of the admin API.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminSocket {
    /// Its file.
    pub socket: PathBuf,
    /// The file's permissions.
    pub mode: u32,
    /// The file's group, by name or number; `None`: the process's own.
    pub group: Option<String>,
}

impl AdminSocket {
    /// What an empty section means: for the owner alone, at `/run/lbd/admin.sock`.
    pub const DEFAULT: &str = "/run/lbd/admin.sock";

    /// A socket for its owner alone.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            mode: 0o600,
            group: None,
        }
    }
}

/// Where access-log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, opened for appending.
    File(PathBuf),
}

impl Plan {
    /// Every other file, and every folder of files, that the plan was made from: secrets, certificates, lists of addresses.
    /// In order, each once. When one of them changes, reading the configuration again may give another plan.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    /// What was done to certificates when they were loaded, and what should be known of them, as lines: each once. What is
    /// wrong with one is also among the warnings.
    #[must_use]
    pub fn certificate_notes(&self) -> Vec<String> {
        let served = self.listeners.iter().filter_map(|listener| listener.tls.as_deref());
        let served = served.flat_map(ServerTls::all_sites).map(|site| &site.certificates);
        let shown = self
            .pools
            .iter()
            .filter_map(|pool| Some(&pool.tls.as_deref()?.certificates));
        let mut lines = Vec::new();
        for line in served
            .chain(shown)
            .flat_map(Certificates::notes)
            .map(ToString::to_string)
        {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// The pool of this name.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.name == name)
    }

    /// The listener of this name.
    #[must_use]
    pub fn listener(&self, name: &str) -> Option<&Listener> {
        self.listeners.iter().find(|listener| listener.name == name)
    }

    /// Positions of the pools that some listener sends to.
    #[must_use]
    pub fn used_pools(&self) -> Vec<usize> {
        let mut used: Vec<usize> = self
            .listeners
            .iter()
            .flat_map(Listener::forwards)
            .map(|to| to.pool)
            .collect();
        used.sort_unstable();
        used.dedup();
        used
    }
}
