//! Each limit from both sides.

use crate::run::each;
use crate::script::Do;
use crate::world::{Setup, World};
use lb_http::h1::Limits;

fn setup() -> Setup {
    let limits = Limits {
        head_bytes: 2000,
        fields: 10,
        target_bytes: 500,
        body_bytes: Some(1000),
        chunk_line_bytes: 50,
        chunk_extension_bytes: 200,
        trailer_bytes: 300,
        trailer_fields: 3,
        ..Limits::default()
    };
    Setup {
        client_limits: limits.clone(),
        backend_limits: Limits {
            body_bytes: None,
            ..limits
        },
        retries: 0,
        ..Setup::default()
    }
}

fn repeat(text: &str, times: usize) -> String {
    text.repeat(times)
}

fn head_of(bytes: usize) -> String {
    let start = "GET /a HTTP/1.1\r\nHost: h\r\nX: ";
    format!("{start}{}\r\n\r\n", repeat("a", bytes - start.len() - 4))
}

fn chunked(body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[test]
fn limits_of_requests_hold_from_both_sides() {
    let post = |n: usize| {
        format!(
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {n}\r\n\r\n{}",
            repeat("a", n)
        )
    };
    let announced = |n: u64| format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {n}\r\n\r\n");
    let target = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", repeat("a", n - 1));
    let fields = |n: usize| format!("GET /a HTTP/1.1\r\nHost: h\r\n{}\r\n", repeat("X: y\r\n", n - 1));
    let chunks = |n: usize| chunked(&format!("{}0\r\n\r\n", repeat("1\r\na\r\n", n)));
    let extension = |n: usize| chunked(&format!("1;{}\r\na\r\n0\r\n\r\n", repeat("a", n - 2)));
    let extensions = |n: usize| chunked(&format!("{}0\r\n\r\n", repeat("1;aaaaaaaaa\r\na\r\n", n)));
    let trailers = |n: usize| chunked(&format!("0\r\n{}\r\n", repeat("X: y\r\n", n)));
    let trailer = |n: usize| chunked(&format!("0\r\nX: {}\r\n\r\n", repeat("y", n - 7)));
    let cases = [
        ("head bytes", head_of(2000), 200),
        ("head bytes and one", head_of(2001), 431),
        ("head bytes twice", head_of(4000), 431),
        ("head bytes beyond every buffer", head_of(300_000), 431),
        ("fields", fields(10), 200),
        ("fields and one", fields(11), 431),
        ("fields by the thousand", fields(5000), 431),
        ("target", target(500), 200),
        ("target and one", target(501), 414),
        ("target beyond every buffer", target(300_000), 414),
        ("a method beyond every buffer", repeat("A", 300_000), 414),
        ("body", post(1000), 200),
        ("body and one", post(1001), 413),
        ("a body announced", announced(1 << 40), 413),
        ("a chunked body", chunks(1000), 200),
        ("a chunked body and one", chunks(1001), 413),
        ("one large chunk", chunked("3e9\r\n"), 413),
        ("a very large chunk", chunked("7fffffffffffffff\r\n"), 413),
        ("a chunk line", extension(50), 200),
        ("a chunk line and one", extension(51), 400),
        ("a chunk line beyond every buffer", extension(300_000), 400),
        ("chunk extensions", extensions(20), 200),
        ("chunk extensions and one", extensions(21), 400),
        ("trailers", trailers(3), 200),
        ("trailers and one", trailers(4), 431),
        ("trailer bytes", trailer(300), 200),
        ("trailer bytes and one", trailer(301), 431),
        ("trailer bytes beyond every buffer", trailer(300_000), 431),
    ];
    each(
        &cases,
        |case| case.0.to_owned(),
        |(_, bytes, status)| {
            let world = World::new(&setup(), Vec::new());
            let mut client = world.client();
            client.send(bytes.as_bytes());
            let reply = client.reply("GET").expect("an answer");
            assert_eq!(reply.status, *status, "{}", reply.head);
            if *status == 200 {
                client.lives();
            } else {
                assert_eq!(reply.field("connection"), Some("close"));
                client.ends();
                world.backend().until("the end", |seen| seen.ended == seen.connections);
                world.backend().look(|seen| assert!(seen.requests.is_empty()));
            }
            world.settle();
        },
    );
}

#[test]
fn limits_of_responses_hold_from_both_sides() {
    let head = |n: usize| {
        let start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ";
        format!("{start}{}\r\n\r\nhi", repeat("a", n - start.len() - 4))
    };
    let fields = |n: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{}\r\nhi",
            repeat("X: y\r\n", n - 1)
        )
    };
    let chunked = |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let extension = |n: usize| chunked(&format!("2;{}\r\nhi\r\n0\r\n\r\n", repeat("a", n - 2)));
    let trailers = |n: usize| chunked(&format!("2\r\nhi\r\n0\r\n{}\r\n", repeat("X: y\r\n", n)));
    let cases = [
        ("head bytes", head(2000), true),
        ("head bytes and one", head(2001), false),
        ("fields", fields(10), true),
        ("fields and one", fields(11), false),
        ("a chunk line", extension(50), true),
        ("a chunk line and one", extension(51), false),
        ("trailers", trailers(3), true),
        ("trailers and one", trailers(4), false),
    ];
    each(
        &cases,
        |case| case.0.to_owned(),
        |(_, bytes, good)| {
            let world = World::new(&setup(), vec![Do::Send(bytes.clone().into())]);
            let mut client = world.client();
            client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
            let reply = client.reply("GET").expect("an answer");
            if *good {
                assert_eq!((reply.status, reply.text().as_str(), reply.whole), (200, "hi", true));
                client.lives();
            } else {
                assert!(reply.status == 502 || !reply.whole, "{reply:?}");
            }
            world.client().lives();
            world.settle();
        },
    );
}

#[test]
fn a_body_limit_is_found_before_the_client_is_told_to_go_on() {
    let world = World::new(&setup(), Vec::new());
    let mut client = world.client();
    client.send(b"POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
    let reply = client.reply("POST").unwrap();
    assert_eq!((reply.status, reply.interim.len()), (413, 0));
    client.ends();
    world.backend().look(|seen| assert_eq!(seen.connections, 0));
}
