use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where a round has got to: one number that all workers of a pool advance together, so that
/// shares are exact over all of them. Stands alone on its cache lines.
///
/// It counts on for ever and starts again at 0 after 2^64 steps; a round under way is cut short
/// there, nothing else happens.
///
/// [`Tiers`](crate::Tiers) keep one round per tier, so there are eight of them; what is said here of
/// "the" step is about the first. Schedulers that hold a bound keep their sums beside the rounds.
#[derive(Debug, Default)]
#[repr(align(128))] // as for `Load`
pub struct Cursor {
    rounds: [AtomicU64; LANES],
    notes: [AtomicU64; NOTES],
}

impl Cursor {
    /// A cursor before its first step.
    #[must_use]
    pub const fn new() -> Self {
        Self::at(0)
    }

    /// A cursor whose next step is number `step`.
    #[must_use]
    pub const fn at(step: u64) -> Self {
        let mut rounds = [const { AtomicU64::new(0) }; LANES];
        rounds[0] = AtomicU64::new(step);
        Self {
            rounds,
            notes: [const { AtomicU64::new(0) }; NOTES],
        }
    }

    /// The number of the next step, without taking it.
    #[must_use]
    pub fn peek(&self) -> u64 {
        self.peek_in(Lane::FIRST)
    }

    /// Takes a step and says its number. One atomic addition; no two callers get the same step.
    #[allow(clippy::should_implement_trait)] // it never ends, and it needs no `&mut`
    pub fn next(&self) -> u64 {
        self.next_in(Lane::FIRST)
    }

    /// Leaves out `steps` steps that nobody could use.
    pub fn skip(&self, steps: u64) {
        self.skip_in(Lane::FIRST, steps);
    }

    /// Advances by `steps` if nobody has moved the cursor since it stood at `seen`.
    pub fn advance_from(&self, seen: u64, steps: u64) {
        self.advance_in(Lane::FIRST, seen, steps);
    }

    pub(crate) fn peek_in(&self, lane: Lane) -> u64 {
        self.round(lane).load(Relaxed)
    }

    pub(crate) fn next_in(&self, lane: Lane) -> u64 {
        self.round(lane).fetch_add(1, Relaxed)
    }

    pub(crate) fn skip_in(&self, lane: Lane, steps: u64) {
        self.round(lane).fetch_add(steps, Relaxed);
    }

    pub(crate) fn advance_in(&self, lane: Lane, seen: u64, steps: u64) {
        // if somebody else moved it, their step counts: two at once would leave out a turn
        let _ = self
            .round(lane)
            .compare_exchange(seen, seen.wrapping_add(steps), Relaxed, Relaxed);
    }

    /// Takes back a step that found nobody, unless somebody took the next one meanwhile.
    pub(crate) fn untake_in(&self, lane: Lane, step: u64) {
        self.advance_in(lane, step.wrapping_add(1), u64::MAX);
    }

    /// What the table with this tag noted last.
    pub(crate) fn note(&self, tag: usize) -> &AtomicU64 {
        &self.notes[tag % NOTES]
    }

    fn round(&self, lane: Lane) -> &AtomicU64 {
        &self.rounds[lane.0 % LANES]
    }
}

/// Which of a cursor's rounds a table takes its turns from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lane(usize);

impl Lane {
    pub(crate) const FIRST: Self = Self(0);

    /// Tiers beyond the last lane share it.
    pub(crate) fn of_tier(tier: usize) -> Self {
        Self(tier.min(LANES - 1))
    }
}

/// With the notes, two lines of 64 bytes: what a cursor takes up anyway.
const LANES: usize = 8;
const NOTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_taken_back_only_if_it_was_the_last() {
        let cursor = Cursor::at(u64::MAX);
        let step = cursor.next();
        cursor.untake_in(Lane::FIRST, step);
        assert_eq!(cursor.peek(), u64::MAX);
        let step = cursor.next();
        cursor.next();
        cursor.untake_in(Lane::FIRST, step);
        assert_eq!(cursor.peek(), 1);
    }

    #[test]
    fn a_cursor_fills_its_lines_and_no_more() {
        assert_eq!(size_of::<Cursor>(), 128);
        assert_eq!(Lane::of_tier(100), Lane::of_tier(7));
    }
}
