//! A TCP listener's connections: pick a backend, connect, pass bytes.

use crate::buffer::Buffer;
use crate::contact::NoContact;
use crate::core::Core;
use crate::pick::{Claims, pick};
use crate::room::Unconnected;
use crate::timer::Timer;
use crate::tunnel::{Traffic, Tunnel};
use crate::view::{ListenerView, Place, PoolView};
use crate::worker::Count;
use lb_balance::{Outcome, Recalled, Ticket, Tried, Why};
use lb_net::{Opening, Stream};
use lb_persist::Facts;
use lb_telemetry::{Access, End};
use lb_types::{Now, Slot};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The task of one client connection.
#[derive(Debug)]
pub(crate) struct Passage {
    core: Rc<Core>,
    view: Rc<ListenerView>,
    peer: SocketAddr,
    started: Now,
    state: State,
    timer: Option<Timer>,
    ticket: Option<Ticket>,
    /// The backend that was picked last, and why.
    picked: Option<(Slot, Why)>,
    retries: u8,
    /// Of those, the ones that the pool's `retries` and its budget paid for.
    paid_retries: u8,
    /// What else there is to say of a bad end.
    detail: &'static str,
    recalled: Recalled,
    claims: Claims,
    unconnected: Option<Unconnected>,
    _count: Count,
}

#[derive(Debug)]
enum State {
    New(Stream),
    /// There was no descriptor for a connection to a backend.
    Room(Stream, Tried),
    Connect(Stream, Opening, Tried),
    Tunnel(Box<Tunnel>),
    Over,
}

/// An attempt that failed at once.
struct Failed {
    why: NoContact,
    client: Stream,
    tried: Tried,
}

impl Passage {
    pub(crate) fn new(core: Rc<Core>, place: &Place, io: Stream, peer: SocketAddr, count: Count) -> Self {
        core.connection_began();
        core.tick();
        let started = core.now();
        let unconnected = Some(Unconnected::new(&core));
        Self {
            view: place.view(),
            core,
            peer,
            started,
            state: State::New(io),
            timer: None,
            ticket: None,
            picked: None,
            retries: 0,
            paid_retries: 0,
            detail: "",
            recalled: Recalled::NOTHING,
            claims: Claims::default(),
            unconnected,
            _count: count,
        }
    }

    fn pool(&self) -> Option<Rc<PoolView>> {
        self.view.tcp().and_then(|tcp| self.view.pool(tcp.pool)).cloned()
    }

    fn set_timer(&self, wait: std::time::Duration) {
        if let Some(timer) = &self.timer {
            timer.set(self.core.now().mono.after(wait));
        }
    }

    /// Picks a backend and begins to connect; the next one when that fails at once. `last`: how the attempt before failed.
    fn choose(&mut self, mut client: Stream, mut tried: Tried, mut last: Option<End>) -> State {
        let Some(pool) = self.pool() else { return State::Over };
        loop {
            let ticket = match pick(&pool, &self.recalled, &mut self.claims, &tried, &self.core) {
                Ok(ticket) => ticket,
                Err(end) => {
                    // What really failed says more than that nobody is left to try.
                    self.end(last.unwrap_or(end), &Traffic::default());
                    // A RST says "nobody here" sooner than an empty stream does.
                    client.reset();
                    return State::Over;
                }
            };
            self.picked = Some((ticket.slot(), ticket.why()));
            if last.is_some() {
                self.retries = self.retries.saturating_add(1);
                self.core.counters.retry();
                self.detail = "";
            }
            let failed = match self.open(&pool, ticket, client, tried) {
                Ok(state) => return state,
                Err(failed) => failed,
            };
            (client, tried) = (failed.client, failed.tried);
            last = Some(failed.why.end);
            if !self.may_retry(&pool, failed.why) {
                self.end(failed.why.end, &Traffic::default());
                client.reset();
                return State::Over;
            }
        }
    }

