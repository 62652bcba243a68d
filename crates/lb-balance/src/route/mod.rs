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
//! segments, backslashes or parameters is forwarded, as written, only when every reading of it leads to the same
//! action. If not, it is refused ([`Refusal::AmbiguousPath`], 400). The readers differ in
//!
//! - whether they decode (not, once, twice; all, or only some characters),
//! - what they take for a slash (`%2f`, `\`, `%5c`),
//! - whether they cut out parameters (`;..`, up to a slash of which kind), empty segments and `.` segments,
//! - whether they resolve `..`, and cut off blanks at the end,
//! - whether `//host/path` has a host, and whether `%3f` and `%23` end the path.
//!
//! Without `..`, each of these choices is one about a single place of the path. The prefixes that some reading has are then
//! those of the most eager normal form (one form for each combination of the last choices), down to the first prefix
//! that the path has as text, in which all readers agree: all of them must have the action of that one. With `..` in otherwise
//! plain text there are two readings, the text and the resolved path. `..` beside anything else that readers differ in
//! leads anywhere (`/a%5cb/../admin`, `/./admin//../x`), and so do control characters, more than two layers of encoding, overlong
//! UTF-8 and `%u002e`: such a path is refused unless all routes of its host have one action.
//!
//! Letter case is not among the readings: a backend that does not tell `/Admin` from `/admin` needs a route for each, or its
//! own rule. Nor is what a file system adds (a dot or a blank at the end of a name on Windows).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod action;
mod host;
mod normal;
mod path;
mod reading;

#[cfg(test)]
mod tests;

pub use action::{Action, Refusal};
pub use host::{Host, HostError, HostName};
pub use path::{Prefix, PrefixError};

use normal::Normal;
use reading::{LEVEL, Reading};
use std::collections::{BTreeMap, HashMap};
use std::hint::cold_path;

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
    /// Each different action once.
    actions: Vec<Action>,
    /// Every request has the first action.
    is_one: bool,
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
        let mut known = HashMap::new();
        for route in routes {
            let index = *known.entry(route.action).or_insert_with_key(|action| {
                actions.push(action.clone());
                actions.len().saturating_sub(1)
            });
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
        }
        Ok(Self {
            is_one: actions.len() == 1 && any.has_root(),
            actions,
            exact: exact.into_iter().collect(),
            under: under.into_iter().collect(),
            any,
        })
    }

    /// What happens to a request; `None` if no route is for it. Allocates nothing.
    ///
    /// `O(log hosts)` comparisons for the host and for each of its dots (a host that
    /// lb-http let through is at most 253 bytes long; a longer one is under the same hosts), and one for each prefix of the hosts found; for a path that is not plain, up to 16 times that.
    #[must_use]
    pub fn find(&self, query: &Query<'_>) -> Option<&Action> {
        if self.is_one {
            return self.actions.first();
        }
        let (path, is_plain) = path::scan(query.path);
        let mut room = host::Room::default();
        let name = query.host.map(|host| host::name_of(host, &mut room));
        let written = self.look_up(name, |prefix| prefix.begins(path));
        if !is_plain {
            cold_path();
            if !self.is_agreed(name, path, written) {
                return Some(&Action::Refuse(Refusal::AmbiguousPath));
            }
        }
        self.actions.get(written?)
    }

    /// Does every reading of the path lead to the action of the path as it is written?
    #[inline(never)]
    fn is_agreed(&self, name: Option<&[u8]>, path: &[u8], written: Option<usize>) -> bool {
        match Reading::of(path) {
            Reading::Any => {
                let mut has_root = false;
                let same = self.prefixes(name).all(|(prefix, action)| {
                    has_root |= prefix.as_str() == "/";
                    Some(*action) == written
                });
                same && (has_root || written.is_none())
            }
            Reading::Up => {
                let resolved = Normal::of(path, 0);
                self.look_up(name, |prefix| prefix.begins_decoded(resolved.bytes())) == written
            }
            Reading::Local(choices) => (0..=choices)
                .filter(|some| some & !choices == 0)
                .all(|some| self.leads_to(name, path, &Normal::of(path, some | LEVEL), written)),
        }
    }

    /// Has every prefix that a reader may find in `normal` this action?
    fn leads_to(&self, name: Option<&[u8]>, path: &[u8], normal: &Normal, action: Option<usize>) -> bool {
        for (prefix, other) in self.prefixes(name) {
            if prefix.begins(path) {
                return true;
            }
            if prefix.begins_decoded(normal.bytes()) && Some(*other) != action {
                return false;
            }
        }
        true
    }

    fn look_up(&self, name: Option<&[u8]>, fits: impl Fn(&Prefix) -> bool + Copy) -> Option<usize> {
        name.and_then(|name| self.look_up_name(name, fits))
            .or_else(|| self.any.find(fits))
    }

    fn look_up_name(&self, name: &[u8], fits: impl Fn(&Prefix) -> bool + Copy) -> Option<usize> {
        let exact = search(&self.exact, name).and_then(|paths| paths.find(fits));
        exact.or_else(|| {
            if self.under.is_empty() {
                return None;
            }
            host::parents(name).find_map(|parent| search(&self.under, parent)?.find(fits))
        })
    }

    /// All prefixes for a host with their actions, in the order in which they are asked.
    fn prefixes(&self, name: Option<&[u8]>) -> impl Iterator<Item = &(Prefix, usize)> {
        let exact = name.and_then(|name| search(&self.exact, name));
        let under = name.into_iter().flat_map(host::parents);
        let under = under.filter_map(|parent| search(&self.under, parent));
        let all = exact.into_iter().chain(under).chain([&self.any]);
        all.flat_map(|paths| &paths.0)
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

    fn find(&self, fits: impl Fn(&Prefix) -> bool) -> Option<usize> {
        self.0
            .iter()
            .find(|(prefix, _)| fits(prefix))
            .map(|(_, action)| *action)
    }

    fn has_root(&self) -> bool {
        self.0.iter().any(|(prefix, _)| prefix.as_str() == "/")
    }
}

fn search<'a>(table: &'a [(HostName, Paths)], name: &[u8]) -> Option<&'a Paths> {
    let at = table.binary_search_by(|(known, _)| host::compare(known, name)).ok()?;
    table.get(at).map(|(_, paths)| paths)
}
