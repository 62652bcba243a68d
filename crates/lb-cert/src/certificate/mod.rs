//! A certificate, parsed once.

mod error;
mod extension;
pub(crate) mod host;
mod key;
pub(crate) mod mailbox;
pub(crate) mod name;
mod parse;
mod signer;

pub use error::CertificateError;
pub(crate) use extension::Oid;
pub use extension::{
    AuthorityKeyId, BasicConstraints, DistributionPoint, KeyUsage, MOST_NAMES, NameConstraints, PolicyConstraints,
    Subtree,
};
pub use key::{KeyKind, PublicKey};
pub use name::GeneralName;
pub(crate) use parse::algorithm_name;
pub use parse::{MOST_BYTES, MOST_EXTENSIONS};

use crate::tlv;
use rustls_pki_types::CertificateDer;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A certificate that owns its DER and what was read from it.
///
/// A malformed extension does not make a certificate unreadable: it is listed by
/// [`Certificate::malformed`], and verification refuses it.
#[derive(Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
    parts: Parts,
    version: u8,
    not_before: i64,
    not_after: i64,
    key: PublicKey,
    unique_ids: bool,
    extensions: Vec<Extension>,
    known: Known,
    malformed: Vec<Malformed>,
}

/// Where things stand in the DER. The ranges were made from slices of it.
#[derive(Clone, Debug, Default)]
struct Parts {
    signed: Range<usize>,
    serial: Range<usize>,
    inner_algorithm: Range<usize>,
    issuer: Range<usize>,
    validity: Range<usize>,
    subject: Range<usize>,
    spki: Range<usize>,
    algorithm: Range<usize>,
    signature: Range<usize>,
}

/// An extension as it stands in the certificate.
#[derive(Clone, Debug)]
pub struct Extension {
    oid: Range<usize>,
    critical: bool,
    value: Range<usize>,
}

/// What the extensions say that this crate knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_key_usage: Option<Vec<Oid>>,
    pub(crate) names: Option<Vec<GeneralName>>,
    pub(crate) name_constraints: Option<NameConstraints>,
    pub(crate) authority_key_id: Option<AuthorityKeyId>,
    pub(crate) subject_key_id: Option<Box<[u8]>>,
    pub(crate) policies: Option<Vec<Oid>>,
    pub(crate) policy_mappings: Option<Vec<(Oid, Oid)>>,
    pub(crate) policy_constraints: Option<PolicyConstraints>,
    pub(crate) inhibit_any_policy: Option<u32>,
    pub(crate) authority_access: Vec<(Oid, GeneralName)>,
    pub(crate) distribution_points: Vec<DistributionPoint>,
}

/// An extension that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Which extension, dotted.
    pub oid: String,
    /// What is wrong with it.
    pub what: &'static str,
}

impl Certificate {
    /// Reads a certificate. Linear in its size; allocates for names and extensions.
    ///
    /// # Errors
    ///
    /// Not one DER certificate, or larger than [`MOST_BYTES`], or more than [`MOST_EXTENSIONS`].
    pub fn parse(der: CertificateDer<'static>) -> Result<Self, CertificateError> {
        parse::parse(der)
    }

    /// The certificate as it was read.
    #[must_use]
    pub const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// 1, 2 or 3.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// Whose certificate it is, on one line. Made at each call.
    #[must_use]
    pub fn subject(&self) -> String {
        name::one_line(self.subject_raw())
    }

    /// Who issued it, on one line. Made at each call.
    #[must_use]
    pub fn issuer(&self) -> String {
        name::one_line(self.issuer_raw())
    }

