#![cfg(target_os = "linux")]

use super::*;
use crate::Stream;
use rustix::net::{SendFlags, send};
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::TcpStream as Peer;
use std::time::Duration;

/// A connection: our end and the other one.
async fn pair() -> (Stream, Peer) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = Peer::connect(listener.local_addr().unwrap()).unwrap();
    other.set_nodelay(true).unwrap();
    (listener.accept().await.unwrap().0.into(), other)
}

async fn fill(splice: &mut Splice, from: &Stream, most: u64) -> io::Result<Filled> {
    poll_fn(|cx| splice.poll_fill(cx, from.plain().unwrap(), most)).await
}

async fn drain(splice: &mut Splice, to: &Stream) -> io::Result<usize> {
    poll_fn(|cx| splice.poll_drain(cx, to.plain().unwrap())).await
}

fn bytes(filled: io::Result<Filled>) -> usize {
    match filled {
        Ok(Filled::Bytes(len)) => len,
        other => panic!("no bytes but {other:?}"),
    }
}

/// Byte `i` of every stream here: no period that a buffer's size could divide.
fn pattern(len: usize) -> Vec<u8> {
    let mut bytes = (0..251).collect::<Vec<u8>>().repeat(len / 251 + 1);
    bytes.truncate(len);
    bytes
}

#[tokio::test]
async fn every_byte_arrives_in_order_and_then_the_end() {
    const LEN: usize = 16 * 1024 * 1024;
    let (from, mut source) = pair().await;
    let (to, mut sink) = pair().await;
    let writer = std::thread::spawn(move || source.write_all(&pattern(LEN)));
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        sink.read_to_end(&mut all).map(|_| all)
    });
    let mut splice = Splice::new().unwrap();
    let mut total = 0;
    loop {
        match fill(&mut splice, &from, u64::MAX).await.unwrap() {
            Filled::Bytes(len) => {
                assert!(len > 0 && len <= SIZE && splice.len() == len);
                total += len;
            }
            Filled::Ended => break,
            Filled::Copy => panic!("this socket can be spliced"),
        }
        let mut drained = 0;
        let inside = splice.len();
        while !splice.is_empty() {
            drained += drain(&mut splice, &to).await.unwrap();
        }
        assert_eq!(drained, inside);
    }
    drop(to);
    assert_eq!(total, LEN);
    writer.join().unwrap().unwrap();
    assert!(reader.join().unwrap().unwrap() == pattern(LEN), "the bytes differ");
}

#[tokio::test]
async fn no_more_is_taken_than_asked_for() {
    let (from, mut source) = pair().await;
    let (to, mut sink) = pair().await;
    source.write_all(&pattern(1000)).unwrap();
    let mut splice = Splice::new().unwrap();
    assert_eq!(bytes(fill(&mut splice, &from, 600).await), 600);
    assert_eq!(drain(&mut splice, &to).await.unwrap(), 600);
    let mut first = [0; 600];
    sink.read_exact(&mut first).unwrap();
    assert_eq!(first[..], pattern(1000)[..600]);
    // The rest is still in the socket, for whoever reads it.
    poll_fn(|cx| from.poll_arrived(cx)).await.unwrap();
    let mut rest = [0; 1000];
    assert_eq!(from.try_recv(&mut rest).unwrap().unwrap(), 400);
    assert_eq!(rest[..400], pattern(1000)[600..]);
}

#[tokio::test]
async fn a_sink_that_takes_no_more_leaves_the_rest_inside() {
    const LEN: usize = 16 * 1024 * 1024;
    let (from, mut source) = pair().await;
    let (to, mut sink) = pair().await;
    SockRef::from(&to).set_send_buffer_size(64 * 1024).unwrap();
    let writer = std::thread::spawn(move || source.write_all(&pattern(LEN)).map(|()| source));
    let mut splice = Splice::new().unwrap();
    let mut sent = 0;
    // Nobody reads: sooner or later the pipe does not get empty.
    loop {
        bytes(fill(&mut splice, &from, u64::MAX).await);
        let inside = splice.len();
        let taken = poll_fn(|cx| Poll::Ready(splice.poll_drain(cx, to.plain().unwrap()))).await;
        let taken = match taken {
            Poll::Ready(taken) => taken.unwrap(),
            Poll::Pending => 0,
        };
        sent += taken;
        assert_eq!(splice.len(), inside - taken);
        if !splice.is_empty() {
            break;
        }
    }
    // It is not filled again before: a full pipe and an empty socket give the same answer.
    let error = fill(&mut splice, &from, u64::MAX).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    // Now somebody reads, and it goes on where it stopped.
    let reader = std::thread::spawn(move || {
        let mut all = vec![0; LEN];
        sink.read_exact(&mut all).map(|()| all)
    });
    loop {
        while !splice.is_empty() {
            sent += drain(&mut splice, &to).await.unwrap();
        }
        if sent == LEN {
            break;
        }
        bytes(fill(&mut splice, &from, u64::MAX).await);
    }
    drop(writer.join().unwrap().unwrap());
    assert!(reader.join().unwrap().unwrap() == pattern(LEN), "the bytes differ");
}

