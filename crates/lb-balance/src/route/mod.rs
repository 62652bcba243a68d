//! From the host and path of a request to what happens to it.
//!
//! A route has hosts, a path prefix and an action. Of the routes that match, the one with the most
//! specific host wins (exact, then the longest `*.` pattern, then `*`), and among those the one
//! with the longest prefix. If no route of a more specific host has the path, less specific hosts
//! are asked, so that `*` is a place for what all hosts share.
//!
//! # A path must not be read in two ways
//!
//! `/public/../admin`, `/%61dmin`, `//admin` and `/public/..;/admin` are read as `/admin` by some
//! backends and not by others. Whoever routes by the text alone sends the request to the pool of
//! `/public` and lets the backend serve `/admin`. So a path that has percent-encoding, empty or dot
//! segments, backslashes or parameters is looked up twice: as written and in its normal form. If both
//! lead to the same action, it is forwarded as written; if not, it is refused
//! ([`Refusal::AmbiguousPath`], 400). A path encoded twice (`%252e`) is decoded once, as backends
//! should do.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod action;
mod host;
mod path;

#[cfg(test)]
mod tests;

pub use action::{Action, Refusal};
pub use host::{Host, HostError, HostName};
pub use path::{Prefix, PrefixError};

use path::{Normal, Path};
use std::collections::BTreeMap;

/// One rule: requests for one of these hosts, under this prefix, get this action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// For which hosts; none means [`Host::Any`].
    pub hosts: Vec<Host>,
    /// For which paths.
    pub path: Prefix,
    /// What happens.
    pub action: Action,
}

/// What of a request decides its route.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The host it is for, as written: port, trailing dot and large letters are fine.
    pub host: Option<&'a [u8]>,
    /// The path of its target, as written; a query behind it is left out.
    pub path: &'a [u8],
}

/// All routes of a listener. Never changes; shared by all workers.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    actions: Vec<Action>,
    /// Sorted by name.
    exact: Vec<(HostName, Paths)>,
    /// Sorted by name.
    under: Vec<(HostName, Paths)>,
    any: Paths,
}

impl Routes {
    /// A table of routes, in any order.
    ///
    /// # Errors
    /// [`RouteError::Twice`] when two routes are for the same host and path.
    pub fn new(routes: Vec<Route>) -> Result<Self, RouteError> {
        let (mut exact, mut under) = (BTreeMap::new(), BTreeMap::new());
        let mut any = Paths::default();
        let mut actions = Vec::new();
        for (index, route) in routes.into_iter().enumerate() {
            let hosts = if route.hosts.is_empty() {
                vec![Host::Any]
            } else {
                route.hosts
            };
            for host in hosts {
                let paths: &mut Paths = match &host {
                    Host::Any => &mut any,
                    Host::Exact(name) => exact.entry(name.clone()).or_default(),
                    Host::Under(name) => under.entry(name.clone()).or_default(),
                };
                if !paths.insert(&route.path, index) {
                    return Err(RouteError::Twice {
                        host,
                        path: route.path.as_str().to_owned(),
                    });
                }
            }
            actions.push(route.action);
        }
        Ok(Self {
            actions,
            exact: exact.into_iter().collect(),
            under: under.into_iter().collect(),
            any,
        })
    }

    /// What happens to a request; `None` if no route is for it. Allocates nothing.
    ///
    /// `O(log hosts)` comparisons for the host and for each of its dots (a host is at most 253
    /// bytes long), and one for each prefix of the hosts found.
    #[must_use]
    pub fn find(&self, query: &Query<'_>) -> Option<&Action> {
        let path = path::path_of(query.path);
        let written = self.look_up(query.host, Path::Written(path));
        if path::is_plain(path) {
            return written;
        }
        let normal = Normal::of(path);
        let normal = self.look_up(query.host, Path::Normal(normal.bytes()));
        if written == normal {
            written
        } else {
            Some(&Action::Refuse(Refusal::AmbiguousPath))
        }
    }

    fn look_up(&self, host: Option<&[u8]>, path: Path<'_>) -> Option<&Action> {
        let named = host.map(host::name_of).filter(|name| host::is_known_length(name));
        let index = named
            .and_then(|name| self.look_up_name(name, path))
            .or_else(|| self.any.find(path))?;
        self.actions.get(index)
    }

    fn look_up_name(&self, name: &[u8], path: Path<'_>) -> Option<usize> {
        let exact = search(&self.exact, name).and_then(|paths| paths.find(path));
        exact.or_else(|| {
            if self.under.is_empty() {
                return None;
            }
            host::parents(name).find_map(|parent| search(&self.under, parent)?.find(path))
        })
    }
}

/// Why routes make no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// Two routes for the same requests: one of them would never be used.
    #[error("two routes are for host {host} and path {path:?}")]
    Twice {
        /// The host of both.
        host: Host,
        /// The prefix of both.
        path: String,
    },
}

/// The prefixes of one host, longest first, each with the position of its action.
#[derive(Debug, Clone, Default)]
struct Paths(Vec<(Prefix, usize)>);

impl Paths {
    /// `false` if the prefix is there already.
    fn insert(&mut self, prefix: &Prefix, action: usize) -> bool {
        if self.0.iter().any(|(known, _)| known == prefix) {
            return false;
        }
        let len = prefix.as_str().len();
        let at = self.0.partition_point(|(known, _)| known.as_str().len() >= len);
        self.0.insert(at, (prefix.clone(), action));
        true
    }

    fn find(&self, path: Path<'_>) -> Option<usize> {
        self.0
            .iter()
            .find(|(prefix, _)| prefix.matches(path))
            .map(|(_, action)| *action)
    }
}

fn search<'a>(table: &'a [(HostName, Paths)], name: &[u8]) -> Option<&'a Paths> {
    let at = table.binary_search_by(|(known, _)| host::compare(known, name)).ok()?;
    table.get(at).map(|(_, paths)| paths)
}
