mod blocked;

use super::*;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::TcpStream as Peer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

async fn pair() -> (Stream, Peer) {
    let (stream, other) = plain_pair().await;
    (stream.into(), other)
}

/// As [`pair`], with so little room in the kernel that a turn never ends before the room does.
async fn narrow_pair() -> (Stream, Peer) {
    let (stream, other) = plain_pair().await;
    socket2::SockRef::from(&stream).set_send_buffer_size(SMALL).unwrap();
    socket2::SockRef::from(&other).set_recv_buffer_size(SMALL).unwrap();
    (stream.into(), other)
}

async fn plain_pair() -> (tokio::net::TcpStream, Peer) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = Peer::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().await.unwrap().0, other)
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
