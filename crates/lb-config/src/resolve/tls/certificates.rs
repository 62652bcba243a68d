//! Certificates and keys.

use crate::plan::{Certificates, Made};
use crate::reader::Reader;
use crate::resolve::Context;
use crate::resolve::files::Content;
use crate::{Kind, Problem, Span};
use lb_tls::lb_cert::{ReadErrorKind, ReadOptions};
use lb_tls::{File, LoadError, LoadOptions, Loaded, Note, Password, Severity, lb_cert};
use std::path::{Path, PathBuf};

/// To whom certificates are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Clients,
    Backends,
}

/// `certificates` and `password_file`, from what holds further out.
pub(super) fn read(context: &Context<'_>, reader: &Reader<'_>, outer: &Certificates, to: To) -> Certificates {
    let paths = reader.paths("certificates");
    let password = reader.path("password_file");
    let has_own = paths.as_ref().is_some() || password.as_ref().is_some();
    if !has_own {
        return outer.clone();
    }
    let places: Vec<(PathBuf, Span)> = match (paths.as_ref(), password.as_ref()) {
        (Some((paths, _)), _) => paths.clone(),
        (None, Some((_, span))) => outer.paths.iter().map(|path| (path.clone(), span.clone())).collect(),
        (None, None) => Vec::new(),
    };
    if let (true, Some((_, span))) = (places.is_empty() && paths.is_missing(), password.as_ref())
        && !reader.has_unknown()
    {
        reader.push(
            Problem::error(Kind::NotApplicable, "`password_file` without `certificates`")
                .at(span.clone(), "there is nothing that it opens")
                .help("set `certificates`, or leave `password_file` out"),
        );
    }
    let (password_file, password) = match password.as_ref() {
        Some((path, span)) => (Some(path.clone()), Some(context.password(reader, path, span))),
        None => (
            outer.password_file.clone(),
            outer
                .password_file
                .as_ref()
                .map(|path| context.password(reader, path, &reader.span())),
        ),
    };
    let made = match password {
        // Reported already.
        Some(None) => None,
        _ if places.is_empty() => None,
        password => load(context, reader, &places, password.flatten(), to),
    };
    Certificates {
        paths: places.into_iter().map(|(path, _)| path).collect(),
        password_file,
        made,
    }
}

impl Context<'_> {
    /// The password in a file, without the end of its line.
    fn password(&self, reader: &Reader<'_>, path: &Path, span: &Span) -> Option<Password> {
        let mut bytes = self.bytes(reader, "password_file", path, span)?;
        while let Some(b'\n' | b'\r') = bytes.last() {
            bytes.pop();
        }
        if bytes.is_empty() {
            reader.push(
                Problem::error(
                    Kind::BadSecret,
                    format!("the password file \"{}\" is empty", path.display()),
                )
                .at(span.clone(), "the password must stand in it"),
            );
            return None;
        }
        Some(Password::new(bytes))
    }
}

fn load(
    context: &Context<'_>,
    reader: &Reader<'_>,
    places: &[(PathBuf, Span)],
    password: Option<Password>,
    to: To,
) -> Option<Made<Loaded>> {
    let mut files: Vec<(String, Vec<u8>, Span)> = Vec::new();
    let mut good = true;
    for (path, span) in places {
        let Some(contents) = context.contents(reader, "certificates", path, span) else {
            good = false;
            continue;
        };
        let from_folder = contents.first().is_none_or(|(first, _)| first != path);
        let kept = contents
            .into_iter()
            .filter(|content| !from_folder || is_of_use(content, password.as_ref()));
        let kept: Vec<_> = kept
            .map(|(path, bytes)| (path.display().to_string(), bytes, span.clone()))
            .collect();
        if kept.is_empty() {
            good = false;
            reader.push(
                Problem::error(
                    Kind::BadCertificate,
                    format!("no certificate and no key in the folder {}", path.display()),
                )
                .at(span.clone(), "its files hold something else, or begin with a dot"),
            );
        }
        files.extend(kept);
    }
    if !good {
        return None;
    }
    let digest = context.digest(
        files
            .iter()
            .map(|(label, bytes, _)| [label.as_bytes(), bytes.as_slice()])
            .chain(password.as_ref().map(|password| [b"".as_slice(), password.bytes()])),
    );
    if let Some(made) = context.loaded.borrow().get(&digest) {
        return Some(made.clone());
    }
    let given = files.iter().map(|(label, bytes, _)| File {
        label,
        bytes,
        password: password.clone(),
    });
    match lb_tls::load(given, &LoadOptions::default(), context.engine()) {
        Ok(loaded) => {
            report_notes(reader, &loaded, &files, to);
            let made = Made::new(digest, loaded);
            context.loaded.borrow_mut().insert(digest, made.clone());
            Some(made)
        }
        Err(error) => {
            report(reader, &error, &files);
            None
        }
    }
}