    /// The last common name of the subject.
    #[must_use]
    pub fn common_name(&self) -> Option<Cow<'_, str>> {
        name::common_name(self.subject_raw())
    }

    /// The shortest name a person would use: common name, else first alternative name, else subject.
    #[must_use]
    pub fn label(&self) -> String {
        match (self.common_name(), self.names().first()) {
            (Some(name), _) => name::printable(&name).into_owned(),
            (None, Some(name)) => name.to_string(),
            (None, None) => self.subject(),
        }
    }

    /// The subject as DER, header included.
    #[must_use]
    pub fn subject_raw(&self) -> &[u8] {
        self.part(&self.parts.subject)
    }

    /// The issuer as DER, header included.
    #[must_use]
    pub fn issuer_raw(&self) -> &[u8] {
        self.part(&self.parts.issuer)
    }

    /// The serial number: the bytes of a signed INTEGER, as they stand.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.part(&self.parts.serial)
    }

    /// Seconds since 1970, the first second of validity.
    #[must_use]
    pub const fn not_before(&self) -> i64 {
        self.not_before
    }

    /// Seconds since 1970, the last second of validity.
    #[must_use]
    pub const fn not_after(&self) -> i64 {
        self.not_after
    }

    /// The validity as DER, header included.
    #[must_use]
    pub fn validity_raw(&self) -> &[u8] {
        self.part(&self.parts.validity)
    }

    /// The subject's alternative names; none if there is no such extension or it is malformed.
    #[must_use]
    pub fn names(&self) -> &[GeneralName] {
        self.known.names.as_deref().unwrap_or_default()
    }

    /// Does it say that its key may sign certificates (basic constraints)?
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.known.basic_constraints.is_some_and(|found| found.ca)
    }

    /// Basic constraints, if present and readable.
    #[must_use]
    pub const fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.known.basic_constraints
    }

    /// Is its subject its issuer (RFC 5280, section 3.2)? A self-signed one is, too; whether the
    /// signature is its own key's is not tried here.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        name::same(self.subject_raw(), self.issuer_raw())
    }

    /// Could `issuer` have issued it? Compares names only.
    #[must_use]
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        name::same(self.issuer_raw(), issuer.subject_raw())
    }

    /// The same as OpenSSL sees it, for which letter case outside ASCII counts.
    pub(crate) fn is_issued_by_for_openssl(&self, issuer: &Self) -> bool {
        name::same_for_openssl(self.issuer_raw(), issuer.subject_raw())
    }

    /// The public key's kind and length.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// SubjectPublicKeyInfo as DER, header included.
    #[must_use]
    pub fn spki_raw(&self) -> &[u8] {
        self.part(&self.parts.spki)
    }

    /// How it is signed, as a name people use, or dotted.
    #[must_use]
    pub fn signature_algorithm(&self) -> String {
        parse::algorithm_name(self.signature_algorithm_raw())
    }

    /// The outer signature algorithm as DER, header included.
    #[must_use]
    pub fn signature_algorithm_raw(&self) -> &[u8] {
        self.part(&self.parts.algorithm)
    }

    /// The signed signature algorithm as DER, header included; must equal the outer.
    #[must_use]
    pub fn signed_signature_algorithm_raw(&self) -> &[u8] {
        self.part(&self.parts.inner_algorithm)
    }

    /// The signature's bytes.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        self.part(&self.parts.signature)
    }

    /// What is signed: TBSCertificate as DER, header included.
    #[must_use]
    pub fn signed(&self) -> &[u8] {
        self.part(&self.parts.signed)
    }

    /// The key's identifier (RFC 5280, section 4.2.1.2).
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.known.subject_key_id.as_deref()
    }

    /// The signing key's identifier (RFC 5280, section 4.2.1.1).
    #[must_use]
    pub const fn authority_key_id(&self) -> Option<&AuthorityKeyId> {
        self.known.authority_key_id.as_ref()
    }

    /// What the key may be used for.
    #[must_use]
    pub const fn key_usage(&self) -> Option<KeyUsage> {
        self.known.key_usage
    }

    /// The extended key usages, dotted; none if there is no such extension.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<Vec<String>> {
        let found = self.known.extended_key_usage.as_ref()?;
        Some(found.iter().map(|oid| tlv::dotted(oid)).collect())
    }

    /// Which names the CA may certify.
    #[must_use]
    pub const fn name_constraints(&self) -> Option<&NameConstraints> {
        self.known.name_constraints.as_ref()
    }

    /// Where the issuer's certificate is said to be (AIA, RFC 5280, section 4.2.2.1). Never fetched here.
    #[must_use]
    pub fn ca_issuers(&self) -> Vec<&str> {
        self.access(CA_ISSUERS)
    }

    /// Where the issuer's OCSP responder is said to be.
    #[must_use]
    pub fn ocsp_urls(&self) -> Vec<&str> {
        self.access(OCSP)
    }

    /// Where CRLs are said to be.
    #[must_use]
    pub fn crl_urls(&self) -> Vec<&str> {
        let names = self.known.distribution_points.iter().flat_map(|point| &point.names);
        names.filter_map(uri).collect()
    }

    /// The extensions in their order: dotted identifier, critical, value.
    pub fn extensions(&self) -> impl Iterator<Item = (String, bool, &[u8])> {
        self.raw_extensions()
            .map(|(oid, critical, value)| (tlv::dotted(oid), critical, value))
    }

    /// Extensions that could not be read.
    #[must_use]
    pub fn malformed(&self) -> &[Malformed] {
        &self.malformed
    }

    pub(crate) fn raw_extensions(&self) -> impl Iterator<Item = (&[u8], bool, &[u8])> {
        self.extensions
            .iter()
            .map(|found| (self.part(&found.oid), found.critical, self.part(&found.value)))
    }

    /// Is the extension there, and is it critical?
    pub(crate) fn extension(&self, oid: &[u8]) -> Option<bool> {
        self.raw_extensions()
            .find(|(found, ..)| *found == oid)
            .map(|(_, critical, _)| critical)
    }

    pub(crate) const fn known(&self) -> &Known {
        &self.known
    }

    pub(crate) const fn has_unique_ids(&self) -> bool {
        self.unique_ids
    }

    fn access(&self, method: &[u8]) -> Vec<&str> {
        let found = self.known.authority_access.iter().filter(|(kind, _)| **kind == *method);
        found.filter_map(|(_, location)| uri(location)).collect()
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.der.get(range.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

fn uri(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::Uri(uri) => Some(uri),
        _ => None,
    }
}

const CA_ISSUERS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
const OCSP: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];

/// Object identifiers of extensions (their contents).
pub(crate) mod oid {
    pub(crate) const SUBJECT_KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
    pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
    pub(crate) const SUBJECT_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
    pub(crate) const ISSUER_NAMES: &[u8] = &[0x55, 0x1d, 0x12];
    pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
    pub(crate) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
    pub(crate) const DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
    pub(crate) const POLICIES: &[u8] = &[0x55, 0x1d, 0x20];
    pub(crate) const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 0x21];
    pub(crate) const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
    pub(crate) const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x24];
    pub(crate) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
    pub(crate) const FRESHEST_CRL: &[u8] = &[0x55, 0x1d, 0x2e];
    pub(crate) const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x36];
    pub(crate) const AUTHORITY_ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
    pub(crate) const SUBJECT_ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x0b];
}
