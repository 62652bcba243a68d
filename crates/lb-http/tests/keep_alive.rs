//! When a connection is used again, when it closes, and what it says about it.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::Head;
use lb_http::h1::{Conn, Error, Framing, Limits, Next, Part, Role, Step};
use lb_types::FieldsMut;
use std::sync::Arc;
use support::{client_with, response_head, server_with};

/// What a client reads when `request` is answered with 200 and `framing`, and what comes next.
fn answered(request: &[u8], framing: Framing) -> (String, Next) {
    let (mut conn, _, _) = server_with(request);
    let (head, _) = response_head(b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n");
    let mut out = Vec::new();
    conn.write_head(&head, framing, &mut out).unwrap();
    if !conn.writing_done() {
        let behind = conn.write_body(2, &mut out).unwrap();
        out.extend_from_slice(b"ok");
        out.extend_from_slice(behind);
        conn.write_end(None, &mut out).unwrap();
    }
    (String::from_utf8(out).unwrap(), conn.next())
}

#[test]
fn s_ka_03_the_last_answer_of_a_connection_says_close() {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut conn = Conn::new(Role::Server, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(512, 8);
    for n in 1..=100 {
        assert!(matches!(conn.read_head(request, &mut head), Ok(Step::Ready(_))));
        if n == 100 {
            conn.close_after();
        }
        let mut out = Vec::new();
        head.start_response(204).unwrap();
        conn.write_head(&head, Framing::Empty, &mut out).unwrap();
        let says_close = out.ends_with(b"\r\nConnection: close\r\n\r\n");
        assert_eq!(says_close, n == 100);
        assert_eq!(conn.next(), if n == 100 { Next::Close } else { Next::Reuse });
        conn.start_next();
    }
    // After that no request is read any more.
    assert!(conn.read_head(request, &mut head).is_err());
}

#[test]
fn s_ka_04_http10_is_one_exchange_unless_the_client_asks() {
    let (out, next) = answered(b"GET / HTTP/1.0\r\n\r\n", Framing::Length(2));
    assert_eq!(
        out,
        "HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    );
    assert_eq!(next, Next::Close);
    for asks in [
        "Connection: keep-alive",
        "connection:Keep-Alive",
        "Connection: x , KEEP-ALIVE",
    ] {
        let (out, next) = answered(
            format!("GET / HTTP/1.0\r\n{asks}\r\n\r\n").as_bytes(),
            Framing::Length(2),
        );
        assert_eq!(
            out,
            "HTTP/1.1 200 OK\r\nServer: x\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
        );
        assert_eq!(next, Next::Reuse);
    }
    let both = b"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n";
    assert_eq!(answered(both, Framing::Length(2)).1, Next::Close);
}

#[test]
fn http10_gets_no_chunks() {
    for framing in [Framing::Chunked, Framing::UntilClose] {
        let (out, next) = answered(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", framing);
        assert_eq!(out, "HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close\r\n\r\nok");
        assert_eq!(next, Next::Close);
    }
}

#[test]
fn a_body_without_announced_end_becomes_chunks() {
    for framing in [Framing::Chunked, Framing::UntilClose] {
        let (out, next) = answered(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", framing);
        let want = "HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        assert_eq!((out.as_str(), next), (want, Next::Reuse));
    }
}

#[test]
fn s_ka_05_http11_stays_open_until_somebody_says_close() {
    let (out, next) = answered(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::Length(2));
    assert_eq!((out.contains("Connection"), next), (false, Next::Reuse));
    let (_, next) = answered(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        Framing::Length(2),
    );
    assert_eq!(next, Next::Reuse);
    for says in [
        "Connection: close",
        "connection: CLOSE",
        "Connection: x,close",
        "Connection: x\r\nConnection: Close",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{says}\r\n\r\n");
        let (out, next) = answered(request.as_bytes(), Framing::Length(2));
        assert_eq!(
            (out.contains("\r\nConnection: close\r\n"), next),
            (true, Next::Close),
            "{says}"
        );
    }
}

/// RFC 9112, section 2.2: old clients send one behind a request body.
#[test]
fn empty_lines_before_a_request_are_dropped_and_counted() {
    let post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    let (mut conn, mut head, _) = server_with(post);
    assert_eq!(conn.skip_empty_lines(b"\r\n"), 0, "inside a message");
    assert_eq!(conn.read_body(b"ok"), Ok(Part::Data { skip: 0, len: 2 }));
    head.start_response(204).unwrap();
    conn.write_head(&head, Framing::Empty, &mut Vec::new()).unwrap();
    for _ in 0..2 {
        conn.start_next();
        assert_eq!(conn.skip_empty_lines(b"\r"), 0);
        assert_eq!(conn.skip_empty_lines(b"G\r\n"), 0);
        assert_eq!(conn.skip_empty_lines(b"\r\nGET"), 2);
        assert_eq!(conn.skip_empty_lines(b"\r\n\r\n"), 2, "two in all");
        assert_eq!(conn.skip_empty_lines(b"\r\n"), 0);
        assert_eq!(conn.next(), Next::Busy, "a request may come");
        let read = conn.read_head(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &mut head);
        assert!(matches!(read, Ok(Step::Ready(_))));
        head.start_response(204).unwrap();
        conn.write_head(&head, Framing::Empty, &mut Vec::new()).unwrap();
    }
    conn.start_next();
    assert_eq!(conn.skip_empty_lines(b"\r\n\r\n\r\n"), 4);
    assert_eq!(
        conn.read_head(b"\r\n", &mut head).map(|_| ()),
        Err(Error::EmptyLines { limit: 2 })
    );
}

#[test]
fn s_ka_06_connection_needs_no_space_and_no_case() {
    let request = b"GET / HTTP/1.0\r\nConnection:keep-alive\r\n\r\n";
    assert_eq!(answered(request, Framing::Length(2)).1, Next::Reuse);
    let request = b"GET / HTTP/1.0\r\nCONNECTION:\t,, Keep-Alive ,\r\n\r\n";
    assert_eq!(answered(request, Framing::Length(2)).1, Next::Reuse);
}

#[test]
fn s_ka_07_both_sides_are_independent() {
    // A backend that closes, a client that stays; and the reverse.
    for (response, framing, reuse) in [
        (
            &b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n"[..],
            Framing::Length(2),
            false,
        ),
        (
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n",
            Framing::Length(2),
            true,
        ),
        (b"HTTP/1.0 200 OK\r\n\r\n", Framing::UntilClose, false),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
            Framing::Length(2),
            false,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
            Framing::Length(2),
            true,
        ),
    ] {
        let (mut upstream, _) = client_with(b"GET / HTTP/1.0\r\n\r\n");
        let mut head = Head::with_capacity(512, 8);
        let Ok(Step::Ready(message)) = upstream.read_head(response, &mut head) else {
            panic!("a head")
        };
        assert_eq!(message.framing, framing);
        assert_eq!(upstream.read_body(b"ok"), Ok(Part::Data { skip: 0, len: 2 }));
        if framing == Framing::UntilClose {
            upstream.read_eof().unwrap();
        }
        assert!(upstream.reading_done());
        assert_eq!(upstream.next(), if reuse { Next::Reuse } else { Next::Close });
        let (out, next) = answered(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", framing);
        assert_eq!((out.contains("close"), next), (false, Next::Reuse));
    }
}

#[test]
fn a_request_to_a_backend_says_close_only_when_we_close() {
    let (conn, out) = client_with(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(out, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!conn.will_close());
    let (_, head, framing) = server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
    conn.close_after();
    let mut out = Vec::new();
    conn.write_head(&head, framing, &mut out).unwrap();
    assert_eq!(out, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

#[test]
fn an_early_response_ends_the_upstream_connection() {
    let (mut upstream, _) = client_with(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    let mut out = Vec::new();
    upstream.write_body(3, &mut out).unwrap();
    let mut head = Head::with_capacity(512, 8);
    upstream
        .read_head(b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n", &mut head)
        .unwrap();
    assert_eq!(upstream.next(), Next::Close);
    // Toward the client the exchange is busy until the rest was read, or over with close_after.
    let (mut client, _, _) = server_with(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    client.close_after();
    out.clear();
    client.write_head(&head, Framing::Empty, &mut out).unwrap();
    assert_eq!(out, b"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(client.next(), Next::Close);
    let (mut client, _, _) = server_with(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    client.write_head(&head, Framing::Empty, &mut out).unwrap();
    assert_eq!(client.next(), Next::Busy);
    assert_eq!(client.read_body(b"0123456789"), Ok(Part::Data { skip: 0, len: 10 }));
    assert_eq!(client.next(), Next::Reuse);
}

#[test]
fn a_refused_request_is_answered_once_and_closed() {
    let mut conn = Conn::new(Role::Server, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(512, 8);
    let error = conn
        .read_head(b"GET / HTTP/1.1\r\n\r\n", &mut head)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(conn.next(), Next::Busy);
    head.start_response(error.status()).unwrap();
    let mut out = Vec::new();
    conn.write_head(&head, Framing::Length(3), &mut out).unwrap();
    assert_eq!(
        out,
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"
    );
    conn.write_body(3, &mut out).unwrap();
    assert_eq!(conn.next(), Next::Close);
}

#[test]
fn an_answer_without_a_request_closes() {
    // 408: the client connected and sent nothing, or half a head.
    for input in [&b""[..], b"GET / HT"] {
        let mut conn = Conn::new(Role::Server, Arc::new(Limits::default()));
        let mut head = Head::with_capacity(512, 8);
        assert!(matches!(conn.read_head(input, &mut head), Ok(Step::NeedMore)));
        head.start_response(408).unwrap();
        let mut out = Vec::new();
        conn.write_head(&head, Framing::Empty, &mut out).unwrap();
        assert_eq!(
            out,
            b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(conn.next(), Next::Close);
    }
}

#[test]
fn a_refused_head_request_is_answered_without_a_body() {
    let mut conn = Conn::new(Role::Server, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(512, 8);
    assert!(conn.read_head(b"HEAD / HTTP/1.1\r\n\r\n", &mut head).is_err());
    head.start_response(400).unwrap();
    conn.write_head(&head, Framing::Length(3), &mut Vec::new()).unwrap();
    assert!(conn.writing_done());
}

#[test]
fn the_end_of_input_is_legal_between_messages_and_after_open_bodies() {
    let limits = Arc::new(Limits::default());
    let mut head = Head::with_capacity(512, 8);
    let mut idle = Conn::new(Role::Server, limits.clone());
    assert_eq!((idle.read_eof(), idle.next()), (Ok(()), Next::Close));
    for input in [&b"G"[..], b"GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut conn = Conn::new(Role::Server, limits.clone());
        assert!(matches!(conn.read_head(input, &mut head), Ok(Step::NeedMore)));
        assert_eq!(conn.read_eof(), Err(Error::Truncated));
    }
    // A client that sent a whole request and closed its side still gets its answer.
    let (mut conn, _, _) = server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        (conn.read_eof(), conn.next(), conn.will_close()),
        (Ok(()), Next::Busy, true)
    );
    for body in ["Content-Length: 2", "Transfer-Encoding: chunked"] {
        let (mut conn, _, _) = server_with(format!("POST / HTTP/1.1\r\nHost: a\r\n{body}\r\n\r\n").as_bytes());
        assert_eq!(conn.read_eof(), Err(Error::Truncated), "{body}");
    }
    // Backends: silence is no answer, half a body is no end, an open body is complete.
    for (response, want) in [
        (&b""[..], Err(Error::Truncated)),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Err(Error::Truncated)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Err(Error::Truncated)),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
            Err(Error::Truncated),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            Err(Error::Truncated),
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nab", Ok(())),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
            Ok(()),
        ),
    ] {
        let mut reader = support::Reader::client(Limits::default(), support::Asked::Get);
        reader.feed(response);
        let (result, story) = reader.eof();
        let complete = story.messages.last().is_some_and(|m| m.complete);
        assert_eq!(
            (result, complete),
            (want, want.is_ok()),
            "{:?}",
            String::from_utf8_lossy(response)
        );
    }
}

#[test]
fn what_is_written_keeps_its_promise() {
    let (mut conn, _, _) = server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut head = Head::with_capacity(64, 4);
    head.start_response(200).unwrap();
    let mut out = Vec::new();
    assert!(conn.write_body(1, &mut out).is_err_and(|e| e.is_misuse()));
    conn.write_head(&head, Framing::Length(5), &mut out).unwrap();
    assert!(
        conn.write_head(&head, Framing::Length(5), &mut out)
            .is_err_and(|e| e.is_misuse())
    );
    assert_eq!(
        conn.write_body(6, &mut out),
        Err(Error::WrittenLength { difference: 1 })
    );
    assert_eq!(conn.write_body(3, &mut out), Ok(&b""[..]));
    assert_eq!(
        conn.write_end(None, &mut out),
        Err(Error::WrittenLength { difference: 2 })
    );
    conn.write_body(2, &mut out).unwrap();
    assert!(conn.writing_done());
    assert_eq!(conn.write_end(None, &mut out), Ok(()));
    assert!(conn.write_body(1, &mut out).is_err());
}

#[test]
fn lines_cannot_be_smuggled_into_what_is_written() {
    let mut head = Head::with_capacity(64, 4);
    assert!(head.start_request(b"GET /x", b"/").is_err());
    assert!(head.start_request(b"GET", b"/ HTTP/1.1\r\nX: 1").is_err());
    assert!(head.start_request(b"GET", b"").is_err());
    assert!(head.start_response(99).is_err());
    head.start_request(b"GET", b"/").unwrap();
    for (name, value) in [
        ("X:", "1"),
        ("", "1"),
        ("X", "1\r\nY: 2"),
        ("X", "1\n"),
        ("X", " 1"),
        ("X", "1\t"),
        ("X", "\0"),
    ] {
        assert!(head.append(name, value.as_bytes()).is_err(), "{name:?} {value:?}");
    }
    head.append("Host", b"a").unwrap();
    assert!(head.replace("Host", 0, b"a\rb").is_err());
    head.set_target(b"/x HTTP/1.1\r\nX: 1\r\n");
    let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
    let mut out = Vec::new();
    assert!(
        conn.write_head(&head, Framing::Empty, &mut out)
            .is_err_and(|e| e.is_misuse())
    );
    assert!(out.is_empty());
    head.set_target(b"/y");
    conn.write_head(&head, Framing::Empty, &mut out).unwrap();
    assert_eq!(out, b"GET /y HTTP/1.1\r\nHost: a\r\n\r\n");
}
