//! Private keys: what they are, in which forms they can be written. Never printed.
//!
//! A key is recognised by its structure, not by what a label says: PKCS#1 (RFC 8017, appendix A.1.2), SEC1
//! (RFC 5915), PKCS#8 (RFC 5958) or openssl's form of DSA. The structure is read to its end: all numbers of an RSA key,
//! the size of an elliptic curve key and of its public point.
//!
//! Programs write elliptic curve keys in several ways that mean the same. What is kept is the one way that all read:
//! the curve by its name, the private number in as many octets as the order of the curve has.

mod algorithm;
mod convert;
mod dsa;
mod ec;
mod error;
mod octets;
mod oddity;
mod rsa;
mod structure;

pub use algorithm::KeyAlgorithm;
pub(crate) use convert::constructed;
#[cfg(feature = "aws-lc-rs")]
pub(crate) use dsa::public as dsa_public;
pub use error::KeyError;
pub use oddity::Oddity;

use std::fmt;

use crate::Crypto;
use crate::spki::Spki;
use der::zeroize::Zeroize;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

/// A private key that was read to its end: its structure is whole, its algorithm known.
///
/// `Debug` names the algorithm and nothing else. The bytes are overwritten when the key is dropped.
pub struct PrivateKey {
    der: PrivateKeyDer<'static>,
    algorithm: KeyAlgorithm,
    oddities: Vec<Oddity>,
    /// The public part, where the form in which the key is kept has no place for it.
    public: Option<Vec<u8>>,
}

