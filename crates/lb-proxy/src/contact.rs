//! Connections to backends that could not be made: whose fault that is, and what it means for the request.

use crate::view::PoolView;
use lb_balance::{Outcome, Refusal};
use lb_telemetry::End;
use lb_types::{Slot, Time};
use std::io;

/// A connection that could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoContact {
    /// What the log and the client are told.
    pub(crate) end: End,
    /// `None`: we are short of something, the backend is not to blame.
    refusal: Option<Refusal>,
}

impl NoContact {
    /// Nobody answered in time.
    pub(crate) const TIMEOUT: Self = Self {
        end: End::ConnectTimeout,
        refusal: Some(Refusal::Timeout),
    };

    pub(crate) fn of(error: &io::Error) -> Self {
        // EMFILE, ENFILE, ENOBUFS: std has no kinds for them.
        let short = matches!(error.raw_os_error(), Some(24 | 23 | 105));
        let (end, refusal) = match error.kind() {
            io::ErrorKind::ConnectionRefused => (End::ConnectRefused, Some(Refusal::Refused)),
            io::ErrorKind::TimedOut => (End::ConnectTimeout, Some(Refusal::Timeout)),
            // No free port, no memory.
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse | io::ErrorKind::OutOfMemory => {
                (End::ConnectFailed, None)
            }
            _ if short => (End::ConnectFailed, None),
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                (End::ConnectFailed, Some(Refusal::Reset))
            }
            // No route, a network that is down, a firewall of this machine.
            _ => (End::ConnectFailed, Some(Refusal::Unreachable)),
        };
        Self { end, refusal }
    }

    /// What it says about the health of the backend.
    pub(crate) fn outcome(self) -> Outcome {
        if self.refusal.is_some() {
            Outcome::Failure
        } else {
            Outcome::Neutral
        }
    }

    /// May the request go on to another backend at no price? No byte of it was sent and hardly any time spent.
    pub(crate) fn is_free(self) -> bool {
        self.refusal.is_some_and(Refusal::is_free)
    }

    /// The backend is passed over from now on.
    pub(crate) fn tell(self, pool: &PoolView, slot: Slot, now: Time) {
        if let Some(refusal) = self.refusal {
            pool.entry.pool.refused(slot, refusal, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_are_short_of_is_not_the_backends_fault() {
        // errno(3): EMFILE 24, EADDRNOTAVAIL 99, ECONNREFUSED 111, ENETUNREACH 101, EHOSTUNREACH 113,
        // ECONNRESET 104, ETIMEDOUT 110, EPERM 1
        let of = |number| NoContact::of(&io::Error::from_raw_os_error(number));
        for number in [23, 24, 99, 105] {
            assert_eq!((of(number).outcome(), of(number).is_free()), (Outcome::Neutral, false));
        }
        for number in [111, 101, 113, 104, 1] {
            assert_eq!((of(number).outcome(), of(number).is_free()), (Outcome::Failure, true));
        }
        assert_eq!(of(110), NoContact::TIMEOUT);
        assert!(!NoContact::TIMEOUT.is_free() && NoContact::TIMEOUT.outcome() == Outcome::Failure);
        assert_eq!((of(111).end, of(113).end), (End::ConnectRefused, End::ConnectFailed));
    }
}
