//! Rules about the frame of a certificate: version, serial number, names, validity, algorithms.

use super::rule::{Check, Kind, Level, Levels, Link, Rule};
use crate::tlv::{self, Reader, SEQUENCE};
use Level::{Off, Refuse, Warn};

pub(super) static RULES: &[&Rule] = &[
    &form(
        "version.three",
        "RFC 5280, section 4.1.2.1",
        Levels::By(Warn, Refuse, Off),
        version,
        "the version is 3",
        "have a certificate of version 3 issued; versions 1 and 2 cannot say what a key is for",
    ),
    &form(
        "serial.zero",
        "RFC 5280, section 4.1.2.2",
        Levels::By(Warn, Refuse, Off),
        serial_zero,
        "the serial number of an issued certificate is not zero",
        "have the certificate issued again with a positive serial number",
    ),
    &form(
        "serial.negative",
        "RFC 5280, section 4.1.2.2",
        Levels::By(Warn, Refuse, Off),
        serial_negative,
        "the serial number is not negative",
        "have the certificate issued again with a positive serial number",
    ),
    &form(
        "serial.length",
        "RFC 5280, section 4.1.2.2",
        Levels::By(Warn, Refuse, Off),
        serial_length,
        "the serial number has at most 20 octets",
        "have the certificate issued again with a shorter serial number",
    ),
    &form(
        "algorithm.same",
        "RFC 5280, section 4.1.1.2",
        Levels::By(Refuse, Refuse, Refuse),
        algorithm,
        "the signature algorithm inside the signed part is the one outside",
        "have the certificate issued again; it was altered or made wrongly",
    ),
    &form(
        "issuer.empty",
        "RFC 5280, section 4.1.2.4",
        Levels::By(Refuse, Refuse, Off),
        issuer,
        "the issuer has a name",
        "have the certificate issued by a CA with a name",
    ),
    &form(
        "subject.empty",
        "RFC 5280, section 4.1.2.6",
        Levels::By(Refuse, Refuse, Off),
        subject,
        "a CA has a name",
        "have the CA's certificate issued with a subject",
    ),
    &form(
        "validity.encoding",
        "RFC 5280, section 4.1.2.5",
        Levels::By(Warn, Refuse, Off),
        validity,
        "dates are UTCTime until 2049 and GeneralizedTime from 2050, with seconds, in UTC",
        "have the certificate issued again; the CA's software writes dates wrongly",
    ),
    &form(
        "validity.order",
        "RFC 5280, section 4.1.2.5",
        Levels::By(Refuse, Refuse, Off),
        order,
        "notBefore is not after notAfter",
        "have the certificate issued again",
    ),
    &form(
        "validity.anchor",
        "RFC 5280, section 4.1.2.5",
        Levels::By(Refuse, Refuse, Warn),
        anchor,
        "the root's own certificate is within its validity",
        "replace the root among the trusted roots by its successor",
    ),
    &form(
        "unique-id",
        "RFC 5280, section 4.1.2.8",
        Levels::By(Warn, Refuse, Off),
        unique_id,
        "there are no unique identifiers",
        "have the certificate issued without issuerUniqueID and subjectUniqueID",
    ),
    &form(
        "signature.empty",
        "RFC 5280, section 4.1.1.3",
        Levels::By(Refuse, Refuse, Off),
        signature,
        "the signature is not empty",
        "get the certificate again from the CA",
    ),
];

