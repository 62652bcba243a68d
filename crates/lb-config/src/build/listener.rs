use super::{BuildError, PoolEntries, codec_limits, tls};
use crate::plan::{self, Action, Listener, Plan};
use lb_balance::route::{self, Host, Prefix, Routes};
use lb_guard::{Caps, CapsOptions};
use lb_http::forward::Statements;
use lb_http::h1;
use lb_proxy::{
    Guard, HttpOptions, HttpsOptions, ListenerOptions, PassthroughOptions, PassthroughRoute, PerClient, PrefaceOptions,
    ProxyIn, Service, TcpOptions,
};
use lb_tls::Engine;
use std::sync::Arc;

pub(super) fn build(
    plan: &Plan,
    listener: &Listener,
    entries: &mut PoolEntries<'_>,
    engine: &Engine,
    before: Option<&ListenerOptions>,
) -> Result<ListenerOptions, BuildError> {
    let access_log = listener.access_log && plan.log.access != plan::AccessLog::Off;
    let service = match &listener.service {
        plan::Service::Tcp(tcp) => Service::Tcp(TcpOptions {
            pool: entries.find_for(&listener.name, &tcp.forward)?,
            idle_timeout: tcp.idle,
            access_log,
        }),
        plan::Service::Passthrough(service) => {
            let routes = service.routes.iter().map(|route| {
                Ok(PassthroughRoute {
                    hosts: route.hosts.clone(),
                    alpn: route.alpn.iter().map(|name| name.clone().into_bytes()).collect(),
                    pool: entries.find_for(&listener.name, &route.forward)?,
                })
            });
            let routes: Result<_, BuildError> = routes.collect();
            let default = service.forward.as_ref();
            Service::Passthrough(PassthroughOptions {
                routes: routes?,
                default: default
                    .map(|forward| entries.find_for(&listener.name, forward))
                    .transpose()?,
                idle_timeout: service.idle,
                access_log,
            })
        }
        plan::Service::Http(http) => {
            let (routes, guards) = routes(&listener.name, http, entries)?;
            Service::Http(HttpOptions {
                routes,
                guards,
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
                https: HttpsOptions {
                    redirect: http.redirect_to_https,
                    hsts: http.hsts,
                    client_cert: http.forwarded.client_cert,
                    xfcc: http.forwarded.xfcc,
                    client_verify: http.forwarded.client_verify,
                },
            })
        }
    };
    Ok(ListenerOptions {
        name: listener.name.clone(),
        address: listener.address,
        backlog: listener.backlog,
        max_connections: listener.max_connections,
        preface: preface(listener, engine, before)?,
        service,
    })
}

/// What comes before the service.
fn preface(
    listener: &Listener,
    engine: &Engine,
    before: Option<&ListenerOptions>,
) -> Result<PrefaceOptions, BuildError> {
    // To serve everybody would be worse than not to start.
    if listener.access.access().is_none() && !listener.access.is_empty() {
        return Err(BuildError::NotLoaded {
            owner: listener.name.clone(),
        });
    }
    let tls = listener.tls.as_deref().map(|tls| tls::server(listener, tls, engine));
    let usual = PrefaceOptions {
        access: listener.access.access().map(Arc::clone),
        per_client: per_client(listener, before)?,
        proxy: listener.proxy_protocol.as_ref().map(|proxy| ProxyIn {
            is_required: proxy.is_required,
            from: proxy.from.clone(),
        }),
        tls: tls.transpose()?.map(Arc::new),
        ..PrefaceOptions::default()
    };
    Ok(match listener.opening {
        Some(opening) => PrefaceOptions {
            timeout: opening.handshake,
            max_handshakes: opening.max_handshakes,
            hello_bytes: opening.hello_bytes,
            ..usual
        },
        None => usual,
    })
}

/// The counts go on where clients are still told apart by the same bits.
fn per_client(listener: &Listener, before: Option<&ListenerOptions>) -> Result<Option<PerClient>, BuildError> {
    let Some(planned) = listener.per_client else {
        return Ok(None);
    };
    let prefixes = (planned.prefix_v4, planned.prefix_v6);
    let kept = before
        .and_then(|options| options.preface.per_client.as_ref())
        .filter(|per_client| per_client.counts.prefixes() == prefixes);
    let counts = match kept {
        Some(per_client) => Arc::clone(&per_client.counts),
        None => {
            let mut options = CapsOptions::new(planned.most);
            (options.v4_prefix, options.v6_prefix) = prefixes;
            // Two thirds of it are filled at most, when each connection is another client's.
            options.clients = listener
                .max_connections
                .saturating_mul(3)
                .div_ceil(2)
                .clamp(1 << 10, 1 << 23);
            let caps = Caps::new(&options, lb_net::clock::seed()).map_err(|source| BuildError::PerClient {
                listener: listener.name.clone(),
                source,
            })?;
            Arc::new(caps)
        }
    };
    Ok(Some(PerClient {
        most: planned.most,
        counts,
    }))
}

fn statements(forwarded: plan::Forwarded) -> Statements {
    let mut statements = Statements::default();
    (statements.address, statements.proto, statements.port) = (forwarded.address, forwarded.proto, forwarded.port);
    statements.drop_claims = forwarded.drop_claims;
    statements
}

/// The routes, and the lists that they name by position.
fn routes(
    listener: &str,
    http: &plan::Http,
    entries: &mut PoolEntries<'_>,
) -> Result<(Routes, Vec<Guard>), BuildError> {
    let (mut routes, mut guards) = (Vec::new(), Vec::new());
    // Beside a redirection to https nothing else is served.
    let served = |route: &&plan::Route| route.plain || !http.redirect_to_https;
    for planned in http.routes.iter().filter(served) {
        let access = planned.access.access();
        if access.is_none() && !planned.access.is_empty() {
            return Err(BuildError::NotLoaded {
                owner: format!("{listener}, route {}", planned.path),
            });
        }
        let hosts: Result<_, _> = planned.hosts.iter().map(|text| host(listener, text)).collect();
        let action = match &planned.action {
            Action::Forward(forward) => route::Action::Forward(entries.find_for(listener, forward)?),
            Action::Respond(status) => route::Action::Respond { status: *status },
            Action::Redirect { status, to } => route::Action::Redirect {
                status: *status,
                location: to.clone(),
            },
        };
        routes.push(route::Route {
            hosts: hosts?,
            path: prefix(listener, &planned.path)?,
            action: if access.is_some() || planned.verified {
                guards.push(Guard {
                    access: access.cloned(),
                    verified: planned.verified,
                });
                route::Action::Guarded {
                    guard: guards.len().saturating_sub(1),
                    then: Box::new(action),
                }
            } else {
                action
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
    let routes = Routes::new(routes).map_err(|source| BuildError::Routes {
        listener: listener.to_owned(),
        source,
    })?;
    Ok((routes, guards))
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
