//! The TCP relay: each direction ends on its own, resets are passed on, silence is counted in both directions.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Backend, Broken, Client, Config, Conn, Lbd, address, elapsed, now, until, until_still};

#[test]
fn s_tcp_01_a_client_that_ended_its_side_still_gets_the_answer() {
    let backend = Backend::start(|mut conn| {
        let mut all = Vec::new();
        while let Ok(bytes) = conn.some() {
            if bytes.is_empty() {
                break;
            }
            all.extend(bytes);
        }
        // Answers only after it saw the end, and at length.
        conn.send(format!("got {} bytes, ", all.len()));
        conn.send(vec![b'x'; 1_000_000]);
    });
    let (lbd, mut client) = start(&backend);
    client.send(vec![b'y'; 300_000]);
    client.half_close();
    assert_eq!(client.take(18).unwrap(), b"got 300000 bytes, ");
    assert_eq!(client.take(1_000_000).unwrap(), vec![b'x'; 1_000_000]);
    assert_eq!(client.some().unwrap(), b"", "then the end, in order");
    assert_nothing_left(&lbd, &backend);
    lbd.stop();
}

#[test]
fn s_tcp_01_a_backend_that_ended_its_side_still_gets_what_the_client_sends() {
    let received = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&received);
    let backend = Backend::start(move |mut conn| {
        conn.send("hello and goodbye");
        conn.half_close();
        while let Ok(bytes) = conn.some() {
            if bytes.is_empty() {
                break;
            }
            log.lock().unwrap().extend(bytes);
        }
    });
    let (lbd, mut client) = start(&backend);
    assert_eq!(client.take(17).unwrap(), b"hello and goodbye");
    assert_eq!(
        client.some().unwrap(),
        b"",
        "the end of the backend's side is passed on"
    );
    client.send(vec![b'z'; 500_000]);
    client.half_close();
    until("everything arrived", || {
        (received.lock().unwrap().len() == 500_000).then_some(())
    });
    assert_nothing_left(&lbd, &backend);
    lbd.stop();
}

#[test]
fn a_reset_is_passed_on_in_both_directions() {
    let was_reset = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&was_reset);
    let backend = Backend::start(move |mut conn| {
        conn.send("hello");
        if let Err(Broken::Io(_)) = conn.await_end() {
            flag.store(true, Ordering::SeqCst);
        }
    });
    let (lbd, mut client) = start(&backend);
    assert_eq!(client.take(5).unwrap(), b"hello");
    client.reset();
    until("the backend sees a reset", || {
        was_reset.load(Ordering::SeqCst).then_some(())
    });
    assert_nothing_left(&lbd, &backend);
    lbd.stop();

    let backend = Backend::start(|mut conn| {
        let _ = conn.take(5);
        conn.reset();
    });
    let (lbd, mut client) = start(&backend);
    client.send("hello");
    assert!(
        matches!(client.some(), Err(Broken::Io(_))),
        "the client sees a reset, not an end in order"
    );
    assert_nothing_left(&lbd, &backend);
    lbd.stop();
}

#[test]
fn a_client_that_breaks_off_before_a_backend_that_reads_nothing_is_noticed() {
    const ASK: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const YES: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for is_upgrade in [false, true] {
        let (open, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let backend = Backend::start(move |mut conn| {
            if is_upgrade {
                conn.head().unwrap();
                conn.send(YES);
            }
            let _ = gate.lock().unwrap().recv(); // until the test is over
        });
        let listener = address();
        let config = if is_upgrade { Config::http } else { Config::tcp };
        let config = config(listener, &[backend.address()]).top("timeouts = { idle = \"1h\", tunnel = \"1h\" }");
        let lbd = Lbd::start(&config.text());
        let mut client = Client::connect(listener);
        if is_upgrade {
            client.send(ASK);
            assert_eq!(client.head().unwrap().status(), 101);
        }
        client.stream().set_nonblocking(true).unwrap();
        let (mut stream, mut sent) = (client.stream(), 0);
        until_still("nobody takes any more", || {
            while let Ok(len) = stream.write(&[b'x'; 65_536]) {
                sent += len;
            }
            sent
        });
        assert_eq!(lbd.state().sum("in_flight"), 1);
        client.reset();
        until("the backend's place is free again", || {
            (lbd.state().sum("in_flight") == 0).then_some(())
        });
        assert_eq!(lbd.state().ends("tunnel_reset"), 1);
        drop(open);
        assert_nothing_left(&lbd, &backend);
        lbd.stop();
    }
}

#[test]
fn an_early_refusal_reaches_a_client_that_goes_on_to_send() {
    let refusal = vec![b'n'; 20_000];
    let said = refusal.clone();
    let backend = Backend::start(move |mut conn| {
        let _ = conn.take(5);
        conn.send(&said);
        // Closed with the rest unread, which makes a RST of it.
    });
    let (lbd, mut client) = start(&backend);
    let mut sender = client.stream().try_clone().unwrap();
    let sending = std::thread::spawn(move || while sender.write_all(&[b'y'; 65_536]).is_ok() {});
    assert!(client.take(20_000).unwrap() == refusal);
    let _ = client.stream().shutdown(std::net::Shutdown::Both);
    assert_nothing_left(&lbd, &backend);
    sending.join().unwrap();
    lbd.stop();
}

#[test]
fn s_conn_01_the_segments_of_a_connection_all_go_to_one_backend() {
    let echo = |mark: u8| {
        Backend::start(move |mut conn: Conn| {
            while let Ok(bytes) = conn.some() {
                if bytes.is_empty() || !conn.send(vec![mark; bytes.len()]) {
                    return;
                }
            }
        })
    };
    let backends = [echo(b'a'), echo(b'b'), echo(b'c')];
    let listener = address();
    let lbd = Lbd::start(&Config::tcp(listener, &backends.each_ref().map(Backend::address)).text());
    let mut marks = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect(listener);
        let mut answers = Vec::new();
        for _ in 0..1_000 {
            client.send("x");
            answers.extend(client.take(1).unwrap());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "a connection was split over backends");
        marks.extend(answers);
    }
    marks.sort_unstable();
    assert_eq!(marks, b"abc", "connections are balanced");
    lbd.stop();
}

