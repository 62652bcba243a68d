use crate::cursor::Lane;
use crate::{Ask, Cycle, Member, Scheduler};
use lb_types::Slot;

/// Round robin: one after the other, whatever their weights. `O(1)`.
///
/// Keeps no state per backend; the cursor is the caller's. For backends and requests that are
/// all alike.
#[derive(Debug, Clone)]
pub struct RoundRobin {
    cycle: Cycle,
    lane: Lane,
}

impl RoundRobin {
    /// A table of these members, in this order. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self::in_lane(members, Lane::FIRST)
    }

    pub(crate) fn in_lane(members: &[Member], lane: Lane) -> Self {
        Self {
            cycle: Cycle::equal(members),
            lane,
        }
    }
}

impl Scheduler for RoundRobin {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.cycle.pick(self.lane, ask)
    }
}
