//! PKCS#12, encrypted by `p12-keystore` with AES-256 (PBES2) and a SHA-256 MAC, as openssl 3 and Java write.
//! The password is UTF-8 for the encryption and UTF-16, pairs included, for the MAC.

use der::zeroize::Zeroizing;
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKeyChain};
use rustls_pki_types::CertificateDer;

use super::WriteError;
use crate::read::pkcs12::relocked;
use crate::{Password, PrivateKey};

/// A PKCS#12 (`.p12`, `.pfx`) with the key and its chain, leaf first.
///
/// Without a key the certificates become trusted entries, as in a trust store.
///
/// # Errors
///
/// [`WriteError::Pkcs12`]: the password is not UTF-8, or a certificate is broken.
pub fn pkcs12<'a>(
    certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>,
    key: Option<&PrivateKey>,
    password: &Password,
) -> Result<Vec<u8>, WriteError> {
    let refuse = |error: p12_keystore::error::Error| WriteError::Pkcs12 { why: error.to_string() };
    let mut chain = Vec::new();
    for certificate in certificates {
        chain.push(Certificate::from_der(certificate).map_err(refuse)?);
    }
    let mut store = KeyStore::new();
    match key {
        Some(key) => {
            let key = p12_keystore::PrivateKey::from_der(key.to_pkcs8().secret_pkcs8_der()).map_err(refuse)?;
            store.add_entry(
                "server",
                KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new([1u8].as_slice(), key, chain)),
            );
        }
        None => {
            for (index, certificate) in chain.into_iter().enumerate() {
                store.add_entry(
                    &format!("certificate {index:05}"),
                    KeyStoreEntry::Certificate(certificate),
                );
            }
        }
    }
    let text = password.reveal().ok_or_else(|| WriteError::Pkcs12 {
        why: "the password is not UTF-8".into(),
    })?;
    if text.chars().all(|letter| u32::from(letter) <= 0xFFFF) {
        return store.writer(text).write().map_err(refuse);
    }
    let draft = Zeroizing::new(store.writer(STAND_IN).write().map_err(refuse)?);
    relocked(&draft, &STAND_IN.into(), password).ok_or_else(|| WriteError::Pkcs12 {
        why: "the encryption cannot be made anew".into(),
    })
}

/// The password of what is never given away.
const STAND_IN: &str = "stand-in";
