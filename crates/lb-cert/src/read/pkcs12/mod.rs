//! PKCS#12 (RFC 7292): certificates, keys and revocation lists of a container, whoever wrote it.
//!
//! The structure is BER throughout, by asn1-rs: NSS and Bouncy Castle write indefinite lengths and strings in pieces.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod open;
mod relock;
mod structure;

pub(crate) use relock::relocked;

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use self::open::{Item, Opener};
use self::structure::Container;
use super::{Contents, NoteKind, Problem, ReadError, ReadOptions, shape};
use crate::Place;

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
    let limits = &options.limits;
    let whole = shape::one(bytes, WHAT).map_err(at)?;
    if whole.len() > limits.encrypted_bytes {
        return Err(at(Problem::Limit {
            what: "bytes of a PKCS#12",
            limit: limits.encrypted_bytes as u64,
        }));
    }
    let command = super::conversion::pkcs12(place);
    let container = Container::read(whole, limits.depth, command).map_err(at)?;
    let has_mac = container.mac.is_some();
    let mut opener = Opener::new(options, command, &mut contents.budget);
    let items = opener.open(container).map_err(at)?;
    contents.is_unlocked |= opener.took_a_password();
    if !has_mac {
        contents.note(place, NoteKind::NoMac);
    }
    let (mut skipped, mut is_of_use) = (Vec::new(), false);
    for (index, item) in items.into_iter().enumerate() {
        // In PEM the block of the armour stands.
        let place = if place.line.is_some() {
            place.clone()
        } else {
            let block = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
            Place { block, ..place.clone() }
        };
        let refuse = |problem| ReadError {
            place: place.clone(),
            problem,
        };
        is_of_use |= !matches!(item, Item::Skipped(_));
        match item {
            Item::Certificate(der) => {
                super::structure::certificate(&der, limits.depth).map_err(refuse)?;
                contents.add_certificate(CertificateDer::from(der), &place, limits)?;
            }
            Item::Crl(der) => {
                super::structure::revocation_list(&der, limits.depth).map_err(refuse)?;
                contents.add_crl(CertificateRevocationListDer::from(der), &place);
            }
            Item::Key(key) => contents.add_key(key, &place, options)?,
            Item::Skipped(what) => {
                contents.note(&place, NoteKind::Skipped { what });
                if !skipped.contains(&what) {
                    skipped.push(what);
                }
            }
        }
    }
    if is_of_use {
        return Ok(());
    }
    let found = if skipped.is_empty() {
        "a PKCS#12 without certificates and keys".into()
    } else {
        format!("a PKCS#12 with {}", skipped.join(" and "))
    };
    Err(at(Problem::NothingOfUse { found }))
}

const WHAT: &str = "the PKCS#12";
