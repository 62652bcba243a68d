//! One side of a TLS connection without its socket: records in, bytes out, and the other way round.
//!
//! rustls lends its state between calls and takes both buffers from its caller; this file is all that knows how. It has
//! three gaps that are closed here: a record that is not whole stays with us, decrypted bytes that nobody has room for
//! too, and after an error the alert has to be asked for once more.

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CommonState, Error};
use std::hint::cold_path;

/// The state of one side.
pub(super) struct Session {
    conn: Conn,
    /// Records that are not whole, or of a message that is not; empty at most times.
    input: Vec<u8>,
    /// Decrypted, and not read yet.
    plain: Rest,
    /// Encrypted, and not sent yet.
    output: Rest,
    /// Why nothing more can be read or written.
    fault: Option<Box<Error>>,
    /// The peer said that it has no more.
    pub(super) is_closed: bool,
    /// The peer's direction of the socket is over.
    pub(super) at_end: bool,
    /// Ours is to end as soon as all that was sent has left.
    pub(super) closes: bool,
    /// It ends without a word.
    pub(super) is_cut: bool,
    /// What comes is not decrypted any more.
    pub(super) drains: bool,
    /// What waits is behind a write that the socket did not take.
    pub(super) is_stuck: bool,
}

/// Bytes of which the first ones are used up already.
struct Rest {
    bytes: Vec<u8>,
    at: usize,
}

impl Rest {
    const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
        }
    }

    fn left(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    const fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// So many are used up; with the last one goes the memory.
    fn consume(&mut self, len: usize) {
        self.at += len;
        if self.is_empty() {
            *self = Self::new();
        }
    }
}

/// Either role. Not in boxes of their own: a connection's state is one piece of memory.
enum Conn {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// What one step of rustls came to.
enum Step {
    Again,
    /// It has no more to say until it gets more.
    Rest,
}

/// Calls one method on the connection of either role.
macro_rules! each {
    ($conn:expr, $it:ident => $do:expr) => {
        match $conn {
            Conn::Server($it) => $do,
            Conn::Client($it) => $do,
        }
    };
}

impl Session {
    pub(super) fn server(conn: UnbufferedServerConnection) -> Self {
        Self::new(Conn::Server(conn))
    }

    pub(super) fn client(conn: UnbufferedClientConnection) -> Self {
        Self::new(Conn::Client(conn))
    }

    const fn new(conn: Conn) -> Self {
        Self {
            conn,
            input: Vec::new(),
            plain: Rest::new(),
            output: Rest::new(),
            fault: None,
            is_closed: false,
            at_end: false,
            closes: false,
            is_cut: false,
            drains: false,
            is_stuck: false,
        }
    }

    /// What both roles know of the connection.
    pub(super) fn common(&self) -> &CommonState {
        each!(&self.conn, it => it)
    }

    pub(super) fn fault(&self) -> Option<&Error> {
        self.fault.as_deref()
    }

    /// Bytes that were decrypted and not read.
    pub(super) const fn has_plain(&self) -> bool {
        !self.plain.is_empty()
    }

    /// Takes what was decrypted before; 0: nothing is here.
    pub(super) fn take_plain(&mut self, into: &mut [u8]) -> usize {
        let here = self.plain.left();
        let len = here.len().min(into.len());
        if let (Some(into), Some(here)) = (into.get_mut(..len), here.get(..len)) {
            into.copy_from_slice(here);
        }
        self.plain.consume(len);
        len
    }

    /// How many bytes wait for the rest of their record.
    pub(super) const fn unfinished(&self) -> usize {
        self.input.len()
    }

