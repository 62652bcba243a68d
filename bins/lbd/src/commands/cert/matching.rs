//! `lbd cert match`: does this key belong to this certificate?

use super::args::Match;
use super::paint::Paint;
use super::{Failure, input, output};
use lb_cert::bundle::Comparison;
use lb_cert::{AwsLc, Certificate, Found, KeyMatch, PrivateKey};
use std::collections::HashSet;

pub(super) fn run(pair: &Match) -> Result<(), Failure> {
    let [certificates, keys] = input::pair([&pair.certificate, &pair.key], &pair.passwords)?;
    input::say_unproven(&certificates);
    let (certificate_name, key_name) = (input::name(&pair.certificate), input::name(&pair.key));
    if let Some(failure) = input::key_not_read(&keys).filter(|_| keys.keys.is_empty()) {
        return Err(failure);
    }
    let key = keys.keys.first().ok_or_else(|| {
        Failure::Input(format!(
            "{key_name} holds no private key; write it as: lbd cert match CERT KEY"
        ))
    })?;
    let matches = |found: &Found<Certificate>| {
        matches!(
            lb_cert::match_key(&found.value, &key.value, &AwsLc),
            KeyMatch::Match { .. }
        )
    };
    // Of several leaves the one that matches. A server signs with the key of the leaf, so an issuer's does not count.
    let leaves = leaves(&certificates.certificates);
    let leaf = leaves
        .iter()
        .find(|found| matches(found))
        .or(leaves.first())
        .copied()
        .ok_or_else(|| {
            Failure::Input(format!(
                "{certificate_name} holds no certificate; write it as: lbd cert match CERT KEY"
            ))
        })?;
    let answer = lb_cert::match_key(&leaf.value, &key.value, &AwsLc);
    let owner = certificates
        .certificates
        .iter()
        .find(|found| !std::ptr::eq(*found, leaf) && matches(found));
    let issuer = owner.filter(|_| !matches!(answer, KeyMatch::Match { .. }));
    let paint = Paint::stdout();
    let text = match &answer {
        KeyMatch::Match { digest } if pair.json => json("match", (leaf, None), key, digest.as_ref(), digest.as_ref()),
        KeyMatch::Mismatch { certificate, key: own } if pair.json => {
            json("mismatch", (leaf, issuer), key, certificate.as_ref(), own.as_ref())
        }
        _ if pair.json => json("unknown", (leaf, None), key, certificates_digest(leaf).as_ref(), None),
        KeyMatch::Match { digest } => format!(
            "{}: {} is the key of {} ({})\n  public key SHA-256 {}\n",
            paint.good("match"),
            key.place,
            leaf.value.label(),
            leaf.place,
            shown(digest.as_ref())
        ),
        KeyMatch::Mismatch { certificate, key: own } => format!(
            "{}: {} is not the key of {} ({})\n  certificate's public key, {}: SHA-256 {}\n  key's public half, {}: SHA-256 {}\n{}",
            paint.bad("mismatch"),
            key.place,
            leaf.value.label(),
            leaf.place,
            leaf.value.key(),
            shown(certificate.as_ref()),
            key.value.algorithm(),
            shown(own.as_ref()),
            issuer.map_or_else(String::new, |issuer| format!(
                "  it is the key of {} ({}), which issues and does not serve\n",
                issuer.value.label(),
                issuer.place
            ))
        ),
        _ => format!(
            "{}: whether {} ({}) is the key of {} ({}) cannot be told\n  certificate's public key, {}: SHA-256 {}\n  why: {}\n  \
             mend: {}\n",
            paint.warning("unknown"),
            key.place,
            key.value.algorithm(),
            leaf.value.label(),
            leaf.place,
            leaf.value.key(),
            shown(certificates_digest(leaf).as_ref()),
            lb_cert::bundle::unknown_reason(&key.value, &AwsLc),
            match Comparison::of(&leaf.value, key, &AwsLc) {
                Some(comparison) => format!("compare with OpenSSL: {comparison}"),
                None => "ask whoever made the key for a file with its public half".to_owned(),
            }
        ),
    };
    output::print(text.as_bytes())?;
    match answer {
        KeyMatch::Match { .. } => Ok(()),
        KeyMatch::Mismatch { .. } => Err(Failure::Refused(
            "mend: look for the key that was there when this certificate was requested; if it is lost, have the \
             certificate issued again for a new key"
                .to_owned(),
        )),
        _ => Err(Failure::Input(String::new())),
    }
}

fn certificates_digest(leaf: &Found<Certificate>) -> Option<[u8; 32]> {
    lb_cert::bundle::public_key_digest(leaf.value.spki_raw(), &AwsLc)
}

/// Those that issued no other one of them; without authorities, if anything remains. The first, if nothing does.
fn leaves(certificates: &[Found<Certificate>]) -> Vec<&Found<Certificate>> {
    let issuers: HashSet<&[u8]> = certificates
        .iter()
        .filter(|found| !found.value.is_self_issued())
        .map(|found| found.value.issuer_raw())
        .collect();
    let mut leaves: Vec<_> = certificates
        .iter()
        .filter(|found| !issuers.contains(found.value.subject_raw()))
        .collect();
    if leaves.iter().any(|found| !found.value.is_ca()) {
        leaves.retain(|found| !found.value.is_ca());
    }
    if leaves.is_empty() {
        leaves.extend(
            certificates
                .iter()
                .find(|found| !found.value.is_ca())
                .or(certificates.first()),
        );
    }
    leaves
}

fn json(
    answer: &str,
    (leaf, issuer): (&Found<Certificate>, Option<&Found<Certificate>>),
    key: &Found<PrivateKey>,
    certificate: Option<&[u8; 32]>,
    own: Option<&[u8; 32]>,
) -> String {
    let digits = |digest: Option<&[u8; 32]>| digest.map(hex);
    let value = serde_json::json!({
        "answer": answer,
        "certificate": {
            "place": super::inspect::place(&leaf.place),
            "subject": leaf.value.subject(),
            "key": leaf.value.key().to_string(),
            "key_sha256": digits(certificate),
        },
        "key": {
            "place": super::inspect::place(&key.place),
            "key": key.value.algorithm().to_string(),
            "key_sha256": digits(own),
            "issuer": issuer.map(|issuer| serde_json::json!({
                "place": super::inspect::place(&issuer.place),
                "subject": issuer.value.subject(),
            })),
        },
    });
    format!("{value:#}\n")
}

pub(super) fn shown(digest: Option<&[u8; 32]>) -> String {
    digest.map_or_else(|| "unknown".to_owned(), |digest| lb_cert::inspect::colons(&hex(digest)))
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
