//! From the first byte of a request to a connection that its bytes can be written to.

use super::answer;
use super::client::Client;
use super::exchange::{Exchange, Next, Phase, Stop, Wait};
use crate::buffer::Buffer;
use crate::core::Core;
use crate::pick::pick;
use crate::view::PoolView;
use lb_balance::Outcome;
use lb_balance::route::{Action, Query};
use lb_http::h1::{self, Framing, Role, Step};
use lb_http::{forward, upgrade};
use lb_net::Connecting;
use lb_persist::Facts;
use lb_telemetry::End;
use lb_types::{FieldsMut, InvalidField};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::net::TcpStream;

pub(super) type Step1 = Result<Poll<Option<Next>>, Stop>;

impl Exchange {
    /// Reads until the head is complete.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        if self.input.capacity() == 0 {
            self.input = core.take_buffer(false);
        }
        loop {
            if !self.input.is_empty() {
                match client
                    .conn
                    .read_head(self.input.filled(), &mut self.request)
                    .map_err(Stop::Request)?
                {
                    Step::Ready(message) => {
                        self.input.consume(message.len);
                        self.framing = message.framing;
                        self.begin(client, core)?;
                        return Ok(Poll::Ready(None));
                    }
                    Step::NeedMore if self.input.is_full() && !self.input.enlarge(core) => {
                        answer::refuse(self, client, 431, End::HeadTooLarge, core);
                        return Ok(Poll::Ready(None));
                    }
                    Step::NeedMore => self.wait_for(Wait::Head, false, client, core),
                }
            }
            if client.eof {
                return self.head_cut(client, core);
            }
            match self.input.poll_read(cx, &mut client.io) {
                Poll::Ready(Ok(0)) => {
                    client.eof = true;
                    return self.head_cut(client, core);
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) if self.input.is_empty() => return Ok(Poll::Ready(Some(Next::Close))),
                Poll::Ready(Err(_)) => return Err(Stop::Client(End::ClientReset)),
                Poll::Pending => {
                    if self.input.is_empty() {
                        // A false alarm: wait on without a buffer.
                        return Ok(Poll::Ready(Some(Next::Again)));
                    }
                    return Ok(Poll::Pending);
                }
            }
        }
    }

    /// The client closed in front of or inside a head.
    fn head_cut(&mut self, client: &mut Client, core: &Core) -> Step1 {
        if self.input.is_empty() {
            return Ok(Poll::Ready(Some(Next::Close)));
        }
        answer::refuse(self, client, 400, End::BadRequest, core);
        Ok(Poll::Ready(None))
    }

    /// The head is here: which pool, which backend, which bytes.
    fn begin(&mut self, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let now = core.now();
        self.facts.started = now;
        self.facts.wait = None;
        core.counters.request();
        client.requests = client.requests.saturating_add(1);
        let view = client.place.view();
        self.view = Some(Rc::clone(&view));
        let Some(http) = view.http() else {
            return Err(Stop::Internal);
        };
        client.asked_to_close = client.conn.will_close();
        if client.requests >= http.keep_alive_requests || core.is_draining() || client.place.is_closed() {
            client.conn.close_after();
        }
        let query = Query {
            host: self.request.authority(),
            path: self.request.path(),
        };
        let pool = match http.routes.find(&query) {
            Some(Action::Forward(index)) => view.pool(*index).ok_or(Stop::Internal)?,
            Some(Action::Respond { status, .. }) => {
                answer::respond(self, client, *status, End::Respond, None, core);
                return Ok(());
            }
            Some(Action::Redirect { status, location, .. }) => {
                answer::respond(self, client, *status, End::Respond, Some(location), core);
                return Ok(());
            }
            Some(Action::Refuse(refusal)) => {
                answer::respond(self, client, refusal.status(), End::BadRequest, None, core);
                return Ok(());
            }
            _ => {
                answer::respond(self, client, 404, End::NoRoute, None, core);
                return Ok(());
            }
        };
        if forward::ends_here(&self.request) {
            // OPTIONS with Max-Forwards: 0 asks us, not a backend (RFC 9110, section 7.6.2).
            answer::respond(self, client, 200, End::Respond, None, core);
            return Ok(());
        }
        self.pool = Some(Rc::clone(pool));
        let peer = client.peer.ip().to_canonical();
        let trusted = http.trusted_proxies.iter().any(|range| range.contains(peer));
        let address = if trusted {
            forward::client_address(&self.request, peer, &http.trusted_proxies)
        } else {
            peer
        };
        let keep_upgrade = self.framing == Framing::Empty && upgrade::wanted(&self.request).is_some();
        self.facts.expecting = self.framing != Framing::Empty
            && answer::takes_interim(self.request.version())
            && self.request.expects_continue()
            && self.input.is_empty();

        if self.framing == Framing::Empty {
            // Nothing to wait for: backends have been led astray by it.
            while self.request.remove("expect", 0) {}
        }
        if self.request.authority().is_none()
            && let Ok(local) = client.io.local_addr()
        {
            // HTTP/1.0: many backends refuse an empty Host, which is what they would get.
            let text = local.to_string();
            let host = text.strip_suffix(":80").unwrap_or(&text);
            // Without room for it the request is refused right below.
            let _ = self.request.append("Host", host.as_bytes());
        }
        let picker = pool.picker.borrow();
        let facts = Facts {
            target: Some(self.request.target()),
            fields: Some(&self.request),
            ..Facts::new(address)
        };
        let recalled = picker.recall(&facts, now);
        self.recalled = Some(recalled);
        let edited = picker.prepare(&recalled, &mut self.request).and_then(|()| {
            let how = forward::Forward {
                peer,
                trusted,
                proto: "http",
                port: client.port,
                keep_upgrade,
            };
            forward::request(&mut self.request, &how)
        });
        drop(picker);
        if let Err(error) = edited {
            let (status, end) = match error {
                InvalidField::Full => (431, End::HeadTooLarge),
                _ => (400, End::BadRequest),
            };
            answer::respond(self, client, status, end, None, core);
            return Ok(());
        }
        let mut conn = h1::Conn::new(Role::Client, std::sync::Arc::clone(&pool.options().limits));
        if conn.write_head(&self.request, self.framing, &mut self.up.out).is_err() {
            return Err(Stop::Internal);
        }
        self.up_conn = Some(conn);
        if self.framing == Framing::Empty {
            self.up.has_no_body();
        }
        if self.request.is_idempotent() {
            self.up.keep();
        }
        pool.budget.borrow_mut().deposit(now.mono);
        self.choose(None, client, core);
        Ok(())
    }

    /// Picks a backend and gets a connection to it, or answers that there is none. `last` is what
    /// the attempt before came to.
    fn choose(&mut self, mut last: Option<End>, client: &mut Client, core: &Core) {
        let Some(pool) = self.pool.clone() else { return };
        loop {
            match self.pick(&pool, core) {
                // What really failed says more than that nobody is left to try.
                Err(end) => {
                    last = last.or(Some(end));
                    break;
                }
                Ok(()) => match self.open(&pool, false, client, core) {
                    Ok(()) => return,
                    // It could not even be begun: no descriptor, no port, no route.
                    Err(end) => last = Some(end),
                },
            }
            if !self.may_retry(&pool, core) {
                break;
            }
        }
        let end = last.unwrap_or(End::NoBackend);
        answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
    }

    fn pick(&mut self, pool: &PoolView, core: &Core) -> Result<(), End> {
        let Some(recalled) = &self.recalled else {
            return Err(End::Internal);
        };
        let ticket = pick(pool, recalled, &mut self.claims, &self.tried, core)?;
        self.facts.picked = Some((ticket.slot(), ticket.why()));
        self.ticket = Some(ticket);
        Ok(())
    }

    /// Takes a connection that waits for work, or begins a new one.
    fn open(&mut self, pool: &Rc<PoolView>, fresh: bool, client: &Client, core: &Core) -> Result<(), End> {
        let Some(ticket) = &self.ticket else {
            return Err(End::Internal);
        };
        self.facts.heard = false;
        self.facts.wait = None;
        self.reply.clear();
        self.up_stopped = false;
        let now = core.now().mono;
        self.facts.connect_from = now;
        self.facts.connected = None;
        if !fresh && let Some(idle) = pool.idle.get(ticket.slot().index()) {
            while let Some(stream) = idle.take(now, client.id) {
                // What must not be sent twice is not sent on a connection that the kernel knows
                // to be closed while we were not told yet.
                if !self.request.is_idempotent() && lb_net::has_unread(&stream) {
                    continue;
                }
                self.upstream = Some(stream);
                self.facts.reused = true;
                self.phase = Phase::Relay;
                core.counters.upstream_reuse();
                return Ok(());
            }
        }
        self.facts.reused = false;
        core.counters.upstream_connect();
        match Connecting::start(ticket.backend().address) {
            Ok(connecting) => {
                self.connecting = Some(connecting);
                self.phase = Phase::Connect;
                Ok(())
            }
            Err(error) => {
                let end = connect_end(&error);
                if let Some(ticket) = self.ticket.take() {
                    self.tried.add(ticket.slot());
                    ticket.finish(start_outcome(&error), now);
                }
                Err(end)
            }
        }
    }

    pub(super) fn poll_connect(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        let Some(connecting) = &mut self.connecting else {
            return Err(Stop::Internal);
        };
        match connecting.poll(cx) {
            // Whatever it is, it is no answer to a request that was not sent.
            Poll::Ready(Ok(stream)) if speaks_first(&stream) => Err(Stop::Upstream(End::UpstreamProtocol)),
            Poll::Ready(Ok(stream)) => {
                self.upstream = Some(stream);
                self.connecting = None;
                self.facts.connected = Some(core.now().mono);
                self.phase = Phase::Relay;
                Ok(Poll::Ready(None))
            }
            Poll::Ready(Err(error)) => Err(Stop::Upstream(connect_end(&error))),
            Poll::Pending => {
                self.watch_client(cx, client, core)?;
                self.wait_for(Wait::Connect, false, client, core);
                Ok(Poll::Pending)
            }
        }
    }

    /// The backend failed before its final response began. A stale connection of the pool is
    /// replaced by a fresh one to the same backend; a fresh one that fails counts against the
    /// backend, and the request goes to another one if it may.
    pub(super) fn upstream_failed(&mut self, end: End, client: &mut Client, core: &Core) {
        let Some(pool) = self.pool.clone() else { return };
        self.upstream = None;
        self.connecting = None;
        let untouched = self.up.sent() == 0 && self.up.is_whole();
        let whole = self.request.is_idempotent() && self.up.is_done() && self.up.is_whole();
        let repeatable = !self.facts.forwarded && !self.facts.heard && (untouched || whole);
        let died = matches!(end, End::UpstreamReset | End::UpstreamClosed);
        if self.facts.reused && died && !self.facts.heard {
            core.counters.stale_reuse();
            if repeatable {
                self.up.rewind();
                if let Err(end) = self.open(&pool, true, client, core) {
                    answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
                }
                return;
            }
            self.give_up(Outcome::Neutral, core);
        }
        if let Some(ticket) = self.ticket.take() {
            self.tried.add(ticket.slot());
            ticket.finish(Outcome::Failure, core.now().mono);
        }
        let retriable = died || matches!(end, End::ConnectRefused | End::ConnectFailed | End::ConnectTimeout);
        if repeatable && retriable && self.may_retry(&pool, core) {
            self.up.rewind();
            self.choose(Some(end), client, core);
            return;
        }
        // An interim response may have left already, or a part of it: ours follows.
        answer::respond(self, client, end.status().unwrap_or(502), end, None, core);
    }

    fn may_retry(&mut self, pool: &PoolView, core: &Core) -> bool {
        if self.facts.retries >= pool.options().retries || !pool.budget.borrow_mut().try_withdraw(core.now().mono) {
            return false;
        }
        self.facts.retries += 1;
        core.counters.retry();
        true
    }

    /// While the backend works: is the client still there? Bytes of its next request are read
    /// into free space only.
    pub(super) fn watch_client(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Result<(), Stop> {
        if client.eof {
            return Ok(());
        }
        if self.input.is_empty() {
            // What waits owns no buffer: the response is then read into the one that is still in the
            // cache from this request, and not into a cold one.
            if self.input.capacity() > 0 {
                core.give_buffer(std::mem::replace(&mut self.input, Buffer::empty()));
            }
            if client.io.poll_read_ready(cx).is_pending() {
                return Ok(());
            }
            self.input = core.take_buffer(false);
        }
        while !self.input.is_full() {
            match self.input.poll_read(cx, &mut client.io) {
                Poll::Ready(Ok(0)) => {
                    client.eof = true;
                    let abort = self
                        .view
                        .as_ref()
                        .and_then(|v| v.http())
                        .is_some_and(|http| http.abort_on_half_close);
                    // A request that is incomplete shows when its bytes are used up.
                    return if abort {
                        Err(Stop::Client(End::ClientReset))
                    } else {
                        Ok(())
                    };
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Err(Stop::Client(End::ClientReset)),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Name of the backend that was picked last, and why; empty before.
    pub(super) fn picked(&self) -> (&str, &'static str) {
        let (Some((slot, why)), Some(pool)) = (self.facts.picked, &self.pool) else {
            return ("", "");
        };
        let name = pool
            .entry
            .pool
            .backends()
            .get(slot.index())
            .map_or("", |backend| &backend.name);
        (name, why.word())
    }
}

/// Did the backend say something before it was asked? No system call unless it did.
fn speaks_first(stream: &TcpStream) -> bool {
    stream
        .poll_read_ready(&mut Context::from_waker(Waker::noop()))
        .is_ready()
        && matches!(stream.try_read(&mut [0]), Ok(1))
}

/// What a connection that could not even be begun says about its backend.
pub(crate) fn start_outcome(error: &io::Error) -> Outcome {
    // EMFILE, ENFILE, ENOBUFS: std has no kinds for them.
    let short = matches!(error.raw_os_error(), Some(24 | 23 | 105));
    match error.kind() {
        // No free port, no memory: we are short of something, the backend is not to blame.
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse | io::ErrorKind::OutOfMemory => Outcome::Neutral,
        _ if short => Outcome::Neutral,
        _ => Outcome::Failure,
    }
}

/// The end reason of a connection that could not be made.
pub(crate) fn connect_end(error: &io::Error) -> End {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => End::ConnectRefused,
        io::ErrorKind::TimedOut => End::ConnectTimeout,
        _ => End::ConnectFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_are_short_of_is_not_the_backends_fault() {
        // errno(3): EMFILE 24, EADDRNOTAVAIL 99, ECONNREFUSED 111, ENETUNREACH 101
        let outcome = |number| start_outcome(&io::Error::from_raw_os_error(number));
        assert_eq!([24, 99].map(outcome), [Outcome::Neutral; 2]);
        assert_eq!([111, 101].map(outcome), [Outcome::Failure; 2]);
    }
}
