//! PKCS#12 (RFC 7292), decrypted by `p12-keystore`.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use rustls_pki_types::CertificateDer;

use super::{Contents, Problem, ReadError, ReadOptions, shape, structure};
use crate::{Place, PrivateKey};

const WHAT: &str = "the PKCS#12";

pub(super) fn read(
    contents: &mut Contents,
    bytes: &[u8],
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    let limits = &options.limits;
    let whole = shape::one(bytes, WHAT).map_err(at)?;
    if whole.len() > limits.encrypted_bytes {
        return Err(at(Problem::Limit {
            what: "bytes of a PKCS#12",
            limit: limits.encrypted_bytes as u64,
        }));
    }
    let archive = open(whole, options).map_err(at)?;
    let mut block = 0u32;
    let mut next = || {
        block = block.saturating_add(1);
        Place { block, ..place.clone() }
    };
    for bag in archive.certs {
        let place = next();
        let der = bag.cert.as_der();
        structure::certificate(der, limits.depth).map_err(|problem| ReadError {
            place: place.clone(),
            problem,
        })?;
        contents.add_certificate(CertificateDer::from(der.to_vec()), &place, limits)?;
    }
    for bag in archive.keys {
        let place = next();
        let key = PrivateKey::from_der(bag.key.as_der()).map_err(|error| ReadError {
            place: place.clone(),
            problem: error.into(),
        })?;
        contents.add_key(key, &place);
    }
    if contents.is_empty() {
        return Err(at(Problem::NothingOfUse {
            found: "a PKCS#12 without certificates and keys".into(),
        }));
    }
    Ok(())
}

fn open(whole: &[u8], options: &ReadOptions<'_>) -> Result<Pkcs12Archive, Problem> {
    let given = options.passwords.iter().map(|password| password.reveal());
    for password in given.chain([""]) {
        match Pkcs12Archive::from_pkcs12(whole, password) {
            Ok(archive) => return Ok(archive),
            Err(Error::UnsupportedEncryptionScheme) => {
                return Err(Problem::Scheme {
                    what: WHAT,
                    scheme: "an old encryption".into(),
                    command: "openssl pkcs12 -legacy -in FILE -nodes -out plain.pem",
                });
            }
            Err(_) => {}
        }
    }
    if options.passwords.is_empty() {
        return Err(Problem::PasswordNeeded { what: WHAT });
    }
    Err(Problem::WrongPassword {
        what: WHAT,
        tried: options.passwords.len(),
    })
}
