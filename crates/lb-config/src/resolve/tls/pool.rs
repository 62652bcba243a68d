//! TLS toward backends.

use super::certificates::To;
use super::{certificates, versions};
use crate::field::Field;
use crate::grammar::{Wrong, check_host_pattern};
use crate::plan::{Certificates, Made, PoolTls, TrustedRoots};
use crate::reader::Reader;
use crate::resolve::Context;
use crate::resolve::backend::ReadBackend;
use crate::schema::{BACKEND_TLS, POOL_TLS};
use crate::{Kind, Problem, Span};
use lb_tls::Versions;
use lb_tls::client_auth::Authorities;
use lb_tls::upstream::Pin;
use std::net::IpAddr;

/// What a pool says of TLS; `None`: its backends are spoken to in plain.
pub(in crate::resolve) fn read(context: &Context<'_>, pool: &Reader<'_>, backends: &[ReadBackend]) -> Option<PoolTls> {
    let Some(reader) = pool.table("tls", &POOL_TLS).value() else {
        report_names_without_tls(pool, backends);
        return None;
    };
    let server_name = reader.parsed("server_name", Kind::BadHost, server_name);
    let verify = reader.word("verify");
    let pins = pins(&reader);
    report_unverified(&reader, &verify);
    let verifies = verify.value() != Some("none");
    let (roots, made_roots) = roots(context, &reader, verifies, reader.has("pins"));
    let tls = PoolTls {
        roots,
        server_name: server_name.clone().value(),
        sni: reader.boolean("sni").value().unwrap_or(true),
        pins,
        verify: verifies,
        certificates: certificates::read(context, &reader, &Certificates::default(), To::Backends),
        versions: versions(&reader, Versions::default()),
        made_roots,
    };
    if server_name.is_missing() {
        report_nameless(&reader, backends);
    }
    Some(tls)
}

fn report_unverified(reader: &Reader<'_>, verify: &Field<&'static str>) {
    let Some(("none", span)) = verify.as_ref().map(|(word, span)| (*word, span)) else {
        return;
    };
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
            .help("write `pins` for a certificate that no authority has signed, `roots` for an authority of your own"),
    );
}

fn pins(reader: &Reader<'_>) -> Vec<Pin> {
    let texts = reader
        .texts("pins", "fingerprints in quotes")
        .value()
        .unwrap_or_default();
    let mut pins = Vec::new();
    for (text, span) in texts {
        match text.parse::<Pin>() {
            Ok(pin) if pins.contains(&pin) => {}
            Ok(pin) => pins.push(pin),
            Err(_) => {
                let help = match text.as_str() {
                    text if is_bare_digest(text) => {
                        format!("say of what it is: \"cert-sha256:{text}\" or \"key-sha256:{text}\"")
                    }
                    _ => "`lbd cert inspect` shows both fingerprints of a certificate".to_owned(),
                };
                reader.push(
                    Problem::error(Kind::BadPin, format!("`pins` holds {text:?}, not a fingerprint"))
                        .at(
                            span,
                            "expected cert-sha256: or key-sha256: and 64 hexadecimal digits, or sha256// and base64",
                        )
                        .help(help),
                );
            }
        }
    }
    pins
}

/// SHA-256 in hexadecimal digits, without the word that says of what.
fn is_bare_digest(text: &str) -> bool {
    let digits = || text.chars().filter(|c| *c != ':');
    digits().count() == 64 && digits().all(|c| c.is_ascii_hexdigit())
}

/// The word `system`, or files with authorities; pins alone do without.
fn roots(
    context: &Context<'_>,
    reader: &Reader<'_>,
    verifies: bool,
    has_pins: bool,
) -> (TrustedRoots, Option<Made<Authorities>>) {
    let is_system = reader
        .raw("roots")
        .is_some_and(|value| value.get_ref().as_str() == Some("system"));
    if !is_system && reader.has("roots") {
        let paths = reader.paths("roots").value().unwrap_or_default();
        let made = context.authorities(reader, "roots", &paths);
        let paths = paths.into_iter().map(|(path, _)| path).collect();
        return (TrustedRoots::Files(paths), made);
    }
    if has_pins && !is_system {
        return (TrustedRoots::None, None);
    }
    let made = verifies.then(|| context.system_roots(reader)).flatten();
    (TrustedRoots::System, made)
}

impl Context<'_> {
    /// The authorities of this machine, read once. Reported once, if there are none.
    fn system_roots(&self, reader: &Reader<'_>) -> Option<Made<Authorities>> {
        let read = || match self.environment.roots() {
            Ok(roots) => {
                let digest = self.digest(roots.iter().map(|root| [b"".as_slice(), root.der().as_ref()]));
                Some(Made::new(digest, Authorities::from_roots(roots, self.engine())))
            }
            Err(error) => {
                reader.push(
                    Problem::error(Kind::UnreadableFile, "the system's roots cannot be read")
                        .at(
                            reader.raw_span("roots").unwrap_or_else(|| reader.span()),
                            error.to_string(),
                        )
                        .help(
                            "install them (Debian: the package ca-certificates), or name files of your own: roots = \
                             \"/etc/lbd/backends-ca.pem\"",
                        ),
                );
                None
            }
        };
        self.system_roots.get_or_init(read).clone()
    }
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

/// A Unix domain socket has no name that a certificate could have.
fn report_nameless(reader: &Reader<'_>, backends: &[ReadBackend]) {
    for backend in backends.iter().filter(|backend| backend.is_good) {
        if backend.plan.server_name.is_none() && backend.plan.host().is_none() {
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
