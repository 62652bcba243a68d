//! Waiting for conditions, never for time to pass.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for something that should happen at once; generous, for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks `condition` again and again until it gives a value; panics with `what` after [`PATIENCE`].
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(elapsed(start) < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Waits until `value` has been the same for half a second, and gives it.
pub(crate) fn until_still<T: PartialEq>(what: &str, mut value: impl FnMut() -> T) -> T {
    let mut last = (value(), now());
    until(what, || {
        let current = value();
        if current != last.0 {
            last = (current, now());
        }
        (elapsed(last.1) > Duration::from_millis(500)).then(&mut value)
    })
}

/// The time; tests measure from outside what the program promises.
#[allow(
    clippy::disallowed_methods,
    reason = "a test of the whole program has no clock passed in"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Since `start`.
pub(crate) fn elapsed(start: Instant) -> Duration {
    now().saturating_duration_since(start)
}
