//! A pool to try schedulers on: weights in, counts out.
#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used)] // a helper of tests

use lb_sched::{Algorithm, Ask, Cursor, Limit, Load, Member, Scheduler, Usable};
use lb_types::{BackendId, Slot, Time, Weight};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) scheduler: Box<dyn Scheduler>,
    pub(crate) loads: Vec<Arc<Load>>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) usable: Usable,
    pub(crate) cursor: Cursor,
}

pub(crate) fn members(weights: &[u16]) -> Vec<Member> {
    let member = |(weight, slot): (&u16, u32)| Member {
        slot: Slot(slot),
        id: BackendId::of("pool", &slot.to_string()),
        weight: Weight::new(*weight).unwrap(),
    };
    weights.iter().zip(0..).map(member).collect()
}

impl Table {
    pub(crate) fn new(algorithm: Algorithm, weights: &[u16]) -> Self {
        Self {
            scheduler: algorithm.build(&members(weights)).unwrap(),
            loads: weights.iter().map(|_| Arc::default()).collect(),
            limits: vec![Limit::NONE; weights.len()],
            usable: Usable::all(weights.len()),
            cursor: Cursor::new(),
        }
    }

    pub(crate) fn begun(self, counts: &[u32]) -> Self {
        for (load, count) in self.loads.iter().zip(counts) {
            (0..*count).for_each(|_| assert!(load.try_begin(Limit::NONE)));
        }
        self
    }

    pub(crate) fn ask(&self, entropy: u64) -> Ask<'_> {
        Ask {
            hash: None,
            entropy,
            cursor: &self.cursor,
            usable: &self.usable,
            loads: &self.loads,
            limits: &self.limits,
            now: Time::ZERO,
        }
    }

    /// Picks without beginning: the counts stay as they are.
    pub(crate) fn pick(&self) -> Option<Slot> {
        self.scheduler.pick(&self.ask(0))
    }

    /// `count` picks without beginning, as letters: slot 0 is `A`.
    pub(crate) fn letters(&self, count: usize) -> String {
        (0..count).map(|_| letter(self.pick().unwrap())).collect()
    }

    /// Picks and begins, `count` times.
    pub(crate) fn begin(&self, count: usize) {
        for _ in 0..count {
            let slot = self.pick().unwrap();
            assert!(self.loads[slot.index()].try_begin(self.limits[slot.index()]));
        }
    }

    /// Picks that are not begun, per slot.
    pub(crate) fn shares(&self, count: usize) -> Vec<usize> {
        let mut shares = vec![0; self.loads.len()];
        (0..count).for_each(|_| shares[self.pick().unwrap().index()] += 1);
        shares
    }

    pub(crate) fn counts(&self) -> Vec<u32> {
        self.loads.iter().map(|load| load.in_flight()).collect()
    }
}

pub(crate) fn letter(slot: Slot) -> char {
    char::from(b'A' + u8::try_from(slot.0).unwrap())
}