    /// Begins to connect, or to wait for a descriptor.
    fn open(&mut self, pool: &PoolView, ticket: Ticket, client: Stream, mut tried: Tried) -> Result<State, Failed> {
        match Opening::start(ticket.backend().address) {
            Ok(opening) => {
                self.core.counters.upstream_connect();
                self.ticket = Some(ticket);
                self.set_timer(pool.options().connect_timeout);
                Ok(State::Connect(client, opening, tried))
            }
            Err(error) => {
                let why = NoContact::of(&error);
                if why.wants_room() {
                    self.core.want_room();
                    self.detail = why.detail;
                    self.ticket = Some(ticket);
                    return Ok(State::Room(client, tried));
                }
                tried.add(ticket.slot());
                self.failed(why, ticket, pool);
                Err(Failed { why, client, tried })
            }
        }
    }

    /// No connection to the backend of this ticket.
    #[cold]
    fn failed(&mut self, failed: NoContact, ticket: Ticket, pool: &PoolView) {
        let now = self.core.now().mono;
        self.detail = failed.detail;
        if failed.is_its_fault() {
            self.core.blame(ticket.backend(), failed.end, failed.detail);
        }
        failed.tell(pool, ticket.slot(), now);
        failed.finish(ticket, now);
    }

    fn may_retry(&mut self, pool: &PoolView, failed: NoContact) -> bool {
        if !pool.may_retry(self.paid_retries, failed.is_free(), self.core.now().mono) {
            return false;
        }
        self.paid_retries += u8::from(!failed.is_free());
        true
    }

    /// Sets the deadline of a wait for a descriptor that begins.
    fn begin_to_wait(&self, state: &State) {
        if let (State::Room(..), Some(pool)) = (state, self.pool()) {
            self.set_timer(pool.options().connect_timeout);
        }
    }

    /// Waits for a descriptor, as long as for a handshake.
    fn poll_room(&mut self, cx: &mut Context<'_>, client: Stream, tried: Tried) -> (State, bool) {
        if self.timer.as_ref().is_some_and(Timer::take_fired) {
            self.end(End::LocalShortage, &Traffic::default());
            client.reset();
            return (State::Over, true);
        }
        let next = match (self.ticket.take(), self.pool()) {
            (Some(ticket), Some(pool)) => match self.open(&pool, ticket, client, tried) {
                Ok(state) => state,
                Err(Failed { why, client, tried }) if self.may_retry(&pool, why) => {
                    self.choose(client, tried, Some(why.end))
                }
                Err(Failed { why, client, .. }) => {
                    self.end(why.end, &Traffic::default());
                    client.reset();
                    State::Over
                }
            },
            _ => self.choose(client, tried, None),
        };
        match next {
            still @ State::Room(..) => {
                self.core.wait_for_room(cx.waker());
                (still, false)
            }
            other => {
                if matches!(other, State::Connect(..)) {
                    self.detail = "";
                }
                (other, true)
            }
        }
    }

    fn poll_connect(
        &mut self,
        cx: &mut Context<'_>,
        client: Stream,
        mut opening: Opening,
        mut tried: Tried,
    ) -> (State, bool) {
        let failed = match opening.poll(cx) {
            Poll::Ready(Ok(upstream)) => {
                if let (Some(pool), Some(ticket)) = (self.pool(), &mut self.ticket) {
                    pool.entry.pool.connected(ticket.slot());
                    ticket.answered(self.core.now().mono);
                }
                let (Some(timer), Some(tcp)) = (self.timer.take(), self.view.tcp()) else {
                    return (State::Over, true);
                };
                timer.set(self.core.now().mono.after(tcp.idle_timeout));
                let (early, late) = (Buffer::empty(), Buffer::empty());
                let tunnel = Tunnel::new(client, upstream, early, late, timer, tcp.idle_timeout);
                self.unconnected = None;
                return (State::Tunnel(Box::new(tunnel)), true);
            }
            Poll::Ready(Err(error)) => NoContact::of(&error),
            Poll::Pending if self.timer.as_ref().is_some_and(Timer::take_fired) => NoContact::TIMEOUT,
            Poll::Pending => return (State::Connect(client, opening, tried), false),
        };
        let pool = self.pool();
        if let (Some(ticket), Some(pool)) = (self.ticket.take(), &pool) {
            tried.add(ticket.slot());
            self.failed(failed, ticket, pool);
        }
        match pool {
            Some(pool) if self.may_retry(&pool, failed) => {
                let next = self.choose(client, tried, Some(failed.end));
                self.begin_to_wait(&next);
                (next, true)
            }
            _ => {
                self.end(failed.end, &Traffic::default());
                client.reset();
                (State::Over, true)
            }
        }
    }

