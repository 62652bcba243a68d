//! A worker, a scripted backend and a raw client.

use lb_balance::route::{Action, Host, Prefix, Route};
use lb_balance::{Backend, Pool, Routes, Standing};
use lb_http::h1::Limits;
use lb_net::{Listener, ListenerOptions as SocketOptions};
use lb_proxy::{HttpOptions, ListenerEntry, ListenerOptions, Order, PoolEntry, PoolOptions, Service, Snapshot, Worker};
use lb_sched::Algorithm;
use lb_telemetry::Counters;
use lb_types::{Slot, Weight};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// Nothing in these tests takes longer, but for a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What differs from one exchange to the next.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) client_limits: Limits,
    pub(crate) backend_limits: Limits,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) continue_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) tunnel_timeout: Duration,
    pub(crate) keep_alive_requests: u32,
    pub(crate) abort_on_half_close: bool,
    pub(crate) retries: u8,
    pub(crate) backends: usize,
    /// The first backend's port is closed.
    pub(crate) first_is_dead: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            client_limits: Limits::default(),
            backend_limits: Limits::default(),
            head_timeout: PATIENCE,
            body_timeout: PATIENCE,
            continue_timeout: PATIENCE,
            response_timeout: PATIENCE,
            keep_alive: PATIENCE,
            tunnel_timeout: PATIENCE,
            keep_alive_requests: 1000,
            abort_on_half_close: false,
            retries: 2,
            backends: 1,
            first_is_dead: false,
        }
    }
}

/// A running proxy with its backends.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) proxy: SocketAddr,
    pub(crate) backends: Vec<Arc<Script>>,
    pool: Arc<Pool>,
    _orders: UnboundedSender<Order>,
}

/// What a backend does with a request whose path begins with `/evil`. Every other request gets
/// [`honest`].
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Send(Vec<u8>),
    /// Byte by byte.
    Drip(Vec<u8>),
    /// Reads the request's body to its end.
    Body,
    /// Reads this many bytes of the body at least.
    SomeBody(usize),
    /// Ends its own direction.
    Fin,
    /// Ends the connection with a RST.
    Reset,
    Close,
    /// Waits until the proxy ends the connection.
    UntilGone,
    /// Waits until the test says so.
    Gate,
}

/// What one backend has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// Requests that arrived whole, in order: `METHOD target body`.
    pub(crate) requests: Vec<Request>,
    /// Requests whose connection ended before they did.
    pub(crate) cut: usize,
    /// Connections that ended with a RST.
    pub(crate) resets: usize,
    /// What no strict reader takes for one request.
    pub(crate) violations: Vec<String>,
    /// Connections that are over.
    pub(crate) ended: usize,
    /// Bytes of all connections.
    pub(crate) bytes: usize,
    /// [`Do::Send`]s that were carried out.
    pub(crate) said: usize,
    gate: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) chunked: bool,
}

impl Request {
    pub(crate) fn short(&self) -> String {
        format!("{} {} {}", self.method, self.target, self.body.len())
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) address: SocketAddr,
    greeting: Vec<u8>,
    evil: Vec<Do>,
    name: usize,
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl World {
    pub(crate) fn new(setup: &Setup, evil: Vec<Do>) -> Self {
        Self::greeting(setup, evil, Vec::new())
    }

    /// With something every backend says before it is asked.
    pub(crate) fn greeting(setup: &Setup, evil: Vec<Do>, greeting: Vec<u8>) -> Self {
        let backends: Vec<Arc<Script>> = (0..setup.backends)
            .map(|name| {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let script = Arc::new(Script {
                    address: listener.local_addr().unwrap(),
                    greeting: greeting.clone(),
                    evil: evil.clone(),
                    name,
                    seen: Mutex::default(),
                    changed: Condvar::new(),
                });
                if !(setup.first_is_dead && name == 0) {
                    let serving = Arc::clone(&script);
                    std::thread::spawn(move || serving.serve(&listener));
                }
                script
            })
            .collect();
        let pool = Arc::new(pool(&backends));
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let socket = TcpListener::from(Listener::bind_fd(&SocketOptions::new(any)).unwrap());
        let proxy = socket.local_addr().unwrap();
        let snapshot = Arc::new(Snapshot {
            serial: 1,
            listeners: vec![Arc::new(ListenerEntry {
                options: listener(proxy, setup),
                connections: Arc::default(),
            })],
            pools: vec![Arc::new(PoolEntry {
                pool: Arc::clone(&pool),
                tables: [None, None],
                options: PoolOptions {
                    connect_timeout: PATIENCE,
                    response_timeout: setup.response_timeout,
                    idle_timeout: PATIENCE,
                    max_idle: 8,
                    retries: setup.retries,
                    retry_percent: 100,
                    limits: Arc::new(setup.backend_limits.clone()),
                },
            })],
        });
        let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
        orders.send(Order::Listen(proxy, socket.into())).unwrap();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build_local(Default::default())
                .unwrap();
            runtime.block_on(Worker::new(1, snapshot, Arc::new(Counters::new())).run(inbox));
        });
        Self {
            proxy,
            backends,
            pool,
            _orders: orders,
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.proxy)
    }

    pub(crate) fn backend(&self) -> &Script {
        &self.backends[0]
    }

    /// Every count of requests under way goes back to zero.
    pub(crate) fn settle(&self) {
        let begin = Instant::now();
        while self.pool.backends().iter().any(|b| b.load().in_flight() != 0) {
            assert!(begin.elapsed() < PATIENCE, "requests are still counted as under way");
            std::thread::yield_now();
        }
    }
}

