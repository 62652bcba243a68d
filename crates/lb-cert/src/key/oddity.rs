//! Ways of writing a key that mean the same and that not every program reads.

/// In which way a key was not written as most are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oddity {
    /// The private number of an elliptic curve key has not as many octets as the order of its curve (RFC 5915,
    /// section 3): GnuTLS writes a signed number, old programs leave zeros out.
    ScalarOctets {
        /// Octets that were found.
        octets: usize,
        /// Octets that it has to have.
        wanted: usize,
    },
    /// The curve is given by its numbers, which RFC 5480 forbids, and they are those of a named one.
    ExplicitCurve {
        /// Its name.
        curve: &'static str,
    },
}
