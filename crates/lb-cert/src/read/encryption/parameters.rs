//! The parameters of PBES2: a key derivation and a cipher, each with its own.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::Any;

use super::cipher::Cipher;
use super::digest::Digest;
use super::{Derivation, NO_PARAMETERS, Scheme, SchemeError, iterations, table};
use crate::read::ber;

/// RFC 8018, appendix A.4: key derivation and cipher.
pub(super) fn pbes2(parts: &[Any<'_>]) -> Result<Scheme, SchemeError> {
    let [derivation, encryption] = parts else {
        return Err(NO_PARAMETERS);
    };
    let (kdf, kdf_parameters) = ber::algorithm(derivation).ok_or(NO_PARAMETERS)?;
    let kdf_parameters = kdf_parameters.as_ref().and_then(ber::sequence).unwrap_or_default();
    let (derivation, key_bytes, derived) = match kdf.as_str() {
        table::PBKDF2 => {
            let (function, salt, iterations, key_bytes, name) = pbkdf2(&kdf_parameters)?;
            (
                Derivation::Pbkdf2 {
                    function,
                    salt,
                    iterations,
                },
                key_bytes,
                name,
            )
        }
        table::SCRYPT => {
            let (derivation, key_bytes) = scrypt(&kdf_parameters)?;
            (derivation, key_bytes, "scrypt")
        }
        other => return Err(SchemeError::Unknown(format!("PBES2 (the key derivation {other})"))),
    };
    let (cipher, vector, tag_bytes) = encryption_of(encryption, key_bytes, derived)?;
    if !cipher.takes(&vector) {
        return Err(SchemeError::Broken(
            "its initialisation vector has another length than its cipher needs",
        ));
    }
    if key_bytes.is_some_and(|bytes| bytes != cipher.key_bytes()) {
        return Err(SchemeError::Broken("its key has another length than its cipher needs"));
    }
    Ok(Scheme {
        derivation,
        cipher,
        vector,
        tag_bytes,
    })
}

pub(super) type Pbkdf2 = (Digest, Vec<u8>, u32, Option<usize>, &'static str);

/// PBKDF2-params, RFC 8018, appendix A.2: salt, iterations, length of the key, function.
pub(super) fn pbkdf2(parameters: &[Any<'_>]) -> Result<Pbkdf2, SchemeError> {
    let [salt, count, rest @ ..] = parameters else {
        return Err(NO_PARAMETERS);
    };
    let salt = ber::octets(salt).ok_or(NO_PARAMETERS)?.into_owned();
    let (key_bytes, function) = match rest {
        [] => (None, None),
        [one] => match ber::number(one) {
            Some(length) => (Some(length), None),
            None => (None, Some(one)),
        },
        [length, function] => (Some(ber::number(length).ok_or(NO_PARAMETERS)?), Some(function)),
        _ => return Err(NO_PARAMETERS),
    };
    // Without a named function it is HMAC-SHA-1.
    let oid = match function {
        Some(function) => ber::algorithm(function).ok_or(NO_PARAMETERS)?.0,
        None => table::HMAC_SHA1.to_owned(),
    };
    let known = table::FUNCTIONS.iter().find(|(known, ..)| *known == oid);
    let (_, name, function) = known.ok_or_else(|| {
        let scheme = format!("PBKDF2 with the function {oid}");
        // The HMACs of SHA-3 (NIST's arc of digests and HMACs) and SM3.
        if oid.starts_with("2.16.840.1.101.3.4.2.") || oid == "1.2.156.10197.1.401.3.1" {
            SchemeError::Foreign(scheme)
        } else {
            SchemeError::Unknown(scheme)
        }
    })?;
    let key_bytes = key_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    Ok((*function, salt, iterations(count)?, key_bytes, name))
}

/// scrypt-params, RFC 7914, section 7.1: salt, N, r, p, length of the key.
fn scrypt(parameters: &[Any<'_>]) -> Result<(Derivation, Option<usize>), SchemeError> {
    let [salt, cost, block, parallel, rest @ ..] = parameters else {
        return Err(NO_PARAMETERS);
    };
    let salt = ber::octets(salt).ok_or(NO_PARAMETERS)?.into_owned();
    let factor = |item| ber::number(item).filter(|number| *number > 0).ok_or(NO_PARAMETERS);
    let (n, r, p) = (factor(cost)?, factor(block)?, factor(parallel)?);
    let work = n.saturating_mul(r).saturating_mul(p);
    let narrow = |number| u32::try_from(number).ok().filter(|number| *number < 1 << 15);
    let parameters = if n.is_power_of_two() && n > 1 {
        let (r, p) = (narrow(r).ok_or(NO_PARAMETERS)?, narrow(p).ok_or(NO_PARAMETERS)?);
        u8::try_from(n.trailing_zeros())
            .ok()
            .and_then(|log| scrypt::Params::new(log, r, p).ok())
    } else {
        None
    };
    let parameters = parameters.ok_or(SchemeError::Broken("its numbers for scrypt make no sense"))?;
    let key_bytes = match rest {
        [] => None,
        [length] => Some(ber::number(length).ok_or(NO_PARAMETERS)?),
        _ => return Err(NO_PARAMETERS),
    };
    let key_bytes = key_bytes.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    Ok((Derivation::Scrypt { salt, parameters, work }, key_bytes))
}

type Encryption = (Cipher, Vec<u8>, usize);

/// Cipher, vector, bytes of the tag.
fn encryption_of(item: &Any<'_>, key_bytes: Option<usize>, derived: &str) -> Result<Encryption, SchemeError> {
    let (oid, parameters) = ber::algorithm(item).ok_or(NO_PARAMETERS)?;
    if oid == table::RC2_CBC {
        let parts = parameters.as_ref().and_then(ber::sequence).ok_or(NO_PARAMETERS)?;
        let (version, vector) = match parts.as_slice() {
            [vector] => (None, vector),
            [version, vector] => (Some(ber::number(version).ok_or(NO_PARAMETERS)?), vector),
            _ => return Err(NO_PARAMETERS),
        };
        // RFC 8018, appendix B.2.3: the common sizes are in disguise.
        let effective_bits = match version {
            None => 32,
            Some(160) => 40,
            Some(120) => 64,
            Some(58) => 128,
            Some(bits @ 256..=1024) => usize::try_from(bits).unwrap_or(256),
            Some(_) => return Err(NO_PARAMETERS),
        };
        let key_bytes = key_bytes.unwrap_or(effective_bits / 8);
        if !(1..=128).contains(&key_bytes) {
            return Err(NO_PARAMETERS);
        }
        let vector = ber::octets(vector).ok_or(NO_PARAMETERS)?.into_owned();
        return Ok((
            Cipher::Rc2 {
                key_bytes,
                effective_bits,
            },
            vector,
            0,
        ));
    }
    if let Some((_, cipher)) = table::CIPHERS.iter().find(|(known, _)| *known == oid) {
        let parameters = parameters.ok_or(NO_PARAMETERS)?;
        if let Some(vector) = ber::octets(&parameters) {
            return Ok((*cipher, vector.into_owned(), 16));
        }
        // GCMParameters, RFC 5084, section 3.2: without a number the tag has 12 bytes.
        let parts = ber::sequence(&parameters).ok_or(NO_PARAMETERS)?;
        let (vector, tag_bytes) = match parts.as_slice() {
            [vector] => (vector, 12),
            [vector, length] => match ber::number(length) {
                Some(12) => (vector, 12),
                Some(16) => (vector, 16),
                _ => return Err(SchemeError::Broken("its GCM has a tag of another length than 12 or 16")),
            },
            _ => return Err(NO_PARAMETERS),
        };
        let vector = ber::octets(vector).ok_or(NO_PARAMETERS)?.into_owned();
        return Ok((*cipher, vector, tag_bytes));
    }
    let name_in = |list: &[(&str, &'static str)]| list.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name);
    Err(
        match (name_in(&table::FOREIGN_CIPHERS), name_in(&table::BOTAN_CIPHERS)) {
            (Some(name), _) => SchemeError::Foreign(format!("PBES2 ({name}, {derived})")),
            (None, Some(name)) => SchemeError::Botan(format!("PBES2 ({name}, {derived})")),
            (None, None) if oid.starts_with(table::BOTAN_ARC) => {
                SchemeError::Botan(format!("PBES2 (botan's cipher {oid}, {derived})"))
            }
            (None, None) => SchemeError::Unknown(format!("PBES2 (the cipher {oid}, {derived})")),
        },
    )
}
