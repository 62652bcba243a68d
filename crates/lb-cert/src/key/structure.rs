//! The structure of private keys, read to the end by the `der` crate.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::{KeyAlgorithm, KeyError, KeyFormat};

/// Form and algorithm of the key in `der`, whose structure is whole.
pub(super) fn read(der: &[u8]) -> Result<(KeyFormat, KeyAlgorithm), KeyError> {
    let items = items_of_whole(der)?;
    let mut tags = [Tag::Null; 4];
    for (tag, item) in tags.iter_mut().zip(&items) {
        *tag = item.tag();
    }
    match tags {
        [Tag::Integer, Tag::Sequence, Tag::OctetString, ..] => Ok((KeyFormat::Pkcs8, pkcs8(der, &items)?)),
        [Tag::Integer, Tag::OctetString, ..] => Ok((KeyFormat::Sec1, sec1(der, &items, None)?)),
        [Tag::Sequence, Tag::OctetString, ..] => Err(KeyError::Encrypted),
        [Tag::Integer, Tag::Integer, Tag::Integer, ..] if items.len() > 6 => {
            let bits = pkcs1(der, &items)?;
            Ok((KeyFormat::Pkcs1, KeyAlgorithm::Rsa { bits }))
        }
        _ => Err(KeyError::Unrecognised),
    }
}

