//! From the first byte of a request to the bytes that its backend gets.

use super::answer;
use super::client::Client;
use super::exchange::{Exchange, Next, Stop};
use super::patience::Wait;
use crate::buffer::{Buffer, SMALL};
use crate::core::Core;
use crate::options::HttpOptions;
use crate::view::PoolView;
use lb_balance::route::{Action, Query};
use lb_http::h1::{self, Framing, Role, Step};
use lb_http::{auth, forward, upgrade};
use lb_persist::Facts;
use lb_telemetry::End;
use lb_types::{FieldsMut, InvalidField, Wall};
use std::hint::cold_path;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

pub(super) type Step1 = Result<Poll<Option<Next>>, Stop>;

/// An answer of our own.
struct Own<'a> {
    status: u16,
    end: End,
    detail: &'static str,
    location: Option<&'a str>,
}

impl Exchange {
    /// Reads until the head is complete.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Step1 {
        if self.input.capacity() == 0 {
            self.input = core.take_buffer(false);
        }
        loop {
            if !self.input.is_empty() {
                match client.conn.read_head(self.input.filled(), &mut self.request) {
                    Ok(Step::Ready(message)) => {
                        self.input.consume(message.len);
                        self.framing = message.framing;
                        self.begin(client, core)?;
                        return Ok(Poll::Ready(None));
                    }
                    Ok(Step::NeedMore) => {
                        cold_path();
                        let skipped = client.conn.skip_empty_lines(self.input.filled());
                        self.input.consume(skipped);
                        if self.input.is_empty() {
                            continue;
                        }
                        if self.input.is_full() && !self.input.enlarge(core) {
                            let limit = self.input.capacity();
                            return Err(Stop::Request(h1::Error::HeadTooLarge { limit }));
                        }
                        // Part of an empty line begins nothing: the connection is idle still.
                        if !self.has_no_request() {
                            if !self.has_begun() {
                                self.facts.started = core.now();
                            }
                            self.wait_for(Wait::Head, false, client, core);
                        }
                    }
                    Err(error) => {
                        cold_path();
                        return Err(Stop::Request(error));
                    }
                }
            }
            if client.eof {
                cold_path();
                return self.head_cut();
            }
            match client.poll_read(cx, &mut self.input) {
                Poll::Ready(Ok(0)) => {
                    cold_path();
                    client.eof = true;
                    return self.head_cut();
                }
                Poll::Ready(Ok(len)) => self.facts.read.0 += len as u64,
                Poll::Ready(Err(_)) => {
                    cold_path();
                    return if self.input.is_empty() {
                        Ok(Poll::Ready(Some(Next::Close)))
                    } else {
                        Err(Stop::Client(End::ClientReset))
                    };
                }
                Poll::Pending => {
                    cold_path();
                    if self.input.is_empty() {
                        // A false alarm: wait on without a buffer.
                        return Ok(Poll::Ready(Some(Next::Again)));
                    }
                    self.input.rest(core);
                    return Ok(Poll::Pending);
                }
            }
        }
    }

    /// The client closed in front of or inside a head.
    #[inline(never)]
    fn head_cut(&self) -> Step1 {
        if self.has_no_request() {
            return Ok(Poll::Ready(Some(Next::Close)));
        }
        Err(Stop::Request(h1::Error::Truncated))
    }

    /// Is there nothing of a request, not even its first byte? What is left of an empty line is none.
    pub(super) fn has_no_request(&self) -> bool {
        self.input.filled().iter().all(|byte| *byte == b'\r')
    }

    /// Is it known when its first byte came?
    pub(super) fn has_begun(&self) -> bool {
        self.facts.started.wall != Wall::default()
    }

    /// The head is here: which pool, which bytes, which backend.
    fn begin(&mut self, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let now = core.now();
        if !self.has_begun() {
            self.facts.started = now;
        }
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
        let index = match self.route(http) {
            Ok(index) => index,
            Err(own) => {
                cold_path();
                self.detail = own.detail;
                answer::respond(self, client, own.status, own.end, own.location, core);
                return Ok(());
            }
        };
        let pool = view.pool(index).ok_or(Stop::Internal)?;
        if auth::is_of_connection(&self.request) {
            cold_path();
            self.facts.bound = true;
        }
        let (asked, bound) = (pool, client.bonds.pool(pool));
        let pool = bound.as_ref().unwrap_or(asked);
        self.pool = Some(Rc::clone(pool));
        if let Err(error) = self.edit(http, pool, client, now) {
            cold_path();
            let (status, end) = match error {
                InvalidField::Full => (431, End::HeadTooLarge),
                _ => (400, End::BadRequest),
            };
            self.detail = "no room or no valid value for the fields that are added";
            answer::respond(self, client, status, end, None, core);
            return Ok(());
        }
        self.write(pool, core)?;
        pool.budget.borrow_mut().deposit(now.mono);
        if !client.bonds.is_empty()
            && let Some(bond) = client.bonds.take(pool)
        {
            cold_path();
            return self.resume(bond, asked, client, core);
        }
        self.choose(None, client, core);
        Ok(())
    }

    /// The pool that the request goes to, or what is answered without one.
    fn route<'a>(&self, http: &'a HttpOptions) -> Result<usize, Own<'a>> {
        let query = Query {
            host: self.request.authority(),
            path: self.request.path(),
        };
        let own = |status, end, location| {
            Err(Own {
                status,
                end,
                detail: "",
                location,
            })
        };
        match http.routes.find(&query) {
            // OPTIONS with Max-Forwards: 0 asks us, not a backend (RFC 9110, section 7.6.2).
            Some(Action::Forward(_)) if forward::ends_here(&self.request) => own(200, End::Respond, None),
            Some(Action::Forward(index)) => Ok(*index),
            other => {
                cold_path();
                match other {
                    Some(Action::Respond { status, .. }) => own(*status, End::Respond, None),
                    Some(Action::Redirect { status, location, .. }) => own(*status, End::Respond, Some(location)),
                    Some(Action::Refuse(refusal)) => Err(Own {
                        status: refusal.status(),
                        end: End::BadRequest,
                        detail: refusal.rule(),
                        location: None,
                    }),
                    _ => own(404, End::NoRoute, None),
                }
            }
        }
    }

    /// Who is the client, and what must the backend see? Nothing of the request is written before.
    fn edit(
        &mut self,
        http: &HttpOptions,
        pool: &PoolView,
        client: &Client,
        now: lb_types::Now,
    ) -> Result<(), InvalidField> {
        let peer = client.sender.peer();
        let trusted = http.trusted_proxies.iter().any(|range| range.contains(peer));
        let address = if trusted {
            cold_path();
            forward::client_address(&self.request, peer, &http.trusted_proxies)
        } else {
            peer
        };
        let how = forward::Forward {
            sender: &client.sender,
            trusted,
            statements: http.statements,
            keep_upgrade: self.framing == Framing::Empty && upgrade::wanted(&self.request).is_some(),
            keep_expect: self.framing != Framing::Empty,
        };
        if how.keep_expect {
            self.facts.expecting = answer::takes_interim(self.request.version())
                && self.request.expects_continue()
                && self.input.is_empty();
        }
        if self.request.authority().is_none() {
            cold_path();
            self.add_host(client)?;
        }
        let picker = pool.picker.borrow();
        let facts = Facts {
            target: Some(self.request.target()),
            fields: Some(&self.request),
            ..Facts::new(address)
        };
        let recalled = picker.recall(&facts, now);
        self.recalled = Some(recalled);
        picker.prepare(&recalled, &mut self.request)?;
        forward::request(&mut self.request, &how)
    }

    /// HTTP/1.0 without `Host`: many backends refuse an empty one, which is what they would get.
    #[inline(never)]
    fn add_host(&mut self, client: &Client) -> Result<(), InvalidField> {
        // over a Unix domain socket somebody of this machine asks
        let text = client
            .io
            .local_socket()
            .map_or_else(|| "localhost".to_owned(), |local| local.to_string());
        let host = text.strip_suffix(":80").unwrap_or(&text);
        self.request.append("Host", host.as_bytes())
    }

    /// The head as the backend gets it.
    pub(super) fn write(&mut self, pool: &PoolView, core: &Core) -> Result<(), Stop> {
        self.up.begin(core);
        let limits = &pool.options().limits;
        let conn = match &mut self.up_conn {
            Some(conn) => {
                conn.renew(limits);
                conn
            }
            none => none.insert(h1::Conn::new(Role::Client, Arc::clone(limits))),
        };
        if conn.write_head(&self.request, self.framing, &mut self.up.out).is_err() {
            cold_path();
            return Err(Stop::Internal);
        }
        if self.framing == Framing::Empty {
            self.up.has_no_body(self.request.is_idempotent());
        } else if self.request.is_idempotent() {
            self.up.keep();
        }
        Ok(())
    }

    /// While the backend works: is the client still there? Bytes of its next request are read
    /// into free space only.
    pub(super) fn watch_client(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Result<(), Stop> {
        if client.eof {
            cold_path();
            return Ok(());
        }
        if self.input.is_empty() {
            // What waits owns no buffer: the response is then read into the one that is still in the
            // cache from this request, and not into a cold one.
            if self.input.capacity() > 0 {
                core.give_buffer(std::mem::replace(&mut self.input, Buffer::empty()));
            }
            if client.poll_ready(cx).is_pending() {
                return Ok(());
            }
            self.input = core.take_buffer(false);
        }
        cold_path();
        while !self.input.is_full() || (self.input.capacity() < SMALL && self.input.enlarge(core)) {
            match client.poll_read(cx, &mut self.input) {
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
                Poll::Ready(Ok(len)) => self.facts.read.0 += len as u64,
                Poll::Ready(Err(_)) => return Err(Stop::Client(End::ClientReset)),
                Poll::Pending => {
                    self.input.rest(core);
                    break;
                }
            }
        }
        Ok(())
    }
}
