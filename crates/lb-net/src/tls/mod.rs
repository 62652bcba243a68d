//! TLS over a socket: rustls is driven here, with buffers that belong to the thread.
//!
//! Why not tokio-rustls: it reads through a window of 4 KiB, keeps 4 KiB per idle connection, and knows neither when
//! all that was sent has left nor how a connection ended.

mod handshake;
mod scratch;
mod session;

pub use handshake::{Handshake, Refused, TlsFault};

use crate::{Ended, Stream};
use rustls::pki_types::CertificateDer;
use rustls::{HandshakeKind, ProtocolVersion};
use scratch::{AT_ONCE, MOST_BEFORE, MOST_UNFINISHED, OVERHEAD, RECORD, Scratch};
use session::Session;
use std::cell::RefCell;
use std::hint::cold_path;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

/// A connection over TLS, after its handshake.
///
/// It holds the ciphertext that the socket did not take (at most four records) and what was decrypted and not read (at
/// most what one read brought); an idle one holds neither.
#[derive(Debug)]
pub struct TlsStream {
    carrier: Stream,
    session: RefCell<Session>,
    /// The server name, of a client that asked for one.
    server_name: Option<Box<str>>,
}

/// What a handshake agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, by its IANA name.
    pub cipher: &'static str,
    /// The group of the key exchange; `None` of a resumed TLS 1.2 session, which has none.
    pub group: Option<&'static str>,
    /// The server name that was asked for.
    pub server_name: Option<String>,
    /// The application protocol that was agreed on.
    pub alpn: Option<Vec<u8>>,
    /// A session was taken up again.
    pub resumed: bool,
}

impl TlsStream {
    fn new(carrier: Stream, session: Session, server_name: Option<Box<str>>) -> Self {
        Self {
            carrier,
            session: RefCell::new(session),
            server_name,
        }
    }

    /// What carries it.
    pub(crate) const fn carrier(&self) -> &Stream {
        &self.carrier
    }

    /// What the handshake agreed on. Allocates for the names.
    #[must_use]
    pub fn facts(&self) -> TlsFacts {
        let session = self.session.borrow();
        let common = session.common();
        TlsFacts {
            version: match common.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "",
            },
            cipher: common
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .map_or("", iana),
            group: common
                .negotiated_key_exchange_group()
                .and_then(|group| group.name().as_str()),
            server_name: self.server_name.as_deref().map(str::to_owned),
            alpn: common.alpn_protocol().map(<[u8]>::to_vec),
            resumed: common.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }

