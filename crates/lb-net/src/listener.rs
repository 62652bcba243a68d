use crate::Stream;
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};
use tokio::net::TcpListener;

/// How to listen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenerOptions {
    /// Address and port.
    pub address: SocketAddr,
    /// How many finished handshakes the kernel keeps while we are busy; it caps the number at
    /// `net.core.somaxconn`.
    pub backlog: u32,
    /// Let several sockets of this process (one per worker) share the address; the kernel spreads
    /// new connections over them by a hash of the addresses.
    pub reuse_port: bool,
}

impl ListenerOptions {
    /// Defaults: backlog 4096, shared port.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            backlog: 4096,
            reuse_port: true,
        }
    }
}

/// A listening TCP socket. Accepted connections have TCP_NODELAY, inherited from it.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// A client's connection.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub stream: Stream,
    /// The client's address.
    pub peer: SocketAddr,
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {address}{}", hint(source))]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Listener {
    /// Opens a socket and listens. Call it inside the runtime of the worker that will accept.
    ///
    /// # Errors
    /// [`NetError::Bind`].
    pub fn bind(options: &ListenerOptions) -> Result<Self, NetError> {
        Self::open(options)
            .and_then(|socket| Self::adopt(socket.into()))
            .map_err(|source| NetError::Bind {
                address: options.address,
                source,
            })
    }

    /// Opens a socket and listens, outside any runtime: for a control thread that wants to know
    /// whether the address can be had before it tells the workers. See [`Listener::from_fd`].
    ///
    /// # Errors
    /// [`NetError::Bind`].
    pub fn bind_fd(options: &ListenerOptions) -> Result<OwnedFd, NetError> {
        Self::open(options).map(OwnedFd::from).map_err(|source| NetError::Bind {
            address: options.address,
            source,
        })
    }

    /// Adopts a listening socket. Call it inside the runtime of the worker that will accept.
    ///
    /// # Errors
    /// [`NetError::Bind`] when the descriptor is no listening TCP socket.
    pub fn from_fd(fd: OwnedFd, options: &ListenerOptions) -> Result<Self, NetError> {
        Self::adopt(fd).map_err(|source| NetError::Bind {
            address: options.address,
            source,
        })
    }

    /// The address with the port that was really given.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection.
    ///
    /// # Errors
    /// What accept(2) says: out of descriptors, or a connection that ended while it waited.
    pub async fn accept(&self) -> io::Result<Accepted> {
        let (stream, peer) = self.socket.accept().await?;
        Ok(Accepted {
            stream: stream.into(),
            peer,
        })
    }

    /// The next connection that is already there, or `Pending` with the task registered.
    ///
    /// # Errors
    /// As [`Listener::accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        self.socket.poll_accept(cx).map_ok(|(stream, peer)| Accepted {
            stream: stream.into(),
            peer,
        })
    }

    /// From now on nobody begins a handshake here, but who began one may end it: for a moment before it is closed, because
    /// the kernel resets a client whose last word of the handshake comes to a socket that is gone. A SYN that comes now is
    /// dropped; the client repeats it after a second, and is then told of the next socket, or that there is none.
    ///
    /// # Errors
    /// Where the system has no such filters: then handshakes go on to begin.
    pub fn begin_no_handshake(&self) -> io::Result<()> {
        let program = NO_SYN.map(|(code, then, or, k)| SockFilter::new(code, then, or, k));
        SockRef::from(&self.socket).attach_filter(&program)
    }

    fn open(options: &ListenerOptions) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(options.address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(options.reuse_port)?;
        if options.address.is_ipv6() {
            // `[::]` is every address of the machine, whatever the system's default is.
            socket.set_only_v6(!options.address.ip().is_unspecified())?;
        }
        // Inherited by accepted sockets: saves a system call per connection.
        socket.set_tcp_nodelay(true)?;
        socket.bind(&options.address.into())?;
        socket.listen(i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
        Ok(socket)
    }

    fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let socket = std::net::TcpListener::from(fd);
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_tcp_nodelay(true)?;
        let address = socket.local_addr()?;
        Ok(Self {
            socket: TcpListener::from_std(socket)?,
            address,
        })
    }
}

