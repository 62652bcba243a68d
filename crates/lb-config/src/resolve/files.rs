//! Other files that the configuration names: each is read once, and remembered for whoever watches for changes.

use super::Context;
use crate::reader::Reader;
use crate::{Kind, Problem, Span};
use lb_tls::{Engine, SetClock};
use std::io;
use std::path::{Path, PathBuf};

/// A file and what it holds.
pub(super) type Content = (PathBuf, Vec<u8>);

impl Context<'_> {
    /// Notes that the plan is made from this file.
    pub(super) fn note_file(&self, path: &Path) {
        self.files.borrow_mut().insert(path.to_owned());
    }

    /// The files that were read, in order.
    pub(super) fn into_files(self) -> Vec<PathBuf> {
        self.files.into_inner().into_iter().collect()
    }

    /// What judges certificates, at the time that the environment says.
    pub(super) fn engine(&self) -> &Engine {
        self.engine
            .get_or_init(|| Engine::aws_lc(SetClock::at(self.environment.now())))
    }

    /// What tells these parts from others: SHA-256 over each with its length before it.
    pub(super) fn digest<'a>(&self, parts: impl Iterator<Item = [&'a [u8]; 2]>) -> [u8; 32] {
        let mut whole = Vec::new();
        for part in parts.flatten() {
            whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
            whole.extend_from_slice(part);
        }
        self.engine().crypto().sha256(&whole).unwrap_or_default()
    }

    /// The bytes of the file that `key` names. Reports one that cannot be read.
    pub(super) fn bytes(&self, reader: &Reader<'_>, key: &str, path: &Path, span: &Span) -> Option<Vec<u8>> {
        self.note_file(path);
        match self.environment.read_bytes(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                reader.push(
                    Problem::error(
                        Kind::UnreadableFile,
                        format!("`{key}` names a folder: {}", path.display()),
                    )
                    .at(span.clone(), "one file is meant here")
                    .help("write the path of a file in it"),
                );
                None
            }
            Err(error) => {
                report_unreadable(reader, key, path, span, &error);
                None
            }
        }
    }

    /// The file that `key` names, or all files of the folder that it names, in the order of their names: without hidden
    /// ones and without folders inside.
    pub(super) fn contents(&self, reader: &Reader<'_>, key: &str, path: &Path, span: &Span) -> Option<Vec<Content>> {
        self.note_file(path);
        match self.environment.read_bytes(path) {
            Ok(bytes) => Some(vec![(path.to_owned(), bytes)]),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => self.folder(reader, key, path, span),
            Err(error) => {
                report_unreadable(reader, key, path, span, &error);
                None
            }
        }
    }

    fn folder(&self, reader: &Reader<'_>, key: &str, folder: &Path, span: &Span) -> Option<Vec<Content>> {
        let mut paths = match self.environment.list(folder) {
            Ok(paths) => paths,
            Err(error) => {
                report_unreadable(reader, key, folder, span, &error);
                return None;
            }
        };
        paths.retain(|path| !is_hidden(path));
        paths.sort_unstable();
        if paths.len() > MOST_FILES {
            reader.push(
                Problem::error(
                    Kind::TooMany,
                    format!("folder {} holds {} files", folder.display(), paths.len()),
                )
                .at(span.clone(), format!("at most {MOST_FILES} are read")),
            );
            return None;
        }
        let mut contents = Vec::new();
        let mut good = true;
        for path in paths {
            match self.environment.read_bytes(&path) {
                Ok(bytes) => {
                    self.note_file(&path);
                    contents.push((path, bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
                Err(error) => {
                    self.note_file(&path);
                    report_unreadable(reader, key, &path, span, &error);
                    good = false;
                }
            }
        }
        good.then_some(contents)
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn report_unreadable(reader: &Reader<'_>, key: &str, path: &Path, span: &Span, error: &io::Error) {
    let problem = Problem::error(
        Kind::UnreadableFile,
        format!("the file \"{}\" of `{key}` cannot be read", path.display()),
    )
    .at(span.clone(), error.to_string());
    reader.push(match error.kind() {
        io::ErrorKind::PermissionDenied => {
            problem.help("the user that lbd runs as must be able to read it, and to enter every folder above it")
        }
        _ => problem,
    });
}

/// As many as elements of a list.
const MOST_FILES: usize = 10_000;
