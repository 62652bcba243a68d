//! Cryptography that the caller passes in: this crate has none of its own.

use rustls_pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm};
use std::fmt;

/// Digests, key math and signature checks. Every answer may be `None`: unknown.
pub trait Crypto: fmt::Debug + Send + Sync {
    /// SHA-1 of `bytes`; only for fingerprints that people compare.
    fn sha1(&self, bytes: &[u8]) -> Option<[u8; 20]>;

    /// SHA-256 of `bytes`.
    fn sha256(&self, bytes: &[u8]) -> Option<[u8; 32]>;

    /// SubjectPublicKeyInfo (DER, with header) of a private key.
    fn public_key(&self, key: &PrivateKeyDer<'_>) -> Option<Vec<u8>>;

    /// The signature algorithms that can be checked.
    fn algorithms(&self) -> &[&'static dyn SignatureVerificationAlgorithm];
}

/// Knows nothing: every match and fingerprint is unknown, and no signature can be checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCrypto;

impl Crypto for NoCrypto {
    fn sha1(&self, _: &[u8]) -> Option<[u8; 20]> {
        None
    }

    fn sha256(&self, _: &[u8]) -> Option<[u8; 32]> {
        None
    }

    fn public_key(&self, _: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
        None
    }

    fn algorithms(&self) -> &[&'static dyn SignatureVerificationAlgorithm] {
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_cryptography_everything_is_unknown() {
        let key = PrivateKeyDer::Pkcs8(vec![0x30, 0].into());
        assert_eq!(NoCrypto.sha1(b""), None);
        assert_eq!(NoCrypto.sha256(b""), None);
        assert_eq!(NoCrypto.public_key(&key), None);
        assert!(NoCrypto.algorithms().is_empty());
    }
}