#[tokio::test]
async fn a_silent_source_is_waited_for() {
    let (from, mut source) = pair().await;
    let mut splice = Splice::new().unwrap();
    assert_eq!(
        drain(&mut splice, &from).await.unwrap(),
        0,
        "an empty pipe has nothing to give"
    );
    source.write_all(b"one").unwrap();
    assert_eq!(bytes(fill(&mut splice, &from, u64::MAX).await), 3);
    drain(&mut splice, &from).await.unwrap();
    // Twice, so that the second does not live on what the first left behind.
    for _ in 0..2 {
        let now = poll_fn(|cx| Poll::Ready(splice.poll_fill(cx, from.plain().unwrap(), u64::MAX))).await;
        assert!(now.is_pending());
    }
    source.write_all(b"two!").unwrap();
    assert_eq!(bytes(fill(&mut splice, &from, u64::MAX).await), 4);
}

#[tokio::test]
async fn the_end_comes_behind_the_last_byte() {
    let (from, mut source) = pair().await;
    let (to, _sink) = pair().await;
    source.write_all(b"last").unwrap();
    drop(source);
    let mut splice = Splice::new().unwrap();
    assert_eq!(bytes(fill(&mut splice, &from, u64::MAX).await), 4);
    drain(&mut splice, &to).await.unwrap();
    for _ in 0..2 {
        assert_eq!(fill(&mut splice, &from, u64::MAX).await.unwrap(), Filled::Ended);
    }
}

#[tokio::test]
async fn resets_of_both_sides_are_errors() {
    let (from, source) = pair().await;
    let (to, mut sink) = pair().await;
    SockRef::from(&source).set_linger(Some(Duration::ZERO)).unwrap();
    drop(source);
    let mut splice = Splice::new().unwrap();
    let error = fill(&mut splice, &from, u64::MAX).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

    let (from, mut source) = pair().await;
    source.write_all(b"for nobody").unwrap();
    bytes(fill(&mut splice, &from, u64::MAX).await);
    sink.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    SockRef::from(&sink).set_linger(Some(Duration::ZERO)).unwrap();
    assert!(matches!(to.try_send(b"x"), Some(Ok(1))));
    sink.read_exact(&mut [0]).unwrap();
    drop(sink);
    // The RST is on its way on this very machine; the runtime hears of it.
    poll_fn(|cx| to.poll_arrived(cx)).await.unwrap();
    let error = drain(&mut splice, &to).await.unwrap_err();
    assert!(
        matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe),
        "{error}"
    );
    assert_eq!(splice.len(), 10, "what nobody took is still inside");
}

#[tokio::test]
async fn urgent_data_is_left_to_a_read_and_holds_nothing_up() {
    let (from, mut source) = pair().await;
    let (to, mut sink) = pair().await;
    source.write_all(b"before").unwrap();
    assert_eq!(send(&source, b"!", SendFlags::OOB).unwrap(), 1);
    source.write_all(b"behind").unwrap();
    drop(source);
    let mut splice = Splice::new().unwrap();
    assert_eq!(bytes(fill(&mut splice, &from, u64::MAX).await), 6);
    drain(&mut splice, &to).await.unwrap();
    // splice(2) alone would say "nothing there", or the end, and six bytes would be lost.
    assert_eq!(fill(&mut splice, &from, u64::MAX).await.unwrap(), Filled::Copy);
    let mut read = [0; 16];
    assert_eq!(from.try_recv(&mut read).unwrap().unwrap(), 6);
    assert_eq!(&read[..6], b"behind");
    assert_eq!(fill(&mut splice, &from, u64::MAX).await.unwrap(), Filled::Ended);
    drop(to);
    let mut got = Vec::new();
    sink.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"before");
}
