//! New connections to backends; of those that could not be made: whose fault that is, and what it means for the request.

mod header;

use crate::core::Core;
use crate::preface::TlsPeer;
use crate::view::PoolView;
use lb_balance::{Refusal, Ticket};
use lb_net::{BorrowError, Handshake, Opening, Shortage, Stream, TlsFault};
use lb_telemetry::End;
use lb_tls::upstream::{UpstreamReason, UpstreamRefusal, Verify};
use lb_tls::{HandshakeFault, UpstreamTls};
use lb_types::{Address, Slot, Time};
use rustls::HandshakeKind;
use std::hint::cold_path;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A connection to a backend that is being made.
#[derive(Debug)]
pub(crate) enum Contact {
    Opening(Opening, Option<Box<Greeting>>),
    /// What is said before TLS is on its way.
    Greeting(Stream, Box<Greeting>),
    Handshake(Handshake, Arc<UpstreamTls>),
    /// There was no descriptor for one, or what else this says: it is waited for, and tried again.
    Room(NoContact, Option<Box<Greeting>>),
}

/// What goes ahead of the first request over a new connection.
#[derive(Debug, Clone)]
pub(crate) struct Greeting {
    /// The PROXY header; of it was sent:
    header: Vec<u8>,
    sent: usize,
    tls: Option<Arc<UpstreamTls>>,
    source: Source,
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// From an address of this machine's.
    Own,
    /// From the client's.
    Client(IpAddr),
    /// It should be the client's, and that has none.
    Nowhere,
}

/// For whom a connection is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnBehalf<'a> {
    /// The client's own connection.
    pub(crate) io: &'a Stream,
    /// From where and to where, when a PROXY header said so; else as its connection says.
    pub(crate) proxied: Option<(SocketAddr, SocketAddr)>,
    pub(crate) tls: Option<&'a TlsPeer>,
}

impl OnBehalf<'_> {
    /// The client's own address, which one over a Unix domain socket does not have.
    fn client(&self) -> Option<SocketAddr> {
        let said = self.proxied.map(|(client, _)| client);
        said.or_else(|| self.io.peer_socket())
    }
}

impl Greeting {
    /// `None`: nothing goes ahead of it.
    fn new(pool: &PoolView, slot: Slot, of: OnBehalf<'_>, core: &Core) -> Option<Box<Self>> {
        let options = pool.options();
        if options.proxy.is_none() && options.tls.is_empty() && !options.transparent {
            return None;
        }
        cold_path();
        let header = options
            .proxy
            .map(|how| header::write(how, of, core))
            .unwrap_or_default();
        let tls = options.tls_of(slot).cloned();
        let source = match of.client() {
            _ if !options.transparent => Source::Own,
            Some(client) => Source::Client(client.ip().to_canonical()),
            None => Source::Nowhere,
        };
        if header.is_empty() && tls.is_none() && !options.transparent {
            return None;
        }
        Some(Box::new(Self {
            header,
            sent: 0,
            tls,
            source,
        }))
    }

