mod error;
mod listener;
mod pool;
mod strategies;
mod tables;
mod tls;

pub use error::{BuildError, BuildErrors};

use crate::plan::{self, Forward, Plan, UpstreamTimeouts};
use lb_http::h1;
use lb_proxy::{ListenerEntry, PoolEntry, PoolOptions, ProxyOut, ProxyVersion, Snapshot};
use lb_store::{Tables, TablesOptions};
use pool::{BuiltPool, Surroundings};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Makes the snapshot that a plan describes.
///
/// Of `previous` is kept, by [`BackendId`](crate::BackendId) and by the pool's name: what backends are doing right now,
/// the place in the round, and who is up; by the pool's name and what keys are made from
/// ([`KeyShape`](lb_persist::KeyShape)): the tables of known clients; by address: the number of a listener's
/// connections. A pool that is reached with two sets of timeouts stands in the snapshot twice and is one pool all the same.
///
/// Starts nothing, opens nothing and changes nothing that `previous` uses: who finds afterwards that a socket cannot be
/// opened drops what was built.
///
/// # Errors
/// [`BuildErrors`]: of each pool and each listener the first thing that the data plane does not take. A resolved plan has
/// none.
pub fn build(plan: &Plan, previous: Option<&Snapshot>) -> Result<Built, BuildErrors> {
    let mut errors = Vec::new();
    let engine = tls::engine();
    let http: BTreeSet<usize> = plan
        .listeners
        .iter()
        .filter(|listener| matches!(listener.service, plan::Service::Http(_)))
        .flat_map(plan::Listener::forwards)
        .map(|forward| forward.pool)
        .collect();
    let pools: Vec<Option<BuiltPool>> = plan
        .pools
        .iter()
        .enumerate()
        .map(|(index, pool)| {
            let surroundings = Surroundings {
                zone: plan.zone.as_deref(),
                speaks_http: http.contains(&index),
                engine: &engine,
            };
            keep(pool::build(pool, &surroundings, previous), &mut errors)
        })
        .collect();
    let mut entries = PoolEntries {
        plan,
        pools: &pools,
        positions: HashMap::new(),
        list: Vec::new(),
    };
    let mut listeners = Vec::new();
    for listener in &plan.listeners {
        let same = previous.and_then(|snapshot| {
            snapshot
                .listeners
                .iter()
                .find(|entry| entry.options.address == listener.address)
        });
        let before = same.map(|entry| &entry.options);
        let options = listener::build(plan, listener, &mut entries, &engine, before);
        if let Some(options) = keep(options, &mut errors) {
            let connections = same.map_or_else(Arc::default, |entry| Arc::clone(&entry.connections));
            listeners.push(Arc::new(ListenerEntry { options, connections }));
        }
    }
    for index in 0..plan.pools.len() {
        entries.find_any(index);
    }
    let entries = entries.list;
    BuildErrors::none_in(errors)?;
    let serial = previous.map_or(1, |snapshot| snapshot.serial.saturating_add(1));
    Ok(Built {
        snapshot: Snapshot {
            serial,
            listeners,
            pools: entries,
        },
        tables: pools
            .into_iter()
            .flatten()
            .flat_map(|built| built.tables)
            .flatten()
            .collect(),
    })
}

/// A snapshot that nothing uses yet.
#[derive(Debug)]
#[must_use]
pub struct Built {
    snapshot: Snapshot,
    /// With the limits that they will have.
    tables: Vec<(Arc<Tables>, TablesOptions)>,
}

impl Built {
    /// What it will be.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// For use from now on: tables that are kept get their new limits.
    #[must_use]
    pub fn commit(self) -> Arc<Snapshot> {
        for (table, options) in self.tables {
            table.set_options(options);
        }
        Arc::new(self.snapshot)
    }
}

/// The part, unless it was refused.
fn keep<T>(part: Result<T, BuildError>, errors: &mut Vec<BuildError>) -> Option<T> {
    part.map_err(|error| errors.push(error)).ok()
}

/// The pools of the snapshot, one for each pool and set of timeouts that somebody uses.
struct PoolEntries<'a> {
    plan: &'a Plan,
    pools: &'a [Option<BuiltPool>],
    positions: HashMap<(usize, UpstreamTimeouts), usize>,
    list: Vec<Arc<PoolEntry>>,
}

impl PoolEntries<'_> {
    /// The position of the pool with these timeouts; `None`: there is no such pool. One that was refused has a position as
    /// well: nobody will see it.
    fn find(&mut self, forward: &Forward) -> Option<usize> {
        if let Some(position) = self.positions.get(&(forward.pool, forward.timeouts)) {
            return Some(*position);
        }
        let position = self.list.len();
        let planned = self.plan.pools.get(forward.pool)?;
        let Some(built) = self.pools.get(forward.pool)? else {
            return Some(position);
        };
        self.list.push(Arc::new(PoolEntry {
            pool: Arc::clone(&built.pool),
            tables: built
                .tables
                .each_ref()
                .map(|kept| kept.as_ref().map(|(table, _)| Arc::clone(table))),
            options: pool_options(planned, built, forward.timeouts),
        }));
        self.positions.insert((forward.pool, forward.timeouts), position);
        Some(position)
    }

    /// The position of the pool that a listener sends to.
    fn find_for(&mut self, listener: &str, forward: &Forward) -> Result<usize, BuildError> {
        self.find(forward).ok_or_else(|| BuildError::NoSuchPool {
            listener: listener.to_owned(),
            pool: forward.pool,
            pools: self.plan.pools.len(),
        })
    }

    /// Gives a pool that nobody uses a position too: its state is kept until somebody does.
    fn find_any(&mut self, pool: usize) {
        if !self.positions.keys().any(|(known, _)| *known == pool) {
            let _ = self.find(&Forward {
                pool,
                timeouts: UpstreamTimeouts::default(),
            });
        }
    }
}

fn pool_options(pool: &plan::Pool, built: &BuiltPool, timeouts: UpstreamTimeouts) -> PoolOptions {
    PoolOptions {
        connect_timeout: timeouts.connect,
        response_timeout: timeouts.response,
        idle_timeout: pool.keep_alive,
        max_idle: pool.max_idle_connections,
        retries: pool.retries.attempts,
        retry_percent: pool.retries.budget_percent,
        server_errors_fail: pool
            .health
            .as_ref()
            .is_some_and(|health| health.server_errors && health.rules.is_passive()),
        limits: Arc::new(h1::Limits {
            parsing: pool.parsing,
            ..codec_limits(&pool.limits)
        }),
        tls: built.tls.clone(),
        proxy: pool.proxy_protocol.map(proxy),
        transparent: pool.transparent,
    }
}

fn proxy(out: plan::ProxyOut) -> ProxyOut {
    ProxyOut {
        version: match out.version {
            plan::ProxyVersion::V1 => ProxyVersion::V1,
            plan::ProxyVersion::V2 => ProxyVersion::V2,
        },
        crc: out.crc,
        authority: out.authority,
        unique_id: out.unique_id,
        ssl: out.ssl,
        alpn: out.alpn,
    }
}

fn codec_limits(limits: &plan::Limits) -> h1::Limits {
    h1::Limits {
        head_bytes: limits.head_bytes,
        fields: limits.fields,
        target_bytes: limits.target_bytes,
        body_bytes: limits.body_bytes,
        ..h1::Limits::default()
    }
}
