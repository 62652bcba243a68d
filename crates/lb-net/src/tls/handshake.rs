use super::{Read, TlsStream, session::Session};
use crate::Stream;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, ProtocolVersion, ServerConfig};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A handshake that is under way. It is polled, not awaited, so that a state machine can hold it.
#[derive(Debug)]
pub struct Handshake {
    stream: Option<Box<TlsStream>>,
}

/// A handshake that failed.
#[derive(Debug)]
pub struct Refused {
    /// What went wrong.
    pub fault: TlsFault,
    /// The connection, whose alert has left as far as the socket took it. It says nothing more; whoever reads it until its
    /// end, for a moment, does not destroy the alert by a RST: what is read is not decrypted.
    pub stream: Option<Stream>,
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFault {
    /// One of the two sides does not take what the other said.
    #[error(transparent)]
    Protocol(rustls::Error),
    /// The peer went away in the middle.
    #[error("the connection ended in the middle of the handshake")]
    Ended,
    /// The socket broke.
    #[error(transparent)]
    Socket(io::Error),
}

impl Handshake {
    /// Begins as a server; `received` was read from the socket already, from its first byte on, and `server_name` found in
    /// it: rustls does not say which one it read.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn server(
        carrier: Stream,
        config: Arc<ServerConfig>,
        server_name: Option<&str>,
        received: &[u8],
    ) -> Result<Self, rustls::Error> {
        let mut session = Session::server(UnbufferedServerConnection::new(config)?);
        let mut received = received.to_vec();
        session.receive(&mut received, &mut []);
        Ok(Self::over(carrier, session, server_name.map(Box::from)))
    }

    /// Begins as a client.
    ///
    /// # Errors
    /// The configuration cannot be used with this name.
    pub fn client(
        carrier: Stream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, rustls::Error> {
        let mut session = Session::client(UnbufferedClientConnection::new(config, name)?);
        session.go_on();
        Ok(Self::over(carrier, session, None))
    }

    fn over(carrier: Stream, session: Session, server_name: Option<Box<str>>) -> Self {
        Self {
            stream: Some(Box::new(TlsStream::new(carrier, session, server_name))),
        }
    }

    /// The connection, once both sides agree. `Pending`: the task is woken when it can go on.
    ///
    /// # Errors
    /// Why not, with the socket. Polled again after it was ready: [`TlsFault::Ended`].
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, Refused>> {
        let outcome = match &self.stream {
            None => Err(TlsFault::Ended),
            Some(stream) => ready!(stream.poll_handshake(cx)),
        };
        let stream = self.stream.take();
        Poll::Ready(match (outcome, stream) {
            (Ok(()), Some(stream)) => Ok(Stream::Tls(stream)),
            (Ok(()), None) => Err(Refused {
                fault: TlsFault::Ended,
                stream: None,
            }),
            (Err(fault), stream) => {
                if let Some(stream) = &stream {
                    stream.cut();
                    stream.drain();
                }
                Err(Refused {
                    fault,
                    stream: stream.map(Stream::Tls),
                })
            }
        })
    }
}

impl TlsStream {
    fn poll_handshake(&self, cx: &mut Context<'_>) -> Poll<Result<(), TlsFault>> {
        let session = &mut *self.session.borrow_mut();
        for _ in 0..STEPS {
            if let Some(fault) = session.fault() {
                let fault = fault.clone();
                let _ = self.flush(session);
                return Poll::Ready(Err(TlsFault::Protocol(fault)));
            }
            let is_done = !session.common().is_handshaking();
            // The first payload of the other side may be here: then what is left to say, tickets of TLS 1.3, goes out with the
            // answer. In TLS 1.2 it is our part of the handshake, and a client that began early waits for it.
            if is_done && session.has_plain() {
                if session.common().protocol_version() == Some(ProtocolVersion::TLSv1_2) {
                    let _ = self.flush(session);
                }
                return Poll::Ready(Ok(()));
            }
            while self.flush(session).transpose().map_err(TlsFault::Socket)?.is_none() {
                ready!(self.carrier.poll_writable(cx)).map_err(TlsFault::Socket)?;
            }
            if is_done {
                return Poll::Ready(Ok(()));
            }
            if session.is_closed || session.at_end {
                return Poll::Ready(Err(TlsFault::Ended));
            }
            match self.pump(session, &mut [], Read::AsKnown) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(TlsFault::Socket(error))),
                None => ready!(self.carrier.poll_arrived(cx)).map_err(TlsFault::Socket)?,
            }
        }
        // Others have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// In one turn a handshake goes on so often.
const STEPS: usize = 64;
