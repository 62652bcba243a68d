//! The rules of the way (docs/ARCHITECTURE.md, "One request") seen from both ends of an exchange.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Backend, Broken, Client, Config, Lbd, address, answer, chunked, until};

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

// ---- the pool of connections, and what may be repeated ----

#[test]
fn s_ka_13_a_stale_pooled_connection_is_no_failure_of_the_backend() {
    let backend = Backend::start(|mut conn| {
        if conn.request().is_ok() {
            conn.send(answer(200, "", b"fresh"));
            // The next request on this connection dies before any byte of an answer.
            let _ = conn.head();
            conn.reset();
        }
    });
    let listener = address();
    // One failure would be enough to lose the backend.
    let health = "health = { kind = \"tcp\", interval = \"1h\", max_failures = 1, rise = 1 }";
    let config = Config::http(listener, &[backend.address()])
        .top("workers = 1")
        .pool(health);
    let lbd = Lbd::start(&config.text());
    until("the backend is up", || {
        lbd.state()
            .backend(backend.address())
            .contains("status=Up")
            .then_some(())
    });
    let mut client = Client::connect(listener);
    for number in 0..20 {
        let response = client.get("/");
        assert_eq!(
            (response.status(), response.text().as_str()),
            (200, "fresh"),
            "request {number}"
        );
    }
    let state = lbd.state();
    assert!(state.backend(backend.address()).contains("status=Up"), "{state:?}");
    assert!(state.sum("stale_reuses") >= 1, "{state:?}");
    assert_eq!(state.sum("in_flight"), 0, "{state:?}");
    lbd.stop();
}

#[test]
fn a_connection_that_the_backend_closed_while_idle_loses_no_post() {
    let backend = Backend::start(|mut conn| {
        if conn.request().is_ok() {
            conn.send(answer(200, "", b"once"));
        }
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    for number in 0..20 {
        // The backend answers keep-alive and closes: the connection is dead when it is taken from the pool.
        until("the backend closed", || (backend.open() == 0).then_some(()));
        let response = client.exchange("POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(
            (response.status(), response.text().as_str()),
            (200, "once"),
            "request {number}"
        );
    }
    assert_eq!(backend.requests(), 20);
    lbd.stop();
}

#[test]
fn what_is_not_idempotent_is_not_repeated_once_a_byte_was_sent() {
    let posts = Arc::new(AtomicU64::new(0));
    let backends = [Arc::clone(&posts), Arc::clone(&posts)].map(|posts| {
        Backend::start(move |mut conn| {
            while let Ok(request) = conn.request() {
                if request.head.method() == "POST" {
                    posts.fetch_add(1, Ordering::SeqCst);
                    return conn.reset();
                }
                conn.send(answer(200, "", b"fine"));
            }
        })
    });
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backends[0].address(), backends[1].address()]).text());
    let mut client = Client::connect(listener);
    for number in 1..=4 {
        // First on a fresh connection to each backend, later on a reused one.
        let response = client.exchange("POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(response.status(), 502, "{response:?}");
        assert_eq!(posts.load(Ordering::SeqCst), number, "each POST reaches a backend once");
        if response.get("connection") == Some("close") {
            client = Client::connect(listener);
        }
        assert_eq!(client.get("/").status(), 200);
    }
    lbd.stop();
}

#[test]
fn an_idempotent_request_that_dies_on_a_fresh_connection_goes_to_another_backend() {
    let bad = Backend::start(|mut conn| {
        let _ = conn.request();
        conn.reset();
    });
    let good = Backend::saying("good");
    let listener = address();
    let config = Config::http(listener, &[bad.address(), good.address()])
        .pool("retries = { attempts = 2, budget_percent = 100 }");
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(listener);
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        for _ in 0..4 {
            let response = client.exchange(format!(
                "{method} / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 2\r\n\r\nhi"
            ));
            assert_eq!((response.status(), response.text().as_str()), (200, "good"), "{method}");
        }
    }
    assert!(bad.requests() > 0, "the bad backend was never tried");
    assert!(lbd.state().sum("retries") >= bad.requests());
    lbd.stop();
}

#[test]
fn a_body_that_was_let_go_is_never_sent_twice() {
    let bodies = Arc::new(AtomicU64::new(0));
    let backends = [Arc::clone(&bodies), Arc::clone(&bodies)].map(|bodies| {
        Backend::start(move |mut conn| {
            let Ok(_) = conn.head() else { return };
            bodies.fetch_add(1, Ordering::SeqCst);
            // More than any buffer of lbd holds, so part of it is gone.
            let _ = conn.take(1_000_000);
            conn.reset();
        })
    });
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backends[0].address(), backends[1].address()]).text());
    let mut client = Client::connect(listener);
    client.send("PUT / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 2000000\r\n\r\n");
    let _ = client.try_send(vec![b'x'; 1_500_000]);
    if let Ok(response) = client.response_to("PUT") {
        assert_eq!(response.status(), 502);
    }
    drop(client);
    until("nothing is in flight", || {
        (lbd.state().sum("in_flight") == 0).then_some(())
    });
    assert_eq!(
        bodies.load(Ordering::SeqCst),
        1,
        "PUT is idempotent, but its bytes are gone"
    );
    lbd.stop();
}

#[test]
fn one_upstream_connection_serves_request_after_request() {
    let backend = Backend::saying("here");
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).top("workers = 1").text());
    for _ in 0..5 {
        let mut client = Client::connect(listener);
        for _ in 0..10 {
            assert_eq!(client.get("/").text(), "here");
        }
    }
    assert_eq!((backend.requests(), backend.accepted()), (50, 1));
    lbd.stop();
}

