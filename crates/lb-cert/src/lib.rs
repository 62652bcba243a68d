//! Certificates that anyone can load, check, mend and understand.

mod certificate;
mod crypto;

pub use certificate::{
    AuthorityKeyId, BasicConstraints, Certificate, CertificateError, DistributionPoint, Extension, GeneralName,
    KeyKind, KeyUsage, MOST_BYTES, MOST_EXTENSIONS, MOST_NAMES, Malformed, NameConstraints, PolicyConstraints,
    PublicKey, Subtree,
};
#[cfg(feature = "aws-lc-rs")]
pub use crypto::AwsLc;
pub use crypto::{Crypto, NoCrypto};
