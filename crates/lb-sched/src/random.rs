use crate::draw::Draw;
use crate::{Ask, Member, Scheduler};
use lb_types::Slot;

/// Random: a backend drawn by weight. `O(1)` while the drawn one has room, then `O(backends)`.
///
/// Reads one load and writes nothing shared. Its longest queues are longer than those of
/// [`TwoChoices`](crate::TwoChoices), which costs one load more: take it where workers must not
/// look at loads at all, or to compare.
#[derive(Debug, Clone)]
pub struct Random {
    draw: Draw,
}

impl Random {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self {
            draw: Draw::new(members),
        }
    }
}

impl Scheduler for Random {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        let drawn = self.draw.places().get(self.draw.by_weight(ask.entropy)?)?.slot;
        if ask.accepts(drawn) {
            Some(drawn)
        } else {
            self.draw.among_accepted(ask)
        }
    }
}
