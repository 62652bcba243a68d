//! What a DER or BER structure is, told by the tags of its first elements. Nothing is judged here.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::{Any, FromBer, Header, Length, Tag};

use super::Problem;

/// What a structure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Certificate,
    Crl,
    Request,
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    Sec1,
    DsaKey,
    PublicKey,
    Numbers,
    Pkcs7,
    Pkcs12,
    Unknown,
}

impl Shape {
    /// With article, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::Crl => "a revocation list",
            Self::Request => "a certificate request",
            Self::Pkcs8 => "a PKCS#8 private key",
            Self::EncryptedPkcs8 => "an encrypted PKCS#8 private key",
            Self::Pkcs1 => "a PKCS#1 RSA private key",
            Self::Sec1 => "a SEC1 private key",
            Self::DsaKey => "a DSA private key",
            Self::PublicKey => "a public key",
            Self::Numbers => "a pair of numbers (a PKCS#1 public key or DH parameters)",
            Self::Pkcs7 => "PKCS#7",
            Self::Pkcs12 => "PKCS#12",
            Self::Unknown => "an unknown structure",
        }
    }
}

/// Whether the bytes begin like a SEQUENCE and not like text ("0" is a SEQUENCE's tag as well as a digit).
pub(super) fn begins_as_der(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, length, ..] if *length >= 0x80 => true,
        [0x30, rest @ ..] => rest.iter().take(16).any(|byte| *byte < 9),
        _ => false,
    }
}

/// The shape of the structure at the beginning of `bytes`, whatever follows and however it ends.
pub(crate) fn recognise(bytes: &[u8]) -> Shape {
    let Ok((content, header)) = Header::from_ber(bytes) else {
        return Shape::Unknown;
    };
    if header.tag() != Tag::Sequence {
        return Shape::Unknown;
    }
    let first = First::of(content);
    let inner = |index: usize| first.contents.get(index).copied().unwrap_or_default();
    match first.tags() {
        [Tag::Sequence, Tag::OctetString, ..] => Shape::EncryptedPkcs8,
        [Tag::Sequence, Tag::BitString, ..] => Shape::PublicKey,
        [Tag::Sequence, ..] => to_be_signed(inner(0)),
        [Tag::Integer, Tag::Sequence, Tag::OctetString, ..] => Shape::Pkcs8,
        [Tag::Integer, Tag::OctetString, ..] => Shape::Sec1,
        [Tag::Integer, Tag::Integer] => Shape::Numbers,
        [Tag::Integer, Tag::Integer, Tag::Integer, _, _, _] => Shape::DsaKey,
        [Tag::Integer, Tag::Integer, Tag::Integer, ..] => Shape::Pkcs1,
        [Tag::Integer, Tag::Sequence, ..] if begins_with_oid(inner(1)) => Shape::Pkcs12,
        [Tag::Oid, ..] => Shape::Pkcs7,
        _ => Shape::Unknown,
    }
}

/// Certificate, revocation list and request are all signed sequences; their contents tell them apart
/// (RFC 5280, sections 4.1 and 5.1; RFC 2986, section 4.1).
fn to_be_signed(content: &[u8]) -> Shape {
    // The explicit version of a certificate: [0].
    if content.first() == Some(&0xA0) {
        return Shape::Certificate;
    }
    let is_time = |tag: &Tag| matches!(*tag, Tag::UtcTime | Tag::GeneralizedTime);
    match First::of(content).tags() {
        [Tag::Integer, Tag::Sequence, Tag::Sequence, time, ..] if is_time(time) => Shape::Crl,
        [Tag::Sequence, Tag::Sequence, time, ..] if is_time(time) => Shape::Crl,
        [Tag::Integer, Tag::Sequence, Tag::Sequence, Tag::Sequence, ..] => Shape::Certificate,
        [Tag::Integer, Tag::Sequence, Tag::Sequence, ..] => Shape::Request,
        [Tag::Integer, Tag::Sequence] => Shape::Request,
        _ => Shape::Unknown,
    }
}

/// Tags and contents of the first elements, until one is broken or cut off.
struct First<'a> {
    tags: [Tag; FIRST],
    contents: [&'a [u8]; FIRST],
    count: usize,
}

/// An RSA key, the longest of what is told apart, has nine.
const FIRST: usize = 9;

