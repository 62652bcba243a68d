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
    /// What the end does not say; empty when it says it all. Our own words, as `Proxy-Status` may carry them.
    pub(crate) detail: &'static str,
    /// `None`: we are short of something, the backend is not to blame.
    refusal: Option<Refusal>,
}

impl NoContact {
    /// Nobody answered in time.
    pub(crate) const TIMEOUT: Self = Self {
        end: End::ConnectTimeout,
        detail: "",
        refusal: Some(Refusal::Timeout),
    };

    pub(crate) fn of(error: &io::Error) -> Self {
        use io::ErrorKind as K;
        let failed = |detail, refusal| Self {
            end: End::ConnectFailed,
            detail,
            refusal,
        };
        match (error.kind(), error.raw_os_error()) {
            (K::ConnectionRefused, _) => Self {
                end: End::ConnectRefused,
                detail: "",
                refusal: Some(Refusal::Refused),
            },
            (K::TimedOut, _) => Self::TIMEOUT,
            (K::AddrNotAvailable | K::AddrInUse, _) => failed("no free local port or address", None),
            (_, Some(EMFILE | ENFILE)) => failed("no free file descriptor", None),
            (K::OutOfMemory, _) | (_, Some(ENOBUFS)) => failed("no memory for another socket", None),
            (K::ConnectionReset | K::ConnectionAborted, _) => {
                failed("reset while the connection was being made", Some(Refusal::Reset))
            }
            (K::HostUnreachable, _) => failed("the host is unreachable", Some(Refusal::Unreachable)),
            (K::NetworkUnreachable, _) => failed("no route to the network of the address", Some(Refusal::Unreachable)),
            (K::NetworkDown, _) => failed("the network is down", Some(Refusal::Unreachable)),
            (K::NotFound, _) => failed("no socket is at its path", Some(Refusal::Refused)),
            // EAGAIN of connect(2); TCP has no such answer
            (K::WouldBlock, _) => failed("the backlog of its socket is full", Some(Refusal::Refused)),
            (_, Some(EACCES)) => failed(
                "the mode or owner of its socket keeps this process out",
                Some(Refusal::Unreachable),
            ),
            (K::PermissionDenied, _) => failed(
                "this machine does not allow connections to the address: look at its firewall",
                Some(Refusal::Unreachable),
            ),
            (K::InvalidInput, _) => failed(
                "the system does not take the address: a link-local one needs its zone",
                Some(Refusal::Unreachable),
            ),
            _ => failed("an error of the socket", Some(Refusal::Unreachable)),
        }
    }

    /// Is it the backend's doing, or the network's, and not a want of ours?
    pub(crate) fn is_its_fault(self) -> bool {
        self.refusal.is_some()
    }

    /// What it says about the health of the backend.
    pub(crate) fn outcome(self) -> Outcome {
        if self.is_its_fault() {
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

// Linux numbers, which std has no kinds for.
const EACCES: i32 = 13;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const ENOBUFS: i32 = 105;

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

    #[test]
    fn each_reason_why_no_connection_was_made_reads_differently() {
        // errno(3), as above; EINVAL 22, ENETDOWN 100, ENOMEM 12, EPROTO 71, ENOENT 2, EAGAIN 11, EACCES 13
        let of = |number| NoContact::of(&io::Error::from_raw_os_error(number)).detail;
        let said = [113, 101, 100, 104, 1, 22, 99, 24, 12, 71, 2, 11, 13].map(of);
        for (n, detail) in said.iter().enumerate() {
            assert!(
                !detail.is_empty() && !said.iter().skip(n + 1).any(|other| other == detail),
                "{detail}"
            );
            assert!(
                detail
                    .bytes()
                    .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\'),
                "{detail}"
            );
        }
        assert_eq!((of(111), of(110)), ("", ""), "the end says it");
    }
}
