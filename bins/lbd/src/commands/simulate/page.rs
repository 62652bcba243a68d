//! Writes the page with the plots.

use super::Failure;
use lb_doctor::report::is_page;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Writes `page`; over another page of ours unasked, over anything else only with `force`.
pub(crate) fn write(path: &Path, page: &str, force: bool) -> Result<(), Failure> {
    let failure = |error: std::io::Error| Failure::Running(format!("cannot write {}: {error}", path.display()));
    if !force {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                let old = fs::read(path).map_err(failure)?;
                if !old.is_empty() && !is_page(&old) {
                    return Err(Failure::Running(format!(
                        "{} is no page of lbd and is left as it is; --force writes over it",
                        path.display()
                    )));
                }
            }
            Ok(metadata) if metadata.is_dir() => {
                return Err(Failure::Running(format!(
                    "{} is a folder; give the name of a file in it",
                    path.display()
                )));
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failure(error)),
            _ => {}
        }
    }
    fs::write(path, page).map_err(failure)
}
