use super::Made;
use crate::schema::TLS;
use crate::usual;
use lb_tls::client_auth::{Authorities, ClientAuthMode, RevocationLists};
use lb_tls::tickets::TicketSecret;
use lb_tls::upstream::Pin;
use lb_tls::{Identity, Loaded, Note, Versions};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a listener that speaks TLS proves itself with, and what it asks of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerTls {
    /// For names that no site has, and clients that say none. Without certificates those of the first site are shown.
    pub default: Site,
    /// What holds for certain names.
    pub sites: Vec<Site>,
    /// Are clients refused that name a host no certificate is for?
    pub strict_sni: bool,
    /// Does the server's order of suites decide?
    pub server_order: bool,
    /// The file that the keys of session tickets are derived from. `None`: random keys of this process.
    pub ticket_secret_file: Option<PathBuf>,
    /// How long a session can be resumed.
    pub ticket_lifetime: Duration,
    /// Sessions of TLS 1.2 that are kept for clients without tickets.
    pub session_cache: usize,
    /// What that file held.
    pub(crate) ticket_secret: Option<Made<TicketSecret>>,
}

/// The names, certificates and rules of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Site {
    /// In small letters, `*.` before some; none for what stands in the listener itself.
    pub names: Vec<String>,
    /// What is shown to clients.
    pub certificates: Certificates,
    /// What is spoken.
    pub versions: Versions,
    /// What is asked of clients.
    pub client_auth: ClientAuth,
}

/// Files with certificates and keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Certificates {
    /// Files, and folders of them, as they are written.
    pub paths: Vec<PathBuf>,
    /// What opens those that are locked.
    pub password_file: Option<PathBuf>,
    /// What was found in them.
    pub(crate) made: Option<Made<Loaded>>,
}

/// What is asked of clients, and how their certificates are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientAuth {
    /// Is a certificate asked for?
    pub mode: ClientAuthMode,
    /// Files with the authorities whose certificates count.
    pub authorities: Vec<PathBuf>,
    /// Files with lists of what was revoked.
    pub crl: Vec<PathBuf>,
    /// Is a certificate accepted when the list that would name it has expired?
    pub accepts_expired_crl: bool,
    /// Is a certificate accepted that no list is for?
    pub accepts_missing_crl: bool,
    /// The most certificates of authorities between the client's and the root.
    pub depth: u8,
    /// What those files held, where clients are asked.
    pub(crate) made_authorities: Option<Made<Authorities>>,
    /// What those lists held, where clients are asked.
    pub(crate) made_lists: Option<Made<RevocationLists>>,
}

/// How the backends of a pool are spoken to over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolTls {
    /// The authorities that are believed.
    pub roots: TrustedRoots,
    /// The name that the certificate must have. `None`: the backend's host, as it is written.
    pub server_name: Option<String>,
    /// Is the name said in the handshake?
    pub sni: bool,
    /// Certificates or keys of which the backend must show one: by itself, or, with authorities, on the way to one of them.
    pub pins: Vec<Pin>,
    /// Is the certificate checked at all?
    pub verify: bool,
    /// What is shown to a backend that asks.
    pub certificates: Certificates,
    /// What is spoken.
    pub versions: Versions,
    /// What the authorities are, where they are asked.
    pub(crate) made_roots: Option<Made<Authorities>>,
}

/// The authorities that are believed of backends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedRoots {
    /// None: pins say who is believed.
    None,
    /// Those of the system.
    System,
    /// Those in these files.
    Files(Vec<PathBuf>),
}

impl Certificates {
    /// What was found in them: each certificate that has a key.
    #[must_use]
    pub fn identities(&self) -> &[Arc<Identity>] {
        self.made.as_ref().map_or(&[], |made| &made.value().identities)
    }

    /// What was done to them, and what should be known: to be said once, when the plan comes into force.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        self.made.as_ref().map_or(&[], |made| &made.value().notes)
    }
}

impl Default for ClientAuth {
    /// Nobody is asked.
    fn default() -> Self {
        Self {
            mode: ClientAuthMode::None,
            authorities: Vec::new(),
            crl: Vec::new(),
            accepts_expired_crl: false,
            accepts_missing_crl: false,
            depth: u8::try_from(usual::number(&TLS, "depth")).unwrap_or(0),
            made_authorities: None,
            made_lists: None,
        }
    }
}

impl ServerTls {
    /// Is any client asked for a certificate?
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        self.all_sites()
            .any(|site| site.client_auth.mode != ClientAuthMode::None)
    }

    /// What stands in the listener itself, then the sites.
    pub(crate) fn all_sites(&self) -> impl Iterator<Item = &Site> {
        std::iter::once(&self.default).chain(&self.sites)
    }
}
