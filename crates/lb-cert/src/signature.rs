//! Signatures by the algorithms that were passed in.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::certificate::{Certificate, KeyKind};
use crate::crypto::Crypto;
use crate::spki::Spki;
use crate::tlv::{self, Reader, SEQUENCE};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Good,
    Bad,
    /// No passed algorithm has this identifier and fits the key.
    Unsupported,
}

/// Does the key (SubjectPublicKeyInfo) verify the signature over `signed`? Its algorithm is taken as it is written.
pub(crate) fn check(crypto: &dyn Crypto, spki: &[u8], algorithm: &[u8], signed: &[u8], signature: &[u8]) -> Answer {
    let Some((key_algorithm, key)) = key(spki) else {
        return Answer::Bad;
    };
    let Ok(algorithm) = tlv::only(algorithm, SEQUENCE) else {
        return Answer::Unsupported;
    };
    ask(crypto, key_algorithm, key, algorithm, signed, signature)
}

/// Did the key of `issuer` make the signature of `certificate`? `None` when no algorithm that was passed in can tell. A
/// curve that is written out counts as the named one that it is.
pub(crate) fn is_signed_by(certificate: &Certificate, issuer: &Certificate, crypto: &dyn Crypto) -> Option<bool> {
    // Shorter and longer keys are refused by the algorithms themselves, which would look like a wrong signature.
    let kind = issuer.key();
    if matches!(kind.kind, KeyKind::Rsa | KeyKind::RsaPss) && !(2048..=8192).contains(&kind.bits) {
        return None;
    }
    let spki = Spki::read(issuer.spki_raw())?;
    let algorithm = tlv::only(certificate.signature_algorithm_raw(), SEQUENCE).ok()?;
    let (key_algorithm, signature) = (spki.named_algorithm(), certificate.signature());
    match ask(
        crypto,
        &key_algorithm,
        spki.key(),
        algorithm,
        certificate.signed(),
        signature,
    ) {
        Answer::Good => Some(true),
        Answer::Bad => Some(false),
        Answer::Unsupported => None,
    }
}

impl Certificate {
    /// Did its own key sign it? The signature decides where `crypto` knows the algorithm, else what the certificate
    /// says of itself ([`Certificate::looks_self_signed`]).
    ///
    /// Cost: one signature check for a certificate that is [self-issued](Certificate::is_self_issued), none for others.
    #[must_use]
    pub fn is_self_signed(&self, crypto: &dyn Crypto) -> bool {
        self.is_self_issued() && is_signed_by(self, self, crypto).unwrap_or_else(|| self.looks_self_signed())
    }
}

/// Every passed algorithm that has these identifiers: one that verifies is enough.
fn ask(
    crypto: &dyn Crypto,
    key_algorithm: &[u8],
    key: &[u8],
    algorithm: &[u8],
    signed: &[u8],
    signature: &[u8],
) -> Answer {
    let mut answer = Answer::Unsupported;
    for candidate in crypto.algorithms() {
        let fits = candidate.signature_alg_id().as_ref() == algorithm
            && candidate.public_key_alg_id().as_ref() == key_algorithm;
        if !fits {
            continue;
        }
        if candidate.verify_signature(key, signed, signature).is_ok() {
            return Answer::Good;
        }
        answer = Answer::Bad;
    }
    answer
}

/// The key's algorithm (the SEQUENCE's content) and its bytes.
fn key(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = Reader::new(tlv::only(spki, SEQUENCE).ok()?);
    let algorithm = fields.expect(SEQUENCE).ok()?.value;
    let key = tlv::whole_bits(fields.expect(tlv::BIT_STRING).ok()?.value).ok()?;
    fields.end().ok()?;
    Some((algorithm, key))
}
