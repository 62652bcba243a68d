use crate::{Member, RoundRobin, Scheduler, TwoChoices, WeightedLeastConn, WeightedRoundRobin};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use lb_types::Slot;

/// Which scheduler a pool uses. Reads and prints as the word of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// `round_robin`: [`RoundRobin`].
    RoundRobin,
    /// `weighted_round_robin`: [`WeightedRoundRobin`], the default.
    #[default]
    WeightedRoundRobin,
    /// `least_conn`: [`WeightedLeastConn`].
    WeightedLeastConn,
    /// `two_choices`: [`TwoChoices`].
    TwoChoices,
}

impl Algorithm {
    /// Every algorithm of this version.
    pub const ALL: [Self; 4] = [
        Self::RoundRobin,
        Self::WeightedRoundRobin,
        Self::WeightedLeastConn,
        Self::TwoChoices,
    ];

    /// The word of the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::WeightedRoundRobin => "weighted_round_robin",
            Self::WeightedLeastConn => "least_conn",
            Self::TwoChoices => "two_choices",
        }
    }

    /// A scheduler over these members. No members, or only such of weight 0, make a scheduler
    /// that picks nobody. Allocates; see each algorithm for the cost of a pick.
    ///
    /// # Errors
    /// [`BuildError::SlotTwice`] when two members claim one slot.
    pub fn build(&self, members: &[Member]) -> Result<Box<dyn Scheduler>, BuildError> {
        let mut slots = BTreeSet::new();
        if let Some(twice) = members.iter().find(|m| !slots.insert(m.slot)) {
            return Err(BuildError::SlotTwice { slot: twice.slot });
        }
        Ok(match self {
            Self::RoundRobin => Box::new(RoundRobin::new(members)),
            Self::WeightedRoundRobin => Box::new(WeightedRoundRobin::new(members)),
            Self::WeightedLeastConn => Box::new(WeightedLeastConn::new(members)),
            Self::TwoChoices => Box::new(TwoChoices::new(members)),
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Algorithm {
    type Err = AlgorithmError;

    /// The word of the configuration, exactly.
    ///
    /// # Errors
    /// [`AlgorithmError`] for every other word.
    fn from_str(word: &str) -> Result<Self, AlgorithmError> {
        let found = Self::ALL.into_iter().find(|a| a.word() == word);
        found.ok_or_else(|| AlgorithmError { word: word.to_string() })
    }
}

/// A word that names no algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm {word:?}; known are round_robin, weighted_round_robin, least_conn and two_choices")]
pub struct AlgorithmError {
    /// What was read.
    pub word: String,
}

/// Why members make no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two members with one slot: their shares and masks would mix.
    #[error("slot {} is given to two members", slot.0)]
    SlotTwice {
        /// The slot of both.
        slot: Slot,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::{BackendId, Weight};

    #[test]
    fn words_read_back_and_others_are_named() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        let error = "leastconn".parse::<Algorithm>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown algorithm \"leastconn\"; known are round_robin, weighted_round_robin, least_conn and two_choices"
        );
        for algorithm in Algorithm::ALL {
            assert!(error.to_string().contains(algorithm.word()));
        }
    }

    #[test]
    fn one_slot_cannot_be_two_members() {
        let member = Member {
            slot: Slot(4),
            id: BackendId::from_u64(1),
            weight: Weight::ONE,
        };
        for algorithm in Algorithm::ALL {
            let error = algorithm.build(&[member, member]).unwrap_err();
            assert_eq!(error, BuildError::SlotTwice { slot: Slot(4) });
            assert_eq!(error.to_string(), "slot 4 is given to two members");
        }
    }
}
