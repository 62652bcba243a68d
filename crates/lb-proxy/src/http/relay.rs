//! Both directions of an exchange, moved whenever they can be.

use super::begin::Step1;
use super::bond::Bond;
use super::client::Client;
use super::exchange::{Exchange, Next, Stop};
use super::patience::Wait;
use super::pipe::{Bulk, Fault, Fill};
use super::pool::Used;
use crate::buffer::{Buffer, LARGE};
use crate::core::Core;
use crate::turn::{TURN, give_way};
use lb_balance::Outcome;
use lb_http::h1;
use lb_net::{Plain, Stream};
use lb_telemetry::End;
use std::hint::cold_path;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

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
        } else if self.up_stopped || (self.up.is_done() && self.up.is_flushed()) {
            Wait::Upstream
        } else if !self.up.is_flushed() {
            Wait::UpstreamWrite
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
        let begun = self.up.sent();
        while !self.up_stopped {
            let fill = match self.up.fill(&mut client.conn, &mut self.input, up_conn, core) {
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
            if self.up.sent() - begun >= TURN {
                give_way(cx);
                return Ok(());
            }
            if self.input.is_empty() {
                client.watch.stop();
                let bulk = self
                    .up
                    .poll_splice(cx, core, both(&client.io, upstream), &mut client.conn, up_conn);
                if self.up.is_bulk() && self.input.capacity() > 0 {
                    core.give_buffer(std::mem::replace(&mut self.input, Buffer::empty()));
                }
                match bulk {
                    Poll::Ready(Bulk::Copy) => {}
                    Poll::Ready(Bulk::Moved(len)) => {
                        self.facts.read.0 += len;
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
                self.input = core.take_buffer(self.up.is_bulk() || self.facts.input_large);
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
                Poll::Ready(Ok(len)) => {
                    self.facts.read.0 += len as u64;
                    self.facts.input_full = self.input.is_full();
                    self.facts.expecting = false;
                }
                Poll::Ready(Err(_)) => return Err(Stop::Client(End::ClientReset)),
                Poll::Pending => {
                    self.facts.input_large = self.input.capacity() == LARGE;
                    self.input.rest(core);
                    return Ok(());
                }
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
            let silent = |s: &Stream| !asked && s.poll_arrived(cx).is_pending();
            if self.upstream.as_ref().is_some_and(silent) && self.down.is_flushed() {
                return Ok(false);
            }
            self.reply = core.take_buffer(self.facts.reply_large);
        }
        self.down.begin(core);
        let begun = self.down.sent();
        loop {
            let fill = if self.facts.answered {
                self.fill_down(client, core)?
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
            if self.down.sent() - begun >= TURN {
                cold_path();
                give_way(cx);
                return Ok(false);
            }
            let (Some(upstream), Some(up_conn)) = (&mut self.upstream, &mut self.up_conn) else {
                return Err(Stop::Internal);
            };
            if self.facts.answered && self.reply.is_empty() {
                cold_path();
                let bulk = self
                    .down
                    .poll_splice(cx, core, both(upstream, &client.io), up_conn, &mut client.conn);
                if self.down.is_bulk() && self.reply.capacity() > 0 {
                    core.give_buffer(std::mem::replace(&mut self.reply, Buffer::empty()));
                }
                match bulk {
                    Poll::Ready(Bulk::Copy) => {}
                    Poll::Ready(Bulk::Moved(len)) => {
                        self.facts.read.1 += len;
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
                let limit = self.reply.capacity();
                self.detail = h1::Error::HeadTooLarge { limit }.rule();
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
                Poll::Ready(Ok(len)) => {
                    self.facts.read.1 += len as u64;
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
                    self.facts.reply_large = self.reply.capacity() == LARGE;
                    self.reply.rest(core);
                    return Ok(false);
                }
            }
        }
    }

    pub(super) fn fill_down(&mut self, client: &mut Client, core: &Core) -> Result<Fill, Stop> {
        let Some(up_conn) = &mut self.up_conn else {
            return Err(Stop::Internal);
        };
        if self.facts.switching {
            return Ok(Fill::End);
        }
        self.down
            .fill(up_conn, &mut self.reply, &mut client.conn, core)
            .map_err(|fault| match fault {
                Fault::Source(error) => {
                    self.detail = error.rule();
                    Stop::Upstream(End::UpstreamProtocol)
                }
                Fault::Sink => Stop::Internal,
            })
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
                self.detail = h1::Error::Truncated.rule();
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
            return self.switch(core);
        }
        let now = core.now().mono;
        if let (Some(stream), Some(pool), Some(ticket), Some(conn)) =
            (self.upstream.take(), &self.pool, &self.ticket, &self.up_conn)
        {
            let clean = !self.facts.early
                && !self.up_stopped
                && self.up.is_done()
                && self.up.is_flushed()
                && self.reply.is_empty();
            let good = clean && conn.next() == lb_http::h1::Next::Reuse;
            let idle = pool.idle.get(ticket.slot().index());
            if self.facts.phantom && !self.reply.is_empty() {
                cold_path();
                idle.inspect(|idle| idle.saw_phantom());
            }
            if self.facts.bound {
                cold_path();
                let bond = Bond::new(stream, pool, ticket.slot());
                client.keep(bond.filter(|_| good));
            } else if good
                && !core.is_draining()
                && let Some(idle) = idle
            {
                let used = Used {
                    stream,
                    owner: client.id,
                    may_have_more: self.facts.may_have_more,
                    phantom: self.facts.phantom,
                };
                let patience = pool.options().idle_timeout;
                let keep = match self.facts.keeps_for {
                    None => patience,
                    Some(seconds) => {
                        cold_path();
                        patience.min(kept_for(seconds))
                    }
                };
                idle.put(used, now, keep, pool.options().max_idle);
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
    fn switch(&mut self, core: &Core) -> Result<Next, Stop> {
        let Some(upstream) = self.upstream.take() else {
            return Err(Stop::Internal);
        };
        let early = std::mem::replace(&mut self.input, Buffer::empty());
        let late = std::mem::replace(&mut self.reply, Buffer::empty());
        // It ends with the tunnel.
        self.count(core);
        Ok(Next::Tunnel {
            upstream,
            early,
            late,
            ticket: self.ticket.take(),
        })
    }
}

/// How long a connection is good for, of which the backend says that it keeps it for so many seconds. Some of that is
/// gone already, and the next request needs time to get there.
fn kept_for(seconds: u16) -> Duration {
    Duration::from_secs(seconds.into()).saturating_sub(KEEP_MARGIN)
}

/// Programs look for idle connections once a second at most, so they are late rather than early; this covers the way.
const KEEP_MARGIN: Duration = Duration::from_millis(500);

/// The door to the socket that is read from, when the kernel can pass bytes from one to the other.
fn both<'a>(from: &'a Stream, to: &Stream) -> Option<Plain<'a>> {
    to.plain()?;
    from.plain()
}

/// After a read that filled the whole buffer, the next ones get a larger one.
fn grow(buffer: &mut Buffer, was_full: &mut bool, core: &Core) {
    if std::mem::take(was_full) && buffer.is_empty() && buffer.capacity() < LARGE {
        core.give_buffer(std::mem::replace(buffer, core.take_buffer(true)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_given_up_half_a_second_before_the_backend_does() {
        let kept = [0, 1, 2, 5, u16::MAX].map(|seconds| kept_for(seconds).as_millis());
        assert_eq!(kept, [0, 500, 1_500, 4_500, 65_534_500]);
    }
}
