use super::strategies::{client_ip, cookie_insert};
use super::tables::{self, KeptTables};
use crate::plan::{self, Persistence};
use lb_balance::{Backend, Pool, Spread, Standing};
use lb_persist::Strategy;
use lb_proxy::Snapshot;
use lb_sched::BoundedLoad;
use lb_types::{BackendId, Slot};
use std::sync::Arc;

/// A pool and its tables, without the timeouts of those who use it.
pub(super) struct BuiltPool {
    pub(super) pool: Arc<Pool>,
    pub(super) tables: KeptTables,
}

pub(super) fn build(pool: &plan::Pool, zone: Option<&str>, previous: Option<&Snapshot>) -> Result<BuiltPool, String> {
    let old = previous.and_then(|snapshot| snapshot.pools.iter().find(|entry| entry.pool.name() == pool.name));
    let standings_before = old.map(|entry| entry.pool.standings()).unwrap_or_default();
    let mut backends = Vec::new();
    let mut standings = Vec::new();
    for (backend, slot) in pool.backends.iter().zip((0..).map(Slot)) {
        let new = Backend::new(
            &pool.name,
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
    for way in &pool.persistence {
        let (strategy, options): (Box<dyn Strategy>, _) = match way {
            Persistence::CookieInsert(cookie) => (Box::new(cookie_insert(pool, cookie, &ids)?), None),
            Persistence::ClientIp(client) => (Box::new(client_ip(client)?), Some(tables::options(client))),
        };
        keyed.push(strategy.key_shape().zip(options));
        strategies.push(strategy);
    }
    let tables = tables::keep(keyed, old.map(|entry| &**entry));
    if let Some(by) = &pool.scheduling.hash {
        strategies.push(Box::new(by.clone()));
    }
    let old = old.map(|entry| &*entry.pool);
    let spread = spread(pool, zone)?;
    let pool =
        Pool::new(&pool.name, backends, strategies, spread, &standings, old).map_err(|error| error.to_string())?;
    Ok(BuiltPool {
        pool: Arc::new(pool),
        tables,
    })
}

/// How requests are spread. Where no backend has a zone, zones do not count.
fn spread(pool: &plan::Pool, zone: Option<&str>) -> Result<Spread, String> {
    let scheduling = &pool.scheduling;
    let mut recipe = pool.recipe();
    if let Some(percent) = scheduling.bounded_load_percent {
        recipe = recipe.with_bounded_load(BoundedLoad::percent(percent).map_err(|error| error.to_string())?);
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
