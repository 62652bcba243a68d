//! Each certificate of the chain.

use super::{Certificate, Examination, Found};
use crate::bundle::Mended;
use crate::count::{agreed, counted};
use crate::inspect::Validity;
use crate::{Crypto, Finding, GeneralName, KeyKind, Severity, date};

pub(super) fn findings(mended: &Mended, examination: &Examination<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let crypto = examination.crypto;
    // CAs below the one that is looked at; a CA's own new key does not count (RFC 5280, section 6.1.4 (l)).
    let mut below = 0_usize;
    for (position, found) in mended.chain.iter().enumerate() {
        findings.extend(validity(found, examination.at));
        findings.extend(key(found));
        findings.extend(signature(found, crypto));
        findings.extend(malformed(found));
        let has_issuer = position + 1 < mended.chain.len();
        findings.extend(namesake(found, has_issuer, crypto));
        if position > 0 {
            findings.extend(issuing(found, below, crypto));
            below = below.saturating_add(usize::from(!found.value.is_self_issued()));
        }
    }
    for found in &mended.further {
        findings.extend(validity(found, examination.at));
        findings.extend(key(found));
        findings.extend(signature(found, crypto));
        findings.extend(malformed(found));
    }
    if let Some((leaf, issuers)) = mended.chain.split_first() {
        findings.extend(outlived(leaf, issuers));
        findings.extend(names(leaf, examination.names));
        findings.extend(usage(leaf, issuers.is_empty(), crypto));
        findings.extend(lifetime(leaf));
    }
    findings
}

fn finding(
    found: &Found<Certificate>,
    severity: Severity,
    id: &'static str,
    what: String,
    why: &'static str,
    mend: impl Into<String>,
) -> Finding {
    Finding {
        severity,
        id,
        place: Some(found.place.clone()),
        what,
        why,
        mend: mend.into(),
    }
}

fn validity(found: &Found<Certificate>, at: i64) -> Option<Finding> {
    let certificate = &found.value;
    let label = certificate.label();
    let (begin, end) = (certificate.not_before(), certificate.not_after());
    const RENEW: &str = "Have it issued again, and let a program do it from now on (ACME): a date like this is missed \
                         by everybody once.";
    match Validity::of(certificate, at) {
        Validity::Expired { .. } => Some(finding(
            found,
            Severity::Error,
            "expired",
            format!("{label} {}, on {}", Validity::of(certificate, at), date::moment(end)),
            "Every client refuses it, and people cannot click the warning away where HSTS is in force.",
            if certificate.is_ca() {
                "Get the issuer's present certificate: the same issuer mostly has a newer one. If there is none, have \
                 the server's certificate issued again."
            } else {
                RENEW
            },
        )),
        Validity::NotYet { .. } => Some(finding(
            found,
            Severity::Error,
            "not-yet-valid",
            format!(
                "{label} is {}, on {}",
                Validity::of(certificate, at),
                date::moment(begin)
            ),
            "Every client refuses it until then.",
            "Wait, or use the previous certificate until then; if the date looks wrong, look at the clock of this \
             machine first.",
        )),
        Validity::Valid { days } => {
            // A third of the lifetime, as ACME clients renew, but at most a month.
            let whole = end.saturating_sub(begin) / DAY;
            (days < (whole / 3).min(30)).then(|| {
                finding(
                    found,
                    Severity::Warning,
                    "expires-soon",
                    format!(
                        "{label} ends on {}: {}",
                        date::moment(end),
                        Validity::of(certificate, at)
                    ),
                    "After that every client refuses it.",
                    RENEW,
                )
            })
        }
    }
}

