//! Rules about key identifiers.

use super::extension::tight;
use super::frame::form;
use super::rule::{Check, Kind, Level, Levels, Link, Path, Rule};
use crate::certificate::oid;
use crate::signature::{self, Answer};
use Level::{Off, Refuse, Warn};

pub(super) static RULES: &[&Rule] = &[
    &form(
        "aki.missing",
        "RFC 5280, section 4.2.1.1",
        Levels::By(Warn, Refuse, Off),
        aki_missing,
        "a certificate that is not self-signed names the key that signed it",
        "have the certificate issued with authorityKeyIdentifier",
    ),
    &form(
        "aki.key-id",
        "RFC 5280, section 4.2.1.1",
        Levels::By(Warn, Refuse, Off),
        aki_key_id,
        "the authority key identifier holds a key identifier",
        "have the certificate issued with keyIdentifier in authorityKeyIdentifier",
    ),
    &form(
        "aki.critical",
        "RFC 5280, section 4.2.1.1",
        Levels::By(Warn, Refuse, Off),
        aki_critical,
        "the authority key identifier is not critical",
        "have the certificate issued with authorityKeyIdentifier not critical",
    ),
    &form(
        "aki.issuer-serial",
        "CA/Browser Forum BR, section 7.1.2.11.1",
        Levels::By(Off, Refuse, Off),
        aki_issuer_serial,
        "the authority key identifier holds neither issuer nor serial number",
        "have the certificate issued with keyIdentifier alone",
    ),
    &form(
        "aki.root",
        "CA/Browser Forum BR, section 7.1.2.1.3",
        Levels::By(Warn, Refuse, Off),
        aki_root,
        "a root that names the key that signed it names its own",
        "have the root made again with authorityKeyIdentifier equal to subjectKeyIdentifier, or without",
    ),
    &Rule {
        id: "aki.issuer-key",
        section: "CA/Browser Forum BR, section 7.1.2.11.1",
        what: "the authority key identifier is the issuer's subject key identifier",
        mend: "have the certificate issued again, or use the issuer's certificate that has this key identifier",
        kind: Kind::Form,
        levels: Levels::By(Warn, Refuse, Off),
        check: Check::Path(aki_issuer_key),
    },
    &Rule {
        id: "issuer.taken-for-self-signed",
        section: "RFC 5280, section 3.2; OpenSSL's error 18",
        what: "a certificate that has its issuer's name shows by both key identifiers that it is not self-signed: OpenSSL \
               (curl, Python, Node, nginx, HAProxy) does not try the signature, and refuses it",
        mend: "have the certificate issued again under a name of its own, or with both subjectKeyIdentifier and \
               authorityKeyIdentifier",
        kind: Kind::Clients,
        levels: Levels::By(Warn, Warn, Warn),
        check: Check::Each(taken_for_self_signed),
    },
    &form(
        "ski.missing",
        "RFC 5280, section 4.2.1.2",
        Levels::By(Warn, Refuse, Off),
        ski_missing,
        "a CA's certificate has a subject key identifier",
        "have the CA's certificate issued with subjectKeyIdentifier",
    ),
    &form(
        "ski.critical",
        "RFC 5280, section 4.2.1.2",
        Levels::By(Warn, Refuse, Off),
        ski_critical,
        "the subject key identifier is not critical",
        "have the certificate issued with subjectKeyIdentifier not critical",
    ),
    &form(
        "ski.empty",
        "RFC 5280, section 4.2.1.2",
        Levels::By(Warn, Refuse, Off),
        ski_empty,
        "a subject key identifier is not empty",
        "have the certificate issued with the key's digest as subjectKeyIdentifier",
    ),
];

fn aki_missing(link: &Link<'_>) -> Option<String> {
    let certificate = link.certificate;
    let missing = certificate.extension(oid::AUTHORITY_KEY_ID).is_none() && !is_self_signed(link);
    missing.then(|| String::from("no authorityKeyIdentifier"))
}

/// A root that issued itself by name is taken for self-signed; of others the signature decides.
fn is_self_signed(link: &Link<'_>) -> bool {
    let one = link.certificate;
    if link.is_anchor() && one.is_self_issued() {
        return true;
    }
    let algorithm = one.signature_algorithm_raw();
    let answer = signature::check(link.crypto, one.spki_raw(), algorithm, one.signed(), one.signature());
    answer == Answer::Good
}

fn aki_key_id(link: &Link<'_>) -> Option<String> {
    let found = link.certificate.authority_key_id()?;
    let missing = found.key_id.as_ref().is_none_or(|id| id.is_empty());
    missing.then(|| String::from("authorityKeyIdentifier without keyIdentifier"))
}

fn aki_critical(link: &Link<'_>) -> Option<String> {
    tight(link, oid::AUTHORITY_KEY_ID)
}

fn aki_issuer_serial(link: &Link<'_>) -> Option<String> {
    let found = link.certificate.authority_key_id()?;
    match (&found.issuer, &found.serial) {
        (None, None) => None,
        (Some(_), None) => Some(String::from("authorityCertIssuer")),
        (None, Some(_)) => Some(String::from("authorityCertSerialNumber")),
        (Some(_), Some(_)) => Some(String::from("authorityCertIssuer and authorityCertSerialNumber")),
    }
}

fn aki_root(link: &Link<'_>) -> Option<String> {
    if !link.is_anchor() || !link.certificate.is_self_issued() {
        return None;
    }
    let named = link.certificate.authority_key_id()?.key_id.as_deref()?;
    let own = link.certificate.subject_key_id()?;
    (named != own).then(|| format!("{} is not {}", super::hex(named), super::hex(own)))
}

fn aki_issuer_key(path: &Path<'_>) -> Option<(usize, String)> {
    path.pairs().find_map(|(position, certificate, issuer)| {
        let named = certificate.authority_key_id()?.key_id.as_deref()?;
        let own = issuer.subject_key_id()?;
        (named != own).then(|| (position, format!("{} is not {}", super::hex(named), super::hex(own))))
    })
}

/// As the doctor's finding of this name.
fn taken_for_self_signed(link: &Link<'_>) -> Option<String> {
    let one = link.certificate;
    if link.is_anchor() || !one.looks_self_signed() || one.is_self_signed(link.crypto) {
        return None;
    }
    let missing = match (one.subject_key_id(), one.authority_key_id()) {
        (None, _) => "subjectKeyIdentifier",
        (_, None) => "authorityKeyIdentifier",
        _ => "a key identifier of its issuer that is not its own",
    };
    Some(format!(
        "its issuer has the same name, {}, and it has no {missing}",
        one.subject()
    ))
}

fn ski_missing(link: &Link<'_>) -> Option<String> {
    let missing = link.is_ca() && link.certificate.extension(oid::SUBJECT_KEY_ID).is_none();
    missing.then(|| String::from("no subjectKeyIdentifier"))
}

fn ski_critical(link: &Link<'_>) -> Option<String> {
    tight(link, oid::SUBJECT_KEY_ID)
}

fn ski_empty(link: &Link<'_>) -> Option<String> {
    let found = link.certificate.subject_key_id()?;
    found.is_empty().then(|| String::from("no bytes"))
}
