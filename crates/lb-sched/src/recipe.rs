use crate::cursor::Lane;
use crate::{
    Algorithm, Bounded, BoundedLoad, First, Maglev, Member, PeakEwma, Placement, Random, Rendezvous, Ring, RoundRobin,
    Scheduler, Tiers, TwoChoices, WeightedLeastConn, WeightedRoundRobin,
};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use lb_types::{Slot, Weight};

/// An algorithm and how it is to be built: everything about a scheduler but its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Recipe {
    /// Which scheduler.
    pub algorithm: Algorithm,
    /// For algorithms that place by hash: how far above the mean a backend may be.
    pub bounded_load: Option<BoundedLoad>,
    /// For Maglev: entries of the table, a prime. `None`: [`Maglev::len_for`] the members.
    pub table_len: Option<u32>,
    /// For the ring: the weight that stands for [`Ring::POINTS`] points. See [`Ring::with_unit`].
    pub weight_unit: u16,
}

impl Recipe {
    /// An algorithm as it comes.
    #[must_use]
    pub const fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            bounded_load: None,
            table_len: None,
            weight_unit: 1,
        }
    }

    /// Bounds the load of each backend, or not.
    #[must_use]
    pub fn with_bounded_load(self, bounded_load: impl Into<Option<BoundedLoad>>) -> Self {
        Self {
            bounded_load: bounded_load.into(),
            ..self
        }
    }

    /// Fixes the length of a Maglev table, so that it does not follow the number of members.
    #[must_use]
    pub fn with_table_len(self, table_len: impl Into<Option<u32>>) -> Self {
        Self {
            table_len: table_len.into(),
            ..self
        }
    }

    /// Says which weight stands for one, where weights were multiplied. 0 is as 1.
    #[must_use]
    pub const fn with_weight_unit(self, weight_unit: u16) -> Self {
        Self { weight_unit, ..self }
    }

    /// Do the parts fit each other, for up to so many members? What [`build`](Self::build) would say,
    /// without building: for configuration checks.
    ///
    /// # Errors
    /// [`BuildError`], all but [`SlotTwice`](BuildError::SlotTwice).
    pub fn check(&self, members: usize) -> Result<(), BuildError> {
        let Self {
            algorithm, table_len, ..
        } = *self;
        if self.bounded_load.is_some() && !algorithm.uses_hash() {
            return Err(BuildError::BoundWithoutHash { algorithm });
        }
        let Some(len) = table_len else {
            return Ok(());
        };
        if algorithm != Algorithm::Maglev {
            return Err(BuildError::TableWithoutMaglev { algorithm });
        }
        if !is_prime(len) {
            let primes = (len..=Maglev::MAX_LEN).find(|n| is_prime(*n));
            return Err(BuildError::TableLenNotPrime {
                len,
                prime: primes.unwrap_or(Maglev::MAX_LEN),
            });
        }
        if len > Maglev::MAX_LEN || (len as usize) < members.max(MIN_LEN) {
            return Err(BuildError::TableLen { len, members });
        }
        Ok(())
    }

    /// A scheduler over these members. No members, or only such of weight 0, make a scheduler
    /// that picks nobody. Allocates; see each algorithm for the cost of a pick.
    ///
    /// # Errors
    /// [`BuildError`] when two members claim one slot, or the parts of the recipe do not fit.
    pub fn build(&self, members: &[Member]) -> Result<Box<dyn Scheduler>, BuildError> {
        self.check(members.len())?;
        check_slots(members.iter())?;
        Ok(self.build_in(members, Lane::FIRST))
    }

    /// A scheduler over tiers of members, the most preferred first: see [`Tiers`] and
    /// [`groups`](crate::groups). One tier costs no more than [`build`](Self::build).
    ///
    /// # Errors
    /// As [`build`](Self::build); a slot may be in one tier only.
    pub fn build_tiers(&self, tiers: &[Vec<Member>]) -> Result<Box<dyn Scheduler>, BuildError> {
        check_slots(tiers.iter().flatten())?;
        self.check(tiers.iter().map(Vec::len).max().unwrap_or(0))?;
        if let [only] = tiers {
            return Ok(self.build_in(only, Lane::FIRST));
        }
        let built = tiers.iter().enumerate();
        let built = built.map(|(tier, members)| self.build_in(members, Lane::of_tier(tier)));
        Ok(Box::new(Tiers::new(built.collect())))
    }

    /// The most entries that a scheduler for so many members is made of: a measure of what building costs, a few hundred
    /// nanoseconds each at worst.
    #[must_use]
    pub fn most_entries(&self, members: usize) -> usize {
        match self.algorithm {
            Algorithm::Maglev => self.table_len.unwrap_or_else(|| Maglev::len_for(members)) as usize,
            Algorithm::Ring => {
                let each = Ring::POINTS as usize * usize::from(Weight::MAX.get());
                members.saturating_mul(each).min(Ring::MAX_POINTS.max(members))
            }
            _ => members,
        }
    }

    fn build_in(&self, members: &[Member], lane: Lane) -> Box<dyn Scheduler> {
        match self.algorithm {
            Algorithm::RoundRobin => Box::new(RoundRobin::in_lane(members, lane)),
            Algorithm::WeightedRoundRobin => Box::new(WeightedRoundRobin::in_lane(members, lane)),
            Algorithm::WeightedLeastConn => Box::new(WeightedLeastConn::in_lane(members, lane)),
            Algorithm::Random => Box::new(Random::new(members)),
            Algorithm::TwoChoices => Box::new(TwoChoices::new(members)),
            Algorithm::PeakEwma => Box::new(PeakEwma::new(members)),
            Algorithm::Ring => self.bound(Ring::with_unit(members, self.weight_unit), lane),
            Algorithm::Maglev => {
                let len = self.table_len.unwrap_or_else(|| Maglev::len_for(members.len()));
                self.bound(Maglev::with_len(members, len), lane)
            }
            Algorithm::Rendezvous => self.bound(Rendezvous::new(members), lane),
            Algorithm::First => Box::new(First::new(members)),
        }
    }

    fn bound<P: Placement + Scheduler + 'static>(&self, placement: P, lane: Lane) -> Box<dyn Scheduler> {
        match self.bounded_load {
            Some(bound) => Box::new(Bounded::in_lane(placement, bound, lane)),
            None => Box::new(placement),
        }
    }
}

