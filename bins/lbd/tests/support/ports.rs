//! Ports that no other test uses, and what the kernel says of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::Mutex;

/// Below the range from which the kernel takes the ports of outgoing connections (32768 and up).
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// An address on 127.0.0.1 whose port is ours as long as this process lives.
///
/// A port that was free a moment ago may be taken by another test. So each taken port has a locked file, which the
/// kernel unlocks when the process ends, however it ends.
pub(crate) fn address() -> SocketAddr {
    static TAKEN: Mutex<(Vec<File>, u16)> = Mutex::new((Vec::new(), 0));
    let folder = std::env::temp_dir().join("lbd-test-ports");
    fs::create_dir_all(&folder).unwrap();
    let mut taken = TAKEN.lock().unwrap();
    let start = u16::try_from(process::id() % u32::from(COUNT)).unwrap();
    loop {
        assert!(taken.1 < COUNT, "no port is free");
        let port = FIRST + (start + taken.1) % COUNT;
        taken.1 += 1;
        let file = File::create(folder.join(port.to_string())).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if file.try_lock().is_ok() && TcpListener::bind(address).is_ok() {
            taken.0.push(file);
            return address;
        }
    }
}

/// Does some socket listen there? Asks the kernel, so nobody has a connection to accept.
pub(crate) fn is_listening(address: SocketAddr) -> bool {
    let SocketAddr::V4(v4) = address else {
        panic!("{address}: tests listen on IPv4")
    };
    let local = format!("{:08X}:{:04X}", u32::from(*v4.ip()).swap_bytes(), v4.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.nth(1) == Some(local.as_str()) && words.nth(1) == Some("0A")
    })
}

/// Has the other side, on this machine, read all that was sent? Asks the kernel.
pub(crate) fn is_read(socket: &TcpStream) -> bool {
    let hex = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => format!("{:08X}:{:04X}", u32::from(*v4.ip()).swap_bytes(), v4.port()),
        SocketAddr::V6(_) => panic!("{address}: tests speak IPv4"),
    };
    let (theirs, ours) = (hex(socket.peer_addr().unwrap()), hex(socket.local_addr().unwrap()));
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().take(5).collect();
        words.get(1..3) == Some(&[&theirs, &ours]) && words[4].ends_with(":00000000")
    })
}

/// Raises the soft descriptor limit of this process to the hard one and gives it.
pub(crate) fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )
    .unwrap();
    limit.maximum.unwrap_or(u64::MAX)
}