    fn poll(&mut self, cx: &mut Context<'_>, io: &mut Stream) -> Poll<io::Result<()>> {
        while let Some(rest) = self.header.get(self.sent..).filter(|rest| !rest.is_empty()) {
            self.sent += ready!(io.poll_send(cx, rest))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl Contact {
    /// Begins, or begins to wait for a descriptor.
    pub(crate) fn begin(pool: &PoolView, ticket: &Ticket, of: OnBehalf<'_>, core: &Core) -> Result<Self, NoContact> {
        Self::open(pool, ticket, Greeting::new(pool, ticket.slot(), of, core), core)
    }

    fn open(pool: &PoolView, ticket: &Ticket, greeting: Option<Box<Greeting>>, core: &Core) -> Result<Self, NoContact> {
        let address = ticket.backend().address;
        let started = match greeting.as_ref().map_or(Source::Own, |greeting| greeting.source) {
            Source::Own => Opening::start(address),
            source => borrowed(address, source)?,
        };
        match started {
            Ok(opening) => {
                pool.counters.connect();
                pool.counters_of(ticket.slot()).inspect(|backend| backend.connect());
                Ok(Self::Opening(opening, greeting))
            }
            Err(error) => {
                let missed = NoContact::of(&error);
                if !missed.wants_room() {
                    return Err(missed);
                }
                core.want_room();
                Ok(Self::Room(missed, greeting))
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
                Self::Opening(opening, greeting) => {
                    let stream = match ready!(opening.poll(cx)) {
                        Ok(stream) => stream,
                        Err(error) => return Poll::Ready(Err(NoContact::of(&error))),
                    };
                    match greeting.take() {
                        None => return Poll::Ready(Ok(stream)),
                        Some(greeting) => *self = Self::Greeting(stream, greeting),
                    }
                }
                Self::Greeting(stream, greeting) => {
                    cold_path();
                    if let Err(error) = ready!(greeting.poll(cx, stream)) {
                        return Poll::Ready(Err(NoContact::of(&error)));
                    }
                    let tls = greeting.tls.take();
                    let Self::Greeting(stream, _) = std::mem::replace(self, Self::OVER) else {
                        return Poll::Ready(Err(NoContact::INTERNAL));
                    };
                    let Some(tls) = tls else { return Poll::Ready(Ok(stream)) };
                    match Handshake::client(stream, Arc::clone(tls.config()), tls.server_name().clone()) {
                        Ok(handshake) => *self = Self::Handshake(handshake, tls),
                        Err(error) => return Poll::Ready(Err(NoContact::of_tls(&TlsFault::Protocol(error)))),
                    }
                }
                Self::Handshake(handshake, tls) => {
                    let done = ready!(handshake.poll(cx));
                    let done = done.map_err(|refused| NoContact::of_tls(&refused.fault));
                    return Poll::Ready(done.and_then(|stream| judged(stream, tls)));
                }
                Self::Room(_, greeting) => match Self::open(pool, ticket, greeting.take(), core) {
                    Ok(Self::Room(missed, greeting)) => {
                        *self = Self::Room(missed, greeting);
                        core.wait_for_room(cx.waker());
                        return Poll::Pending;
                    }
                    Ok(begun) => *self = begun,
                    Err(missed) => return Poll::Ready(Err(missed)),
                },
            }
        }
    }

    /// What is left of one whose stream was taken out.
    const OVER: Self = Self::Room(NoContact::INTERNAL, None);

    /// Why it waits, if it does.
    pub(crate) const fn waits_for_room(&self) -> Option<NoContact> {
        match self {
            Self::Room(why, _) => Some(*why),
            Self::Opening(..) | Self::Greeting(..) | Self::Handshake(..) => None,
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

    /// The client's address could not be used.
    const fn not_borrowed(detail: &'static str) -> Self {
        Self {
            end: End::ConnectFailed,
            detail,
            refusal: None,
            shortage: None,
        }
    }

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

    /// The handshake failed.
    #[cold]
    fn of_tls(fault: &TlsFault) -> Self {
        let (end, detail) = match fault {
            TlsFault::Socket(error) => return Self::of(error),
            TlsFault::Ended => (End::UpstreamTls, "the backend left in the middle of the TLS handshake"),
            TlsFault::Protocol(error) => match UpstreamRefusal::of(error) {
                Some(refusal) => of_certificate(refusal.reason()),
                None => (End::UpstreamTls, of_handshake(HandshakeFault::of(error))),
            },
            _ => (End::UpstreamTls, ""),
        };
        Self::after_connecting(end, detail)
    }

    /// Its certificate was refused.
    #[cold]
    fn of_refusal(reason: UpstreamReason) -> Self {
        let (end, detail) = of_certificate(reason);
        Self::after_connecting(end, detail)
    }

    const fn after_connecting(end: End, detail: &'static str) -> Self {
        Self {
            end,
            detail,
            refusal: Some(Refusal::Reset),
            shortage: None,
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
            // A handshake may have taken its time.
            None => self.refusal.is_some_and(Refusal::is_free) && !is_of_tls(self.end),
        }
    }

    /// The backend is passed over from now on.
    pub(crate) fn tell(self, pool: &PoolView, slot: Slot, now: Time) {
        if let Some(refusal) = self.refusal {
            pool.entry.pool.refused(slot, refusal, now);
        }
    }
}

const fn is_of_tls(end: End) -> bool {
    matches!(
        end,
        End::UpstreamTls | End::UpstreamUntrusted | End::UpstreamWrongName | End::UpstreamExpired
    )
}

/// Begins from the client's address, or says why that cannot be; it is not the backend's fault then.
#[cold]
fn borrowed(address: Address, source: Source) -> Result<io::Result<Opening>, NoContact> {
    let Source::Client(client) = source else {
        return Err(NoContact::not_borrowed(
            "transparent: the client has no address of its own",
        ));
    };
    match Opening::start_from(address, client) {
        Ok(opening) => Ok(Ok(opening)),
        Err(BorrowError::Socket(error)) => Ok(Err(error)),
        Err(BorrowError::NotAllowed) => Err(NoContact::not_borrowed(
            "transparent: this process needs CAP_NET_ADMIN to use the client's address",
        )),
        Err(BorrowError::BadSource(_)) => Err(NoContact::not_borrowed(
            "transparent: no connection to the backend can be made from the client's address",
        )),
        Err(_) => Err(NoContact::not_borrowed(
            "transparent: of the client's address and the backend's one is IPv4 and one IPv6",
        )),
    }
}

/// rustls does not look at a certificate again when a session is taken up: it may have expired since.
fn judged(stream: Stream, tls: &UpstreamTls) -> Result<Stream, NoContact> {
    let over = stream.tls().filter(|_| tls.verify() == Verify::Full);
    let Some(over) = over.filter(|over| over.handshake_kind() == Some(HandshakeKind::Resumed)) else {
        return Ok(stream);
    };
    let verdict = over.with_peer_certificates(|shown| tls.judge(shown.unwrap_or_default()));
    match verdict {
        Ok(()) => Ok(stream),
        Err(refusal) => Err(NoContact::of_refusal(refusal.reason())),
    }
}

/// How a refused certificate is counted, and what is said of it.
const fn of_certificate(reason: UpstreamReason) -> (End, &'static str) {
    match reason {
        UpstreamReason::Untrusted => (
            End::UpstreamUntrusted,
            "no path leads from its certificate to a root of the pool: name its authority in roots, or pin it",
        ),
        UpstreamReason::SelfSignedLeaf => (
            End::UpstreamUntrusted,
            "its certificate is self-signed and no authority: pin it, or have it issued by an authority",
        ),
        UpstreamReason::PinMismatch => (End::UpstreamUntrusted, "its certificate is none of those in pins"),
        UpstreamReason::WrongName => (
            End::UpstreamWrongName,
            "its certificate is for other names than server_name",
        ),
        UpstreamReason::CommonNameOnly => (
            End::UpstreamWrongName,
            "its certificate has its name as common name only, which nobody reads any more",
        ),
        UpstreamReason::Expired => (
            End::UpstreamExpired,
            "its certificate, or one of its chain, has expired",
        ),
        UpstreamReason::NotYetValid => (
            End::UpstreamExpired,
            "its certificate is not valid yet: do the clocks agree?",
        ),
        UpstreamReason::Revoked => (End::UpstreamTls, "its certificate was revoked"),
        UpstreamReason::RevocationUnknown => (End::UpstreamTls, "whether its certificate was revoked is not known"),
        UpstreamReason::BadSignature => (End::UpstreamTls, "a signature in its chain does not hold"),
        UpstreamReason::WrongPurpose => (End::UpstreamTls, "its certificate is not one for servers"),
        UpstreamReason::Weak => (End::UpstreamTls, "its certificate has a weak key or signature"),
        UpstreamReason::NoProof => (
            End::UpstreamTls,
            "it did not prove that it has the key of its certificate",
        ),
        UpstreamReason::Malformed => (End::UpstreamTls, "its certificate cannot be read"),
        _ => (End::UpstreamTls, "its certificate breaks a rule"),
    }
}

/// What went wrong, in a word that does not change.
fn of_handshake(fault: HandshakeFault) -> &'static str {
    fault.word()
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