impl From<Algorithm> for Recipe {
    fn from(algorithm: Algorithm) -> Self {
        Self::new(algorithm)
    }
}

/// Why a recipe or its members make no scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two members with one slot: their shares and masks would mix.
    #[error("slot {} is given to two members", slot.0)]
    SlotTwice {
        /// The slot of both.
        slot: Slot,
    },
    /// A load bound moves hashes on; this algorithm places none.
    #[error("bounded load is for ring, maglev and rendezvous, not for {algorithm}, which follows the load or the turn")]
    BoundWithoutHash {
        /// The algorithm of the recipe.
        algorithm: Algorithm,
    },
    /// A table length for an algorithm without such a table.
    #[error("a table length is for maglev, not for {algorithm}")]
    TableWithoutMaglev {
        /// The algorithm of the recipe.
        algorithm: Algorithm,
    },
    /// Steps through the table would miss entries.
    #[error("a maglev table of {len} entries: not a prime; {prime} is one")]
    TableLenNotPrime {
        /// What was asked for.
        len: u32,
        /// The next prime, or the largest allowed.
        prime: u32,
    },
    /// A table that has not an entry for each member, or takes too much memory.
    #[error(
        "a maglev table of {len} entries: must be 3 to 4194319 and at least the {members} members; 100 for each is good"
    )]
    TableLen {
        /// What was asked for.
        len: u32,
        /// How many members there are.
        members: usize,
    },
}

fn check_slots<'a>(mut members: impl Iterator<Item = &'a Member>) -> Result<(), BuildError> {
    let mut slots = BTreeSet::new();
    match members.find(|m| !slots.insert(m.slot)) {
        Some(twice) => Err(BuildError::SlotTwice { slot: twice.slot }),
        None => Ok(()),
    }
}

/// `O(sqrt(n))`.
fn is_prime(n: u32) -> bool {
    let n = u64::from(n);
    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d))
}

const MIN_LEN: usize = 3;
