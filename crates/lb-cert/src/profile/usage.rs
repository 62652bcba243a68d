//! Rules about what the keys of a peer, of its CAs and of its root are for. Mostly the CA/Browser Forum's.

use super::extension::tight;
use super::frame::form;
use super::leaf::is_server_leaf;
use super::rule::{Level, Levels, Link, Role, Rule};
use crate::certificate::oid;
use crate::request::Purpose;
use Level::{Off, Refuse, Warn};

pub(super) static RULES: &[&Rule] = &[
    &form(
        "eku.missing",
        "CA/Browser Forum BR, section 7.1.2.7.10",
        Levels::By(Off, Warn, Off),
        eku_missing,
        "a peer's certificate states its extended key usage",
        "have the certificate issued with extendedKeyUsage serverAuth",
    ),
    &form(
        "eku.any",
        "CA/Browser Forum BR, section 7.1.2.7.10",
        Levels::By(Off, Refuse, Off),
        eku_any,
        "the extended key usage of a peer is not everything",
        "have the certificate issued with extendedKeyUsage serverAuth instead of anyExtendedKeyUsage",
    ),
    &form(
        "eku.beside-server",
        "CA/Browser Forum BR, section 7.1.2.7.10",
        Levels::By(Off, Refuse, Off),
        eku_beside_server,
        "a server's certificate is for servers and clients, and for nothing that signs code, mail, times or answers",
        "have the certificate issued with extendedKeyUsage serverAuth (and clientAuth) alone, and another for the rest",
    ),
    &form(
        "eku.beside-issuer",
        "CA/Browser Forum BR, section 7.1.2.10.6",
        Levels::By(Off, Warn, Off),
        eku_beside_issuer,
        "a CA below the root that names servers in its extended key usage names no other signers",
        "have the CA's certificate issued with extendedKeyUsage serverAuth (and clientAuth) alone",
    ),
    &form(
        "eku.critical",
        "CA/Browser Forum BR, section 7.1.2.7.6",
        Levels::By(Off, Refuse, Off),
        eku_critical,
        "a server's extended key usage is not critical",
        "have the certificate issued with extendedKeyUsage not critical",
    ),
    &form(
        "key-usage.server",
        "RFC 8446, section 4.4.2.2",
        Levels::By(Warn, Warn, Warn),
        key_usage_server,
        "a server's certificate that states its key usage allows digital signatures, with which TLS 1.3 proves the key",
        "have the certificate issued with keyUsage digitalSignature",
    ),
    &form(
        "eku.root",
        "CA/Browser Forum BR, section 7.1.2.1.2",
        Levels::By(Off, Refuse, Off),
        eku_root,
        "a root has no extended key usage",
        "have the root made again without extendedKeyUsage",
    ),
];

fn eku_missing(link: &Link<'_>) -> Option<String> {
    let missing = is_server_leaf(link) && link.certificate.extension(oid::EXTENDED_KEY_USAGE).is_none();
    missing.then(|| String::from("no extendedKeyUsage"))
}

fn eku_any(link: &Link<'_>) -> Option<String> {
    let found = link.certificate.known().extended_key_usage.as_ref()?;
    let any = link.is_leaf() && found.iter().any(|oid| **oid == *ANY_USAGE);
    any.then(|| String::from("anyExtendedKeyUsage"))
}

const ANY_USAGE: &[u8] = &[0x55, 0x1d, 0x25, 0x00];

/// What the forum's rules forbid beside serverAuth, with its name.
const FORBIDDEN: [(&[u8], &str); 5] = [
    (&[0x2b, 6, 1, 5, 5, 7, 3, 3], "codeSigning"),
    (&[0x2b, 6, 1, 5, 5, 7, 3, 4], "emailProtection"),
    (&[0x2b, 6, 1, 5, 5, 7, 3, 8], "timeStamping"),
    (&[0x2b, 6, 1, 5, 5, 7, 3, 9], "OCSPSigning"),
    // 1.3.6.1.4.1.11129.2.4.4 (RFC 6962, section 3.1)
    (&[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 4], "precertificate signing"),
];

/// The forbidden usages that stand beside serverAuth.
fn forbidden<'a>(link: &'a Link<'_>) -> impl Iterator<Item = &'static str> + use<'a> {
    let found = link
        .certificate
        .known()
        .extended_key_usage
        .as_deref()
        .unwrap_or_default();
    let has = move |oid: &[u8]| found.iter().any(|one| **one == *oid);
    let names = FORBIDDEN.iter().filter(move |(oid, _)| has(oid)).map(|(_, name)| *name);
    names.take_while(move |_| has(Purpose::Server.oid()))
}

fn eku_beside_server(link: &Link<'_>) -> Option<String> {
    if !is_server_leaf(link) {
        return None;
    }
    listed(forbidden(link).collect())
}

/// One that names nothing but anyExtendedKeyUsage is an unrestricted CA: section 7.1.2.2.4 allows it.
fn eku_beside_issuer(link: &Link<'_>) -> Option<String> {
    if link.role != Role::Intermediate || !link.request.purposes.contains(&Purpose::Server) {
        return None;
    }
    let found = link.certificate.known().extended_key_usage.as_deref()?;
    let is_any = found.len() > 1 && found.iter().any(|oid| **oid == *ANY_USAGE);
    let any = is_any.then_some("anyExtendedKeyUsage");
    listed(forbidden(link).chain(any).collect())
}

fn listed(names: Vec<&str>) -> Option<String> {
    (!names.is_empty()).then(|| names.join(", "))
}

fn eku_critical(link: &Link<'_>) -> Option<String> {
    if !is_server_leaf(link) {
        return None;
    }
    tight(link, oid::EXTENDED_KEY_USAGE)
}

fn key_usage_server(link: &Link<'_>) -> Option<String> {
    if !is_server_leaf(link) {
        return None;
    }
    let usage = link.certificate.key_usage()?;
    (!usage.has("digitalSignature")).then(|| {
        let names: Vec<&str> = usage.names().collect();
        format!("key usage {}", names.join(", "))
    })
}

fn eku_root(link: &Link<'_>) -> Option<String> {
    let root = link.is_anchor() && link.certificate.is_self_issued();
    let wrong = root && link.certificate.extension(oid::EXTENDED_KEY_USAGE).is_some();
    wrong.then(|| String::from("extendedKeyUsage"))
}
