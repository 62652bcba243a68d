use super::admin::{LONGEST_SOCKET, check_group, parse_mode, report_unknown_group};
use super::opening::{self, First};
use super::overlap;
use super::pool::Pools;
use super::ranges;
use super::route;
use super::{Context, whole};
use super::{passthrough, tls};
use crate::field::Field;
use crate::grammar::{check_name, listen_address};
use crate::plan::{AdminSocket, Forward, Forwarded, Http, Listener, ServerTls, Service, SocketFile, Tcp};
use crate::reader::Reader;
use crate::schema::{FORWARDED, LISTENER_LIMITS, LISTENER_TIMEOUTS, LISTENERS};
use crate::scope::Scope;
use crate::{Kind, Problem, Span};
use lb_http::h1::QueryCharacters;
use lb_types::{Address, Cidr};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// All listeners of the file, each with the place of its name or header.
pub(super) fn read_all(
    context: &Context<'_>,
    root: &Reader<'_>,
    readers: &Field<Vec<Reader<'_>>>,
    pools: &Pools,
    admin: Option<&(AdminSocket, Span)>,
) -> Vec<(Listener, Span)> {
    let readers = match readers {
        Field::Broken => return Vec::new(),
        Field::Missing => &[],
        Field::Is(list, _) => list.as_slice(),
    };
    if readers.is_empty() {
        root.push(
            Problem::error(Kind::NoListeners, "no listener: nothing would be served")
                .at(root.span(), "at least one [[listeners]] is needed")
                .help("for example [[listeners]] with name = \"web\", address = \"0.0.0.0:8080\", pool = \"app\""),
        );
    }
    let mut names: HashMap<String, Span> = HashMap::new();
    let mut addresses: HashMap<Address, Span> = HashMap::new();
    let listeners: Vec<_> = readers
        .iter()
        .map(|reader| read(context, reader, pools, &mut names, &mut addresses))
        .collect();
    overlap::report(root, &listeners, &addresses);
    if let Some((admin, span)) = admin {
        overlap::report_admin(root, &listeners, &addresses, &admin.socket, span);
    }
    listeners
}

fn read(
    context: &Context<'_>,
    reader: &Reader<'_>,
    pools: &Pools,
    names: &mut HashMap<String, Span>,
    addresses: &mut HashMap<Address, Span>,
) -> (Listener, Span) {
    let name = reader.parsed("name", Kind::BadName, |name| check_name(name).map(|()| name.to_owned()));
    reader.require("name", &name, "name = \"web\"");
    let address = reader.parsed("address", Kind::BadAddress, |text| {
        listen_address(text, &|name| context.environment.interface(name)).map_err(|wrong| {
            // The port stands in a key of its own: nobody else reads that.
            match (text.parse::<IpAddr>(), reader.foreign("port")) {
                (Ok(ip), Some(port)) => wrong.help(format!("write address = \"{}\"", SocketAddr::new(ip, port))),
                _ => wrong,
            }
        })
    });
    reader.require("address", &address, "address = \"0.0.0.0:8080\"");
    if let Some((name, span)) = name.as_ref()
        && let Some(first) = names.insert(name.clone(), span.clone())
    {
        reader.push(
            Problem::error(Kind::DuplicateName, format!("two listeners are named \"{name}\""))
                .at(span.clone(), "the same name again")
                .see(first, "first here"),
        );
    }
    if let Some((address, span)) = address.as_ref()
        && let Some(first) = addresses.insert(*address, span.clone())
    {
        reader.push(
            Problem::error(Kind::DuplicateAddress, format!("two listeners on {address}"))
                .at(span.clone(), "the same address again")
                .see(first, "first here"),
        );
    }
    let socket = socket(context, reader, &address);
    let place = name.span().cloned().unwrap_or_else(|| reader.span());
    let limits = Scope::read(reader.table("limits", &LISTENER_LIMITS));
    let timeouts = Scope::read(reader.table("timeouts", &LISTENER_TIMEOUTS));
    let (limits, timeouts) = (context.limits.then(&limits), context.timeouts.then(&timeouts));
    let protocol = reader.word("protocol");
    let word = protocol.clone().value();
    let server_tls = (word != Some("tls_passthrough"))
        .then(|| tls::read(context, reader))
        .flatten();
    let proxy_protocol = opening::proxy_protocol(reader);
    let first = First {
        proxy: reader.has("proxy_protocol"),
        hello: reader.has("tls") || word == Some("tls_passthrough"),
    };
    let opening = opening::read(reader, first, &limits, &timeouts);
    let service = match word {
        Some("tcp") => Service::Tcp(tcp(reader, pools, &timeouts)),
        Some("tls_passthrough") => Service::Passthrough(passthrough::read(reader, pools, &timeouts)),
        _ => {
            let surroundings = Surroundings {
                context,
                pools,
                limits: &limits,
                timeouts: &timeouts,
                tls: server_tls.as_ref(),
            };
            Service::Http(Box::new(http(reader, &surroundings, protocol.is_missing())))
        }
    };
    if let (Service::Http(_), false, Some((Address::Ip(at), span))) = (&service, reader.has("tls"), address.as_ref())
        && at.port() == 443
        && !reader.has_unknown()
    {
        reader.push(
            Problem::warning(Kind::NoTls, "this listener speaks plain HTTP on port 443")
                .at(span.clone(), "clients speak TLS on this port")
                .help("write [listeners.tls] with certificates = \"/etc/lbd/tls\"; or protocol = \"tls_passthrough\" to pass it on"),
        );
    }
    let listener = Listener {
        name: name.value().unwrap_or_default(),
        // Never used: without an address there is an error.
        address: address
            .value()
            .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into()),
        socket,
        backlog: whole(reader.integer("backlog"), 4096),
        max_connections: limits.count("max_connections"),
        access_log: reader.boolean("access_log").value().unwrap_or(true),
        tls: server_tls.map(Box::new),
        proxy_protocol,
        opening,
        access: ranges::access(context, reader),
        service,
    };
    (listener, place)
}

