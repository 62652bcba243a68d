//! Whether certificates and revocation lists are whole. What they say is judged elsewhere.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use x509_parser::prelude::FromDer;

use super::{Problem, shape};

/// RFC 5280, section 4.1.
pub(super) fn certificate(der: &[u8], depth: u32) -> Result<(), Problem> {
    const WHAT: &str = "the certificate";
    shape::one(der, WHAT)?;
    match x509_parser::certificate::X509Certificate::from_der(der) {
        Ok(_) => Ok(()),
        Err(error) => Err(broken(WHAT, der, depth, &error)),
    }
}

/// RFC 5280, section 5.1.
pub(super) fn revocation_list(der: &[u8], depth: u32) -> Result<(), Problem> {
    const WHAT: &str = "the revocation list";
    shape::one(der, WHAT)?;
    match x509_parser::revocation_list::CertificateRevocationList::from_der(der) {
        Ok(_) => Ok(()),
        Err(error) => Err(broken(WHAT, der, depth, &error)),
    }
}

/// The byte of the damage, when the nesting shows it; else what the parser says.
fn broken(
    what: &'static str,
    der: &[u8],
    depth: u32,
    error: &x509_parser::nom::Err<x509_parser::error::X509Error>,
) -> Problem {
    match shape::first_break(der, depth) {
        Some((offset, why)) => Problem::Broken {
            what,
            offset,
            why: why.into(),
        },
        None => {
            let why = match error {
                x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error) => error.to_string(),
                x509_parser::nom::Err::Incomplete(_) => "a field is missing".into(),
            };
            Problem::Broken { what, offset: 0, why }
        }
    }
}
