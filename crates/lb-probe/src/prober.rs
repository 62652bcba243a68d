use crate::{Probe, View, Watched};
use lb_health::{Admin, Cause, Change, Machine, Report};
use lb_types::{BackendId, Time};
use std::collections::{BTreeMap, VecDeque};
use std::future;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Watches a set of backends: probes them when they are due and tells what changed.
///
/// It belongs to one task. Call [`Prober::next`] for ever; between its events (it may be dropped
/// and called again at any time) replace the watched backends, give orders, feed reports, look at views. To own it
/// from elsewhere, run [`Prober::serve`] as a task. Dropping it closes every socket.
#[derive(Debug)]
pub struct Prober {
    entries: BTreeMap<BackendId, Entry>,
    running: JoinSet<Finished>,
    /// At most one per backend.
    events: VecDeque<Event>,
    seed: u64,
    generation: u64,
    /// The same moment on tokio's clock and on ours.
    epoch: (Instant, Time),
}

impl Prober {
    /// Probes under way at one time. Bounds descriptors; with more backends, some wait.
    pub const MOST_AT_ONCE: usize = 256;

    /// Watches nobody yet. `seed` spreads the probes; `now` ties the runtime's clock to ours.
    #[must_use]
    pub fn new(seed: u64, now: Time) -> Self {
        Self {
            entries: BTreeMap::new(),
            running: JoinSet::new(),
            events: VecDeque::new(),
            seed,
            generation: 0,
            epoch: (Instant::now(), now),
        }
    }

    /// Watches exactly `watched` from now on (start or reload).
    ///
    /// A backend that was watched before keeps its health, counts and order, though its rules or its
    /// probe may be others. One whose own address changed is another machine: it starts anew and
    /// only its order stays. Of two with one id the last one counts.
    pub fn replace(&mut self, watched: Vec<Watched>) {
        let now = self.now();
        let mut old = std::mem::take(&mut self.entries);
        for watched in watched {
            let id = watched.backend;
            let entry = match old.remove(&id).or_else(|| self.entries.remove(&id)) {
                Some(entry) if entry.is_same_backend(&watched) => entry.with(watched, now),
                Some(entry) => {
                    let mut fresh = self.watch(watched, now);
                    if entry.machine.admin() != Admin::Ready {
                        fresh.machine.set_admin(entry.machine.admin(), now);
                    }
                    fresh
                }
                None => self.watch(watched, now),
            };
            self.entries.insert(id, entry);
        }
        self.events.retain(|event| self.entries.contains_key(&event.backend));
    }

    /// Gives an operator's order; says whether the backend is known. What changes is an event.
    pub fn set_admin(&mut self, backend: BackendId, admin: Admin) -> bool {
        let now = self.now();
        self.with_machine(backend, |machine| machine.set_admin(admin, now))
    }

    /// Feeds what traffic saw; says whether the backend is known. What changes is an event.
    pub fn report(&mut self, backend: BackendId, report: Report) -> bool {
        let now = self.now();
        self.with_machine(backend, |machine| machine.report(report, now))
    }

