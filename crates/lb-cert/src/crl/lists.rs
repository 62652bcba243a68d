//! The CRLs that are known.

use super::Crl;
use crate::certificate::{Certificate, name};
use crate::crypto::Crypto;
use crate::signature::{self, Answer};
use std::collections::HashMap;
use std::sync::PoisonError;

/// What to do with a CRL whose time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    /// Certificates of its issuer are refused.
    #[default]
    FailClosed,
    /// It is used as it is, with a warning: better an old list than an outage.
    FailOpen,
}

/// The CRLs that are known, by issuer. Loaded once, shared by every listener.
#[derive(Debug, Default)]
pub struct Crls {
    lists: Vec<Crl>,
    by_issuer: HashMap<Vec<u8>, Vec<usize>>,
    freshness: Freshness,
    required: bool,
}

impl Crls {
    /// None yet; fail-closed; certificates whose issuer has no CRL here are not asked for one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do with CRLs whose time is over.
    #[must_use]
    pub const fn with_freshness(mut self, freshness: Freshness) -> Self {
        self.freshness = freshness;
        self
    }

    /// Refuses certificates whose issuer has no CRL here.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Adds a CRL.
    pub fn add(&mut self, crl: Crl) {
        let issuer = name::canonical(crl.issuer_raw());
        self.by_issuer.entry(issuer).or_default().push(self.lists.len());
        self.lists.push(crl);
    }

    /// Checks the signatures of all CRLs by these issuers' keys now, so that no connection waits for it.
    /// Keys that are not known yet are tried when they are first needed, each once.
    pub fn prepare<'a>(&self, issuers: impl IntoIterator<Item = &'a Certificate>, crypto: &dyn Crypto) {
        for issuer in issuers {
            for list in self.of(issuer.subject_raw()) {
                list.is_signed_by(issuer.spki_raw(), crypto);
            }
        }
    }

    /// The CRLs, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Crl> {
        self.lists.iter()
    }

    /// What to do with one whose time is over.
    pub(crate) const fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// Must every issuer have one?
    pub(crate) const fn is_required(&self) -> bool {
        self.required
    }

    /// Those of the issuer of this name.
    pub(crate) fn of(&self, issuer: &[u8]) -> impl Iterator<Item = &Crl> {
        let found = if self.lists.is_empty() {
            None
        } else {
            self.by_issuer.get(&name::canonical(issuer))
        };
        let found = found.map(Vec::as_slice).unwrap_or_default();
        found.iter().filter_map(|index| self.lists.get(*index))
    }
}

impl Crl {
    /// Checked once per key; later answers come from memory.
    pub(crate) fn is_signed_by(&self, spki: &[u8], crypto: &dyn Crypto) -> bool {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, good)) = tried.iter().find(|(key, _)| **key == *spki) {
            return *good;
        }
        let part = |range: &std::ops::Range<usize>| self.signed.der.get(range.clone()).unwrap_or_default();
        let answer = signature::check(
            crypto,
            spki,
            part(&self.signed.algorithm),
            part(&self.signed.signed),
            part(&self.signed.signature),
        );
        let good = answer == Answer::Good;
        // a stranger with many keys must not fill the memory
        if tried.len() < MOST_KEYS {
            tried.push((spki.into(), good));
        }
        good
    }
}

/// More keys of one issuer's name are not remembered.
const MOST_KEYS: usize = 16;
