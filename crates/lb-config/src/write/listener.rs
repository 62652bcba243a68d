use super::{Text, quoted, seconds, tls};
use crate::grammar::show_size;
use crate::plan::{
    AccessLists, Action, ClientTimeouts, Forward, Http, Limits, Listener, Passthrough, Plan, Route, Service,
    UpstreamTimeouts,
};
use crate::schema::LISTENERS;
use crate::scope::Scope;
use lb_types::{Address, Cidr};
use std::num::NonZeroU64;
use std::time::Duration;

pub(super) fn text(out: &mut Text, plan: &Plan, listener: &Listener) {
    out.header("[[listeners]]");
    out.text("name", &listener.name);
    out.text("address", &listener.address.to_string());
    let name = |forward: &Forward| plan.pools.get(forward.pool).map_or("", |pool| pool.name.as_str());
    match &listener.service {
        Service::Tcp(tcp) => {
            out.text("protocol", "tcp");
            out.text("pool", name(&tcp.forward));
            common(out, listener);
            let scope = Scope::default();
            let usual = scope.upstream();
            let mut limits = connections(listener);
            limits.extend(opening_limits(listener));
            out.table("limits", &limits);
            // `response` is no key of a tcp listener: it can only have come from further out, and means nothing here.
            let mut timeouts = vec![
                ("idle", seconds(tcp.idle), seconds(scope.duration("idle"))),
                ("connect", seconds(tcp.forward.timeouts.connect), seconds(usual.connect)),
            ];
            timeouts.extend(handshake(listener));
            out.table("timeouts", &timeouts);
        }
        Service::Http(http) => {
            if let Some(forward) = &http.forward {
                out.text("pool", name(forward));
            }
            common(out, listener);
            http_text(out, listener, http);
            let own = http
                .forward
                .as_ref()
                .map_or_else(UpstreamTimeouts::default, |forward| forward.timeouts);
            for route in &http.routes {
                route_text(out, route, own, name);
            }
        }
        Service::Passthrough(service) => {
            out.text("protocol", "tls_passthrough");
            if let Some(forward) = &service.forward {
                out.text("pool", name(forward));
            }
            common(out, listener);
            passthrough_text(out, listener, service, name);
        }
    }
    if let Some(tls) = &listener.tls {
        tls::server_text(out, tls);
    }
}

fn common(out: &mut Text, listener: &Listener) {
    out.set_unless(&LISTENERS, "access_log", listener.access_log);
    out.set_unless(&LISTENERS, "backlog", listener.backlog);
    if matches!(listener.address, Address::Unix(path) if path.abstract_name().is_none()) {
        out.text_unless(&LISTENERS, "socket_mode", &format!("{:04o}", listener.socket.mode));
        if let Some(group) = &listener.socket.group {
            out.text("socket_group", group);
        }
    }
    if let Some(proxy) = &listener.proxy_protocol {
        let word = if proxy.is_required { "require" } else { "accept" };
        out.text("proxy_protocol", word);
        let from: Vec<String> = proxy.from.iter().map(ToString::to_string).collect();
        out.list("proxy_protocol_from", &from);
    }
    access_text(out, &listener.access);
}

fn passthrough_text<'a>(
    out: &mut Text,
    listener: &Listener,
    service: &Passthrough,
    name: impl Fn(&Forward) -> &'a str,
) {
    let scope = Scope::default();
    let mut limits = connections(listener);
    limits.extend(opening_limits(listener));
    out.table("limits", &limits);
    let usual = seconds(scope.upstream().connect);
    let own = service
        .forward
        .as_ref()
        .map_or_else(|| usual.clone(), |forward| seconds(forward.timeouts.connect));
    let mut timeouts = vec![
        ("idle", seconds(service.idle), seconds(scope.duration("idle"))),
        ("connect", own.clone(), usual),
    ];
    timeouts.extend(handshake(listener));
    out.table("timeouts", &timeouts);
    for route in &service.routes {
        out.header("[[listeners.routes]]");
        hosts_text(out, &route.hosts);
        out.list("alpn", &route.alpn);
        out.text("pool", name(&route.forward));
        let connect = seconds(route.forward.timeouts.connect);
        out.table("timeouts", &[("connect", connect, own.clone())]);
    }
}

fn opening_limits(listener: &Listener) -> Vec<(&'static str, String, String)> {
    let Some(opening) = listener.opening else {
        return Vec::new();
    };
    let usual = Scope::default();
    let bytes = |bytes: usize| quoted(&show_size(u64::try_from(bytes).unwrap_or(u64::MAX)));
    vec![
        (
            "max_handshakes",
            opening.max_handshakes.to_string(),
            usual.count("max_handshakes").to_string(),
        ),
        (
            "hello_bytes",
            bytes(opening.hello_bytes),
            bytes(usual.count("hello_bytes")),
        ),
    ]
}

fn handshake(listener: &Listener) -> Option<(&'static str, String, String)> {
    let opening = listener.opening?;
    let usual = Scope::default().duration("handshake");
    Some(("handshake", seconds(opening.handshake), seconds(usual)))
}

fn access_text(out: &mut Text, access: &AccessLists) {
    let ranges = |ranges: &[Cidr]| ranges.iter().map(ToString::to_string).collect::<Vec<_>>();
    out.list("allow", &ranges(&access.allow));
    out.paths("allow_files", &access.allow_files);
    out.list("deny", &ranges(&access.deny));
    out.paths("deny_files", &access.deny_files);
}

