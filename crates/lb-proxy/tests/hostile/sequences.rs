//! Many requests on one connection, and buffers at their borders.

use crate::run::each;
use crate::script::Do;
use crate::world::{Setup, World};

#[test]
fn fifty_pipelined_requests_get_fifty_answers_in_order() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    let mut all = String::new();
    for n in 0..50 {
        match n % 3 {
            0 => all.push_str(&format!("GET /{n} HTTP/1.1\r\nHost: h\r\n\r\n")),
            1 => all.push_str(&format!(
                "POST /{n} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
            )),
            _ => all.push_str(&format!(
                "POST /{n} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            )),
        }
    }
    client.send(all.as_bytes());
    for n in 0..50 {
        let want = match n % 3 {
            0 => format!("0: GET /{n} 0"),
            1 => format!("0: POST /{n} 5"),
            _ => format!("0: POST /{n} 3"),
        };
        assert_eq!(client.reply("GET").unwrap().text(), want);
    }
    client.lives();
}

#[test]
fn pipelined_heads_and_gets_stay_in_step() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    for n in 0..20 {
        client.send(format!("HEAD /{n} HTTP/1.1\r\nHost: h\r\n\r\nGET /{n} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
    }
    for n in 0..20 {
        assert_eq!(client.reply("HEAD").unwrap().status, 200);
        assert_eq!(client.reply("GET").unwrap().text(), format!("0: GET /{n} 0"));
    }
    client.lives();
}

#[test]
fn pipelining_ends_at_the_first_mistake() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    client.send(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\n\r\nGET /4 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.reply("GET").unwrap().text(), "0: GET /1 0");
    assert_eq!(client.reply("GET").unwrap().text(), "0: GET /2 0");
    assert_eq!(client.reply("GET").unwrap().status, 400);
    client.ends();
    world.backend().look(|seen| assert_eq!(seen.requests.len(), 2));
}

#[test]
fn pipelining_ends_at_close() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    client.send(b"GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    let reply = client.reply("GET").unwrap();
    assert_eq!(
        (reply.text().as_str(), reply.field("connection")),
        ("0: GET /1 0", Some("close"))
    );
    client.ends();
    world.backend().look(|seen| assert_eq!(seen.requests.len(), 1));
}

#[test]
fn an_empty_line_between_requests_is_skipped() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    client.send(b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.reply("POST").unwrap().text(), "0: POST /1 1");
    assert_eq!(client.reply("GET").unwrap().text(), "0: GET /2 0");
    client.lives();
}

#[test]
fn the_last_allowed_request_says_so_and_closes() {
    let setup = Setup {
        keep_alive_requests: 3,
        ..Setup::default()
    };
    for version in ["1.1", "1.0"] {
        let world = World::new(&setup, Vec::new());
        let mut client = world.client();
        let request = format!("GET /a HTTP/{version}\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
        client.send(request.repeat(4).as_bytes());
        for n in 1..=3 {
            let reply = client.reply("GET").unwrap();
            let says = reply.field("connection");
            let want = match (n, version) {
                (3, _) => Some("close"),
                (_, "1.0") => Some("keep-alive"),
                _ => None,
            };
            assert_eq!(says, want, "{version}, request {n}");
        }
        client.ends();
        world.backend().look(|seen| assert_eq!(seen.requests.len(), 3));
    }
}

#[test]
fn after_our_own_answer_the_connection_goes_on_when_it_is_in_step() {
    let world = World::new(
        &Setup {
            retries: 0,
            ..Setup::default()
        },
        vec![Do::Close],
    );
    let mut client = world.client();
    for _ in 0..3 {
        client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\nGET /fine HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.reply("GET").unwrap().status, 502);
        assert_eq!(client.reply("GET").unwrap().text(), "0: GET /fine 0");
    }
    // With a body unread it must close.
    client.send(b"POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n");
    let reply = client.reply("POST").unwrap();
    assert_eq!((reply.status, reply.field("connection")), (502, Some("close")));
    client.send(b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    client.ends();
    world
        .backend()
        .look(|seen| assert!(seen.requests.iter().all(|r| r.target == "/fine")));
}

/// Sizes around each buffer: 4, 16 and 64 KiB.
const SIZES: [usize; 22] = [
    1, 2, 4094, 4095, 4096, 4097, 8191, 16_300, 16_383, 16_384, 16_385, 20_000, 32_768, 65_535, 65_536, 65_537, 70_000,
    131_072, 200_000, 262_144, 500_001, 1_000_000,
];

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| b'a' + (i * 7 + i / 251) as u8 % 26).collect()
}

