//! Files that the configuration was made from: certificates, keys, lists. Whoever renews them tells nobody, so they are looked
//! at every two seconds; what has changed is loaded when it has stayed the same for one look more, because many programs write a
//! file in pieces or one file after the other.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    /// As they were loaded.
    loaded: Vec<Stamp>,
    /// As they were seen last, when that was something else.
    changed: Option<Vec<Stamp>>,
    next: Option<Instant>,
    look: Option<JoinHandle<Vec<Stamp>>>,
}

/// What tells one state of a file, or of all files in a folder, from another; empty: there is none.
type Stamp = Vec<(u64, u64, u64, i64, i64)>;

impl Files {
    /// These are watched from now on. What was seen of them before they were loaded is what was loaded; of the others, what
    /// they are now.
    pub(super) fn watch(&mut self, paths: Vec<PathBuf>, before: &Stamps) {
        // What a look under way sees is of the former ones.
        self.look = None;
        self.loaded = paths
            .iter()
            .map(|path| before.0.get(path).cloned().unwrap_or_else(|| stamp(path)))
            .collect();
        self.changed = None;
        self.next = (!paths.is_empty()).then(|| Instant::now() + PAUSE);
        self.paths = paths;
    }

    /// Those that are watched, for whoever is about to load them.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.paths.clone()
    }

    /// Ready when they have changed, and have stayed so for a moment; never, when there are none.
    pub(super) async fn changed(&mut self) {
        loop {
            let Some(next) = self.next else {
                return std::future::pending().await;
            };
            if self.look.is_none() {
                sleep_until(next).await;
                let paths = self.paths.clone();
                // A file system over a network may take its time.
                self.look = Some(tokio::task::spawn_blocking(move || {
                    paths.iter().map(|path| stamp(path)).collect()
                }));
            }
            let Some(look) = &mut self.look else { continue };
            let seen = look.await;
            self.look = None;
            self.next = Some(Instant::now() + PAUSE);
            let Ok(seen) = seen else { continue };
            if seen == self.loaded {
                self.changed = None;
            } else if self.changed.as_ref() == Some(&seen) {
                // Said once: what cannot be loaded is not tried again before it changes.
                self.loaded = seen;
                self.changed = None;
                return;
            } else {
                self.changed = Some(seen);
            }
        }
    }
}

/// What files were like at a moment.
#[derive(Debug, Default)]
pub(super) struct Stamps(HashMap<PathBuf, Stamp>);

impl Stamps {
    /// Of now; looks at each of them.
    pub(super) fn of(paths: Vec<PathBuf>) -> Self {
        let stamped = paths.into_iter().map(|path| {
            let stamp = stamp(&path);
            (path, stamp)
        });
        Self(stamped.collect())
    }
}

fn stamp(path: &Path) -> Stamp {
    let Ok(metadata) = fs::metadata(path) else {
        return Vec::new();
    };
    let mut stamps = vec![of(&metadata)];
    if metadata.is_dir()
        && let Ok(entries) = fs::read_dir(path)
    {
        let files = entries.flatten().filter_map(|entry| fs::metadata(entry.path()).ok());
        stamps.extend(files.map(|metadata| of(&metadata)));
        stamps.sort_unstable();
    }
    stamps
}

fn of(metadata: &Metadata) -> (u64, u64, u64, i64, i64) {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
    )
}

/// So often they are looked at.
const PAUSE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_replaced_written_to_or_gone_shows() {
        let folder = std::env::temp_dir().join(format!("lbd-files-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("one.pem");
        let mut seen = vec![stamp(&folder), stamp(&file)];
        let mut is_new = |what: &str| {
            let now = vec![stamp(&folder), stamp(&file)];
            assert_ne!(now, seen, "{what}");
            seen = now;
        };
        fs::write(&file, "a").unwrap();
        is_new("written");
        fs::write(&file, "ab").unwrap();
        is_new("longer");
        fs::write(folder.join("two.pem"), "ab").unwrap();
        fs::rename(folder.join("two.pem"), &file).unwrap();
        is_new("replaced");
        fs::remove_file(&file).unwrap();
        is_new("gone");
        assert_eq!(stamp(&file), Stamp::new());
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(stamp(&folder), Stamp::new());
    }
}
