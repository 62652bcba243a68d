//! Who issued whom, found when asked.

use crate::certificate::Certificate;
use crate::crypto::Crypto;
use crate::signature::is_signed_by;
use std::collections::{HashMap, HashSet};

/// Signatures that one graph checks at most; after that, names and key identifiers decide.
pub const MAX_SIGNATURES: usize = 1_000;

/// Up to so many certificates every pair is tried when names and key identifiers lead nowhere.
const SMALL: usize = 16;

/// Certificates by number, and who issued whom.
pub(crate) struct Graph<'a> {
    certificates: Vec<&'a Certificate>,
    /// By the subject as people compare it; two that only look alike are told apart by [`Certificate::is_issued_by`].
    by_subject: HashMap<String, Vec<usize>>,
    checked: HashMap<(usize, usize), Option<bool>>,
    signatures: usize,
    crypto: &'a dyn Crypto,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(certificates: Vec<&'a Certificate>, crypto: &'a dyn Crypto) -> Self {
        let mut by_subject: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, certificate) in certificates.iter().enumerate() {
            by_subject
                .entry(folded(&certificate.subject()))
                .or_default()
                .push(index);
        }
        Self {
            certificates,
            by_subject,
            checked: HashMap::new(),
            signatures: 0,
            crypto,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.certificates.len()
    }

    pub(crate) fn at(&self, index: usize) -> &'a Certificate {
        self.certificates[index]
    }

    /// Signed by itself, as far as can be told.
    pub(crate) fn is_root(&mut self, index: usize) -> bool {
        let certificate = self.at(index);
        if !certificate.is_self_issued() {
            return false;
        }
        if let Some(known) = self.signed(index, index) {
            return known;
        }
        // A CA of the same name that is there may be who issued it.
        let named = self.named(&certificate.subject());
        let is_below = !certificate.is_ca()
            && named
                .iter()
                .any(|&other| other != index && self.at(other).is_ca() && certificate.may_be_signed_by(self.at(other)));
        certificate.looks_self_signed() && !is_below
    }

    /// Is it beyond doubt that its own key should have signed it? One without key identifiers whose issuer has its name
    /// cannot be told from one that signed itself and was changed.
    fn is_plainly_own(&self, index: usize) -> bool {
        match self.identifiers(index, index) {
            Some(is_own) => is_own,
            // Only who signed itself may leave out whose key it was (RFC 5280, section 4.2.1.1); a CA does.
            None => self.at(index).is_ca() && self.at(index).looks_self_signed(),
        }
    }

    /// The certificates whose name and key may have issued this one; itself is not among them.
    pub(crate) fn issuers(&mut self, index: usize) -> Vec<usize> {
        let named = self.named(&self.at(index).issuer()).to_vec();
        named
            .into_iter()
            .filter(|&issuer| issuer != index && self.issued(index, issuer))
            .collect()
    }

    /// The first of them, unless it is a root.
    pub(crate) fn parent(&mut self, index: usize) -> Option<usize> {
        if self.is_root(index) {
            return None;
        }
        self.issuers(index).first().copied()
    }

    /// The certificates with this subject.
    pub(crate) fn named(&self, subject: &str) -> &[usize] {
        self.by_subject.get(&folded(subject)).map_or(&[], Vec::as_slice)
    }

    /// The certificates that issued no other one, by name alone; and those that are no CA but have the name of one.
    pub(crate) fn childless(&self) -> Vec<usize> {
        let issuing: HashSet<String> = self
            .certificates
            .iter()
            .filter(|certificate| !certificate.is_self_issued())
            .map(|certificate| folded(&certificate.issuer()))
            .collect();
        let has_namesake = |index: usize| {
            let mut named = self.named(&self.at(index).subject()).iter();
            !self.at(index).is_ca() && named.any(|&other| self.at(other).is_ca())
        };
        (0..self.len())
            .filter(|&index| !issuing.contains(&folded(&self.at(index).subject())) || has_namesake(index))
            .collect()
    }

    /// For each certificate that no certificate here signed: the ones that should have, by name or by key identifier,
    /// and whose key did not make the signature, or whose name is another. (certificate, issuer), which are the same for
    /// one that names itself.
    ///
    /// An issuer that says another key identifier than the certificate asks for is among them: one of the two was
    /// changed, or there are two issuers of one name.
    pub(crate) fn broken(&mut self) -> Vec<(usize, usize)> {
        let mut by_key: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (index, certificate) in self.certificates.iter().enumerate() {
            if let Some(id) = certificate.subject_key_id() {
                by_key.entry(id).or_default().push(index);
            }
        }
        let mut broken = Vec::new();
        for child in 0..self.len() {
            let mut candidates = self.named(&self.at(child).issuer()).to_vec();
            let wanted = self.at(child).authority_key_id().and_then(|id| id.key_id.as_deref());
            candidates.extend(wanted.and_then(|id| by_key.get(id)).into_iter().flatten());
            candidates.sort_unstable();
            candidates.dedup();
            let mut wrong = Vec::new();
            let mut is_signed = false;
            for issuer in candidates {
                // A name shared with its own issuer, who was not given, is no fault.
                if child == issuer && !self.is_plainly_own(child) && self.signed(child, child) != Some(true) {
                    continue;
                }
                match self.signed(child, issuer) {
                    // The right key under another name: one of the two names was changed.
                    Some(true) if !self.at(child).is_issued_by(self.at(issuer)) => wrong.push((child, issuer)),
                    Some(true) => is_signed = true,
                    Some(false) => wrong.push((child, issuer)),
                    None => {}
                }
            }
            if is_signed {
                continue;
            }
            if wrong.is_empty() && self.len() <= SMALL {
                // Without key identifiers a changed name leaves no trace but the signature.
                let others = (0..self.len()).filter(|&other| other != child);
                let signers: Vec<usize> = others
                    .filter(|&other| self.signed(child, other) == Some(true))
                    .collect();
                wrong.extend(signers.into_iter().map(|issuer| (child, issuer)));
            }
            broken.append(&mut wrong);
        }
        broken
    }

    /// Do the key identifiers agree? `None` when one is absent.
    pub(crate) fn identifiers(&self, child: usize, issuer: usize) -> Option<bool> {
        let named = self.at(child).authority_key_id()?.key_id.as_deref()?;
        Some(named == self.at(issuer).subject_key_id()?)
    }

    /// The same name and the same key, whoever issued the certificates.
    pub(crate) fn is_same_ca(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.at(one), self.at(other));
        one.spki_raw() == other.spki_raw() && one.subject_raw() == other.subject_raw()
    }

    /// Did the key of `issuer` sign `child`, as far as can be told? A signature that checks outweighs key identifiers,
    /// which are only a hint (RFC 5280, section 4.2.1.1).
    pub(crate) fn issued(&mut self, child: usize, issuer: usize) -> bool {
        if !self.at(child).is_issued_by(self.at(issuer)) {
            return false;
        }
        self.signed(child, issuer)
            .unwrap_or_else(|| self.at(child).names_key_of(self.at(issuer)))
    }

    /// Did this key make this signature, whatever the names say? `None` when it cannot be told, or when so many
    /// signatures were checked that it is not tried.
    fn signed(&mut self, child: usize, issuer: usize) -> Option<bool> {
        if let Some(&known) = self.checked.get(&(child, issuer)) {
            return known;
        }
        if self.signatures >= MAX_SIGNATURES {
            return None;
        }
        self.signatures += 1;
        let answer = is_signed_by(self.at(child), self.at(issuer), self.crypto);
        self.checked.insert((child, issuer), answer);
        answer
    }
}

/// Letter case and runs of spaces do not count (RFC 5280, section 7.1).
fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

impl std::fmt::Debug for Graph<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph")
            .field("certificates", &self.len())
            .finish_non_exhaustive()
    }
}
