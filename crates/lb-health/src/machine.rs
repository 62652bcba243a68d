use crate::history::{History, Seen};
use crate::ramp::Ramp;
use crate::rules::Rules;
use crate::timetable::Timetable;
use crate::{Admin, Cause, Status};
use core::time::Duration;
use lb_types::Time;

/// The judgement over one backend. The crate page has its rules as a table.
#[derive(Debug, Clone)]
pub struct Machine {
    rules: Rules,
    health: Health,
    admin: Admin,
    /// Probes in a row that speak against the present health.
    against: u16,
    /// Requests in a row that failed.
    failures: u16,
    /// The last [`Report::Row`], as far as it was paid for by an earlier judgement.
    forgiven: u32,
    /// Starting after a rest: one failed request is enough.
    on_trial: bool,
    /// Down without probes: when the rest ends.
    rest_until: Option<Time>,
    ramp: Option<Ramp>,
    /// The share of the weight that was told last.
    percent: u8,
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
            against: 0,
            failures: 0,
            forgiven: 0,
            on_trial: false,
            rest_until: None,
            ramp: None,
            percent: 100,
            timetable: Timetable::new(seed, now),
            since: now,
            history: History::default(),
        }
    }

    /// Judges by other rules from now on (after a reload). What is known stays: health, counts of
    /// probes in a row, orders, history. The next probe is due at once if the intervals changed.
    pub fn set_rules(&mut self, rules: Rules, now: Time) {
        let hurried = self.rules.options().interval != rules.options().interval
            || self.rules.interval_down() != rules.interval_down()
            || self.rules.options().probing != rules.options().probing;
        if hurried {
            self.timetable.hurry(now);
        }
        self.rest_until = match self.health {
            Health::Down(_) if !rules.options().probing => Some(now.after(rules.interval_down())),
            _ => None,
        };
        self.rules = rules;
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
            Report::Row { failed } => self.row(failed, now),
        }
        self.change(before, now)
    }

    /// Takes in the operator's order.
    pub fn set_admin(&mut self, admin: Admin, now: Time) -> Option<Change> {
        let before = self.status();
        if self.admin == Admin::Maintenance && admin != Admin::Maintenance {
            self.start();
            self.on_trial = false;
            self.ramp = Ramp::new(self.rules.options().slow_start, now);
            self.timetable.hurry(now);
        }
        if admin == Admin::Maintenance {
            self.ramp = None;
        }
        self.admin = admin;
        self.change(before, now)
    }

    /// To be called when [`Machine::poll_timeout`] has come, before [`Machine::probe_due`]: moves slow
    /// start and ends rests. Harmless at any other time.
    pub fn handle_timeout(&mut self, now: Time) -> Option<Change> {
        let before = self.status();
        if self.rest_until.is_some_and(|end| end <= now) {
            self.start();
            self.on_trial = true;
            self.ramp = Ramp::new(self.rules.options().slow_start, now);
        }
        self.change(before, now)
    }

    /// When something is to be done next: probe, step of slow start, end of a rest. `None`: not before a report.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let step = self.ramp.and_then(|ramp| ramp.next(self.percent));
        [self.next_probe(), step, self.rest_until].into_iter().flatten().min()
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
        match (self.admin, self.health) {
            (Admin::Maintenance, _) => Status::Maintenance,
            (_, Health::Down(cause)) => Status::Down(cause),
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

    /// The order in force.
    #[must_use]
    pub const fn admin(&self) -> Admin {
        self.admin
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

    fn is_probed(&self) -> bool {
        self.rules.options().probing && self.admin != Admin::Maintenance
    }

    fn probed(&mut self, result: Result<(), Cause>, now: Time) {
        self.history.push(Seen { at: now, result });
        if self.is_probed() {
            self.judge(result, now);
        }
        let interval = match self.health {
            Health::Down(_) => self.rules.interval_down(),
            Health::Starting | Health::Up => self.rules.options().interval,
        };
        self.timetable.end(interval, self.rules.jitter(interval), now);
    }

    /// One probe result against rise and fall.
    fn judge(&mut self, result: Result<(), Cause>, now: Time) {
        match (self.health, result) {
            (_, Err(cause)) if !cause.counts() => {}
            (Health::Starting, Ok(())) => self.health = Health::Up,
            (Health::Starting, Err(cause)) => self.fall(cause, now),
            (Health::Up, Ok(())) => self.against = 0,
            (Health::Up, Err(cause)) => {
                self.against = self.against.saturating_add(1);
                if self.against >= self.rules.options().fall {
                    self.fall(cause, now);
                }
            }
            (Health::Down(_), Ok(())) => {
                self.against = self.against.saturating_add(1);
                if self.against >= self.rules.options().rise {
                    self.start();
                    self.health = Health::Up;
                    self.ramp = Ramp::new(self.rules.options().slow_start, now);
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
    fn row(&mut self, failed: u32, now: Time) {
        if matches!(self.health, Health::Down(_)) || self.admin == Admin::Maintenance {
            self.forgiven = failed;
        } else if failed < self.forgiven {
            // a success in between began another row
            self.forgiven = 0;
            self.traffic(1, 0, now);
            self.row(failed, now);
        } else {
            self.failures = 0;
            let new = failed.saturating_sub(self.forgiven);
            self.traffic(0, new, now);
            if matches!(self.health, Health::Down(_)) {
                self.forgiven = failed;
            }
        }
    }

    fn traffic(&mut self, ok: u32, failed: u32, now: Time) {
        let Some(most) = self.rules.options().max_failures else {
            return;
        };
        if self.admin == Admin::Maintenance || matches!(self.health, Health::Down(_)) {
            return; // the rest of what was under way
        }
        if ok > 0 {
            self.failures = 0;
            if !self.rules.options().probing {
                self.health = Health::Up;
                self.on_trial = false;
            }
            return;
        }
        self.failures = self.failures.saturating_add(u16::try_from(failed).unwrap_or(u16::MAX));
        let most = if self.on_trial { 1 } else { most };
        if self.failures >= most {
            self.fall(Cause::Traffic(self.failures), now);
        }
    }

    fn fall(&mut self, cause: Cause, now: Time) {
        self.start();
        self.health = Health::Down(cause);
        self.on_trial = false;
        if !self.rules.options().probing {
            self.rest_until = Some(now.after(self.rules.interval_down()));
        }
    }

    /// As if nothing were known.
    fn start(&mut self) {
        self.health = Health::Starting;
        self.against = 0;
        self.failures = 0;
        self.rest_until = None;
        self.ramp = None;
    }

    /// What there is to tell after an event that found the status `before`.
    fn change(&mut self, before: Status, now: Time) -> Option<Change> {
        let (after, percent) = (self.status(), self.ramp(now));
        let same_status = before.as_str() == after.as_str();
        if same_status && percent == self.percent {
            return None;
        }
        let change = Change {
            from: before,
            to: after,
            percent,
            at: now,
            lasted: now.since(self.since),
        };
        self.percent = percent;
        if !same_status {
            self.since = now;
        }
        if percent >= 100 {
            self.ramp = None;
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
    /// Real requests since the last such report.
    Traffic {
        /// How many the backend answered.
        ok: u32,
        /// How many failed by its fault.
        failed: u32,
    },
    /// How many requests in a row have failed as of now: `lb_sched::Load::failures`. The whole row, not
    /// what is new in it; failures that were there before the backend came back do not count again.
    Row {
        /// Failures since the last success.
        failed: u32,
    },
}

/// Something to act on: the status is another one, or slow start moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The status before.
    pub from: Status,
    /// The status from now on; equal to `from` for a step of slow start.
    pub to: Status,
    /// The share of its weight that the backend gets from now on.
    pub percent: u8,
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
mod tests;
