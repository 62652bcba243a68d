use crate::history::{History, Seen};
use crate::pool::Member;
use crate::ramp::Ramp;
use crate::rules::Rules;
use crate::timetable::Timetable;
use crate::window::Window;
use crate::{Admin, Advice, Cause, Status, Traffic};
use core::time::Duration;
use lb_types::{BackendId, Time};

/// The judgement over one backend. The crate page has its rules as a table.
#[derive(Debug, Clone)]
pub struct Machine {
    rules: Rules,
    health: Health,
    admin: Admin,
    /// The word of the backend's agent.
    agent: Admin,
    agent_percent: u8,
    /// Its agent says that it is down.
    agent_down: bool,
    /// Probes in a row that speak against the present health.
    against: u16,
    /// Requests in a row that failed.
    failures: u16,
    /// The last whole row that was told.
    row: u32,
    /// As much of it as was paid for by an earlier judgement.
    forgiven: u32,
    /// Starting after traffic took it out: one failed request is enough.
    on_trial: bool,
    /// Taken out by traffic: not back before this moment.
    out_until: Option<Time>,
    /// How often traffic took it out, less what was forgotten.
    repeats: u16,
    /// When it came (back) into service.
    back: Time,
    window: Window,
    ramp: Option<Ramp>,
    /// The shares of the weight that were told last: by slow start, by the agent.
    told: (u8, u8),
    timetable: Timetable,
    since: Time,
    history: History,
}

impl Machine {
    /// A backend of which nothing is known: usable, its first probe due at once. `seed` spreads
    /// the probes; give each backend another one (its id will do).
    #[must_use]
    pub fn new(rules: Rules, seed: u64, now: Time) -> Self {
        Self {
            rules,
            health: Health::Starting,
            admin: Admin::Ready,
            agent: Admin::Ready,
            agent_percent: 100,
            agent_down: false,
            against: 0,
            failures: 0,
            row: 0,
            forgiven: 0,
            on_trial: false,
            out_until: None,
            repeats: 0,
            back: now,
            window: Window::new(now),
            ramp: None,
            told: (100, 100),
            timetable: Timetable::new(seed, now),
            since: now,
            history: History::default(),
        }
    }

    /// Judges by other rules from now on (after a reload). What is known stays: health, counts of
    /// probes in a row, orders, history. The next probe is due at once if the intervals changed.
    pub fn set_rules(&mut self, rules: Rules, now: Time) {
        let (old, new) = (self.rules.options(), rules.options());
        let hurried = old.interval != new.interval
            || old.interval_changing != new.interval_changing
            || self.rules.interval_down() != rules.interval_down()
            || old.probing != new.probing;
        if hurried {
            self.timetable.hurry(now);
        }
        let is_down = matches!(self.health, Health::Down(_));
        if is_down && !rules.options().probing {
            // nobody else would bring it back
            let end = now.after(rules.ejection(self.repeats.max(1)));
            self.out_until = Some(self.out_until.map_or(end, |old| old.min(end)));
        }
        self.rules = rules;
    }

    /// Puts the next probe off until `at`, if it would be due earlier: for spreading the probes of many backends.
    pub fn delay_probe(&mut self, at: Time) {
        self.timetable.delay(at);
    }

    /// Takes in what a probe or the traffic saw.
    ///
    /// A probe's report ends the probe that [`Machine::probe_due`] began. A traffic report with
    /// any success ends the run of failures, whatever else it holds: the order inside it is unknown.
    pub fn report(&mut self, report: Report, now: Time) -> Option<Change> {
        let before = self.status();
        match report {
            Report::Probe(result) => self.probed(result, now),
            Report::Traffic { ok, failed } => self.traffic(ok, failed, now),
            Report::Row { failed } => {
                self.count_row(failed);
                self.judge_row(now);
            }
            Report::Eject(cause) => self.eject(cause, now),
        }
        self.change(before, now)
    }

    /// Counts what real requests saw, without taking the backend out: that is decided for the pool as a whole
    /// ([`judge`](crate::judge)). Only without probes a success brings a starting backend up.
    pub fn saw(&mut self, traffic: Traffic, now: Time) -> Option<Change> {
        let before = self.status();
        self.count_row(traffic.row);
        if self.hears_traffic() {
            self.window.add(traffic, self.rules.options().passive.window, now);
            if traffic.ok > 0 {
                self.trust();
            }
        }
        self.change(before, now)
    }

