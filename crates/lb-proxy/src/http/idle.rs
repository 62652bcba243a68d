//! Upstream connections that wait for their next request, per worker and backend.

use lb_balance::Backend;
use lb_net::Stream;
use lb_types::{Address, BackendId, Time};
use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::time::Duration;

/// Which connections may stand in for each other: whatever is said ahead of the first request is part of it, so that a
/// reload that changes it never finds an old connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UpstreamKey {
    backend: BackendId,
    address: Address,
    /// It speaks for one client: by a PROXY header that goes ahead of it all, or by its address.
    is_for_one: bool,
    /// The TLS configuration, by a number that no other one gets.
    identity: Option<NonZeroU64>,
    /// The protocol that was agreed on.
    alpn: Alpn,
}

/// What is spoken over a connection to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alpn {
    Http1,
}

impl UpstreamKey {
    /// `is_for_one`: for one client; `identity`: of the TLS configuration.
    pub(crate) const fn new(backend: &Backend, is_for_one: bool, identity: Option<NonZeroU64>) -> Self {
        Self {
            backend: backend.id,
            address: backend.address,
            is_for_one,
            identity,
            alpn: Alpn::Http1,
        }
    }
}

/// Idle connections to one backend.
///
/// A backend that sends more than it was asked for does so mostly right behind its response. So a
/// connection that was just used goes at once only to the client that used it last; others get
/// the one that has been silent for longest, when that was a moment.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    shelf: RefCell<Shelf>,
    /// This backend once sent a body that must not come, behind the answer to `HEAD` or a 304: it may come late.
    sends_stray_bodies: Cell<bool>,
}

/// A connection that carried at least one exchange.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) stream: Stream,
    /// The client whose exchange was the last one.
    pub(crate) owner: u32,
    /// The last read took all that it had room for: the runtime cannot tell whether more was there.
    pub(crate) may_have_more: bool,
    /// The last response told the length of a body that must not come, and did not come yet.
    pub(crate) stray_body: bool,
}

#[derive(Debug)]
struct Waiting {
    stream: Stream,
    owner: u32,
    stray_body: bool,
    since: Time,
    until: Time,
}

/// What waits, in the order in which it was put here. Every step is `O(1)` and touches few cache lines:
/// nothing moves when one is taken from the middle.
#[derive(Debug)]
struct Shelf {
    places: Vec<Place>,
    /// The first free place; they are linked by `next`.
    free: u32,
    oldest: u32,
    youngest: u32,
    len: usize,
    /// Where a client's connection was put last, by the low bits of its number. Clients that share these
    /// bits push each other out, and get one that has been silent for a moment.
    owners: Box<[u32]>,
}

#[derive(Debug)]
struct Place {
    waiting: Option<Waiting>,
    next: u32,
    prev: u32,
}

impl Idle {
    /// The connection that `owner` used last, else the one that has been silent for longest.
    /// One that was closed or has bytes that nobody asked for is dropped on the way. No system
    /// call.
    pub(crate) fn take(&self, now: Time, owner: u32) -> Option<Stream> {
        let mut shelf = self.shelf.borrow_mut();
        if let Some(own) = shelf.take_own(owner)
            && self.is_good(&own, now)
        {
            return Some(own.stream);
        }
        while let Some(oldest) = shelf.oldest() {
            if now.since(oldest.since) < PAUSE && shelf.len <= ENOUGH {
                break;
            }
            if let Some(found) = shelf.take_oldest()
                && self.is_good(&found, now)
            {
                return Some(found.stream);
            }
        }
        None
    }

    /// Keeps a connection for at most `keep`; beyond `most` of them the oldest goes.
    pub(crate) fn put(&self, used: Used, now: Time, keep: Duration, most: usize) {
        let Used {
            stream,
            owner,
            may_have_more,
            stray_body,
        } = used;
        if most == 0 || keep.is_zero() || (stray_body && self.sends_stray_bodies.get()) {
            return;
        }
        // Such a read leaves the readiness set, and `take` would drop the connection: ask once.
        if may_have_more && stream.try_recv(&mut [0]).is_some() {
            return;
        }
        let mut shelf = self.shelf.borrow_mut();
        if shelf.len >= most {
            shelf.take_oldest();
        }
        shelf.put(Waiting {
            stream,
            owner,
            stray_body,
            since: now,
            until: now.after(keep),
        });
    }

