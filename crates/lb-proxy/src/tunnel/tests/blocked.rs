//! Sides from which nothing is read, because the other one does not take what they sent.

use super::*;

/// A tunnel whose client, or whose backend, has sent until nothing more was taken, because the other side does not read.
async fn blocked(core: &Core, by_client: bool) -> (Tunnel, Peer, Peer, usize) {
    let (client, upstream) = (pair().await, pair().await);
    blocked_between(core, by_client, client, upstream).await
}

async fn blocked_between(
    core: &Core,
    by_client: bool,
    (client_io, client): (Stream, Peer),
    (upstream_io, upstream): (Stream, Peer),
) -> (Tunnel, Peer, Peer, usize) {
    let mut tunnel = between(core, client_io, upstream_io);
    let (talks, stays) = if by_client {
        (client, upstream)
    } else {
        (upstream, client)
    };
    let sent = fill(core, &mut tunnel, &talks).await;
    (tunnel, talks, stays, sent)
}

/// This side sends until nothing more is taken; says how much was.
async fn fill(core: &Core, tunnel: &mut Tunnel, mut talks: &Peer) -> usize {
    talks.set_nonblocking(true).unwrap();
    let piece = pattern(64 * 1024);
    let (mut sent, mut refused) = (0, 0);
    // Often in a row neither the peer nor the tunnel finds room: the kernel's buffers are full on both ways.
    while refused < 20 {
        let before = tunnel.progress();
        poll_fn(|cx| {
            assert!(tunnel.poll(cx, core).is_pending());
            Poll::Ready(())
        })
        .await;
        match talks.write(&piece) {
            Ok(len) => (sent, refused) = (sent + len, 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && before == tunnel.progress() => refused += 1,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
        tokio::task::yield_now().await;
    }
    sent
}

#[tokio::test]
async fn a_reset_by_both_sides_while_nobody_reads_says_so() {
    let core = Core::new(Arc::default());
    let (mut tunnel, client, upstream, _) = blocked(&core, true).await;
    fill(&core, &mut tunnel, &upstream).await;
    assert!(tunnel.up.is_blocked() && tunnel.down.is_blocked());
    break_off(client);
    break_off(upstream);
    let end = tunnel.ask(
        &Context::from_waker(Waker::noop()),
        &core,
        core.now().mono.after(ASK_EVERY),
    );
    assert_eq!(
        (end, tunnel.reset_by()),
        (Poll::Ready(End::TunnelReset), "by both sides")
    );
}

#[tokio::test]
async fn a_reset_behind_bytes_that_the_other_side_does_not_take_is_seen_within_seconds() {
    for by_client in [true, false] {
        let core = Core::new(Arc::default());
        let (mut tunnel, talks, mut stays, _) = blocked(&core, by_client).await;
        let begun = core.now().mono;
        let later = |seconds| core.timers.advance(begun.after(Duration::from_secs(seconds)));
        later(2);
        assert!(poll_once(&mut tunnel, &core).await.is_pending());
        assert_eq!(tunnel.reset_by(), "", "nobody has broken off");
        break_off(talks);
        later(4);
        assert!(
            poll_once(&mut tunnel, &core).await.is_pending(),
            "what was said may still arrive"
        );
        let who = if by_client { "by the client" } else { "by the backend" };
        assert!(tunnel.reset_by().starts_with(who), "{}", tunnel.reset_by());
        stays.set_nonblocking(true).unwrap();
        later(5);
        let end = poll_once(&mut tunnel, &core).await;
        assert_eq!(end, Poll::Ready(End::TunnelReset), "it takes nothing: {who}");
        let mut rest = Vec::new();
        let error = stays.read_to_end(&mut rest).unwrap_err();
        assert_eq!(
            error.kind(),
            io::ErrorKind::ConnectionReset,
            "the cut must not look like an end"
        );
    }
}

#[tokio::test]
async fn behind_a_reset_all_that_was_taken_over_is_delivered_to_a_side_that_reads_again() {
    for by_client in [true, false] {
        let core = Core::new(Arc::default());
        let (mut tunnel, talks, stays, sent) = blocked(&core, by_client).await;
        let begun = core.now().mono;
        break_off(talks);
        core.timers.advance(begun.after(Duration::from_millis(1_500)));
        assert!(poll_once(&mut tunnel, &core).await.is_pending());
        assert!(!tunnel.reset_by().is_empty(), "it was asked and has broken off");
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let reader = std::thread::spawn(move || {
            let mut piece = vec![0; LARGE];
            loop {
                match (&stays).read(&mut piece) {
                    Ok(0) => return None,
                    Ok(len) => counter.fetch_add(len, Ordering::SeqCst),
                    Err(error) => return Some(error.kind()),
                };
            }
        });
        let mut got = 0;
        let end = poll_fn(|cx| {
            let end = tunnel.poll(cx, &core);
            let bytes = if by_client { tunnel.up.bytes } else { tunnel.down.bytes };
            got = taken.load(Ordering::SeqCst);
            // The RST comes when the time for what is under way is over.
            if end.is_pending() && tunnel.lingers && got as u64 == bytes {
                core.timers.advance(core.now().mono.after(LINGER * 4));
                return tunnel.poll(cx, &core);
            }
            cx.waker().wake_by_ref();
            end
        })
        .await;
        assert_eq!(end, End::TunnelReset);
        assert_eq!(reader.join().unwrap(), Some(io::ErrorKind::ConnectionReset));
        // What had not left the kernel of whoever broke off is lost, as it is without a tunnel.
        assert!(got > LARGE && got <= sent, "{got} of {sent}");
    }
}

#[tokio::test]
async fn a_question_that_comes_while_something_moves_is_not_the_last() {
    for by_client in [true, false] {
        let core = Core::new(Arc::default());
        let (fast, slow) = (pair().await, narrow_pair().await);
        let (client, upstream) = if by_client { (fast, slow) } else { (slow, fast) };
        let (mut tunnel, talks, mut stays, _) = blocked_between(&core, by_client, client, upstream).await;
        // From here on the tunnel is polled when it is woken, and not otherwise.
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        tunnel.timer = core.timers.register(waker.clone());
        let mut now = core.now().mono;
        tunnel.timer.set(now.after(ASK_EVERY));
        assert!(tunnel.asks && tunnel.is_blind());
        let mut poll = || {
            let end = tunnel.poll(&mut Context::from_waker(&waker), &core);
            (end, tunnel.progress(), tunnel.is_blind())
        };
        let (_, mut progress, _) = poll();
        stays.set_nonblocking(true).unwrap();
        let mut piece = vec![0; SMALL];
        loop {
            now = now.after(ASK_EVERY * 2);
            core.timers.advance(now);
            assert_eq!(wakes.take(), 1, "the question");
            while wakes.count() == 0 {
                assert!(
                    stays
                        .read(&mut piece)
                        .map_or_else(|error| error.kind() == io::ErrorKind::WouldBlock, |_| true)
                );
                tokio::task::yield_now().await;
            }
            wakes.take();
            let (end, moved, blind) = poll();
            assert!(end.is_pending());
            if moved != progress && blind {
                break;
            }
            progress = moved;
        }
        break_off(talks);
        let is_over = (0..20).any(|_| {
            now = now.after(ASK_EVERY * 2);
            core.timers.advance(now);
            wakes.take() > 0 && poll().0 == Poll::Ready(End::TunnelReset)
        });
        assert!(is_over, "by the client: {by_client}");
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wakes {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl std::task::Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn who_is_blocked_by_nobody_is_not_asked() {
    let core = Core::new(Arc::default());
    let (client_io, mut client) = pair().await;
    let (upstream_io, mut upstream) = pair().await;
    let mut tunnel = between(&core, client_io, upstream_io);
    client.write_all(b"hello").unwrap();
    poll_fn(|cx| {
        assert!(tunnel.poll(cx, &core).is_pending());
        if tunnel.up.bytes == 5 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    upstream.read_exact(&mut [0; 5]).unwrap();
    assert!(!tunnel.asks);
    let begun = core.now().mono;
    core.timers.advance(begun.after(Duration::from_secs(50)));
    assert!(!tunnel.timer.take_fired(), "nothing is due before the idle timeout");
}

async fn poll_once(tunnel: &mut Tunnel, core: &Core) -> Poll<End> {
    poll_fn(|cx| Poll::Ready(tunnel.poll(cx, core))).await
}
