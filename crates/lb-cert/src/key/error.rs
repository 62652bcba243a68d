//! Why bytes are no usable key.

use crate::count::{agreed, counted};
use thiserror::Error;

/// Why bytes are no usable key. Never carries a byte of the key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The structure breaks off or contradicts itself.
    #[error("the key is broken at its byte {offset}: {what}")]
    Broken {
        /// What does not fit.
        what: &'static str,
        /// Offset in the key.
        offset: usize,
    },
    /// Something stands behind the key.
    #[error("{} {} behind the key, which ends at its byte {end}", counted(*extra, "bytes"), agreed(*extra, "stands", "stand"))]
    Trailing {
        /// Where the key ends.
        end: usize,
        /// How many bytes follow.
        extra: usize,
    },
    /// The bytes have the shape of no key.
    #[error("this is no private key of a known form (PKCS#8, PKCS#1, SEC1, DSA)")]
    Unrecognised,
    /// The key is an encrypted PKCS#8.
    #[error("the key is encrypted")]
    Encrypted,
    /// An elliptic curve key that does not name its curve.
    #[error("the key does not name its curve")]
    NoCurve,
    /// The private number of an elliptic curve key is none.
    #[error("the private number of the key (on {curve}) {what}")]
    Scalar {
        /// The curve.
        curve: &'static str,
        /// What is wrong with the number.
        what: &'static str,
    },
    /// The public part does not belong to the private part.
    #[error("the public part inside the key does not belong to its private part")]
    PublicPart,
    /// More than one prime is missing or there are too many.
    #[error("an RSA key of more than two primes, which is not read here")]
    MultiPrime,
}

impl KeyError {
    /// The same, found in a part that begins at `base`.
    pub(super) fn moved(self, base: usize) -> Self {
        match self {
            Self::Broken { what, offset } => Self::Broken {
                what,
                offset: offset.saturating_add(base),
            },
            Self::Trailing { end, extra } => Self::Trailing {
                end: end.saturating_add(base),
                extra,
            },
            other => other,
        }
    }

    /// The paragraph: what it means and how to mend it.
    pub fn explain(&self) -> &'static str {
        match self {
            Self::Broken { .. } | Self::Trailing { .. } => {
                "The bytes of the key were cut, changed or lengthened on their way. Copy the file again from where \
                 it was made, in binary mode; a key whose bytes are lost cannot be repaired: make a new one and have \
                 a certificate issued for it."
            }
            Self::Unrecognised => {
                "The label promises a private key, the content is something else. Export the key \
                 again."
            }
            Self::Encrypted => "The key is protected by a password. Give the password, or write the key without one.",
            Self::NoCurve => {
                "A SEC1 key normally names its curve. Convert it to PKCS#8 where its parameters are \
                 known."
            }
            Self::Scalar { .. } => {
                "On each curve a private number lies between 1 and the order of the curve. This one does not, so that \
                 the key was changed or belongs to another curve. Export it again from where it was made."
            }
            Self::PublicPart => {
                "The file holds a private and a public number that do not belong together: one of them was changed. \
                 TLS handshakes would fail. Export the key again."
            }
            Self::MultiPrime => {
                "OpenSSL loads such a key, so nginx, HAProxy and Apache serve with it; rustls does not. \
                 Give the file as it is to a program by OpenSSL, or make a key of two primes and have the certificate \
                 issued for it: `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out \
                 new.key`."
            }
        }
    }
}
