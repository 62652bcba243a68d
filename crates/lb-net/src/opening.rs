use crate::Stream;
use lb_types::{Address, UnixPath};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::future::Future as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Sleep, sleep};

/// A connection to a backend that is being made.
///
/// It is polled, not awaited, so that a state machine can hold it without a boxed future.
#[derive(Debug)]
pub struct Opening {
    stream: Option<Stream>,
    /// The backlog of a Unix domain socket is full, and nothing tells when it is not: it is asked again.
    again: Option<(UnixPath, Pin<Box<Sleep>>)>,
}

impl Opening {
    /// Begins: sends the SYN, or asks the Unix domain socket's owner. TCP has TCP_NODELAY. Call it inside a runtime.
    ///
    /// # Errors
    /// Out of descriptors or ports, no route, no socket at that path: what the system says at once.
    pub fn start(address: Address) -> io::Result<Self> {
        let stream = match address {
            #[cfg(feature = "sim")]
            Address::Ip(_) if crate::sim::is_entered() => simulated(address)?,
            Address::Ip(address) => connect(tcp(address)?, address)?,
            Address::Unix(path) => match unix(path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Self {
                        stream: None,
                        again: Some((path, Box::pin(sleep(PAUSE)))),
                    });
                }
                stream => stream?,
            },
        };
        Ok(Self {
            stream: Some(stream),
            again: None,
        })
    }

    /// Begins as [`start`](Self::start) does, from an address that need not be this machine's own: a client's, so that the
    /// backend sees it (`IP_TRANSPARENT`, ip(7)). The system chooses the port. What the backend answers has to come back to this
    /// machine, which is a matter of routes. A Unix domain socket has no addresses, so there it changes nothing.
    ///
    /// # Errors
    /// [`BorrowError`]: the families differ, this process may not, or what `start` says.
    pub fn start_from(address: Address, source: IpAddr) -> Result<Self, BorrowError> {
        let Address::Ip(address) = address else {
            return Self::start(address).map_err(BorrowError::Socket);
        };
        #[cfg(feature = "sim")]
        if crate::sim::is_entered() {
            return Self::start(address.into()).map_err(BorrowError::Socket);
        }
        if source.is_ipv4() != address.is_ipv4() {
            return Err(BorrowError::OtherFamily);
        }
        let socket = tcp(address)?;
        borrow(&socket, source.is_ipv4())?;
        // As for the ports of this machine's own addresses: of each client's there are some 28,000.
        socket.set_reuse_address(true)?;
        let bound = socket.bind(&SocketAddr::new(source, 0).into());
        bound.map_err(BorrowError::of_source)?;
        let stream = connect(socket, address).map_err(|error| match error.kind() {
            // Such as an address of this machine alone, on the way to another.
            io::ErrorKind::InvalidInput => BorrowError::BadSource(error),
            _ => BorrowError::Socket(error),
        })?;
        // For one that is nobody's, such as 0.0.0.0 or a broadcast address, the system takes an own one.
        if stream.local_socket().is_none_or(|own| own.ip() != source) {
            let error = io::Error::from(io::ErrorKind::AddrNotAvailable);
            return Err(BorrowError::BadSource(error));
        }
        Ok(Self {
            stream: Some(stream),
            again: None,
        })
    }

    /// The connection once its handshake is done.
    ///
    /// # Errors
    /// Refused, unreachable, timed out by the kernel. Polled again after it was ready: an error
    /// of kind `NotConnected`.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        while let Some((path, pause)) = &mut self.again {
            ready!(pause.as_mut().poll(cx));
            match unix(*path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => *pause = Box::pin(sleep(PAUSE)),
                stream => {
                    self.again = None;
                    self.stream = Some(stream?);
                }
            }
        }
        let Some(stream) = &self.stream else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        ready!(stream.poll_writable(cx))?;
        if let Some(error) = stream.take_error()? {
            self.stream = None;
            return Poll::Ready(Err(error));
        }
        Poll::Ready(self.stream.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// As often the kernel would look, if it had a queue of them.
const PAUSE: Duration = Duration::from_millis(10);

/// Why a connection from an address of somebody else cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BorrowError {
    /// One is of IPv4 and the other of IPv6.
    #[error("the two addresses are of different families")]
    OtherFamily,
    /// It takes `CAP_NET_ADMIN` or `CAP_NET_RAW` (capabilities(7)).
    #[error("this process may not use addresses of others: it needs CAP_NET_ADMIN")]
    NotAllowed,
    /// Nobody can connect from there, or not to this address: link-local, loopback, broadcast, unspecified.
    #[error("no connection can be made from this address: {0}")]
    BadSource(io::Error),
    /// Anything else.
    #[error(transparent)]
    Socket(#[from] io::Error),
}

impl BorrowError {
    /// Of a socket that did not take it, for a want of ports or for what it is.
    fn of_source(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::AddrNotAvailable => Self::BadSource(error),
            _ => Self::Socket(error),
        }
    }
}

