use super::Network;
use super::kernel::Kernel;
use super::socket::Socket;
use lb_types::Time;
use rustix::io::Errno;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::task::coop::poll_proceed;

/// One end of a simulated connection. Dropped, it is closed: with a reset when bytes are unread.
#[derive(Debug)]
pub struct End {
    network: Network,
    id: u64,
}

impl End {
    pub(super) fn new(network: &Network, id: u64) -> Self {
        Self {
            network: network.clone(),
            id,
        }
    }

    /// Its number in the trace.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Breaks the connection off.
    pub fn reset(self) {
        self.network.with(|kernel, now| kernel.reset(self.id, now));
    }

    /// Says the end of this direction.
    pub fn close_write(&self) {
        self.network.with(|kernel, now| kernel.shut(self.id, now));
    }

    /// Has the other side broken off, as this side's kernel knows by now?
    #[must_use]
    pub fn was_reset(&self) -> bool {
        self.socket(|socket| socket.rst).unwrap_or(false)
    }

    /// Has the other side said its end, as this side's kernel knows by now?
    #[must_use]
    pub fn was_ended(&self) -> bool {
        self.socket(|socket| socket.fin).unwrap_or(false)
    }

    /// Bytes that are here and that nobody has read.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.socket(|socket| socket.unread.len()).unwrap_or(0)
    }

    /// Own address; `None` of a Unix domain socket.
    #[must_use]
    pub fn local(&self) -> Option<SocketAddr> {
        self.socket(|socket| (!socket.is_unix).then_some(socket.local))
            .flatten()
    }

    /// The other side's; `None` of a Unix domain socket.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.socket(|socket| (!socket.is_unix).then_some(socket.remote))
            .flatten()
    }

    /// The descriptor's number, of one of the proxy's side.
    #[must_use]
    pub fn descriptor(&self) -> Option<u64> {
        self.socket(|socket| socket.descriptor).flatten()
    }

    /// Sees it now, without a change.
    fn socket<R>(&self, f: impl FnOnce(&mut Socket) -> R) -> Option<R> {
        self.network.with(|kernel, _| kernel.sockets.get_mut(&self.id).map(f))
    }

    fn call<R>(&self, f: impl FnOnce(&mut Kernel, u64, Time) -> R) -> R {
        self.network.with(|kernel, now| f(kernel, self.id, now))
    }

    /// As a socket of the runtime does.
    pub(crate) fn try_io<R>(&self, interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        let is_known = self.socket(|socket| socket.known.is_ready(interest)).unwrap_or(true);
        if !is_known {
            return Err(Errno::AGAIN.into());
        }
        let done = f();
        if done.as_ref().is_err_and(would_block) {
            self.clear(interest);
        }
        done
    }

    fn clear(&self, interest: Interest) {
        self.socket(|socket| socket.known.clear(interest));
    }

    fn poll_ready(&self, interest: Interest, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let turn = ready!(poll_proceed(cx));
        let is_known = self.socket(|socket| {
            let is_known = socket.known.is_ready(interest);
            if !is_known {
                socket.known.wake_later(interest, cx.waker());
            }
            is_known
        });
        if !is_known.unwrap_or(true) {
            return Poll::Pending;
        }
        turn.made_progress();
        Poll::Ready(Ok(()))
    }

    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ready(Interest::READABLE, cx)
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ready(Interest::WRITABLE, cx)
    }

    pub(crate) fn try_recv(&self, into: &mut [u8]) -> Option<io::Result<usize>> {
        if !self
            .socket(|socket| socket.known.is_ready(Interest::READABLE))
            .unwrap_or(true)
        {
            return None;
        }
        let read = self.call(|kernel, id, now| kernel.receive(id, into, now));
        let len = into.len();
        match read {
            Err(error) if would_block(&error) => {
                self.clear(Interest::READABLE);
                None
            }
            Ok(read) => {
                if 0 < read && read < len {
                    self.clear(Interest::READABLE);
                }
                Some(Ok(read))
            }
            Err(error) => Some(Err(error)),
        }
    }

    pub(crate) fn try_send(&self, bytes: &[u8]) -> Option<io::Result<usize>> {
        if !self
            .socket(|socket| socket.known.is_ready(Interest::WRITABLE))
            .unwrap_or(true)
        {
            return None;
        }
        match self.call(|kernel, id, now| kernel.send(id, bytes, now)) {
            Err(error) if would_block(&error) => {
                self.clear(Interest::WRITABLE);
                None
            }
            Ok(sent) => {
                if sent < bytes.len() {
                    self.clear(Interest::WRITABLE);
                }
                Some(Ok(sent))
            }
            Err(error) => Some(Err(error)),
        }
    }

    pub(crate) fn peek(&self) -> io::Result<usize> {
        self.call(|kernel, id, _| kernel.peek(id))
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.socket(|socket| socket.error.take()).flatten().map(io::Error::from))
    }
}

fn would_block(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

impl Drop for End {
    fn drop(&mut self) {
        self.network.with(|kernel, now| kernel.close(self.id, now));
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_read_ready(cx))?;
            if let Some(read) = self.try_recv(into.initialize_unfilled()) {
                into.advance(read?);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_write_ready(cx))?;
            if let Some(sent) = self.try_send(bytes) {
                return Poll::Ready(sent);
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.poll_write(cx, &all)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close_write();
        Poll::Ready(Ok(()))
    }
}

/// A descriptor of nothing: a system call on it fails or does nothing.
impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.network.nothing().as_fd()
    }
}

/// The simulated number, which is no descriptor of this process.
impl AsRawFd for End {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor()
            .and_then(|number| RawFd::try_from(number).ok())
            .unwrap_or(-1)
    }
}
