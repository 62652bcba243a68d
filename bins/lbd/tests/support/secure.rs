//! TLS in the hands of a test: rustls over a blocking socket, on either side.

use super::message::{Broken, Message, Reader};
use super::{Authority, Backend, PATIENCE};
use lb_tls::Engine;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

/// One connection. An end without `close_notify` is read as [`io::ErrorKind::UnexpectedEof`].
#[derive(Debug)]
pub(crate) struct Secure {
    pub(crate) tls: Connection,
    pub(crate) socket: TcpStream,
}

/// What a client asks for.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'static rustls::SupportedProtocolVersion,
    pub(crate) alpn: Vec<Vec<u8>>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            name: "site.example",
            version: &TLS13,
            alpn: Vec::new(),
        }
    }
}

impl Wanted<'_> {
    /// This version and nothing else that is particular.
    pub(crate) fn version(version: &'static rustls::SupportedProtocolVersion) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// A client that has said nothing yet.
    pub(crate) fn client(self, authority: &Authority) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(authority.root()).unwrap())
            .unwrap();
        let engine = engine();
        let mut config = ClientConfig::builder_with_details(Arc::clone(engine.provider()), Arc::clone(engine.clock()))
            .with_protocol_versions(&[self.version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = self.alpn;
        config.enable_secret_extraction = true;
        let name = ServerName::try_from(self.name.to_owned()).unwrap();
        ClientConnection::new(Arc::new(config), name).unwrap()
    }
}

impl Secure {
    /// Connects and does nothing more.
    pub(crate) fn over(tls: impl Into<Connection>, to: SocketAddr) -> Self {
        let socket = TcpStream::connect(to).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            tls: tls.into(),
            socket,
        }
    }

    /// A client of this version whose handshake is done.
    pub(crate) fn connect_with(wanted: Wanted<'_>, to: SocketAddr, authority: &Authority) -> Self {
        let mut secure = Self::over(wanted.client(authority), to);
        secure.handshake().unwrap();
        secure
    }

    /// A client of TLS 1.3 whose handshake is done.
    pub(crate) fn connect(to: SocketAddr, authority: &Authority) -> Reader<Self> {
        Reader::new(Self::connect_with(Wanted::default(), to, authority))
    }

    pub(crate) fn handshake(&mut self) -> io::Result<()> {
        while self.tls.is_handshaking() {
            self.flush()?;
            self.hear()?;
        }
        self.flush()
    }

    /// Reads the socket once.
    fn hear(&mut self) -> io::Result<()> {
        if self.tls.read_tls(&mut self.socket)? == 0 && self.tls.is_handshaking() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.tls.process_new_packets().map(drop).map_err(|error| {
            // Its alert.
            let _ = self.flush();
            io::Error::new(io::ErrorKind::InvalidData, error)
        })
    }

    /// Asks for new keys in both directions.
    pub(crate) fn update_keys(&mut self) -> io::Result<()> {
        self.tls.refresh_traffic_keys().map_err(io::Error::other)?;
        self.flush()
    }

    /// Ends our direction, with `close_notify` or without.
    pub(crate) fn end(&mut self, in_order: bool) {
        if in_order {
            self.tls.send_close_notify();
            let _ = self.flush();
        }
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
    }
}

impl Read for Secure {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.hear()?,
                other => return other,
            }
        }
    }
}

impl Write for Secure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.tls.writer().write(bytes)?;
        self.flush()?;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket)?;
        }
        Ok(())
    }
}

impl Reader<Secure> {
    /// Sends and reads the response.
    pub(crate) fn exchange(&mut self, request: impl AsRef<[u8]>) -> Result<Message, Broken> {
        self.input.write_all(request.as_ref()).map_err(Broken::Io)?;
        self.response()
    }
}

/// A backend of TLS 1.3 with the certificate in this file; each connection is served once its handshake is done.
pub(crate) fn secure_backend(file: &Path, serve: impl Fn(Reader<Secure>) + Send + Sync + 'static) -> Backend {
    let config = server_config(file);
    Backend::start(move |conn| {
        let mut secure = Secure {
            tls: ServerConnection::new(Arc::clone(&config)).unwrap().into(),
            socket: conn.stream().try_clone().unwrap(),
        };
        if secure.handshake().is_ok() {
            serve(Reader::new(secure));
        }
    })
}

/// A server of TLS 1.3 that gives out its keys, and no tickets.
pub(crate) fn server_config(file: &Path) -> Arc<ServerConfig> {
    let certificates = CertificateDer::pem_file_iter(file).unwrap().map(Result::unwrap);
    let engine = engine();
    let mut config = ServerConfig::builder_with_details(Arc::clone(engine.provider()), Arc::clone(engine.clock()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.collect(), PrivateKeyDer::from_pem_file(file).unwrap())
        .unwrap();
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

fn engine() -> Engine {
    Engine::aws_lc(Arc::new(rustls::time_provider::DefaultTimeProvider))
}
