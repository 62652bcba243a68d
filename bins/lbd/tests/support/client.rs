//! A client that sends exactly the bytes it is told.

use super::PATIENCE;
use super::message::{Broken, Head, Message, Reader, Socket};
use socket2::{Domain, SockRef, Type};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    stream: Socket,
    reader: Reader,
}

impl Client {
    /// Connects; each wait for bytes ends after [`PATIENCE`].
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    /// Connects from this address of the machine.
    pub(crate) fn connect_from(source: IpAddr, address: SocketAddr) -> Self {
        let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let stream = Socket(Arc::new(stream));
        Self {
            reader: Reader::new(stream.clone()),
            stream,
        }
    }

    /// Our own address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// The raw socket.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes all of it; panics when the other side is gone.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Writes all of it, or says why not.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// The next head, 1xx included.
    pub(crate) fn head(&mut self) -> Result<Head, Broken> {
        self.reader.head()
    }

    /// The rest of a response whose head was read.
    pub(crate) fn body(&mut self, head: &Head, method: &str) -> Result<Message, Broken> {
        self.reader.response_body(head, method)
    }

    /// The next final response; 1xx before it are skipped.
    pub(crate) fn response_to(&mut self, method: &str) -> Result<Message, Broken> {
        loop {
            let head = self.reader.head()?;
            if head.status() >= 200 {
                return self.reader.response_body(&head, method);
            }
        }
    }

    /// The next final response to anything but HEAD.
    pub(crate) fn response(&mut self) -> Message {
        self.response_to("GET")
            .unwrap_or_else(|broken| panic!("no response: {broken:?}"))
    }

    /// Sends and reads the response.
    pub(crate) fn exchange(&mut self, request: impl AsRef<[u8]>) -> Message {
        self.send(request);
        self.response()
    }

    /// A plain GET on this connection.
    pub(crate) fn get(&mut self, target: &str) -> Message {
        self.exchange(format!("GET {target} HTTP/1.1\r\nHost: test.example\r\n\r\n"))
    }

    /// Exactly so many bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        self.reader.take(length)
    }

    /// Whatever has come; empty at the end of the stream.
    pub(crate) fn some(&mut self) -> Result<Vec<u8>, Broken> {
        self.reader.some()
    }

    /// Has the other side ended the connection, in order, without another byte?
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.reader.head(), Err(Broken::Closed))
    }

    /// Panics unless nothing comes for this long.
    pub(crate) fn expect_silence(&mut self, time: Duration) {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            other => panic!("expected silence for {time:?}, got {other:?} {byte:?}"),
        }
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Ends our sending side (FIN).
    pub(crate) fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Ends the connection with a reset (RST).
    pub(crate) fn reset(self) {
        SockRef::from(self.stream()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
