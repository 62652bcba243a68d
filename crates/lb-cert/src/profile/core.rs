//! The rules that make a path valid at all (RFC 5280, section 6.1). They cannot be switched.

use super::rule::{Check, Kind, Levels, Link, Path, Rule};
use super::{constraint, policy};
use crate::certificate::oid;
use crate::count::counted;
use crate::tlv;

pub(crate) static RULES: &[&Rule] = &[
    &EXPIRED,
    &NOT_YET_VALID,
    &UNKNOWN_ISSUER,
    &BAD_SIGNATURE,
    &UNSUPPORTED_SIGNATURE,
    &NOT_A_CA,
    &PATH_LENGTH,
    &NAME,
    &PURPOSE,
    &CRITICAL,
    &MALFORMED,
    &NAME_CONSTRAINTS,
    &POLICY,
    &DEPTH,
    &REVOKED,
    &NO_REVOCATION,
    &CRL_EXPIRED,
    &CRL_SIGNATURE,
    &CRL_UNSUPPORTED,
    &LIMIT,
    &WEBPKI,
];

pub(crate) static EXPIRED: Rule = core(
    "validity.expired",
    "RFC 5280, section 6.1.3 (a)(2)",
    Kind::Expired,
    Check::Core,
    "the time is not after the certificate's notAfter",
    "renew the certificate; if it is new, check that the new file is the one that is loaded, and the clock",
);

pub(crate) static NOT_YET_VALID: Rule = core(
    "validity.not-yet",
    "RFC 5280, section 6.1.3 (a)(2)",
    Kind::NotYetValid,
    Check::Core,
    "the time is not before the certificate's notBefore",
    "check the clock of this machine; else wait, or have the certificate issued again",
);

pub(crate) static UNKNOWN_ISSUER: Rule = core(
    "path.unknown-issuer",
    "RFC 5280, section 6.1",
    Kind::UnknownIssuer,
    Check::Core,
    "a path of certificates leads to a root that is trusted",
    "add the missing intermediate certificate to the bundle, or its root to the trusted roots",
);

pub(crate) static BAD_SIGNATURE: Rule = core(
    "signature.invalid",
    "RFC 5280, section 6.1.3 (a)(1)",
    Kind::BadSignature,
    Check::Core,
    "the issuer's key verifies the certificate's signature",
    "the certificate was altered, or another CA of the same name issued it: get both certificates again from the CA",
);

pub(crate) static UNSUPPORTED_SIGNATURE: Rule = core(
    "signature.unsupported",
    "RFC 5280, section 4.1.1.2",
    Kind::Weak,
    Check::Each(not_listed),
    "the signature algorithm is one that is supported, and it fits the issuer's key",
    "have the certificate issued with ECDSA or RSA and SHA-256 or better",
);

pub(crate) static NOT_A_CA: Rule = core(
    "ca.missing",
    "RFC 5280, section 6.1.4 (k)",
    Kind::NotAnIssuer,
    Check::Core,
    "an intermediate certificate says that it is a CA",
    "remove the certificate from the bundle; it is nobody's issuer",
);

pub(crate) static PATH_LENGTH: Rule = core(
    "ca.path-length",
    "RFC 5280, section 6.1.4 (l) and (m)",
    Kind::NotAnIssuer,
    Check::Path(path_length),
    "no CA has more CAs below it than its pathLenConstraint says",
    "have the certificate issued by a CA that may issue it",
);

pub(crate) static NAME: Rule = core(
    "name.mismatch",
    "RFC 9525, section 6",
    Kind::WrongName,
    Check::Each(name_mismatch),
    "the certificate's alternative names contain the name that was asked for",
    "ask by a name of the certificate, or have one issued with this name among its subjectAltName entries",
);

pub(crate) static PURPOSE: Rule = core(
    "purpose",
    "RFC 5280, section 4.2.1.12",
    Kind::WrongPurpose,
    Check::Each(purpose),
    "the key usages do not exclude the purpose",
    "have a certificate issued for this purpose (serverAuth for servers, clientAuth for clients)",
);

pub(crate) static CRITICAL: Rule = core(
    "critical.unknown",
    "RFC 5280, section 4.2",
    Kind::Form,
    Check::Each(unknown_critical),
    "a critical extension is one that is understood",
    "have the certificate issued without the extension, or with the extension not critical",
);

