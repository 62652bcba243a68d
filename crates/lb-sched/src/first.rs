use crate::{Ask, Member, Scheduler};
use alloc::boxed::Box;
use lb_types::Slot;

/// First available: the first backend, in the order given, that has room. `O(full backends)`.
///
/// Fills one backend to its limit before it uses the next, so that the others can sleep or be
/// given back; without limits all requests go to the first. Weights do not matter. HAProxy's
/// `balance first`.
#[derive(Debug, Clone)]
pub struct First {
    slots: Box<[Slot]>,
}

impl First {
    /// A table of these members, in this order. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let taking = members.iter().filter(|m| m.weight.get() > 0);
        Self {
            slots: taking.map(|m| m.slot).collect(),
        }
    }
}

impl Scheduler for First {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.slots.iter().copied().find(|slot| ask.accepts(*slot))
    }
}
