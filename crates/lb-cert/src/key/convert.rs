//! One form of a key to another. The structure was read before, so nothing here can fail on what was accepted.

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef};
use der::zeroize::Zeroizing;
use der::{Any, Decode, Encode, Tag, TagNumber, Tagged};

use super::ec::EcKey;
use super::octets;
use super::structure::{EC, RSA, RSA_PSS, algorithm_parts, items_of_whole};
use crate::kind;

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

/// The same key with the name of its curve outside and what is inside in its normal form; `None` where it stands so
/// already, or when the curve is unknown.
pub(super) fn normal_pkcs8(
    items: &[AnyRef<'_>],
    parameters: Option<AnyRef<'_>>,
    key: &EcKey<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let curve = key.curve?.oid_der();
    let is_named = parameters.is_some_and(|parameters| encoded(parameters) == curve);
    let inner = key.normal(false);
    if is_named && inner.is_none() {
        return None;
    }
    let [version, _, old, rest @ ..] = items else {
        return None;
    };
    let inner = inner.unwrap_or_else(|| Zeroizing::new(old.value().to_vec()));
    let mut content = Zeroizing::new(encoded(*version));
    content.extend(algorithm(EC, &curve));
    content.extend(OctetStringRef::new(&inner).ok()?.to_der().ok()?);
    rest.iter().for_each(|item| content.extend(encoded(*item)));
    Some(Zeroizing::new(constructed(Tag::Sequence, &content)))
}

/// An elliptic curve key in PKCS#8 without its public point; `None` where there is none.
pub(super) fn without_point(key: &[u8]) -> Option<Vec<u8>> {
    let items = items_of_whole(key).ok()?;
    let inner = items_of_whole(items.get(2)?.value()).ok()?;
    inner.iter().find(|item| item.tag() == context_1())?;
    let kept: Vec<u8> = inner
        .iter()
        .filter(|item| item.tag() != context_1())
        .flat_map(|item| encoded(*item))
        .collect();
    Some(pkcs8(&encoded(*items.get(1)?), &constructed(Tag::Sequence, &kept)))
}

/// RFC 5958: version 0, the algorithm and the key, without attributes [0] and public key [1]. openssl 3.0 reads no other.
pub(super) fn bare_pkcs8(key: &[u8]) -> Vec<u8> {
    let items = items_of_whole(key).unwrap_or_default();
    match items.as_slice() {
        [_, algorithm, inner, _, ..] => pkcs8(&encoded(*algorithm), inner.value()),
        _ => key.to_vec(),
    }
}

/// Whether the public key [1] has the tag of a bit string inside its own, as old versions of ring write.
pub(super) fn has_wrapped_public(items: &[AnyRef<'_>]) -> bool {
    items.iter().skip(3).any(|item| item.tag() == context_1())
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
        EC if inner_point(*items.get(2)?).is_some() => {
            point = inner_point(*items.get(2)?)?;
            &point
        }
        other => match outer_public(&items) {
            Some(public) => public,
            None => octets::stated(kind::name_of(other.as_bytes())?, items.get(2)?.value())?,
        },
    };
    let mut content = encoded(algorithm);
    content.extend(BitStringRef::from_bytes(bits).ok()?.to_der().ok()?);
    Some(constructed(Tag::Sequence, &content))
}

/// The point inside an elliptic curve key.
fn inner_point(key: AnyRef<'_>) -> Option<Vec<u8>> {
    let inner = items_of_whole(key.value()).ok()?;
    let public = inner.iter().find(|item| item.tag() == context_1())?;
    Some(BitStringRef::from_der(public.value()).ok()?.as_bytes()?.to_vec())
}

/// The public part [1] of a PKCS#8 key (RFC 5958, section 2): a bit string by an implicit tag; some wrap a whole one.
fn outer_public<'a>(items: &[AnyRef<'a>]) -> Option<&'a [u8]> {
    let number_1 = |constructed| Tag::ContextSpecific {
        number: TagNumber(1),
        constructed,
    };
    let public = items
        .get(3..)?
        .iter()
        .find(|item| item.tag().number() == TagNumber(1))?;
    if public.tag() == number_1(true) {
        return BitStringRef::from_der(public.value()).ok()?.as_bytes();
    }
    // The first byte counts the unused bits.
    public.value().strip_prefix(&[0])
}

/// Whether a key in PKCS#8 is one for RSA, restricted to PSS or not.
pub(super) fn is_rsa(key: &[u8]) -> bool {
    let items = items_of_whole(key).unwrap_or_default();
    let found = items.get(1).and_then(|algorithm| algorithm_parts(*algorithm).ok());
    found.is_some_and(|(oid, _)| matches!(oid, RSA | RSA_PSS))
}

/// Whether an RSA key in PKCS#8 has the public exponent 65537.
pub(super) fn has_common_exponent(key: &[u8]) -> bool {
    let inner = items_of_whole(key)
        .ok()
        .and_then(|items| items.get(2).map(|item| item.value()));
    let numbers = inner.and_then(|inner| items_of_whole(inner).ok());
    numbers.is_some_and(|numbers| numbers.get(2).is_some_and(|exponent| exponent.value() == [1, 0, 1]))
}

pub(super) fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let mut content = vec![0x02, 0x01, 0x00]; // version 0, as without a public key
    content.extend(algorithm);
    content.extend(
        OctetStringRef::new(key)
            .and_then(|octets| octets.to_der())
            .unwrap_or_default(),
    );
    constructed(Tag::Sequence, &content)
}

pub(super) fn algorithm(oid: ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
    let mut content = oid.to_der().unwrap_or_default();
    content.extend(parameters);
    constructed(Tag::Sequence, &content)
}

/// Tag and length by the `der` crate around `content`. Only content above its limit of 256 MiB has no encoding,
/// and nothing of that size was accepted.
pub(crate) fn constructed(tag: Tag, content: &[u8]) -> Vec<u8> {
    Any::new(tag, content).and_then(|any| any.to_der()).unwrap_or_default()
}

pub(super) fn encoded(item: AnyRef<'_>) -> Vec<u8> {
    item.to_der().unwrap_or_default()
}

pub(super) fn context_0() -> Tag {
    Tag::ContextSpecific {
        number: TagNumber(0),
        constructed: true,
    }
}

pub(super) fn context_1() -> Tag {
    Tag::ContextSpecific {
        number: TagNumber(1),
        constructed: true,
    }
}

const NULL: [u8; 2] = [0x05, 0x00];
