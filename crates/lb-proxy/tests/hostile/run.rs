//! Runs a table of exchanges on several threads and names all that fail, not only the first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Judges every case; panics with the list of those that failed.
pub(crate) fn each<T: Sync>(cases: &[T], name: impl Fn(&T) -> String + Sync, judge: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| judge(case))) {
                        let why = why
                            .downcast_ref::<String>()
                            .cloned()
                            .or_else(|| why.downcast_ref::<&str>().map(|s| (*s).to_owned()))
                            .unwrap_or_default();
                        failed.lock().unwrap().push(format!("{}: {why}", name(case)));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {} failed:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}

const THREADS: usize = 6;
