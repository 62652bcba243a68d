//! Payload that goes by unseen: the codec still knows where the message ends.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::h1::{Conn, Error, Framing, Limits, Next, Part, Role, Step};
use lb_http::{Head, Version};
use std::sync::Arc;
use support::{client_with, server_with};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// A client that has read this response head.
fn answered(response: &[u8], limits: &Limits) -> Conn {
    let (mut conn, mut head) = (
        Conn::new(Role::Client, Arc::new(limits.clone())),
        Head::with_capacity(256, 8),
    );
    let (_, request, framing) = server_with(GET);
    conn.write_head(&request, framing, &mut Vec::new()).unwrap();
    assert!(matches!(conn.read_head(response, &mut head), Ok(Step::Ready(_))));
    conn
}

#[test]
fn a_body_of_known_length_may_go_by_in_part_or_whole() {
    let mut conn = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", &Limits::default());
    assert_eq!(conn.body_left(), Some(1000));
    assert_eq!(conn.read_body(&[0; 100]), Ok(Part::Data { skip: 0, len: 100 }));
    assert_eq!(conn.body_left(), Some(900));
    conn.skip_body(850).unwrap();
    assert_eq!(conn.body_left(), Some(50));
    assert!(!conn.reading_done());
    // What follows the body is not of the body.
    assert_eq!(conn.read_body(&[0; 60]), Ok(Part::Data { skip: 0, len: 50 }));
    assert!(conn.reading_done());
    assert_eq!(conn.body_left(), None);
    assert_eq!(conn.next(), Next::Reuse);
}

#[test]
fn the_last_byte_that_goes_by_ends_the_message() {
    let mut conn = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", &Limits::default());
    conn.skip_body(999).unwrap();
    assert_eq!((conn.reading_done(), conn.next()), (false, Next::Busy));
    conn.skip_body(1).unwrap();
    assert_eq!((conn.reading_done(), conn.next()), (true, Next::Reuse));
    assert_eq!(conn.read_body(b"next"), Ok(Part::End { skip: 0 }));
}

#[test]
fn no_more_goes_by_than_is_left() {
    let mut conn = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", &Limits::default());
    assert!(matches!(conn.skip_body(1001), Err(Error::OutOfTurn(_))));
    assert_eq!(conn.body_left(), Some(1000), "a refused call changes nothing");
}

#[test]
fn a_body_cut_while_it_goes_by_is_truncated() {
    let mut conn = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", &Limits::default());
    conn.skip_body(999).unwrap();
    assert_eq!(conn.read_eof(), Err(Error::Truncated));
}

#[test]
fn a_body_until_close_goes_by_up_to_its_limit() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n";
    let mut conn = answered(head, &Limits::default());
    assert_eq!(conn.body_left(), Some(u64::MAX), "without a limit");
    conn.skip_body(1 << 40).unwrap();
    assert_eq!(conn.read_eof(), Ok(()));
    assert!(conn.reading_done());

    let limits = Limits {
        body_bytes: Some(1000),
        ..Limits::default()
    };
    let mut conn = answered(head, &limits);
    conn.skip_body(1000).unwrap();
    assert_eq!(conn.body_left(), Some(0));
    assert!(matches!(conn.skip_body(1), Err(Error::OutOfTurn(_))));
    assert_eq!(conn.read_body(b"x"), Err(Error::BodyTooLarge { limit: 1000 }));
}

#[test]
fn chunks_and_heads_do_not_go_by() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut conn = answered(chunked, &Limits::default());
    assert_eq!(conn.body_left(), None);
    assert!(matches!(conn.skip_body(1), Err(Error::OutOfTurn(_))));
    let (mut conn, _) = client_with(GET);
    assert_eq!(conn.body_left(), None, "before the head");
    assert!(matches!(conn.skip_body(0), Err(Error::OutOfTurn(_))));
}

#[test]
fn there_is_room_for_payload_alone_where_nothing_stands_around_it() {
    for (version, framing, room) in [
        (Version::Http11, Framing::Length(1000), Some(1000)),
        (Version::Http11, Framing::Chunked, None),
        (Version::Http11, Framing::UntilClose, None), // becomes chunks
        (Version::Http11, Framing::Empty, None),
        (Version::Http10, Framing::Length(1000), Some(1000)),
        (Version::Http10, Framing::UntilClose, Some(u64::MAX)),
        (Version::Http10, Framing::Chunked, Some(u64::MAX)), // becomes a body until close
    ] {
        let request: &[u8] = match version {
            Version::Http10 => b"GET / HTTP/1.0\r\n\r\n",
            _ => GET,
        };
        let (mut conn, _, _) = server_with(request);
        assert_eq!(conn.body_room(), None, "before the head");
        let (head, _) = support::response_head(b"HTTP/1.1 200 OK\r\n\r\n");
        conn.write_head(&head, framing, &mut Vec::new()).unwrap();
        assert_eq!(conn.body_room(), room, "{version:?} {framing:?}");
        if room == Some(1000) {
            let mut out = Vec::new();
            assert_eq!(conn.write_body(400, &mut out), Ok(&b""[..]));
            assert_eq!((conn.body_room(), out.len()), (Some(600), 0));
            assert_eq!(conn.write_body(600, &mut out), Ok(&b""[..]));
            assert_eq!((conn.body_room(), conn.writing_done()), (None, true));
        }
    }
}
