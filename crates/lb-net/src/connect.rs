use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};
use tokio::net::TcpStream;

/// A connection to a backend that is being made.
///
/// It is polled, not awaited, so that a state machine can hold it without a boxed future.
#[derive(Debug)]
pub struct Connecting {
    stream: Option<TcpStream>,
}

impl Connecting {
    /// Sends the SYN. The socket has TCP_NODELAY. Call it inside a runtime.
    ///
    /// # Errors
    /// Out of descriptors or ports, or no route: what the system says at once.
    pub fn start(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(e) if e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            Err(e) => return Err(e),
        }
        Ok(Self {
            stream: Some(TcpStream::from_std(socket.into())?),
        })
    }

    /// The connection once its handshake is done.
    ///
    /// # Errors
    /// Refused, unreachable, timed out by the kernel. Polled again after it was ready: an error
    /// of kind `NotConnected`.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let Some(stream) = &self.stream else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        ready!(stream.poll_write_ready(cx))?;
        if let Some(error) = stream.take_error()? {
            self.stream = None;
            return Poll::Ready(Err(error));
        }
        Poll::Ready(self.stream.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test]
    async fn a_listening_address_connects() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut connecting = Connecting::start(listener.local_addr().unwrap()).unwrap();
        let stream = poll_fn(|cx| connecting.poll(cx)).await.unwrap();
        assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
        let again = poll_fn(|cx| connecting.poll(cx)).await.unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::NotConnected);
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let address = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let error = match Connecting::start(address) {
            Ok(mut connecting) => poll_fn(|cx| connecting.poll(cx)).await.unwrap_err(),
            Err(e) => e,
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
