//! What a listener is told.

use crate::client_auth::ClientAuth;
use crate::{Identity, NameError, Versions};
use std::sync::Arc;
use std::time::Duration;

/// A listener: one default site, and sites by name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// The listener's name. It is part of what binds tickets: replicas call theirs the same.
    pub label: String,
    /// The site for whoever asks for no name, or for one that is no other site's.
    pub default: SiteOptions,
    /// The other sites.
    pub sites: Vec<SiteOptions>,
    /// Refuses names that neither a site nor a certificate of the default site has, and hellos without a name.
    pub strict_sni: bool,
    /// What the keys of tickets are made of; `None`: no tickets, and sessions of TLS 1.3 are in the cache, too.
    #[cfg(feature = "aws-lc-rs")]
    pub tickets: Option<Arc<crate::tickets::TicketSecret>>,
    /// How long a session may be resumed: 12 hours; at least one second, at most 7 days.
    pub session_lifetime: Duration,
    /// Tickets that are sent after a TLS 1.3 handshake, at most 8. One is enough for who connects one after the other,
    /// and every resumption brings the next; browsers open several connections at once and use each ticket once.
    pub tls13_tickets: usize,
    /// Sessions that are kept for clients without tickets, of all sites together: 20,480, some 6 MB when all are there.
    pub sessions: usize,
}

impl ServerOptions {
    /// A listener with one site, and what is usual for the rest: no strict names, no tickets, one ticket of TLS 1.3.
    #[must_use]
    pub fn new(label: impl Into<String>, default: SiteOptions) -> Self {
        Self {
            label: label.into(),
            default,
            sites: Vec::new(),
            strict_sni: false,
            #[cfg(feature = "aws-lc-rs")]
            tickets: None,
            session_lifetime: Duration::from_secs(12 * 3_600),
            tls13_tickets: 1,
            sessions: 20_480,
        }
    }
}

/// A site: the names for which it answers, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SiteOptions {
    /// Its name, for logs and for what binds tickets.
    pub label: String,
    /// Host names, `*.` for one label. Empty: the names of its identities; for the default site those that nobody else has.
    pub names: Vec<String>,
    /// Its certificates; the first and its like are for whoever asks for a name that none has.
    pub identities: Vec<Arc<Identity>>,
    /// ALPN, most preferred first: `http/1.1`. Empty: none is negotiated.
    pub protocols: Vec<Vec<u8>>,
    /// Which versions of TLS.
    pub versions: Versions,
    /// Whether the server's order of cipher suites counts, not the client's (S-TLS-06): [`Site::config_for`](crate::Site::config_for).
    pub server_order: bool,
    /// Whether clients show a certificate.
    pub client_auth: ClientAuth,
}

impl SiteOptions {
    /// A site with these identities that speaks `http/1.1` over TLS 1.2 and 1.3 and asks nobody for a certificate.
    #[must_use]
    pub fn new(label: impl Into<String>, identities: Vec<Arc<Identity>>) -> Self {
        Self {
            label: label.into(),
            names: Vec::new(),
            identities,
            protocols: vec![b"http/1.1".to_vec()],
            versions: Versions::default(),
            server_order: true,
            client_auth: ClientAuth::none(),
        }
    }
}

/// Why options are no sites.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A site has no certificate.
    #[error("the site {site} has no certificate: give it one, with its key")]
    NoIdentity {
        /// Which.
        site: String,
    },
    /// A name that no site can have.
    #[error("the site {site}: {error}")]
    Name {
        /// Which.
        site: String,
        /// Why.
        error: NameError,
    },
    /// Two sites have the same name.
    #[error("{name} is a name of the site {one} and of the site {other}: leave it to one of them")]
    TwoSites {
        /// The name.
        name: String,
        /// The first site.
        one: String,
        /// The second site.
        other: String,
    },
    /// An ALPN protocol that cannot be sent.
    #[error("{owner}: an ALPN protocol has 1 to 255 bytes, and one has {length}")]
    Protocol {
        /// The site or backend.
        owner: String,
        /// Its length.
        length: usize,
    },
    /// More tickets after a handshake than anybody uses.
    #[error("{found} tickets after a handshake are more than {limit}")]
    Tickets {
        /// How many.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A lifetime of sessions that is not allowed.
    #[error("sessions of {found:?}: from one second to 7 days are allowed (RFC 9846, section 4.6.1)")]
    Lifetime {
        /// The lifetime.
        found: Duration,
    },
    /// rustls refuses it.
    #[error("{owner}: rustls refuses the configuration: {error}")]
    Rustls {
        /// The site or backend.
        owner: String,
        /// Why.
        error: rustls::Error,
    },
    /// A server name that is none.
    #[error(
        "{name:?} is neither a host name nor an address, so no certificate of a backend can be for it: set server_name"
    )]
    ServerName {
        /// The text.
        name: String,
    },
    /// Nobody is trusted.
    #[error("{owner}: neither roots nor pins are given, so no certificate of the backend could be accepted")]
    NobodyTrusted {
        /// The backend.
        owner: String,
    },
}

pub(crate) fn check_protocols(owner: &str, protocols: &[Vec<u8>]) -> Result<(), BuildError> {
    match protocols.iter().find(|one| !(1..=255).contains(&one.len())) {
        Some(wrong) => Err(BuildError::Protocol {
            owner: owner.to_owned(),
            length: wrong.len(),
        }),
        None => Ok(()),
    }
}