/// May this process connect from addresses that are not this machine's? Makes a socket and closes it.
///
/// # Errors
/// As [`Opening::start_from`] would say.
pub fn may_borrow(is_ipv4: bool) -> Result<(), BorrowError> {
    let domain = if is_ipv4 { Domain::IPV4 } else { Domain::IPV6 };
    borrow(&Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?, is_ipv4)
}

fn borrow(socket: &Socket, is_ipv4: bool) -> Result<(), BorrowError> {
    let set = if is_ipv4 {
        socket.set_ip_transparent_v4(true)
    } else {
        socket.set_ip_transparent_v6(true)
    };
    set.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => BorrowError::NotAllowed,
        _ => BorrowError::Socket(error),
    })
}

fn tcp(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

fn connect(socket: Socket, address: SocketAddr) -> io::Result<Stream> {
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(e) => return Err(e),
    }
    TcpStream::from_std(socket.into()).map(Stream::from)
}

fn unix(path: UnixPath) -> io::Result<Stream> {
    #[cfg(feature = "sim")]
    if crate::sim::is_entered() {
        return simulated(path.into());
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&unix_address(&path)?)?;
    UnixStream::from_std(socket.into()).map(Stream::from)
}

#[cfg(feature = "sim")]
fn simulated(address: Address) -> io::Result<Stream> {
    let network = crate::sim::current().ok_or(io::ErrorKind::NotConnected)?;
    network.open(address).map(Stream::Sim)
}

/// As the kernel takes it: a name in the abstract namespace begins with a zero byte there.
pub(crate) fn unix_address(path: &UnixPath) -> io::Result<SockAddr> {
    match path.abstract_name() {
        None => SockAddr::unix(path.as_str()),
        Some(name) => SockAddr::unix(format!("\0{name}")),
    }
}

/// Is it that the mode or owner of a socket, or of its folder, keeps this process out (EACCES), and no firewall?
#[must_use]
pub fn lacks_access(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::ACCESS.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::os::unix::net::UnixListener;

    /// A path of its own for a socket, free again at the end.
    struct Path(std::path::PathBuf);

    impl Path {
        fn new(name: &str) -> Self {
            let name = format!("lb-net-{}-{name}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn unix(&self) -> UnixPath {
            UnixPath::new(self.0.to_str().unwrap()).unwrap()
        }
    }

    impl Drop for Path {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[tokio::test]
    async fn a_listening_address_connects() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut opening = Opening::start(listener.local_addr().unwrap().into()).unwrap();
        let Stream::Tcp(stream) = poll_fn(|cx| opening.poll(cx)).await.unwrap() else {
            panic!("not TCP");
        };
        assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
        let again = poll_fn(|cx| opening.poll(cx)).await.unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::NotConnected);
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let address = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let error = match Opening::start(address.into()) {
            Ok(mut opening) => poll_fn(|cx| opening.poll(cx)).await.unwrap_err(),
            Err(e) => e,
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_path_connects_and_says_why_not() {
        let path = Path::new("opened");
        let unix = path.unix();
        let kind = |error: io::Error| error.kind();
        assert_eq!(
            Opening::start(unix.into()).map_err(kind).unwrap_err(),
            io::ErrorKind::NotFound
        );
        let listener = UnixListener::bind(&path.0).unwrap();
        let mut opening = Opening::start(unix.into()).unwrap();
        assert!(matches!(poll_fn(|cx| opening.poll(cx)).await, Ok(Stream::Unix(_))));
        listener.accept().unwrap();
        drop(listener);
        let left_behind = Opening::start(unix.into()).map_err(kind).unwrap_err();
        assert_eq!(left_behind, io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn an_abstract_name_connects() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("lbd-test-{}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let unix = UnixPath::new(&format!("@{name}")).unwrap();
        let mut opening = Opening::start(unix.into()).unwrap();
        assert!(poll_fn(|cx| opening.poll(cx)).await.is_ok());
        listener.accept().unwrap();
    }

    #[tokio::test]
    async fn a_full_backlog_is_waited_for() {
        let path = Path::new("full");
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(&path.0).unwrap()).unwrap();
        socket.listen(0).unwrap();
        let unix = path.unix();
        let mut waiting = Vec::new();
        let mut late = loop {
            let opening = Opening::start(unix.into()).unwrap();
            if opening.again.is_some() {
                break opening;
            }
            waiting.push(opening);
        };
        assert!(poll_fn(|cx| Poll::Ready(late.poll(cx).is_pending())).await);
        socket.accept().unwrap();
        assert!(poll_fn(|cx| late.poll(cx)).await.is_ok());
    }
}
