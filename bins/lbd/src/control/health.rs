//! Health: what probes and traffic saw becomes the standings of the pools.

use super::Control;
use crate::note::note;
use lb_balance::{Condition, standings};
use lb_config::{Health, Plan};
use lb_health::{Admin, Report, Status};
use lb_probe::{Event, Watched};
use lb_types::Slot;
use std::net::SocketAddr;
use std::sync::Arc;

impl Control {
    pub(super) fn on_health(&mut self, event: Event) {
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
                note(format_args!(
                    "backend {} of pool {} is {}",
                    backend.name,
                    pool.name(),
                    describe(view.status)
                ));
            }
            self.update(index);
        }
    }

    /// Failures in a row that the workers saw, told to whoever judges.
    pub(super) fn report_failures(&mut self) {
        for entry in &self.snapshot.pools {
            for backend in entry.pool.backends() {
                let failed = backend.load().failures();
                if failed > 0 {
                    self.prober.report(backend.id, Report::Row { failed });
                }
            }
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
                    advised_percent: 100,
                }
            })
            .collect();
        let made = standings(&conditions, plan.fail_open);
        if let Err(error) = entry.pool.apply(&made) {
            note(format_args!("pool {}: {error}", entry.pool.name()));
        }
    }

    pub(super) fn update_all(&self) {
        for index in 0..self.snapshot.pools.len() {
            self.update(index);
        }
    }
}

pub(super) fn watched(plan: &Plan) -> Result<Vec<Watched>, Box<dyn std::error::Error>> {
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
