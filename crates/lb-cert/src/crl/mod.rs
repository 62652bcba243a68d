//! Certificate revocation lists: loaded once, looked up by serial number.

mod error;
mod lists;
mod parse;

pub use error::CrlError;
pub use lists::{Crls, Freshness};
pub use parse::{MOST_CRL_BYTES, MOST_ENTRIES};

use rustls_pki_types::CertificateRevocationListDer;
use std::fmt;
use std::sync::Mutex;

/// A CRL of one issuer.
///
/// What it keeps per revoked certificate: the serial number and about 24 bytes; not the CRL itself.
pub struct Crl {
    issuer: Vec<u8>,
    version: u8,
    this_update: i64,
    next_update: Option<i64>,
    number_critical: Option<bool>,
    names_its_key: bool,
    algorithms_agree: bool,
    unsupported: Option<String>,
    /// Sorted by serial number.
    entries: Vec<Entry>,
    serials: Vec<u8>,
    /// What has to be signed, with what; kept until every issuer's key has been tried.
    signed: Signed,
    /// Issuers' keys that were tried, and whether they signed this CRL.
    tried: Mutex<Vec<(Box<[u8]>, bool)>>,
}

/// The CRL's bytes and where the signed part and the signature stand in them.
struct Signed {
    der: CertificateRevocationListDer<'static>,
    signed: std::ops::Range<usize>,
    algorithm: std::ops::Range<usize>,
    signature: std::ops::Range<usize>,
}

/// One revoked certificate.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    length: u8,
    reason: Reason,
    since: i64,
}

/// Why a certificate was revoked (RFC 5280, section 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// None was given.
    Unspecified,
    /// The key is no longer secret.
    KeyCompromise,
    /// The CA's key is no longer secret.
    CaCompromise,
    /// The subject's name or affiliation changed.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// It is revoked for the time being.
    CertificateHold,
    /// It was only ever to be removed from a delta CRL.
    RemoveFromCrl,
    /// A privilege in it was withdrawn.
    PrivilegeWithdrawn,
    /// The attribute authority's key is no longer secret.
    AaCompromise,
}

/// A certificate's place in a CRL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Why.
    pub reason: Reason,
    /// Since when, in seconds since 1970.
    pub since: i64,
}

impl Crl {
    /// Reads a CRL. Its entries are sorted: `O(n log n)`, some 20 ms for 100,000.
    ///
    /// A delta, indirect or partial CRL, or one with an unknown critical extension, is read; it says so in
    /// [`Crl::unsupported`] and makes every certificate of its issuer unknown, never good.
    ///
    /// # Errors
    ///
    /// Not one DER CRL, or beyond [`MOST_CRL_BYTES`] or [`MOST_ENTRIES`].
    pub fn parse(der: CertificateRevocationListDer<'static>) -> Result<Self, CrlError> {
        parse::parse(der)
    }

    /// Who issued it, on one line.
    #[must_use]
    pub fn issuer(&self) -> String {
        crate::certificate::name::one_line(&self.issuer)
    }

    /// The issuer as DER, header included.
    #[must_use]
    pub fn issuer_raw(&self) -> &[u8] {
        &self.issuer
    }

    /// 1 or 2.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// Since when it holds, in seconds since 1970.
    #[must_use]
    pub const fn this_update(&self) -> i64 {
        self.this_update
    }

    /// When the next one comes, in seconds since 1970.
    #[must_use]
    pub const fn next_update(&self) -> Option<i64> {
        self.next_update
    }

    /// How many certificates it revokes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Does it revoke nobody?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Why it cannot be used, in words.
    #[must_use]
    pub fn unsupported(&self) -> Option<&str> {
        self.unsupported.as_deref()
    }

    /// Looks for a serial number (an INTEGER's content). `O(log n)`, allocates nothing.
    #[must_use]
    pub fn find(&self, serial: &[u8]) -> Option<Revocation> {
        let found = self
            .entries
            .binary_search_by(|entry| self.serial(entry).cmp(serial))
            .ok()?;
        let entry = self.entries.get(found)?;
        Some(Revocation {
            reason: entry.reason,
            since: entry.since,
        })
    }

    pub(crate) const fn number_critical(&self) -> Option<bool> {
        self.number_critical
    }

    pub(crate) const fn names_its_key(&self) -> bool {
        self.names_its_key
    }

    pub(crate) const fn algorithms_agree(&self) -> bool {
        self.algorithms_agree
    }

    fn serial(&self, entry: &Entry) -> &[u8] {
        let start = entry.start as usize;
        let end = start.saturating_add(usize::from(entry.length));
        self.serials.get(start..end).unwrap_or_default()
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("issuer", &self.issuer())
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "no reason given",
            Self::KeyCompromise => "key compromise",
            Self::CaCompromise => "CA compromise",
            Self::AffiliationChanged => "affiliation changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation of operation",
            Self::CertificateHold => "certificate hold",
            Self::RemoveFromCrl => "remove from CRL",
            Self::PrivilegeWithdrawn => "privilege withdrawn",
            Self::AaCompromise => "AA compromise",
        })
    }
}
