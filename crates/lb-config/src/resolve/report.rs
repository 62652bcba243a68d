//! What shows only when all listeners and pools are read.

use super::pool::{Pools, ReadPool};
use crate::plan::{AccessLog, Listener, Persistence, Plan, Pool, Service};
use crate::problem::Sink;
use crate::{Kind, Problem, Span};
use lb_persist::HashBy;
use lb_telemetry::Format;
use std::collections::BTreeSet;

pub(super) fn unused(plan: &Plan, pools: &Pools, sink: &Sink) {
    // Whose destination is missing or misspelt may have meant any pool.
    if sink.has(&[Kind::NoDestination, Kind::NoListeners, Kind::UnknownKey]) {
        return;
    }
    let used = plan.used_pools();
    for (index, pool) in pools.list.iter().enumerate() {
        if !used.contains(&index) && !pools.referred(&pool.plan.name) && pool.name_is_good {
            let problem = Problem::warning(Kind::UnusedPool, format!("pool \"{}\" is never used", pool.plan.name))
                .at(pool.name_span.clone(), "no listener and no route names it");
            sink.push(problem);
        }
    }
}

/// Requests in plain text to port 443: nearly always a slip.
pub(super) fn plain_https(plan: &Plan, pools: &Pools, sink: &Sink) {
    let http = |listener: &&Listener| matches!(listener.service, Service::Http(_));
    let mut used: Vec<usize> = plan
        .listeners
        .iter()
        .filter(http)
        .flat_map(Listener::forwards)
        .map(|forward| forward.pool)
        .collect();
    used.sort_unstable();
    used.dedup();
    for read in used.into_iter().filter_map(|index| pools.list.get(index)) {
        let mut backends = read.plan.backends.iter().zip(&read.backend_spans);
        let found = backends.find(|(backend, _)| backend.address.port() == Some(443));
        let Some((backend, span)) = found.filter(|_| read.plan.tls.is_none() && !read.may_mean_tls) else {
            continue;
        };
        sink.push(
            Problem::warning(
                Kind::NoTls,
                format!("backend \"{}\" gets plain HTTP on port 443", backend.name),
            )
            .at(span.clone(), "servers expect TLS on this port")
            .help("write tls = {} in the pool, or [pools.tls] with what it needs"),
        );
    }
}

/// A TCP connection has no request: its line is a puzzle to programs that read Apache's formats.
pub(super) fn mixed_log(plan: &Plan, listeners: &[(Listener, Span)], sink: &Sink) {
    let is_text = plan.log.access != AccessLog::Off && plan.log.format != Format::Json;
    let logging = || listeners.iter().filter(|(listener, _)| listener.access_log);
    let is_tcp = |listener: &Listener| !matches!(listener.service, Service::Http(_));
    let tcp = logging().find(|(listener, _)| is_tcp(listener));
    let http = logging().find(|(listener, _)| !is_tcp(listener));
    if let (true, Some((tcp, span)), Some(_)) = (is_text, tcp, http) {
        sink.push(
            Problem::warning(
                Kind::MixedLog,
                format!(
                    "lines of {} listener \"{}\" stand among those of HTTP requests",
                    if matches!(tcp.service, Service::Tcp(_)) {
                        "TCP"
                    } else {
                        "TLS"
                    },
                    tcp.name
                ),
            )
            .at(
                span.clone(),
                format!(
                    "they have no request, which programs that read `{}` expect",
                    plan.log.format
                ),
            )
            .help("write access_log = false in this listener, or format = \"json\" under [log]"),
        );
    }
}

/// The pools of a listener that sees no requests, each once, and the word for what it speaks.
fn blind<'a>(plan: &'a Plan, listener: &Listener, pools: &'a Pools) -> Vec<(&'a Pool, &'a ReadPool, &'static str)> {
    let protocol = match listener.service {
        Service::Http(_) => return Vec::new(),
        Service::Tcp(_) => "tcp",
        Service::Passthrough(_) => "tls_passthrough",
    };
    let used: BTreeSet<usize> = listener.forwards().iter().map(|forward| forward.pool).collect();
    used.into_iter()
        .filter_map(|index| Some((plan.pools.get(index)?, pools.list.get(index)?, protocol)))
        .collect()
}

/// A TCP listener reads no cookies: a pool that has nothing else would recognise nobody.
pub(super) fn cookies_over_tcp(plan: &Plan, listeners: &[(Listener, Span)], pools: &Pools, sink: &Sink) {
    for (listener, span) in listeners {
        for (pool, read, protocol) in blind(plan, listener, pools) {
            let cookie = |way: &Persistence| matches!(way, Persistence::CookieInsert(_));
            if pool.persistence.is_empty() || !pool.persistence.iter().all(cookie) {
                continue;
            }
            let place = read.persistence_span.clone().unwrap_or_else(|| read.name_span.clone());
            let problem = Problem::error(
                Kind::NotApplicable,
                format!(
                    "pool \"{}\" recognises clients by a cookie, but listener \"{}\" speaks {protocol}",
                    pool.name, listener.name
                ),
            )
            .at(place, unseen(protocol, "cookies"))
            .see(span.clone(), "this listener uses the pool")
            .help("use kind = \"client_ip\", alone or as a second way behind the cookie");
            sink.push(problem);
        }
    }
}

/// A TCP listener knows no more of a client than its address.
pub(super) fn hash_over_tcp(plan: &Plan, listeners: &[(Listener, Span)], pools: &Pools, sink: &Sink) {
    for (listener, span) in listeners {
        for (pool, read, protocol) in blind(plan, listener, pools) {
            let Some(place) = &read.hash_span else { continue };
            if matches!(pool.scheduling.hash, None | Some(HashBy::Source(_))) {
                continue;
            }
            let problem = Problem::error(
                Kind::NotApplicable,
                format!(
                    "pool \"{}\" places by a part of the HTTP request, but listener \"{}\" speaks {protocol}",
                    pool.name, listener.name
                ),
            )
            .at(place.clone(), unseen(protocol, "requests"))
            .see(span.clone(), "this listener uses the pool")
            .help("use hash = \"source\"");
            sink.push(problem);
        }
    }
}

fn unseen(protocol: &str, what: &str) -> String {
    match protocol {
        "tcp" => format!("there are no {what} in plain TCP"),
        _ => format!("{what} inside of the TLS are not seen"),
    }
}
