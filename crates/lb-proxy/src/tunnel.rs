//! Bytes both ways until both sides are done: TCP listeners and upgraded connections.
//!
//! What a direct connection would still deliver, a tunnel delivers: a side that takes nothing more may have said
//! something, and the other side gets that to its end.

use crate::buffer::{Buffer, LARGE, SMALL};
use crate::core::Core;
use crate::course::Course;
use crate::record::Traffic;
use crate::timer::Timer;
use crate::turn::{TURN, give_way};
use lb_net::{Filled, Plain, Splice, Stream};
use lb_telemetry::End;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

/// Two connections and what is between them. It owns a buffer, or a pipe in the kernel, only while
/// bytes wait in it.
#[derive(Debug)]
pub(crate) struct Tunnel {
    client: Option<Stream>,
    upstream: Option<Stream>,
    up: Half,
    down: Half,
    timer: Timer,
    /// The longest silence in both directions.
    patience: Duration,
    broken: Option<Broken>,
    /// Only the end of the side that is not broken is waited for, for a short time.
    lingers: bool,
}

/// A side broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken {
    by_client: bool,
    is_backends_fault: bool,
}

#[derive(Debug)]
struct Half {
    buffer: Buffer,
    eof: bool,
    closed: bool,
    /// Whom it reads from broke off: whoever gets its bytes must not take them for the whole.
    cut: bool,
    /// Whom it writes to takes nothing more: what comes is thrown away.
    dead: bool,
    large: bool,
    /// Rises with every read that filled a large buffer and falls with every small one: from
    /// [`BULK`] on bytes go through the kernel's pipe.
    bulk: u8,
    splice: Option<Splice>,
    /// Bytes that came; of them were passed on:
    read: u64,
    bytes: u64,
}

enum Fault {
    Reading,
    Writing,
}

impl Tunnel {
    /// `early` are bytes that the client, `late` bytes that the backend sent already. `patience`: the longest silence.
    pub(crate) fn new(
        client: Stream,
        upstream: Stream,
        early: Buffer,
        late: Buffer,
        timer: Timer,
        patience: Duration,
    ) -> Self {
        Self {
            client: Some(client),
            upstream: Some(upstream),
            up: Half::new(early),
            down: Half::new(late),
            timer,
            patience,
            broken: None,
            lingers: false,
        }
    }