/// Classic BPF (linux/bpf_common.h) over a TCP header: load the flags, and of SYN and ACK; SYN alone is dropped.
const NO_SYN: [(u16, u8, u8, u32); 5] = [
    (0x30, 0, 0, 13),       // BPF_LD | BPF_B | BPF_ABS: the flags
    (0x54, 0, 0, 0x12),     // BPF_ALU | BPF_AND | BPF_K: SYN and ACK of them
    (0x15, 0, 1, 0x02),     // BPF_JMP | BPF_JEQ | BPF_K: SYN alone?
    (0x06, 0, 0, 0),        // BPF_RET | BPF_K: drop
    (0x06, 0, 0, u32::MAX), // pass
];

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => ": the address is in use by another program",
        io::ErrorKind::AddrNotAvailable => ": no interface of this machine has that address",
        io::ErrorKind::PermissionDenied => ": ports below 1024 need root or CAP_NET_BIND_SERVICE",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> ListenerOptions {
        ListenerOptions::new("127.0.0.1:0".parse().unwrap())
    }

    #[tokio::test]
    async fn two_workers_share_an_address_and_a_stranger_does_not() {
        let first = Listener::bind(&local()).unwrap();
        let mut same = local();
        same.address = first.address();
        let _second = Listener::bind(&same).unwrap();
        same.reuse_port = false;
        let error = Listener::bind(&same).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on {}: the address is in use by another program",
                first.address()
            )
        );
    }

    #[tokio::test]
    async fn the_unspecified_ipv6_address_takes_ipv4_clients_too() {
        let mut options = local();
        options.address = "[::]:0".parse().unwrap();
        // A machine without IPv6 has nothing to show here.
        let Ok(listener) = Listener::bind(&options) else { return };
        let client = std::net::TcpStream::connect(("127.0.0.1", listener.address().port())).unwrap();
        let peer = listener.accept().await.unwrap().peer;
        assert_eq!(peer.ip().to_canonical(), client.local_addr().unwrap().ip());
    }

    #[tokio::test]
    async fn who_began_a_handshake_may_end_it_and_nobody_begins_one() {
        // As if the last word of a handshake were late: a bare ACK is dropped, so that it ends with the first data.
        let bare_ack = [
            (0x30, 0, 0, 13),
            (0x15, 0, 1, 0x10),
            (0x06, 0, 0, 0),
            (0x06, 0, 0, u32::MAX),
        ];
        let listener = Listener::bind(&local()).unwrap();
        let program = bare_ack.map(|(code, then, or, k)| SockFilter::new(code, then, or, k));
        SockRef::from(&listener.socket).attach_filter(&program).unwrap();
        let mut early = std::net::TcpStream::connect(listener.address()).unwrap();
        listener.begin_no_handshake().unwrap();
        let late = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let error = late
            .connect_timeout(&listener.address().into(), std::time::Duration::from_millis(100))
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut, "not refused either");
        let waiting = std::future::poll_fn(|cx| Poll::Ready(listener.poll_accept(cx).is_pending()));
        assert!(waiting.await, "it has not ended yet");
        std::io::Write::write_all(&mut early, b"x").unwrap();
        assert_eq!(listener.accept().await.unwrap().peer, early.local_addr().unwrap());
    }

    #[tokio::test]
    async fn accepted_connections_have_nodelay() {
        let listener = Listener::bind(&local()).unwrap();
        let _client = std::net::TcpStream::connect(listener.address()).unwrap();
        let accepted = listener.accept().await.unwrap();
        assert!(SockRef::from(&accepted.stream).tcp_nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_descriptor_opened_elsewhere_can_be_adopted() {
        let fd = Listener::bind_fd(&local()).unwrap();
        let listener = Listener::from_fd(fd, &local()).unwrap();
        assert_ne!(listener.address().port(), 0);
        let client = std::net::TcpStream::connect(listener.address()).unwrap();
        assert_eq!(listener.accept().await.unwrap().peer, client.local_addr().unwrap());
    }
}
