//! Everything that is wrong with what somebody wants to install, why it matters and how to mend it.
//!
//! The doctor looks at the files (style), at the chain (order, gaps, duplicates, strangers, signatures), at each
//! certificate (validity, names, key, signature, usage) and at the key; then it takes the part of clients: one that
//! takes certificates in the order in which they are sent, one that takes the first issuer that fits, as OpenSSL does,
//! one that tries every way, and one that fetches what is missing, each with each set of roots, before and after
//! mending. It fetches nothing: it prints the address.

mod certificate;
mod chain;
mod clients;
mod first_fit;
mod judge;
mod key;
mod store;
mod style;
#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod tests;
mod walk;

pub use clients::{Client, ClientView, RootSet, Verdict};
pub use store::RootStore;

use crate::bundle::{MendOptions, Mended, mend};
use crate::{Certificate, Crypto, Finding, Found, Note, PrivateKey, Severity};

/// What was given to the doctor.
#[derive(Debug, Default)]
pub struct Patient {
    /// Certificates in the order in which they stand in the files.
    pub certificates: Vec<Found<Certificate>>,
    /// Keys.
    pub keys: Vec<Found<PrivateKey>>,
    /// What reading found odd.
    pub notes: Vec<Note>,
}

/// What the doctor should know.
#[derive(Debug)]
pub struct Examination<'a> {
    /// The time to judge by, in unix seconds.
    pub at: i64,
    /// Names and addresses that clients will ask for.
    pub names: &'a [String],
    /// What simulated clients trust; with none, nobody is simulated.
    pub roots: &'a [RootSet<'a>],
    /// Digests, signatures and key math.
    pub crypto: &'a dyn Crypto,
}

/// What the doctor found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// Everything, the worst first; of the same weight in the order in which it was looked at.
    pub findings: Vec<Finding>,
    /// What simulated clients say.
    pub clients: Vec<ClientView>,
    /// The mended bundle, and what was left out of it; empty for a store of roots.
    pub mended: Mended,
    /// What was given is a store of roots and no chain: only this was looked at.
    pub store: Option<RootStore>,
}

impl Report {
    /// The weight of the worst finding; `None` when there is none.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// Looks at everything. Never fails: what is wrong stands in the report. A store of roots is told from a chain and
/// described in a few findings.
///
/// Cost: that of [`mend`], and for each set of roots six walks up the chain and at most six verifications.
#[must_use]
pub fn examine(patient: Patient, examination: &Examination<'_>) -> Report {
    if let Some(store) = RootStore::of(&patient, examination.at, examination.crypto) {
        return shelved(store, &patient, examination);
    }
    let Patient {
        certificates,
        keys,
        notes,
    } = patient;
    let given: Vec<Certificate> = certificates.iter().map(|found| found.value.clone()).collect();
    let order = chain::order(&certificates, examination.crypto);
    let roots: Vec<&crate::Roots> = examination.roots.iter().map(|set| set.roots).collect();
    let mut options = MendOptions::new(examination.at);
    options.roots = &roots;
    let mended = mend(certificates, keys, options, examination.crypto);
    let clients = clients::simulate(&given, &mended, examination);
    let mut findings = Vec::new();
    findings.extend(key::findings(&mended, examination.crypto));
    findings.extend(chain::findings(&mended, order, examination, &clients));
    findings.extend(certificate::findings(&mended, examination));
    findings.extend(clients::findings(&clients));
    findings.extend(style::findings(&notes));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Report {
        findings,
        clients,
        mended,
        store: None,
    }
}

/// The report about a store of roots: a chain's questions are not asked.
fn shelved(store: RootStore, patient: &Patient, examination: &Examination<'_>) -> Report {
    let mut findings = store.findings();
    // Comments and blank lines are how a store is written.
    let is_grave = |finding: &Finding| finding.severity > Severity::Note;
    findings.extend(style::findings(&patient.notes).into_iter().filter(is_grave));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Report {
        findings,
        clients: Vec::new(),
        mended: mend(
            Vec::new(),
            Vec::new(),
            MendOptions::new(examination.at),
            examination.crypto,
        ),
        store: Some(store),
    }
}