    /// How many bytes the record that has begun is short of; `None`: its length is not known.
    pub(super) fn missing(&self) -> Option<usize> {
        let length = self.input.get(3..5)?;
        let whole = 5 + length.iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte));
        Some(whole.saturating_sub(self.input.len()))
    }

    /// Puts what waits into the beginning of `buffer`; says how long it is.
    pub(super) fn lay_down(&mut self, buffer: &mut [u8]) -> usize {
        let len = self.input.len();
        if len == 0 {
            return 0;
        }
        cold_path();
        let Some(room) = buffer.get_mut(..len) else { return 0 };
        room.copy_from_slice(&self.input);
        len
    }

    /// Takes records; `records` begins with what [`Session::lay_down`] put there, when it did. What is decrypted goes
    /// into `into` as far as there is room; says how much.
    pub(super) fn receive(&mut self, records: &mut [u8], into: &mut [u8]) -> usize {
        let mut filled = 0;
        let mut done = 0;
        while self.fault.is_none() && !self.is_closed {
            let Some(rest) = records.get_mut(done..) else { break };
            let (discard, step) = self.step(rest, into, &mut filled);
            done += discard;
            if matches!(step, Step::Rest) {
                break;
            }
        }
        // What lies behind an end or a fault is nobody's.
        let rest = match records.get(done..) {
            Some(rest) if self.fault.is_none() && !self.is_closed => rest,
            _ => &[],
        };
        if rest.is_empty() {
            if self.input.capacity() > 0 {
                self.input = Vec::new();
            }
        } else {
            cold_path();
            self.input.clear();
            self.input.extend_from_slice(rest);
        }
        filled
    }

    /// Lets rustls go on without anything new: what it has to say is in the output then.
    pub(super) fn go_on(&mut self) {
        // It may refer to what it was given before, so that is given again.
        let mut waiting = std::mem::take(&mut self.input);
        let mut done = 0;
        while self.fault.is_none() {
            let Some(rest) = waiting.get_mut(done..) else { break };
            let (discard, step) = self.step(rest, &mut [], &mut 0);
            done += discard;
            if matches!(step, Step::Rest) {
                break;
            }
        }
        waiting.drain(..done.min(waiting.len()));
        self.input = waiting;
    }

    fn step(&mut self, records: &mut [u8], into: &mut [u8], filled: &mut usize) -> (usize, Step) {
        let Self {
            conn,
            plain,
            output,
            is_closed,
            ..
        } = self;
        let mut place = Place {
            into,
            filled,
            plain: &mut plain.bytes,
            output: &mut output.bytes,
            is_closed,
        };
        let (discard, step) = each!(conn, it => place.take(it.process_tls_records(records)));
        let step = step.unwrap_or_else(|error| {
            cold_path();
            // The alert for it is queued, and comes out before the error is said again.
            // With nothing queued the same record would be taken, and complained of, again.
            let mut done = discard;
            while each!(&*conn, it => it.wants_write())
                && let Some(rest) = records.get_mut(done..)
            {
                let (discard, step) = each!(conn, it => place.take(it.process_tls_records(rest)));
                done += discard;
                if step.is_err() {
                    break;
                }
            }
            self.fault = Some(Box::new(error));
            Step::Rest
        });
        (discard, step)
    }

    /// Encrypts `bytes` behind what waits to be sent, into `buffer` from `at` on; says where it ends. `None`: nothing can
    /// be encrypted any more.
    pub(super) fn encrypt(&mut self, bytes: &[u8], buffer: &mut Vec<u8>, at: usize) -> Option<usize> {
        self.with_traffic(buffer, at, |traffic, room| match traffic {
            Traffic::Server(it) => it.encrypt(bytes, room),
            Traffic::Client(it) => it.encrypt(bytes, room),
        })
    }

    /// Says the end of our direction, in the output.
    pub(super) fn close(&mut self) {
        if self.fault.is_some() || self.common().is_handshaking() {
            return;
        }
        let mut alert = vec![0; 256];
        let end = self.with_traffic(&mut alert, 0, |traffic, room| match traffic {
            Traffic::Server(it) => it.queue_close_notify(room),
            Traffic::Client(it) => it.queue_close_notify(room),
        });
        self.keep(alert.get(..end.unwrap_or(0)).unwrap_or_default());
        self.go_on();
    }

    fn with_traffic(
        &mut self,
        buffer: &mut Vec<u8>,
        at: usize,
        mut write: impl FnMut(Traffic<'_, '_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Option<usize> {
        self.go_on();
        if self.fault.is_some() {
            return None;
        }
        for _ in 0..2 {
            let room = buffer.get_mut(at..)?;
            let written = match &mut self.conn {
                Conn::Server(conn) => match conn.process_tls_records(&mut self.input).state {
                    Ok(ConnectionState::WriteTraffic(mut it)) => write(Traffic::Server(&mut it), room),
                    _ => return None,
                },
                Conn::Client(conn) => match conn.process_tls_records(&mut self.input).state {
                    Ok(ConnectionState::WriteTraffic(mut it)) => write(Traffic::Client(&mut it), room),
                    _ => return None,
                },
            };
            match written {
                Ok(len) => return Some(at + len),
                Err(EncryptError::InsufficientSize(error)) => {
                    cold_path();
                    buffer.resize(at + error.required_size, 0);
                }
                Err(EncryptError::EncryptExhausted) => {
                    cold_path();
                    self.fault = Some(Box::new(Error::EncryptError));
                    return None;
                }
            }
        }
        None
    }

    /// What waits to be sent.
    pub(super) fn output(&self) -> &[u8] {
        self.output.left()
    }

    /// So much of it went.
    pub(super) fn sent(&mut self, len: usize) {
        self.output.consume(len);
    }

    /// What the socket did not take, behind all that waits.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.output.bytes.extend_from_slice(bytes);
    }

    /// All of it goes into `buffer`; says how long it was.
    pub(super) fn take_output(&mut self, buffer: &mut [u8]) -> usize {
        let waiting = self.output();
        let len = waiting.len();
        if len == 0 {
            return 0;
        }
        cold_path();
        let Some(room) = buffer.get_mut(..len) else { return 0 };
        room.copy_from_slice(waiting);
        self.sent(len);
        len
    }
}

