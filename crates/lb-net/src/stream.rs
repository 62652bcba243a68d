use crate::direct::{receive, transmit};
use crate::tls::{Read, TlsStream};
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connection, whatever carries it.
///
/// What it promises, so that whoever moves bytes need not know what it is:
/// - a connection is decided by the bytes that a reader gets, not by what a socket has: [`Stream::poll_arrived`] and
///   [`Stream::has_arrived`] speak of those;
/// - what was sent may still wait here: it has left when [`Stream::is_flushed`];
/// - an end is [clean or cut](Ended), and only [`Stream::ended`] tells the two apart;
/// - what goes past it to the socket goes through [`Stream::plain`], which not every connection has.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stream {
    /// Of a network.
    Tcp(TcpStream),
    /// Of this machine.
    Unix(UnixStream),
    /// Over TLS.
    Tls(Box<TlsStream>),
    /// Of a network in memory, for tests.
    #[cfg(feature = "sim")]
    Sim(crate::sim::End),
}

/// How far the peer's direction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It goes on, as far as is known.
    Open,
    /// The peer said that it has no more.
    Clean,
    /// It broke off: what came before may be a part only.
    Cut,
}

/// The socket of a connection whose bytes are its payload: for splice(2) and for looking ahead.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a>(&'a Stream);

/// The same for whatever carries it, and something else for TLS.
macro_rules! carried {
    ($stream:expr, $io:ident => $do:expr, $tls:ident => $over_tls:expr) => {
        match $stream {
            Stream::Tcp($io) => $do,
            Stream::Unix($io) => $do,
            Stream::Tls($tls) => $over_tls,
            #[cfg(feature = "sim")]
            Stream::Sim($io) => $do,
        }
    };
}

impl Stream {
    /// Reads once, if the runtime knows of something to read; `None`: nothing is here. `Ok(0)` is the end of the
    /// stream, or an empty `into`. Asks nobody to wake the task: [`Stream::poll_arrived`] does.
    ///
    /// A read that did not fill its room clears the readiness, so that the next wait does not begin with a useless
    /// system call. It takes nothing from the task's budget.
    #[inline]
    pub fn try_recv(&self, into: &mut [u8]) -> Option<io::Result<usize>> {
        #[cfg(feature = "sim")]
        if let Self::Sim(end) = self {
            return end.try_recv(into);
        }
        let mut read = None;
        // What it says is said in `read`; it itself only learns whether more is to be expected.
        carried!(
            self,
            io => { let _ = io.try_io(Interest::READABLE, || receive(io, into, &mut read)); },
            tls => read = tls.try_recv(into)
        );
        read
    }

    /// Writes once, if the runtime does not know the socket to be full; `None`: it is. Asks nobody to wake the
    /// task: [`Stream::poll_send`] does. A broken connection is an error, never a signal.
    #[inline]
    pub fn try_send(&self, bytes: &[u8]) -> Option<io::Result<usize>> {
        #[cfg(feature = "sim")]
        if let Self::Sim(end) = self {
            return end.try_send(bytes);
        }
        let mut written = None;
        carried!(
            self,
            io => { let _ = io.try_io(Interest::WRITABLE, || transmit(io, bytes, &mut written)); },
            tls => written = tls.try_send(bytes)
        );
        written
    }

    /// Has something come, bytes, an end or an error? `Pending`: the task is woken when it has. A guess may be
    /// `Ready` for nothing, never the other way round.
    pub fn poll_arrived(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        carried!(self, io => io.poll_read_ready(cx), tls => {
            if tls.holds_something() { Poll::Ready(Ok(())) } else { tls.carrier().poll_arrived(cx) }
        })
    }

    /// Waits for [`Stream::poll_arrived`].
    ///
    /// # Errors
    /// The runtime is shutting down.
    pub async fn arrived(&self) -> io::Result<()> {
        poll_fn(|cx| self.poll_arrived(cx)).await
    }

    /// Is something known to have come? Nobody is asked to wake the task. No system call and no lock.
    #[must_use]
    pub fn has_arrived(&self) -> bool {
        if let Self::Tls(tls) = self {
            return tls.holds_something() || tls.carrier().has_arrived();
        }
        // Any error but `WouldBlock` leaves the readiness as it is.
        self.heard(io::ErrorKind::Other)
    }

