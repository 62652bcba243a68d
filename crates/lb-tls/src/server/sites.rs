//! The sites of a listener.

use super::lookup::{Lookup, SiteResolver};
use super::{BuildError, ServerOptions, Site, SiteOptions, UnknownName, check_protocols};
use crate::client_auth::{ClientAuthMode, ClientVerdict};
use crate::names::{NameTable, host_of};
use crate::tickets::{SessionCache, SiteSessions};
use crate::{Engine, Identities};
use rustls::compress::CompressionCache;
use rustls::{HandshakeKind, ServerConfig};
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The sites of a listener, by name. Immutable: a change makes new ones, and connections keep what they have.
#[derive(Debug)]
pub struct Sites {
    sites: Vec<Arc<Site>>,
    default: Arc<Site>,
    lookup: Arc<Lookup>,
    /// Does any of them?
    asks_clients: bool,
    notes: Vec<SiteNote>,
}

/// What somebody should know about sites.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SiteNote {
    /// A site answers for a name that none of its certificates has.
    NotCovered {
        /// The site.
        site: String,
        /// The name.
        name: String,
        /// What its certificates have.
        has: Vec<String>,
    },
}

impl Sites {
    /// Makes the rustls configurations of each site.
    ///
    /// New keys for tickets and a new cache of sessions come with each call; the keys are those of before where the
    /// binding is ([`Site::binding`]).
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a site without a certificate, a name that is none or that two sites have, limits.
    pub fn build(options: ServerOptions, engine: &Engine) -> Result<Self, BuildError> {
        check(&options)?;
        let now = engine
            .now()
            .and_then(|now| i64::try_from(now.as_secs()).ok())
            .unwrap_or(0);
        let all: Vec<&SiteOptions> = std::iter::once(&options.default).chain(&options.sites).collect();
        let identities: Vec<Arc<Identities>> = all
            .iter()
            .map(|site| Arc::new(Identities::new(site.identities.clone(), now)))
            .collect();
        let Some(default) = identities.first().map(Arc::clone) else {
            return Err(BuildError::NoIdentity {
                site: options.default.label,
            });
        };
        let mut notes = Vec::new();
        let lookup = Arc::new(Lookup {
            by_name: by_name(&all, &mut notes)?,
            default,
            is_strict: options.strict_sni,
        });
        let cache = Arc::new(SessionCache::new(options.sessions, options.session_lifetime, engine));
        let mut sites = Vec::new();
        for ((id, site), identities) in (0..).zip(all).zip(identities) {
            let resolver = SiteResolver {
                site: id,
                lookup: Arc::clone(&lookup),
                identities: Arc::clone(&identities),
            };
            let binding = binding(&options.label, site, engine);
            let sessions = SiteSessions::new(Arc::clone(&cache), id);
            let config =
                config(&options, site, resolver, sessions, &binding, engine).map_err(|error| BuildError::Rustls {
                    owner: site.label.clone(),
                    error,
                })?;
            let config = Arc::new(config);
            let by_client = if config.ignore_client_order {
                let mut by_client = ServerConfig::clone(&config);
                by_client.ignore_client_order = false;
                Arc::new(by_client)
            } else {
                Arc::clone(&config)
            };
            sites.push(Arc::new(Site {
                id,
                label: site.label.clone(),
                config,
                by_client,
                versions: site.versions,
                client_auth: site.client_auth.clone(),
                identities,
                binding,
            }));
        }
        let Some(default) = sites.first().map(Arc::clone) else {
            return Err(BuildError::NoIdentity {
                site: options.default.label,
            });
        };
        Ok(Self {
            asks_clients: sites.iter().any(|site| site.asks_clients()),
            sites,
            default,
            lookup,
            notes,
        })
    }

