//! Files are written whole or not at all, never over another one unasked, and with a key only for their owner.

use super::Failure;
use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// One file to be written.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) path: &'a Path,
    pub(super) content: &'a [u8],
    /// Holds a private key: mode 0600, whatever the umask and the file that was there say.
    pub(super) is_secret: bool,
}

/// Writes all drafts or none: every one is written beside its destination and flushed before the first gets its name.
/// One whose path is [`STANDARD`] goes to standard output.
pub(super) fn write(drafts: &[Draft<'_>], force: bool) -> Result<(), Failure> {
    if let [draft] = drafts
        && is_standard(draft.path)
    {
        if draft.is_secret && is_terminal() {
            return Err(Failure::Usage(
                "a private key is not shown on a terminal: name a file with --out, or send the output into one"
                    .to_owned(),
            ));
        }
        return print(draft.content);
    }
    let mut ready = Vec::new();
    for draft in drafts {
        let destination = destination(draft.path, force)?;
        let temporary = prepare(draft, &destination).map_err(|error| cannot_write(draft.path, &error))?;
        ready.push((temporary, destination));
    }
    let mut made: Vec<PathBuf> = Vec::new();
    for (mut temporary, destination) in ready {
        match temporary.take_name(&destination, force) {
            Ok(()) if force => {}
            Ok(()) => made.push(destination),
            Err(failure) => {
                // Without --force these files were not there before.
                for path in made {
                    let _ = fs::remove_file(path);
                }
                return Err(failure);
            }
        }
    }
    Ok(())
}

/// Where the content goes: behind a link, its target; never to a device or a pipe, which a rename would replace.
fn destination(path: &Path, force: bool) -> Result<PathBuf, Failure> {
    if !force {
        refuse_existing(path)?;
        return Ok(path.to_path_buf());
    }
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(Failure::Running(format!(
            "{} is not a file; without --out, text goes to standard output",
            path.display()
        ))),
        Ok(_) => fs::canonicalize(path).map_err(|error| cannot_write(path, &error)),
        Err(_) => Ok(path.to_path_buf()),
    }
}

/// Writes to standard output; a reader that went away is no failure.
pub(super) fn print(content: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(content).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Running(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The path that stands for standard output. A file of that name is written as `./-`.
pub(super) const STANDARD: &str = "-";

/// Does this path stand for standard output?
pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == STANDARD
}

/// What is said of the work: to standard output, or to standard error when that one has the result.
pub(super) fn say(text: &str, is_taken: bool) -> Result<(), Failure> {
    if is_taken {
        eprint!("{text}");
        return Ok(());
    }
    print(text.as_bytes())
}

pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A file beside its destination; removed on drop unless it got its name.
struct Temporary {
    path: PathBuf,
    is_named: bool,
}

impl Temporary {
    fn take_name(&mut self, destination: &Path, force: bool) -> Result<(), Failure> {
        if !force {
            // Unlike a rename, this fails if somebody made the file meanwhile.
            match fs::hard_link(&self.path, destination) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(destination)),
                Err(error) if is_unsupported(&error) => refuse_existing(destination)?,
                Err(error) => return Err(cannot_write(destination, &error)),
            }
        }
        fs::rename(&self.path, destination).map_err(|error| cannot_write(destination, &error))?;
        self.is_named = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_named {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn prepare(draft: &Draft<'_>, destination: &Path) -> io::Result<Temporary> {
    let name = destination
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this names no file"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    let path = destination.with_file_name(hidden);
    let mode = if draft.is_secret { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
    let temporary = Temporary { path, is_named: false };
    if draft.is_secret {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    file.write_all(draft.content)?;
    file.sync_all()?;
    Ok(temporary)
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    // Also a link that leads nowhere.
    match fs::symlink_metadata(path) {
        Ok(_) => Err(exists(path)),
        Err(_) => Ok(()),
    }
}

fn exists(path: &Path) -> Failure {
    Failure::Running(format!(
        "{} exists and is left as it is; --force writes over it",
        path.display()
    ))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Running(format!("cannot write {}: {error}", path.display()))
}

/// File systems without hard links.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}

/// Is it an existing folder?
pub(super) fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
