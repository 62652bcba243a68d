//! The integrity check of PKCS#12: MacData (RFC 7292, section 4) and PBMAC1 (RFC 9579).

use asn1_rs::{Any, Tag};

use super::digest::{Digest, Use};
use super::parameters::pbkdf2;
use super::{Cost, SchemeError, iterations, password, table};
use crate::read::{Password, ber};

/// What must be computed, and what must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mac {
    digest: Digest,
    derivation: Derivation,
    expected: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Derivation {
    Pkcs12 {
        salt: Vec<u8>,
        iterations: u32,
    },
    Pbkdf2 {
        function: Digest,
        salt: Vec<u8>,
        iterations: u32,
        key_bytes: usize,
    },
}

impl Mac {
    /// MacData: DigestInfo, salt, iterations (1 when absent).
    pub(crate) fn read(item: &Any<'_>) -> Result<Self, SchemeError> {
        let items = ber::sequence(item).ok_or(NO_MAC)?;
        let [info, salt, rest @ ..] = items.as_slice() else {
            return Err(NO_MAC);
        };
        let info = ber::sequence(info).ok_or(NO_MAC)?;
        let [algorithm, expected] = info.as_slice() else {
            return Err(NO_MAC);
        };
        let expected = ber::octets(expected).ok_or(NO_MAC)?.into_owned();
        let (oid, parameters) = ber::algorithm(algorithm).ok_or(NO_MAC)?;
        let (digest, derivation) = if oid == table::PBMAC1 {
            pbmac1(&parameters.ok_or(NO_MAC)?)?
        } else {
            let known = table::DIGESTS.iter().find(|(known, _)| *known == oid);
            let (_, digest) = known.ok_or_else(|| foreign(&oid))?;
            no_parameters(parameters.as_ref())?;
            let iterations = match rest {
                [] => 1,
                [count] => iterations(count)?,
                _ => return Err(NO_MAC),
            };
            let salt = ber::octets(salt).ok_or(NO_MAC)?.into_owned();
            (*digest, Derivation::Pkcs12 { salt, iterations })
        };
        if expected.len() != digest.bytes() {
            return Err(SchemeError::Broken(
                "its integrity check has not the length of its digest",
            ));
        }
        Ok(Self {
            digest,
            derivation,
            expected,
        })
    }

    pub(crate) fn cost(&self) -> Cost {
        let (Derivation::Pkcs12 { iterations, .. } | Derivation::Pbkdf2 { iterations, .. }) = &self.derivation;
        Cost::Iterations(u64::from(*iterations))
    }

    /// What must come out.
    pub(crate) fn expected(&self) -> &[u8] {
        &self.expected
    }

    /// What comes out with this password, in its right spelling. Only what is written here: SHA-256 with the derivation of
    /// PKCS#12.
    pub(crate) fn made_with(&self, password: &Password, content: &[u8]) -> Option<Vec<u8>> {
        let Derivation::Pkcs12 { salt, iterations } = &self.derivation else {
            return None;
        };
        let spelling = password::wide(password).into_iter().next()?;
        let length = self.digest.bytes();
        let key = self.digest.pkcs12(&spelling, salt, *iterations, Use::Mac, length);
        self.digest.hmac_sha256(&key, content)
    }

    /// Whether `content` was written with this password, in any spelling, and not changed since.
    pub(crate) fn proves(&self, password: &Password, content: &[u8]) -> bool {
        let length = self.digest.bytes();
        match &self.derivation {
            Derivation::Pkcs12 { salt, iterations } => password::wide(password).iter().any(|spelling| {
                let key = self.digest.pkcs12(spelling, salt, *iterations, Use::Mac, length);
                self.digest.hmac_fits(&key, content, &self.expected)
            }),
            Derivation::Pbkdf2 {
                function,
                salt,
                iterations,
                key_bytes,
            } => password::narrow(password, true).iter().any(|spelling| {
                let key = function.pbkdf2(spelling, salt, *iterations, *key_bytes);
                self.digest.hmac_fits(&key, content, &self.expected)
            }),
        }
    }
}

/// PBMAC1-params, RFC 8018, appendix A.5: derivation and HMAC.
fn pbmac1(parameters: &Any<'_>) -> Result<(Digest, Derivation), SchemeError> {
    let parts = ber::sequence(parameters).ok_or(NO_MAC)?;
    let [derivation, scheme] = parts.as_slice() else {
        return Err(NO_MAC);
    };
    let (kdf, kdf_parameters) = ber::algorithm(derivation).ok_or(NO_MAC)?;
    if kdf != table::PBKDF2 {
        return Err(SchemeError::Unknown(format!("PBMAC1 with the key derivation {kdf}")));
    }
    let kdf_parameters = kdf_parameters.as_ref().and_then(ber::sequence).ok_or(NO_MAC)?;
    let (function, salt, iterations, key_bytes, _) = pbkdf2(&kdf_parameters)?;
    let (oid, parameters) = ber::algorithm(scheme).ok_or(NO_MAC)?;
    no_parameters(parameters.as_ref())?;
    let known = table::FUNCTIONS.iter().find(|(known, ..)| *known == oid);
    let (_, _, digest) = known.ok_or_else(|| SchemeError::Unknown(format!("PBMAC1 with the MAC {oid}")))?;
    // RFC 9579, section 4 demands the length; below 20 bytes a key is to be refused.
    let key_bytes = key_bytes
        .filter(|bytes| (20..=LONGEST_KEY).contains(bytes))
        .ok_or(SchemeError::Broken(
            "its PBMAC1 names no length of a key from 20 to 128 bytes",
        ))?;
    let derivation = Derivation::Pbkdf2 {
        function,
        salt,
        iterations,
        key_bytes,
    };
    Ok((*digest, derivation))
}

/// A digest has no parameters or NULL; the MAC does not protect them.
fn no_parameters(parameters: Option<&Any<'_>>) -> Result<(), SchemeError> {
    match parameters {
        None => Ok(()),
        Some(null) if null.header.is_universal() && null.header.tag() == Tag::Null && null.data.is_empty() => Ok(()),
        Some(_) => Err(NO_MAC),
    }
}

fn foreign(oid: &str) -> SchemeError {
    match table::FOREIGN_DIGESTS.iter().find(|(known, _)| *known == oid) {
        Some((_, name)) => SchemeError::Foreign(format!("a MAC with {name}")),
        None => SchemeError::Unknown(format!("a MAC with the digest {oid}")),
    }
}

const NO_MAC: SchemeError = SchemeError::Broken("its integrity check is not well-formed");
/// The block of SHA-512: a longer key is hashed by HMAC anyway.
const LONGEST_KEY: usize = 128;
