//! One request and its response: the state that lives only while they are under way.

use super::answer;
use super::begin::Step1;
use super::client::Client;
use super::patience::{Pace, Wait};
use super::pipe::Pipe;
use crate::buffer::{Buffer, SMALL};
use crate::core::{Core, MOST_HEAD};
use crate::pick::Claims;
use crate::view::{ListenerView, PoolView};
use lb_balance::{Outcome, Recalled, Ticket, Tried, Why};
use lb_http::Head;
use lb_http::h1::{self, Framing};
use lb_net::{Opening, Stream};
use lb_telemetry::End;
use lb_types::{Now, Slot, Time};
use std::hint::cold_path;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Everything about one exchange. It comes from the worker's free list when the first byte of a
/// request arrives and goes back when the response has left.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(super) phase: Phase,
    /// From the client: the request's bytes that were not used yet, and what follows them.
    pub(super) input: Buffer,
    pub(super) request: Head,
    pub(super) framing: Framing,
    /// Toward the backend.
    pub(super) up: Pipe,
    pub(super) up_conn: Option<h1::Conn>,
    pub(super) up_stopped: bool,
    pub(super) upstream: Option<Stream>,
    pub(super) opening: Option<Opening>,
    /// From the backend.
    pub(super) reply: Buffer,
    /// Toward the client.
    pub(super) down: Pipe,
    pub(super) view: Option<Rc<ListenerView>>,
    pub(super) pool: Option<Rc<PoolView>>,
    pub(super) ticket: Option<Ticket>,
    pub(super) tried: Tried,
    pub(super) recalled: Option<Recalled>,
    pub(super) claims: Claims,
    pub(super) facts: Trace,
    /// The rule that was broken, or what else there is to say of the end; else empty.
    pub(super) detail: &'static str,
}

/// Where an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The request's head is being read.
    Head,
    /// A connection to the backend is being made.
    Connect,
    /// Request and response move.
    Relay,
    /// Our own answer is being written.
    Answer,
}

/// What is remembered of an exchange beside its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trace {
    pub(super) started: Now,
    pub(super) connect_from: Time,
    pub(super) connected: Option<Time>,
    pub(super) first_byte: Option<Time>,
    /// The final response's status; 0 before.
    pub(super) status: u16,
    pub(super) picked: Option<(Slot, Why)>,
    /// Other backends that were tried.
    pub(super) retries: u8,
    /// Of those, the ones that the pool's `retries` and its budget paid for.
    pub(super) paid_retries: u8,
    /// The backend that was tried last refused the connection at once.
    pub(super) refused_at_once: bool,
    pub(super) reused: bool,
    /// The connection to the backend is this client's alone, for as long as both live.
    pub(super) bound: bool,
    /// The backend's final head was seen.
    pub(super) answered: bool,
    /// Something of a response was put on the way to the client: no retry any more.
    pub(super) forwarded: bool,
    /// Some byte of a response came over this upstream connection.
    pub(super) heard: bool,
    /// The final response came before the request had ended.
    pub(super) early: bool,
    /// The client waits for a 100.
    pub(super) expecting: bool,
    /// We said 100 ourselves.
    pub(super) continued: bool,
    /// The response to the client ends with the connection.
    pub(super) until_close: bool,
    /// Bytes of a body of our own that were put on the way to the client.
    pub(super) own_body: u32,
    /// How long the backend says that it keeps this connection, in seconds.
    pub(super) keeps_for: Option<u16>,
    /// What the client had got when the final head was put on the way; never equal to what it has
    /// got when part of an interim response was still unsent then.
    pub(super) sent_before: u64,
    /// The response announces a body that must not come: whether it does shows too late.
    pub(super) phantom: bool,
    pub(super) switching: bool,
    pub(super) wait: Option<Wait>,
    /// Since when that is waited for, or since when something of it came.
    pub(super) since: Time,
    /// When that has been too long.
    pub(super) deadline: Time,
    /// Whether the client is there still is asked from time to time, because nothing is read from it.
    pub(super) asks: bool,
    /// By [`Wait::pace`].
    pub(super) paces: [Pace; 3],
    pub(super) input_full: bool,
    pub(super) reply_full: bool,
    /// What comes next is read into a large buffer, as what came before.
    pub(super) input_large: bool,
    pub(super) reply_large: bool,
    /// The last read from the backend took all that it had room for.
    pub(super) may_have_more: bool,
    pub(super) end: Option<End>,
    pub(super) logged: bool,
    /// Bytes that were read from the client and from backends.
    pub(super) read: (u64, u64),
}

