//! Encrypted PKCS#8 keys (RFC 5958, section 3).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::zeroize::Zeroizing;

use super::encryption::{Budget, Scheme};
use super::{Problem, ReadOptions, ber, conversion, shape};
use crate::key::{KeyError, PrivateKey};
use crate::place::Place;

/// Tries the passwords in their order. The scheme is looked at first: what it costs, whether we have it.
pub(super) fn decrypt(
    der: &[u8],
    place: &Place,
    options: &ReadOptions<'_>,
    budget: &mut Budget,
) -> Result<PrivateKey, Problem> {
    let limits = &options.limits;
    if der.len() > limits.encrypted_bytes {
        return Err(Problem::Limit {
            what: "bytes of an encrypted key",
            limit: limits.encrypted_bytes as u64,
        });
    }
    let broken = |why: &str| Problem::Broken {
        what: WHAT,
        offset: 0,
        why: why.into(),
    };
    if let Some((offset, why)) = shape::first_break(der, limits.depth) {
        return Err(Problem::Broken {
            what: WHAT,
            offset,
            why: why.into(),
        });
    }
    let items = ber::sequence_of_whole(der).ok_or_else(|| broken("a field is missing"))?;
    let [algorithm, data] = items.as_slice() else {
        return Err(broken("it is no pair of encryption and octets"));
    };
    let data = ber::octets(data).ok_or_else(|| broken("no octet string"))?;
    let scheme = Scheme::read(algorithm).map_err(|error| error.problem(WHAT, conversion::pkcs8(place)))?;
    if !scheme.fits(data.len()) {
        return Err(broken("its encrypted part has a length that its cipher never makes"));
    }
    budget.spend([scheme.cost()], limits)?;
    if options.passwords.is_empty() {
        return Err(Problem::PasswordNeeded { what: WHAT });
    }
    let mut passwords = options.passwords.iter();
    match passwords.find_map(|password| scheme.open(password, false, &data, opened)) {
        Some(key) => key.map_err(Problem::Key),
        None => Err(Problem::WrongPassword {
            what: WHAT,
            tried: options.passwords.len(),
        }),
    }
}

/// The key that was decrypted; `None` when this is not even the shape of one, so that the password was wrong.
pub(super) fn opened(plain: &[u8]) -> Option<Result<PrivateKey, KeyError>> {
    if shape::recognise(plain) != shape::Shape::Pkcs8 {
        return None;
    }
    Some(PrivateKey::from_der(plain).or_else(|error| {
        // Perhaps it is BER, of which the reader of keys knows nothing.
        let der = ber::whole(plain)
            .and_then(|item| ber::to_der(&item))
            .map(Zeroizing::new);
        match der {
            Some(der) if der.as_slice() != plain => PrivateKey::from_der(&der),
            _ => Err(error),
        }
    }))
}

const WHAT: &str = "the encrypted private key";
