//! TLS through a real worker: rustls as client and as backend, and clients that are none.
#![allow(
    clippy::disallowed_methods,
    reason = "deadlines of the tests themselves are real time"
)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod hostile;
mod http;
mod world;

use http::{body, echo, field, head, pattern};
use lb_telemetry::End;
use rustls::version::{TLS12, TLS13};
use std::io::{Read, Write};
use world::{World, backend, make, secure, secure_backend, sites, upstream};

const GET: &str = "GET / HTTP/1.1\r\nHost: site.example\r\n\r\n";

#[test]
fn many_requests_go_over_one_connection_of_either_version() {
    let made = make();
    let world = World::new(Some(sites(&made)), backend(echo), None);
    for version in [&TLS12, &TLS13] {
        let mut client = secure(world.proxy, &made, version);
        for length in (0..300).chain([16_384, 70_000]) {
            let request = format!("GET /{length} HTTP/1.1\r\nHost: site.example\r\n\r\n");
            client.write_all(request.as_bytes()).unwrap();
            let answer = head(&mut client).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(body(&mut client, &answer) == pattern(length), "{length}");
        }
    }
    world.stop();
}

#[test]
fn large_bodies_arrive_whole_in_both_directions_over_tls_on_either_side() {
    let made = make();
    let backends = [
        (backend(echo), None),
        (secure_backend(&made, echo), Some(upstream(&made))),
    ];
    for (address, tls) in backends {
        let world = World::new(Some(sites(&made)), address, tls);
        for version in [&TLS12, &TLS13] {
            for chunked in [false, true] {
                let mut client = secure(world.proxy, &made, version);
                let content = pattern(3_000_000);
                let framing = if chunked {
                    "Transfer-Encoding: chunked".to_owned()
                } else {
                    format!("Content-Length: {}", content.len())
                };
                let head_text = format!("POST /echo HTTP/1.1\r\nHost: site.example\r\n{framing}\r\n\r\n");
                client.write_all(head_text.as_bytes()).unwrap();
                for piece in content.chunks(50_000) {
                    if chunked {
                        write!(client, "{:x}\r\n", piece.len()).unwrap();
                    }
                    client.write_all(piece).unwrap();
                    if chunked {
                        client.write_all(b"\r\n").unwrap();
                    }
                }
                if chunked {
                    client.write_all(b"0\r\n\r\n").unwrap();
                }
                let answer = head(&mut client).unwrap();
                assert!(body(&mut client, &answer) == content);
            }
        }
        world.stop();
    }
}

#[test]
fn connections_to_backends_are_kept_although_tickets_come_late() {
    let made = make();
    let connections = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&connections);
    let address = secure_backend(&made, move |mut stream| {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        while let Some(request) = head(&mut stream) {
            let content = body(&mut stream, &request);
            let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len());
            stream.write_all(&[text.as_bytes(), &content].concat()).unwrap();
            // A key update between two responses: a record that nobody asked for and that says nothing.
            stream.conn.refresh_traffic_keys().unwrap();
            stream.flush().unwrap();
        }
    });
    let world = World::new(None, address, Some(upstream(&made)));
    let mut client = world::connect(world.proxy);
    for _ in 0..50 {
        client
            .write_all(b"POST /x HTTP/1.1\r\nHost: site.example\r\nContent-Length: 4\r\n\r\nbody")
            .unwrap();
        let answer = head(&mut client).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(body(&mut client, &answer), b"body");
    }
    assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 1);
    world.stop();
}

#[test]
fn a_body_that_ends_with_its_connection_needs_close_notify_to_be_whole() {
    let made = make();
    for whole in [true, false] {
        let address = secure_backend(&made, move |mut stream| {
            if head(&mut stream).is_some() {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts").unwrap();
                if whole {
                    stream.conn.send_close_notify();
                }
                let _ = stream.flush();
                let _ = stream.sock.shutdown(std::net::Shutdown::Write);
                let _ = stream.sock.read(&mut [0; 100]);
            }
        });
        let world = World::new(None, address, Some(upstream(&made)));
        let mut client = world::connect(world.proxy);
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut got = String::new();
        let end = client.read_to_string(&mut got);
        let is_whole = end.is_ok() && got.ends_with("0\r\n\r\n");
        assert!(
            field(&got, "transfer-encoding").is_some() && got.contains("lasts"),
            "{got}"
        );
        assert_eq!(is_whole, whole, "{got:?}");
        if !whole {
            world.until_ended(End::UpstreamTruncated, 1);
        }
        world.stop();
    }
}

#[test]
fn a_response_that_is_cut_ends_without_close_notify() {
    let made = make();
    let address = backend(|mut stream| {
        if head(&mut stream).is_some() {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot all")
                .unwrap();
        }
    });
    let world = World::new(Some(sites(&made)), address, None);
    let mut client = secure(world.proxy, &made, &TLS13);
    client.write_all(GET.replace("1.1", "1.0").as_bytes()).unwrap();
    let mut got = Vec::new();
    let end = client.read_to_end(&mut got);
    assert!(end.is_err(), "{}", String::from_utf8_lossy(&got));
    world.stop();
}
