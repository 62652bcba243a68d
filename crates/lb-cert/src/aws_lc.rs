//! [`Crypto`] by aws-lc-rs.

use crate::crypto::Crypto;
use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING,
    ML_DSA_87_SIGNING, PqdsaKeyPair, RsaKeyPair,
};
use rustls_pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm};

/// [`Crypto`] by aws-lc-rs, and for the public half of DSA keys by crypto-bigint.
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

impl Crypto for AwsLc {
    fn sha1(&self, bytes: &[u8]) -> Option<[u8; 20]> {
        let found = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        found.as_ref().try_into().ok()
    }

    fn sha256(&self, bytes: &[u8]) -> Option<[u8; 32]> {
        digest::digest(&digest::SHA256, bytes).as_ref().try_into().ok()
    }

    fn public_key(&self, key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
        match key {
            PrivateKeyDer::Pkcs1(key) => rsa(RsaKeyPair::from_der(key.secret_pkcs1_der()).ok()?),
            PrivateKeyDer::Sec1(key) => ecdsa(key.secret_sec1_der()),
            PrivateKeyDer::Pkcs8(key) => {
                let der = key.secret_pkcs8_der();
                if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
                    return rsa(pair);
                }
                if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    return spki(pair.public_key());
                }
                ecdsa(der)
                    .or_else(|| ml_dsa(der))
                    .or_else(|| crate::key::dsa_public(der))
            }
            _ => None,
        }
    }

    fn algorithms(&self) -> &[&'static dyn SignatureVerificationAlgorithm] {
        webpki::ALL_VERIFICATION_ALGS
    }
}

fn rsa(pair: RsaKeyPair) -> Option<Vec<u8>> {
    spki(pair.public_key())
}

fn ecdsa(der: &[u8]) -> Option<Vec<u8>> {
    [
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        &ECDSA_P521_SHA512_ASN1_SIGNING,
        &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    ]
    .into_iter()
    .find_map(|algorithm| EcdsaKeyPair::from_private_key_der(algorithm, der).ok())
    .and_then(|pair| spki(pair.public_key()))
}

/// From the seed, the expanded key or both (RFC 9881, section 6).
fn ml_dsa(der: &[u8]) -> Option<Vec<u8>> {
    [&ML_DSA_44_SIGNING, &ML_DSA_65_SIGNING, &ML_DSA_87_SIGNING]
        .into_iter()
        .find_map(|algorithm| PqdsaKeyPair::from_pkcs8(algorithm, der).ok())
        .and_then(|pair| spki(pair.public_key()))
}

fn spki(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Option<Vec<u8>> {
    Some(key.as_der().ok()?.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180() {
        // the digest of "abc" in FIPS 180-2, appendices A.1 and B.1
        assert_eq!(
            AwsLc.sha1(b"abc").map(|found| found[..4].to_vec()),
            Some(vec![0xa9, 0x99, 0x3e, 0x36])
        );
        assert_eq!(
            AwsLc.sha256(b"abc").map(|found| found[..4].to_vec()),
            Some(vec![0xba, 0x78, 0x16, 0xbf])
        );
    }

    #[test]
    fn the_public_key_is_the_one_in_the_certificate() {
        for algorithm in [
            &rcgen::PKCS_ECDSA_P256_SHA256,
            &rcgen::PKCS_ECDSA_P384_SHA384,
            &rcgen::PKCS_ECDSA_P521_SHA512,
            &rcgen::PKCS_ED25519,
            &rcgen::PKCS_RSA_SHA256,
        ] {
            let pair = rcgen::KeyPair::generate_for(algorithm).expect("a key");
            let made = rcgen::CertificateParams::new(["a.example".to_owned()]).expect("parameters");
            let made = made.self_signed(&pair).expect("a certificate");
            let read = crate::Certificate::parse(made.der().clone()).expect("ours reads it");
            let key = PrivateKeyDer::Pkcs8(pair.serialize_der().into());
            assert_eq!(
                AwsLc.public_key(&key).as_deref(),
                Some(read.spki_raw()),
                "{}",
                read.key()
            );
        }
    }

    #[test]
    fn nonsense_is_unknown() {
        for key in [
            PrivateKeyDer::Pkcs8(vec![0x30, 0].into()),
            PrivateKeyDer::Pkcs1(vec![1].into()),
            PrivateKeyDer::Sec1(vec![].into()),
        ] {
            assert_eq!(AwsLc.public_key(&key), None);
        }
    }
}