    /// Looks at the certificates that the peer showed, its own first; `None`: it showed none.
    pub fn with_peer_certificates<R>(&self, look: impl FnOnce(Option<&[CertificateDer<'static>]>) -> R) -> R {
        look(self.session.borrow().common().peer_certificates())
    }

    /// How it came about; `None` while it has not.
    pub fn handshake_kind(&self) -> Option<HandshakeKind> {
        self.session.borrow().common().handshake_kind()
    }

    /// Looks at why nothing more can be read or written; `None`: nothing of TLS is why.
    pub fn with_fault<R>(&self, look: impl FnOnce(Option<&rustls::Error>) -> R) -> R {
        look(self.session.borrow().fault())
    }

    /// Looks at the protocol that was agreed on, without a copy.
    pub fn has_alpn(&self, protocol: &[u8]) -> bool {
        self.session.borrow().common().alpn_protocol() == Some(protocol)
    }

    pub(crate) fn try_recv(&self, into: &mut [u8]) -> Option<io::Result<usize>> {
        let session = &mut *self.session.borrow_mut();
        if session.drains {
            cold_path();
            return self.carrier.try_recv(into);
        }
        if session.has_plain() {
            return Some(Ok(session.take_plain(into)));
        }
        // Records without payload: tickets, updates of keys. Who sends nothing else is not listened to for ever.
        for _ in 0..FRUITLESS {
            if let Some(fault) = session.fault() {
                cold_path();
                return Some(Err(io::Error::new(io::ErrorKind::InvalidData, fault.clone())));
            }
            if session.is_closed || session.at_end {
                cold_path();
                return Some(Ok(0));
            }
            let filled = match self.pump(session, into, Read::AsKnown)? {
                Ok(filled) => filled,
                Err(error) => return Some(Err(error)),
            };
            if filled > 0 || session.has_plain() {
                return Some(Ok(filled));
            }
        }
        cold_path();
        Some(Err(io::Error::new(io::ErrorKind::InvalidData, Fruitless)))
    }

    /// Reads the socket once and decrypts what is whole. `None`: nothing has come.
    fn pump(&self, session: &mut Session, into: &mut [u8], read: Read) -> Option<io::Result<usize>> {
        if session.unfinished() > MOST_UNFINISHED {
            cold_path();
            return Some(Err(io::Error::new(io::ErrorKind::InvalidData, Unending)));
        }
        scratch::with(|scratch| {
            let input = scratch.input.room();
            let have = session.lay_down(input);
            // As much as the reader takes, or what the record that has begun still needs.
            let room = (into.len() + OVERHEAD)
                .max(session.missing().unwrap_or(0))
                .clamp(LEAST_READ, AT_ONCE + OVERHEAD);
            let room = input.get_mut(have..have + room).unwrap_or_default();
            let taken = match read {
                Read::AsKnown => self.carrier.try_recv(room),
                Read::Now => self.carrier.recv_now(room),
            };
            let len = match taken? {
                Ok(len) => len,
                Err(error) => return Some(Err(error)),
            };
            if len == 0 {
                cold_path();
                session.at_end = true;
                return Some(Ok(0));
            }
            let records = input.get_mut(..have + len).unwrap_or_default();
            let filled = session.receive(records, into);
            if !session.output().is_empty() && !session.common().is_handshaking() && !session.has_plain() && filled == 0
            {
                cold_path();
                // Whoever cannot send it now sends it with the next payload.
                let _ = self.flush(session);
            }
            Some(Ok(filled))
        })
    }

    /// Sends what waits; `None`: the socket does not take it all now.
    fn flush(&self, session: &mut Session) -> Option<io::Result<()>> {
        while !session.output().is_empty() {
            match self.carrier.try_send(session.output()) {
                Some(Ok(len)) => session.sent(len),
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    session.is_stuck = true;
                    return None;
                }
            }
        }
        session.is_stuck = false;
        if std::mem::take(&mut session.closes) {
            cold_path();
            self.carrier.close_write();
        }
        Some(Ok(()))
    }

    pub(crate) fn try_send(&self, bytes: &[u8]) -> Option<io::Result<usize>> {
        self.send(&mut self.session.borrow_mut(), &[IoSlice::new(bytes)])
    }

    /// Encrypts what fits into four records and sends it; what the socket does not take waits here. `None`: something
    /// waits already.
    fn send(&self, session: &mut Session, slices: &[IoSlice<'_>]) -> Option<io::Result<usize>> {
        if session.is_stuck || session.output().len() > MOST_BEFORE {
            cold_path();
            if let Err(error) = self.flush(session)? {
                return Some(Err(error));
            }
        }
        scratch::with(|scratch| {
            let Scratch { output, gather, .. } = scratch;
            let mut at = output.base + session.take_output(output.room());
            let mut pieces = Pieces::new(slices);
            let mut taken = 0;
            while taken < AT_ONCE
                && let Some(piece) = pieces.next(AT_ONCE - taken, gather.room())
            {
                let Some(end) = session.encrypt(piece, &mut output.bytes, at) else {
                    cold_path();
                    let fault = session.fault().cloned().unwrap_or(rustls::Error::EncryptError);
                    return Some(Err(io::Error::new(io::ErrorKind::BrokenPipe, fault)));
                };
                at = end;
                taken += piece.len();
            }
            let mut records = output.bytes.get(output.base..at).unwrap_or_default();
            while !records.is_empty() {
                match self.carrier.try_send(records) {
                    Some(Ok(len)) => records = records.get(len..).unwrap_or_default(),
                    Some(Err(error)) => {
                        cold_path();
                        return Some(Err(error));
                    }
                    None => {
                        cold_path();
                        session.keep(records);
                        session.is_stuck = true;
                        break;
                    }
                }
            }
            Some(Ok(taken))
        })
    }

    pub(crate) fn poll_send(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(sent) = self.send(&mut self.session.borrow_mut(), slices) {
                return Poll::Ready(sent);
            }
            ready!(self.carrier.poll_writable(cx))?;
        }
    }

    /// `Ready` when nothing waits here any more.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if let Some(flushed) = self.flush(&mut self.session.borrow_mut()) {
                return Poll::Ready(flushed);
            }
            ready!(self.carrier.poll_writable(cx))?;
        }
    }

    pub(crate) fn is_flushed(&self) -> bool {
        self.session.borrow().output().is_empty()
    }

    /// Something decrypted is here, or nothing more will come.
    pub(crate) fn holds_something(&self) -> bool {
        let session = self.session.borrow();
        // Else what is read is what the socket has.
        !session.drains && (session.has_plain() || session.is_closed || session.fault().is_some() || session.at_end)
    }

    /// Has payload, an end or an error come? What has none of them in it, such as a ticket, is taken.
    pub(crate) fn hears(&self, read: Read) -> bool {
        for _ in 0..FRUITLESS {
            if self.holds_something() {
                return true;
            }
            match self.pump(&mut self.session.borrow_mut(), &mut [], read) {
                None => return false,
                Some(Ok(_)) => {}
                Some(Err(_)) => {
                    self.session.borrow_mut().at_end = true;
                    return true;
                }
            }
        }
        true
    }

    /// How far the peer is, by what the kernel has now.
    pub(crate) fn ended(&self) -> Ended {
        self.hears(Read::Now);
        let session = self.session.borrow();
        if session.has_plain() {
            Ended::Open
        } else if session.is_closed {
            Ended::Clean
        } else if session.fault().is_some() || session.at_end {
            Ended::Cut
        } else {
            Ended::Open
        }
    }

    /// Says the end of our direction, behind all that was sent.
    pub(crate) fn close_write(&self) {
        let session = &mut *self.session.borrow_mut();
        if !session.is_cut {
            session.close();
        }
        session.closes = true;
        // Else it goes with whoever flushes next.
        let _ = self.flush(session);
    }

    /// From now on what comes is not decrypted: it is thrown away by whoever reads it.
    pub(crate) fn drain(&self) {
        self.session.borrow_mut().drains = true;
    }

    /// It ends without a word.
    pub(crate) fn cut(&self) {
        self.session.borrow_mut().is_cut = true;
    }
}

