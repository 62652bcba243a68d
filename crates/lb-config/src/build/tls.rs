//! TLS on both sides, from what the plan has loaded.

use super::BuildError;
use crate::plan::{self, Certificates, ClientAuth, PoolTls, ServerTls, Site};
use lb_proxy::{PoolEntry, TlsOptions};
use lb_tls::client_auth::{self, ClientAuthMode, ClientAuthOptions};
use lb_tls::tickets::TicketSecret;
use lb_tls::upstream::{Trust, UpstreamOptions, Verify};
use lb_tls::{Engine, ServerOptions, SiteOptions, Sites, TimeProvider, UpstreamTls};
use rustls_pki_types::UnixTime;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What clients of a listener speak.
pub(super) fn server(listener: &plan::Listener, tls: &ServerTls, engine: &Engine) -> Result<TlsOptions, BuildError> {
    // What is not HTTP is agreed on by nobody.
    let protocols: Vec<Vec<u8>> = match listener.service {
        // Clients of 1.0 that offer it (curl's `--http1.0`) offer nothing else, and no common protocol ends the handshake.
        plan::Service::Http(_) => vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()],
        _ => Vec::new(),
    };
    let site = |site: &Site, shown: &Certificates, label: &str| -> Result<SiteOptions, BuildError> {
        let mut options = SiteOptions::new(label, shown.identities().to_vec());
        options.names.clone_from(&site.names);
        options.protocols.clone_from(&protocols);
        options.versions = site.versions;
        options.server_order = tls.server_order;
        options.client_auth = client_auth(&listener.name, &site.client_auth, engine)?;
        Ok(options)
    };
    // Without certificates of its own the listener shows what the first site has; its rules are its own all the same.
    let own = &tls.default.certificates;
    let lent = tls.sites.first().filter(|_| own.paths.is_empty());
    let shown = lent.map_or(own, |first| &first.certificates);
    let default = site(&tls.default, shown, &listener.name)?;
    let mut options = ServerOptions::new(listener.name.clone(), default);
    for (index, one) in tls.sites.iter().enumerate() {
        let label = one.names.first().map_or_else(|| index.to_string(), Clone::clone);
        options.sites.push(site(one, &one.certificates, &label)?);
    }
    options.strict_sni = tls.strict_sni;
    options.tickets = match &tls.ticket_secret {
        Some(made) => Some(Arc::clone(made.value())),
        None => random_secret(engine),
    };
    options.session_lifetime = tls.ticket_lifetime;
    options.sessions = tls.session_cache;
    let sites = Sites::build(options, engine).map_err(|source| BuildError::ServerTls {
        listener: listener.name.clone(),
        source: Box::new(source),
    })?;
    Ok(TlsOptions { sites })
}

fn client_auth(listener: &str, auth: &ClientAuth, engine: &Engine) -> Result<client_auth::ClientAuth, BuildError> {
    if auth.mode == ClientAuthMode::None {
        return Ok(client_auth::ClientAuth::none());
    }
    let not_loaded = || BuildError::NotLoaded {
        owner: listener.to_owned(),
    };
    let authorities = auth.made_authorities.as_ref().ok_or_else(not_loaded)?;
    let mut options = ClientAuthOptions::new(auth.mode, Arc::clone(authorities.value()));
    if !auth.crl.is_empty() {
        let lists = auth.made_lists.as_ref().ok_or_else(not_loaded)?;
        options.revocation = Some(Arc::clone(lists.value()));
    }
    options.depth = usize::from(auth.depth);
    Ok(client_auth::ClientAuth::new(options, engine))
}

/// What each backend of a pool speaks, by slot. What `old` has is kept where nothing about it changed: sessions with
/// backends survive a reload.
pub(super) fn upstream(
    pool: &plan::Pool,
    tls: &PoolTls,
    speaks_http: bool,
    old: Option<&PoolEntry>,
    engine: &Engine,
) -> Result<Vec<Option<Arc<UpstreamTls>>>, BuildError> {
    let trust = match (&tls.made_roots, tls.verify, tls.pins.is_empty()) {
        (Some(made), true, _) => Trust::Authorities(Arc::clone(made.value())),
        (None, true, true) => {
            return Err(BuildError::NotLoaded {
                owner: pool.name.clone(),
            });
        }
        _ => Trust::Pins,
    };
    let of_backend = |backend: &plan::Backend| {
        let name = backend.server_name.clone().or_else(|| tls.server_name.clone());
        let name = name.or_else(|| backend.host());
        let is_named = name.is_some();
        // Nobody is told this name, and nothing is compared with it.
        let mut options = UpstreamOptions::new(name.unwrap_or_else(|| "localhost".to_owned()), trust.clone());
        options.send_sni = tls.sni && is_named;
        options.pins.clone_from(&tls.pins);
        options.verify = if tls.verify { Verify::Full } else { Verify::None };
        if !speaks_http {
            options.protocols.clear();
        }
        options.identity = tls.certificates.identities().first().cloned();
        options.versions = tls.versions;
        let new = UpstreamTls::build(options, engine).map_err(|source| BuildError::UpstreamTls {
            pool: pool.name.clone(),
            backend: backend.name.clone(),
            source: Box::new(source),
        })?;
        let known = old.and_then(|entry| {
            let slot = entry.pool.find(backend.id(pool))?;
            entry.options.tls.get(slot.index())?.as_ref()
        });
        let same = known.filter(|known| known.identity() == new.identity());
        Ok(Some(same.map_or_else(|| Arc::new(new), Arc::clone)))
    };
    pool.backends.iter().map(of_backend).collect()
}

/// Cryptography, and the clock of the machine.
pub(super) fn engine() -> Engine {
    Engine::aws_lc(Arc::new(Clock))
}

#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = lb_net::clock::now().wall;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now.as_millis())))
    }
}

/// The secret of a process that was given none: the same over reloads, so that tickets stay good. `None` where the
/// system has no random bytes: then there are no tickets.
fn random_secret(engine: &Engine) -> Option<Arc<TicketSecret>> {
    static SECRET: OnceLock<Option<Arc<TicketSecret>>> = OnceLock::new();
    SECRET
        .get_or_init(|| TicketSecret::random(engine).ok().map(Arc::new))
        .clone()
}
