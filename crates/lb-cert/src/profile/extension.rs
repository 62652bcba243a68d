//! Rules about extensions: which must be there, which must or must not be critical.

use super::frame::form;
use super::rule::{Level, Levels, Link, Rule};
use crate::certificate::oid;
use crate::tlv;
use Level::{Off, Refuse, Warn};

pub(super) static RULES: &[&Rule] = &[
    &form(
        "extension.readable",
        "RFC 5280, section 4.2",
        Levels::By(Warn, Refuse, Off),
        readable,
        "every known extension can be read, and none is there twice",
        "have the certificate issued again; the CA's software made a mistake",
    ),
    &form(
        "basic-constraints.missing",
        "RFC 5280, section 4.2.1.9",
        Levels::By(Refuse, Refuse, Warn),
        basic_constraints_missing,
        "a CA of version 3 says so in basic constraints, the root included",
        "have the CA's certificate issued with basicConstraints cA TRUE",
    ),
    &form(
        "basic-constraints.critical",
        "RFC 5280, section 4.2.1.9",
        Levels::By(Warn, Refuse, Off),
        basic_constraints_critical,
        "a CA's basic constraints are critical",
        "have the CA's certificate issued with critical basicConstraints",
    ),
    &form(
        "basic-constraints.path-length",
        "RFC 5280, section 4.2.1.9",
        Levels::By(Warn, Refuse, Off),
        path_length,
        "a pathLenConstraint stands only in a CA that may sign certificates",
        "have the certificate issued without pathLenConstraint",
    ),
    &form(
        "key-usage.missing",
        "RFC 5280, section 4.2.1.3",
        Levels::By(Warn, Refuse, Off),
        key_usage_missing,
        "a CA below the root states its key usage",
        "have the CA's certificate issued with keyUsage keyCertSign",
    ),
    &form(
        "key-usage.sign",
        "RFC 5280, section 6.1.4 (n)",
        Levels::By(Refuse, Refuse, Warn),
        key_usage_sign,
        "a CA that states its key usage may sign certificates, the root included",
        "have the CA's certificate issued with keyUsage keyCertSign",
    ),
    &form(
        "key-usage.empty",
        "RFC 5280, section 4.2.1.3",
        Levels::By(Warn, Refuse, Off),
        key_usage_empty,
        "a key usage that is stated allows something",
        "have the certificate issued with at least one key usage",
    ),
    &form(
        "key-usage.leaf",
        "RFC 5280, section 4.2.1.9",
        Levels::By(Warn, Refuse, Off),
        key_usage_leaf,
        "who is no CA may not sign certificates",
        "have the certificate issued without keyUsage keyCertSign",
    ),
    &form(
        "name-constraints.critical",
        "RFC 5280, section 4.2.1.10",
        Levels::By(Off, Warn, Off),
        name_constraints_critical,
        "name constraints are critical",
        "have the CA's certificate issued with critical nameConstraints",
    ),
    &form(
        "name-constraints.leaf",
        "RFC 5280, section 4.2.1.10",
        Levels::By(Refuse, Refuse, Off),
        name_constraints_leaf,
        "name constraints stand only in a CA's certificate",
        "have the certificate issued without nameConstraints",
    ),
    &form(
        "policy-constraints.critical",
        "RFC 5280, section 4.2.1.11",
        Levels::By(Warn, Refuse, Off),
        policy_constraints_critical,
        "policy constraints are critical",
        "have the CA's certificate issued with critical policyConstraints",
    ),
    &form(
        "policy-mappings.any",
        "RFC 5280, section 4.2.1.5",
        Levels::By(Refuse, Refuse, Off),
        policy_mappings_any,
        "no policy is mapped to or from anyPolicy",
        "have the CA's certificate issued with a mapping between two real policies",
    ),
    &form(
        "inhibit-any-policy.critical",
        "RFC 5280, section 4.2.1.14",
        Levels::By(Warn, Refuse, Off),
        inhibit_any_policy_critical,
        "inhibitAnyPolicy is critical",
        "have the CA's certificate issued with critical inhibitAnyPolicy",
    ),
    &form(
        "access.critical",
        "RFC 5280, section 4.2.2",
        Levels::By(Warn, Refuse, Off),
        access_critical,
        "authority and subject information access are not critical",
        "have the certificate issued with the extension not critical",
    ),
    &form(
        "freshest-crl.critical",
        "RFC 5280, section 4.2.1.15",
        Levels::By(Warn, Refuse, Off),
        freshest_crl_critical,
        "the freshest CRL's address is not critical",
        "have the certificate issued with freshestCRL not critical",
    ),
    &form(
        "issuer-names.critical",
        "RFC 5280, section 4.2.1.7",
        Levels::By(Warn, Warn, Off),
        issuer_names_critical,
        "the issuer's alternative names are not critical",
        "have the certificate issued with issuerAltName not critical",
    ),
];

