//! What a client's certificate says, for headers, routes and logs.

use crate::Engine;
use crate::identity::hex;
use lb_cert::Certificate;

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
        }
    }

    /// The fingerprint in lower hexadecimal digits.
    #[must_use]
    pub fn fingerprint_hex(&self) -> String {
        hex(&self.fingerprint)
    }
}