// ---- messages ----

#[test]
fn pipelined_requests_are_answered_in_order() {
    let backend = Backend::http(|request| answer(200, "", request.head.target().as_bytes()));
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    let mut bytes = String::new();
    for number in 0..50 {
        bytes += &match number % 3 {
            0 => format!("GET /{number} HTTP/1.1\r\nHost: test.example\r\n\r\n"),
            1 => format!("POST /{number} HTTP/1.1\r\nHost: test.example\r\nContent-Length: 5\r\n\r\nhello"),
            _ => format!(
                "POST /{number} HTTP/1.1\r\nHost: test.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            ),
        };
    }
    client.send(bytes);
    for number in 0..50 {
        assert_eq!(client.response().text(), format!("/{number}"));
    }
    lbd.stop();
}

#[test]
fn a_head_has_no_body_and_its_connection_goes_on() {
    let backend = Backend::http(|request| match request.head.method() {
        "HEAD" => b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n".to_vec(),
        _ => answer(200, "", b"body"),
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    for _ in 0..3 {
        client.send("HEAD / HTTP/1.1\r\nHost: test.example\r\n\r\n");
        let response = client.response_to("HEAD").unwrap();
        assert_eq!(
            (response.status(), response.get("content-length")),
            (200, Some("12345"))
        );
        assert_eq!(client.get("/").text(), "body");
    }
    lbd.stop();
}

#[test]
fn early_hints_and_other_interim_answers_come_before_the_final_one() {
    let backend = Backend::http(|_| {
        let mut bytes =
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n".to_vec();
        bytes.extend(answer(200, "", b"final"));
        bytes
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
        let hints = client.head().unwrap();
        assert_eq!(
            (hints.status(), hints.get("link")),
            (103, Some("</a.css>; rel=preload"))
        );
        assert_eq!(client.head().unwrap().status(), 102);
        assert_eq!(client.response().text(), "final");
    }
    lbd.stop();
}

#[test]
fn s_status_03_100_continue_is_forwarded_or_answered_or_refused() {
    let backend = Backend::start(|mut conn| {
        while let Ok(head) = conn.head() {
            match head.target() {
                "/asks" => drop(conn.send("HTTP/1.1 100 Continue\r\n\r\n")),
                "/refuses" => {
                    conn.send(answer(417, "Connection: close\r\n", b"no"));
                    return;
                }
                _ => {} // Does not know of 100 and waits for the body.
            }
            let Ok(request) = conn.body(&head) else { return };
            conn.send(answer(200, "", &request.body));
        }
    });
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).top("timeouts = { expect_continue = \"200ms\" }");
    let lbd = Lbd::start(&config.text());
    for target in ["/asks", "/silent"] {
        let mut client = Client::connect(listener);
        client.send(expecting(target));
        assert_eq!(client.head().unwrap().status(), 100, "{target}");
        client.send("hello");
        assert_eq!(client.response().text(), "hello", "{target}");
    }
    let mut client = Client::connect(listener);
    client.send(expecting("/refuses"));
    assert_eq!(
        client.head().unwrap().status(),
        417,
        "the refusal comes first and alone"
    );
    let mut client = Client::connect(listener);
    client.send(expecting("/").replace("100-continue", "the-unexpected"));
    assert_eq!(client.response().status(), 417);
    drop(client);
    lbd.stop();
}

#[test]
fn trailers_pass_in_both_directions_and_framing_fields_in_them_do_not() {
    let trailers = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&trailers);
    let backend = Backend::http(move |request| {
        *log.lock().unwrap() = request.trailers.clone();
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n".to_vec();
        bytes.extend(chunked(b"hello world", 4, "X-Sum: 42\r\nContent-Length: 3\r\n"));
        bytes
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    let mut request =
        b"POST / HTTP/1.1\r\nHost: test.example\r\nTE: trailers\r\nTrailer: X-Check\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    request.extend(chunked(b"some bytes", 3, "X-Check: 7\r\nTransfer-Encoding: gzip\r\n"));
    let response = client.exchange(request);
    assert_eq!(response.text(), "hello world");
    assert_eq!(response.trailers, [("x-sum".to_owned(), "42".to_owned())]);
    assert_eq!(*trailers.lock().unwrap(), [("x-check".to_owned(), "7".to_owned())]);
    lbd.stop();
}

#[test]
fn fields_for_one_hop_stay_on_their_hop() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heads);
    let backend = Backend::http(move |request| {
        log.lock().unwrap().push(request.head.clone());
        answer(
            200,
            "Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nX-Open: 2\r\n",
            b"",
        )
    });
    let (lbd, listener) = start(&backend);
    let response = Client::connect(listener).exchange(
        "GET / HTTP/1.1\r\nHost: test.example\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 9\r\n\
         Proxy-Connection: close\r\nX-End: 2\r\n\r\n",
    );
    for name in ["x-secret", "keep-alive"] {
        assert_eq!(response.get(name), None, "{response:?}");
    }
    assert_eq!(response.get("x-open"), Some("2"));
    let heads = heads.lock().unwrap();
    for name in ["x-hop", "keep-alive", "proxy-connection"] {
        assert_eq!(heads[0].get(name), None, "{heads:?}");
    }
    assert_eq!(heads[0].get("x-end"), Some("2"));
    lbd.stop();
}

fn expecting(target: &str) -> String {
    format!("PUT {target} HTTP/1.1\r\nHost: test.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
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
