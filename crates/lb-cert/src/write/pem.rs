//! PEM with 64 columns, LF and no empty line (S-PEM-01, -03, -04).

use der::pem::LineEnding;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use super::WriteError;
use crate::{KeyFormat, PrivateKey};

/// Certificates in PEM, one block behind the other in the given order.
pub fn certificates<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> String {
    certificates
        .into_iter()
        .map(|certificate| block("CERTIFICATE", certificate))
        .collect()
}

/// A revocation list in PEM.
pub fn revocation_list(crl: &CertificateRevocationListDer<'_>) -> String {
    block("X509 CRL", crl)
}

/// An unencrypted private key in PEM. Keep the text secret: file mode 0600.
///
/// # Errors
///
/// [`WriteError::KeyFormat`]: PKCS#1 is for RSA keys, SEC1 for elliptic curve keys.
pub fn key(key: &PrivateKey, format: KeyFormat) -> Result<String, WriteError> {
    let refuse = || WriteError::KeyFormat {
        algorithm: key.algorithm().to_string(),
        format,
    };
    match (format, key.to_traditional()) {
        (KeyFormat::Pkcs8, _) => Ok(block(format.label(), key.to_pkcs8().secret_pkcs8_der())),
        (KeyFormat::Pkcs1, Some(PrivateKeyDer::Pkcs1(key))) => Ok(block(format.label(), key.secret_pkcs1_der())),
        (KeyFormat::Sec1, Some(PrivateKeyDer::Sec1(key))) => Ok(block(format.label(), key.secret_sec1_der())),
        _ => Err(refuse()),
    }
}

/// Any DER as one block with this label: 64 columns, LF.
///
/// Empty when `label` is no PEM label (RFC 7468, section 3).
pub fn block(label: &str, der: &[u8]) -> String {
    der::pem::encode_string(label, LineEnding::LF, der).unwrap_or_default()
}
