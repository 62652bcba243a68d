//! Certificates that anyone can load, check, mend and understand.

mod certificate;
mod crypto;
mod key;
mod place;
mod read;
pub mod write;

pub use certificate::{
    AuthorityKeyId, BasicConstraints, Certificate, CertificateError, DistributionPoint, Extension, GeneralName,
    KeyKind, KeyUsage, MOST_BYTES, MOST_EXTENSIONS, MOST_NAMES, Malformed, NameConstraints, PolicyConstraints,
    PublicKey, Subtree,
};
#[cfg(feature = "aws-lc-rs")]
pub use crypto::AwsLc;
pub use crypto::{Crypto, NoCrypto};
pub use key::{KeyAlgorithm, KeyError, KeyFormat, PrivateKey};
pub use place::{Found, Place};
pub use read::{
    BlockReport, Contents, Format, Limits, Note, NoteKind, Password, Problem, ReadError, ReadOptions, read,
};
