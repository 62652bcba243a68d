use crate::cursor::Lane;
use crate::{Ask, Cycle, Member, Scheduler};
use lb_types::Slot;

/// Weighted round robin: turns in proportion to the weights, spread evenly (see [`Cycle`]). `O(1)`.
///
/// Keeps no state per backend; the cursor is the caller's. Shares are exact over all workers that
/// share the cursor. For requests of similar cost to backends of different strength.
#[derive(Debug, Clone)]
pub struct WeightedRoundRobin {
    cycle: Cycle,
    lane: Lane,
}

impl WeightedRoundRobin {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self::in_lane(members, Lane::FIRST)
    }

    pub(crate) fn in_lane(members: &[Member], lane: Lane) -> Self {
        Self {
            cycle: Cycle::weighted(members),
            lane,
        }
    }
}

impl Scheduler for WeightedRoundRobin {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.cycle.pick(self.lane, ask)
    }

    fn is_exact(&self) -> bool {
        self.cycle.is_exact()
    }
}
