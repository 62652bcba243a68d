use crate::End;
use crate::count::{Count, EndCounts, Ends, Responses, add_all, add_each};
use std::iter::Sum;
use std::mem::offset_of;

/// What one worker counts of one listener: its clients, their requests, and how each of them ended.
///
/// **One writing thread**: adding is a relaxed load and a relaxed store, which compile to plain
/// moves; a locked `fetch_add` would cost some twenty times as much, per count and per request. Two
/// writers would lose counts (never memory safety). Any thread may read at any time with
/// [`read`](Self::read); the numbers of one reading can be a few requests apart.
///
/// Starts on its own pair of cache lines, so that workers do not share one; what an ordinary request touches is one line.
/// `O(1)` per count, no allocation, no lock.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct ListenerCounters {
    opened: Count,
    closed: Count,
    handshakes: Count,
    resumed: Count,
    _room: [Count; 2],
    /// From 2xx on with those that follow on one line.
    responses: Responses,
    requests: Count,
    client_in: Count,
    client_out: Count,
    ends: Ends,
}

const _: () = {
    let from = offset_of!(ListenerCounters, responses) + Responses::RARE;
    let to = offset_of!(ListenerCounters, ends) + size_of::<Count>();
    assert!(
        from.is_multiple_of(64) && to - from <= 64,
        "an ordinary request touches one line"
    );
};

impl ListenerCounters {
    /// A client's connection began.
    pub fn connection_opened(&self) {
        self.opened.add(1);
    }

    /// It ended. Called once for each [`connection_opened`](Self::connection_opened).
    pub fn connection_closed(&self) {
        self.closed.add(1);
    }

    /// A handshake of TLS came to its end; `resumed`: with a session from before.
    pub fn handshake(&self, resumed: bool) {
        self.handshakes.add(1);
        self.resumed.add(u64::from(resumed));
    }

    /// A request head was read.
    pub fn request(&self) {
        self.requests.add(1);
    }

    /// A final response with this status was begun. Codes outside 100-599 count apart.
    pub fn response(&self, status: u16) {
        self.responses.add(status);
    }

    /// Bytes came from clients and went to them, as they went over the connection, heads and framing included.
    pub fn moved(&self, client_in: u64, client_out: u64) {
        self.client_in.add(client_in);
        self.client_out.add(client_out);
    }

    /// A request or connection ended so.
    pub fn ended(&self, end: End) {
        self.ends.add(end);
    }

    /// The numbers at this moment, read without stopping the writer.
    #[must_use]
    pub fn read(&self) -> ListenerCounts {
        ListenerCounts {
            // closed before opened: a connection between the two reads then counts as active, not as less than none
            closed: self.closed.read(),
            opened: self.opened.read(),
            resumed: self.resumed.read(),
            handshakes: self.handshakes.read(),
            requests: self.requests.read(),
            responses: self.responses.read(),
            client_in: self.client_in.read(),
            client_out: self.client_out.read(),
            ends: self.ends.read(),
        }
    }
}

/// The numbers of one listener, of one worker or, summed, of several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListenerCounts {
    /// Client connections begun.
    pub opened: u64,
    /// Client connections ended.
    pub closed: u64,
    /// Handshakes of TLS that came to their end.
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
    /// How requests and connections ended, each of them once.
    pub ends: EndCounts,
}

impl ListenerCounts {
    /// Connections open at this moment.
    #[must_use]
    pub const fn active(&self) -> u64 {
        self.opened.saturating_sub(self.closed)
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
        ]);
        add_all(&mut self.responses, &other.responses);
        self.ends.merge(&other.ends);
    }
}

impl Sum for ListenerCounts {
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
        let c = ListenerCounters::default();
        c.connection_opened();
        c.connection_opened();
        c.connection_closed();
        c.handshake(false);
        c.handshake(false);
        c.handshake(true);
        c.request();
        for status in [101, 200, 204, 301, 404, 502, 503, 99, 600] {
            c.response(status);
        }
        c.moved(10, 20);
        c.ended(End::NoBackend);
        c.ended(End::Internal);
        let n = c.read();
        assert_eq!((n.opened, n.closed, n.active(), n.requests), (2, 1, 1, 1));
        assert_eq!((n.handshakes, n.resumed), (3, 1));
        assert_eq!(n.responses, [2, 1, 2, 1, 1, 2]);
        assert_eq!((n.client_in, n.client_out), (10, 20));
        assert_eq!(
            (
                n.ends.of(End::NoBackend),
                n.ends.of(End::Internal),
                n.ends.of(End::Done)
            ),
            (1, 1, 0)
        );
        assert_eq!((n.ends.iter().filter(|(_, n)| *n > 0).count(), n.ends.sum()), (2, 2));
        let sum: ListenerCounts = (0..3).map(|_| c.read()).sum();
        assert_eq!((sum.opened, sum.closed, sum.requests), (6, 3, 3));
        assert_eq!((sum.handshakes, sum.resumed), (9, 3));
        assert_eq!(sum.responses, [6, 3, 6, 3, 3, 6]);
        assert_eq!((sum.client_in, sum.client_out, sum.ends.sum()), (30, 60, 6));
    }
}
