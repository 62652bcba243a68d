//! Cookies of two pools that a browser takes for one.

use super::pool::Pools;
use crate::plan::{Action, CookieInsert, Http, Listener, Persistence, Plan, Service};
use crate::problem::Sink;
use crate::{Kind, Problem, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Two pools behind one listener whose cookies have one name, domain and path: each would overwrite the other's, and no
/// client would stay anywhere.
pub(super) fn report(plan: &Plan, listeners: &[(Listener, Span)], pools: &Pools, sink: &Sink) {
    let mut told = BTreeSet::new();
    for (listener, _) in listeners {
        let Service::Http(http) = &listener.service else {
            continue;
        };
        // What a browser knows a cookie by (RFC 6265, section 5.3), and the pool that sets it.
        let mut known: BTreeMap<(String, &str, &str), usize> = BTreeMap::new();
        for host in hosts(http) {
            for index in reached(http, host) {
                let Some(cookie) = plan.pools.get(index).and_then(|pool| cookie_of(&pool.persistence)) else {
                    continue;
                };
                let domain = cookie.domain.as_deref().unwrap_or(host).to_ascii_lowercase();
                let first = *known.entry((domain, &cookie.name, &cookie.path)).or_insert(index);
                if first != index && told.insert((first.min(index), first.max(index))) {
                    clash(plan, pools, (first, index), &listener.name, sink);
                }
            }
        }
    }
}

fn clash(plan: &Plan, pools: &Pools, (first, second): (usize, usize), listener: &str, sink: &Sink) {
    let place = |index: usize| {
        let read = pools.list.get(index)?;
        let pool = plan.pools.get(index)?;
        let span = read.persistence_span.clone().unwrap_or_else(|| read.name_span.clone());
        Some((pool, span))
    };
    let (Some((first, there)), Some((second, here))) = (place(first), place(second)) else {
        return;
    };
    let name = cookie_of(&second.persistence).map_or("", |cookie| &cookie.name);
    let problem = Problem::error(
        Kind::ConflictingPersistence,
        format!(
            "pools \"{}\" and \"{}\" set the same cookie \"{name}\" behind listener \"{listener}\"",
            first.name, second.name
        ),
    )
    .at(here, "each overwrites the other's, so no client stays where it was")
    .see(there, "the same name, domain and path")
    .help("leave `name` out: then each pool has a name of its own");
    sink.push(problem);
}

fn cookie_of(ways: &[Persistence]) -> Option<&CookieInsert> {
    ways.iter().find_map(|way| match way {
        Persistence::CookieInsert(cookie) => Some(&**cookie),
        Persistence::ClientIp(_) => None,
    })
}

/// Every host that some route names, and [`OTHERS`].
fn hosts(http: &Http) -> BTreeSet<&str> {
    let named = http.routes.iter().flat_map(|route| &route.hosts).map(String::as_str);
    named.chain([OTHERS]).collect()
}

/// The pools that requests for this host may come to: from the most specific pattern on, until one takes every path.
fn reached(http: &Http, host: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut pattern = host;
    loop {
        let is_here = |hosts: &[String]| match pattern {
            OTHERS => hosts.is_empty(),
            pattern => hosts.iter().any(|host| host == pattern),
        };
        let mut all_paths = false;
        for route in http.routes.iter().filter(|route| is_here(&route.hosts)) {
            all_paths |= route.path == "/";
            if let Action::Forward(forward) = &route.action {
                found.insert(forward.pool);
            }
        }
        if all_paths {
            return found;
        }
        if pattern == OTHERS {
            found.extend(http.forward.as_ref().map(|forward| forward.pool));
            return found;
        }
        pattern = broader(http, pattern);
    }
}

/// The next pattern of the listener that takes this one's requests.
fn broader<'a>(http: &'a Http, pattern: &str) -> &'a str {
    let mut rest = pattern.strip_prefix("*.").unwrap_or(pattern);
    let known = |tail: &str| {
        let patterns = http.routes.iter().flat_map(|route| &route.hosts);
        let mut wild = patterns.filter(|host| host.strip_prefix("*.") == Some(tail));
        wild.next()
    };
    while let Some((_, tail)) = rest.split_once('.') {
        if let Some(found) = known(tail) {
            return found;
        }
        rest = tail;
    }
    OTHERS
}

/// Stands for every host that no route names. No host is empty.
const OTHERS: &str = "";
