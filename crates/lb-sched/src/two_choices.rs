use crate::draw::{Draw, Place, below};
use crate::{Ask, Member, Scheduler};
use lb_types::Slot;

/// Random of two choices: of two different backends, the one with fewer requests in flight for
/// its weight. `O(1)` unless both are full, then `O(backends)`.
///
/// The first is drawn by weight, the second evenly among the others; equals go to the first, so
/// an idle pool shares by weight. Reads two loads and writes nothing shared: the cheapest
/// algorithm for many workers. Avoids what least connections does badly: many workers that all
/// see the same least one.
#[derive(Debug, Clone)]
pub struct TwoChoices {
    draw: Draw,
}

impl TwoChoices {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self {
            draw: Draw::new(members),
        }
    }
}

impl Scheduler for TwoChoices {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.draw.better_of_two(ask, |second, first| {
            let share = |p: &Seen<'_>| u64::from(p.in_flight);
            share(second) * u64::from(first.place.weight) < share(first) * u64::from(second.place.weight)
        })
    }
}

/// One of two candidates, as it was when it was looked at.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) place: &'a Place,
    pub(crate) in_flight: u32,
}

impl Draw {
    /// Draws two and picks the second if `better(second, first)`.
    pub(crate) fn better_of_two(
        &self,
        ask: &Ask<'_>,
        better: impl FnOnce(&Seen<'_>, &Seen<'_>) -> bool,
    ) -> Option<Slot> {
        let places = self.places();
        let one = self.by_weight(ask.entropy)?;
        let first = places.get(one)?;
        let others = places.len() - 1;
        if others == 0 {
            return ask.accepts(first.slot).then_some(first.slot);
        }
        // both halves of the entropy went into the first
        let again = ask.entropy.wrapping_mul(ODD) >> 32;
        let two = one + 1 + below(again, others as u64) as usize;
        let second = places.get(if two < places.len() { two } else { two - places.len() })?;
        match (ask.in_flight(first.slot), ask.in_flight(second.slot)) {
            (Some(a), Some(b)) => {
                let seen = |place, in_flight| Seen { place, in_flight };
                Some(if better(&seen(second, b), &seen(first, a)) {
                    second.slot
                } else {
                    first.slot
                })
            }
            (Some(_), None) => Some(first.slot),
            (None, Some(_)) => Some(second.slot),
            (None, None) => self.among_accepted(ask),
        }
    }
}

/// 2^64 divided by the golden ratio: the upper half of the product depends on all bits.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
