//! Which identity for which client.

use super::Identity;
use crate::names::{NameTable, is_address};
use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// Identities by server name, several kinds of keys side by side; the first given and its like are the default.
#[derive(Debug)]
pub struct Identities {
    all: Vec<Arc<Identity>>,
    by_name: NameTable<Vec<u32>>,
    /// Those for whoever asks for no name, or for one that is nobody's.
    default: Vec<u32>,
}

impl Identities {
    /// A table of these. For one name and one kind of key the one is taken that is valid at `now` (seconds since 1970)
    /// and ends last. The default is the first one, with those of other kinds of keys that have all its names.
    #[must_use]
    pub fn new(all: Vec<Arc<Identity>>, now: i64) -> Self {
        let mut by_name: NameTable<Vec<u32>> = NameTable::new();
        for (index, identity) in (0..).zip(&all) {
            for name in identity.names() {
                // Names of identities are patterns: they were read as such.
                if let Ok(found) = by_name.entry(name, Vec::new) {
                    found.push(index);
                }
            }
        }
        for found in by_name.values_mut() {
            order(found, &all, now);
        }
        let mut default: Vec<u32> = all.first().map_or_else(Vec::new, |first| {
            let has_all = |other: &Arc<Identity>| first.names().iter().all(|name| other.names().contains(name));
            let same =
                |other: &Arc<Identity>| Arc::ptr_eq(first, other) || (!first.names().is_empty() && has_all(other));
            let indices = (0..).zip(&all).filter(|(_, other)| same(other));
            indices.map(|(index, _)| index).collect()
        });
        order(&mut default, &all, now);
        Self { all, by_name, default }
    }

    /// All of them, in the order given.
    #[must_use]
    pub fn all(&self) -> &[Arc<Identity>] {
        &self.all
    }

    /// Is there one for this name?
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        !is_address(name) && self.by_name.find(name).is_some()
    }

    /// The identity for this name and a client that takes these signatures: ECDSA before Ed25519 before RSA.
    ///
    /// For no name, an address or a name that is nobody's it is the default. If the client takes none, the first is
    /// given all the same, so that the handshake ends with the true reason. `None` only when there are no identities.
    /// Looking up allocates nothing; asking a key for its signatures costs one allocation in rustls.
    #[must_use]
    pub fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<&Arc<Identity>> {
        let named = name.filter(|name| !is_address(name));
        let found = named.and_then(|name| self.by_name.find(name)).unwrap_or(&self.default);
        let mut identities = found.iter().filter_map(|index| self.all.get(*index as usize));
        let first = identities.next()?;
        if found.len() == 1 {
            return Some(first);
        }
        let fits = |one: &&Arc<Identity>| one.certified().key.choose_scheme(schemes).is_some();
        if fits(&first) {
            return Some(first);
        }
        identities.find(fits).or(Some(first))
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = self.choose(hello.server_name(), hello.signature_schemes())?;
        Some(Arc::clone(found.certified()))
    }
}

/// The valid ones first, then by kind of key; of the same kind that which ends last.
fn order(found: &mut [u32], all: &[Arc<Identity>], now: i64) {
    let rank = |index: &u32| {
        all.get(*index as usize).map(|one| {
            let kind = std::mem::discriminant(&one.key_kind());
            let family = KINDS.iter().position(|known| std::mem::discriminant(known) == kind);
            (!one.is_valid(now), family, std::cmp::Reverse(one.not_after()))
        })
    };
    found.sort_by_key(rank);
}

const KINDS: [super::KeyKind; 5] = [
    super::KeyKind::P256,
    super::KeyKind::P384,
    super::KeyKind::P521,
    super::KeyKind::Ed25519,
    super::KeyKind::Rsa(0),
];
