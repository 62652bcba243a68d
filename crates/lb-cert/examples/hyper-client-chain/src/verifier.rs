//! rustls asks, lb-cert answers.

use lb_cert::{AwsLc, Certificate, Kind, Profile, Refusal, Request, Roots, Verifier};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme};
use std::sync::Arc;

/// Verifies the chains of clients with lb-cert's rules.
#[derive(Debug)]
pub struct ChainVerifier {
    pub roots: Roots,
    pub profile: Profile,
    pub provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for ChainVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let parse = |der: &CertificateDer<'_>| {
            Certificate::parse(der.clone().into_owned()).map_err(|_| Error::from(CertificateError::BadEncoding))
        };
        let leaf = parse(end_entity)?;
        let others = intermediates.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let now = i64::try_from(now.as_secs()).map_err(|_| Error::General("no such time".into()))?;
        let verifier = Verifier::new(&self.roots, &AwsLc, &self.profile);
        match verifier.verify(&leaf, &others, &Request::client(now)) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(refusal) => Err(told(refusal)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The alert that the client gets depends on the kind; the whole refusal stays with the error, for the log.
fn told(refusal: Refusal) -> Error {
    eprintln!("refused: {}", refusal.explain());
    Error::from(match refusal.kind() {
        Kind::Expired => CertificateError::Expired,
        Kind::UnknownIssuer => CertificateError::UnknownIssuer,
        Kind::Revoked => CertificateError::Revoked,
        _ => CertificateError::Other(OtherError(Arc::new(refusal))),
    })
}
