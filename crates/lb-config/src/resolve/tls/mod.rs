//! TLS, on both sides.

mod certificates;
mod client_auth;
mod pool;
mod site;

pub(super) use pool::{backend_name, read as read_pool};
pub(super) use site::name as check_site_name;

use super::{Context, whole};
use crate::plan::{Made, ServerTls};
use crate::reader::Reader;
use crate::schema::{TLS, Value};
use crate::usual;
use crate::{Kind, Problem, Span};
use lb_tls::tickets::TicketSecret;
use lb_tls::{Version, Versions};
use std::path::Path;

/// What a listener says of TLS; `None`: it speaks none.
pub(super) fn read(context: &Context<'_>, listener: &Reader<'_>) -> Option<ServerTls> {
    let reader = listener.table("tls", &TLS).value()?;
    let errors = reader.errors();
    let default = site::read_default(context, &reader);
    let sites = site::read_all(context, &reader, &default);
    if default.certificates.paths.is_empty() && sites.is_empty() && reader.errors() == errors && !reader.has_unknown() {
        reader.push(
            Problem::error(Kind::MissingKey, "`certificates` is missing in `listeners.tls`")
                .at(reader.span(), "`certificates` must be set here")
                .help("for example certificates = \"/etc/lbd/tls\", a file or a folder of them, keys included"),
        );
    }
    let secret = reader.path("ticket_secret_file");
    let ticket_secret = secret
        .as_ref()
        .and_then(|(path, span)| ticket_secret(context, &reader, path, span));
    Some(ServerTls {
        sites,
        strict_sni: reader.boolean("strict_sni").value().unwrap_or(false),
        server_order: reader.boolean("server_order").value().unwrap_or(true),
        ticket_secret_file: secret.value(),
        ticket_secret,
        ticket_lifetime: reader
            .duration("ticket_lifetime")
            .value()
            .unwrap_or_else(|| usual::duration(&TLS, "ticket_lifetime")),
        session_cache: whole(
            reader.integer("session_cache"),
            usize::try_from(usual::number(&TLS, "session_cache")).unwrap_or(0),
        ),
        default,
    })
}

/// The secret of session tickets. Bytes, of which the last may be the end of a line.
fn ticket_secret(context: &Context<'_>, reader: &Reader<'_>, path: &Path, span: &Span) -> Option<Made<TicketSecret>> {
    let bytes = context.bytes(reader, "ticket_secret_file", path, span)?;
    let digest = context.digest([[b"tickets".as_slice(), &bytes]].into_iter());
    match TicketSecret::from_bytes(&bytes) {
        Ok(secret) => Some(Made::new(digest, secret)),
        Err(error) => {
            reader.push(
                Problem::error(Kind::BadSecret, format!("{}: {error}", path.display()))
                    .at(span.clone(), "whoever guesses it reads what clients say"),
            );
            None
        }
    }
}

/// `min_version` and `max_version`, from what holds further out.
fn versions(reader: &Reader<'_>, outer: Versions) -> Versions {
    let version = |name| {
        reader.word(name).map(|word| match word {
            "1.3" => Version::Tls13,
            _ => Version::Tls12,
        })
    };
    let (min, max) = (version("min_version"), version("max_version"));
    let from = min.clone().value().unwrap_or(outer.min());
    let to = max.clone().value().unwrap_or(outer.max());
    if let Some(versions) = Versions::new(from, to) {
        return versions;
    }
    let (place, label) = match (max.span(), min.span()) {
        (Some(place), _) => (place.clone(), "this is older"),
        (None, Some(place)) => (place.clone(), "this is newer"),
        // Both were good further out.
        (None, None) => return outer,
    };
    reader.push(
        Problem::error(
            Kind::ConflictingKeys,
            "`min_version` is above `max_version`: nothing could be spoken",
        )
        .at(place, label)
        .help("leave `max_version` out: 1.3 is the newest"),
    );
    outer
}

/// The word `accept`, of keys that hold it or `refuse`.
fn accepts(reader: &Reader<'_>, name: &'static str) -> Option<bool> {
    debug_assert!(matches!(
        reader.section().key(name).map(|key| key.value),
        Some(Value::Word(_))
    ));
    reader.word(name).value().map(|word| word == "accept")
}
