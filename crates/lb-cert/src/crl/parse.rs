//! From DER to [`Crl`] (RFC 5280, section 5).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Crl, CrlError, Entry, Reason, Signed};
use crate::tlv::{self, Reader, SEQUENCE, Wrong, constructed};
use rustls_pki_types::CertificateRevocationListDer;
use std::ops::Range;
use std::sync::Mutex;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

/// A larger CRL is refused. The largest in use have some 40 MiB.
pub const MOST_CRL_BYTES: usize = 256 << 20;

/// More entries are refused.
pub const MOST_ENTRIES: usize = 8_000_000;

impl From<Wrong> for CrlError {
    fn from(what: Wrong) -> Self {
        Self::Malformed { what }
    }
}

pub(super) fn parse(der: CertificateRevocationListDer<'static>) -> Result<Crl, CrlError> {
    parse_within(der, MOST_CRL_BYTES, MOST_ENTRIES)
}

fn parse_within(der: CertificateRevocationListDer<'static>, limit: usize, entries: usize) -> Result<Crl, CrlError> {
    if der.len() > limit {
        return Err(CrlError::TooLarge {
            found: der.len(),
            limit,
        });
    }
    let bytes: &[u8] = &der;
    let mut outer = Reader::new(tlv::only(bytes, SEQUENCE)?);
    let signed = outer.expect(SEQUENCE)?;
    let algorithm = outer.expect(SEQUENCE)?;
    let signature = tlv::whole_bits(outer.expect(tlv::BIT_STRING)?.value)?;
    outer.end()?;

    let mut fields = Reader::new(signed.value);
    let version = match fields.optional(tlv::INTEGER)? {
        Some(found) => tlv::small(found.value)?.saturating_add(1).try_into().unwrap_or(u8::MAX),
        None => 1,
    };
    let inner = fields.expect(SEQUENCE)?;
    let issuer = fields.expect(SEQUENCE)?;
    let this_update = time(&fields.any()?)?;
    let next_update = match (fields.optional(UTC_TIME)?, fields.optional(GENERALIZED_TIME)?) {
        (Some(found), None) | (None, Some(found)) => Some(time(&found)?),
        (None, None) => None,
        (Some(_), Some(_)) => return Err("two dates of the next update".into()),
    };
    let mut crl = Crl {
        issuer: issuer.whole.to_vec(),
        version,
        this_update,
        next_update,
        number_critical: None,
        names_its_key: false,
        algorithms_agree: inner.whole == algorithm.whole,
        unsupported: None,
        entries: Vec::new(),
        serials: Vec::new(),
        signed: Signed {
            signed: range(bytes, signed.whole)?,
            algorithm: range(bytes, algorithm.whole)?,
            signature: range(bytes, signature)?,
            der: CertificateRevocationListDer::from(Vec::new()),
        },
        tried: Mutex::new(Vec::new()),
    };
    if let Some(revoked) = fields.optional(SEQUENCE)? {
        read_entries(&mut crl, revoked.value, entries)?;
    }
    if let Some(found) = fields.optional(constructed(0))? {
        let mut list = Reader::new(tlv::only(found.value, SEQUENCE)?);
        while !list.is_empty() {
            extension(&mut crl, list.expect(SEQUENCE)?.value)?;
        }
    }
    fields.end()?;
    crl.signed.der = der;
    Ok(crl)
}

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

fn time(found: &tlv::Tlv<'_>) -> Result<i64, Wrong> {
    let (_, time) = ASN1Time::from_der(found.whole).map_err(|_| "a date that cannot be read")?;
    Ok(time.timestamp())
}

fn read_entries(crl: &mut Crl, content: &[u8], limit: usize) -> Result<(), CrlError> {
    let mut list = Reader::new(content);
    while !list.is_empty() {
        if crl.entries.len() >= limit {
            return Err(CrlError::TooManyEntries { limit });
        }
        let mut fields = Reader::new(list.expect(SEQUENCE)?.value);
        let serial = fields.expect(tlv::INTEGER)?.value;
        let since = time(&fields.any()?)?;
        let mut reason = Reason::Unspecified;
        if let Some(extensions) = fields.optional(SEQUENCE)? {
            let mut extensions = Reader::new(extensions.value);
            while !extensions.is_empty() {
                let (oid, critical, value) = split(extensions.expect(SEQUENCE)?.value)?;
                match oid {
                    REASON => reason = read_reason(value)?,
                    INVALIDITY_DATE => {}
                    CERTIFICATE_ISSUER => crl.refuse("an indirect CRL: an entry names another issuer"),
                    other if critical => crl.refuse(&format!("an entry has critical {}", tlv::dotted(other))),
                    _ => {}
                }
            }
        }
        fields.end()?;
        let start = u32::try_from(crl.serials.len()).map_err(|_| "serial numbers of more than 4 GiB")?;
        let length = u8::try_from(serial.len()).map_err(|_| "a serial number of more than 255 bytes")?;
        crl.serials.extend_from_slice(serial);
        crl.entries.push(Entry {
            start,
            length,
            reason,
            since,
        });
    }
    let serials = &crl.serials;
    let serial = |entry: &Entry| {
        let start = entry.start as usize;
        serials
            .get(start..start.saturating_add(usize::from(entry.length)))
            .unwrap_or_default()
    };
    crl.entries
        .sort_unstable_by(|one, other| serial(one).cmp(serial(other)));
    Ok(())
}

