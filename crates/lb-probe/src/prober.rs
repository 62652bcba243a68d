use crate::agenda::{Agenda, Planned};
use crate::entry::{Entry, Finished};
use crate::pace::Pace;
use crate::{Probe, View, Watched};
use lb_balance::Contact;
use lb_health::{Admin, Advice, Cause, Change, Machine, Report, Status, Traffic};
use lb_types::{BackendId, Time};
use std::collections::{BTreeMap, VecDeque};
use std::future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Watches a set of backends: probes them when they are due and tells what changed.
///
/// It belongs to one task. Call [`Prober::next`] for ever; between its events (it may be dropped
/// and called again at any time) replace the watched backends, give orders, feed reports, look at views. To own it
/// from elsewhere, run [`Prober::serve`] as a task. Dropping it closes every socket.
#[derive(Debug)]
pub struct Prober {
    entries: BTreeMap<BackendId, Entry>,
    agenda: Agenda,
    running: JoinSet<Finished>,
    most_at_once: usize,
    pace: Pace,
    /// Probes wait so long for room that it was said.
    is_late: bool,
    /// Whose change is to be told. Who is not watched any more, or was told of already, is passed over.
    changed: VecDeque<BackendId>,
    seed: u64,
    generation: u64,
    /// The same moment on tokio's clock and on ours.
    epoch: (Instant, Time),
}

impl Prober {
    /// Probes under way at one time, unless told otherwise ([`Prober::with_most_at_once`]).
    pub const MOST_AT_ONCE: usize = 256;
    /// Between the first probes of two backends that began to be watched together: 2,000 a second.
    pub const FIRST_GAP: Duration = Duration::from_micros(500);

    /// Watches nobody yet. `seed` spreads the probes; `now` ties the runtime's clock to ours.
    #[must_use]
    pub fn new(seed: u64, now: Time) -> Self {
        Self {
            entries: BTreeMap::new(),
            agenda: Agenda::default(),
            running: JoinSet::new(),
            most_at_once: Self::MOST_AT_ONCE,
            pace: Pace::new(Self::FIRST_GAP),
            is_late: false,
            changed: VecDeque::new(),
            seed,
            generation: 0,
            epoch: (Instant::now(), now),
        }
    }

    /// The same with at most `probes` under way at one time, at least one. Each takes a descriptor; with more backends
    /// than that, some may have to wait. Backends that all keep silent hold
    /// `backends * timeout / interval` of them.
    #[must_use]
    pub fn with_most_at_once(mut self, probes: usize) -> Self {
        self.most_at_once = probes.max(1);
        self
    }

    /// Watches exactly `watched` from now on (start or reload).
    ///
    /// A backend that was watched before keeps its health, counts and order, though its rules or its
    /// probe may be others. One whose own address changed is another machine: it starts anew and
    /// only its order stays. Of two with one id the last one counts.
    ///
    /// Probes that are due at once come one each [`Prober::FIRST_GAP`], those with the shortest interval first, and all
    /// within their interval: a small pool is judged at once, and thousands of backends do not make a burst.
    pub fn replace(&mut self, watched: Vec<Watched>) {
        let now = self.now();
        let mut old = std::mem::take(&mut self.entries);
        let mut places = Vec::with_capacity(watched.len());
        for watched in watched {
            let id = watched.backend;
            let entry = match old.remove(&id).or_else(|| self.entries.remove(&id)) {
                Some(entry) if entry.is_same_backend(&watched) => entry.with(watched, now),
                Some(mut entry) => {
                    self.agenda.plan(id, &mut entry.planned, Planned::default());
                    let mut fresh = self.watch(watched, now);
                    if entry.machine.admin() != Admin::Ready {
                        fresh.machine.set_admin(entry.machine.admin(), now);
                    }
                    fresh
                }
                None => self.watch(watched, now),
            };
            self.entries.insert(id, entry);
            places.push(id);
        }
        for (id, mut entry) in old {
            self.agenda.plan(id, &mut entry.planned, Planned::default());
        }
        self.spread(places, now);
    }

    /// Gives an operator's order; says whether the backend is known. What changes is an event.
    pub fn set_admin(&mut self, backend: BackendId, admin: Admin) -> bool {
        if admin == Admin::Maintenance
            && let Some(entry) = self.entries.get_mut(&backend)
            && let Some(task) = entry.task.take()
        {
            // what it finds is of before the maintenance, and would be heard after it
            task.abort();
            self.generation += 1;
            entry.generation = self.generation;
        }
        self.with_machine(backend, |machine, now| machine.set_admin(admin, now))
    }

