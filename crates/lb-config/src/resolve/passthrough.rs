//! Listeners that look at the hello of TLS and pass everything on as it came.

use super::listener::{forward, not_applicable, not_for};
use super::pool::Pools;
use super::tls::check_site_name;
use crate::field::Field;
use crate::plan::{Passthrough, PassthroughRoute};
use crate::reader::{Reader, explain};
use crate::schema::{LISTENER_LIMITS, LISTENER_TIMEOUTS, ROUTE_TIMEOUTS, ROUTES};
use crate::scope::Scope;
use crate::{Kind, Problem, Span, UpstreamTimeouts};
use std::collections::HashMap;

pub(super) fn read(reader: &Reader<'_>, pools: &Pools, timeouts: &Scope) -> Passthrough {
    report_others(reader);
    let pool = pools.find(reader);
    let routes = routes(reader, pools, timeouts);
    let empty = match &routes {
        Field::Missing => !reader.meant("routes"),
        Field::Broken => false,
        Field::Is(..) => reader.list_is_empty("routes"),
    };
    if empty && pool.is_missing() && !reader.meant("pool") {
        reader.push(
            Problem::error(Kind::NoDestination, "this listener leads nowhere")
                .at(reader.span(), "it has neither `pool` nor routes")
                .help("for example [[listeners.routes]] with hosts = [\"www.example.com\"] and pool = \"app\""),
        );
    }
    Passthrough {
        routes: routes.value().unwrap_or_default(),
        forward: pool.value().map(|pool| blind(pool, pools, timeouts)),
        idle: timeouts.duration("idle"),
    }
}

/// Nobody waits for a response: what is said about it further out means nothing here.
fn blind(pool: usize, pools: &Pools, timeouts: &Scope) -> crate::plan::Forward {
    let mut forward = forward(pool, pools, timeouts);
    forward.timeouts.response = UpstreamTimeouts::default().response;
    forward
}

const WHY: &str = "what is inside of the TLS is not seen here";

/// Keys that need a request, or the inside of TLS.
fn report_others(reader: &Reader<'_>) {
    for name in [
        "trusted_proxies",
        "query_characters",
        "forwarded",
        "abort_on_half_close",
        "log_probes",
        "redirect_to_https",
        "hsts",
    ] {
        not_for(reader, name, "tls_passthrough", WHY);
    }
    not_applicable(
        reader,
        "tls",
        "`tls` beside protocol = \"tls_passthrough\"".to_owned(),
        "the backends end the TLS: to end it here, leave `protocol` out or write protocol = \"tcp\"",
    );
    if let Field::Is(limits, _) = reader.quiet_table("limits", &LISTENER_LIMITS) {
        let ours = super::listener::OF_CONNECTIONS;
        for key in LISTENER_LIMITS.keys.iter().filter(|key| !ours.contains(&key.name)) {
            not_for(&limits, key.name, "tls_passthrough", WHY);
        }
    }
    if let Field::Is(inner, _) = reader.quiet_table("timeouts", &LISTENER_TIMEOUTS) {
        let ours = ["handshake", "idle", "connect"];
        for key in LISTENER_TIMEOUTS.keys.iter().filter(|key| !ours.contains(&key.name)) {
            not_for(&inner, key.name, "tls_passthrough", WHY);
        }
    }
}

fn routes(listener: &Reader<'_>, pools: &Pools, timeouts: &Scope) -> Field<Vec<PassthroughRoute>> {
    listener.tables("routes", &ROUTES).map(|readers| {
        let mut taken: HashMap<(String, String), Span> = HashMap::new();
        readers
            .iter()
            .filter_map(|reader| route(reader, pools, timeouts, &mut taken))
            .collect()
    })
}

fn route(
    reader: &Reader<'_>,
    pools: &Pools,
    timeouts: &Scope,
    taken: &mut HashMap<(String, String), Span>,
) -> Option<PassthroughRoute> {
    for (name, why) in [
        ("path", "the path stands inside of the TLS, which is not ended here"),
        ("plain", "what goes on is never without TLS here"),
        (
            "verified",
            "certificates of clients are for the backends, where the TLS ends",
        ),
        (
            "respond",
            "an answer would have to be inside of the TLS, which is not ended here",
        ),
        (
            "redirect",
            "an answer would have to be inside of the TLS, which is not ended here",
        ),
        ("allow", "who may connect is said in the listener"),
        ("allow_files", "who may connect is said in the listener"),
        ("deny", "who may connect is said in the listener"),
        ("deny_files", "who may connect is said in the listener"),
    ] {
        not_applicable(
            reader,
            name,
            format!("`{name}` means nothing to a route of TLS that is passed on"),
            why,
        );
    }
    let errors = reader.errors();
    let hosts = super::route::hosts(reader, &check_site_name);
    let alpn = alpn(reader);
    if hosts.is_empty() && reader.errors() == errors && !reader.has_unknown() {
        reader.push(
            Problem::error(Kind::MissingKey, "`hosts` is missing in `listeners.routes`")
                .at(reader.span(), "clients are told apart by the name that they ask for")
                .help("for example hosts = [\"www.example.com\"]; a pool for all others stands in the listener itself"),
        );
    }
    let inner = reader.table("timeouts", &ROUTE_TIMEOUTS);
    if let Some((inner, _)) = inner.as_ref() {
        not_for(inner, "response", "tls_passthrough", WHY);
    }
    let timeouts = timeouts.then(&Scope::read(inner));
    let pool = pools.find(reader);
    reader.require("pool", &pool, "pool = \"app\"");
    if reader.errors() == errors && !reader.has_unknown() {
        report_twice(reader, &hosts, &alpn, taken);
    }
    Some(PassthroughRoute {
        hosts,
        alpn,
        forward: blind(pool.value()?, pools, &timeouts),
    })
}

/// Names of protocols: RFC 7301, section 3.1, one to 255 bytes.
fn alpn(reader: &Reader<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, span) in reader.texts("alpn", "names of protocols").value().unwrap_or_default() {
        if name.len() > 255 {
            let wrong = crate::grammar::Wrong::new(format!("a name has at most 255 bytes, this has {}", name.len()));
            reader.push(explain(Kind::BadText, "`alpn`", "too long a name", span, wrong));
        } else if names.contains(&name) {
            reader.push(
                Problem::error(Kind::UnreachableRoute, format!("protocol \"{name}\" is listed twice"))
                    .at(span, "the same protocol again"),
            );
        } else {
            names.push(name);
        }
    }
    names
}

fn report_twice(reader: &Reader<'_>, hosts: &[String], alpn: &[String], taken: &mut HashMap<(String, String), Span>) {
    let any = [String::new()];
    let protocols = if alpn.is_empty() { any.as_slice() } else { alpn };
    let mut told = false;
    for host in hosts {
        for protocol in protocols {
            let first = taken.insert((host.clone(), protocol.clone()), reader.span());
            if let Some(first) = first.filter(|_| !told) {
                told = true;
                reader.push(
                    Problem::error(
                        Kind::UnreachableRoute,
                        format!("two routes take the same clients (host \"{host}\")"),
                    )
                    .at(reader.span(), "the same name and protocol again")
                    .see(first, "first here"),
                );
            }
        }
    }
}
