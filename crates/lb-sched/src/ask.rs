use crate::{Cursor, Limit, Load, Usable};
use alloc::sync::Arc;
use core::fmt;
use lb_types::{BackendId, Slot, Time, Weight};

/// One choice to make: everything a scheduler may look at besides its own table.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// A value that shall lead to the same backend again. For algorithms that place by hash, which
    /// spread at random (by `entropy`) without one; the others take no notice. Need not be well mixed, but
    /// clients who can choose it can choose their backend: use a keyed hash where that matters.
    pub hash: Option<u64>,
    /// 64 random bits, fresh for this pick.
    pub entropy: u64,
    /// Where the pool's round has got to.
    pub cursor: &'a Cursor,
    /// The slots that may be picked.
    pub usable: &'a Usable,
    /// What each slot is doing, by position.
    pub loads: &'a [Arc<Load>],
    /// What each slot may do at most, by position; a slot beyond the end has no limit.
    pub limits: &'a [Limit],
    /// The moment of the pick. For algorithms that let measurements fade.
    pub now: Time,
}

impl Ask<'_> {
    /// Is the slot usable and below its limit? `O(1)`, reads the load once.
    #[must_use]
    pub fn accepts(&self, slot: Slot) -> bool {
        self.in_flight(slot).is_some()
    }

    /// The requests in flight of a slot, if the ask accepts it. `O(1)`, reads the load once, so
    /// that the answer and the number belong together.
    #[must_use]
    pub fn in_flight(&self, slot: Slot) -> Option<u32> {
        if !self.usable.contains(slot) {
            return None;
        }
        let count = self.loads.get(slot.index())?.in_flight();
        let limit = self.limits.get(slot.index()).copied().unwrap_or(Limit::NONE);
        limit.has_room(count).then_some(count)
    }

    /// Loads and limits of `len` slots from `first` on, if all of them are usable and have both.
    pub(crate) fn open(&self, first: Slot, len: usize) -> Option<(&[Arc<Load>], &[Limit])> {
        let slots = first.index()..first.index().checked_add(len)?;
        let loads = self.loads.get(slots.clone())?;
        let limits = self.limits.get(slots.clone())?;
        self.usable.contains_all(slots).then_some((loads, limits))
    }
}

/// A backend that a scheduler may pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its place in the pool, the masks and the loads.
    pub slot: Slot,
    /// Its lasting name. For algorithms that place by hash, so that a place survives reordering.
    pub id: BackendId,
    /// Its share. Weight 0: known to the pool, never picked by a scheduler.
    pub weight: Weight,
}

/// Picks a backend from a table that never changes; whatever changes is in the [`Ask`].
///
/// The laws that every scheduler keeps, and that the tests of this crate hold it to:
/// - a pick is accepted by the ask at the moment its load was read;
/// - if a member is accepted for the whole of the pick, a pick is made, even while other threads
///   change the loads;
/// - the same ask, the value of its cursor included, gives the same answer;
/// - nobody with weight starves: as requests come and go, everybody is picked, except by
///   [`First`](crate::First) and [`Tiers`](crate::Tiers), which prefer on purpose.
///
/// A pick that finds nobody takes no turn of the cursor.
pub trait Scheduler: Send + Sync + fmt::Debug {
    /// The slot for this ask, or `None` if it accepts no member. Does not count the request as
    /// begun: [`Load::try_begin`] does, and if another thread was faster, ask again.
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot>;

    /// Are shares exactly as the weights say? `false` if the weights were rounded because their
    /// cycle would be longer than [`Cycle::MAX_LEN`](crate::Cycle::MAX_LEN).
    fn is_exact(&self) -> bool {
        true
    }
}
