//! Why a backend's certificate is refused.

use super::Pin;
use lb_cert::{Kind, Refusal};
use rustls::{CertificateError, Error, OtherError};
use std::fmt;
use std::sync::Arc;

/// Why a backend was refused, in one word that does not change between versions: for counters, logs and Proxy-Status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UpstreamReason {
    /// No path leads to a root that is trusted (S-TLS-10).
    Untrusted,
    /// It is another host's (S-TLS-10).
    WrongName,
    /// Its time is over (S-TLS-10).
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is in its issuer's list.
    Revoked,
    /// Whether it is revoked cannot be known.
    RevocationUnknown,
    /// It is trusted as a root and serves itself: what `openssl req -x509` makes.
    SelfSignedLeaf,
    /// It has its name as common name only.
    CommonNameOnly,
    /// None of the pins is its own.
    PinMismatch,
    /// An issuer's signature does not verify.
    BadSignature,
    /// It is for something else than servers.
    WrongPurpose,
    /// A key or signature that can be broken, or that nobody here can check.
    Weak,
    /// The backend did not prove that it has the key.
    NoProof,
    /// Bytes that are no certificate.
    Malformed,
    /// A rule of RFC 5280 or the profile.
    Profile,
}

impl UpstreamReason {
    /// All of them, for tables of counters.
    pub const ALL: [Self; 15] = [
        Self::Untrusted,
        Self::WrongName,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::RevocationUnknown,
        Self::SelfSignedLeaf,
        Self::CommonNameOnly,
        Self::PinMismatch,
        Self::BadSignature,
        Self::WrongPurpose,
        Self::Weak,
        Self::NoProof,
        Self::Malformed,
        Self::Profile,
    ];

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Untrusted => "untrusted",
            Self::WrongName => "wrong_name",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::RevocationUnknown => "revocation_unknown",
            Self::SelfSignedLeaf => "self_signed_leaf",
            Self::CommonNameOnly => "cn_only",
            Self::PinMismatch => "pin_mismatch",
            Self::BadSignature => "bad_signature",
            Self::WrongPurpose => "wrong_purpose",
            Self::Weak => "weak",
            Self::NoProof => "no_proof",
            Self::Malformed => "malformed",
            Self::Profile => "profile",
        }
    }

    pub(super) fn of(refusal: &Refusal) -> Self {
        match refusal.kind() {
            Kind::Expired => Self::Expired,
            Kind::NotYetValid => Self::NotYetValid,
            Kind::UnknownIssuer | Kind::NotAnIssuer => Self::Untrusted,
            Kind::BadSignature => Self::BadSignature,
            Kind::Revoked => Self::Revoked,
            Kind::RevocationUnknown => Self::RevocationUnknown,
            Kind::WrongName => Self::WrongName,
            Kind::WrongPurpose => Self::WrongPurpose,
            Kind::Weak => Self::Weak,
            _ => Self::Profile,
        }
    }
}

impl fmt::Display for UpstreamReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a backend was refused. `Display` is one line; [`explain`](Self::explain) adds the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate of the backend {name} refused ({reason}): {what}")]
pub struct UpstreamRefusal {
    pub(super) reason: UpstreamReason,
    pub(super) name: String,
    pub(super) what: String,
    pub(super) mend: String,
    pub(super) pin: Option<Pin>,
}

impl UpstreamRefusal {
    /// The word for it.
    #[must_use]
    pub const fn reason(&self) -> UpstreamReason {
        self.reason
    }

    /// Which certificate, which rule and which value, in one line.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What mends it, in sentences, with commands and pins to paste.
    #[must_use]
    pub fn mend(&self) -> &str {
        &self.mend
    }

    /// The pin that would trust this certificate; `None` when it could not be read.
    #[must_use]
    pub const fn pin(&self) -> Option<Pin> {
        self.pin
    }

    /// The paragraph.
    #[must_use]
    pub fn explain(&self) -> String {
        format!("{self}. To mend it: {}", self.mend)
    }

    /// The refusal behind an error of rustls, on whichever thread; `None` if that was another reason.
    #[must_use]
    pub fn of(error: &Error) -> Option<Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref::<Self>().cloned()
            }
            _ => None,
        }
    }

    /// As rustls hands it on. The alert that the backend gets is certificate_unknown, whatever the reason.
    pub(super) fn into_error(self) -> Error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(self))))
    }
}
