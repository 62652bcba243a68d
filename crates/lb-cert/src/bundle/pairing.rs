//! Does this key belong to this certificate?

use crate::spki::Spki;
use crate::tlv::{self, Reader, SEQUENCE};
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
    let digest = |spki: &[u8]| public_key_digest(spki, crypto);
    let held = Spki::read(certificate.spki_raw());
    let Some(public) = public_key(key, crypto) else {
        // Nobody needs the public half to see that an Ed448 key is not that of an RSA certificate.
        let pkcs8 = key.to_pkcs8();
        let kind = algorithm(pkcs8.secret_pkcs8_der());
        let differ = kind
            .and_then(Spki::of_algorithm)
            .zip(held)
            .is_some_and(|(own, held)| own.is_of_another_kind(&held));
        return match crypto.algorithms().is_empty() {
            false if differ => KeyMatch::Mismatch {
                certificate: digest(certificate.spki_raw()),
                key: None,
            },
            _ => KeyMatch::Unknown,
        };
    };
    // The algorithm may be written in several ways (RSA keys restricted to PSS, named and explicit curves), the point
    // too (compressed or not).
    let is_same = match (held, Spki::read(&public)) {
        (Some(held), Some(made)) => held.is_same(&made),
        _ => Some(certificate.spki_raw() == public),
    };
    match is_same {
        Some(true) => KeyMatch::Match {
            digest: digest(certificate.spki_raw()),
        },
        Some(false) => KeyMatch::Mismatch {
            certificate: digest(certificate.spki_raw()),
            key: digest(&public),
        },
        None => KeyMatch::Unknown,
    }
}

/// The public half of a key as `subjectPublicKeyInfo`, computed from the private one. Of a kind that `crypto` does not
/// know it is what the key itself states; `None` when it states nothing, or when its numbers do not fit together.
#[must_use]
pub fn public_key(key: &PrivateKey, crypto: &dyn Crypto) -> Option<Vec<u8>> {
    if let Some(computed) = key.computed(crypto) {
        return Some(computed);
    }
    let is_rsa = matches!(key.algorithm(), KeyAlgorithm::Rsa { .. } | KeyAlgorithm::RsaPss { .. });
    if let KeyAlgorithm::Rsa { bits } | KeyAlgorithm::RsaPss { bits } = key.algorithm()
        && (2048..=8192).contains(bits)
    {
        // A key restricted to PSS holds the same numbers in another envelope, which libraries may not know.
        return crypto.public_key(&PrivatePkcs1KeyDer::from(numbers(key)?).into());
    }
    // Libraries refuse RSA keys of other lengths, right or not; then the key's own word has to do, as for kinds of keys
    // that they do not know. Kinds that they know were refused because they are wrong.
    let word_counts = is_rsa || !key.algorithm().is_usable();
    (word_counts && !crypto.algorithms().is_empty())
        .then(|| key.stated_spki())
        .flatten()
}

/// The content of the algorithm of a PKCS#8 key.
fn algorithm(pkcs8: &[u8]) -> Option<&[u8]> {
    let mut fields = Reader::new(tlv::only(pkcs8, SEQUENCE).ok()?);
    fields.expect(tlv::INTEGER).ok()?;
    Some(fields.expect(SEQUENCE).ok()?.value)
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
