//! The handshake: all that a server shows is taken down, and nothing is refused.

use super::error::{ScanError, Stage, meaning};
use super::shown::{Line, looks};
use super::wire::Wire;
use lb_tls::{Engine, alert_name, suites};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a server showed.
#[derive(Debug)]
pub(super) struct Server {
    /// In the order in which they came.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// The stapled OCSP response.
    pub(super) ocsp_bytes: usize,
    pub(super) version: Option<String>,
    pub(super) suite: Option<String>,
    pub(super) group: Option<String>,
    pub(super) alpn: Option<String>,
    pub(super) proof: Proof,
    /// If it asks for a client certificate: how many authorities it names.
    pub(super) client_authorities: Option<usize>,
    /// Why the handshake ended behind the certificates.
    pub(super) broken_off: Option<String>,
}

/// Did the server sign with the key of its certificate?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    Given,
    /// The signature is there and wrong, or of a kind that is not checked here: the reason.
    Doubtful(String),
    /// The handshake did not come so far.
    Missing,
}

/// Shakes hands with the server, and closes. Without certificates it is an error; what happens behind them is not.
pub(super) fn shake(wire: &mut Wire, server: &str, alpn: Vec<Vec<u8>>, engine: &Engine) -> Result<Server, ScanError> {
    let witness = Arc::new(Witness {
        algorithms: engine.provider().signature_verification_algorithms,
        seen: Mutex::new(Seen::default()),
    });
    let address = wire.address();
    let failed = |source| ScanError::Handshake { address, source };
    let config = ClientConfig::builder_with_details(Arc::clone(engine.provider()), Arc::clone(engine.clock()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>);
    let mut config = config.with_client_cert_resolver(Arc::clone(&witness) as Arc<dyn ResolvesClientCert>);
    config.alpn_protocols = alpn;
    config.resumption = Resumption::disabled();
    // Both forms were checked when the command line was read.
    let name = ServerName::try_from(server.to_owned()).map_err(|error| failed(Error::General(error.to_string())))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(failed)?;
    let outcome = drive(wire, &mut connection);
    let seen = std::mem::take(&mut *witness.seen());
    if seen.certificates.is_empty() {
        return Err(match outcome {
            Ok(()) => failed(Error::NoCertificatesPresented),
            Err(Fault::Tls(Error::AlertReceived(alert))) => ScanError::Alert {
                address,
                alert,
                server: server.to_owned(),
            },
            Err(Fault::Tls(source)) => failed(source),
            Err(Fault::Wire(error)) => error,
        });
    }
    if seen.certificates.len() > MOST_CERTIFICATES {
        return Err(ScanError::ManyCertificates {
            address,
            number: seen.certificates.len(),
            most: MOST_CERTIFICATES,
        });
    }
    connection.send_close_notify();
    // Whoever closed first does not hear it.
    let _ = flush(wire, &mut connection, Stage::Certificates);
    let broken_off = outcome.err().map(|fault| match fault {
        Fault::Tls(Error::AlertReceived(alert)) => {
            format!("the alert {}: {}", alert_name(alert), meaning(alert, server))
        }
        Fault::Tls(error) => error.to_string(),
        Fault::Wire(error) => error.to_string(),
    });
    Ok(Server {
        certificates: seen.certificates,
        ocsp_bytes: seen.ocsp_bytes,
        version: connection.protocol_version().map(version_name),
        suite: connection
            .negotiated_cipher_suite()
            .map(|suite| suites::suite_name(suite.suite())),
        group: connection
            .negotiated_key_exchange_group()
            .map(|group| suites::group_name(group.name())),
        alpn: connection.alpn_protocol().map(|word| word.escape_ascii().to_string()),
        proof: seen.proof.unwrap_or(Proof::Missing),
        client_authorities: seen.client_authorities,
        broken_off,
    })
}

enum Fault {
    Tls(Error),
    Wire(ScanError),
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self::Wire(error)
    }
}

fn drive(wire: &mut Wire, connection: &mut ClientConnection) -> Result<(), Fault> {
    flush(wire, connection, Stage::Hello)?;
    look(wire)?;
    while connection.is_handshaking() {
        let bytes = wire.some(Stage::Certificates)?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            // Zero bytes are taken behind a close_notify.
            if !matches!(connection.read_tls(&mut rest), Ok(1..)) {
                return Err(Fault::Wire(wire.closed(Stage::Certificates)));
            }
            if let Err(error) = connection.process_new_packets() {
                // The alert that says so is due to the server; whether it comes there changes nothing.
                let _ = flush(wire, connection, Stage::Certificates);
                return Err(Fault::Tls(error));
            }
        }
        flush(wire, connection, Stage::Certificates)?;
    }
    Ok(())
}

/// The first answer has to be a record of a handshake or an alert, of version 3.x (RFC 9846, section 5.1).
fn look(wire: &mut Wire) -> Result<(), ScanError> {
    let address = wire.address();
    let first = wire.peek(HEADER, Stage::Hello)?;
    if let [0x15 | 0x16, 3, ..] = first {
        return Ok(());
    }
    let (looks, mend) = looks(first);
    Err(ScanError::NotTls {
        address,
        looks,
        mend,
        line: Line::new(first),
    })
}

fn flush(wire: &mut Wire, connection: &mut ClientConnection, stage: Stage) -> Result<(), ScanError> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        // Writing to a Vec cannot fail.
        let _ = connection.write_tls(&mut bytes);
    }
    wire.send(&bytes, stage)
}

fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Believes everything and writes it down.
#[derive(Debug)]
struct Witness {
    algorithms: WebPkiSupportedAlgorithms,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    certificates: Vec<CertificateDer<'static>>,
    ocsp_bytes: usize,
    proof: Option<Proof>,
    client_authorities: Option<usize>,
}

impl Witness {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prove(&self, outcome: Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        self.seen().proof = Some(match outcome {
            Ok(_) => Proof::Given,
            Err(error) => Proof::Doubtful(error.to_string()),
        });
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut seen = self.seen();
        let all = std::iter::once(end_entity).chain(intermediates);
        seen.certificates = all.map(|certificate| certificate.clone().into_owned()).collect();
        seen.ocsp_bytes = ocsp_response.len();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.prove(verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.algorithms,
        )))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.prove(verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.algorithms,
        )))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Witness {
    fn resolve(&self, authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.seen().client_authorities = Some(authorities.len());
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Of one server. Real chains have two to four; stores of roots about 150.
const MOST_CERTIFICATES: usize = 100;
/// Of a record: its type, version and length.
const HEADER: usize = 5;