    /// This backend as [`judge`](crate::judge) compares it with the others of its pool.
    #[must_use]
    pub fn member(&mut self, backend: BackendId, now: Time) -> Member {
        let length = self.rules.options().passive.window;
        let row = self.too_many().filter(|_| self.hears_traffic());
        let is_ejected = matches!(self.status(), Status::Down(cause) if cause.is_passive());
        let takes_new = self.status().takes_new();
        Member::new(backend, row, self.window.sum(length, now), is_ejected, takes_new)
    }

    /// Takes in the operator's order.
    pub fn set_admin(&mut self, admin: Admin, now: Time) -> Option<Change> {
        let before = self.status();
        let was = core::mem::replace(&mut self.admin, admin);
        match (was, admin) {
            (Admin::Maintenance, Admin::Maintenance) => {}
            (_, Admin::Maintenance) => {
                self.ramp = None;
                self.out_until = None;
            }
            (Admin::Maintenance, _) => {
                self.start(now);
                self.on_trial = false;
                self.begin_ramp(now);
                self.timetable.hurry(now);
            }
            (_, Admin::Up) => self.ramp = None,
            (Admin::Ready | Admin::Drain | Admin::Up, Admin::Ready | Admin::Drain) => {}
        }
        self.change(before, now)
    }

    /// Takes in what the backend's own agent asks for.
    pub fn advise(&mut self, advice: Advice, now: Time) -> Option<Change> {
        let before = self.status();
        match advice.admin {
            Some(Admin::Up | Admin::Ready) => self.agent = Admin::Ready,
            Some(other) => self.agent = other,
            None => {}
        }
        if let Some(percent) = advice.percent {
            self.agent_percent = percent.min(100);
        }
        let was_down = self.agent_down;
        self.agent_down = advice.down.unwrap_or(was_down);
        if was_down && !self.agent_down && !matches!(self.health, Health::Down(_)) {
            self.begin_ramp(now);
        }
        self.change(before, now)
    }

    /// To be called when [`Machine::poll_timeout`] has come, before [`Machine::probe_due`]: moves slow
    /// start and ends the time out that traffic brought. Harmless at any other time.
    pub fn handle_timeout(&mut self, now: Time) -> Option<Change> {
        let before = self.status();
        if self.out_until.is_some_and(|end| end <= now) {
            self.out_until = None;
            if !self.rules.options().probing {
                self.start(now);
                self.on_trial = true;
                self.begin_ramp(now);
            } else if self.has_risen() {
                self.rise(now);
            }
        }
        self.change(before, now)
    }

