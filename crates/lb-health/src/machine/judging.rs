//! What changes health: results of probes against rise and fall, traffic, and the way down and up.

use super::{Change, Health, Machine};
use crate::history::Seen;
use crate::ramp::Ramp;
use crate::{Admin, Cause, Rules, Status};
use lb_types::Time;

impl Machine {
    pub(super) const fn is_probed(&self) -> bool {
        // in maintenance by its own word its agent is asked when that ends
        self.rules.options().probing && !matches!(self.admin, Admin::Maintenance)
    }

    /// Does what real requests see count? Not for the rest of what was under way when it went down, and not
    /// against an order.
    pub(super) const fn hears_traffic(&self) -> bool {
        !matches!(self.status(), Status::Down(_) | Status::Maintenance) && !matches!(self.order(), Admin::Up)
    }

    pub(super) fn probed(&mut self, result: Result<(), Cause>, now: Time) {
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
        let changing = self.rules.interval_changing(usual);
        let interval = if is_changing {
            changing
        } else if self.is_about_to_begin(now) {
            changing.min(usual)
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
                self.against = 0;
                self.on_trial = false;
                self.new_since = None;
            }
            (Health::Up, Ok(())) => self.against = 0,
            (Health::Starting | Health::Up, Err(cause)) => {
                self.against = self.against.saturating_add(1);
                if self.against >= self.rules.options().fall {
                    self.fall(cause, now);
                }
            }
            (Health::Down(_), Ok(())) => {
                self.against = self.against.saturating_add(1).min(self.needed());
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
    pub(super) fn count_row(&mut self, failed: u32) {
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

    pub(super) fn traffic(&mut self, ok: u32, failed: u32, now: Time) {
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
    pub(super) fn too_many(&self) -> Option<u16> {
        let most = self.rules.options().max_failures?;
        let most = if self.on_trial { 1 } else { most };
        Some(self.failures).filter(|failures| *failures >= most)
    }

    pub(super) fn judge_row(&mut self, now: Time) {
        if let Some(failures) = self.too_many() {
            self.eject(Cause::Traffic(failures), now);
        }
    }

    /// A request succeeded: without probes that is the best there is to know.
    pub(super) fn trust(&mut self) {
        if !self.rules.options().probing {
            self.health = Health::Up;
            self.on_trial = false;
            self.new_since = None;
        }
    }

    /// Takes it out for what traffic saw.
    pub(super) fn eject(&mut self, cause: Cause, now: Time) {
        if !self.hears_traffic() {
            return;
        }
        let first = self.rules.eject_for().as_nanos().max(1);
        let spent = now.since(self.back).as_nanos() / first;
        let forgotten = u16::try_from(spent).unwrap_or(u16::MAX);
        self.repeats = self.repeats.saturating_sub(forgotten).saturating_add(1);
        self.fall(cause, now);
        self.out_until = Some(now.after(self.rules.ejection(self.repeats)));
        // does a probe see it too?
        self.timetable.hurry(now);
    }

    fn fall(&mut self, cause: Cause, now: Time) {
        self.start(now);
        self.health = Health::Down(cause);
        self.on_trial = false;
        self.forgiven = self.row;
    }

    pub(super) fn has_risen(&self) -> bool {
        matches!(self.health, Health::Down(_)) && self.against >= self.needed()
    }

    /// Good probes in a row that bring it up. Who was never up has nothing to make good.
    fn needed(&self) -> u16 {
        if self.new_since.is_some() {
            1
        } else {
            self.rules.options().rise
        }
    }

    /// Is it new, and did it come (out of maintenance) just now? Then it may listen any moment.
    fn is_about_to_begin(&self, now: Time) -> bool {
        self.new_since.is_some_and(|since| now.since(since) < Rules::NEW)
    }

    pub(super) fn rise(&mut self, now: Time) {
        self.start(now);
        self.health = Health::Up;
        self.new_since = None;
        self.begin_ramp(now);
    }

    /// As if nothing were known, but how often traffic took it out.
    pub(super) fn start(&mut self, now: Time) {
        self.health = Health::Starting;
        self.against = 0;
        self.failures = 0;
        self.out_until = None;
        self.ramp = None;
        self.back = now;
        self.window.clear(now);
    }

    /// Slow start, unless it was ordered to take everything.
    pub(super) fn begin_ramp(&mut self, now: Time) {
        if self.admin != Admin::Up {
            self.ramp = Ramp::new(self.rules.options().slow_start, now);
        }
    }

    /// What there is to tell after an event that found the status `before`.
    pub(super) fn change(&mut self, before: Status, now: Time) -> Option<Change> {
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
