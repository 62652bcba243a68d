//! Why bytes are no certificate.

use crate::count::{agreed, counted};

/// Why bytes are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Larger than any certificate.
    #[error("{found} bytes, more than the {limit} that a certificate may have")]
    TooLarge {
        /// The size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The frame of RFC 5280, section 4.1 is broken.
    #[error("not a certificate: {what}")]
    Malformed {
        /// What is wrong.
        what: String,
    },
    /// Bytes after the certificate.
    #[error("{} {} the certificate", counted(*count, "bytes"), agreed(*count, "follows", "follow"))]
    Trailing {
        /// How many.
        count: usize,
    },
    /// More extensions than any certificate has.
    #[error("{found} extensions, more than {limit}")]
    TooManyExtensions {
        /// How many.
        found: usize,
        /// The limit.
        limit: usize,
    },
}
