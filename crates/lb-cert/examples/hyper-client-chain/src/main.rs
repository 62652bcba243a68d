//! A hyper server that asks its clients for certificates and lets lb-cert judge them.
//!
//! Everything is made when it starts: a CA, a server, one client of that CA and one of another. The first is greeted by
//! the name in its certificate, the second is refused with the reason; then the program ends.

mod verifier;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, service::service_fn};
use hyper_util::rt::TokioIo;
use lb_cert::{Certificate, Profile};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::error::Error;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use verifier::ChainVerifier;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let (ours, stranger) = (Ca::new("Our CA")?, Ca::new("A stranger's CA")?);
    let (chain, key) = ours.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth)?;
    let verifier = ChainVerifier {
        roots: [Certificate::parse(ours.certificate.clone())?].into_iter().collect(),
        profile: Profile::connection(),
        provider: Arc::new(default_provider()),
    };
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let acceptor = TlsAcceptor::from(Arc::new(config));

    let serve = async {
        for _ in 0..2 {
            let (stream, _) = listener.accept().await?;
            // A client that is refused ends here; the reason was printed by the verifier.
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let name = Certificate::parse(certificates[0].clone())?.label();
            let greet = service_fn(move |_| {
                let text = format!("good day, {name}\n");
                async move { Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(text)))) }
            });
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), greet)
                .await?;
        }
        Outcome::Ok(())
    };
    let ask = async {
        for ca in [&ours, &stranger] {
            let (chain, key) = ca.issue("client-7", ExtendedKeyUsagePurpose::ClientAuth)?;
            let mut roots = RootCertStore::empty();
            roots.add(ours.certificate.clone())?;
            let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_client_auth_cert(chain, key)?;
            let stream = TcpStream::connect(address).await?;
            let mut stream = TlsConnector::from(Arc::new(config))
                .connect("localhost".try_into()?, stream)
                .await?;
            stream
                .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .await?;
            let mut answer = Vec::new();
            match stream.read_to_end(&mut answer).await {
                Ok(_) => print!(
                    "{}",
                    String::from_utf8_lossy(&answer)
                        .split("\r\n\r\n")
                        .nth(1)
                        .unwrap_or_default()
                ),
                Err(error) => println!("the client was told: {error}"),
            }
        }
        Outcome::Ok(())
    };
    let (served, asked) = tokio::join!(serve, ask);
    served.and(asked)
}

/// A CA that lives as long as the program.
struct Ca {
    certificate: CertificateDer<'static>,
    parameters: CertificateParams,
    key: KeyPair,
}

impl Ca {
    fn new(name: &str) -> Outcome<Self> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let certificate = parameters.self_signed(&key)?.der().clone();
        Ok(Self {
            certificate,
            parameters,
            key,
        })
    }

    fn issue(
        &self,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> Outcome<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let mut parameters = CertificateParams::new([name.to_owned()])?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![usage];
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let made = parameters.signed_by(&key, &Issuer::from_params(&self.parameters, &self.key))?;
        Ok((vec![made.der().clone()], PrivateKeyDer::try_from(key.serialize_der())?))
    }
}
