use crate::cursor::Lane;
use crate::{Ask, Cycle, Member, Scheduler};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use lb_types::Slot;

/// Weighted least connections: the backend with the fewest requests in flight for its weight.
/// **`O(backends)`** a pick, because every load is read; `O(1)` while many backends are idle.
///
/// Compares `c1 / w1` with `c2 / w2` by cross multiplication, without rounding. Equals are
/// scheduled by weighted round robin: whoever of them has the next turn of the [`Cycle`]. The
/// cursor moves only then. Exact on one thread; on several, a pick had the least load among the
/// values it read, so backends stay within as many requests of each other as there are threads.
///
/// For requests whose costs differ by orders of magnitude, and for long connections. A pick among
/// thousands of busy backends takes microseconds: [`TwoChoices`](crate::TwoChoices) does not.
///
/// # How a pick reads less than everything
///
/// Nobody has less than nothing in flight: when two idle backends stand among the next turns of
/// the cycle, the first of them is the answer that reading everybody would give. Else everybody is
/// read, once. An index of the least would be cheaper to read, but the end of every request would
/// have to write to it, a second write that all workers share: it is left out on purpose.
#[derive(Debug, Clone)]
pub struct WeightedLeastConn {
    /// By slot.
    places: Box<[Place]>,
    /// `places` once more: runs of slots that follow each other.
    runs: Box<[Run]>,
    /// Whose turn it is, as a position in `places`: the cycle.
    order: Box<[u32]>,
    /// The turns of each place, ascending, place after place.
    turns: Box<[u32]>,
    /// Where the turns of each place begin, and where the last ones end.
    starts: Box<[u32]>,
    lane: Lane,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    slot: Slot,
    weight: u32,
}

/// Places whose slots follow each other, at most [`LONGEST`].
#[derive(Debug, Clone, Copy)]
struct Run {
    slot: Slot,
    place: u32,
    len: u32,
}

impl WeightedLeastConn {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self::in_lane(members, Lane::FIRST)
    }

    pub(crate) fn in_lane(members: &[Member], lane: Lane) -> Self {
        let cycle = Cycle::weighted(members);
        let mut places: Vec<Place> = members.iter().filter_map(Place::of).collect();
        places.sort_unstable_by_key(|p| p.slot);
        let positions: BTreeMap<Slot, u32> = places.iter().map(|p| p.slot).zip(0..).collect();
        let order: Box<[u32]> = (cycle.turns().iter())
            .filter_map(|slot| positions.get(slot).copied())
            .collect();
        let mut by_place: Vec<(u32, u32)> = order.iter().copied().zip(0..).collect();
        by_place.sort_unstable();
        let start = |place| by_place.partition_point(|(owner, _)| *owner < place) as u32;
        Self {
            starts: (0..=places.len() as u32).map(start).collect(),
            turns: by_place.iter().map(|(_, turn)| *turn).collect(),
            runs: Run::all(&places),
            places: places.into(),
            order,
            lane,
        }
    }
}

impl Place {
    fn of(member: &Member) -> Option<Self> {
        let weight = u32::from(member.weight.get());
        (weight > 0).then_some(Self {
            slot: member.slot,
            weight,
        })
    }
}

impl Run {
    fn all(places: &[Place]) -> Box<[Self]> {
        let follows = |a: &Place, b: &Place| a.slot.0.checked_add(1) == Some(b.slot.0);
        let mut place = 0;
        let runs = places.chunk_by(follows).flat_map(|run| run.chunks(LONGEST));
        runs.map(|run| {
            place += run.len() as u32;
            Self {
                slot: run[0].slot,
                place: place - run.len() as u32,
                len: run.len() as u32,
            }
        })
        .collect()
    }
}

impl Scheduler for WeightedLeastConn {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        if self.order.is_empty() {
            return None;
        }
        let seen = ask.cursor.peek_in(self.lane);
        let turn = (seen % self.order.len() as u64) as u32;
        let next = match self.idle(turn, ask) {
            Some(next) => next,
            None => {
                let least = self.least(ask)?;
                if least.tied == 0 {
                    return Some(self.places[least.place].slot);
                }
                self.next_of(&least, turn, ask)
            }
        };
        ask.cursor.advance_in(self.lane, seen, u64::from(next.wait) + 1);
        Some(self.places[next.place].slot)
    }
}

/// A place, and the turns until it is that place's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    wait: u32,
    place: usize,
}

impl WeightedLeastConn {
    /// The first idle place from this turn on, if there is another one that is idle. Looks only a
    /// little way ahead.
    fn idle(&self, turn: u32, ask: &Ask<'_>) -> Option<Next> {
        let mut idle = self
            .ahead(turn)
            .filter(|next| self.in_flight(next.place, ask) == Some(0));
        let first = idle.next()?;
        idle.any(|other| other.place != first.place).then_some(first)
    }

