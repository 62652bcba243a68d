use crate::{Ask, Member};
use alloc::boxed::Box;
use alloc::vec::Vec;
use lb_types::{Rng, Slot};

/// Draws members by weight in `O(1)`: the alias method (Vose, 1991) in whole numbers, so that the
/// chances are exactly the weights.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    places: Box<[Place]>,
    /// Sum of all weights: what `Place::own` is a share of.
    total: u64,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) slot: Slot,
    pub(crate) weight: u32,
    /// Of `total` draws that land here, so many stay; the others go to `alias`.
    own: u32,
    alias: u32,
}

impl Draw {
    /// Members of weight 0 are left out.
    pub(crate) fn new(members: &[Member]) -> Self {
        let mut places: Vec<Place> = members
            .iter()
            .zip(0_u32..)
            .filter(|(member, _)| member.weight.get() > 0)
            .map(|(member, _)| Place {
                slot: member.slot,
                weight: member.weight.get().into(),
                own: 0,
                alias: 0,
            })
            .collect();
        let total: u64 = places.iter().map(|p| u64::from(p.weight)).sum();
        fill(&mut places, total);
        Self {
            places: places.into(),
            total,
        }
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The position of a member drawn by weight, from 64 random bits. The lower half of the bits
    /// is used for the last time.
    pub(crate) fn by_weight(&self, random: u64) -> Option<usize> {
        let at = below(random >> 32, self.places.len() as u64) as usize;
        let place = self.places.get(at)?;
        let stays = below(random & 0xffff_ffff, self.total) < u64::from(place.own);
        Some(if stays { at } else { place.alias as usize })
    }

    /// When those that were drawn are full: one of the accepted, by weight. `O(members)`.
    #[cold]
    pub(crate) fn among_accepted(&self, ask: &Ask<'_>) -> Option<Slot> {
        let mut rng = Rng::new(ask.entropy);
        let (mut chosen, mut total) = (None, 0_u64);
        for place in self.places.iter().filter(|p| ask.accepts(p.slot)) {
            total += u64::from(place.weight);
            // the newest of `total` weight takes the place with its share, the older ones keep theirs
            if rng.below(total) < u64::from(place.weight) {
                chosen = Some(place.slot);
            }
        }
        chosen
    }
}

/// Spreads 32 random bits over `0..bound`; a bound of up to 2^24 gets each value within 1/256 of its share.
pub(crate) fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 32) as u64
}

/// Each place holds `total` chances; a light one lends the rest to a heavy one.
fn fill(places: &mut [Place], total: u64) {
    let count = places.len() as u64;
    let mut left: Vec<u64> = places.iter().map(|p| u64::from(p.weight) * count).collect();
    let (mut light, mut heavy): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(|i| left[*i] < total);
    while let (Some(small), Some(&large)) = (light.last().copied(), heavy.last()) {
        light.pop();
        places[small].own = left[small] as u32;
        places[small].alias = large as u32;
        left[large] -= total - left[small];
        if left[large] < total {
            heavy.pop();
            light.push(large);
        }
    }
    // whole numbers: who is left has exactly `total`
    for at in heavy.into_iter().chain(light) {
        places[at].own = total as u32;
        places[at].alias = at as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::{BackendId, Weight};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chances_are_exactly_the_weights(weights in proptest::collection::vec(0_u16..=256, 0..40)) {
            let member = |(weight, slot): (&u16, u32)| Member {
                slot: Slot(slot),
                id: BackendId::from_u64(slot.into()),
                weight: Weight::new(*weight).unwrap(),
            };
            let members: Vec<Member> = weights.iter().zip(0..).map(member).collect();
            let draw = Draw::new(&members);
            let mut chances = alloc::vec![0_u64; weights.len()];
            for place in draw.places() {
                chances[place.slot.index()] += u64::from(place.own);
                chances[draw.places()[place.alias as usize].slot.index()] += draw.total - u64::from(place.own);
            }
            let count = draw.places().len() as u64;
            for (chance, weight) in chances.into_iter().zip(weights) {
                prop_assert_eq!(chance, u64::from(weight) * count);
            }
        }
    }
}