impl PrivateKey {
    /// Reads a key in DER: PKCS#8, PKCS#1, SEC1 or openssl's form of DSA, recognised by its structure.
    ///
    /// # Errors
    ///
    /// [`KeyError`]: the bytes are no key, a broken one, or one that is encrypted.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let found = structure::read(der)?;
        let der = found.normal.as_ref().map_or(der, |normal| normal.as_slice()).to_vec();
        let der = match found.format {
            KeyFormat::Pkcs8 => PrivatePkcs8KeyDer::from(der).into(),
            KeyFormat::Pkcs1 => PrivatePkcs1KeyDer::from(der).into(),
            KeyFormat::Sec1 => PrivateSec1KeyDer::from(der).into(),
        };
        Ok(Self {
            der,
            algorithm: found.algorithm,
            oddities: found.oddities,
            public: found.public,
        })
    }

    /// What kind of key it is.
    pub fn algorithm(&self) -> &KeyAlgorithm {
        &self.algorithm
    }

    /// In which ways the key that was read is not written as most are. [`der`](Self::der) is.
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }

    /// The key as it was read, but for its [`oddities`](Self::oddities): an elliptic curve key names its curve and has
    /// its private number in full length, as rustls demands; a key in openssl's form of DSA is PKCS#8.
    pub fn der(&self) -> &PrivateKeyDer<'static> {
        &self.der
    }

    /// The form in which it was read.
    pub fn format(&self) -> KeyFormat {
        match self.der {
            PrivateKeyDer::Pkcs1(_) => KeyFormat::Pkcs1,
            PrivateKeyDer::Sec1(_) => KeyFormat::Sec1,
            _ => KeyFormat::Pkcs8,
        }
    }

    /// The key as PKCS#8 (`PRIVATE KEY`) of version 0, the form that everything reads: without attributes (Windows adds
    /// some in PKCS#12, which mean nothing elsewhere) and without a public key behind it. Allocates.
    pub fn to_pkcs8(&self) -> PrivatePkcs8KeyDer<'static> {
        match &self.der {
            PrivateKeyDer::Pkcs1(key) => convert::pkcs1_to_pkcs8(key.secret_pkcs1_der()).into(),
            PrivateKeyDer::Sec1(key) => convert::sec1_to_pkcs8(key.secret_sec1_der()).into(),
            other => convert::bare_pkcs8(other.secret_der()).into(),
        }
    }

    /// The key in the form of old: PKCS#1 (`RSA PRIVATE KEY`) or SEC1 (`EC PRIVATE KEY`); `None` for a key that
    /// has no such form (Ed25519, RSA-PSS, DSA).
    pub fn to_traditional(&self) -> Option<PrivateKeyDer<'static>> {
        match (&self.der, &self.algorithm) {
            (PrivateKeyDer::Pkcs8(key), KeyAlgorithm::Rsa { .. }) => {
                convert::pkcs8_to_pkcs1(key.secret_pkcs8_der()).map(|der| PrivatePkcs1KeyDer::from(der).into())
            }
            (PrivateKeyDer::Pkcs8(key), algorithm) if algorithm.is_ec() => {
                convert::pkcs8_to_sec1(key.secret_pkcs8_der()).map(|der| PrivateSec1KeyDer::from(der).into())
            }
            (PrivateKeyDer::Pkcs8(_), _) => None,
            _ => Some(self.der.clone_key()),
        }
    }

    /// The public part as SubjectPublicKeyInfo in DER, computed with `crypto`; `None` when that does not know it.
    /// An RSA-PSS key has the parameters that the key states, as the certificate made for it has.
    pub fn public_key_spki(&self, crypto: &dyn Crypto) -> Option<Vec<u8>> {
        if !matches!(self.algorithm, KeyAlgorithm::RsaPss { .. }) {
            return self.computed(crypto);
        }
        let pkcs8 = self.to_pkcs8();
        let plain = convert::pkcs8_to_pkcs1(pkcs8.secret_pkcs8_der())?;
        crypto.public_key(&PrivatePkcs1KeyDer::from(plain).into())?;
        self.stated_spki()
    }

    /// Computed from the private part alone. Libraries refuse an elliptic curve key whose point is not its own or is
    /// written in the short form, so the point is left out at a second try.
    pub(crate) fn computed(&self, crypto: &dyn Crypto) -> Option<Vec<u8>> {
        crypto.public_key(&self.der).or_else(|| {
            let pkcs8 = self.algorithm.is_ec().then(|| self.to_pkcs8())?;
            let bare = convert::without_point(pkcs8.secret_pkcs8_der())?;
            crypto.public_key(&PrivatePkcs8KeyDer::from(bare).into())
        })
    }

    /// Whether the numbers of the key belong together, as far as `crypto` can tell.
    ///
    /// # Errors
    ///
    /// [`KeyError::PublicPart`]: they do not.
    pub fn check(&self, crypto: &dyn Crypto) -> Result<(), KeyError> {
        match (self.public_key_spki(crypto), self.stated_spki()) {
            (Some(computed), Some(stated)) => match (Spki::read(&computed), Spki::read(&stated)) {
                (Some(computed), Some(stated)) if computed.is_same(&stated) == Some(false) => Err(KeyError::PublicPart),
                _ => Ok(()),
            },
            // Of RSA keys that no library computes with, because of their length or exponent, the numbers are compared.
            (None, _) if rsa::fits(self.to_pkcs8().secret_pkcs8_der()) == Some(false) => Err(KeyError::PublicPart),
            (None, _) if crypto.sha256(b"").is_some() && self.is_common() => Err(KeyError::PublicPart),
            _ => Ok(()),
        }
    }

    /// Whether a cryptography that refuses this key must have found it wrong, not uncommon.
    fn is_common(&self) -> bool {
        match self.algorithm {
            KeyAlgorithm::Rsa { bits } | KeyAlgorithm::RsaPss { bits } => {
                (2048..=8192).contains(&bits) && convert::has_common_exponent(self.to_pkcs8().secret_pkcs8_der())
            }
            _ => self.algorithm.is_usable(),
        }
    }

    /// The public part as the key itself states it, as SubjectPublicKeyInfo in DER; `None` when the key does not
    /// hold it (a PKCS#8 Ed25519 key, an elliptic curve key without its point). Not computed, so not proven.
    pub fn stated_spki(&self) -> Option<Vec<u8>> {
        if self.public.is_some() {
            return self.public.clone();
        }
        match &self.der {
            PrivateKeyDer::Pkcs8(key) => convert::stated_spki(key.secret_pkcs8_der()),
            _ => convert::stated_spki(self.to_pkcs8().secret_pkcs8_der()),
        }
    }
}

impl Clone for PrivateKey {
    fn clone(&self) -> Self {
        Self {
            der: self.der.clone_key(),
            algorithm: self.algorithm.clone(),
            oddities: self.oddities.clone(),
            public: self.public.clone(),
        }
    }
}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        self.der.zeroize();
    }
}

impl PartialEq for PrivateKey {
    /// The same key in the same form.
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for PrivateKey {}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The forms in which an unencrypted key is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyFormat {
    /// `PRIVATE KEY`: any algorithm.
    #[default]
    Pkcs8,
    /// `RSA PRIVATE KEY`: RSA only.
    Pkcs1,
    /// `EC PRIVATE KEY`: elliptic curves only.
    Sec1,
}

impl KeyFormat {
    /// The label of such a block in PEM.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PRIVATE KEY",
            Self::Pkcs1 => "RSA PRIVATE KEY",
            Self::Sec1 => "EC PRIVATE KEY",
        }
    }
}
