//! What is asked of clients.

use super::accepts;
use crate::field::Field;
use crate::plan::{ClientAuth, ClientAuthMode};
use crate::reader::Reader;
use crate::resolve::{Context, whole};
use crate::{Kind, Problem, Span};
use std::path::PathBuf;

/// What is asked of clients, and what holds further out where nothing is said.
pub(super) fn read(context: &Context<'_>, reader: &Reader<'_>, outer: &ClientAuth) -> ClientAuth {
    let mode = reader.word("client_auth").map(|word| match word {
        "required" => ClientAuthMode::Required,
        "optional" => ClientAuthMode::Optional,
        _ => ClientAuthMode::None,
    });
    let authorities = files(context, reader, "authorities");
    let crl = files(context, reader, "crl");
    let list = |field: &Field<Vec<PathBuf>>, outer: &[PathBuf]| field.clone().value().unwrap_or_else(|| outer.to_vec());
    let auth = ClientAuth {
        mode: mode.clone().value().unwrap_or(outer.mode),
        authorities: list(&authorities, &outer.authorities),
        crl: list(&crl, &outer.crl),
        accepts_expired_crl: accepts(reader, "expired_crl").unwrap_or(outer.accepts_expired_crl),
        accepts_missing_crl: accepts(reader, "missing_crl").unwrap_or(outer.accepts_missing_crl),
        depth: whole(reader.integer("depth"), outer.depth),
    };
    report(reader, &mode, &authorities, &crl, &auth);
    auth
}

fn files(context: &Context<'_>, reader: &Reader<'_>, name: &'static str) -> Field<Vec<PathBuf>> {
    reader.paths(name).map(|paths| {
        for (path, span) in &paths {
            let _ = context.bytes(reader, name, path, span);
        }
        paths.into_iter().map(|(path, _)| path).collect()
    })
}

fn report(
    reader: &Reader<'_>,
    mode: &Field<ClientAuthMode>,
    authorities: &Field<Vec<PathBuf>>,
    crl: &Field<Vec<PathBuf>>,
    auth: &ClientAuth,
) {
    let is_asked = auth.mode != ClientAuthMode::None;
    if is_asked && auth.authorities.is_empty() && authorities.is_missing() && !reader.has_unknown() {
        let place: Span = mode.span().cloned().unwrap_or_else(|| reader.span());
        // Where it is inherited, it was reported further out.
        if mode.as_ref().is_some() {
            reader.push(
                Problem::error(
                    Kind::MissingKey,
                    "`client_auth` without `authorities`: nobody would be let in",
                )
                .at(place, "whose certificates count is not said")
                .help("for example authorities = \"/etc/lbd/clients-ca.pem\""),
            );
        }
        return;
    }
    if is_asked || matches!(mode, Field::Broken) || reader.has_unknown() {
        if !auth.crl.is_empty() || matches!(crl, Field::Broken) {
            return;
        }
        for name in ["expired_crl", "missing_crl"] {
            not_applicable(
                reader,
                name,
                "no list of what was revoked is given: `crl` is missing",
                "set `crl`",
            );
        }
        return;
    }
    // What is said for sites to inherit stands in the listener without being used there.
    if reader.has("sites") {
        return;
    }
    for name in ["authorities", "crl", "expired_crl", "missing_crl", "depth"] {
        not_applicable(
            reader,
            name,
            "clients are not asked for certificates here",
            "write client_auth = \"required\" (or \"optional\")",
        );
    }
}

fn not_applicable(reader: &Reader<'_>, name: &str, why: &str, mend: &str) {
    if let Some(span) = reader.key_span(name) {
        reader.push(
            Problem::error(Kind::NotApplicable, format!("`{name}` means nothing here"))
                .at(span, why)
                .help(format!("{mend}, or leave `{name}` out")),
        );
    }
}
