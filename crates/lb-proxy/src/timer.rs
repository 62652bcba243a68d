//! One coarse timer wheel per worker instead of a runtime timer per request.
//!
//! A connection owns one entry. Moving its deadline is a store and a comparison; the entry is
//! linked anew only when the new deadline is earlier than the moment at which the wheel would
//! look at it anyway. A wheel slot that comes up looks at the real deadline and either fires or
//! links the entry further on.

use lb_types::Time;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

/// The wheel. Not shared between threads.
#[derive(Debug)]
pub(crate) struct Timers {
    wheel: RefCell<Wheel>,
    /// The tick the driver sleeps until; `u64::MAX`: until it is told.
    planned: Cell<u64>,
    driver: RefCell<Option<Waker>>,
}

/// A connection's entry; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    timers: Rc<Timers>,
    key: u32,
}

#[derive(Debug)]
struct Wheel {
    entries: Vec<Entry>,
    free: u32,
    slots: Vec<u32>,
    /// Every tick up to this one was looked at.
    done: u64,
    linked: usize,
}

#[derive(Debug)]
struct Entry {
    deadline: u64,
    /// The tick under which it is linked; `NEVER` when it is not.
    at: u64,
    next: u32,
    prev: u32,
    fired: bool,
    /// Its connection is to end, because another one needs its descriptor.
    gives_way: bool,
    /// The tick since which its connection waits for nothing but its client; `BUSY`: it does not.
    idle_since: u32,
    waker: Option<Waker>,
}

impl Timers {
    pub(crate) fn new(now: Time) -> Rc<Self> {
        Rc::new(Self {
            wheel: RefCell::new(Wheel {
                entries: Vec::new(),
                free: NONE,
                slots: vec![NONE; SLOTS],
                done: tick_floor(now),
                linked: 0,
            }),
            planned: Cell::new(NEVER),
            driver: RefCell::new(None),
        })
    }

    /// A new entry without a deadline. `waker` is woken when a deadline passes.
    pub(crate) fn register(self: &Rc<Self>, waker: Waker) -> Timer {
        let mut wheel = self.wheel.borrow_mut();
        let entry = Entry {
            deadline: NEVER,
            at: NEVER,
            next: NONE,
            prev: NONE,
            fired: false,
            gives_way: false,
            idle_since: BUSY,
            waker: Some(waker),
        };
        let key = wheel.free;
        let key = if key == NONE {
            wheel.entries.push(entry);
            u32::try_from(wheel.entries.len() - 1).expect("fewer connections than 2^32")
        } else {
            wheel.free = wheel.entries[key as usize].next;
            wheel.entries[key as usize] = entry;
            key
        };
        Timer {
            timers: Rc::clone(self),
            key,
        }
    }

    /// Fires what is due and says when to come again; `None`: when something is linked.
    pub(crate) fn advance(&self, now: Time) -> Option<Time> {
        let now = tick_floor(now);
        let mut wheel = self.wheel.borrow_mut();
        let from = wheel.done + 1;
        // After a long sleep one turn of the wheel sees every slot.
        let to = now.min(wheel.done + SLOTS as u64);
        wheel.done = now.max(wheel.done);
        for tick in from..=to {
            let mut key = wheel.slots[slot_of(tick)];
            while key != NONE {
                let entry = &wheel.entries[key as usize];
                let next = entry.next;
                if entry.at <= now {
                    wheel.unlink(key);
                    let entry = &mut wheel.entries[key as usize];
                    if entry.deadline <= now {
                        entry.deadline = NEVER;
                        entry.fired = true;
                        if let Some(waker) = &entry.waker {
                            waker.wake_by_ref();
                        }
                    } else if entry.deadline != NEVER {
                        wheel.link(key);
                    }
                }
                key = next;
            }
        }
        let next = wheel.next_tick();
        self.planned.set(next.unwrap_or(NEVER));
        next.map(|tick| Time::from_nanos(tick << TICK_BITS))
    }

    /// Who drives the wheel: woken when something is due earlier than planned.
    pub(crate) fn set_driver(&self, waker: &Waker) {
        let mut driver = self.driver.borrow_mut();
        if !driver.as_ref().is_some_and(|w| w.will_wake(waker)) {
            *driver = Some(waker.clone());
        }
    }

