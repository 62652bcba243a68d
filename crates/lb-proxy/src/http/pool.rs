//! Upstream connections that wait for their next request, per worker and backend.

use lb_types::Time;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::net::TcpStream;

/// Idle connections to one backend, the youngest at the back.
///
/// A backend that sends more than it was asked for does so mostly right behind its response. So a
/// connection that was just used goes at once only to the client that used it last; others get it
/// when it has been silent for a moment, a longer one while it is new.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    waiting: RefCell<VecDeque<Waiting>>,
}

/// A connection that carried at least one exchange.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) stream: TcpStream,
    /// The client whose exchange was the last one.
    pub(crate) owner: u32,
    /// Exchanges so far.
    pub(crate) exchanges: u16,
}

#[derive(Debug)]
struct Waiting {
    used: Used,
    since: Time,
    until: Time,
}

impl Idle {
    /// The connection that was used last of those that `owner` may have, and that is still silent.
    /// One that was closed or has bytes that nobody asked for is dropped on the way. No system call;
    /// `O(n)` in the connections that were used within the last moments.
    pub(crate) fn take(&self, now: Time, owner: u32) -> Option<Used> {
        let mut waiting = self.waiting.borrow_mut();
        let mut at = waiting.len();
        while let Some(next) = at.checked_sub(1) {
            at = next;
            if waiting[at].is_for(owner, now)
                && let Some(Waiting { used, until, .. }) = waiting.remove(at)
                && until > now
                && is_silent(&used.stream)
            {
                return Some(used);
            }
        }
        None
    }

    /// Keeps a connection for at most `keep`. Beyond `most` of them the oldest goes, or this one if it
    /// is new: new ones would push each other out before anybody may have them.
    pub(crate) fn put(&self, used: Used, now: Time, keep: Duration, most: usize) {
        if most == 0 || keep.is_zero() {
            return;
        }
        // A last read that filled its buffer exactly leaves the readiness set: ask once.
        if !is_silent(&used.stream)
            && !matches!(used.stream.try_read(&mut [0]), Err(e) if e.kind() == io::ErrorKind::WouldBlock)
        {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= most {
            if used.exchanges < TRIAL && waiting.front().is_some_and(|w| w.until > now) {
                return;
            }
            waiting.pop_front();
        }
        waiting.push_back(Waiting {
            used,
            since: now,
            until: now.after(keep),
        });
    }

    /// Drops what died or waited too long.
    pub(crate) fn sweep(&self, now: Time) {
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|w| w.until > now && is_silent(&w.used.stream));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    pub(crate) fn clear(&self) {
        self.waiting.borrow_mut().clear();
    }
}

impl Waiting {
    fn is_for(&self, owner: u32, now: Time) -> bool {
        let pause = if self.used.exchanges < TRIAL { NEW_PAUSE } else { PAUSE };
        self.used.owner == owner || now.since(self.since) >= pause
    }
}

/// A connection that carried fewer exchanges than this is new.
const TRIAL: u16 = 4;
/// A second response 0.5 ms behind the first reached another client in 297 of 300 tries. At 10,000
/// exchanges a second this holds a hundred connections back from other clients.
const PAUSE: Duration = Duration::from_millis(10);
/// The same for new connections, of which there are few: what misbehaves shows early.
const NEW_PAUSE: Duration = Duration::from_millis(250);

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

    /// A connection that client 1 has used often.
    fn used(stream: TcpStream) -> Used {
        Used {
            stream,
            owner: 1,
            exchanges: TRIAL,
        }
    }

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
        idle.put(used(a), Time::ZERO, MINUTE, 10);
        idle.put(used(b), Time::ZERO, MINUTE, 10);
        // As if c and d died while they waited.
        for stream in [c, d] {
            idle.waiting.borrow_mut().push_back(Waiting {
                used: used(stream),
                since: Time::ZERO,
                until: Time::ZERO.after(MINUTE),
            });
        }
        assert_eq!(idle.take(Time::ZERO, 1).unwrap().stream.local_addr().unwrap(), b_name);
        assert!(idle.take(Time::ZERO.after(MINUTE), 1).is_none(), "it waited too long");
        assert!(idle.is_empty());
    }

    #[tokio::test]
    async fn beyond_the_limit_the_oldest_goes_or_a_new_one() {
        let idle = Idle::default();
        let (a, _keep_a) = pair().await;
        let (b, _keep_b) = pair().await;
        let (c, _keep_c) = pair().await;
        let b_name = b.local_addr().unwrap();
        idle.put(used(a), Time::ZERO, MINUTE, 1);
        idle.put(used(b), Time::ZERO, MINUTE, 1);
        let new = Used {
            exchanges: 1,
            ..used(c)
        };
        idle.put(new, Time::ZERO, MINUTE, 1);
        assert_eq!(idle.take(Time::ZERO, 1).unwrap().stream.local_addr().unwrap(), b_name);
        assert!(idle.take(Time::ZERO, 1).is_none());
        let (c, _keep_c) = pair().await;
        idle.put(used(c), Time::ZERO, MINUTE, 0);
        assert!(idle.is_empty());
    }

    #[tokio::test]
    async fn another_client_waits_for_a_moment_of_silence() {
        let idle = Idle::default();
        let (old, _keep_old) = pair().await;
        let (new, _keep_new) = pair().await;
        let old_name = old.local_addr().unwrap();
        idle.put(used(old), Time::ZERO, MINUTE, 10);
        let new = Used {
            exchanges: TRIAL - 1,
            ..used(new)
        };
        idle.put(new, Time::ZERO, MINUTE, 10);
        assert!(idle.take(Time::ZERO.after(Duration::from_millis(9)), 2).is_none());
        let soon = Time::ZERO.after(Duration::from_millis(249));
        assert_eq!(idle.take(soon, 2).unwrap().stream.local_addr().unwrap(), old_name);
        assert!(idle.take(soon, 2).is_none());
        assert!(idle.take(Time::ZERO.after(Duration::from_millis(250)), 2).is_some());
    }
}
