//! What the doctor finds, held against what only a server can do wrong.

use super::handshake::Proof;
use crate::commands::cert::count;
use lb_cert::doctor::{Examination, Patient, Report, examine as look};
use lb_cert::{Certificate, Finding, Found, KeyKind, Severity};

/// The doctor's report about certificates in the order in which a server sent them.
pub(super) fn examine(sent: &[Found<Certificate>], proof: &Proof, examination: &Examination<'_>) -> Report {
    let patient = |certificates: &[Found<Certificate>]| Patient {
        certificates: certificates.to_vec(),
        ..Patient::default()
    };
    let mut report = look(patient(sent), examination);
    // CAs alone are a store of roots in a file; of a server the first is its own all the same.
    if let (true, [first, more @ ..]) = (report.store.is_some(), sent) {
        if !more.is_empty() {
            report = look(patient(std::slice::from_ref(first)), examination);
        }
        if report.store.take().is_some() {
            report.findings.retain(|finding| finding.id != "root-store");
            report.findings.push(nameless(first));
        }
        report.findings.extend(store(more));
    }
    // No server sends its key.
    report.findings.retain(|finding| finding.id != "no-key");
    if let Some(first) = sent.first() {
        report.findings.extend(unproven(first, proof));
        report.findings.extend(not_first(first, report.mended.chain.first()));
    }
    report
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    report
}

/// What is sent beside the first, if that is a store of roots.
fn store(more: &[Found<Certificate>]) -> Option<Finding> {
    let next = more.first()?;
    Some(Finding {
        severity: Severity::Warning,
        id: "root-store",
        place: Some(next.place.clone()),
        what: format!(
            "the server also sends {} of CAs, most of them roots",
            count(more.len(), "certificate")
        ),
        why: "Clients trust the roots that they have; those that are sent only make the handshake longer.",
        mend: "Let the server send its own certificate and the intermediates up to a root: lbd cert bundle makes \
               such a chain."
            .to_owned(),
    })
}

/// One that no client takes for a server's.
fn nameless(first: &Found<Certificate>) -> Finding {
    Finding {
        severity: Severity::Error,
        id: "no-server-certificate",
        place: Some(first.place.clone()),
        what: format!(
            "the server shows the certificate of a CA, {}, which names no host",
            first.value.label()
        ),
        why: "Clients look for the name that they asked for among the certificate's alternative names, and refuse a \
              certificate without it, whoever signed it.",
        mend: "Have a certificate issued for the server, with its name among the alternative names, and install it \
               with the intermediates."
            .to_owned(),
    }
}

/// A server that does not show that it has the key of its certificate.
fn unproven(first: &Found<Certificate>, proof: &Proof) -> Option<Finding> {
    let Proof::Doubtful(reason) = proof else {
        return None;
    };
    let key = first.value.key();
    let is_checked = match key.kind {
        KeyKind::Rsa => (2048..=8192).contains(&key.bits),
        KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 => true,
        _ => false,
    };
    let (severity, what) = if is_checked {
        let what = format!("the handshake is not signed with the key ({key}) of the certificate: {reason}");
        (Severity::Error, what)
    } else {
        // The reason would be that the signature is bad, which nobody knows.
        let what =
            format!("whether the server has the key ({key}) of its certificate is not checked: no key of this kind is");
        (Severity::Warning, what)
    };
    Some(Finding {
        severity,
        id: "key-unproven",
        place: Some(first.place.clone()),
        what,
        why: "By this signature a server proves that the certificate is its own; clients that find it wrong, or do not \
              know its kind, end the connection.",
        mend: "Look which key the server has (lbd cert match); every client knows ECDSA on P-256 and RSA of 2048 bits."
            .to_owned(),
    })
}

/// Clients take the first certificate for the server's (RFC 9846, section 4.4.2).
fn not_first(first: &Found<Certificate>, leaf: Option<&Found<Certificate>>) -> Option<Finding> {
    let leaf = leaf.filter(|leaf| leaf.value != first.value)?;
    Some(Finding {
        severity: Severity::Error,
        id: "leaf-not-first",
        place: Some(leaf.place.clone()),
        what: format!(
            "the first certificate is {}, and the server's own, {}, comes behind it",
            first.value.label(),
            leaf.value.label()
        ),
        why: "Clients take the first certificate for the server's, and refuse its name.",
        mend: "Install the mended bundle: the server's certificate first, then its issuers.".to_owned(),
    })
}
