//! A store of roots: what clients trust, and nobody sends.
//!
//! It is told from a chain by what it lacks: a server's certificate and a key. Then the questions are others: nothing is
//! wrong with a root for having signed itself, for its old signature or its long life, and nobody has it issued again.

use super::{Certificate, Crypto, Found, Patient};
use crate::count::{agreed, counted};
use crate::inspect::Validity;
use crate::{Command, Finding, GeneralName, KeyKind, Severity};
use std::collections::HashSet;

/// What is in a store of roots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RootStore {
    /// How many different CAs' own certificates.
    pub roots: usize,
    /// CAs' certificates that others issued: intermediates, cross-signed ones.
    pub others: usize,
    /// Certificates that stand there again.
    pub repeated: usize,
    /// Short names of those that have expired.
    pub expired: Vec<String>,
    /// Short names of those that are not valid yet.
    pub not_yet_valid: Vec<String>,
    /// Short names of those whose key can be broken or is of a kind that clients do not take.
    pub weak: Vec<String>,
    /// How many are signed with MD5 or SHA-1, which nobody checks of a root.
    pub old_signatures: usize,
}

impl RootStore {
    /// The store, if this is one: certificates of CAs alone, at least three in four of them self-signed, and no key.
    pub(super) fn of(patient: &Patient, at: i64, crypto: &dyn Crypto) -> Option<Self> {
        let may_be_root = |found: &Found<Certificate>| {
            let one = &found.value;
            one.is_ca() || (one.version() == 1 && one.is_self_issued())
        };
        let certificates = &patient.certificates;
        if certificates.is_empty() || !patient.keys.is_empty() || !certificates.iter().all(may_be_root) {
            return None;
        }
        // One alone with a host's name is a server's that signed itself, which `openssl req -x509` marks as a CA.
        if let [only] = certificates.as_slice()
            && has_host(&only.value)
        {
            return None;
        }
        let mut store = Self::default();
        let mut seen: HashSet<&[u8]> = HashSet::new();
        for found in certificates {
            if seen.insert(found.value.der()) {
                store.add(&found.value, at, crypto);
            } else {
                store.repeated += 1;
            }
        }
        (store.others.saturating_mul(4) <= store.roots.saturating_add(store.others) && store.roots > 0).then_some(store)
    }

    fn add(&mut self, certificate: &Certificate, at: i64, crypto: &dyn Crypto) {
        if certificate.is_self_signed(crypto) {
            self.roots += 1;
        } else {
            self.others += 1;
        }
        match Validity::of(certificate, at) {
            Validity::Valid { .. } => {}
            Validity::NotYet { .. } => self.not_yet_valid.push(certificate.label()),
            Validity::Expired { .. } => self.expired.push(certificate.label()),
        }
        let key = certificate.key();
        let is_strong = match key.kind {
            KeyKind::Rsa | KeyKind::RsaPss => key.bits >= 2048,
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 => true,
            _ => false,
        };
        if !is_strong {
            self.weak.push(certificate.label());
        }
        if super::certificate::is_weak(&certificate.signature_algorithm()) {
            self.old_signatures += 1;
        }
    }

    /// A few lines, however large the store is.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        findings.extend(list(
            "expired-roots",
            &self.expired,
            ("has expired", "have expired"),
            EXPIRED,
        ));
        findings.extend(list(
            "roots-not-yet-valid",
            &self.not_yet_valid,
            ("is not valid yet", "are not valid yet"),
            NOT_YET,
        ));
        findings.extend(list(
            "weak-roots",
            &self.weak,
            ("has a weak or unusual key", "have weak or unusual keys"),
            WEAK,
        ));
        findings.push(Finding {
            severity: Severity::Note,
            id: "root-store",
            place: None,
            what: self.what(),
            why: "Roots are what clients trust; servers do not send them. That a root signed itself, with whatever \
                  digest, and lives long, is as it should be.",
            mend: format!(
                "Nothing has to be done. `{}` looks at a server's chain as clients with these roots do.",
                Command::TRY_ROOTS
            ),
        });
        findings
    }

    fn what(&self) -> String {
        let mut text = format!("a root store: {}", counted(self.roots, "roots"));
        let mut add = |count: usize, what: String| {
            if count > 0 {
                text.push_str(&format!(", {what}"));
            }
        };
        add(self.others, counted(self.others, "other CA certificates"));
        add(self.repeated, counted(self.repeated, "repeated certificates"));
        let (expired, weak) = (self.expired.len(), self.weak.len());
        add(expired, format!("{expired} expired"));
        add(
            weak,
            format!(
                "{weak} with {}",
                agreed(weak, "a weak or unusual key", "weak or unusual keys")
            ),
        );
        add(
            self.old_signatures,
            format!("{} signed with MD5 or SHA-1", self.old_signatures),
        );
        text.push_str("; no server's certificate");
        text
    }
}

/// Why and mend.
type Words = (&'static str, &'static str);

const EXPIRED: Words = (
    "A client refuses a chain that ends with an expired root, and looks for another way; it does no other harm.",
    "Update the store: on Debian the package ca-certificates, for a private root from whoever runs the CA. Expired ones \
     can be removed.",
);
const NOT_YET: Words = (
    "A client refuses a chain to such a root until its day has come.",
    "Wait; if the dates look wrong, look at the clock of this machine first.",
);
const WEAK: Words = (
    "Whoever breaks the key of one root can pretend to be any server to those who trust it (RSA below 2048 bits); kinds \
     that TLS clients do not know are of no use to them.",
    "Remove them from the store, unless something old still needs them.",
);

/// One finding for all of a kind, with the first few names.
fn list(id: &'static str, names: &[String], (one, many): (&str, &str), (why, mend): Words) -> Option<Finding> {
    const SHOWN: usize = 5;
    if names.is_empty() {
        return None;
    }
    let mut shown: Vec<String> = names.iter().take(SHOWN).cloned().collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    Some(Finding {
        severity: Severity::Warning,
        id,
        place: None,
        what: format!(
            "{} of the roots {}: {}",
            names.len(),
            agreed(names.len(), one, many),
            shown.join(", ")
        ),
        why,
        mend: mend.to_owned(),
    })
}

fn has_host(certificate: &Certificate) -> bool {
    let mut names = certificate.names().iter();
    names.any(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)))
}
