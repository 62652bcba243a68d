//! TLS toward backends.

use super::certificates::To;
use super::{certificates, versions};
use crate::grammar::{self, HostPort, Wrong, check_host_pattern};
use crate::plan::{Backend, Certificates, PoolTls};
use crate::reader::Reader;
use crate::resolve::Context;
use crate::resolve::backend::ReadBackend;
use crate::schema::{BACKEND_TLS, POOL_TLS};
use crate::{Kind, Problem, Span};
use lb_tls::Versions;
use lb_types::Address;
use std::net::IpAddr;
use std::path::PathBuf;

/// What a pool says of TLS; `None`: its backends are spoken to in plain.
pub(in crate::resolve) fn read(context: &Context<'_>, pool: &Reader<'_>, backends: &[ReadBackend]) -> Option<PoolTls> {
    let Some(reader) = pool.table("tls", &POOL_TLS).value() else {
        report_names_without_tls(pool, backends);
        return None;
    };
    let roots = roots(context, &reader);
    let server_name = reader.parsed("server_name", Kind::BadHost, server_name);
    let verify = reader.word("verify");
    let pins = reader.texts("pins", "fingerprints in quotes");
    if let Some(("none", span)) = verify.as_ref().map(|(word, span)| (*word, span)) {
        for name in ["roots", "pins"] {
            if let Some(other) = reader.key_span(name) {
                reader.push(
                    Problem::error(Kind::ConflictingKeys, format!("`verify` and `{name}` are both set"))
                        .at(other, "nothing is compared with it")
                        .see(span.clone(), "because of this"),
                );
            }
        }
        reader.push(
            Problem::warning(Kind::Unverified, "backends of this pool are not verified")
                .at(
                    span.clone(),
                    "whoever stands on the way can answer in their place, and read everything",
                )
                .help(
                    "write `pins` for a certificate that no authority has signed, `roots` for an authority of your own",
                ),
        );
    }
    let tls = PoolTls {
        roots,
        server_name: server_name.clone().value(),
        sni: reader.boolean("sni").value().unwrap_or(true),
        pins: pins
            .value()
            .unwrap_or_default()
            .into_iter()
            .map(|(pin, _)| pin)
            .collect(),
        verify: verify.value() != Some("none"),
        certificates: certificates::read(context, &reader, &Certificates::default(), To::Backends),
        versions: versions(&reader, Versions::default()),
    };
    if tls.verify && server_name.is_missing() && tls.pins.is_empty() {
        report_nameless(&reader, backends);
    }
    Some(tls)
}

/// The word `system`, or files with authorities.
fn roots(context: &Context<'_>, reader: &Reader<'_>) -> Vec<PathBuf> {
    if let Some("system") = reader.raw("roots").and_then(|value| value.get_ref().as_str()) {
        return Vec::new();
    }
    let paths = reader.paths("roots").value().unwrap_or_default();
    for (path, span) in &paths {
        let _ = context.bytes(reader, "roots", path, span);
    }
    paths.into_iter().map(|(path, _)| path).collect()
}

/// A backend's `tls = { server_name = ".." }`.
pub(in crate::resolve) fn backend_name(backend: &Reader<'_>) -> (Option<String>, Option<Span>) {
    let table = backend.table("tls", &BACKEND_TLS);
    let span = backend.key_span("tls");
    let name = table.value().and_then(|reader| {
        let name = reader.parsed("server_name", Kind::BadHost, server_name);
        reader.require("server_name", &name, "server_name = \"app.example.com\"");
        name.value()
    });
    (name, span)
}

/// A name of a certificate: no pattern, and an address without brackets.
fn server_name(text: &str) -> Result<String, Wrong> {
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    if text.contains('*') {
        return Err(Wrong::new("one name, not a pattern")
            .help("write the name that the backend is known by: \"app.example.com\""));
    }
    check_host_pattern(text)
}

/// The host of a backend, as it is written.
pub(crate) fn host_of(backend: &Backend) -> Option<String> {
    match backend.address {
        Address::Unix(_) => None,
        Address::Ip(address) => match grammar::host_port(&backend.address_text, &|_| Ok(1)) {
            Ok(HostPort::Name { host, .. }) => Some(host.trim_end_matches('.').to_ascii_lowercase()),
            _ => Some(address.ip().to_string()),
        },
    }
}

/// A Unix domain socket has no name that a certificate could have.
fn report_nameless(reader: &Reader<'_>, backends: &[ReadBackend]) {
    for backend in backends.iter().filter(|backend| backend.is_good) {
        if backend.plan.server_name.is_none() && host_of(&backend.plan).is_none() {
            reader.push(
                Problem::error(
                    Kind::MissingKey,
                    format!(
                        "backend \"{}\" has no name that its certificate could have",
                        backend.plan.name
                    ),
                )
                .at(backend.span.clone(), "a Unix domain socket has no host")
                .see(reader.span(), "its pool speaks TLS")
                .help("write server_name = \"app.example.com\" in [pools.tls]"),
            );
        }
    }
}

fn report_names_without_tls(pool: &Reader<'_>, backends: &[ReadBackend]) {
    if pool.has("tls") {
        return;
    }
    for span in backends.iter().filter_map(|backend| backend.tls_span.as_ref()) {
        pool.push(
            Problem::error(Kind::NotApplicable, "`tls` of a backend whose pool speaks none")
                .at(span.clone(), "it only says another name")
                .help("write tls = {} in the pool"),
        );
    }
}
