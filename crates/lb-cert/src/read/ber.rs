//! Elements of BER, by asn1-rs: indefinite lengths and strings in pieces included, as NSS and Bouncy Castle write them.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use asn1_rs::{Any, FromBer, Tag};
use der::Encode;

/// The elements of a constructed value; `None` when one is broken or there are too many.
pub(crate) fn elements(mut content: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut items = Vec::new();
    while !content.is_empty() && items.len() < MOST_ELEMENTS {
        let (rest, item) = Any::from_ber(content).ok()?;
        items.push(item);
        content = rest;
    }
    content.is_empty().then_some(items)
}

/// Whether `bytes` are one SEQUENCE, which nothing but the number of its elements keeps from being read.
#[cfg(feature = "pkcs12")]
pub(crate) fn has_too_many(bytes: &[u8]) -> bool {
    let Some(item) = whole(bytes).filter(|item| is(item, Tag::Sequence)) else {
        return false;
    };
    let (mut content, mut count) = (item.data, 0_usize);
    while let Ok((rest, _)) = Any::from_ber(content) {
        count = count.saturating_add(1);
        content = rest;
    }
    content.is_empty() && count > MOST_ELEMENTS
}

/// The one element that `bytes` are, with nothing behind it.
pub(crate) fn whole(bytes: &[u8]) -> Option<Any<'_>> {
    match Any::from_ber(bytes) {
        Ok(([], any)) => Some(any),
        _ => None,
    }
}

/// The elements of a SEQUENCE.
pub(crate) fn sequence<'a>(item: &Any<'a>) -> Option<Vec<Any<'a>>> {
    is(item, Tag::Sequence).then(|| elements(item.data)).flatten()
}

/// The elements of the one SEQUENCE that `bytes` are.
pub(crate) fn sequence_of_whole(bytes: &[u8]) -> Option<Vec<Any<'_>>> {
    sequence(&whole(bytes)?)
}

/// The element inside `[number] EXPLICIT`.
#[cfg(feature = "pkcs12")]
pub(crate) fn explicit<'a>(item: &Any<'a>, number: u32) -> Option<Any<'a>> {
    is_context(item, number)
        .then_some(item.data)
        .filter(|_| item.header.is_constructed())
        .and_then(whole)
}

/// The octets of an OCTET STRING, in one piece or in several (X.690, section 8.7).
pub(crate) fn octets<'a>(item: &Any<'a>) -> Option<Cow<'a, [u8]>> {
    is(item, Tag::OctetString).then(|| pieces(item, DEEPEST)).flatten()
}

/// The octets of `[number] IMPLICIT OCTET STRING`.
#[cfg(feature = "pkcs12")]
pub(crate) fn implicit_octets<'a>(item: &Any<'a>, number: u32) -> Option<Cow<'a, [u8]>> {
    is_context(item, number).then(|| pieces(item, DEEPEST)).flatten()
}

fn pieces<'a>(item: &Any<'a>, depth: u32) -> Option<Cow<'a, [u8]>> {
    if item.header.is_primitive() {
        return Some(Cow::Borrowed(item.data));
    }
    let depth = depth.checked_sub(1)?;
    let mut joined = Vec::with_capacity(item.data.len());
    for piece in elements(item.data)? {
        if !is(&piece, Tag::OctetString) {
            return None;
        }
        joined.extend_from_slice(&pieces(&piece, depth)?);
    }
    Some(Cow::Owned(joined))
}

/// An INTEGER that is not negative.
pub(crate) fn number(item: &Any<'_>) -> Option<u64> {
    let is_positive = is(item, Tag::Integer) && item.data.first().is_some_and(|first| *first < 0x80);
    is_positive.then(|| item.as_u64().ok()).flatten()
}

/// The dotted form of an OBJECT IDENTIFIER.
pub(crate) fn oid(item: &Any<'_>) -> Option<String> {
    is(item, Tag::Oid)
        .then(|| item.as_oid().ok().map(|oid| oid.to_id_string()))
        .flatten()
}

/// Object identifier and parameters of an AlgorithmIdentifier (RFC 5280, section 4.1.1.2).
pub(crate) fn algorithm<'a>(item: &Any<'a>) -> Option<(String, Option<Any<'a>>)> {
    let mut items = sequence(item)?.into_iter();
    let oid = oid(&items.next()?)?;
    let parameters = items.next();
    items.next().is_none().then_some((oid, parameters))
}

/// An element in DER, header included: the readers of keys and certificates know nothing else.
pub(crate) fn to_der(item: &Any<'_>) -> Option<Vec<u8>> {
    encoded(item, DEEPEST)
}

fn encoded(item: &Any<'_>, depth: u32) -> Option<Vec<u8>> {
    let depth = depth.checked_sub(1)?;
    let (mut tag, mut content) = (item.header.raw_tag()?.to_vec(), Cow::Borrowed(item.data));
    if item.header.is_constructed() && is(item, Tag::OctetString) {
        content = pieces(item, DEEPEST)?;
        tag = vec![0x04];
    } else if item.header.is_constructed() {
        let mut inner = Vec::with_capacity(item.data.len());
        for element in elements(item.data)? {
            inner.extend(encoded(&element, depth)?);
        }
        content = Cow::Owned(inner);
    }
    tag.extend(der::Length::try_from(content.len()).ok()?.to_der().ok()?);
    tag.extend_from_slice(&content);
    Some(tag)
}

fn is(item: &Any<'_>, tag: Tag) -> bool {
    item.header.is_universal() && item.header.tag() == tag
}

#[cfg(feature = "pkcs12")]
fn is_context(item: &Any<'_>, number: u32) -> bool {
    item.header.is_contextspecific() && item.header.tag() == Tag(number)
}

/// A PKCS#12 of that many bags is no key store of a server.
pub(crate) const MOST_ELEMENTS: usize = 20_000;
/// Pieces of pieces: writers nest once.
const DEEPEST: u32 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_in_pieces_is_one_string() {
        // Indefinite, two pieces, the second in pieces itself.
        let bytes = [
            0x24, 0x80, 0x04, 0x02, 1, 2, 0x24, 0x05, 0x04, 0x01, 3, 0x04, 0x00, 0x00, 0x00,
        ];
        let item = whole(&bytes).expect("it is whole");
        assert_eq!(octets(&item).as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(to_der(&item).as_deref(), Some(&[0x04, 0x03, 1, 2, 3][..]));
        let other = [0x24, 0x80, 0x02, 0x01, 1, 0x00, 0x00];
        assert!(octets(&whole(&other).expect("it is whole")).is_none());
    }

    #[test]
    fn a_number_is_not_negative_and_fits() {
        for (bytes, expected) in [
            (&[0x02, 0x01, 0x7F][..], Some(127)),
            (&[0x02, 0x02, 0x00, 0x80], Some(128)),
            (&[0x02, 0x01, 0x80], None),
            (&[0x02, 0x00], None),
            (&[0x02, 0x09, 1, 0, 0, 0, 0, 0, 0, 0, 0], None),
            (&[0x04, 0x01, 0x01], None),
        ] {
            assert_eq!(whole(bytes).as_ref().and_then(number), expected, "{bytes:02X?}");
        }
    }
}
