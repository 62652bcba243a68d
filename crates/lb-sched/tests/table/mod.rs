//! A pool to try schedulers on: weights in, counts out.
#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used)] // a helper of tests

use lb_sched::{Algorithm, Ask, BoundedLoad, Cursor, Limit, Load, Member, Recipe, Scheduler, Usable};
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

/// Every algorithm, those that place by hash also with their loads bounded.
pub(crate) fn recipes() -> Vec<Recipe> {
    let plain = Algorithm::ALL.into_iter().map(Recipe::new);
    let bounds = [101, 125, 1_000].map(|percent| BoundedLoad::percent(percent).unwrap());
    let hashing = || Algorithm::ALL.into_iter().filter(|a| a.uses_hash());
    let bounded = bounds
        .into_iter()
        .flat_map(|bound| hashing().map(move |a| Recipe::new(a).with_bounded_load(bound)));
    plain.chain(bounded).collect()
}

/// The same with short Maglev tables, which are soon made.
pub(crate) fn quick_recipes() -> Vec<Recipe> {
    let quick = |recipe: Recipe| match recipe.algorithm {
        Algorithm::Maglev => recipe.with_table_len(251),
        _ => recipe,
    };
    recipes().into_iter().map(quick).collect()
}

impl Table {
    pub(crate) fn new(recipe: impl Into<Recipe>, weights: &[u16]) -> Self {
        Self::of(recipe.into().build(&members(weights)).unwrap(), weights.len())
    }

    /// Members `0..first` make the first tier, those up to `second` the next, the others the last.
    pub(crate) fn tiered(recipe: impl Into<Recipe>, weights: &[u16], first: usize, second: usize) -> Self {
        let all = members(weights);
        let tiers = [&all[..first], &all[first..second], &all[second..]].map(<[Member]>::to_vec);
        Self::of(recipe.into().build_tiers(&tiers).unwrap(), weights.len())
    }

    fn of(scheduler: Box<dyn Scheduler>, slots: usize) -> Self {
        Self {
            scheduler,
            loads: (0..slots).map(|_| Arc::default()).collect(),
            limits: vec![Limit::NONE; slots],
            usable: Usable::all(slots),
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

    pub(crate) fn ask_for(&self, hash: u64) -> Ask<'_> {
        Ask {
            hash: Some(hash),
            ..self.ask(0)
        }
    }

    /// Who gets this hash now, without beginning.
    pub(crate) fn place(&self, hash: u64) -> Slot {
        self.scheduler.pick(&self.ask_for(hash)).unwrap()
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