/// Is there a certificate or a key in it, or something that is meant to be one? Folders hold other files too.
fn is_of_use((path, bytes): &Content, password: Option<&Password>) -> bool {
    let passwords: Vec<Password> = password.cloned().into_iter().collect();
    let label = path.display().to_string();
    match lb_cert::read(&label, bytes, &ReadOptions::with_passwords(&passwords)) {
        Ok(contents) => !contents.certificates.is_empty() || !contents.keys.is_empty(),
        Err(error) => error.kind() != ReadErrorKind::NothingOfUse && looks_like_one(path, bytes),
    }
}

/// Of what cannot be read, this may have been meant for a certificate or a key; a README is not.
fn looks_like_one(path: &Path, bytes: &[u8]) -> bool {
    const ENDINGS: [&str; 11] = [
        "pem", "crt", "cer", "cert", "der", "key", "p7b", "p7c", "p8", "pfx", "p12",
    ];
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
        || bytes.windows(BEGIN.len()).any(|window| window == BEGIN)
}

/// Where the file stands in the configuration that a message begins with.
pub(super) fn place<'a>(message: &str, files: &'a [(String, Vec<u8>, Span)]) -> Option<&'a Span> {
    let named = files.iter().filter(|(label, ..)| message.starts_with(label.as_str()));
    let longest = named.max_by_key(|(label, ..)| label.len());
    longest.or(files.first()).map(|(_, _, span)| span)
}

fn report(reader: &Reader<'_>, error: &LoadError, files: &[(String, Vec<u8>, Span)]) {
    let message = error.to_string();
    let span = place(&message, files).cloned().unwrap_or_else(|| reader.span());
    reader.push(
        Problem::error(Kind::BadCertificate, message)
            .at(span, "these files cannot be served")
            .help(error.mend()),
    );
}

fn report_notes(reader: &Reader<'_>, loaded: &Loaded, files: &[(String, Vec<u8>, Span)], to: To) {
    for note in loaded
        .notes
        .iter()
        .filter(|note| to == To::Clients || !is_of_servers(note))
    {
        let label = match note.severity() {
            Severity::Error if to == To::Clients => "clients refuse it",
            Severity::Error => "backends refuse it",
            Severity::Warning => "it is used all the same",
            _ => continue,
        };
        let message = match note {
            Note::Finding(finding) => match &finding.place {
                Some(place) => format!("{place}: {}", finding.what),
                None => finding.what.clone(),
            },
            note => note.to_string(),
        };
        let span = place(&message, files).cloned().unwrap_or_else(|| reader.span());
        reader.push(
            Problem::warning(Kind::DoubtfulCertificate, message)
                .at(span, label)
                .help(note.mend()),
        );
    }
}

/// Does it matter only when the certificate is a server's?
fn is_of_servers(note: &Note) -> bool {
    match note {
        Note::Nameless { .. } | Note::CommonNameOnly { .. } | Note::OddName { .. } => true,
        Note::Finding(finding) => finding.id == "not-for-servers",
        _ => false,
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