pub(crate) static MALFORMED: Rule = core(
    "extension.malformed",
    "RFC 5280, section 4.2",
    Kind::Form,
    Check::Each(malformed),
    "an extension that decides about the path can be read and is there once",
    "have the certificate issued again; the CA's software made a mistake",
);

pub(crate) static NAME_CONSTRAINTS: Rule = core(
    "name-constraints",
    "RFC 5280, section 4.2.1.10",
    Kind::NameConstraint,
    Check::Path(constraint::violated),
    "every name lies where the CAs above it may name",
    "have the certificate issued by a CA that may certify this name",
);

pub(crate) static POLICY: Rule = core(
    "policy.required",
    "RFC 5280, section 6.1.5 (g)",
    Kind::Form,
    Check::Path(policy::unsatisfied),
    "where a CA requires a policy, the certificates below it share one",
    "have the certificate issued under a policy of the CA that requires one",
);

pub(crate) static DEPTH: Rule = core(
    "path.depth",
    "limits of this crate, section Depth",
    Kind::Limit,
    Check::Path(depth),
    "the path has no more intermediate certificates than allowed (self-issued ones do not count)",
    "allow a longer path, or use a certificate that is closer to its root",
);

pub(crate) static REVOKED: Rule = core(
    "crl.revoked",
    "RFC 5280, section 6.3.3",
    Kind::Revoked,
    Check::Core,
    "the certificate is not in its issuer's CRL",
    "use another certificate with a new key; this one was revoked by its CA",
);

pub(crate) static NO_REVOCATION: Rule = core(
    "crl.missing",
    "RFC 5280, section 6.3.3",
    Kind::RevocationUnknown,
    Check::Core,
    "where revocation must be known, there is a CRL of the certificate's issuer",
    "load the issuer's CRL, or allow certificates whose issuer has none",
);

pub(crate) static CRL_EXPIRED: Rule = core(
    "crl.expired",
    "RFC 5280, section 5.1.2.5",
    Kind::RevocationUnknown,
    Check::Core,
    "the CRL is in force: its nextUpdate is not over and its thisUpdate has come",
    "fetch the issuer's new CRL, or set the freshness policy to fail-open",
);

pub(crate) static CRL_SIGNATURE: Rule = core(
    "crl.signature",
    "RFC 5280, section 6.3.3 (g)",
    Kind::RevocationUnknown,
    Check::Core,
    "the certificate's issuer signed the CRL",
    "fetch the CRL again from the address in the certificate",
);

pub(crate) static CRL_UNSUPPORTED: Rule = core(
    "crl.unsupported",
    "RFC 5280, section 5.2",
    Kind::RevocationUnknown,
    Check::Core,
    "the CRL is complete: no delta, indirect or partial CRL, no unknown critical extension",
    "load the complete CRL of the issuer",
);

pub(crate) static LIMIT: Rule = core(
    "path.limit",
    "limits of this crate, section Budget",
    Kind::Limit,
    Check::Core,
    "the search stays within the stated numbers of certificates, signatures, steps and names",
    "send only the certificates of the path; if they are all needed, raise the limits",
);

pub(crate) static WEBPKI: Rule = core(
    "path.webpki",
    "limits of rustls-webpki, section Path building",
    Kind::Limit,
    Check::Core,
    "rustls-webpki accepts the path, too",
    "send only the certificates of the way, or choose the profile `strict` (`Profile::with_complete` in a program), which \
     searches paths that rustls-webpki does not",
);

const fn core(
    id: &'static str,
    section: &'static str,
    kind: Kind,
    check: Check,
    what: &'static str,
    mend: &'static str,
) -> Rule {
    Rule {
        id,
        section,
        what,
        mend,
        kind,
        levels: Levels::Fixed,
        check,
    }
}

/// Self-issued certificates and the leaf do not count.
fn path_length(path: &Path<'_>) -> Option<(usize, String)> {
    let mut below = 0_u32;
    for (position, certificate) in path.certificates.iter().enumerate().skip(1) {
        let limit = certificate.basic_constraints().and_then(|found| found.path_length);
        if let Some(limit) = limit.filter(|limit| below > *limit) {
            return Some((position, format!("pathLenConstraint {limit}, but {below} CAs below it")));
        }
        if !certificate.is_self_issued() {
            below = below.saturating_add(1);
        }
    }
    None
}

