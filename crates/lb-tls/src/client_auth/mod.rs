//! Client certificates (mutual TLS): who must show one, who is believed, and what is said of those who are not.
//!
//! rustls asks a [`ClientCertVerifier`] once, during a full handshake; a resumed session brings the certificate of the
//! first one and asks nobody. So whoever drives a connection asks [`Site::judge`](crate::Site::judge) when the handshake
//! is over, with the certificates that rustls has: it verifies again what was resumed, and in the mode `optional`, in
//! which the handshake lets every certificate through, it is where the verdict comes from.

mod authorities;
mod certificate;
mod reason;
mod revocation;
mod verifier;

pub use authorities::{Authorities, AuthorityError, AuthorityNote};
pub use certificate::ClientCertificate;
pub use reason::{ClientReason, ClientRefusal};
pub use revocation::{OnFailure, RevocationError, RevocationLists, RevocationPolicy, StaleList};

pub(crate) use verifier::{Rule, checkable, explain};

use crate::Engine;
use lb_cert::Profile;
use rustls::HandshakeKind;
use rustls::server::NoClientAuth;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::sync::Arc;

/// Whether clients show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientAuthMode {
    /// They are not asked (S-MTLS-01).
    #[default]
    None,
    /// They are asked, and come in with any or without; the verdict is for routes and headers (S-MTLS-09).
    Optional,
    /// They come in with a good one only (S-MTLS-02).
    Required,
}

impl ClientAuthMode {
    /// `none`, `optional` or `required`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// What is asked of client certificates.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientAuthOptions {
    /// `optional` or `required`.
    pub mode: ClientAuthMode,
    /// Whom they must come from.
    pub authorities: Arc<Authorities>,
    /// Who was revoked; shared by every site that asks the same lists.
    pub revocation: Option<Arc<RevocationLists>>,
    /// At most so many intermediate certificates; 6 by default, more is never followed.
    pub depth: usize,
    /// The rules beyond what makes a path valid at all.
    pub profile: Profile,
}

impl ClientAuthOptions {
    /// Without lists, with the usual depth and profile.
    #[must_use]
    pub fn new(mode: ClientAuthMode, authorities: Arc<Authorities>) -> Self {
        Self {
            mode,
            authorities,
            revocation: None,
            depth: 6,
            profile: Profile::connection(),
        }
    }
}

/// A rule about client certificates, ready for sites. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ClientAuth(Option<Arc<Rule>>);

impl ClientAuth {
    /// Nobody is asked.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// The rule that these options are. The signatures of the lists are checked now, so that no connection waits for it.
    #[must_use]
    pub fn new(options: ClientAuthOptions, engine: &Engine) -> Self {
        if options.mode == ClientAuthMode::None {
            return Self::none();
        }
        Self(Some(Arc::new(Rule::new(options, engine))))
    }

    /// Whether clients show a certificate.
    #[must_use]
    pub fn mode(&self) -> ClientAuthMode {
        self.0.as_ref().map_or(ClientAuthMode::None, |rule| rule.mode())
    }

    /// Whether both ask the same: mode, authorities, lists and their policy, depth and profile. Compares 32 bytes.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }

    /// What is to be said of the certificates of a connection: see [`Site::judge`](crate::Site::judge).
    #[must_use]
    pub fn judge(&self, certificates: Option<&[CertificateDer<'_>]>, handshake: HandshakeKind) -> ClientVerdict {
        match &self.0 {
            None => ClientVerdict::None,
            Some(rule) => rule.judge(certificates.unwrap_or_default(), handshake),
        }
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        self.0.as_ref().map_or(&[0; 32], |rule| rule.digest())
    }

    pub(crate) fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        match &self.0 {
            None => Arc::new(NoClientAuth),
            Some(rule) => Arc::clone(rule) as Arc<dyn ClientCertVerifier>,
        }
    }
}

/// What became of the client's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientVerdict {
    /// None was asked for, or none was shown where that is allowed.
    None,
    /// It is good.
    Ok(Box<ClientCertificate>),
    /// It is not, or none was shown where one is required. What it says of the client is then a stranger's word.
    Failed {
        /// What it says; `None` if there is none or it cannot be read.
        certificate: Option<Box<ClientCertificate>>,
        /// Why.
        refusal: Box<ClientRefusal>,
    },
}

impl ClientVerdict {
    /// `none`, `ok` or `failed`: the value of `verified` in routes and headers.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ok(_) => "ok",
            Self::Failed { .. } => "failed",
        }
    }

    /// The certificate, if it is good.
    #[must_use]
    pub fn verified(&self) -> Option<&ClientCertificate> {
        match self {
            Self::Ok(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// Is the same said of the same certificate? Over which path it was verified does not count.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ok(one), Self::Ok(other)) => one.fingerprint == other.fingerprint,
            _ => self == other,
        }
    }

    /// Why it is not good.
    #[must_use]
    pub fn refusal(&self) -> Option<&ClientRefusal> {
        match self {
            Self::Failed { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}

impl fmt::Display for ClientAuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
