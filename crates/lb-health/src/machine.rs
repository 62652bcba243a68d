use crate::history::History;
use crate::pool::Member;
use crate::ramp::Ramp;
use crate::rules::Rules;
use crate::timetable::Timetable;
use crate::window::Window;
use crate::{Admin, Advice, Cause, Status, Traffic};
use lb_types::{BackendId, Time};

mod judging;
mod report;

pub use report::{Change, Report};

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
    /// Not once was it found up since this moment, when it came: one good probe is enough, and it may be about to begin.
    new_since: Option<Time>,
    /// As traffic was told of last: its weight is 0, so it takes nobody new.
    is_weightless: bool,
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
            new_since: Some(now),
            is_weightless: false,
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
            || self.rules.interval_changing(old.interval) != rules.interval_changing(new.interval)
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
        self.is_weightless = traffic.is_weightless;
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
        let (row, can_go) = (self.too_many(), self.hears_traffic());
        // also while it is forced up: the order may end at any moment; and also when probes agree meanwhile
        let is_judged = matches!(self.health, Health::Down(cause) if cause.is_passive());
        let is_ejected = is_judged || self.out_until.is_some();
        let takes_new = self.status().takes_new() && !self.is_weightless;
        Member::new(
            backend,
            row,
            self.window.sum(length, now),
            is_ejected,
            can_go,
            takes_new,
        )
    }

    /// Takes in the operator's order.
    ///
    /// Maintenance gives up the probe under way: its result says nothing of the backend afterwards and must not be
    /// reported.
    pub fn set_admin(&mut self, admin: Admin, now: Time) -> Option<Change> {
        let before = self.status();
        let was = core::mem::replace(&mut self.admin, admin);
        match (was, admin) {
            (Admin::Maintenance, Admin::Maintenance) => {}
            (_, Admin::Maintenance) => {
                self.timetable.give_up();
                self.ramp = None;
                self.out_until = None;
                self.window.clear(now);
            }
            (Admin::Maintenance, _) => {
                self.start(now);
                self.new_since = Some(now);
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
                // the last look may be as old as the interval while down
                self.timetable.hurry(now);
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
