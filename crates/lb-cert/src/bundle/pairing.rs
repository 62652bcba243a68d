//! Does this key belong to this certificate?

use crate::certificate::tlv::{self, Reader, SEQUENCE};
use crate::graph::public_key_parts;
use crate::{Certificate, Crypto, KeyAlgorithm, PrivateKey};
use rustls_pki_types::PrivatePkcs1KeyDer;

/// Whether a key and a certificate belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyMatch {
    /// One of the two was not given.
    Absent,
    /// The certificate holds the public half of the key.
    Match {
        /// SHA-256 over that public key, as `subjectPublicKeyInfo`; `None` without digests.
        digest: Option<[u8; 32]>,
    },
    /// It holds another public key.
    Mismatch {
        /// SHA-256 over the certificate's public key; `None` without digests.
        certificate: Option<[u8; 32]>,
        /// SHA-256 over the key's public half.
        key: Option<[u8; 32]>,
    },
    /// Cannot be told: no crypto was given, or it does not know this kind of key.
    Unknown,
}

/// Compares the public key of `certificate` with the public half of `key`. S-KEY-04 asks for both fingerprints.
///
/// Cost: one public key made from a private one, which for an elliptic curve is one multiplication.
#[must_use]
pub fn match_key(certificate: &Certificate, key: &PrivateKey, crypto: &dyn Crypto) -> KeyMatch {
    let Some(public) = public_key(key, crypto) else {
        return KeyMatch::Unknown;
    };
    let digest = |spki: &[u8]| public_key_digest(spki, crypto);
    // The algorithm may be written in two ways (RSA keys restricted to PSS, named and explicit parameters), the key
    // itself in one.
    let is_same = match (public_key_parts(certificate.spki_raw()), public_key_parts(&public)) {
        (Some((_, held)), Some((_, made))) => held == made,
        _ => certificate.spki_raw() == public,
    };
    if is_same {
        KeyMatch::Match {
            digest: digest(certificate.spki_raw()),
        }
    } else {
        KeyMatch::Mismatch {
            certificate: digest(certificate.spki_raw()),
            key: digest(&public),
        }
    }
}

/// The public half of a key as `subjectPublicKeyInfo`, computed from the private one; `None` when `crypto` does not
/// know this kind of key, or when the numbers of the key do not fit together.
#[must_use]
pub fn public_key(key: &PrivateKey, crypto: &dyn Crypto) -> Option<Vec<u8>> {
    if let Some(computed) = crypto.public_key(key.der()) {
        return Some(computed);
    }
    let (KeyAlgorithm::Rsa { bits } | KeyAlgorithm::RsaPss { bits }) = key.algorithm() else {
        return None;
    };
    if (2048..=8192).contains(bits) {
        // A key restricted to PSS holds the same numbers in another envelope, which libraries may not know.
        return crypto.public_key(&PrivatePkcs1KeyDer::from(numbers(key)?).into());
    }
    // Libraries refuse RSA keys of other lengths, right or not; then the key's own word has to do.
    (!crypto.algorithms().is_empty()).then(|| key.stated_spki()).flatten()
}

/// What is inside PKCS#8: of an RSA key its PKCS#1 form.
fn numbers(key: &PrivateKey) -> Option<Vec<u8>> {
    let pkcs8 = key.to_pkcs8();
    let mut fields = Reader::new(tlv::only(pkcs8.secret_pkcs8_der(), SEQUENCE).ok()?);
    fields.any().ok()?;
    fields.any().ok()?;
    Some(fields.any().ok()?.value.to_vec())
}

/// SHA-256 over a `subjectPublicKeyInfo`, as `openssl pkey -pubin -outform DER | openssl sha256` prints it; `None`
/// without digests.
#[must_use]
pub fn public_key_digest(spki: &[u8], crypto: &dyn Crypto) -> Option<[u8; 32]> {
    crypto.sha256(spki)
}