    /// The site for a server name: exact name, then wildcard, then the default. Letter case and a dot at the end do not
    /// count; an address counts as no name. `O(1)`, allocates nothing.
    ///
    /// # Errors
    ///
    /// The listener is strict and the name is nobody's, or there is none: send [`UnknownName::ALERT`].
    pub fn find(&self, server_name: Option<&str>) -> Result<&Arc<Site>, UnknownName> {
        let site = self.lookup.site(server_name)?;
        Ok(self.sites.get(site as usize).unwrap_or(&self.default))
    }

    /// The site for whoever asks for no name.
    #[must_use]
    pub fn default_site(&self) -> &Arc<Site> {
        &self.default
    }

    /// All sites, the default first; the position is [`Site::id`].
    #[must_use]
    pub fn all(&self) -> &[Arc<Site>] {
        &self.sites
    }

    /// What somebody should know.
    #[must_use]
    pub fn notes(&self) -> &[SiteNote] {
        &self.notes
    }

    /// May a request with this authority (Host or `:authority`, port or not) be answered on a connection of `site`, which
    /// may be from before a reload?
    ///
    /// Yes if what is asked of clients now under that name is what was asked on the connection, all of it: mode,
    /// authorities, lists, depth and profile. Else the answer is 421 (RFC 9110, section 15.5.20), and the connection is to be
    /// closed, so that the client comes back over one of its own. A name that no site has, neither exactly nor by `*.` for one
    /// label, is the default's; then it needs the rule of every `*.` site above it as well, because routes take `*.` for any
    /// number of labels.
    ///
    /// Cost: nothing where no site asks clients; else one look-up, and for a name of the default one for each label of the
    /// longest `*.` name. Allocates nothing.
    #[must_use]
    pub fn answers(&self, site: &Site, authority: &str) -> bool {
        if !self.asks_clients && !site.asks_clients() {
            return true;
        }
        self.lookup.all_meant(host_of(authority), |meant| {
            let meant = self.sites.get(meant as usize).unwrap_or(&self.default);
            meant.client_auth.is_same(&site.client_auth)
        })
    }

