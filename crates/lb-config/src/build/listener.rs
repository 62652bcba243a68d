use super::{Entries, codec_limits};
use crate::plan::{self, Action, Listener, Plan};
use lb_balance::route::{self, Host, Prefix, Routes};
use lb_http::forward::Statements;
use lb_http::h1;
use lb_proxy::{HttpOptions, ListenerOptions, Service, TcpOptions};
use std::sync::Arc;

pub(super) fn build(plan: &Plan, listener: &Listener, entries: &mut Entries<'_>) -> Result<ListenerOptions, String> {
    let access_log = listener.access_log && plan.log.access != plan::AccessLog::Off;
    let service = match &listener.service {
        plan::Service::Tcp(tcp) => Service::Tcp(TcpOptions {
            pool: entries.find(&tcp.forward),
            idle_timeout: tcp.idle,
            access_log,
        }),
        plan::Service::Http(http) => Service::Http(HttpOptions {
            routes: routes(http, entries)?,
            limits: Arc::new(h1::Limits {
                query_characters: http.query_characters,
                ..codec_limits(&http.limits)
            }),
            keep_alive: http.timeouts.keep_alive,
            keep_alive_requests: http.keep_alive_requests,
            head_timeout: http.timeouts.head,
            body_timeout: http.timeouts.body,
            write_timeout: http.timeouts.write,
            continue_timeout: http.timeouts.expect_continue,
            tunnel_timeout: http.timeouts.tunnel,
            trusted_proxies: http.trusted_proxies.clone(),
            statements: statements(http.forwarded),
            abort_on_half_close: http.abort_on_half_close,
            access_log,
            log_probes: http.log_probes,
        }),
    };
    Ok(ListenerOptions {
        name: listener.name.clone(),
        address: listener.address,
        backlog: listener.backlog,
        max_connections: listener.max_connections,
        service,
    })
}

fn statements(forwarded: plan::Forwarded) -> Statements {
    let mut statements = Statements::default();
    (statements.address, statements.proto, statements.port) = (forwarded.address, forwarded.proto, forwarded.port);
    statements.drop_claims = forwarded.drop_claims;
    statements
}

fn routes(http: &plan::Http, entries: &mut Entries<'_>) -> Result<Routes, String> {
    let mut routes = Vec::new();
    for planned in &http.routes {
        let hosts: Result<Vec<Host>, _> = planned.hosts.iter().map(|host| host.parse::<Host>()).collect();
        routes.push(route::Route {
            hosts: hosts.map_err(|error| error.to_string())?,
            path: Prefix::new(&planned.path).map_err(|error| error.to_string())?,
            action: match &planned.action {
                Action::Forward(forward) => route::Action::Forward(entries.find(forward)),
                Action::Respond(status) => route::Action::Respond { status: *status },
                Action::Redirect { status, to } => route::Action::Redirect {
                    status: *status,
                    location: to.clone(),
                },
            },
        });
    }
    if let Some(forward) = &http.forward {
        routes.push(route::Route {
            hosts: vec![Host::Any],
            path: Prefix::new("/").map_err(|error| error.to_string())?,
            action: route::Action::Forward(entries.find(forward)),
        });
    }
    Routes::new(routes).map_err(|error| error.to_string())
}
