//! What is asked of clients.

use super::accepts;
use super::certificates::place;
use crate::field::Field;
use crate::plan::{ClientAuth, Made};
use crate::reader::Reader;
use crate::resolve::{Context, whole};
use crate::{Kind, Problem, Span};
use lb_tls::File;
use lb_tls::client_auth::{Authorities, AuthorityNote, ClientAuthMode, OnFailure, RevocationLists, RevocationPolicy};
use std::path::PathBuf;

/// What is asked of clients, and what holds further out where nothing is said.
pub(super) fn read(context: &Context<'_>, reader: &Reader<'_>, outer: &ClientAuth) -> ClientAuth {
    let mode = reader.word("client_auth").map(|word| match word {
        "required" => ClientAuthMode::Required,
        "optional" => ClientAuthMode::Optional,
        _ => ClientAuthMode::None,
    });
    let (authorities, crl) = (reader.paths("authorities"), reader.paths("crl"));
    let list = |field: &Field<Vec<Placed>>, outer: &[PathBuf]| match field.as_ref() {
        Some((placed, _)) => placed.iter().map(|(path, _)| path.clone()).collect(),
        None => outer.to_vec(),
    };
    let mut auth = ClientAuth {
        mode: mode.clone().value().unwrap_or(outer.mode),
        authorities: list(&authorities, &outer.authorities),
        crl: list(&crl, &outer.crl),
        accepts_expired_crl: accepts(reader, "expired_crl").unwrap_or(outer.accepts_expired_crl),
        accepts_missing_crl: accepts(reader, "missing_crl").unwrap_or(outer.accepts_missing_crl),
        depth: whole(reader.integer("depth"), outer.depth),
        made_authorities: None,
        made_lists: None,
    };
    report(reader, &mode, &authorities, &crl, &auth);
    // Read also where nobody is asked yet: a broken file is an error wherever it is named.
    let place = mode.span().cloned().unwrap_or_else(|| reader.span());
    let placed = |field: Field<Vec<Placed>>, inherited: &[PathBuf]| match field {
        Field::Is(placed, _) => placed,
        Field::Missing => inherited.iter().map(|path| (path.clone(), place.clone())).collect(),
        Field::Broken => Vec::new(),
    };
    let authorities = placed(authorities, &auth.authorities);
    let crl = placed(crl, &auth.crl);
    auth.made_authorities = context.authorities(reader, "authorities", &authorities);
    auth.made_lists = lists(context, reader, &crl, &auth);
    auth
}

/// A path and where it stands.
type Placed = (PathBuf, Span);

/// The contents of files, each with its label and its place in the configuration; `None` when one cannot be read.
fn read_files(
    context: &Context<'_>,
    reader: &Reader<'_>,
    key: &str,
    paths: &[Placed],
) -> Option<Vec<(String, Vec<u8>, Span)>> {
    let read = paths.iter().map(|(path, span)| {
        let bytes = context.bytes(reader, key, path, span)?;
        Some((path.display().to_string(), bytes, span.clone()))
    });
    // All of them, so that each is reported.
    let read: Vec<_> = read.collect();
    read.into_iter()
        .collect::<Option<Vec<_>>>()
        .filter(|files| !files.is_empty())
}

fn given(files: &[(String, Vec<u8>, Span)]) -> impl Iterator<Item = File<'_>> {
    files.iter().map(|(label, bytes, _)| File {
        label,
        bytes,
        password: None,
    })
}

impl Context<'_> {
    /// The authorities in these files.
    pub(super) fn authorities(&self, reader: &Reader<'_>, key: &str, paths: &[Placed]) -> Option<Made<Authorities>> {
        let files = read_files(self, reader, key, paths)?;
        let digest = self.digest(
            files
                .iter()
                .map(|(label, bytes, _)| [label.as_bytes(), bytes.as_slice()]),
        );
        if let Some(made) = self.authorities.borrow().get(&digest) {
            return Some(made.clone());
        }
        match Authorities::read(given(&files), self.engine()) {
            Ok(authorities) => {
                for note in authorities.notes() {
                    report_note(reader, key, note, &files);
                }
                let made = Made::new(digest, authorities);
                self.authorities.borrow_mut().insert(digest, made.clone());
                Some(made)
            }
            Err(error) => {
                let message = error.to_string();
                let span = place(&message, &files).cloned().unwrap_or_else(|| reader.span());
                reader.push(
                    Problem::error(Kind::BadCertificate, message)
                        .at(span, format!("`{key}` needs certificates of authorities"))
                        .help("give the certificate of the authority itself, as PEM or DER: the one that says of itself CA:TRUE"),
                );
                None
            }
        }
    }
}

fn report_note(reader: &Reader<'_>, key: &str, note: &AuthorityNote, files: &[(String, Vec<u8>, Span)]) {
    let message = note.to_string();
    let span = place(&message, files).cloned().unwrap_or_else(|| reader.span());
    reader.push(
        Problem::warning(Kind::DoubtfulCertificate, message).at(span, format!("stands among `{key}` all the same")),
    );
}

/// The lists of what was revoked.
fn lists(
    context: &Context<'_>,
    reader: &Reader<'_>,
    paths: &[Placed],
    auth: &ClientAuth,
) -> Option<Made<RevocationLists>> {
    let files = read_files(context, reader, "crl", paths)?;
    let policy = RevocationPolicy::new(
        on_failure(auth.accepts_expired_crl),
        on_failure(auth.accepts_missing_crl),
    );
    let flags = [u8::from(auth.accepts_expired_crl), u8::from(auth.accepts_missing_crl)];
    let parts = files
        .iter()
        .map(|(label, bytes, _)| [label.as_bytes(), bytes.as_slice()]);
    let digest = context.digest(parts.chain([[b"".as_slice(), &flags]]));
    if let Some(made) = context.lists.borrow().get(&digest) {
        return Some(made.clone());
    }
    match RevocationLists::read(given(&files), policy, context.engine()) {
        Ok(lists) => {
            for stale in lists.stale(context.environment.now()) {
                let message = stale.to_string();
                let span = place(&message, &files).cloned().unwrap_or_else(|| reader.span());
                reader.push(
                    Problem::warning(Kind::DoubtfulCertificate, message)
                        .at(span, "what has been revoked since is not in it")
                        .help("fetch the authority's list again, and before it expires the next time"),
                );
            }
            let made = Made::new(digest, lists);
            context.lists.borrow_mut().insert(digest, made.clone());
            Some(made)
        }
        Err(error) => {
            let message = error.to_string();
            let span = place(&message, &files).cloned().unwrap_or_else(|| reader.span());
            reader
                .push(Problem::error(Kind::BadCertificate, message).at(span, "`crl` needs a list of what was revoked"));
            None
        }
    }
}

const fn on_failure(accepts: bool) -> OnFailure {
    if accepts {
        OnFailure::FailOpen
    } else {
        OnFailure::FailClosed
    }
}

fn report(
    reader: &Reader<'_>,
    mode: &Field<ClientAuthMode>,
    authorities: &Field<Vec<Placed>>,
    crl: &Field<Vec<Placed>>,
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