fn pool(backends: &[Arc<Script>]) -> Pool {
    let standings: Vec<Standing> = (0..)
        .take(backends.len())
        .map(|i| Standing {
            slot: Slot(i),
            weight: Weight::ONE,
            up: true,
        })
        .collect();
    let backends = backends
        .iter()
        .map(|b| {
            Arc::new(Backend::new(
                "app",
                &b.address.to_string(),
                b.address,
                Weight::ONE,
                None,
            ))
        })
        .collect();
    Pool::new("app", backends, Vec::new(), Algorithm::RoundRobin, &standings, None).unwrap()
}

fn listener(address: SocketAddr, setup: &Setup) -> ListenerOptions {
    ListenerOptions {
        name: "main".into(),
        address,
        backlog: 64,
        max_connections: 1000,
        service: Service::Http(HttpOptions {
            routes: Routes::new(vec![Route {
                hosts: vec![Host::Any],
                path: Prefix::new("/").unwrap(),
                action: Action::Forward(0),
            }])
            .unwrap(),
            limits: Arc::new(setup.client_limits.clone()),
            keep_alive: setup.keep_alive,
            keep_alive_requests: setup.keep_alive_requests,
            head_timeout: setup.head_timeout,
            body_timeout: setup.body_timeout,
            write_timeout: PATIENCE,
            continue_timeout: setup.continue_timeout,
            tunnel_timeout: setup.tunnel_timeout,
            trusted_proxies: Vec::new(),
            abort_on_half_close: setup.abort_on_half_close,
            access_log: false,
        }),
    }
}

