//! TLS toward backends: whom we believe, what we show, and what to do about a certificate that is refused.

mod options;
mod pin;
mod reason;
mod verifier;

pub use options::{Trust, UpstreamOptions, Verify};
pub use pin::{Pin, PinError};
pub use reason::{UpstreamReason, UpstreamRefusal};

use crate::server::{BuildError, check_protocols};
use crate::{Engine, Expiry, Identity};
use lb_cert::Certificate;
use rustls::ClientConfig;
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore as _, ResolvesClientCert, Resumption};
use rustls::compress::CompressionCache;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, ServerName};
use std::sync::Arc;
use verifier::BackendVerifier;

/// TLS toward one backend: rustls's configuration, the name to ask for, and what tells its connections from others'.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
    verifier: Arc<BackendVerifier>,
    sessions: Arc<ClientSessionMemoryCache>,
    options: Arc<UpstreamOptions>,
    identity: u64,
    engine: Engine,
}

impl UpstreamTls {
    /// A configuration with a cache of sessions of its own: a session is never resumed with another trust than it was
    /// made with. rustls does not verify again on resumption; [`judge`](Self::judge) does.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a server name that is none, nobody trusted, a protocol of 0 or more than 255 bytes.
    pub fn build(options: UpstreamOptions, engine: &Engine) -> Result<Self, BuildError> {
        let name = options.server_name.clone();
        check_protocols(&name, &options.protocols)?;
        // A dot at the end is for resolvers; no certificate has one.
        let bare = name.strip_suffix('.').unwrap_or(&name);
        let bare = bare
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(bare);
        let server_name =
            ServerName::try_from(bare.to_owned()).map_err(|_| BuildError::ServerName { name: name.clone() })?;
        let is_trustless = match &options.trust {
            Trust::Authorities(authorities) => authorities.roots().is_empty(),
            Trust::Pins => options.pins.is_empty(),
        };
        if is_trustless && options.verify == Verify::Full {
            return Err(BuildError::NobodyTrusted { owner: name });
        }
        let verifier = Arc::new(BackendVerifier::new(&options, engine));
        let mut config = ClientConfig::builder_with_details(Arc::clone(engine.provider()), Arc::clone(engine.clock()))
            .with_protocol_versions(&options.versions.list())
            .map_err(|error| BuildError::Rustls { owner: name, error })?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_client_cert_resolver(Arc::new(Shown(options.identity.clone())));
        config.alpn_protocols.clone_from(&options.protocols);
        config.enable_sni = options.send_sni;
        let sessions = Arc::new(ClientSessionMemoryCache::new(TICKETS));
        config.resumption = if options.resume {
            Resumption::store(sessions.clone())
        } else {
            Resumption::disabled()
        };
        config.cert_compressors = Vec::new();
        config.cert_decompressors = Vec::new();
        config.cert_compression_cache = Arc::new(CompressionCache::Disabled);
        Ok(Self {
            config: Arc::new(config),
            server_name,
            verifier,
            sessions,
            identity: options.identity_number(engine),
            options: Arc::new(options),
            engine: engine.clone(),
        })
    }

    /// For rustls: `ClientConnection` or `UnbufferedClientConnection`, with [`server_name`](Self::server_name).
    #[must_use]
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Whom to ask for: the certificate must be this host's, and it is sent as SNI unless it is an address.
    #[must_use]
    pub fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    /// A number of everything that decides who may be at the other end and what was shown to it: connections of equal
    /// numbers may be shared, here and after a reload.
    #[must_use]
    pub const fn identity(&self) -> u64 {
        self.identity
    }

    /// Is the certificate checked? [`Verify::None`] should be said wherever the state of a backend is shown.
    #[must_use]
    pub fn verify(&self) -> Verify {
        self.options.verify
    }

    /// The same for another backend of the same kind, with a cache of sessions of its own.
    ///
    /// # Errors
    ///
    /// The name is neither a host name nor an address.
    pub fn with_server_name(&self, name: &str) -> Result<Self, BuildError> {
        let mut options = UpstreamOptions::clone(&self.options);
        name.clone_into(&mut options.server_name);
        Self::build(options, &self.engine)
    }

    /// What verification says of these certificates now (rustls's `peer_certificates()`), in every mode: for sessions
    /// that were resumed, and for what `verify = "none"` lets through.
    ///
    /// A session keeps the certificates of its first handshake, however often it is resumed. So where certificates are
    /// checked ([`Verify::Full`]), a refusal here forgets all sessions: the next handshake is a full one, and is judged by
    /// what the backend has now.
    ///
    /// # Errors
    ///
    /// It refuses them.
    pub fn judge(&self, certificates: &[CertificateDer<'_>]) -> Result<(), UpstreamRefusal> {
        let verdict = self.verifier.judge(certificates, &self.server_name);
        if verdict.is_err() && self.verify() == Verify::Full {
            self.forget();
        }
        verdict
    }

    /// How long the backend's own certificate of these (rustls's `peer_certificates()`) is still good. `None` where no date
    /// is asked for: with [`Verify::None`] and [`Trust::Pins`]; and for a certificate that cannot be read. Reads the
    /// certificate: allocates as many bytes as it has.
    #[must_use]
    pub fn expiry(&self, certificates: &[CertificateDer<'_>]) -> Option<Expiry> {
        if self.verify() == Verify::None || matches!(self.options.trust, Trust::Pins) {
            return None;
        }
        let leaf = Certificate::parse(certificates.first()?.clone().into_owned()).ok()?;
        Some(Expiry::new(leaf.not_after(), self.engine.now()?))
    }

    fn forget(&self) {
        self.sessions.remove_tls12_session(&self.server_name);
        // Others may be storing some meanwhile: no more turns than there is room.
        for _ in 0..TICKETS {
            if self.sessions.take_tls13_ticket(&self.server_name).is_none() {
                break;
            }
        }
    }
}

/// Our own certificate, for backends that ask for one.
#[derive(Debug)]
struct Shown(Option<Arc<Identity>>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], schemes: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let identity = self.0.as_ref()?;
        let certified = identity.certified();
        certified.key.choose_scheme(schemes)?;
        Some(Arc::clone(certified))
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// rustls keeps up to 8 tickets of TLS 1.3 and one session of TLS 1.2 of each server, and there is one.
const TICKETS: usize = 8;
