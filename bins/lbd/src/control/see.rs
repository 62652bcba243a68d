//! What there is to see of the running program, as the admin API and SIGUSR1 show it.

use super::ControlLoop;
use lb_admin::ControlError;
use lb_admin::state::{
    Backend, Failure, Listener, PassedOver, Pool, Probe, Process, Seen, Share, Shown, State, Totals, Why,
};
use lb_balance::Standing;
use lb_health::{Admin, Status};
use lb_probe::{Expiry, View};
use lb_proxy::{PoolEntry, Service};
use lb_sched::Algorithm;
use lb_types::{BackendId, Slot, Time, Wall};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// The present on both clocks, to tell moments as dates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present {
    mono: Time,
    wall: Wall,
}

impl Present {
    pub(super) fn now() -> Self {
        let now = lb_net::clock::now();
        Self {
            mono: now.mono,
            wall: now.wall,
        }
    }

    fn text(self) -> String {
        lb_telemetry::timestamp(self.wall)
    }

    /// A moment that has been: its date, and how long ago it was.
    fn ago(self, at: Time) -> (String, f64) {
        let ago = self.mono.since(at);
        (lb_telemetry::timestamp(self.wall.before(ago)), seconds(ago))
    }

    /// A moment to come: its date, and in how long it is.
    fn ahead(self, at: Time) -> (String, f64) {
        let left = at.since(self.mono);
        (lb_telemetry::timestamp(self.wall.after(left)), seconds(left))
    }
}

/// To the microsecond: more is noise.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}

impl ControlLoop {
    /// Everything at once: for SIGUSR1.
    pub(super) fn see(&self) -> State {
        let mut state = self.see_frame();
        for pool in &self.plan.pools {
            if let Some((entry, mut seen)) = self.see_pool(&pool.name) {
                seen.backends = self.see_backends(entry, 0..seen.total);
                state.pools.push(seen);
            }
        }
        state
    }

    /// The process, its sums and its listeners.
    pub(super) fn see_frame(&self) -> State {
        let present = Present::now();
        let (started, started_seconds) = present.ago(self.started);
        let (loaded, loaded_seconds) = present.ago(self.loaded);
        let process = Process {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            workers: self.workers.count(),
            config: self.source.path().map(whole),
            serial: self.snapshot.serial,
            now: present.text(),
            started,
            started_seconds,
            loaded,
            loaded_seconds,
            refused: self.refused,
            stopping: self.stopping,
        };
        let listener = |entry: &std::sync::Arc<lb_proxy::ListenerEntry>| Listener {
            name: entry.options.name.clone(),
            address: entry.options.address.to_string(),
            protocol: match entry.options.service {
                Service::Tcp(_) => "tcp".to_owned(),
                Service::Passthrough(_) => "tls_passthrough".to_owned(),
                _ => "http".to_owned(),
            },
            connections: entry.connections.open(),
            max_connections: entry.options.max_connections,
            limited: entry.connections.limited(),
            crowded: entry.connections.crowded(),
            unaccepted: entry.connections.unaccepted(),
            counts: (&self.workers.of_listener(entry.options.address)).into(),
        };
        State {
            process,
            totals: Totals::from(&self.workers.counters()),
            listeners: self.snapshot.listeners.iter().map(listener).collect(),
            pools: Vec::new(),
            certificates: super::certificates::seen(&self.plan, present.wall),
        }
    }

    /// A pool without its backends.
    pub(super) fn see_pool(&self, name: &str) -> Option<(&PoolEntry, Pool)> {
        let plan = self.plan.pool(name)?;
        let entry = self.snapshot.pools.iter().find(|entry| entry.pool.name() == name)?;
        let pool = &entry.pool;
        let standings = pool.standings();
        let seen = Pool {
            name: name.to_owned(),
            algorithm: plan.algorithm.word().to_owned(),
            up: standings.iter().filter(|standing| standing.up).count(),
            taking: standings.iter().filter(|standing| takes_new(standing)).count(),
            total: pool.backends().len(),
            failed_open: self.failed_open.contains(name),
            // only turns follow weights exactly; the others know of no rounding either
            exact_shares: pool.is_exact()
                && matches!(plan.algorithm, Algorithm::WeightedRoundRobin | Algorithm::RoundRobin),
            unverified: plan.tls.as_ref().is_some_and(|tls| !tls.verify),
            counts: (&self.workers.of_pool(name)).into(),
            backends: Vec::new(),
        };
        Some((entry, seen))
    }

