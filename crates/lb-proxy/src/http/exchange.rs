//! One request and its response: the state that lives only while they are under way.

use super::answer;
use super::connection::Client;
use super::flow::{Flow, Sink};
use super::patience::{Patience, Wait};
use super::upstream::{Link, UpstreamSide};
use crate::buffer::Buffer;
use crate::core::{Core, MOST_HEAD};
use crate::course::Course;
use crate::record::Counted;
use crate::view::ListenerView;
use lb_balance::{Outcome, Ticket};
use lb_http::Head;
use lb_http::h1::{self, Framing};
use lb_net::Stream;
use lb_telemetry::End;
use lb_types::{Now, Time};
use std::hint::cold_path;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Everything about one exchange but its client. It comes from the worker's free list when the first byte of a
/// request arrives and goes back when the response has left.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(super) phase: Phase,
    pub(super) request: Head,
    pub(super) framing: Framing,
    pub(super) expect: Expect,
    pub(super) response: Response,
    pub(super) upstream: UpstreamSide,
    /// Of the request.
    pub(super) up: Flow,
    /// Of the response.
    pub(super) down: Flow,
    pub(super) view: Option<Rc<ListenerView>>,
    pub(super) course: Course,
    pub(super) patience: Patience,
    pub(super) trace: Trace,
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
    /// Our own answer is being written, because of this.
    Answer(End),
}

/// Does the client wait for a 100 before it sends the body of its request?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// Not, or not any more.
    No,
    Waits,
    /// We said it ourselves.
    Said,
}

/// How far the response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Response {
    /// No final head has come; interim ones may have.
    Awaited,
    /// The final head was put on its way: there can be no other.
    Committed(Committed),
    /// The final head was a 101: both connections are another protocol's.
    Switching,
}

/// What is remembered of a final head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Committed {
    /// What the client had got when it was put on its way; `None`: part of an interim response was unsent then.
    pub(super) sent_before: Option<u64>,
    /// The response to the client ends with the connection.
    pub(super) until_close: bool,
    /// It came before the request had ended.
    pub(super) early: bool,
    /// It announces a body that must not come: whether it does shows too late.
    pub(super) stray_body: bool,
    /// How long the backend says that it keeps this connection, in seconds.
    pub(super) keeps_for: Option<u16>,
}

/// What is told of an exchange.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Trace {
    /// When the first byte of its request came.
    pub(super) started: Now,
    pub(super) connect_from: Time,
    pub(super) connected: Option<Time>,
    pub(super) first_byte: Option<Time>,
    /// The final response's status; 0 before.
    pub(super) status: u16,
    /// The connection to the backend was used before.
    pub(super) reused: bool,
    /// The connection to the backend is this client's alone, for as long as both live.
    pub(super) bound: bool,
    /// Bytes of a body of our own that were put on the way to the client.
    pub(super) own_body: u32,
    /// Of the bytes from and to backends, those that were counted for the backends before.
    pub(super) counted: (u64, u64),
    pub(super) recorded: bool,
}

/// What comes after an exchange.
#[derive(Debug)]
pub(crate) enum Sequel {
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
    Tunnel(Box<Switched>),
}

