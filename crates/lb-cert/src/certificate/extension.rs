//! What the extensions of a certificate say (RFC 5280, section 4.2).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::name::GeneralName;
use crate::tlv::{self, Reader, SEQUENCE, Wrong, constructed, context};

/// An object identifier's content.
pub(crate) type Oid = Box<[u8]>;

/// More names than this in one extension are refused. Certificates with 2,048 exist in test
/// suites, with 1,000 in the world.
pub const MOST_NAMES: usize = 16_384;

/// Is the key a CA's, and how many CAs may follow (section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// The key may sign certificates.
    pub ca: bool,
    /// So many intermediate certificates may follow that are not self-issued.
    pub path_length: Option<u32>,
}

/// What the key may be used for (section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(pub(crate) u16);

impl KeyUsage {
    /// Does it hold `digitalSignature`?
    #[must_use]
    pub const fn digital_signature(self) -> bool {
        self.0 & 1 != 0
    }

    /// Does it hold `keyEncipherment`?
    #[must_use]
    pub const fn key_encipherment(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    /// Does it hold `keyCertSign`?
    #[must_use]
    pub const fn sign_certificates(self) -> bool {
        self.0 & 1 << 5 != 0
    }

    /// Does it hold `cRLSign`?
    #[must_use]
    pub const fn sign_crls(self) -> bool {
        self.0 & 1 << 6 != 0
    }

    /// Does it hold the usage of this RFC 5280 name (`keyAgreement`, ..)?
    #[must_use]
    pub fn has(self, usage: &str) -> bool {
        self.names().any(|name| name == usage)
    }

    /// The usages, by their names in RFC 5280.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        USAGES
            .iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & 1_u16.checked_shl(u32::try_from(*bit).unwrap_or(99)).unwrap_or(0) != 0)
            .map(|(_, name)| *name)
    }
}

pub(crate) const USAGES: [&str; 9] = [
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

/// Which key signed (section 4.2.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorityKeyId {
    /// The signing key's identifier.
    pub key_id: Option<Box<[u8]>>,
    /// Names of the signing certificate's issuer were given.
    pub issuer: Option<Vec<GeneralName>>,
    /// The signing certificate's serial number was given.
    pub serial: Option<Box<[u8]>>,
}

/// One of the name spaces of a [`NameConstraints`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subtree {
    /// A host and everything below it; a leading dot means only what is below.
    Dns(Box<str>),
    /// A mailbox, a host, or a domain with a leading dot.
    Email(Box<str>),
    /// A host, or a domain with a leading dot.
    Uri(Box<str>),
    /// Names that begin with these attributes (DER, with header).
    Directory(Box<[u8]>),
    /// Addresses: network and mask, four or sixteen bytes each.
    Ip {
        /// The network.
        network: Box<[u8]>,
        /// The mask, as long as the network.
        mask: Box<[u8]>,
    },
    /// A form that nobody can evaluate; by its number in RFC 5280.
    Unsupported(u8),
}

impl Subtree {
    /// The number of the name's form in RFC 5280.
    #[must_use]
    pub const fn form(&self) -> u8 {
        match self {
            Self::Email(_) => 1,
            Self::Dns(_) => 2,
            Self::Directory(_) => 4,
            Self::Uri(_) => 6,
            Self::Ip { .. } => 7,
            Self::Unsupported(form) => *form,
        }
    }
}

/// Which names a CA may certify (section 4.2.1.10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameConstraints {
    /// For each form that occurs, a name must lie in one of these.
    pub permitted: Vec<Subtree>,
    /// No name may lie in one of these.
    pub excluded: Vec<Subtree>,
}

/// Section 4.2.1.11.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyConstraints {
    /// After so many certificates, an acceptable policy is needed.
    pub require_explicit: Option<u32>,
    /// After so many certificates, policies are no longer mapped.
    pub inhibit_mapping: Option<u32>,
}

