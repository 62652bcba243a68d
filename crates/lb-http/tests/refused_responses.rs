//! Hostile and broken responses: what a backend must not make us pass on.

mod support;

use lb_http::h1::{Conn, Error, Framing, Limits, Next, Role, Step};
use lb_http::{Head, h1};
use std::sync::Arc;
use support::{Asked, client_with, responses};

fn refusal(bytes: &[u8]) -> Option<Error> {
    responses(bytes, Asked::Get).error
}

#[test]
fn what_is_no_http_reply_is_refused_by_its_first_bytes() {
    for (input, want) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], Error::FirstByte { byte: b'S' }),
        (b"220 mail.example ESMTP\r\n", Error::FirstByte { byte: b'2' }),
        (b"<html>hello</html>", Error::FirstByte { byte: b'<' }),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", Error::FirstByte { byte: b'\r' }),
        (b"\nHTTP/1.1 200 OK\r\n\r\n", Error::FirstByte { byte: b'\n' }),
        (b" HTTP/1.1 200 OK\r\n\r\n", Error::FirstByte { byte: b' ' }),
        (b"\x15\x03\x01\x00\x02\x02\x28", Error::Tls),
        (b"\x16\x03\x03\x00\x7a", Error::Tls),
        (b"\x15\x02", Error::FirstByte { byte: 0x15 }),
        (b"\x17\x03\x03", Error::FirstByte { byte: 0x17 }),
        (b"\x00", Error::FirstByte { byte: 0 }),
        (b"HTTQ", Error::StatusLine),
        (b"HTTP 200 OK\r\n", Error::StatusLine),
        (b"HTTP/2 200\r\n", Error::StatusLine),
        (b"HTTP/0.9 200 OK\r\n\r\n", Error::StatusLine),
        (b"http/1.1 200 OK\r\n\r\n", Error::FirstByte { byte: b'h' }),
        (b"HTTp/1.1 200 OK\r\n\r\n", Error::StatusLine),
    ] {
        assert_eq!(refusal(input), Some(want), "{:?}", String::from_utf8_lossy(input));
    }
}

#[test]
fn status_lines_are_read_strictly() {
    for line in [
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 OK",
        "HTTP/1.1 2",
        "HTTP/1.1 20",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 200OK",
        "HTTP/1.1 200\tOK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1 -20 OK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1 000 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 0200 OK",
        "HTTP/1.x 200 OK",
        "HTTP/1. 200 OK",
        "HTTP/1.11 200 OK",
        "HTTP/1.1200 OK",
        "HTTP/1.1 200 O\0K",
        "HTTP/1.1 200 O\x0bK",
        "HTTP/1.1 200 O\x7fK",
        "HTTP/1.1 200 O\rK",
    ] {
        assert_eq!(
            refusal(format!("{line}\r\n\r\n").as_bytes()),
            Some(Error::StatusLine),
            "{line:?}"
        );
    }
    assert_eq!(
        refusal(b"HTTP/1.2 200 OK\r\n\r\n"),
        Some(Error::VersionUnsupported { major: 1, minor: 2 })
    );
    assert_eq!(refusal(b"HTTP/1.1 200 OK\n\n"), Some(Error::BareLf { offset: 15 }));
    for line in [
        "HTTP/1.1 200 ",
        "HTTP/1.1 200",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 299 \t odd  \u{e9}",
        "HTTP/1.1 999 x",
    ] {
        assert_eq!(
            refusal(format!("{line}\r\nContent-Length: 0\r\n\r\n").as_bytes()),
            None,
            "{line:?}"
        );
    }
}

