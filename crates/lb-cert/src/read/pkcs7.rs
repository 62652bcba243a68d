//! PKCS#7 (RFC 5652): the certificates and revocation lists of a SignedData, DER or BER.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::{Any, FromBer, Header, Tag};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::{Contents, NoteKind, Problem, ReadError, ReadOptions, shape, structure};
use crate::{Command, Place};

const WHAT: &str = "the PKCS#7";

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
    let depth = options.limits.depth;
    let whole = shape::one(bytes, WHAT).map_err(at)?;
    if let Some((offset, why)) = shape::first_break(whole, depth) {
        return Err(at(Problem::Broken {
            what: WHAT,
            offset,
            why: why.into(),
        }));
    }
    let broken = |part: &[u8], why: &str| {
        let offset = (part.as_ptr() as usize)
            .saturating_sub(bytes.as_ptr() as usize)
            .min(bytes.len());
        at(Problem::Broken {
            what: WHAT,
            offset,
            why: why.into(),
        })
    };
    // ContentInfo: the type and, in [0], the content.
    let outer = element(whole).map_err(|why| broken(whole, why))?.0;
    let (kind, rest) = element(outer.data).map_err(|why| broken(outer.data, why))?;
    let oid = kind.oid().map_err(|_| broken(outer.data, "no content type"))?;
    if oid.to_id_string() != SIGNED_DATA {
        let known = OTHER_KINDS.iter().find(|(known, ..)| oid.to_id_string() == *known);
        let (scheme, commands) = known.map_or_else(
            || (format!("the content type {oid}"), None),
            |(_, name, commands)| ((*name).to_owned(), *commands),
        );
        let command = commands.map(|[binary, text]| if place.line.is_some() { text } else { binary });
        return Err(at(Problem::Scheme {
            what: WHAT,
            scheme,
            command,
        }));
    }
    let explicit = element(rest).map_err(|why| broken(rest, why))?.0;
    let signed = element(explicit.data).map_err(|why| broken(explicit.data, why))?.0;
    let (before, keys) = (contents.certificates.len(), contents.crls.len());
    // SignedData: version, digest algorithms, content, [0] certificates, [1] revocation lists, signers.
    let mut fields = signed.data;
    let mut seen = 0u32;
    while !fields.is_empty() {
        let (field, after) = element(fields).map_err(|why| broken(fields, why))?;
        seen = seen.saturating_add(1);
        let expected = match seen {
            1 => field.header.tag() == Tag::Integer,
            2 => field.header.tag() == Tag::Set,
            3 => field.header.tag() == Tag::Sequence,
            _ => field.header.is_contextspecific() || field.header.tag() == Tag::Set,
        };
        if !expected {
            return Err(broken(fields, "this is no SignedData"));
        }
        if field.header.is_contextspecific() {
            let is_certificates = field.header.tag().0 == 0;
            let mut inside = field.data;
            while !inside.is_empty() {
                let (item, rest) = shape::split(inside, WHAT).map_err(at)?;
                let offset = (inside.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
                one(contents, item, is_certificates, place, offset, options)?;
                inside = rest;
            }
        }
        fields = after;
    }
    if seen < 4 && contents.certificates.len() == before {
        return Err(broken(signed.data, "the SignedData ends too early"));
    }
    if contents.certificates.len() == before && contents.crls.len() == keys {
        return Err(at(Problem::NothingOfUse {
            found: "a PKCS#7 without certificates".into(),
        }));
    }
    contents.note(place, NoteKind::NoKeyInPkcs7);
    Ok(())
}

/// One element of the certificate or revocation list set.
fn one(
    contents: &mut Contents,
    item: &[u8],
    is_certificates: bool,
    place: &Place,
    offset: usize,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    // In a PEM block the base64 has no offsets of its own: the block's place stands.
    let place = if place.line.is_some() {
        place.clone()
    } else {
        Place {
            offset,
            block: u32::try_from(contents.certificates.len().saturating_add(1)).unwrap_or(0),
            ..place.clone()
        }
    };
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    let is_sequence =
        Header::from_ber(item).is_ok_and(|(_, header)| header.is_universal() && header.tag() == Tag::Sequence);
    if !is_sequence {
        // CertificateChoices and RevocationInfoChoices: attribute certificates and other formats.
        contents.note(
            &place,
            NoteKind::Skipped {
                what: "an attribute certificate or other format",
            },
        );
        return Ok(());
    }
    if is_certificates {
        structure::certificate(item, options.limits.depth).map_err(at)?;
        contents.add_certificate(CertificateDer::from(item.to_vec()), &place, &options.limits)
    } else {
        structure::revocation_list(item, options.limits.depth).map_err(at)?;
        contents.add_crl(CertificateRevocationListDer::from(item.to_vec()), &place);
        Ok(())
    }
}

/// The element at the beginning and what follows.
fn element(bytes: &[u8]) -> Result<(Any<'_>, &[u8]), &'static str> {
    Any::from_ber(bytes)
        .map(|(rest, any)| (any, rest))
        .map_err(|_| "a field is missing or cut off")
}

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// What else it may be, and the command for DER and for PEM; none where openssl has none that needs no secret.
const OTHER_KINDS: [(&str, &str, Option<[Command; 2]>); 5] = [
    (
        "1.2.840.113549.1.7.1",
        "plain data without certificates",
        Some([Command::DATA_BINARY, Command::DATA_ARMOURED]),
    ),
    (
        "1.2.840.113549.1.7.3",
        "encryption for a recipient (EnvelopedData)",
        Some([Command::ENVELOPE_BINARY, Command::ENVELOPE_ARMOURED]),
    ),
    (
        "1.2.840.113549.1.7.5",
        "a digest (DigestedData)",
        Some([Command::DIGEST_BINARY, Command::DIGEST_ARMOURED]),
    ),
    ("1.2.840.113549.1.7.6", "encryption (EncryptedData)", None),
    ("1.2.840.113549.1.9.16.1.9", "compression (CompressedData)", None),
];