/// The other end of what became a tunnel.
#[derive(Debug)]
pub(crate) struct Switched {
    pub(super) upstream: Stream,
    /// What the backend sent behind its response.
    pub(super) late: Buffer,
    pub(super) ticket: Option<Ticket>,
    pub(super) counted: Option<Counted>,
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

/// What one step came to: it waits, it goes on, or it is over.
pub(super) type Progress = Result<Poll<Option<Sequel>>, Stop>;

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Head,
            // It grows to what its requests need, and keeps that; a stream that waits holds no more.
            request: Head::with_capacity(0, 0),
            framing: Framing::Empty,
            expect: Expect::No,
            response: Response::Awaited,
            upstream: UpstreamSide::new(),
            up: Flow::new(),
            down: Flow::new(),
            view: None,
            course: Course::new(),
            patience: Patience::default(),
            trace: Trace::default(),
        }
    }

    /// Makes the exchange ready for the free list: no buffer, no connection, no count held.
    pub(crate) fn clear(&mut self, core: &Core) {
        self.reset(core);
        self.upstream.release(core);
        if self.request.capacity_bytes() > MOST_HEAD {
            self.request = Head::with_capacity(0, 0);
        }
    }

    /// Ready for the next request of the same connection.
    pub(super) fn reset(&mut self, core: &Core) {
        self.phase = Phase::Head;
        self.expect = Expect::No;
        self.response = Response::Awaited;
        self.upstream.start_next(core);
        self.up.clear(core);
        self.down.clear(core);
        self.view = None;
        self.course.clear();
        self.patience = Patience::default();
        self.trace = Trace::default();
    }

    /// Goes on until it has to wait.
    #[inline(always)] // into its one caller: see `lb_net::try_recv`
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Poll<Sequel> {
        loop {
            let step = match self.phase {
                Phase::Head => self.poll_head(cx, client, core),
                Phase::Relay => self.poll_relay(cx, client, core),
                Phase::Connect | Phase::Answer(_) => {
                    cold_path();
                    self.poll_rest(cx, client, core)
                }
            };
            debug_assert!(step.is_err() || self.is_legal(), "{self:?}");
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
    fn poll_rest(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Progress {
        match self.phase {
            Phase::Answer(end) => self.poll_answer(end, cx, client, core),
            _ => self.poll_connect(cx, client, core),
        }
    }

    /// Writes our own answer.
    fn poll_answer(&mut self, end: End, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Progress {
        // It holds all of its bytes itself.
        match client.side.poll_flush(cx, &[]).1 {
            Poll::Ready(Ok(())) => {
                self.record(client, core, end);
                Ok(Poll::Ready(Some(self.next_of(client, core))))
            }
            Poll::Ready(Err(_)) => Err(Stop::Client(End::ClientReset)),
            Poll::Pending => {
                self.wait_for(Wait::ClientWrite, false, client, core);
                Ok(Poll::Pending)
            }
        }
    }

    /// Decides what a failure means: try again, answer ourselves, or cut the connection.
    #[inline(never)]
    pub(super) fn on_stop(&mut self, stop: Stop, client: &mut Client, core: &Core) -> Option<Sequel> {
        match stop {
            Stop::Client(end) if end.status().is_some() && !self.is_committed() => {
                self.give_up(Outcome::Neutral, core);
                answer::refuse(self, client, end.status().unwrap_or(408), end, core);
                None
            }
            Stop::Client(end) => {
                self.give_up(Outcome::Neutral, core);
                Some(self.cut_short(end, client, core))
            }
            Stop::Request(error) => {
                self.give_up(Outcome::Neutral, core);
                self.course.detail = error.rule();
                let end = answer::end_of(&error);
                if self.is_committed() {
                    self.record(client, core, end);
                    return Some(Sequel::Reset);
                }
                answer::refuse(self, client, error.status(), end, core);
                None
            }
            Stop::Upstream(end) => match self.response {
                Response::Awaited if self.trace.bound && self.never_came(end, client) => {
                    Some(self.bond_ended(client, core))
                }
                Response::Awaited => match self.upstream_failed(end, client, core) {
                    Ok(()) => None,
                    Err(stop) => self.on_stop(stop, client, core),
                },
                Response::Committed(Committed { sent_before, .. }) if sent_before == Some(client.side.sent()) => {
                    // Head and fault came together, and nothing has left yet: say so.
                    self.course.blame(end, core);
                    self.give_up(Outcome::Failure, core);
                    answer::refuse(self, client, end.status().unwrap_or(502), end, core);
                    None
                }
                Response::Committed(_) | Response::Switching => {
                    // A pause that was too long for us, as of a stream of events, is no fault of the backend.
                    let end = if matches!(end, End::UpstreamTimeout) {
                        self.give_up(Outcome::Neutral, core);
                        End::ResponseTimeout
                    } else {
                        self.course.blame(End::UpstreamTruncated, core);
                        self.give_up(Outcome::Failure, core);
                        End::UpstreamTruncated
                    };
                    Some(self.cut_short(end, client, core))
                }
            },
            Stop::Bound => Some(self.bond_ended(client, core)),
            Stop::Internal => {
                self.give_up(Outcome::Neutral, core);
                if self.is_committed() {
                    self.record(client, core, End::Internal);
                    return Some(Sequel::Reset);
                }
                answer::refuse(self, client, 500, End::Internal, core);
                None
            }
        }
    }

    /// Is a final response on its way, so that no other one can be given?
    fn is_committed(&self) -> bool {
        self.response != Response::Awaited || matches!(self.phase, Phase::Answer(_))
    }

    /// What was decided of a final head, if there is one.
    pub(super) const fn committed(&self) -> Option<&Committed> {
        match &self.response {
            Response::Committed(committed) => Some(committed),
            Response::Awaited | Response::Switching => None,
        }
    }

    /// Has the backend got the whole request?
    pub(super) fn has_asked(&self) -> bool {
        self.up.is_done() && self.up.is_flushed(&self.upstream)
    }

    /// May what is known of the parts be true at once? The rest cannot be said in their types.
    fn is_legal(&self) -> bool {
        is_legal(self.phase, self.upstream.link(), self.expect, &self.response)
    }
}

/// Phase, connection to the backend, expectation and response: which go together.
fn is_legal(phase: Phase, link: &Link, expect: Expect, response: &Response) -> bool {
    let fits = match response {
        Response::Awaited => true,
        Response::Committed(_) => expect != Expect::Waits,
        // Only a request without a body can ask for it.
        Response::Switching => expect == Expect::No,
    };
    match phase {
        Phase::Head => matches!(link, Link::None) && expect == Expect::No && *response == Response::Awaited,
        // What was said to the client is said for this backend alone.
        Phase::Connect => matches!(link, Link::Opening(_)) && expect != Expect::Said && *response == Response::Awaited,
        // The connection is given away at the end.
        Phase::Relay => !matches!(link, Link::Opening(_)) && fits,
        Phase::Answer(_) => matches!(link, Link::None) && *response != Response::Switching,
    }
}

#[cfg(test)]
mod tests;
