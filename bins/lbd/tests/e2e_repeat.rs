//! Upstream connections that died in the pool, and what may be sent a second time.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use support::{Backend, Client, Config, Lbd, address, answer, until};

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
    let health = "health = { kind = \"tcp\", interval = \"1h\", rise = 1, passive = { max_failures = 1, max_ejected_percent = 100 } }";
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
    let mut client = Client::connect(listener);
    for _ in 0..10 {
        assert_eq!(client.get("/").text(), "here");
    }
    assert_eq!((backend.requests(), backend.accepted()), (10, 1));
    // Another client gets it when it has been silent for a moment.
    until("a connection is used again", || {
        let before = backend.accepted();
        assert_eq!(Client::connect(listener).get("/").text(), "here");
        (backend.accepted() == before).then_some(())
    });
    lbd.stop();
}

fn start(backend: &Backend) -> (Lbd, SocketAddr) {
    let listener = address();
    (
        Lbd::start(&Config::http(listener, &[backend.address()]).text()),
        listener,
    )
}
