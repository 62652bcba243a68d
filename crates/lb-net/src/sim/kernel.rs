//! What the kernels of both sides and the wire between them do, in the order of time.

use super::handshake::Door;
use super::socket::{Phase, Socket};
use super::trace::Trace;
use super::weather::{Draw as _, Weather};
use lb_types::{Address, Rng, Time};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::task::Waker;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Kernel {
    pub(super) rng: Rng,
    pub(super) weather: Weather,
    pub(super) sockets: BTreeMap<u64, Socket>,
    pub(super) doors: BTreeMap<u64, Door>,
    pub(super) trace: Trace,
    /// The latest moment that was looked at.
    pub(super) now: Time,
    pub(super) next_port: u16,
    /// Who tells the tidings.
    pub(super) driver: Option<Waker>,
    /// It sleeps until then.
    pub(super) planned: Time,
    arrivals: BTreeMap<(Time, u64), Packet>,
    tidings: BTreeMap<(Time, u64), Tiding>,
    descriptors: BTreeSet<u64>,
    last_id: u64,
}

/// What is on the wire.
#[derive(Debug)]
pub(super) enum Packet {
    Syn {
        client: u64,
        to: Address,
        tries: u32,
    },
    SynAck {
        client: u64,
        server: u64,
    },
    /// The last word of a handshake.
    Ack {
        server: u64,
    },
    Refused {
        client: u64,
    },
    GiveUp {
        client: u64,
    },
    Data {
        to: u64,
        bytes: Vec<u8>,
    },
    Fin {
        to: u64,
    },
    Rst {
        to: u64,
    },
    /// The reader took so many.
    Taken {
        by: u64,
        len: usize,
    },
}

/// What the runtime is to be told.
#[derive(Debug, Clone, Copy)]
enum Tiding {
    Socket { id: u64, for_nothing: bool },
    Door { id: u64 },
}

impl Kernel {
    pub(super) fn new(seed: u64, weather: Weather, now: Time) -> Self {
        Self {
            rng: Rng::new(seed),
            weather,
            sockets: BTreeMap::new(),
            doors: BTreeMap::new(),
            trace: Trace::new(),
            now,
            next_port: FIRST_PORT,
            driver: None,
            planned: Time::ZERO,
            arrivals: BTreeMap::new(),
            tidings: BTreeMap::new(),
            descriptors: BTreeSet::new(),
            last_id: 0,
        }
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Lets everything happen that was to happen until `now`.
    pub(super) fn run(&mut self, now: Time) {
        self.now = self.now.max(now);
        while let Some(entry) = self.arrivals.first_entry()
            && entry.key().0 <= self.now
        {
            let ((at, _), packet) = entry.remove_entry();
            match packet {
                Packet::Syn { client, to, tries } => self.syn(client, to, tries, at),
                Packet::SynAck { client, server } => self.syn_ack(client, server, at),
                Packet::Ack { server } => self.ack(server, at),
                Packet::Refused { client } => self.fail(client, Errno::CONNREFUSED, at),
                Packet::GiveUp { client } => self.fail(client, Errno::TIMEDOUT, at),
                Packet::Data { to, bytes } => self.data(to, &bytes, at),
                Packet::Fin { to } => self.fin(to, at),
                Packet::Rst { to } => self.rst(to, at),
                Packet::Taken { by, len } => self.taken(by, len, at),
            }
        }
    }

    /// Tells the runtime what is to be told by now; who is to be woken, and when there is something again.
    pub(super) fn tell(&mut self) -> (Vec<Waker>, Option<Time>) {
        let mut wakers = Vec::new();
        while let Some(entry) = self.tidings.first_entry()
            && entry.key().0 <= self.now
        {
            match entry.remove() {
                Tiding::Socket { id, for_nothing } => {
                    if let Some(socket) = self.sockets.get_mut(&id) {
                        wakers.extend(socket.tell(for_nothing).into_iter().flatten());
                    }
                }
                Tiding::Door { id } => {
                    if let Some(door) = self.doors.get_mut(&id) {
                        wakers.extend(door.tell());
                    }
                }
            }
        }
        let packet = self.arrivals.first_key_value().map(|((at, _), _)| *at);
        let tiding = self.tidings.first_key_value().map(|((at, _), _)| *at);
        let next = packet.into_iter().chain(tiding).min();
        self.planned = next.unwrap_or(NEVER);
        (wakers, next)
    }

    pub(super) fn send_packet(&mut self, at: Time, packet: Packet) {
        self.last_id += 1;
        self.arrivals.insert((at, self.last_id), packet);
        self.plan(at);
    }

    /// Something changed at a socket: the runtime hears of it, some day.
    pub(super) fn notify(&mut self, id: u64, at: Time) {
        let mut at = at;
        if self.rng.chance(self.weather.late_notice_permille) {
            let most = (*self.weather.latency.end()).max(LATE);
            at += self.rng.time(&(Duration::ZERO..=most));
        }
        self.put(at, Tiding::Socket { id, for_nothing: false });
        if self.rng.chance(self.weather.false_alarm_permille) {
            let later = at + self.rng.time(&(Duration::ZERO..=LATE));
            self.put(later, Tiding::Socket { id, for_nothing: true });
        }
    }

    pub(super) fn notify_door(&mut self, id: u64, at: Time) {
        self.put(at, Tiding::Door { id });
    }

    fn put(&mut self, at: Time, tiding: Tiding) {
        self.last_id += 1;
        self.tidings.insert((at, self.last_id), tiding);
        self.plan(at);
    }

    fn plan(&mut self, at: Time) {
        if at < self.planned {
            self.planned = at;
            if let Some(driver) = self.driver.take() {
                driver.wake();
            }
        }
    }

    /// When what socket `id` sends now reaches the other side.
    pub(super) fn arrival(&mut self, id: u64, at: Time) -> Time {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return at;
        };
        let arrival = (at + self.rng.time(&socket.latency)).max(socket.last);
        socket.last = arrival;
        arrival
    }

