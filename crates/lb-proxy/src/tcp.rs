//! A TCP listener's connections: pick a backend, connect, pass bytes.

use crate::buffer::Buffer;
use crate::contact::{Contact, NoContact, OnBehalf};
use crate::core::Core;
use crate::course::{Course, FailedAttempt, Verdict};
use crate::preface::{Entered, HeaderFacts, TlsPeer};
use crate::record::{self, Traffic};
use crate::room::Unconnected;
use crate::timer::Timer;
use crate::tunnel::Tunnel;
use crate::view::{ListenerHandle, ListenerView};
use crate::worker::Count;
use lb_balance::Outcome;
use lb_guard::Pass;
use lb_net::Stream;
use lb_persist::Facts;
use lb_telemetry::{Access, End};
use lb_types::Now;
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
    proxied_to: Option<SocketAddr>,
    header: Option<Rc<HeaderFacts>>,
    tls: Option<Rc<TlsPeer>>,
    /// Where to.
    pool: Option<usize>,
    started: Now,
    stage: Stage,
    timer: Option<Timer>,
    course: Course,
    unconnected: Option<Unconnected>,
    _pass: Option<Pass>,
    _count: Count,
}

#[derive(Debug)]
enum Stage {
    New(Stream, Buffer),
    Connect(Stream, Buffer, Contact),
    Tunnel(Box<Tunnel>),
    Over,
}

impl Passage {
    pub(crate) fn new(core: Rc<Core>, place: &ListenerHandle, io: Stream, peer: SocketAddr, count: Count) -> Self {
        core.connection_began(&place.counters);
        core.read_clock();
        let view = place.view();
        Self::with(core, view, Entered::plain(io, peer), count)
    }

    /// One whose preface is over, and which was counted when that began.
    pub(crate) fn entered(core: Rc<Core>, place: &ListenerHandle, entered: Entered, count: Count) -> Self {
        let view = match &entered.pool {
            Some((view, _)) => Rc::clone(view),
            None => place.view(),
        };
        Self::with(core, view, entered, count)
    }

    fn with(core: Rc<Core>, view: Rc<ListenerView>, entered: Entered, count: Count) -> Self {
        let started = core.now();
        let unconnected = Some(Unconnected::new(&core));
        Self {
            pool: entered.pool.map(|(_, pool)| pool).or_else(|| view.bytes()?.pool),
            proxied_to: entered.proxied_to,
            header: entered.header,
            view,
            core,
            peer: entered.client,
            tls: entered.tls,
            started,
            stage: Stage::New(entered.io, entered.early),
            timer: None,
            course: Course::new(),
            unconnected,
            _pass: entered.pass,
            _count: count,
        }
    }

    fn begin(&mut self, cx: &Context<'_>, client: Stream, early: Buffer) -> Stage {
        self.timer = Some(self.core.timers.register(cx.waker().clone()));
        let Some(pool) = self.pool.and_then(|pool| self.view.pool(pool)) else {
            return Stage::Over;
        };
        let facts = Facts::new(self.peer.ip().to_canonical());
        self.course.begin(pool, &facts, self.started);
        self.choose(client, early, None)
    }

    /// Picks a backend and begins to connect; the next one when that fails at once. `last`: how the attempt before failed.
    fn choose(&mut self, client: Stream, early: Buffer, last: Option<End>) -> Stage {
        let core = &self.core;
        let of = OnBehalf {
            io: &client,
            proxied: self.proxied_to.map(|to| (self.peer, to)),
            tls: self.tls.as_deref(),
        };
        let begun = self
            .course
            .choose(last, core, |pool, ticket| Contact::begin(pool, ticket, of, core));
        match begun {
            Ok(contact) => {
                match contact.waits_for_room() {
                    Some(why) => self.course.detail = why.detail,
                    // It has its descriptor.
                    None => self.unconnected = None,
                }
                self.wait_for_connect();
                Stage::Connect(client, early, contact)
            }
            Err(end) => self.refuse(client, early, end),
        }
    }

    /// Nobody serves this client.
    fn refuse(&mut self, client: Stream, early: Buffer, end: End) -> Stage {
        self.core.give_buffer(early);
        self.end(end, &Traffic::default());
        // A RST says "nobody here" sooner than an empty stream does.
        client.reset();
        Stage::Over
    }

    /// Sets the deadline of an attempt, or of the wait for a descriptor.
    fn wait_for_connect(&self) {
        if let (Some(timer), Some(pool)) = (&self.timer, self.course.pool()) {
            timer.set(self.core.now().mono.after(pool.options().connect_timeout));
        }
    }

