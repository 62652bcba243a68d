//! Listeners that speak HTTP.

use super::listener::{forward, not_applicable, not_for};
use super::pool::Pools;
use super::{Context, ranges, route};
use crate::field::Field;
use crate::plan::{Forwarded, Http, ServerTls};
use crate::reader::Reader;
use crate::schema::{FORWARDED, LISTENER_LIMITS, LISTENER_TIMEOUTS};
use crate::scope::Scope;
use crate::{Kind, Problem};
use lb_http::h1::QueryCharacters;
use lb_types::Cidr;

/// What an HTTP listener stands in.
pub(super) struct Surroundings<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) pools: &'a Pools,
    pub(super) limits: &'a Scope,
    pub(super) timeouts: &'a Scope,
    pub(super) tls: Option<&'a ServerTls>,
}

pub(super) fn read(reader: &Reader<'_>, around: &Surroundings<'_>, by_default: bool) -> Http {
    let Surroundings {
        pools,
        limits,
        timeouts,
        ..
    } = *around;
    let redirects = reader.boolean("redirect_to_https").if_readable();
    let redirect_to_https = redirects == Some(true);
    let pool = pools.find(reader);
    let routes = route::read_all(reader, around, redirects);
    let empty = match &routes {
        Field::Missing => !reader.meant("routes"),
        Field::Broken => false,
        Field::Is(..) => reader.list_is_empty("routes"),
    };
    if empty && !redirect_to_https && pool.is_missing() && !reader.meant("pool") {
        reader.push(
            Problem::error(Kind::NoDestination, "this listener leads nowhere")
                .at(reader.span(), "it has neither `pool` nor routes")
                .help("for example pool = \"app\""),
        );
    }
    if let Field::Is(inner, _) = reader.quiet_table("timeouts", &LISTENER_TIMEOUTS) {
        let remark = if by_default {
            "`idle` is for tcp, and this listener speaks http"
        } else {
            "`idle` is for tcp"
        };
        not_for(
            &inner,
            "idle",
            "http",
            &format!("{remark}; see `keep_alive` and `tunnel`"),
        );
    }
    let http = Http {
        routes: routes.value().unwrap_or_default(),
        forward: pool.value().map(|pool| forward(pool, pools, timeouts)),
        limits: limits.limits(),
        min_body_rate: limits.min_body_rate(),
        keep_alive_requests: u32::try_from(limits.count("keep_alive_requests")).unwrap_or(u32::MAX),
        timeouts: timeouts.client(),
        trusted_proxies: trusted_proxies(reader),
        query_characters: match reader.word("query_characters").value() {
            Some("encode") => QueryCharacters::Encode,
            Some("pass") => QueryCharacters::Pass,
            _ => QueryCharacters::Strict,
        },
        forwarded: forwarded(reader, around.tls),
        abort_on_half_close: reader.boolean("abort_on_half_close").value().unwrap_or(false),
        log_probes: reader.boolean("log_probes").value().unwrap_or(true),
        redirect_to_https,
        hsts: reader.duration("hsts").value(),
    };
    report_https(reader, redirect_to_https);
    report_contradictions(reader, &http, limits);
    http
}

fn report_contradictions(reader: &Reader<'_>, http: &Http, limits: &Scope) {
    let place = |table, key| match reader.quiet_table(table, &LISTENER_LIMITS) {
        Field::Is(inner, _) => inner.key_span(key).unwrap_or_else(|| reader.span()),
        Field::Missing | Field::Broken => reader.span(),
    };
    if limits.sets("target_bytes") && http.limits.target_bytes > http.limits.head_bytes {
        let (target, head) = (http.limits.target_bytes, http.limits.head_bytes);
        reader.push(
            Problem::warning(
                Kind::Contradiction,
                format!("a target of {target} bytes never fits into a head of {head}"),
            )
            .at(
                place("limits", "target_bytes"),
                "the smaller limit, `head_bytes`, is reached first",
            ),
        );
    }
    let shortest = http.routes.iter().filter_map(|route| match &route.action {
        crate::plan::Action::Forward(forward) => Some(forward),
        _ => None,
    });
    let shortest = shortest
        .chain(&http.forward)
        .map(|forward| forward.timeouts.response)
        .min();
    if shortest.is_some_and(|response| response <= http.timeouts.expect_continue) {
        reader.push(
            Problem::warning(Kind::Contradiction, "`expect_continue` is not shorter than `response`").at(
                place("timeouts", "expect_continue"),
                "a request that waits for `100 Continue` runs into 504 first",
            ),
        );
    }
}

