use crate::{Ask, Cycle, Member, Scheduler};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
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
    places: Box<[Place]>,
    /// Positions in `places`, each as often as its weight says.
    draws: Box<[usize]>,
    exact: bool,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    slot: Slot,
    weight: u64,
}

impl TwoChoices {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let cycle = Cycle::weighted(members);
        let places: Vec<Place> = members
            .iter()
            .filter(|m| m.weight.get() > 0)
            .map(|m| Place {
                slot: m.slot,
                weight: m.weight.get().into(),
            })
            .collect();
        let by_slot: BTreeMap<Slot, usize> = places.iter().enumerate().map(|(i, p)| (p.slot, i)).collect();
        let draws = cycle
            .turns()
            .iter()
            .filter_map(|slot| by_slot.get(slot).copied())
            .collect();
        Self {
            places: places.into(),
            draws,
            exact: cycle.is_exact(),
        }
    }

    fn first_accepted(&self, from: usize, ask: &Ask<'_>) -> Option<Slot> {
        let (before, after) = self.places.split_at_checked(from)?;
        after
            .iter()
            .chain(before)
            .map(|p| p.slot)
            .find(|slot| ask.accepts(*slot))
    }
}

impl Scheduler for TwoChoices {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        let one = *self.draws.get(below(ask.entropy >> 32, self.draws.len()))?;
        let first = self.places.get(one)?;
        let count = self.places.len();
        if count == 1 {
            return ask.accepts(first.slot).then_some(first.slot);
        }
        let two = (one + 1 + below(ask.entropy & 0xffff_ffff, count - 1)) % count;
        let second = self.places.get(two)?;
        match (ask.in_flight(first.slot), ask.in_flight(second.slot)) {
            (Some(a), Some(b)) if u64::from(b) * first.weight < u64::from(a) * second.weight => Some(second.slot),
            (Some(_), _) => Some(first.slot),
            (None, Some(_)) => Some(second.slot),
            (None, None) => self.first_accepted(two, ask),
        }
    }

    fn is_exact(&self) -> bool {
        self.exact
    }
}

/// Spreads 32 random bits over `0..bound`.
fn below(random: u64, bound: usize) -> usize {
    ((u128::from(random) * bound as u128) >> 32) as usize
}
