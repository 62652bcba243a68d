//! What is to be written next over an HTTP/1 connection.

use crate::core::Core;
use lb_http::{Head, h1};
use lb_net::Stream;
use std::hint::cold_path;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

/// First `bytes`, then `direct` bytes from the front of the source's window, then `suffix`.
///
/// Heads, framing and small payload are collected in `bytes`, so that a small message leaves in one system call; large
/// payload goes from the buffer it was read into.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) bytes: Vec<u8>,
    written: usize,
    direct: usize,
    suffix: &'static [u8],
    replay: Replay,
    /// Bytes that the kernel took, of all attempts.
    sent: u64,
}

/// How a message of which something was written is written once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replay {
    /// Not at all.
    No,
    /// From the bytes, which are kept.
    FromOut,
    /// By its owner, who has the head; there is no body.
    FromHead,
}

impl Out {
    pub(super) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            written: 0,
            direct: 0,
            suffix: b"",
            replay: Replay::No,
            sent: 0,
        }
    }

    pub(super) fn clear(&mut self, core: &Core) {
        core.give_out(std::mem::take(&mut self.bytes));
        *self = Self::new();
    }

    /// Takes back what has not left, unless that would cut a head in two; what has left is counted still.
    pub(super) fn take_back(&mut self, core: &Core) {
        if self.written > 0 {
            return;
        }
        let sent = self.sent;
        self.clear(core);
        self.sent = sent;
    }

    /// Makes room for a head, in memory that is still in the cache from the last one.
    pub(super) fn take_room(&mut self, core: &Core) {
        if self.bytes.capacity() == 0 {
            self.bytes = core.take_out();
        }
    }

    /// Gives back room that holds nothing.
    pub(super) fn give_empty(&mut self, core: &Core) {
        if self.bytes.is_empty() && self.bytes.capacity() > 0 {
            core.give_out(std::mem::take(&mut self.bytes));
        }
    }

    pub(super) const fn set_replay(&mut self, replay: Replay) {
        self.replay = replay;
    }

    /// Can every byte that was written be written again?
    pub(super) const fn can_replay(&self) -> bool {
        self.sent == 0 || !matches!(self.replay, Replay::No)
    }

    /// Starts again from the first byte. True: nothing is here, and the head must be put here.
    pub(super) fn rewind(&mut self) -> bool {
        self.written = 0;
        if self.replay == Replay::FromHead {
            self.bytes.clear();
        }
        self.bytes.is_empty()
    }

    /// Bytes that the kernel took, of all attempts.
    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    /// Was something put here since it was new, sent or not?
    pub(super) fn has_begun(&self) -> bool {
        self.sent > 0 || !self.bytes.is_empty()
    }

    /// So many bytes went past it.
    pub(super) const fn spliced(&mut self, len: usize) {
        self.sent += len as u64;
    }

    /// Is no message cut in two by what was written so far?
    pub(super) const fn is_untouched(&self) -> bool {
        self.written == 0 && self.direct == 0
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.written == self.bytes.len() && self.direct == 0 && self.suffix.is_empty()
    }

    /// Must what is here be written before more is put here?
    pub(super) fn is_full(&mut self) -> bool {
        if self.written >= FULL {
            cold_path();
            // A slow reader must not make this grow for ever.
            self.bytes.drain(..self.written);
            self.written = 0;
            self.replay = Replay::No;
        }
        self.direct > 0 || !self.suffix.is_empty() || self.bytes.len() - self.written >= FULL
    }

    /// Puts the next payload here, and what stands before and behind it. How many of its bytes were copied: none of a large
    /// one, which is written from where it is.
    pub(super) fn put(&mut self, payload: &[u8], to: &mut h1::Conn) -> Result<usize, h1::Error> {
        self.drop_written();
        self.suffix = to.write_body(payload.len(), &mut self.bytes)?;
        if payload.len() > COPIED {
            self.direct = payload.len();
            return Ok(0);
        }
        self.bytes.extend_from_slice(payload);
        self.bytes.extend_from_slice(self.suffix);
        self.suffix = b"";
        Ok(payload.len())
    }

    /// Puts payload of our own here, which nobody shows again.
    pub(super) fn put_whole(&mut self, payload: &[u8], to: &mut h1::Conn) -> Result<(), h1::Error> {
        let suffix = to.write_body(payload.len(), &mut self.bytes)?;
        self.bytes.extend_from_slice(payload);
        self.bytes.extend_from_slice(suffix);
        Ok(())
    }

    /// So many bytes of payload are in the kernel already, and go before what is put here next.
    pub(super) fn announce_spliced(&mut self, len: usize, to: &mut h1::Conn) -> Result<(), h1::Error> {
        self.drop_written();
        self.replay = Replay::No;
        to.write_body(len, &mut self.bytes).map(|_| ())
    }

    /// Ends the message.
    pub(super) fn finish(&mut self, trailers: Option<&Head>, to: &mut h1::Conn) -> Result<(), h1::Error> {
        self.drop_written();
        to.write_end(trailers, &mut self.bytes)
    }

    /// Writes all there is; `window`: where the payload is that was not copied. How many of its bytes are gone, and
    /// `Pending` when the connection takes no more now.
    #[inline(always)] // what nearly always happens; see `lb_net::try_send`
    pub(super) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Stream,
        window: &[u8],
    ) -> (usize, Poll<io::Result<()>>) {
        if self.direct == 0 && self.suffix.is_empty() {
            let out = &self.bytes[self.written..];
            let whole = out.len();
            let taken = if whole == 0 { Some(Ok(0)) } else { io.try_send(out) };
            match taken {
                Some(Ok(taken)) => {
                    self.sent += taken as u64;
                    self.written += taken;
                    if taken == whole {
                        self.all_written();
                        if io.is_flushed() {
                            return (0, Poll::Ready(Ok(())));
                        }
                    }
                }
                Some(Err(error)) => {
                    cold_path();
                    return (0, Poll::Ready(Err(error)));
                }
                None => {}
            }
        }
        cold_path();
        let before = self.direct;
        let flushed = self.poll_flush_rest(cx, io, window);
        (before - self.direct, flushed)
    }

    #[inline(never)]
    fn poll_flush_rest(&mut self, cx: &mut Context<'_>, io: &mut Stream, mut window: &[u8]) -> Poll<io::Result<()>> {
        loop {
            let out = &self.bytes[self.written..];
            let mut taken = if self.direct == 0 && self.suffix.is_empty() {
                if out.is_empty() {
                    break;
                }
                ready!(io.poll_send(cx, out))?
            } else if out.is_empty() && self.suffix.is_empty() {
                ready!(io.poll_send(cx, &window[..self.direct]))?
            } else {
                let slices = [
                    IoSlice::new(out),
                    IoSlice::new(&window[..self.direct]),
                    IoSlice::new(self.suffix),
                ];
                ready!(io.poll_send_vectored(cx, &slices))?
            };
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += taken as u64;
            let from_out = taken.min(out.len());
            self.written += from_out;
            taken -= from_out;
            let from_window = taken.min(self.direct);
            if from_window > 0 {
                window = &window[from_window..];
                self.direct -= from_window;
                self.replay = Replay::No;
                taken -= from_window;
            }
            self.suffix = &self.suffix[taken..];
        }
        self.all_written();
        io.poll_flush(cx)
    }

    /// Everything was written.
    fn all_written(&mut self) {
        if self.replay != Replay::FromOut {
            self.drop_written();
        }
    }

    /// Drops what was written completely; what follows cannot be written without it again.
    fn drop_written(&mut self) {
        if self.written > 0 && self.written == self.bytes.len() {
            if self.replay == Replay::FromOut {
                self.replay = Replay::No;
            }
            self.bytes.clear();
            self.written = 0;
        }
    }
}

