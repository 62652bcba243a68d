use super::BuildError;
use super::strategies::{client_ip, cookie_insert};
use super::tables::{self, KeptTables};
use super::tls;
use crate::plan::{self, Persistence};
use lb_balance::{Backend, Pool, Spread, Standing};
use lb_persist::Strategy;
use lb_proxy::Snapshot;
use lb_sched::BoundedLoad;
use lb_tls::{Engine, UpstreamTls};
use lb_types::{BackendId, Slot};
use std::sync::Arc;

/// A pool and its tables, without the timeouts of those who use it.
pub(super) struct BuiltPool {
    pub(super) pool: Arc<Pool>,
    pub(super) tables: KeptTables,
    /// By slot; empty: no TLS.
    pub(super) tls: Vec<Option<Arc<UpstreamTls>>>,
}

/// What a pool is built by, besides its plan.
pub(super) struct Surroundings<'a> {
    pub(super) zone: Option<&'a str>,
    /// Does some HTTP listener send to it?
    pub(super) speaks_http: bool,
    pub(super) engine: &'a Engine,
}

pub(super) fn build(
    planned: &plan::Pool,
    around: &Surroundings<'_>,
    previous: Option<&Snapshot>,
) -> Result<BuiltPool, BuildError> {
    let zone = around.zone;
    let old = previous.and_then(|snapshot| snapshot.pools.iter().find(|entry| entry.pool.name() == planned.name));
    let standings_before = old.map(|entry| entry.pool.standings()).unwrap_or_default();
    let mut backends = Vec::new();
    let mut standings = Vec::new();
    for (backend, slot) in planned.backends.iter().zip((0..).map(Slot)) {
        let new = Backend::new(
            &planned.name,
            &backend.name,
            backend.address,
            backend.weight,
            backend.max_connections,
        )
        .with_priority(backend.priority)
        .with_local(zone.is_none() || backend.zone.as_deref() == zone);
        let known = old.and_then(|entry| {
            let slot = entry.pool.find(new.id)?;
            let backend = entry.pool.backends().get(slot.index())?;
            Some((backend, slot))
        });
        // Who moved to another address is another server: nothing is known of it, neither its health nor its load, which
        // holds the failures that would be held against it.
        let same = known.filter(|(before, _)| before.address == backend.address);
        let was_up = same.and_then(|(_, slot)| standings_before.iter().find(|standing| standing.slot == slot));
        standings.push(Standing {
            slot,
            weight: backend.weight_now(),
            up: was_up.is_none_or(|standing| standing.up),
        });
        backends.push(Arc::new(match same {
            Some((before, _)) => new
                .with_load(Arc::clone(before.load()))
                .with_contact(Arc::clone(before.contact())),
            None => new,
        }));
    }
    let ids: Vec<BackendId> = backends.iter().map(|backend| backend.id).collect();
    let mut strategies: Vec<Box<dyn Strategy>> = Vec::new();
    let mut keyed = Vec::new();
    for way in &planned.persistence {
        let (strategy, options): (Box<dyn Strategy>, _) = match way {
            Persistence::CookieInsert(cookie) => (Box::new(cookie_insert(planned, cookie, &ids)?), None),
            Persistence::ClientIp(client) => (Box::new(client_ip(planned, client)?), Some(tables::options(client))),
        };
        keyed.push(strategy.key_shape().zip(options));
        strategies.push(strategy);
    }
    let tables = tables::keep(keyed, old.map(|entry| &**entry));
    if let Some(by) = &planned.scheduling.hash {
        strategies.push(Box::new(by.clone()));
    }
    let tls = match &planned.tls {
        Some(tls) => tls::upstream(
            planned,
            tls,
            around.speaks_http,
            old.map(|entry| &**entry),
            around.engine,
        )?,
        None => Vec::new(),
    };
    let old = old.map(|entry| &*entry.pool);
    let spread = spread(planned, zone)?;
    let pool =
        Pool::new(&planned.name, backends, strategies, spread, &standings, old).map_err(|source| BuildError::Pool {
            pool: planned.name.clone(),
            backends: planned.backends.len(),
            source,
        })?;
    Ok(BuiltPool {
        pool: Arc::new(pool),
        tables,
        tls,
    })
}

/// How requests are spread. Where no backend has a zone, zones do not count.
fn spread(pool: &plan::Pool, zone: Option<&str>) -> Result<Spread, BuildError> {
    let scheduling = &pool.scheduling;
    let mut recipe = pool.recipe();
    if let Some(percent) = scheduling.bounded_load_percent {
        let bound = BoundedLoad::percent(percent).map_err(|source| BuildError::BoundedLoad {
            pool: pool.name.clone(),
            percent,
            source,
        })?;
        recipe = recipe.with_bounded_load(bound);
    }
    let mut spread = Spread::from(recipe);
    spread.latency_decay = scheduling.ewma_decay;
    if let Some(health) = &pool.health {
        let rules = &health.rules;
        let passive = &rules.options().passive;
        let by_window = passive.latency_factor.is_some() || passive.success_rate_percent.is_some();
        // without probes only a success says that a backend is up
        spread.observe.outcomes = by_window || (rules.is_passive() && !rules.options().probing);
    }
    spread.groups.join_below_percent = scheduling.backup_below_percent;
    if zone.is_some() && pool.backends.iter().any(|backend| backend.zone.is_some()) {
        spread.groups.local_above_percent = Some(scheduling.other_zones_below_percent);
    }
    Ok(spread)
}
