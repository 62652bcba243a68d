use lb_types::Slot;

/// The slots that one request has tried and must not get again. Lives on the stack; a new one
/// costs nothing and adding never allocates.
///
/// Holds any of the first 64 slots and [`Tried::FAR`] others. If there is no room for another
/// far slot, all far slots count as tried: a request that failed this often has had its chance.
#[derive(Debug, Clone, Default)]
pub struct Tried {
    near: u64,
    far: [u32; Self::FAR],
    far_len: u8,
    far_full: bool,
}

impl Tried {
    /// How many slots from 64 on are remembered one by one.
    pub const FAR: usize = 8;

    /// Nothing was tried.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            near: 0,
            far: [0; Self::FAR],
            far_len: 0,
            far_full: false,
        }
    }

    /// Remembers a slot. Adding it again changes nothing.
    pub fn add(&mut self, slot: Slot) {
        if self.contains(slot) {
            return;
        }
        if let Some(bit) = near(slot) {
            self.near |= bit;
            return;
        }
        match self.far.get_mut(usize::from(self.far_len)) {
            Some(place) => {
                *place = slot.0;
                self.far_len += 1;
            }
            None => self.far_full = true,
        }
    }

    /// Was the slot tried?
    #[must_use]
    pub fn contains(&self, slot: Slot) -> bool {
        match near(slot) {
            Some(bit) => self.near & bit != 0,
            None => self.far_full || self.far().any(|far| far == slot),
        }
    }

    /// How many slots are remembered.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.near.count_ones() as usize + self.far_len as usize
    }

    /// Was nothing tried?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.near == 0 && self.far_len == 0
    }

    fn far(&self) -> impl Iterator<Item = Slot> + '_ {
        self.far.iter().take(usize::from(self.far_len)).map(|slot| Slot(*slot))
    }

    /// Calls `remove` for each of the first `slots` slots that was tried.
    pub(crate) fn each(&self, slots: usize, mut remove: impl FnMut(Slot)) {
        let mut near = self.near;
        while near != 0 {
            remove(Slot(near.trailing_zeros()));
            near &= near - 1;
        }
        if self.far_full {
            (64..slots as u32).map(Slot).for_each(remove);
        } else {
            self.far().for_each(remove);
        }
    }
}

fn near(slot: Slot) -> Option<u64> {
    1_u64.checked_shl(slot.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_slots_are_remembered() {
        let mut tried = Tried::new();
        assert!(tried.is_empty());
        for slot in [0, 63, 64, 1_000, 63, 1_000] {
            tried.add(Slot(slot));
        }
        assert_eq!(tried.len(), 4);
        for slot in [0, 63, 64, 1_000] {
            assert!(tried.contains(Slot(slot)));
        }
        assert!(!tried.contains(Slot(1)) && !tried.contains(Slot(65)) && !tried.contains(Slot(0x100)));
        let mut seen = Vec::new();
        tried.each(2_000, |slot| seen.push(slot.0));
        assert_eq!(seen, [0, 63, 64, 1_000]);
    }

    #[test]
    fn when_far_slots_overflow_all_of_them_count_as_tried() {
        let mut tried = Tried::new();
        (100..108).map(Slot).for_each(|slot| tried.add(slot));
        assert!(!tried.contains(Slot(64)));
        tried.add(Slot(108));
        assert!(tried.contains(Slot(64)) && tried.contains(Slot(999)) && !tried.contains(Slot(5)));
        assert_eq!(tried.len(), 8);
        let mut seen = 0;
        tried.each(200, |_| seen += 1);
        assert_eq!(seen, 136);
    }
}
