//! Ciphers, by kept libraries.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::typenum::{U12, U16};
use cbc::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockSizeUser, InnerIvInit, KeyInit};
use der::zeroize::Zeroizing;

/// A cipher that a library of ours has: CBC but for those with GCM in their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
    Des,
    /// With two keys: the third is the first.
    Tdes2,
    Tdes,
    Rc2 {
        key_bytes: usize,
        effective_bits: usize,
    },
}

impl Cipher {
    pub(super) const RC2_40: Self = Self::Rc2 {
        key_bytes: 5,
        effective_bits: 40,
    };
    pub(super) const RC2_64: Self = Self::Rc2 {
        key_bytes: 8,
        effective_bits: 64,
    };
    pub(super) const RC2_128: Self = Self::Rc2 {
        key_bytes: 16,
        effective_bits: 128,
    };

    pub(super) fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes128Gcm | Self::Tdes2 => 16,
            Self::Aes192 | Self::Aes192Gcm | Self::Tdes => 24,
            Self::Aes256 | Self::Aes256Gcm => 32,
            Self::Des => 8,
            Self::Rc2 { key_bytes, .. } => key_bytes,
        }
    }

    /// Bytes of the initialisation vector; of GCM 12, or the 16 that PKI.js writes.
    pub(super) fn vector_bytes(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => 12,
            Self::Des | Self::Tdes2 | Self::Tdes | Self::Rc2 { .. } => 8,
        }
    }

    /// Whether the initialisation vector has a length that the cipher takes.
    pub(super) fn takes(self, vector: &[u8]) -> bool {
        let is_gcm = matches!(self, Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm);
        vector.len() == self.vector_bytes() || is_gcm && vector.len() == 16
    }

    /// Whether something encrypted can have this length, whatever the password.
    pub(super) fn fits(self, length: usize) -> bool {
        match self {
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => length >= 12,
            _ => length > 0 && length.is_multiple_of(self.vector_bytes()),
        }
    }

    /// `None`: the padding or the tag of GCM (with `tag_bytes`) does not fit, or the key or vector has another length.
    pub(super) fn decrypt(
        self,
        key: &[u8],
        vector: &[u8],
        tag_bytes: usize,
        data: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128 => cbc(aes::Aes128Dec::new_from_slice(key).ok()?, vector, data),
            Self::Aes192 => cbc(aes::Aes192Dec::new_from_slice(key).ok()?, vector, data),
            Self::Aes256 => cbc(aes::Aes256Dec::new_from_slice(key).ok()?, vector, data),
            Self::Des => cbc(des::Des::new_from_slice(key).ok()?, vector, data),
            Self::Tdes2 => cbc(des::TdesEde2::new_from_slice(key).ok()?, vector, data),
            Self::Tdes => cbc(des::TdesEde3::new_from_slice(key).ok()?, vector, data),
            Self::Rc2 { effective_bits, .. } => cbc(rc2::Rc2::new_with_eff_key_len(key, effective_bits), vector, data),
            Self::Aes128Gcm => gcm::<aes::Aes128>(key, vector, tag_bytes, data),
            Self::Aes192Gcm => gcm::<aes::Aes192>(key, vector, tag_bytes, data),
            Self::Aes256Gcm => gcm::<aes::Aes256>(key, vector, tag_bytes, data),
        }
    }
}

#[cfg(feature = "pkcs12")]
impl Cipher {
    /// `None` for ciphers that are not written.
    pub(super) fn encrypt(self, key: &[u8], vector: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        use cbc::cipher::BlockModeEncrypt;
        if self != Self::Aes256 {
            return None;
        }
        let cipher = aes::Aes256Enc::new_from_slice(key).ok()?;
        let mode = cbc::Encryptor::<aes::Aes256Enc>::inner_iv_slice_init(cipher, vector).ok()?;
        let mut buffer = plain.to_vec();
        // Padding makes it longer by 1 to 16.
        buffer.resize(plain.len().checked_add(16)?, 0);
        let length = mode.encrypt_padded::<Pkcs7>(&mut buffer, plain.len()).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}

fn cbc<C: BlockCipherDecrypt>(cipher: C, vector: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(data.to_vec());
    let mode = cbc::Decryptor::<C>::inner_iv_slice_init(cipher, vector).ok()?;
    let length = mode.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

fn gcm<C>(key: &[u8], vector: &[u8], tag_bytes: usize, data: &[u8]) -> Option<Zeroizing<Vec<u8>>>
where
    C: BlockCipherEncrypt + KeyInit + BlockSizeUser<BlockSize = U16>,
{
    match (vector.len(), tag_bytes) {
        (12, 12) => opened(
            AesGcm::<C, U12, U12>::new_from_slice(key).ok()?,
            vector,
            tag_bytes,
            data,
        ),
        (12, 16) => opened(
            AesGcm::<C, U12, U16>::new_from_slice(key).ok()?,
            vector,
            tag_bytes,
            data,
        ),
        (16, 12) => opened(
            AesGcm::<C, U16, U12>::new_from_slice(key).ok()?,
            vector,
            tag_bytes,
            data,
        ),
        (16, 16) => opened(
            AesGcm::<C, U16, U16>::new_from_slice(key).ok()?,
            vector,
            tag_bytes,
            data,
        ),
        _ => None,
    }
}

fn opened<A: AeadInOut>(cipher: A, vector: &[u8], tag_bytes: usize, data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (data, tag) = data.split_at_checked(data.len().checked_sub(tag_bytes)?)?;
    let mut buffer = Zeroizing::new(data.to_vec());
    cipher
        .decrypt_inout_detached(
            vector.try_into().ok()?,
            &[],
            buffer.as_mut_slice().into(),
            tag.try_into().ok()?,
        )
        .ok()?;
    Some(buffer)
}
