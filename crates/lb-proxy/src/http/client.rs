//! A client's connection: small while it waits, with an exchange while it does not.

use super::bond::Bonds;
use super::exchange::{Exchange, Next};
use crate::buffer::Buffer;
use crate::core::Core;
use crate::timer::Timer;
use crate::tunnel::Tunnel;
use crate::view::Place;
use crate::worker::Count;
use lb_balance::{Outcome, Ticket};
use lb_http::forward::Sender;
use lb_http::h1::{self, Role};
use lb_net::Stream;
use lb_telemetry::End;
use std::future::Future;
use std::hint::cold_path;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::coop::{has_budget_remaining, poll_proceed};

/// The part of a connection that outlives its exchanges.
#[derive(Debug)]
pub(crate) struct Client {
    pub(super) io: Stream,
    pub(super) conn: h1::Conn,
    pub(super) timer: Timer,
    pub(super) place: Rc<Place>,
    pub(super) sender: Sender,
    /// Tells the clients of this worker apart (for longer than any of them waits).
    pub(super) id: u32,
    pub(super) requests: u32,
    pub(super) watch: Watch,
    /// Connections to backends that nobody else may use.
    pub(super) bonds: Bonds,
    /// The client closed its sending side.
    pub(super) eof: bool,
    /// The close after this exchange is the client's own wish.
    pub(super) asked_to_close: bool,
    /// The drain's patience with this idle connection runs.
    leaves: bool,
}

/// The task of a client connection, polled by hand so that it stays small: this is what an idle
/// connection costs.
#[derive(Debug)]
pub(crate) struct Connection {
    core: Rc<Core>,
    place: Rc<Place>,
    state: State,
    _count: Count,
}

#[derive(Debug)]
enum State {
    /// Not polled yet: the timer needs the task's waker.
    New(Stream, SocketAddr),
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
    peer: IpAddr,
    /// For its log line, when there will be one.
    exchange: Option<Box<Exchange>>,
}

