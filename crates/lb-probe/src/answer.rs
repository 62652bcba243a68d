use lb_health::{Advice, Cause};

/// What came of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Is the backend well?
    pub result: Result<(), Cause>,
    /// What its agent asks for besides; `None` for every probe that asks no agent.
    pub advice: Option<Advice>,
}

impl Answer {
    /// The word of an agent.
    #[must_use]
    pub const fn with_advice(result: Result<(), Cause>, advice: Advice) -> Self {
        Self {
            result,
            advice: Some(advice),
        }
    }
}

impl From<Result<(), Cause>> for Answer {
    fn from(result: Result<(), Cause>) -> Self {
        Self { result, advice: None }
    }
}
