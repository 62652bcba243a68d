//! Who listens, and how a connection comes about.

use super::kernel::{FIRST_PORT, Kernel, Packet};
use super::socket::{Known, Phase, Socket};
use super::weather::Draw as _;
use lb_types::{Address, Time};
use rustix::io::Errno;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Waker;
use std::time::Duration;

/// What a listening address says to a SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Answer {
    /// It shakes hands.
    #[default]
    Accept,
    /// It shakes hands so much later than the network takes.
    After(Duration),
    /// It refuses, as if nobody listened.
    Refuse,
    /// It says nothing, as behind a firewall that drops.
    Nothing,
}

/// A listening socket.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) address: Address,
    pub(super) answer: Answer,
    /// SYNs are dropped, what has begun goes on.
    pub(super) begins_none: bool,
    pub(super) backlog: usize,
    pub(super) is_of_proxy: bool,
    pub(super) descriptor: Option<u64>,
    /// Their handshake is not done.
    half: BTreeSet<u64>,
    queue: VecDeque<u64>,
    is_ready: bool,
    waker: Option<Waker>,
}

impl Door {
    pub(super) fn tell(&mut self) -> Option<Waker> {
        self.is_ready = true;
        self.waker.take()
    }

    fn hears(&self, to: Address) -> bool {
        match (self.address, to) {
            (Address::Ip(own), Address::Ip(to)) => own == to || (own.ip().is_unspecified() && own.port() == to.port()),
            (own, to) => own == to,
        }
    }
}

impl Kernel {
    pub(super) fn listen(&mut self, address: Address, backlog: usize, is_of_proxy: bool) -> io::Result<(u64, Address)> {
        let descriptor = if is_of_proxy { Some(self.descriptor()?) } else { None };
        let id = self.next_id();
        let address = match address {
            Address::Ip(address) if address.port() == 0 => {
                SocketAddr::new(address.ip(), self.own_address().port()).into()
            }
            address => address,
        };
        let door = Door {
            address,
            answer: Answer::Accept,
            begins_none: false,
            backlog: backlog.max(1),
            is_of_proxy,
            descriptor,
            half: BTreeSet::new(),
            queue: VecDeque::new(),
            is_ready: false,
            waker: None,
        };
        self.doors.insert(id, door);
        Ok((id, address))
    }

    /// Whoever waits is reset.
    pub(super) fn unlisten(&mut self, id: u64, at: Time) {
        self.run(at);
        let Some(door) = self.doors.remove(&id) else { return };
        self.give_descriptor(door.descriptor);
        for server in door.queue {
            self.reset(server, at);
        }
    }

    /// accept(2), with the readiness that the runtime knows. `None`: nobody is here; `waker` is woken.
    pub(super) fn accept(&mut self, id: u64, waker: &Waker, at: Time) -> Option<io::Result<(u64, SocketAddr)>> {
        self.run(at);
        let door = self.doors.get_mut(&id)?;
        if !door.is_ready {
            door.waker = Some(waker.clone());
            return None;
        }
        let is_of_proxy = door.is_of_proxy;
        // The kernel takes the descriptor before it looks whether anybody waits.
        if is_of_proxy && self.lowest_free().is_none() {
            return Some(Err(Errno::MFILE.into()));
        }
        let door = self.doors.get_mut(&id)?;
        let Some(server) = door.queue.pop_front() else {
            door.is_ready = false;
            door.waker = Some(waker.clone());
            return None;
        };
        let descriptor = if is_of_proxy { self.descriptor().ok() } else { None };
        let socket = self.sockets.get_mut(&server)?;
        socket.descriptor = descriptor;
        // As the runtime takes it of one that was accepted: it is tried before anything is known.
        (socket.known.readable, socket.known.writable) = (true, true);
        let remote = socket.remote;
        self.trace.add(at, "is accepted", server, 0);
        self.notify(server, at);
        Some(Ok((server, remote)))
    }

    /// connect(2) that does not wait.
    pub(super) fn connect(&mut self, from: Option<SocketAddr>, to: Address, at: Time) -> io::Result<u64> {
        self.run(at);
        let descriptor = match from {
            None => Some(self.descriptor()?),
            Some(_) => None,
        };
        let connected = match to {
            Address::Ip(remote) => self.connect_tcp(from, remote, at),
            Address::Unix(_) => self.connect_unix(to, at),
        };
        match connected {
            Ok(id) => {
                if let Some(socket) = self.sockets.get_mut(&id) {
                    socket.descriptor = descriptor;
                }
            }
            Err(_) => self.give_descriptor(descriptor),
        }
        self.run(at);
        connected
    }

    fn connect_tcp(&mut self, from: Option<SocketAddr>, remote: SocketAddr, at: Time) -> io::Result<u64> {
        if from.is_none() && self.rng.chance(self.weather.port_shortage_permille) {
            return Err(Errno::ADDRNOTAVAIL.into());
        }
        let local = from.unwrap_or_else(|| self.own_address());
        let base = self.weather.latency.clone();
        let (one, two) = (self.rng.time(&base), self.rng.time(&base));
        let mut socket = self.socket(local, remote, at);
        socket.latency = one.min(two)..=one.max(two);
        let id = self.next_id();
        self.sockets.insert(id, socket);
        self.trace.add(at, "connects", id, usize::from(remote.port()));
        let arrival = self.arrival(id, at);
        let to = Address::Ip(remote);
        let tries = 0;
        self.send_packet(arrival, Packet::Syn { client: id, to, tries });
        Ok(id)
    }

