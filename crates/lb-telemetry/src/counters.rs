use crate::{End, Faults};
use std::iter::Sum;
use std::sync::atomic::{AtomicU64, Ordering};

/// What one worker counts for one listener or one pool.
///
/// **One writing thread**: adding is a relaxed load and a relaxed store, which compile to plain
/// moves; a locked `fetch_add` would cost some twenty times as much, per count and per request. Two
/// writers would lose counts (never memory safety). Any thread may read at any time with
/// [`Counters::snapshot`]; the numbers of one snapshot can be a few requests apart.
///
/// Starts on its own pair of cache lines, so that workers do not share one. `O(1)` per count, no
/// allocation, no lock.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    opened: Count,
    closed: Count,
    requests: Count,
    /// By first digit of the status, 1 to 5; 0 is everything else.
    responses: [Count; 6],
    client_in: Count,
    client_out: Count,
    upstream_in: Count,
    upstream_out: Count,
    upstream_connects: Count,
    upstream_reuses: Count,
    stale_reuses: Count,
    retries: Count,
    persist_hits: Count,
    persist_misses: Count,
    ends: Ends,
    faults: Faults,
}

impl Counters {
    /// All zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection began.
    pub fn connection_opened(&self) {
        self.opened.add(1);
    }

    /// A connection ended. Called once for each [`Counters::connection_opened`].
    pub fn connection_closed(&self) {
        self.closed.add(1);
    }

    /// A request head was read.
    pub fn request(&self) {
        self.requests.add(1);
    }

    /// A final response with this status was begun. Codes outside 100-599 count apart.
    pub fn response(&self, status: u16) {
        let class = match status {
            100..=599 => usize::from(status / 100),
            _ => 0,
        };
        if let Some(count) = self.responses.get(class) {
            count.add(1);
        }
    }

    /// Bytes came from clients. Here as in the three others: as they went over the connection, heads and framing included.
    pub fn client_in(&self, bytes: u64) {
        self.client_in.add(bytes);
    }

    /// Bytes went to clients.
    pub fn client_out(&self, bytes: u64) {
        self.client_out.add(bytes);
    }

    /// Bytes came from backends.
    pub fn upstream_in(&self, bytes: u64) {
        self.upstream_in.add(bytes);
    }

    /// Bytes went to backends.
    pub fn upstream_out(&self, bytes: u64) {
        self.upstream_out.add(bytes);
    }

    /// A new connection to a backend was made.
    pub fn upstream_connect(&self) {
        self.upstream_connects.add(1);
    }

    /// A pooled connection was taken.
    pub fn upstream_reuse(&self) {
        self.upstream_reuses.add(1);
    }

    /// A pooled connection proved dead before any response byte.
    pub fn stale_reuse(&self) {
        self.stale_reuses.add(1);
    }

    /// A request was sent again to another backend.
    pub fn retry(&self) {
        self.retries.add(1);
    }

    /// A returning client was sent to the backend it had before.
    pub fn persist_hit(&self) {
        self.persist_hits.add(1);
    }

    /// A client was not known, or its backend was gone.
    pub fn persist_miss(&self) {
        self.persist_misses.add(1);
    }

    /// A request or connection ended so.
    pub fn ended(&self, end: End) {
        if let Some(count) = self.ends.0.get(end.index()) {
            count.add(1);
        }
    }

    /// How the last failed request of each backend ended.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The numbers at this moment, read without stopping the writer.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            // closed before opened: a connection between the two reads then counts as active, not as less than none
            closed: self.closed.read(),
            opened: self.opened.read(),
            requests: self.requests.read(),
            responses: std::array::from_fn(|i| self.responses.get(i).map_or(0, Count::read)),
            client_in: self.client_in.read(),
            client_out: self.client_out.read(),
            upstream_in: self.upstream_in.read(),
            upstream_out: self.upstream_out.read(),
            upstream_connects: self.upstream_connects.read(),
            upstream_reuses: self.upstream_reuses.read(),
            stale_reuses: self.stale_reuses.read(),
            retries: self.retries.read(),
            persist_hits: self.persist_hits.read(),
            persist_misses: self.persist_misses.read(),
            ends: std::array::from_fn(|i| self.ends.0.get(i).map_or(0, Count::read)),
        }
    }
}

/// The numbers of one or, summed, of many [`Counters`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Connections begun.
    pub opened: u64,
    /// Connections ended.
    pub closed: u64,
    /// Request heads read.
    pub requests: u64,
    /// Final responses by first digit of the status, 1 to 5; index 0 is everything else.
    pub responses: [u64; 6],
    /// Bytes from clients.
    pub client_in: u64,
    /// Bytes to clients.
    pub client_out: u64,
    /// Bytes from backends.
    pub upstream_in: u64,
    /// Bytes to backends.
    pub upstream_out: u64,
    /// New connections to backends.
    pub upstream_connects: u64,
    /// Pooled connections taken.
    pub upstream_reuses: u64,
    /// Pooled connections found dead.
    pub stale_reuses: u64,
    /// Requests sent again to another backend.
    pub retries: u64,
    /// Returning clients sent to their backend.
    pub persist_hits: u64,
    /// Clients not known, or whose backend was gone.
    pub persist_misses: u64,
    ends: [u64; End::ALL.len()],
}