    /// Was nothing heard from the peer since the last read? Anything, bytes or an end, makes a connection useless
    /// for a next request. Asks once: the answer no is forgotten. No system call and no lock.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        if let Self::Tls(tls) = self {
            return !tls.hears(Read::AsKnown);
        }
        !self.heard(io::ErrorKind::WouldBlock)
    }

    fn heard(&self, then: io::ErrorKind) -> bool {
        let mut heard = false;
        let ask = || -> io::Result<()> {
            heard = true;
            Err(then.into())
        };
        carried!(
            self,
            io => { let _ = io.try_io(Interest::READABLE, ask); },
            tls => heard = tls.carrier().heard(then)
        );
        heard
    }

    /// Did the peer say something before it was asked? Such a byte is taken. No system call unless something came.
    #[must_use]
    pub fn speaks_first(&self) -> bool {
        if let Self::Tls(tls) = self {
            return tls.hears(Read::AsKnown) && matches!(self.try_recv(&mut [0]), Some(Ok(1)));
        }
        self.poll_arrived(&mut Context::from_waker(Waker::noop())).is_ready()
            && matches!(self.try_recv(&mut [0]), Some(Ok(1)))
    }

    /// Has the peer sent or closed anything that nobody read? One system call; it sees what the kernel has now, even
    /// when the runtime was not told yet.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        if let Self::Tls(tls) = self {
            return tls.hears(Read::Now);
        }
        !matches!(self.peek(), Err(e) if e.kind() == io::ErrorKind::WouldBlock)
    }

    /// Has the peer reset the connection? It sees that behind bytes that nobody read, where a read would not. One system
    /// call, which takes the error away: whoever is told ends the connection.
    #[must_use]
    pub fn has_broken(&self) -> bool {
        !matches!(self.take_error(), Ok(None))
    }

    /// How far the peer's direction is, by what the kernel has now. One system call.
    #[must_use]
    pub fn ended(&self) -> Ended {
        if let Self::Tls(tls) = self {
            return tls.ended();
        }
        match self.peek() {
            Ok(0) => Ended::Clean,
            Ok(_) => Ended::Open,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ended::Open,
            Err(_) => Ended::Cut,
        }
    }

    /// Reads what the kernel has now, whatever the runtime knows; `None`: nothing.
    pub(crate) fn recv_now(&self, into: &mut [u8]) -> Option<io::Result<usize>> {
        #[cfg(feature = "sim")]
        if let Self::Sim(end) = self {
            return end.try_recv(into);
        }
        match recv(self, into, RecvFlags::DONTWAIT) {
            Ok((len, _)) => Some(Ok(len)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    /// The TLS that it goes over.
    #[must_use]
    pub const fn tls(&self) -> Option<&TlsStream> {
        match self {
            Self::Tls(tls) => Some(tls),
            _ => None,
        }
    }

    /// When it ends, it ends without a word, so that the peer does not take what it got for the whole. Only TLS has a word
    /// for an end in order; of a plain connection [`Stream::reset`] does it.
    pub fn cut(&self) {
        if let Self::Tls(tls) = self {
            tls.cut();
        }
    }

    /// From now on what comes is thrown away by whoever reads it: nothing is decrypted for that.
    pub fn drain(&self) {
        if let Self::Tls(tls) = self {
            tls.drain();
        }
    }

    /// How many bytes a read would see, 0 or 1; 0 is the end.
    fn peek(&self) -> io::Result<usize> {
        #[cfg(feature = "sim")]
        if let Self::Sim(end) = self {
            return end.peek();
        }
        let (_, len) = recv(self, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
        Ok(len)
    }

    /// Writes once. `Pending`: no room; the task is woken when there is some.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        carried!(self, io => Pin::new(io).poll_write(cx, bytes), tls => tls.poll_send(cx, &[IoSlice::new(bytes)]))
    }

    /// Writes once, from several places.
    pub fn poll_send_vectored(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        carried!(self, io => Pin::new(io).poll_write_vectored(cx, slices), tls => tls.poll_send(cx, slices))
    }

    /// `Ready` when all that was sent has left this process. A socket keeps nothing back.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        carried!(self, io => Pin::new(io).poll_flush(cx), tls => tls.poll_flush(cx))
    }

    /// Has all that was sent left this process?
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Unix(_) => true,
            Self::Tls(tls) => tls.is_flushed(),
            #[cfg(feature = "sim")]
            Self::Sim(_) => true,
        }
    }

    /// The socket, when its bytes are the payload: of every connection that nothing encrypts.
    #[must_use]
    pub const fn plain(&self) -> Option<Plain<'_>> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => Some(Plain(self)),
            Self::Tls(_) => None,
            #[cfg(feature = "sim")]
            Self::Sim(_) => None, // the kernel has none of its bytes
        }
    }

    /// Says the end of our direction; the other one stays open. An error means that the connection is gone already.
    pub fn close_write(&self) {
        #[cfg(feature = "sim")]
        if let Self::Sim(end) = self {
            return end.close_write();
        }
        if let Self::Tls(tls) = self {
            return tls.close_write();
        }
        let _ = shutdown(self, Shutdown::Write);
    }

    /// Ends the connection so that the peer cannot take what it got for the whole. What was not sent yet is lost.
    ///
    /// TCP has a RST for it. A Unix domain socket has nothing of the kind unless something from the peer is unread:
    /// its end looks clean.
    pub fn reset(self) {
        #[cfg(feature = "sim")]
        if let Self::Sim(end) = self {
            return end.reset();
        }
        if let Self::Tls(tls) = &self {
            tls.cut();
        }
        // If the option cannot be set the connection ends with a FIN; there is nothing better left.
        let _ = SockRef::from(&self).set_linger(Some(Duration::ZERO));
        drop(self);
    }

    /// Our own end; `None` of a Unix domain socket.
    #[must_use]
    pub fn local_socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(io) => io.local_addr().ok(),
            Self::Unix(_) => None,
            Self::Tls(tls) => tls.carrier().local_socket(),
            #[cfg(feature = "sim")]
            Self::Sim(end) => end.local(),
        }
    }

    /// The other end; `None` of a Unix domain socket.
    #[must_use]
    pub fn peer_socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(io) => io.peer_addr().ok(),
            Self::Unix(_) => None,
            Self::Tls(tls) => tls.carrier().peer_socket(),
            #[cfg(feature = "sim")]
            Self::Sim(end) => end.peer(),
        }
    }

    /// The error that waits on the socket, taken.
    ///
    /// # Errors
    /// What getsockopt(2) says.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        carried!(self, io => io.take_error(), tls => tls.carrier().take_error())
    }

    /// `Ready` when the socket takes bytes: of a new one, when it is connected or has failed.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        carried!(self, io => io.poll_write_ready(cx), tls => tls.carrier().poll_writable(cx))
    }
}

/// For whoever does not poll by hand.
impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        carried!(self.get_mut(), io => Pin::new(io).poll_read(cx, into), tls => loop {
            if let Some(read) = tls.try_recv(into.initialize_unfilled()) {
                into.advance(read?);
                return Poll::Ready(Ok(()));
            }
            ready!(tls.carrier().poll_arrived(cx))?;
        })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_flush(self.get_mut(), cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close_write();
        Poll::Ready(Ok(()))
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        carried!(self, io => io.as_fd(), tls => tls.carrier().as_fd())
    }
}

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        carried!(self, io => io.as_raw_fd(), tls => tls.carrier().as_raw_fd())
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

impl Plain<'_> {
    pub(crate) fn poll_readable(self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_arrived(cx)
    }

    pub(crate) fn poll_writable(self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_writable(cx)
    }

    pub(crate) fn try_io<R>(self, interest: Interest, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        carried!(self.0, io => io.try_io(interest, f), tls => tls.carrier().plain().ok_or(io::ErrorKind::Unsupported)?.try_io(interest, f))
    }

    pub(crate) fn peek(self) -> io::Result<usize> {
        self.0.peek()
    }
}

impl AsFd for Plain<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests;
