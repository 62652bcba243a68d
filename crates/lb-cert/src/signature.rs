//! One signature by a passed algorithm.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::certificate::tlv::{self, Reader, SEQUENCE};
use crate::crypto::Crypto;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Good,
    Bad,
    /// No passed algorithm has this identifier and fits the key.
    Unsupported,
}

/// Does the key (SubjectPublicKeyInfo) verify the signature over `signed`?
pub(crate) fn check(crypto: &dyn Crypto, spki: &[u8], algorithm: &[u8], signed: &[u8], signature: &[u8]) -> Answer {
    let Some((key_algorithm, key)) = key(spki) else {
        return Answer::Bad;
    };
    let Ok(algorithm) = tlv::only(algorithm, SEQUENCE) else {
        return Answer::Unsupported;
    };
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
