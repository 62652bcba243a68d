//! New connections to backends; of those that could not be made: whose fault that is, and what it means for the request.

use crate::core::Core;
use crate::view::PoolView;
use lb_balance::{Refusal, Ticket};
use lb_net::{Opening, Shortage, Stream};
use lb_telemetry::End;
use lb_types::{Slot, Time};
use std::io;
use std::task::{Context, Poll};

/// A connection to a backend that is being made.
#[derive(Debug)]
pub(crate) enum Contact {
    Opening(Opening),
    /// There was no descriptor for one, or what else this says: it is waited for, and tried again.
    Room(NoContact),
}

impl Contact {
    /// Begins, or begins to wait for a descriptor.
    pub(crate) fn begin(pool: &PoolView, ticket: &Ticket, core: &Core) -> Result<Self, NoContact> {
        match Opening::start(ticket.backend().address) {
            Ok(opening) => {
                pool.counters.connect();
                pool.counters_of(ticket.slot()).inspect(|backend| backend.connect());
                Ok(Self::Opening(opening))
            }
            Err(error) => {
                let missed = NoContact::of(&error);
                if !missed.wants_room() {
                    return Err(missed);
                }
                core.want_room();
                Ok(Self::Room(missed))
            }
        }
    }

    /// The connection, once it is there. `Pending`: woken when it is, or when there may be room for one.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        pool: &PoolView,
        ticket: &Ticket,
        core: &Core,
    ) -> Poll<Result<Stream, NoContact>> {
        loop {
            match self {
                Self::Opening(opening) => return opening.poll(cx).map_err(|error| NoContact::of(&error)),
                Self::Room(_) => match Self::begin(pool, ticket, core) {
                    Ok(Self::Room(_)) => {
                        core.wait_for_room(cx.waker());
                        return Poll::Pending;
                    }
                    Ok(begun) => *self = begun,
                    Err(missed) => return Poll::Ready(Err(missed)),
                },
            }
        }
    }

    /// Why it waits, if it does.
    pub(crate) const fn waits_for_room(&self) -> Option<NoContact> {
        match self {
            Self::Opening(_) => None,
            Self::Room(why) => Some(*why),
        }
    }
}

/// A connection that could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoContact {
    /// What the log and the client are told.
    pub(crate) end: End,
    /// What the end does not say; empty when it says it all. Our own words, as `Proxy-Status` may carry them.
    pub(crate) detail: &'static str,
    /// `None`: the backend is not to blame.
    refusal: Option<Refusal>,
    /// What we are short of.
    shortage: Option<Shortage>,
}

impl NoContact {
    /// Nobody answered in time.
    pub(crate) const TIMEOUT: Self = Self {
        end: End::ConnectTimeout,
        detail: "",
        refusal: Some(Refusal::Timeout),
        shortage: None,
    };

    /// A fault of ours.
    pub(crate) const INTERNAL: Self = Self {
        end: End::Internal,
        detail: "",
        refusal: None,
        shortage: None,
    };

    /// This machine is short of something.
    const fn short(of: Shortage) -> Self {
        Self {
            end: End::LocalShortage,
            detail: of.what(),
            refusal: None,
            shortage: Some(of),
        }
    }

    pub(crate) fn of(error: &io::Error) -> Self {
        use io::ErrorKind as K;
        if let Some(shortage) = Shortage::of(error) {
            return Self::short(shortage);
        }
        let failed = |detail, refusal| Self {
            end: End::ConnectFailed,
            detail,
            refusal: Some(refusal),
            shortage: None,
        };
        match error.kind() {
            K::ConnectionRefused => Self {
                end: End::ConnectRefused,
                detail: "",
                refusal: Some(Refusal::Refused),
                shortage: None,
            },
            K::TimedOut => Self::TIMEOUT,
            K::ConnectionReset | K::ConnectionAborted => {
                failed("reset while the connection was being made", Refusal::Reset)
            }
            K::HostUnreachable => failed("the host is unreachable", Refusal::Unreachable),
            K::NetworkUnreachable => failed("no route to the network of the address", Refusal::Unreachable),
            K::NetworkDown => failed("the network is down", Refusal::Unreachable),
            K::NotFound => failed("no socket is at its path", Refusal::Refused),
            K::PermissionDenied if lb_net::lacks_access(error) => failed(
                "the mode or owner of its socket keeps this process out",
                Refusal::Unreachable,
            ),
            K::PermissionDenied => failed(
                "this machine does not allow connections to the address: look at its firewall",
                Refusal::Unreachable,
            ),
            K::InvalidInput => failed(
                "the system does not take the address: a link-local one needs its zone",
                Refusal::Unreachable,
            ),
            _ => failed("an error of the socket", Refusal::Unreachable),
        }
    }

    /// Is it the backend's doing, or the network's, and not a want of ours?
    #[cfg(test)]
    pub(crate) fn is_its_fault(self) -> bool {
        self.refusal.is_some()
    }

    /// Would no other backend be reached either until room is made here?
    pub(crate) fn wants_room(self) -> bool {
        self.shortage.is_some_and(Shortage::is_everywhere)
    }

    /// May the request go on to another backend at no price? No byte of it was sent and hardly any time spent.
    pub(crate) fn is_free(self) -> bool {
        match self.shortage {
            Some(shortage) => !shortage.is_everywhere(),
            None => self.refusal.is_some_and(Refusal::is_free),
        }
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
        // errno(3): ENOMEM 12, EMFILE 24, EADDRINUSE 98, EADDRNOTAVAIL 99, ECONNREFUSED 111, ENETUNREACH 101, EHOSTUNREACH 113,
        // ECONNRESET 104, ETIMEDOUT 110, EPERM 1
        let of = |number| NoContact::of(&io::Error::from_raw_os_error(number));
        for number in [12, 23, 24, 105] {
            let failed = of(number);
            assert_eq!(
                (failed.is_its_fault(), failed.is_free(), failed.wants_room()),
                (false, false, true)
            );
            assert_eq!(failed.end, End::LocalShortage);
        }
        for number in [98, 99] {
            // Ports are counted per address that is connected to: another backend may be reached, and costs nothing.
            let failed = of(number);
            assert_eq!(
                (failed.is_its_fault(), failed.is_free(), failed.wants_room()),
                (false, true, false)
            );
            assert_eq!(failed.end, End::LocalShortage);
        }
        for number in [111, 101, 113, 104, 1] {
            let failed = of(number);
            assert_eq!(
                (failed.is_its_fault(), failed.is_free(), failed.wants_room()),
                (true, true, false)
            );
        }
        assert_eq!(of(110), NoContact::TIMEOUT);
        assert!(!NoContact::TIMEOUT.is_free() && NoContact::TIMEOUT.is_its_fault());
        assert_eq!((of(111).end, of(113).end), (End::ConnectRefused, End::ConnectFailed));
    }

    #[test]
    fn each_reason_why_no_connection_was_made_reads_differently() {
        // errno(3), as above; EINVAL 22, ENETDOWN 100, ENOMEM 12, EPROTO 71, ENOENT 2, EACCES 13
        let of = |number| NoContact::of(&io::Error::from_raw_os_error(number)).detail;
        let said = [113, 101, 100, 104, 1, 22, 99, 24, 12, 71, 2, 13].map(of);
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