fn key(found: &Found<Certificate>) -> Option<Finding> {
    let key = found.value.key();
    let label = found.value.label();
    let (severity, what) = match &key.kind {
        KeyKind::Rsa | KeyKind::RsaPss if key.bits < 2048 => (
            Severity::Error,
            format!("{label} has a key of only {} bits ({key})", key.bits),
        ),
        KeyKind::Rsa | KeyKind::RsaPss if key.bits > 8192 => (
            Severity::Warning,
            format!(
                "{label} has a key of {} bits ({key}), which many clients refuse",
                key.bits
            ),
        ),
        _ if key.is_explicit => (
            Severity::Error,
            format!("{label} has a key whose curve is given by its numbers ({key}), which RFC 5480 forbids"),
        ),
        KeyKind::Rsa | KeyKind::RsaPss | KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => return None,
        KeyKind::Ed25519 => (
            Severity::Note,
            format!("{label} has an Ed25519 key, which browsers do not take"),
        ),
        KeyKind::Ed448 | KeyKind::OtherCurve(_) if key.bits >= 224 => (
            Severity::Warning,
            format!("{label} has a key that OpenSSL takes and browsers and rustls do not ({key})"),
        ),
        KeyKind::Named(name) if name.starts_with("ML-DSA") => (
            Severity::Warning,
            format!("{label} has a key that OpenSSL takes from 3.5 on and browsers and rustls do not ({key})"),
        ),
        _ => (
            Severity::Error,
            format!("{label} has a key that TLS clients do not take ({key})"),
        ),
    };
    Some(finding(
        found,
        severity,
        "key-strength",
        what,
        "Clients refuse keys that can be broken (RSA below 2048 bits; CA/Browser Forum, section 6.1.5) and kinds that \
         they do not know.",
        "Make a new key, P-256 or RSA with 2048 bits, and have a certificate issued for it.",
    ))
}

fn signature(found: &Found<Certificate>, crypto: &dyn Crypto) -> Option<Finding> {
    let algorithm = found.value.signature_algorithm();
    // Nobody checks the signature of a root by itself.
    (is_weak(&algorithm) && !found.value.is_self_signed(crypto)).then(|| {
        finding(
            found,
            Severity::Error,
            "weak-signature",
            format!("{} is signed with {algorithm}", found.value.label()),
            "Two certificates with the same such signature can be made, so clients have refused it since 2017.",
            "Have it issued again; every issuer signs with SHA-256 or better now.",
        )
    })
}

/// Is it a signature over a digest that has been broken?
pub(super) fn is_weak(algorithm: &str) -> bool {
    let lower = algorithm.to_ascii_lowercase();
    let digests = ["md2", "md4", "md5", "sha1", "sha-1"];
    digests.iter().any(|weak| lower.contains(weak))
}

fn malformed(found: &Found<Certificate>) -> Vec<Finding> {
    let say = |malformed: &crate::Malformed| {
        finding(
            found,
            Severity::Error,
            "malformed-extension",
            format!(
                "{}: the extension {} cannot be read: {}",
                found.value.label(),
                malformed.oid,
                malformed.what
            ),
            "Strict clients refuse the certificate, others ignore what the extension says.",
            "Have it issued again by a program that writes it as RFC 5280 says.",
        )
    };
    found.value.malformed().iter().map(say).collect()
}

/// A certificate that has its issuer's name. Whether its issuer was given decides where a changed signature would look
/// the same.
fn namesake(found: &Found<Certificate>, has_issuer: bool, crypto: &dyn Crypto) -> Option<Finding> {
    let certificate = &found.value;
    if !certificate.looks_self_signed() || certificate.is_self_signed(crypto) {
        return None;
    }
    let named = certificate.authority_key_id().and_then(|id| id.key_id.as_deref());
    let missing = match (certificate.subject_key_id(), named) {
        (Some(_), Some(_)) if !has_issuer => return None,
        (Some(_), Some(_)) => "names its own key identifier as its issuer's",
        _ if !has_issuer && certificate.is_ca() => return None,
        (None, None) => "says neither its own key identifier nor its issuer's",
        (None, Some(_)) => "does not say its own key identifier",
        (Some(_), None) => "does not say its issuer's key identifier",
    };
    Some(finding(
        found,
        Severity::Error,
        "taken-for-self-signed",
        format!(
            "{} is its own issuer by name ({}) although another key signed it, and {missing}",
            certificate.label(),
            certificate.subject()
        ),
        "OpenSSL does not try the signature: a certificate that is its own issuer by name and does not show by both key \
         identifiers that it is another's, it takes for self-signed. curl, Python, PHP, Ruby, Node, nginx and HAProxy \
         refuse it (error 18 or 19, curl 60), whatever they trust; GnuTLS, Java and Go find its issuer.",
        "Have it issued again under a name of its own (the host's, for a server), or with both subjectKeyIdentifier and \
         authorityKeyIdentifier (openssl x509 -req with `subjectKeyIdentifier=hash` and `authorityKeyIdentifier=keyid` \
         in -extfile).",
    ))
}

