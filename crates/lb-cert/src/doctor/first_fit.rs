//! How OpenSSL finds its way: forwards only.
//!
//! At each certificate it looks among the roots first, then among what was sent, by name, key identifiers and kind of
//! key; signatures are checked when the way is complete. It takes the first issuer that fits (one that is valid before
//! one that is not), never another, and goes no further than a certificate that looks self-signed; without the flag for
//! partial chains (curl and Python 3.13 set it) only such a one is a root. Measured with OpenSSL 3.0 and its `verify`; a
//! test runs the same cases where openssl is installed.

use super::Examination;
use super::clients::Verdict;
use crate::bundle::Issuer;
use crate::inspect::Validity;
use crate::signature::is_signed_by;
use crate::{Certificate, Roots};

/// The verdict, and the certificates that were used, leaf first; the root last when it trusts.
pub(super) fn walk(sent: &[Certificate], roots: &Roots, examination: &Examination<'_>) -> (Verdict, Vec<Certificate>) {
    let mut left: Vec<&Certificate> = sent.iter().skip(1).collect();
    let mut way: Vec<Certificate> = sent.iter().take(1).cloned().collect();
    let mut is_among_roots = false;
    // Each turn takes one of those that are left, or goes up among the roots.
    while let Some(last) = way.last() {
        if way.len() > MOST_STEPS {
            break;
        }
        match step(last, &left, is_among_roots, roots, examination) {
            Step::Up(next) => {
                let next = next.clone();
                left.retain(|one| **one != next);
                way.push(next);
            }
            Step::Root(root) => {
                is_among_roots = true;
                let root = root.clone();
                if root != *last {
                    way.push(root.clone());
                }
                if looks_self_signed(&root) {
                    return (judged(&way, examination), way);
                }
            }
            Step::End(verdict) => return (verdict, way),
        }
    }
    let verdict = way.last().map_or(Verdict::Nothing, |last| Verdict::NotARoot {
        certificate: last.label(),
    });
    (verdict, way)
}

/// Where the way goes.
enum Step<'a> {
    /// To an issuer that was sent.
    Up(&'a Certificate),
    /// To one of the roots.
    Root(&'a Certificate),
    End(Verdict),
}

fn step<'a>(
    last: &Certificate,
    left: &[&'a Certificate],
    is_among_roots: bool,
    roots: &'a Roots,
    examination: &Examination<'_>,
) -> Step<'a> {
    let is_self_signed = looks_self_signed(last);
    match first_fit(last, roots.iter(), examination.at) {
        Some(root) if !is_self_signed || root == last => return Step::Root(root),
        // What has a root's name and identifiers and is another certificate is not taken for it.
        _ => {}
    }
    let certificate = last.label();
    if is_among_roots {
        return Step::End(Verdict::NotARoot { certificate });
    }
    if is_self_signed {
        return Step::End(if last.is_self_signed(examination.crypto) {
            Verdict::UnknownRoot { root: certificate }
        } else {
            Verdict::TakenForSelfSigned { certificate }
        });
    }
    match first_fit(last, left.iter().copied(), examination.at) {
        Some(issuer) => Step::Up(issuer),
        None => Step::End(Verdict::Missing {
            issuer: Issuer::of(last),
        }),
    }
}

/// Signatures and dates are looked at when the way is complete.
fn judged(way: &[Certificate], examination: &Examination<'_>) -> Verdict {
    let pairs = way.iter().zip(way.iter().skip(1));
    let wrong = pairs
        .map(|(one, issuer)| signed(one, issuer, examination))
        .find_map(Result::err);
    wrong.unwrap_or_else(|| Verdict::Trusts {
        root: way.last().map(Certificate::label).unwrap_or_default(),
    })
}

fn looks_self_signed(certificate: &Certificate) -> bool {
    certificate.is_issued_by_for_openssl(certificate) && certificate.may_be_signed_by(certificate)
}

/// The first that fits and is valid, else of those that fit the one that ended last.
fn first_fit<'a>(
    last: &Certificate,
    candidates: impl Iterator<Item = &'a Certificate>,
    at: i64,
) -> Option<&'a Certificate> {
    let mut ended: Option<&Certificate> = None;
    for candidate in candidates.filter(|one| last.is_issued_by_for_openssl(one) && last.may_be_signed_by(one)) {
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

/// What OpenSSL goes by default.
const MOST_STEPS: usize = 100;