#[test]
fn fields_of_responses_are_read_like_those_of_requests() {
    for (line, want) in [
        ("Content-Length : 5", Error::FieldBlank),
        (" X: 1", Error::Folded),
        ("X: 1\r\n folded", Error::Folded),
        ("X", Error::FieldColon),
        (": x", Error::FieldName),
        ("X: a\0b", Error::FieldValue),
        ("X: a\rSet-Cookie: b", Error::FieldValue),
        ("Content-Length: 5\r\nContent-Length: 5", Error::LengthRepeated),
        ("Content-Length: 5\r\nContent-Length: 6", Error::LengthRepeated),
        ("Content-Length: 5, 5", Error::LengthRepeated),
        ("Content-Length: -1", Error::LengthInvalid),
        ("Content-Length: +1", Error::LengthInvalid),
        ("Content-Length: 1 1", Error::LengthInvalid),
        ("Content-Length:", Error::LengthInvalid),
        ("Content-Length: 99999999999999999999", Error::LengthOverflow),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            Error::EncodingWithLength,
        ),
        ("Transfer-Encoding: gzip, chunked", Error::EncodingUnsupported),
        ("Transfer-Encoding: identity", Error::EncodingUnsupported),
        ("Transfer-Encoding: chunked, chunked", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked, gzip", Error::EncodingInvalid),
        ("Transfer-Encoding:", Error::EncodingInvalid),
    ] {
        let input = format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n");
        assert_eq!(refusal(input.as_bytes()), Some(want), "{line:?}");
    }
    assert_eq!(
        refusal(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Some(Error::EncodingInHttp10)
    );
    // Framing fields that contradict each other are refused even where they do not count.
    let both = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(refusal(both), Some(Error::EncodingWithLength));
}

#[test]
fn interim_responses_have_no_body_and_come_to_an_end() {
    for line in [
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Content-Length: x",
        "Content-Length: 0, 0",
    ] {
        let input = format!("HTTP/1.1 100 Continue\r\n{line}\r\n\r\n");
        assert_eq!(refusal(input.as_bytes()), Some(Error::InterimBody), "{line}");
    }
    assert_eq!(refusal(b"HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n"), None);
    let endless = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(101);
    assert_eq!(refusal(&endless), Some(Error::TooManyInterim { limit: 100 }));
    let enough = [
        &b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)[..],
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ]
    .concat();
    let story = responses(&enough, Asked::Get);
    assert_eq!((story.error, story.messages.len()), (None, 101));
}

#[test]
fn a_switch_needs_an_offer_and_a_protocol() {
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    assert_eq!(refusal(switch), Some(Error::UnexpectedSwitch));
    let story = responses(switch, Asked::Upgrade);
    assert_eq!((story.error, story.messages[0].framing), (None, Some(Framing::Tunnel)));
    let nameless = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n";
    assert_eq!(responses(nameless, Asked::Upgrade).error, Some(Error::UnexpectedSwitch));
    let old = b"HTTP/1.0 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(responses(old, Asked::Upgrade).error, Some(Error::UnexpectedSwitch));
    let sized = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(responses(sized, Asked::Upgrade).error, Some(Error::InterimBody));
}

#[test]
fn a_backend_does_not_speak_first() {
    let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(64, 4);
    assert!(matches!(conn.read_head(b"", &mut head), Ok(Step::NeedMore)));
    assert_eq!(conn.read_head(b"H", &mut head).map(|_| ()), Err(Error::Unsolicited));
    assert_eq!(conn.next(), Next::Close);
    // The same on a connection that was used before.
    let (mut conn, _) = client_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(conn.read_head(b"HTTP/1.1 204 No Content\r\n\r\n", &mut head).is_ok());
    assert_eq!(conn.next(), Next::Reuse);
    conn.start_next();
    let second = conn.read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", &mut head);
    assert_eq!(second.map(|_| ()), Err(Error::Unsolicited));
}

