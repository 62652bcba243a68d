//! The demo's backends: HTTP/1.1 servers on a thread of their own, each with a port that the kernel chose.

use crate::note::counted;
use lb_http::Head;
use lb_http::h1::{Conn, Framing, Limits, Message, Next, Part, Role, Step};
use lb_types::FieldsMut;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

/// What the backends are called.
pub(super) const NAMES: [&str; 3] = ["red", "green", "blue"];

/// Listening, not yet serving.
pub(super) struct Backends {
    listeners: [std::net::TcpListener; NAMES.len()],
    addresses: [SocketAddr; NAMES.len()],
}

/// What the connections of one backend share.
struct Backend {
    name: &'static str,
    configuration: Arc<str>,
    requests: AtomicU64,
    orders: Sender<Leave>,
}

/// The order to be away for a while. Who asked for it is answered when that is true.
struct Leave {
    time: Duration,
    text: String,
    from: Connection,
}

/// One connection: its codec, and bytes that were read and not used yet.
struct Connection {
    stream: TcpStream,
    codec: Conn,
    head: Head,
    input: Vec<u8>,
}

impl Backends {
    /// Takes three ports.
    pub(super) fn open() -> io::Result<Self> {
        let open = || {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            listener.set_nonblocking(true)?;
            io::Result::Ok(listener)
        };
        let listeners = [open()?, open()?, open()?];
        let [red, green, blue] = &listeners;
        let addresses = [red.local_addr()?, green.local_addr()?, blue.local_addr()?];
        Ok(Self { listeners, addresses })
    }

    /// Where they are, in the order of [`NAMES`].
    pub(super) fn addresses(&self) -> [SocketAddr; NAMES.len()] {
        self.addresses
    }

    /// Serves until the process ends.
    pub(super) fn start(self, configuration: String) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let configuration: Arc<str> = configuration.into();
        let mut tasks = Vec::new();
        for (name, listener) in NAMES.into_iter().zip(self.listeners) {
            let entered = runtime.enter();
            let listener = TcpListener::from_std(listener)?;
            drop(entered);
            tasks.push(run(name, Arc::clone(&configuration), listener));
        }
        std::thread::Builder::new()
            .name("demo-backends".to_owned())
            .spawn(move || {
                for task in tasks {
                    runtime.spawn(task);
                }
                runtime.block_on(std::future::pending::<()>());
            })?;
        Ok(())
    }
}

/// One backend: serves, is away when it was told so, comes back.
async fn run(name: &'static str, configuration: Arc<str>, mut listener: TcpListener) {
    let (orders, mut told) = channel(1);
    let backend = Arc::new(Backend {
        name,
        configuration,
        requests: AtomicU64::new(0),
        orders,
    });
    let Ok(address) = listener.local_addr() else { return };
    loop {
        let mut leave = accept(&backend, listener, &mut told).await;
        // The asker is the only one who still waits; whether it hears the answer makes no difference.
        let _ = leave.from.write(&leave.text, true).await;
        drop(leave.from);
        listener = stay_away(address, leave.time).await;
    }
}

/// Serves until it is told to leave. Then the listener is closed, and so is every connection.
async fn accept(backend: &Arc<Backend>, listener: TcpListener, told: &mut Receiver<Leave>) -> Leave {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(leave) = told.recv() => {
                drop(listener);
                connections.shutdown().await;
                // Others who asked at the same moment are cut off like everybody else.
                while told.try_recv().is_ok() {}
                return leave;
            }
            Some(_) = connections.join_next() => {}
            Ok((stream, _)) = listener.accept() => {
                let backend = Arc::clone(backend);
                connections.spawn(async move { Connection::new(stream).serve(&backend).await });
            }
        }
    }
}

