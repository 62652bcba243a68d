use crate::plan::{Listener, Plan, Service};
use lb_types::{Address, BackendId};
use std::collections::BTreeMap;
use std::fmt;
use std::mem::discriminant;

/// What a reload would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Changes {
    /// Addresses to listen on from now on. One whose protocol changes is closed and opened.
    pub opened: Vec<Address>,
    /// Addresses to leave.
    pub closed: Vec<Address>,
    /// Backends that come, as `pool/backend`.
    pub added: Vec<String>,
    /// Backends that go.
    pub removed: Vec<String>,
    /// Keys whose new value waits for the next start, as one sentence each.
    pub waiting: Vec<String>,
}

impl Changes {
    /// From `old`, which is in force, to `new`.
    #[must_use]
    pub fn between(old: &Plan, new: &Plan) -> Self {
        let same = |a: &Listener, b: &Listener| a.address == b.address && speaks_the_same(&a.service, &b.service);
        let missing = |from: &Plan, to: &Plan| -> Vec<Address> {
            let gone = from
                .listeners
                .iter()
                .filter(|listener| !to.listeners.iter().any(|other| same(listener, other)));
            gone.map(|listener| listener.address).collect()
        };
        let (before, after) = (backends(old), backends(new));
        let only = |these: &BTreeMap<BackendId, String>, those: &BTreeMap<BackendId, String>| -> Vec<String> {
            let mut names: Vec<String> = these
                .iter()
                .filter(|(id, _)| !those.contains_key(id))
                .map(|(_, name)| name.clone())
                .collect();
            names.sort_unstable();
            names
        };
        Self {
            opened: missing(new, old),
            closed: missing(old, new),
            added: only(&after, &before),
            removed: only(&before, &after),
            waiting: waiting(old, new),
        }
    }

    /// Would nothing of this happen? Weights, timeouts and the like may have changed all the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Changes {
    /// One line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.opened
            .iter()
            .try_for_each(|address| writeln!(f, "opens {address}"))?;
        self.closed
            .iter()
            .try_for_each(|address| writeln!(f, "closes {address}"))?;
        self.added
            .iter()
            .try_for_each(|name| writeln!(f, "adds backend {name}"))?;
        self.removed
            .iter()
            .try_for_each(|name| writeln!(f, "removes backend {name}"))?;
        self.waiting.iter().try_for_each(|sentence| writeln!(f, "{sentence}"))
    }
}

fn waiting(old: &Plan, new: &Plan) -> Vec<String> {
    let mut sentences = Vec::new();
    if old.workers != new.workers {
        sentences.push(format!(
            "`workers` stays {} until the next start, then it is {}",
            workers(old.workers),
            workers(new.workers)
        ));
    }
    for listener in &new.listeners {
        let before = old
            .listeners
            .iter()
            .find(|other| other.address == listener.address && speaks_the_same(&other.service, &listener.service));
        if let Some(before) = before.filter(|before| before.backlog != listener.backlog) {
            sentences.push(format!(
                "`backlog` of listener \"{}\" stays {} until the next start, then it is {}",
                listener.name, before.backlog, listener.backlog
            ));
        }
    }
    sentences
}

fn workers(count: u16) -> String {
    if count == 0 {
        "0 (one per core)".to_owned()
    } else {
        count.to_string()
    }
}

fn speaks_the_same(a: &Service, b: &Service) -> bool {
    discriminant(a) == discriminant(b)
}

fn backends(plan: &Plan) -> BTreeMap<BackendId, String> {
    let of_pool = |pool: &crate::plan::Pool| -> Vec<(BackendId, String)> {
        pool.backends
            .iter()
            .map(|backend| (backend.id(pool), format!("{}/{}", pool.name, backend.name)))
            .collect()
    };
    plan.pools.iter().flat_map(of_pool).collect()
}