/// Payload up to this size is copied behind the head and leaves with it in one `send`. A copy of
/// 4 KiB costs less than the second slice of a `writev`.
const COPIED: usize = 4096;
/// With this much waiting it is time to write.
const FULL: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::Read;
    use std::sync::Arc;

    #[tokio::test]
    async fn what_has_left_in_part_is_not_taken_back() {
        let core = Core::new(Arc::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut reader = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut io = Stream::from(listener.accept().await.unwrap().0);
        let mut out = Out::new();
        out.bytes.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\n\r\n");
        out.take_back(&core);
        assert!(out.bytes.is_empty(), "nothing of it had left");
        let long = vec![b'x'; 64 << 20];
        out.bytes.extend_from_slice(&long);
        let taken = poll_fn(|cx| Poll::Ready(out.poll_flush(cx, &mut io, &[]))).await;
        assert!(
            taken.1.is_pending() && out.sent() > 0,
            "the socket takes less than that"
        );
        out.take_back(&core);
        out.bytes.extend_from_slice(b"behind");
        let reader = std::thread::spawn(move || {
            let mut got = Vec::new();
            reader.read_to_end(&mut got).unwrap();
            got
        });
        poll_fn(|cx| out.poll_flush(cx, &mut io, &[]).1).await.unwrap();
        drop(io);
        let got = reader.join().unwrap();
        assert_eq!(got.len(), long.len() + 6);
        assert!(got.ends_with(b"xbehind"));
    }
}
