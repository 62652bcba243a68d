use crate::count::{EndCounts, add_all, add_each};
use crate::{End, ListenerCounts, PoolCounts};
use std::iter::Sum;

/// The sums of one [`Counters`](crate::Counters) or of several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// Connections begun.
    pub opened: u64,
    /// Connections ended.
    pub closed: u64,
    /// Handshakes of TLS with clients that came to their end.
    pub handshakes: u64,
    /// Those of them that took up a session from before.
    pub resumed: u64,
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
    ends: EndCounts,
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
        self.ends.of(end)
    }

    /// Every end with its number, zeros included, in the order of [`End::ALL`].
    pub fn ends(&self) -> impl Iterator<Item = (End, u64)> + '_ {
        self.ends.iter()
    }

    /// Adds the numbers of `other` to these.
    pub fn merge(&mut self, other: &Self) {
        add_each([
            (&mut self.opened, other.opened),
            (&mut self.closed, other.closed),
            (&mut self.handshakes, other.handshakes),
            (&mut self.resumed, other.resumed),
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
        ]);
        add_all(&mut self.responses, &other.responses);
        self.ends.merge(&other.ends);
    }

    /// What concerns clients: all that a sum takes from a listener.
    pub(crate) fn add_listener(&mut self, one: &ListenerCounts) {
        add_each([
            (&mut self.opened, one.opened),
            (&mut self.closed, one.closed),
            (&mut self.handshakes, one.handshakes),
            (&mut self.resumed, one.resumed),
            (&mut self.requests, one.requests),
            (&mut self.client_in, one.client_in),
            (&mut self.client_out, one.client_out),
        ]);
        add_all(&mut self.responses, &one.responses);
        self.ends.merge(&one.ends);
    }

    /// What concerns backends. Responses and ends of a pool are its listeners' already.
    pub(crate) fn add_pool(&mut self, one: &PoolCounts) {
        add_each([
            (&mut self.upstream_in, one.upstream_in),
            (&mut self.upstream_out, one.upstream_out),
            (&mut self.upstream_connects, one.upstream_connects),
            (&mut self.upstream_reuses, one.upstream_reuses),
            (&mut self.stale_reuses, one.stale_reuses),
            (&mut self.retries, one.retries),
            (&mut self.persist_hits, one.persist_hits),
            (&mut self.persist_misses, one.persist_misses),
        ]);
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
