//! How an exchange ends: what becomes of both connections, and what is said of it.

use super::client::{After, ClientSide};
use super::connection::Client;
use super::exchange::{Exchange, Sequel};
use super::flow::{Sink, Source};
use crate::core::Core;
use crate::preface::{HeaderFacts, TlsPeer};
use crate::record::{self, Traffic};
use crate::tunnel::Tunnel;
use crate::view::ListenerHandle;
use lb_balance::Outcome;
use lb_http::{Head, Kind, Version, forward};
use lb_telemetry::{Access, End};
use lb_tls::HandshakeFault;
use lb_types::Fields;
use std::net::IpAddr;

/// Whose exchange a line is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) address: IpAddr,
    pub(super) tls: Option<&'a TlsPeer>,
    pub(super) header: Option<&'a HeaderFacts>,
}

impl Exchange {
    /// Drops the upstream side.
    pub(super) fn give_up(&mut self, outcome: Outcome, core: &Core) {
        self.upstream.close();
        self.course.give_up(outcome, core.now().mono);
    }

    /// Ends what is under way, unfinished: the drain's deadline passed.
    pub(super) fn cut(&mut self, client: &Client, core: &Core) -> Sequel {
        self.give_up(Outcome::Neutral, core);
        self.cut_short(End::DrainDeadline, client, core)
    }

    /// Ends a response that is not whole, so that it does not look whole.
    pub(super) fn cut_short(&mut self, end: End, client: &Client, core: &Core) -> Sequel {
        self.record(client, core, end);
        let Some(response) = self.committed() else {
            return Sequel::Close;
        };
        client.side.stream().cut();
        if response.until_close {
            Sequel::Reset
        } else {
            Sequel::Close
        }
    }

    /// What the client's connection does after this exchange.
    pub(super) fn next_of(&mut self, client: &mut Client, core: &Core) -> Sequel {
        match client.side.after() {
            After::Again => {
                // Without input it goes back to the free list, which resets it too.
                if client.side.has_input() {
                    client.side.start_next(core);
                    self.reset(core);
                }
                Sequel::Again
            }
            After::Close => Sequel::Close,
            After::Linger => Sequel::Linger,
        }
    }

    /// The log line and the counters of this exchange; once.
    pub(super) fn record(&mut self, client: &Client, core: &Core, end: End) {
        if std::mem::replace(&mut self.trace.recorded, true) {
            return;
        }
        let end = if end == End::ClientReset {
            self.blame(client)
        } else {
            end
        };
        record::ended(end, &client.peer.listener.counters, self.course.pool());
        self.count(client);
        if self.is_logged(core) {
            let traffic = Traffic {
                client_out: self.down.payload() + u64::from(self.trace.own_body),
                upstream_out: self.up.payload(),
                ..Traffic::default()
            };
            let who = Who {
                address: client.peer.address(),
                tls: client.peer.tls.as_deref(),
                header: client.peer.header().map(|header| &**header),
            };
            self.log(&client.peer.listener, who, Some(&client.side), core, end, &traffic);
        }
    }

    /// Has the client reset its connection, or said over TLS what nobody can read?
    #[cold]
    fn blame(&mut self, client: &Client) -> End {
        let word = |fault: Option<&rustls::Error>| Some(HandshakeFault::of(fault?).word());
        match client.side.stream().tls().and_then(|tls| tls.with_fault(word)) {
            Some(word) => {
                self.course.detail = word;
                End::ClientTls
            }
            None => End::ClientReset,
        }
    }

    /// Counts the response, and what went over both connections.
    pub(super) fn count(&mut self, client: &Client) {
        let listener = &client.peer.listener.counters;
        if self.trace.status != 0 {
            record::responded(self.trace.status, listener, &self.course);
        }
        listener.moved(client.side.read(), client.side.sent());
        self.count_upstream();
    }

    /// Counts what went over the connections to the backend that was picked last.
    pub(super) fn count_upstream(&mut self) {
        let (read, sent) = (self.upstream.read(), self.upstream.sent());
        let (read_before, sent_before) = std::mem::replace(&mut self.trace.counted, (read, sent));
        self.course.moved(read - read_before, sent - sent_before);
    }

    /// Is a line written at its end?
    pub(super) fn is_logged(&self, core: &Core) -> bool {
        let is_on = match &self.view {
            Some(view) => view.http().is_some_and(|http| http.access_log),
            // What was refused before its listener was asked.
            None => true,
        };
        is_on && core.log.borrow().is_some()
    }

    /// What became of the tunnel that it ended in: the log line.
    pub(super) fn log_tunnel(
        &mut self,
        tunnel: &Tunnel,
        listener: &ListenerHandle,
        who: Who<'_>,
        core: &Core,
        end: End,
    ) {
        self.course.detail = tunnel.reset_by();
        self.log(listener, who, None, core, end, &tunnel.traffic());
    }

