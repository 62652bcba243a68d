//! The structure of private keys, read to the end by the `der` crate.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::asn1::{AnyRef, ObjectIdentifier};
use der::zeroize::Zeroizing;
use der::{Reader, SliceReader, Tag, TagNumber, Tagged};

use super::ec::EcKey;
use super::{KeyAlgorithm, KeyError, KeyFormat, Oddity, convert, dsa, octets};
use crate::kind;

/// A key whose structure is whole.
pub(super) struct Structure {
    pub(super) format: KeyFormat,
    pub(super) algorithm: KeyAlgorithm,
    pub(super) oddities: Vec<Oddity>,
    /// The key in its normal form, where it stood in another.
    pub(super) normal: Option<Zeroizing<Vec<u8>>>,
    /// The public part, where the normal form has no place for it.
    pub(super) public: Option<Vec<u8>>,
}

impl Structure {
    fn new(format: KeyFormat, algorithm: KeyAlgorithm) -> Self {
        Self {
            format,
            algorithm,
            oddities: Vec::new(),
            normal: None,
            public: None,
        }
    }
}

/// Form and algorithm of the key in `der`, whose structure is whole.
pub(super) fn read(der: &[u8]) -> Result<Structure, KeyError> {
    let items = items_of_whole(der)?;
    let mut tags = [Tag::Null; 4];
    for (tag, item) in tags.iter_mut().zip(&items) {
        *tag = item.tag();
    }
    match tags {
        [Tag::Integer, Tag::Sequence, Tag::OctetString, ..] => pkcs8(der, &items),
        [Tag::Integer, Tag::OctetString, ..] => {
            let key = EcKey::read(der, None)?;
            Ok(Structure {
                normal: key.normal(true),
                oddities: key.oddities,
                ..Structure::new(KeyFormat::Sec1, key.algorithm)
            })
        }
        [Tag::Sequence, Tag::OctetString, ..] => Err(KeyError::Encrypted),
        [Tag::Integer, Tag::Integer, Tag::Integer, ..] if items.len() == dsa::NUMBERS => dsa::read(der, &items),
        [Tag::Integer, Tag::Integer, Tag::Integer, ..] if items.len() > dsa::NUMBERS => {
            let bits = pkcs1(der, &items)?;
            Ok(Structure::new(KeyFormat::Pkcs1, KeyAlgorithm::Rsa { bits }))
        }
        _ => Err(KeyError::Unrecognised),
    }
}

/// PKCS#8, RFC 5958, section 2: version, algorithm, key, attributes [0], public key [1].
fn pkcs8(whole: &[u8], items: &[AnyRef<'_>]) -> Result<Structure, KeyError> {
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
    let inner = |error: KeyError| error.moved(offset_in(whole, content));
    match oid {
        RSA | RSA_PSS => {
            let bits = items_of_whole(content)
                .and_then(|items| pkcs1(content, &items))
                .map_err(inner)?;
            Ok(Structure::new(
                KeyFormat::Pkcs8,
                if oid == RSA {
                    KeyAlgorithm::Rsa { bits }
                } else {
                    KeyAlgorithm::RsaPss { bits }
                },
            ))
        }
        EC => {
            let key = EcKey::read(content, parameters).map_err(inner)?;
            let normal = convert::normal_pkcs8(items, parameters, &key);
            Ok(Structure {
                normal,
                oddities: key.oddities,
                ..Structure::new(KeyFormat::Pkcs8, key.algorithm)
            })
        }
        DSA => {
            let bits = dsa::read_inside(content, parameters)
                .ok_or_else(|| broken(whole, items, 2, "the numbers of a DSA key do not fit together"))?;
            Ok(Structure::new(KeyFormat::Pkcs8, KeyAlgorithm::Dsa { bits }))
        }
        other => {
            let Some(name) = kind::name_of(other.as_bytes()) else {
                let words = format!("unknown kind {other}");
                return Ok(Structure::new(KeyFormat::Pkcs8, KeyAlgorithm::Unknown(words.into())));
            };
            if octets::fits(name, content) == Some(false) {
                return Err(broken(whole, items, 2, wrong_octets(name)));
            }
            let algorithm = match name {
                "Ed25519" => KeyAlgorithm::Ed25519,
                "Ed448" => KeyAlgorithm::Ed448,
                name => KeyAlgorithm::Other(name),
            };
            let mut found = Structure::new(KeyFormat::Pkcs8, algorithm);
            if convert::has_wrapped_public(items) {
                found.public = convert::stated_spki(whole);
                found.normal = Some(Zeroizing::new(convert::bare_pkcs8(whole)));
            }
            Ok(found)
        }
    }
}

fn wrong_octets(name: &str) -> &'static str {
    match name {
        "Ed25519" => "an Ed25519 key is an octet string of 32 bytes inside another",
        "Ed448" => "an Ed448 key is an octet string of 57 bytes inside another",
        "X25519" => "an X25519 key is an octet string of 32 bytes inside another",
        "X448" => "an X448 key is an octet string of 56 bytes inside another",
        _ => "the private part has none of the lengths that such a key has",
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
    if n > LARGEST_MODULUS {
        return Err(broken(
            whole,
            items,
            1,
            "a modulus of more than 65,536 bits, which no program makes",
        ));
    }
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
pub(super) fn small(item: AnyRef<'_>) -> Option<u8> {
    match (item.tag(), item.value()) {
        (Tag::Integer, [value]) if *value < 0x80 => Some(*value),
        _ => None,
    }
}

/// How many bits a positive integer has.
pub(super) fn positive_bits(item: AnyRef<'_>) -> Option<u32> {
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

/// Of the item at `index` of a structure.
pub(super) fn broken(whole: &[u8], items: &[AnyRef<'_>], index: usize, what: &'static str) -> KeyError {
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

/// Four times what OpenSSL computes with; longer numbers would take long to check.
const LARGEST_MODULUS: u32 = 65_536;
/// No key has more; RSA has nine.
const MAX_ITEMS: usize = 16;

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
