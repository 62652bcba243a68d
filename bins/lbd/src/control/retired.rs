//! Pools of configurations that are no longer in force, while requests of then still use them.
//!
//! A request keeps the snapshot it began with; should it be tried again, the backends are to be judged as they are now.

use super::making::Job;
use lb_balance::{Condition, FailOpen, Pool, standings};
use lb_health::{Admin, Status};
use lb_proxy::Snapshot;
use lb_types::{Slot, Weight};
use std::sync::{Arc, Weak};

/// Former pools. They are freed by their last request, not here.
#[derive(Debug, Default)]
pub(super) struct Retired(Vec<Weak<Pool>>);

impl Retired {
    /// Another snapshot took the place of this one.
    pub(super) fn add(&mut self, old: &Snapshot) {
        for entry in &old.pools {
            let pool = Arc::downgrade(&entry.pool);
            if !self.0.iter().any(|known| known.ptr_eq(&pool)) {
                self.0.push(pool);
            }
        }
        self.0.retain(|pool| pool.strong_count() > 0);
    }

    /// The pool of this name has these conditions now: its former selves follow, the [newest](MOST) of them. Whose table
    /// cannot be made keeps its standings, as the pool itself, which says so.
    pub(super) fn update(&mut self, now: &Arc<Pool>, conditions: &[Condition], fail_open: FailOpen, job: &mut Job) {
        let mut followed = 0;
        self.0.reverse();
        self.0.retain(|former| {
            let Some(former) = former.upgrade() else { return false };
            if Arc::ptr_eq(&former, now) || former.name() != now.name() {
                return true;
            }
            followed += 1;
            if followed <= MOST {
                let standings = standings(&translated(&former, now, conditions), fail_open);
                job.add(former, standings);
            }
            followed <= MOST
        });
        self.0.reverse();
    }
}

/// The conditions of the backends of a former pool. Who is in the pool no longer, or elsewhere, gets nothing new.
fn translated(former: &Pool, now: &Pool, conditions: &[Condition]) -> Vec<Condition> {
    let former = former.backends().iter().zip((0..).map(Slot));
    former
        .map(|(backend, slot)| {
            let present = now.find(backend.id).and_then(|at| {
                let is_there = now.backends().get(at.index())?.address == backend.address;
                conditions.get(at.index()).filter(|_| is_there)
            });
            let gone = Condition {
                slot,
                weight: Weight::ZERO,
                status: Status::Up,
                admin: Admin::Drain,
                ramp_percent: 100,
                advised_percent: 100,
            };
            present.map_or(gone, |present| Condition { slot, ..*present })
        })
        .collect()
}

/// Requests that last longer than so many reloads of their pool are tried again by what was known then.
const MOST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use lb_balance::{Backend, Standing};
    use lb_proxy::Snapshot;

    fn pool(backends: &[(&str, u16)]) -> Arc<Pool> {
        let made = backends.iter().map(|(name, port)| {
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], *port));
            Arc::new(Backend::new("app", name, address, Weight::ONE, None))
        });
        let standings: Vec<Standing> = (0..backends.len())
            .map(|slot| Standing {
                slot: Slot(u32::try_from(slot).unwrap()),
                weight: Weight::ONE,
                up: true,
            })
            .collect();
        let algorithm = lb_balance::Algorithm::RoundRobin;
        Arc::new(Pool::new("app", made.collect(), Vec::new(), algorithm, &standings, None).unwrap())
    }

    fn conditions(weights: &[u16]) -> Vec<Condition> {
        let condition = |(slot, weight): (u32, &u16)| Condition {
            slot: Slot(slot),
            weight: Weight::new(*weight).unwrap(),
            status: Status::Up,
            admin: Admin::Ready,
            ramp_percent: 100,
            advised_percent: 100,
        };
        (0..).zip(weights).map(condition).collect()
    }

    fn update(retired: &mut Retired, now: &Arc<Pool>, conditions: &[Condition]) {
        let mut job = Job::default();
        retired.update(now, conditions, FailOpen::Never, &mut job);
        assert_eq!(job.run(), [""; 0]);
    }

    fn weights(pool: &Pool) -> Vec<u16> {
        pool.standings().iter().map(|standing| standing.weight.get()).collect()
    }

    #[test]
    fn a_former_pool_follows_by_name_and_address_until_nobody_uses_it() {
        let former = pool(&[("a", 1), ("b", 2), ("c", 3)]);
        let now = pool(&[("c", 3), ("b", 9), ("d", 4)]);
        let mut retired = Retired::default();
        retired.0.push(Arc::downgrade(&former));
        update(&mut retired, &now, &conditions(&[7, 8, 9]));
        assert_eq!(weights(&former), [0, 0, 7], "a is gone, b is elsewhere");
        drop(former);
        retired.add(&Snapshot {
            serial: 1,
            listeners: Vec::new(),
            pools: Vec::new(),
        });
        assert!(retired.0.is_empty());
    }

    #[test]
    fn no_more_former_pools_follow_than_stated() {
        let formers: Vec<_> = (0..6).map(|_| pool(&[("a", 1), ("b", 2)])).collect();
        let now = pool(&[("a", 1), ("b", 2)]);
        let mut retired = Retired::default();
        retired.0.extend(formers.iter().map(Arc::downgrade));
        update(&mut retired, &now, &conditions(&[5, 6]));
        let followed: Vec<bool> = formers.iter().map(|former| weights(former) == [5, 6]).collect();
        assert_eq!(followed, [false, false, true, true, true, true], "the newest");
        assert_eq!(retired.0.len(), 4);
    }
}
