use crate::cursor::Lane;
use crate::placement::hash_of;
use crate::{Ask, Placement, Scheduler, Seat};
use core::sync::atomic::Ordering::Relaxed;
use lb_types::{Slot, hash64};

/// How far a backend may be above the mean load before its hashes go on to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BoundedLoad(u16);

impl BoundedLoad {
    /// Percent of the mean: 125 lets a backend have a quarter more than its share.
    ///
    /// # Errors
    /// [`BoundedLoadError`] outside 101 to 1000. With 100 or less the last requests would find
    /// nobody; beyond 1000 hardly anything is bounded.
    pub const fn percent(percent: u16) -> Result<Self, BoundedLoadError> {
        if percent < MIN || percent > MAX {
            Err(BoundedLoadError { percent })
        } else {
            Ok(Self(percent))
        }
    }

    /// Percent of the mean, 101 to 1000.
    #[must_use]
    pub const fn as_percent(self) -> u16 {
        self.0
    }
}

/// A bound that bounds nothing, or everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a load bound of {percent} % is not between 101 and 1000; 125 is usual")]
pub struct BoundedLoadError {
    /// What was asked for.
    pub percent: u16,
}

/// Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018): the placement's
/// own pick, unless that backend has more than its part of the load; then the next in the order of
/// the hash that has not.
///
/// A backend has room while its requests in flight are fewer than
/// `ceil(percent / 100 * (sum + 1) * weight / sum of weights)`, where `sum` is the requests in flight
/// of all members, tried and masked ones included, and the 1 is the request to be placed.
///
/// What is promised: nobody at or above that number is picked while somebody accepted is below it. If
/// none is below (the others are down or at their limits), the placement's own pick among the accepted
/// is made, as if there were no bound. The sum is exact up to 31 members. With more, it is as it stood
/// `members / 16` of the pool's picks ago at most: reading it costs each pick 16 loads on average, and
/// the pick that does it all of them. Several workers may each see room for one, so the bound holds
/// within the number of workers.
///
/// Takes one step of the cursor a pick; the sum is kept in the cursor, and written as often as it is
/// read. Otherwise costs what the placement costs, plus a look at each backend that is passed.
#[derive(Debug, Clone)]
pub struct Bounded<P> {
    placement: P,
    percent: u64,
    weights: u64,
    /// Picks for which a sum is good.
    picks: u64,
    /// Tells this table's notes in a cursor from another's; not 0.
    tag: u64,
    lane: Lane,
}

impl<P: Placement> Bounded<P> {
    /// Bounds a placement.
    #[must_use]
    pub fn new(placement: P, bound: BoundedLoad) -> Self {
        Self::in_lane(placement, bound, Lane::FIRST)
    }

    pub(crate) fn in_lane(placement: P, bound: BoundedLoad, lane: Lane) -> Self {
        let seats = placement.seats();
        let weights = seats.iter().map(|s| u64::from(s.weight)).sum();
        let picks = (seats.len() as u64 / LOOKS).clamp(1, MAX_PICKS);
        let tag = seats.iter().fold(1, |tag, s| hash64(tag, &s.slot.0.to_le_bytes()));
        Self {
            weights,
            picks,
            tag: (tag & TAG).max(1),
            placement,
            percent: bound.0.into(),
            lane,
        }
    }

    /// The placement that is bounded.
    #[must_use]
    pub fn placement(&self) -> &P {
        &self.placement
    }

    /// Requests in flight of all members, as of now or of the last few picks.
    fn sum(&self, step: u64, ask: &Ask<'_>) -> u64 {
        let note = ask.cursor.note(self.tag as usize);
        let noted = Note::unpack(note.load(Relaxed));
        let age = step.wrapping_sub(noted.step) & STEP;
        if self.picks > 1 && noted.tag == self.tag && age < self.picks {
            return noted.sum;
        }
        let load = |seat: &Seat| ask.loads.get(seat.slot.index()).map_or(0, |l| u64::from(l.in_flight()));
        let sum = self.placement.seats().iter().map(load).sum();
        if self.picks > 1 {
            let step = step & STEP;
            note.store(
                Note {
                    tag: self.tag,
                    step,
                    sum,
                }
                .pack(),
                Relaxed,
            );
        }
        sum
    }
}

impl<P: Placement> Scheduler for Bounded<P> {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        let hash = hash_of(ask);
        let step = ask.cursor.next_in(self.lane);
        let all = (self.sum(step, ask) + 1) * self.percent;
        let whole = self.weights * 100;
        let has_room = |seat: &Seat| {
            // in flight < ceil(a / b) exactly if in flight * b < a
            let in_flight = ask.in_flight(seat.slot);
            in_flight.is_some_and(|n| u64::from(n) * whole < all * u64::from(seat.weight))
        };
        let within = self.placement.place(hash, has_room);
        let found = within.or_else(|| self.placement.place(hash, |seat| ask.accepts(seat.slot)));
        if found.is_none() {
            ask.cursor.untake_in(self.lane, step);
        }
        found
    }
}

/// Who summed, when, and what: one word, so that it is read and written as a whole.
struct Note {
    tag: u64,
    step: u64,
    sum: u64,
}

impl Note {
    const fn unpack(word: u64) -> Self {
        Self {
            tag: word & TAG,
            step: (word >> TAG_BITS) & STEP,
            sum: word >> (TAG_BITS + STEP_BITS),
        }
    }

    const fn pack(&self) -> u64 {
        // more in flight than the bits hold: the mean is only seen too small
        let sum = if self.sum > SUM { SUM } else { self.sum };
        self.tag | (self.step << TAG_BITS) | (sum << (TAG_BITS + STEP_BITS))
    }
}

/// Loads that a pick reads for its sum, on average.
const LOOKS: u64 = 16;
const TAG_BITS: u32 = 12;
const STEP_BITS: u32 = 24;
const TAG: u64 = (1 << TAG_BITS) - 1;
const STEP: u64 = (1 << STEP_BITS) - 1;
const SUM: u64 = (1 << (u64::BITS - TAG_BITS - STEP_BITS)) - 1;
/// Far below the steps that a note tells apart.
const MAX_PICKS: u64 = 1 << 16;
const MIN: u16 = 101;
const MAX: u16 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_bound_is_between_101_and_1000_percent() {
        for percent in [101, 125, 1_000] {
            assert_eq!(BoundedLoad::percent(percent).map(BoundedLoad::as_percent), Ok(percent));
        }
        for percent in [0, 100, 1_001, u16::MAX] {
            let error = BoundedLoad::percent(percent).unwrap_err();
            assert_eq!(error, BoundedLoadError { percent });
            assert!(error.to_string().contains(&percent.to_string()));
        }
    }

    #[test]
    fn a_note_reads_back() {
        let note = Note {
            tag: TAG,
            step: 5,
            sum: SUM + 7,
        };
        let back = Note::unpack(note.pack());
        assert_eq!((back.tag, back.step, back.sum), (TAG, 5, SUM));
    }
}
