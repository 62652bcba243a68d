//! Whether certificates and revocation lists are whole. What they say is judged elsewhere.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::FromBer;
use x509_parser::prelude::FromDer;

use super::{Problem, shape};

/// RFC 5280, section 4.1.
pub(super) fn certificate(der: &[u8], depth: u32) -> Result<(), Problem> {
    const WHAT: &str = "the certificate";
    shape::one(der, WHAT)?;
    nested(WHAT, der, depth)?;
    match x509_parser::certificate::X509Certificate::from_der(der) {
        Ok((_, parsed)) if algorithm_is_whole(parsed.public_key().raw) => Ok(()),
        Ok((_, parsed)) => Err(Problem::Broken {
            what: WHAT,
            offset: (parsed.public_key().raw.as_ptr() as usize).saturating_sub(der.as_ptr() as usize),
            why: "the algorithm of its public key is not well-formed".into(),
        }),
        Err(error) => Err(broken(WHAT, &error)),
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
    match shape::first_break(der, depth) {
        Some((offset, why)) => Err(Problem::Broken {
            what,
            offset,
            why: why.into(),
        }),
        None => Ok(()),
    }
}

/// Whether the AlgorithmIdentifier at the beginning of a SubjectPublicKeyInfo is an identifier and at most one parameter.
fn algorithm_is_whole(spki: &[u8]) -> bool {
    let inside = |der| asn1_rs::Any::from_ber(der).map(|(_, any)| any.data);
    let Ok(algorithm) = inside(spki).and_then(inside) else {
        return false;
    };
    let Ok((parameters, oid)) = asn1_rs::Any::from_ber(algorithm) else {
        return false;
    };
    oid.tag() == asn1_rs::Tag::Oid
        && (parameters.is_empty() || asn1_rs::Any::from_ber(parameters).is_ok_and(|(rest, _)| rest.is_empty()))
}

fn broken(what: &'static str, error: &x509_parser::nom::Err<x509_parser::error::X509Error>) -> Problem {
    let why = match error {
        x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
        x509_parser::nom::Err::Incomplete(_) => "a field is missing".into(),
    };
    Problem::Broken { what, offset: 0, why }
}
