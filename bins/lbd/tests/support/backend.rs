//! Backends that do what a test tells them, one thread per connection.

use super::message::{Broken, Head, Message, Reader, Socket};
use super::{PATIENCE, address, until};
use socket2::SockRef;
use std::collections::HashMap;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A listening backend; stops, with all its connections, on drop.
#[derive(Debug)]
pub(crate) struct Backend {
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    stopping: AtomicBool,
    accepted: AtomicU64,
    requests: AtomicU64,
    open: Mutex<HashMap<u64, Socket>>,
}

/// One connection of a backend.
#[derive(Debug)]
pub(crate) struct Conn {
    stream: Socket,
    reader: Reader,
    state: Arc<State>,
    /// 0 for the first connection this backend accepted.
    pub(crate) number: u64,
}

impl Backend {
    /// Serves each connection with `serve`, on a new address.
    pub(crate) fn start(serve: impl Fn(Conn) + Send + Sync + 'static) -> Self {
        Self::start_at(address(), serve)
    }

    /// The same on a given address: a backend that comes back.
    pub(crate) fn start_at(address: SocketAddr, serve: impl Fn(Conn) + Send + Sync + 'static) -> Self {
        // A child that another test is starting has a copy of every socket until it becomes its program, also of the one
        // by which the port was tried.
        let listener = until("the port is free", || match TcpListener::bind(address) {
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => None,
            bound => Some(bound.unwrap()),
        });
        let state = Arc::new(State::default());
        let (shared, serve) = (Arc::clone(&state), Arc::new(serve));
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let conn = Conn::new(stream, &shared);
                let serve = Arc::clone(&serve);
                // Small stacks: some tests have a thousand connections.
                thread::Builder::new()
                    .stack_size(256 * 1024)
                    .spawn(move || serve(conn))
                    .unwrap();
            }
        });
        Self {
            address,
            state,
            accepting: Some(accepting),
        }
    }

    /// Answers each complete request with the bytes that `respond` gives, keep-alive.
    pub(crate) fn http(respond: impl Fn(&Message) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |conn| conn.serve(&respond))
    }

    /// Answers each request with 200 and this text.
    pub(crate) fn saying(text: &str) -> Self {
        let bytes = super::answer(200, "", text.as_bytes());
        Self::http(move |_| bytes.clone())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.state.open.lock().unwrap().len()
    }

    /// Request heads read so far.
    pub(crate) fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Resets every open connection; new ones are still accepted.
    pub(crate) fn drop_connections(&self) {
        for stream in self.state.open.lock().unwrap().values() {
            let _ = SockRef::from(&**stream).set_linger(Some(Duration::ZERO));
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Stops listening and ends every connection.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        self.state.stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        let _ = accepting.join();
        self.drop_connections();
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.end();
    }
}

impl Conn {
    fn new(stream: TcpStream, state: &Arc<State>) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(4 * PATIENCE)).unwrap();
        let number = state.accepted.fetch_add(1, Ordering::SeqCst);
        let stream = Socket(Arc::new(stream));
        state.open.lock().unwrap().insert(number, stream.clone());
        Self {
            reader: Reader::new(stream.clone()),
            stream,
            state: Arc::clone(state),
            number,
        }
    }

    /// Request after request until the other side ends the connection or `respond` asks for it with `Connection: close`.
    pub(crate) fn serve(mut self, respond: &impl Fn(&Message) -> Vec<u8>) {
        while let Ok(request) = self.request() {
            let answer = respond(&request);
            let closes = String::from_utf8_lossy(&answer)
                .to_ascii_lowercase()
                .contains("\r\nconnection: close\r\n");
            if self.stream.write_all(&answer).is_err() || closes {
                return;
            }
        }
    }

    /// The next request head.
    pub(crate) fn head(&mut self) -> Result<Head, Broken> {
        let head = self.reader.head()?;
        self.state.requests.fetch_add(1, Ordering::SeqCst);
        Ok(head)
    }

    /// The rest of a request whose head was read.
    pub(crate) fn body(&mut self, head: &Head) -> Result<Message, Broken> {
        self.reader.request_body(head)
    }

    /// The next request, whole.
    pub(crate) fn request(&mut self) -> Result<Message, Broken> {
        let head = self.head()?;
        self.body(&head)
    }

    /// Exactly so many bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        self.reader.take(length)
    }

    /// Whatever has come; empty at the end of the stream.
    pub(crate) fn some(&mut self) -> Result<Vec<u8>, Broken> {
        self.reader.some()
    }

    /// Writes all of it; a client that is gone is no failure of the backend.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Ends our sending side (FIN).
    pub(crate) fn half_close(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset (RST).
    pub(crate) fn reset(self) {
        let _ = SockRef::from(self.stream()).set_linger(Some(Duration::ZERO));
    }

    /// Waits until the other side ended the connection, in whatever way.
    pub(crate) fn await_end(&mut self) -> Result<(), Broken> {
        while !self.reader.some()?.is_empty() {}
        Ok(())
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.state.open.lock().unwrap().remove(&self.number);
    }
}
