use crate::{Ask, Cycle, Member, Scheduler};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use lb_types::Slot;

/// Weighted least connections: the backend with the fewest requests in flight for its weight.
/// **`O(backends)`** a pick, because every load is read.
///
/// Compares `c1 / w1` with `c2 / w2` by cross multiplication, without rounding. Equals are
/// scheduled by weighted round robin: whoever of them has the next turn of the [`Cycle`]. The
/// cursor moves only then. Exact on one thread; on several, a pick had the least load among the
/// values it read, so backends stay within as many requests of each other as there are threads.
///
/// For requests whose costs differ by orders of magnitude, and for long connections.
#[derive(Debug, Clone)]
pub struct WeightedLeastConn {
    places: Box<[Place]>,
    round: u64,
}

#[derive(Debug, Clone)]
struct Place {
    slot: Slot,
    weight: u64,
    /// Its turns in the round, ascending.
    turns: Box<[u64]>,
}

impl WeightedLeastConn {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let cycle = Cycle::weighted(members);
        let mut places: Vec<(Place, Vec<u64>)> = Vec::new();
        let mut by_slot: alloc::collections::BTreeMap<Slot, usize> = alloc::collections::BTreeMap::new();
        for member in members.iter().filter(|m| m.weight.get() > 0) {
            by_slot.insert(member.slot, places.len());
            let place = Place {
                slot: member.slot,
                weight: member.weight.get().into(),
                turns: Box::default(),
            };
            places.push((place, Vec::new()));
        }
        for (turn, slot) in cycle.turns().iter().enumerate() {
            if let Some((_, turns)) = by_slot.get(slot).and_then(|i| places.get_mut(*i)) {
                turns.push(turn as u64);
            }
        }
        let places = places
            .into_iter()
            .map(|(place, turns)| Place {
                turns: turns.into(),
                ..place
            })
            .collect();
        Self {
            places,
            round: cycle.turns().len() as u64,
        }
    }
}

impl Scheduler for WeightedLeastConn {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        let seen = ask.cursor.peek();
        let mut best: Option<Best<'_>> = None;
        for place in &self.places {
            let Some(count) = ask.in_flight(place.slot).map(u64::from) else {
                continue;
            };
            let Some(best) = &mut best else {
                best = Some(Best {
                    place,
                    count,
                    wait: None,
                });
                continue;
            };
            match (count * best.place.weight).cmp(&(best.count * place.weight)) {
                Ordering::Less => {
                    *best = Best {
                        place,
                        count,
                        wait: None,
                    }
                }
                Ordering::Equal => {
                    let turn = seen % self.round;
                    let standing = best.wait.unwrap_or_else(|| self.wait(best.place, turn));
                    let wait = self.wait(place, turn);
                    if wait < standing {
                        *best = Best {
                            place,
                            count,
                            wait: Some(wait),
                        };
                    } else {
                        best.wait = Some(standing);
                    }
                }
                Ordering::Greater => {}
            }
        }
        let best = best?;
        if let Some(wait) = best.wait {
            ask.cursor.advance_from(seen, wait + 1);
        }
        Some(best.place.slot)
    }
}

impl WeightedLeastConn {
    /// How many turns from `turn` on until it is this place's turn.
    fn wait(&self, place: &Place, turn: u64) -> u64 {
        let next = place.turns.partition_point(|t| *t < turn);
        match (place.turns.get(next), place.turns.first()) {
            (Some(later), _) => later - turn,
            (None, Some(first)) => first + self.round - turn,
            (None, None) => u64::MAX / 2, // has weight, so it has a turn
        }
    }
}

struct Best<'a> {
    place: &'a Place,
    count: u64,
    /// Set when another place is as good: turns until this one's.
    wait: Option<u64>,
}
