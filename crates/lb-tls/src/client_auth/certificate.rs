//! What a client's certificate says, for headers, routes and logs.

use crate::Engine;
use crate::identity::hex;
use lb_cert::Certificate;
use rustls_pki_types::CertificateDer;

/// What a client's certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// Whose it is, on one line.
    pub subject: String,
    /// Who issued it, on one line.
    pub issuer: String,
    /// The last common name of the subject.
    pub common_name: Option<String>,
    /// The serial number in lower hexadecimal digits.
    pub serial: String,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
    /// Its first second, in seconds since 1970.
    pub not_before: i64,
    /// Its last second, in seconds since 1970.
    pub not_after: i64,
    /// Its alternative names, each as lb-cert shows it.
    pub names: Vec<String>,
    /// Of one that is good: the issuers of the path that was verified, as DER, its own issuer first; neither itself nor the
    /// root, and nothing else that the client sent. At most [`depth`](super::ClientAuthOptions::depth).
    pub chain: Vec<CertificateDer<'static>>,
}

impl ClientCertificate {
    pub(super) fn of(certificate: &Certificate, engine: &Engine) -> Self {
        Self {
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            common_name: certificate.common_name().map(|name| name.into_owned()),
            serial: hex(certificate.serial()),
            fingerprint: engine.sha256(certificate.der()),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            names: certificate.names().iter().map(ToString::to_string).collect(),
            chain: Vec::new(),
        }
    }

    /// The fingerprint in lower hexadecimal digits.
    #[must_use]
    pub fn fingerprint_hex(&self) -> String {
        hex(&self.fingerprint)
    }
}
