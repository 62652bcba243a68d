//! A backend that does what a script says and reads by its own rules.

use crate::world::PATIENCE;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;
use tokio::net::TcpSocket;

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
    /// [`Do::Send`]s and [`Do::Drip`]s that were carried out.
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
    /// The port of a dead backend: bound, so that nobody else gets it, and not listening.
    _port: Option<TcpSocket>,
}

impl Script {
    /// Serves on a free port; one that `is_dead` keeps its port closed.
    pub(crate) fn start(name: usize, evil: Vec<Do>, greeting: Vec<u8>, is_dead: bool) -> Arc<Self> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (listener, port) = if is_dead {
            let port = TcpSocket::new_v4().unwrap();
            port.bind(any).unwrap();
            (None, Some(port))
        } else {
            (Some(TcpListener::bind(any).unwrap()), None)
        };
        let address = match (&listener, &port) {
            (Some(listener), _) => listener.local_addr(),
            (None, port) => port.as_ref().unwrap().local_addr(),
        };
        let script = Arc::new(Self {
            address: address.unwrap(),
            greeting,
            evil,
            name,
            seen: Mutex::default(),
            changed: Condvar::new(),
            _port: port,
        });
        if let Some(listener) = listener {
            let serving = Arc::clone(&script);
            std::thread::spawn(move || serving.serve(&listener));
        }
        script
    }

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
            Do::Drip(bytes) => {
                let failed = bytes.iter().any(|b| wire.io.write_all(&[*b]).is_err());
                self.note(|seen| seen.said += 1);
                failed
            }
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
    lb_net::Stream::from(tokio::net::TcpStream::from_std(io).unwrap()).reset();
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
