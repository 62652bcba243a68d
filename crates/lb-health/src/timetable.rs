use core::time::Duration;
use lb_types::{Rng, Time};

/// When to probe: one probe at a time, jittered, counted from start to start.
#[derive(Debug, Clone)]
pub(crate) struct Timetable {
    rng: Rng,
    next: Time,
    /// The start of the probe under way.
    started: Option<Time>,
    /// The next one is due as soon as that is over.
    is_hurried: bool,
}

impl Timetable {
    /// The first probe is due at once.
    pub(crate) const fn new(seed: u64, now: Time) -> Self {
        Self {
            rng: Rng::new(seed),
            next: now,
            started: None,
            is_hurried: false,
        }
    }

    /// When the next probe is due; `None` while one is under way.
    pub(crate) const fn next(&self) -> Option<Time> {
        if self.started.is_some() { None } else { Some(self.next) }
    }

    /// Is a probe due? If so it counts as begun.
    pub(crate) fn begin(&mut self, now: Time) -> bool {
        let due = self.next().is_some_and(|next| next <= now);
        if due {
            self.started = Some(now);
        }
        due
    }

    /// The probe under way is over. The next starts one `interval`, give or take up to `jitter`,
    /// after this one started; at once when this one took longer.
    pub(crate) fn end(&mut self, interval: Duration, jitter: Duration, now: Time) {
        let started = self.started.take().unwrap_or(now);
        let jitter = u64::try_from(jitter.as_nanos()).unwrap_or(u64::MAX);
        let spread = Duration::from_nanos(self.rng.below(jitter.saturating_mul(2).saturating_add(1)));
        let wait = interval
            .saturating_add(spread)
            .saturating_sub(Duration::from_nanos(jitter));
        let is_hurried = core::mem::take(&mut self.is_hurried);
        self.next = if is_hurried { now } else { started.after(wait).max(now) };
    }

    /// No probe before `at`.
    pub(crate) fn delay(&mut self, at: Time) {
        self.next = self.next.max(at);
    }

    /// A probe is due now, or as soon as the one under way is over.
    pub(crate) fn hurry(&mut self, now: Time) {
        self.next = now;
        self.is_hurried = self.started.is_some();
    }

    /// The probe under way is given up: its result will not come.
    pub(crate) fn give_up(&mut self) {
        self.started = None;
        self.is_hurried = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Time {
        Time::ZERO.after(Duration::from_millis(millis))
    }

    #[test]
    fn the_first_probe_is_due_at_once_and_only_once() {
        let mut t = Timetable::new(1, at(5));
        assert!(!t.begin(at(4)));
        assert!(t.begin(at(5)));
        assert!(!t.begin(at(6)));
        assert_eq!(t.next(), None);
    }

    #[test]
    fn intervals_count_from_start_to_start() {
        let mut t = Timetable::new(1, at(0));
        assert!(t.begin(at(100)));
        t.end(S, Duration::ZERO, at(400));
        assert_eq!(t.next(), Some(at(1_100)));
        assert!(!t.begin(at(1_099)));
        assert!(t.begin(at(1_100)));
        t.end(S, Duration::ZERO, at(5_000));
        assert_eq!(t.next(), Some(at(5_000)));
    }

    #[test]
    fn who_is_hurried_during_a_probe_is_probed_again_once_it_is_over() {
        let mut t = Timetable::new(1, at(0));
        assert!(t.begin(at(0)));
        t.hurry(at(100));
        assert_eq!(t.next(), None, "one at a time");
        t.end(S, Duration::ZERO, at(300));
        assert_eq!(t.next(), Some(at(300)));
        assert!(t.begin(at(300)));
        t.end(S, Duration::ZERO, at(400));
        assert_eq!(t.next(), Some(at(1_300)), "once");
        // what was given up hurries nobody
        assert!(t.begin(at(1_300)));
        t.hurry(at(1_400));
        t.give_up();
        assert!(t.begin(at(1_400)));
        t.end(S, Duration::ZERO, at(1_500));
        assert_eq!(t.next(), Some(at(2_400)));
    }

    #[test]
    fn jitter_stays_inside_its_share_and_uses_it() {
        let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
        let mut t = Timetable::new(42, at(0));
        for _ in 0..2_000 {
            let now = t.next().unwrap();
            assert!(t.begin(now));
            t.end(S, S / 10, now);
            let wait = t.next().unwrap().since(now);
            (least, most) = (least.min(wait), most.max(wait));
        }
        assert!(
            least >= Duration::from_millis(900) && least < Duration::from_millis(905),
            "{least:?}"
        );
        assert!(
            most <= Duration::from_millis(1_100) && most > Duration::from_millis(1_095),
            "{most:?}"
        );
    }
}
