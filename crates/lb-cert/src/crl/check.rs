//! Is a certificate of a path revoked?

use super::Crl;
use crate::certificate::{Certificate, name};
use crate::crypto::Crypto;
use crate::date::moment;
use crate::profile::{Level, Path, Rule, core};
use crate::verify::{Answer, Refusal, Warning, check_signature};
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

/// The rules about CRLs that are not off.
type Rules = [(&'static Rule, Level, fn(&Crl, &Certificate) -> Option<String>)];

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
            for index in self.of(issuer.subject_raw()) {
                if let Some(list) = self.lists.get(*index) {
                    list.is_signed_by(issuer.spki_raw(), crypto);
                }
            }
        }
    }

    /// The CRLs, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Crl> {
        self.lists.iter()
    }

    fn of(&self, issuer: &[u8]) -> &[usize] {
        if self.lists.is_empty() {
            return &[];
        }
        self.by_issuer
            .get(&name::canonical(issuer))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Looks for every certificate of the path in its issuer's CRLs.
    pub(crate) fn check(
        &self,
        path: &Path<'_>,
        crypto: &dyn Crypto,
        rules: &Rules,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), Refusal> {
        for (position, certificate, issuer) in path.pairs() {
            let question = Question {
                certificate,
                issuer,
                position,
                now: path.request.now,
            };
            self.ask(&question, crypto, rules, warnings)?;
        }
        Ok(())
    }

    /// A CRL that can be used and does not list the certificate is enough; one that can be used and
    /// lists it refuses; if there are only others, the first one's fault is told.
    fn ask(
        &self,
        question: &Question<'_>,
        crypto: &dyn Crypto,
        rules: &Rules,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), Refusal> {
        let mut good = false;
        let mut fault = None;
        for list in self
            .of(question.certificate.issuer_raw())
            .iter()
            .filter_map(|index| self.lists.get(*index))
        {
            match self.usable(list, question, crypto, rules) {
                Ok(mut found) => {
                    good = true;
                    warnings.append(&mut found);
                }
                Err(refusal) => {
                    fault.get_or_insert(refusal);
                    continue;
                }
            }
            if let Some(revocation) = list.find(question.certificate.serial()) {
                let (reason, since) = (revocation.reason, moment(revocation.since));
                let serial = crate::profile::hex(question.certificate.serial());
                return Err(question.refusal(&core::REVOKED, format!("serial number {serial}, {reason}, {since}")));
            }
        }
        match fault {
            _ if good => Ok(()),
            Some(refusal) => Err(refusal),
            None if self.required => {
                let value = format!("no CRL of {}", question.certificate.issuer());
                Err(question.refusal(&core::NO_REVOCATION, value))
            }
            None => Ok(()),
        }
    }

    /// May the CRL be used for this question? Gives the warnings.
    fn usable(
        &self,
        list: &Crl,
        question: &Question<'_>,
        crypto: &dyn Crypto,
        rules: &Rules,
    ) -> Result<Vec<Warning>, Refusal> {
        let mut warnings = Vec::new();
        if let Some(why) = list.unsupported() {
            return Err(question.refusal(&core::CRL_UNSUPPORTED, format!("the issuer's CRL is {why}")));
        }
        if !list.is_signed_by(question.issuer.spki_raw(), crypto) {
            let value = format!("the key of {} did not sign its CRL", question.issuer.label());
            return Err(question.refusal(&core::CRL_SIGNATURE, value));
        }
        for (rule, level, check) in rules {
            let Some(value) = check(list, question.issuer) else {
                continue;
            };
            let refusal = question.refusal(rule, value);
            if *level == Level::Refuse {
                return Err(refusal);
            }
            warnings.push(Warning(refusal));
        }
        let over = list.next_update().filter(|next| question.now > *next);
        let value = match over {
            Some(next) => format!("the issuer's CRL was to be renewed by {}", moment(next)),
            None if question.now < list.this_update() => {
                format!("the issuer's CRL holds from {}", moment(list.this_update()))
            }
            None => return Ok(warnings),
        };
        let refusal = question.refusal(&core::CRL_EXPIRED, value);
        match self.freshness {
            Freshness::FailOpen if over.is_some() => {
                warnings.push(Warning(refusal));
                Ok(warnings)
            }
            _ => Err(refusal),
        }
    }
}

/// Is this certificate of a path revoked?
struct Question<'a> {
    certificate: &'a Certificate,
    issuer: &'a Certificate,
    position: usize,
    now: i64,
}

impl Question<'_> {
    fn refusal(&self, rule: &'static Rule, value: String) -> Refusal {
        Refusal::new(rule, self.position, self.certificate.label(), value)
    }
}

impl Crl {
    /// Checked once per key; later answers come from memory.
    fn is_signed_by(&self, spki: &[u8], crypto: &dyn Crypto) -> bool {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, good)) = tried.iter().find(|(key, _)| **key == *spki) {
            return *good;
        }
        let part = |range: &std::ops::Range<usize>| self.signed.der.get(range.clone()).unwrap_or_default();
        let answer = check_signature(
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
