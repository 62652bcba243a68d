use lb_health::{Advice, Cause};
use lb_tls::Expiry;

/// What came of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Is the backend well?
    pub result: Result<(), Cause>,
    /// What its agent asks for besides; `None` for every probe that asks no agent.
    pub advice: Option<Advice>,
    /// How long the certificate is still good that was shown and taken; `None` without TLS, and where no date is asked for
    /// ([`UpstreamTls::expiry`](crate::UpstreamTls::expiry)).
    pub certificate: Option<Expiry>,
}

impl Answer {
    /// The word of an agent.
    #[must_use]
    pub const fn with_advice(result: Result<(), Cause>, advice: Advice) -> Self {
        Self {
            result,
            advice: Some(advice),
            certificate: None,
        }
    }
}

impl From<Result<(), Cause>> for Answer {
    fn from(result: Result<(), Cause>) -> Self {
        Self {
            result,
            advice: None,
            certificate: None,
        }
    }
}