fn depth(path: &Path<'_>) -> Option<(usize, String)> {
    let limit = path.request.max_depth?;
    let last = path.certificates.len().saturating_sub(1);
    let intermediates = path.certificates.get(1..last).unwrap_or_default();
    let count = intermediates.iter().filter(|one| !one.is_self_issued()).count();
    (count > limit).then(|| {
        (
            last,
            format!("{}, {limit} allowed", counted(count, "intermediate certificates")),
        )
    })
}

fn not_listed(link: &Link<'_>) -> Option<String> {
    let listed = link.request.signature_algorithms;
    if listed.is_empty() || link.is_anchor() {
        return None;
    }
    let used = link.certificate.signature_algorithm();
    (!listed.contains(&used.as_str())).then_some(used)
}

fn name_mismatch(link: &Link<'_>) -> Option<String> {
    if !link.is_leaf() {
        return None;
    }
    let wanted = link.request.names.iter().find(|name| !name.is_of(link.certificate))?;
    const SHOWN: usize = 8;
    let names = link.certificate.names();
    let mut listed: Vec<String> = names.iter().take(SHOWN).map(ToString::to_string).collect();
    if names.len() > SHOWN {
        listed.push(format!("and {} more", names.len().saturating_sub(SHOWN)));
    }
    let has = if listed.is_empty() {
        String::from("none")
    } else {
        listed.join(", ")
    };
    Some(format!("{wanted} asked for, the certificate's names: {has}"))
}

fn purpose(link: &Link<'_>) -> Option<String> {
    // an anchor is trusted for whatever it was configured for
    if link.is_anchor() {
        return None;
    }
    if let Some(found) = &link.certificate.known().extended_key_usage {
        let wanted = link.request.purposes.iter();
        if wanted
            .clone()
            .any(|purpose| !found.iter().any(|oid| **oid == *purpose.oid()))
        {
            let names: Vec<String> = found.iter().map(|oid| tlv::dotted(oid)).collect();
            return Some(names.join(", "));
        }
    }
    if link.is_leaf() {
        let usage = link.certificate.key_usage()?;
        let missing = link.request.key_usages.iter().find(|wanted| !usage.has(wanted))?;
        return Some(format!("key usage without {missing}"));
    }
    None
}

fn unknown_critical(link: &Link<'_>) -> Option<String> {
    let certificate = link.certificate;
    let found = certificate
        .raw_extensions()
        .find(|(oid, critical, _)| *critical && !UNDERSTOOD.contains(oid))?;
    Some(tlv::dotted(found.0))
}

/// What this crate evaluates, or what asks nothing of it.
const UNDERSTOOD: [&[u8]; 16] = [
    oid::SUBJECT_KEY_ID,
    oid::KEY_USAGE,
    oid::SUBJECT_NAMES,
    oid::ISSUER_NAMES,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::DISTRIBUTION_POINTS,
    oid::POLICIES,
    oid::POLICY_MAPPINGS,
    oid::AUTHORITY_KEY_ID,
    oid::POLICY_CONSTRAINTS,
    oid::EXTENDED_KEY_USAGE,
    oid::FRESHEST_CRL,
    oid::INHIBIT_ANY_POLICY,
    oid::AUTHORITY_ACCESS,
    oid::SUBJECT_ACCESS,
];

/// Extensions that decide about the path; the others are the profile's matter.
pub(super) const DECIDING: [&[u8]; 9] = [
    oid::KEY_USAGE,
    oid::SUBJECT_NAMES,
    oid::BASIC_CONSTRAINTS,
    oid::NAME_CONSTRAINTS,
    oid::POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::EXTENDED_KEY_USAGE,
    oid::INHIBIT_ANY_POLICY,
];

fn malformed(link: &Link<'_>) -> Option<String> {
    let mut found = link.certificate.malformed().iter();
    let first = found.find(|one| DECIDING.iter().any(|oid| tlv::dotted(oid) == one.oid))?;
    Some(format!("{}: {}", first.oid, first.what))
}
