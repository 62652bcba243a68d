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
            let seen = self.look(hash);
            if seen.count >= limit {
                return Taken::AtLimit;
            }
            let (slot, old, new) = match (seen.own, seen.free) {
                (Some((slot, word)), _) => (slot, word, word + 1),
                (None, Some(slot)) => (slot, 0, tag(hash) << COUNT_BITS | 1),
                (None, None) => return Taken::Full,
            };
            let Some(word) = self.slot(slot) else {
                return Taken::Full;
            };
            if word.compare_exchange(old, new, SeqCst, SeqCst).is_err() {
                continue;
            }
            if self.look(hash).count <= limit {
                return Taken::Slot(slot);
            }
            self.give_back(slot);
        }
        Taken::AtLimit
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