fn extension(crl: &mut Crl, content: &[u8]) -> Result<(), CrlError> {
    let (oid, critical, value) = split(content)?;
    match oid {
        AUTHORITY_KEY_ID => crl.names_its_key = true,
        CRL_NUMBER => {
            tlv::only(value, tlv::INTEGER)?;
            crl.number_critical = Some(critical);
        }
        DELTA => crl.refuse("a delta CRL"),
        DISTRIBUTION_POINT => crl.refuse(&partial(value)?),
        FRESHEST | ISSUER_NAMES | AUTHORITY_ACCESS => {}
        other if critical => crl.refuse(&format!("critical extension {}", tlv::dotted(other))),
        _ => {}
    }
    Ok(())
}

/// What an issuing distribution point (section 5.2.5) makes of the CRL, in words.
fn partial(value: &[u8]) -> Result<String, Wrong> {
    let mut fields = Reader::new(tlv::only(value, SEQUENCE)?);
    let mut parts = Vec::new();
    while !fields.is_empty() {
        let field = fields.any()?;
        parts.push(match field.id {
            0xa0 => "one distribution point",
            0x81 => "certificates of peers only",
            0x82 => "certificates of CAs only",
            0x83 => "some reasons only",
            0x84 => return Ok(String::from("an indirect CRL")),
            0x85 => "attribute certificates only",
            _ => return Err("an issuing distribution point with an unknown field"),
        });
    }
    Ok(format!("a partial CRL: {}", parts.join(", ")))
}

fn split(content: &[u8]) -> Result<(&[u8], bool, &[u8]), Wrong> {
    let mut fields = Reader::new(content);
    let oid = fields.expect(tlv::OID)?.value;
    let critical = match fields.optional(tlv::BOOLEAN)? {
        Some(found) => tlv::boolean(found.value)?,
        None => false,
    };
    let value = fields.expect(tlv::OCTET_STRING)?.value;
    fields.end()?;
    Ok((oid, critical, value))
}

fn read_reason(value: &[u8]) -> Result<Reason, Wrong> {
    const ENUMERATED: u8 = 0x0a;
    Ok(match tlv::only(value, ENUMERATED)? {
        [0] => Reason::Unspecified,
        [1] => Reason::KeyCompromise,
        [2] => Reason::CaCompromise,
        [3] => Reason::AffiliationChanged,
        [4] => Reason::Superseded,
        [5] => Reason::CessationOfOperation,
        [6] => Reason::CertificateHold,
        [8] => Reason::RemoveFromCrl,
        [9] => Reason::PrivilegeWithdrawn,
        [10] => Reason::AaCompromise,
        _ => return Err("an unknown reason"),
    })
}

impl Crl {
    fn refuse(&mut self, why: &str) {
        self.unsupported.get_or_insert_with(|| why.into());
    }
}

/// Where `part`, a slice of `bytes`, stands in it.
fn range(bytes: &[u8], part: &[u8]) -> Result<Range<usize>, Wrong> {
    let start = (part.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize);
    let range = start.and_then(|start| Some(start..start.checked_add(part.len())?));
    range
        .filter(|range| range.end <= bytes.len())
        .ok_or("a part outside the CRL")
}

const AUTHORITY_KEY_ID: &[u8] = &[0x55, 0x1d, 0x23];
const ISSUER_NAMES: &[u8] = &[0x55, 0x1d, 0x12];
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
const REASON: &[u8] = &[0x55, 0x1d, 0x15];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];
const DELTA: &[u8] = &[0x55, 0x1d, 0x1b];
const DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 0x1d];
const FRESHEST: &[u8] = &[0x55, 0x1d, 0x2e];
const AUTHORITY_ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, Issuer, KeyPair, RevokedCertParams, SerialNumber, date_time_ymd};

    fn two() -> CertificateRevocationListDer<'static> {
        let entry = |serial: u64| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2026, 3, 1),
            reason_code: Some(rcgen::RevocationReason::Superseded),
            invalidity_date: None,
        };
        let params = rcgen::CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2027, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![entry(9), entry(5)],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        let issuer = Issuer::new(CertificateParams::default(), KeyPair::generate().expect("a key"));
        params.signed_by(&issuer).expect("a CRL").der().clone()
    }

    #[test]
    fn sizes_and_entries_are_bounded() {
        let der = two();
        let size = der.len();
        let parse = |bytes, entries| parse_within(der.clone(), bytes, entries);
        assert_eq!(parse(size, 2).expect("at the limits").len(), 2);
        assert_eq!(parse(size, 1).err(), Some(CrlError::TooManyEntries { limit: 1 }));
        let limit = size.saturating_sub(1);
        assert_eq!(parse(limit, 2).err(), Some(CrlError::TooLarge { found: size, limit }));
    }

    #[test]
    fn what_a_crl_says_is_read() {
        let crl = parse(two()).expect("a CRL");
        assert_eq!(
            (crl.version(), crl.number_critical(), crl.names_its_key()),
            (2, Some(false), true)
        );
        // by `date -u -d 2026-01-01 +%s` and so on
        assert_eq!(
            (crl.this_update(), crl.next_update()),
            (1_767_225_600, Some(1_798_761_600))
        );
        let found = crl.find(&[5]).expect("revoked");
        assert_eq!((found.reason, found.since), (Reason::Superseded, 1_772_323_200));
        assert_eq!((crl.find(&[9]).is_some(), crl.find(&[7])), (true, None));
    }
}
