//! Bytes both ways until both sides are done: TCP listeners and upgraded connections.

use crate::buffer::Buffer;
use crate::core::Core;
use lb_net::{reset, shutdown_write};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

/// Two connections and what is between them. It owns a buffer only while bytes wait in it.
#[derive(Debug)]
pub(crate) struct Tunnel {
    client: Option<TcpStream>,
    upstream: Option<TcpStream>,
    up: Half,
    down: Half,
}

/// How a tunnel ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TunnelEnd {
    /// Both sides closed.
    Done,
    /// One side reset; the other was reset too.
    Reset { by_client: bool },
}

#[derive(Debug)]
struct Half {
    buffer: Buffer,
    eof: bool,
    closed: bool,
    large: bool,
    bytes: u64,
}

enum Broken {
    Reading,
    Writing,
}

impl Tunnel {
    /// `early` are bytes that the client, `late` bytes that the backend sent already.
    pub(crate) fn new(client: TcpStream, upstream: TcpStream, early: Buffer, late: Buffer) -> Self {
        Self {
            client: Some(client),
            upstream: Some(upstream),
            up: Half::new(early),
            down: Half::new(late),
        }
    }

    /// Moves what can be moved. `Ready` ends it; `Pending(true)` says that something moved.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, core: &Core) -> (Poll<TunnelEnd>, bool) {
        let before = self.up.bytes + self.down.bytes + u64::from(self.up.eof) + u64::from(self.down.eof);
        let end = self.poll_halves(cx, core);
        let after = self.up.bytes + self.down.bytes + u64::from(self.up.eof) + u64::from(self.down.eof);
        (end, after != before)
    }

    /// Bytes from the client and from the backend so far.
    pub(crate) const fn bytes(&self) -> (u64, u64) {
        (self.up.bytes, self.down.bytes)
    }

    /// Ends both connections in order: a deadline passed.
    pub(crate) fn close(&mut self, core: &Core) {
        self.client = None;
        self.upstream = None;
        self.release(core);
    }

    /// Ends both connections with a RST: one side did.
    fn abort(&mut self, core: &Core) {
        for stream in [self.client.take(), self.upstream.take()].into_iter().flatten() {
            reset(stream);
        }
        self.release(core);
    }

    fn poll_halves(&mut self, cx: &mut Context<'_>, core: &Core) -> Poll<TunnelEnd> {
        let (Some(client), Some(upstream)) = (&mut self.client, &mut self.upstream) else {
            return Poll::Ready(TunnelEnd::Done);
        };
        let by_client = match (
            self.up.poll(cx, core, client, upstream),
            self.down.poll(cx, core, upstream, client),
        ) {
            (Ok(()), Ok(())) => {
                if !(self.up.closed && self.down.closed) {
                    return Poll::Pending;
                }
                self.client = None;
                self.upstream = None;
                self.release(core);
                return Poll::Ready(TunnelEnd::Done);
            }
            (Err(Broken::Reading), _) | (_, Err(Broken::Writing)) => true,
            (Err(Broken::Writing), _) | (_, Err(Broken::Reading)) => false,
        };
        self.abort(core);
        Poll::Ready(TunnelEnd::Reset { by_client })
    }

    fn release(&mut self, core: &Core) {
        for half in [&mut self.up, &mut self.down] {
            core.give_buffer(std::mem::replace(&mut half.buffer, Buffer::empty()));
        }
    }
}

impl Half {
    const fn new(buffer: Buffer) -> Self {
        Self {
            buffer,
            eof: false,
            closed: false,
            large: false,
            bytes: 0,
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        core: &Core,
        from: &mut TcpStream,
        to: &mut TcpStream,
    ) -> Result<(), Broken> {
        loop {
            while !self.buffer.is_empty() {
                match Pin::new(&mut *to).poll_write(cx, self.buffer.filled()) {
                    Poll::Ready(Ok(n)) => {
                        self.buffer.consume(n);
                        self.bytes += n as u64;
                    }
                    Poll::Ready(Err(_)) => return Err(Broken::Writing),
                    // Back-pressure: nothing more is read until this is gone.
                    Poll::Pending => return Ok(()),
                }
            }
            if self.eof {
                if !self.closed {
                    shutdown_write(to);
                    self.closed = true;
                    core.give_buffer(std::mem::replace(&mut self.buffer, Buffer::empty()));
                }
                return Ok(());
            }
            if self.buffer.capacity() == 0 {
                match from.poll_read_ready(cx) {
                    Poll::Ready(Ok(())) => self.buffer = core.take_buffer(self.large),
                    Poll::Ready(Err(_)) => return Err(Broken::Reading),
                    Poll::Pending => return Ok(()),
                }
            }
            match self.buffer.poll_read(cx, from) {
                Poll::Ready(Ok(0)) => self.eof = true,
                Poll::Ready(Ok(n)) => {
                    let full = n == self.buffer.capacity();
                    if full && !self.large {
                        self.large = true;
                        self.buffer.enlarge(core);
                    } else if !full && n < crate::buffer::SMALL / 2 {
                        self.large = false;
                    }
                }
                Poll::Ready(Err(_)) => return Err(Broken::Reading),
                Poll::Pending => {
                    // Nothing to hold: the buffer serves somebody else meanwhile.
                    core.give_buffer(std::mem::replace(&mut self.buffer, Buffer::empty()));
                    return Ok(());
                }
            }
        }
    }
}
