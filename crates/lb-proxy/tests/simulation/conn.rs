//! One end of a connection as an actor uses it: reads and writes at once, with a last resort against both waiting for ever.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep, sleep_until};

/// What carries bytes and can be reset.
pub(crate) trait Pipe: AsyncRead + AsyncWrite + Unpin + 'static {
    fn reset(self);

    /// Has the other side broken off?
    fn was_reset(&self) -> bool;
}

impl Pipe for lb_net::sim::End {
    fn reset(self) {
        Self::reset(self);
    }

    fn was_reset(&self) -> bool {
        Self::was_reset(self)
    }
}

/// An end of a connection that several futures of one task use.
#[derive(Debug)]
pub(crate) struct Conn<T> {
    io: RefCell<Option<T>>,
    waker: RefCell<Option<Waker>>,
    /// When something last moved, or an actor ended a pause.
    moved: Cell<Instant>,
    /// The actor pauses by its own wish.
    pauses: Cell<u32>,
}

impl<T: Pipe> Conn<T> {
    pub(crate) fn new(io: T) -> Self {
        Self {
            io: RefCell::new(Some(io)),
            waker: RefCell::new(None),
            moved: Cell::new(Instant::now()),
            pauses: Cell::new(0),
        }
    }

    async fn with<R>(&self, mut f: impl FnMut(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<R>>) -> io::Result<R> {
        let done = poll_fn(|cx| {
            let mut io = self.io.borrow_mut();
            let Some(io) = &mut *io else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            let polled = f(Pin::new(io), cx);
            if polled.is_pending() {
                self.waker.replace(Some(cx.waker().clone()));
            }
            polled
        })
        .await;
        self.moved.set(Instant::now());
        done
    }

    /// Reads once; 0: the other side has ended.
    pub(crate) async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.with(|mut io, cx| {
            let mut buffer = ReadBuf::new(into);
            ready!(io.as_mut().poll_read(cx, &mut buffer))?;
            // A write that failed has taken the error: without a look this would be an end in order.
            match buffer.filled().len() {
                0 if io.was_reset() => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                len => Poll::Ready(Ok(len)),
            }
        })
        .await
    }

    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|io, cx| io.poll_write(cx, bytes)).await
    }

    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let len = self.write(bytes).await?;
            bytes = &bytes[len..];
        }
        Ok(())
    }

    /// Ends this direction in order.
    pub(crate) async fn shutdown(&self) -> io::Result<()> {
        self.with(|io, cx| io.poll_shutdown(cx)).await
    }

    /// Breaks both directions off. Whoever reads or writes here is told.
    pub(crate) fn reset(&self) {
        let io = self.io.borrow_mut().take();
        if let Some(io) = io {
            io.reset();
        }
        self.wake();
    }

    /// Closes it, whatever was not read.
    pub(crate) fn close(&self) {
        drop(self.io.borrow_mut().take());
        self.wake();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.io.borrow().is_none()
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Does nothing for a moment; nobody else is to blame for that.
    pub(crate) async fn pause(&self, pause: Duration) {
        if pause.is_zero() {
            return;
        }
        self.pauses.set(self.pauses.get() + 1);
        sleep(pause).await;
        self.pauses.set(self.pauses.get() - 1);
        self.moved.set(Instant::now());
    }

    /// Returns when nothing has moved for so long though the actor wants it, and says for how long.
    pub(crate) async fn stuck(&self, longest: Duration) -> Duration {
        loop {
            let waits = Instant::now() - self.moved.get();
            if waits > longest && self.pauses.get() == 0 && !self.is_closed() {
                return waits;
            }
            sleep_until((self.moved.get() + longest).max(Instant::now()) + Duration::from_millis(500)).await;
        }
    }
}

/// The first of two to end.
pub(crate) async fn either<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> Result<A, B> {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    poll_fn(|cx| match a.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending => b.as_mut().poll(cx).map(Err),
    })
    .await
}
