//! The same calls on sockets of the loopback interface and on simulated ones see the same.

use super::inside;
use crate::sim::{Network, Weather};
use crate::{Address, Listener, ListenerOptions, Opening, Stream};
use std::future::{Future, poll_fn};
use std::io;
use std::task::{Context, Waker};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What a test saw, line by line.
type Seen = Vec<String>;

/// The connected side and the accepted side, by the calls that are used for either kind.
async fn pair() -> (Stream, Stream) {
    let options = ListenerOptions::new("127.0.0.1:0".parse::<Address>().unwrap());
    let listener = Listener::bind(&options).unwrap();
    let mut opening = Opening::start(listener.address()).unwrap();
    let (ours, theirs) = tokio::join!(poll_fn(|cx| opening.poll(cx)), listener.accept());
    (ours.unwrap(), theirs.unwrap().stream)
}

/// Runs it for real and simulated; what it saw is `expected`.
fn both<F: Future<Output = Seen>>(expected: &[&str], test: impl Fn() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(test()), expected, "of Linux");
    let network = Network::new(1, Weather::calm());
    assert_eq!(inside(&network, test()), expected, "simulated");
}

fn said<T: ToString>(answer: Option<io::Result<T>>) -> String {
    match answer {
        None => "nothing".to_owned(),
        Some(Ok(value)) => value.to_string(),
        Some(Err(error)) => format!("{:?}", error.kind()),
    }
}

fn read(stream: &Stream, room: usize) -> String {
    said(stream.try_recv(&mut vec![0; room]))
}

fn write(stream: &Stream) -> String {
    said(stream.try_send(b"x"))
}

fn is_pending(stream: &Stream) -> String {
    let mut cx = Context::from_waker(Waker::noop());
    stream.poll_arrived(&mut cx).is_pending().to_string()
}

async fn writable(stream: &Stream) {
    poll_fn(|cx| stream.poll_writable(cx)).await.unwrap();
}

/// Until a write fails, which an answer to the one before it may cause.
async fn write_until_it_fails(stream: &Stream) -> String {
    for _ in 0..10_000 {
        writable(stream).await;
        match stream.try_send(b"x") {
            Some(Err(error)) => return format!("{:?}", error.kind()),
            _ => tokio::task::yield_now().await,
        }
    }
    "never".to_owned()
}

#[test]
fn a_short_read_clears_the_readiness_and_a_full_one_does_not() {
    both(
        &["true", "8", "true", "2", "false", "nothing", "true", "1", "nothing"],
        || async {
            let (ours, mut theirs) = pair().await;
            let mut seen = vec![is_pending(&ours)];
            theirs.write_all(b"abcdefghij").await.unwrap();
            ours.arrived().await.unwrap();
            for _ in 0..2 {
                seen.extend([read(&ours, 8), ours.has_arrived().to_string()]);
            }
            seen.extend([read(&ours, 8), is_pending(&ours)]);
            theirs.write_all(b"k").await.unwrap();
            ours.arrived().await.unwrap();
            seen.extend([read(&ours, 1), read(&ours, 1)]);
            seen
        },
    );
}

#[test]
fn an_end_is_seen_for_ever_and_sending_after_it_meets_a_reset() {
    both(&["0", "0", "Clean", "1", "BrokenPipe", "0", "BrokenPipe"], || async {
        let (ours, theirs) = pair().await;
        drop(theirs);
        ours.arrived().await.unwrap();
        let mut seen = vec![read(&ours, 4), read(&ours, 4), format!("{:?}", ours.ended())];
        writable(&ours).await;
        seen.push(write(&ours));
        seen.extend([write_until_it_fails(&ours).await, read(&ours, 4), write(&ours)]);
        seen
    });
}

