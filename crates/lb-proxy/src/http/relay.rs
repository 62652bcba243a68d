//! Both directions of an exchange, moved whenever they can be.

use super::answer;
use super::begin::Step1;
use super::client::Client;
use super::exchange::{Exchange, Next, Stop, Wait};
use super::pipe::{Bulk, Fault, Fill};
use super::pool::Used;
use crate::buffer::Buffer;
use crate::core::Core;
use lb_balance::Outcome;
use lb_http::h1::{self, Framing, Message, Step};
use lb_http::{Head, Version, forward};
use lb_persist::Learn;
use lb_telemetry::End;
use lb_types::Fields;
use std::hint::cold_path;
use std::io;
use std::task::{Context, Poll};
use tokio::net::TcpStream;

impl Exchange {
    /// One turn: request toward the backend, response toward the client, until neither moves.
    pub(super) fn poll_relay(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        let before = self.moved();
        let asked = self.up.is_done() && self.up.is_flushed();
        self.poll_up(cx, client, core)?;
        let finished = self.poll_down(cx, client, core, asked)?;
        self.up.rest(core);
        self.down.rest(core);
        if finished {
            return self.finish(client, core).map(|next| Poll::Ready(Some(next)));
        }
        if self.up.is_done() || self.up_stopped {
            self.watch_client(cx, client, core)?;
        }
        let wait = if !self.down.is_flushed() {
            Wait::ClientWrite
        } else if self.up.is_done() || self.up_stopped || !self.up.is_flushed() {
            Wait::Upstream
        } else if self.facts.expecting {
            Wait::Continue
        } else {
            Wait::ClientBody
        };
        self.wait_for(wait, self.moved() != before, client, core);
        Ok(Poll::Pending)
    }

    fn moved(&self) -> u64 {
        self.up.sent() + self.down.sent()
    }

