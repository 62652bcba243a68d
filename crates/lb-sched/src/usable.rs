use alloc::vec::Vec;
use core::ops::Range;
use lb_types::Slot;

/// Which slots of a pool may be picked: one bit each.
///
/// A slot beyond the length is not usable. Queries cost `O(1)`; only the constructors allocate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usable {
    words: Vec<u64>,
}

impl Usable {
    /// No slot of a pool of `slots` backends.
    #[must_use]
    pub fn none(slots: usize) -> Self {
        Self {
            words: alloc::vec![0; slots.div_ceil(BITS)],
        }
    }

    /// Every slot of a pool of `slots` backends.
    #[must_use]
    pub fn all(slots: usize) -> Self {
        let mut all = Self {
            words: alloc::vec![u64::MAX; slots.div_ceil(BITS)],
        };
        let beyond = all.words.len() * BITS - slots;
        if let Some(last) = all.words.last_mut() {
            *last >>= beyond;
        }
        all
    }

    /// May this slot be picked?
    #[must_use]
    pub fn contains(&self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        self.words.get(word).is_some_and(|w| w & bit != 0)
    }

    /// May each of these slots be picked? `O(slots / 64)`.
    pub(crate) fn contains_all(&self, slots: Range<usize>) -> bool {
        let (mut from, end) = (slots.start, slots.end);
        while from < end {
            let len = (end - from).min(BITS - from % BITS);
            let mask = (u64::MAX >> (BITS - len)) << (from % BITS);
            if self.words.get(from / BITS).is_none_or(|word| word & mask != mask) {
                return false;
            }
            from += len;
        }
        true
    }

    /// Lets a slot be picked. A slot beyond the length stays unusable.
    pub fn insert(&mut self, slot: Slot) {
        let (word, bit) = place(slot);
        if let Some(w) = self.words.get_mut(word) {
            *w |= bit;
        }
    }

    /// Keeps a slot from being picked.
    pub fn remove(&mut self, slot: Slot) {
        let (word, bit) = place(slot);
        if let Some(w) = self.words.get_mut(word) {
            *w &= !bit;
        }
    }

    /// Becomes a copy of `other`; allocates only if it never was as long.
    pub fn copy_from(&mut self, other: &Self) {
        self.words.clone_from(&other.words);
    }

    /// How many slots may be picked. `O(slots / 64)`.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }
}

fn place(slot: Slot) -> (usize, u64) {
    (slot.index() / BITS, 1 << (slot.index() % BITS))
}

const BITS: usize = u64::BITS as usize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_beyond_the_length_are_not_usable() {
        for slots in [0, 1, 63, 64, 65, 128, 200] {
            let all = Usable::all(slots);
            assert_eq!(all.count(), slots);
            assert!(!all.contains(Slot(slots as u32)));
            assert!(!all.contains(Slot(u32::MAX)));
            assert_eq!(Usable::none(slots).count(), 0);
        }
    }

    #[test]
    fn slots_are_set_and_cleared_one_by_one() {
        let mut usable = Usable::none(70);
        usable.insert(Slot(3));
        usable.insert(Slot(69));
        usable.insert(Slot(500));
        assert!(usable.contains(Slot(3)) && usable.contains(Slot(69)) && !usable.contains(Slot(4)));
        assert_eq!(usable.count(), 2);
        let mut copy = Usable::default();
        copy.copy_from(&usable);
        copy.remove(Slot(3));
        copy.remove(Slot(500));
        assert_eq!(copy.count(), 1);
        assert!(usable.contains(Slot(3)));
    }

    #[test]
    fn a_range_is_usable_if_each_of_its_slots_is() {
        for hole in [0, 5, 63, 64, 127, 128, 199] {
            let mut usable = Usable::all(200);
            usable.remove(Slot(hole as u32));
            for slots in [
                0..0,
                0..1,
                3..64,
                63..65,
                64..128,
                60..130,
                0..200,
                128..200,
                199..201,
                500..501,
            ] {
                let want = slots.clone().all(|slot| usable.contains(Slot(slot as u32)));
                assert_eq!(usable.contains_all(slots.clone()), want, "{slots:?} without {hole}");
            }
        }
    }
}
