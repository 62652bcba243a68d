//! Certificates that anyone can load, check, mend and understand.

pub mod bundle;
mod certificate;
mod crypto;
pub mod date;
pub mod doctor;
mod explain;
mod graph;
pub mod inspect;
mod key;
mod place;
mod read;
#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod testing;
pub mod write;

pub use bundle::{KeyMatch, MendOptions, Mended, match_key, mend};
pub use certificate::{
    AuthorityKeyId, BasicConstraints, Certificate, CertificateError, DistributionPoint, Extension, GeneralName,
    KeyKind, KeyUsage, MOST_BYTES, MOST_EXTENSIONS, MOST_NAMES, Malformed, NameConstraints, PolicyConstraints,
    PublicKey, Subtree,
};
#[cfg(feature = "aws-lc-rs")]
pub use crypto::AwsLc;
pub use crypto::{Crypto, NoCrypto};
pub use explain::{Finding, Severity};
pub use key::{KeyAlgorithm, KeyError, KeyFormat, PrivateKey};
pub use place::{Found, Place};
pub use read::{
    BlockReport, Contents, Format, Limits, Note, NoteKind, Password, Problem, ReadError, ReadOptions, read,
};
pub use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