    /// The next change of any backend. Makes probes while it waits; ends only with an event.
    ///
    /// Cancel safe: dropped before it ends, nothing is lost.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let wake = self.advance();
            if self.events.is_empty() {
                self.wait(wake).await;
            }
        }
    }

    /// What there is to show, in the order of the ids.
    #[must_use]
    pub fn views(&self) -> Vec<View> {
        let now = self.now();
        self.entries.iter().map(|(id, entry)| entry.view(*id, now)).collect()
    }

    /// What there is to show of one backend.
    #[must_use]
    pub fn view(&self, backend: BackendId) -> Option<View> {
        self.entries.get(&backend).map(|entry| entry.view(backend, self.now()))
    }

    /// The present on our clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.epoch.1.after(self.epoch.0.elapsed())
    }

    fn watch(&mut self, watched: Watched, now: Time) -> Entry {
        self.generation += 1;
        let seed = self.seed ^ watched.backend.as_u64();
        let machine = Machine::new(effective(&watched), seed, now);
        Entry {
            machine,
            watched,
            generation: self.generation,
            task: None,
            took: None,
        }
    }

    /// Does all that is due; tells when something is due again, running probes aside.
    fn advance(&mut self) -> Option<Time> {
        let now = self.now();
        let mut due = Vec::new();
        for (id, entry) in &mut self.entries {
            if entry.machine.poll_timeout().is_some_and(|at| at <= now) {
                if let Some(change) = entry.machine.handle_timeout(now) {
                    tell(&mut self.events, *id, &entry.watched.name, change);
                }
                if let Some(at) = entry.machine.next_probe().filter(|at| *at <= now) {
                    due.push((at, *id));
                }
            }
        }
        due.sort_unstable();
        for (_, id) in due {
            if self.running.len() >= Self::MOST_AT_ONCE {
                break;
            }
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.begin(id, now, &mut self.running);
            }
        }
        // what is due and could not begin waits for a probe to end, not for a moment
        self.entries
            .values()
            .filter_map(|entry| entry.machine.poll_timeout())
            .filter(|at| *at > now)
            .min()
    }

    /// Waits for a probe to end or for `wake`.
    async fn wait(&mut self, wake: Option<Time>) {
        let wake = wake.map(|at| self.epoch.0 + at.since(self.epoch.1).min(LONGEST_WAIT));
        let finished = match (self.running.is_empty(), wake) {
            (true, None) => future::pending().await,
            (true, Some(wake)) => return sleep_until(wake).await,
            (false, None) => self.running.join_next().await,
            (false, Some(wake)) => timeout_at(wake, self.running.join_next()).await.unwrap_or(None),
        };
        match finished {
            Some(Ok(finished)) => self.finish(finished),
            Some(Err(error)) => self.lost(&error),
            None => {}
        }
    }

    fn finish(&mut self, finished: Finished) {
        let now = self.now();
        let Finished {
            backend,
            generation,
            result,
            took,
        } = finished;
        let Some(entry) = self
            .entries
            .get_mut(&backend)
            .filter(|entry| entry.generation == generation)
        else {
            return; // no longer watched
        };
        entry.task = None;
        entry.took = Some(took);
        if let Err(cause) = result {
            tracing::debug!(backend = %entry.watched.name, %cause, ?took, "probe failed");
        }
        if let Some(change) = entry.machine.report(Report::Probe(result), now) {
            tell(&mut self.events, backend, &entry.watched.name, change);
        }
    }

    /// A probe that ended without a result: our fault, or stopped because nobody wants it.
    fn lost(&mut self, error: &JoinError) {
        let is_it = |entry: &&Entry| entry.task.as_ref().is_some_and(|task| task.id() == error.id());
        if let Some(entry) = self.entries.values().find(is_it) {
            tracing::error!(backend = %entry.watched.name, %error, "probe was lost");
            let (backend, generation) = (entry.watched.backend, entry.generation);
            self.finish(Finished {
                backend,
                generation,
                result: Err(Cause::Local),
                took: Duration::ZERO,
            });
        }
    }

    fn with_machine(&mut self, backend: BackendId, act: impl FnOnce(&mut Machine) -> Option<Change>) -> bool {
        let Some(entry) = self.entries.get_mut(&backend) else {
            return false;
        };
        if let Some(change) = act(&mut entry.machine) {
            tell(&mut self.events, backend, &entry.watched.name, change);
        }
        true
    }
}

/// A change of one backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Which backend.
    pub backend: BackendId,
    /// What changed. Several changes that were not fetched in between are told as one.
    pub change: Change,
}

#[derive(Debug)]
struct Entry {
    watched: Watched,
    machine: Machine,
    /// Tells the results of an earlier machine from those of this one.
    generation: u64,
    task: Option<AbortHandle>,
    took: Option<Duration>,
}

impl Entry {
    fn is_same_backend(&self, watched: &Watched) -> bool {
        let address = |watched: &Watched| watched.probe.as_ref().map(Probe::backend);
        match (address(&self.watched), address(watched)) {
            (Some(before), Some(after)) => before == after,
            // with no address to compare, the id says who it is
            _ => true,
        }
    }

    fn with(mut self, watched: Watched, now: Time) -> Self {
        self.machine.set_rules(effective(&watched), now);
        self.watched = watched;
        self
    }

