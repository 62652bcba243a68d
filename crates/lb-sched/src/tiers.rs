use crate::{Ask, Scheduler};
use alloc::boxed::Box;
use alloc::vec::Vec;
use lb_types::Slot;

/// Schedulers in order of preference: the first one that accepts anybody picks.
///
/// For backup groups and for localities, see [`groups`](crate::groups): who is full or already
/// tried in one tier leaves the request to the next. Keeps the laws of [`Scheduler`], because its tiers
/// keep them. Costs what the tiers cost that are asked.
///
/// Tiers made by [`Recipe::build_tiers`](crate::Recipe::build_tiers) have a round each, so that shares
/// within a tier are exact whatever goes to the others (from the eighth on they share one). Schedulers that
/// were built singly all take turns from the first round of the cursor.
#[derive(Debug)]
pub struct Tiers {
    tiers: Box<[Box<dyn Scheduler>]>,
}

impl Tiers {
    /// The most preferred tier comes first.
    #[must_use]
    pub fn new(tiers: Vec<Box<dyn Scheduler>>) -> Self {
        Self { tiers: tiers.into() }
    }

    /// How many tiers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tiers.len()
    }

    /// Is there no tier, so that nobody is ever picked?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }
}

impl Scheduler for Tiers {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.tiers.iter().find_map(|tier| tier.pick(ask))
    }

    fn is_exact(&self) -> bool {
        self.tiers.iter().all(|tier| tier.is_exact())
    }
}