#[test]
fn s_conn_04_a_silent_connection_is_closed_at_its_timeout_on_both_sides() {
    let backend = Backend::start(|mut conn| {
        let _ = conn.await_end();
    });
    let (lbd, mut client) = start_with_idle(&backend, "2s");
    let start = now();
    client.send("one byte and then nothing");
    let _ = client.some();
    let time = elapsed(start);
    assert!(
        time.abs_diff(Duration::from_secs(2)) <= Duration::from_secs(1),
        "closed after {time:?}"
    );
    assert_nothing_left(&lbd, &backend);
    assert_eq!(lbd.state().ends("tunnel_idle"), 1);
    lbd.stop();
}

#[test]
fn s_conn_05_bytes_in_either_direction_keep_a_connection_alive() {
    let pause = Duration::from_millis(300);
    // The client only listens: it is written to every 300 ms, for three times the timeout of one second.
    let talker = Backend::start(move |mut conn| {
        for _ in 0..10 {
            conn.stream().set_read_timeout(Some(pause)).unwrap();
            assert!(conn.some().is_err(), "the client is silent");
            if !conn.send("x") {
                return;
            }
        }
    });
    let (lbd, mut client) = start_with_idle(&talker, "1s");
    assert_eq!(client.take(10).unwrap(), b"xxxxxxxxxx");
    drop(client);
    lbd.stop();

    // The client only talks.
    let received = Arc::new(Mutex::new(0));
    let count = Arc::clone(&received);
    let listener = Backend::start(move |mut conn| {
        while let Ok(bytes) = conn.some() {
            if bytes.is_empty() {
                return;
            }
            *count.lock().unwrap() += bytes.len();
        }
    });
    let (lbd, mut client) = start_with_idle(&listener, "1s");
    for _ in 0..10 {
        client.expect_silence(pause);
        client.send("x");
    }
    until("everything arrived", || (*received.lock().unwrap() == 10).then_some(()));
    drop(client);
    lbd.stop();
}

#[test]
fn a_refusing_backend_is_passed_over() {
    let gone = address();
    let backend = Backend::start(|mut conn| {
        conn.send("here");
    });
    let listener = address();
    let lbd = Lbd::start(&Config::tcp(listener, &[gone, backend.address()]).text());
    for _ in 0..6 {
        assert_eq!(Client::connect(listener).take(4).unwrap(), b"here");
    }
    lbd.stop();
}

fn start(backend: &Backend) -> (Lbd, Client) {
    start_with_idle(backend, "1m")
}

fn start_with_idle(backend: &Backend, idle: &str) -> (Lbd, Client) {
    let listener = address();
    let config = Config::tcp(listener, &[backend.address()]).top(&format!("timeouts = {{ idle = \"{idle}\" }}"));
    (Lbd::start(&config.text()), Client::connect(listener))
}

fn assert_nothing_left(lbd: &Lbd, backend: &Backend) {
    until("both sides are closed and the counts are back to zero", || {
        let state = lbd.state();
        (backend.open() == 0 && state.sum("in_flight") == 0 && state.sum("active") == 0).then_some(())
    });
}
