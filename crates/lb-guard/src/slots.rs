//! Counts by hash, in a table of fixed size without locks.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Each slot is one word: 44 bits of a hash and a count of 20, so that who it is and how many change in one step; zero is
/// free. A hash may be in any of the sixteen slots of its two buckets.
///
/// Two threads may put one hash into two slots at once. So what counts is the sum over both buckets: a place is taken
/// only if the sum with it, read again after it was taken, is within the limit. Of those who hold one at any time, the one
/// who took the last saw all the others' (the order of all steps is one, `SeqCst`), so they are never more. With all in
/// one slot, as almost always, the step itself is refused above the limit and nobody waits or is refused for nothing.
#[derive(Debug)]
pub(crate) struct Slots {
    buckets: Vec<Bucket>,
}

/// One cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Bucket([AtomicU64; PER_BUCKET]);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Slot(u32),
    AtLimit,
    Full,
}

impl Slots {
    pub(crate) const MOST: u32 = (1 << COUNT_BITS) - 1;
    pub(crate) const SMALLEST: usize = 2 * PER_BUCKET;
    pub(crate) const LARGEST: usize = 1 << 23;

    /// Room for `slots`, rounded up to a power of two.
    pub(crate) fn new(slots: usize) -> Self {
        let slots = slots.clamp(Self::SMALLEST, Self::LARGEST).next_power_of_two();
        let mut buckets = Vec::new();
        buckets.resize_with(slots / PER_BUCKET, Bucket::default);
        Self { buckets }
    }

    /// One more of `hash`, if there are fewer than `limit`.
    pub(crate) fn take(&self, hash: u64, limit: u32) -> Taken {
        for _ in 0..ATTEMPTS {
            if let Some(taken) = self.attempt(hash, limit, &self.look(hash)) {
                return taken;
            }
        }
        Taken::AtLimit
    }

    /// `None`: another thread came between.
    fn attempt(&self, hash: u64, limit: u32, seen: &Seen) -> Option<Taken> {
        if seen.count >= limit {
            return Some(Taken::AtLimit);
        }
        let (slot, old, new) = match (seen.own, seen.free) {
            (Some((slot, word)), _) => (slot, word, word + 1),
            (None, Some(slot)) => (slot, 0, tag(hash) << COUNT_BITS | 1),
            (None, None) => return Some(Taken::Full),
        };
        let word = self.slot(slot)?;
        word.compare_exchange(old, new, SeqCst, SeqCst).ok()?;
        if self.look(hash).count > limit {
            self.give_back(slot);
            return None;
        }
        Some(Taken::Slot(slot))
    }

    /// One less in `slot`, which [`take`](Self::take) gave.
    pub(crate) fn give_back(&self, slot: u32) {
        let Some(word) = self.slot(slot) else { return };
        let less = |word: u64| match word & COUNT {
            0 => None,
            1 => Some(0),
            _ => Some(word - 1),
        };
        let before = word.try_update(SeqCst, SeqCst, less);
        debug_assert!(before.is_ok(), "a place was given back that nobody had");
    }

    pub(crate) fn count(&self, hash: u64) -> u32 {
        self.look(hash).count
    }

    /// Slots that are not free.
    pub(crate) fn used(&self) -> usize {
        let words = self.buckets.iter().flat_map(|bucket| &bucket.0);
        words.filter(|word| word.load(SeqCst) != 0).count()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of::<Bucket>() * self.buckets.capacity()
    }

    fn look(&self, hash: u64) -> Seen {
        let mut seen = Seen::default();
        let mut most_free = 0;
        for bucket in self.buckets_of(hash) {
            let Some(Bucket(words)) = self.buckets.get(bucket) else {
                continue;
            };
            let mut free = 0;
            let mut first_free = None;
            for (slot, word) in (bucket as u32 * PER_BUCKET as u32..).zip(words) {
                let word = word.load(SeqCst);
                if word == 0 {
                    free += 1;
                    first_free = first_free.or(Some(slot));
                } else if word >> COUNT_BITS == tag(hash) {
                    seen.count += (word & COUNT) as u32;
                    seen.own = Some((slot, word));
                }
            }
            // into the emptier one, so that both fill evenly
            if free > most_free {
                (most_free, seen.free) = (free, first_free);
            }
        }
        seen
    }

