use super::chunked::Chunked;
use super::error::Error;
use super::framing::Framing;
use super::limits::Limits;
use super::scan::Scan;
pub use super::state::Next;
use super::state::{Reading, Writing, next};
use crate::Version;
use std::sync::Arc;

/// Which side of a connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// We read requests and write responses.
    Server,
    /// We write requests and read responses.
    Client,
}

/// The answer of a function that may need more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<T> {
    /// Done, with the result.
    Ready(T),
    /// Call again with the same bytes and more behind them.
    NeedMore,
}

/// A head that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Bytes of the input it took, empty lines before it included.
    pub len: usize,
    /// How its body ends. `Empty` for interim responses, after which another head follows.
    pub framing: Framing,
}

/// A piece of a body. The caller drops `skip` bytes of the input, and after `Data` also `len` more,
/// before the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing but framing, if anything.
    NeedMore {
        /// Bytes of framing at the start.
        skip: usize,
    },
    /// Payload: `input[skip..skip + len]`; `len` is at least 1.
    Data {
        /// Bytes of framing at the start.
        skip: usize,
        /// Bytes of payload behind them.
        len: usize,
    },
    /// The last chunk is behind; [`Conn::read_trailers`] comes next.
    Trailers {
        /// Bytes of framing at the start.
        skip: usize,
    },
    /// The message is complete.
    End {
        /// Bytes of framing at the start.
        skip: usize,
    },
}

/// One HTTP/1 connection, both directions, without its bytes. See the [module](super) page.
///
/// An exchange is: a server reads a request and writes zero or more interim responses and a
/// final one; a client does the reverse. Both directions may be under way at once.
#[derive(Debug)]
pub struct Conn {
    pub(super) limits: Arc<Limits>,
    /// What is left of a body of known length.
    pub(super) read_left: u64,
    /// Payload of a chunked body so far.
    pub(super) read_total: u64,
    pub(super) write_left: u64,
    pub(super) chunked: Chunked,
    pub(super) scan: Scan,
    pub(super) role: Role,
    pub(super) reading: Reading,
    pub(super) writing: Writing,
    pub(super) peer_version: Version,
    pub(super) interim: u8,
    /// Empty lines in front of this request that the caller dropped.
    pub(super) empty_lines: u8,
    /// A request was read or written in this exchange.
    pub(super) has_request: bool,
    /// The request of this exchange is `HEAD`.
    pub(super) to_head: bool,
    /// The request of this exchange asks for an upgrade.
    pub(super) offered_upgrade: bool,
    /// Nobody has said or shown that this is the last exchange.
    pub(super) keep_alive: bool,
    /// We want this exchange to be the last.
    pub(super) close_after: bool,
    /// The other side closed its direction.
    pub(super) ended: bool,
}

impl Conn {
    /// A fresh connection.
    #[must_use]
    pub fn new(role: Role, limits: Arc<Limits>) -> Self {
        Self {
            limits,
            read_left: 0,
            read_total: 0,
            write_left: 0,
            chunked: Chunked::new(),
            scan: Scan::default(),
            role,
            reading: Reading::Head,
            writing: Writing::Head,
            peer_version: Version::Http11,
            interim: 0,
            empty_lines: 0,
            has_request: false,
            to_head: false,
            offered_upgrade: false,
            keep_alive: true,
            close_after: false,
            ended: false,
        }
    }

    /// Makes it a fresh connection of the same side again. One with the same `limits` costs less than a
    /// [`new`](Self::new) one: nothing that threads share is touched.
    pub fn renew(&mut self, limits: &Arc<Limits>) {
        // Named one by one, so that none can be forgotten; what a connection begins with stands in `new`.
        let Self {
            limits: own_limits,
            read_left,
            read_total,
            write_left,
            chunked,
            scan,
            role: _,
            reading,
            writing,
            peer_version,
            interim,
            empty_lines,
            has_request,
            to_head,
            offered_upgrade,
            keep_alive,
            close_after,
            ended,
        } = self;
        if !Arc::ptr_eq(own_limits, limits) {
            *own_limits = Arc::clone(limits);
        }
        (*read_left, *read_total, *write_left) = (0, 0, 0);
        *chunked = Chunked::new();
        *scan = Scan::default();
        (*reading, *writing) = (Reading::Head, Writing::Head);
        *peer_version = Version::Http11;
        (*interim, *empty_lines) = (0, 0);
        (*has_request, *to_head, *offered_upgrade) = (false, false, false);
        (*keep_alive, *close_after, *ended) = (true, false, false);
    }

    /// Says that the connection ends after the current exchange; the next head that is written
    /// tells the other side.
    pub fn close_after(&mut self) {
        self.close_after = true;
    }

    /// For a server: whatever was read, and whatever is being written of which nothing has left, the next head that is
    /// written is that of a whole response, the connection's last one.
    pub fn answer_instead(&mut self) {
        self.close_after = true;
        if self.writing != Writing::Tunnel {
            self.writing = Writing::Head;
        }
    }