impl Snapshot {
    /// Connections open at this moment.
    #[must_use]
    pub const fn active(&self) -> u64 {
        self.opened.saturating_sub(self.closed)
    }

    /// How many requests and connections ended so.
    #[must_use]
    pub fn ended(&self, end: End) -> u64 {
        self.ends.get(end.index()).copied().unwrap_or(0)
    }

    /// Every end with its number, zeros included, in the order of [`End::ALL`].
    pub fn ends(&self) -> impl Iterator<Item = (End, u64)> + '_ {
        End::ALL.into_iter().zip(self.ends)
    }

    /// Adds the numbers of `other` to these.
    pub fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.opened, other.opened),
            (&mut self.closed, other.closed),
            (&mut self.requests, other.requests),
            (&mut self.client_in, other.client_in),
            (&mut self.client_out, other.client_out),
            (&mut self.upstream_in, other.upstream_in),
            (&mut self.upstream_out, other.upstream_out),
            (&mut self.upstream_connects, other.upstream_connects),
            (&mut self.upstream_reuses, other.upstream_reuses),
            (&mut self.stale_reuses, other.stale_reuses),
            (&mut self.retries, other.retries),
            (&mut self.persist_hits, other.persist_hits),
            (&mut self.persist_misses, other.persist_misses),
        ];
        let arrays = self
            .responses
            .iter_mut()
            .zip(other.responses)
            .chain(self.ends.iter_mut().zip(other.ends));
        for (mine, theirs) in pairs.into_iter().chain(arrays) {
            *mine = mine.wrapping_add(theirs);
        }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Counters::new().snapshot()
    }
}

impl Sum for Snapshot {
    fn sum<I: Iterator<Item = Self>>(snapshots: I) -> Self {
        snapshots.fold(Self::default(), |mut sum, one| {
            sum.merge(&one);
            sum
        })
    }
}

/// A number with one writing thread.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    fn add(&self, n: u64) {
        self.0
            .store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Ends([Count; End::ALL.len()]);

impl Default for Ends {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Count::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn each_count_lands_in_its_own_number() {
        let c = Counters::new();
        c.connection_opened();
        c.connection_opened();
        c.connection_closed();
        c.request();
        for status in [101, 200, 204, 301, 404, 502, 503, 99, 600] {
            c.response(status);
        }
        c.client_in(10);
        c.client_out(20);
        c.upstream_in(30);
        c.upstream_out(40);
        c.upstream_connect();
        c.upstream_reuse();
        c.stale_reuse();
        c.retry();
        c.persist_hit();
        c.persist_miss();
        c.persist_miss();
        c.ended(End::NoBackend);
        c.ended(End::Internal);
        let s = c.snapshot();
        assert_eq!((s.opened, s.closed, s.active(), s.requests), (2, 1, 1, 1));
        assert_eq!(s.responses, [2, 1, 2, 1, 1, 2]);
        assert_eq!(
            (s.client_in, s.client_out, s.upstream_in, s.upstream_out),
            (10, 20, 30, 40)
        );
        assert_eq!(
            (s.upstream_connects, s.upstream_reuses, s.stale_reuses, s.retries),
            (1, 1, 1, 1)
        );
        assert_eq!((s.persist_hits, s.persist_misses), (1, 2));
        assert_eq!(
            (s.ended(End::NoBackend), s.ended(End::Internal), s.ended(End::Done)),
            (1, 1, 0)
        );
        assert_eq!(s.ends().filter(|(_, n)| *n > 0).count(), 2);
    }

    #[test]
    fn a_sum_adds_every_number() {
        let c = Counters::new();
        c.connection_opened();
        c.response(200);
        c.client_out(7);
        c.ended(End::Done);
        let sum: Snapshot = (0..3).map(|_| c.snapshot()).sum();
        assert_eq!(
            (sum.opened, sum.responses[2], sum.client_out, sum.ended(End::Done)),
            (3, 3, 21, 3)
        );
    }

    #[test]
    fn workers_count_without_loss_while_another_thread_reads() {
        let all: Vec<Arc<Counters>> = (0..4).map(|_| Arc::new(Counters::new())).collect();
        let writers: Vec<_> = all
            .iter()
            .map(Arc::clone)
            .map(|c| {
                thread::spawn(move || {
                    for _ in 0..50_000 {
                        c.connection_opened();
                        c.request();
                        c.ended(End::Done);
                        c.connection_closed();
                    }
                })
            })
            .collect();
        let mut last = 0;
        while writers.iter().any(|w| !w.is_finished()) {
            let sum: Snapshot = all.iter().map(|c| c.snapshot()).sum();
            assert!(sum.requests >= last && sum.opened >= sum.closed);
            last = sum.requests;
        }
        for writer in writers {
            writer.join().unwrap();
        }
        let sum: Snapshot = all.iter().map(|c| c.snapshot()).sum();
        assert_eq!(
            (sum.requests, sum.active(), sum.ended(End::Done)),
            (200_000, 0, 200_000)
        );
    }

    #[test]
    fn two_workers_share_no_cache_line() {
        assert_eq!(align_of::<Counters>(), 128);
        assert_eq!(size_of::<Counters>() % 128, 0);
    }
}