#[test]
fn whoever_reads_the_end_is_not_told_of_the_reset_behind_it() {
    both(&["1", "0", "true", "0"], || async {
        let (ours, theirs) = pair().await;
        drop(theirs);
        ours.arrived().await.unwrap();
        writable(&ours).await;
        let mut seen = vec![write(&ours)]; // met by a reset
        seen.extend([read(&ours, 4), ours.has_broken().to_string(), read(&ours, 4)]);
        seen
    });
}

#[test]
fn a_reset_is_said_once_to_whoever_asks_first() {
    both(&["ConnectionReset", "0", "BrokenPipe"], || async {
        let (ours, theirs) = pair().await;
        theirs.reset();
        ours.arrived().await.unwrap();
        vec![read(&ours, 4), read(&ours, 4), write(&ours)]
    });
    both(&["ConnectionReset", "BrokenPipe", "0"], || async {
        let (ours, theirs) = pair().await;
        theirs.reset();
        ours.arrived().await.unwrap();
        vec![write(&ours), write(&ours), read(&ours, 4)]
    });
    both(&["true", "false", "0", "BrokenPipe"], || async {
        let (ours, theirs) = pair().await;
        theirs.reset();
        ours.arrived().await.unwrap();
        let seen = [ours.has_broken(), ours.has_broken()].map(|is| is.to_string());
        seen.into_iter().chain([read(&ours, 4), write(&ours)]).collect()
    });
    both(&["Cut", "Clean"], || async {
        let (ours, theirs) = pair().await;
        theirs.reset();
        ours.arrived().await.unwrap();
        vec![format!("{:?}", ours.ended()), format!("{:?}", ours.ended())]
    });
}

#[test]
fn what_is_here_is_read_before_a_reset_is_said() {
    both(&["3", "3", "ConnectionReset", "0"], || async {
        let (ours, mut theirs) = pair().await;
        theirs.write_all(b"unread").await.unwrap();
        ours.arrived().await.unwrap();
        theirs.reset();
        vec![read(&ours, 3), read(&ours, 3), read(&ours, 3), read(&ours, 3)]
    });
}

#[test]
fn what_came_before_an_end_is_read_after_the_reset_that_sending_met() {
    both(&["BrokenPipe", "3", "0", "0"], || async {
        let (ours, mut theirs) = pair().await;
        theirs.write_all(b"bye").await.unwrap();
        drop(theirs);
        ours.arrived().await.unwrap();
        vec![
            write_until_it_fails(&ours).await,
            read(&ours, 3),
            read(&ours, 3),
            read(&ours, 3),
        ]
    });
}

#[test]
fn closing_with_bytes_unread_resets() {
    both(&["ConnectionReset"], || async {
        let (mut ours, theirs) = pair().await;
        ours.write_all(b"unread").await.unwrap();
        theirs.arrived().await.unwrap();
        drop(theirs);
        let mut room = [0; 4];
        let error = ours.read(&mut room).await.unwrap_err();
        vec![format!("{:?}", error.kind())]
    });
}

#[test]
fn a_half_close_leaves_the_other_half() {
    both(&["0", "5", "BrokenPipe", "0", "true"], || async {
        let (mut ours, mut theirs) = pair().await;
        theirs.close_write();
        let mut seen = vec![ours.read(&mut [0; 4]).await.unwrap().to_string()];
        ours.write_all(b"still").await.unwrap();
        seen.push(theirs.read(&mut [0; 16]).await.unwrap().to_string());
        writable(&theirs).await;
        seen.push(write(&theirs));
        ours.close_write();
        seen.push(theirs.read(&mut [0; 16]).await.unwrap().to_string());
        seen.push(theirs.has_arrived().to_string());
        seen
    });
}

#[test]
fn when_both_have_said_their_end_a_writer_hears_of_it() {
    both(&["0", "BrokenPipe", "false"], || async {
        let (mut ours, theirs) = pair().await;
        ours.close_write();
        theirs.close_write();
        let mut seen = vec![ours.read(&mut [0; 4]).await.unwrap().to_string()];
        writable(&ours).await;
        seen.extend([write(&ours), ours.has_broken().to_string()]);
        seen
    });
}