pub(crate) fn basic_constraints(bytes: &[u8]) -> Result<BasicConstraints, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let ca = match reader.optional(tlv::BOOLEAN)? {
        Some(found) => tlv::boolean(found.value)?,
        None => false,
    };
    let path_length = match reader.optional(tlv::INTEGER)? {
        Some(found) => Some(tlv::small(found.value)?),
        None => None,
    };
    reader.end()?;
    Ok(BasicConstraints { ca, path_length })
}

pub(crate) fn key_usage(bytes: &[u8]) -> Result<KeyUsage, Wrong> {
    tlv::named_bits(tlv::only(bytes, tlv::BIT_STRING)?).map(KeyUsage)
}

/// The contents of a SEQUENCE of OBJECT IDENTIFIERs, which must not be empty.
pub(crate) fn oids(bytes: &[u8]) -> Result<Vec<Oid>, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let mut found = Vec::new();
    while !reader.is_empty() {
        found.push(reader.expect(tlv::OID)?.value.into());
        within(found.len())?;
    }
    if found.is_empty() {
        Err("an empty list")
    } else {
        Ok(found)
    }
}

/// The names in the content of a SEQUENCE.
pub(crate) fn names(content: &[u8]) -> Result<Vec<GeneralName>, Wrong> {
    let mut reader = Reader::new(content);
    let mut found = Vec::new();
    while !reader.is_empty() {
        found.push(GeneralName::read(&reader.any()?)?);
        within(found.len())?;
    }
    if found.is_empty() {
        Err("an empty list of names")
    } else {
        Ok(found)
    }
}

pub(crate) fn authority_key_id(bytes: &[u8]) -> Result<AuthorityKeyId, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let key_id = reader.optional(context(0))?.map(|found| found.value.into());
    let issuer = match reader.optional(constructed(1))? {
        Some(found) => Some(names(found.value)?),
        None => None,
    };
    let serial = reader.optional(context(2))?.map(|found| found.value.into());
    reader.end()?;
    Ok(AuthorityKeyId { key_id, issuer, serial })
}

pub(crate) fn name_constraints(bytes: &[u8]) -> Result<NameConstraints, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let mut found = NameConstraints::default();
    if let Some(permitted) = reader.optional(constructed(0))? {
        found.permitted = subtrees(permitted.value)?;
    }
    if let Some(excluded) = reader.optional(constructed(1))? {
        found.excluded = subtrees(excluded.value)?;
    }
    reader.end()?;
    if found.permitted.is_empty() && found.excluded.is_empty() {
        return Err("name constraints that constrain nothing");
    }
    Ok(found)
}

fn subtrees(content: &[u8]) -> Result<Vec<Subtree>, Wrong> {
    let mut reader = Reader::new(content);
    let mut found = Vec::new();
    while !reader.is_empty() {
        let mut fields = Reader::new(reader.expect(SEQUENCE)?.value);
        let base = fields.any()?;
        // minimum MUST be zero, which DER leaves out; maximum MUST be absent
        if !fields.is_empty() {
            return Err("name constraints with a minimum or maximum");
        }
        found.push(subtree(&base)?);
        within(found.len())?;
    }
    if found.is_empty() {
        Err("an empty list of name spaces")
    } else {
        Ok(found)
    }
}

fn subtree(base: &tlv::Tlv<'_>) -> Result<Subtree, Wrong> {
    const IP: u8 = context(7);
    if base.id == IP {
        let half = match base.value.len() {
            8 => 4,
            32 => 16,
            _ => return Err("an address constraint without a mask"),
        };
        let (network, mask) = base
            .value
            .split_at_checked(half)
            .ok_or("an address constraint without a mask")?;
        return Ok(Subtree::Ip {
            network: network.into(),
            mask: mask.into(),
        });
    }
    Ok(match GeneralName::read(base)? {
        GeneralName::Dns(text) => Subtree::Dns(text),
        GeneralName::Email(text) => Subtree::Email(text),
        GeneralName::Uri(text) => Subtree::Uri(text),
        GeneralName::Directory(name) => Subtree::Directory(name),
        GeneralName::Invalid { .. } => return Err("a name constraint that is not ASCII"),
        other => Subtree::Unsupported(other.form()),
    })
}