    fn poll_connect(
        &mut self,
        cx: &mut Context<'_>,
        client: Stream,
        early: Buffer,
        mut contact: Contact,
    ) -> (Stage, bool) {
        let (Some(pool), Some(ticket)) = (self.course.pool(), self.course.ticket()) else {
            return (Stage::Over, true);
        };
        let room = contact.waits_for_room();
        let missed = match contact.poll(cx, pool, ticket, &self.core) {
            Poll::Ready(Ok(upstream)) => return (self.connected(client, early, upstream), true),
            Poll::Ready(Err(missed)) => missed,
            Poll::Pending => {
                if room.is_some() && contact.waits_for_room().is_none() {
                    self.course.detail = "";
                    self.unconnected = None;
                    self.wait_for_connect();
                }
                if !self.timer.as_ref().is_some_and(Timer::take_fired) {
                    return (Stage::Connect(client, early, contact), false);
                }
                contact.waits_for_room().unwrap_or(NoContact::TIMEOUT)
            }
        };
        let end = self.course.not_reached(missed, &self.core);
        let next = match self.course.failed(FailedAttempt::unsent(end), &self.core) {
            Verdict::Answer(end) => self.refuse(client, early, end),
            Verdict::SameBackend | Verdict::OtherBackend => self.choose(client, early, Some(end)),
        };
        (next, true)
    }

    fn connected(&mut self, client: Stream, early: Buffer, upstream: Stream) -> Stage {
        let now = self.core.now().mono;
        self.course.connected();
        self.course.answered(0, now);
        self.course.detail = "";
        let (Some(timer), Some(tcp)) = (self.timer.take(), self.view.bytes()) else {
            return Stage::Over;
        };
        timer.set(now.after(tcp.idle_timeout));
        let tunnel = Tunnel::new(client, upstream, early, Buffer::empty(), timer, tcp.idle_timeout);
        self.unconnected = None;
        Stage::Tunnel(Box::new(tunnel))
    }

    fn poll_tunnel(&mut self, cx: &mut Context<'_>, mut tunnel: Box<Tunnel>) -> (Stage, bool) {
        let Poll::Ready(end) = tunnel.poll(cx, &self.core) else {
            return (Stage::Tunnel(tunnel), false);
        };
        self.course.detail = tunnel.reset_by();
        tunnel.blame(self.course.ticket(), self.course.picked(), &self.core);
        self.end(end, &tunnel.traffic());
        (Stage::Over, true)
    }

    /// Counts, tells the backend's record, writes the log line.
    fn end(&mut self, end: End, traffic: &Traffic) {
        let core = &self.core;
        let now = core.now().mono;
        // Also of who was cut before anything began: what comes here is for this pool.
        let pool = self.pool.and_then(|pool| self.view.pool(pool));
        record::ended(end, &self.view.counters, pool);
        traffic.count(&self.view.counters, &self.course);
        self.course.refresh(now);
        if self.view.bytes().is_some_and(|bytes| bytes.access_log)
            && let Some(log) = &mut *core.log.borrow_mut()
        {
            let mut access = Access::new(self.peer.ip().to_canonical(), self.started.wall);
            access.bytes = traffic.client_out;
            access.request_bytes = traffic.upstream_out;
            access.listener = &self.view.options().name;
            access.pool = pool.map_or("", |pool| pool.entry.pool.name());
            self.course.describe(end, &mut access);
            access.tls = self.tls.as_ref().map(|tls| tls.access());
            access.header = self.header.as_ref().map(|header| header.access());
            access.phases.total = now.since(self.started.mono);
            log.write(&access);
        }
        self.course.give_up(Outcome::Success, now);
    }
}

impl Future for Passage {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.core.read_clock();
        if self.core.is_cut() {
            let traffic = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::New(..) | Stage::Connect(..) => Traffic::default(),
                Stage::Tunnel(mut tunnel) => {
                    tunnel.cut(&self.core);
                    tunnel.traffic()
                }
                Stage::Over => return Poll::Ready(()),
            };
            self.end(End::DrainDeadline, &traffic);
            return Poll::Ready(());
        }
        loop {
            let (stage, again) = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::New(client, early) => (self.begin(cx, client, early), true),
                Stage::Connect(client, early, contact) => self.poll_connect(cx, client, early, contact),
                Stage::Tunnel(tunnel) => self.poll_tunnel(cx, tunnel),
                Stage::Over => return Poll::Ready(()),
            };
            self.stage = stage;
            if !again {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.core.connection_ended(&self.view.counters);
    }
}