/// PKCS#8, RFC 5958, section 2: version, algorithm, key, attributes [0], public key [1].
fn pkcs8(whole: &[u8], items: &[AnyRef<'_>]) -> Result<KeyAlgorithm, KeyError> {
    let [version, algorithm, key, rest @ ..] = items else {
        return Err(KeyError::Unrecognised);
    };
    let version = small(*version).filter(|version| *version <= 1);
    let version = version.ok_or_else(|| broken(whole, items, 0, "its version is neither 0 nor 1"))?;
    for (index, item) in rest.iter().enumerate() {
        let fits = match item.tag() {
            Tag::ContextSpecific {
                number: TagNumber(0),
                constructed: true,
            } => index == 0,
            Tag::ContextSpecific {
                number: TagNumber(1), ..
            } => version == 1,
            _ => false,
        };
        if !fits {
            return Err(broken(
                whole,
                items,
                index.saturating_add(3),
                "an element that no PKCS#8 key has",
            ));
        }
    }
    let content = key.value();
    let (oid, parameters) =
        algorithm_parts(*algorithm).map_err(|()| broken(whole, items, 1, "the algorithm is not well-formed"))?;
    let inner = |error: KeyError| match error {
        KeyError::Broken { what, offset } => KeyError::Broken {
            what,
            offset: offset.saturating_add(offset_in(whole, content)),
        },
        KeyError::Trailing { end, extra } => KeyError::Trailing {
            end: end.saturating_add(offset_in(whole, content)),
            extra,
        },
        other => other,
    };
    match oid {
        RSA | RSA_PSS => {
            let bits = items_of_whole(content)
                .and_then(|items| pkcs1(content, &items))
                .map_err(inner)?;
            Ok(if oid == RSA {
                KeyAlgorithm::Rsa { bits }
            } else {
                KeyAlgorithm::RsaPss { bits }
            })
        }
        EC => {
            let parameters = parameters.ok_or(KeyError::NoCurve)?;
            items_of_whole(content)
                .and_then(|items| sec1(content, &items, Some(parameters)))
                .map_err(inner)
        }
        ED25519 => {
            let seed = <&der::asn1::OctetStringRef>::from_der(content)
                .map_err(|_| broken(whole, items, 2, "an Ed25519 key is an octet string inside another"))?;
            if seed.as_bytes().len() != 32 {
                return Err(broken(whole, items, 2, "an Ed25519 key has 32 bytes"));
            }
            Ok(KeyAlgorithm::Ed25519)
        }
        other => Ok(KeyAlgorithm::Other(name_of(other))),
    }
}

/// PKCS#1, RFC 8017, appendix A.1.2: version and eight numbers. The answer is the bits of the modulus.
fn pkcs1(whole: &[u8], items: &[AnyRef<'_>]) -> Result<u32, KeyError> {
    let version = items.first().and_then(|item| small(*item));
    match version {
        Some(0) => {}
        Some(1) => return Err(KeyError::MultiPrime),
        _ => return Err(broken(whole, items, 0, "its version is not 0")),
    }
    if items.len() != 9 {
        return Err(broken(
            whole,
            items,
            items.len().saturating_sub(1),
            "an RSA key is a version and eight numbers",
        ));
    }
    let mut bits = [0u32; 9];
    for (index, (item, bits)) in items.iter().zip(bits.iter_mut()).enumerate().skip(1) {
        *bits = positive_bits(*item).ok_or_else(|| broken(whole, items, index, "a number that is not positive"))?;
    }
    let [_, n, e, d, p, q, dp, dq, qi] = bits;
    // n = p * q, so their sizes add up; an exponent is below what it is reduced by.
    let sum = p.saturating_add(q);
    if n != sum && n.saturating_add(1) != sum {
        return Err(broken(whole, items, 1, "the sizes of modulus and primes do not fit"));
    }
    if e < 2 || e > n || d > n || dp > p || dq > q || qi > p {
        return Err(broken(whole, items, 2, "the sizes of modulus and exponents do not fit"));
    }
    Ok(n)
}

/// SEC1, RFC 5915: version 1, the scalar, curve [0], public point [1].
fn sec1(whole: &[u8], items: &[AnyRef<'_>], outer: Option<AnyRef<'_>>) -> Result<KeyAlgorithm, KeyError> {
    let [version, scalar, rest @ ..] = items else {
        return Err(KeyError::Unrecognised);
    };
    if small(*version) != Some(1) {
        return Err(broken(whole, items, 0, "the version of a SEC1 key is 1"));
    }
    let (mut own, mut point) = (None, None);
    for (index, item) in rest.iter().enumerate() {
        let index = index.saturating_add(2);
        match item.tag() {
            Tag::ContextSpecific {
                number: TagNumber(0),
                constructed: true,
            } if own.is_none() && point.is_none() => {
                own = Some(
                    AnyRef::from_der(item.value())
                        .map_err(|_| broken(whole, items, index, "the curve is not well-formed"))?,
                );
            }
            Tag::ContextSpecific {
                number: TagNumber(1),
                constructed: true,
            } if point.is_none() => {
                let bits = BitStringRef::from_der(item.value())
                    .ok()
                    .and_then(|bits| bits.as_bytes());
                point = Some((
                    index,
                    bits.ok_or_else(|| broken(whole, items, index, "the public point is not well-formed"))?,
                ));
            }
            _ => return Err(broken(whole, items, index, "an element that no SEC1 key has")),
        }
    }
    if let (Some(own), Some(outer)) = (own, outer)
        && (own.tag(), own.value()) != (outer.tag(), outer.value())
    {
        return Err(broken(
            whole,
            items,
            2,
            "the curve inside differs from the curve outside",
        ));
    }
    let curve = outer.or(own).ok_or(KeyError::NoCurve)?;
    if curve.tag() != Tag::ObjectIdentifier {
        return Ok(KeyAlgorithm::Other("EC with explicit parameters".into()));
    }
    let oid: ObjectIdentifier = curve
        .decode_as()
        .map_err(|_| broken(whole, items, 2, "the curve is not well-formed"))?;
    let (bytes, algorithm) = match oid {
        P256 => (32, KeyAlgorithm::EcP256),
        P384 => (48, KeyAlgorithm::EcP384),
        P521 => (66, KeyAlgorithm::EcP521),
        other => return Ok(KeyAlgorithm::Other(name_of(other))),
    };
    // Old programs left out leading zeros.
    if scalar.value().is_empty() || scalar.value().len() > bytes {
        return Err(broken(whole, items, 1, "the scalar has not the size of the curve"));
    }
    if let Some((index, point)) = point {
        let whole_point = bytes.saturating_mul(2).saturating_add(1);
        let fits = match point.first() {
            Some(4) => point.len() == whole_point,
            Some(2 | 3) => point.len() == bytes.saturating_add(1),
            _ => false,
        };
        if !fits {
            return Err(broken(
                whole,
                items,
                index,
                "the public point has not the size of the curve",
            ));
        }
    }
    Ok(algorithm)
}

/// The elements of the one sequence that `der` is.
pub(super) fn items_of_whole(der: &[u8]) -> Result<Vec<AnyRef<'_>>, KeyError> {
    let mut reader = SliceReader::new(der).map_err(|error| der_error(error, 0))?;
    let sequence: AnyRef<'_> = reader.decode().map_err(|error| der_error(error, 0))?;
    if sequence.tag() != Tag::Sequence {
        return Err(KeyError::Unrecognised);
    }
    if !reader.is_finished() {
        let end = usize::try_from(u32::from(reader.position())).unwrap_or(0);
        return Err(KeyError::Trailing {
            end,
            extra: der.len().saturating_sub(end),
        });
    }
    items(sequence.value()).map_err(|error| der_error(error, offset_in(der, sequence.value())))
}

/// The elements inside a constructed value; at most [`MAX_ITEMS`].
pub(super) fn items(content: &[u8]) -> Result<Vec<AnyRef<'_>>, der::Error> {
    let mut reader = SliceReader::new(content)?;
    let mut items = Vec::with_capacity(9);
    while !reader.is_finished() {
        if items.len() == MAX_ITEMS {
            return Err(Tag::Sequence.length_error().into());
        }
        items.push(reader.decode::<AnyRef<'_>>()?);
    }
    Ok(items)
}

/// Identifier and parameters of an AlgorithmIdentifier.
pub(super) fn algorithm_parts(algorithm: AnyRef<'_>) -> Result<(ObjectIdentifier, Option<AnyRef<'_>>), ()> {
    let items = items(algorithm.value()).map_err(|_| ())?;
    let (first, parameters) = match items.as_slice() {
        [first] => (first, None),
        [first, parameters] => (first, Some(*parameters)),
        _ => return Err(()),
    };
    Ok((first.decode_as().map_err(|_| ())?, parameters))
}

/// A small number that is not negative.
fn small(item: AnyRef<'_>) -> Option<u8> {
    match (item.tag(), item.value()) {
        (Tag::Integer, [value]) if *value < 0x80 => Some(*value),
        _ => None,
    }
}

/// How many bits a positive integer has.
fn positive_bits(item: AnyRef<'_>) -> Option<u32> {
    if item.tag() != Tag::Integer {
        return None;
    }
    let bytes = match item.value() {
        [0, rest @ ..] => rest,
        [first, ..] if *first >= 0x80 => return None,
        bytes => bytes,
    };
    let first = bytes.first()?;
    let bits = u32::try_from(bytes.len()).ok()?.checked_mul(8)?;
    bits.checked_sub(first.leading_zeros())
}

/// The common name of an algorithm or curve that we name but do not use.
fn name_of(oid: ObjectIdentifier) -> Box<str> {
    NAMES
        .iter()
        .find(|(known, _)| *known == oid)
        .map_or_else(|| oid.to_string().into(), |(_, name)| (*name).into())
}

fn broken(whole: &[u8], items: &[AnyRef<'_>], index: usize, what: &'static str) -> KeyError {
    let offset = items.get(index).map_or(0, |item| offset_in(whole, item.value()));
    KeyError::Broken { what, offset }
}

fn der_error(error: der::Error, base: usize) -> KeyError {
    let offset = error
        .position()
        .map_or(0, |position| usize::try_from(u32::from(position)).unwrap_or(0));
    KeyError::Broken {
        what: "a length or tag is wrong",
        offset: offset.saturating_add(base),
    }
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset_in(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize)
        .saturating_sub(whole.as_ptr() as usize)
        .min(whole.len())
}

/// No key has more; RSA has nine.
const MAX_ITEMS: usize = 16;

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

const NAMES: [(ObjectIdentifier, &str); 12] = [
    (ObjectIdentifier::new_unwrap("1.3.101.110"), "X25519"),
    (ObjectIdentifier::new_unwrap("1.3.101.111"), "X448"),
    (ObjectIdentifier::new_unwrap("1.3.101.113"), "Ed448"),
    (ObjectIdentifier::new_unwrap("1.2.840.10040.4.1"), "DSA"),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.3.1"), "DH"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.10"), "EC secp256k1"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.33"), "EC P-224"),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.1"), "EC P-192"),
    (
        ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7"),
        "EC brainpoolP256r1",
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11"),
        "EC brainpoolP384r1",
    ),
    (
        ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.13"),
        "EC brainpoolP512r1",
    ),
    (ObjectIdentifier::new_unwrap("1.2.156.10197.1.301"), "SM2"),
];
