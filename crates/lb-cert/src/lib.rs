//! Certificates that anyone can load, check, mend and understand.

pub mod bundle;
mod certificate;
mod crl;
mod crypto;
pub mod date;
pub mod doctor;
mod explain;
mod graph;
pub mod inspect;
mod key;
mod place;
mod profile;
mod read;
#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod testing;
mod verify;
pub mod write;

pub use bundle::{KeyMatch, MendOptions, Mended, match_key, mend};
pub use certificate::{
    AuthorityKeyId, BasicConstraints, Certificate, CertificateError, DistributionPoint, Extension, GeneralName,
    KeyKind, KeyUsage, MOST_BYTES, MOST_EXTENSIONS, MOST_NAMES, Malformed, NameConstraints, PolicyConstraints,
    PublicKey, Subtree,
};
pub use crl::{Crl, CrlError, Crls, Freshness, MOST_CRL_BYTES, MOST_ENTRIES, Reason, Revocation};
#[cfg(feature = "aws-lc-rs")]
pub use crypto::AwsLc;
pub use crypto::{Crypto, NoCrypto};
pub use explain::{Finding, Severity};
pub use key::{KeyAlgorithm, KeyError, KeyFormat, PrivateKey};
pub use place::{Found, Place};
pub use profile::{Kind, Level, Profile, Rule, RuleError, rules};
pub use read::{
    BlockReport, Contents, Format, Limits, Note, NoteKind, Password, Problem, ReadError, ReadOptions, read,
};
pub use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
pub use verify::{Budget, PeerName, Purpose, Refusal, Request, Roots, Step, Verified, Verifier, Warning};
