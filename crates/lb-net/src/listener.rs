use crate::Stream;
use crate::opening::unix_address;
use lb_types::Address;
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use tokio::net::{TcpListener, UnixListener};

/// How to listen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenerOptions {
    /// An address and port, or a Unix domain socket. Those in the file system are made by [`UnixSocket`]; of them, only
    /// a name in the abstract namespace can be opened here.
    ///
    /// [`UnixSocket`]: crate::UnixSocket
    pub address: Address,
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
    pub fn new(address: impl Into<Address>) -> Self {
        Self {
            address: address.into(),
            backlog: 4096,
            reuse_port: true,
        }
    }
}

/// A listening socket. Accepted TCP connections have TCP_NODELAY, inherited from it.
#[derive(Debug)]
pub struct Listener {
    socket: Listening,
    address: Address,
}

#[derive(Debug)]
enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
    #[cfg(feature = "sim")]
    Sim(crate::sim::Listener),
}

/// A client's connection.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub stream: Stream,
    /// The client's address. A Unix domain socket knows none: its clients are of this machine, 127.0.0.1 with port 0.
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
        address: Address,
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
        #[cfg(feature = "sim")]
        if let Some(network) = crate::sim::current() {
            return Self::simulated(&network, options);
        }
        Self::open(options)
            .and_then(|socket| Self::adopt(socket.into(), options.address))
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
        #[cfg(feature = "sim")]
        if let Some(network) = crate::sim::current() {
            return network.nothing_cloned().map_err(|source| NetError::Bind {
                address: options.address,
                source,
            });
        }
        Self::open(options).map(OwnedFd::from).map_err(|source| NetError::Bind {
            address: options.address,
            source,
        })
    }

    /// Adopts a listening socket. Call it inside the runtime of the worker that will accept.
    ///
    /// # Errors
    /// [`NetError::Bind`] when the descriptor is no listening socket of the address's kind.
    pub fn from_fd(fd: OwnedFd, options: &ListenerOptions) -> Result<Self, NetError> {
        #[cfg(feature = "sim")]
        if let Some(network) = crate::sim::current() {
            return Self::simulated(&network, options);
        }
        Self::adopt(fd, options.address).map_err(|source| NetError::Bind {
            address: options.address,
            source,
        })
    }

    /// The address with the port that was really given.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The next connection.
    ///
    /// # Errors
    /// What accept(2) says: out of descriptors, or a connection that ended while it waited.
    pub async fn accept(&self) -> io::Result<Accepted> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// The next connection that is already there, or `Pending` with the task registered.
    ///
    /// # Errors
    /// As [`Listener::accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        Poll::Ready(Ok(match &self.socket {
            Listening::Tcp(socket) => {
                let (stream, peer) = ready!(socket.poll_accept(cx))?;
                Accepted {
                    stream: stream.into(),
                    peer,
                }
            }
            Listening::Unix(socket) => Accepted {
                stream: ready!(socket.poll_accept(cx))?.0.into(),
                peer: THIS_MACHINE,
            },
            #[cfg(feature = "sim")]
            Listening::Sim(socket) => {
                let (end, peer) = ready!(socket.poll_accept(cx))?;
                Accepted {
                    stream: Stream::Sim(end),
                    peer,
                }
            }
        }))
    }

    /// From now on nobody begins a handshake here, but who began one may end it: for a moment before it is closed, because
    /// the kernel resets a client whose last word of the handshake comes to a socket that is gone. A SYN that comes now is
    /// dropped; the client repeats it after a second, and is then told of the next socket, or that there is none.
    ///
    /// # Errors
    /// Where the system has no such filters: then handshakes go on to begin.
    pub fn begin_no_handshake(&self) -> io::Result<()> {
        let program = NO_SYN.map(|(code, then, or, k)| SockFilter::new(code, then, or, k));
        match &self.socket {
            Listening::Tcp(socket) => SockRef::from(socket).attach_filter(&program),
            Listening::Unix(_) => Ok(()), // it has no handshakes
            #[cfg(feature = "sim")]
            Listening::Sim(socket) => {
                socket.begin_no_handshake();
                Ok(())
            }
        }
    }

    /// Listens in a network of tests.
    #[cfg(feature = "sim")]
    fn simulated(network: &crate::sim::Network, options: &ListenerOptions) -> Result<Self, NetError> {
        let backlog = usize::try_from(options.backlog).unwrap_or(usize::MAX);
        let address = options.address;
        let socket = crate::sim::Listener::of_proxy(network, address, backlog)
            .map_err(|source| NetError::Bind { address, source })?;
        let address = socket.address();
        let socket = Listening::Sim(socket);
        Ok(Self { socket, address })
    }

    fn open(options: &ListenerOptions) -> io::Result<Socket> {
        let backlog = i32::try_from(options.backlog).unwrap_or(i32::MAX);
        let address = match options.address {
            Address::Ip(address) => address,
            Address::Unix(path) => {
                if path.abstract_name().is_none() {
                    return Err(io::ErrorKind::Unsupported.into()); // its file has permissions and an end: `UnixSocket`
                }
                let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
                socket.set_nonblocking(true)?;
                socket.bind(&unix_address(&path)?)?;
                socket.listen(backlog)?;
                return Ok(socket);
            }
        };
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(options.reuse_port)?;
        if address.is_ipv6() {
            // `[::]` is every address of the machine, whatever the system's default is.
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        // Inherited by accepted sockets: saves a system call per connection.
        socket.set_tcp_nodelay(true)?;
        socket.bind(&address.into())?;
        socket.listen(backlog)?;
        Ok(socket)
    }

    fn adopt(fd: OwnedFd, address: Address) -> io::Result<Self> {
        if let Address::Unix(_) = address {
            let socket = std::os::unix::net::UnixListener::from(fd);
            socket.set_nonblocking(true)?;
            let socket = Listening::Unix(UnixListener::from_std(socket)?);
            return Ok(Self { socket, address });
        }
        let socket = std::net::TcpListener::from(fd);
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_tcp_nodelay(true)?;
        let address = socket.local_addr()?.into();
        let socket = Listening::Tcp(TcpListener::from_std(socket)?);
        Ok(Self { socket, address })
    }
}

