//! One site.

use crate::client_auth::{ClientAuth, ClientAuthMode, ClientRefusal, ClientVerdict, explain};
use crate::{Identities, Identity, Versions};
use rustls::{HandshakeKind, ServerConfig};
use rustls_pki_types::CertificateDer;
use std::sync::Arc;

/// A site with its rustls configuration. Made by [`Sites::build`](crate::Sites::build), held by connections.
#[derive(Debug)]
pub struct Site {
    pub(super) id: u32,
    pub(super) label: String,
    pub(super) config: Arc<ServerConfig>,
    /// The same with the client's order of cipher suites.
    pub(super) by_client: Arc<ServerConfig>,
    pub(super) versions: Versions,
    pub(super) client_auth: ClientAuth,
    pub(super) identities: Arc<Identities>,
    pub(super) binding: [u8; 32],
}

impl Site {
    /// For rustls: `ServerConnection` or `UnbufferedServerConnection`.
    #[must_use]
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The one for a client that offers these cipher suites, most preferred first and without GREASE.
    ///
    /// It is [`config`](Self::config), unless the first suite has ChaCha20 (RFC 7905; RFC 9846, appendix B.4): who says so
    /// computes AES without help by its processor, ten times as slow, and gets what it prefers though the server's order counts
    /// for everybody else. Tickets and sessions are the same for both, and resume where the suite that comes out is.
    #[must_use]
    pub fn config_for(&self, suites: impl IntoIterator<Item = u16>) -> &Arc<ServerConfig> {
        match suites.into_iter().next() {
            Some(CHACHA20 | CHACHA20_FIRST..=CHACHA20_LAST) => &self.by_client,
            _ => &self.config,
        }
    }

    /// Its number on its listener; the default site is 0.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its identities, in the order given.
    #[must_use]
    pub fn identities(&self) -> &[Arc<Identity>] {
        self.identities.all()
    }

    /// Which versions of TLS it speaks.
    #[must_use]
    pub const fn versions(&self) -> Versions {
        self.versions
    }

    /// Its rule about client certificates.
    #[must_use]
    pub const fn client_auth(&self) -> &ClientAuth {
        &self.client_auth
    }

    /// Does it ask for client certificates?
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        self.client_auth.mode() != ClientAuthMode::None
    }

    /// What tickets of this site are bound to: listener, site, rule about clients, versions and protocols. Two sites with
    /// the same binding, in whichever process, resume each other's sessions.
    #[must_use]
    pub const fn binding(&self) -> &[u8; 32] {
        &self.binding
    }

    /// What is to be said of the client, asked when the handshake is over and before anything is sent to a backend.
    ///
    /// `certificates` is rustls's `peer_certificates()`, `handshake` its `handshake_kind()`. rustls does not verify again
    /// when a session is resumed: this does, with the clock, lists and authorities of now. In the mode `required` a
    /// verdict that [is failed](ClientVerdict::Failed) ends the connection; in `optional` it is for routes and headers.
    ///
    /// Cost: nothing in the mode `none`; the verification of a path (two or three signatures) for resumed sessions, in the
    /// mode `optional`, and where this thread verified another client since, or was not the one that drove the handshake;
    /// else only reading the certificate.
    #[must_use]
    pub fn judge(&self, certificates: Option<&[CertificateDer<'_>]>, handshake: HandshakeKind) -> ClientVerdict {
        self.client_auth.judge(certificates, handshake)
    }

    /// Why a client's certificate ended a handshake, from the error that rustls gave; `None` if that was another reason.
    ///
    /// To be asked on the thread that drove the connection, before it drives another: the certificate is known only
    /// there, and elsewhere the answer has the reason alone.
    #[must_use]
    pub fn explain(&self, error: &rustls::Error) -> Option<ClientRefusal> {
        if !self.asks_clients() {
            return None;
        }
        explain(error)
    }
}

/// `TLS_CHACHA20_POLY1305_SHA256`.
const CHACHA20: u16 = 0x1303;
/// Those of TLS 1.2, by key exchange: RFC 7905, section 2.
const CHACHA20_FIRST: u16 = 0xcca8;
const CHACHA20_LAST: u16 = 0xccae;
