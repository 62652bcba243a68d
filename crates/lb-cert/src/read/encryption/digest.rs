//! Digests, and what is made with them: HMAC, PBKDF2, the derivations of PKCS#12 and of old. All by kept libraries.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::zeroize::Zeroizing;
#[cfg(feature = "pkcs12")]
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use sha1::digest::FixedOutputReset;
use sha1::digest::block_api::BlockSizeUser;

/// A digest that a library of ours has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
}

/// What a key of PKCS#12 is for (RFC 7292, appendix B.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Encryption,
    Vector,
    #[cfg(feature = "pkcs12")]
    Mac,
}

impl Digest {
    /// Bytes of its output.
    #[cfg(feature = "pkcs12")]
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// RFC 8018, section 5.2.
    pub(super) fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32, length: usize) -> Zeroizing<Vec<u8>> {
        let derive = match self {
            Self::Md5 => pbkdf2::pbkdf2_hmac::<md5::Md5>,
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>,
            Self::Sha224 => pbkdf2::pbkdf2_hmac::<sha2::Sha224>,
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>,
            Self::Sha384 => pbkdf2::pbkdf2_hmac::<sha2::Sha384>,
            Self::Sha512 => pbkdf2::pbkdf2_hmac::<sha2::Sha512>,
            Self::Sha512_224 => pbkdf2::pbkdf2_hmac::<sha2::Sha512_224>,
            Self::Sha512_256 => pbkdf2::pbkdf2_hmac::<sha2::Sha512_256>,
        };
        let mut key = Zeroizing::new(vec![0; length]);
        derive(password, salt, iterations, &mut key);
        key
    }

    /// RFC 7292, appendix B.2. The password is UTF-16BE with two zero bytes behind it, or nothing.
    pub(super) fn pkcs12(
        self,
        password: &[u8],
        salt: &[u8],
        iterations: u32,
        purpose: Use,
        length: usize,
    ) -> Zeroizing<Vec<u8>> {
        let derive = match self {
            Self::Md5 => pkcs12_with::<md5::Md5>,
            Self::Sha1 => pkcs12_with::<sha1::Sha1>,
            Self::Sha224 => pkcs12_with::<sha2::Sha224>,
            Self::Sha256 => pkcs12_with::<sha2::Sha256>,
            Self::Sha384 => pkcs12_with::<sha2::Sha384>,
            Self::Sha512 => pkcs12_with::<sha2::Sha512>,
            Self::Sha512_224 => pkcs12_with::<sha2::Sha512_224>,
            Self::Sha512_256 => pkcs12_with::<sha2::Sha512_256>,
        };
        derive(password, salt, iterations, purpose, length)
    }

    /// PBKDF1 (RFC 8018, section 5.1): the digest of password and salt, and so often again of that.
    pub(super) fn pbkdf1(self, password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
        let mut key = self.of(&[password, salt]);
        for _ in 1..iterations {
            key = self.of(&[&key]);
        }
        key
    }

    /// The digest of these parts, one behind the other. Only the digests of old derivations.
    pub(super) fn of(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Sha1 => digest_of::<sha1::Sha1>(parts),
            _ => digest_of::<md5::Md5>(parts),
        }
    }

    /// The HMAC of `message`, for SHA-256, which is what is written.
    #[cfg(feature = "pkcs12")]
    pub(super) fn hmac_sha256(self, key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        if self != Self::Sha256 {
            return None;
        }
        let mac = Hmac::<sha2::Sha256>::new_from_slice(key).ok()?;
        Some(mac.chain_update(message).finalize().into_bytes().to_vec())
    }

    /// Whether `tag` is the HMAC of `message`, compared in constant time.
    #[cfg(feature = "pkcs12")]
    pub(super) fn hmac_fits(self, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
        let fits = match self {
            Self::Md5 => hmac_with::<md5::Md5>,
            Self::Sha1 => hmac_with::<sha1::Sha1>,
            Self::Sha224 => hmac_with::<sha2::Sha224>,
            Self::Sha256 => hmac_with::<sha2::Sha256>,
            Self::Sha384 => hmac_with::<sha2::Sha384>,
            Self::Sha512 => hmac_with::<sha2::Sha512>,
            Self::Sha512_224 => hmac_with::<sha2::Sha512_224>,
            Self::Sha512_256 => hmac_with::<sha2::Sha512_256>,
        };
        fits(key, message, tag)
    }
}

fn pkcs12_with<D: sha1::Digest + FixedOutputReset + BlockSizeUser>(
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    purpose: Use,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let purpose = match purpose {
        Use::Encryption => Pkcs12KeyType::EncryptionKey,
        Use::Vector => Pkcs12KeyType::Iv,
        #[cfg(feature = "pkcs12")]
        Use::Mac => Pkcs12KeyType::Mac,
    };
    // Limits keep iterations below this.
    let iterations = i32::try_from(iterations).unwrap_or(i32::MAX);
    Zeroizing::new(derive_key::<D>(password, salt, purpose, iterations, length))
}

fn digest_of<D: sha1::Digest>(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    Zeroizing::new(digest.finalize().to_vec())
}

#[cfg(feature = "pkcs12")]
fn hmac_with<D: EagerHash>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    Hmac::<D>::new_from_slice(key).is_ok_and(|mac| mac.chain_update(message).verify_slice(tag).is_ok())
}
