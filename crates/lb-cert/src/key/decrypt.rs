//! Encrypted PKCS#8 keys (RFC 5958, section 3): PBES2 and scrypt, by the `pkcs8` crate.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;

use super::PrivateKey;
use crate::read::{Problem, ReadOptions};

const WHAT: &str = "the private key";

/// Tries the passwords in their order.
pub(crate) fn decrypt(der: &[u8], options: &ReadOptions<'_>) -> Result<PrivateKey, Problem> {
    let limits = &options.limits;
    if der.len() > limits.encrypted_bytes {
        return Err(Problem::Limit {
            what: "bytes of an encrypted key",
            limit: limits.encrypted_bytes as u64,
        });
    }
    let info = match EncryptedPrivateKeyInfoRef::try_from(der) {
        Ok(info) => info,
        Err(_) => return Err(undecodable(der)),
    };
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(unsupported("PBES1".into()));
    };
    let work = match &parameters.kdf {
        Kdf::Pbkdf2(kdf) => u64::from(kdf.iteration_count),
        Kdf::Scrypt(kdf) => kdf
            .cost_parameter
            .saturating_mul(u64::from(kdf.block_size))
            .saturating_mul(u64::from(kdf.parallelization)),
        _ => return Err(unsupported("an unknown key derivation".into())),
    };
    if work > u64::from(limits.iterations) {
        return Err(Problem::Limit {
            what: "iterations",
            limit: u64::from(limits.iterations),
        });
    }
    if options.passwords.is_empty() {
        return Err(Problem::PasswordNeeded { what: WHAT });
    }
    for password in options.passwords {
        let opened = match info.decrypt(password.reveal()) {
            Ok(opened) => opened,
            Err(pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { oid })) => {
                return Err(unsupported(format!("the algorithm {oid}")));
            }
            Err(_) => continue,
        };
        // A wrong password passes the padding once in 256 times; the structure tells.
        if let Ok(key) = PrivateKey::from_der(opened.as_bytes()) {
            return Ok(key);
        }
    }
    Err(Problem::WrongPassword {
        what: WHAT,
        tried: options.passwords.len(),
    })
}

fn undecodable(_der: &[u8]) -> Problem {
    unsupported("an encryption that is not PBES2".into())
}

fn unsupported(scheme: String) -> Problem {
    Problem::Scheme {
        what: WHAT,
        scheme,
        command: "openssl pkcs8 -topk8 -v2 aes256 -in FILE -out new.key",
    }
}
