mod populate;

use crate::placement::{follow, hash_of, spread};
use crate::{Ask, BuildError, Member, Placement, Scheduler, Seat};
use alloc::boxed::Box;
use alloc::vec::Vec;
use lb_types::{Slot, hash64};
use populate::{Permutation, populate};

/// Maglev hashing (Eisenbud and others, NSDI 2016, section 3.4): a table in which each backend has its
/// share of the entries, filled in the backends' own orders of preference. **`O(1)`** a pick, two
/// reads.
///
/// Shares are exact but for one entry. When a backend goes, its hashes move, and of the others' a
/// few more (with a table of 100 entries a backend about one in a hundred).
///
/// The order of the members does not matter. Weights: with the heaviest taking an entry in each round, the others
/// take part in as many rounds as their weight says; everybody has at least one entry.
///
/// Four bytes an entry. Building costs `O(entries * log entries)`.
#[derive(Debug, Clone)]
pub struct Maglev {
    seats: Box<[Seat]>,
    /// Positions in `seats`.
    entries: Box<[u32]>,
}

impl Maglev {
    /// The longest table.
    pub const MAX_LEN: u32 = 4_194_319;

    /// The length of the table for a pool of so many backends: the first of 65,537, 262,147,
    /// 1,048,583 and 4,194,319 that has 100 entries for each, else the last. All are primes.
    ///
    /// A table of another length places everything anew. So give
    /// [`Recipe::with_table_len`](crate::Recipe::with_table_len) the length for all backends that
    /// are configured, not only for those that are up.
    #[must_use]
    pub const fn len_for(backends: usize) -> u32 {
        match backends {
            0..=655 => 65_537,
            656..=2_621 => 262_147,
            2_622..=10_485 => 1_048_583,
            _ => Self::MAX_LEN,
        }
    }

    /// A table of these members, with the length that fits them. Members of weight 0 are left
    /// out, and so are those beyond 4,194,319.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self::with_len(members, Self::len_for(members.len()))
    }

    /// A table of `len` entries: a prime, at least the number of members.
    ///
    /// # Errors
    /// [`BuildError`] for another length, as [`Recipe::check`](crate::Recipe::check).
    pub fn with_table_len(members: &[Member], len: u32) -> Result<Self, BuildError> {
        let recipe = crate::Recipe::new(crate::Algorithm::Maglev).with_table_len(len);
        recipe.check(members.len())?;
        Ok(Self::with_len(members, len))
    }

    /// `len` is checked.
    pub(crate) fn with_len(members: &[Member], len: u32) -> Self {
        let mut taking: Vec<&Member> = members.iter().filter(|m| m.weight.get() > 0).collect();
        taking.sort_by_key(|m| m.id);
        taking.truncate(len as usize);
        let permutations: Vec<Permutation> = taking
            .iter()
            .map(|m| {
                let bytes = m.id.as_u64().to_le_bytes();
                Permutation {
                    offset: (hash64(OFFSET, &bytes) % u64::from(len)) as u32,
                    skip: (hash64(SKIP, &bytes) % u64::from(len - 1)) as u32 + 1,
                    weight: m.weight.get().into(),
                }
            })
            .collect();
        Self {
            entries: populate(&permutations, len),
            seats: taking.iter().map(|m| Seat::of(m)).collect(),
        }
    }

    /// How many entries the table has: 0 without members.
    #[must_use]
    pub fn table_len(&self) -> usize {
        self.entries.len()
    }

    /// The entries of each slot, unordered. `O(entries)`; allocates.
    #[must_use]
    pub fn shares(&self) -> Vec<(Slot, usize)> {
        let mut shares: Vec<(Slot, usize)> = self.seats.iter().map(|s| (s.slot, 0)).collect();
        for entry in &self.entries {
            if let Some((_, count)) = shares.get_mut(*entry as usize) {
                *count += 1;
            }
        }
        shares
    }
}

impl Placement for Maglev {
    fn place(&self, hash: u64, accepts: impl FnMut(&Seat) -> bool) -> Option<Slot> {
        let at = spread(hash);
        let position = ((u128::from(at) * self.entries.len() as u128) >> 64) as usize;
        // the entries behind are as good as random, and the same for the same hash
        follow(&self.seats, &self.entries, position, at, accepts)
    }

    fn seats(&self) -> &[Seat] {
        &self.seats
    }
}

impl Scheduler for Maglev {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.place(hash_of(ask), |seat| ask.accepts(seat.slot))
    }
}

/// Fixed for ever: where a client goes follows from them.
const OFFSET: u64 = 0x6c62_642d_6d67_6c31; // "lbd-mgl1"
const SKIP: u64 = 0x6c62_642d_6d67_6c32; // "lbd-mgl2"