impl<'a> First<'a> {
    fn of(mut content: &'a [u8]) -> Self {
        let mut first = First {
            tags: [Tag::EndOfContent; FIRST],
            contents: [&[]; FIRST],
            count: 0,
        };
        for (tag, place) in first.tags.iter_mut().zip(&mut first.contents) {
            let Ok((rest, header)) = Header::from_ber(content) else {
                break;
            };
            let (inside, after) = match header.length() {
                // Cut off: what is there still tells what it is.
                Length::Definite(length) => rest.split_at_checked(length).unwrap_or((rest, &[])),
                Length::Indefinite => Any::from_ber(content).map_or((rest, &[][..]), |(after, any)| (any.data, after)),
            };
            (*tag, *place) = (header.tag(), inside);
            first.count = first.count.saturating_add(1);
            content = after;
        }
        first
    }

    fn tags(&self) -> &[Tag] {
        self.tags.get(..self.count).unwrap_or_default()
    }
}

fn begins_with_oid(content: &[u8]) -> bool {
    Header::from_ber(content).is_ok_and(|(_, header)| header.tag() == Tag::Oid)
}

/// Splits off the structure at the beginning of `bytes`: itself (header included) and what follows.
///
/// # Errors
///
/// [`Problem::Truncated`] when the bytes end before it does, [`Problem::Broken`] when its header makes no sense.
pub(super) fn split<'a>(bytes: &'a [u8], what: &'static str) -> Result<(&'a [u8], &'a [u8]), Problem> {
    let unreadable = || Problem::Broken {
        what,
        offset: 0,
        why: "the header is no DER".into(),
    };
    let (content, header) = Header::from_ber(bytes).map_err(|_| match bytes {
        _ if bytes.len() < 6 => Problem::Truncated {
            what,
            promised: 6,
            present: bytes.len(),
        },
        _ => unreadable(),
    })?;
    let head = bytes.len().saturating_sub(content.len());
    let after = match header.length() {
        Length::Definite(length) => match content.split_at_checked(length) {
            Some((_, after)) => after,
            None => {
                let promised = (length as u64).saturating_add(head as u64);
                return Err(Problem::Truncated {
                    what,
                    promised,
                    present: bytes.len(),
                });
            }
        },
        Length::Indefinite => {
            Any::from_ber(bytes)
                .map_err(|_| Problem::Broken {
                    what,
                    offset: head,
                    why: "its end is missing or its nesting broken".into(),
                })?
                .0
        }
    };
    bytes
        .split_at_checked(bytes.len().saturating_sub(after.len()))
        .ok_or_else(unreadable)
}

/// [`split`], and nothing may follow.
pub(super) fn one<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a [u8], Problem> {
    match split(bytes, what)? {
        (structure, []) => Ok(structure),
        (structure, rest) => Err(Problem::Trailing {
            what,
            end: structure.len(),
            extra: rest.len(),
        }),
    }
}

/// Where the first element stands whose length leads out of its parent, if there is one, or which nests deeper than
/// `depth`. Only constructed elements are entered.
pub(crate) fn first_break(bytes: &[u8], depth: u32) -> Option<(usize, &'static str)> {
    // Each entry is a content and where it begins.
    let mut open: Vec<(&[u8], usize)> = Vec::with_capacity(24);
    open.push((bytes, 0));
    while let Some((content, at)) = open.pop() {
        if content.is_empty() {
            continue;
        }
        if open.len() >= depth as usize {
            return Some((at, "nested too deeply"));
        }
        let Ok((rest, header)) = Header::from_ber(content) else {
            return Some((at, "no tag and length"));
        };
        let head = content.len().saturating_sub(rest.len());
        let (inside, after) = match header.length() {
            Length::Definite(length) => match rest.split_at_checked(length) {
                Some(parts) => parts,
                None => return Some((at, "a length leads out of the element around it")),
            },
            Length::Indefinite => match Any::from_ber(content) {
                Ok((after, any)) => (any.data, after),
                Err(_) => return Some((at, "the end of an element of indefinite length is missing")),
            },
        };
        let begin = at.saturating_add(head);
        open.push((after, at.saturating_add(content.len().saturating_sub(after.len()))));
        if header.is_constructed() {
            open.push((inside, begin));
        } else if header.is_universal() && matches!(header.tag(), Tag::Sequence | Tag::Set) {
            return Some((at, "a sequence or set that is not marked as constructed"));
        }
    }
    None
}