/// Holds the port without listening: the kernel refuses connections to it and gives it to nobody else.
async fn stay_away(address: SocketAddr, mut time: Duration) -> TcpListener {
    loop {
        if let Ok(socket) = hold(address) {
            tokio::time::sleep(time).await;
            time = Duration::ZERO;
            if let Ok(listener) = socket.listen(128) {
                return listener;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn hold(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        // Answers are small and written whole: nothing is gained by waiting for more.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            codec: Conn::new(Role::Server, Arc::new(Limits::default())),
            head: Head::with_capacity(1024, 16),
            input: Vec::new(),
        }
    }

    /// One request after the other, until either side has enough. What breaks the protocol ends the connection.
    async fn serve(mut self, backend: &Backend) -> Option<()> {
        loop {
            self.read_head().await?;
            let (text, leave) = backend.answer(&self.head);
            self.read_body().await?;
            if let Some(time) = leave {
                let leave = Leave { time, text, from: self };
                return backend.orders.send(leave).await.ok();
            }
            self.write(&text, false).await?;
            if self.codec.next() != Next::Reuse {
                return Some(());
            }
            self.codec.start_next();
        }
    }

    async fn read_head(&mut self) -> Option<()> {
        loop {
            if let Step::Ready(Message { len, .. }) = self.codec.read_head(&self.input, &mut self.head).ok()? {
                self.input.drain(..len);
                return Some(());
            }
            self.read_more().await?;
        }
    }

    /// Reads the body and forgets it.
    async fn read_body(&mut self) -> Option<()> {
        while !self.codec.reading_done() {
            let (used, is_enough) = match self.codec.read_body(&self.input).ok()? {
                Part::NeedMore { skip } => (skip, false),
                Part::Data { skip, len } => (skip + len, true),
                Part::Trailers { skip } => {
                    self.input.drain(..skip);
                    self.read_trailers().await?;
                    return Some(());
                }
                Part::End { skip } => (skip, true),
            };
            self.input.drain(..used);
            if !is_enough {
                self.read_more().await?;
            }
        }
        Some(())
    }

    async fn read_trailers(&mut self) -> Option<()> {
        loop {
            if let Step::Ready(len) = self.codec.read_trailers(&self.input, &mut self.head).ok()? {
                self.input.drain(..len);
                return Some(());
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Option<()> {
        let count = self.stream.read_buf(&mut self.input).await.ok()?;
        (count > 0).then_some(())
    }

    async fn write(&mut self, text: &str, is_last: bool) -> Option<()> {
        if is_last {
            self.codec.close_after();
        }
        let mut out = Vec::new();
        self.head.start_response(200).ok()?;
        self.head.append("Content-Type", b"text/plain; charset=utf-8").ok()?;
        let framing = Framing::Length(text.len() as u64);
        self.codec.write_head(&self.head, framing, &mut out).ok()?;
        // Nothing follows the head of an answer to HEAD.
        if !self.codec.writing_done() {
            self.codec.write_body(text.len(), &mut out).ok()?;
            out.extend_from_slice(text.as_bytes());
        }
        self.stream.write_all(&out).await.ok()
    }
}

impl Backend {
    /// What to answer, and how long to be away afterwards.
    fn answer(&self, head: &Head) -> (String, Option<Duration>) {
        let name = self.name;
        let path = head.path();
        match path.strip_prefix(b"/sticky").unwrap_or(path) {
            b"/health" => (format!("{name} is well\n"), None),
            b"/down" => {
                let time = away(head.target());
                let seconds = counted(time.as_secs(), "second");
                (format!("{name} refuses connections for {seconds}\n"), Some(time))
            }
            b"/show" => (shown(name, head), None),
            b"/config" => (self.configuration.to_string(), None),
            _ => {
                let count = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
                (format!("{name}, request {count}\n"), None)
            }
        }
    }
}

/// The request as it arrived.
fn shown(name: &str, head: &Head) -> String {
    let text = String::from_utf8_lossy;
    let mut all = format!(
        "{name} was sent:\n{} {} HTTP/1.1\n",
        text(head.method()),
        text(head.target())
    );
    for (field, value) in head.iter() {
        all += &format!("{}: {}\n", text(field), text(value));
    }
    all
}

/// `/down?seconds=3`; 15 without a number.
fn away(target: &[u8]) -> Duration {
    let seconds = std::str::from_utf8(target)
        .ok()
        .and_then(|target| target.split_once("?seconds="))
        .and_then(|(_, number)| number.parse().ok());
    Duration::from_secs(seconds.unwrap_or(15).min(600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_away_is_read_from_the_query_and_bounded() {
        assert_eq!(away(b"/down"), Duration::from_secs(15));
        assert_eq!(away(b"/down?seconds=3"), Duration::from_secs(3));
        assert_eq!(away(b"/down?seconds=soon"), Duration::from_secs(15));
        assert_eq!(away(b"/down?seconds=99999"), Duration::from_secs(600));
    }
}
