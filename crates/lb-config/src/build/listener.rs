use super::{BuildError, PoolEntries, codec_limits};
use crate::plan::{self, Action, Listener, Plan};
use lb_balance::route::{self, Host, Prefix, Routes};
use lb_http::forward::Statements;
use lb_http::h1;
use lb_proxy::{HttpOptions, ListenerOptions, Service, TcpOptions};
use std::sync::Arc;

pub(super) fn build(
    plan: &Plan,
    listener: &Listener,
    entries: &mut PoolEntries<'_>,
) -> Result<ListenerOptions, BuildError> {
    let access_log = listener.access_log && plan.log.access != plan::AccessLog::Off;
    let service = match &listener.service {
        plan::Service::Tcp(tcp) => Service::Tcp(TcpOptions {
            pool: entries.find_for(&listener.name, &tcp.forward)?,
            idle_timeout: tcp.idle,
            access_log,
        }),
        plan::Service::Passthrough(_) => {
            return Err(BuildError::NotServed {
                listener: listener.name.clone(),
            });
        }
        plan::Service::Http(http) => Service::Http(HttpOptions {
            routes: routes(&listener.name, http, entries)?,
            limits: Arc::new(h1::Limits {
                query_characters: http.query_characters,
                ..codec_limits(&http.limits)
            }),
            keep_alive: http.timeouts.keep_alive,
            keep_alive_requests: http.keep_alive_requests,
            head_timeout: http.timeouts.head,
            body_timeout: http.timeouts.body,
            write_timeout: http.timeouts.write,
            request_timeout: http.timeouts.request,
            min_body_rate: http.min_body_rate,
            continue_timeout: http.timeouts.expect_continue,
            tunnel_timeout: http.timeouts.tunnel,
            trusted_proxies: http.trusted_proxies.clone(),
            statements: statements(http.forwarded),
            abort_on_half_close: http.abort_on_half_close,
            access_log,
            log_probes: http.log_probes,
            https: lb_proxy::HttpsOptions::default(),
        }),
    };
    Ok(ListenerOptions {
        name: listener.name.clone(),
        address: listener.address,
        backlog: listener.backlog,
        max_connections: listener.max_connections,
        preface: lb_proxy::PrefaceOptions::default(),
        service,
    })
}

fn statements(forwarded: plan::Forwarded) -> Statements {
    let mut statements = Statements::default();
    (statements.address, statements.proto, statements.port) = (forwarded.address, forwarded.proto, forwarded.port);
    statements.drop_claims = forwarded.drop_claims;
    statements
}

fn routes(listener: &str, http: &plan::Http, entries: &mut PoolEntries<'_>) -> Result<Routes, BuildError> {
    let mut routes = Vec::new();
    for planned in &http.routes {
        let hosts: Result<_, _> = planned.hosts.iter().map(|text| host(listener, text)).collect();
        routes.push(route::Route {
            hosts: hosts?,
            path: prefix(listener, &planned.path)?,
            action: match &planned.action {
                Action::Forward(forward) => route::Action::Forward(entries.find_for(listener, forward)?),
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
            path: prefix(listener, "/")?,
            action: route::Action::Forward(entries.find_for(listener, forward)?),
        });
    }
    Routes::new(routes).map_err(|source| BuildError::Routes {
        listener: listener.to_owned(),
        source,
    })
}

fn host(listener: &str, text: &str) -> Result<Host, BuildError> {
    text.parse().map_err(|source| BuildError::Host {
        listener: listener.to_owned(),
        host: text.to_owned(),
        source,
    })
}

fn prefix(listener: &str, text: &str) -> Result<Prefix, BuildError> {
    Prefix::new(text).map_err(|source| BuildError::Path {
        listener: listener.to_owned(),
        path: text.to_owned(),
        source,
    })
}
