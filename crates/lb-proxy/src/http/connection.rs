//! A client's connection: small while it waits, with an exchange while it does not.

use super::bond::Bonds;
use super::client::ClientSide;
use super::ending::Who;
use super::exchange::{Exchange, Sequel, Switched};
use crate::core::Core;
use crate::peer::{Extras, Peer};
use crate::preface::{Entered, HeaderFacts, TlsPeer};
use crate::record::Counted;
use crate::timer::Timer;
use crate::tunnel::Tunnel;
use crate::view::ListenerHandle;
use crate::worker::Count;
use lb_balance::{Outcome, Ticket};
use lb_guard::Pass;
use lb_net::Stream;
use lb_telemetry::End;
use std::future::Future;
use std::hint::cold_path;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::coop::poll_proceed;

/// The part of a connection that outlives its exchanges.
#[derive(Debug)]
pub(crate) struct Client {
    pub(super) side: ClientSide,
    pub(super) peer: Peer,
    pub(super) timer: Timer,
    pub(super) requests: u32,
    /// Connections to backends that nobody else may use.
    pub(super) bonds: Bonds,
    /// The drain's patience with this idle connection runs.
    leaves: bool,
}

/// The task of a client connection, polled by hand so that it stays small: this is what an idle
/// connection costs.
#[derive(Debug)]
pub(crate) struct Connection {
    core: Rc<Core>,
    listener: Rc<ListenerHandle>,
    stage: Stage,
    _count: Count,
}

#[derive(Debug)]
enum Stage {
    /// Not polled yet: the timer needs the task's waker.
    New(Box<Entered>),
    /// With an exchange while one is under way, else waiting for a request.
    Open(Client, Option<Box<Exchange>>),
    Tunnel(Box<Tunneling>),
    Linger(Client),
    Over,
}

#[derive(Debug)]
struct Tunneling {
    tunnel: Tunnel,
    ticket: Option<Ticket>,
    counted: Option<Counted>,
    address: IpAddr,
    tls: Option<Rc<TlsPeer>>,
    header: Option<Rc<HeaderFacts>>,
    _pass: Option<Pass>,
    /// For its log line, when there will be one.
    exchange: Option<Box<Exchange>>,
}

impl Client {
    /// For how long browsers are to come over TLS only: told them over TLS alone.
    pub(super) fn https_only(&self) -> Option<Duration> {
        self.peer.tls.as_ref()?;
        self.peer.listener.view().http()?.https.hsts
    }

    /// Waiting for a request, with no buffer in hand. `Ready`: go on with an exchange, or end. `woken`: by
    /// somebody, and nothing was looked at yet.
    fn poll_idle(&mut self, cx: &mut Context<'_>, core: &Core, woken: bool) -> Poll<Result<Box<Exchange>, End>> {
        if core.is_cut() {
            cold_path();
            return Poll::Ready(Err(End::Drain));
        }
        if !self.bonds.is_empty() && self.bonds.poll_ended(cx).is_ready() {
            cold_path();
            return Poll::Ready(Err(End::UpstreamClosed));
        }
        let fired = self.timer.has_fired();
        if woken && !fired && !core.is_draining() {
            // Then it was the socket: its first read says the same as asking it whether it is ready.
            return Poll::Ready(Ok(core.take_exchange()));
        }
        match self.side.poll_ready(cx) {
            Poll::Ready(Ok(())) => return Poll::Ready(Ok(core.take_exchange())),
            Poll::Ready(Err(_)) => {
                cold_path();
                return Poll::Ready(Err(End::ClientReset));
            }
            Poll::Pending => {}
        }
        if fired {
            cold_path();
            return Poll::Ready(Err(self.idle_end(core)));
        }
        // A listener that a reload removed keeps its connections; their next response says close.
        if core.is_draining() && !self.leaves {
            cold_path();
            self.leaves = true;
            // A request may be on the way: no response told this client to close.
            let first = self.requests == 0;
            let patience = if first { FIRST_IN_DRAIN } else { NEXT_IN_DRAIN };
            self.timer.set(core.now().mono.after(patience));
        }
        Poll::Pending
    }

    fn idle_end(&self, core: &Core) -> End {
        if core.is_draining() {
            End::Drain
        } else if self.timer.gives_way() {
            End::MadeRoom
        } else {
            End::ClientIdle
        }
    }

    /// The time for the first byte of a request has passed.
    pub(super) fn idle_too_long(&self, core: &Core) -> Sequel {
        self.peer.listener.counters.ended(self.idle_end(core));
        Sequel::Close
    }