    /// Will the connection end after the current exchange, by our wish or the other side's?
    #[must_use]
    pub fn will_close(&self) -> bool {
        self.close_after || self.ended || !self.keep_alive || self.reading == Reading::Failed
    }

    /// Is the message that is read complete? For a client: the final response.
    #[must_use]
    pub fn reading_done(&self) -> bool {
        self.reading == Reading::Done
    }

    /// Is the message that is written complete? For a server: the final response.
    ///
    /// A message without a body is complete with its head; one of known length with its last byte.
    #[must_use]
    pub fn writing_done(&self) -> bool {
        self.writing == Writing::Done
    }

    /// What the connection is good for now.
    #[must_use]
    pub fn next(&self) -> Next {
        let is_server = self.role == Role::Server;
        if self.ended && !self.has_request && self.reading == Reading::Head && self.writing == Writing::Head {
            return Next::Close;
        }
        next(is_server, self.reading, self.writing, self.will_close())
    }

    /// Begins the next exchange on the same connection. Does nothing unless
    /// [`next`](Conn::next) says [`Next::Reuse`].
    pub fn start_next(&mut self) {
        if self.next() != Next::Reuse {
            return;
        }
        self.reading = Reading::Head;
        self.writing = Writing::Head;
        self.scan = Scan::default();
        (self.interim, self.empty_lines) = (0, 0);
        self.has_request = false;
        self.to_head = false;
        self.offered_upgrade = false;
    }

    /// The version of the last head that was read; 1.1 before the first.
    #[must_use]
    pub fn peer_version(&self) -> Version {
        self.peer_version
    }

    /// Does the request of this exchange ask lawfully for an upgrade? For a server as
    /// [`upgrade::wanted`](crate::upgrade::wanted) says; for a client: was `Upgrade` written?
    #[must_use]
    pub fn offered_upgrade(&self) -> bool {
        self.offered_upgrade
    }

    /// Nothing more is read.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        self.reading = Reading::Failed;
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Head;

    /// A connection to a backend that sent this request and read as much of these answers as it takes.
    fn used(request: &[u8], framing: Framing, answers: &[&[u8]]) -> Conn {
        let limits = Arc::new(Limits::default());
        let mut head = Head::with_capacity(0, 0);
        let mut client = Conn::new(Role::Server, Arc::clone(&limits));
        assert!(matches!(client.read_head(request, &mut head), Ok(Step::Ready(_))));
        let mut conn = Conn::new(Role::Client, limits);
        conn.write_head(&head, framing, &mut Vec::new()).unwrap();
        for answer in answers {
            let mut rest = *answer;
            if let Ok(Step::Ready(message)) = conn.read_head(rest, &mut head) {
                rest = &rest[message.len..];
                while let Ok(Part::Data { skip, len }) = conn.read_body(rest) {
                    rest = &rest[skip..][len..];
                }
            }
        }
        conn
    }

    #[test]
    fn a_renewed_connection_is_a_new_one() {
        let others = Arc::new(Limits::default());
        let fresh = |limits: &Arc<Limits>| format!("{:?}", Conn::new(Role::Client, Arc::clone(limits)));
        let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
        let upgrade = b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
        let mut unlike = std::collections::BTreeSet::new();
        let mut ended = used(
            post,
            Framing::Length(9),
            &[b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
        );
        ended.close_after();
        let _ = ended.read_eof();
        let mut closed = used(get, Framing::Empty, &[]);
        assert!(closed.read_eof().is_err());
        for mut conn in [
            ended,
            closed,
            used(get, Framing::Empty, &[b"HTTP/1.1 200 OK\r\nA"]),
            used(get, Framing::Empty, &[b"HTTP/1.1 103 Early Hints\r\n\r\n"]),
            used(
                get,
                Framing::Empty,
                &[b"HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nab"],
            ),
            used(
                get,
                Framing::Empty,
                &[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nabc"],
            ),
            used(upgrade, Framing::Empty, &[]),
        ] {
            let (limits, new) = (Arc::clone(&conn.limits), fresh(&conn.limits));
            let fields = |text: &str| text.split(", ").map(str::to_owned).collect::<Vec<_>>();
            for (now, new) in fields(&format!("{conn:?}")).into_iter().zip(fields(&new)) {
                if now != new {
                    unlike.insert(now.split(':').next().unwrap().to_owned());
                }
            }
            for limits in [&limits, &others] {
                conn.renew(limits);
                assert_eq!(format!("{conn:?}"), fresh(limits));
                assert!(Arc::ptr_eq(&conn.limits, limits));
            }
        }
        for field in [
            "read_left",
            "read_total",
            "write_left",
            "reading",
            "writing",
            "peer_version",
            "interim",
            "has_request",
            "to_head",
            "offered_upgrade",
            "keep_alive",
            "close_after",
            "ended",
        ] {
            assert!(unlike.contains(field), "no case uses {field}: {unlike:?}");
        }
    }
}
