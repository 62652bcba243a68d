//! Why files are no identities.

use super::hex;
use lb_cert::bundle::UnreadableCertificate;
use lb_cert::{Finding, Place, ReadError};

/// Why the files given are no identities. Each names the place, the true reason and, by [`mend`](Self::mend), the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No file has a certificate.
    #[error("no certificate in {}", if sources.is_empty() { "any file: none was given".to_owned() } else { sources.join(", ") })]
    Empty {
        /// The files.
        sources: Vec<String>,
    },
    /// A file cannot be read for what it is.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A certificate cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableCertificate),
    /// A key belongs to no certificate.
    #[error(
        "{place}: the key ({algorithm}, public key SHA-256 {}) belongs to no certificate given: {}",
        hex(fingerprint),
        others(certificates)
    )]
    KeyWithoutCertificate {
        /// Where it stands.
        place: Place,
        /// What it is.
        algorithm: Box<str>,
        /// SHA-256 of its public half.
        fingerprint: [u8; 32],
        /// The certificates of servers that were given: name and SHA-256 of the public key.
        certificates: Vec<(String, [u8; 32])>,
    },
    /// A certificate has no key.
    #[error(
        "{place}: {subject} (public key SHA-256 {}) has no key among those given: {}",
        hex(fingerprint),
        others(keys)
    )]
    CertificateWithoutKey {
        /// Where it stands.
        place: Place,
        /// Its subject.
        subject: Box<str>,
        /// SHA-256 of its public key.
        fingerprint: [u8; 32],
        /// The keys that were given: place and SHA-256 of the public half.
        keys: Vec<(String, [u8; 32])>,
    },
    /// A key that rustls cannot sign with, or that clients refuse.
    #[error("{place}: a key of the kind {algorithm} cannot be served: {why}")]
    UnusableKey {
        /// Where it stands.
        place: Place,
        /// What it is.
        algorithm: String,
        /// The true reason.
        why: String,
    },
    /// A certificate that is sent is weak: its key or its signature.
    #[error("{0}")]
    Weak(Box<Finding>),
    /// The clock says nothing, so nobody knows what is expired.
    #[error("the clock says nothing, so it cannot be told what is expired")]
    NoClock,
}

impl LoadError {
    /// What to do about it, in sentences.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Empty { .. } => "Give the file with the certificate, its issuers and its key, or a folder of such.".to_owned(),
            Self::Read(error) => error.explain(),
            Self::Unreadable(error) => error.explain().to_owned(),
            Self::KeyWithoutCertificate { .. } => {
                "Give the certificate that was made for this key, or leave the key out. `lbd cert match` compares two files."
                    .to_owned()
            }
            Self::CertificateWithoutKey { .. } => {
                "Give the key that was there when the certificate was requested, or leave the certificate out; if the key \
                 is lost, make a new one and have the certificate issued again."
                    .to_owned()
            }
            Self::UnusableKey { .. } => {
                "Make a new key, ECDSA P-256 or RSA with 2048 to 8192 bits (`openssl genpkey -algorithm EC -pkeyopt \
                 ec_paramgen_curve:P-256`), and have a certificate issued for it."
                    .to_owned()
            }
            Self::Weak(finding) => finding.mend.clone(),
            Self::NoClock => "Give a clock that works.".to_owned(),
        }
    }
}

/// Up to three, and how many more.
fn others(all: &[(String, [u8; 32])]) -> String {
    if all.is_empty() {
        return "none was given".to_owned();
    }
    let shown: Vec<String> = all
        .iter()
        .take(SHOWN)
        .map(|(name, digest)| format!("{name} has {}", hex(digest)))
        .collect();
    let more = all.len().saturating_sub(SHOWN);
    match more {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// So many fingerprints fit a line that people still read.
const SHOWN: usize = 3;
