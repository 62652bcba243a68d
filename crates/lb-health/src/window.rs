use crate::Traffic;
use core::time::Duration;
use lb_types::Time;

/// What traffic saw of one backend in the last while: ten parts, of which the oldest is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    parts: [Part; PARTS],
    /// The part that is being filled.
    now: usize,
    since: Time,
}

/// Requests of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sum {
    pub(crate) ok: u32,
    pub(crate) failed: u32,
    /// How long an answer usually took: the median of the means of the parts, so that one slow answer, or one bad
    /// second, is not the usual one. `None`: no good answer.
    pub(crate) usual: Option<Duration>,
}

impl Sum {
    pub(crate) fn requests(&self) -> u64 {
        u64::from(self.ok) + u64::from(self.failed)
    }

    /// The share of good ones, rounded down; `None` without requests.
    pub(crate) fn success_percent(&self) -> Option<u8> {
        let percent = (u64::from(self.ok) * 100).checked_div(self.requests())?;
        u8::try_from(percent).ok()
    }
}

impl Window {
    pub(crate) const fn new(now: Time) -> Self {
        Self {
            parts: [Part::EMPTY; PARTS],
            now: 0,
            since: now,
        }
    }

    /// Counts `traffic`, which ended about `now`, in a window of `length`.
    pub(crate) fn add(&mut self, traffic: Traffic, length: Duration, now: Time) {
        self.turn(length, now);
        if let Some(part) = self.parts.get_mut(self.now) {
            part.ok = part.ok.saturating_add(traffic.ok);
            part.failed = part.failed.saturating_add(traffic.failed);
            part.time = part.time.saturating_add(traffic.time);
        }
    }

    /// What was seen in the last `length`, give or take a tenth of it.
    pub(crate) fn sum(&mut self, length: Duration, now: Time) -> Sum {
        self.turn(length, now);
        let mut means = [Duration::MAX; PARTS];
        let mut seen = Sum::default();
        let mut count = 0;
        for (part, mean) in self.parts.iter().zip(&mut means) {
            seen.ok = seen.ok.saturating_add(part.ok);
            seen.failed = seen.failed.saturating_add(part.failed);
            if let Some(value) = part.time.checked_div(part.ok) {
                *mean = value;
                count += 1;
            }
        }
        means.sort_unstable();
        // parts without an answer are at the end
        seen.usual = usize::checked_sub(count, 1).and_then(|last| means.get(last / 2).copied());
        seen
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, now: Time) {
        *self = Self::new(now);
    }

    /// Drops the parts whose time is over.
    fn turn(&mut self, length: Duration, now: Time) {
        let part = (length / PARTS as u32).as_nanos().max(1);
        let over = now.since(self.since).as_nanos() / part;
        for _ in 0..over.min(PARTS as u128) {
            self.now = (self.now + 1) % PARTS;
            if let Some(part) = self.parts.get_mut(self.now) {
                *part = Part::EMPTY;
            }
        }
        let passed = u64::try_from(over.saturating_mul(part)).unwrap_or(u64::MAX);
        self.since = self.since.after(Duration::from_nanos(passed));
    }
}

#[derive(Debug, Clone, Copy)]
struct Part {
    ok: u32,
    failed: u32,
    time: Duration,
}

impl Part {
    const EMPTY: Self = Self {
        ok: 0,
        failed: 0,
        time: Duration::ZERO,
    };
}

const PARTS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn at(millis: u64) -> Time {
        Time::ZERO.after(Duration::from_millis(millis))
    }

    fn traffic(ok: u32, failed: u32, millis: u64) -> Traffic {
        Traffic {
            row: 0,
            ok,
            failed,
            time: Duration::from_millis(millis),
            is_weightless: false,
        }
    }

    #[test]
    fn requests_count_for_the_window_and_then_no_more() {
        let mut window = Window::new(at(0));
        window.add(traffic(3, 1, 30), TEN, at(0));
        window.add(traffic(1, 5, 10), TEN, at(4_500));
        let seen = window.sum(TEN, at(9_999));
        assert_eq!((seen.ok, seen.failed, seen.success_percent()), (4, 6, Some(40)));
        assert_eq!(window.sum(TEN, at(10_000)).requests(), 6, "the first second is over");
        assert_eq!(window.sum(TEN, at(13_999)).requests(), 6);
        let empty = window.sum(TEN, at(14_000));
        assert_eq!(
            (empty.requests(), empty.success_percent(), empty.usual),
            (0, None, None)
        );
        window.add(traffic(2, 0, 2), TEN, at(1_000_000_000));
        assert_eq!(window.sum(TEN, at(1_000_000_000)).requests(), 2);
        window.clear(at(1_000_000_000));
        assert_eq!(window.sum(TEN, at(1_000_000_000)), Sum::default());
    }

    #[test]
    fn one_bad_second_is_not_the_usual_one() {
        let mut window = Window::new(at(0));
        for second in 0..9 {
            // means of 5 ms, but 1 s in the fourth second
            let millis = if second == 3 { 10_000 } else { 50 };
            window.add(traffic(10, 0, millis), TEN, at(second * 1_000));
        }
        assert_eq!(window.sum(TEN, at(8_999)).usual, Some(Duration::from_millis(5)));
        // of two parts the faster one
        let mut window = Window::new(at(0));
        window.add(traffic(1, 0, 7), TEN, at(0));
        window.add(traffic(2, 9, 60), TEN, at(1_000));
        assert_eq!(window.sum(TEN, at(1_000)).usual, Some(Duration::from_millis(7)));
    }

    #[test]
    fn counts_stop_at_their_end() {
        let mut window = Window::new(at(0));
        for _ in 0..3 {
            window.add(traffic(u32::MAX, u32::MAX, 1), TEN, at(0));
        }
        let seen = window.sum(TEN, at(0));
        assert_eq!(
            (seen.ok, seen.failed, seen.success_percent()),
            (u32::MAX, u32::MAX, Some(50))
        );
    }
}
