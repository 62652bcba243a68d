use crate::End;
use crate::count::{Count, EndCounts, Responses, add_all, add_each};
use std::iter::Sum;
use std::mem::offset_of;

/// What one worker counts of one backend. Written and read as [`ListenerCounters`](crate::ListenerCounters); 256 bytes.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct BackendCounters {
    /// By place in [`BLAMED`].
    failures: [Count; BLAMED.len()],
    connects: Count,
    _room: [Count; 5],
    /// From 2xx on with those that follow on one line.
    responses: Responses,
    requests: Count,
    reuses: Count,
    upstream_in: Count,
    upstream_out: Count,
}

const _: () = {
    let from = offset_of!(BackendCounters, responses) + Responses::RARE;
    let to = offset_of!(BackendCounters, upstream_out) + size_of::<Count>();
    assert!(
        from.is_multiple_of(64) && to - from <= 64,
        "an ordinary request touches one line"
    );
};

/// What a backend can be blamed for; the last one stands for whatever else it is.
const BLAMED: [End; 16] = [
    End::ConnectRefused,
    End::ConnectTimeout,
    End::ConnectFailed,
    End::UpstreamReset,
    End::UpstreamClosed,
    End::UpstreamTimeout,
    End::UpstreamProtocol,
    End::UpstreamHeadTooLarge,
    End::UpgradeFailed,
    End::UpstreamTruncated,
    End::UpstreamTls,
    End::UpstreamUntrusted,
    End::UpstreamWrongName,
    End::UpstreamExpired,
    End::TunnelReset,
    End::Internal,
];

impl BackendCounters {
    /// It was picked for a request, or a connection of TCP: each attempt counts.
    pub fn request(&self) {
        self.requests.add(1);
    }

    /// It began a final response with this status.
    pub fn response(&self, status: u16) {
        self.responses.add(status);
    }

    /// It failed a request, or a connection of TCP, like this.
    #[cold]
    pub fn failed(&self, end: End) {
        let place = BLAMED.iter().position(|known| *known == end);
        if let Some(count) = self.failures.get(place.unwrap_or(BLAMED.len() - 1)) {
            count.add(1);
        }
    }

    /// Bytes came from it and went to it, as they went over the connection, heads and framing included.
    pub fn moved(&self, upstream_in: u64, upstream_out: u64) {
        self.upstream_in.add(upstream_in);
        self.upstream_out.add(upstream_out);
    }

    /// A new connection to it was begun.
    pub fn connect(&self) {
        self.connects.add(1);
    }

    /// A kept connection to it was taken.
    pub fn reuse(&self) {
        self.reuses.add(1);
    }

    /// The numbers at this moment, read without stopping the writer.
    #[must_use]
    pub fn read(&self) -> BackendCounts {
        let mut failures = EndCounts::default();
        for (end, count) in BLAMED.into_iter().zip(&self.failures) {
            failures.add(end, count.read());
        }
        BackendCounts {
            requests: self.requests.read(),
            responses: self.responses.read(),
            upstream_in: self.upstream_in.read(),
            upstream_out: self.upstream_out.read(),
            upstream_connects: self.connects.read(),
            upstream_reuses: self.reuses.read(),
            failures,
        }
    }
}

/// The numbers of one backend, of one worker or, summed, of several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BackendCounts {
    /// Requests and connections of TCP that it was picked for, each attempt.
    pub requests: u64,
    /// Final responses that it began, by first digit of the status, 1 to 5; index 0 is everything else.
    pub responses: [u64; 6],
    /// Bytes from it.
    pub upstream_in: u64,
    /// Bytes to it.
    pub upstream_out: u64,
    /// New connections to it.
    pub upstream_connects: u64,
    /// Kept connections to it that were taken.
    pub upstream_reuses: u64,
    /// How it failed requests and connections of TCP: ends that it is to blame for, whatever the client got in the end.
    pub failures: EndCounts,
}

impl BackendCounts {
    /// Adds the numbers of `other` to these.
    pub fn merge(&mut self, other: &Self) {
        add_each([
            (&mut self.requests, other.requests),
            (&mut self.upstream_in, other.upstream_in),
            (&mut self.upstream_out, other.upstream_out),
            (&mut self.upstream_connects, other.upstream_connects),
            (&mut self.upstream_reuses, other.upstream_reuses),
        ]);
        add_all(&mut self.responses, &other.responses);
        self.failures.merge(&other.failures);
    }
}

impl Sum for BackendCounts {
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
    use crate::Side;

    #[test]
    fn each_count_lands_in_its_own_number_and_a_sum_adds_every_number() {
        let c = BackendCounters::default();
        let often = |n: usize, count: fn(&BackendCounters)| (0..n).for_each(|_| count(&c));
        often(1, BackendCounters::request);
        often(2, BackendCounters::connect);
        often(3, BackendCounters::reuse);
        c.response(204);
        c.moved(50, 60);
        c.failed(End::ConnectRefused);
        let sum: BackendCounts = (0..2).map(|_| c.read()).sum();
        assert_eq!((sum.requests, sum.upstream_connects, sum.upstream_reuses), (2, 4, 6));
        assert_eq!(sum.responses, [0, 0, 2, 0, 0, 0]);
        assert_eq!((sum.upstream_in, sum.upstream_out), (100, 120));
        assert_eq!((sum.failures.of(End::ConnectRefused), sum.failures.sum()), (2, 2));
    }

    #[test]
    fn whatever_a_backend_is_blamed_for_has_its_place_and_no_blame_is_lost() {
        let c = BackendCounters::default();
        for end in End::ALL {
            c.failed(end);
        }
        let failures = c.read().failures;
        assert_eq!(failures.sum(), End::ALL.len() as u64);
        for end in End::ALL {
            // these two are said of a pool
            let is_pools = matches!(end, End::NoBackend | End::BackendsBusy);
            if (end.side() == Side::Upstream && !is_pools) || end == End::TunnelReset {
                assert_eq!(failures.of(end), 1, "{end:?}");
            }
        }
        assert_eq!(size_of::<BackendCounters>(), 256);
    }
}