impl Script {
    /// Waits until `true`.
    pub(crate) fn until(&self, what: &str, mut is: impl FnMut(&Seen) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.seen.lock().unwrap();
        while !is(&seen) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "backend waits in vain for {what}: {seen:?}");
            seen = self.changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    pub(crate) fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        at(&self.seen.lock().unwrap())
    }

    /// Opens the next [`Do::Gate`].
    pub(crate) fn open_gate(&self) {
        self.note(|seen| seen.gate += 1);
    }

    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_all();
    }

    fn serve(self: Arc<Self>, listener: &TcpListener) {
        while let Ok((io, _)) = listener.accept() {
            self.note(|seen| seen.connections += 1);
            let script = Arc::clone(&self);
            std::thread::spawn(move || {
                let mut wire = Wire {
                    io,
                    bytes: Vec::new(),
                    gone: None,
                    total: 0,
                };
                let _ = wire.io.set_nodelay(true);
                let _ = wire.io.set_read_timeout(Some(PATIENCE * 3));
                script.connection(&mut wire);
                // A RST would destroy what the proxy has not read yet; only scripts do that.
                let reset = wire.gone == Some(ErrorKind::ConnectionReset);
                drop(wire);
                script.note(|seen| {
                    seen.ended += 1;
                    seen.resets += usize::from(reset);
                });
            });
        }
    }

    fn connection(&self, wire: &mut Wire) {
        if !self.greeting.is_empty() {
            let _ = wire.io.write_all(&self.greeting);
        }
        loop {
            let head = match wire.head(self) {
                Ok(Some(head)) => head,
                Ok(None) => {
                    let begun = !wire.bytes.is_empty();
                    self.note(|seen| seen.cut += usize::from(begun));
                    return;
                }
                Err(violation) => {
                    self.note(|seen| seen.violations.push(violation));
                    return;
                }
            };
            let mut reader = BodyReader::new(head);
            let is_evil = reader.request.target.starts_with("/evil");
            let mut over = false;
            for step in self.evil.iter().filter(|_| is_evil) {
                if self.act(step, wire, &mut reader) {
                    over = true;
                    break;
                }
            }
            if over {
                self.note(|seen| seen.cut += usize::from(!reader.done));
                return;
            }
            match reader.read_all(wire, self) {
                Ok(true) => {}
                Ok(false) => {
                    self.note(|seen| seen.cut += 1);
                    return;
                }
                Err(violation) => {
                    self.note(|seen| seen.violations.push(violation));
                    return;
                }
            }
            let request = reader.request;
            if !is_evil {
                let reply = honest(self.name, &request);
                self.note(|seen| seen.requests.push(request));
                if wire.io.write_all(&reply).is_err() {
                    return;
                }
            }
        }
    }

    /// Says whether the connection is over.
    fn act(&self, step: &Do, wire: &mut Wire, reader: &mut BodyReader) -> bool {
        match step {
            Do::Send(bytes) => {
                let failed = wire.io.write_all(bytes).is_err();
                self.note(|seen| seen.said += 1);
                failed
            }
            Do::Drip(bytes) => bytes.iter().any(|b| wire.io.write_all(&[*b]).is_err()),
            Do::Body => match reader.read_all(wire, self) {
                Ok(whole) => {
                    if whole {
                        let request = reader.request.clone();
                        self.note(|seen| seen.requests.push(request));
                    }
                    !whole
                }
                Err(violation) => {
                    self.note(|seen| seen.violations.push(violation));
                    true
                }
            },
            Do::SomeBody(len) => {
                while wire.bytes.len() < *len {
                    if !wire.more(self) {
                        return true;
                    }
                }
                false
            }
            Do::Fin => {
                let _ = wire.io.shutdown(Shutdown::Write);
                false
            }
            Do::Reset => {
                reset(&wire.io);
                true
            }
            Do::Close => true,
            Do::UntilGone => {
                while wire.more(self) {}
                true
            }
            Do::Gate => {
                self.until("the gate", |seen| seen.gate > 0);
                self.note(|seen| seen.gate -= 1);
                false
            }
        }
    }
}

/// The body says which backend was asked for what, so that a wrong answer shows.
pub(crate) fn honest(name: usize, request: &Request) -> Vec<u8> {
    let body = format!("{name}: {}", request.short());
    let mut reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    if request.method != "HEAD" {
        reply.push_str(&body);
    }
    reply.into_bytes()
}

/// Ends the connection with a RST.
pub(crate) fn reset(io: &TcpStream) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let _guard = runtime.enter();
    let io = io.try_clone().unwrap();
    io.set_nonblocking(true).unwrap();
    lb_net::reset(tokio::net::TcpStream::from_std(io).unwrap());
}

/// A connection and what was read of it and not used yet.
#[derive(Debug)]
struct Wire {
    io: TcpStream,
    bytes: Vec<u8>,
    gone: Option<ErrorKind>,
    total: usize,
}

impl Wire {
    fn more(&mut self, script: &Script) -> bool {
        let mut buffer = [0; 65536];
        match self.io.read(&mut buffer) {
            Ok(0) => false,
            Ok(n) => {
                self.bytes.extend_from_slice(&buffer[..n]);
                self.total += n;
                script.note(|seen| seen.bytes += n);
                true
            }
            Err(error) => {
                self.gone = Some(error.kind());
                false
            }
        }
    }

    fn line(&mut self, script: &Script) -> Result<Option<Vec<u8>>, String> {
        loop {
            if let Some(at) = self.bytes.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.bytes.drain(..at + 2).take(at).collect();
                return match line.iter().find(|b| matches!(b, b'\r' | b'\n' | 0)) {
                    Some(_) => Err(format!("control in {:?}", String::from_utf8_lossy(&line))),
                    None => Ok(Some(line)),
                };
            }
            if !self.more(script) {
                return Ok(None);
            }
        }
    }

    /// `None`: the connection ended; whether inside a head shows what is left.
    fn head(&mut self, script: &Script) -> Result<Option<Request>, String> {
        loop {
            if let Some(at) = self.bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                let head: Vec<u8> = self.bytes.drain(..at + 4).take(at).collect();
                return parse_head(&head).map(Some);
            }
            if !self.more(script) {
                return Ok(None);
            }
        }
    }
}

