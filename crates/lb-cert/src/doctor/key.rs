//! The key.

use crate::bundle::{Comparison, KeyMatch, Mended, unknown_reason};
use crate::inspect::{colons, hex};
use crate::{Certificate, Crypto, Finding, Found, PrivateKey, Severity};

pub(super) fn findings(mended: &Mended, crypto: &dyn Crypto) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(pairing(mended, crypto));
    for spare in &mended.spare_keys {
        findings.push(Finding {
            severity: Severity::Warning,
            id: "spare-key",
            place: Some(spare.place.clone()),
            what: format!("a second private key ({})", spare.value.algorithm()),
            why: "A bundle has one key. Which of several a program takes is anybody's guess, and a key that lies \
                  about can be stolen.",
            mend: "Keep it in a file of its own, beside the certificate that it belongs to.".to_owned(),
        });
    }
    findings
}

fn pairing(mended: &Mended, crypto: &dyn Crypto) -> Option<Finding> {
    let leaf = mended.chain.first();
    let key = mended.key.as_ref();
    match (&mended.pairing, leaf, key) {
        (KeyMatch::Mismatch { certificate, key: own }, Some(leaf), Some(key)) => Some(Finding {
            severity: Severity::Error,
            id: "key-mismatch",
            place: Some(key.place.clone()),
            what: format!(
                "the key ({}) does not belong to the certificate {} ({}, {}): SHA-256 of the certificate's public key {}, of the key's {}",
                key.value.algorithm(),
                leaf.value.label(),
                leaf.place,
                leaf.value.key(),
                shown(certificate.as_ref()),
                shown(own.as_ref())
            ),
            why: "A server cannot prove that the certificate is its own; most refuse to start with the pair.",
            mend: "Look for the key that was there when the certificate was requested. If it is lost, make a new key \
                   and have the certificate issued again."
                .to_owned(),
        }),
        (KeyMatch::Unknown, Some(leaf), Some(key)) => Some(Finding {
            severity: Severity::Warning,
            id: "key-unknown",
            place: Some(key.place.clone()),
            what: format!(
                "whether the key ({}) belongs to {} cannot be told",
                key.value.algorithm(),
                leaf.value.label()
            ),
            why: unknown_reason(&key.value, crypto),
            mend: compare(&leaf.value, key, crypto),
        }),
        (KeyMatch::Absent, Some(_), None) => Some(Finding {
            severity: Severity::Note,
            id: "no-key",
            place: None,
            what: "no private key was given".to_owned(),
            why: "A server needs the key of its certificate; whether it fits could not be checked.",
            mend: "Give the key's file too.".to_owned(),
        }),
        _ => None,
    }
}

/// How a person finds out.
fn compare(leaf: &Certificate, key: &Found<PrivateKey>, crypto: &dyn Crypto) -> String {
    match Comparison::of(leaf, key, crypto) {
        Some(comparison) => format!("Compare with OpenSSL: {comparison}."),
        None => "Ask whoever made the key for a file with its public half.".to_owned(),
    }
}

fn shown(digest: Option<&[u8; 32]>) -> String {
    digest.map_or_else(|| "unknown".to_owned(), |digest| colons(&hex(digest)))
}