pub(crate) fn policies(bytes: &[u8]) -> Result<Vec<Oid>, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let mut found: Vec<Oid> = Vec::new();
    while !reader.is_empty() {
        let policy = Reader::new(reader.expect(SEQUENCE)?.value).expect(tlv::OID)?.value;
        if found.iter().any(|known| **known == *policy) {
            return Err("a policy that is listed twice");
        }
        found.push(policy.into());
        if found.len() > MOST_POLICIES {
            return Err("more than 256 policies");
        }
    }
    if found.is_empty() {
        Err("an empty list of policies")
    } else {
        Ok(found)
    }
}

/// Policies are compared with each other, so their number is bounded.
const MOST_POLICIES: usize = 256;

/// Pairs of issuer's and subject's policy.
pub(crate) fn policy_mappings(bytes: &[u8]) -> Result<Vec<(Oid, Oid)>, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let mut found = Vec::new();
    while !reader.is_empty() {
        let mut pair = Reader::new(reader.expect(SEQUENCE)?.value);
        let issuer = pair.expect(tlv::OID)?.value.into();
        let subject = pair.expect(tlv::OID)?.value.into();
        pair.end()?;
        found.push((issuer, subject));
        if found.len() > MOST_POLICIES {
            return Err("more than 256 policy mappings");
        }
    }
    if found.is_empty() {
        Err("an empty list of policy mappings")
    } else {
        Ok(found)
    }
}

pub(crate) fn policy_constraints(bytes: &[u8]) -> Result<PolicyConstraints, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let count = |found: Option<tlv::Tlv<'_>>| found.map(|found| tlv::small(found.value)).transpose();
    let require_explicit = count(reader.optional(context(0))?)?;
    let inhibit_mapping = count(reader.optional(context(1))?)?;
    reader.end()?;
    if require_explicit.is_none() && inhibit_mapping.is_none() {
        return Err("policy constraints that constrain nothing");
    }
    Ok(PolicyConstraints {
        require_explicit,
        inhibit_mapping,
    })
}

pub(crate) fn inhibit_any_policy(bytes: &[u8]) -> Result<u32, Wrong> {
    tlv::small(tlv::only(bytes, tlv::INTEGER)?)
}

/// Access methods (their OIDs' contents) and locations.
pub(crate) fn access(bytes: &[u8]) -> Result<Vec<(Oid, GeneralName)>, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let mut found = Vec::new();
    while !reader.is_empty() {
        let mut fields = Reader::new(reader.expect(SEQUENCE)?.value);
        let method = fields.expect(tlv::OID)?.value.into();
        let location = GeneralName::read(&fields.any()?)?;
        fields.end()?;
        found.push((method, location));
        within(found.len())?;
    }
    if found.is_empty() {
        Err("an empty list of access descriptions")
    } else {
        Ok(found)
    }
}

/// One place where a CRL may be had (section 4.2.1.13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistributionPoint {
    /// The full names of the place.
    pub names: Vec<GeneralName>,
    /// Only revocations for some reasons are there.
    pub only_some_reasons: bool,
    /// Somebody else than the certificate's issuer signs the CRL.
    pub crl_issuer: Option<Vec<GeneralName>>,
}

