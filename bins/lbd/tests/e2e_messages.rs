//! Messages on their way: pipelining, HEAD, interim answers, trailers, fields for one hop.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use support::{Backend, Client, Config, Lbd, address, answer, chunked};

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