/// Who may connect over the file of a Unix domain socket.
fn socket(context: &Context<'_>, reader: &Reader<'_>, address: &Field<Address>) -> SocketFile {
    let mode = reader.parsed("socket_mode", Kind::BadText, parse_mode);
    let group = reader.parsed("socket_group", Kind::BadName, check_group);
    let why = match address.as_ref() {
        Some((Address::Ip(_), _)) => Some("its address is no Unix domain socket"),
        Some((Address::Unix(path), _)) if path.abstract_name().is_some() => Some("an abstract name has no file"),
        Some((Address::Unix(path), span)) if path.as_str().len() > LONGEST_SOCKET => {
            let problem = Problem::error(Kind::BadAddress, "the path of this socket is too long").at(
                span.clone(),
                format!(
                    "{} bytes, and at most {LONGEST_SOCKET} are allowed: it is made under another name beside its place",
                    path.as_str().len()
                ),
            );
            reader.push(problem);
            None
        }
        _ => None,
    };
    if let Some(why) = why {
        for name in ["socket_mode", "socket_group"] {
            not_applicable(reader, name, format!("`{name}` means nothing to this listener"), why);
        }
    } else if let Some((group, span)) = group.as_ref() {
        report_unknown_group(reader, group, span, context.environment);
    }
    let default = LISTENERS
        .key("socket_mode")
        .map_or("", |key| key.default.trim_matches('"'));
    SocketFile {
        mode: mode.value().or_else(|| parse_mode(default).ok()).unwrap_or(0),
        group: group.value(),
    }
}

