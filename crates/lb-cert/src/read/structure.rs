//! Whether certificates and revocation lists are whole. What they say is judged elsewhere.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::{Any, FromBer, Tag};
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time as Time;

use super::{Problem, shape};

/// RFC 5280, section 4.1.
pub(super) fn certificate(der: &[u8], depth: u32) -> Result<(), Problem> {
    const WHAT: &str = "the certificate";
    shape::one(der, WHAT)?;
    nested(WHAT, der, depth)?;
    // webpki parses in a tenth of the time, but it knows version 3 only and does not look into some fields.
    let known = webpki::EndEntityCert::try_from(&CertificateDer::from(der)).is_ok();
    let offset = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(der.as_ptr() as usize);
    match rest_of_certificate(der) {
        Some(Ok(())) if known => return Ok(()),
        Some(Err((part, why))) => {
            return Err(Problem::Broken {
                what: WHAT,
                offset: offset(part),
                why: why.into(),
            });
        }
        _ => {}
    }
    match x509_parser::certificate::X509Certificate::from_der(der) {
        Ok(_) => Ok(()),
        Err(error) => Err(broken(WHAT, &error)),
    }
}

/// Times and public key, into which webpki does not look; `None` when the fields are not where they belong.
fn rest_of_certificate(der: &[u8]) -> Option<Result<(), (&[u8], &'static str)>> {
    let inside = |der| Any::from_ber(der).ok().map(|(_, any)| any.data);
    let mut fields = inside(inside(der)?)?;
    let mut next = || {
        let (rest, field) = Any::from_ber(fields).ok()?;
        fields = rest;
        Some(field)
    };
    let first = next()?;
    if first.header.is_contextspecific() {
        next()?; // the serial number behind the version
    }
    let (_algorithm, _issuer, validity, _subject, key) = (next()?, next()?, next()?, next()?, next()?);
    let times = Time::from_der(validity.data).and_then(|(rest, _)| Time::from_der(rest));
    if !times.is_ok_and(|(rest, _)| rest.is_empty()) {
        return Some(Err((validity.data, "its validity is not two times")));
    }
    if !key_is_whole(key.data) {
        return Some(Err((key.data, "its public key is not well-formed")));
    }
    Some(Ok(()))
}

/// RFC 5280, section 5.1.
pub(super) fn revocation_list(der: &[u8], depth: u32) -> Result<(), Problem> {
    const WHAT: &str = "the revocation list";
    shape::one(der, WHAT)?;
    nested(WHAT, der, depth)?;
    match x509_parser::revocation_list::CertificateRevocationList::from_der(der) {
        Ok(_) => Ok(()),
        Err(error) => Err(broken(WHAT, &error)),
    }
}

/// Every length must end where its element ends, down to the primitive ones: x509-parser alone is content with names
/// and algorithms whose inside is broken.
fn nested(what: &'static str, der: &[u8], depth: u32) -> Result<(), Problem> {
    match shape::first_break(der, depth) {
        Some((offset, why)) => Err(Problem::Broken {
            what,
            offset,
            why: why.into(),
        }),
        None => Ok(()),
    }
}

/// Whether this is the inside of a SubjectPublicKeyInfo: an identifier with at most one parameter, and bits.
fn key_is_whole(spki: &[u8]) -> bool {
    let Ok((bits, algorithm)) = Any::from_ber(spki) else {
        return false;
    };
    let Ok((parameters, oid)) = Any::from_ber(algorithm.data) else {
        return false;
    };
    let one = |der: &[u8]| Any::from_ber(der).is_ok_and(|(rest, _)| rest.is_empty());
    oid.tag() == Tag::Oid
        && (parameters.is_empty() || one(parameters))
        && Any::from_ber(bits).is_ok_and(|(rest, bits)| rest.is_empty() && bits.tag() == Tag::BitString)
}

fn broken(what: &'static str, error: &x509_parser::nom::Err<x509_parser::error::X509Error>) -> Problem {
    let why = match error {
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
        x509_parser::nom::Err::Incomplete(_) => "a field is missing".into(),
    };
    Problem::Broken { what, offset: 0, why }
}
