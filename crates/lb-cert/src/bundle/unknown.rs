//! What to say, and to do, when nobody here can tell whether a key belongs to a certificate.

use super::public_key_digest;
use crate::inspect::hex;
use crate::key::constructed;
use crate::spki::Spki;
use crate::{Certificate, Command, Crypto, Found, KeyAlgorithm, PrivateKey};
use der::asn1::BitStringRef;
use der::{Encode, Tag};
use std::fmt;

/// Why the public half of a key is not known, for a key of which [`match_key`](super::match_key) says
/// [`KeyMatch::Unknown`](super::KeyMatch::Unknown).
#[must_use]
pub fn unknown_reason(key: &PrivateKey, crypto: &dyn Crypto) -> &'static str {
    if crypto.algorithms().is_empty() {
        return "Nothing that computes was given to this program, so no public half can be made of a private one.";
    }
    match key.algorithm() {
        KeyAlgorithm::Ed448 => {
            "The file holds the private half alone, and no library of this program computes the public half of an Ed448 \
             key. OpenSSL does, and its servers use such keys; those by rustls do not."
        }
        KeyAlgorithm::OtherCurve(_) if key.stated_spki().is_some() => {
            "The file and the certificate write the point in two forms, of which the short one has one coordinate, and no \
             library of this program computes on that curve. OpenSSL does, and its servers use such keys; those by rustls \
             do not."
        }
        KeyAlgorithm::OtherCurve(_) => {
            "The file does not hold the public point, and no library of this program computes points on its curve. OpenSSL \
             does, and its servers use such keys; those by rustls do not."
        }
        KeyAlgorithm::Dsa { bits: 0 } => {
            "The file holds the private number without the group (p, q, g) of the key, which the certificate's issuer may \
             have; without it no program computes the public half."
        }
        KeyAlgorithm::Dsa { .. } => {
            "The numbers of this DSA key are no prime group that libraries compute with: larger than OpenSSL takes, or not \
             fitting together."
        }
        KeyAlgorithm::Rsa { .. }
        | KeyAlgorithm::RsaPss { .. }
        | KeyAlgorithm::EcP256
        | KeyAlgorithm::EcP384
        | KeyAlgorithm::EcP521
        | KeyAlgorithm::Ed25519 => {
            "The library of this program refuses the numbers of the key: they do not fit together. A file that was changed \
             on its way looks so."
        }
        KeyAlgorithm::Other(name) if name.starts_with("ML-DSA") => {
            "The library of this program refuses the key: its octets do not fit together. A file that was changed on its \
             way looks so."
        }
        KeyAlgorithm::Other(name) if name.contains("SLH-DSA") || name.starts_with("HashML-DSA") => {
            "No library of this program computes the public half of such a key. OpenSSL from 3.5 may; TLS has no signatures \
             by it yet."
        }
        KeyAlgorithm::Other(_) => {
            "Such a key agrees on secrets and does not sign, so no TLS server proves a certificate with it, and no library \
             of this program computes its public half."
        }
        KeyAlgorithm::Unknown(_) if key.stated_spki().is_some() => {
            "The file and the certificate write the public half in two ways, and what they are ways of is not known here."
        }
        KeyAlgorithm::Unknown(_) => "Keys of this kind are not known here, so what is in the file cannot be told.",
    }
}

/// How a person compares a key with a certificate by OpenSSL (3.0 or newer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The command: it prints the SHA-256 of the key's public half.
    pub command: String,
    /// What it prints if they belong together, in hexadecimal digits; `None` without digests.
    pub digest: Option<String>,
}

impl Comparison {
    /// For this key in its file; `None` for one of which no program can tell.
    #[must_use]
    pub fn of(certificate: &Certificate, key: &Found<PrivateKey>, crypto: &dyn Crypto) -> Option<Self> {
        // Both with the same form of the point (SEC 1, section 2.3.3).
        let command = match (key.value.algorithm(), Spki::read(certificate.spki_raw())?.key()) {
            (KeyAlgorithm::Dsa { bits: 0 }, _) => return None,
            // Nobody here converts what is not known.
            (KeyAlgorithm::Unknown(_), _) => Command::COMPARE_UNKNOWN,
            (kind, _) if !kind.is_ec() => Command::COMPARE,
            (_, [2 | 3, ..]) => Command::COMPARE_COMPRESSED,
            (_, [6 | 7, ..]) => Command::COMPARE_HYBRID,
            _ => Command::COMPARE_UNCOMPRESSED,
        };
        let digest = as_written(certificate).and_then(|spki| public_key_digest(&spki, crypto));
        Some(Self {
            command: command.fill(&key.place),
            digest: digest.map(|digest| hex(&digest)),
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self
            .digest
            .as_deref()
            .unwrap_or("the SHA-256 of the certificate's public key");
        write!(f, "`{}` prints {digest} if they belong together", self.command)
    }
}

/// The certificate's public key as a key is written here: with the name of its curve, whatever the certificate says.
fn as_written(certificate: &Certificate) -> Option<Vec<u8>> {
    let spki = Spki::read(certificate.spki_raw())?;
    let bits = BitStringRef::from_bytes(spki.key()).ok()?.to_der().ok()?;
    let algorithm = constructed(Tag::Sequence, &spki.named_algorithm());
    Some(constructed(Tag::Sequence, &[algorithm, bits].concat()))
}
