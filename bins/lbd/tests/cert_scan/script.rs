//! Servers that follow a script, and certificates for them.

use super::made::{Ca, ders};
use super::run::Place;
use lb_tls::{Engine, SetClock};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WantsServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, ServerConfig, ServerConnection};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Root, intermediate and the leaf of `www.example.com`; the files root.pem, middle.pem, leaf.pem and key.pem.
pub(super) struct Site {
    pub(super) place: Place,
    pub(super) root: Ca,
    pub(super) middle: Ca,
    pub(super) leaf: String,
    pub(super) key: String,
}

impl Site {
    pub(super) fn new() -> Self {
        let place = Place::new();
        let root = Ca::root("Root");
        let middle = root.below("Middle");
        let (leaf, key) = middle.leaf("www.example.com");
        place.put("root.pem", &root.pem);
        place.put("middle.pem", &middle.pem);
        place.put("leaf.pem", &leaf);
        place.put("key.pem", &key);
        Self {
            place,
            root,
            middle,
            leaf,
            key,
        }
    }

    /// A configuration that shows the leaf and its issuer.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config_with(&[&self.leaf, &self.middle.pem], b"")
    }

    /// One that shows these certificates, the first of them that of the key, and this OCSP response.
    pub(super) fn config_with(&self, chain: &[&str], ocsp: &[u8]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let config = builder().with_single_cert_with_ocsp(certificates(chain), key, ocsp.to_vec());
        Arc::new(config.unwrap())
    }

    /// One that shows these certificates, whosesoever the key is.
    pub(super) fn config_unmatched(&self, chain: &[&str]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let builder = builder();
        let key = builder.crypto_provider().key_provider.load_private_key(key).unwrap();
        let pair = CertifiedKey::new(certificates(chain), key);
        Arc::new(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(pair))))
    }
}

fn certificates(chain: &[&str]) -> Vec<CertificateDer<'static>> {
    let ders = chain.iter().flat_map(|pem| ders(pem));
    ders.map(CertificateDer::from).collect()
}

fn builder() -> ConfigBuilder<ServerConfig, WantsServerCert> {
    let engine = Engine::aws_lc(SetClock::at(lb_types::Wall::from_secs(1_795_219_200)));
    ServerConfig::builder_with_details(Arc::clone(engine.provider()), Arc::clone(engine.clock()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
}

/// What a server does next.
pub(super) enum Step {
    Say(Vec<u8>),
    /// Exactly these bytes come.
    Hear(Vec<u8>),
    /// TLS, until the client closes; the name that it asked for goes to the end of the test.
    Tls(Arc<ServerConfig>),
    /// Says nothing until the client closes.
    Wait,
}

pub(super) fn say(text: impl AsRef<[u8]>) -> Step {
    Step::Say(text.as_ref().to_vec())
}

pub(super) fn hear(text: impl AsRef<[u8]>) -> Step {
    Step::Hear(text.as_ref().to_vec())
}

/// A server for one client.
pub(super) struct Scripted {
    pub(super) address: SocketAddr,
    thread: JoinHandle<Option<String>>,
}

impl Scripted {
    pub(super) fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(super::support::PATIENCE)).unwrap();
            steps.into_iter().fold(None, |name, step| match step {
                Step::Say(bytes) => {
                    stream.write_all(&bytes).unwrap();
                    name
                }
                Step::Hear(expected) => {
                    let mut heard = vec![0; expected.len()];
                    stream.read_exact(&mut heard).unwrap();
                    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
                    assert_eq!(text(&heard), text(&expected));
                    name
                }
                Step::Tls(config) => tls(&mut stream, config),
                Step::Wait => {
                    let _ = stream.read_to_end(&mut Vec::new());
                    name
                }
            })
        });
        Self { address, thread }
    }

    /// The port, as it stands behind a host.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Fails if the server heard something else than it was to hear; gives the name that TLS asked for.
    pub(super) fn end(self) -> Option<String> {
        self.thread.join().unwrap()
    }
}

fn tls(stream: &mut TcpStream, config: Arc<ServerConfig>) -> Option<String> {
    let mut connection = ServerConnection::new(config).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(stream).unwrap();
    }
    // The client closes in good order.
    while !connection.process_new_packets().unwrap().peer_has_closed() {
        assert!(connection.read_tls(stream).unwrap() > 0, "closed without close_notify");
    }
    connection.server_name().map(str::to_owned)
}
