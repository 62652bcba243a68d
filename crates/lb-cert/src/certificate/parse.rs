//! From DER to [`Certificate`].

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Certificate, CertificateError, Extension, Known, Malformed, Parts, extension, key, oid};
use crate::tlv::{self, Reader, SEQUENCE, Wrong};
use rustls_pki_types::CertificateDer;
use std::ops::Range;
use x509_parser::asn1_rs::nom::Parser;
use x509_parser::certificate::X509CertificateParser;
use x509_parser::x509::X509Version;

/// A larger certificate is refused. The largest in use have some 20 KiB, those of test suites 200.
pub const MOST_BYTES: usize = 1 << 20;

/// More extensions are refused. Certificates have about ten.
pub const MOST_EXTENSIONS: usize = 64;

pub(super) fn parse(der: CertificateDer<'static>) -> Result<Certificate, CertificateError> {
    if der.len() > MOST_BYTES {
        return Err(CertificateError::TooLarge {
            found: der.len(),
            limit: MOST_BYTES,
        });
    }
    let wrong = |what: &str| CertificateError::Malformed { what: what.into() };
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let (rest, found) = parser.parse(&der).map_err(|error| wrong(&reason(&error)))?;
    if !rest.is_empty() {
        return Err(CertificateError::Trailing { count: rest.len() });
    }
    let count = found.extensions().len();
    if count > MOST_EXTENSIONS {
        return Err(CertificateError::TooManyExtensions {
            found: count,
            limit: MOST_EXTENSIONS,
        });
    }
    let version = match found.version {
        X509Version::V1 => 1,
        X509Version::V2 => 2,
        X509Version::V3 => 3,
        _ => return Err(wrong("a version that is not 1, 2 or 3")),
    };

    let bytes: &[u8] = &der;
    let parts = parts(bytes, &found).map_err(wrong)?;
    let spki_content = tlv::only(found.subject_pki.raw, SEQUENCE).map_err(wrong)?;
    let key = key::read(spki_content);

    let mut extensions = Vec::with_capacity(count);
    let mut known = Known::default();
    let mut malformed: Vec<Malformed> = Vec::new();
    for (index, one) in found.extensions().iter().enumerate() {
        let oid = one.oid.as_bytes();
        let twice = found.extensions().iter().take(index).any(|other| other.oid == one.oid);
        let read = if twice {
            Err("the extension is there twice")
        } else {
            remember(&mut known, oid, one.value)
        };
        if let Err(what) = read {
            malformed.push(Malformed {
                oid: tlv::dotted(oid),
                what,
            });
        }
        extensions.push(Extension {
            oid: range(bytes, oid).ok_or_else(|| wrong("an extension outside the certificate"))?,
            critical: one.critical,
            value: range(bytes, one.value).ok_or_else(|| wrong("an extension outside the certificate"))?,
        });
    }
    let (not_before, not_after) = (
        found.validity.not_before.timestamp(),
        found.validity.not_after.timestamp(),
    );
    let unique_ids = found.issuer_uid.is_some() || found.subject_uid.is_some();
    Ok(Certificate {
        parts,
        version,
        not_before,
        not_after,
        key,
        unique_ids,
        extensions,
        known,
        malformed,
        der,
    })
}

/// Finds the parts that x509-parser does not hand out as they stand.
fn parts(bytes: &[u8], found: &x509_parser::certificate::X509Certificate<'_>) -> Result<Parts, Wrong> {
    let outside = "a part outside the certificate";
    let at = |part: &[u8]| range(bytes, part).ok_or(outside);
    let mut outer = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let signed = outer.expect(SEQUENCE)?;
    let algorithm = outer.expect(SEQUENCE)?;
    let signature = tlv::whole_bits(outer.expect(tlv::BIT_STRING)?.value)?;
    outer.end()?;
    let issuer = at(found.issuer.as_raw())?;
    let subject = at(found.subject.as_raw())?;
    let serial = at(found.raw_serial())?;
    let between = |start: usize, end: usize| bytes.get(start..end).ok_or(outside);
    tlv::only(between(serial.end, issuer.start)?, SEQUENCE)?;
    tlv::only(between(issuer.end, subject.start)?, SEQUENCE)?;
    Ok(Parts {
        signed: at(signed.whole)?,
        inner_algorithm: serial.end..issuer.start,
        validity: issuer.end..subject.start,
        serial,
        issuer,
        subject,
        spki: at(found.subject_pki.raw)?,
        algorithm: at(algorithm.whole)?,
        signature: at(signature)?,
    })
}

