//! Writing: PEM as the sources ask, DER, PKCS#7 and PKCS#12. What is written here, openssl reads.

mod pem;

#[cfg(feature = "pkcs12")]
mod pkcs12;
#[cfg(feature = "pkcs7")]
mod pkcs7;

pub use pem::{block, certificates, key, revocation_list};
#[cfg(feature = "pkcs7")]
pub use pkcs7::{pkcs7, pkcs7_pem};
#[cfg(feature = "pkcs12")]
pub use pkcs12::pkcs12;

use thiserror::Error;

use crate::KeyFormat;

/// Why something cannot be written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The key has no such form.
    #[error("a key for {algorithm} cannot be written as {}", format.label())]
    KeyFormat {
        /// Its algorithm.
        algorithm: String,
        /// The form that was asked for.
        format: KeyFormat,
    },
    /// The library that encrypts refuses.
    #[error("PKCS#12 cannot be written: {why}")]
    Pkcs12 {
        /// What it says.
        why: String,
    },
}

impl WriteError {
    /// The paragraph: what it means and the mend.
    pub fn explain(&self) -> &'static str {
        match self {
            Self::KeyFormat { .. } => {
                "PKCS#1 exists for RSA keys only, SEC1 for elliptic curve keys only. PKCS#8 holds every key: leave the \
                 key format out."
            }
            Self::Pkcs12 { .. } => {
                "PKCS#12 holds text passwords, in UTF-16, and whole certificates: give a password in UTF-8, best in ASCII, and \
                 look at the certificates with `lbd cert inspect`."
            }
        }
    }
}
