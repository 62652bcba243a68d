use super::admin::{LONGEST_SOCKET, check_group, parse_mode, report_unknown_group};
use super::http::Surroundings;
use super::opening::{self, First};
use super::overlap;
use super::pool::Pools;
use super::ranges;

use super::{Context, whole};
use super::{http, passthrough, tls};
use crate::field::Field;
use crate::grammar::{check_name, listen_address};
use crate::plan::{AdminSocket, Forward, Listener, Service, SocketFile, Tcp};
use crate::reader::Reader;
use crate::schema::{LISTENER_LIMITS, LISTENER_TIMEOUTS, LISTENERS};
use crate::scope::Scope;
use crate::{Kind, Problem, Span};
use lb_types::Address;
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
    if limits.per_client().is_none() {
        for key in ["client_prefix_v4", "client_prefix_v6"] {
            opening::not_here(reader, ("limits", key), "there is no `max_connections_per_client`");
        }
    }
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
            Service::Http(Box::new(http::read(reader, &surroundings, protocol.is_missing())))
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
        per_client: limits.per_client(),
        access_log: reader.boolean("access_log").value().unwrap_or(true),
        tls: server_tls.map(Box::new),
        proxy_protocol,
        opening,
        access: ranges::access(context, reader),
        service,
    };
    (listener, place)
}

/// Limits of connections, whatever they carry.
pub(super) const OF_CONNECTIONS: [&str; 6] = [
    "max_connections",
    "max_connections_per_client",
    "client_prefix_v4",
    "client_prefix_v6",
    "max_handshakes",
    "hello_bytes",
];

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
            .filter(|key| !OF_CONNECTIONS.contains(&key.name))
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

pub(super) fn not_for(reader: &Reader<'_>, name: &str, protocol: &str, why: &str) {
    let text = format!("`{name}` means nothing to a listener that speaks {protocol}");
    not_applicable(reader, name, text, why);
}

pub(super) fn not_applicable(reader: &Reader<'_>, name: &str, text: String, why: &str) {
    if let Some(span) = reader.key_span(name) {
        reader.push(Problem::error(Kind::NotApplicable, text).at(span, why.to_owned()));
    }
}
