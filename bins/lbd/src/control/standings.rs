//! Standings: what is in force, what is to be made anew, and who waits for it.

use super::ControlLoop;
use super::health::condition;
use super::making::{Faults, Job};
use crate::note::note;
use lb_admin::ControlError;
use lb_balance::{Condition, standings};
use lb_types::{Slot, Time};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Standings that are to be made anew, and what those in force were made from.
#[derive(Default)]
pub(super) struct Standings {
    /// By the place of the pool in the snapshot.
    pools: HashMap<usize, Made>,
    making: Option<Making>,
    /// Orders that are answered when they are in force.
    promises: Vec<Promise>,
}

#[derive(Debug, Default)]
struct Made {
    from: Vec<Condition>,
    /// Something changed since.
    is_stale: bool,
    /// Somebody waits for it: no rest.
    is_ordered: bool,
    /// Not made anew before: large tables take time, and many backends may change at once.
    rests_until: Time,
}

/// Tables that another thread makes; one such thread at a time.
struct Making {
    done: oneshot::Receiver<Faults>,
    begun: Time,
    pools: Vec<Fresh>,
    then: Option<Then>,
}

/// A pool whose standings are made.
#[derive(Debug)]
struct Fresh {
    index: usize,
    name: String,
    is_open: bool,
}

/// What is done when the standings of these pools are in force.
struct Promise {
    /// By name, because a reload may come in between, and whether they are in the making.
    pools: Vec<(String, bool)>,
    keep: Kept,
}

/// Is told why, when they will not be.
type Kept = Box<dyn FnOnce(&mut ControlLoop, Result<(), ControlError>)>;

/// The rest of a reload.
type Then = Box<dyn FnOnce(&mut ControlLoop)>;

/// What there is to do about standings.
pub(super) enum Due {
    Make(usize),
    Made(Option<Faults>),
}

impl Standings {
    /// Waits until the standings of a pool are to be made, or a thread has made some. Cancel safe.
    pub(super) async fn due(&mut self) -> Due {
        if let Some(making) = &mut self.making {
            return Due::Made((&mut making.done).await.ok());
        }
        let begin = |made: &Made| if made.is_ordered { Time::ZERO } else { made.rests_until };
        let stale = self.pools.iter().filter(|(_, made)| made.is_stale);
        let Some((index, made)) = stale.min_by_key(|(_, made)| begin(made)) else {
            return std::future::pending().await;
        };
        let wait = begin(made).since(lb_net::clock::monotonic());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Due::Make(*index)
    }

    /// A backend of the pool in this place has this condition now.
    pub(super) fn note_condition(&mut self, index: usize, slot: Slot, now: &Condition) {
        let made = self.pools.entry(index).or_default();
        made.is_stale |= made.from.get(slot.index()) != Some(now);
    }

    /// Something about the pool in this place changed.
    pub(super) fn mark_changed(&mut self, index: usize) {
        self.pools.entry(index).or_default().is_stale = true;
    }

    /// Is another thread making tables? What replaces pools waits for it.
    pub(super) fn is_rebuilding(&self) -> bool {
        self.making.is_some()
    }

    /// Is a new configuration waiting for its tables? Until it is in force it is not shown.
    pub(super) fn has_result(&self) -> bool {
        self.making.as_ref().is_some_and(|making| making.then.is_some())
    }
}

impl ControlLoop {
    /// Makes the standings of these pools from configuration and health, and the tables that follow from them: here, or
    /// on a thread when that takes long.
    pub(super) fn rebuild(&mut self, pools: impl IntoIterator<Item = usize>, then: Option<Then>) {
        let begun = lb_net::clock::monotonic();
        let mut job = Job::default();
        let pools: Vec<Fresh> = pools
            .into_iter()
            .filter_map(|index| self.prepare(index, then.is_none(), &mut job))
            .collect();
        let promised = self
            .standings
            .promises
            .iter_mut()
            .flat_map(|promise| &mut promise.pools);
        for (name, is_begun) in promised {
            *is_begun |= pools.iter().any(|fresh| fresh.name == *name);
        }
        if job.is_long() {
            let done = job.start();
            self.standings.making = Some(Making {
                done,
                begun,
                pools,
                then,
            });
        } else {
            self.adopt(job.run(), &pools, begun, then);
        }
    }

    /// A thread has made tables; `None`: it broke down.
    pub(super) fn on_rebuilt(&mut self, faults: Option<Faults>) {
        let Some(making) = self.standings.making.take() else {
            return;
        };
        match faults {
            Some(faults) => self.adopt(faults, &making.pools, making.begun, making.then),
            None => self.try_later(making),
        }
    }

    /// The tables were not made: the former ones stay in force until the next attempt, and whoever waits for it is told.
    fn try_later(&mut self, making: Making) {
        note("the thread that makes tables ended by a fault of lbd, please report it; it is tried again");
        let later = lb_net::clock::monotonic().after(LONGEST_REST);
        for fresh in &making.pools {
            self.standings.mark_changed(fresh.index);
            if let Some(made) = self.standings.pools.get_mut(&fresh.index) {
                made.rests_until = later;
            }
        }
        // What the file says was built with it; what was ordered follows.
        if let Some(then) = making.then {
            then(self);
        }
        let is_of =
            |(name, is_begun): &(String, bool)| *is_begun && making.pools.iter().any(|fresh| fresh.name == *name);
        self.refuse(not_made(), |promise| promise.pools.iter().any(is_of));
    }

    /// Nothing is made any more, and nobody waits for it.
    pub(super) fn stop_making(&mut self) {
        self.standings.making = None;
        self.refuse(ControlError::Stopping, |_| true);
    }

