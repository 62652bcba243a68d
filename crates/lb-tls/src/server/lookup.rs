//! Which site a name belongs to.

use crate::Identities;
use crate::names::{NameTable, is_address};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// The names of all sites; the default site is number 0.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) by_name: NameTable<u32>,
    /// The default site's.
    pub(super) default: Arc<Identities>,
    pub(super) is_strict: bool,
}

/// The name that a client asked for is nobody's here, and the listener is strict about names.
///
/// rustls would say `access_denied`: whoever has looked at the hello sends [`ALERT`](Self::ALERT) and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", if *.is_missing { "the client asked for no server name, and strict_sni is set" } else { "no site has the server name, and strict_sni is set" })]
pub struct UnknownName {
    /// It asked for no name at all.
    pub is_missing: bool,
}

impl UnknownName {
    /// The record to send: a fatal alert `unrecognized_name` (112; RFC 6066, section 3), in plain as the hello was.
    pub const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

    /// What to do about it, in a sentence.
    #[must_use]
    pub const fn mend(self) -> &'static str {
        if self.is_missing {
            "the client connects by address or is very old: give it a host name, or set strict_sni = false"
        } else {
            "add a site or a certificate with this name, or correct the DNS record that leads here"
        }
    }
}

impl Lookup {
    pub(super) fn site(&self, name: Option<&str>) -> Result<u32, UnknownName> {
        let Some(name) = name.filter(|name| !is_address(name)) else {
            return self.unless_strict(true);
        };
        match self.by_name.find(name) {
            Some(site) => Ok(*site),
            None if self.is_strict && self.default.covers(name) => Ok(0),
            None => self.unless_strict(false),
        }
    }

    /// Does this hold for every site that a request for this host may be meant for? Whoever has its name, exactly or by
    /// `*.` for one label, is the only one. Else it is the default, and with it every `*.` above: routes take that for any
    /// number of labels.
    pub(super) fn all_meant(&self, host: &str, fits: impl Fn(u32) -> bool) -> bool {
        if is_address(host) {
            return fits(0);
        }
        match self.by_name.find(host) {
            Some(site) => fits(*site),
            None => fits(0) && self.by_name.all_above(host, |site| fits(*site)),
        }
    }

    /// Whose a request for this host is: the default's, if nobody has its name.
    pub(super) fn owner(&self, host: &str) -> u32 {
        let found = self.by_name.find(host).filter(|_| !is_address(host));
        found.copied().unwrap_or(0)
    }

    const fn unless_strict(&self, is_missing: bool) -> Result<u32, UnknownName> {
        if self.is_strict {
            Err(UnknownName { is_missing })
        } else {
            Ok(0)
        }
    }
}

/// Gives out a site's certificates, and only to those who ask for that site: rustls reads the hello itself, and whatever
/// chose the configuration may have read another name in it.
#[derive(Debug)]
pub(super) struct SiteResolver {
    pub(super) site: u32,
    pub(super) lookup: Arc<Lookup>,
    pub(super) identities: Arc<Identities>,
}

impl ResolvesServerCert for SiteResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name();
        if self.lookup.site(name) != Ok(self.site) {
            return None;
        }
        let found = self.identities.choose(name, hello.signature_schemes())?;
        Some(Arc::clone(found.certified()))
    }
}