impl Client {
    /// Has something come?
    pub(super) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watch.poll_ready(cx, &self.io)
    }

    /// Reads once.
    #[inline]
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut Buffer) -> Poll<io::Result<usize>> {
        let read = into.poll_read(cx, &self.io);
        self.watch.asked(read.is_pending());
        read
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
        match self.poll_ready(cx) {
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
    pub(super) fn idle_too_long(&self, core: &Core) -> Next {
        core.counters.ended(self.idle_end(core));
        Next::Close
    }

    /// The next request of a kept-alive connection is waited for, from the end of the last one on.
    fn wait_for_next(&self, core: &Core) {
        let view = self.place.view();
        if self.requests > 0
            && let Some(http) = view.http()
        {
            let now = core.now().mono;
            self.timer.set_idle(now.after(http.keep_alive), now);
        }
    }
}

impl Connection {
    pub(crate) fn new(core: Rc<Core>, place: Rc<Place>, io: Stream, peer: SocketAddr, count: Count) -> Self {
        core.connection_began();
        Self {
            core,
            place,
            state: State::New(io, peer),
            _count: count,
        }
    }

    fn begin(&self, cx: &mut Context<'_>, io: Stream, peer: SocketAddr) -> State {
        let view = self.place.view();
        let Some(http) = view.http() else { return State::Over };
        let timer = self.core.timers.register(cx.waker().clone());
        let now = self.core.now().mono;
        timer.set_idle(now.after(http.head_timeout), now);
        let client = Client {
            io,
            conn: h1::Conn::new(Role::Server, Arc::clone(&http.limits)),
            timer,
            place: Rc::clone(&self.place),
            sender: Sender::new(peer.ip(), "http", view.options().address.port().unwrap_or(HTTP)),
            id: self.core.next_client(),
            requests: 0,
            watch: Watch::default(),
            bonds: Bonds::default(),
            eof: false,
            asked_to_close: false,
            leaves: false,
        };
        State::Open(client, None)
    }

    /// The last exchange ended: what becomes of the connection.
    fn after(&self, next: Next, mut client: Client, exchange: Option<Box<Exchange>>) -> State {
        match next {
            Next::Again => State::Open(client, None),
            Next::Close => State::Over,
            Next::Reset => {
                client.io.reset();
                State::Over
            }
            Next::Linger => {
                client.bonds = Bonds::default();
                client.io.close_write();
                let now = self.core.now().mono;
                client.timer.set_idle(now.after(LINGER), now);
                State::Linger(client)
            }
            Next::Tunnel {
                upstream,
                early,
                late,
                ticket,
            } => {
                let view = client.place.view();
                let patience = view.http().map_or(Duration::from_secs(60), |http| http.tunnel_timeout);
                client.timer.set(self.core.now().mono.after(patience));
                let tunnel = Tunnel::new(client.io, upstream, early, late, client.timer, patience);
                let peer = client.sender.peer();
                State::Tunnel(Box::new(Tunneling {
                    tunnel,
                    ticket,
                    peer,
                    exchange,
                }))
            }
        }
    }

    /// Reads and throws away what the client still sends, for a bounded time.
    fn poll_linger(&self, cx: &mut Context<'_>, client: Client) -> (State, bool) {
        if client.timer.take_fired() || self.core.is_cut() {
            return (State::Over, true);
        }
        loop {
            match client.io.poll_arrived(cx) {
                Poll::Pending => return (State::Linger(client), false),
                Poll::Ready(Err(_)) => return (State::Over, true),
                Poll::Ready(Ok(())) => {}
            }
            let mut buffer = self.core.take_buffer(false);
            let read = buffer.poll_read(cx, &client.io);
            self.core.give_buffer(buffer);
            match read {
                Poll::Ready(Ok(0) | Err(_)) => return (State::Over, true),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return (State::Linger(client), false),
            }
        }
    }

    fn poll_tunnel(&self, cx: &mut Context<'_>, mut t: Box<Tunneling>) -> (State, bool) {
        let end = if self.core.is_cut() {
            t.tunnel.close(&self.core);
            End::DrainDeadline
        } else {
            let Poll::Ready(end) = t.tunnel.poll(cx, &self.core) else {
                return (State::Tunnel(t), false);
            };
            end
        };
        t.tunnel.blame(t.ticket.as_ref(), &self.core);
        self.over(&mut t, end);
        (State::Over, true)
    }

    fn over(&self, t: &mut Tunneling, end: End) {
        self.core.counters.ended(end);
        t.tunnel.traffic().count(&self.core);
        if let Some(mut exchange) = t.exchange.take() {
            exchange.log_tunnel(&t.tunnel, &self.place, t.peer, &self.core, end);
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
        self.core.tick();
        let this = &mut *self;
        let mut woken = true;
        loop {
            let first = std::mem::take(&mut woken);
            // Polled where it stands: moving a connection's state costs more than the poll.
            if let State::Open(client, exchange) = &mut this.state {
                let next = match exchange {
                    Some(under_way) if this.core.is_cut() => {
                        cold_path();
                        under_way.cut(client, &this.core)
                    }
                    Some(under_way) => {
                        let Poll::Ready(next) = under_way.poll(cx, client, &this.core) else {
                            return Poll::Pending;
                        };
                        if matches!(next, Next::Again) && under_way.has_input() {
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
                            this.core.counters.ended(end);
                            Next::Close
                        }
                    },
                };
                let (mut asked, mut kept) = (false, None);
                if let Some(done) = exchange.take() {
                    // A false alarm, or an empty line, gives no new time.
                    asked = done.has_begun();
                    if matches!(next, Next::Tunnel { .. }) && done.is_logged(&this.core) {
                        kept = Some(done);
                    } else {
                        this.core.give_exchange(done);
                    }
                }
                if matches!(next, Next::Again) {
                    if asked {
                        client.wait_for_next(&this.core);
                    }
                    continue;
                }
                cold_path();
                if let State::Open(client, _) = std::mem::replace(&mut this.state, State::Over) {
                    this.state = this.after(next, client, kept);
                }
                continue;
            }
            cold_path();
            let (state, again) = match std::mem::replace(&mut this.state, State::Over) {
                State::New(io, peer) => (this.begin(cx, io, peer), true),
                State::Tunnel(tunneling) => this.poll_tunnel(cx, tunneling),
                State::Linger(client) => this.poll_linger(cx, client),
                open @ State::Open(..) => (open, true),
                State::Over => return Poll::Ready(()),
            };
            this.state = state;
            if !again {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.core.connection_ended();
    }
}

/// Does the runtime wake this task when something comes from a client? While it does, to ask again needs
/// no lock of its record.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Nothing was read since it was asked to.
    on: bool,
}

impl Watch {
    fn poll_ready(&mut self, cx: &mut Context<'_>, io: &Stream) -> Poll<io::Result<()>> {
        if self.on && !io.has_arrived() {
            return Poll::Pending;
        }
        let ready = io.poll_arrived(cx);
        self.asked(ready.is_pending());
        ready
    }

    /// The runtime was asked. When the task had used up its budget, `Pending` says only that: the runtime
    /// wakes it once for its next turn, and for nothing that comes.
    fn asked(&mut self, pending: bool) {
        self.on = pending && has_budget_remaining();
    }

    /// Somebody else reads.
    pub(super) fn stop(&mut self) {
        self.on = false;
    }
}

/// The port of `http` (RFC 9110, section 4.2.1): what a Unix domain socket stands for.
const HTTP: u16 = 80;
/// While draining, a connection that never sent anything is waited for so long.
const FIRST_IN_DRAIN: Duration = Duration::from_secs(1);
/// While draining, a kept-alive connection is waited for so long. A client at work sends its next
/// request within a round trip; it would lose it if its connection were closed at once.
const NEXT_IN_DRAIN: Duration = Duration::from_millis(500);
/// How long we read on after we said the end (nginx: `lingering_timeout`, the same).
const LINGER: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{HttpOptions, ListenerOptions, PoolOptions, Service};
    use crate::snapshot::{ListenerEntry, PoolEntry, Snapshot};
    use lb_balance::route::{Action, Host, Prefix, Route, Routes};
    use lb_balance::{Backend, Pool, Standing};
    use lb_sched::Algorithm;
    use lb_types::{Slot, Weight};

    async fn pair() -> (Stream, std::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().await.unwrap().0.into(), other)
    }

    #[tokio::test]
    async fn a_task_without_budget_does_not_take_its_client_for_watched() {
        let (io, mut other) = pair().await;
        assert!(io.try_recv(&mut [0]).is_none()); // a new one counts as ready until it was tried
        let mut watch = Watch::default();
        std::future::poll_fn(|cx| {
            while let Poll::Ready(turn) = tokio::task::coop::poll_proceed(cx) {
                turn.made_progress();
            }
            assert!(watch.poll_ready(cx, &io).is_pending());
            assert!(!watch.on, "nobody was asked to wake this task");
            Poll::Ready(())
        })
        .await;
        tokio::task::yield_now().await; // a turn with a new budget
        let mut turns = 0;
        let woken = std::future::poll_fn(|cx| {
            turns += 1;
            let ready = watch.poll_ready(cx, &io);
            if turns == 1 {
                assert!(ready.is_pending() && watch.on);
                std::io::Write::write_all(&mut other, b"x").unwrap();
            }
            ready
        });
        tokio::time::timeout(Duration::from_secs(10), woken)
            .await
            .unwrap()
            .unwrap();
        // Asked twice while nothing came: the second time without the lock, and woken all the same.
        assert_eq!(io.try_recv(&mut [0; 8]).unwrap().unwrap(), 1);
        watch.stop();
        let mut turns = 0;
        let woken = std::future::poll_fn(|cx| {
            turns += 1;
            if turns == 1 {
                assert!(io.try_recv(&mut [0]).is_none());
                assert!(watch.poll_ready(cx, &io).is_pending() && watch.on);
                assert!(watch.poll_ready(cx, &io).is_pending() && watch.on);
                std::io::Write::write_all(&mut other, b"y").unwrap();
                return Poll::Pending;
            }
            watch.poll_ready(cx, &io)
        });
        tokio::time::timeout(Duration::from_secs(10), woken)
            .await
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn answers_of_our_own_leave_others_their_turn() {
        let core = Core::new(Arc::default());
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let snapshot = Snapshot {
            serial: 1,
            listeners: vec![Arc::new(ListenerEntry {
                options: redirecting(address),
                connections: Arc::default(),
            })],
            pools: Vec::new(),
        };
        let view = crate::view::views(&snapshot, &core, 1).remove(0);
        let count = Count::one_of(&view.entry.connections);
        let (io, mut other) = pair().await;
        let mut asked = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(500);
        asked.truncate(16 * 1024 - 16);
        std::io::Write::write_all(&mut other, &asked).unwrap();
        let place = Place::new(view);
        let mut connection = Connection::new(Rc::clone(&core), place, io, address, count);
        let mut turns = Vec::new();
        std::future::poll_fn(|cx| {
            let before = core.counters.snapshot().requests;
            assert!(Pin::new(&mut connection).poll(cx).is_pending());
            let now = core.counters.snapshot().requests;
            turns.push(now - before);
            if now >= 500 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        // tokio: 128 to a turn; the last one may have begun.
        assert!(turns.iter().all(|turn| *turn <= 130), "{turns:?}");
    }

    /// How many bytes went to the client in the longest turn of a download.
    async fn longest_turn(head: &str, before: &[u8], len: usize) -> u64 {
        use std::io::{Read, Write};
        let core = Core::new(Arc::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let body = [before, &vec![b'x'; len]].concat();
        let answer = [head.as_bytes(), &body].concat();
        let backend = std::thread::spawn(move || {
            let mut io = listener.accept().unwrap().0;
            let _ = io.read(&mut [0; 1024]).unwrap();
            let _ = io.write_all(&answer);
        });
        let backends = vec![Arc::new(Backend::new("app", "b", address, Weight::ONE, None))];
        let standing = Standing {
            slot: Slot(0),
            weight: Weight::ONE,
            up: true,
        };
        let pool = Pool::new("app", backends, Vec::new(), Algorithm::RoundRobin, &[standing], None).unwrap();
        let mut options = redirecting(address);
        if let Service::Http(http) = &mut options.service {
            let route = Route {
                hosts: vec![Host::Any],
                path: Prefix::new("/").unwrap(),
                action: Action::Forward(0),
            };
            http.routes = Routes::new(vec![route]).unwrap();
        }
        let forever = Duration::from_secs(60);
        let snapshot = Snapshot {
            serial: 1,
            listeners: vec![Arc::new(ListenerEntry {
                options,
                connections: Arc::default(),
            })],
            pools: vec![Arc::new(PoolEntry {
                pool: Arc::new(pool),
                tables: Default::default(),
                options: PoolOptions {
                    connect_timeout: forever,
                    response_timeout: forever,
                    idle_timeout: forever,
                    max_idle: 1,
                    retries: 0,
                    retry_percent: 0,
                    server_errors_fail: false,
                    limits: Arc::default(),
                },
            })],
        };
        let view = crate::view::views(&snapshot, &core, 1).remove(0);
        let count = Count::one_of(&view.entry.connections);
        let (io, mut other) = pair().await;
        other
            .write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .unwrap();
        let reader = std::thread::spawn(move || {
            let mut room = vec![0; 1 << 20];
            while other.read(&mut room).is_ok_and(|got| got > 0) {}
        });
        let place = Place::new(view);
        let mut connection = Connection::new(core, place, io, address, count);
        let sent = |connection: &Connection| match &connection.state {
            State::Open(_, Some(exchange)) => exchange.down.sent(),
            _ => 0,
        };
        let mut longest = 0;
        std::future::poll_fn(|cx| {
            let before = sent(&connection);
            let end = Pin::new(&mut connection).poll(cx);
            longest = longest.max(sent(&connection).saturating_sub(before));
            end
        })
        .await;
        drop(connection);
        backend.join().unwrap();
        reader.join().unwrap();
        longest
    }

    #[tokio::test]
    async fn bulk_leaves_others_their_turn() {
        const LEN: usize = 64 << 20;
        let spliced = format!("HTTP/1.1 200 OK\r\nContent-Length: {LEN}\r\n\r\n");
        let copied = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunk = format!("{LEN:x}\r\n");
        for (head, before) in [(spliced.as_str(), ""), (copied, chunk.as_str())] {
            let longest = longest_turn(head, before.as_bytes(), LEN).await;
            assert!(longest > 0 && longest < 1 << 20, "{longest} bytes in one turn: {head}");
        }
    }

    fn redirecting(address: SocketAddr) -> ListenerOptions {
        let forever = Duration::from_secs(60);
        ListenerOptions {
            name: "main".into(),
            address: address.into(),
            backlog: 1,
            max_connections: 1,
            service: Service::Http(HttpOptions {
                routes: Routes::new(Vec::new()).unwrap(),
                limits: Arc::default(),
                keep_alive: forever,
                keep_alive_requests: 1_000,
                head_timeout: forever,
                body_timeout: forever,
                write_timeout: forever,
                request_timeout: None,
                min_body_rate: None,
                continue_timeout: forever,
                tunnel_timeout: forever,
                trusted_proxies: Vec::new(),
                statements: Default::default(),
                abort_on_half_close: false,
                access_log: false,
                log_probes: true,
            }),
        }
    }

    #[test]
    fn an_idle_connection_is_small() {
        // What a waiting connection costs beside the runtime's own record of it.
        assert!(size_of::<Connection>() <= 448, "{}", size_of::<Connection>());
    }
}