    /// The lowest free descriptor of the proxy's side.
    pub(super) fn descriptor(&mut self) -> io::Result<u64> {
        let number = self.lowest_free().ok_or(Errno::MFILE)?;
        self.descriptors.insert(number);
        Ok(number)
    }

    pub(super) fn lowest_free(&self) -> Option<u64> {
        let mut number = FIRST_DESCRIPTOR;
        for taken in &self.descriptors {
            if *taken != number {
                break;
            }
            number += 1;
        }
        (number < self.weather.descriptors).then_some(number)
    }

    pub(super) fn give_descriptor(&mut self, number: Option<u64>) {
        if let Some(number) = number {
            self.descriptors.remove(&number);
        }
    }

    pub(super) fn descriptors_used(&self) -> usize {
        self.descriptors.len()
    }

    /// Breaks socket `id` off: the other side hears of it, perhaps before bytes that were sent earlier.
    pub(super) fn break_off(&mut self, id: u64, at: Time) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.phase = Phase::Gone;
        let other = socket.other;
        if other == 0 {
            return;
        }
        self.trace.add(at, "breaks off", id, 0);
        let mut arrival = self.arrival(id, at);
        if self.rng.chance(self.weather.overtaking_permille) {
            let under_way =
                |packet: &Packet| matches!(packet, Packet::Data { to, .. } | Packet::Fin { to } if *to == other);
            let keys: Vec<_> = self
                .arrivals
                .iter()
                .filter(|(_, p)| under_way(p))
                .map(|(key, _)| *key)
                .collect();
            let kept = usize::try_from(self.rng.below(keys.len() as u64 + 1)).unwrap_or(0);
            for key in keys.iter().skip(kept) {
                self.arrivals.remove(key);
            }
            if let Some((first_lost, _)) = keys.get(kept) {
                arrival = *first_lost;
            }
        }
        self.send_packet(arrival, Packet::Rst { to: other });
    }

    fn data(&mut self, to: u64, bytes: &[u8], at: Time) {
        let Some(socket) = self.sockets.get_mut(&to) else {
            return;
        };
        if socket.phase == Phase::Gone {
            return; // its own reset is under way, or has been
        }
        if socket.closed {
            // Nobody will read it, and what it has still to say is lost too.
            self.break_off(to, at);
            self.forget(to);
            return;
        }
        socket.unread.extend(bytes);
        self.trace.add(at, "gets", to, bytes.len());
        self.notify(to, at);
    }

    fn fin(&mut self, to: u64, at: Time) {
        let Some(socket) = self.sockets.get_mut(&to) else {
            return;
        };
        if socket.phase == Phase::Gone {
            return;
        }
        socket.fin = true;
        self.trace.add(at, "gets the end", to, 0);
        self.notify(to, at);
        self.forget(to);
    }

    fn rst(&mut self, to: u64, at: Time) {
        let is_half = self.leave_half(to);
        let Some(socket) = self.sockets.get_mut(&to) else {
            return;
        };
        if socket.phase == Phase::Gone {
            return;
        }
        // What does not fit the receiver's half of the window had not left the sender.
        socket.unread.truncate((socket.window / 2).max(1));
        socket.rst = true;
        socket.closed |= is_half;
        let error = if socket.fin { Errno::PIPE } else { Errno::CONNRESET };
        self.fail(to, error, at);
        self.forget(to);
    }

    pub(super) fn fail(&mut self, id: u64, error: Errno, at: Time) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.fail(error);
        self.trace
            .add(at, "fails", id, usize::try_from(error.raw_os_error()).unwrap_or(0));
        self.notify(id, at);
    }

    fn taken(&mut self, by: u64, len: usize, at: Time) {
        let Some(socket) = self.sockets.get_mut(&by) else {
            return;
        };
        socket.out = socket.out.saturating_sub(len);
        if socket.wants_room && socket.has_room() {
            socket.wants_room = false;
            self.notify(by, at);
        }
    }

    /// Lets go of a socket that nobody owns and that has nothing more to do.
    pub(super) fn forget(&mut self, id: u64) {
        if let Some(socket) = self.sockets.get(&id)
            && socket.closed
            && (socket.phase == Phase::Gone || (socket.fin && socket.said_end))
        {
            self.sockets.remove(&id);
        }
    }
}

pub(super) const NEVER: Time = Time::from_nanos(u64::MAX);
/// Standard streams, the runtime's own, the wake-up of signals: what a program has before its first socket.
const FIRST_DESCRIPTOR: u64 = 8;
/// `net.ipv4.ip_local_port_range`.
pub(super) const FIRST_PORT: u16 = 32_768;
/// A runtime that is busy looks at its sockets so much later.
const LATE: Duration = Duration::from_millis(5);
