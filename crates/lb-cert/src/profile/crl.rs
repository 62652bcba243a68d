//! Rules about CRLs and who signs them.

use super::rule::{Check, Kind, Level, Levels, Rule};
use crate::certificate::Certificate;
use crate::crl::Crl;
use Level::{Off, Refuse, Warn};

pub(super) static RULES: &[&Rule] = &[
    &rule(
        "crl.sign-right",
        "RFC 5280, section 6.3.3 (f)",
        Levels::By(Refuse, Refuse, Refuse),
        sign_right,
        "a CA that states its key usage may sign CRLs",
        "have the CA's certificate issued with keyUsage cRLSign",
    ),
    &rule(
        "crl.version",
        "RFC 5280, section 5.1.2.1",
        Levels::By(Warn, Refuse, Off),
        version,
        "a CRL has version 2",
        "have the CA issue CRLs of version 2",
    ),
    &rule(
        "crl.number-missing",
        "RFC 5280, section 5.2.3",
        Levels::By(Warn, Refuse, Off),
        number_missing,
        "a CRL has a number",
        "have the CA number its CRLs",
    ),
    &rule(
        "crl.number-critical",
        "RFC 5280, section 5.2.3",
        Levels::By(Warn, Refuse, Off),
        number_critical,
        "the CRL's number is not critical",
        "have the CA issue CRLs with cRLNumber not critical",
    ),
    &rule(
        "crl.key-id",
        "RFC 5280, section 5.2.1",
        Levels::By(Warn, Refuse, Off),
        key_id,
        "a CRL names the key that signed it",
        "have the CA issue CRLs with authorityKeyIdentifier",
    ),
    &rule(
        "crl.next-update",
        "RFC 5280, section 5.1.2.5",
        Levels::By(Warn, Refuse, Off),
        next_update,
        "a CRL says when the next one comes",
        "have the CA issue CRLs with nextUpdate",
    ),
    &rule(
        "crl.algorithm",
        "RFC 5280, section 5.1.1.2",
        Levels::By(Refuse, Refuse, Refuse),
        algorithm,
        "the signature algorithm inside the CRL is the one outside",
        "fetch the CRL again; it was altered or made wrongly",
    ),
];

const fn rule(
    id: &'static str,
    section: &'static str,
    levels: Levels,
    check: fn(&Crl, &Certificate) -> Option<String>,
    what: &'static str,
    mend: &'static str,
) -> Rule {
    Rule {
        id,
        section,
        what,
        mend,
        kind: Kind::RevocationUnknown,
        levels,
        check: Check::Crl(check),
    }
}

fn sign_right(_: &Crl, issuer: &Certificate) -> Option<String> {
    let usage = issuer.key_usage()?;
    (!usage.sign_crls()).then(|| usage.names().collect::<Vec<_>>().join(", "))
}

fn version(crl: &Crl, _: &Certificate) -> Option<String> {
    (crl.version() != 2).then(|| format!("version {}", crl.version()))
}

fn number_missing(crl: &Crl, _: &Certificate) -> Option<String> {
    crl.number_critical().is_none().then(|| String::from("no cRLNumber"))
}

fn number_critical(crl: &Crl, _: &Certificate) -> Option<String> {
    (crl.number_critical() == Some(true)).then(|| String::from("cRLNumber critical"))
}

fn key_id(crl: &Crl, _: &Certificate) -> Option<String> {
    (!crl.names_its_key()).then(|| String::from("no authorityKeyIdentifier"))
}

fn next_update(crl: &Crl, _: &Certificate) -> Option<String> {
    crl.next_update().is_none().then(|| String::from("no nextUpdate"))
}

fn algorithm(crl: &Crl, _: &Certificate) -> Option<String> {
    (!crl.algorithms_agree()).then(|| String::from("two algorithms"))
}
