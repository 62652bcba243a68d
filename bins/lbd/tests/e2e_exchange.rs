//! The rules of the way (docs/ARCHITECTURE.md, "One request") seen from both ends of an exchange.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Backend, Broken, Client, Config, Lbd, address, answer, until};

// ---- aborts ----

#[test]
fn a_client_that_resets_its_connection_ends_the_work_of_the_backend() {
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let backend = Backend::start(move |mut conn| {
        if conn.request().is_ok() {
            // Works on the answer until somebody says that nobody wants it.
            let _ = conn.await_end();
            flag.store(true, Ordering::SeqCst);
        }
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    client.send("GET /work HTTP/1.1\r\nHost: test.example\r\n\r\n");
    until("the backend has the request", || {
        (backend.requests() == 1).then_some(())
    });
    client.reset();
    until("the backend is told", || ended.load(Ordering::SeqCst).then_some(()));
    assert_nothing_in_flight(&lbd);
    assert_eq!(lbd.state().ends("client_reset"), 1);
    lbd.stop();
}

#[test]
fn a_client_that_resets_during_a_download_ends_it() {
    let backend = Backend::start(|mut conn| {
        while conn.request().is_ok() {
            conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
            while conn.send([b'x'; 65_536]) {}
        }
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 200);
    assert!(client.take(100_000).is_ok());
    client.reset();
    until("the backend's connection ends", || (backend.open() == 0).then_some(()));
    assert_nothing_in_flight(&lbd);
    lbd.stop();
}

#[test]
fn a_fin_alone_does_not_abort_unless_the_listener_says_so() {
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let backend = Backend::start(move |mut conn| {
        let Ok(_) = conn.request() else { return };
        conn.stream()
            .set_read_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        match conn.some() {
            Ok(_) => flag.store(true, Ordering::SeqCst),
            // Silence: the request is still wanted.
            Err(_) => drop(conn.send(answer(200, "", b"still here"))),
        }
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
    client.half_close();
    assert_eq!(client.response().text(), "still here");
    assert!(client.is_closed(), "after the answer there is nothing to keep alive");
    assert!(!ended.load(Ordering::SeqCst));
    lbd.stop();

    let listener = address();
    let config = Config::http(listener, &[backend.address()]).listener("abort_on_half_close = true");
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(listener);
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
    until("the backend has the request", || {
        (backend.requests() == 2).then_some(())
    });
    client.half_close();
    until("the backend is told", || ended.load(Ordering::SeqCst).then_some(()));
    lbd.stop();
}

// ---- both directions at once ----

#[test]
fn an_echo_runs_in_both_directions_at_once() {
    const PIECES: usize = 200;
    const PIECE: usize = 10_000;
    let backend = Backend::start(|mut conn| {
        while let Ok(head) = conn.head() {
            let length: usize = head.get("content-length").unwrap().parse().unwrap();
            // The answer begins before the request has ended.
            conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
            let mut done = 0;
            while done < length {
                let bytes = conn.some().unwrap();
                done += bytes.len();
                conn.send(&bytes);
            }
        }
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: {}\r\n\r\n",
        PIECES * PIECE
    ));
    assert_eq!(
        client.head().unwrap().status(),
        200,
        "the head comes before the first byte of the body was sent"
    );
    for number in 0..PIECES {
        let piece: Vec<u8> = (0..PIECE)
            .map(|at| u8::try_from((at * 7 + number) % 251).unwrap())
            .collect();
        client.send(&piece);
        assert!(
            client.take(PIECE).unwrap() == piece,
            "piece {number} comes back before the next is sent"
        );
    }
    drop(client);
    assert_nothing_in_flight(&lbd);
    lbd.stop();
}

#[test]
fn an_early_413_reaches_the_client_and_ends_both_connections() {
    let backend = Backend::start(|mut conn| {
        let Ok(head) = conn.head() else { return };
        if head.method() == "POST" {
            conn.send(answer(413, "", b"too much"));
            // Keeps the connection, as a careless backend does: it is up to lbd not to use it again.
            let _ = conn.await_end();
        } else {
            conn.send(answer(200, "", b"fine"));
            let _ = conn.await_end();
        }
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    client.send("POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 100000000\r\n\r\n");
    client.send(vec![b'x'; 100_000]);
    let response = client.response();
    assert_eq!((response.status(), response.text().as_str()), (413, "too much"));
    // A client that goes on sending still gets the whole answer, and then an end.
    let _ = client.try_send(vec![b'x'; 1_000_000]);
    assert!(client.head().is_err(), "the connection cannot be used again");
    drop(client);
    assert_eq!(Client::connect(listener).get("/").text(), "fine");
    assert_eq!(
        backend.accepted(),
        2,
        "the connection with the cut body is not used again"
    );
    assert_nothing_in_flight(&lbd);
    lbd.stop();
}

// ---- half a body is no body ----

#[test]
fn half_a_body_is_never_a_silent_end() {
    let backend = Backend::start(|mut conn| {
        let Ok(request) = conn.request() else { return };
        conn.send(match request.head.target() {
            "/length" => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly half".to_owned(),
            "/chunked" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_owned(),
            "/chunk" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello".to_owned(),
            "/reset" => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the connection ends".to_owned(),
            other => panic!("{other}"),
        });
        if request.head.target() == "/reset" {
            // The client has everything so far before the reset, which is no end in order.
            conn.stream()
                .set_read_timeout(Some(Duration::from_millis(200)))
                .unwrap();
            let _ = conn.some();
            conn.reset();
        }
    });
    let (lbd, listener) = start(&backend);
    for target in ["/length", "/chunked", "/chunk", "/reset"] {
        let mut client = Client::connect(listener);
        client.send(format!("GET {target} HTTP/1.1\r\nHost: test.example\r\n\r\n"));
        let result = client.response_to("GET");
        assert!(
            matches!(result, Err(Broken::Truncated | Broken::Io(_))),
            "{target}: {result:?}"
        );
    }
    let state = lbd.state();
    assert_eq!(state.ends("upstream_truncated"), 4, "{state:?}");
    lbd.stop();
}

#[test]
fn half_a_request_body_never_looks_whole_to_the_backend() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let backend = Backend::start(move |mut conn| {
        if let Ok(head) = conn.head() {
            let whole = conn.body(&head).is_ok();
            log.lock().unwrap().push(whole);
        }
    });
    let (lbd, listener) = start(&backend);
    for request in [
        "POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 100\r\n\r\nonly half",
        "POST / HTTP/1.1\r\nHost: test.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let mut client = Client::connect(listener);
        client.send(request);
        let before = seen.lock().unwrap().len();
        until("the backend has the head", || {
            (backend.requests() > before as u64).then_some(())
        });
        drop(client);
        until("the backend's connection ends", || {
            (seen.lock().unwrap().len() > before).then_some(())
        });
    }
    assert_eq!(*seen.lock().unwrap(), [false, false]);
    lbd.stop();
}

fn start(backend: &Backend) -> (Lbd, SocketAddr) {
    let listener = address();
    (
        Lbd::start(&Config::http(listener, &[backend.address()]).text()),
        listener,
    )
}

fn assert_nothing_in_flight(lbd: &Lbd) {
    until("nothing is in flight", || {
        (lbd.state().sum("in_flight") == 0).then_some(())
    });
}
