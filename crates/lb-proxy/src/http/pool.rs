//! Upstream connections that wait for their next request, per worker and backend.

use lb_types::Time;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::net::TcpStream;

/// Idle connections to one backend, the youngest at the back.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    waiting: RefCell<VecDeque<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    stream: TcpStream,
    until: Time,
}

impl Idle {
    /// The connection that was used last and is still silent. One that was closed or has bytes
    /// that nobody asked for is dropped on the way. No system call.
    pub(crate) fn take(&self, now: Time) -> Option<TcpStream> {
        let mut waiting = self.waiting.borrow_mut();
        while let Some(Waiting { stream, until }) = waiting.pop_back() {
            if until > now && is_silent(&stream) {
                return Some(stream);
            }
        }
        None
    }

    /// Keeps a connection for at most `keep`; beyond `most` of them the oldest goes.
    pub(crate) fn put(&self, stream: TcpStream, now: Time, keep: Duration, most: usize) {
        if most == 0 || keep.is_zero() {
            return;
        }
        // A last read that filled its buffer exactly leaves the readiness set: ask once.
        if !is_silent(&stream) && !matches!(stream.try_read(&mut [0]), Err(e) if e.kind() == io::ErrorKind::WouldBlock)
        {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= most {
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            stream,
            until: now.after(keep),
        });
    }

    /// Drops what died or waited too long.
    pub(crate) fn sweep(&self, now: Time) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|w| w.until > now && is_silent(&w.stream));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    pub(crate) fn clear(&self) {
        self.waiting.borrow_mut().clear();
    }
}

/// Did the runtime hear nothing from the peer since the last read? Anything it heard, bytes or
/// an end, makes the connection useless for a next request.
fn is_silent(stream: &TcpStream) -> bool {
    stream
        .poll_read_ready(&mut Context::from_waker(Waker::noop()))
        .is_pending()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    async fn pair() -> (TcpStream, std::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().await.unwrap().0, other)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_last_one_in_comes_out_first_and_dead_ones_never() {
        let idle = Idle::default();
        let (a, _keep_a) = pair().await;
        let (b, _keep_b) = pair().await;
        let (c, gone) = pair().await;
        let (d, mut talkative) = pair().await;
        let b_name = b.local_addr().unwrap();
        drop(gone);
        c.readable().await.unwrap();
        talkative.write_all(b"HTTP/1.1 408 Too late\r\n\r\n").unwrap();
        d.readable().await.unwrap();
        idle.put(a, Time::ZERO, MINUTE, 10);
        idle.put(b, Time::ZERO, MINUTE, 10);
        // As if c and d died while they waited.
        for stream in [c, d] {
            idle.waiting.borrow_mut().push_back(Waiting {
                stream,
                until: Time::ZERO.after(MINUTE),
            });
        }
        assert_eq!(idle.take(Time::ZERO).unwrap().local_addr().unwrap(), b_name);
        assert!(idle.take(Time::ZERO.after(MINUTE)).is_none(), "it waited too long");
        assert!(idle.is_empty());
    }

    #[tokio::test]
    async fn beyond_the_limit_the_oldest_goes() {
        let idle = Idle::default();
        let (a, _keep_a) = pair().await;
        let (b, _keep_b) = pair().await;
        let b_name = b.local_addr().unwrap();
        idle.put(a, Time::ZERO, MINUTE, 1);
        idle.put(b, Time::ZERO, MINUTE, 1);
        assert_eq!(idle.take(Time::ZERO).unwrap().local_addr().unwrap(), b_name);
        assert!(idle.take(Time::ZERO).is_none());
        let (c, _keep_c) = pair().await;
        idle.put(c, Time::ZERO, MINUTE, 0);
        assert!(idle.is_empty());
    }
}
