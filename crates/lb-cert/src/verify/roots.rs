//! The roots that are trusted, with their own certificates.

use crate::certificate::{Certificate, name};
use crate::tlv;
use rustls_pki_types::TrustAnchor;
use std::collections::HashMap;

/// The certificates that are trusted. Each is an anchor, whether self-signed or not.
///
/// Their own certificates are kept, so that the rules hold for them, too.
#[derive(Debug, Default)]
pub struct Roots {
    pub(super) certificates: Vec<Certificate>,
    /// For rustls-webpki, in the same order. Without name constraints: those are checked here, in all forms.
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
}

impl Roots {
    /// Nobody is trusted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts a certificate. One that is already there is not added again.
    pub fn add(&mut self, certificate: Certificate) {
        let subject = name::canonical(certificate.subject_raw());
        let known = self.by_subject.entry(subject).or_default();
        let there = |index: &usize| self.certificates.get(*index) == Some(&certificate);
        if known.iter().any(there) {
            return;
        }
        known.push(self.certificates.len());
        let content = |der: &[u8]| tlv::only(der, tlv::SEQUENCE).unwrap_or_default().to_vec();
        self.anchors.push(TrustAnchor {
            subject: content(certificate.subject_raw()).into(),
            subject_public_key_info: content(certificate.spki_raw()).into(),
            name_constraints: None,
        });
        self.certificates.push(certificate);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    /// Is nobody trusted?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// The certificates, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter()
    }

    /// The roots of the operating system, and how many of its certificates could not be read.
    ///
    /// # Errors
    ///
    /// None could be found: what was tried, in words.
    #[cfg(feature = "native-roots")]
    pub fn native() -> Result<(Self, usize), String> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = Self::new();
        let mut unreadable = found.errors.len();
        for der in found.certs {
            match Certificate::parse(der) {
                Ok(certificate) => roots.add(certificate),
                Err(_) => unreadable = unreadable.saturating_add(1),
            }
        }
        if roots.is_empty() {
            let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
            return Err(format!("no roots in the system's store: {}", reasons.join("; ")));
        }
        Ok((roots, unreadable))
    }

    /// Those of this canonical subject.
    pub(super) fn called(&self, subject: &[u8]) -> &[usize] {
        self.by_subject.get(subject).map(Vec::as_slice).unwrap_or_default()
    }
}

impl FromIterator<Certificate> for Roots {
    fn from_iter<T: IntoIterator<Item = Certificate>>(certificates: T) -> Self {
        let mut roots = Self::new();
        for certificate in certificates {
            roots.add(certificate);
        }
        roots
    }
}
