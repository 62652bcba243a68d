//! Where a request goes by its host and path.

use crate::options::HttpOptions;
use crate::preface::TlsPeer;
use lb_balance::route::{Action, Query};
use lb_guard::Access;
use lb_http::{Head, forward};
use lb_telemetry::End;
use std::hint::cold_path;
use std::net::IpAddr;
use std::sync::Arc;

/// An answer without a backend.
#[derive(Debug)]
pub(crate) struct OwnAnswer<'a> {
    pub(crate) status: u16,
    pub(crate) end: End,
    pub(crate) detail: &'static str,
    pub(crate) location: Option<&'a str>,
}

/// Which pool a request of `client` goes to, or what is answered without one.
pub(crate) fn route<'a>(
    http: &'a HttpOptions,
    request: &Head,
    client: IpAddr,
    tls: Option<&TlsPeer>,
) -> Result<usize, OwnAnswer<'a>> {
    let query = Query {
        host: request.authority(),
        path: request.path(),
    };
    let own = |status, end, location| {
        Err(OwnAnswer {
            status,
            end,
            detail: "",
            location,
        })
    };
    let action = match http.routes.find(&query) {
        Some(Action::Guarded { guard, then }) => {
            let denied = |detail| OwnAnswer {
                status: 403,
                end: End::Denied,
                detail,
                location: None,
            };
            let guard = http.guards.get(*guard);
            let lets_in = |access: &Arc<Access>| access.check(client).allowed;
            // One that is not there lets nobody in.
            let Some(guard) = guard.filter(|guard| guard.access.as_ref().is_none_or(lets_in)) else {
                return Err(denied("its address is not let in by the route"));
            };
            if guard.verified && tls.is_none_or(|tls| tls.verdict.verified().is_none()) {
                return Err(denied("the route is for clients with a verified certificate"));
            }
            Some(&**then)
        }
        other => other,
    };
    match action {
        // OPTIONS with Max-Forwards: 0 asks us, not a backend (RFC 9110, section 7.6.2).
        Some(Action::Forward(_)) if forward::ends_here(request) => own(200, End::Respond, None),
        Some(Action::Forward(index)) => Ok(*index),
        other => {
            cold_path();
            match other {
                Some(Action::Respond { status, .. }) => own(*status, End::Respond, None),
                Some(Action::Redirect { status, location, .. }) => own(*status, End::Respond, Some(location)),
                Some(Action::Refuse(refusal)) => Err(OwnAnswer {
                    status: refusal.status(),
                    end: End::BadRequest,
                    detail: refusal.rule(),
                    location: None,
                }),
                _ => own(404, End::NoRoute, None),
            }
        }
    }
}
