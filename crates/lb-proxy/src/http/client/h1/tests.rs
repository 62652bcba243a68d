use super::*;
use std::time::Duration;

async fn pair() -> (Stream, std::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().await.unwrap().0.into(), other)
}

#[tokio::test]
async fn a_task_without_budget_does_not_take_its_client_for_watched() {
    let (io, mut other) = pair().await;
    assert!(io.try_recv(&mut [0]).is_none()); // a new one counts as ready until it was tried
    let mut watch = Watch::default();
    std::future::poll_fn(|cx| {
        while let Poll::Ready(turn) = tokio::task::coop::poll_proceed(cx) {
            turn.made_progress();
        }
        assert!(watch.poll_ready(cx, &io).is_pending());
        assert!(!watch.on, "nobody was asked to wake this task");
        Poll::Ready(())
    })
    .await;
    tokio::task::yield_now().await; // a turn with a new budget
    let mut turns = 0;
    let woken = std::future::poll_fn(|cx| {
        turns += 1;
        let ready = watch.poll_ready(cx, &io);
        if turns == 1 {
            assert!(ready.is_pending() && watch.on);
            std::io::Write::write_all(&mut other, b"x").unwrap();
        }
        ready
    });
    tokio::time::timeout(Duration::from_secs(10), woken)
        .await
        .unwrap()
        .unwrap();
    // Asked twice while nothing came: the second time without the lock, and woken all the same.
    assert_eq!(io.try_recv(&mut [0; 8]).unwrap().unwrap(), 1);
    watch.stop();
    let mut turns = 0;
    let woken = std::future::poll_fn(|cx| {
        turns += 1;
        if turns == 1 {
            assert!(io.try_recv(&mut [0]).is_none());
            assert!(watch.poll_ready(cx, &io).is_pending() && watch.on);
            assert!(watch.poll_ready(cx, &io).is_pending() && watch.on);
            std::io::Write::write_all(&mut other, b"y").unwrap();
            return Poll::Pending;
        }
        watch.poll_ready(cx, &io)
    });
    tokio::time::timeout(Duration::from_secs(10), woken)
        .await
        .unwrap()
        .unwrap();
}