fn readable(link: &Link<'_>) -> Option<String> {
    let first = link.certificate.malformed().first()?;
    Some(format!("{}: {}", first.oid, first.what))
}

fn basic_constraints_missing(link: &Link<'_>) -> Option<String> {
    let lacking = !link.is_leaf() && link.certificate.version() == 3 && !link.certificate.is_ca();
    lacking.then(|| match link.certificate.extension(oid::BASIC_CONSTRAINTS) {
        None => String::from("no basicConstraints"),
        Some(_) => String::from("basicConstraints cA FALSE"),
    })
}

fn basic_constraints_critical(link: &Link<'_>) -> Option<String> {
    let loose = link.is_ca() && link.certificate.extension(oid::BASIC_CONSTRAINTS) == Some(false);
    loose.then(|| String::from("basicConstraints not critical"))
}

fn path_length(link: &Link<'_>) -> Option<String> {
    let found = link.certificate.basic_constraints()?;
    let length = found.path_length?;
    let signs = link
        .certificate
        .key_usage()
        .is_some_and(|usage| usage.sign_certificates());
    (!found.ca || !signs).then(|| format!("pathLenConstraint {length}"))
}

fn key_usage_missing(link: &Link<'_>) -> Option<String> {
    let intermediate = !link.is_leaf() && !link.is_anchor();
    let missing = intermediate && link.certificate.extension(oid::KEY_USAGE).is_none();
    missing.then(|| String::from("no keyUsage"))
}

fn key_usage_sign(link: &Link<'_>) -> Option<String> {
    let usage = link.certificate.key_usage()?;
    (link.is_ca() && !usage.sign_certificates()).then(|| usages(usage))
}

fn key_usage_empty(link: &Link<'_>) -> Option<String> {
    let usage = link.certificate.key_usage()?;
    usage.names().next().is_none().then(|| String::from("no bit is set"))
}

fn key_usage_leaf(link: &Link<'_>) -> Option<String> {
    let usage = link.certificate.key_usage()?;
    (!link.is_ca() && usage.sign_certificates()).then(|| usages(usage))
}

fn usages(usage: crate::certificate::KeyUsage) -> String {
    let names: Vec<&str> = usage.names().collect();
    if names.is_empty() {
        String::from("no bit is set")
    } else {
        names.join(", ")
    }
}

fn name_constraints_critical(link: &Link<'_>) -> Option<String> {
    loose(link, oid::NAME_CONSTRAINTS)
}

fn name_constraints_leaf(link: &Link<'_>) -> Option<String> {
    let wrong =
        link.is_leaf() && !link.certificate.is_ca() && link.certificate.extension(oid::NAME_CONSTRAINTS).is_some();
    wrong.then(|| String::from("nameConstraints"))
}

fn policy_constraints_critical(link: &Link<'_>) -> Option<String> {
    loose(link, oid::POLICY_CONSTRAINTS)
}

fn policy_mappings_any(link: &Link<'_>) -> Option<String> {
    let mappings = link.certificate.known().policy_mappings.as_ref()?;
    let wrong = mappings
        .iter()
        .any(|(one, other)| **one == *super::ANY_POLICY || **other == *super::ANY_POLICY);
    wrong.then(|| String::from("anyPolicy"))
}

fn inhibit_any_policy_critical(link: &Link<'_>) -> Option<String> {
    loose(link, oid::INHIBIT_ANY_POLICY)
}

fn access_critical(link: &Link<'_>) -> Option<String> {
    tight(link, oid::AUTHORITY_ACCESS).or_else(|| tight(link, oid::SUBJECT_ACCESS))
}

fn freshest_crl_critical(link: &Link<'_>) -> Option<String> {
    tight(link, oid::FRESHEST_CRL)
}

fn issuer_names_critical(link: &Link<'_>) -> Option<String> {
    tight(link, oid::ISSUER_NAMES)
}

/// There, and not critical.
fn loose(link: &Link<'_>, oid: &[u8]) -> Option<String> {
    (link.certificate.extension(oid) == Some(false)).then(|| format!("{} not critical", tlv::dotted(oid)))
}

/// There, and critical.
pub(super) fn tight(link: &Link<'_>, oid: &[u8]) -> Option<String> {
    (link.certificate.extension(oid) == Some(true)).then(|| format!("{} critical", tlv::dotted(oid)))
}
