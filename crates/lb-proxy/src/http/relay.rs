//! Both directions of an exchange, moved whenever they can be.

use super::bond::Bond;
use super::connection::Client;
use super::exchange::{Committed, Exchange, Expect, Progress, Response, Sequel, Stop, Switched};
use super::flow::{Halt, Sink, Source};
use super::idle::Used;
use super::intake::NoMore;
use super::patience::Wait;
use crate::core::Core;
use crate::turn::{TURN, give_way};
use lb_http::h1;
use lb_telemetry::End;
use std::hint::cold_path;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

impl Exchange {
    /// One turn: request toward the backend, response toward the client, until neither moves.
    pub(super) fn poll_relay(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Progress {
        let before = self.moved(client);
        let asked = self.has_asked();
        self.poll_up(cx, client, core)?;
        let finished = self.poll_down(cx, client, core, asked)?;
        self.up.give_empty(core);
        self.down.give_empty(core);
        self.upstream.give_empty_out(core);
        client.side.give_empty_out(core);
        if finished {
            return self.finish(client, core).map(|next| Poll::Ready(Some(next)));
        }
        if self.up.is_done() || self.up.is_stopped() {
            self.watch_client(cx, client, core)?;
        }
        let wait = if !self.down.is_flushed(&client.side) {
            Wait::ClientWrite
        } else if self.up.is_stopped() || self.has_asked() {
            Wait::Upstream
        } else if !self.up.is_flushed(&self.upstream) {
            Wait::UpstreamWrite
        } else if self.expect == Expect::Waits {
            Wait::Continue
        } else {
            Wait::ClientBody
        };
        self.wait_for(wait, self.moved(client) != before, client, core);
        Ok(Poll::Pending)
    }

    fn moved(&self, client: &Client) -> u64 {
        self.upstream.sent() + client.side.sent()
    }

    /// The request's bytes: from the client to the backend.
    fn poll_up(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let read = client.side.read();
        let turn = self.up.poll(cx, &mut client.side, &mut self.upstream, core);
        if client.side.read() != read && self.expect == Expect::Waits {
            cold_path();
            self.expect = Expect::No;
        }
        match turn {
            Ok(_) => Ok(()),
            Err(halt) => {
                cold_path();
                self.on_up_halt(halt)
            }
        }
    }

    fn on_up_halt(&mut self, halt: Halt) -> Result<(), Stop> {
        Err(match halt {
            // Its answer may be here all the same: an early refusal, sent before it closed.
            Halt::SinkBroke => {
                self.up.stop();
                return Ok(());
            }
            // The client does not want to say more, but may want to hear the answer.
            Halt::Cut if self.response != Response::Awaited => {
                self.up.stop();
                return Ok(());
            }
            Halt::Cut => Stop::Request(h1::Error::Truncated),
            Halt::Source(error) => Stop::Request(error),
            Halt::Full(limit) => Stop::Request(h1::Error::TrailersTooLarge { limit }),
            Halt::SourceBroke => Stop::Client(End::ClientReset),
            Halt::Internal => Stop::Internal,
        })
    }

    /// The response's bytes: from the backend to the client. Says when it is complete. `asked`: the backend had the request
    /// before this turn, so it is most likely what woke us.
    fn poll_down(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core, asked: bool) -> Result<bool, Stop> {
        if self.response == Response::Awaited && !self.poll_response(cx, client, core, asked)? {
            return Ok(false);
        }
        if self.response == Response::Switching {
            cold_path();
            return self.flush_head(cx, client);
        }
        match self.down.poll(cx, &mut self.upstream, &mut client.side, core) {
            Ok(is_through) => Ok(is_through),
            Err(halt) => {
                cold_path();
                Err(match halt {
                    Halt::SinkBroke => Stop::Client(End::ClientReset),
                    Halt::Source(error) => {
                        self.course.detail = error.rule();
                        Stop::Upstream(End::UpstreamProtocol)
                    }
                    Halt::Full(limit) => self.head_too_large(limit),
                    Halt::Cut | Halt::SourceBroke => Stop::Upstream(End::UpstreamTruncated),
                    Halt::Internal => Stop::Internal,
                })
            }
        }
    }

    /// Reads up to the final head, which is put on its way; says whether it is here.
    fn poll_response(
        &mut self,
        cx: &mut Context<'_>,
        client: &mut Client,
        core: &Core,
        asked: bool,
    ) -> Result<bool, Stop> {
        let mut likely = asked;
        let begun = client.side.sent();
        loop {
            if self.read_response(client, core)? {
                return Ok(true);
            }
            // An interim one leaves at once.
            if client.side.has_begun() && !self.flush_head(cx, client)? {
                return Ok(false);
            }
            if client.side.sent() - begun >= TURN {
                cold_path();
                give_way(cx);
                return Ok(false);
            }
            match self.upstream.poll_first(cx, likely, core) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(0)) => {
                    cold_path();
                    return Err(self.no_response());
                }
                Poll::Ready(Ok(_)) => likely = true,
                Poll::Ready(Err(NoMore::Broke(error))) => {
                    cold_path();
                    return Err(Stop::Upstream(self.upstream_broke(&error)));
                }
                Poll::Ready(Err(NoMore::Full(limit))) => {
                    cold_path();
                    return Err(self.head_too_large(limit));
                }
            }
        }
    }

    /// Writes heads alone; says whether all of them have left.
    #[cold]
    fn flush_head(&mut self, cx: &mut Context<'_>, client: &mut Client) -> Result<bool, Stop> {
        match client.side.poll_flush(cx, &[]).1 {
            Poll::Ready(Ok(())) => Ok(true),
            Poll::Ready(Err(_)) => Err(Stop::Client(End::ClientReset)),
            Poll::Pending => Ok(false),
        }
    }

    /// The backend closed its side instead of an answer.
    #[inline(never)]
    fn no_response(&mut self) -> Stop {
        // Part of a head is not a response; nothing at all is a backend that hung up.
        Stop::Upstream(if self.upstream.has_heard() {
            self.course.detail = h1::Error::Truncated.rule();
            End::UpstreamProtocol
        } else {
            End::UpstreamClosed
        })
    }

    #[inline(never)]
    fn upstream_broke(&self, error: &io::Error) -> End {
        match error.kind() {
            _ if self.upstream.has_heard() => End::UpstreamProtocol,
            io::ErrorKind::TimedOut => End::UpstreamTimeout,
            _ => End::UpstreamReset,
        }
    }

    #[inline(never)]
    fn head_too_large(&mut self, limit: usize) -> Stop {
        self.course.detail = h1::Error::HeadTooLarge { limit }.rule();
        Stop::Upstream(End::UpstreamHeadTooLarge)
    }

    /// The response is complete and written.
    fn finish(&mut self, client: &mut Client, core: &Core) -> Result<Sequel, Stop> {
        let Response::Committed(response) = self.response else {
            cold_path();
            return self.switch(client);
        };
        let now = core.now().mono;
        self.put_away(&response, client, core);
        self.course.finish(self.trace.status, now);
        self.record(client, core, End::Done);
        Ok(self.next_of(client, core))
    }

    /// The connection to the backend waits for its next request, if it is good for one.
    fn put_away(&mut self, response: &Committed, client: &mut Client, core: &Core) {
        let is_clean = !response.early && !self.up.is_stopped() && self.has_asked() && self.upstream.is_reusable();
        let leftover = !self.upstream.window().is_empty();
        let may_have_more = self.upstream.may_have_more();
        let Some(stream) = self.upstream.take() else { return };
        let (Some(pool), Some(ticket)) = (self.course.pool(), self.course.ticket()) else {
            return;
        };
        let idle = pool.idle(ticket.slot());
        if response.stray_body && leftover {
            cold_path();
            idle.inspect(|idle| idle.saw_stray_body());
        }
        if self.trace.bound {
            cold_path();
            let bond = Bond::new(stream, pool, ticket.slot());
            client.keep(is_clean.then_some(bond));
        } else if is_clean
            && !core.is_draining()
            && !pool.options().is_for_one_client()
            && let Some(idle) = idle
        {
            let used = Used {
                stream,
                owner: client.peer.id,
                may_have_more,
                stray_body: response.stray_body,
            };
            let patience = pool.options().idle_timeout;
            let keep = match response.keeps_for {
                None => patience,
                Some(seconds) => {
                    cold_path();
                    patience.min(kept_for(seconds))
                }
            };
            idle.put(used, core.now().mono, keep, pool.options().max_idle);
        }
    }

    /// 101 was sent: the connections belong to another protocol now.
    #[inline(never)]
    fn switch(&mut self, client: &Client) -> Result<Sequel, Stop> {
        let late = self.upstream.take_unread();
        let Some(upstream) = self.upstream.take() else {
            return Err(Stop::Internal);
        };
        // It ends with the tunnel.
        self.count(client);
        Ok(Sequel::Tunnel(Box::new(Switched {
            upstream,
            late,
            ticket: self.course.take_ticket(),
            counted: self.course.counted(),
        })))
    }
}

/// How long a connection is good for, of which the backend says that it keeps it for so many seconds. Some of that is
/// gone already, and the next request needs time to get there.
fn kept_for(seconds: u16) -> Duration {
    Duration::from_secs(seconds.into()).saturating_sub(KEEP_MARGIN)
}

/// Programs look for idle connections once a second at most, so they are late rather than early; this covers the way.
const KEEP_MARGIN: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_given_up_half_a_second_before_the_backend_does() {
        let kept = [0, 1, 2, 5, u16::MAX].map(|seconds| kept_for(seconds).as_millis());
        assert_eq!(kept, [0, 500, 1_500, 4_500, 65_534_500]);
    }
}