#[test]
fn a_full_window_takes_nothing_until_it_is_read() {
    both(&["nothing", "true", "1"], || async {
        let (ours, mut theirs) = pair().await;
        writable(&ours).await;
        let block = vec![b'x'; 1 << 16];
        let mut sent = 0;
        while let Some(taken) = ours.try_send(&block) {
            sent += taken.unwrap();
        }
        let mut seen = vec![write(&ours)];
        let mut cx = Context::from_waker(Waker::noop());
        seen.push(ours.poll_writable(&mut cx).is_pending().to_string());
        let mut room = vec![0; 1 << 16];
        while sent > 0 {
            sent -= theirs.read(&mut room).await.unwrap();
        }
        writable(&ours).await;
        seen.push(write(&ours));
        seen
    });
}

#[test]
fn whoever_spoke_is_not_silent_and_one_that_was_accepted_is_tried_once() {
    both(&["true", "nothing", "false", "false", "true", "true"], || async {
        let (mut ours, theirs) = pair().await;
        let mut seen = vec![theirs.has_arrived().to_string(), read(&theirs, 1)];
        seen.push(theirs.has_arrived().to_string());
        ours.write_all(b"x").await.unwrap();
        theirs.arrived().await.unwrap();
        seen.extend([theirs.is_silent(), theirs.is_silent(), theirs.has_unread()].map(|is| is.to_string()));
        seen
    });
}

#[test]
fn who_speaks_first_is_heard() {
    both(&["false", "true", "nothing"], || async {
        let (ours, mut theirs) = pair().await;
        let mut seen = vec![ours.speaks_first().to_string()];
        theirs.write_all(b"x").await.unwrap();
        ours.arrived().await.unwrap();
        seen.extend([ours.speaks_first().to_string(), read(&ours, 1)]);
        seen
    });
}

#[test]
fn nobody_listens_and_whoever_waited_is_reset() {
    both(&["ConnectionReset", "ConnectionRefused"], || async {
        let options = ListenerOptions::new("127.0.0.1:0".parse::<Address>().unwrap());
        let listener = Listener::bind(&options).unwrap();
        let address = listener.address();
        let mut opening = Opening::start(address).unwrap();
        let mut waiting = poll_fn(|cx| opening.poll(cx)).await.unwrap();
        drop(listener);
        let reset = waiting.read(&mut [0; 1]).await.unwrap_err();
        let refused = match Opening::start(address) {
            Ok(mut opening) => poll_fn(|cx| opening.poll(cx)).await.unwrap_err(),
            Err(error) => error,
        };
        vec![format!("{:?}", reset.kind()), format!("{:?}", refused.kind())]
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_unix_domain_socket_says_its_end_at_once() {
    async fn unix() -> (Stream, Stream) {
        let name = format!("unix:@lb-net-as-linux-{}", std::process::id());
        let listener = Listener::bind(&ListenerOptions::new(name.parse::<Address>().unwrap())).unwrap();
        let mut opening = Opening::start(listener.address()).unwrap();
        let ours = poll_fn(|cx| opening.poll(cx)).await.unwrap();
        (ours, listener.accept().await.unwrap().stream)
    }
    both(&["2", "0", "0", "BrokenPipe"], || async {
        let (ours, mut theirs) = unix().await;
        theirs.write_all(b"hi").await.unwrap();
        theirs.reset();
        ours.arrived().await.unwrap();
        writable(&ours).await;
        vec![read(&ours, 2), read(&ours, 2), read(&ours, 2), write(&ours)]
    });
    both(&["ConnectionReset", "0", "BrokenPipe"], || async {
        let (mut ours, theirs) = unix().await;
        ours.write_all(b"unread").await.unwrap();
        drop(theirs);
        ours.arrived().await.unwrap();
        vec![read(&ours, 2), read(&ours, 2), write(&ours)]
    });
}
