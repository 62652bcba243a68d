//! Rules about keys and signature algorithms.

use super::rule::{Check, Kind, Level, Levels, Link, Rule};
use crate::certificate::KeyKind;
use crate::tlv::{self, Reader, SEQUENCE};
use Level::{Off, Refuse, Warn};

pub(super) static RULES: &[&Rule] = &[
    &weak(
        "key.rsa-short",
        "CA/Browser Forum BR, section 6.1.5",
        Levels::By(Refuse, Refuse, Warn),
        rsa_short,
        "an RSA key has at least 2048 bits",
        "make a new key: ECDSA P-256, or RSA with 2048 bits or more",
    ),
    &weak(
        "key.rsa-length",
        "CA/Browser Forum BR, section 6.1.5",
        Levels::By(Off, Refuse, Off),
        rsa_length,
        "an RSA key's length is a multiple of 8 bits",
        "make a new key of 2048, 3072 or 4096 bits",
    ),
    &weak(
        "key.kind",
        "CA/Browser Forum BR, section 6.1.1.3",
        Levels::By(Off, Refuse, Off),
        kind,
        "a key is RSA or ECDSA on P-256, P-384 or P-521",
        "make a new key: ECDSA P-256, or RSA with 2048 bits or more",
    ),
    &weak(
        "key.weak-kind",
        "NIST SP 800-57 part 1, section 5.6.1",
        Levels::By(Refuse, Refuse, Warn),
        weak_kind,
        "a key is of a kind that is in use: no DSA, no curve below 224 bits, no curve given by its numbers",
        "make a new key: ECDSA P-256, or RSA with 2048 bits or more",
    ),
    &weak(
        "signature.weak",
        "CA/Browser Forum BR, section 7.1.3.2",
        Levels::By(Refuse, Refuse, Warn),
        weak_signature,
        "what a CA issued is not signed with MD5 or SHA-1",
        "have the certificate issued with SHA-256 or better",
    ),
    &weak(
        "signature.kind",
        "CA/Browser Forum BR, section 7.1.3.2",
        Levels::By(Off, Refuse, Off),
        signature_kind,
        "a signature is RSA or ECDSA with SHA-256, SHA-384 or SHA-512; old roots may have SHA-1",
        "have the certificate issued with SHA-256 or better",
    ),
];

const fn weak(
    id: &'static str,
    section: &'static str,
    levels: Levels,
    check: fn(&Link<'_>) -> Option<String>,
    what: &'static str,
    mend: &'static str,
) -> Rule {
    Rule {
        id,
        section,
        what,
        mend,
        kind: Kind::Weak,
        levels,
        check: Check::Each(check),
    }
}

fn rsa_short(link: &Link<'_>) -> Option<String> {
    let key = link.certificate.key();
    (is_rsa(&key.kind) && key.bits < 2048).then(|| key.to_string())
}

fn rsa_length(link: &Link<'_>) -> Option<String> {
    let key = link.certificate.key();
    (is_rsa(&key.kind) && key.bits.checked_rem(8) != Some(0)).then(|| key.to_string())
}

const fn is_rsa(kind: &KeyKind) -> bool {
    matches!(kind, KeyKind::Rsa | KeyKind::RsaPss)
}

fn kind(link: &Link<'_>) -> Option<String> {
    let key = link.certificate.key();
    let usual = matches!(key.kind, KeyKind::Rsa | KeyKind::P256 | KeyKind::P384 | KeyKind::P521);
    (!usual || key.is_explicit).then(|| key.to_string())
}

fn weak_kind(link: &Link<'_>) -> Option<String> {
    let key = link.certificate.key();
    let weak = match &key.kind {
        KeyKind::Dsa | KeyKind::ExplicitCurve | KeyKind::Malformed => true,
        KeyKind::OtherCurve(_) => key.bits < 224 || key.is_explicit,
        _ => key.is_explicit,
    };
    weak.then(|| key.to_string())
}

fn weak_signature(link: &Link<'_>) -> Option<String> {
    // nobody checks the signature of a root on itself
    if link.is_anchor() {
        return None;
    }
    let name = link.certificate.signature_algorithm();
    ["MD2", "MD5", "SHA-1"]
        .iter()
        .any(|weak| name.ends_with(weak))
        .then_some(name)
}

fn signature_kind(link: &Link<'_>) -> Option<String> {
    let algorithm = link.certificate.signature_algorithm_raw();
    let old_root = link.is_anchor() && link.certificate.is_self_issued();
    let found = tlv::only(algorithm, SEQUENCE).and_then(|content| Reader::new(content).expect(tlv::OID));
    let usual = found.is_ok_and(|oid| match oid.value {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last] => match last {
            10..=13 => true,
            5 => old_root,
            _ => false,
        },
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last] => matches!(last, 2..=4),
        _ => false,
    });
    (!usual).then(|| link.certificate.signature_algorithm())
}
