//! Rules about what the keys of a peer, of its CAs and of its root are for. Mostly the CA/Browser Forum's.

use super::extension::tight;
use super::frame::form;
use super::leaf::is_server_leaf;
use super::rule::{Level, Levels, Link, Rule};
use crate::certificate::oid;
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