    /// A body came that must not.
    #[cold]
    pub(crate) fn saw_stray_body(&self) {
        self.sends_stray_bodies.set(true);
    }

    /// Is it good for another request? One behind whose last response a body could come is asked in the kernel.
    fn is_good(&self, waiting: &Waiting, now: Time) -> bool {
        let is_good = waiting.is_good(now);
        if !waiting.stray_body {
            return is_good;
        }
        let has_unread = waiting.stream.has_unread();
        if has_unread && matches!(waiting.stream.try_recv(&mut [0]), Some(Ok(1))) {
            self.saw_stray_body();
        }
        is_good && !has_unread
    }

    /// Drops what died or waited too long.
    pub(crate) fn sweep(&self, now: Time) {
        let mut shelf = self.shelf.borrow_mut();
        let mut at = shelf.oldest;
        while let Some(place) = shelf.places.get(at as usize) {
            let next = place.next;
            if !place.waiting.as_ref().is_some_and(|w| w.is_good(now)) {
                shelf.take(at);
            }
            at = next;
        }
    }

    /// Since when the oldest one waits.
    pub(crate) fn oldest_since(&self) -> Option<Time> {
        self.shelf.borrow().oldest().map(|oldest| oldest.since)
    }

    /// Closes the oldest one: its descriptor is needed elsewhere.
    pub(crate) fn drop_oldest(&self) {
        self.shelf.borrow_mut().take_oldest();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.shelf.borrow().len == 0
    }

    pub(crate) fn clear(&self) {
        *self.shelf.borrow_mut() = Shelf::default();
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            free: NONE,
            oldest: NONE,
            youngest: NONE,
            len: 0,
            owners: Box::default(),
        }
    }
}

impl Shelf {
    fn put(&mut self, waiting: Waiting) {
        if self.owners.is_empty() {
            self.owners = vec![NONE; OWNERS].into();
        }
        let owner = waiting.owner;
        let place = Place {
            waiting: Some(waiting),
            next: NONE,
            prev: self.youngest,
        };
        let at = self.free;
        let at = match self.places.get_mut(at as usize) {
            Some(free) => {
                self.free = free.next;
                *free = place;
                at
            }
            None => {
                let Ok(at) = u32::try_from(self.places.len()) else {
                    return;
                };
                self.places.push(place);
                at
            }
        };
        match self.places.get_mut(self.youngest as usize) {
            Some(youngest) => youngest.next = at,
            None => self.oldest = at,
        }
        self.youngest = at;
        self.len += 1;
        if let Some(own) = self.owners.get_mut(owner as usize % OWNERS) {
            *own = at;
        }
    }

    fn oldest(&self) -> Option<&Waiting> {
        self.places.get(self.oldest as usize)?.waiting.as_ref()
    }

    fn take_oldest(&mut self) -> Option<Waiting> {
        self.take(self.oldest)
    }

    fn take_own(&mut self, owner: u32) -> Option<Waiting> {
        let at = *self.owners.get(owner as usize % OWNERS)?;
        let found = self.places.get(at as usize)?.waiting.as_ref()?;
        if found.owner == owner { self.take(at) } else { None }
    }

    fn take(&mut self, at: u32) -> Option<Waiting> {
        let place = self.places.get_mut(at as usize)?;
        let waiting = place.waiting.take()?;
        let (prev, next) = (place.prev, place.next);
        place.next = self.free;
        self.free = at;
        match self.places.get_mut(prev as usize) {
            Some(before) => before.next = next,
            None => self.oldest = next,
        }
        match self.places.get_mut(next as usize) {
            Some(after) => after.prev = prev,
            None => self.youngest = prev,
        }
        self.len -= 1;
        Some(waiting)
    }
}

impl Waiting {
    fn is_good(&self, now: Time) -> bool {
        self.until > now && self.stream.is_silent()
    }
}

