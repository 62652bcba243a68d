use std::fmt;

/// What happens to a request that a route matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It goes to the pool at this position of the snapshot's list.
    Forward(usize),
    /// It is answered with this status and no content.
    Respond {
        /// The status code.
        status: u16,
    },
    /// It is answered with a redirection.
    Redirect {
        /// The status code: 301, 302, 303, 307 or 308.
        status: u16,
        /// The `Location` field, sent as it stands here.
        location: String,
    },
    /// Only whom a list lets in gets the action inside; others are denied (403).
    Guarded {
        /// The list: a position of the caller's.
        guard: usize,
        /// What happens to those who are let in.
        then: Box<Action>,
    },
    /// It must not be forwarded. Answer with [`Refusal::status`].
    Refuse(Refusal),
}

/// Why no route may have a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Backends may read the path in several ways, and these lead to different actions.
    AmbiguousPath,
}

impl Refusal {
    /// The status to answer with.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::AmbiguousPath => 400,
        }
    }

    /// The rule, as a text for logs.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::AmbiguousPath => "the path can be read in several ways, which lead to different routes",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule())
    }
}