    /// Asks those that have been idle for longest to end; says how many. One for each [`AT_ONCE`] that are idle, and no
    /// one whose last word was a moment ago: its next may be on the way. `O(connections)`; for want of descriptors only.
    #[cold]
    pub(crate) fn ask_idle_to_end(&self, now: Time) -> usize {
        let mut wheel = self.wheel.borrow_mut();
        let before = idle_tick(now).saturating_sub(PAUSE_TICKS);
        let mut idle: Vec<(u32, u32)> = wheel
            .entries
            .iter()
            .zip(0..)
            .filter(|(entry, _)| entry.idle_since <= before && entry.waker.is_some())
            .map(|(entry, key)| (entry.idle_since, key))
            .collect();
        let most = idle.len().div_ceil(AT_ONCE);
        if most < idle.len() {
            idle.select_nth_unstable(most);
            idle.truncate(most);
        }
        for (_, key) in &idle {
            let entry = &mut wheel.entries[*key as usize];
            entry.idle_since = BUSY;
            entry.gives_way = true;
            entry.fired = true;
            if let Some(waker) = &entry.waker {
                waker.wake_by_ref();
            }
        }
        idle.len()
    }

    /// Connections that have an entry.
    #[cfg(feature = "sim")]
    pub(crate) fn taken(&self) -> usize {
        self.wheel
            .borrow()
            .entries
            .iter()
            .filter(|entry| entry.waker.is_some())
            .count()
    }

    /// Wakes the tasks of all entries: the worker's state changed (drain).
    pub(crate) fn wake_all(&self) {
        for entry in &self.wheel.borrow().entries {
            if let Some(waker) = &entry.waker {
                waker.wake_by_ref();
            }
        }
    }
}

impl Timer {
    /// Fires at `deadline` or up to 0.14 s later.
    pub(crate) fn set(&self, deadline: Time) {
        self.place(deadline, BUSY);
    }

    fn place(&self, deadline: Time, idle_since: u32) {
        let tick = tick_ceil(deadline);
        let mut wheel = self.timers.wheel.borrow_mut();
        let entry = &mut wheel.entries[self.key as usize];
        entry.deadline = tick;
        entry.fired = false;
        entry.gives_way = false;
        entry.idle_since = idle_since;
        if tick < entry.at {
            let planned = self.timers.planned.get();
            if entry.at != NEVER {
                wheel.unlink(self.key);
            }
            let at = wheel.link(self.key);
            if at < planned {
                // The driver sleeps longer than that.
                self.timers.planned.set(at);
                if let Some(waker) = &*self.timers.driver.borrow() {
                    waker.wake_by_ref();
                }
            }
        }
    }

    /// As [`take_fired`](Self::take_fired), and says so again.
    pub(crate) fn has_fired(&self) -> bool {
        self.timers.wheel.borrow().entries[self.key as usize].fired
    }

    /// As [`set`](Self::set), of a connection that waits for nothing but its client from now on, until it is set again.
    pub(crate) fn set_idle(&self, deadline: Time, now: Time) {
        self.place(deadline, idle_tick(now));
    }

    /// Is it that another connection needs the descriptor of this one?
    pub(crate) fn gives_way(&self) -> bool {
        self.timers.wheel.borrow().entries[self.key as usize].gives_way
    }

    /// Did a deadline pass since it was set? Says so once.
    pub(crate) fn take_fired(&self) -> bool {
        let mut wheel = self.timers.wheel.borrow_mut();
        std::mem::take(&mut wheel.entries[self.key as usize].fired)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let mut wheel = self.timers.wheel.borrow_mut();
        if wheel.entries[self.key as usize].at != NEVER {
            wheel.unlink(self.key);
        }
        let free = wheel.free;
        let entry = &mut wheel.entries[self.key as usize];
        entry.waker = None;
        entry.idle_since = BUSY;
        entry.next = free;
        wheel.free = self.key;
    }
}

impl Wheel {
    fn link(&mut self, key: u32) -> u64 {
        let at = self.entries[key as usize]
            .deadline
            .clamp(self.done + 1, self.done + SLOTS as u64 - 1);
        let head = self.slots[slot_of(at)];
        if head != NONE {
            self.entries[head as usize].prev = key;
        }
        let entry = &mut self.entries[key as usize];
        entry.at = at;
        entry.next = head;
        entry.prev = NONE;
        self.slots[slot_of(at)] = key;
        self.linked += 1;
        at
    }