/// No place.
const NONE: u32 = u32::MAX;
/// Clients whose last connection is known per backend and worker; 1 KiB.
const OWNERS: usize = 256;
/// A second response 0.5 ms behind the first reached another client in 297 of 300 tries without
/// this pause, and in none with it.
const PAUSE: Duration = Duration::from_millis(100);
/// With more than this many waiting the oldest is taken without the pause: under load it waited
/// its moment behind the others, and holding more back would only open connections without end.
const ENOUGH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    async fn pair() -> (Stream, std::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().await.unwrap().0.into(), other)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    /// A connection that client 1 used last, and nobody read from.
    fn used(stream: Stream) -> Used {
        Used {
            stream,
            owner: 1,
            may_have_more: true,
            stray_body: false,
        }
    }

    fn name(stream: &Stream) -> std::net::SocketAddr {
        stream.local_socket().unwrap()
    }

    #[tokio::test]
    async fn the_owners_last_one_comes_out_first_and_dead_ones_never() {
        let idle = Idle::default();
        let (a, _keep_a) = pair().await;
        let (b, _keep_b) = pair().await;
        let (c, gone) = pair().await;
        let (d, mut talkative) = pair().await;
        let b_name = name(&b);
        drop(gone);
        c.arrived().await.unwrap();
        talkative.write_all(b"HTTP/1.1 408 Too late\r\n\r\n").unwrap();
        d.arrived().await.unwrap();
        // As if c and d died while they waited.
        for stream in [c, d] {
            idle.shelf.borrow_mut().put(Waiting {
                stream,
                owner: 1,
                stray_body: false,
                since: Time::ZERO,
                until: Time::ZERO.after(MINUTE),
            });
        }
        idle.put(used(a), Time::ZERO, MINUTE, 10);
        idle.put(used(b), Time::ZERO, MINUTE, 10);
        assert_eq!(name(&idle.take(Time::ZERO, 1).unwrap()), b_name);
        assert!(
            idle.take(Time::ZERO.after(MINUTE), 2).is_none(),
            "it waited too long, and two are dead"
        );
        assert!(idle.is_empty());
    }

    #[tokio::test]
    async fn beyond_the_limit_the_oldest_goes() {
        let idle = Idle::default();
        let (a, _keep_a) = pair().await;
        let (b, _keep_b) = pair().await;
        let b_name = name(&b);
        idle.put(used(a), Time::ZERO, MINUTE, 1);
        idle.put(used(b), Time::ZERO, MINUTE, 1);
        assert_eq!(name(&idle.take(Time::ZERO, 1).unwrap()), b_name);
        assert!(idle.take(Time::ZERO, 1).is_none());
        let (c, _keep_c) = pair().await;
        idle.put(used(c), Time::ZERO, MINUTE, 0);
        assert!(idle.is_empty());
    }

    #[tokio::test]
    async fn another_client_waits_for_a_moment_of_silence() {
        let idle = Idle::default();
        let (first, _keep_first) = pair().await;
        let (second, _keep_second) = pair().await;
        let first_name = name(&first);
        idle.put(used(first), Time::ZERO, MINUTE, 10);
        let later = Time::ZERO.after(Duration::from_millis(5));
        idle.put(used(second), later, MINUTE, 10);
        assert!(idle.take(Time::ZERO.after(Duration::from_millis(99)), 2).is_none());
        let soon = Time::ZERO.after(PAUSE);
        assert_eq!(name(&idle.take(soon, 2).unwrap()), first_name);
        assert!(idle.take(soon, 2).is_none());
        assert!(idle.take(soon.after(Duration::from_millis(5)), 2).is_some());
    }

    #[tokio::test]
    async fn when_many_wait_the_oldest_serves_anybody() {
        let idle = Idle::default();
        let mut keep = Vec::new();
        for _ in 0..=ENOUGH {
            let (stream, other) = pair().await;
            keep.push(other);
            idle.put(used(stream), Time::ZERO, MINUTE, 1000);
        }
        assert!(idle.take(Time::ZERO, 2).is_some());
        assert!(idle.take(Time::ZERO, 2).is_none());
    }

    #[tokio::test]
    async fn a_read_that_took_all_its_room_is_asked_about_once() {
        let (stream, mut other) = pair().await;
        let (also, mut another) = pair().await;
        for (stream, other) in [(&stream, &mut other), (&also, &mut another)] {
            other.write_all(b"ab").unwrap();
            stream.arrived().await.unwrap();
            assert_eq!(stream.try_recv(&mut [0; 2]).unwrap().unwrap(), 2);
        }
        let idle = Idle::default();
        idle.put(used(stream), Time::ZERO, MINUTE, 10);
        assert!(idle.take(Time::ZERO, 1).is_some());
        let unasked = Used {
            may_have_more: false,
            ..used(also)
        };
        idle.put(unasked, Time::ZERO, MINUTE, 10);
        assert!(
            idle.take(Time::ZERO, 1).is_none(),
            "nobody asked: it counts as talkative"
        );
    }

    #[tokio::test]
    async fn behind_the_length_of_a_body_that_must_not_come_the_kernel_is_asked() {
        let stray_body = |stream| Used {
            stray_body: true,
            may_have_more: false,
            ..used(stream)
        };
        let idle = Idle::default();
        for closes in [true, false] {
            let (silent, _keep_silent) = pair().await;
            assert!(silent.try_recv(&mut [0]).is_none()); // a new one counts as ready until it was tried
            idle.put(stray_body(silent), Time::ZERO, MINUTE, 10);
            assert!(idle.take(Time::ZERO, 1).is_some());
            // The runtime is not told in between: nothing is awaited.
            let (stream, mut other) = pair().await;
            assert!(stream.try_recv(&mut [0]).is_none());
            idle.put(stray_body(stream), Time::ZERO, MINUTE, 10);
            if closes {
                drop(other);
            } else {
                other.write_all(b"a body").unwrap();
            }
            assert!(idle.take(Time::ZERO, 1).is_none());
        }
        idle.saw_stray_body();
        let (stream, _keep) = pair().await;
        assert!(stream.try_recv(&mut [0]).is_none());
        idle.put(stray_body(stream), Time::ZERO, MINUTE, 10);
        assert!(idle.is_empty(), "this backend was caught once");
    }

    #[tokio::test]
    async fn the_shelf_keeps_its_order_whatever_is_taken() {
        let mut shelf = Shelf::default();
        let mut outside = Vec::new();
        let mut keep = Vec::new();
        for _ in 0..5 {
            let (stream, other) = pair().await;
            keep.push(other);
            outside.push(stream);
        }
        // What the shelf should hold, oldest first: owner and name.
        let mut model = std::collections::VecDeque::new();
        let mut rng = lb_types::Rng::new(7);
        let mut owned = 0;
        for _ in 0..2_000 {
            let owner = rng.below(3) as u32;
            match rng.below(4) {
                0 | 1 if !outside.is_empty() => {
                    let stream = outside.swap_remove(rng.below(outside.len() as u64) as usize);
                    model.push_back((owner, name(&stream)));
                    shelf.put(Waiting {
                        stream,
                        owner,
                        stray_body: false,
                        since: Time::ZERO,
                        until: Time::ZERO.after(MINUTE),
                    });
                }
                2 => {
                    let taken = shelf
                        .take_oldest()
                        .map(|w| (w.owner, name(&w.stream), outside.push(w.stream)));
                    assert_eq!(taken.map(|(owner, name, ())| (owner, name)), model.pop_front());
                }
                _ => {
                    // Only the last one of an owner is known as its own.
                    if let Some(own) = shelf.take_own(owner) {
                        let entry = (owner, name(&own.stream));
                        let last = model.iter().rposition(|e| e.0 == owner).unwrap();
                        assert_eq!(model.remove(last), Some(entry));
                        outside.push(own.stream);
                        owned += 1;
                    }
                }
            }
            assert_eq!(shelf.len, model.len());
            assert_eq!(
                shelf.oldest().map(|w| (w.owner, name(&w.stream))),
                model.front().copied()
            );
        }
        assert!(owned > 100, "{owned}");
        assert!(shelf.places.len() <= 5);
    }
}
