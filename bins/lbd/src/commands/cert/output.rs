//! Files are written whole or not at all, never over another one unasked, and with a key only for their owner.

use super::Failure;
use std::fs::{self, File, OpenOptions};
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
pub(super) fn write(drafts: &[Draft<'_>], force: bool) -> Result<(), Failure> {
    let mut ready: Vec<Temporary<'_>> = Vec::new();
    for draft in drafts {
        if !force {
            refuse_existing(draft.path)?;
        }
        ready.push(prepare(draft).map_err(|error| cannot_write(draft.path, &error))?);
    }
    for temporary in &mut ready {
        let destination = temporary.destination;
        let named = if force {
            fs::rename(&temporary.path, destination)
        } else {
            // Unlike a rename, this fails if somebody made the file meanwhile.
            fs::hard_link(&temporary.path, destination)
        };
        match named {
            Ok(()) => temporary.is_named = force,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(destination)),
            Err(error) if !force && is_unsupported(&error) => {
                refuse_existing(destination)?;
                fs::rename(&temporary.path, destination).map_err(|error| cannot_write(destination, &error))?;
                temporary.is_named = true;
            }
            Err(error) => return Err(cannot_write(destination, &error)),
        }
    }
    Ok(())
}

/// Writes to standard output; a reader that went away is no failure.
pub(super) fn print(content: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(content).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Running(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A file beside its destination; removed on drop unless it got its name.
struct Temporary<'a> {
    path: PathBuf,
    destination: &'a Path,
    is_named: bool,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.is_named {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn prepare<'a>(draft: &Draft<'a>) -> io::Result<Temporary<'a>> {
    let mut name = std::ffi::OsString::from(".");
    name.push(draft.path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let path = draft.path.with_file_name(name);
    let mode = if draft.is_secret { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
    let temporary = Temporary {
        path,
        destination: draft.path,
        is_named: false,
    };
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
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

/// Is it a folder that can be written into?
pub(super) fn is_folder(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.metadata().is_ok_and(|metadata| metadata.is_dir()))
}
