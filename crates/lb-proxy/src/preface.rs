//! What comes before a client's first request: a PROXY header, the hello, the TLS handshake.
//!
//! Who listens plainly never comes here. What is refused here has its log line, its counter and, where the other side
//! would understand it, its alert.

mod crowd;
mod entered;
mod header_facts;
mod refusal;
mod turnstile;

pub(crate) use crowd::Crowd;
use crowd::Place;
pub(crate) use entered::{CLIENT_LINES, Entered, TlsPeer, VERIFY};
pub(crate) use header_facts::HeaderFacts;
use turnstile::Ticket;
pub(crate) use turnstile::Turnstile;

use crate::buffer::Buffer;
use crate::core::Core;
use crate::options::ProxyIn;
use crate::timer::Timer;
use crate::view::{ListenerHandle, ListenerView};
use lb_guard::Pass;
use lb_net::{Handshake, Refused, Stream, TlsFault};
use lb_preface::client_hello::{self};
use lb_preface::{Alert, Step as Read, Version, proxy, sniff};
use lb_telemetry::End;
use lb_tls::client_auth::ClientAuthMode;
use lb_tls::{ClientVerdict, Site};
use lb_types::Now;
use refusal::Refusal;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// One client connection until its service begins.
#[derive(Debug)]
pub(crate) struct Preface {
    core: Rc<Core>,
    listener: Rc<ListenerHandle>,
    view: Rc<ListenerView>,
    /// Who connected; behind a PROXY header, who that says.
    client: SocketAddr,
    /// Where the client connected to, as the header says.
    proxied_to: Option<SocketAddr>,
    /// It came with a PROXY header.
    has_header: bool,
    /// What else that says.
    facts: Option<Rc<HeaderFacts>>,
    server_name: Option<Box<str>>,
    /// The cipher suite that a client of TLS likes most.
    first_suite: Option<u16>,
    started: Now,
    timer: Option<Timer>,
    /// The drain's patience runs.
    leaves: bool,
    stage: Stage,
    place: Place,
    /// It is known who the client is, and that it may come in.
    is_admitted: bool,
    /// Its part of what its client may have.
    pass: Option<Pass>,
}

#[derive(Debug)]
enum Stage {
    /// Bytes are read until the header, or the hello, is whole.
    Header(Stream, Buffer),
    Hello(Stream, Buffer),
    /// The hello is whole, and others do their arithmetic first.
    Turn(Stream, Buffer, Arc<Site>, Ticket),
    Handshake(Handshake, Arc<Site>),
    /// It was refused; what it still sends is thrown away, so that it gets to see why.
    Linger(Stream),
    Over,
}

/// What a step came to.
enum Next {
    Go(Stage),
    Wait(Stage),
    Enter(Entered),
}

impl Preface {
    pub(crate) fn new(
        core: &Rc<Core>,
        listener: &Rc<ListenerHandle>,
        view: Rc<ListenerView>,
        io: Stream,
        peer: SocketAddr,
    ) -> Self {
        core.read_clock();
        let options = view.options();
        let sends_header = options
            .preface
            .proxy
            .as_ref()
            .is_some_and(|proxy| is_proxy(proxy, peer.ip()));
        let stage = if sends_header {
            Stage::Header(io, Buffer::empty())
        } else {
            Stage::Hello(io, Buffer::empty())
        };
        Self {
            started: core.now(),
            core: Rc::clone(core),
            listener: Rc::clone(listener),
            view,
            client: peer,
            proxied_to: None,
            has_header: sends_header,
            facts: None,
            server_name: None,
            first_suite: None,
            timer: None,
            leaves: false,
            stage,
            place: Place::new(listener),
            is_admitted: false,
            pass: None,
        }
    }

