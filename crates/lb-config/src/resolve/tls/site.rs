//! What is shown under which name.

use super::certificates::To;
use super::{certificates, client_auth, versions};

use crate::field::Field;
use crate::grammar::{Wrong, check_host_pattern};
use crate::plan::{Certificates, ClientAuth, Site};
use crate::reader::{Reader, explain};
use crate::resolve::Context;
use crate::schema::SITES;
use crate::{Kind, Problem, Span};
use lb_tls::{Identity, Versions};
use std::collections::HashMap;
use std::net::IpAddr;

/// What stands in the listener itself.
pub(super) fn read_default(context: &Context<'_>, reader: &Reader<'_>) -> Site {
    Site {
        names: Vec::new(),
        certificates: certificates::read(context, reader, &Certificates::default(), To::Clients),
        versions: versions(reader, Versions::default()),
        client_auth: client_auth::read(context, reader, &ClientAuth::default()),
    }
}

/// The sites, each with what it inherits.
pub(super) fn read_all(context: &Context<'_>, tls: &Reader<'_>, outer: &Site) -> Vec<Site> {
    let mut taken: HashMap<String, Span> = HashMap::new();
    let readers = tls.tables("sites", &SITES).value().unwrap_or_default();
    readers
        .iter()
        .map(|reader| {
            let names = names(reader, &mut taken);
            let certificates = certificates::read(context, reader, &outer.certificates, To::Clients);
            if certificates.paths.is_empty() && !reader.has("certificates") && !reader.has_unknown() {
                reader.push(
                    Problem::error(Kind::MissingKey, "`certificates` is missing in `listeners.tls.sites`")
                        .at(reader.span(), "neither this site nor its listener has any")
                        .help("for example certificates = \"/etc/lbd/tls/example.com\", a file or a folder of them"),
                );
            }
            if reader.has("certificates") {
                report_strangers(reader, &names, &certificates);
            }
            report_uncovered(reader, &names, &certificates);
            Site {
                names: names.into_iter().map(|(name, _)| name).collect(),
                certificates,
                versions: versions(reader, outer.versions),
                client_auth: client_auth::read(context, reader, &outer.client_auth),
            }
        })
        .collect()
}

fn names(reader: &Reader<'_>, taken: &mut HashMap<String, Span>) -> Vec<(String, Span)> {
    let list = reader.list("names", "hosts");
    reader.require("names", &list, "names = [\"www.example.com\", \"*.example.com\"]");
    if let Field::Is([], span) = &list {
        reader.push(
            Problem::error(Kind::BadHost, "`names` is empty: no client would be shown this site")
                .at(span.clone(), "at least one name must stand here")
                .help("for example names = [\"www.example.com\"]; what holds for every name stands in [listeners.tls]"),
        );
    }
    let mut names = Vec::new();
    for element in list.value().unwrap_or_default() {
        let Some(text) = reader.element_text("names", element) else {
            continue;
        };
        match name(text) {
            Ok(name) => {
                if let Some(first) = taken.insert(name.clone(), element.span()) {
                    reader.push(
                        Problem::error(Kind::DuplicateName, format!("\"{name}\" is the name of two sites"))
                            .at(element.span(), "the same name again")
                            .see(first, "first here"),
                    );
                } else {
                    names.push((name, element.span()));
                }
            }
            Err(wrong) => reader.push(explain(Kind::BadHost, "`names`", text, element.span(), wrong)),
        }
    }
    names
}

/// Certificates that no client is shown under the names of their site.
fn report_strangers(reader: &Reader<'_>, names: &[(String, Span)], certificates: &Certificates) {
    for identity in certificates.identities() {
        if names.is_empty() || names.iter().any(|(name, _)| covers(identity, name)) {
            continue;
        }
        reader.push(
            Problem::warning(
                Kind::DoubtfulCertificate,
                format!(
                    "the certificate in {} covers none of the names of its site",
                    identity.label()
                ),
            )
            .at(
                reader.raw_span("certificates").unwrap_or_else(|| reader.span()),
                match identity.names() {
                    [] => "it has no name that a client asks for".to_owned(),
                    covered => format!("it is for {}", shown(covered)),
                },
            ),
        );
    }
}

/// Names whose clients would be shown a certificate for others.
fn report_uncovered(reader: &Reader<'_>, names: &[(String, Span)], certificates: &Certificates) {
    let identities = certificates.identities();
    for (name, span) in names {
        if !identities.is_empty() && !identities.iter().any(|identity| covers(identity, name)) {
            reader.push(
                Problem::warning(
                    Kind::DoubtfulCertificate,
                    format!("no certificate of this site covers \"{name}\""),
                )
                .at(span.clone(), "clients refuse what they are shown under this name")
                .help("have a certificate issued that has this name, or leave the name out"),
            );
        }
    }
}

/// `*.example.com` is covered by what covers everything one label below.
fn covers(identity: &Identity, name: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(parent) => {
            identity.names().iter().any(|covered| covered == name) || identity.covers(&format!("x.{parent}"))
        }
        None => identity.covers(name),
    }
}

/// Up to three, and how many more.
fn shown(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    match names.len().saturating_sub(3) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// A name that a client may say: RFC 6066, section 3, knows no addresses.
pub(in crate::resolve) fn name(text: &str) -> Result<String, Wrong> {
    let bare = text.trim_matches(['[', ']']);
    if bare.parse::<IpAddr>().is_ok() {
        return Err(Wrong::new("clients say no name when they connect to an address")
            .help("what such clients get stands in the listener itself"));
    }
    check_host_pattern(text).map_err(|wrong| match &wrong.help {
        Some(help) if help.contains("hosts = ") => Wrong {
            help: Some(help.replace("write hosts = ", "write names = ")),
            ..wrong
        },
        Some(help) if help.contains("`host`") => Wrong {
            help: Some("what holds for every name stands in the listener itself".to_owned()),
            ..wrong
        },
        _ => wrong,
    })
}
