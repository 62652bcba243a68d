//! Certificates that anyone can load, check, mend and understand.
//!
//! For programs that take certificates from people: it reads what people have, in any format and any order, makes one
//! right bundle of it, verifies chains of servers and clients, and says in plain words what is wrong, where, why it
//! matters and how to mend it. It is not a TLS library, opens no file or connection, reads no clock, fetches nothing and
//! has no cryptography of its own: [`Crypto`] is passed in, and without one a match or fingerprint is unknown.
//!
//! ```
//! use lb_cert::{MendOptions, NoCrypto, ReadOptions};
//!
//! # let key = rcgen::KeyPair::generate()?;
//! # let parameters = rcgen::CertificateParams::new(["www.example.com".to_owned()])?;
//! # let heap = format!("some text\r\n{}{}", key.serialize_pem(), parameters.self_signed(&key)?.pem());
//! // A heap as it came by mail: text, the key first, Windows line ends.
//! let contents = lb_cert::read("heap.pem", heap.as_bytes(), &ReadOptions::default())?;
//! let certificates = lb_cert::parse_all(contents.certificates)?;
//!
//! // Leaf first, then its issuers; with the feature `aws-lc-rs`, `AwsLc` also checks signatures and matches the key.
//! let mended = lb_cert::mend(certificates, contents.keys, MendOptions::new(1_795_219_200), &NoCrypto);
//! assert_eq!(mended.chain[0].value.names()[0].to_string(), "www.example.com");
//!
//! // 64 columns, LF, nothing between the blocks.
//! let pem = lb_cert::write::certificates(mended.chain.iter().map(|found| found.value.der()));
//! assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What to call
//!
//! | to | call |
//! | --- | --- |
//! | read PEM, DER, PKCS#7, PKCS#12, JKS and keys, recognised by content | [`read`], then [`parse_all`] |
//! | put a heap in order, match keys, drop what does not belong | [`mend`], [`match_key`] |
//! | write PEM, PKCS#7, PKCS#12, keys | [`mod@write`] |
//! | verify a chain of a server or client | [`Verifier`] |
//! | explain a bundle, simulate clients | [`doctor::examine`] |
//! | show a certificate, draw the tree of a chain | [`inspect`] |
//!
//! # Verifying
//!
//! [`Verifier::verify`] asks rustls-webpki for paths, signatures and names, and holds each path that it finds against the
//! rules of a [`Profile`] ([`rules`] lists them, each with its section). A refusal names the certificate, the rule and
//! the offending value; [`Refusal::explain`] is the paragraph with the mend.
//!
//! # Limits
//!
//! Input is hostile. [`Limits`] bounds what is read (64 MiB, 10,000 certificates, 32 levels, 10,000,000 iterations of a
//! key derivation, 1,000 derivations, and what their number allows them [in all](Limits::total_iterations)),
//! [`bundle::MAX_CHAIN`], [`bundle::MAX_SIGNATURES`] and [`bundle::MAX_STEPS`] what is mended, [`Budget`] what is verified,
//! [`MOST_CRL_BYTES`] and [`MOST_ENTRIES`] revocation lists. Reaching one is an error or a stated answer, never a panic.
//! Keys and passwords do not appear in `Debug`, errors or findings.
//!
//! # Features
//!
//! All are off by default and only add.
//!
//! - `pkcs12`: reads and writes PKCS#12 (`.p12`, `.pfx`); brings `encrypted-keys`.
//! - `pkcs7`: reads and writes PKCS#7 bundles (`.p7b`).
//! - `encrypted-keys`: opens encrypted keys: PKCS#8 (PBES1, PBES2, scrypt, the schemes of PKCS#12) and PEM of old
//!   (`Proc-Type: 4,ENCRYPTED`).
//! - `java`: checks the integrity of JKS and JCEKS with a password; their certificates are read without it too.
//! - `public-suffix`: finds wildcards above a public suffix.
//! - `native-roots`: [`Roots`] of the operating system.
//! - `aws-lc-rs`: `AwsLc`, which is [`Crypto`] by aws-lc-rs.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
pub mod bundle;
mod certificate;
mod command;
mod count;
mod crl;
mod crypto;
mod curve;
pub mod date;
pub mod doctor;
mod explain;
mod graph;
pub mod inspect;
mod key;
mod kind;
mod place;
mod profile;
mod read;
mod request;
mod signature;
mod spki;
#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod testing;
mod tlv;
mod verify;
pub mod write;

#[cfg(feature = "aws-lc-rs")]
pub use aws_lc::AwsLc;
pub use bundle::{KeyMatch, MendOptions, Mended, match_key, mend, parse_all};
pub use certificate::{
    AuthorityKeyId, BasicConstraints, Certificate, CertificateError, DistributionPoint, Extension, GeneralName,
    KeyKind, KeyUsage, MOST_BYTES, MOST_EXTENSIONS, MOST_NAMES, Malformed, NameConstraints, PolicyConstraints,
    PublicKey, Subtree,
};
pub use command::Command;
pub use crl::{Crl, CrlError, Crls, Freshness, MOST_CRL_BYTES, MOST_ENTRIES, Reason, Revocation};
pub use crypto::{Crypto, NoCrypto};
pub use explain::{Finding, Severity};
pub use key::{KeyAlgorithm, KeyError, KeyFormat, Oddity, PrivateKey};
pub use place::{Found, Place};
pub use profile::{Kind, Level, Profile, Rule, RuleError, rules};
pub use read::{
    BlockReport, Contents, ForeignFormat, Format, Limits, Note, NoteKind, Password, Problem, ReadError, ReadErrorKind,
    ReadOptions, SshAlgorithm, read,
};
pub use request::{PeerName, Purpose, Request};
pub use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
pub use verify::{Budget, Refusal, Roots, Step, Verified, Verifier, Warning};
