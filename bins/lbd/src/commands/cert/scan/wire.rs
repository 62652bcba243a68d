//! One connection with a deadline for everything and a limit for what is read.

use super::error::{ScanError, Stage};
use super::shown::Line;
use super::target::Target;
use lb_net::clock::monotonic;
use lb_types::Time;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

/// When all has to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    end: Time,
    timeout: Duration,
}

impl Deadline {
    pub(super) fn of(timeout: Duration) -> Self {
        Self {
            end: monotonic().after(timeout),
            timeout,
        }
    }

    /// What is left; `None` when that is nothing.
    fn left(self) -> Option<Duration> {
        let left = self.end.since(monotonic());
        (!left.is_zero()).then_some(left)
    }
}

/// A connection that is read in lines, in parts, or as it comes.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    address: SocketAddr,
    deadline: Deadline,
    /// What was received and not yet taken.
    held: Vec<u8>,
    received: usize,
    lines: usize,
}

impl Wire {
    /// Looks the host up and connects to the first of its addresses that answers.
    pub(super) fn connect(target: &Target, deadline: Deadline) -> Result<Self, ScanError> {
        let addresses = resolve(target, deadline)?;
        let mut tried = Vec::new();
        let number = addresses.len();
        for (index, address) in addresses.into_iter().enumerate() {
            // So that one that says nothing leaves time for the others.
            let parts = u32::try_from(number.saturating_sub(index)).unwrap_or(1).max(1);
            let Some(left) = deadline.left() else {
                tried.push((address, io::ErrorKind::TimedOut.into()));
                break;
            };
            let share = (left / parts).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, share) {
                Ok(stream) => {
                    return Ok(Self {
                        stream,
                        address,
                        deadline,
                        held: Vec::new(),
                        received: 0,
                        lines: 0,
                    });
                }
                Err(error) => tried.push((address, error)),
            }
        }
        Err(ScanError::Unreachable { tried })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many bytes came.
    pub(super) const fn received(&self) -> usize {
        self.received
    }

