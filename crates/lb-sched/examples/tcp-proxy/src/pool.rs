//! What lb-sched leaves to its user: addresses, shared counts, and when a connection has ended.

use lb_sched::{Algorithm, Ask, Cursor, InFlight, Limit, Load, Member, Scheduler, Usable};
use lb_types::{BackendId, Slot, Time, Weight};
use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Backends and what they are doing. Share it by `Arc` between as many threads as you like.
pub struct Pool {
    addresses: Vec<SocketAddr>,
    scheduler: Box<dyn Scheduler>,
    cursor: Cursor,
    loads: Vec<Arc<Load>>,
    limits: Vec<Limit>,
    started: Instant,
}

impl Pool {
    pub fn new(backends: &[(SocketAddr, u16)]) -> Result<Self, Box<dyn Error>> {
        let mut members = Vec::new();
        for ((address, weight), slot) in backends.iter().zip(0..) {
            members.push(Member {
                slot: Slot(slot),
                id: BackendId::of("tcp", &address.to_string()),
                weight: Weight::new(*weight)?,
            });
        }
        Ok(Self {
            addresses: backends.iter().map(|(address, _)| *address).collect(),
            scheduler: Algorithm::WeightedLeastConn.build(&members)?,
            cursor: Cursor::new(),
            loads: backends.iter().map(|_| Arc::default()).collect(),
            limits: vec![Limit::new(1_000); backends.len()],
            started: Instant::now(),
        })
    }

    /// Everybody but those that failed three times in a row, the last time less than ten seconds ago.
    /// A dead backend has the fewest connections: without this, each new one would try it first.
    pub fn usable(&self) -> Usable {
        let mut usable = Usable::all(self.addresses.len());
        for (load, slot) in self.loads.iter().zip(0..) {
            let lately = |failed| self.now().since(failed) < Duration::from_secs(10);
            if load.failures() >= 3 && load.last_failure().is_some_and(lately) {
                usable.remove(Slot(slot));
            }
        }
        usable
    }

    /// A place at one of these backends; none if all are full.
    pub fn pick(&self, usable: &Usable) -> Option<Place> {
        loop {
            let slot = self.scheduler.pick(&Ask {
                hash: None, // for algorithms that place by hash: say, of the client's address
                entropy: RandomState::new().build_hasher().finish(), // for those that choose at random
                cursor: &self.cursor,
                usable,
                loads: &self.loads,
                limits: &self.limits,
                now: self.now(),
            })?;
            if let Some(in_flight) = InFlight::take(&self.loads[slot.index()], self.limits[slot.index()]) {
                let address = self.addresses[slot.index()];
                return Some(Place {
                    slot,
                    address,
                    in_flight,
                });
            } // another thread took the last place: ask again
        }
    }

    pub fn in_flight(&self) -> Vec<u32> {
        self.loads.iter().map(|load| load.in_flight()).collect()
    }

    pub fn failures(&self) -> Vec<u32> {
        self.loads.iter().map(|load| load.failures()).collect()
    }

    /// lb-sched reads no clock: its user does.
    pub fn now(&self) -> Time {
        Time::from_nanos(self.started.elapsed().as_nanos() as u64)
    }
}

/// A place at a backend, taken by the pick and given back when it is dropped.
pub struct Place {
    pub slot: Slot,
    pub address: SocketAddr,
    pub in_flight: InFlight,
}