    /// Tells `contact` of each good probe of this backend: where connections are refused, a probe may be the first to be
    /// taken again. Not when another address is probed than the traffic's.
    pub fn attach(&mut self, backend: BackendId, contact: &Arc<Contact>) {
        if let Some(entry) = self.entries.get_mut(&backend) {
            let is_elsewhere = entry.watched.probe.as_ref().is_none_or(Probe::is_elsewhere);
            entry.contact = (!is_elsewhere).then(|| Arc::clone(contact));
        }
    }

    /// Feeds what traffic saw; says whether the backend is known. What changes is an event.
    pub fn report(&mut self, backend: BackendId, report: Report) -> bool {
        self.with_machine(backend, |machine, now| machine.report(report, now))
    }

    /// Passes on what a backend's agent asks for; says whether the backend is known. What changes is an event.
    pub fn advise(&mut self, backend: BackendId, advice: Advice) -> bool {
        self.with_machine(backend, |machine, now| machine.advise(advice, now))
    }

    /// Feeds what traffic saw of a whole pool since the last call, and takes out who is judged by it
    /// ([`lb_health::judge`], by the rules of the first that is known). What changes is an event. Call it about once a
    /// second. `O(n log n)`.
    pub fn judge(&mut self, pool: &[(BackendId, Traffic)]) {
        let now = self.now();
        let mut rules = None;
        let mut members = Vec::with_capacity(pool.len());
        for (backend, traffic) in pool {
            self.with_machine(*backend, |machine, now| machine.saw(*traffic, now));
            if let Some(entry) = self.entries.get_mut(backend) {
                rules.get_or_insert_with(|| entry.machine.rules().clone());
                members.push(entry.machine.member(*backend, now));
            }
        }
        let Some(rules) = rules.filter(lb_health::Rules::is_passive) else {
            return;
        };
        lb_health::judge(&rules, &mut members);
        for member in members {
            if let Some(cause) = member.verdict() {
                self.report(member.backend(), Report::Eject(cause));
            }
        }
    }