    fn unlink(&mut self, key: u32) {
        let Entry { at, next, prev, .. } = self.entries[key as usize];
        if prev == NONE {
            self.slots[slot_of(at)] = next;
        } else {
            self.entries[prev as usize].next = next;
        }
        if next != NONE {
            self.entries[next as usize].prev = prev;
        }
        let entry = &mut self.entries[key as usize];
        entry.at = NEVER;
        entry.next = NONE;
        entry.prev = NONE;
        self.linked -= 1;
    }

    fn next_tick(&self) -> Option<u64> {
        if self.linked == 0 {
            return None;
        }
        (self.done + 1..=self.done + SLOTS as u64).find(|tick| self.slots[slot_of(*tick)] != NONE)
    }
}

/// Runs the wheel for ever; one task per worker.
///
/// A deadline of now fires when the runtime knows all that had come until now: after a late turn, what came in time
/// is looked at before the deadline that it was in time for.
pub(crate) async fn drive(timers: Rc<Timers>) {
    let mut sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
    loop {
        // Until the runtime has looked at the sockets nobody may wake this task: that would end the yield too early.
        *timers.driver.borrow_mut() = None;
        let now = lb_net::clock::monotonic();
        tokio::task::yield_now().await;
        let next = timers.advance(now);
        let planned = timers.planned.get();
        if let Some(next) = next {
            let next = tokio::time::Instant::from_std(lb_net::clock::instant(next));
            sleep.as_mut().reset(next);
        }
        std::future::poll_fn(|cx| {
            timers.set_driver(cx.waker());
            if timers.planned.get() != planned {
                return Poll::Ready(());
            }
            if next.is_none() {
                return Poll::Pending;
            }
            sleep.as_mut().poll(cx)
        })
        .await;
    }
}

fn tick_floor(time: Time) -> u64 {
    time.as_nanos() >> TICK_BITS
}

fn tick_ceil(time: Time) -> u64 {
    (time.as_nanos() >> TICK_BITS) + 1
}

fn idle_tick(time: Time) -> u32 {
    // 9 years of ticks; whoever runs for longer has connections that are idle for as long as they can be.
    u32::try_from(tick_floor(time)).unwrap_or(BUSY - 1).min(BUSY - 1)
}

fn slot_of(tick: u64) -> usize {
    tick as usize & (SLOTS - 1)
}

