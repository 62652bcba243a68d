use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where a round has got to: one number that all workers of a pool advance together, so that
/// shares are exact over all of them. Stands alone on its cache lines.
///
/// It counts on for ever and starts again at 0 after 2^64 steps; a round under way is cut short
/// there, nothing else happens.
#[derive(Debug, Default)]
#[repr(align(128))] // as for `Load`
pub struct Cursor(AtomicU64);

impl Cursor {
    /// A cursor before its first step.
    #[must_use]
    pub const fn new() -> Self {
        Self::at(0)
    }

    /// A cursor whose next step is number `step`.
    #[must_use]
    pub const fn at(step: u64) -> Self {
        Self(AtomicU64::new(step))
    }

    /// The number of the next step, without taking it.
    #[must_use]
    pub fn peek(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Takes a step and says its number. One atomic addition; no two callers get the same step.
    #[allow(clippy::should_implement_trait)] // it never ends, and it needs no `&mut`
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Relaxed)
    }

    /// Leaves out `steps` steps that nobody could use.
    pub fn skip(&self, steps: u64) {
        self.0.fetch_add(steps, Relaxed);
    }

    /// Advances by `steps` if nobody has moved the cursor since it stood at `seen`.
    pub fn advance_from(&self, seen: u64, steps: u64) {
        // if somebody else moved it, their step counts: two at once would leave out a turn
        let _ = self
            .0
            .compare_exchange(seen, seen.wrapping_add(steps), Relaxed, Relaxed);
    }
}
