//! A folder: its files are read, its sub-folders are not entered.

use super::input::{self, Input, Opener};
use super::{Failure, count};
use lb_cert::{Note, NoteKind, Place, ReadErrorKind};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads the files of a folder in the order of their names, each once however many links lead to it. The answer is what
/// is damaged, locked or in a form that is not read here; what is no certificate at all is noted.
pub(super) fn read(folder: &Path, opener: &mut Opener, input: &mut Input) -> Result<Vec<Failure>, Failure> {
    let mut unread = Vec::new();
    let (mut seen, mut folders, mut total) = (HashSet::new(), 0, 0u64);
    let before = input.files.len();
    for path in names(folder)? {
        let name = input::name(&path);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                unread.push(Failure::Running(format!("cannot read {name}: {error}")));
                continue;
            }
        };
        if metadata.is_dir() {
            folders += 1;
        } else if !metadata.is_file() {
            // Opening a pipe would wait for its other end.
            note(input, &name, "a pipe, socket or device");
        } else if seen.insert((metadata.dev(), metadata.ino())) {
            total = total.saturating_add(metadata.len());
            if total > MOST_BYTES {
                return Err(Failure::Unsupported(format!(
                    "the files of {} have more than {MOST_BYTES} bytes together\n  mend: name the files that matter",
                    folder.display()
                )));
            }
            one(&path, name, opener, input, &mut unread)?;
        }
    }
    if folders > 0 {
        let what = count(folders, "sub-folder");
        note(input, &folder.display().to_string(), &format!("{what}, not entered"));
    }
    if input.files.len() == before && unread.is_empty() {
        return Err(Failure::Refused(format!(
            "{} holds no certificate, key or revocation list",
            folder.display()
        )));
    }
    Ok(unread)
}

fn one(
    path: &Path,
    name: String,
    opener: &mut Opener,
    input: &mut Input,
    unread: &mut Vec<Failure>,
) -> Result<(), Failure> {
    let bytes = match input::bytes(path) {
        Ok(bytes) => bytes,
        Err(failure) => {
            unread.push(failure);
            return Ok(());
        }
    };
    match input::contents(&name, &bytes, opener)? {
        Ok(contents) => {
            if let Err(failure) = input::add(name, contents, input) {
                unread.push(failure);
            }
        }
        Err(error) if bytes.is_empty() || error.kind() == ReadErrorKind::NothingOfUse => {
            note(input, &name, &error.problem.to_string());
        }
        Err(error) => unread.push(Failure::unread(&error)),
    }
    Ok(())
}

/// The paths of what lies in the folder, by name.
fn names(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let cannot = |error| Failure::Running(format!("cannot read the folder {}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        if paths.len() == MOST_ENTRIES {
            return Err(Failure::Unsupported(format!(
                "{} holds more than {MOST_ENTRIES} files\n  mend: name the files that matter",
                folder.display()
            )));
        }
        paths.push(entry.map_err(cannot)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn note(input: &mut Input, name: &str, why: &str) {
    let source: Arc<str> = name.into();
    input.notes.push(Note {
        place: Place::whole(&source),
        kind: NoteKind::NotRead { why: why.into() },
    });
}

/// A store of roots with a link for each hash has some 400; more is somebody's home.
const MOST_ENTRIES: usize = 1_000;
/// As much as one file may have.
const MOST_BYTES: u64 = 64 << 20;