    /// The next change of any backend. Makes probes while it waits; ends only with an event.
    ///
    /// Cancel safe: dropped before it ends, nothing is lost.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.take_event() {
                return event;
            }
            let wake = self.advance();
            if self.changed.is_empty() {
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

    /// What decides whether one backend gets traffic. Cheap: nothing is copied.
    #[must_use]
    pub fn health(&self, backend: BackendId) -> Option<Health> {
        let machine = &self.entries.get(&backend)?.machine;
        Some(Health {
            status: machine.status(),
            order: machine.order(),
            ramp_percent: machine.ramp(self.now()),
            advised_percent: machine.advised(),
        })
    }

    /// The present on our clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.epoch.1.after(self.epoch.0.elapsed())
    }

    fn watch(&mut self, watched: Watched, now: Time) -> Entry {
        self.generation += 1;
        let seed = self.seed ^ watched.backend.as_u64();
        Entry::new(watched, self.generation, seed, now)
    }

    /// Makes the plan of all, with those that are due at once one after the other.
    fn spread(&mut self, mut places: Vec<BackendId>, now: Time) {
        let probed = self.entries.values().filter(|entry| entry.watched.probe.is_some());
        let intervals = probed.map(|entry| entry.machine.rules().options().interval);
        self.pace.set_intervals(intervals, Self::FIRST_GAP);
        let interval = |entries: &BTreeMap<BackendId, Entry>, id: &BackendId| {
            let entry = entries.get(id)?;
            let is_due = entry.machine.next_probe().is_some_and(|at| at <= now);
            is_due.then(|| entry.machine.rules().options().interval)
        };
        // `sort_by_key` is stable: the order of the list stays
        places.sort_by_key(|id| interval(&self.entries, id));
        let mut gap = Duration::ZERO;
        for id in places {
            let due = interval(&self.entries, &id);
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            if let Some(interval) = due {
                let wait = gap.as_nanos() % interval.as_nanos().max(1);
                let wait = Duration::from_nanos(u64::try_from(wait).unwrap_or(0));
                entry.machine.delay_probe(now.after(wait));
                gap = gap.saturating_add(Self::FIRST_GAP);
            }
            let plan = entry.plan();
            self.agenda.plan(id, &mut entry.planned, plan);
        }
    }

    /// Does all that is due; tells when something is due again, running probes aside.
    fn advance(&mut self) -> Option<Time> {
        let now = self.now();
        while let Some(id) = self.agenda.step_due(now) {
            if !self.with_machine(id, |machine, now| machine.handle_timeout(now)) {
                debug_assert!(false, "who is in the agenda is watched");
                break;
            }
        }
        let mut due_since = None;
        let mut free = None;
        while let Some((since, id)) = self.agenda.probe_due(now) {
            if self.running.len() >= self.most_at_once {
                due_since = Some(since);
                break;
            }
            free = self.pace.begin(now).err();
            if free.is_some() {
                break;
            }
            let Some(entry) = self.entries.get_mut(&id) else { break };
            entry.begin(id, now, &mut self.running);
            let plan = entry.plan();
            self.agenda.plan(id, &mut entry.planned, plan);
        }
        self.tell_lateness(due_since, now);
        // what is due and could not begin waits for a probe to end, or for the pace, not for its moment
        let next = self.agenda.next(due_since.is_none() && free.is_none());
        [next, free].into_iter().flatten().min()
    }

    /// Says once that probes wait for room, and once that they do not any more.
    fn tell_lateness(&mut self, due_since: Option<Time>, now: Time) {
        let late = due_since.map_or(Duration::ZERO, |since| now.since(since));
        if !self.is_late && late >= LATE {
            self.is_late = true;
            let most = self.most_at_once;
            tracing::warn!(
                most,
                ?late,
                "probes are late: as many as may be are under way, most wait for an answer"
            );
        } else if self.is_late && due_since.is_none() {
            self.is_late = false;
            tracing::info!("probes are in time again");
        }
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
        let mut next = finished;
        while let Some(finished) = next {
            match finished {
                Ok(finished) => self.finish(finished),
                Err(error) => self.lost(&error),
            }
            next = self.running.try_join_next();
        }
    }

    fn finish(&mut self, finished: Finished) {
        let Finished {
            backend,
            generation,
            answer,
            took,
        } = finished;
        let is_current = |entry: &&mut Entry| entry.generation == generation;
        let Some(entry) = self.entries.get_mut(&backend).filter(is_current) else {
            return; // no longer watched
        };
        entry.task = None;
        entry.took = Some(took);
        if let (Ok(()), Some(contact)) = (answer.result, &entry.contact) {
            contact.made();
        }
        if let Err(cause) = answer.result {
            tracing::debug!(backend = %entry.watched.name, %cause, ?took, "probe failed");
        }
        if let Some(certificate) = answer.certificate
            && entry.expiring.saw(certificate)
        {
            let days_left = certificate.days_left();
            tracing::warn!(backend = %entry.watched.name, days_left, "the backend's certificate {certificate}: renew it there");
        }
        if let Some(advice) = answer.advice {
            self.advise(backend, advice);
        }
        self.report(backend, Report::Probe(answer.result));
    }

    /// A probe that ended without a result: our fault, unless it was stopped.
    fn lost(&mut self, error: &JoinError) {
        if error.is_cancelled() {
            return; // its backend is not watched any more, or in maintenance
        }
        let is_it = |entry: &&Entry| entry.task.as_ref().is_some_and(|task| task.id() == error.id());
        if let Some(entry) = self.entries.values().find(is_it) {
            tracing::error!(backend = %entry.watched.name, %error, "probe was lost");
            let (backend, generation) = (entry.watched.backend, entry.generation);
            self.finish(Finished {
                backend,
                generation,
                answer: Err(Cause::Local).into(),
                took: Duration::ZERO,
            });
        }
    }

    /// Lets `act` change what is known of a backend, keeps what is to be told, and plans anew.
    fn with_machine(&mut self, backend: BackendId, act: impl FnOnce(&mut Machine, Time) -> Option<Change>) -> bool {
        let now = self.now();
        let Some(entry) = self.entries.get_mut(&backend) else {
            return false;
        };
        if let Some(change) = act(&mut entry.machine, now)
            && entry.tell(change)
        {
            self.changed.push_back(backend);
        }
        let plan = entry.plan();
        self.agenda.plan(backend, &mut entry.planned, plan);
        true
    }

    fn take_event(&mut self) -> Option<Event> {
        while let Some(backend) = self.changed.pop_front() {
            if let Some(change) = self.entries.get_mut(&backend).and_then(|entry| entry.change.take()) {
                return Some(Event { backend, change });
            }
        }
        None
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

/// What decides whether a backend gets traffic, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Health and orders taken together.
    pub status: Status,
    /// The order in force: the operator's or the agent's.
    pub order: Admin,
    /// Its share of its weight by slow start, 10 to 100 percent.
    pub ramp_percent: u8,
    /// Of that, the share that its agent asks for; 100 when it has none.
    pub advised_percent: u8,
}

/// Longer waits are cut, because tokio's clock has an end.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Probes that wait longer for room are told of.
const LATE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
