use crate::agenda::Planned;
use crate::expiring::Expiring;
use crate::{Answer, Probe, View, Watched};
use lb_balance::Contact;
use lb_health::{Change, Machine, Rules, Status};
use lb_types::{BackendId, Time};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

/// One watched backend.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) watched: Watched,
    pub(crate) machine: Machine,
    /// Tells the results of an earlier machine from those of this one.
    pub(crate) generation: u64,
    pub(crate) task: Option<AbortHandle>,
    /// How long the last probe took.
    pub(crate) took: Option<Duration>,
    /// What stands in the agenda.
    pub(crate) planned: Planned,
    /// What is to be told.
    pub(crate) change: Option<Change>,
    /// What its certificates are like.
    pub(crate) expiring: Expiring,
    /// What workers found of its address; a good probe says better.
    pub(crate) contact: Option<Arc<Contact>>,
}

impl Entry {
    pub(crate) fn new(watched: Watched, generation: u64, seed: u64, now: Time) -> Self {
        Self {
            machine: Machine::new(effective(&watched), seed, now),
            watched,
            generation,
            task: None,
            took: None,
            planned: Planned::default(),
            change: None,
            expiring: Expiring::default(),
            contact: None,
        }
    }

    pub(crate) fn is_same_backend(&self, watched: &Watched) -> bool {
        match (self.watched.address, watched.address) {
            (Some(before), Some(after)) => before == after,
            // with no address to compare, the id says who it is
            _ => true,
        }
    }

    pub(crate) fn with(mut self, watched: Watched, now: Time) -> Self {
        self.machine.set_rules(effective(&watched), now);
        if self.watched.probe != watched.probe {
            self.expiring.forget();
        }
        self.watched = watched;
        self
    }

    pub(crate) fn begin(&mut self, backend: BackendId, now: Time, running: &mut JoinSet<Finished>) {
        let Some(probe) = self.watched.probe.clone() else {
            return;
        };
        if self.machine.probe_due(now) {
            let generation = self.generation;
            self.task = Some(running.spawn(async move {
                let started = Instant::now();
                let answer = probe.ask().await;
                Finished {
                    backend,
                    generation,
                    answer,
                    took: started.elapsed(),
                }
            }));
        }
    }

    /// What the machine wants next.
    pub(crate) fn plan(&self) -> Planned {
        Planned {
            probe: self.machine.next_probe(),
            step: self.machine.next_step(),
        }
    }

    /// Keeps a change until it is fetched; says whether it is the first one since then.
    pub(crate) fn tell(&mut self, change: Change) -> bool {
        let Change {
            from,
            to,
            percent,
            lasted,
            ..
        } = change;
        let name = &self.watched.name;
        match to {
            Status::Down(cause) if from.as_str() != to.as_str() => {
                tracing::warn!(backend = name, %from, %to, ?lasted, mend = cause.mend(), "health changed");
            }
            _ if from != to => tracing::info!(backend = name, %from, %to, percent, ?lasted, "health changed"),
            _ => tracing::debug!(backend = name, %to, percent, "slow start moved"),
        }
        match &mut self.change {
            Some(told) => {
                (told.to, told.percent, told.advised, told.at) = (to, percent, change.advised, change.at);
                false
            }
            None => {
                self.change = Some(change);
                true
            }
        }
    }

    pub(crate) fn view(&self, backend: BackendId, now: Time) -> View {
        let probe = self.watched.probe.as_ref();
        View {
            backend,
            name: self.watched.name.clone(),
            status: self.machine.status(),
            admin: self.machine.admin(),
            order: self.machine.order(),
            since: self.machine.since(),
            ramp_percent: self.machine.ramp(now),
            advised_percent: self.machine.advised(),
            against: self.machine.against(),
            out_until: self.machine.out_until(),
            results: self.machine.history().iter().collect(),
            next_probe: self.machine.next_probe(),
            took: self.took,
            certificate: self.expiring.last(),
            address: probe.map(Probe::address),
            elsewhere: probe.filter(|probe| probe.is_elsewhere()).map(Probe::address),
            source: probe.and_then(Probe::source),
            detection: probe.map(|probe| self.machine.rules().detection(probe.timeout())),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// What a probe's task ends with.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) backend: BackendId,
    pub(crate) generation: u64,
    pub(crate) answer: Answer,
    pub(crate) took: Duration,
}

/// The rules; without a probe they say so, or the machine would wait for one.
fn effective(watched: &Watched) -> Rules {
    if watched.probe.is_some() {
        watched.rules.clone()
    } else {
        watched.rules.without_probes()
    }
}
