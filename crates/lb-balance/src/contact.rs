use lb_health::Cause;
use lb_types::{Slot, Time};
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Does a backend take connections? What all workers found when they tried; shared by every snapshot that knows it.
///
/// One that refused is passed over for a while: at first a second, then an eighth of the time for which it has refused
/// by now, at most 30 s. When that is over one request tries it; the others go on elsewhere until it is known
/// how that went. Relaxed atomics, written only while something is wrong.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Contact {
    since: AtomicU64, // nanoseconds + 1; 0: it takes connections
    until: AtomicU64, // nanoseconds
    refusal: AtomicU8,
}

/// How a connection to a backend was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing listens on the port.
    Refused,
    /// The network knows no way to it.
    Unreachable,
    /// It was cut while it was being made.
    Reset,
    /// Nobody answered in time.
    Timeout,
}

impl Refusal {
    /// Did it come at once, at no price but the attempt? Then the request may go on to another backend, whatever
    /// its retries have cost before.
    #[must_use]
    pub const fn is_free(self) -> bool {
        !matches!(self, Self::Timeout)
    }

    /// As a probe would name it.
    #[must_use]
    pub const fn cause(self) -> Cause {
        match self {
            Self::Refused => Cause::Refused,
            Self::Unreachable => Cause::Unreachable,
            Self::Reset => Cause::Reset,
            Self::Timeout => Cause::Timeout,
        }
    }
}

/// A backend that refuses connections, for showing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOver {
    /// How it refused last.
    pub refusal: Refusal,
    /// Since when it has not taken any.
    pub since: Time,
    /// When it is tried again at the earliest; that may be over, while nobody asks.
    pub until: Time,
}

impl Contact {
    /// The least and the most that a backend is passed over before it is tried again.
    pub const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];
    /// It is passed over for this part of the time for which it has refused.
    const PART: u32 = 8;

    /// A connection was not made.
    pub(crate) fn refused(&self, refusal: Refusal, now: Time) {
        let first = now.as_nanos().saturating_add(1);
        let since = match self.since.compare_exchange(0, first, Relaxed, Relaxed) {
            Ok(_) => first,
            Err(since) => since,
        };
        let lasted = now.since(Time::from_nanos(since.saturating_sub(1)));
        let [least, most] = Self::WAITS;
        let until = now.after((lasted / Self::PART).clamp(least, most));
        self.until.fetch_max(until.as_nanos(), Relaxed);
        self.refusal.store(refusal as u8, Relaxed);
    }

    /// A connection was made: by a worker, or by a good probe.
    pub fn made(&self) {
        if self.is_refusing() {
            self.since.store(0, Relaxed);
            self.until.store(0, Relaxed);
        }
    }

    /// Did it refuse last?
    pub(crate) fn is_refusing(&self) -> bool {
        self.since.load(Relaxed) != 0
    }

    /// Is it not to be tried now?
    pub(crate) fn is_passed_over(&self, now: Time) -> bool {
        self.is_refusing() && self.until.load(Relaxed) > now.as_nanos()
    }

    /// May this request go there? Of those that ask when the wait is over only the first may.
    pub(crate) fn may_try(&self, now: Time) -> bool {
        if !self.is_refusing() {
            return true;
        }
        let until = self.until.load(Relaxed);
        let next = now.after(Self::WAITS[0]).as_nanos();
        until <= now.as_nanos() && self.until.compare_exchange(until, next, Relaxed, Relaxed).is_ok()
    }

    /// What there is to show; `None` when it takes connections.
    #[must_use]
    pub fn passed_over(&self) -> Option<PassedOver> {
        let since = self.since.load(Relaxed).checked_sub(1)?;
        let all = [Refusal::Refused, Refusal::Unreachable, Refusal::Reset, Refusal::Timeout];
        let word = self.refusal.load(Relaxed);
        Some(PassedOver {
            refusal: all.into_iter().find(|one| *one as u8 == word)?,
            since: Time::from_nanos(since),
            until: Time::from_nanos(self.until.load(Relaxed)),
        })
    }
}