/// What a certificate needs that issued the one before it. So many CAs are `below` it that are not self-issued.
fn issuing(found: &Found<Certificate>, below: usize, crypto: &dyn Crypto) -> Vec<Finding> {
    let certificate = &found.value;
    let label = certificate.label();
    let mut findings = Vec::new();
    const MEND: &str = "Have the certificate issued by a CA whose own certificate allows it.";
    // Version 1 knows no basic constraints; roots of the nineties are of that kind.
    let is_old_root = certificate.version() == 1 && certificate.is_self_signed(crypto);
    if !is_old_root && !certificate.is_ca() {
        findings.push(finding(
            found,
            Severity::Error,
            "issuer-is-no-ca",
            format!("{label} issued the certificate before it, but is not a CA (basic constraints)"),
            "Anybody with a server certificate could otherwise issue more; every client refuses it (RFC 5280, section 4.2.1.9).",
            MEND,
        ));
    }
    if certificate.key_usage().is_some_and(|usage| !usage.sign_certificates()) {
        findings.push(finding(
            found,
            Severity::Error,
            "issuer-may-not-sign",
            format!("{label} issued the certificate before it, but its key may not sign certificates (key usage)"),
            "Clients refuse it (RFC 5280, section 4.2.1.3).",
            MEND,
        ));
    }
    let limit = certificate
        .basic_constraints()
        .and_then(|constraints| constraints.path_length);
    if let Some(limit) = limit.filter(|limit| (*limit as usize) < below) {
        findings.push(finding(
            found,
            Severity::Error,
            "path-too-long",
            format!(
                "{label} allows {} below it, and there {} {below}",
                counted(limit, "intermediates"),
                agreed(below, "is", "are")
            ),
            "Clients refuse a chain that is longer than one of its issuers allows (RFC 5280, section 4.2.1.9).",
            MEND,
        ));
    }
    findings
}

fn outlived(leaf: &Found<Certificate>, issuers: &[Found<Certificate>]) -> Vec<Finding> {
    let ends_first = |issuer: &&Found<Certificate>| issuer.value.not_after() < leaf.value.not_after();
    let say = |issuer: &Found<Certificate>| {
        finding(
            issuer,
            Severity::Warning,
            "outlived",
            format!(
                "{} ends on {}, before {} does ({})",
                issuer.value.label(),
                date::day(issuer.value.not_after()),
                leaf.value.label(),
                date::day(leaf.value.not_after())
            ),
            "From that day on clients refuse the server's certificate, although its own date is still good.",
            "Replace the intermediate in time: its issuer mostly has a newer one for the same key.",
        )
    };
    issuers.iter().filter(ends_first).map(say).collect()
}

fn names(leaf: &Found<Certificate>, wanted: &[String]) -> Vec<Finding> {
    let certificate = &leaf.value;
    let held: Vec<String> = certificate.names().iter().map(ToString::to_string).collect();
    let usable = certificate
        .names()
        .iter()
        .any(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)));
    let mut findings = Vec::new();
    if !usable && !certificate.is_ca() {
        findings.push(finding(
            leaf,
            Severity::Error,
            "no-names",
            format!("{} has no alternative names (DNS or IP)", certificate.label()),
            "Clients compare the name that they asked for with the subject alternative names only; the common name has \
             not counted since 2017 (RFC 9525, section 2).",
            "Have it issued again with the names as subject alternative names. A client's own certificate needs none.",
        ));
    }
    for name in wanted.iter().filter(|name| !is_covered(certificate, name)) {
        findings.push(finding(
            leaf,
            Severity::Error,
            "name-not-covered",
            format!(
                "{} is not for {name}; it is for {}",
                certificate.label(),
                if held.is_empty() {
                    "no name".to_owned()
                } else {
                    held.join(", ")
                }
            ),
            "Clients that ask for this name refuse the connection. A wildcard stands for exactly one label: \
             *.example.com covers www.example.com, but neither example.com nor a.b.example.com.",
            "Have it issued again with this name added.",
        ));
    }
    findings
}

