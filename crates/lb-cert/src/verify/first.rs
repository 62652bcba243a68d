//! The first layer: rustls-webpki builds paths; each that it finds has to please the profile.

use super::{Refusal, Step, Verified, Verifier};
use crate::certificate::Certificate;
use crate::profile::{Path, core};
use crate::request::Request;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::cell::RefCell;
use std::time::Duration;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};

/// Why there was no path.
pub(super) struct Refused {
    error: webpki::Error,
    /// The profile's word on the first path that rustls-webpki found.
    profile: Option<Box<Refusal>>,
}

impl Refused {
    /// The refusal when our own search has nothing against the path that it `found`. The error of rustls-webpki is that of
    /// whichever way it tried last, so it is no reason.
    pub(super) fn unexplained(
        self,
        verifier: &Verifier<'_>,
        leaf: &Certificate,
        others: &[Certificate],
        request: &Request<'_>,
        found: &Verified,
    ) -> Refusal {
        if let Some(refusal) = self.profile {
            return *refusal;
        }
        let way: Vec<&Certificate> = found
            .path()
            .iter()
            .filter_map(|step| match step {
                Step::Leaf => Some(leaf),
                Step::Intermediate(index) => others.get(*index),
                Step::Anchor(index) => verifier.roots.certificates.get(*index),
            })
            .collect();
        let labels: Vec<String> = way.iter().skip(1).map(|one| one.label()).collect();
        let why = obstacle(&way).unwrap_or_else(|| {
            let sent = way.iter().skip(1).take(way.len().saturating_sub(2));
            let sent: Vec<Certificate> = sent.map(|one| (*one).clone()).collect();
            if verify(verifier, leaf, &sent, request).is_ok() {
                String::from("it gave up among all that was sent; with these certificates alone it finds the way")
            } else {
                format!("its last word, perhaps of another way, is {:?}", self.error)
            }
        });
        let value = format!(
            "there is a way by {} that breaks no rule, and rustls-webpki, which decides in this profile, does not take it: {why}",
            labels.join(", ")
        );
        Refusal::new(&core::WEBPKI, 0, leaf.label(), value)
    }
}

/// What rustls-webpki is known not to follow on a path.
fn obstacle(way: &[&Certificate]) -> Option<String> {
    let intermediates = way.len().saturating_sub(2);
    if intermediates > MOST_INTERMEDIATES {
        return Some(format!(
            "it follows at most {MOST_INTERMEDIATES} intermediate certificates, and these are {intermediates}"
        ));
    }
    let mut pairs = way.iter().zip(way.iter().skip(1));
    if let Some((_, issuer)) = pairs.find(|(one, issuer)| one.issuer_raw() != issuer.subject_raw()) {
        return Some(format!(
            "it compares names byte for byte, and that of {} is written in two ways",
            issuer.label()
        ));
    }
    let own = way
        .iter()
        .skip(1)
        .take(intermediates)
        .find(|one| one.is_self_issued())?;
    let is_limited = |one: &&Certificate| one.basic_constraints().is_some_and(|found| found.path_length.is_some());
    way.iter().skip(1).any(is_limited).then(|| {
        format!(
            "it counts {}, which is self-issued, against the length of the path, and RFC 5280, section 6.1.4 (l), does not",
            own.label()
        )
    })
}

/// What rustls-webpki follows: a constant of its path building.
const MOST_INTERMEDIATES: usize = 6;

/// Usages are the profile's matter, so that the refusal can name the certificate.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

pub(super) fn verify(
    verifier: &Verifier<'_>,
    leaf: &Certificate,
    others: &[Certificate],
    request: &Request<'_>,
) -> Result<Verified, Refused> {
    let refused = |error| Refused { error, profile: None };
    let entity = EndEntityCert::try_from(leaf.der()).map_err(refused)?;
    let intermediates: Vec<CertificateDer<'_>> = others
        .iter()
        .map(|one| CertificateDer::from(one.der().as_ref()))
        .collect();
    let seconds = u64::try_from(request.now).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));

    let outcome: RefCell<Option<Result<Verified, Refusal>>> = RefCell::new(None);
    let judge = |found: &VerifiedPath<'_>| {
        let judged = judge(verifier, leaf, others, request, found);
        let answer = if judged.is_ok() {
            Ok(())
        } else {
            Err(webpki::Error::UnknownIssuer)
        };
        let mut outcome = outcome.borrow_mut();
        // the first path's refusal is kept: it is the shortest
        if judged.is_ok() || outcome.is_none() {
            *outcome = Some(judged);
        }
        answer
    };
    let result = entity.verify_for_usage(
        verifier.crypto.algorithms(),
        &verifier.roots.anchors,
        &intermediates,
        now,
        AnyUsage,
        None,
        Some(&judge),
    );
    match (result.map(drop), outcome.into_inner()) {
        (Ok(()), Some(Ok(verified))) => Ok(verified),
        (Ok(()), _) => Err(refused(webpki::Error::UnknownIssuer)),
        (Err(error), judged) => Err(Refused {
            error,
            profile: judged.and_then(Result::err).map(Box::new),
        }),
    }
}

/// The profile's word on a path of rustls-webpki. Certificates are found by their address.
fn judge(
    verifier: &Verifier<'_>,
    leaf: &Certificate,
    others: &[Certificate],
    request: &Request<'_>,
    found: &VerifiedPath<'_>,
) -> Result<Verified, Refusal> {
    let lost = || {
        Refusal::new(
            &core::WEBPKI,
            0,
            leaf.label(),
            String::from("a certificate that nobody sent"),
        )
    };
    let mut steps = vec![Step::Leaf];
    let mut certificates = vec![leaf];
    for intermediate in found.intermediate_certificates() {
        let address = intermediate.der().as_ptr();
        let index = others
            .iter()
            .position(|one| one.der().as_ptr() == address)
            .ok_or_else(lost)?;
        steps.push(Step::Intermediate(index));
        certificates.push(others.get(index).ok_or_else(lost)?);
    }
    let anchors = &verifier.roots.anchors;
    let index = anchors
        .iter()
        .position(|one| std::ptr::eq(one, found.anchor()))
        .ok_or_else(lost)?;
    steps.push(Step::Anchor(index));
    certificates.push(verifier.roots.certificates.get(index).ok_or_else(lost)?);

    let path = Path {
        certificates: &certificates,
        request,
    };
    let warnings = verifier.checks.all(&path, verifier)?;
    Ok(Verified { path: steps, warnings })
}
