//! The facts of one certificate.

use crate::certificate::name::attributes;
use crate::{Certificate, Crypto};

/// What a certificate is in a chain, by what it says of itself and by who signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// For a server or client; issues nothing.
    Leaf,
    /// A CA whose certificate somebody else issued.
    Intermediate,
    /// A CA that issued its own certificate.
    Root,
    /// No CA, and its own issuer: trusted only by clients that were given it.
    SelfSigned,
}

impl Role {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
            Self::Root => "root",
            Self::SelfSigned => "self-signed leaf",
        }
    }

    /// Of this certificate. One whose issuer merely has its name is no root: the signature tells, where `crypto` can.
    #[must_use]
    pub fn of(certificate: &Certificate, crypto: &dyn Crypto) -> Self {
        let is_own = certificate.is_self_signed(crypto);
        // Version 1 knows no basic constraints; roots of the nineties are of that kind.
        let is_ca = certificate.is_ca() || (certificate.version() == 1 && is_own);
        match (is_own, is_ca) {
            (true, true) => Self::Root,
            (true, false) => Self::SelfSigned,
            (false, true) => Self::Intermediate,
            (false, false) => Self::Leaf,
        }
    }
}

/// Validity at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Validity {
    /// Valid, for this many more days (begun days are not counted).
    Valid {
        /// Whole days left.
        days: i64,
    },
    /// Will be valid in this many days.
    NotYet {
        /// Days to wait, the begun one counted.
        days: i64,
    },
    /// Has not been valid for this many days.
    Expired {
        /// Whole days since.
        days: i64,
    },
}

impl Validity {
    /// Of `certificate` at `at` (unix seconds).
    #[must_use]
    pub fn of(certificate: &Certificate, at: i64) -> Self {
        const DAY: i64 = 86_400;
        let (begin, end) = (certificate.not_before(), certificate.not_after());
        if at < begin {
            Self::NotYet {
                days: begin.saturating_sub(at).saturating_add(DAY - 1) / DAY,
            }
        } else if at > end {
            Self::Expired {
                days: at.saturating_sub(end) / DAY,
            }
        } else {
            Self::Valid {
                days: end.saturating_sub(at) / DAY,
            }
        }
    }

    /// `valid`, `not-yet-valid` or `expired`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid { .. } => "valid",
            Self::NotYet { .. } => "not-yet-valid",
            Self::Expired { .. } => "expired",
        }
    }
}

impl std::fmt::Display for Validity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = |days: i64| if days == 1 { "day" } else { "days" };
        match *self {
            Self::Valid { days: 0 } => f.write_str("valid, ends within a day"),
            Self::Valid { days } => write!(f, "valid, {days} {} left", plural(days)),
            Self::NotYet { days } => write!(f, "not yet valid, begins in {days} {}", plural(days)),
            Self::Expired { days: 0 } => f.write_str("expired within the last day"),
            Self::Expired { days } => write!(f, "expired {days} {} ago", plural(days)),
        }
    }
}

/// What people ask of a certificate, in the order in which they ask.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The shortest name a person would use.
    pub label: String,
    /// What it is in a chain.
    pub role: Role,
    /// The subject on one line.
    pub subject: String,
    /// The issuer on one line.
    pub issuer: String,
    /// The names it is for: DNS names, addresses and so on.
    pub names: Vec<String>,
    /// Validity at the moment asked for.
    pub validity: Validity,
    /// First second of validity, RFC 3339.
    pub not_before: String,
    /// Last second of validity, RFC 3339.
    pub not_after: String,
    /// Kind and length of the key.
    pub key: String,
    /// How it is signed.
    pub signature: String,
    /// The serial number in hexadecimal digits.
    pub serial: String,
    /// What the key may be used for, in the words of RFC 5280; empty if it says nothing of it.
    pub usages: Vec<String>,
    /// Where the issuer's certificate is said to be; never fetched.
    pub ca_issuers: Vec<String>,
    /// Where revocation lists are said to be; never fetched.
    pub crls: Vec<String>,
    /// SHA-256 over the certificate, in hexadecimal digits; `None` without digests.
    pub sha256: Option<String>,
    /// SHA-256 over its public key; `None` without digests.
    pub key_sha256: Option<String>,
    /// Extensions that cannot be read, with the reason.
    pub malformed: Vec<String>,
}

impl Facts {
    /// Of `certificate` at `at` (unix seconds). Allocates all of them; two digests.
    #[must_use]
    pub fn of(certificate: &Certificate, at: i64, crypto: &dyn Crypto) -> Self {
        let owned = |texts: Vec<&str>| texts.into_iter().map(printable).collect();
        let mut usages: Vec<String> = Vec::new();
        usages.extend(
            certificate
                .key_usage()
                .iter()
                .flat_map(|usage| usage.names())
                .map(str::to_owned),
        );
        usages.extend(
            certificate
                .extended_key_usage()
                .into_iter()
                .flatten()
                .map(|oid| usage_name(&oid)),
        );
        Self {
            label: certificate.label(),
            role: Role::of(certificate, crypto),
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            names: certificate.names().iter().map(ToString::to_string).collect(),
            validity: Validity::of(certificate, at),
            not_before: crate::date::moment(certificate.not_before()),
            not_after: crate::date::moment(certificate.not_after()),
            key: certificate.key().to_string(),
            signature: certificate.signature_algorithm(),
            serial: hex(certificate.serial()),
            usages,
            ca_issuers: owned(certificate.ca_issuers()),
            crls: owned(certificate.crl_urls()),
            sha256: fingerprint(certificate.der(), crypto),
            key_sha256: fingerprint(certificate.spki_raw(), crypto),
            malformed: certificate
                .malformed()
                .iter()
                .map(|malformed| format!("extension {}: {}", malformed.oid, malformed.what))
                .collect(),
        }
    }
}

/// Can subject and issuer be read? Names that cannot are shown as `(unreadable name)`.
#[must_use]
pub fn has_readable_names(certificate: &Certificate) -> bool {
    [certificate.subject_raw(), certificate.issuer_raw()]
        .into_iter()
        .all(|name| attributes(name).is_ok())
}

/// SHA-256 in hexadecimal digits; `None` without digests.
#[must_use]
pub fn fingerprint(bytes: &[u8], crypto: &dyn Crypto) -> Option<String> {
    crypto.sha256(bytes).map(|digest| hex(&digest))
}

/// `AB:CD:..`, as openssl and browsers print fingerprints.
#[must_use]
pub fn colons(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() / 2 * 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 2 == 0 {
            text.push(':');
        }
        text.push(digit.to_ascii_uppercase());
    }
    text
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An address from a certificate must not move the cursor.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            if letter.is_control() {
                letter.escape_unicode().collect::<Vec<_>>()
            } else {
                vec![letter]
            }
        })
        .collect()
}

/// Names of RFC 5280, section 4.2.1.12.
fn usage_name(oid: &str) -> String {
    match oid {
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        "2.5.29.37.0" => "anyExtendedKeyUsage",
        other => other,
    }
    .to_owned()
}
