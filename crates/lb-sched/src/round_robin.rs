use crate::{Ask, Cycle, Member, Scheduler};
use lb_types::Slot;

/// Round robin: one after the other, whatever their weights. `O(1)`.
///
/// Keeps no state per backend; the cursor is the caller's. For backends and requests that are
/// all alike.
#[derive(Debug, Clone)]
pub struct RoundRobin {
    cycle: Cycle,
}

impl RoundRobin {
    /// A table of these members, in this order. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self {
            cycle: Cycle::equal(members),
        }
    }
}

impl Scheduler for RoundRobin {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.cycle.pick(ask)
    }
}
