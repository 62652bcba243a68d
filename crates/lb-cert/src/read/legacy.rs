//! Blocks with the encryption of PEM of old (`Proc-Type: 4,ENCRYPTED`), as openssl wrote keys before PKCS#8.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::{FromBer, Header, Tag};

use super::encryption::Scheme;
use super::{Problem, ReadOptions, conversion};

/// Tries the passwords in their order; `encryption` is the value of `DEK-Info`.
pub(super) fn decrypt(
    label: &str,
    encryption: &str,
    data: &[u8],
    options: &ReadOptions<'_>,
) -> Result<Vec<u8>, Problem> {
    let broken = |why: &str| Problem::Broken {
        what: WHAT,
        offset: 0,
        why: why.into(),
    };
    if data.len() > options.limits.encrypted_bytes {
        return Err(Problem::Limit {
            what: "bytes of an encrypted key",
            limit: options.limits.encrypted_bytes as u64,
        });
    }
    if encryption.is_empty() {
        return Err(broken(
            "its header says ENCRYPTED and has no DEK-Info line that says how",
        ));
    }
    let scheme = Scheme::legacy(encryption).map_err(|error| error.problem(WHAT, conversion::legacy(label)))?;
    if !scheme.fits(data.len()) {
        return Err(broken("its encrypted part has a length that its cipher never makes"));
    }
    if options.passwords.is_empty() {
        return Err(Problem::PasswordNeeded { what: WHAT });
    }
    // Perhaps shorter than it says: then it is damaged, which a wrong password could not show.
    let opened = |plain: &[u8]| begins_as_key(plain).then(|| plain.to_vec());
    let mut passwords = options.passwords.iter();
    passwords
        .find_map(|password| scheme.open(password, false, data, opened))
        .ok_or(Problem::WrongPassword {
            what: WHAT,
            tried: options.passwords.len(),
        })
}

/// Whether it begins as keys of every form do: a SEQUENCE, and in it the version, 0 or 1. What follows may be damaged.
fn begins_as_key(plain: &[u8]) -> bool {
    let Ok((content, header)) = Header::from_ber(plain) else {
        return false;
    };
    header.tag() == Tag::Sequence && matches!(content, [0x02, 0x01, 0 | 1, ..])
}

const WHAT: &str = "the private key";