fn tcp(reader: &Reader<'_>, pools: &Pools, timeouts: &Scope) -> Tcp {
    let pool = pools.find(reader);
    if pool.is_missing() && !reader.meant("pool") {
        reader.push(
            Problem::error(Kind::NoDestination, "a tcp listener without a pool")
                .at(reader.span(), "`pool` must be set here")
                .help("for example pool = \"app\""),
        );
    }
    for name in [
        "routes",
        "trusted_proxies",
        "query_characters",
        "forwarded",
        "abort_on_half_close",
        "log_probes",
        "redirect_to_https",
        "hsts",
    ] {
        not_for(reader, name, "tcp", "there are no requests in plain TCP");
    }
    if let Field::Is(limits, _) = reader.quiet_table("limits", &LISTENER_LIMITS) {
        for key in LISTENER_LIMITS
            .keys
            .iter()
            .filter(|key| !matches!(key.name, "max_connections" | "max_handshakes" | "hello_bytes"))
        {
            not_for(&limits, key.name, "tcp", "there are no requests in plain TCP");
        }
    }
    if let Field::Is(inner, _) = reader.quiet_table("timeouts", &LISTENER_TIMEOUTS) {
        for key in LISTENER_TIMEOUTS
            .keys
            .iter()
            .filter(|key| !matches!(key.name, "idle" | "connect" | "handshake"))
        {
            not_for(
                &inner,
                key.name,
                "tcp",
                "there are no requests in plain TCP; `idle` is for silence",
            );
        }
    }
    let mut forward = forward(pool.value().unwrap_or(usize::MAX), pools, timeouts);
    // Nobody waits for a response: what is said about it further out means nothing here.
    forward.timeouts.response = crate::UpstreamTimeouts::default().response;
    Tcp {
        forward,
        idle: timeouts.duration("idle"),
    }
}

/// What an HTTP listener stands in.
struct Surroundings<'a> {
    context: &'a Context<'a>,
    pools: &'a Pools,
    limits: &'a Scope,
    timeouts: &'a Scope,
    tls: Option<&'a ServerTls>,
}

fn http(reader: &Reader<'_>, around: &Surroundings<'_>, by_default: bool) -> Http {
    let Surroundings {
        context,
        pools,
        limits,
        timeouts,
        ..
    } = *around;
    let redirect_to_https = reader.boolean("redirect_to_https").value().unwrap_or(false);
    let pool = pools.find(reader);
    let routes = route::read_all(context, reader, pools, timeouts);
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
        for name in ["pool", "routes"] {
            if let Some(other) = reader.key_span(name) {
                reader.push(
                    Problem::error(
                        Kind::UnreachableRoute,
                        format!("the `{name}` of this listener is never used"),
                    )
                    .at(other, "no request gets there")
                    .see(place.clone(), "every request is sent to https")
                    .help(format!("leave out `{name}` or `redirect_to_https`")),
                );
            }
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

/// A way to a pool, with the timeouts that hold there: the pool's own win.
pub(super) fn forward(pool: usize, pools: &Pools, timeouts: &Scope) -> Forward {
    let timeouts = match pools.list.get(pool) {
        Some(pool) => timeouts.then(&pool.timeouts),
        None => timeouts.clone(),
    };
    Forward {
        pool,
        timeouts: timeouts.upstream(),
    }
}

fn forwarded(reader: &Reader<'_>, tls: Option<&ServerTls>) -> Forwarded {
    let table = reader.table("forwarded", &FORWARDED).value();
    let set = |name| table.as_ref().and_then(|table| table.boolean(name).value());
    let flag = |name| set(name).unwrap_or(true);
    for name in ["client_cert", "xfcc"] {
        let Some(table) = table.as_ref().filter(|_| set(name) == Some(true)) else {
            continue;
        };
        let (text, mend) = match tls {
            None if reader.has("tls") || reader.meant("tls") => continue,
            None => ("`tls`", "write [listeners.tls] with `client_auth`"),
            Some(tls) if !tls.asks_clients() => {
                ("`client_auth`", "write client_auth = \"required\" in [listeners.tls]")
            }
            Some(_) => continue,
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
    Forwarded {
        address: flag("for"),
        proto: flag("proto"),
        port: flag("port"),
        drop_claims: flag("drop_claims"),
        client_cert: set("client_cert").unwrap_or(false),
        xfcc: set("xfcc").unwrap_or(false),
    }
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

pub(super) fn not_for(reader: &Reader<'_>, name: &str, protocol: &str, why: &str) {
    let text = format!("`{name}` means nothing to a listener that speaks {protocol}");
    not_applicable(reader, name, text, why);
}

pub(super) fn not_applicable(reader: &Reader<'_>, name: &str, text: String, why: &str) {
    if let Some(span) = reader.key_span(name) {
        reader.push(Problem::error(Kind::NotApplicable, text).at(span, why.to_owned()));
    }
}
