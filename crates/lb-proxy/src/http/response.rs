//! The head of a response: read from the backend, edited, and put on the way to the client.

use super::answer;
use super::connection::Client;
use super::exchange::{Committed, Exchange, Expect, Response, Stop};
use super::flow::Sink;
use crate::core::Core;
use lb_http::h1::{self, Framing, Message};
use lb_http::{Head, Version, auth, forward, keep_alive};
use lb_telemetry::End;
use lb_types::{Fields, FieldsMut};
use std::hint::cold_path;
use std::io::Write;
use std::time::Duration;

impl Exchange {
    /// Reads the response's head; interim ones on the way. Says whether the final one is here. Nobody needs it once it was
    /// passed on, so one head serves all exchanges of a worker, and stays in the cache.
    pub(super) fn read_response(&mut self, client: &mut Client, core: &Core) -> Result<bool, Stop> {
        let mut head = core.take_head();
        let read = self.read_response_into(&mut head, client, core);
        core.give_head(head);
        read
    }

    fn read_response_into(&mut self, head: &mut Head, client: &mut Client, core: &Core) -> Result<bool, Stop> {
        loop {
            let message = match self.upstream.read_head(head) {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(false),
                Err(error) => {
                    cold_path();
                    self.course.detail = error.rule();
                    return Err(Stop::Upstream(end_of(&error)));
                }
            };
            if (100..200).contains(&head.status()) && head.status() != 101 {
                cold_path();
                self.pass_interim(head, client, core)?;
                continue;
            }
            self.pass_head(head, message, client, core)?;
            return Ok(true);
        }
    }

    /// A 1xx response: passed on to clients that know such responses.
    #[inline(never)]
    fn pass_interim(&mut self, head: &mut Head, client: &mut Client, core: &Core) -> Result<(), Stop> {
        self.trace.bound |= auth::is_of_connection(head);
        let is_continue = head.status() == 100;
        let wanted = !is_continue || (self.expect != Expect::Said && self.request.expects_continue());
        if is_continue && self.expect == Expect::Waits {
            self.expect = Expect::No;
        }
        if wanted && answer::takes_interim(self.request.version()) {
            forward::response(head, false);
            client
                .side
                .write_head(head, Framing::Empty, core)
                .map_err(|_| Stop::Internal)?;
        }
        Ok(())
    }

    /// The final head: edited and put on the way to the client.
    fn pass_head(&mut self, head: &mut Head, message: Message, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let is_switching = message.framing == Framing::Tunnel;
        if is_switching && !self.may_switch(head) {
            self.course.detail = h1::Error::UnexpectedSwitch.rule();
            return Err(Stop::Upstream(End::UpgradeFailed));
        }
        let now = core.now();
        if self.expect == Expect::Waits {
            cold_path();
            self.expect = Expect::No;
        }
        self.trace.first_byte = Some(now.mono);
        self.trace.status = head.status();
        let stray_body = self.announces_stray_body(head);
        let keeps_for = keep_alive::timeout(head);
        let early = !self.up.is_done();
        if early {
            cold_path();
            // The response overtook the request. Both go on, but neither connection is used
            // again: nobody can say where the rest of the request would end.
            client.side.close_after();
        }
        if core.is_draining() || client.peer.listener.is_closed() {
            client.side.close_after();
        }
        if self.trace.bound || auth::is_of_connection(head) {
            cold_path();
            self.bind(message.framing, early, client);
        }
        forward::response(head, is_switching);
        self.course.answered(self.trace.status, now.mono);
        self.course.learn(head, now);
        if client.peer.tls.is_some()
            && let Some(age) = self.view.as_ref().and_then(|view| view.http()?.https.hsts)
        {
            say_https_only(head, age);
        }
        let framing = match message.framing {
            // So that the client can tell a whole response from a cut one, and stays connected.
            Framing::UntilClose if self.request.version() == Version::Http11 => Framing::Chunked,
            framing => framing,
        };
        let until_close =
            self.request.version() == Version::Http10 && matches!(framing, Framing::UntilClose | Framing::Chunked);
        self.response = if is_switching {
            Response::Switching
        } else {
            Response::Committed(Committed {
                sent_before: client.side.is_untouched().then(|| client.side.sent()),
                until_close,
                early,
                stray_body,
                keeps_for,
            })
        };
        client.side.write_head(head, framing, core).map_err(|_| Stop::Internal)
    }

    /// A 101 is good only for the protocol that was asked for, and only after the whole request.
    #[inline(never)]
    fn may_switch(&self, response: &Head) -> bool {
        let whole = self.has_asked();
        let same = match (self.request.first("upgrade"), response.first("upgrade")) {
            (Some(asked), Some(given)) => asked.eq_ignore_ascii_case(given),
            _ => false,
        };
        whole && same
    }

    /// Does the response to `HEAD`, or a 304, tell the length of a body that it must not have?
    /// A backend that sends it all the same may do so after its connection was put away, and the
    /// next request would get it for its answer: the connection is looked at before it is used again.
    fn announces_stray_body(&self, response: &Head) -> bool {
        if !self.request.is_head_method() && response.status() != 304 {
            return false;
        }
        cold_path();
        response.first("transfer-encoding").is_some() || response.first("content-length").is_some_and(|v| v != b"0")
    }
}

/// RFC 6797, section 6.1: unless the backend has said so itself. A head without room for it goes without.
#[inline(never)]
pub(super) fn say_https_only(head: &mut Head, age: Duration) {
    if head.first(HSTS).is_some() {
        return;
    }
    // The longest number has twenty digits.
    let mut value = [0; 28];
    let mut rest = &mut value[..];
    if write!(rest, "max-age={}", age.as_secs()).is_ok() {
        let unused = rest.len();
        let used = value.len().saturating_sub(unused);
        let _ = head.append(HSTS, value.get(..used).unwrap_or_default());
    }
}

const HSTS: &str = "Strict-Transport-Security";

fn end_of(error: &h1::Error) -> End {
    match error {
        h1::Error::HeadTooLarge { .. } | h1::Error::TooManyFields { .. } => End::UpstreamHeadTooLarge,
        h1::Error::UnexpectedSwitch => End::UpgradeFailed,
        _ => End::UpstreamProtocol,
    }
}