    fn own_address(&mut self) -> SocketAddr {
        let port = self.next_port;
        self.next_port = if port >= LAST_PORT { FIRST_PORT } else { port + 1 };
        SocketAddr::new(OWN_ADDRESS, port)
    }

    fn connect_unix(&mut self, to: Address, at: Time) -> io::Result<u64> {
        let Some((door_id, door)) = self.doors.iter().find(|(_, door)| door.hears(to)) else {
            return Err(Errno::NOENT.into());
        };
        let door_id = *door_id;
        if door.answer == Answer::Refuse {
            return Err(Errno::CONNREFUSED.into());
        }
        if door.queue.len() >= door.backlog || door.answer == Answer::Nothing {
            return Err(Errno::AGAIN.into());
        }
        let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        let (client, server) = (self.next_id(), self.next_id());
        for (id, other) in [(client, server), (server, client)] {
            let mut socket = self.socket(nobody, nobody, at);
            socket.is_unix = true;
            socket.other = other;
            socket.phase = Phase::Open;
            self.sockets.insert(id, socket);
        }
        self.trace.add(at, "connects", client, 0);
        self.notify(client, at);
        if let Some(door) = self.doors.get_mut(&door_id) {
            door.queue.push_back(server);
        }
        self.notify_door(door_id, at);
        Ok(client)
    }

    fn socket(&mut self, local: SocketAddr, remote: SocketAddr, at: Time) -> Socket {
        let window = self.weather.window.clone();
        Socket {
            other: 0,
            is_unix: false,
            local,
            remote,
            phase: Phase::Asking,
            unread: VecDeque::new(),
            fin: false,
            rst: false,
            said_end: false,
            error: None,
            closed: false,
            out: 0,
            window: self.rng.size(&window),
            wants_room: false,
            last: at,
            latency: Duration::ZERO..=Duration::ZERO,
            descriptor: None,
            known: Known::default(),
        }
    }

    pub(super) fn syn(&mut self, client: u64, to: Address, tries: u32, at: Time) {
        let asks = |socket: &&Socket| socket.phase == Phase::Asking;
        let Some(socket) = self.sockets.get(&client).filter(asks) else {
            return;
        };
        let (local, remote, latency) = (socket.local, socket.remote, socket.latency.clone());
        let doors: Vec<u64> = self
            .doors
            .iter()
            .filter(|(_, door)| door.hears(to))
            .map(|(id, _)| *id)
            .collect();
        let chosen = usize::try_from(self.rng.below(doors.len() as u64)).unwrap_or(0);
        let Some((id, door)) = doors.get(chosen).and_then(|id| Some((*id, self.doors.get(id)?))) else {
            let arrival = self.arrival(client, at);
            return self.send_packet(arrival, Packet::Refused { client });
        };
        let is_full = door.queue.len() + door.half.len() >= door.backlog;
        let late = match door.answer {
            Answer::Refuse => {
                let arrival = self.arrival(client, at);
                return self.send_packet(arrival, Packet::Refused { client });
            }
            Answer::After(late) => late,
            Answer::Accept => Duration::ZERO,
            Answer::Nothing => return self.syn_again(client, to, tries, at),
        };
        if is_full || door.begins_none {
            return self.syn_again(client, to, tries, at);
        }
        let server = self.next_id();
        let mut socket = self.socket(remote, local, at);
        socket.phase = Phase::Open;
        socket.other = client;
        socket.latency = latency;
        self.sockets.insert(server, socket);
        if let Some(socket) = self.sockets.get_mut(&client) {
            socket.other = server;
        }
        if let Some(door) = self.doors.get_mut(&id) {
            door.half.insert(server);
        }
        let arrival = self.arrival(server, at + late);
        self.send_packet(arrival, Packet::SynAck { client, server });
    }

    /// The client asks again after 1, 2, 4 .. seconds, as Linux does with `tcp_syn_retries` 6.
    fn syn_again(&mut self, client: u64, to: Address, tries: u32, at: Time) {
        let later = at + Duration::from_secs(1 << tries.min(6));
        if tries < 6 {
            let tries = tries + 1;
            self.send_packet(later, Packet::Syn { client, to, tries });
        } else {
            self.send_packet(later, Packet::GiveUp { client });
        }
    }

    pub(super) fn syn_ack(&mut self, client: u64, server: u64, at: Time) {
        let asks = |socket: &&mut Socket| socket.phase == Phase::Asking;
        let Some(socket) = self.sockets.get_mut(&client).filter(asks) else {
            // Whoever asked has gone away meanwhile.
            return self.send_packet(at, Packet::Rst { to: server });
        };
        socket.phase = Phase::Open;
        self.trace.add(at, "is connected", client, 0);
        self.notify(client, at);
        let arrival = self.arrival(client, at);
        self.send_packet(arrival, Packet::Ack { server });
    }

    /// A handshake that the client broke off leaves nothing behind.
    pub(super) fn leave_half(&mut self, server: u64) -> bool {
        self.doors.values_mut().any(|door| door.half.remove(&server))
    }

    pub(super) fn ack(&mut self, server: u64, at: Time) {
        let shaken = self.doors.iter_mut().find_map(|(id, door)| {
            let is_its = door.half.remove(&server);
            is_its.then(|| door.queue.push_back(server));
            is_its.then_some(*id)
        });
        match shaken {
            Some(id) => self.notify_door(id, at),
            // Its socket is gone: who has just shaken hands is reset.
            None => self.reset(server, at),
        }
    }
}

/// The machine of the proxy.
const OWN_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
/// `net.ipv4.ip_local_port_range`.
const LAST_PORT: u16 = 60_999;
