//! Is a certificate of a path revoked?

use super::{Refusal, Warning};
use crate::certificate::Certificate;
use crate::crl::{Crl, Crls, Freshness};
use crate::crypto::Crypto;
use crate::date::moment;
use crate::profile::{Level, Path, Rule, core};

/// The rules about CRLs that are not off.
type Rules = [(&'static Rule, Level, fn(&Crl, &Certificate) -> Option<String>)];

/// Looks for every certificate of the path in its issuer's CRLs.
pub(super) fn check(
    crls: &Crls,
    path: &Path<'_>,
    crypto: &dyn Crypto,
    rules: &Rules,
    warnings: &mut Vec<Warning>,
) -> Result<(), Refusal> {
    for (position, certificate, issuer) in path.pairs() {
        let question = Question {
            certificate,
            issuer,
            position,
            now: path.request.now,
        };
        ask(crls, &question, crypto, rules, warnings)?;
    }
    Ok(())
}

/// A CRL that can be used and does not list the certificate is enough; one that can be used and
/// lists it refuses; if there are only others, the first one's fault is told.
fn ask(
    crls: &Crls,
    question: &Question<'_>,
    crypto: &dyn Crypto,
    rules: &Rules,
    warnings: &mut Vec<Warning>,
) -> Result<(), Refusal> {
    let mut good = false;
    let mut fault = None;
    for list in crls.of(question.certificate.issuer_raw()) {
        match usable(crls.freshness(), list, question, crypto, rules) {
            Ok(mut found) => {
                good = true;
                warnings.append(&mut found);
            }
            Err(refusal) => {
                fault.get_or_insert(refusal);
                continue;
            }
        }
        if let Some(revocation) = list.find(question.certificate.serial()) {
            let (reason, since) = (revocation.reason, moment(revocation.since));
            let serial = crate::profile::hex(question.certificate.serial());
            return Err(question.refusal(&core::REVOKED, format!("serial number {serial}, {reason}, {since}")));
        }
    }
    match fault {
        _ if good => Ok(()),
        Some(refusal) => Err(refusal),
        None if crls.is_required() => {
            let value = format!("no CRL of {}", question.certificate.issuer());
            Err(question.refusal(&core::NO_REVOCATION, value))
        }
        None => Ok(()),
    }
}

/// May the CRL be used for this question? Gives the warnings.
fn usable(
    freshness: Freshness,
    list: &Crl,
    question: &Question<'_>,
    crypto: &dyn Crypto,
    rules: &Rules,
) -> Result<Vec<Warning>, Refusal> {
    let mut warnings = Vec::new();
    if let Some(why) = list.unsupported() {
        return Err(question.refusal(&core::CRL_UNSUPPORTED, format!("the issuer's CRL is {why}")));
    }
    if !list.is_signed_by(question.issuer.spki_raw(), crypto) {
        let value = format!("the key of {} did not sign its CRL", question.issuer.label());
        return Err(question.refusal(&core::CRL_SIGNATURE, value));
    }
    for (rule, level, check) in rules {
        let Some(value) = check(list, question.issuer) else {
            continue;
        };
        let refusal = question.refusal(rule, value);
        if *level == Level::Refuse {
            return Err(refusal);
        }
        warnings.push(Warning(refusal));
    }
    let over = list.next_update().filter(|next| question.now > *next);
    let value = match over {
        Some(next) => format!("the issuer's CRL was to be renewed by {}", moment(next)),
        None if question.now < list.this_update() => {
            format!("the issuer's CRL holds from {}", moment(list.this_update()))
        }
        None => return Ok(warnings),
    };
    let refusal = question.refusal(&core::CRL_EXPIRED, value);
    match freshness {
        Freshness::FailOpen if over.is_some() => {
            warnings.push(Warning(refusal));
            Ok(warnings)
        }
        _ => Err(refusal),
    }
}

/// Is this certificate of a path revoked?
struct Question<'a> {
    certificate: &'a Certificate,
    issuer: &'a Certificate,
    position: usize,
    now: i64,
}

impl Question<'_> {
    fn refusal(&self, rule: &'static Rule, value: String) -> Refusal {
        Refusal::new(rule, self.position, self.certificate.label(), value)
    }
}