    /// The site that a connection from before a reload belongs to from now on, for which [`answers`](Self::answers) said no:
    /// the one that is meant, if by its rule the same is to be said of the client as was said when it came.
    ///
    /// So a new revocation list or authority costs a client nothing that passes it as well. `site`, `verdict` and
    /// `certificates` are the connection's. `None`: 421 it is, so always for a connection of these very sites, for one on
    /// which no certificate was asked for, and for a host to which several rules apply.
    ///
    /// Cost: the verification of a path; once for each connection and reload if the caller keeps the site.
    #[must_use]
    pub fn adopt(
        &self,
        site: &Site,
        authority: &str,
        verdict: &ClientVerdict,
        certificates: Option<&[CertificateDer<'_>]>,
    ) -> Option<&Arc<Site>> {
        let is_ours = self.sites.iter().any(|own| std::ptr::eq(Arc::as_ptr(own), site));
        if is_ours || !site.asks_clients() {
            return None;
        }
        let meant = self.sites.get(self.lookup.owner(host_of(authority)) as usize)?;
        if !self.answers(meant, authority) {
            return None;
        }
        let now = meant.judge(certificates, HandshakeKind::Resumed);
        let is_let_in = meant.client_auth.mode() != ClientAuthMode::Required || now.verified().is_some();
        (is_let_in && now.says_the_same(verdict)).then_some(meant)
    }
}

fn check(options: &ServerOptions) -> Result<(), BuildError> {
    if options.tls13_tickets > MOST_TICKETS {
        return Err(BuildError::Tickets {
            found: options.tls13_tickets,
            limit: MOST_TICKETS,
        });
    }
    let found = options.session_lifetime;
    if !(Duration::from_secs(1)..=MOST_LIFETIME).contains(&found) {
        return Err(BuildError::Lifetime { found });
    }
    for site in std::iter::once(&options.default).chain(&options.sites) {
        check_protocols(&site.label, &site.protocols)?;
        if site.identities.is_empty() {
            return Err(BuildError::NoIdentity {
                site: site.label.clone(),
            });
        }
    }
    Ok(())
}

fn by_name(sites: &[&SiteOptions], notes: &mut Vec<SiteNote>) -> Result<NameTable<u32>, BuildError> {
    let mut table = NameTable::new();
    for (id, site) in (0_u32..).zip(sites) {
        let mut names: Vec<&String> = site.names.iter().collect();
        if names.is_empty() && id > 0 {
            names = site.identities.iter().flat_map(|one| one.names()).collect();
        }
        for name in names {
            let owner = table.entry(name, || id).map_err(|error| BuildError::Name {
                site: site.label.clone(),
                error,
            })?;
            if *owner != id {
                let one = sites.get(*owner as usize).map(|one| one.label.clone());
                return Err(BuildError::TwoSites {
                    name: name.clone(),
                    one: one.unwrap_or_default(),
                    other: site.label.clone(),
                });
            }
            if !site.identities.iter().any(|one| is_for(one.names(), name)) {
                notes.push(SiteNote::NotCovered {
                    site: site.label.clone(),
                    name: name.clone(),
                    has: site.identities.iter().flat_map(|one| one.names()).cloned().collect(),
                });
            }
        }
    }
    Ok(table)
}

/// Is a certificate with these names for everybody of this pattern?
fn is_for(names: &[String], pattern: &str) -> bool {
    let Ok(pattern) = crate::names::pattern_of(pattern) else {
        return false;
    };
    let parent = pattern.split_once('.').map(|(_, parent)| parent);
    let covers =
        |name: &String| *name == pattern || (name.strip_prefix("*.").is_some() && name.strip_prefix("*.") == parent);
    names.iter().any(covers)
}

/// What a session must have in common with the site that resumes it.
fn binding(listener: &str, site: &SiteOptions, engine: &Engine) -> [u8; 32] {
    let protocols: Vec<&[u8]> = site.protocols.iter().map(Vec::as_slice).collect();
    engine.digest(&[
        listener.as_bytes(),
        site.label.as_bytes(),
        site.client_auth.digest(),
        &site.versions.tag(),
        &engine.digest(&protocols),
    ])
}

fn config(
    options: &ServerOptions,
    site: &SiteOptions,
    resolver: SiteResolver,
    sessions: SiteSessions,
    binding: &[u8; 32],
    engine: &Engine,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_details(Arc::clone(engine.provider()), Arc::clone(engine.clock()))
        .with_protocol_versions(&site.versions.list())?
        .with_client_cert_verifier(site.client_auth.verifier())
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols.clone_from(&site.protocols);
    config.ignore_client_order = site.server_order;
    config.session_storage = Arc::new(sessions);
    config.send_tls13_tickets = options.tls13_tickets;
    // 0-RTT can be sent again by whoever records it; half-RTT data goes to a client that has shown no certificate yet.
    config.max_early_data_size = 0;
    config.send_half_rtt_data = false;
    config.max_fragment_size = None;
    config.cert_compressors = Vec::new();
    config.cert_decompressors = Vec::new();
    config.cert_compression_cache = Arc::new(CompressionCache::Disabled);
    #[cfg(feature = "aws-lc-rs")]
    if let Some(secret) = &options.tickets {
        let tickets = crate::tickets::Tickets::new(Arc::clone(secret), *binding, options.session_lifetime, engine);
        config.ticketer = Arc::new(tickets);
    }
    #[cfg(not(feature = "aws-lc-rs"))]
    let _ = binding;
    Ok(config)
}

impl fmt::Display for SiteNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCovered { site, name, has } => write!(
                f,
                "the site {site} answers for {name}, and its certificates have {}: clients will refuse them; have one issued \
                 for {name}",
                if has.is_empty() {
                    "no names".to_owned()
                } else {
                    has.join(", ")
                }
            ),
        }
    }
}

/// RFC 9846, section 4.6.1.
const MOST_LIFETIME: Duration = Duration::from_secs(604_800);
/// Browsers open six connections at once.
const MOST_TICKETS: usize = 8;
