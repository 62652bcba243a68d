use crate::{BuildError, Member, Recipe, Scheduler};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

/// Which scheduler a pool uses. Reads and prints as the word of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// `round_robin`: [`RoundRobin`](crate::RoundRobin).
    RoundRobin,
    /// `weighted_round_robin`: [`WeightedRoundRobin`](crate::WeightedRoundRobin), the default.
    #[default]
    WeightedRoundRobin,
    /// `least_conn`: [`WeightedLeastConn`](crate::WeightedLeastConn).
    WeightedLeastConn,
    /// `random`: [`Random`](crate::Random).
    Random,
    /// `two_choices`: [`TwoChoices`](crate::TwoChoices).
    TwoChoices,
    /// `peak_ewma`: [`PeakEwma`](crate::PeakEwma).
    PeakEwma,
    /// `ring`: [`Ring`](crate::Ring).
    Ring,
    /// `maglev`: [`Maglev`](crate::Maglev).
    Maglev,
    /// `rendezvous`: [`Rendezvous`](crate::Rendezvous).
    Rendezvous,
    /// `first`: [`First`](crate::First).
    First,
}

impl Algorithm {
    /// Every algorithm of this version.
    pub const ALL: [Self; 10] = [
        Self::RoundRobin,
        Self::WeightedRoundRobin,
        Self::WeightedLeastConn,
        Self::Random,
        Self::TwoChoices,
        Self::PeakEwma,
        Self::Ring,
        Self::Maglev,
        Self::Rendezvous,
        Self::First,
    ];

    /// The word of the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::WeightedRoundRobin => "weighted_round_robin",
            Self::WeightedLeastConn => "least_conn",
            Self::Random => "random",
            Self::TwoChoices => "two_choices",
            Self::PeakEwma => "peak_ewma",
            Self::Ring => "ring",
            Self::Maglev => "maglev",
            Self::Rendezvous => "rendezvous",
            Self::First => "first",
        }
    }

    /// Does it place by [`Ask::hash`](crate::Ask::hash)? Without a hash such an algorithm spreads
    /// at random.
    #[must_use]
    pub const fn uses_hash(self) -> bool {
        matches!(self, Self::Ring | Self::Maglev | Self::Rendezvous)
    }

    /// Does it look at latencies, so that somebody must call [`Load::observe`](crate::Load::observe)?
    #[must_use]
    pub const fn uses_latency(self) -> bool {
        matches!(self, Self::PeakEwma)
    }

    /// A scheduler over these members, as [`Recipe::build`] makes it without options.
    ///
    /// # Errors
    /// [`BuildError::SlotTwice`] when two members claim one slot.
    pub fn build(&self, members: &[Member]) -> Result<Box<dyn Scheduler>, BuildError> {
        Recipe::new(*self).build(members)
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
#[error(
    "unknown algorithm {word:?}; known are round_robin, weighted_round_robin, least_conn, random, two_choices, \
     peak_ewma, ring, maglev, rendezvous and first"
)]
pub struct AlgorithmError {
    /// What was read.
    pub word: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::{BackendId, Slot, Weight};

    #[test]
    fn words_read_back_and_others_are_named() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        let error = "leastconn".parse::<Algorithm>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown algorithm \"leastconn\"; known are round_robin, weighted_round_robin, least_conn, random, \
             two_choices, peak_ewma, ring, maglev, rendezvous and first"
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