    /// `side`: where a request stands that could not be read. `payload`: of both bodies.
    fn log(
        &self,
        listener: &ListenerHandle,
        who: Who<'_>,
        side: Option<&ClientSide>,
        core: &Core,
        end: End,
        payload: &Traffic,
    ) {
        let newest = listener.view();
        let view = self.view.as_ref().unwrap_or(&newest);
        let Some(http) = view.http().filter(|http| http.access_log) else {
            return;
        };
        if !http.log_probes && is_probe(&self.request) {
            return;
        }
        let mut log = core.log.borrow_mut();
        let Some(log) = &mut *log else { return };
        let now = core.now();
        let started = if self.has_begun() { self.trace.started } else { now };
        let proxies = &http.trusted_proxies;
        // What we have added to the chain by now is the peer, where the walk begins.
        let address = forward::client_address(&self.request, who.address, proxies);
        let mut access = Access::new(address, started.wall);
        let head = &self.request;
        if head.kind() == Kind::Request && !head.method().is_empty() {
            access.method = head.method();
            access.target = head.target();
            access.version = if head.version() == Version::Http10 {
                "HTTP/1.0"
            } else {
                "HTTP/1.1"
            };
            access.host = head.authority();
            access.referer = head.first("referer");
            access.user_agent = head.first("user-agent");
            access.x_forwarded_for = forward::received_for(head);
        } else if let Some(line) = side.and_then(|side| RequestLine::of(side.window())) {
            (access.method, access.target, access.version) = (line.method, line.target, line.version);
        }
        access.status = self.trace.status;
        access.bytes = payload.client_out;
        access.request_bytes = payload.upstream_out;
        access.listener = &view.options().name;
        self.course.describe(end, &mut access);
        if end == End::Done {
            // What went wrong before it went well is nothing that ended it.
            access.detail = "";
        }
        access.reused = self.trace.reused;
        access.tls = who.tls.map(TlsPeer::access);
        access.header = who.header.map(HeaderFacts::access);
        access.phases.total = now.mono.since(started.mono);
        access.phases.connect = self.trace.connected.map(|t| t.since(self.trace.connect_from));
        access.phases.first_byte = self.trace.first_byte.map(|t| t.since(started.mono));
        log.write(&access);
    }
}

/// The first line of a request that was not read, as far as it came.
#[derive(Debug, PartialEq, Eq)]
struct RequestLine<'a> {
    method: &'a [u8],
    target: &'a [u8],
    version: &'static str,
}

impl<'a> RequestLine<'a> {
    /// `None` for what is not clearly the beginning of a request: nobody knows what it is, and it could be a secret.
    fn of(input: &'a [u8]) -> Option<Self> {
        let input = input.trim_ascii_start();
        let line = input.split(|b| matches!(b, b'\r' | b'\n')).next()?;
        let mut words = line.splitn(3, |b| *b == b' ');
        let (method, target) = (words.next()?, words.next()?);
        let is_method = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if method.is_empty() || method.len() > LONGEST_METHOD || !method.iter().all(is_method) {
            return None;
        }
        let version = words.next();
        let is_target = [&b"/"[..], b"*", b"http://", b"https://"]
            .iter()
            .any(|start| target.starts_with(start));
        if !is_target && !version.is_some_and(|version| version.starts_with(b"HTTP/")) {
            return None;
        }
        Some(Self {
            method,
            target: target.get(..LONGEST_TARGET).unwrap_or(target),
            version: match version {
                Some(b"HTTP/1.1") => "HTTP/1.1",
                Some(b"HTTP/1.0") => "HTTP/1.0",
                _ => "",
            },
        })
    }
}

/// As the codec's longest.
const LONGEST_METHOD: usize = 32;
/// Of the target of a refused request so many bytes are logged.
const LONGEST_TARGET: usize = 1_024;

/// A health probe of another load balancer of ours?
fn is_probe(request: &Head) -> bool {
    let agent = request.first("user-agent");
    agent.is_some_and(|agent| agent.starts_with(crate::PROBE_AGENT.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_refused_request_its_first_line_is_known_as_far_as_it_came() {
        let line = |input: &'static [u8]| RequestLine::of(input).map(|l| (l.method, l.target, l.version));
        let whole: (&[u8], &[u8], &str) = (b"GET", b"/a", "HTTP/1.1");
        assert_eq!(line(b"GET /a HTTP/1.1\r\nHost: a\r\n"), Some(whole));
        assert_eq!(line(b"\r\nGET /a HTTP/1.1\nHost: a"), Some(whole));
        assert_eq!(line(b"GET /a HTTP/3.0\r\n"), Some((whole.0, whole.1, "")));
        assert_eq!(line(b"GET /a b HTTP/1.1\r\n"), Some((whole.0, whole.1, "")));
        assert_eq!(line(b"GET /a"), Some((whole.0, whole.1, "")));
        assert_eq!(line(b"GET a HTTP/1.1\r\n"), Some((whole.0, &b"a"[..], "HTTP/1.1")));
        for unknown in [
            &b""[..],
            b"GET",
            b"\r\n",
            b"\x16\x03\x01 a",
            b" \r\n",
            b"G\0T / HTTP/1.1",
            b"GET ",
            b"Cookie: s3cret\r\n",
            b"Cookie: /s3cret\r\n",
            b"password s3cret\r\n",
        ] {
            assert_eq!(RequestLine::of(unknown), None);
        }
        let long = [b"GET /", &[b'a'; 5_000][..]].concat();
        assert_eq!(RequestLine::of(&long).unwrap().target.len(), LONGEST_TARGET);
        let odd = [&[b'M'; 33][..], b" / HTTP/1.1\r\n"].concat();
        assert_eq!(RequestLine::of(&odd), None);
    }
}