/// RFC 9112, section 6.3, rule 1: no body, whatever the fields say.
#[test]
fn s_status_05_204_205_and_304_have_no_body() {
    for (status, line, reuse) in [
        (204, "X: 1", true),
        (204, "Content-Length: 0", true),
        (204, "Content-Length: 45", false),
        (204, "Transfer-Encoding: chunked", false),
        (205, "Content-Length: 0", true),
        (205, "Content-Length: 45", false),
        (205, "Transfer-Encoding: chunked", false),
        (304, "Content-Length: 45", true),
        (304, "Transfer-Encoding: chunked", true),
        (304, "X: 1", true),
    ] {
        let (mut conn, _) = client_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let input = format!("HTTP/1.1 {status} X\r\n{line}\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let mut head = Head::with_capacity(64, 4);
        let Ok(Step::Ready(message)) = conn.read_head(input.as_bytes(), &mut head) else {
            panic!("{status} {line}")
        };
        assert_eq!(message.framing, Framing::Empty, "{status} {line}");
        assert!(conn.reading_done());
        assert_eq!(conn.next() == Next::Reuse, reuse, "{status} {line}");

        // And what goes on to the client is unambiguous.
        let (mut server, _, _) = support::server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut out = Vec::new();
        server.write_head(&head, message.framing, &mut out).unwrap();
        assert!(server.writing_done());
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains("Transfer-Encoding"), "{out}");
        let told = match (status, line) {
            (205, _) => Some("Content-Length: 0\r\n"),
            (304, "Content-Length: 45") => Some("Content-Length: 45\r\n"),
            _ => None,
        };
        assert_eq!(out.contains("Content-Length"), told.is_some(), "{out}");
        assert!(told.is_none_or(|t| out.contains(t)), "{out}");
    }
}

#[test]
fn s_status_05_206_keeps_its_content_range() {
    let text = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\n";
    let (head, framing) = support::response_head(text);
    let (mut server, _, _) = support::server_with(b"GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\n\r\n");
    let mut out = Vec::new();
    server.write_head(&head, framing, &mut out).unwrap();
    assert_eq!(out, text);
}

#[test]
fn the_answer_to_head_has_no_body() {
    for line in ["Content-Length: 45", "Transfer-Encoding: chunked", "X: 1"] {
        let input = format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\nHTTP/1.1 200 OK\r\n{line}\r\n\r\n");
        let story = responses(input.as_bytes(), Asked::Head);
        assert_eq!((story.error, story.messages.len()), (None, 2), "{line}");
        assert!(
            story
                .messages
                .iter()
                .all(|m| m.complete && m.framing == Some(Framing::Empty))
        );
    }
}

#[test]
fn an_error_ends_the_connection() {
    let (mut conn, _) = client_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut head = Head::with_capacity(64, 4);
    let error = conn.read_head(b"SMTP", &mut head).map(|_| ()).unwrap_err();
    assert!(error.is_fatal() && !error.is_misuse());
    assert_eq!((conn.next(), conn.will_close()), (Next::Close, true));
    let again = conn
        .read_head(b"HTTP/1.1 200 OK\r\n\r\n", &mut head)
        .map(|_| ())
        .unwrap_err();
    assert!(again.is_misuse());
    assert_eq!(h1::Error::StatusLine.status(), 502);
}

#[test]
fn the_limit_of_interim_responses_is_the_callers() {
    let interim = &b"HTTP/1.1 102 Processing\r\n\r\n"[..];
    let last = &b"HTTP/1.1 204 No Content\r\n\r\n"[..];
    let read = |limit: u8, count: usize| {
        let limits = Limits {
            interim: limit,
            ..Limits::default()
        };
        let input = [&interim.repeat(count)[..], last].concat();
        let mut conn = Conn::new(Role::Client, Arc::new(limits));
        let mut head = Head::with_capacity(256, 8);
        head.start_request(b"GET", b"/").unwrap();
        lb_types::FieldsMut::append(&mut head, "Host", b"a").unwrap();
        conn.write_head(&head, Framing::Empty, &mut Vec::new()).unwrap();
        let mut rest = &input[..];
        loop {
            match conn.read_head(rest, &mut head) {
                Ok(Step::Ready(message)) if head.status() == 102 => rest = &rest[message.len..],
                Ok(_) => return Ok(head.status()),
                Err(error) => return Err(error),
            }
        }
    };
    for limit in [0, 1, 16, 255] {
        assert_eq!(read(limit, usize::from(limit)), Ok(204));
        assert_eq!(
            read(limit, usize::from(limit) + 1),
            Err(Error::TooManyInterim { limit })
        );
    }
}
