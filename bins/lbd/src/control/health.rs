//! Health: what probes and traffic saw becomes the standings of the pools.

use super::ControlLoop;
use super::orders::Orders;
use crate::note::note;
use lb_balance::{Condition, Pool};
use lb_config::{Health, Plan};
use lb_health::{Cause, Status, Traffic};
use lb_probe::{Agents, Event, Prober, Watched};
use lb_proxy::Snapshot;
use lb_types::{BackendId, Slot, Weight};
use std::sync::Arc;

impl ControlLoop {
    pub(super) fn on_health(&mut self, event: Event) {
        let mut told: Vec<*const Pool> = Vec::new();
        for (index, entry) in self.snapshot.pools.iter().enumerate() {
            let pool = &entry.pool;
            let Some(slot) = pool.find(event.backend) else { continue };
            // a pool that is reached with different timeouts has several entries
            if told.contains(&Arc::as_ptr(pool)) {
                continue;
            }
            told.push(Arc::as_ptr(pool));
            let change = event.change;
            if change.to == Status::Up {
                pool.connected(slot);
            }
            if let Some(backend) = pool.backends().get(slot.index())
                && change.from.as_str() != change.to.as_str()
            {
                note(format_args!(
                    "backend {} of pool {} is {}",
                    backend.name,
                    pool.name(),
                    describe(change.to)
                ));
            }
            let planned = self.plan.pool(pool.name());
            let Some(planned) = planned.and_then(|plan| plan.backends.get(slot.index())) else {
                continue;
            };
            let now = condition(&self.prober, &self.agents, &self.orders, planned, event.backend, slot);
            self.standings.note_condition(index, slot, &now);
        }
    }

    /// What the workers counted of each pool's traffic since the last call, told to whoever judges.
    pub(super) fn judge_traffic(&mut self) {
        let mut told: Vec<*const Pool> = Vec::new();
        for entry in &self.snapshot.pools {
            let pool = &entry.pool;
            let Some(plan) = self.plan.pool(pool.name()) else {
                continue;
            };
            let health = plan.health.as_ref();
            let is_judged = health.is_some_and(|health| health.rules.is_passive());
            if !is_judged || told.contains(&Arc::as_ptr(pool)) {
                continue;
            }
            told.push(Arc::as_ptr(pool));
            let seen: Vec<(BackendId, Traffic)> = pool
                .backends()
                .iter()
                .zip(&plan.backends)
                .map(|(backend, planned)| {
                    let load = backend.load();
                    let tally = load.take_tally();
                    let weight = weight(&self.agents, &self.orders, planned, backend.id);
                    let traffic = Traffic {
                        row: load.failures(),
                        ok: tally.ok,
                        failed: tally.failed,
                        time: tally.time,
                        is_weightless: weight == Weight::ZERO,
                    };
                    (backend.id, traffic)
                })
                .collect();
            self.prober.judge(&seen);
        }
    }
}

/// What decides the standing of one backend. States that are equal to a scheduler are equal here.
pub(super) fn condition(
    prober: &Prober,
    agents: &Agents,
    orders: &Orders,
    planned: &lb_config::Backend,
    backend: BackendId,
    slot: Slot,
) -> Condition {
    let health = prober.health(backend);
    let status = match health.map_or(Status::Up, |health| health.status) {
        Status::Starting => Status::Up,
        Status::Down(_) => Status::Down(Cause::Local),
        other => other,
    };
    Condition {
        slot,
        weight: weight(agents, orders, planned, backend),
        status,
        // the machine knows the operator's order, and its agent's beside it
        admin: health.map_or_else(|| orders.admin(backend, planned), |health| health.order),
        ramp_percent: health.map_or(100, |health| health.ramp_percent),
        advised_percent: health.map_or(100, |health| health.advised_percent),
    }
}

/// The weight in force: configured or ordered, and then what its agent makes of it.
fn weight(agents: &Agents, orders: &Orders, planned: &lb_config::Backend, backend: BackendId) -> Weight {
    let weight = orders.weight(backend, planned);
    agents.state(backend).map_or(weight, |state| state.weight(weight))
}

/// Whoever is watched; over TLS by what `snapshot` has for them.
pub(super) fn watched(plan: &Plan, snapshot: &Snapshot) -> Result<Vec<Watched>, Box<dyn std::error::Error>> {
    let mut list = Vec::new();
    for pool in &plan.pools {
        let Some(health) = &pool.health else { continue };
        let entry = snapshot.pools.iter().find(|entry| entry.pool.name() == pool.name);
        let tls = entry
            .filter(|_| health.tls != Some(false))
            .map(|entry| &entry.options.tls);
        for (slot, backend) in pool.backends.iter().enumerate() {
            let (id, name) = (backend.id(pool), format!("{}/{}", pool.name, backend.name));
            let watched = match probe(health, backend.address)? {
                Some(probe) => {
                    let tls = tls.and_then(|tls| tls.get(slot)?.clone());
                    Watched::new(id, &name, probe.with_tls(tls))
                }
                None => Watched::without_probe(id, &name).with_address(backend.address),
            };
            list.push(watched.with_rules(health.rules.clone()));
        }
    }
    Ok(list)
}

fn probe(health: &Health, address: lb_types::Address) -> Result<Option<lb_probe::Probe>, Box<dyn std::error::Error>> {
    Ok(lb_config::probe(health, address)?)
}

/// How many probes may be under way: a quarter of the descriptors, so that clients keep the rest.
pub(crate) fn probes_at_once(descriptors: Option<u64>) -> usize {
    let quarter = descriptors.map_or(MOST_PROBES, |most| usize::try_from(most / 4).unwrap_or(MOST_PROBES));
    quarter.clamp(16, MOST_PROBES)
}

fn describe(status: Status) -> String {
    match status {
        Status::Down(cause) => format!("down: {cause} ({})", cause.mend()),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// 10,000 silent backends, 2 s of timeout, 5 s of interval: 4,000 probes are under way.
const MOST_PROBES: usize = 4_096;
