//! Why a client's certificate is refused: stable words, alerts, and an explanation.

use lb_cert::{Kind, Refusal};
use rustls::{AlertDescription, CertificateError};
use std::fmt;

/// Why a client was refused, in one word that does not change between versions: for counters, logs and routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ClientReason {
    /// A certificate's time is over (S-MTLS-03).
    Expired,
    /// A certificate's time has not come (S-MTLS-03).
    NotYetValid,
    /// No path leads to an authority that is trusted here (S-MTLS-04).
    UnknownAuthority,
    /// An issuer's signature does not verify (S-MTLS-05).
    BadSignature,
    /// A certificate is in its issuer's list (S-MTLS-06).
    Revoked,
    /// The certificate is for something else than clients.
    WrongPurpose,
    /// The client sent none, and one is required (S-MTLS-02).
    NoCertificate,
    /// The client did not prove that it has the key (S-MTLS-08).
    NoProof,
    /// The issuer's list is past its date.
    CrlExpired,
    /// There is no list of an issuer.
    CrlMissing,
    /// The issuer's list is partial, or somebody else signed it.
    CrlUnusable,
    /// More intermediate certificates than allowed.
    TooDeep,
    /// A key or signature that can be broken, or that nobody here can check.
    Weak,
    /// A name that the issuer may not certify.
    NameNotPermitted,
    /// An issuer that is no CA, or may not have CAs below it.
    NotAnAuthority,
    /// Bytes that are no certificate.
    Malformed,
    /// A rule of the profile.
    Profile,
    /// A stated limit on the work of one verification.
    Limit,
}