impl Drop for TlsStream {
    /// Says the end, if the socket takes it at once: what was sent before is whole.
    fn drop(&mut self) {
        let session = self.session.get_mut();
        if session.is_cut || session.common().is_handshaking() || session.is_stuck {
            return;
        }
        session.close();
        while !session.output().is_empty() {
            match self.carrier.try_send(session.output()) {
                Some(Ok(len)) => session.sent(len),
                Some(Err(_)) | None => break,
            }
        }
    }
}

/// What a read goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// What the runtime knows to have come.
    AsKnown,
    /// What the kernel has.
    Now,
}

/// The payload of one write, cut into what goes into records.
struct Pieces<'s> {
    part: &'s [u8],
    slices: std::slice::Iter<'s, IoSlice<'s>>,
}

impl<'s> Pieces<'s> {
    /// The next piece, of `most` bytes or fewer; a short one together with what follows it, in `gather`.
    fn next<'g>(&mut self, most: usize, gather: &'g mut [u8]) -> Option<&'g [u8]>
    where
        's: 'g,
    {
        if self.part.is_empty() {
            return None;
        }
        let is_alone = self.part.len() >= SHORT || self.slices.len() == 0;
        // Two copies of which none is slow cost a tenth of one that is.
        if is_alone && !scratch::is_slow_to_copy(self.part) {
            let (piece, rest) = self.part.split_at(self.part.len().min(most));
            self.part = rest;
            self.refill();
            return Some(piece);
        }
        let most = most.min(RECORD);
        let mut len = 0;
        while len < most && !self.part.is_empty() {
            let (now, later) = self.part.split_at(self.part.len().min(most - len));
            gather.get_mut(len..len + now.len())?.copy_from_slice(now);
            len += now.len();
            self.part = later;
            self.refill();
        }
        gather.get(..len)
    }

    fn new(slices: &'s [IoSlice<'s>]) -> Self {
        let mut pieces = Self {
            part: &[],
            slices: slices.iter(),
        };
        pieces.refill();
        pieces
    }

    fn refill(&mut self) {
        while self.part.is_empty()
            && let Some(slice) = self.slices.next()
        {
            self.part = slice;
        }
    }
}

/// The cipher suite by its name in the registry of IANA; rustls writes those of TLS 1.3 otherwise.
fn iana(name: &'static str) -> &'static str {
    match name {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}

/// So many reads in a row may bring no payload.
const FRUITLESS: usize = 32;
/// A piece shorter than this shares its record.
const SHORT: usize = 4096;
/// Less is never asked of the kernel.
const LEAST_READ: usize = 4096;

/// More of one message than any is long.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a handshake message of more than {MOST_UNFINISHED} bytes")]
struct Unending;

/// Nothing but records without payload.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the peer sends records without payload, one after the other")]
struct Fruitless;

#[cfg(test)]
mod tests;