    pub(super) fn send(&mut self, mut bytes: &[u8], stage: Stage) -> Result<(), ScanError> {
        while !bytes.is_empty() {
            let left = self.left(stage)?;
            let written = self.stream.set_write_timeout(Some(left));
            match written.and_then(|()| self.stream.write(bytes)) {
                Ok(0) => return Err(self.closed(stage)),
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(stage, error)),
            }
        }
        Ok(())
    }

    /// What came, at least one byte.
    pub(super) fn some(&mut self, stage: Stage) -> Result<Vec<u8>, ScanError> {
        if self.held.is_empty() {
            self.fill(stage)?;
        }
        Ok(std::mem::take(&mut self.held))
    }

    /// Waits until at least so many bytes are there, and shows all that are; fewer when the server closes.
    pub(super) fn peek(&mut self, least: usize, stage: Stage) -> Result<&[u8], ScanError> {
        while self.held.len() < least {
            match self.fill(stage) {
                Ok(()) => {}
                Err(_) if !self.held.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(&self.held)
    }

    /// Exactly so many bytes, at most [`MOST_LINE`].
    pub(super) fn exactly(&mut self, number: usize, stage: Stage) -> Result<Vec<u8>, ScanError> {
        if number > MOST_LINE {
            return Err(self.long_line(stage));
        }
        while self.held.len() < number {
            self.fill(stage)?;
        }
        Ok(self.held.drain(..number).collect())
    }

    /// A line without its end, or a part that ends with another byte.
    pub(super) fn line(&mut self, end: u8, stage: Stage) -> Result<Vec<u8>, ScanError> {
        if self.lines == MOST_LINES {
            return Err(ScanError::ManyLines {
                address: self.address,
                stage,
                most: MOST_LINES,
            });
        }
        let mut looked_at = 0;
        loop {
            let fresh = self.held.get(looked_at..).unwrap_or_default();
            let found = fresh.iter().position(|byte| *byte == end);
            let length = found.map(|at| looked_at.saturating_add(at).saturating_add(1));
            if length.unwrap_or(self.held.len()) > MOST_LINE {
                return Err(self.long_line(stage));
            }
            if let Some(length) = length {
                self.lines += 1;
                let mut line: Vec<u8> = self.held.drain(..length).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            looked_at = self.held.len();
            self.fill(stage)?;
        }
    }

    fn fill(&mut self, stage: Stage) -> Result<(), ScanError> {
        let room = MOST_BYTES.saturating_sub(self.received);
        if room == 0 {
            return Err(ScanError::TooMuch {
                address: self.address,
                stage,
                most: MOST_BYTES,
            });
        }
        let mut buffer = [0; 4096];
        let most = room.min(buffer.len());
        let space = buffer.get_mut(..most).unwrap_or_default();
        loop {
            let left = self.left(stage)?;
            let read = self.stream.set_read_timeout(Some(left));
            match read.and_then(|()| self.stream.read(space)) {
                Ok(0) => return Err(self.closed(stage)),
                Ok(number) => {
                    self.held.extend_from_slice(space.get(..number).unwrap_or_default());
                    self.received = self.received.saturating_add(number);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(stage, error)),
            }
        }
    }

    fn left(&self, stage: Stage) -> Result<Duration, ScanError> {
        self.deadline.left().ok_or_else(|| self.silent(stage))
    }

    const fn silent(&self, stage: Stage) -> ScanError {
        ScanError::Silent {
            address: self.address,
            stage,
            timeout: self.deadline.timeout,
        }
    }

    pub(super) const fn closed(&self, stage: Stage) -> ScanError {
        ScanError::Closed {
            address: self.address,
            stage,
        }
    }

    fn broken(&self, stage: Stage, source: io::Error) -> ScanError {
        match source.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.silent(stage),
            _ => ScanError::Broken {
                address: self.address,
                stage,
                source,
            },
        }
    }

    fn long_line(&self, stage: Stage) -> ScanError {
        ScanError::LongLine {
            address: self.address,
            stage,
            most: MOST_LINE,
            line: Line::new(&self.held),
        }
    }
}

/// The addresses of a host. The system's resolver knows no deadline, so a thread waits for it, and is left behind when
/// time runs out.
fn resolve(target: &Target, deadline: Deadline) -> Result<Vec<SocketAddr>, ScanError> {
    if let Some(address) = target.address() {
        return Ok(vec![SocketAddr::new(address, target.port)]);
    }
    let host = target.host.clone();
    let timeout = |host| ScanError::NameTimeout {
        host,
        timeout: deadline.timeout,
    };
    let Some(left) = deadline.left() else {
        return Err(timeout(host));
    };
    let (sender, receiver) = mpsc::channel();
    let question = (host.clone(), target.port);
    std::thread::spawn(move || {
        let answer = question.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody may wait for it any more.
        let _ = sender.send(answer);
    });
    match receiver.recv_timeout(left) {
        Ok(Ok(addresses)) if addresses.is_empty() => Err(ScanError::NoAddress { host }),
        Ok(Ok(mut addresses)) => {
            addresses.truncate(MOST_ADDRESSES);
            Ok(addresses)
        }
        Ok(Err(source)) => Err(ScanError::Name { host, source }),
        Err(_) => Err(timeout(host)),
    }
}

/// All that is ever read. The largest message of certificates that rustls takes has 64 KiB.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// One line of a dialogue, its end included: SMTP allows 512 (RFC 5321, section 4.5.3.1.5), others a little more.
pub(super) const MOST_LINE: usize = 1000;
/// The lines of a dialogue together: a server greets and lists what it can do in some twenty.
pub(super) const MOST_LINES: usize = 100;
/// How many addresses of one name are tried.
const MOST_ADDRESSES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// A wire whose other side says these pieces and closes.
    fn wire(pieces: Vec<Vec<u8>>) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for piece in pieces {
                // Who has seen enough is gone.
                let _ = stream.write_all(&piece);
            }
        });
        let target = Target {
            host: "127.0.0.1".to_owned(),
            port,
        };
        Wire::connect(&target, Deadline::of(Duration::from_secs(30))).unwrap()
    }

    const STAGE: Stage = Stage::Answer("a test");

    #[test]
    fn a_line_has_at_most_1000_bytes() {
        let line = |length: usize| [vec![b'a'; length], b"\r\n".to_vec()].concat();
        let most = wire(vec![line(998)]).line(b'\n', STAGE).unwrap();
        assert_eq!(most, vec![b'a'; 998]);
        for long in [line(999), vec![b'a'; 1001]] {
            let error = wire(vec![long]).line(b'\n', STAGE).unwrap_err();
            assert!(matches!(error, ScanError::LongLine { most: 1000, .. }), "{error}");
        }
    }

    #[test]
    fn a_dialogue_has_at_most_100_lines() {
        let mut wire = wire(vec![b"a\n".repeat(101)]);
        for _ in 0..100 {
            assert_eq!(wire.line(b'\n', STAGE).unwrap(), b"a");
        }
        let error = wire.line(b'\n', STAGE).unwrap_err();
        assert!(matches!(error, ScanError::ManyLines { most: 100, .. }), "{error}");
    }

    #[test]
    fn a_mebibyte_is_read_and_not_one_byte_more() {
        let read = |number: usize| {
            let mut wire = wire(vec![vec![0; number]]);
            loop {
                if let Err(error) = wire.some(STAGE) {
                    return (wire.received(), error);
                }
            }
        };
        let (number, error) = read(1 << 20);
        assert_eq!(number, 1 << 20);
        assert!(matches!(error, ScanError::TooMuch { .. }), "{error}");
        let (number, error) = read((1 << 20) - 1);
        assert_eq!(number, (1 << 20) - 1);
        assert!(matches!(error, ScanError::Closed { .. }), "{error}");
        let (number, error) = read((1 << 20) + 1);
        assert_eq!(number, 1 << 20);
        assert!(matches!(error, ScanError::TooMuch { .. }), "{error}");
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut() {
        let text = b"220 one\r\n250-two\n\r\nrest";
        for cut in 0..=text.len() {
            let (one, two) = text.split_at(cut);
            let mut wire = wire(vec![one.to_vec(), two.to_vec()]);
            let lines: Vec<Vec<u8>> = (0..3).map(|_| wire.line(b'\n', STAGE).unwrap()).collect();
            assert_eq!(lines, [&b"220 one"[..], b"250-two", b""], "{cut}");
            assert_eq!(wire.exactly(4, STAGE).unwrap(), b"rest", "{cut}");
            assert!(matches!(wire.exactly(1, STAGE), Err(ScanError::Closed { .. })));
        }
    }
}