    fn begin(&mut self, backend: BackendId, now: Time, running: &mut JoinSet<Finished>) {
        let Some(probe) = self.watched.probe.clone() else {
            return;
        };
        if self.machine.probe_due(now) {
            let generation = self.generation;
            self.task = Some(running.spawn(async move {
                let started = Instant::now();
                let result = probe.run().await;
                Finished {
                    backend,
                    generation,
                    result,
                    took: started.elapsed(),
                }
            }));
        }
    }

    fn view(&self, backend: BackendId, now: Time) -> View {
        let probe = self.watched.probe.as_ref();
        View {
            backend,
            name: self.watched.name.clone(),
            status: self.machine.status(),
            admin: self.machine.admin(),
            since: self.machine.since(),
            ramp_percent: self.machine.ramp(now),
            against: self.machine.against(),
            results: self.machine.history().iter().collect(),
            next_probe: self.machine.next_probe(),
            took: self.took,
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

#[derive(Debug)]
struct Finished {
    backend: BackendId,
    generation: u64,
    result: Result<(), Cause>,
    took: Duration,
}

/// The rules; without a probe they say so, or the machine would wait for one.
fn effective(watched: &Watched) -> lb_health::Rules {
    if watched.probe.is_some() {
        watched.rules.clone()
    } else {
        watched.rules.without_probes()
    }
}

fn tell(events: &mut VecDeque<Event>, backend: BackendId, name: &str, change: Change) {
    let Change {
        from,
        to,
        percent,
        lasted,
        ..
    } = change;
    match to {
        lb_health::Status::Down(cause) if from.as_str() != to.as_str() => {
            tracing::warn!(backend = name, %from, %to, ?lasted, mend = cause.mend(), "health changed");
        }
        _ if from != to => tracing::info!(backend = name, %from, %to, percent, ?lasted, "health changed"),
        _ => tracing::debug!(backend = name, %to, percent, "slow start moved"),
    }
    match events.iter_mut().find(|event| event.backend == backend) {
        Some(event) => {
            (event.change.to, event.change.percent, event.change.at) = (to, percent, change.at);
        }
        None => events.push_back(Event { backend, change }),
    }
}

/// Longer waits are cut, because tokio's clock has an end.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 365 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HttpOptions, Kind, ProbeOptions};
    use lb_health::Rules;

    fn silent(n: u64, listener: &std::net::TcpListener) -> Watched {
        let kind = Kind::Http(HttpOptions::default());
        let options = ProbeOptions {
            kind,
            ..ProbeOptions::default()
        };
        let probe = Probe::new(listener.local_addr().unwrap(), options).unwrap();
        Watched::new(BackendId::from_u64(n), "silent", probe)
    }

    #[tokio::test]
    async fn no_more_probes_than_the_limit_are_under_way() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut prober = Prober::new(1, Time::ZERO);
        prober.replace((0..300).map(|n| silent(n, &listener)).collect());
        let wake = prober.advance();
        assert_eq!(prober.running.len(), 256);
        assert_eq!(wake, None, "those that are left wait for a probe to end");
        prober.advance();
        assert_eq!(prober.running.len(), 256);
        prober.replace(Vec::new());
        while prober.running.join_next().await.is_some() {}
        assert!(
            prober.events.is_empty(),
            "whoever is not watched any more is stopped and not told of"
        );
    }

    #[tokio::test]
    async fn a_lost_probe_is_our_fault_and_another_one_follows() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut prober = Prober::new(1, Time::ZERO);
        prober.replace(vec![silent(7, &listener).with_rules(Rules::default())]);
        let now = prober.now();
        let lost = prober.running.spawn(async { panic!("this is what the test is about") });
        let entry = prober.entries.get_mut(&BackendId::from_u64(7)).unwrap();
        assert!(entry.machine.probe_due(now));
        entry.task = Some(lost);
        prober.wait(None).await;
        let view = prober.view(BackendId::from_u64(7)).unwrap();
        assert_eq!(view.last().map(|seen| seen.result), Some(Err(Cause::Local)));
        assert!(view.next_probe.is_some());
        assert_eq!(view.status, lb_health::Status::Starting);
    }
}
