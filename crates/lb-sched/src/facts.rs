use crate::Algorithm;

/// What there is to know of an algorithm before choosing it, in one line each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// Where it is the right one.
    pub suits: &'static str,
    /// What a pick costs.
    pub pick_cost: &'static str,
    /// What building a table costs: at start, and whenever a backend comes, goes or changes weight.
    pub build_cost: &'static str,
    /// State: what is kept for each backend, and by whom.
    pub keeps: &'static str,
}

impl Algorithm {
    /// Its costs and where it fits.
    #[must_use]
    pub const fn facts(self) -> Facts {
        match self {
            Self::RoundRobin => Facts {
                suits: "backends and requests that are all alike",
                pick_cost: "O(1): one step of a shared cursor, one load read",
                build_cost: "O(backends)",
                keeps: "nothing per backend; one cursor per pool",
            },
            Self::WeightedRoundRobin => Facts {
                suits: "backends of different strength, short requests of similar cost",
                pick_cost: "O(1): one step of a shared cursor, one load read",
                build_cost: "O(turns * distinct weights), at most 16,384 turns and one per backend",
                keeps: "nothing per backend but its turns (4 bytes each); one cursor per pool",
            },
            Self::WeightedLeastConn => Facts {
                suits: "requests whose costs differ by orders of magnitude, long connections; up to 1,000 backends",
                pick_cost: "O(backends): every load is read, unless many are idle; a shared step between equals",
                build_cost: "O(turns * distinct weights), at most 16,384 turns and one per backend",
                keeps: "requests in flight per backend; its turns (8 bytes each)",
            },
            Self::Random => Facts {
                suits: "comparison, and backends that share nothing, not even a count",
                pick_cost: "O(1): one load read",
                build_cost: "O(backends)",
                keeps: "nothing per backend but its chances (16 bytes)",
            },
            Self::TwoChoices => Facts {
                suits: "requests of any cost with many backends or many workers",
                pick_cost: "O(1): two loads read, nothing shared written",
                build_cost: "O(backends)",
                keeps: "requests in flight per backend; its chances (16 bytes)",
            },
            Self::PeakEwma => Facts {
                suits: "backends whose speed differs or changes",
                pick_cost: "O(1): two loads read, two exponentials, nothing shared written",
                build_cost: "O(backends)",
                keeps: "requests in flight and a moving latency per backend; its chances (16 bytes)",
            },
            Self::Ring => Facts {
                suits: "caches and sessions: the same key to the same backend; placement that others can compute",
                pick_cost: "O(1): one or two points and one load read",
                build_cost: "O(points * log points), 160 points per unit of weight",
                keeps: "160 points (16 bytes each) per unit of weight, at most 1,048,576 in all",
            },
            Self::Maglev => Facts {
                suits: "caches and sessions with exactly even shares and few moves; many backends",
                pick_cost: "O(1): one table entry and one load read",
                build_cost: "O(entries * log entries), 100 entries per backend or more",
                keeps: "100 table entries (4 bytes each) per backend or more",
            },
            Self::Rendezvous => Facts {
                suits: "caches and sessions with few backends: even shares, the fewest moves, nothing to build",
                pick_cost: "O(backends): one hash each, one logarithm per distinct weight",
                build_cost: "O(backends * log backends)",
                keeps: "16 bytes per backend",
            },
            Self::First => Facts {
                suits: "using as few backends as possible, each up to its max_connections",
                pick_cost: "O(full backends): loads are read until one has room",
                build_cost: "O(backends)",
                keeps: "requests in flight per backend",
            },
        }
    }
}
