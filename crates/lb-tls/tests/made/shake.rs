//! Handshakes in memory: two connections of rustls back to back.

use lb_tls::{Engine, Site};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind, ServerConfig, ServerConnection,
    SignatureScheme, SupportedProtocolVersion,
};
use std::io::{Read, Write};
use std::sync::Arc;

/// Both ends when all has been said, and what each of them got for an error.
pub struct Shaken {
    pub client: ClientConnection,
    pub server: ServerConnection,
    pub client_error: Option<Error>,
    pub server_error: Option<Error>,
}

impl Shaken {
    pub fn is_good(&self) -> bool {
        self.client_error.is_none()
            && self.server_error.is_none()
            && !self.client.is_handshaking()
            && !self.server.is_handshaking()
    }

    /// The leaf that the server showed.
    pub fn shown(&self) -> CertificateDer<'static> {
        self.client.peer_certificates().expect("a certificate")[0].clone()
    }

    pub fn kind(&self) -> HandshakeKind {
        self.server.handshake_kind().expect("a kind of handshake")
    }

    /// What the driver asks when the handshake is over.
    pub fn verdict(&self, site: &Site) -> lb_tls::ClientVerdict {
        site.judge(self.server.peer_certificates(), self.kind())
    }
}

pub fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &str) -> Shaken {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let client = ClientConnection::new(Arc::clone(client), name).expect("a client");
    let server = ServerConnection::new(Arc::clone(server)).expect("a server");
    pump(client, server)
}

/// Carries records to and fro until neither side has any, an application byte each way included.
pub fn pump(mut client: ClientConnection, mut server: ServerConnection) -> Shaken {
    let (mut client_error, mut server_error) = (None, None);
    let mut spoken = false;
    loop {
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).expect("written");
        }
        let mut moved = !flight.is_empty();
        let mut rest = flight.as_slice();
        while !rest.is_empty() && server_error.is_none() {
            server.read_tls(&mut rest).expect("read");
            server_error = server.process_new_packets().err();
        }
        let mut flight = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut flight).expect("written");
        }
        moved |= !flight.is_empty();
        let mut rest = flight.as_slice();
        while !rest.is_empty() && client_error.is_none() {
            client.read_tls(&mut rest).expect("read");
            client_error = client.process_new_packets().err();
        }
        if moved {
            continue;
        }
        let is_over = client.is_handshaking() || server.is_handshaking() || spoken;
        if is_over || client_error.is_some() || server_error.is_some() {
            break;
        }
        client.writer().write_all(b"?").expect("written");
        server.writer().write_all(b"!").expect("written");
        spoken = true;
    }
    if client_error.is_none() && server_error.is_none() && spoken {
        let mut one = [0];
        server.reader().read_exact(&mut one).expect("the client's byte");
        client.reader().read_exact(&mut one).expect("the server's byte");
    }
    Shaken {
        client,
        server,
        client_error,
        server_error,
    }
}

/// A client that believes everybody: what it is shown is looked at afterwards.
#[derive(Debug)]
struct Credulous(Vec<SignatureScheme>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

/// What a test's client is like.
pub struct Client<'a> {
    pub versions: &'a [&'static SupportedProtocolVersion],
    pub schemes: Option<Vec<SignatureScheme>>,
    pub certificate: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    pub protocols: &'a [&'a str],
    pub sni: bool,
    pub tickets_of_12: bool,
}

impl Default for Client<'_> {
    fn default() -> Self {
        Self {
            versions: rustls::ALL_VERSIONS,
            schemes: None,
            certificate: None,
            protocols: &[],
            sni: true,
            tickets_of_12: true,
        }
    }
}

impl Client<'_> {
    pub fn config(self, engine: &Engine) -> Arc<ClientConfig> {
        let all = engine.provider().signature_verification_algorithms.supported_schemes();
        let builder = ClientConfig::builder_with_details(Arc::clone(engine.provider()), Arc::clone(engine.clock()))
            .with_protocol_versions(self.versions)
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous(self.schemes.unwrap_or(all))));
        let mut config = match self.certificate {
            Some((chain, key)) => {
                let key = engine.provider().key_provider.load_private_key(key).expect("a key");
                // A key that is not the certificate's is a test of its own.
                let certified = Arc::new(rustls::sign::CertifiedKey::new(chain, key));
                builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.protocols.iter().map(|one| one.as_bytes().to_vec()).collect();
        config.enable_sni = self.sni;
        let kind = if self.tickets_of_12 {
            rustls::client::Tls12Resumption::SessionIdOrTickets
        } else {
            rustls::client::Tls12Resumption::SessionIdOnly
        };
        config.resumption = Resumption::in_memory_sessions(64).tls12_resumption(kind);
        Arc::new(config)
    }
}

pub const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
pub const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