    /// When something is to be done next: probe, step of slow start, end of a time out. `None`: not before a report.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        [self.next_probe(), self.next_step()].into_iter().flatten().min()
    }

    /// The same without probes: when [`Machine::handle_timeout`] has something to do.
    #[must_use]
    pub fn next_step(&self) -> Option<Time> {
        let step = self.ramp.and_then(|ramp| ramp.step());
        [step, self.out_until].into_iter().flatten().min()
    }

    /// When the next probe is due; `None` while one is under way, in maintenance and without probes.
    #[must_use]
    pub fn next_probe(&self) -> Option<Time> {
        if self.is_probed() { self.timetable.next() } else { None }
    }

    /// Is a probe due? If so it counts as begun: its result must be reported.
    pub fn probe_due(&mut self, now: Time) -> bool {
        self.is_probed() && self.timetable.begin(now)
    }

    /// Health and orders taken together.
    #[must_use]
    pub const fn status(&self) -> Status {
        match (self.order(), self.health) {
            (Admin::Maintenance, _) => Status::Maintenance,
            (Admin::Up, _) => Status::Up,
            (_, Health::Down(cause)) => Status::Down(cause),
            _ if self.agent_down => Status::Down(Cause::Agent),
            (Admin::Drain, _) => Status::Draining,
            (Admin::Ready, Health::Starting) => Status::Starting,
            (Admin::Ready, Health::Up) => Status::Up,
        }
    }

    /// When the status began. Another cause for being down is the same status here.
    #[must_use]
    pub const fn since(&self) -> Time {
        self.since
    }

    /// The operator's order.
    #[must_use]
    pub const fn admin(&self) -> Admin {
        self.admin
    }

    /// The order in force: the operator's or the agent's, whichever is stronger ([`Admin::or`]). A share of nothing
    /// is a drain.
    #[must_use]
    pub const fn order(&self) -> Admin {
        let drain = if self.advised() == 0 {
            Admin::Drain
        } else {
            Admin::Ready
        };
        self.admin.or(self.agent).or(drain)
    }

    /// What the backend's agent asked for last.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        Advice {
            admin: Some(self.agent),
            percent: Some(self.agent_percent),
            down: Some(self.agent_down),
        }
    }

    /// The rules in force.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Probes in a row that speak against the present health: bad ones while up, good ones while down.
    #[must_use]
    pub const fn against(&self) -> u16 {
        self.against
    }

    /// Taken out by traffic: the earliest moment of its return.
    #[must_use]
    pub const fn out_until(&self) -> Option<Time> {
        self.out_until
    }

    /// The last probe results.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// The share of its weight that the backend gets at `now`, in percent: 10 to 100 during slow start, else 100.
    /// Says nothing about whether it is usable.
    #[must_use]
    pub fn ramp(&self, now: Time) -> u8 {
        self.ramp.map_or(100, |ramp| ramp.percent(now))
    }

    /// Of that, the share that its agent asks for, in percent; 100 when it has none, and when it was forced up.
    #[must_use]
    pub const fn advised(&self) -> u8 {
        if matches!(self.admin, Admin::Up) {
            100
        } else {
            self.agent_percent
        }
    }

    const fn is_probed(&self) -> bool {
        // in maintenance by its own word its agent is asked when that ends
        self.rules.options().probing && !matches!(self.admin, Admin::Maintenance)
    }

    /// Does what real requests see count? Not for the rest of what was under way when it went down, and not
    /// against an order.
    const fn hears_traffic(&self) -> bool {
        !matches!(self.status(), Status::Down(_) | Status::Maintenance) && !matches!(self.order(), Admin::Up)
    }

    fn probed(&mut self, result: Result<(), Cause>, now: Time) {
        self.history.push(Seen { at: now, result });
        if self.is_probed() {
            self.judge(result, now);
        }
        let usual = match self.health {
            Health::Down(_) => self.rules.interval_down(),
            Health::Starting | Health::Up => self.rules.options().interval,
        };
        // who has risen and waits for the end of its time out is not changing
        let is_changing = self.against > 0 && !self.has_risen();
        let interval = if is_changing {
            self.rules.interval_changing(usual)
        } else {
            usual
        };
        self.timetable.end(interval, self.rules.jitter(interval), now);
    }

    /// One probe result against rise and fall.
    fn judge(&mut self, result: Result<(), Cause>, now: Time) {
        match (self.health, result) {
            (_, Err(cause)) if !cause.counts() => {}
            (Health::Starting, Ok(())) => {
                self.health = Health::Up;
                self.on_trial = false;
            }
            (Health::Starting, Err(cause)) => self.fall(cause, now),
            (Health::Up, Ok(())) => self.against = 0,
            (Health::Up, Err(cause)) => {
                self.against = self.against.saturating_add(1);
                if self.against >= self.rules.options().fall {
                    self.fall(cause, now);
                }
            }
            (Health::Down(_), Ok(())) => {
                self.against = self.against.saturating_add(1).min(self.rules.options().rise);
                if self.has_risen() && self.out_until.is_none_or(|end| end <= now) {
                    self.rise(now);
                }
            }
            (Health::Down(_), Err(cause)) => {
                // the newest cause is the one to mend
                self.health = Health::Down(cause);
                self.against = 0;
            }
        }
    }

    /// Turns a number that keeps growing into what is new in it.
    fn count_row(&mut self, failed: u32) {
        self.row = failed;
        if !self.hears_traffic() {
            self.forgiven = failed;
            return;
        }
        if failed < self.forgiven {
            // a success in between began another row
            self.forgiven = 0;
            self.trust();
        }
        let new = failed.saturating_sub(self.forgiven);
        self.failures = u16::try_from(new).unwrap_or(u16::MAX);
    }

    fn traffic(&mut self, ok: u32, failed: u32, now: Time) {
        if !self.hears_traffic() {
            return;
        }
        if ok > 0 {
            self.failures = 0;
            self.trust();
            return;
        }
        self.failures = self.failures.saturating_add(u16::try_from(failed).unwrap_or(u16::MAX));
        self.judge_row(now);
    }

    /// Failures in a row that are too many.
    fn too_many(&self) -> Option<u16> {
        let most = self.rules.options().max_failures?;
        let most = if self.on_trial { 1 } else { most };
        Some(self.failures).filter(|failures| *failures >= most)
    }

    fn judge_row(&mut self, now: Time) {
        if let Some(failures) = self.too_many() {
            self.eject(Cause::Traffic(failures), now);
        }
    }

    /// A request succeeded: without probes that is the best there is to know.
    fn trust(&mut self) {
        if !self.rules.options().probing {
            self.health = Health::Up;
            self.on_trial = false;
        }
    }

    /// Takes it out for what traffic saw.
    fn eject(&mut self, cause: Cause, now: Time) {
        if !self.hears_traffic() {
            return;
        }
        let first = self.rules.eject_for().as_nanos().max(1);
        let spent = now.since(self.back).as_nanos() / first;
        let forgotten = u16::try_from(spent).unwrap_or(u16::MAX);
        self.repeats = self.repeats.saturating_sub(forgotten).saturating_add(1);
        self.fall(cause, now);
        self.out_until = Some(now.after(self.rules.ejection(self.repeats)));
    }

    fn fall(&mut self, cause: Cause, now: Time) {
        self.start(now);
        self.health = Health::Down(cause);
        self.on_trial = false;
        self.forgiven = self.row;
    }

    fn has_risen(&self) -> bool {
        matches!(self.health, Health::Down(_)) && self.against >= self.rules.options().rise
    }

    fn rise(&mut self, now: Time) {
        self.start(now);
        self.health = Health::Up;
        self.begin_ramp(now);
    }

    /// As if nothing were known, but how often traffic took it out.
    fn start(&mut self, now: Time) {
        self.health = Health::Starting;
        self.against = 0;
        self.failures = 0;
        self.out_until = None;
        self.ramp = None;
        self.back = now;
        self.window.clear(now);
    }

    /// Slow start, unless it was ordered to take everything.
    fn begin_ramp(&mut self, now: Time) {
        if self.admin != Admin::Up {
            self.ramp = Ramp::new(self.rules.options().slow_start, now);
        }
    }

    /// What there is to tell after an event that found the status `before`.
    fn change(&mut self, before: Status, now: Time) -> Option<Change> {
        self.ramp = self.ramp.and_then(|ramp| ramp.at(now));
        let (after, shares) = (self.status(), (self.ramp(now), self.advised()));
        let same_status = before.as_str() == after.as_str();
        if same_status && shares == self.told {
            return None;
        }
        let (percent, advised) = shares;
        let change = Change {
            from: before,
            to: after,
            percent,
            advised,
            at: now,
            lasted: now.since(self.since),
        };
        self.told = shares;
        if !same_status {
            self.since = now;
        }
        Some(change)
    }
}

/// Something seen of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// The result of the probe under way.
    Probe(Result<(), Cause>),
    /// Real requests since the last such report. Judges at once, without a look at the pool.
    Traffic {
        /// How many the backend answered.
        ok: u32,
        /// How many failed by its fault.
        failed: u32,
    },
    /// How many requests in a row have failed as of now: `lb_sched::Load::failures`. The whole row, not
    /// what is new in it; failures that were there before the backend came back do not count again. Judges at
    /// once, without a look at the pool.
    Row {
        /// Failures since the last success.
        failed: u32,
    },
    /// The pool's judgement ([`judge`](crate::judge)): traffic takes the backend out, for as long as the rules say.
    Eject(Cause),
}

/// Something to act on: the status is another one, or slow start moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The status before.
    pub from: Status,
    /// The status from now on; equal to `from` for a step of slow start and another wish of its agent.
    pub to: Status,
    /// The share of its weight that the backend gets from now on, by slow start.
    pub percent: u8,
    /// Of that, the share that its agent asks for, in percent.
    pub advised: u8,
    /// When it happened.
    pub at: Time,
    /// How long the status before has lasted.
    pub lasted: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Starting,
    Up,
    Down(Cause),
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traffic_tests;
