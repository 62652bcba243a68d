//! The system calls of a connection.

use super::kernel::{Kernel, Packet};
use super::socket::Phase;
use super::weather::Draw as _;
use lb_types::Time;
use rustix::io::Errno;
use std::io;

impl Kernel {
    /// recv(2).
    pub(super) fn receive(&mut self, id: u64, into: &mut [u8], at: Time) -> io::Result<usize> {
        let socket = self.sockets.get_mut(&id).ok_or(Errno::NOTCONN)?;
        let had = socket.unread.len();
        let taken = socket.take(into, false);
        let (other, freed) = (socket.other, had - socket.unread.len());
        self.trace.add(at, "reads", id, freed);
        if freed > 0 {
            let arrival = at + self.rng_latency(id);
            self.send_packet(arrival, Packet::Taken { by: other, len: freed });
            self.run(at);
        }
        taken
    }

    /// The word that room has come back may overtake others: it is no part of the stream.
    fn rng_latency(&mut self, id: u64) -> std::time::Duration {
        let latency = self.sockets.get(&id).map(|socket| socket.latency.clone());
        latency.map_or(std::time::Duration::ZERO, |latency| self.rng.time(&latency))
    }

    /// recv(2) with `MSG_PEEK` and one byte.
    pub(super) fn peek(&mut self, id: u64) -> io::Result<usize> {
        let socket = self.sockets.get_mut(&id).ok_or(Errno::NOTCONN)?;
        socket.take(&mut [0], true)
    }

    /// send(2).
    pub(super) fn send(&mut self, id: u64, bytes: &[u8], at: Time) -> io::Result<usize> {
        let socket = self.sockets.get_mut(&id).ok_or(Errno::PIPE)?;
        socket.may_send()?;
        if bytes.is_empty() {
            return Ok(0);
        }
        if socket.is_full() {
            socket.wants_room = true;
            return Err(Errno::AGAIN.into());
        }
        let room = socket.window - socket.out;
        let mut len = room.min(bytes.len());
        if len < bytes.len() {
            socket.wants_room = true;
        }
        let other = socket.other;
        if self.rng.chance(self.weather.short_send_permille) {
            // Whoever sent a part only waits to be told that there is room.
            len = self.rng.size(&(1..=len));
            self.notify(id, at);
        }
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.out += len;
        }
        self.trace.add(at, "sends", id, len);
        let mut rest = bytes.get(..len).unwrap_or_default();
        while !rest.is_empty() {
            let piece = self.weather.piece.clone();
            let (now, later) = rest.split_at(self.rng.size(&piece).min(rest.len()));
            let arrival = self.arrival(id, at);
            let bytes = now.to_vec();
            self.send_packet(arrival, Packet::Data { to: other, bytes });
            rest = later;
        }
        self.run(at);
        Ok(len)
    }

    /// shutdown(2) of the writing half.
    pub(super) fn shut(&mut self, id: u64, at: Time) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        if socket.phase != Phase::Open || socket.said_end {
            return;
        }
        socket.said_end = true;
        let other = socket.other;
        self.trace.add(at, "ends", id, 0);
        let arrival = self.arrival(id, at);
        self.send_packet(arrival, Packet::Fin { to: other });
        self.notify(id, at);
        self.run(at);
    }

    /// close(2).
    pub(super) fn close(&mut self, id: u64, at: Time) {
        self.run(at);
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.closed = true;
        let descriptor = socket.descriptor.take();
        let (phase, other, is_unix) = (socket.phase, socket.other, socket.is_unix);
        let has_unread = !socket.unread.is_empty();
        self.give_descriptor(descriptor);
        self.trace.add(at, "closes", id, usize::from(has_unread));
        match phase {
            Phase::Gone => {}
            Phase::Asking => {
                if let Some(socket) = self.sockets.get_mut(&id) {
                    socket.phase = Phase::Gone;
                }
            }
            Phase::Open if is_unix => self.close_unix(id, other, has_unread, at),
            Phase::Open if has_unread => self.break_off(id, at),
            Phase::Open => self.shut(id, at),
        }
        self.run(at);
        self.forget(id);
    }

    /// The other end of a Unix domain socket knows at once.
    fn close_unix(&mut self, id: u64, other: u64, has_unread: bool, at: Time) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.phase = Phase::Gone;
        }
        if let Some(socket) = self.sockets.get_mut(&other) {
            socket.fin = true;
            socket.said_end = true;
            if has_unread {
                socket.rst = true;
                socket.error = Some(Errno::CONNRESET);
            }
            self.notify(other, at);
            self.forget(other);
        }
    }

    /// close(2) with a lingering time of zero.
    pub(super) fn reset(&mut self, id: u64, at: Time) {
        self.run(at);
        let is_open = |socket: &super::socket::Socket| socket.phase == Phase::Open && !socket.is_unix;
        if self.sockets.get(&id).is_some_and(is_open) {
            self.break_off(id, at);
        }
        self.close(id, at);
    }
}
