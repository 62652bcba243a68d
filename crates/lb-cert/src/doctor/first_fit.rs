//! How OpenSSL finds its way: forwards only.
//!
//! At each certificate it looks among the roots first, then among what was sent, by name, key identifiers and kind of
//! key; signatures are checked when the way is complete. It takes the first issuer that fits (one that is valid before
//! one that is not), never another, and goes no further than a certificate that looks self-signed. Measured with
//! OpenSSL 3.0, its `verify`, curl and Python; a test runs the same cases where openssl is installed.

use super::Examination;
use super::clients::Verdict;
use crate::bundle::Issuer;
use crate::graph::is_signed_by;
use crate::inspect::Validity;
use crate::{Certificate, Roots};

/// The verdict, and the certificates that were used, leaf first.
pub(super) fn walk(sent: &[Certificate], roots: &Roots, examination: &Examination<'_>) -> (Verdict, Vec<Certificate>) {
    let mut left: Vec<&Certificate> = sent.iter().skip(1).collect();
    let mut way: Vec<Certificate> = sent.iter().take(1).cloned().collect();
    // Each turn takes one of those that are left.
    while let Some(last) = way.last() {
        let verdict = match step(last, &left, roots, examination) {
            Ok(next) => {
                let next = next.clone();
                left.retain(|one| **one != next);
                way.push(next);
                continue;
            }
            Err(verdict) => verdict,
        };
        return (verdict, way);
    }
    (Verdict::Nothing, way)
}

/// The issuer that is taken of those that were sent, or the end of the way.
fn step<'a>(
    last: &Certificate,
    left: &[&'a Certificate],
    roots: &Roots,
    examination: &Examination<'_>,
) -> Result<&'a Certificate, Verdict> {
    if roots.iter().any(|root| root == last) {
        return Err(Verdict::Trusts { root: last.label() });
    }
    if last.looks_self_signed() {
        return Err(if last.is_self_signed(examination.crypto) {
            Verdict::UnknownRoot { root: last.label() }
        } else {
            Verdict::TakenForSelfSigned {
                certificate: last.label(),
            }
        });
    }
    if let Some(root) = first_fit(last, roots.iter(), examination.at) {
        signed(last, root, examination)?;
        return Err(Verdict::Trusts { root: root.label() });
    }
    match first_fit(last, left.iter().copied(), examination.at) {
        Some(issuer) => signed(last, issuer, examination).map(|()| issuer),
        None => Err(Verdict::Missing {
            issuer: Issuer::of(last),
        }),
    }
}

/// The first that fits and is valid, else of those that fit the one that ended last.
fn first_fit<'a>(
    last: &Certificate,
    candidates: impl Iterator<Item = &'a Certificate>,
    at: i64,
) -> Option<&'a Certificate> {
    let mut ended: Option<&Certificate> = None;
    for candidate in candidates.filter(|one| last.is_issued_by(one) && last.may_be_signed_by(one)) {
        if matches!(Validity::of(candidate, at), Validity::Valid { .. }) {
            return Some(candidate);
        }
        if ended.is_none_or(|known| candidate.not_after() > known.not_after()) {
            ended = Some(candidate);
        }
    }
    ended
}

/// What is found wrong with the issuer that was taken.
fn signed(last: &Certificate, issuer: &Certificate, examination: &Examination<'_>) -> Result<(), Verdict> {
    if is_signed_by(last, issuer, examination.crypto) == Some(false) {
        return Err(Verdict::WrongIssuer {
            certificate: last.label(),
            issuer: issuer.label(),
        });
    }
    match Validity::of(issuer, examination.at) {
        Validity::Valid { .. } => Ok(()),
        validity => Err(Verdict::NotValid {
            certificate: format!("{}: {validity}", issuer.label()),
        }),
    }
}