pub(super) const fn form(
    id: &'static str,
    section: &'static str,
    levels: Levels,
    check: fn(&Link<'_>) -> Option<String>,
    what: &'static str,
    mend: &'static str,
) -> Rule {
    Rule {
        id,
        section,
        what,
        mend,
        kind: Kind::Form,
        levels,
        check: Check::Each(check),
    }
}

fn version(link: &Link<'_>) -> Option<String> {
    let version = link.certificate.version();
    (version != 3).then(|| format!("version {version}"))
}

/// A root of old may have serial number 0: nobody issued it.
fn serial_zero(link: &Link<'_>) -> Option<String> {
    (!link.is_anchor() && link.certificate.serial().iter().all(|byte| *byte == 0)).then(|| String::from("0"))
}

fn serial_negative(link: &Link<'_>) -> Option<String> {
    let serial = link.certificate.serial();
    let negative = serial.first().is_some_and(|byte| byte & 0x80 != 0);
    negative.then(|| super::hex(serial))
}

fn serial_length(link: &Link<'_>) -> Option<String> {
    let serial = link.certificate.serial();
    // the zero in front of a number whose first bit is set is DER's, not the CA's
    let octets = serial.strip_prefix(&[0]).unwrap_or(serial);
    (octets.len() > 20).then(|| format!("{} octets", octets.len()))
}

fn algorithm(link: &Link<'_>) -> Option<String> {
    let (inner, outer) = (
        link.certificate.signed_signature_algorithm_raw(),
        link.certificate.signature_algorithm_raw(),
    );
    (inner != outer).then(|| {
        format!(
            "{} inside, {} outside",
            crate::certificate::algorithm_name(inner),
            crate::certificate::algorithm_name(outer)
        )
    })
}

fn issuer(link: &Link<'_>) -> Option<String> {
    (link.certificate.issuer_raw() == EMPTY).then(|| String::from("an empty issuer"))
}

fn subject(link: &Link<'_>) -> Option<String> {
    (link.is_ca() && link.certificate.subject_raw() == EMPTY).then(|| String::from("an empty subject"))
}

pub(super) const EMPTY: &[u8] = &[0x30, 0];

/// Of a root, which was chosen and not issued, the dates count, however written.
fn validity(link: &Link<'_>) -> Option<String> {
    if link.is_anchor() {
        return None;
    }
    let read = || {
        let mut dates = Reader::new(tlv::only(link.certificate.validity_raw(), SEQUENCE).ok()?);
        let (first, last) = (dates.any().ok()?, dates.any().ok()?);
        dates.end().ok()?;
        Some((first, last))
    };
    let Some((first, last)) = read() else {
        return Some(String::from("unreadable dates"));
    };
    [first, last].into_iter().find(|date| !well_written(date)).map(|date| {
        let text = String::from_utf8_lossy(date.value).into_owned();
        crate::certificate::name::printable(&text).into_owned()
    })
}

fn well_written(date: &tlv::Tlv<'_>) -> bool {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let Some((b'Z', digits)) = date.value.split_last() else {
        return false;
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    match date.id {
        UTC_TIME => digits.len() == 12,
        GENERALIZED_TIME => digits.len() == 14 && digits.get(..4).is_some_and(|year| year >= b"2050".as_slice()),
        _ => false,
    }
}

fn order(link: &Link<'_>) -> Option<String> {
    let certificate = link.certificate;
    (certificate.not_before() > certificate.not_after()).then(|| String::from("it ends before it begins"))
}

fn anchor(link: &Link<'_>) -> Option<String> {
    let (certificate, now) = (link.certificate, link.request.now);
    if !link.is_anchor() {
        return None;
    }
    if now > certificate.not_after() {
        return Some(format!("expired {}", crate::date::moment(certificate.not_after())));
    }
    (now < certificate.not_before()).then(|| format!("valid from {}", crate::date::moment(certificate.not_before())))
}

fn unique_id(link: &Link<'_>) -> Option<String> {
    link.certificate
        .has_unique_ids()
        .then(|| String::from("a unique identifier"))
}

fn signature(link: &Link<'_>) -> Option<String> {
    link.certificate
        .signature()
        .is_empty()
        .then(|| String::from("no bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_change_their_form_in_2050() {
        let written = |id, value: &str| {
            let value = value.as_bytes();
            well_written(&tlv::Tlv {
                id,
                value,
                whole: value,
            })
        };
        assert!(written(0x17, "491231235959Z") && written(0x18, "20500101000000Z"));
        assert!(!written(0x18, "20491231235959Z"), "2049 is UTCTime's last year");
        assert!(!written(0x17, "4912312359Z"), "seconds are needed");
        assert!(!written(0x17, "491231235959+0000") && !written(0x18, "20500101000000"));
        assert!(!written(0x18, "20500101000000.5Z") && !written(0x16, "491231235959Z"));
    }
}