/// 2^26 ns = 67 ms: all our timeouts are seconds.
const TICK_BITS: u32 = 26;
/// One turn is 68 s; later deadlines are looked at once a turn.
const SLOTS: usize = 1024;
const NONE: u32 = u32::MAX;
/// Not idle.
const BUSY: u32 = u32::MAX;
/// 67 to 134 ms: a client at work sends its next request within a round trip.
const PAUSE_TICKS: u32 = 2;
/// Of so many idle connections one is asked to end at once.
const AT_ONCE: usize = 64;
const NEVER: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::Rng;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicU32);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn secs(n: u64) -> Time {
        Time::from_nanos(n * 1_000_000_000)
    }

    #[test]
    fn a_deadline_fires_once_and_not_early() {
        let timers = Timers::new(Time::ZERO);
        let count = Arc::new(Count::default());
        let timer = timers.register(Waker::from(Arc::clone(&count)));
        timer.set(secs(10));
        timers.advance(secs(9));
        assert!(!timer.take_fired());
        timers.advance(Time::from_nanos(10_140_000_000));
        assert!(timer.take_fired());
        assert!(!timer.take_fired());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(timers.advance(secs(200)), None, "nothing is linked");
    }

    #[test]
    fn who_is_idle_for_longest_is_asked_to_end_and_nobody_who_is_busy_or_spoke_a_moment_ago() {
        let timers = Timers::new(Time::ZERO);
        let count = Arc::new(Count::default());
        let new = || timers.register(Waker::from(Arc::clone(&count)));
        let (busy, second, first, fresh) = (new(), new(), new(), new());
        busy.set_idle(secs(90), Time::ZERO);
        busy.set(secs(60));
        second.set_idle(secs(90), secs(2));
        first.set_idle(secs(90), secs(1));
        fresh.set_idle(secs(90), Time::from_nanos(9_990_000_000));
        assert_eq!(timers.ask_idle_to_end(secs(10)), 1);
        assert!(first.take_fired() && first.gives_way());
        assert_eq!(timers.ask_idle_to_end(secs(10)), 1);
        assert!(second.take_fired() && second.gives_way());
        assert_eq!(timers.ask_idle_to_end(secs(10)), 0, "one is busy, one spoke 10 ms ago");
        assert!(!busy.take_fired() && !fresh.take_fired());
        first.set(secs(90));
        assert!(!first.gives_way(), "it had something to do");
        // Of 130 that are idle three are asked, the longest idle ones.
        let crowd: Vec<Timer> = (0..129).map(|_| new()).collect();
        for (n, timer) in (0..).zip(&crowd) {
            timer.set_idle(secs(900), secs(300 - n));
        }
        assert_eq!(timers.ask_idle_to_end(secs(400)), 3);
        let asked: Vec<bool> = [&fresh, &crowd[128], &crowd[127], &crowd[126]]
            .map(|timer| timer.take_fired())
            .into();
        assert_eq!(asked, [true, true, true, false]);
    }

    #[test]
    fn a_deadline_moved_earlier_wakes_the_driver() {
        let timers = Timers::new(Time::ZERO);
        let driver = Arc::new(Count::default());
        timers.set_driver(&Waker::from(Arc::clone(&driver)));
        let timer = timers.register(Waker::from(Arc::new(Count::default())));
        timer.set(secs(60));
        assert_eq!(driver.0.load(Ordering::Relaxed), 1);
        timers.advance(secs(1));
        timer.set(secs(70));
        assert_eq!(driver.0.load(Ordering::Relaxed), 1, "later: nobody is disturbed");
        timer.set(secs(5));
        assert_eq!(driver.0.load(Ordering::Relaxed), 2);
        timers.advance(secs(6));
        assert!(timer.take_fired());
    }

    #[test]
    fn deadlines_beyond_one_turn_are_kept() {
        let timers = Timers::new(secs(5));
        let timer = timers.register(Waker::from(Arc::new(Count::default())));
        timer.set(secs(500));
        let mut now = secs(5);
        while let Some(next) = timers.advance(now) {
            assert!(next > now);
            if timer.take_fired() {
                break;
            }
            assert!(next <= secs(501), "it never fired");
            now = next;
        }
        assert!(timer.take_fired() || now >= secs(500));
    }

    #[test]
    fn a_seeded_crowd_fires_exactly_at_its_deadlines() {
        let seed = 11;
        let mut rng = Rng::new(seed);
        let timers = Timers::new(Time::ZERO);
        let mut crowd: Vec<Option<(Timer, Time)>> = Vec::new();
        for step in 0..20_000_u64 {
            let now = Time::from_nanos(step * 20_000_000);
            timers.advance(now);
            for (timer, deadline) in crowd.iter_mut().flatten() {
                let late = *deadline != Time::MAX && now.since(*deadline) >= Duration::from_millis(140);
                let fired = timer.take_fired();
                assert!(!fired || now >= *deadline, "seed {seed} step {step}: early");
                assert!(!late || fired, "seed {seed} step {step}: missed");
                if fired {
                    *deadline = Time::MAX; // done until it is set again
                }
            }
            for place in &mut crowd {
                match rng.below(50) {
                    0 => *place = None,
                    1 | 2 => {
                        let deadline = now.after(Duration::from_millis(rng.below(150_000)));
                        if let Some((timer, at)) = place {
                            timer.set(deadline);
                            *at = deadline;
                        }
                    }
                    _ => {}
                }
            }
            if crowd.len() < 40 {
                let timer = timers.register(Waker::from(Arc::new(Count::default())));
                timer.set(now.after(Duration::from_secs(1)));
                crowd.push(Some((timer, now.after(Duration::from_secs(1)))));
            }
            let free = crowd.iter().position(Option::is_none);
            if let Some(i) = free {
                let timer = timers.register(Waker::from(Arc::new(Count::default())));
                timer.set(now.after(Duration::from_secs(3)));
                crowd[i] = Some((timer, now.after(Duration::from_secs(3))));
            }
        }
    }
}
