//! Each limit from both sides, with the status it gives.

mod support;

use lb_http::h1::{Error, Limits};
use support::{Asked, Reader, Story};

fn read(limits: &Limits, input: &[u8]) -> Story {
    let mut reader = Reader::server(limits.clone());
    reader.feed(input);
    reader.finish()
}

fn status(limits: &Limits, input: &[u8]) -> Option<u16> {
    read(limits, input).error.map(|e| e.status())
}

#[test]
fn s_cookie_13_a_head_above_the_limit_is_431() {
    // "GET / HTTP/1.1\r\nHost: a\r\nCookie: " + n + "\r\n\r\n": 16 + 9 + 8 + n + 4 bytes.
    let head = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n", "x".repeat(n)).into_bytes();
    let limits = Limits {
        head_bytes: 137,
        ..Limits::default()
    };
    assert_eq!(head(100).len(), 137);
    assert_eq!(status(&limits, &head(100)), None);
    assert_eq!(
        read(&limits, &head(101)).error,
        Some(Error::HeadTooLarge { limit: 137 })
    );
    assert_eq!(status(&limits, &head(101)), Some(431));
    // It is refused when the limit is reached, not when the head ends.
    assert_eq!(status(&limits, &head(10_000)[..137]), Some(431));
    assert_eq!(status(&limits, &head(10_000)[..136]), None);
    // Empty lines in front do not count.
    assert_eq!(status(&limits, &[b"\r\n", &head(100)[..]].concat()), None);
}

#[test]
fn s_cookie_13_fields_above_the_limit_are_431() {
    let head = |n: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "Cookie: a=b\r\n".repeat(n - 1)).into_bytes();
    let limits = Limits::default();
    assert_eq!(status(&limits, &head(100)), None);
    assert_eq!(
        read(&limits, &head(101)).error,
        Some(Error::TooManyFields { limit: 100 })
    );
    assert_eq!(status(&limits, &head(101)), Some(431));
    // The table of the parser has 256 places, whatever is configured.
    let limits = Limits {
        fields: 10_000,
        ..Limits::default()
    };
    assert_eq!(status(&limits, &head(256)), None);
    assert_eq!(
        read(&limits, &head(257)).error,
        Some(Error::TooManyFields { limit: 256 })
    );
}

#[test]
fn s_status_07_a_target_above_the_limit_is_414() {
    let head = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(n - 1)).into_bytes();
    let limits = Limits {
        target_bytes: 50,
        ..Limits::default()
    };
    assert_eq!(status(&limits, &head(50)), None);
    assert_eq!(read(&limits, &head(51)).error, Some(Error::TargetTooLong { limit: 50 }));
    assert_eq!(status(&limits, &head(51)), Some(414));
    // Found without waiting for the end of the line.
    assert_eq!(status(&limits, &head(5_000)[..200]), Some(414));
    // A target that is longer than the whole head may be is 414 too, if its own limit is below.
    assert_eq!(status(&Limits::default(), &head(20_000)), Some(414));
    let limits = Limits {
        head_bytes: 100,
        ..Limits::default()
    };
    assert_eq!(status(&limits, &head(20_000)), Some(431));
}

#[test]
fn s_status_07_a_body_above_the_limit_is_413() {
    let limits = Limits {
        body_bytes: Some(10),
        ..Limits::default()
    };
    let sized = |n: u32| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n");
    assert_eq!(status(&limits, sized(10).as_bytes()), None);
    assert_eq!(
        read(&limits, sized(11).as_bytes()).error,
        Some(Error::BodyTooLarge { limit: 10 })
    );
    assert_eq!(status(&limits, sized(11).as_bytes()), Some(413));
    let chunked = |body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    assert_eq!(
        status(&limits, chunked("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n").as_bytes()),
        None
    );
    // At the line that announces too much, before its bytes.
    let story = read(&limits, chunked("5\r\nabcde\r\n6\r\n").as_bytes());
    assert_eq!(
        (story.error, story.messages[0].body_text()),
        (Some(Error::BodyTooLarge { limit: 10 }), "abcde")
    );
    // Sizes that would overflow the sum.
    let story = read(&limits, chunked("5\r\nabcde\r\n7fffffffffffffff\r\n").as_bytes());
    assert_eq!(story.error, Some(Error::BodyTooLarge { limit: 10 }));
    // Responses that end with the connection.
    let mut reader = Reader::client(limits, Asked::Get);
    reader.feed(b"HTTP/1.1 200 OK\r\n\r\n0123456789");
    reader.feed(b"0");
    assert_eq!(reader.finish().error, Some(Error::BodyTooLarge { limit: 10 }));
}

#[test]
fn trailers_above_the_limits_are_431() {
    let limits = Limits {
        trailer_bytes: 20,
        trailer_fields: 2,
        ..Limits::default()
    };
    let post =
        |t: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{t}").into_bytes();
    assert_eq!(status(&limits, &post("X: 456789012345678\r\n\r\n")[..]), Some(431));
    assert_eq!(status(&limits, &post("X: 4567890123456\r\n\r\n")), None); // 3 + 13 + 4 = 20
    assert_eq!(
        read(&limits, &post("X: 45678901234567\r\n\r\n")).error,
        Some(Error::TrailersTooLarge { limit: 20 })
    );
    assert_eq!(status(&limits, &post("A: 1\r\nB: 2\r\n\r\n")), None);
    assert_eq!(
        read(&limits, &post("A:1\r\nB:2\r\nC:3\r\n\r\n")).error,
        Some(Error::TooManyTrailers { limit: 2 })
    );
}

/// A length kept in 16 bits would have written this name as `Content-Length`.
#[test]
fn names_of_any_length_stay_whole() {
    use lb_http::h1::{Conn, Framing, Role, Step};
    let limits = std::sync::Arc::new(Limits {
        head_bytes: 1 << 20,
        ..Limits::default()
    });
    let name = format!("Content-Length{}", "x".repeat(1 << 16));
    let input = format!("GET / HTTP/1.1\r\nHost: a\r\n{name}:5\r\n\r\n");
    let mut head = lb_http::Head::with_capacity(0, 0);
    let step = Conn::new(Role::Server, limits.clone()).read_head(input.as_bytes(), &mut head);
    assert!(matches!(step, Ok(Step::Ready(_))));
    let mut out = Vec::new();
    Conn::new(Role::Client, limits)
        .write_head(&head, Framing::Empty, &mut out)
        .unwrap();
    let want = format!("GET / HTTP/1.1\r\nHost: a\r\n{name}: 5\r\n\r\n");
    assert!(out == want.as_bytes());
}

#[test]
fn a_connection_that_waits_is_small() {
    assert!(
        size_of::<lb_http::h1::Conn>() <= 128,
        "{}",
        size_of::<lb_http::h1::Conn>()
    );
}

#[test]
fn limits_of_zero_refuse_and_do_not_panic() {
    let limits = Limits {
        head_bytes: 0,
        fields: 0,
        target_bytes: 0,
        body_bytes: Some(0),
        chunk_line_bytes: 0,
        chunk_extension_bytes: 0,
        trailer_bytes: 0,
        trailer_fields: 0,
        ..Limits::default()
    };
    assert_eq!(status(&limits, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Some(431));
    let limits = Limits {
        head_bytes: 1_000,
        target_bytes: 10,
        fields: 5,
        ..limits
    };
    assert_eq!(status(&limits, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), None);
    let post = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(status(&limits, post), Some(400));
    let limits = Limits {
        chunk_line_bytes: 1,
        ..limits
    };
    assert_eq!(status(&limits, post), Some(431));
}