    /// Two, never the same one. Each follows from the other and the tag.
    fn buckets_of(&self, hash: u64) -> [usize; 2] {
        let mask = self.buckets.len() - 1;
        let one = hash as usize & mask;
        let step = tag(hash).wrapping_mul(ODD) >> 32;
        [one, one ^ (step as usize & mask | 1)]
    }

    fn slot(&self, slot: u32) -> Option<&AtomicU64> {
        let slot = slot as usize;
        self.buckets.get(slot / PER_BUCKET)?.0.get(slot % PER_BUCKET)
    }
}

#[derive(Debug, Default)]
struct Seen {
    count: u32,
    own: Option<(u32, u64)>,
    free: Option<u32>,
}

const fn tag(hash: u64) -> u64 {
    hash >> COUNT_BITS
}

const PER_BUCKET: usize = 8;
const COUNT_BITS: u32 = 20;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
/// 2^64 divided by the golden ratio: spreads the tag over the upper half of a product.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Each attempt that fails is another thread's success in the same slot within a few nanoseconds.
const ATTEMPTS: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: u64 = 0xc11e_4700_0000_0000;
    const OTHER: u64 = 0x07e4_0000_0000_0000;

    /// One client in two slots: one thread looks while another client has the first slot, one after it left, and then
    /// both take what they saw.
    fn race(limit: u32) -> (Slots, [Option<Taken>; 2]) {
        let slots = Slots::new(Slots::SMALLEST);
        assert_eq!(slots.take(OTHER, 1), Taken::Slot(0));
        let fill: Vec<Taken> = (1..=7).map(|i| slots.take(OTHER + (i << 20), 1)).collect();
        assert!(fill.contains(&Taken::Slot(8)), "both buckets fill: {fill:?}");
        let before = slots.look(CLIENT);
        slots.give_back(0);
        slots.give_back(1);
        let after = slots.look(CLIENT);
        assert_ne!(before.free, after.free);
        let taken = [before, after].map(|seen| slots.attempt(CLIENT, limit, &seen));
        (slots, taken)
    }

    #[test]
    fn s_ka_09_of_two_slots_for_one_client_the_second_is_given_back_at_the_limit() {
        let (slots, [first, second]) = race(1);
        assert!(matches!(first, Some(Taken::Slot(_))), "{first:?}");
        assert_eq!(second, None, "to be tried again");
        assert_eq!(slots.count(CLIENT), 1);
        assert_eq!(slots.take(CLIENT, 1), Taken::AtLimit);
    }

    #[test]
    fn s_ka_09_what_counts_is_the_sum_of_both_slots() {
        let (slots, taken) = race(2);
        let [Some(Taken::Slot(first)), Some(Taken::Slot(second))] = taken else {
            panic!("{taken:?}");
        };
        assert_ne!(first, second);
        assert_eq!(slots.count(CLIENT), 2);
        assert_eq!(slots.take(CLIENT, 2), Taken::AtLimit);
        slots.give_back(first);
        assert_eq!(slots.count(CLIENT), 1);
        assert!(matches!(slots.take(CLIENT, 2), Taken::Slot(_)));
        assert_eq!(slots.take(CLIENT, 2), Taken::AtLimit);
    }

    #[test]
    fn a_slot_that_was_taken_meanwhile_is_tried_again() {
        let slots = Slots::new(Slots::SMALLEST);
        let seen = slots.look(CLIENT);
        assert!(matches!(slots.take(OTHER, 1), Taken::Slot(_)));
        assert_eq!(slots.attempt(CLIENT, 1, &seen), None);
        assert!(matches!(slots.take(CLIENT, 1), Taken::Slot(_)));
        assert_eq!(slots.used(), 2);
    }
}