    /// Some backends of a pool, by their slots. `O(backends of the pool)`, with a view only of those asked for.
    pub(super) fn see_backends(&self, entry: &PoolEntry, which: impl IntoIterator<Item = usize>) -> Vec<Backend> {
        let Some(plan) = self.plan.pool(entry.pool.name()) else {
            return Vec::new();
        };
        let present = Present::now();
        let standings = entry.pool.standings();
        // Who is asked first, where not everybody is.
        let has_groups = entry.pool.backends().iter().any(|one| one.priority > 0 || !one.local);
        let tiers = if has_groups { entry.pool.tiers() } else { Vec::new() };
        let first: HashSet<Slot> = tiers.first().into_iter().flatten().map(|member| member.slot).collect();
        let is_first = |one: &Standing| takes_new(one) && (!has_groups || first.contains(&one.slot));
        // What the turns go by.
        let turns = |one: &Standing| match plan.algorithm {
            Algorithm::RoundRobin => 1,
            _ => weight(one),
        };
        let all: u32 = standings.iter().filter(|one| is_first(one)).map(turns).sum();
        // The first in the order of the configuration, while it has room.
        let foremost = standings.iter().filter(|one| is_first(one)).map(|one| one.slot).min();
        let share = |one: &Standing| match plan.algorithm {
            Algorithm::First if foremost == Some(one.slot) => 100.0,
            Algorithm::First => 0.0,
            _ => rounded(100.0 * f64::from(turns(one)) / f64::from(all.max(1))),
        };
        let mut seen = Vec::new();
        for index in which {
            let (Some(planned), Some(backend)) = (plan.backends.get(index), entry.pool.backends().get(index)) else {
                continue;
            };
            let slot = Slot(u32::try_from(index).unwrap_or(u32::MAX));
            // Standings stand in the order of the slots, as a rule.
            let standing = match standings.get(slot.index()) {
                Some(standing) if standing.slot == slot => Some(standing),
                _ => standings.iter().find(|standing| standing.slot == slot),
            };
            let view = self.prober.view(backend.id);
            let ordered = self.orders.of(backend.id);
            let admin = self.orders.admin(backend.id, planned);
            let (since, since_seconds) = present.ago(view.as_ref().map_or(ordered.since, |view| view.since));
            let full = self.orders.weight(backend.id, planned);
            let ramp_percent = view.as_ref().map_or(100, |view| view.ramp_percent);
            let agent = self.agents.state(backend.id);
            // Above 100 percent the weight grows, below it is a share of it.
            let grown = agent.map_or(full, |agent| agent.weight(full));
            let advised_percent = view.as_ref().map_or(100, |view| view.advised_percent);
            let taking = standing.is_some_and(takes_new);
            seen.push(Backend {
                pool: plan.name.clone(),
                name: backend.name.clone(),
                id: backend.id.to_string(),
                address: backend.address.to_string(),
                state: word(view.as_ref(), admin).to_owned(),
                takes: match standing {
                    Some(standing) if is_first(standing) => "everybody",
                    _ if taking => "overflow",
                    Some(standing) if standing.up => "known",
                    _ => "nobody",
                }
                .to_owned(),
                since,
                since_seconds,
                cause: match view.as_ref().map(|view| view.status) {
                    Some(Status::Down(cause)) => Some(Why::from(cause)),
                    _ => None,
                },
                admin: admin.as_str().to_owned(),
                admin_ordered: ordered.admin.is_some(),
                weight: Share {
                    configured: planned.weight.get(),
                    ordered: ordered.weight.map(|weight| weight.get()),
                    ramp_percent,
                    agent_percent: agent.map(|agent| agent.weight_percent),
                    effective: if taking {
                        f64::from(grown.get()) * f64::from(ramp_percent) * f64::from(advised_percent) / 10_000.0
                    } else {
                        0.0
                    },
                    share_percent: standing.filter(|one| is_first(one)).map_or(0.0, share),
                },
                in_flight: backend.load().in_flight(),
                max_connections: planned.max_connections,
                passed_over: backend.contact().passed_over().map(|passed| {
                    let (since, since_seconds) = present.ago(passed.since);
                    PassedOver {
                        cause: Why::from(passed.refusal.cause()),
                        since,
                        since_seconds,
                        next_seconds: present.ahead(passed.until).1,
                    }
                }),
                failures: backend.load().failures(),
                last_failure: self.workers.last_fault(backend).map(|fault| Failure {
                    at: lb_telemetry::timestamp(fault.at),
                    seconds_ago: seconds(present.wall.since(fault.at)),
                    end: fault.end.as_str().to_owned(),
                    detail: (!fault.detail.is_empty()).then(|| fault.detail.to_owned()),
                }),
                counts: (&self.workers.of_backend(backend.id)).into(),
                probe: view.as_ref().map(|view| Probe {
                    agent_note: agent.map(|agent| agent.note.clone()).filter(|note| !note.is_empty()),
                    agent_fault: self.agents.fault(backend.id).map(|fault| fault.to_string()),
                    ..probe(view, present)
                }),
            });
        }
        seen
    }