/// Which backends of a pool refuse connections: one bit each, so that a pick sees with one look that none does.
#[derive(Debug)]
pub(crate) struct Refusing {
    count: AtomicUsize,
    words: Box<[AtomicU64]>,
}

impl Refusing {
    pub(crate) fn none(slots: usize) -> Self {
        Self {
            count: AtomicUsize::new(0),
            words: (0..slots.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn any(&self) -> bool {
        self.count.load(Relaxed) != 0
    }

    pub(crate) fn insert(&self, slot: Slot) {
        let Some(word) = self.words.get(slot.index() / 64) else {
            return;
        };
        let bit = bit(slot);
        if word.fetch_or(bit, Relaxed) & bit == 0 {
            self.count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn remove(&self, slot: Slot) {
        let Some(word) = self.words.get(slot.index() / 64) else {
            return;
        };
        let bit = bit(slot);
        if word.load(Relaxed) & bit != 0 && word.fetch_and(!bit, Relaxed) & bit != 0 {
            self.count.fetch_sub(1, Relaxed);
        }
    }

    /// Calls `look` for each of them. `O(slots / 64)`.
    pub(crate) fn each(&self, mut look: impl FnMut(Slot)) {
        for (word, first) in self.words.iter().zip((0..).step_by(64)) {
            let mut left = word.load(Relaxed);
            while left != 0 {
                look(Slot(first + left.trailing_zeros()));
                left &= left - 1;
            }
        }
    }
}

const fn bit(slot: Slot) -> u64 {
    1 << (slot.0 % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn who_refuses_is_passed_over_for_a_second_and_then_for_an_eighth_of_its_outage() {
        let contact = Contact::default();
        assert!(!contact.is_passed_over(at(0)) && contact.may_try(at(0)));
        contact.refused(Refusal::Refused, at(100));
        assert!(contact.is_passed_over(at(1_099)) && !contact.is_passed_over(at(1_100)));
        for (refused, until) in [(5_000, 6_000), (16_100, 18_100), (240_100, 270_100), (900_000, 930_000)] {
            contact.refused(Refusal::Unreachable, at(refused));
            assert!(
                contact.is_passed_over(at(until - 1)) && !contact.is_passed_over(at(until)),
                "{refused}"
            );
        }
        let shown = contact.passed_over().unwrap();
        assert_eq!((shown.since, shown.until), (at(100), at(930_000)));
        assert_eq!(shown.refusal.cause(), Cause::Unreachable);
        contact.made();
        assert_eq!(contact.passed_over(), None);
        assert!(!contact.is_passed_over(at(900_001)) && contact.may_try(at(900_001)));
        contact.refused(Refusal::Refused, at(901_000));
        assert!(!contact.is_passed_over(at(902_000)), "from the beginning again");
    }

    #[test]
    fn when_the_wait_is_over_one_tries_and_the_others_do_not() {
        let contact = Contact::default();
        contact.refused(Refusal::Refused, at(0));
        assert!(!contact.may_try(at(999)));
        assert!(contact.may_try(at(1_000)));
        assert!(!contact.may_try(at(1_000)) && !contact.may_try(at(1_999)));
        assert!(contact.may_try(at(2_000)), "the first never came back");
    }

    #[test]
    fn of_many_threads_one_tries() {
        let contact = Contact::default();
        contact.refused(Refusal::Refused, at(0));
        let tried = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| tried.fetch_add(usize::from(contact.may_try(at(1_500))), Relaxed));
            }
        });
        assert_eq!(tried.load(Relaxed), 1);
    }

    #[test]
    fn the_bits_of_a_pool_are_counted_once_each() {
        let refusing = Refusing::none(130);
        for slot in [0, 63, 64, 129, 63, 5_000] {
            refusing.insert(Slot(slot));
        }
        let mut seen = Vec::new();
        refusing.each(|slot| seen.push(slot.0));
        assert_eq!(seen, [0, 63, 64, 129]);
        for slot in [0, 63, 64, 129, 129, 5_000] {
            assert!(refusing.any());
            refusing.remove(Slot(slot));
            if slot == 129 {
                break;
            }
        }
        assert!(!refusing.any());
        refusing.remove(Slot(0));
        assert!(!refusing.any());
    }
}
