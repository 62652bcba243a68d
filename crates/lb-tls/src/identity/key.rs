//! Which keys can be served.

use super::{KeyKind, LoadError};
use crate::Engine;
use lb_cert::bundle::{public_key, unknown_reason};
use lb_cert::{Found, KeyAlgorithm, PrivateKey};

/// Refuses what cannot be served, for its true reason and before a library finds one that is not.
pub(super) fn check_key(found: &Found<PrivateKey>) -> Result<(), LoadError> {
    let algorithm = found.value.algorithm();
    let why = match algorithm {
        KeyAlgorithm::Rsa { bits } if *bits < 2048 => {
            format!(
                "{bits} bits can be broken, and clients refuse what is below 2048 (CA/Browser Forum, section 6.1.5)"
            )
        }
        KeyAlgorithm::Rsa { bits } if *bits > 8192 => {
            format!("{bits} bits are more than the 8192 that the cryptography in use and most clients compute with")
        }
        KeyAlgorithm::RsaPss { .. } => {
            "it may only be used with PSS, and rustls signs with plain RSA keys only (it uses \
                                        PSS with those); OpenSSL would serve it, browsers do not take it"
                .to_owned()
        }
        KeyAlgorithm::Dsa { .. } => "TLS 1.3 has no DSA, and clients dropped it with TLS 1.2".to_owned(),
        KeyAlgorithm::OtherCurve(name) => {
            format!("no browser takes the curve {name}, and rustls has only P-256, P-384 and P-521")
        }
        KeyAlgorithm::Ed448 => "rustls does not sign with Ed448, and browsers do not take it".to_owned(),
        other if other.is_usable() => return Ok(()),
        _ => UNKNOWN.to_owned(),
    };
    Err(LoadError::UnusableKey {
        place: found.place.clone(),
        algorithm: algorithm.to_string(),
        why,
    })
}

pub(super) fn public_half(found: &Found<PrivateKey>, engine: &Engine) -> Result<Vec<u8>, LoadError> {
    public_key(&found.value, engine.crypto()).ok_or_else(|| LoadError::UnusableKey {
        place: found.place.clone(),
        algorithm: found.value.algorithm().to_string(),
        why: unknown_reason(&found.value, engine.crypto()).to_owned(),
    })
}

pub(super) fn kind(algorithm: &KeyAlgorithm) -> Option<KeyKind> {
    Some(match algorithm {
        KeyAlgorithm::Rsa { bits } => KeyKind::Rsa(*bits),
        KeyAlgorithm::EcP256 => KeyKind::P256,
        KeyAlgorithm::EcP384 => KeyKind::P384,
        KeyAlgorithm::EcP521 => KeyKind::P521,
        KeyAlgorithm::Ed25519 => KeyKind::Ed25519,
        _ => return None,
    })
}

pub(super) const UNKNOWN: &str = "no TLS server by rustls signs with such a key";