/// Takes one request in the one way there is to take it; everything else is a violation.
fn parse_head(head: &[u8]) -> Result<Request, String> {
    let text = String::from_utf8_lossy(head).into_owned();
    let wrong = |what: &str| Err(format!("{what}: {text:?}"));
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, "HTTP/1.1"] = words[..] else {
        return wrong("request line");
    };
    let mut fields = Vec::new();
    for line in lines {
        if line.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) {
            return wrong("control in a field");
        }
        let Some((name, value)) = line.split_once(':') else {
            return wrong("line without colon");
        };
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) {
            return wrong("field name");
        }
        fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
    let count = |name: &str| fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).count();
    if method.is_empty() || !target.is_ascii() || target.is_empty() {
        return wrong("method or target");
    }
    if !target.starts_with('/') && target != "*" {
        return wrong("target form");
    }
    if count("host") != 1 || count("content-length") + count("transfer-encoding") > 1 {
        return wrong("host or framing");
    }
    for gone in ["keep-alive", "te", "proxy-connection", "http2-settings", "proxy"] {
        if count(gone) != 0 {
            return wrong(gone);
        }
    }
    for (name, _) in &fields {
        let folded = name.replace('_', "-").to_ascii_lowercase();
        if *name != folded && name.contains('_') && (folded == "content-length" || folded == "transfer-encoding") {
            return wrong("spelling");
        }
    }
    Ok(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        fields,
        ..Request::default()
    })
}

#[derive(Debug)]
struct BodyReader {
    request: Request,
    done: bool,
}

impl BodyReader {
    const fn new(request: Request) -> Self {
        Self { request, done: false }
    }

    /// `false`: the connection ended inside.
    fn read_all(&mut self, wire: &mut Wire, script: &Script) -> Result<bool, String> {
        if self.done {
            return Ok(true);
        }
        if let Some(coding) = self.request.field("transfer-encoding") {
            if coding != "chunked" {
                return Err(format!("transfer coding {coding}"));
            }
            self.request.chunked = true;
            return self.read_chunks(wire, script);
        }
        if let Some(length) = self.request.field("content-length") {
            let plain = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
            let Some(length) = plain.then(|| length.parse::<usize>().ok()).flatten() else {
                return Err(format!("content length {length}"));
            };
            while wire.bytes.len() < length {
                if !wire.more(script) {
                    return Ok(false);
                }
            }
            self.request.body = wire.bytes.drain(..length).collect();
        }
        self.done = true;
        Ok(true)
    }

    fn read_chunks(&mut self, wire: &mut Wire, script: &Script) -> Result<bool, String> {
        loop {
            let Some(line) = wire.line(script)? else {
                return Ok(false);
            };
            let text = String::from_utf8_lossy(&line).into_owned();
            if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!("chunk size {text:?}"));
            }
            let size = usize::from_str_radix(&text, 16).map_err(|_| format!("chunk size {text:?}"))?;
            if size == 0 {
                break;
            }
            while wire.bytes.len() < size + 2 {
                if !wire.more(script) {
                    return Ok(false);
                }
            }
            self.request.body.extend(wire.bytes.drain(..size));
            if wire.bytes.drain(..2).collect::<Vec<u8>>() != b"\r\n" {
                return Err("chunk end".into());
            }
        }
        loop {
            let Some(line) = wire.line(script)? else {
                return Ok(false);
            };
            if line.is_empty() {
                self.done = true;
                return Ok(true);
            }
            let text = String::from_utf8_lossy(&line).into_owned();
            let Some((name, value)) = text.split_once(':') else {
                return Err(format!("trailer {text:?}"));
            };
            self.request.trailers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}

/// A raw client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) io: TcpStream,
    bytes: Vec<u8>,
    end: Option<Gone>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    Fin,
    Rst,
}

/// A response as a strict client reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) interim: Vec<u16>,
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: String,
    /// The body came to its end.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").skip(1).find_map(|line| {
            let (n, v) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then_some(v.trim())
        })
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.head
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .count()
    }
}