    /// Reads every load once.
    #[inline(never)] // alone, the loops have enough registers
    fn least(&self, ask: &Ask<'_>) -> Option<Least> {
        let mut least = Least::NOBODY;
        for run in &self.runs {
            let places = run.place as usize..(run.place + run.len) as usize;
            let Some((loads, limits)) = ask.open(run.slot, places.len()) else {
                for place in places {
                    if let Some(count) = self.in_flight(place, ask) {
                        least.take(place, self.places[place].weight, count);
                    }
                }
                continue;
            };
            // Read first and compare then: while nothing hangs on a load, the processor fetches many at a time.
            let mut counts = [FULL; LONGEST];
            let counts = &mut counts[..places.len()];
            for (count, (load, limit)) in counts.iter_mut().zip(loads.iter().zip(limits)) {
                let in_flight = load.in_flight();
                *count = if limit.has_room(in_flight) { in_flight } else { FULL };
            }
            let seats = &self.places[places.clone()];
            if least.tied > FEW && !least.may_be_beaten(counts, seats) {
                continue; // more of the tied are of no use
            }
            for ((count, seat), place) in counts.iter().zip(seats).zip(places) {
                if *count != FULL {
                    least.take(place, seat.weight, *count);
                }
            }
        }
        (least.weight != 0).then_some(least)
    }

    /// Of the least and those that are tied with it: whoever has the next turn.
    fn next_of(&self, least: &Least, turn: u32, ask: &Ask<'_>) -> Next {
        let own = self.next(least.place, turn);
        if least.tied <= FEW {
            let tied = least.some.iter().take(least.tied);
            return tied.fold(own, |best, place| best.min(self.next(*place as usize, turn)));
        }
        // Loads are read again from here on and may have changed; the least of the first reading
        // stands for itself then.
        let is_tied = |place: usize| {
            let there = u64::from(least.count) * u64::from(self.places[place].weight);
            self.in_flight(place, ask)
                .is_some_and(|count| u64::from(count) * u64::from(least.weight) == there)
        };
        if let Some(next) = self.ahead(turn).find(|next| is_tied(next.place)) {
            return next;
        }
        let tied = (0..self.places.len()).filter(|place| is_tied(*place));
        tied.fold(own, |best, place| best.min(self.next(place, turn)))
    }

    /// The next few turns: a sixteenth of the places, so that looking there in vain costs little
    /// beside reading everybody.
    fn ahead(&self, turn: u32) -> impl Iterator<Item = Next> {
        let (before, after) = self.order.split_at(turn as usize);
        let order = after.iter().chain(before).take(4 + self.places.len() / 16);
        order.zip(0..).map(|(place, wait)| Next {
            wait,
            place: *place as usize,
        })
    }

    /// When it is this place's turn, from `turn` on.
    fn next(&self, place: usize, turn: u32) -> Next {
        let own = &self.turns[self.starts[place] as usize..self.starts[place + 1] as usize];
        let later = own.get(own.partition_point(|t| *t < turn));
        let wait = match (later, own.first()) {
            (Some(later), _) => later - turn,
            (None, Some(first)) => first + (self.order.len() as u32 - turn),
            (None, None) => u32::MAX, // has weight, so it has a turn
        };
        Next { wait, place }
    }

    fn in_flight(&self, place: usize, ask: &Ask<'_>) -> Option<u32> {
        ask.in_flight(self.places[place].slot)
    }
}

/// The least of all that were read, and those as good as it.
struct Least {
    place: usize,
    /// 0: nobody was read yet.
    weight: u32,
    count: u32,
    /// How many others are as good; above [`FEW`], it is only known that they are more than that.
    tied: usize,
    /// The first of the tied, beside `place`; the last entry is for whoever was not tied.
    some: [u32; FEW + 1],
}

impl Least {
    const NOBODY: Self = Self {
        place: 0,
        weight: 0,
        count: 1, // for no weight: more than anybody
        tied: 0,
        some: [0; FEW + 1],
    };

    #[inline(always)]
    fn take(&mut self, place: usize, weight: u32, count: u32) {
        let here = u64::from(count) * u64::from(self.weight);
        let there = u64::from(self.count) * u64::from(weight);
        if here < there {
            (self.place, self.weight, self.count, self.tied) = (place, weight, count, 0);
        } else {
            // ties come as they please: written either way, so that no branch has to be guessed
            self.some[self.tied.min(FEW)] = place as u32;
            self.tied += usize::from(here == there);
        }
    }

    /// Has anybody of these less? Whoever is [`FULL`] may seem so. All of them are compared in a few vector
    /// instructions: the products are below `2^63`, so the sign of a difference tells.
    fn may_be_beaten(&self, counts: &[u32], seats: &[Place]) -> bool {
        let differences = counts.iter().zip(seats).map(|(count, seat)| {
            let here = u64::from(*count) * u64::from(self.weight);
            here.wrapping_sub(u64::from(self.count) * u64::from(seat.weight))
        });
        differences.fold(0, |all, difference| all | difference) >> 63 != 0
    }
}

/// So many tied places are remembered; more are found again.
const FEW: usize = 8;

/// Stands for the count of whoever has no room: no count below a limit is as large.
const FULL: u32 = u32::MAX;

/// The longest run: one backend that is down makes only those near it dear to read.
const LONGEST: usize = 64;