    fn refuse(&mut self, error: ControlError, which: impl Fn(&Promise) -> bool) {
        let refused: Vec<Promise> = self
            .standings
            .promises
            .extract_if(.., |promise| which(promise))
            .collect();
        for promise in refused {
            (promise.keep)(self, Err(error.clone()));
        }
    }

    /// What one pool is to have; nothing when there is no such pool any more. Its former selves follow it if `is_in_force`:
    /// until then workers use them.
    fn prepare(&mut self, index: usize, is_in_force: bool, job: &mut Job) -> Option<Fresh> {
        let plan = self.snapshot.pools.get(index).and_then(|entry| {
            let plan = self.plan.pool(entry.pool.name())?;
            Some((&entry.pool, plan))
        });
        let Some((pool, plan)) = plan else {
            self.standings.pools.remove(&index);
            return None;
        };
        let conditions: Vec<Condition> = plan
            .backends
            .iter()
            .zip(pool.backends())
            .zip((0..).map(Slot))
            .map(|((planned, backend), slot)| {
                condition(&self.prober, &self.agents, &self.orders, planned, backend.id, slot)
            })
            .collect();
        let made = standings(&conditions, plan.fail_open);
        let fresh = Fresh {
            index,
            name: plan.name.clone(),
            is_open: made.failed_open,
        };
        job.add(Arc::clone(pool), made);
        if is_in_force {
            self.retired.update(pool, &conditions, plan.fail_open, job);
        }
        let made = Made {
            from: conditions,
            ..Made::default()
        };
        self.standings.pools.insert(index, made);
        Some(fresh)
    }

    /// The tables of these pools are in force.
    fn adopt(&mut self, faults: Faults, pools: &[Fresh], begun: Time, then: Option<Then>) {
        faults.into_iter().for_each(note);
        let now = lb_net::clock::monotonic();
        let rest = now.since(begun).saturating_mul(RESTS).min(LONGEST_REST);
        for fresh in pools {
            if let Some(made) = self.standings.pools.get_mut(&fresh.index) {
                made.rests_until = now.after(rest);
            }
            self.note_fail_open(&fresh.name, fresh.is_open);
        }
        if let Some(then) = then {
            then(self);
        }
        let snapshot = &self.snapshot;
        let is_kept = |promise: &mut Promise| {
            promise.pools.retain(|(name, is_begun)| {
                let is_made = *is_begun && pools.iter().any(|fresh| fresh.name == *name);
                !is_made && snapshot.pools.iter().any(|entry| entry.pool.name() == name)
            });
            promise.pools.is_empty()
        };
        let kept: Vec<Promise> = self.standings.promises.extract_if(.., is_kept).collect();
        for promise in kept {
            (promise.keep)(self, Ok(()));
        }
    }

    /// Remembers which pools ignore health, and tells when that changes.
    fn note_fail_open(&mut self, pool: &str, is_open: bool) {
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

    /// Makes the standings of the pools of these names anew, then does this.
    pub(super) fn rebuild_named(
        &mut self,
        names: Vec<String>,
        keep: impl FnOnce(&mut Self, Result<(), ControlError>) + 'static,
    ) {
        // Entries of one name are one pool.
        let place = |name: &String| self.snapshot.pools.iter().position(|entry| entry.pool.name() == name);
        let places: Vec<usize> = names.iter().filter_map(place).collect();
        self.standings.promises.push(Promise {
            pools: names.into_iter().map(|name| (name, false)).collect(),
            keep: Box::new(keep),
        });
        if !self.standings.is_rebuilding() {
            return self.rebuild(places, None);
        }
        for index in places {
            let made = self.standings.pools.entry(index).or_default();
            (made.is_stale, made.is_ordered) = (true, true);
        }
    }

    /// Makes the standings of all pools, before anybody is served.
    pub(super) fn rebuild_all_now(&mut self) {
        let begun = lb_net::clock::monotonic();
        let mut job = Job::default();
        let places = 0..self.snapshot.pools.len();
        let pools: Vec<Fresh> = places.filter_map(|index| self.prepare(index, true, &mut job)).collect();
        self.adopt(job.run(), &pools, begun, None);
    }

    /// A reload has arrived: the former selves of its pools follow them, those with large tables after a moment on a thread.
    pub(super) fn rebuild_former(&mut self) {
        let mut job = Job::default();
        for (index, entry) in self.snapshot.pools.iter().enumerate() {
            let plan = self.plan.pool(entry.pool.name());
            if let (Some(plan), Some(made)) = (plan, self.standings.pools.get(&index)) {
                self.retired.update(&entry.pool, &made.from, plan.fail_open, &mut job);
            }
        }
        if !job.is_long() {
            return job.run().into_iter().for_each(note);
        }
        for made in self.standings.pools.values_mut() {
            (made.is_stale, made.is_ordered) = (true, true);
        }
    }

    /// Makes the standings of all pools anew, then does this.
    pub(super) fn rebuild_all(&mut self, keep: impl FnOnce(&mut Self) + 'static) {
        self.standings.pools.clear();
        self.rebuild(0..self.snapshot.pools.len(), Some(Box::new(keep)));
    }
}

fn not_made() -> ControlError {
    ControlError::Refused {
        reason: "the order is noted and not in force: making the tables failed by a fault of lbd".to_owned(),
        mend: "look at the program's log; it is tried again within a second".to_owned(),
    }
}

/// Making standings takes at most a tenth of this thread's time: after each, a rest nine times as long,
const RESTS: u32 = 9;
/// and no longer than anybody would wait.
const LONGEST_REST: Duration = Duration::from_secs(1);