    /// Moves what can be moved. `Ready`: it is over, and both connections are gone.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, core: &Core) -> Poll<End> {
        let before = self.progress();
        if let Poll::Ready(end) = self.poll_halves(cx, core) {
            self.close(core);
            return Poll::Ready(end);
        }
        let now = core.now().mono;
        if self.broken.is_some() && !self.lingers && (self.up.closed || self.down.closed) {
            self.lingers = true;
            self.timer.set(now.after(LINGER));
        } else if self.progress() != before && !self.lingers {
            self.timer.set(now.after(self.patience));
        } else if self.timer.take_fired() {
            let is_idle = self.broken.is_none();
            self.reset_cut();
            self.close(core);
            return Poll::Ready(if is_idle { End::TunnelIdle } else { End::TunnelReset });
        }
        Poll::Pending
    }

    /// Rises with all that is delivered; what is thrown away keeps nothing alive.
    fn progress(&self) -> u64 {
        let ends = [self.up.eof, self.down.eof].map(u64::from);
        self.up.bytes + self.down.bytes + ends[0] + ends[1]
    }

    /// What it carried so far. What was sent before it began was read before it.
    pub(crate) const fn traffic(&self) -> Traffic {
        Traffic {
            client_in: self.up.read,
            client_out: self.down.bytes,
            upstream_in: self.down.read,
            upstream_out: self.up.bytes,
        }
    }

    /// Who reset it, for the log; empty when nobody did.
    const fn reset_by(&self) -> &'static str {
        match (self.broken, self.down.bytes) {
            (None, _) => "",
            (Some(Broken { by_client: true, .. }), _) => "by the client",
            (_, 0) => "by the backend, which sent nothing before",
            (_, _) => "by the backend",
        }
    }

    /// A reset that is the backend's fault is remembered for whoever looks.
    pub(crate) fn blame(&self, course: &mut Course, core: &Core) {
        course.detail = self.reset_by();
        if self.broken.is_some_and(|broken| broken.is_backends_fault) {
            course.blame(End::TunnelReset, core);
        }
    }

    /// Ends both connections in order.
    pub(crate) fn close(&mut self, core: &Core) {
        self.client = None;
        self.upstream = None;
        for half in [&mut self.up, &mut self.down] {
            half.release(core);
        }
    }

    /// Ends both connections with a RST: one side did.
    fn abort(&mut self) -> Poll<End> {
        for stream in [self.client.take(), self.upstream.take()].into_iter().flatten() {
            stream.reset();
        }
        Poll::Ready(End::TunnelReset)
    }

    /// Ends with a RST toward whom the end of what was cut would look like an end.
    fn reset_cut(&mut self) {
        let ends = [(self.down.cut, &mut self.client), (self.up.cut, &mut self.upstream)];
        for (_, stream) in ends.into_iter().filter(|(is_cut, _)| *is_cut) {
            if let Some(stream) = stream.take() {
                stream.reset();
            }
        }
    }

    fn poll_halves(&mut self, cx: &mut Context<'_>, core: &Core) -> Poll<End> {
        loop {
            let (Some(client), Some(upstream)) = (&mut self.client, &mut self.upstream) else {
                return Poll::Ready(End::TunnelDone);
            };
            let (fault, from_client) = match self.up.poll(cx, core, client, upstream) {
                Err(fault) => (fault, true),
                Ok(()) => match self.down.poll(cx, core, upstream, client) {
                    Err(fault) => (fault, false),
                    Ok(()) => break,
                },
            };
            let by_client = from_client == matches!(fault, Fault::Reading);
            let before = self.broken;
            // Whoever was left by the client may well hang up at once.
            self.broken = before.or(Some(Broken {
                by_client,
                is_backends_fault: !by_client && !self.up.eof,
            }));
            let (half, other) = if from_client {
                (&mut self.up, &mut self.down)
            } else {
                (&mut self.down, &mut self.up)
            };
            match (fault, before) {
                // It would break by writing a moment later.
                (Fault::Reading, None) if other.has_unsent() => {
                    other.dead = true;
                    other.release(core);
                    (half.eof, half.cut) = (true, true);
                }
                (Fault::Reading, None) => return self.abort(),
                // What it said before it broke was read; it is on its way to the other side.
                (Fault::Reading, Some(broken)) if broken.by_client == by_client && !half.eof => {
                    (half.eof, half.cut) = (true, true);
                }
                // It takes nothing more, but what it has said may be on its way still, as an early refusal is.
                (Fault::Writing, None) => {
                    half.dead = true;
                    half.release(core);
                    // The error was taken by the write: the next read would say that it ended in order.
                    other.cut = !other.eof;
                }
                // Now both sides are broken.
                _ => return Poll::Ready(End::TunnelReset),
            }
        }
        let is_over = |half: &Half| half.closed || (half.dead && half.eof);
        // The RST behind what was cut waits until that has had time to arrive.
        if !(is_over(&self.up) && is_over(&self.down)) || self.up.cut || self.down.cut {
            return Poll::Pending;
        }
        let in_order = self.broken.is_none();
        Poll::Ready(if in_order { End::TunnelDone } else { End::TunnelReset })
    }
}

impl Half {
    const fn new(buffer: Buffer) -> Self {
        Self {
            buffer,
            eof: false,
            closed: false,
            cut: false,
            dead: false,
            large: false,
            bulk: 0,
            splice: None,
            read: 0,
            bytes: 0,
        }
    }

    fn has_unsent(&self) -> bool {
        !self.buffer.is_empty() || self.splice.as_ref().is_some_and(|pipe| !pipe.is_empty())
    }

    fn release(&mut self, core: &Core) {
        core.give_buffer(std::mem::replace(&mut self.buffer, Buffer::empty()));
        core.give_splice(self.splice.take());
    }

    fn poll(&mut self, cx: &mut Context<'_>, core: &Core, from: &mut Stream, to: &mut Stream) -> Result<(), Fault> {
        if self.dead {
            return self.discard(cx, core, from);
        }
        let result = self.pass(cx, core, from, to);
        if self.splice.as_ref().is_some_and(Splice::is_empty) {
            core.give_splice(self.splice.take());
        }
        result
    }

