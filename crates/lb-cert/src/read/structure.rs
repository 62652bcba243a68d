//! Whether certificates and revocation lists are whole. What they say is judged elsewhere.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, Tagged};
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time as Time;

use super::{Problem, shape};

/// RFC 5280, section 4.1.
pub(super) fn certificate(der: &[u8], depth: u32) -> Result<(), Problem> {
    const WHAT: &str = "the certificate";
    shape::one(der, WHAT)?;
    // webpki parses in a tenth of the time, but it knows version 3 only and does not look into some fields.
    let parsed = webpki::EndEntityCert::try_from(&CertificateDer::from(der)).is_ok();
    if parsed && other_fields(der, depth).is_some() {
        return Ok(());
    }
    nested(WHAT, der, depth)?;
    if key_of(der).is_some_and(|key| key_is_whole(key).is_none()) {
        return Err(Problem::Broken {
            what: WHAT,
            offset: 0,
            why: "its public key is not well-formed".into(),
        });
    }
    match x509_parser::certificate::X509Certificate::from_der(der) {
        Ok(_) => Ok(()),
        Err(error) => Err(broken(WHAT, &error)),
    }
}

/// The fields into which webpki does not look: algorithm, names, times and public key.
fn other_fields(der: &[u8], depth: u32) -> Option<()> {
    let fields = Fields::of(der)?;
    let times = Time::from_der(fields.validity).and_then(|(rest, _)| Time::from_der(rest));
    // These three lie inside the file, the certificate and what is signed.
    let depth = depth.checked_sub(3)?;
    let whole = [fields.algorithm, fields.issuer, fields.subject]
        .iter()
        .all(|field| is_whole(field, depth));
    (whole && times.is_ok_and(|(rest, _)| rest.is_empty())).then_some(())?;
    key_is_whole(fields.key)
}

/// The content of the SubjectPublicKeyInfo.
fn key_of(der: &[u8]) -> Option<&[u8]> {
    Fields::of(der).map(|fields| fields.key)
}

/// The contents of some fields of a certificate, RFC 5280, section 4.1.
struct Fields<'a> {
    algorithm: &'a [u8],
    issuer: &'a [u8],
    validity: &'a [u8],
    subject: &'a [u8],
    key: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut outer = SliceReader::new(AnyRef::from_der(der).ok()?.value()).ok()?;
        let mut fields = SliceReader::new(outer.decode::<AnyRef<'_>>().ok()?.value()).ok()?;
        let mut next = || fields.decode::<AnyRef<'_>>().ok();
        if next()?.tag().is_context_specific() {
            next()?; // the serial number behind the version
        }
        Some(Self {
            algorithm: next()?.value(),
            issuer: next()?.value(),
            validity: next()?.value(),
            subject: next()?.value(),
            key: next()?.value(),
        })
    }
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
    if is_whole(der, depth) {
        return Ok(());
    }
    // Not DER in the narrow sense, or broken: the slow walk knows, and where.
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
fn key_is_whole(spki: &[u8]) -> Option<()> {
    let mut parts = SliceReader::new(spki).ok()?;
    let (algorithm, bits): (AnyRef<'_>, AnyRef<'_>) = (parts.decode().ok()?, parts.decode().ok()?);
    let mut inner = SliceReader::new(algorithm.value()).ok()?;
    let oid: AnyRef<'_> = inner.decode().ok()?;
    if !inner.is_finished() {
        inner.decode::<AnyRef<'_>>().ok()?;
    }
    let fits = oid.tag() == Tag::ObjectIdentifier && bits.tag() == Tag::BitString;
    (fits && inner.is_finished() && parts.is_finished()).then_some(())
}

/// Whether every element of this DER ends where the one around it says, down to `depth`.
fn is_whole(content: &[u8], depth: u32) -> bool {
    let (Some(depth), Ok(mut reader)) = (depth.checked_sub(1), SliceReader::new(content)) else {
        return false;
    };
    while !reader.is_finished() {
        match reader.decode::<AnyRef<'_>>() {
            Ok(item) if item.tag().is_constructed() && !is_whole(item.value(), depth) => return false,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    true
}

fn broken(what: &'static str, error: &x509_parser::nom::Err<x509_parser::error::X509Error>) -> Problem {
    let why = match error {
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
        x509_parser::nom::Err::Incomplete(_) => "a field is missing".into(),
    };
    Problem::Broken { what, offset: 0, why }
}
