//! Encrypted PKCS#8 keys (RFC 5958, section 3): PBES2 and scrypt, by the `pkcs8` crate.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use pkcs8::EncryptedPrivateKeyInfoRef;

use super::PrivateKey;
use super::structure::items_of_whole;
use crate::Place;
use crate::read::{Problem, ReadOptions, Scheme};

/// Tries the passwords in their order. The scheme is looked at first: what it costs, whether we have it.
pub(crate) fn decrypt(der: &[u8], place: &Place, options: &ReadOptions<'_>) -> Result<PrivateKey, Problem> {
    let limits = &options.limits;
    if der.len() > limits.encrypted_bytes {
        return Err(Problem::Limit {
            what: "bytes of an encrypted key",
            limit: limits.encrypted_bytes as u64,
        });
    }
    let items = items_of_whole(der).map_err(Problem::Key)?;
    let broken = || Problem::Broken {
        what: WHAT,
        offset: 0,
        why: "its encryption parameters make no sense".into(),
    };
    let scheme = items
        .first()
        .and_then(|algorithm| Scheme::read(algorithm.value()))
        .ok_or_else(broken)?;
    if !scheme.in_keys {
        return Err(Problem::Scheme {
            what: WHAT,
            scheme: scheme.name,
            // What stands in base64 without armour is minded where the file is named.
            command: if place.line.is_some() { COMMAND } else { DER_COMMAND },
        });
    }
    scheme.iterations(limits)?;
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| broken())?;
    if options.passwords.is_empty() {
        return Err(Problem::PasswordNeeded { what: WHAT });
    }
    for password in options.passwords {
        let Ok(opened) = info.decrypt(password.reveal()) else {
            continue;
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

const WHAT: &str = "the encrypted private key";
const COMMAND: &str = "openssl pkcs8 -provider legacy -provider default -in FILE -out out.pem";
const DER_COMMAND: &str = "openssl pkcs8 -provider legacy -provider default -inform DER -in FILE -out out.pem";