    fn poll_tunnel(&mut self, cx: &mut Context<'_>, mut tunnel: Box<Tunnel>) -> (State, bool) {
        let Poll::Ready(end) = tunnel.poll(cx, &self.core) else {
            return (State::Tunnel(tunnel), false);
        };
        self.detail = tunnel.reset_by();
        tunnel.blame(self.ticket.as_ref(), &self.core);
        self.end(end, &tunnel.traffic());
        (State::Over, true)
    }

    /// A connection was in use until now: its persistence entries live on from here.
    fn refresh(&self) {
        let Some(pool) = self.pool() else { return };
        for (strategy, key) in self.recalled.lookups() {
            if let Some(Some(table)) = pool.entry.tables.get(strategy) {
                let _ = table.lookup_memory(key, self.core.now().mono);
            }
        }
    }

    /// Counts, tells the ticket, writes the log line.
    fn end(&mut self, end: End, traffic: &Traffic) {
        let core = &self.core;
        core.counters.ended(end);
        traffic.count(core);
        self.refresh();
        let core = &self.core;
        let ticket = self.ticket.take();
        if self.view.tcp().is_some_and(|tcp| tcp.access_log)
            && let Some(log) = &mut *core.log.borrow_mut()
        {
            let mut access = Access::new(self.peer.ip().to_canonical(), self.started.wall);
            access.bytes = traffic.client_out;
            access.request_bytes = traffic.upstream_out;
            access.listener = &self.view.options().name;
            let pool = self.view.tcp().and_then(|tcp| self.view.pool(tcp.pool));
            access.pool = pool.map_or("", |pool| pool.entry.pool.name());
            if let (Some((slot, why)), Some(pool)) = (self.picked, pool) {
                (access.backend, access.why) = (pool.name_of(slot), why.word());
            }
            access.end = end;
            access.detail = self.detail;
            access.retries = u32::from(self.retries);
            access.phases.total = core.now().mono.since(self.started.mono);
            log.write(&access);
        }
        if let Some(ticket) = ticket {
            // who waited for a descriptor never reached it
            let reached = end != End::LocalShortage;
            ticket.finish(
                if reached { Outcome::Success } else { Outcome::Neutral },
                core.now().mono,
            );
        }
    }
}

impl Future for Passage {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.core.tick();
        if self.core.is_cut() {
            let traffic = match std::mem::replace(&mut self.state, State::Over) {
                State::New(_) | State::Room(..) | State::Connect(..) => Traffic::default(),
                State::Tunnel(mut tunnel) => {
                    tunnel.close(&self.core);
                    tunnel.traffic()
                }
                State::Over => return Poll::Ready(()),
            };
            self.end(End::DrainDeadline, &traffic);
            return Poll::Ready(());
        }
        loop {
            let (state, again) = match std::mem::replace(&mut self.state, State::Over) {
                State::New(client) => {
                    self.timer = Some(self.core.timers.register(cx.waker().clone()));
                    if let Some(pool) = self.pool() {
                        pool.budget.borrow_mut().deposit(self.started.mono);
                        let facts = Facts::new(self.peer.ip().to_canonical());
                        self.recalled = pool.picker.borrow().recall(&facts, self.started);
                    }
                    let next = self.choose(client, Tried::new(), None);
                    self.begin_to_wait(&next);
                    (next, true)
                }
                State::Room(client, tried) => self.poll_room(cx, client, tried),
                State::Connect(client, opening, tried) => self.poll_connect(cx, client, opening, tried),
                State::Tunnel(tunnel) => self.poll_tunnel(cx, tunnel),
                State::Over => return Poll::Ready(()),
            };
            self.state = state;
            if !again {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.core.connection_ended();
    }
}
