//! Health checks that work and are unwise, or do not work here.

use crate::field::Field;
use crate::grammar::show_duration;
use crate::plan::{Backend, Check, Health};
use crate::reader::Reader;
use crate::resolve::Context;
use crate::{Kind, Problem, Span};
use lb_probe::Fallback;
use std::time::Duration;

pub(super) fn report(
    context: &Context<'_>,
    reader: &Reader<'_>,
    kind: Option<&Span>,
    health: &Health,
    backends: &[Backend],
) {
    let refused = report_refused(reader, health, backends);
    match &health.check {
        Check::Http(check) => report_dynamic_page(reader, &check.path),
        Check::HalfOpen(fallback) if !refused => report_no_permission(context, reader, kind, *fallback),
        Check::Mysql { user: None } => report_lockout(reader, kind),
        _ => {}
    }
}

/// What the prober itself does not take, told once for the first backend that it does not take it for.
fn report_refused(reader: &Reader<'_>, health: &Health, backends: &[Backend]) -> bool {
    let probe = |backend: &Backend| {
        crate::probe(health, backend.address)?;
        crate::agent(health, backend.address)?;
        Ok(())
    };
    // port 0: its address was not found, which was said already
    let found = backends
        .iter()
        .filter(|backend| backend.address.port() != Some(0))
        .find_map(|backend| {
            let error: lb_probe::ProbeError = probe(backend).err()?;
            Some((backend, error))
        });
    let Some((backend, error)) = found else { return false };
    let key = match &error {
        lb_probe::ProbeError::Slow { .. } => "slow",
        lb_probe::ProbeError::Source { .. } | lb_probe::ProbeError::NoNetwork { what: "`source`" } => "source",
        lb_probe::ProbeError::NoNetwork { what: "`interface`" } => "interface",
        lb_probe::ProbeError::HalfAnAddress => half_an_address(reader),
        lb_probe::ProbeError::Interface { .. } => "interface",
        lb_probe::ProbeError::User { .. } => "user",
        lb_probe::ProbeError::Http(lb_probe::HttpError::Field { name, .. }) if name != "User-Agent" => "headers",
        lb_probe::ProbeError::Http(lb_probe::HttpError::Field { .. }) => "user_agent",
        lb_probe::ProbeError::Http(lb_probe::HttpError::Fields) => "headers",
        _ => "kind",
    };
    // What is no mistake of the file is a fault of ours.
    let kind = match key {
        "kind" => Kind::Refused,
        "slow" => Kind::OutOfRange,
        "source" => Kind::BadAddress,
        _ => Kind::BadText,
    };
    let place = reader
        .raw_span(key)
        .or_else(|| reader.raw_span("agent"))
        .unwrap_or_else(|| reader.span());
    reader.push(
        Problem::error(kind, error.to_string()).at(place, format!("backend \"{}\" cannot be probed so", backend.name)),
    );
    true
}

/// The key that stands alone.
fn half_an_address(reader: &Reader<'_>) -> &'static str {
    let set = |key| reader.raw_span(key).is_some();
    ["port", "address"].into_iter().find(|key| set(key)).unwrap_or("agent")
}

/// A probe that may take as long as the pause between two starts, or longer: it stretches the interval.
pub(super) fn report_slow_probe(
    reader: &Reader<'_>,
    interval: Duration,
    timeout: &Field<Duration>,
    place: Option<&Span>,
) {
    let Some((&longest, span)) = timeout.as_ref().filter(|(longest, _)| **longest >= interval) else {
        return;
    };
    let (longest_shown, every) = (show_duration(longest), show_duration(interval));
    let label = if longest > interval {
        format!("a backend that does not answer is probed every {longest_shown} only")
    } else {
        "a backend that does not answer is probed without a pause".to_owned()
    };
    let problem = Problem::warning(
        Kind::Contradiction,
        format!("a probe may take {longest_shown}, but they begin every {every}"),
    )
    .at(span.clone(), label)
    .help("make `timeout` shorter than `interval`");
    reader.push(match place {
        Some(place) => problem.see(place.clone(), "the interval"),
        None => problem,
    });
}

/// A page that a program makes tells of the program, its database and its load, and costs them each time.
fn report_dynamic_page(reader: &Reader<'_>, path: &str) {
    let page = path.split(['?', ';']).next().unwrap_or(path);
    let ending = DYNAMIC.iter().find(|ending| {
        let page = page.to_ascii_lowercase();
        // also /health.php/ready: what follows is the program's argument
        page.ends_with(*ending) || page.contains(&format!("{ending}/"))
    });
    if let (Some(ending), Some(span)) = (ending, reader.raw_span("path")) {
        reader.push(
            Problem::warning(
                Kind::DynamicPage,
                format!("the check page \"{path}\" is made by a program (`{ending}`)"),
            )
            .at(span, "every probe of every load balancer runs it")
            .help(
                "check a small static page, such as \"/health.html\": a slow database must not take all backends down",
            ),
        );
    }
}

fn report_no_permission(context: &Context<'_>, reader: &Reader<'_>, kind: Option<&Span>, fallback: Fallback) {
    let Err(error) = context.environment.may_probe_half_open() else {
        return;
    };
    let place = kind.cloned().unwrap_or_else(|| reader.span());
    let text = format!("half-open probes need raw sockets, which are not permitted here: {error}");
    let mend = "give the program the capability: `setcap cap_net_raw+ep lbd`, or in its systemd unit \
                `AmbientCapabilities=CAP_NET_RAW`";
    reader.push(match fallback {
        Fallback::Refuse => Problem::error(Kind::NotPermitted, text)
            .at(place, "no probe could be made")
            .help(format!("{mend}; or write when_not_permitted = \"connect\"")),
        _ => Problem::warning(Kind::NotPermitted, text)
            .at(place, "connections are made and reset at once instead")
            .help(mend),
    });
}

/// Interrupted handshakes count against the host that makes them.
fn report_lockout(reader: &Reader<'_>, kind: Option<&Span>) {
    let place = kind.cloned().unwrap_or_else(|| reader.span());
    reader.push(
        Problem::warning(
            Kind::Lockout,
            "a MySQL server counts each probe without a user as an interrupted handshake",
        )
        .at(
            place,
            "after `max_connect_errors` of them in a row it blocks this machine",
        )
        .help("create a user without password and rights, and write user = \"..\""),
    );
}

const DYNAMIC: [&str; 8] = [".php", ".asp", ".aspx", ".jsp", ".jspx", ".cgi", ".pl", ".do"];