    /// Reads and throws away, so that whoever sends can take what comes the other way: unread bytes would make a RST
    /// of our close.
    fn discard(&mut self, cx: &mut Context<'_>, core: &Core, from: &Stream) -> Result<(), Fault> {
        while !self.eof {
            match from.poll_arrived(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Fault::Reading),
                Poll::Pending => return Ok(()),
            }
            let mut buffer = core.take_buffer(false);
            let read = buffer.poll_read(cx, from);
            core.give_buffer(buffer);
            match read {
                Poll::Ready(Ok(0)) => self.eof = true,
                Poll::Ready(Ok(len)) => self.read += len as u64,
                Poll::Ready(Err(_)) => return Err(Fault::Reading),
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    fn pass(&mut self, cx: &mut Context<'_>, core: &Core, from: &mut Stream, to: &mut Stream) -> Result<(), Fault> {
        let begun = self.bytes;
        loop {
            while let Some(pipe) = self.splice.as_mut().filter(|pipe| !pipe.is_empty()) {
                let drained = match to.plain() {
                    Some(to) => pipe.poll_drain(cx, to),
                    None => Poll::Ready(Err(io::ErrorKind::Unsupported.into())), // nothing gets in on the way to it
                };
                match drained {
                    Poll::Ready(Ok(n)) => self.bytes += n as u64,
                    Poll::Ready(Err(_)) => return Err(Fault::Writing),
                    Poll::Pending => return Ok(()),
                }
            }
            while !self.buffer.is_empty() {
                match to.poll_send(cx, self.buffer.filled()) {
                    Poll::Ready(Ok(n)) => {
                        self.buffer.consume(n);
                        self.bytes += n as u64;
                    }
                    Poll::Ready(Err(_)) => return Err(Fault::Writing),
                    // Back-pressure: nothing more is read until this is gone.
                    Poll::Pending => return Ok(()),
                }
            }
            if self.eof {
                if !self.closed {
                    if !self.cut {
                        to.close_write();
                    }
                    self.closed = true;
                    core.give_buffer(std::mem::replace(&mut self.buffer, Buffer::empty()));
                }
                return Ok(());
            }
            if self.bytes - begun >= TURN {
                give_way(cx);
                return Ok(());
            }
            if self.bulk >= BULK
                && let (Some(plain), Some(_)) = (from.plain(), to.plain())
            {
                match self.poll_splice(cx, core, plain) {
                    Poll::Ready(Ok(Filled::Bytes(len))) => {
                        self.read += len as u64;
                        continue;
                    }
                    Poll::Ready(Ok(Filled::Ended)) => {
                        self.eof = true;
                        continue;
                    }
                    Poll::Ready(Ok(Filled::Copy)) => {}
                    Poll::Ready(Err(_)) => return Err(Fault::Reading),
                    Poll::Pending => return Ok(()),
                }
            }
            if self.buffer.capacity() == 0 {
                match from.poll_arrived(cx) {
                    Poll::Ready(Ok(())) => self.buffer = core.take_buffer(self.large),
                    Poll::Ready(Err(_)) => return Err(Fault::Reading),
                    Poll::Pending => return Ok(()),
                }
            }
            match self.buffer.poll_read(cx, from) {
                Poll::Ready(Ok(0)) => self.eof = true,
                Poll::Ready(Ok(n)) => {
                    self.read += n as u64;
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
                Poll::Ready(Err(_)) => return Err(Fault::Reading),
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
/// When a side broke and all it had said was sent on, the other has so long to take it before a RST tells it of the cut: a
/// RST destroys what is still under way.
const LINGER: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::{Read, Write};
    use std::net::TcpStream as Peer;
    use std::sync::Arc;
    use std::task::Waker;

    async fn pair() -> (Stream, Peer) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = Peer::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().await.unwrap().0.into(), other)
    }

    fn between(core: &Core, client: Stream, upstream: Stream) -> Tunnel {
        let timer = core.timers.register(Waker::noop().clone());
        let patience = Duration::from_secs(60);
        Tunnel::new(client, upstream, Buffer::empty(), Buffer::empty(), timer, patience)
    }

    /// Reads to the end and closes; says whether it ended in order.
    fn take_all(mut peer: Peer) -> std::thread::JoinHandle<(Vec<u8>, bool)> {
        std::thread::spawn(move || {
            let mut all = Vec::new();
            let end = peer.read_to_end(&mut all);
            (all, end.is_ok())
        })
    }

    /// Ends it with a RST.
    fn break_off(peer: Peer) {
        socket2::SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    }

    fn pattern(len: usize) -> Vec<u8> {
        let mut bytes = (0..251).collect::<Vec<u8>>().repeat(len / 251 + 1);
        bytes.truncate(len);
        bytes
    }

    #[tokio::test]
    async fn bulk_goes_through_the_kernel_and_small_talk_does_not() {
        const LEN: usize = 64 * 1024 * 1024;
        let core = Core::new(Arc::default());
        let (client_io, mut client) = pair().await;
        let (upstream_io, mut upstream) = pair().await;
        let mut tunnel = between(&core, client_io, upstream_io);
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
            let before = tunnel.down.bytes;
            let end = tunnel.poll(cx, &core);
            let moved = tunnel.down.bytes - before;
            assert!(moved < 1 << 20, "{moved} bytes in one turn");
            if tunnel.down.bytes <= 400 {
                small = small.max(tunnel.down.bulk);
            }
            large = large.max(tunnel.down.bulk);
            assert_eq!(tunnel.up.bulk, 0);
            end
        })
        .await;
        let traffic = tunnel.traffic();
        assert_eq!(
            (end, traffic.client_in, traffic.upstream_out),
            (End::TunnelDone, 400, 400)
        );
        let down = 400 + LEN as u64;
        assert_eq!((traffic.upstream_in, traffic.client_out), (down, down));
        assert!(small < BULK && large >= BULK, "{small} {large}");
        assert!(talk.join().unwrap() == pattern(LEN), "the bytes differ");
    }

    #[tokio::test]
    async fn what_a_side_said_before_it_broke_reaches_the_other_to_its_end() {
        // How many bytes it said (a RST destroys what does not fit into the first window), and whether it ended in order.
        for (len, in_order) in [(0, true), (5, false), (5, true), (30_000, false), (30_000, true)] {
            for breaks_client in [false, true] {
                let core = Core::new(Arc::default());
                let (client_io, client) = pair().await;
                let (upstream_io, upstream) = pair().await;
                let (mut breaks, mut stays) = if breaks_client {
                    (client, upstream)
                } else {
                    (upstream, client)
                };
                breaks.write_all(&pattern(len)).unwrap();
                if in_order {
                    drop(breaks);
                } else {
                    break_off(breaks);
                }
                stays.write_all(&[b'x'; 1_000]).unwrap();
                let mut tunnel = between(&core, client_io, upstream_io);
                let told = stays.try_clone().unwrap();
                let all = take_all(stays); // and how it ended
                // It sends on for as long as it is listened to.
                let talk = std::thread::spawn(move || {
                    let mut refused = None;
                    while !all.is_finished() && refused.is_none() {
                        refused = (&told).write_all(b"y").err();
                    }
                    let (got, ended) = all.join().unwrap();
                    // Of a RST the one or the other is told; behind a FIN the writer would be told of a broken pipe.
                    let told = refused.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
                    (got, ended && !told)
                });
                let end = poll_fn(|cx| {
                    let end = tunnel.poll(cx, &core);
                    if end.is_pending() && tunnel.lingers {
                        core.timers.advance(core.now().mono.after(LINGER * 2));
                        return tunnel.poll(cx, &core);
                    }
                    end
                })
                .await;
                let got = talk.join().unwrap();
                let what = format!("{len} bytes, in order {in_order}, client {breaks_client}: {end:?}");
                assert!(got.0 == pattern(len), "{what}");
                assert!(in_order || !got.1, "{what}: the cut looked like an end");
                // Who ended in order is not always found to take no more before the other ends too.
                assert!(end == End::TunnelReset || in_order, "{what}");
                let by = tunnel.reset_by();
                assert!(by.is_empty() == (end == End::TunnelDone), "{what}: {by}");
                assert!(
                    by.is_empty() || by.starts_with("by the client") == breaks_client,
                    "{what}: {by}"
                );
            }
        }
    }

    #[tokio::test]
    async fn who_sends_for_ever_to_a_side_that_broke_is_waited_for_two_seconds_and_told_of_the_cut() {
        let core = Core::new(Arc::default());
        let (client_io, mut client) = pair().await;
        let (upstream_io, mut upstream) = pair().await;
        upstream.write_all(b"no").unwrap();
        break_off(upstream);
        client.write_all(b"hello").unwrap();
        let mut tunnel = between(&core, client_io, upstream_io);
        let mut word = [0; 2];
        poll_fn(|cx| {
            assert!(tunnel.poll(cx, &core).is_pending());
            if tunnel.lingers { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        client.read_exact(&mut word).unwrap();
        assert_eq!(&word, b"no");
        let now = core.now().mono;
        for (after, is_over) in [(1, false), (3, true)] {
            client.write_all(b"and more").unwrap();
            core.timers.advance(now.after(Duration::from_secs(after)));
            let end = poll_fn(|cx| Poll::Ready(tunnel.poll(cx, &core))).await;
            assert_eq!(end.is_ready(), is_over, "after {after} s");
        }
        let error = client.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
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