pub(crate) fn distribution_points(bytes: &[u8]) -> Result<Vec<DistributionPoint>, Wrong> {
    let mut reader = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let mut found = Vec::new();
    while !reader.is_empty() {
        let mut fields = Reader::new(reader.expect(SEQUENCE)?.value);
        let mut point = DistributionPoint::default();
        let place = fields.optional(constructed(0))?;
        if let Some(place) = place {
            point.names = distribution_point_name(place.value)?;
        }
        if let Some(reasons) = fields.optional(context(1))? {
            tlv::named_bits(reasons.value)?;
            point.only_some_reasons = true;
        }
        if let Some(issuer) = fields.optional(constructed(2))? {
            point.crl_issuer = Some(names(issuer.value)?);
        }
        fields.end()?;
        if place.is_none() && point.crl_issuer.is_none() {
            return Err("a distribution point without place and issuer");
        }
        found.push(point);
        within(found.len())?;
    }
    if found.is_empty() {
        Err("an empty list of distribution points")
    } else {
        Ok(found)
    }
}

/// The full names of a DistributionPointName; none for a name relative to the issuer's.
pub(crate) fn distribution_point_name(content: &[u8]) -> Result<Vec<GeneralName>, Wrong> {
    let mut reader = Reader::new(content);
    let found = reader.any()?;
    reader.end()?;
    match found.id {
        0xa0 => names(found.value),
        0xa1 => Ok(Vec::new()),
        _ => Err("a distribution point name of an unknown form"),
    }
}

fn within(count: usize) -> Result<(), Wrong> {
    if count > MOST_NAMES {
        Err("more than 16384 entries in one extension")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_names_its_bits() {
        let usage = key_usage(&[0x03, 0x02, 0x01, 0x06]).expect("keyCertSign, cRLSign");
        assert_eq!(usage.names().collect::<Vec<_>>(), ["keyCertSign", "cRLSign"]);
        assert!(usage.sign_certificates() && usage.sign_crls() && !usage.digital_signature());
        assert!(usage.has("cRLSign") && !usage.has("nonsense"));
    }

    #[test]
    fn constraints_on_addresses_need_a_mask() {
        let with = [
            0x30, 0x0e, 0xa0, 0x0c, 0x30, 0x0a, 0x87, 0x08, 10, 0, 0, 0, 255, 0, 0, 0,
        ];
        assert!(matches!(
            name_constraints(&with).expect("good").permitted.as_slice(),
            [Subtree::Ip { network, .. }] if **network == [10, 0, 0, 0]
        ));
        let without = [0x30, 0x0a, 0xa0, 0x08, 0x30, 0x06, 0x87, 0x04, 10, 0, 0, 0];
        assert!(name_constraints(&without).is_err());
        assert!(name_constraints(&[0x30, 0]).is_err());
        assert!(
            name_constraints(&[0x30, 4, 0x05, 0, 0x05, 0]).is_err(),
            "NULL is no list"
        );
    }

    #[test]
    fn the_default_of_a_ca_is_no() {
        let read = basic_constraints(&[0x30, 0]).expect("empty is allowed");
        assert_eq!(
            read,
            BasicConstraints {
                ca: false,
                path_length: None
            }
        );
        let read = basic_constraints(&[0x30, 6, 1, 1, 0xff, 2, 1, 3]).expect("good");
        assert_eq!(
            read,
            BasicConstraints {
                ca: true,
                path_length: Some(3)
            }
        );
        assert!(basic_constraints(&[0x30, 3, 1, 1, 1]).is_err(), "TRUE is FF in DER");
    }

    #[test]
    fn lists_are_not_empty() {
        assert!(oids(&[0x30, 0]).is_err());
        assert!(names(&[]).is_err());
        assert!(access(&[0x30, 0]).is_err());
        assert!(policies(&[0x30, 0]).is_err());
        assert!(distribution_points(&[0x30, 0]).is_err());
    }

    #[test]
    fn more_names_than_the_limit_are_refused() {
        let some = |count: usize| [0x82_u8, 1, b'a'].repeat(count);
        assert_eq!(names(&some(MOST_NAMES)).expect("at the limit").len(), MOST_NAMES);
        assert!(names(&some(MOST_NAMES + 1)).is_err());
    }
}
