//! Health: what probes and traffic saw becomes the standings of the pools.

use super::Control;
use super::orders::Orders;
use crate::note::note;
use lb_balance::{Condition, Pool, standings};
use lb_config::{Health, Plan};
use lb_health::{Cause, Status, Traffic};
use lb_probe::{Agents, Event, Prober, Watched};
use lb_types::{BackendId, Slot, Time, Weight};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Standings that are to be made anew, and what those in force were made from.
#[derive(Debug, Default)]
pub(super) struct Standings {
    /// By the place of the pool in the snapshot.
    pools: HashMap<usize, Made>,
}

#[derive(Debug, Default)]
struct Made {
    from: Vec<Condition>,
    /// Something changed since.
    is_stale: bool,
    /// Not made anew before: large tables take time, and many backends may change at once.
    rests_until: Time,
}

impl Standings {
    /// Waits until the standings of a pool are to be made, and names it. Cancel safe.
    pub(super) async fn due(&self) -> usize {
        let stale = self.pools.iter().filter(|(_, made)| made.is_stale);
        let Some((index, made)) = stale.min_by_key(|(_, made)| made.rests_until) else {
            return std::future::pending().await;
        };
        let wait = made.rests_until.since(lb_net::clock::monotonic());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        *index
    }
}

impl Standings {
    /// Something about the pool in this place changed.
    pub(super) fn make_stale(&mut self, index: usize) {
        self.pools.entry(index).or_default().is_stale = true;
    }
}

impl Control {
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
            let made = self.standings.pools.entry(index).or_default();
            made.is_stale |= made.from.get(slot.index()) != Some(&now);
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

    /// Makes the standings of a pool from configuration and health.
    pub(super) fn update(&mut self, index: usize) {
        let begun = lb_net::clock::monotonic();
        let Some(entry) = self.snapshot.pools.get(index) else {
            self.standings.pools.remove(&index);
            return;
        };
        let Some(plan) = self.plan.pool(entry.pool.name()) else {
            self.standings.pools.remove(&index);
            return;
        };
        let conditions: Vec<Condition> = plan
            .backends
            .iter()
            .zip(entry.pool.backends())
            .zip((0..).map(Slot))
            .map(|((planned, backend), slot)| {
                condition(&self.prober, &self.agents, &self.orders, planned, backend.id, slot)
            })
            .collect();
        let made = standings(&conditions, plan.fail_open);
        let (name, is_open) = (plan.name.clone(), made.failed_open);
        if let Err(error) = entry.pool.apply(&made) {
            note(format_args!("pool {}: {error}", entry.pool.name()));
        }
        self.retired.follow(&entry.pool, &conditions, plan.fail_open);
        let now = lb_net::clock::monotonic();
        let rest = now.since(begun).saturating_mul(RESTS).min(LONGEST_REST);
        let made = Made {
            from: conditions,
            is_stale: false,
            rests_until: now.after(rest),
        };
        self.standings.pools.insert(index, made);
        self.tell_open(&name, is_open);
    }

    /// Remembers which pools ignore health, and tells when that changes.
    fn tell_open(&mut self, pool: &str, is_open: bool) {
        let open = &mut self.failed_open;
        if is_open && !open.contains(pool) {
            open.insert(pool.to_owned());
            note(format_args!(
                "pool {pool} fails open: too few backends are up, so health is ignored"
            ));
        } else if !is_open && open.remove(pool) {
            note(format_args!("pool {pool} goes by health again"));
        }
    }

    /// The standings of the pool of this name, made anew.
    pub(super) fn update_named(&mut self, name: &str) {
        // Entries of one name are one pool.
        if let Some(index) = self.snapshot.pools.iter().position(|entry| entry.pool.name() == name) {
            self.update(index);
        }
    }

    pub(super) fn update_all(&mut self) {
        self.standings = Standings::default();
        for index in 0..self.snapshot.pools.len() {
            self.update(index);
        }
    }
}

/// What decides the standing of one backend. States that are equal to a scheduler are equal here.
fn condition(
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

pub(super) fn watched(plan: &Plan) -> Result<Vec<Watched>, Box<dyn std::error::Error>> {
    let mut list = Vec::new();
    for pool in &plan.pools {
        let Some(health) = &pool.health else { continue };
        for backend in &pool.backends {
            let (id, name) = (backend.id(pool), format!("{}/{}", pool.name, backend.name));
            let watched = match probe(health, backend.address)? {
                Some(probe) => Watched::new(id, &name, probe),
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

/// Making standings takes at most a tenth of this thread's time: after each, a rest nine times as long,
const RESTS: u32 = 9;
/// and no longer than anybody would wait.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// 10,000 silent backends, 2 s of timeout, 5 s of interval: 4,000 probes are under way.
const MOST_PROBES: usize = 4_096;
