//! Half-open probes: a SYN goes out, and no connection ever comes about.

mod segment;

use segment::{Answer, Segment};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket};

/// From where to probe; the system chooses what is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin<'a> {
    /// The local address.
    pub source: Option<IpAddr>,
    /// The network interface (SO_BINDTODEVICE).
    pub interface: Option<&'a str>,
}

/// May this process open a raw socket? Asks the system; sends nothing.
///
/// # Errors
/// `PermissionDenied` without CAP_NET_RAW; whatever else the system says.
pub fn half_open_is_permitted() -> io::Result<()> {
    Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).map(drop)
}

/// Sends a SYN to `address` and waits for the answer: SYN-ACK is good. The kernel, which knows of no connection,
/// answers the SYN-ACK with a reset, so that the program that listens there never hears of it.
///
/// The SYN is repeated after one second, then after two more, and so on; ends only with an answer. Costs two
/// sockets: a raw one, whose filter in the kernel lets only this answer through, and one that holds the local port.
///
/// # Errors
/// `ConnectionRefused` for a reset; `PermissionDenied` when raw sockets are not permitted (CAP_NET_RAW); unreachable,
/// out of descriptors or ports: what the system says.
///
/// # Panics
/// Outside a tokio runtime with I/O and time.
pub async fn half_open(address: SocketAddr, from: Origin<'_>) -> io::Result<()> {
    let domain = Domain::for_address(address);
    let raw = Socket::new(domain, Type::RAW, Some(Protocol::TCP))?;
    raw.set_nonblocking(true)?;
    from.bind_interface(&raw)?;
    let local = local_address(address, from)?;
    let local_any = crate::in_scope_of(address, local, 0);
    let port = hold_port(local_any, from)?;
    let sequence = u32::try_from(crate::clock::seed() >> 32).unwrap_or_default();
    let segment = Segment {
        local: SocketAddr::new(local, port.local_port),
        remote: address,
        sequence,
    };
    raw.attach_filter(&filter(address, port.local_port))?;
    raw.bind(&local_any.into())?;
    // Of a connected raw socket the kernel passes on only what comes from that address, ICMP errors included.
    raw.connect(&crate::in_scope_of(address, address.ip(), 0).into())?;
    // A raw socket sends and receives as a connected UDP socket does; tokio has no type of its own for it.
    let raw = UdpSocket::from_std(raw.into())?;
    let bytes = segment.syn();
    let mut pause = Duration::from_secs(1);
    loop {
        raw.send(&bytes).await?;
        if let Ok(answer) = tokio::time::timeout(pause, wait(&raw, &segment)).await {
            return answer;
        }
        pause = pause.saturating_mul(2);
    }
}

/// The next best where raw sockets are not permitted: a connection whose last ACK the kernel holds back for some
/// milliseconds (TCP_QUICKACK off), and that is reset before. Most often the listening program never hears of it.
///
/// # Errors
/// As of any connection.
///
/// # Panics
/// Outside a tokio runtime with I/O.
pub async fn connect_and_reset(address: SocketAddr, from: Origin<'_>) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_quickack(false)?;
    socket.set_linger(Some(Duration::ZERO))?;
    from.bind_interface(&socket)?;
    if let Some(source) = from.source {
        socket.bind(&crate::in_scope_of(address, source, 0).into())?;
    }
    match socket.connect(&address.into()) {
        Ok(()) => return Ok(()),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
        Err(e) => return Err(e),
    }
    let stream = TcpStream::from_std(socket.into())?;
    stream.writable().await?;
    stream.take_error()?.map_or(Ok(()), Err)
}

impl Origin<'_> {
    fn bind_interface(&self, socket: &Socket) -> io::Result<()> {
        match self.interface {
            Some(name) => socket.bind_device(Some(name.as_bytes())),
            None => Ok(()),
        }
    }
}

/// Ends with an answer to our SYN.
async fn wait(raw: &UdpSocket, segment: &Segment) -> io::Result<()> {
    let mut packet = [0; LONGEST_ANSWER];
    loop {
        let len = raw.recv(&mut packet).await?;
        match segment.judge(packet.get(..len).unwrap_or_default()) {
            Some(Answer::Accepted) => return Ok(()),
            Some(Answer::Refused) => return Err(io::ErrorKind::ConnectionRefused.into()),
            None => {}
        }
    }
}

/// The address that packets to `address` leave from. Connecting a UDP socket sends nothing.
fn local_address(address: SocketAddr, from: Origin<'_>) -> io::Result<IpAddr> {
    if let Some(source) = from.source {
        return Ok(source);
    }
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    from.bind_interface(&socket)?;
    socket.connect(&address.into())?;
    let local = socket.local_addr()?.as_socket();
    Ok(local.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |local| local.ip()))
}

/// A local port that nobody else gets while this lives. It neither listens nor connects: segments to it find nobody.
struct HeldPort {
    local_port: u16,
    _socket: Socket,
}

fn hold_port(any: SocketAddr, from: Origin<'_>) -> io::Result<HeldPort> {
    let socket = Socket::new(Domain::for_address(any), Type::STREAM, Some(Protocol::TCP))?;
    from.bind_interface(&socket)?;
    socket.bind(&any.into())?;
    let local_port = socket.local_addr()?.as_socket().map_or(0, |local| local.port());
    Ok(HeldPort {
        local_port,
        _socket: socket,
    })
}

/// A program for the kernel: pass what comes from the probed port to ours, drop the rest. Without it a busy backend's
/// whole traffic would be copied to us while its probe is under way.
///
/// Instructions of classic BPF (linux/bpf_common.h): load half word, jump if equal, load the length of the IPv4
/// header, return. An IPv6 raw socket sees no IP header.
fn filter(address: SocketAddr, local_port: u16) -> Vec<SockFilter> {
    const LOAD_HALF: u16 = 0x28; // BPF_LD | BPF_H | BPF_ABS
    const LOAD_HALF_AT_X: u16 = 0x48; // BPF_LD | BPF_H | BPF_IND
    const X_IS_HEADER: u16 = 0xb1; // BPF_LDX | BPF_B | BPF_MSH
    const JUMP_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    let load = if address.is_ipv4() { LOAD_HALF_AT_X } else { LOAD_HALF };
    let mut program = Vec::with_capacity(7);
    if address.is_ipv4() {
        program.push(SockFilter::new(X_IS_HEADER, 0, 0, 0));
    }
    program.extend([
        SockFilter::new(load, 0, 0, 0),
        SockFilter::new(JUMP_EQUAL, 0, 3, u32::from(address.port())),
        SockFilter::new(load, 0, 0, 2),
        SockFilter::new(JUMP_EQUAL, 0, 1, u32::from(local_port)),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]);
    program
}

/// An IPv4 header with options and a TCP header with options: 60 bytes each; data is of no interest.
const LONGEST_ANSWER: usize = 120;