    /// The next request of a kept-alive connection is waited for, from the end of the last one on.
    fn wait_for_next(&self, core: &Core) {
        let view = self.peer.listener.view();
        if self.requests > 0
            && let Some(http) = view.http()
        {
            let now = core.now().mono;
            self.timer.set_idle(now.after(http.keep_alive), now);
        }
    }
}

impl Connection {
    pub(crate) fn new(
        core: Rc<Core>,
        listener: Rc<ListenerHandle>,
        io: Stream,
        peer: SocketAddr,
        count: Count,
    ) -> Self {
        core.connection_began(&listener.counters);
        Self::entered(core, listener, Entered::plain(io, peer), count)
    }

    /// One whose preface is over, and which was counted when that began.
    pub(crate) fn entered(core: Rc<Core>, listener: Rc<ListenerHandle>, entered: Entered, count: Count) -> Self {
        Self {
            core,
            listener,
            stage: Stage::New(Box::new(entered)),
            _count: count,
        }
    }

    fn begin(&self, cx: &mut Context<'_>, entered: Entered) -> Stage {
        let view = self.listener.view();
        let Some(http) = view.http() else { return Stage::Over };
        let timer = self.core.timers.register(cx.waker().clone());
        let now = self.core.now().mono;
        timer.set_idle(now.after(http.head_timeout), now);
        let Entered {
            io,
            early,
            client: peer,
            proxied_to,
            header,
            pass,
            tls,
            ..
        } = entered;
        let extras = Extras {
            proxied_to,
            header,
            pass,
        };
        let has_come = !early.is_empty();
        let client = Client {
            side: ClientSide::h1(io, http, early, &self.core),
            peer: Peer::new(&self.listener, peer, extras, tls, &self.core),
            timer,
            requests: 0,
            bonds: Bonds::default(),
            leaves: false,
        };
        Stage::Open(client, has_come.then(|| self.core.take_exchange()))
    }

    /// The last exchange ended: what becomes of the connection.
    fn after(&self, next: Sequel, mut client: Client, exchange: Option<Box<Exchange>>) -> Stage {
        match next {
            Sequel::Again => Stage::Open(client, None),
            Sequel::Close => {
                let io = client.side.stream();
                if io.tls().is_none() {
                    return Stage::Over;
                }
                io.close_write();
                if io.is_flushed() {
                    return Stage::Over;
                }
                // The socket is full: the word for the end goes behind what it holds.
                let now = self.core.now().mono;
                client.timer.set_idle(now.after(LINGER), now);
                Stage::Linger(client)
            }
            Sequel::Reset => {
                let (io, _) = client.side.into_parts(&self.core);
                io.reset();
                Stage::Over
            }
            Sequel::Linger => {
                client.bonds = Bonds::default();
                client.side.stream().close_write();
                let now = self.core.now().mono;
                client.timer.set_idle(now.after(LINGER), now);
                Stage::Linger(client)
            }
            Sequel::Tunnel(switched) => {
                let Switched {
                    upstream,
                    late,
                    ticket,
                    counted,
                } = *switched;
                let view = client.peer.listener.view();
                let patience = view.http().map_or(Duration::from_secs(60), |http| http.tunnel_timeout);
                client.timer.set(self.core.now().mono.after(patience));
                let (io, early) = client.side.into_parts(&self.core);
                let tunnel = Tunnel::new(io, upstream, early, late, client.timer, patience);
                Stage::Tunnel(Box::new(Tunneling {
                    tunnel,
                    ticket,
                    counted,
                    address: client.peer.address(),
                    header: client.peer.header().map(Rc::clone),
                    _pass: client.peer.take_pass(),
                    tls: client.peer.tls,
                    exchange,
                }))
            }
        }
    }

    /// Reads and throws away what the client still sends, for a bounded time.
    fn poll_linger(&self, cx: &mut Context<'_>, mut client: Client) -> (Stage, bool) {
        if client.timer.take_fired() || self.core.is_cut() {
            return (Stage::Over, true);
        }
        // Over TLS the end is something to be said.
        if matches!(client.side.stream_mut().poll_flush(cx), Poll::Ready(Err(_))) {
            return (Stage::Over, true);
        }
        loop {
            match client.side.stream().poll_arrived(cx) {
                Poll::Pending => return (Stage::Linger(client), false),
                Poll::Ready(Err(_)) => return (Stage::Over, true),
                Poll::Ready(Ok(())) => {}
            }
            let mut buffer = self.core.take_buffer(false);
            let read = buffer.poll_read(cx, client.side.stream());
            self.core.give_buffer(buffer);
            match read {
                Poll::Ready(Ok(0) | Err(_)) => return (Stage::Over, true),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return (Stage::Linger(client), false),
            }
        }
    }