fn connections(listener: &Listener) -> Vec<(&'static str, String, String)> {
    let usual = Scope::default();
    let count = |name, value: String| (name, value, usual.count(name).to_string());
    let mut pairs = vec![count("max_connections", listener.max_connections.to_string())];
    if let Some(per_client) = listener.per_client {
        pairs.extend([
            count("max_connections_per_client", per_client.most.to_string()),
            count("client_prefix_v4", per_client.prefix_v4.to_string()),
            count("client_prefix_v6", per_client.prefix_v6.to_string()),
        ]);
    }
    pairs
}

fn http_text(out: &mut Text, listener: &Listener, http: &Http) {
    if !http.trusted_proxies.is_empty() {
        let ranges: Vec<String> = http
            .trusted_proxies
            .iter()
            .map(|range| quoted(&range.to_string()))
            .collect();
        out.line("trusted_proxies", format_args!("[{}]", ranges.join(", ")));
    }
    out.text_unless(&LISTENERS, "query_characters", http.query_characters.as_str());
    let pair = |name, value: bool| (name, value.to_string(), "true".to_owned());
    let never = |name, value: bool| (name, value.to_string(), "false".to_owned());
    let forwarded = &http.forwarded;
    out.table(
        "forwarded",
        &[
            pair("for", forwarded.address),
            pair("proto", forwarded.proto),
            pair("port", forwarded.port),
            pair("drop_claims", forwarded.drop_claims),
            never("client_cert", forwarded.client_cert),
            never("xfcc", forwarded.xfcc),
            never("client_verify", forwarded.client_verify),
        ],
    );
    out.set_unless(&LISTENERS, "abort_on_half_close", http.abort_on_half_close);
    out.set_unless(&LISTENERS, "log_probes", http.log_probes);
    out.set_unless(&LISTENERS, "redirect_to_https", http.redirect_to_https);
    if let Some(age) = http.hsts {
        out.line("hsts", seconds(age));
    }
    let scope = Scope::default();
    let mut pairs = connections(listener);
    pairs.push((
        "keep_alive_requests",
        http.keep_alive_requests.to_string(),
        scope.count("keep_alive_requests").to_string(),
    ));
    pairs.extend(limit_pairs(&http.limits));
    let rate = |rate: Option<NonZeroU64>| quoted(&rate.map_or_else(|| "none".to_owned(), |rate| show_size(rate.get())));
    pairs.push(("min_body_rate", rate(http.min_body_rate), rate(scope.min_body_rate())));
    pairs.extend(opening_limits(listener));
    out.table("limits", &pairs);
    let own = http
        .forward
        .as_ref()
        .map_or_else(UpstreamTimeouts::default, |forward| forward.timeouts);
    let mut pairs = client_pairs(&http.timeouts, &scope.client());
    pairs.extend(upstream_pairs(own, UpstreamTimeouts::default()));
    pairs.extend(handshake(listener));
    out.table("timeouts", &pairs);
}

pub(super) fn limit_pairs(limits: &Limits) -> Vec<(&'static str, String, String)> {
    let usual = Scope::default().limits();
    let bytes = |bytes: usize| quoted(&show_size(u64::try_from(bytes).unwrap_or(u64::MAX)));
    let body = |limit: Option<u64>| quoted(&limit.map_or_else(|| "none".to_owned(), show_size));
    vec![
        ("head_bytes", bytes(limits.head_bytes), bytes(usual.head_bytes)),
        ("fields", limits.fields.to_string(), usual.fields.to_string()),
        ("target_bytes", bytes(limits.target_bytes), bytes(usual.target_bytes)),
        ("body_bytes", body(limits.body_bytes), body(usual.body_bytes)),
    ]
}

fn client_pairs(timeouts: &ClientTimeouts, usual: &ClientTimeouts) -> Vec<(&'static str, String, String)> {
    let pair = |name, value: fn(&ClientTimeouts) -> Duration| (name, seconds(value(timeouts)), seconds(value(usual)));
    vec![
        pair("head", |timeouts| timeouts.head),
        pair("body", |timeouts| timeouts.body),
        pair("write", |timeouts| timeouts.write),
        pair("request", |timeouts| timeouts.request.unwrap_or_default()),
        pair("keep_alive", |timeouts| timeouts.keep_alive),
        pair("expect_continue", |timeouts| timeouts.expect_continue),
        pair("tunnel", |timeouts| timeouts.tunnel),
    ]
}

fn upstream_pairs(timeouts: UpstreamTimeouts, usual: UpstreamTimeouts) -> Vec<(&'static str, String, String)> {
    vec![
        ("connect", seconds(timeouts.connect), seconds(usual.connect)),
        ("response", seconds(timeouts.response), seconds(usual.response)),
    ]
}

fn hosts_text(out: &mut Text, hosts: &[String]) {
    match hosts {
        [host] => out.text("host", host),
        hosts => out.list("hosts", hosts),
    }
}

fn route_text<'a>(out: &mut Text, route: &Route, own: UpstreamTimeouts, name: impl Fn(&Forward) -> &'a str) {
    out.header("[[listeners.routes]]");
    hosts_text(out, &route.hosts);
    out.text_unless(&crate::schema::ROUTES, "path", &route.path);
    access_text(out, &route.access);
    out.set_unless(&crate::schema::ROUTES, "verified", route.verified);
    out.set_unless(&crate::schema::ROUTES, "plain", route.plain);
    match &route.action {
        Action::Forward(forward) => {
            out.text("pool", name(forward));
            out.table("timeouts", &upstream_pairs(forward.timeouts, own));
        }
        Action::Respond(status) => out.line("respond", status),
        Action::Redirect { status, to } => {
            out.line("redirect", format_args!("{{ to = {}, status = {status} }}", quoted(to)));
        }
    }
}