    /// The request's bytes: from the client's buffer to the backend.
    fn poll_up(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let (Some(upstream), Some(up_conn)) = (&mut self.upstream, &mut self.up_conn) else {
            return Err(Stop::Internal);
        };
        if !self.up.is_done() {
            self.up.begin(core);
        }
        while !self.up_stopped {
            let fill = match self
                .up
                .fill(&mut client.conn, &mut self.input, up_conn, &mut self.trailers)
            {
                Ok(fill) => fill,
                Err(Fault::Source(error)) => return Err(Stop::Request(error)),
                Err(Fault::Sink) => return Err(Stop::Internal),
            };
            match self.up.poll_flush(cx, upstream, &mut self.input) {
                Poll::Ready(Ok(())) => {}
                // Its answer may be here all the same: an early refusal, sent before it closed.
                Poll::Ready(Err(_)) => {
                    cold_path();
                    self.up_stopped = true;
                    return Ok(());
                }
                Poll::Pending => {
                    cold_path();
                    return Ok(());
                }
            }
            if fill == Fill::End {
                return Ok(());
            }
            cold_path(); // most requests have no body
            if fill == Fill::Full {
                continue;
            }
            if client.eof {
                return self.request_cut();
            }
            if self.input.is_empty() {
                client.watch.stop();
                let bulk = self.up.poll_splice(cx, core, &client.io, &mut client.conn, up_conn);
                if self.up.is_bulk() && self.input.capacity() > 0 {
                    core.give_buffer(std::mem::replace(&mut self.input, Buffer::empty()));
                }
                match bulk {
                    Poll::Ready(Bulk::Copy) => {}
                    Poll::Ready(Bulk::Moved) => {
                        self.facts.expecting = false;
                        continue;
                    }
                    Poll::Ready(Bulk::Ended) => {
                        client.eof = true;
                        return self.request_cut();
                    }
                    Poll::Ready(Bulk::Broke(_)) => return Err(Stop::Client(End::ClientReset)),
                    Poll::Ready(Bulk::Fault) => return Err(Stop::Internal),
                    Poll::Pending => return Ok(()),
                }
            }
            if self.input.capacity() == 0 {
                self.input = core.take_buffer(self.up.is_bulk());
            } else if self.input.is_full() && !self.input.enlarge(core) {
                return Err(Stop::Request(h1::Error::TrailersTooLarge {
                    limit: self.input.capacity(),
                }));
            }
            grow(&mut self.input, &mut self.facts.input_full, core);
            match client.poll_read(cx, &mut self.input) {
                Poll::Ready(Ok(0)) => {
                    client.eof = true;
                    return self.request_cut();
                }
                Poll::Ready(Ok(_)) => {
                    self.facts.input_full = self.input.is_full();
                    self.facts.expecting = false;
                }
                Poll::Ready(Err(_)) => return Err(Stop::Client(End::ClientReset)),
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    /// The client closed its direction inside its request.
    fn request_cut(&mut self) -> Result<(), Stop> {
        if self.facts.answered {
            // It does not want to say more, but may want to hear the answer.
            self.up_stopped = true;
            return Ok(());
        }
        Err(Stop::Request(h1::Error::Truncated))
    }

    /// The response's bytes: from the backend's buffer to the client. Says when it is complete. `asked`: the
    /// backend had the request before this turn, so it is most likely what woke us.
    fn poll_down(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core, asked: bool) -> Result<bool, Stop> {
        if self.reply.capacity() == 0 && !self.down.is_bulk() {
            let silent = |s: &TcpStream| !asked && s.poll_read_ready(cx).is_pending();
            if self.upstream.as_ref().is_some_and(silent) && self.down.is_flushed() {
                return Ok(false);
            }
            self.reply = core.take_buffer(false);
        }
        self.down.begin(core);
        loop {
            let fill = if self.facts.answered {
                self.fill_down(client)?
            } else {
                self.read_response(client, core)?
            };
            match self.down.poll_flush(cx, &mut client.io, &mut self.reply) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    cold_path();
                    return Err(Stop::Client(End::ClientReset));
                }
                Poll::Pending => {
                    cold_path();
                    return Ok(false);
                }
            }
            match fill {
                Fill::End => return Ok(true),
                Fill::Full => continue,
                Fill::NeedMore => {}
            }
            let (Some(upstream), Some(up_conn)) = (&mut self.upstream, &mut self.up_conn) else {
                return Err(Stop::Internal);
            };
            if self.facts.answered && self.reply.is_empty() {
                cold_path();
                let bulk = self.down.poll_splice(cx, core, upstream, up_conn, &mut client.conn);
                if self.down.is_bulk() && self.reply.capacity() > 0 {
                    core.give_buffer(std::mem::replace(&mut self.reply, Buffer::empty()));
                }
                match bulk {
                    Poll::Ready(Bulk::Copy) => {}
                    Poll::Ready(Bulk::Moved) => {
                        self.facts.may_have_more = true;
                        continue;
                    }
                    Poll::Ready(Bulk::Ended) => {
                        self.upstream_ended(client)?;
                        continue;
                    }
                    Poll::Ready(Bulk::Broke(error)) => return Err(Stop::Upstream(self.upstream_broke(&error))),
                    Poll::Ready(Bulk::Fault) => return Err(Stop::Internal),
                    Poll::Pending => return Ok(false),
                }
                if self.reply.capacity() == 0 {
                    self.reply = core.take_buffer(true);
                }
            }
            if self.reply.is_full() && !self.reply.enlarge(core) {
                cold_path();
                return Err(Stop::Upstream(End::UpstreamHeadTooLarge));
            } else if self.facts.answered {
                cold_path();
                grow(&mut self.reply, &mut self.facts.reply_full, core);
            }
            match self.reply.poll_read(cx, upstream) {
                Poll::Ready(Ok(0)) => {
                    cold_path();
                    self.upstream_ended(client)?;
                }
                Poll::Ready(Ok(_)) => {
                    self.facts.reply_full = self.reply.is_full();
                    self.facts.may_have_more = self.reply.took_all_room();
                    self.facts.heard = true;
                }
                Poll::Ready(Err(error)) => {
                    cold_path();
                    return Err(Stop::Upstream(self.upstream_broke(&error)));
                }
                Poll::Pending => {
                    cold_path();
                    if !self.facts.heard {
                        core.give_buffer(std::mem::replace(&mut self.reply, Buffer::empty()));
                    }
                    return Ok(false);
                }
            }
        }
    }

    fn fill_down(&mut self, client: &mut Client) -> Result<Fill, Stop> {
        let Some(up_conn) = &mut self.up_conn else {
            return Err(Stop::Internal);
        };
        if self.facts.switching {
            return Ok(Fill::End);
        }
        self.down
            .fill(up_conn, &mut self.reply, &mut client.conn, &mut self.trailers)
            .map_err(|fault| match fault {
                Fault::Source(_) => Stop::Upstream(End::UpstreamProtocol),
                Fault::Sink => Stop::Internal,
            })
    }

    /// Reads the response's head; interim ones on the way. Nobody needs it once it was passed on, so one
    /// head serves all exchanges of a worker, and stays in the cache.
    fn read_response(&mut self, client: &mut Client, core: &Core) -> Result<Fill, Stop> {
        let mut head = core.take_head();
        let fill = self.read_response_into(&mut head, client, core);
        core.give_head(head);
        fill
    }

    fn read_response_into(&mut self, head: &mut Head, client: &mut Client, core: &Core) -> Result<Fill, Stop> {
        while !self.reply.is_empty() {
            let Some(up_conn) = &mut self.up_conn else {
                return Err(Stop::Internal);
            };
            let message = match up_conn.read_head(self.reply.filled(), head) {
                Ok(Step::Ready(message)) => message,
                Ok(Step::NeedMore) => {
                    cold_path();
                    return Ok(Fill::NeedMore);
                }
                Err(error) => {
                    cold_path();
                    return Err(Stop::Upstream(end_of(&error)));
                }
            };
            self.reply.consume(message.len);
            if (100..200).contains(&head.status()) && head.status() != 101 {
                cold_path();
                self.pass_interim(head, client)?;
                continue;
            }
            self.pass_head(head, message, client, core)?;
            return self.fill_down(client);
        }
        Ok(Fill::NeedMore)
    }

    /// A 1xx response: passed on to clients that know such responses.
    #[inline(never)]
    fn pass_interim(&mut self, head: &mut Head, client: &mut Client) -> Result<(), Stop> {
        self.facts.interim += 1;
        if self.facts.interim > MOST_INTERIM {
            return Err(Stop::Upstream(End::UpstreamProtocol));
        }
        let is_continue = head.status() == 100;
        if is_continue {
            self.facts.expecting = false;
        }
        let wanted = !is_continue || (!self.facts.continued && self.request.expects_continue());
        if wanted && answer::takes_interim(self.request.version()) {
            forward::response(head, false);
            self.facts.forwarded = true;
            client
                .conn
                .write_head(head, Framing::Empty, &mut self.down.out)
                .map_err(|_| Stop::Internal)?;
        }
        Ok(())
    }

    /// The final head: edited and put on the way to the client.
    fn pass_head(&mut self, head: &mut Head, message: Message, client: &mut Client, core: &Core) -> Result<(), Stop> {
        if message.framing == Framing::Tunnel && !self.may_switch(head) {
            return Err(Stop::Upstream(End::UpgradeFailed));
        }
        let now = core.now();
        self.facts.answered = true;
        self.facts.expecting = false;
        self.facts.first_byte = Some(now.mono);
        self.facts.status = head.status();
        self.facts.switching = message.framing == Framing::Tunnel;
        self.facts.phantom = self.announces_phantom(head);
        if !self.up.is_done() {
            cold_path();
            // The response overtook the request. Both go on, but neither connection is used
            // again: nobody can say where the rest of the request would end.
            self.facts.early = true;
            client.conn.close_after();
        }
        if core.is_draining() || client.place.is_closed() {
            client.conn.close_after();
        }
        forward::response(head, self.facts.switching);
        if let (Some(pool), Some(recalled), Some(ticket)) = (&self.pool, &self.recalled, &mut self.ticket) {
            ticket.answered(now.mono);
            let chosen = ticket.backend().id;
            // No room for a cookie: the response is still good, only not sticky.
            let learned = pool.picker.borrow().learn(recalled, chosen, head, now);
            for (table, learn) in pool.entry.tables.iter().zip(learned.into_iter().flatten()) {
                if let (Some(table), Learn::Remember(key)) = (table, learn) {
                    table.remember(key, chosen, now.mono);
                }
            }
        }
        let framing = match message.framing {
            // So that the client can tell a whole response from a cut one, and stays connected.
            Framing::UntilClose if self.request.version() == Version::Http11 => Framing::Chunked,
            framing => framing,
        };
        self.facts.until_close =
            self.request.version() == Version::Http10 && matches!(framing, Framing::UntilClose | Framing::Chunked);
        self.facts.sent_before = if self.down.is_untouched() {
            self.down.sent()
        } else {
            u64::MAX
        };
        client
            .conn
            .write_head(head, framing, &mut self.down.out)
            .map_err(|_| Stop::Internal)?;
        self.facts.forwarded = true;
        Ok(())
    }

    /// A 101 is good only for the protocol that was asked for, and only after the whole request.
    #[inline(never)]
    fn may_switch(&self, response: &Head) -> bool {
        let whole = self.up.is_done() && self.up.is_flushed();
        let same = match (self.request.first("upgrade"), response.first("upgrade")) {
            (Some(asked), Some(given)) => asked.eq_ignore_ascii_case(given),
            _ => false,
        };
        whole && same
    }

    /// Does the response to `HEAD`, or a 304, tell the length of a body that it must not have?
    /// A backend that sends it all the same may do so after its connection was put away, and the
    /// next client would take it for its answer.
    fn announces_phantom(&self, response: &Head) -> bool {
        if !self.request.is_head_method() && response.status() != 304 {
            return false;
        }
        cold_path();
        response.first("transfer-encoding").is_some() || response.first("content-length").is_some_and(|v| v != b"0")
    }

    /// The backend closed its side.
    #[inline(never)]
    fn upstream_ended(&mut self, client: &mut Client) -> Result<(), Stop> {
        let Some(up_conn) = &mut self.up_conn else {
            return Err(Stop::Internal);
        };
        if !self.facts.answered {
            // Part of a head is not a response; nothing at all is a backend that hung up.
            let end = if self.facts.heard {
                End::UpstreamProtocol
            } else {
                End::UpstreamClosed
            };
            return Err(Stop::Upstream(end));
        }
        match up_conn.read_eof() {
            Ok(()) => self.down.end(&mut client.conn, None).map_err(|_| Stop::Internal),
            Err(_) => Err(Stop::Upstream(End::UpstreamTruncated)),
        }
    }

    #[inline(never)]
    fn upstream_broke(&self, error: &io::Error) -> End {
        match error.kind() {
            _ if self.facts.answered => End::UpstreamTruncated,
            _ if self.facts.heard => End::UpstreamProtocol,
            io::ErrorKind::TimedOut => End::UpstreamTimeout,
            _ => End::UpstreamReset,
        }
    }

    /// The response is complete and written.
    fn finish(&mut self, client: &mut Client, core: &Core) -> Result<Next, Stop> {
        if self.facts.switching {
            cold_path();
            return self.switch(client, core);
        }
        let now = core.now().mono;
        if let (Some(stream), Some(pool), Some(ticket), Some(conn)) =
            (self.upstream.take(), &self.pool, &self.ticket, &self.up_conn)
        {
            let clean = !self.facts.early
                && !self.facts.phantom
                && !self.up_stopped
                && self.up.is_done()
                && self.up.is_flushed()
                && self.reply.is_empty();
            if clean
                && conn.next() == lb_http::h1::Next::Reuse
                && !core.is_draining()
                && let Some(idle) = pool.idle.get(ticket.slot().index())
            {
                let used = Used {
                    stream,
                    owner: client.id,
                    may_have_more: self.facts.may_have_more,
                };
                idle.put(used, now, pool.options().idle_timeout, pool.options().max_idle);
            }
        }
        if let Some(ticket) = self.ticket.take() {
            let counts = self.pool.as_ref().is_some_and(|pool| pool.options().server_errors_fail);
            // 501 and 505 speak of the request: any backend would say so
            let has_failed = counts && matches!(self.facts.status, 500 | 502..=504 | 506..=599);
            ticket.finish(if has_failed { Outcome::Failure } else { Outcome::Success }, now);
        }
        self.record(client, core, End::Done);
        Ok(self.next_of(client, core))
    }

    /// 101 was sent: the connections belong to another protocol now.
    #[inline(never)]
    fn switch(&mut self, client: &mut Client, core: &Core) -> Result<Next, Stop> {
        let Some(upstream) = self.upstream.take() else {
            return Err(Stop::Internal);
        };
        let early = std::mem::replace(&mut self.input, Buffer::empty());
        let late = std::mem::replace(&mut self.reply, Buffer::empty());
        self.record(client, core, End::Done);
        Ok(Next::Tunnel {
            upstream,
            early,
            late,
            ticket: self.ticket.take(),
        })
    }
}

fn end_of(error: &h1::Error) -> End {
    match error {
        h1::Error::HeadTooLarge { .. } | h1::Error::TooManyFields { .. } => End::UpstreamHeadTooLarge,
        h1::Error::UnexpectedSwitch => End::UpgradeFailed,
        _ => End::UpstreamProtocol,
    }
}

/// After a read that filled the whole buffer, the next ones get a larger one.
fn grow(buffer: &mut Buffer, was_full: &mut bool, core: &Core) {
    if std::mem::take(was_full) && buffer.is_empty() && buffer.capacity() < crate::buffer::LARGE {
        core.give_buffer(std::mem::replace(buffer, core.take_buffer(true)));
    }
}

/// A backend may send this many interim responses per request.
const MOST_INTERIM: u8 = 16;