/// What comes after an exchange.
#[derive(Debug)]
pub(crate) enum Next {
    /// The connection may carry another one; bytes of it may be here already.
    Again,
    /// Close now.
    Close,
    /// Say the end, then read for a while what the client still sends, so that it can take our
    /// answer before a RST destroys it.
    Linger,
    /// End with a RST: a FIN would make a cut response look whole.
    Reset,
    /// The connection is a tunnel now.
    Tunnel {
        upstream: Stream,
        /// What the client sent behind its request.
        early: Buffer,
        /// What the backend sent behind its response.
        late: Buffer,
        ticket: Option<Ticket>,
    },
}

/// Why an exchange cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client is gone or silent, or its request took too long.
    Client(End),
    /// The client sent something that cannot be forwarded.
    Request(h1::Error),
    /// The backend failed.
    Upstream(End),
    /// The connection that belongs to the client has ended, and its request did not reach the backend.
    Bound,
    /// A fault of ours.
    Internal,
}

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Head,
            input: Buffer::empty(),
            // It grows to what its requests need, and keeps that; a stream that waits holds no more.
            request: Head::with_capacity(0, 0),
            framing: Framing::Empty,
            up: Pipe::new(),
            up_conn: None,
            up_stopped: false,
            upstream: None,
            opening: None,
            reply: Buffer::empty(),
            down: Pipe::new(),
            view: None,
            pool: None,
            ticket: None,
            tried: Tried::new(),
            recalled: None,
            claims: Claims::default(),
            facts: Trace::default(),
            detail: "",
        }
    }

    /// Makes the exchange ready for the free list: no buffer, no connection, no count held.
    pub(crate) fn clear(&mut self, core: &Core) {
        self.reset(core);
        for buffer in [&mut self.input, &mut self.reply] {
            if buffer.capacity() > 0 {
                core.give_buffer(std::mem::replace(buffer, Buffer::empty()));
            }
        }
        if self.request.capacity_bytes() > MOST_HEAD {
            self.request = Head::with_capacity(0, 0);
        }
    }

    /// Ready for the next request of the same connection, whose bytes may be in `input`.
    pub(super) fn reset(&mut self, core: &Core) {
        self.phase = Phase::Head;
        self.up.clear(core);
        self.up_stopped = false;
        self.upstream = None;
        self.opening = None;
        self.down.clear(core);
        self.view = None;
        self.pool = None;
        self.ticket = None;
        self.tried = Tried::new();
        self.recalled = None;
        self.claims = Claims::default();
        self.facts = Trace::default();
        self.detail = "";
        if self.reply.capacity() > 0 && self.reply.capacity() != SMALL {
            core.give_buffer(std::mem::replace(&mut self.reply, Buffer::empty()));
        }
        self.reply.clear();
    }

    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Goes on until it has to wait.
    #[inline(always)] // into its one caller: see `lb_net::try_recv`
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Poll<Next> {
        loop {
            let step = match self.phase {
                Phase::Head => self.poll_head(cx, client, core),
                Phase::Relay => self.poll_relay(cx, client, core),
                Phase::Connect | Phase::Answer => {
                    cold_path();
                    self.poll_rest(cx, client, core)
                }
            };
            match step {
                Ok(Poll::Pending) => {
                    // Only now: what has come in time goes before its deadline.
                    if !client.timer.take_fired() {
                        return Poll::Pending;
                    }
                    cold_path();
                    if let Some(next) = self.on_deadline(client, core) {
                        return Poll::Ready(next);
                    }
                }
                Ok(Poll::Ready(None)) => {}
                Ok(Poll::Ready(Some(next))) => return Poll::Ready(next),
                Err(stop) => {
                    cold_path();
                    if let Some(next) = self.on_stop(stop, client, core) {
                        return Poll::Ready(next);
                    }
                }
            }
        }
    }

    /// The phases that few requests see, out of the way: with all four in one place the compiler makes a table
    /// of jumps, which costs a wrong guess and a line of memory.
    #[inline(never)]
    fn poll_rest(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        if self.phase == Phase::Connect {
            self.poll_connect(cx, client, core)
        } else {
            self.poll_answer(cx, client, core)
        }
    }

    /// Writes our own answer.
    fn poll_answer(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        match self.down.poll_flush(cx, &mut client.io, &mut self.reply) {
            Poll::Ready(Ok(())) => Ok(Poll::Ready(Some(self.after_answer(client, core)))),
            Poll::Ready(Err(_)) => Err(Stop::Client(End::ClientReset)),
            Poll::Pending => {
                self.wait_for(Wait::ClientWrite, false, client, core);
                Ok(Poll::Pending)
            }
        }
    }

    /// Decides what a failure means: try again, answer ourselves, or cut the connection.
    #[inline(never)]
    pub(super) fn on_stop(&mut self, stop: Stop, client: &mut Client, core: &Core) -> Option<Next> {
        match stop {
            Stop::Client(end) if end.status().is_some() && !self.is_committed() => {
                self.give_up(Outcome::Neutral, core);
                answer::refuse(self, client, end.status().unwrap_or(408), end, core);
                None
            }
            Stop::Client(end) => {
                self.give_up(Outcome::Neutral, core);
                self.record(client, core, end);
                Some(if self.facts.until_close {
                    Next::Reset
                } else {
                    Next::Close
                })
            }
            Stop::Request(error) => {
                self.give_up(Outcome::Neutral, core);
                self.detail = error.rule();
                let end = answer::end_of(&error);
                if self.is_committed() {
                    self.record(client, core, end);
                    return Some(Next::Reset);
                }
                answer::refuse(self, client, error.status(), end, core);
                None
            }
            Stop::Upstream(end) if self.facts.answered && self.down.sent() == self.facts.sent_before => {
                // Head and fault came together, and nothing has left yet: say so.
                self.blame(end, core);
                self.give_up(Outcome::Failure, core);
                self.down.clear(core);
                answer::refuse(self, client, end.status().unwrap_or(502), end, core);
                None
            }
            Stop::Upstream(end) if self.facts.answered => {
                // A pause that was too long for us, as of a stream of events, is no fault of the backend.
                let end = if matches!(end, End::UpstreamTimeout) {
                    self.give_up(Outcome::Neutral, core);
                    End::ResponseTimeout
                } else {
                    self.blame(End::UpstreamTruncated, core);
                    self.give_up(Outcome::Failure, core);
                    End::UpstreamTruncated
                };
                self.record(client, core, end);
                Some(if self.facts.until_close {
                    Next::Reset
                } else {
                    Next::Close
                })
            }
            Stop::Bound => Some(self.bond_ended(client, core)),
            Stop::Upstream(end) if self.facts.bound && self.never_came(end) => Some(self.bond_ended(client, core)),
            Stop::Upstream(end) => {
                self.upstream_failed(end, client, core);
                None
            }
            Stop::Internal => {
                self.give_up(Outcome::Neutral, core);
                if self.is_committed() {
                    self.record(client, core, End::Internal);
                    return Some(Next::Reset);
                }
                answer::refuse(self, client, 500, End::Internal, core);
                None
            }
        }
    }

    /// Is a final response on its way, so that no other one can be given?
    fn is_committed(&self) -> bool {
        self.facts.answered || self.phase == Phase::Answer
    }
}