/// Where `part`, a slice of `bytes`, stands in it.
fn range(bytes: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= bytes.len()).then_some(start..end)
}

fn remember(known: &mut Known, oid: &[u8], value: &[u8]) -> Result<(), Wrong> {
    match oid {
        oid::BASIC_CONSTRAINTS => known.basic_constraints = Some(extension::basic_constraints(value)?),
        oid::KEY_USAGE => known.key_usage = Some(extension::key_usage(value)?),
        oid::EXTENDED_KEY_USAGE => known.extended_key_usage = Some(extension::oids(value)?),
        oid::SUBJECT_NAMES => known.names = Some(extension::names(tlv::only(value, SEQUENCE)?)?),
        oid::ISSUER_NAMES => drop(extension::names(tlv::only(value, SEQUENCE)?)?),
        oid::NAME_CONSTRAINTS => known.name_constraints = Some(extension::name_constraints(value)?),
        oid::AUTHORITY_KEY_ID => known.authority_key_id = Some(extension::authority_key_id(value)?),
        oid::SUBJECT_KEY_ID => known.subject_key_id = Some(tlv::only(value, tlv::OCTET_STRING)?.into()),
        oid::POLICIES => known.policies = Some(extension::policies(value)?),
        oid::POLICY_MAPPINGS => known.policy_mappings = Some(extension::policy_mappings(value)?),
        oid::POLICY_CONSTRAINTS => known.policy_constraints = Some(extension::policy_constraints(value)?),
        oid::INHIBIT_ANY_POLICY => known.inhibit_any_policy = Some(extension::inhibit_any_policy(value)?),
        oid::AUTHORITY_ACCESS => known.authority_access = extension::access(value)?,
        oid::SUBJECT_ACCESS => drop(extension::access(value)?),
        oid::DISTRIBUTION_POINTS => known.distribution_points = extension::distribution_points(value)?,
        oid::FRESHEST_CRL => drop(extension::distribution_points(value)?),
        _ => {}
    }
    Ok(())
}

fn reason(error: &x509_parser::asn1_rs::nom::Err<x509_parser::error::X509Error>) -> String {
    match error {
        x509_parser::asn1_rs::nom::Err::Incomplete(_) => String::from("it ends too early"),
        x509_parser::asn1_rs::nom::Err::Error(error) | x509_parser::asn1_rs::nom::Err::Failure(error) => {
            error.to_string()
        }
    }
}

/// The name of an AlgorithmIdentifier (DER, with header).
pub(crate) fn algorithm_name(algorithm: &[u8]) -> String {
    let oid = tlv::only(algorithm, SEQUENCE).and_then(|content| Reader::new(content).expect(tlv::OID));
    let Ok(oid) = oid else {
        return String::from("(unreadable)");
    };
    let name = match oid.value {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last] => match last {
            2 => "RSA with MD2",
            4 => "RSA with MD5",
            5 => "RSA with SHA-1",
            10 => "RSA-PSS",
            11 => "RSA with SHA-256",
            12 => "RSA with SHA-384",
            13 => "RSA with SHA-512",
            14 => "RSA with SHA-224",
            _ => return tlv::dotted(oid.value),
        },
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] => "ECDSA with SHA-1",
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last] => match last {
            1 => "ECDSA with SHA-224",
            2 => "ECDSA with SHA-256",
            3 => "ECDSA with SHA-384",
            4 => "ECDSA with SHA-512",
            _ => return tlv::dotted(oid.value),
        },
        [0x2b, 0x65, 0x70] => "Ed25519",
        [0x2b, 0x65, 0x71] => "Ed448",
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03] => "DSA with SHA-1",
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02] => "DSA with SHA-256",
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11] => "ML-DSA-44",
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12] => "ML-DSA-65",
        [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13] => "ML-DSA-87",
        other => return tlv::dotted(other),
    };
    name.into()
}