impl ClientReason {
    /// All of them, for tables of counters; the position of each is its number.
    pub const ALL: [Self; 18] = [
        Self::Expired,
        Self::NotYetValid,
        Self::UnknownAuthority,
        Self::BadSignature,
        Self::Revoked,
        Self::WrongPurpose,
        Self::NoCertificate,
        Self::NoProof,
        Self::CrlExpired,
        Self::CrlMissing,
        Self::CrlUnusable,
        Self::TooDeep,
        Self::Weak,
        Self::NameNotPermitted,
        Self::NotAnAuthority,
        Self::Malformed,
        Self::Profile,
        Self::Limit,
    ];

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::UnknownAuthority => "unknown_authority",
            Self::BadSignature => "bad_signature",
            Self::Revoked => "revoked",
            Self::WrongPurpose => "wrong_purpose",
            Self::NoCertificate => "no_certificate",
            Self::NoProof => "no_proof",
            Self::CrlExpired => "crl_expired",
            Self::CrlMissing => "crl_missing",
            Self::CrlUnusable => "crl_unusable",
            Self::TooDeep => "too_deep",
            Self::Weak => "weak",
            Self::NameNotPermitted => "name_not_permitted",
            Self::NotAnAuthority => "not_an_authority",
            Self::Malformed => "malformed",
            Self::Profile => "profile",
            Self::Limit => "limit",
        }
    }

    /// The alert that the client gets (RFC 9846, section 6.2; where that leaves a choice, OpenSSL's).
    #[must_use]
    pub fn alert(self) -> AlertDescription {
        match self {
            Self::NoCertificate => AlertDescription::CertificateRequired,
            _ => self.error().into(),
        }
    }

    /// What to do about it, in a sentence.
    #[must_use]
    pub const fn mend(self) -> &'static str {
        match self {
            Self::Expired => "renew the client's certificate; if it is new, look at the clock of this machine",
            Self::NotYetValid => "look at the clocks of this machine and of whoever issued it; else wait",
            Self::UnknownAuthority => {
                "let the client send its intermediate certificates, or add its authority to those of client_auth"
            }
            Self::BadSignature => {
                "the certificate was altered, or another authority of the same name issued it: issue it again"
            }
            Self::Revoked => "give the client a new certificate, if it is still meant to come in",
            Self::WrongPurpose => "issue it with extendedKeyUsage clientAuth",
            Self::NoCertificate => {
                "install a certificate in the client, or set client_auth to \"optional\" or \"none\""
            }
            Self::NoProof => {
                "the client has the certificate and not its key: give it both, or ask who else has the certificate"
            }
            Self::CrlExpired => {
                "fetch the authority's new list; until then crl_policy = \"fail_open\" uses the old one"
            }
            Self::CrlMissing => "add the list of each authority of the path to crl, or let authorities go without one",
            Self::CrlUnusable => "fetch the complete list of the authority itself",
            Self::TooDeep => "raise depth, or issue from an authority nearer to the root",
            Self::Weak => "issue a certificate for a new key (ECDSA P-256, RSA from 2048 bits) signed with SHA-256",
            Self::NameNotPermitted => "have it issued by an authority that may certify the name",
            Self::NotAnAuthority => "have it issued by an authority: a certificate with basicConstraints CA:TRUE",
            Self::Malformed => "have it issued again by a program that writes what RFC 5280 says",
            Self::Profile => "have it issued as the rule says, or choose the profile \"lenient\"",
            Self::Limit => "let the client send only the certificates of its path",
        }
    }

    /// What rustls is told, chosen for the alert that it makes of it.
    pub(crate) fn error(self) -> CertificateError {
        match self {
            Self::Expired => CertificateError::Expired,
            Self::NotYetValid => CertificateError::NotValidYet,
            // X509_V_ERR_CERT_CHAIN_TOO_LONG is unknown_ca in OpenSSL, too.
            Self::UnknownAuthority | Self::TooDeep | Self::NoCertificate => CertificateError::UnknownIssuer,
            Self::BadSignature | Self::NoProof => CertificateError::BadSignature,
            Self::Revoked => CertificateError::Revoked,
            Self::WrongPurpose => CertificateError::InvalidPurpose,
            Self::CrlExpired => CertificateError::ExpiredRevocationList,
            Self::CrlMissing | Self::CrlUnusable => CertificateError::UnknownRevocationStatus,
            Self::Weak | Self::NameNotPermitted | Self::NotAnAuthority | Self::Profile | Self::Limit => {
                CertificateError::UnhandledCriticalExtension
            }
            Self::Malformed => CertificateError::BadEncoding,
        }
    }

    /// The reason that an error of rustls stands for, when nothing more is known of it.
    pub(crate) fn of_error(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::UnknownIssuer => Self::UnknownAuthority,
            CertificateError::BadSignature => Self::BadSignature,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => Self::WrongPurpose,
            CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
                Self::CrlExpired
            }
            CertificateError::UnknownRevocationStatus => Self::CrlMissing,
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::Weak,
            CertificateError::BadEncoding => Self::Malformed,
            _ => Self::Profile,
        }
    }

    fn of(refusal: &Refusal) -> Self {
        match (refusal.kind(), refusal.rule().id) {
            (_, "path.depth") => Self::TooDeep,
            (_, "crl.expired") => Self::CrlExpired,
            (_, "crl.missing") => Self::CrlMissing,
            (Kind::Expired, _) => Self::Expired,
            (Kind::NotYetValid, _) => Self::NotYetValid,
            (Kind::UnknownIssuer, _) => Self::UnknownAuthority,
            (Kind::BadSignature, _) => Self::BadSignature,
            (Kind::Revoked, _) => Self::Revoked,
            (Kind::RevocationUnknown, _) => Self::CrlUnusable,
            (Kind::WrongPurpose, _) => Self::WrongPurpose,
            (Kind::NameConstraint, _) => Self::NameNotPermitted,
            (Kind::NotAnIssuer, _) => Self::NotAnAuthority,
            (Kind::Weak, _) => Self::Weak,
            (Kind::Limit, _) => Self::Limit,
            _ => Self::Profile,
        }
    }
}

impl fmt::Display for ClientReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a client was refused. `Display` is one line that names the certificate and the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("client certificate refused ({reason}): {what}; to mend it: {}", reason.mend())]
pub struct ClientRefusal {
    reason: ClientReason,
    what: Box<str>,
    explanation: Box<str>,
}

impl ClientRefusal {
    pub(crate) fn new(reason: ClientReason, what: impl Into<Box<str>>) -> Self {
        let what = what.into();
        Self {
            reason,
            explanation: format!("The client was refused: {what}. To mend it: {}.", reason.mend()).into(),
            what,
        }
    }

    pub(crate) fn of(refusal: &Refusal) -> Self {
        Self {
            reason: ClientReason::of(refusal),
            what: refusal.to_string().into(),
            explanation: refusal.explain().into(),
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn reason(&self) -> ClientReason {
        self.reason
    }

    /// Which certificate, which rule and which value, in one line.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The paragraph: what is wrong, where, by which section, and what mends it.
    #[must_use]
    pub fn explain(&self) -> &str {
        &self.explanation
    }
}
