//! Clients that take too much, too long or too many.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use lb_admin::ServerOptions;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use support::{Fake, Server, answer};

fn hasty() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.head_timeout = Duration::from_millis(200);
    options.body_timeout = Duration::from_millis(200);
    options.connection_timeout = Duration::from_secs(2);
    options
}

/// Does the other side close?
fn is_closed(stream: &mut UnixStream) -> bool {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => matches!(
            error.kind(),
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe
        ),
    }
}

#[test]
fn two_hundred_silent_clients_keep_nobody_out() {
    let server = Server::start();
    let mut silent: Vec<UnixStream> = (0..200).map(|_| server.connect()).collect();
    for _ in 0..20 {
        assert_eq!(server.ask("GET", "/v1/status", "").status, 200);
    }
    // Those that came first made room; they were told by the end of their connection.
    assert!(is_closed(&mut silent[0]));
    // A client that says half a head is as silent as one that says nothing.
    let mut halves: Vec<UnixStream> = (0..200)
        .map(|_| {
            let mut stream = server.connect();
            // It may have made room already.
            let _ = stream.write_all(b"GET /v1/status HTT");
            stream
        })
        .collect();
    assert_eq!(server.ask("GET", "/v1/process", "").status, 200);
    assert!(is_closed(&mut halves[0]));
}

#[test]
fn bodies_that_do_not_come_keep_nobody_out() {
    let mut options = ServerOptions::default();
    options.body_timeout = Duration::from_secs(600);
    options.connection_timeout = Duration::from_secs(600);
    let server = Server::with(Fake::new(), options);
    let mut slow: Vec<UnixStream> = (0..64)
        .map(|_| {
            let mut stream = server.connect();
            let head = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n";
            stream.write_all(head).unwrap();
            let mut told = [0; 12];
            stream.read_exact(&mut told).unwrap();
            assert_eq!(&told, b"HTTP/1.1 100", "its body is waited for");
            stream.write_all(b"{").unwrap();
            stream
        })
        .collect();
    assert_eq!(server.ask("GET", "/v1/process", "").status, 200);
    assert!(is_closed(&mut slow[0]), "the first of them made room");
}

#[test]
fn a_silent_client_is_sent_away() {
    let server = Server::with(Fake::new(), hasty());
    let mut silent = server.connect();
    assert!(is_closed(&mut silent), "before a request");
    let mut half = server.connect();
    half.write_all(b"GET /v1/status HTTP/1.1\r\nHost:").unwrap();
    assert!(is_closed(&mut half), "within a head");
    let mut kept = server.connect();
    kept.write_all(b"GET /v1/process HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let after = answer(&mut kept);
    assert_eq!(after.status, 200, "behind a request");
}

#[test]
fn a_body_that_does_not_come_is_answered_with_408() {
    let server = Server::with(Fake::new(), hasty());
    let answer =
        server.raw(b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{");
    assert_eq!(answer.error().0, 408);
    assert_eq!(answer.error().1, "too_slow");
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    let server = Server::with(Fake::with_backends(5_000), hasty());
    let mut stream = server.connect();
    stream.write_all(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    // Wait, without reading, until the connection has had its time.
    let mut second = server.connect();
    assert!(is_closed(&mut second));
    std::thread::park_timeout(Duration::from_secs(3));
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let length = String::from_utf8_lossy(&bytes)
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
    let promised: usize = length.unwrap().trim().parse().unwrap();
    assert!(bytes.len() < promised, "{} of {promised} bytes came", bytes.len());
}

#[test]
fn sizes_are_bounded_on_both_sides_of_the_limit() {
    let server = Server::start();
    let padded = |length: usize| {
        let body = "{\"weight\": 7}";
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    let weight = "/v1/pools/app/backends/a/weight";
    assert_eq!(server.ask("PUT", weight, &padded(256 * 1024)).status, 200);
    let large = server.ask("PUT", weight, &padded(256 * 1024 + 1));
    assert_eq!((large.error().0, large.error().1.as_str()), (413, "too_large"));
    let endless = "10000\r\n".to_owned() + &"x".repeat(0x10000) + "\r\n";
    let head = format!("PUT {weight} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunked = server.raw((head + &endless.repeat(5)).as_bytes());
    assert_eq!(chunked.error().0, 413);

    let with = |fill: usize| {
        format!(
            "GET /v1/process HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: {}\r\n\r\n",
            "a".repeat(fill)
        )
    };
    assert_eq!(server.raw(with(15 * 1024).as_bytes()).status, 200);
    assert_eq!(server.raw(with(40 * 1024).as_bytes()).status, 431);
    let fields = "A: b\r\n".repeat(500);
    let many = format!("GET /v1/process HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
    assert_eq!(server.raw(many.as_bytes()).status, 431);
    let long = format!("/v1/{}", "x".repeat(7_000));
    let answer = server.ask("GET", &long, "");
    assert_eq!(answer.status, 404);
    assert!(answer.body.len() < 1_500, "what a client sent is repeated in part only");
}

#[test]
fn nonsense_is_refused_and_the_next_client_is_served() {
    let server = Server::start();
    let nonsense: [&[u8]; 9] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"G\xffT / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/pools/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ];
    for bytes in nonsense {
        let mut stream = server.connect();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{bytes:?}: {text}");
        assert_eq!(server.ask("GET", "/v1/process", "").status, 200);
    }
    let weight = "/v1/pools/app/backends/a/weight";
    let deep = format!("{{\"weight\": {}", "[".repeat(200_000));
    assert_eq!(server.ask("PUT", weight, &deep).error().1, "bad_json");
    let deep = format!("{{\"weight\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    let answer = server.ask("PUT", weight, &deep);
    assert_eq!(answer.error().1, "bad_weight");
}

#[test]
fn several_requests_may_share_a_connection() {
    let server = Server::start();
    let mut stream = server.connect();
    let one = "GET /v1/process HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /v1/process HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{one}{one}{last}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3);
}