    /// Goes on until it has to wait. `None`: it was refused, and all is said.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Entered>> {
        self.core.read_clock();
        if self.timer.is_none() {
            let timer = self.core.timers.register(cx.waker().clone());
            let now = self.core.now().mono;
            timer.set_idle(now.after(self.view.options().preface.timeout), now);
            self.timer = Some(timer);
        }
        if self.core.is_cut() {
            self.record(&Refusal::silent(End::DrainDeadline, ""));
            return Poll::Ready(None);
        }
        if self.core.is_draining() && !self.leaves {
            self.leaves = true;
            if matches!(&self.stage, Stage::Header(_, input) | Stage::Hello(_, input) if input.is_empty())
                && let Some(timer) = &self.timer
            {
                timer.set(self.core.now().mono.after(FIRST_IN_DRAIN));
            }
        }
        let is_waited_for = matches!(&self.stage, Stage::Header(..) | Stage::Hello(..) | Stage::Handshake(..));
        if is_waited_for
            && !self
                .place
                .may_wait(self.view.options().preface.max_handshakes, cx.waker())
        {
            self.record(&Refusal::silent(
                End::ConnectionLimit,
                "limits.max_handshakes are under way",
            ));
            return Poll::Ready(None);
        }
        loop {
            let next = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Header(io, input) => self.header(cx, io, input),
                Stage::Hello(io, input) => self.hello(cx, io, input),
                Stage::Turn(io, input, site, ticket) => self.turn(cx, io, input, site, ticket),
                Stage::Handshake(handshake, site) => self.handshake(cx, handshake, site),
                Stage::Linger(io) => self.linger(cx, io),
                Stage::Over => return Poll::Ready(None),
            };
            let next = next.unwrap_or_else(|refusal| Next::Go(self.refuse(refusal)));
            match next {
                Next::Go(stage) => self.stage = stage,
                Next::Enter(entered) => return Poll::Ready(Some(entered)),
                Next::Wait(stage) => {
                    self.stage = stage;
                    // Only now: what has come in time goes before its deadline.
                    if !self.timer.as_ref().is_some_and(Timer::take_fired) {
                        return Poll::Pending;
                    }
                    self.too_late();
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn too_late(&mut self) {
        if matches!(self.stage, Stage::Linger(_)) {
            return;
        }
        let gives_way = self.timer.as_ref().is_some_and(Timer::gives_way);
        let end = if gives_way {
            End::MadeRoom
        } else if self.leaves {
            End::Drain
        } else {
            End::HandshakeTimeout
        };
        let detail = match &self.stage {
            Stage::Header(..) => "no whole PROXY header came",
            Stage::Hello(..) => "no whole hello came",
            _ => "the client did not finish its TLS handshake",
        };
        self.record(&Refusal::silent(end, detail));
    }

    /// Reads more; `Pending`: nothing is here. An empty buffer is taken only for something that has come.
    fn read(&mut self, cx: &mut Context<'_>, io: &Stream, input: &mut Buffer) -> Poll<Result<(), Refusal>> {
        if input.is_empty() && io.poll_arrived(cx).is_pending() {
            self.core.give_buffer(std::mem::replace(input, Buffer::empty()));
            return Poll::Pending;
        }
        if input.capacity() == 0 {
            *input = self.core.take_buffer(false);
        }
        if input.is_full() && !input.enlarge(&self.core) {
            return Poll::Ready(Err(Refusal::silent(
                End::ClientTls,
                "the hello is larger than any buffer",
            )));
        }
        match input.poll_read(cx, io) {
            Poll::Ready(Ok(0)) => {
                let end = if input.is_empty() {
                    End::ClientClosed
                } else {
                    End::ClientReset
                };
                Poll::Ready(Err(Refusal::silent(end, "")))
            }
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(())),
            Poll::Ready(Err(_)) => Poll::Ready(Err(Refusal::silent(End::ClientReset, ""))),
            Poll::Pending => {
                input.rest(&self.core);
                Poll::Pending
            }
        }
    }

    fn header(&mut self, cx: &mut Context<'_>, io: Stream, mut input: Buffer) -> Result<Next, Refusal> {
        loop {
            match proxy::parse(input.filled(), proxy::Limits::default()) {
                Ok(Read::Done { value, len }) => {
                    // Else it is the proxy's own connection, or nothing that is known here: those of the socket hold.
                    if let proxy::Addresses::Ip { source, destination } = value.addresses() {
                        self.client = source;
                        self.proxied_to = Some(destination);
                    }
                    // A proxy speaks for itself otherwise, and what it says is of nobody.
                    if value.command() == proxy::Command::Proxy {
                        self.facts = HeaderFacts::of(&value.facts());
                    }
                    input.consume(len);
                    return Ok(Next::Go(Stage::Hello(io, input)));
                }
                Ok(Read::NeedMore) => {}
                Err(error) => {
                    self.core.give_buffer(input);
                    return Err(Refusal::silent(End::ProxyHeader, "").told(error.to_string()));
                }
            }
            match self.read(cx, &io, &mut input) {
                Poll::Ready(read) => read?,
                Poll::Pending => return Ok(Next::Wait(Stage::Header(io, input))),
            }
        }
    }

    /// May the client come in? Once for each connection, as soon as it is known who it is.
    fn admit(&mut self, view: &ListenerView) -> Result<(), Refusal> {
        let preface = &view.options().preface;
        if preface.proxy.as_ref().is_some_and(|proxy| proxy.is_required) && !self.has_header {
            return Err(Refusal::silent(
                End::ProxyHeader,
                "a PROXY header is required, and its address is not one of proxy_protocol_from",
            ));
        }
        let client = self.client.ip();
        if preface
            .access
            .as_ref()
            .is_some_and(|access| !access.check(client).allowed)
        {
            return Err(Refusal::silent(End::Denied, "its address is not let in here"));
        }
        if let Some(most) = &preface.per_client
            && !view.http().is_some_and(|http| http.trusts(client))
        {
            let pass = most.counts.enter_within(client, most.most);
            let refused =
                |refusal: lb_guard::Refusal| Refusal::silent(End::ConnectionLimit, "").told(refusal.to_string());
            self.pass = Some(pass.map_err(refused)?);
        }
        Ok(())
    }

    fn hello(&mut self, cx: &mut Context<'_>, io: Stream, mut input: Buffer) -> Result<Next, Refusal> {
        let view = Rc::clone(&self.view);
        let options = view.options();
        if !self.is_admitted {
            if let Err(refusal) = self.admit(&view) {
                self.core.give_buffer(input);
                return Err(refusal);
            }
            self.is_admitted = true;
        }
        let is_tls = options.preface.tls.is_some() || options.passthrough().is_some();
        if !is_tls {
            let early = std::mem::replace(&mut input, Buffer::empty());
            return Ok(Next::Enter(self.enter(io, early, None, None)));
        }
        let limits = client_hello::Limits {
            hello_bytes: options.preface.hello_bytes,
            ..client_hello::Limits::default()
        };
        loop {
            let found = if input.is_empty() {
                Ok(Read::NeedMore)
            } else {
                client_hello::peek(input.filled(), limits)
            };
            match found {
                Ok(Read::Done { value, .. }) => {
                    self.server_name = value.server_name().host().map(Box::from);
                    self.first_suite = value.cipher_suites().next();
                    if options.passthrough().is_some() {
                        // Pools are numbered anew by a reload.
                        let view = self.listener.view();
                        let pool = view.options().passthrough().and_then(|now| now.pool_for(&value));
                        let pool = pool.map(|pool| (view, pool));
                        drop(value);
                        return match pool {
                            Some(pool) => Ok(Next::Enter(self.enter(io, input, None, Some(pool)))),
                            None => {
                                self.core.give_buffer(input);
                                Err(Refusal::alert(
                                    io,
                                    End::UnknownName,
                                    Alert::UnrecognizedName,
                                    UNKNOWN_NAME,
                                ))
                            }
                        };
                    }
                    let Some(tls) = &options.preface.tls else {
                        return Err(Refusal::silent(End::Internal, ""));
                    };
                    let offered = value.versions();
                    if !offered.contains(Version::Tls12) && !offered.contains(Version::Tls13) {
                        // rustls would complain of something else that such a hello lacks.
                        let told = format!("no_common_version: the client offers {offered}");
                        drop(value);
                        self.core.give_buffer(input);
                        return Err(Refusal::alert(io, End::ClientTls, Alert::ProtocolVersion, "").told(told));
                    }
                    let site = tls.sites.find(self.server_name.as_deref()).map(Arc::clone);
                    drop(value);
                    let Ok(site) = site else {
                        self.core.give_buffer(input);
                        return Err(Refusal::alert(
                            io,
                            End::UnknownName,
                            Alert::UnrecognizedName,
                            UNKNOWN_NAME,
                        ));
                    };
                    self.place.heard();
                    let ticket = self.core.turnstile.queue();
                    return Ok(Next::Go(Stage::Turn(io, input, site, ticket)));
                }
                Ok(Read::NeedMore) => {}
                Err(error) => {
                    let speaks_http = matches!(
                        error,
                        client_hello::Error::NotTls {
                            protocol: sniff::Protocol::Http1,
                            ..
                        }
                    );
                    self.core.give_buffer(input);
                    let told = error.to_string();
                    return Err(if speaks_http {
                        Refusal::plain_http(io)
                    } else if let Some(alert) = error.alert() {
                        Refusal::alert(io, End::ClientTls, alert, "")
                    } else {
                        Refusal::silent(End::ClientTls, "")
                    }
                    .told(told));
                }
            }
            match self.read(cx, &io, &mut input) {
                Poll::Ready(read) => read?,
                Poll::Pending => return Ok(Next::Wait(Stage::Hello(io, input))),
            }
        }
    }

    /// Waits until it may do its arithmetic.
    fn turn(
        &mut self,
        cx: &mut Context<'_>,
        io: Stream,
        input: Buffer,
        site: Arc<Site>,
        mut ticket: Ticket,
    ) -> Result<Next, Refusal> {
        if ticket.poll(cx).is_pending() {
            return Ok(Next::Wait(Stage::Turn(io, input, site, ticket)));
        }
        let begun = Handshake::server(
            io,
            Arc::clone(site.config_for(self.first_suite)),
            self.server_name.as_deref(),
            input.filled(),
        );
        self.core.give_buffer(input);
        let handshake = begun.map_err(|error| Refusal::silent(End::Internal, "").told(error.to_string()))?;
        Ok(Next::Go(Stage::Handshake(handshake, site)))
    }

    fn handshake(&mut self, cx: &mut Context<'_>, mut handshake: Handshake, site: Arc<Site>) -> Result<Next, Refusal> {
        let Poll::Ready(done) = handshake.poll(cx) else {
            self.place.wait_again(cx.waker());
            return Ok(Next::Wait(Stage::Handshake(handshake, site)));
        };
        let io = match done {
            Ok(io) => io,
            Err(Refused { fault, stream }) => return Err(self.failed(fault, stream, &site)),
        };
        let Some(tls) = io.tls() else {
            return Err(Refusal::silent(End::Internal, ""));
        };
        let verdict = match tls.handshake_kind() {
            // rustls does not look at a certificate again when a session is taken up.
            Some(kind) if site.asks_clients() => {
                tls.with_peer_certificates(|certificates| site.judge(certificates, kind))
            }
            _ => ClientVerdict::None,
        };
        if site.client_auth().mode() == ClientAuthMode::Required
            && let ClientVerdict::Failed { refusal, .. } = &verdict
        {
            let (end, told) = (refusal::end_of(refusal), refusal.to_string());
            return Err(Refusal::over_tls(io, end).told(told));
        }
        let mut peer = TlsPeer::new(tls.facts(), site, verdict);
        self.listener.counters.handshake(peer.is_resumed());
        if let Some(http) = self.view.http().filter(|http| http.https.tells_of_clients()) {
            tls.with_peer_certificates(|shown| peer.write_lines(shown.and_then(<[_]>::first), http.https));
        }
        peer.forget_chain();
        Ok(Next::Enter(self.enter(io, Buffer::empty(), Some(Rc::new(peer)), None)))
    }

    /// Why a handshake failed.
    fn failed(&self, fault: TlsFault, stream: Option<Stream>, site: &Site) -> Refusal {
        let (end, told) = match fault {
            TlsFault::Protocol(error) => match site.explain(&error) {
                Some(refusal) => (refusal::end_of(&refusal), refusal.to_string()),
                None => {
                    let fault = lb_tls::HandshakeFault::of(&error);
                    (End::ClientTls, format!("{}: {}", fault.word(), error))
                }
            },
            TlsFault::Socket(_) => (End::ClientReset, String::new()),
            TlsFault::Ended => (
                End::ClientReset,
                "the client left in the middle of its TLS handshake".to_owned(),
            ),
            other => (End::ClientTls, other.to_string()),
        };
        Refusal::after(stream, end).told(told)
    }

    fn enter(
        &mut self,
        io: Stream,
        early: Buffer,
        tls: Option<Rc<TlsPeer>>,
        pool: Option<(Rc<ListenerView>, usize)>,
    ) -> Entered {
        // The timer's place goes back before its next owner takes one.
        self.timer = None;
        Entered {
            io,
            early,
            client: self.client,
            proxied_to: self.proxied_to,
            header: self.facts.take(),
            pass: self.pass.take(),
            tls,
            pool,
        }
    }

    /// Says why, and lets the client see it.
    fn refuse(&mut self, refusal: Refusal) -> Stage {
        self.record(&refusal);
        self.place.leave();
        let Some(io) = refusal.say() else {
            return Stage::Over;
        };
        if let Some(timer) = &self.timer {
            timer.set(self.core.now().mono.after(LINGER));
        }
        Stage::Linger(io)
    }

    fn linger(&mut self, cx: &mut Context<'_>, io: Stream) -> Result<Next, Refusal> {
        let mut rest = self.core.take_buffer(false);
        let over = loop {
            rest.clear();
            match rest.poll_read(cx, &io) {
                Poll::Ready(Ok(0) | Err(_)) => break true,
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break false,
            }
        };
        self.core.give_buffer(rest);
        Ok(if over {
            Next::Go(Stage::Over)
        } else {
            Next::Wait(Stage::Linger(io))
        })
    }

    /// The counter and the log line.
    fn record(&self, refusal: &Refusal) {
        refusal.record(
            self.client,
            (self.server_name.as_deref(), self.facts.as_deref()),
            self.started,
            &self.listener,
            &self.view,
            &self.core,
        );
    }
}

fn is_proxy(proxy: &ProxyIn, address: IpAddr) -> bool {
    let address = address.to_canonical();
    proxy.from.iter().any(|range| range.contains(address))
}

/// While draining, a client that has said nothing is waited for so long.
const FIRST_IN_DRAIN: Duration = Duration::from_secs(1);
/// Refused clients are listened to for so long, so that what they were told arrives.
const LINGER: Duration = Duration::from_secs(2);
const UNKNOWN_NAME: &str = "no site of this listener has the server name that was asked for";
