//! Identities: a certificate with its chain, its key, and the facts that people ask for.

mod choose;
mod error;
mod heap;
mod key;
mod load;
mod note;

pub use choose::Identities;
pub use error::LoadError;
pub use load::{File, LoadOptions, Loaded, load};
pub use note::Note;

use crate::Expiry;
use crate::names::NameTable;
use lb_cert::{Certificate, Found, Place};
use lb_types::Wall;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::sync::Arc;

/// A certificate, what is sent with it, its key, and facts. Made once, shared; the key is never printed.
pub struct Identity {
    certified: Arc<CertifiedKey>,
    places: Vec<Place>,
    subject: String,
    issuer: String,
    names: Vec<String>,
    table: NameTable<()>,
    not_before: i64,
    not_after: i64,
    fingerprint: [u8; 32],
    key_fingerprint: [u8; 32],
    key_kind: KeyKind,
}

/// The kind of a server's key, in the order in which they are preferred where a client takes several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519, which browsers do not take.
    Ed25519,
    /// RSA, with the bits of its modulus.
    Rsa(u32),
}

impl Identity {
    /// For rustls: what is sent, and the key.
    #[must_use]
    pub fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    /// What is sent: the certificate, then its issuers, without the root.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// Where the certificates of [`chain`](Self::chain) were found, in the same order.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The file of the certificate itself.
    #[must_use]
    pub fn label(&self) -> &str {
        self.places.first().map_or("", |place| &place.source)
    }

    /// Whose certificate it is, on one line.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Who issued it, on one line.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The host names for which it is served, in lower case: its alternative names; its common name if it has none.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Is it for this host? Wildcards stand for one label; letter case and a dot at the end do not count.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.table.find(name).is_some()
    }

    /// The first second of its validity, in seconds since 1970 (dates of certificates may lie before).
    #[must_use]
    pub const fn not_before(&self) -> i64 {
        self.not_before
    }

    /// The last second of its validity, in seconds since 1970.
    #[must_use]
    pub const fn not_after(&self) -> i64 {
        self.not_after
    }

    /// How long it is still good at `now`.
    #[must_use]
    pub fn expiry(&self, now: Wall) -> Expiry {
        Expiry::new(self.not_after, now)
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// SHA-256 of its public key (subjectPublicKeyInfo).
    #[must_use]
    pub const fn key_fingerprint(&self) -> &[u8; 32] {
        &self.key_fingerprint
    }

    /// What kind of key it has.
    #[must_use]
    pub const fn key_kind(&self) -> KeyKind {
        self.key_kind
    }

    fn is_valid(&self, now: i64) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("subject", &self.subject)
            .field("label", &self.label())
            .field("key", &self.key_kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.write_str("ECDSA P-256"),
            Self::P384 => f.write_str("ECDSA P-384"),
            Self::P521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
        }
    }
}

/// The names that an identity is served for, and what there is to say about them.
fn names_of(found: &Found<Certificate>, notes: &mut Vec<Note>) -> Vec<String> {
    let (certificate, place) = (&found.value, &found.place);
    let mut names = Vec::new();
    for name in certificate.names() {
        let lb_cert::GeneralName::Dns(name) = name else {
            continue;
        };
        match crate::names::pattern_of(name) {
            Ok(name) if !names.contains(&name) => names.push(name),
            Ok(_) => {}
            Err(error) => notes.push(Note::OddName {
                place: place.clone(),
                error,
            }),
        }
    }
    if !names.is_empty() || !certificate.names().is_empty() {
        return names;
    }
    let common = certificate.common_name().map(|name| crate::names::pattern_of(&name));
    if let Some(Ok(name)) = common {
        notes.push(Note::CommonNameOnly {
            place: place.clone(),
            name: name.clone(),
        });
        names.push(name);
    } else {
        notes.push(Note::Nameless {
            place: place.clone(),
            subject: certificate.label(),
        });
    }
    names
}

/// As people compare fingerprints: `ab:cd:..` without the colons.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
