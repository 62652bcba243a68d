//! Bytes both ways until both sides are done: TCP listeners and upgraded connections.
//!
//! What a direct connection would still deliver, a tunnel delivers: a side that takes nothing more may have said
//! something, and the other side gets that to its end.

use crate::buffer::{Buffer, LARGE, SMALL};
use crate::core::Core;
use crate::record::Traffic;
use crate::timer::Timer;
use crate::turn::{TURN, give_way};
use lb_balance::Ticket;
use lb_net::{Ended, Filled, Plain, Splice, Stream};
use lb_telemetry::{BackendCounters, End};
use lb_types::Time;
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
    /// The longest silence in both directions,
    patience: Duration,
    /// and when it is over; `None`: as the timer was set before the first byte.
    until: Option<Time>,
    /// The timer is set to a question before that: a side from which nothing is read is asked whether it is there.
    asks: bool,
    broken: Option<Broken>,
    /// Only the end of the side that is not broken is waited for, for a short time.
    lingers: bool,
}

/// A side broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken {
    by_client: bool,
    /// When it was looked at, both had: nobody knows who was first.
    by_both: bool,
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
    /// The end was said to the other side.
    said: bool,
    /// Over TLS, where an end has a word, it came without.
    unclean: bool,
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
            until: None,
            asks: false,
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
            (self.lingers, self.asks) = (true, false);
            self.timer.set(now.after(LINGER));
        } else if self.progress() != before && !self.lingers {
            let until = now.after(self.patience);
            // It fires once: a question whose time has come is asked, however much moves meanwhile.
            if self.asks && self.is_blind() && self.timer.take_fired() {
                return self.ask(cx, core, until);
            }
            self.wait(now, until);
        } else if self.timer.take_fired() {
            let until = self.until.filter(|until| self.asks && *until > now);
            if let Some(until) = until {
                return self.ask(cx, core, until);
            }
            let is_idle = self.broken.is_none();
            self.reset_cut();
            self.close(core);
            return Poll::Ready(if is_idle { End::TunnelIdle } else { End::TunnelReset });
        } else if !self.asks && self.is_blind() {
            self.wait(now, self.until.unwrap_or(now.after(self.patience)));
        }
        Poll::Pending
    }

    /// Is there a side from which nothing is read, because the other one does not take what it sent?
    fn is_blind(&self) -> bool {
        self.broken.is_none() && (self.up.is_blocked() || self.down.is_blocked())
    }

    fn wait(&mut self, now: Time, until: Time) {
        self.until = Some(until);
        let asked = self.asks;
        self.asks = self.is_blind();
        if !self.asks {
            self.timer.set(until);
        } else if !asked {
            self.timer.set(until.min(now.after(ASK_EVERY)));
        } // else a question is on its way, however much moves meanwhile
    }

    /// A reset of a side from which nothing is read shows nowhere else. What it has said may arrive while the other side
    /// takes some of it every now and then.
    #[cold]
    fn ask(&mut self, cx: &Context<'_>, core: &Core, until: Time) -> Poll<End> {
        let now = core.now().mono;
        let has_broken =
            |half: &Half, from: &Option<Stream>| half.is_blocked() && from.as_ref().is_some_and(Stream::has_broken);
        let by = [
            has_broken(&self.up, &self.client),
            has_broken(&self.down, &self.upstream),
        ];
        let (half, other) = match by {
            [false, false] => {
                self.asks = false;
                self.wait(now, until);
                return Poll::Pending;
            }
            // Nobody is left who takes anything.
            [true, true] => {
                self.broken = Some(Broken {
                    by_client: true,
                    by_both: true,
                    is_backends_fault: false,
                });
                let over = self.abort();
                self.close(core);
                return over;
            }
            [true, false] => (&mut self.up, &mut self.down),
            [false, true] => (&mut self.down, &mut self.up),
        };
        // Its error was taken: what is read next is the rest, and then what looks like an end.
        half.cut = true;
        other.dead = true;
        other.release(core);
        let by_client = by == [true, false];
        self.broken = Some(Broken {
            by_client,
            by_both: false,
            is_backends_fault: !by_client && !self.up.eof,
        });
        self.patience = LINGER;
        self.wait(now, now.after(LINGER));
        // For what is thrown away from now on.
        cx.waker().wake_by_ref();
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
    pub(crate) const fn reset_by(&self) -> &'static str {
        match (self.broken, self.down.bytes) {
            (None, _) => "",
            (Some(Broken { by_both: true, .. }), _) => "by both sides",
            (Some(Broken { by_client: true, .. }), _) => "by the client",
            (_, 0) => "by the backend, which sent nothing before",
            (_, _) => "by the backend",
        }
    }

    /// A reset that is the backend's fault is remembered for whoever looks.
    pub(crate) fn blame(&self, ticket: Option<&Ticket>, backend: Option<&BackendCounters>, core: &Core) {
        if let (Some(ticket), true) = (ticket, self.broken.is_some_and(|broken| broken.is_backends_fault)) {
            core.blame(ticket.backend(), End::TunnelReset, self.reset_by());
            backend.inspect(|backend| backend.failed(End::TunnelReset));
        }
    }

    /// Ends what is under way.
    pub(crate) fn cut(&mut self, core: &Core) {
        for half in [&mut self.up, &mut self.down] {
            half.cut |= !half.eof;
        }
        self.reset_cut();
        self.close(core);
    }

    /// Ends both connections in order.
    fn close(&mut self, core: &Core) {
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
        let ends = [(&self.down, &mut self.client), (&self.up, &mut self.upstream)];
        for (half, stream) in ends {
            if (half.cut || half.has_unsent())
                && let Some(stream) = stream.take()
            {
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
                by_both: false,
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
            said: false,
            unclean: false,
            read: 0,
            bytes: 0,
        }
    }

    fn has_unsent(&self) -> bool {
        !self.buffer.is_empty() || self.splice.as_ref().is_some_and(|pipe| !pipe.is_empty())
    }

    /// Is nothing read, because what was read last is not taken?
    fn is_blocked(&self) -> bool {
        !self.eof && !self.dead && self.has_unsent()
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
            match to.poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Err(Fault::Writing),
                Poll::Pending => return Ok(()),
            }
            if self.eof {
                if !self.closed {
                    if !self.cut && !std::mem::replace(&mut self.said, true) {
                        if self.unclean {
                            // Nobody said that this is all, and we do not either, as far as the other side has a word for it.
                            to.cut();
                        }
                        to.close_write();
                        // Over TLS that is bytes too.
                        continue;
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
                Poll::Ready(Ok(0)) => {
                    self.eof = true;
                    self.unclean = from.tls().is_some() && from.ended() != Ended::Clean;
                }
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

/// So often a side from which nothing is read is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