    /// The places of a pool and of a backend in it, by name.
    pub(super) fn find(&self, pool: &str, backend: &str) -> Result<(usize, Slot), ControlError> {
        let pools = || self.plan.pools.iter();
        let names = pools().map(|pool| pool.name.as_str());
        let index = self.snapshot.pools.iter().position(|entry| entry.pool.name() == pool);
        let (Some(plan), Some(index)) = (self.plan.pool(pool), index) else {
            return Err(ControlError::unknown_pool(pool, names));
        };
        let entry = self.snapshot.pools.get(index);
        let slot = entry.and_then(|entry| entry.pool.find(BackendId::of(pool, backend)));
        match slot.filter(|slot| {
            plan.backends
                .get(slot.index())
                .is_some_and(|known| known.name == backend)
        }) {
            Some(slot) => Ok((index, slot)),
            None => {
                let known = plan.backends.iter().map(|known| known.name.as_str());
                let others =
                    pools().flat_map(|pool| pool.backends.iter().map(|one| (pool.name.as_str(), one.name.as_str())));
                Err(ControlError::unknown_backend(pool, backend, known, others))
            }
        }
    }
}

/// The path as it is from anywhere.
fn whole(path: &Path) -> String {
    let whole = std::path::absolute(path);
    whole.as_deref().unwrap_or(path).display().to_string()
}

fn takes_new(standing: &Standing) -> bool {
    standing.up && standing.weight.get() > 0
}

fn weight(standing: &Standing) -> u32 {
    u32::from(standing.weight.get())
}

/// Two digits behind the point.
fn rounded(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

fn word(view: Option<&View>, admin: Admin) -> &'static str {
    match (view, admin) {
        (Some(view), _) => view.status.as_str(),
        (None, Admin::Drain) => Status::Draining.as_str(),
        (None, Admin::Maintenance) => Status::Maintenance.as_str(),
        (None, _) => "unchecked",
    }
}

fn probe(view: &View, present: Present) -> Probe {
    let result = |seen: &lb_health::Seen| {
        let (at, seconds_ago) = present.ago(seen.at);
        Seen {
            at,
            seconds_ago,
            ok: seen.result.is_ok(),
            cause: seen.result.err().map(Why::from),
        }
    };
    let results: Vec<Seen> = view.results.iter().take(Probe::RESULTS).map(result).collect();
    let (next, next_seconds) = view.next_probe.map(|at| present.ahead(at)).unzip();
    Probe {
        address: view.address.map(|address| address.to_string()),
        elsewhere: view.elsewhere.is_some(),
        source: view.source.map(|address| address.to_string()),
        next,
        next_seconds,
        took_seconds: view.took.map(seconds),
        certificate: view.certificate.map(|seen| {
            let expiry = Expiry::new(seen.not_after(), present.wall);
            let ends = Wall::from_secs(u64::try_from(expiry.not_after()).unwrap_or(0));
            Shown {
                not_after: lb_telemetry::timestamp(ends),
                days_left: expiry.days_left(),
                warning: expiry.step().map(|_| expiry.to_string()),
            }
        }),
        against: view.against,
        agent: (view.order != view.admin).then(|| view.order.as_str().to_owned()),
        detection_seconds: view.detection.map(seconds),
        last: results.first().cloned(),
        results,
        ..Probe::default()
    }
}
