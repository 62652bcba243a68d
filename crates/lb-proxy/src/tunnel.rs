//! Bytes both ways until both sides are done: TCP listeners and upgraded connections.

use crate::buffer::{Buffer, LARGE, SMALL};
use crate::core::Core;
use lb_net::{Filled, Plain, Splice, Stream};
use std::io;
use std::task::{Context, Poll};

/// Two connections and what is between them. It owns a buffer, or a pipe in the kernel, only while
/// bytes wait in it.
#[derive(Debug)]
pub(crate) struct Tunnel {
    client: Option<Stream>,
    upstream: Option<Stream>,
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
    /// Rises with every read that filled a large buffer and falls with every small one: from
    /// [`BULK`] on bytes go through the kernel's pipe.
    bulk: u8,
    splice: Option<Splice>,
    bytes: u64,
}

enum Broken {
    Reading,
    Writing,
}

impl Tunnel {
    /// `early` are bytes that the client, `late` bytes that the backend sent already.
    pub(crate) fn new(client: Stream, upstream: Stream, early: Buffer, late: Buffer) -> Self {
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

    /// Who reset it, for the log.
    pub(crate) const fn reset_by(&self, by_client: bool) -> &'static str {
        match (by_client, self.down.bytes) {
            (true, _) => "by the client",
            (false, 0) => "by the backend, which sent nothing before",
            (false, _) => "by the backend",
        }
    }

    /// Is a reset the backend's fault? Whoever was left by the client may well hang up at once.
    pub(crate) const fn is_backends_fault(&self, by_client: bool) -> bool {
        !by_client && !self.up.eof
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
            stream.reset();
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
            core.give_splice(half.splice.take());
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
            bulk: 0,
            splice: None,
            bytes: 0,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, core: &Core, from: &mut Stream, to: &mut Stream) -> Result<(), Broken> {
        let result = self.pass(cx, core, from, to);
        if self.splice.as_ref().is_some_and(Splice::is_empty) {
            core.give_splice(self.splice.take());
        }
        result
    }

    fn pass(&mut self, cx: &mut Context<'_>, core: &Core, from: &mut Stream, to: &mut Stream) -> Result<(), Broken> {
        loop {
            while let Some(pipe) = self.splice.as_mut().filter(|pipe| !pipe.is_empty()) {
                let drained = match to.plain() {
                    Some(to) => pipe.poll_drain(cx, to),
                    None => Poll::Ready(Err(io::ErrorKind::Unsupported.into())), // nothing gets in on the way to it
                };
                match drained {
                    Poll::Ready(Ok(n)) => self.bytes += n as u64,
                    Poll::Ready(Err(_)) => return Err(Broken::Writing),
                    Poll::Pending => return Ok(()),
                }
            }
            while !self.buffer.is_empty() {
                match to.poll_send(cx, self.buffer.filled()) {
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
                    to.close_write();
                    self.closed = true;
                    core.give_buffer(std::mem::replace(&mut self.buffer, Buffer::empty()));
                }
                return Ok(());
            }
            if self.bulk >= BULK
                && let (Some(plain), Some(_)) = (from.plain(), to.plain())
            {
                match self.poll_splice(cx, core, plain) {
                    Poll::Ready(Ok(Filled::Bytes(_))) => continue,
                    Poll::Ready(Ok(Filled::Ended)) => {
                        self.eof = true;
                        continue;
                    }
                    Poll::Ready(Ok(Filled::Copy)) => {}
                    Poll::Ready(Err(_)) => return Err(Broken::Reading),
                    Poll::Pending => return Ok(()),
                }
            }
            if self.buffer.capacity() == 0 {
                match from.poll_arrived(cx) {
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
                    } else if full {
                        self.weigh(n);
                    } else if n < SMALL / 2 {
                        self.large = false;
                        self.weigh(n);
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

    fn poll_splice(&mut self, cx: &mut Context<'_>, core: &Core, plain: Plain<'_>) -> Poll<io::Result<Filled>> {
        if self.splice.is_none() {
            self.splice = core.take_splice();
        }
        let Some(pipe) = &mut self.splice else {
            return Poll::Ready(Ok(Filled::Copy));
        };
        if self.buffer.capacity() > 0 {
            core.give_buffer(std::mem::replace(&mut self.buffer, Buffer::empty()));
        }
        let filled = pipe.poll_fill(cx, plain, u64::MAX);
        if let Poll::Ready(Ok(Filled::Bytes(len))) = &filled {
            self.weigh(*len);
        }
        filled
    }

    /// Was this a piece of something large? A few small ones between large ones change nothing.
    fn weigh(&mut self, len: usize) {
        if len >= LARGE {
            self.bulk = self.bulk.saturating_add(1).min(BULK * 2);
        } else if len < SMALL / 2 {
            self.bulk = self.bulk.saturating_sub(1);
        }
    }
}

/// So many reads of a full large buffer (256 KiB), and a direction is taken for bulk.
const BULK: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::net::TcpStream as Peer;
    use std::sync::Arc;

    async fn pair() -> (Stream, Peer) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = Peer::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().await.unwrap().0.into(), other)
    }

    fn pattern(len: usize) -> Vec<u8> {
        let mut bytes = (0..251).collect::<Vec<u8>>().repeat(len / 251 + 1);
        bytes.truncate(len);
        bytes
    }

    #[tokio::test]
    async fn bulk_goes_through_the_kernel_and_small_talk_does_not() {
        const LEN: usize = 16 * 1024 * 1024;
        let core = Core::new(Arc::default());
        let (client_io, mut client) = pair().await;
        let (upstream_io, mut upstream) = pair().await;
        let mut tunnel = Tunnel::new(client_io, upstream_io, Buffer::empty(), Buffer::empty());
        let talk = std::thread::spawn(move || {
            let mut word = [0; 4];
            for _ in 0..100 {
                client.write_all(b"ping").unwrap();
                upstream.read_exact(&mut word).unwrap();
                upstream.write_all(b"pong").unwrap();
                client.read_exact(&mut word).unwrap();
            }
            let sender = std::thread::spawn(move || upstream.write_all(&pattern(LEN)).map(|()| upstream));
            let mut all = vec![0; LEN];
            client.read_exact(&mut all).unwrap();
            drop((sender.join().unwrap().unwrap(), client));
            all
        });
        let (mut small, mut large) = (0, 0);
        let end = poll_fn(|cx| {
            let (end, _) = tunnel.poll(cx, &core);
            if tunnel.down.bytes <= 400 {
                small = small.max(tunnel.down.bulk);
            }
            large = large.max(tunnel.down.bulk);
            assert_eq!(tunnel.up.bulk, 0);
            end
        })
        .await;
        assert_eq!((end, tunnel.bytes()), (TunnelEnd::Done, (400, 400 + LEN as u64)));
        assert!(small < BULK && large >= BULK, "{small} {large}");
        assert!(talk.join().unwrap() == pattern(LEN), "the bytes differ");
    }

    #[test]
    fn a_few_small_pieces_between_large_ones_change_nothing() {
        let mut half = Half::new(Buffer::empty());
        for _ in 0..3 {
            half.weigh(LARGE);
        }
        assert!(half.bulk < BULK);
        half.weigh(LARGE);
        assert!(half.bulk >= BULK);
        half.weigh(100);
        assert!(half.bulk < BULK, "it was on the border");
        for _ in 0..100 {
            half.weigh(LARGE);
        }
        for _ in 0..4 {
            half.weigh(100);
            half.weigh(SMALL);
        }
        assert!(half.bulk >= BULK);
        half.weigh(100);
        assert!(half.bulk < BULK, "it fell silent");
    }
}
