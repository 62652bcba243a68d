//! One form of a key to another. The structure was read before, so nothing here can fail on what was accepted.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef};
use der::{Any, Decode, Encode, Tag, TagNumber, Tagged};

use super::structure::{EC, ED25519, RSA, RSA_PSS, algorithm_parts, items_of_whole};

/// RFC 8017, appendix A.1 and RFC 5958: the RSA key as the octets of a PKCS#8 key.
pub(super) fn pkcs1_to_pkcs8(key: &[u8]) -> Vec<u8> {
    pkcs8(&algorithm(RSA, &NULL), key)
}

/// RFC 5915, section 3: the curve moves from the key to the algorithm.
pub(super) fn sec1_to_pkcs8(key: &[u8]) -> Vec<u8> {
    let items = items_of_whole(key).unwrap_or_default();
    let mut curve = Vec::new();
    let mut kept = Vec::new();
    for item in items {
        if item.tag() == context_0() {
            curve = item.value().to_vec();
        } else {
            kept.extend(encoded(item));
        }
    }
    pkcs8(&algorithm(EC, &curve), &constructed(Tag::Sequence, &kept))
}

/// RFC 5958: the attributes are [0], a public key is [1].
pub(super) fn without_attributes(key: &[u8]) -> Vec<u8> {
    let items = items_of_whole(key).unwrap_or_default();
    if items.iter().all(|item| item.tag() != context_0()) {
        return key.to_vec();
    }
    let kept: Vec<u8> = items
        .into_iter()
        .filter(|item| item.tag() != context_0())
        .flat_map(encoded)
        .collect();
    constructed(Tag::Sequence, &kept)
}

pub(super) fn pkcs8_to_pkcs1(key: &[u8]) -> Option<Vec<u8>> {
    Some(items_of_whole(key).ok()?.get(2)?.value().to_vec())
}

/// The curve moves from the algorithm into the key, where openssl writes it too.
pub(super) fn pkcs8_to_sec1(key: &[u8]) -> Option<Vec<u8>> {
    let items = items_of_whole(key).ok()?;
    let (_, curve) = algorithm_parts(*items.get(1)?).ok()?;
    let inner = items_of_whole(items.get(2)?.value()).ok()?;
    let mut content = Vec::new();
    for item in inner.iter().take(2) {
        content.extend(encoded(*item));
    }
    content.extend(constructed(context_0(), &encoded(curve?)));
    for item in inner.iter().skip(2).filter(|item| item.tag() != context_0()) {
        content.extend(encoded(*item));
    }
    Some(constructed(Tag::Sequence, &content))
}

/// SubjectPublicKeyInfo (RFC 5280, section 4.1) of what a PKCS#8 key says of its public part.
pub(super) fn stated_spki(key: &[u8]) -> Option<Vec<u8>> {
    let items = items_of_whole(key).ok()?;
    let algorithm = *items.get(1)?;
    let (oid, _) = algorithm_parts(algorithm).ok()?;
    let point;
    let bits: &[u8] = match oid {
        RSA | RSA_PSS => {
            let numbers = items_of_whole(items.get(2)?.value()).ok()?;
            let mut content = encoded(*numbers.get(1)?);
            content.extend(encoded(*numbers.get(2)?));
            point = constructed(Tag::Sequence, &content);
            &point
        }
        EC => {
            let inner = items_of_whole(items.get(2)?.value()).ok()?;
            let public = inner.iter().find(|item| item.tag() == context_1())?;
            BitStringRef::from_der(public.value()).ok()?.as_bytes()?
        }
        ED25519 => {
            let public = items.get(3..)?.iter().find(|item| {
                matches!(
                    item.tag(),
                    Tag::ContextSpecific {
                        number: TagNumber(1),
                        ..
                    }
                )
            })?;
            // [1] IMPLICIT BIT STRING: the first byte counts the unused bits.
            public.value().strip_prefix(&[0])?
        }
        _ => return None,
    };
    let mut content = encoded(algorithm);
    content.extend(BitStringRef::from_bytes(bits).ok()?.to_der().ok()?);
    Some(constructed(Tag::Sequence, &content))
}

/// Whether an elliptic curve SubjectPublicKeyInfo has its point in compressed form, which has another spelling.
pub(super) fn is_compressed(spki: &[u8]) -> bool {
    let items = items_of_whole(spki).unwrap_or_default();
    let is_ec = items
        .first()
        .and_then(|item| algorithm_parts(*item).ok())
        .is_some_and(|(oid, _)| oid == EC);
    // The first byte of a bit string counts the unused bits.
    is_ec && items.get(1).is_some_and(|bits| matches!(bits.value(), [_, 2 | 3, ..]))
}

/// Whether an RSA key in PKCS#8 has the public exponent 65537.
pub(super) fn has_common_exponent(key: &[u8]) -> bool {
    let inner = items_of_whole(key)
        .ok()
        .and_then(|items| items.get(2).map(|item| item.value()));
    let numbers = inner.and_then(|inner| items_of_whole(inner).ok());
    numbers.is_some_and(|numbers| numbers.get(2).is_some_and(|exponent| exponent.value() == [1, 0, 1]))
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let mut content = vec![0x02, 0x01, 0x00]; // version 0, as without a public key
    content.extend(algorithm);
    content.extend(
        OctetStringRef::new(key)
            .and_then(|octets| octets.to_der())
            .unwrap_or_default(),
    );
    constructed(Tag::Sequence, &content)
}

fn algorithm(oid: ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
    let mut content = oid.to_der().unwrap_or_default();
    content.extend(parameters);
    constructed(Tag::Sequence, &content)
}

/// Tag and length by the `der` crate around `content`. Only content above its limit of 256 MiB has no encoding,
/// and nothing of that size was accepted.
pub(crate) fn constructed(tag: Tag, content: &[u8]) -> Vec<u8> {
    Any::new(tag, content).and_then(|any| any.to_der()).unwrap_or_default()
}

fn encoded(item: AnyRef<'_>) -> Vec<u8> {
    item.to_der().unwrap_or_default()
}

fn context_0() -> Tag {
    Tag::ContextSpecific {
        number: TagNumber(0),
        constructed: true,
    }
}

fn context_1() -> Tag {
    Tag::ContextSpecific {
        number: TagNumber(1),
        constructed: true,
    }
}

const NULL: [u8; 2] = [0x05, 0x00];
