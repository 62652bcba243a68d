use crate::End;
use crate::count::{Count, EndCounts, Ends, Responses, add_all, add_each};
use std::iter::Sum;
use std::mem::offset_of;

/// What one worker counts of one pool: the requests and connections of TCP that were for it, and the connections to its
/// backends. Written and read as [`ListenerCounters`](crate::ListenerCounters).
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct PoolCounters {
    connects: Count,
    stale_reuses: Count,
    retries: Count,
    persist_hits: Count,
    persist_misses: Count,
    _room: Count,
    /// From 2xx on with those that follow on one line.
    responses: Responses,
    reuses: Count,
    upstream_in: Count,
    upstream_out: Count,
    ends: Ends,
}

const _: () = {
    let from = offset_of!(PoolCounters, responses) + Responses::RARE;
    let to = offset_of!(PoolCounters, ends) + size_of::<Count>();
    assert!(
        from.is_multiple_of(64) && to - from <= 64,
        "an ordinary request touches one line"
    );
};

impl PoolCounters {
    /// A client was given a final response with this status, a backend's or our own.
    pub fn response(&self, status: u16) {
        self.responses.add(status);
    }

    /// Bytes came from backends and went to them, as they went over the connection, heads and framing included.
    pub fn moved(&self, upstream_in: u64, upstream_out: u64) {
        self.upstream_in.add(upstream_in);
        self.upstream_out.add(upstream_out);
    }

    /// A new connection to a backend was begun.
    pub fn connect(&self) {
        self.connects.add(1);
    }

    /// A kept connection was taken.
    pub fn reuse(&self) {
        self.reuses.add(1);
    }

    /// A kept connection proved dead before any response byte.
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

    /// A request or connection of TCP that was for it ended so. Its listener counts it too.
    pub fn ended(&self, end: End) {
        self.ends.add(end);
    }

    /// The numbers at this moment, read without stopping the writer.
    #[must_use]
    pub fn read(&self) -> PoolCounts {
        PoolCounts {
            responses: self.responses.read(),
            upstream_in: self.upstream_in.read(),
            upstream_out: self.upstream_out.read(),
            upstream_connects: self.connects.read(),
            upstream_reuses: self.reuses.read(),
            stale_reuses: self.stale_reuses.read(),
            retries: self.retries.read(),
            persist_hits: self.persist_hits.read(),
            persist_misses: self.persist_misses.read(),
            ends: self.ends.read(),
        }
    }
}

/// The numbers of one pool, of one worker or, summed, of several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolCounts {
    /// Final responses by first digit of the status, 1 to 5; index 0 is everything else.
    pub responses: [u64; 6],
    /// Bytes from backends.
    pub upstream_in: u64,
    /// Bytes to backends.
    pub upstream_out: u64,
    /// New connections to backends.
    pub upstream_connects: u64,
    /// Kept connections taken.
    pub upstream_reuses: u64,
    /// Kept connections found dead.
    pub stale_reuses: u64,
    /// Requests sent again to another backend.
    pub retries: u64,
    /// Returning clients sent to their backend.
    pub persist_hits: u64,
    /// Clients not known, or whose backend was gone.
    pub persist_misses: u64,
    /// How the requests and connections of TCP that were for it ended.
    pub ends: EndCounts,
}

impl PoolCounts {
    /// Adds the numbers of `other` to these.
    pub fn merge(&mut self, other: &Self) {
        add_each([
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
}

impl Sum for PoolCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, one| {
            sum.merge(&one);
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_count_lands_in_its_own_number_and_a_sum_adds_every_number() {
        let c = PoolCounters::default();
        let often = |n: usize, count: fn(&PoolCounters)| (0..n).for_each(|_| count(&c));
        c.response(200);
        c.response(502);
        c.moved(30, 40);
        often(1, PoolCounters::connect);
        often(2, PoolCounters::reuse);
        often(3, PoolCounters::stale_reuse);
        often(4, PoolCounters::retry);
        often(5, PoolCounters::persist_hit);
        often(6, PoolCounters::persist_miss);
        c.ended(End::Done);
        let sum: PoolCounts = (0..2).map(|_| c.read()).sum();
        assert_eq!(sum.responses, [0, 0, 2, 0, 0, 2]);
        assert_eq!((sum.upstream_in, sum.upstream_out), (60, 80));
        assert_eq!(
            (sum.upstream_connects, sum.upstream_reuses, sum.stale_reuses),
            (2, 4, 6)
        );
        assert_eq!((sum.retries, sum.persist_hits, sum.persist_misses), (8, 10, 12));
        assert_eq!((sum.ends.of(End::Done), sum.ends.sum()), (2, 2));
    }
}
