use super::*;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

/// A peer of either kind.
trait Peer: Read + Write + AsFd {}
impl<T: Read + Write + AsFd> Peer for T {}

/// Our end and the other one, of each kind.
async fn pairs() -> Vec<(Stream, Box<dyn Peer>)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let tcp: Stream = listener.accept().await.unwrap().0.into();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let unix: Stream = UnixStream::from_std(ours).unwrap().into();
    vec![(tcp, Box::new(other)), (unix, Box::new(theirs))]
}

async fn arrived(stream: &Stream) {
    poll_fn(|cx| stream.poll_arrived(cx)).await.unwrap();
}

async fn writable(stream: &Stream) {
    poll_fn(|cx| stream.poll_writable(cx)).await.unwrap();
}

/// Ends the peer's connection with a RST.
fn break_off(peer: &dyn Peer) {
    let fd: OwnedFd = peer.as_fd().try_clone_to_owned().unwrap();
    SockRef::from(&fd).set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn what_is_here_is_read_and_then_nothing_is() {
    for (ours, mut theirs) in pairs().await {
        let mut room = [0; 8];
        assert!(ours.try_recv(&mut room).is_none());
        assert!(!ours.has_arrived() && ours.is_silent() && !ours.speaks_first());
        theirs.write_all(b"abcdefghij").unwrap();
        arrived(&ours).await;
        assert!(ours.has_arrived() && ours.has_unread());
        assert_eq!(ours.try_recv(&mut room).unwrap().unwrap(), 8);
        assert_eq!(&room, b"abcdefgh");
        let rest = ours.try_recv(&mut room);
        assert_eq!(rest.unwrap().unwrap(), 2, "a filled room leaves the readiness");
        assert!(ours.try_recv(&mut room).is_none(), "a short read clears it");
        assert!(!ours.has_unread());
        theirs.write_all(b"k").unwrap();
        arrived(&ours).await;
        let next = ours.try_recv(&mut room);
        assert_eq!(next.unwrap().unwrap(), 1, "and the next byte sets it again");
    }
}

#[tokio::test]
async fn whoever_spoke_is_not_silent_and_is_asked_once() {
    for (ours, mut theirs) in pairs().await {
        assert!(ours.try_recv(&mut [0]).is_none()); // a new one counts as ready until it was tried
        theirs.write_all(b"x").unwrap();
        arrived(&ours).await;
        assert!(!ours.is_silent());
        assert!(ours.is_silent(), "the answer no is forgotten");
    }
    for (ours, mut theirs) in pairs().await {
        theirs.write_all(b"x").unwrap();
        arrived(&ours).await;
        assert!(ours.speaks_first());
    }
}

#[tokio::test]
async fn the_end_is_clean_and_seen_again_and_again() {
    for (ours, theirs) in pairs().await {
        assert_eq!(ours.ended(), Ended::Open);
        drop(theirs);
        arrived(&ours).await;
        for _ in 0..2 {
            assert_eq!(ours.try_recv(&mut [0; 4]).unwrap().unwrap(), 0);
            assert_eq!(ours.ended(), Ended::Clean);
            assert!(ours.has_unread());
        }
    }
}

#[tokio::test]
async fn a_connection_that_broke_off_is_cut() {
    for (mut ours, mut theirs) in pairs().await {
        // A Unix domain socket breaks off only when something was left unread.
        assert_eq!(poll_fn(|cx| ours.poll_send(cx, b"unread")).await.unwrap(), 6);
        break_off(&*theirs);
        assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 1);
        drop(theirs);
        arrived(&ours).await;
        assert_eq!(ours.ended(), Ended::Cut);
        writable(&ours).await;
        let error = ours.try_send(b"x").unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "an error and no signal");
    }
}

#[tokio::test]
async fn a_full_socket_takes_nothing_until_it_is_read() {
    for (ours, mut theirs) in pairs().await {
        writable(&ours).await;
        let block = vec![b'x'; 1 << 16];
        let mut sent = 0;
        while let Some(taken) = ours.try_send(&block) {
            sent += taken.unwrap();
        }
        assert!(sent > 0);
        let mut got = 0;
        let mut room = vec![0; 1 << 20];
        while got < sent {
            got += theirs.read(&mut room).unwrap();
        }
        assert_eq!(got, sent);
        writable(&ours).await;
        assert_eq!(ours.try_send(b"more").unwrap().unwrap(), 4);
        assert!(ours.is_flushed());
    }
}

#[tokio::test]
async fn several_places_leave_in_their_order() {
    for (mut ours, mut theirs) in pairs().await {
        let slices = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two")];
        assert_eq!(poll_fn(|cx| ours.poll_send_vectored(cx, &slices)).await.unwrap(), 7);
        poll_fn(|cx| ours.poll_flush(cx)).await.unwrap();
        drop(ours);
        let mut all = String::new();
        theirs.read_to_string(&mut all).unwrap();
        assert_eq!(all, "one two");
    }
}

#[tokio::test]
async fn a_half_close_leaves_the_other_half_open() {
    for (ours, mut theirs) in pairs().await {
        ours.close_write();
        assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 0);
        theirs.write_all(b"still here").unwrap();
        arrived(&ours).await;
        assert_eq!(ours.try_recv(&mut [0; 16]).unwrap().unwrap(), 10);
    }
}

#[tokio::test]
async fn a_reset_is_seen_as_one_over_tcp() {
    let (ours, mut theirs) = pairs().await.swap_remove(0);
    ours.reset();
    let error = theirs.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn bytes_cross_inside_the_kernel_from_either_kind_to_the_other() {
    use crate::{Filled, Splice};
    for way in 0..2 {
        let mut from = pairs().await;
        let mut to = pairs().await;
        let ((from, mut source), (to, mut sink)) = (from.swap_remove(way), to.swap_remove(1 - way));
        source.write_all(b"across").unwrap();
        let mut splice = Splice::new().unwrap();
        let filled = poll_fn(|cx| splice.poll_fill(cx, from.plain().unwrap(), u64::MAX)).await;
        assert_eq!(filled.unwrap(), Filled::Bytes(6));
        let drained = poll_fn(|cx| splice.poll_drain(cx, to.plain().unwrap())).await;
        assert_eq!(drained.unwrap(), 6);
        drop(to);
        let mut all = String::new();
        sink.read_to_string(&mut all).unwrap();
        assert_eq!(all, "across");
        drop(source);
        let filled = poll_fn(|cx| splice.poll_fill(cx, from.plain().unwrap(), u64::MAX)).await;
        assert_eq!(filled.unwrap(), Filled::Ended);
    }
}