/// Where rustls may write, of either role.
enum Traffic<'a, 'c> {
    Server(&'a mut rustls::unbuffered::WriteTraffic<'c, rustls::server::ServerConnectionData>),
    Client(&'a mut rustls::unbuffered::WriteTraffic<'c, rustls::client::ClientConnectionData>),
}

/// Where what a step gives is put.
struct Place<'a> {
    into: &'a mut [u8],
    filled: &'a mut usize,
    plain: &'a mut Vec<u8>,
    output: &'a mut Vec<u8>,
    is_closed: &'a mut bool,
}

impl Place<'_> {
    fn take<Data>(&mut self, status: UnbufferedStatus<'_, '_, Data>) -> (usize, Result<Step, Error>) {
        let mut discard = status.discard;
        let state = match status.state {
            Ok(state) => state,
            Err(error) => return (discard, Err(error)),
        };
        let step = match state {
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    match record {
                        Ok(record) => {
                            discard += record.discard;
                            self.read(record.payload);
                        }
                        Err(error) => return (discard, Err(error)),
                    }
                }
                Step::Again
            }
            ConnectionState::EncodeTlsData(mut record) => {
                let at = self.output.len();
                // A record is at most 16 KiB and a bit; most are a few hundred bytes.
                self.output.resize(at + 512, 0);
                let mut encoded = record.encode(self.output.get_mut(at..).unwrap_or_default());
                if let Err(EncodeError::InsufficientSize(error)) = &encoded {
                    self.output.resize(at + error.required_size, 0);
                    encoded = record.encode(self.output.get_mut(at..).unwrap_or_default());
                }
                self.output.truncate(at + encoded.unwrap_or(0));
                Step::Again
            }
            ConnectionState::TransmitTlsData(sent) => {
                // It has gone as far as rustls is concerned: the output keeps its order.
                sent.done();
                Step::Again
            }
            ConnectionState::PeerClosed => {
                *self.is_closed = true;
                Step::Again
            }
            // Early data is not offered.
            _ => Step::Rest,
        };
        (discard, Ok(step))
    }

    fn read(&mut self, bytes: &[u8]) {
        let room = self.into.get_mut(*self.filled..).unwrap_or_default();
        let here = if self.plain.is_empty() {
            bytes.len().min(room.len())
        } else {
            0
        };
        let (now, later) = bytes.split_at(here);
        if let Some(room) = room.get_mut(..here) {
            room.copy_from_slice(now);
        }
        *self.filled += here;
        if !later.is_empty() {
            cold_path();
            self.plain.extend_from_slice(later);
        }
    }
}

impl std::fmt::Debug for Session {
    /// No byte of what it holds.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("unfinished", &self.input.len())
            .field("plain", &self.plain.left().len())
            .field("output", &self.output().len())
            .field("is_closed", &self.is_closed)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}