/// Whoever connects over a Unix domain socket.
const THIS_MACHINE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

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
        ListenerOptions::new("127.0.0.1:0".parse::<Address>().unwrap())
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
        let client = std::net::TcpStream::connect(("127.0.0.1", listener.address().port().unwrap())).unwrap();
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
        let Listening::Tcp(socket) = &listener.socket else {
            panic!("not TCP")
        };
        SockRef::from(socket).attach_filter(&program).unwrap();
        let address = listener.address().socket().unwrap();
        let mut early = std::net::TcpStream::connect(address).unwrap();
        listener.begin_no_handshake().unwrap();
        let late = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let error = late
            .connect_timeout(&address.into(), std::time::Duration::from_millis(100))
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
        let _client = std::net::TcpStream::connect(listener.address().socket().unwrap()).unwrap();
        let accepted = listener.accept().await.unwrap();
        assert!(SockRef::from(&accepted.stream).tcp_nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_descriptor_opened_elsewhere_can_be_adopted() {
        let fd = Listener::bind_fd(&local()).unwrap();
        let listener = Listener::from_fd(fd, &local()).unwrap();
        assert_ne!(listener.address().port(), Some(0));
        let client = std::net::TcpStream::connect(listener.address().socket().unwrap()).unwrap();
        assert_eq!(listener.accept().await.unwrap().peer, client.local_addr().unwrap());
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn clients_of_a_unix_domain_socket_are_of_this_machine() {
        let address: Address = format!("unix:@lb-net-listener-{}", std::process::id()).parse().unwrap();
        let listener = Listener::bind(&ListenerOptions::new(address)).unwrap();
        assert_eq!(listener.address(), address);
        let error = Listener::bind(&ListenerOptions::new(address)).unwrap_err();
        assert!(error.to_string().contains("in use by another program"), "{error}");
        let _client = crate::Opening::start(address).unwrap();
        let accepted = listener.accept().await.unwrap();
        assert!(matches!(accepted.stream, Stream::Unix(_)));
        assert!(accepted.peer.ip().is_loopback());
    }
}
