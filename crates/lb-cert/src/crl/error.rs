//! Why bytes are no CRL.

/// Why bytes are no CRL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlError {
    /// Larger than this crate loads.
    #[error("{found} bytes, more than the {limit} that a CRL may have")]
    TooLarge {
        /// The size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// More entries than this crate loads.
    #[error("more than {limit} revoked certificates")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// Not as RFC 5280, section 5.1.
    #[error("not a CRL: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
}