#[test]
fn no_byte_is_lost_at_the_border_of_a_buffer_on_the_way_up() {
    each(
        &SIZES,
        |size| size.to_string(),
        |size| {
            let world = World::new(&Setup::default(), Vec::new());
            let body = pattern(*size);
            let mut client = world.client();
            let next = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
            client.send(format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n").as_bytes());
            client.send(&[&body[..], next].concat());
            assert_eq!(client.reply("POST").unwrap().text(), format!("0: POST /a {size}"));
            assert_eq!(client.reply("GET").unwrap().text(), "0: GET /next 0");
            // The same in chunks of odd sizes.
            let mut message = b"POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for (i, part) in body.chunks(5003).enumerate() {
                let extension = if i % 5 == 0 { ";x=y" } else { "" };
                message.extend(format!("{:X}{extension}\r\n", part.len()).bytes());
                message.extend(part);
                message.extend(b"\r\n");
            }
            message.extend(b"0\r\n\r\n");
            message.extend(next);
            client.send(&message);
            assert_eq!(client.reply("POST").unwrap().text(), format!("0: POST /b {size}"));
            assert_eq!(client.reply("GET").unwrap().text(), "0: GET /next 0");
            world.backend().look(|seen| {
                assert!(seen.violations.is_empty(), "{:?}", seen.violations);
                assert!(
                    seen.requests[0].body == body && seen.requests[2].body == body,
                    "another body"
                );
            });
        },
    );
}

#[test]
fn no_byte_is_lost_at_the_border_of_a_buffer_on_the_way_down() {
    each(
        &SIZES,
        |size| size.to_string(),
        |size| {
            let body = pattern(*size);
            let length = [
                format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").as_bytes(),
                &body,
            ]
            .concat();
            let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for part in body.chunks(4999) {
                chunked.extend(format!("{:x}\r\n", part.len()).bytes());
                chunked.extend(part);
                chunked.extend(b"\r\n");
            }
            chunked.extend(b"0\r\nX-Sum: 1\r\n\r\n");
            let closing = [b"HTTP/1.1 200 OK\r\n\r\n", &body[..]].concat();
            for (script, version) in [
                (vec![Do::Send(length)], "1.1"),
                (vec![Do::Send(chunked.clone())], "1.1"),
                (vec![Do::Send(chunked), Do::UntilGone], "1.0"),
                (vec![Do::Send(closing), Do::Close], "1.1"),
            ] {
                let world = World::new(&Setup::default(), script);
                let mut client = world.client();
                client.send(format!("GET /evil HTTP/{version}\r\nHost: h\r\n\r\n").as_bytes());
                let reply = client.reply("GET").unwrap();
                assert!(reply.whole && reply.body == body, "{}", reply.head);
                if version == "1.1" {
                    client.lives();
                } else {
                    client.ends();
                }
                world.settle();
            }
        },
    );
}

#[test]
fn heads_at_the_border_of_a_buffer_do_not_swallow_what_follows() {
    let pads: Vec<usize> = (16_384 - 80..16_384 - 20).collect();
    each(
        &pads,
        |pad| pad.to_string(),
        |pad| {
            let world = World::new(&Setup::default(), Vec::new());
            let mut client = world.client();
            // The second head begins where the buffer ends.
            let first = format!("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: {pad}\r\n\r\n");
            let mut all = first.into_bytes();
            all.extend(pattern(*pad));
            all.extend(
                b"GET /b HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\nPOST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi",
            );
            client.send(&all);
            assert_eq!(client.reply("POST").unwrap().text(), format!("0: POST /a {pad}"));
            assert_eq!(client.reply("GET").unwrap().text(), "0: GET /b 0");
            assert_eq!(client.reply("POST").unwrap().text(), "0: POST /c 2");
            client.lives();
        },
    );
}