/// Keys that belong to one of the two listeners of a site: the plain one, and the one with TLS.
fn report_https(reader: &Reader<'_>, redirects: bool) {
    if redirects {
        let place = reader.key_span("redirect_to_https").unwrap_or_else(|| reader.span());
        if let Some(tls) = reader.key_span("tls") {
            reader.push(
                Problem::error(Kind::ConflictingKeys, "`redirect_to_https` beside `tls`")
                    .at(
                        place.clone(),
                        "clients of this listener speak TLS already, and would be sent in a circle",
                    )
                    .see(tls, "the other one")
                    .help("write it in the plain listener, mostly the one on port 80"),
            );
        }
        if let Some(other) = reader.key_span("pool") {
            reader.push(
                Problem::error(Kind::UnreachableRoute, "the `pool` of this listener is never used")
                    .at(other, "no request gets there")
                    .see(place, "every request is sent to https")
                    .help("leave out `pool` or `redirect_to_https`"),
            );
        }
    }
    if !reader.has("tls") && !reader.meant("tls") {
        not_applicable(
            reader,
            "hsts",
            "`hsts` means nothing to a listener without `tls`".to_owned(),
            "browsers believe Strict-Transport-Security over TLS only (RFC 6797, section 8.1)",
        );
    }
}

fn forwarded(reader: &Reader<'_>, tls: Option<&ServerTls>) -> Forwarded {
    let table = reader.table("forwarded", &FORWARDED).value();
    let set = |name| table.as_ref().and_then(|table| table.boolean(name).value());
    let flag = |name| set(name).unwrap_or(true);
    for name in ["client_cert", "xfcc", "client_verify"] {
        if let Some(table) = table.as_ref().filter(|_| set(name) == Some(true)) {
            needs_client_auth(reader, tls, table, name);
        }
    }
    Forwarded {
        address: flag("for"),
        proto: flag("proto"),
        port: flag("port"),
        drop_claims: flag("drop_claims"),
        client_cert: set("client_cert").unwrap_or(false),
        xfcc: set("xfcc").unwrap_or(false),
        client_verify: set("client_verify").unwrap_or(false),
    }
}

/// A key that is about clients' certificates, in a table of a listener, means nothing where none is asked for.
pub(super) fn needs_client_auth(
    listener: &Reader<'_>,
    tls: Option<&ServerTls>,
    table: &Reader<'_>,
    name: &'static str,
) {
    let (text, mend) = match tls {
        None if listener.has("tls") || listener.meant("tls") => return,
        None => ("`tls`", "write [listeners.tls] with `client_auth`"),
        Some(tls) if !tls.asks_clients() => ("`client_auth`", "write client_auth = \"optional\" in [listeners.tls]"),
        Some(_) => return,
    };
    table.push(
        Problem::error(
            Kind::NotApplicable,
            format!("`{name}` means nothing to a listener without {text}"),
        )
        .at(
            table.key_span(name).unwrap_or_else(|| table.span()),
            "clients are not asked for certificates",
        )
        .help(format!("{mend}, or leave `{name}` out")),
    );
}

fn trusted_proxies(reader: &Reader<'_>) -> Vec<Cidr> {
    ranges::read(reader, "trusted_proxies", &|range, span| {
        reader.push(
            Problem::warning(
                Kind::TrustsEverybody,
                format!("`trusted_proxies` holds {range}: every client"),
            )
            .at(span, "anybody may now claim any address in X-Forwarded-For")
            .help("list only the proxies in front of this listener"),
        );
    })
}