    fn poll_tunnel(&self, cx: &mut Context<'_>, mut t: Box<Tunneling>) -> (Stage, bool) {
        let end = if self.core.is_cut() {
            t.tunnel.cut(&self.core);
            End::DrainDeadline
        } else {
            let Poll::Ready(end) = t.tunnel.poll(cx, &self.core) else {
                return (Stage::Tunnel(t), false);
            };
            end
        };
        let backend = t.counted.as_ref().map(Counted::backend);
        t.tunnel.blame(t.ticket.as_ref(), backend, &self.core);
        self.over(&mut t, end);
        (Stage::Over, true)
    }

    fn over(&self, t: &mut Tunneling, end: End) {
        self.listener.counters.ended(end);
        let traffic = t.tunnel.traffic();
        self.listener.counters.moved(traffic.client_in, traffic.client_out);
        if let Some(counted) = &t.counted {
            counted.ended(end, &traffic);
        }
        if let Some(mut exchange) = t.exchange.take() {
            let who = Who {
                address: t.address,
                tls: t.tls.as_deref(),
                header: t.header.as_deref(),
            };
            exchange.log_tunnel(&t.tunnel, &self.listener, who, &self.core, end);
            self.core.give_exchange(exchange);
        }
        if let Some(ticket) = t.ticket.take() {
            ticket.finish(Outcome::Success, self.core.now().mono);
        }
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.core.read_clock();
        let this = &mut *self;
        let mut woken = true;
        loop {
            let first = std::mem::take(&mut woken);
            // Polled where it stands: moving a connection's stage costs more than the poll.
            if let Stage::Open(client, exchange) = &mut this.stage {
                let next = match exchange {
                    Some(under_way) if this.core.is_cut() => {
                        cold_path();
                        under_way.cut(client, &this.core)
                    }
                    Some(under_way) => {
                        let Poll::Ready(next) = under_way.poll(cx, client, &this.core) else {
                            return Poll::Pending;
                        };
                        if matches!(next, Sequel::Again) && client.side.has_input() {
                            // Answers of our own wait for nobody, so others would not have their turn.
                            let Poll::Ready(turn) = poll_proceed(cx) else {
                                return Poll::Pending;
                            };
                            turn.made_progress();
                            client.wait_for_next(&this.core);
                            continue;
                        }
                        next
                    }
                    None => match client.poll_idle(cx, &this.core, first) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(Ok(begun)) => {
                            *exchange = Some(begun);
                            continue;
                        }
                        Poll::Ready(Err(end)) => {
                            cold_path();
                            this.listener.counters.ended(end);
                            Sequel::Close
                        }
                    },
                };
                let (mut asked, mut kept) = (false, None);
                if let Some(done) = exchange.take() {
                    // A false alarm, or an empty line, gives no new time.
                    asked = done.has_begun();
                    let is_tunnel = matches!(next, Sequel::Tunnel(_));
                    if !is_tunnel {
                        client.side.release(&this.core);
                    }
                    if is_tunnel && done.is_logged(&this.core) {
                        kept = Some(done);
                    } else {
                        this.core.give_exchange(done);
                    }
                }
                if matches!(next, Sequel::Again) {
                    if asked {
                        client.wait_for_next(&this.core);
                    }
                    continue;
                }
                cold_path();
                if let Stage::Open(client, _) = std::mem::replace(&mut this.stage, Stage::Over) {
                    this.stage = this.after(next, client, kept);
                }
                continue;
            }
            cold_path();
            let (stage, again) = match std::mem::replace(&mut this.stage, Stage::Over) {
                Stage::New(entered) => (this.begin(cx, *entered), true),
                Stage::Tunnel(tunneling) => this.poll_tunnel(cx, tunneling),
                Stage::Linger(client) => this.poll_linger(cx, client),
                open @ Stage::Open(..) => (open, true),
                Stage::Over => return Poll::Ready(()),
            };
            this.stage = stage;
            if !again {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.core.connection_ended(&self.listener.counters);
    }
}

/// While draining, a connection that never sent anything is waited for so long.
const FIRST_IN_DRAIN: Duration = Duration::from_secs(1);
/// While draining, a kept-alive connection is waited for so long. A client at work sends its next
/// request within a round trip; it would lose it if its connection were closed at once.
const NEXT_IN_DRAIN: Duration = Duration::from_millis(500);
/// How long we read on after we said the end (nginx: `lingering_timeout`, the same).
const LINGER: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