impl Client {
    pub(crate) fn new(proxy: SocketAddr) -> Self {
        let io = TcpStream::connect(proxy).unwrap();
        io.set_nodelay(true).unwrap();
        io.set_read_timeout(Some(PATIENCE)).unwrap();
        io.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            io,
            bytes: Vec::new(),
            end: None,
        }
    }

    /// What the proxy does not take any more is not the client's fault.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> &mut Self {
        let _ = self.io.write_all(bytes);
        self
    }

    pub(crate) fn drip(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            if self.io.write_all(&[*byte]).is_err() {
                break;
            }
        }
        self
    }

    pub(crate) fn fin(&mut self) -> &mut Self {
        let _ = self.io.shutdown(Shutdown::Write);
        self
    }

    pub(crate) fn reset(self) {
        reset(&self.io);
    }

    fn more(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let mut buffer = vec![0; 65536];
        match self.io.read(&mut buffer) {
            Ok(0) => self.end = Some(Gone::Fin),
            Ok(n) => {
                self.bytes.extend_from_slice(&buffer[..n]);
                return true;
            }
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                self.end = Some(Gone::Rst);
            }
            Err(e) => panic!("nothing within {PATIENCE:?}: {e}; so far {:?}", self.unread()),
        }
        false
    }

    pub(crate) fn unread(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Reads exactly this many bytes of whatever comes.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        while self.bytes.len() < len && self.more() {}
        let len = len.min(self.bytes.len());
        self.bytes.drain(..len).collect()
    }

    /// The next head, interim ones included.
    pub(crate) fn head(&mut self) -> Option<(u16, String)> {
        let at = loop {
            if let Some(at) = self.bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            if !self.more() {
                assert!(self.bytes.is_empty(), "half a head: {:?}", self.unread());
                return None;
            }
        };
        let head: Vec<u8> = self.bytes.drain(..at + 4).take(at).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 "), "no status line: {head:?}");
        let lone = head.replace("\r\n", "");
        assert!(!lone.contains(['\r', '\n', '\0']), "control in {head:?}");
        let status = head.get(9..12).unwrap().parse().unwrap();
        Some((status, head))
    }

    /// The next response to a request of this method; `None` when the connection ended instead.
    pub(crate) fn reply(&mut self, method: &str) -> Option<Reply> {
        let mut reply = Reply::default();
        loop {
            let (status, head) = self.head()?;
            (reply.status, reply.head) = (status, head);
            if status >= 200 || status == 101 {
                break;
            }
            reply.interim.push(status);
        }
        let lengths = reply.count("content-length");
        let codings = reply.count("transfer-encoding");
        assert!(lengths + codings <= 1, "ambiguous framing: {}", reply.head);
        if method == "HEAD" || matches!(reply.status, 101 | 204 | 304) {
            reply.whole = true;
        } else if codings == 1 {
            assert_eq!(reply.field("transfer-encoding"), Some("chunked"));
            self.chunks(&mut reply);
        } else if let Some(length) = reply.field("content-length") {
            let length: usize = length.parse().unwrap();
            reply.body = self.take(length);
            reply.whole = reply.body.len() == length;
        } else {
            assert_eq!(reply.field("connection"), Some("close"), "no end: {}", reply.head);
            while self.more() {}
            reply.body = std::mem::take(&mut self.bytes);
            reply.whole = self.end == Some(Gone::Fin);
        }
        Some(reply)
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.bytes.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.bytes.drain(..at + 2).take(at).collect();
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            if !self.more() {
                return None;
            }
        }
    }

    fn chunks(&mut self, reply: &mut Reply) {
        while let Some(line) = self.line() {
            let size = usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("chunk size {line:?}"));
            if size == 0 {
                while let Some(line) = self.line() {
                    if line.is_empty() {
                        reply.whole = true;
                        return;
                    }
                    reply.trailers.push_str(&line);
                    reply.trailers.push('\n');
                }
                return;
            }
            let body = self.take(size);
            let got = body.len();
            reply.body.extend(body);
            if got < size || self.take(2) != b"\r\n" {
                return;
            }
        }
    }

    /// The connection ends, with nothing more on it.
    pub(crate) fn ends(&mut self) -> Gone {
        while self.more() {}
        assert!(self.bytes.is_empty(), "bytes behind the end: {:?}", self.unread());
        self.end.unwrap()
    }

    /// The connection is good for another exchange, whose answer is its own.
    pub(crate) fn lives(&mut self) {
        self.send(b"GET /probe-alive HTTP/1.1\r\nHost: h\r\n\r\n");
        let reply = self.reply("GET").expect("the connection was closed");
        assert!(
            reply.status == 200 && reply.text().ends_with(": GET /probe-alive 0"),
            "another answer than asked for: {reply:?}"
        );
    }
}
