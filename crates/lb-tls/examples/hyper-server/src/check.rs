//! The check: two sites with certificates made now, and what clients get from them.

use crate::{Outcome, server, site, sites};
use lb_tls::Engine;
use rcgen::ExtendedKeyUsagePurpose::{self, ClientAuth, ServerAuth};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

pub async fn run(engine: &Engine) -> Outcome<()> {
    let (ours, stranger) = (Authority::new("Our CA")?, Authority::new("A stranger's CA")?);
    let www = ours.issue(WWW, ServerAuth)?;
    let members = ours.issue(MEMBERS, ServerAuth)?;
    let all = vec![
        site("www", www.pem.as_bytes(), None, engine)?,
        site("members", members.pem.as_bytes(), Some(ours.pem.as_bytes()), engine)?,
    ];
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut client = Client {
        server: listener.local_addr()?,
        roots: RootCertStore::empty(),
        engine,
    };
    client.roots.add(ours.der.clone())?;
    tokio::spawn(server::serve(listener, Arc::new(sites(all, engine)?)));

    // Each name has its certificate, in both versions of TLS.
    let text = "www: TLSv1_3, asked for www.example.org, client none\n";
    client.gets(Ask::of(WWW), &www, "200", text).await?;
    let mut ask = Ask::of(MEMBERS);
    ask.version = &TLS12;
    let text = "members: TLSv1_2, asked for members.example.org, client none\n";
    client.gets(ask, &members, "200", text).await?;

    // Who asks for no name gets the first.
    let mut ask = Ask::of(WWW);
    ask.sends_name = false;
    let text = "www: TLSv1_3, asked for nothing, client none\n";
    client.gets(ask, &www, "200", text).await?;

    // A client's certificate, the same of an authority that is not trusted, and that of a server.
    for (shown, verdict) in [
        (&ours.issue("client-7", ClientAuth)?, "ok (CN=client-7)"),
        (&stranger.issue("client-7", ClientAuth)?, "failed (unknown_authority)"),
        (&www, "failed (wrong_purpose)"),
    ] {
        let mut ask = Ask::of(MEMBERS);
        ask.shows = Some(shown);
        let text = format!("members: TLSv1_3, asked for members.example.org, client {verdict}\n");
        client.gets(ask, &members, "200", &text).await?;
    }

    // Nobody reaches the members' site on a connection that was not asked for a certificate.
    let mut ask = Ask::of(WWW);
    ask.host = MEMBERS;
    let text = "connect anew for this name\n";
    client.gets(ask, &www, "421", text).await?;
    println!("all as it should be");
    Ok(())
}

struct Client<'a> {
    server: SocketAddr,
    roots: RootCertStore,
    engine: &'a Engine,
}

struct Ask<'a> {
    name: &'static str,
    sends_name: bool,
    host: &'a str,
    version: &'static SupportedProtocolVersion,
    shows: Option<&'a Made>,
}

impl Ask<'_> {
    fn of(name: &'static str) -> Self {
        Self {
            name,
            sends_name: true,
            host: name,
            version: &TLS13,
            shows: None,
        }
    }
}

impl Client<'_> {
    /// Asks, and compares the certificate that is shown, the status and the text.
    async fn gets(&self, ask: Ask<'_>, certificate: &Made, status: &str, text: &str) -> Outcome<()> {
        let config = ClientConfig::builder_with_provider(Arc::clone(self.engine.provider()))
            .with_protocol_versions(&[ask.version])?
            .with_root_certificates(self.roots.clone());
        let mut config = match ask.shows {
            Some(made) => config.with_client_auth_cert(vec![made.der.clone()], made.key.clone_key())?,
            None => config.with_no_client_auth(),
        };
        config.enable_sni = ask.sends_name;
        let stream = TcpStream::connect(self.server).await?;
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(ServerName::try_from(ask.name)?, stream).await?;
        let shown = stream.get_ref().1.peer_certificates().and_then(|all| all.first());
        assert!(
            shown == Some(&certificate.der),
            "{}: another certificate was shown",
            ask.name
        );
        let request = format!("GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", ask.host);
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or_default();
        print!("{body}");
        assert_eq!((head.split(' ').nth(1), body), (Some(status), text));
        Ok(())
    }
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

/// A certificate with its key; `pem` has them and the issuer, in no useful order.
struct Made {
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Outcome<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let made = params.self_signed(&key)?;
        Ok(Self {
            der: made.der().clone(),
            pem: made.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> Outcome<Made> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let made = params.signed_by(&key, &self.issuer)?;
        Ok(Made {
            der: made.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der())?,
            pem: format!("{}{}{}", self.pem, key.serialize_pem(), made.pem()),
        })
    }
}

const WWW: &str = "www.example.org";
const MEMBERS: &str = "members.example.org";