/// RFC 9525, section 6.3: letter case does not count, `*` is the whole first label.
fn is_covered(certificate: &Certificate, wanted: &str) -> bool {
    let wanted = wanted.trim_end_matches('.').to_ascii_lowercase();
    let address = wanted.parse::<std::net::IpAddr>();
    certificate.names().iter().any(|name| match (name, &address) {
        (GeneralName::Ip(held), Ok(address)) => held == address,
        (GeneralName::Dns(held), Err(_)) => {
            let held = held.to_ascii_lowercase();
            match held.strip_prefix("*.") {
                Some(parent) => wanted
                    .split_once('.')
                    .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
                None => held == wanted,
            }
        }
        _ => false,
    })
}

fn usage(leaf: &Found<Certificate>, is_alone: bool, crypto: &dyn Crypto) -> Vec<Finding> {
    let certificate = &leaf.value;
    let label = certificate.label();
    let is_own = certificate.is_self_signed(crypto);
    let mut findings = Vec::new();
    if certificate.is_ca() && !(is_alone && is_own) {
        findings.push(finding(
            leaf,
            Severity::Warning,
            "leaf-is-ca",
            format!("{label} is a CA (basic constraints), and stands where a server's certificate belongs"),
            "Its key could issue certificates for any name; a server's key is the wrong place for that, and strict \
             clients refuse it.",
            "Give the server's own certificate; if this is it, have it issued again without the CA mark.",
        ));
    }
    if is_own {
        findings.push(finding(
            leaf,
            Severity::Warning,
            "self-signed",
            format!("{label} signed itself"),
            "Only clients that were given this very certificate trust it; everybody else sees a warning.",
            "For the public, have a certificate issued by a CA; among machines of your own, give this one to the \
             clients as a root.",
        ));
    }
    let may_serve = certificate
        .extended_key_usage()
        .is_none_or(|usages| usages.iter().any(|oid| oid == SERVER_AUTH || oid == ANY_USAGE));
    if !may_serve {
        findings.push(finding(
            leaf,
            Severity::Warning,
            "not-for-servers",
            format!("{label} may not be used by servers: its extended key usage lacks serverAuth"),
            "Clients refuse it from a server (RFC 5280, section 4.2.1.12). As a client's own certificate it is fine.",
            "Have it issued again for servers.",
        ));
    }
    findings
}

fn lifetime(leaf: &Found<Certificate>) -> Option<Finding> {
    let days = leaf.value.not_after().saturating_sub(leaf.value.not_before()) / DAY;
    (days > 398 && !leaf.value.is_ca()).then(|| {
        finding(
            leaf,
            Severity::Note,
            "long-lifetime",
            format!("{} is made to last {days} days", leaf.value.label()),
            "From a public issuer, browsers take at most 398 days; Apple's systems take at most 825 from anybody \
             (support.apple.com/en-us/103769).",
            "Nothing has to be done inside a company of one's own clients; else have it issued for a shorter time.",
        )
    })
}

const DAY: i64 = 86_400;
const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const ANY_USAGE: &str = "2.5.29.37.0";

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str]) -> Certificate {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let made = rcgen::CertificateParams::new(names)
            .expect("names")
            .self_signed(&key)
            .expect("a certificate");
        Certificate::parse(made.der().clone()).expect("readable")
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let certificate = made(&["*.example.com", "Example.org", "192.0.2.1", "2001:db8::1"]);
        for covered in [
            "www.example.com",
            "WWW.EXAMPLE.COM",
            "example.org",
            "example.org.",
            "192.0.2.1",
            "2001:db8:0::1",
        ] {
            assert!(is_covered(&certificate, covered), "{covered}");
        }
        for foreign in [
            "example.com",
            "a.b.example.com",
            ".example.com",
            "www.example.org",
            "192.0.2.2",
            "com",
        ] {
            assert!(!is_covered(&certificate, foreign), "{foreign}");
        }
    }
}
