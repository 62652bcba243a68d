//! What is read of old backends when it is asked for, and what not even then.

mod support;

use lb_http::Head;
use lb_http::h1::{Conn, Error, Framing, Limits, Next, Parsing, Role, Step};
use std::sync::Arc;
use support::{Asked, Reader, Story};

fn read(bytes: &[u8], parsing: Parsing, asked: Asked) -> Story {
    let limits = Limits {
        parsing,
        ..Limits::default()
    };
    let mut reader = Reader::client(limits, asked);
    reader.feed(bytes);
    reader.finish()
}

/// Reads one response, and says whether its connection is good for another one.
fn tolerated(bytes: &[u8]) -> (Story, bool) {
    let strict = read(bytes, Parsing::Strict, Asked::Get);
    assert!(strict.error.is_some(), "strict: {:?}", String::from_utf8_lossy(bytes));
    let one = [bytes, b"HTTP/1.1 204 N\r\n\r\n"].concat();
    let story = read(&one, Parsing::Tolerant, Asked::Get);
    let is_kept = story.messages.len() == 2;
    (story, is_kept)
}

#[test]
fn equal_lengths_are_one_length() {
    for lengths in [
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5",
        "Content-Length: 5,5 , 5",
        "Content-Length: 5\r\nX: y\r\ncontent-length: 05, 5",
    ] {
        let (story, is_kept) = tolerated(format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nhello").as_bytes());
        let message = &story.messages[0];
        assert_eq!(
            (story.error, message.framing),
            (None, Some(Framing::Length(5))),
            "{lengths}"
        );
        assert_eq!(
            (message.body_text(), message.value("content-length")),
            ("hello", Some("5"))
        );
        assert!(is_kept, "{lengths}");
    }
    for (lengths, want) in [
        ("Content-Length: 5\r\nContent-Length: 6", Error::LengthRepeated),
        ("Content-Length: 5, 6", Error::LengthRepeated),
        ("Content-Length: 5,", Error::LengthInvalid),
        ("Content-Length: 5, +5", Error::LengthInvalid),
        ("Content-Length:", Error::LengthInvalid),
        (
            "Content-Length: 99999999999999999999, 99999999999999999999",
            Error::LengthOverflow,
        ),
    ] {
        let (story, _) = tolerated(format!("HTTP/1.1 200 OK\r\n{lengths}\r\n\r\nhello").as_bytes());
        assert_eq!(story.error, Some(want), "{lengths}");
    }
    // To HEAD the length is told once, too.
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n";
    let story = read(head, Parsing::Tolerant, Asked::Head);
    assert_eq!(
        (story.error, story.messages[0].value("content-length")),
        (None, Some("5"))
    );
}

#[test]
fn chunks_beside_a_length_are_chunks_and_the_last_message() {
    for (version, fields) in [
        ("1.1", "Transfer-Encoding: chunked\r\nContent-Length: 3"),
        ("1.1", "Content-Length: 3\r\nTransfer-Encoding: Chunked"),
        ("1.1", "Content-Length: x\r\nTransfer-Encoding: chunked"),
        ("1.0", "Transfer-Encoding: chunked"),
        (
            "1.0",
            "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 3",
        ),
        ("1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ("1.1", "Transfer-Encoding: chunked, chunked"),
    ] {
        let text = format!("HTTP/{version} 200 OK\r\n{fields}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let (story, is_kept) = tolerated(text.as_bytes());
        let message = &story.messages[0];
        assert_eq!(
            (story.error, message.framing),
            (None, Some(Framing::Chunked)),
            "{fields}"
        );
        assert_eq!((message.body_text(), message.complete), ("hello", true));
        assert_eq!(message.value("content-length"), None, "{fields}");
        assert!(!is_kept, "{fields}");
    }
    for (fields, framing) in [
        ("Transfer-Encoding: identity\r\nContent-Length: 5", Framing::Length(5)),
        ("Transfer-Encoding: identity", Framing::UntilClose),
    ] {
        let (story, is_kept) = tolerated(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nhello").as_bytes());
        assert_eq!(
            (story.error, story.messages[0].framing),
            (None, Some(framing)),
            "{fields}"
        );
        assert!(
            !is_kept && story.messages[0].body_text().starts_with("hello"),
            "{fields}"
        );
    }
    for (fields, want) in [
        ("Transfer-Encoding: gzip", Error::EncodingUnsupported),
        ("Transfer-Encoding: gzip, chunked", Error::EncodingUnsupported),
        ("Transfer-Encoding: chunked, identity", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked, gzip", Error::EncodingInvalid),
        ("Transfer-Encoding:", Error::EncodingInvalid),
        (
            "Transfer-Encoding: gzip\r\nContent-Length: 5",
            Error::EncodingWithLength,
        ),
    ] {
        let (story, _) = tolerated(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nhello").as_bytes());
        assert_eq!(story.error, Some(want), "{fields}");
    }
}

#[test]
fn lines_are_put_right() {
    for (head, name, value) in [
        ("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", "x", "a b"),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n\t  b \t\r\n\tc\r\nContent-Length: 0\r\n\r\n",
            "X",
            "a b c",
        ),
        ("HTTP/1.1 200 OK\r\nX:\r\n b\r\nContent-Length: 0\r\n\r\n", "X", "b"),
        ("HTTP/1.1 200 OK\r\nX: a\r\n  \r\nContent-Length: 0\r\n\r\n", "X", "a"),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n Y: b\r\nContent-Length: 0\r\n\r\n",
            "X",
            "a Y: b",
        ),
        ("HTTP/1.1 200 OK\r\nX : a\r\nContent-Length \t: 0\r\n\r\n", "X", "a"),
        ("HTTP/1.1 200 OK\nX: a\nContent-Length: 0\n\n", "X", "a"),
        ("HTTP/1.1 200 OK\nX: a\r\nContent-Length: 0\r\n\n", "X", "a"),
        ("HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\n\r\n", "X", "a"),
        ("HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\n\r\n", "X", "a"),
        ("HTTP/1.1 200 OK\r\nX:a\nContent-Length: 0\r\n\n", "X", "a"),
        ("HTTP/1.1 200 OK\nX : a\n b\nContent-Length: 0\n\n", "X", "a b"),
    ] {
        let (story, is_kept) = tolerated(head.as_bytes());
        let message = &story.messages[0];
        assert_eq!((story.error, message.value(name)), (None, Some(value)), "{head:?}");
        assert_eq!(message.framing, Some(Framing::Length(0)), "{head:?}");
        assert!(is_kept && message.reason == "OK", "{head:?}");
    }
}

#[test]
fn what_could_be_two_things_is_refused_all_the_same() {
    for (text, want) in [
        ("HTTP/1.1 200 OK\r\n X: folded onto nothing\r\n\r\n", Error::Folded),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Error::FieldColon),
        ("HTTP/1.1 200 OK\r\nX Y: 1\r\n\r\n", Error::FieldName),
        ("HTTP/1.1 200 OK\r\n: 1\r\n\r\n", Error::FieldName),
        ("HTTP/1.1 200 OK\r\n : 1\r\n\r\n", Error::Folded),
        ("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", Error::FieldValue),
        ("HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n", Error::FieldValue),
        ("HTTP/1.1 200 OK\r\nX: a\r\n b\rY: b\r\n\r\n", Error::FieldValue),
        ("HTTP/1.1  200 OK\r\n\r\n", Error::StatusLine),
        ("HTTP/1.1 200OK\r\n\r\n", Error::StatusLine),
        (
            "HTTP/1.2 200 OK\r\n\r\n",
            Error::VersionUnsupported { major: 1, minor: 2 },
        ),
        ("ICY 200 OK\r\n\r\n", Error::FirstByte { byte: b'I' }),
    ] {
        let (story, _) = tolerated(text.as_bytes());
        assert_eq!(story.error, Some(want), "{text:?}");
    }
}

#[test]
fn chunks_and_trailers_have_the_same_line_ends_as_heads() {
    for body in [
        "5\nhello\n0\n\n",
        "5\r\nhello\n0\r\n\n",
        "5\nhello\r\n0\n\r\n",
        "2 \nhe\n3;a\nllo\n0;b=c \n\n",
        "5;a=\"b\"\nhello\r\n000\r\n\n",
    ] {
        let (story, is_kept) = tolerated(format!("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n{body}").as_bytes());
        let message = &story.messages[0];
        assert_eq!((story.error, message.body_text()), (None, "hello"), "{body:?}");
        assert!(is_kept && message.complete, "{body:?}");
    }
    for (trailers, name, value) in [
        ("X: a\n\n", "X", "a"),
        ("X: a\n\r\n", "X", "a"),
        ("X: a\r\n\n", "X", "a"),
        ("X: a\r\n b\r\n\r\n", "X", "a b"),
        ("X:\r\n\ta\n  b \nY: c\n\n", "X", "a b"),
        ("X : a\r\n\r\n", "X", "a"),
    ] {
        let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n{trailers}");
        let (story, is_kept) = tolerated(text.as_bytes());
        let found: Vec<_> = story.messages[0]
            .trailers
            .iter()
            .filter(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!((story.error, found), (None, vec![value]), "{trailers:?}");
        assert!(is_kept && story.messages[0].complete, "{trailers:?}");
    }
    for (body, want) in [
        ("\n5\nhello\n0\n\n", Error::ChunkSize),
        ("5\nhello0\n\n", Error::ChunkEnd),
        ("5\nhello\n\n0\n\n", Error::ChunkSize),
        ("5\nhello\r0\n\n", Error::ChunkEnd),
        ("5\rhello\n0\n\n", Error::BareCr),
        ("5;\nhello\n0\n\n", Error::ChunkExtension),
        ("5;a=\"\nhello\n0\n\n", Error::ChunkExtension),
        ("0\n folded onto nothing\n\n", Error::Folded),
        ("0\nX: a\nno colon\n\n", Error::FieldColon),
        ("0\nX: a\rb\n\n", Error::FieldValue),
    ] {
        let (story, _) = tolerated(format!("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n{body}").as_bytes());
        assert_eq!(story.error, Some(want), "{body:?}");
    }
}

#[test]
fn limits_hold_for_lines_that_are_mended() {
    let limits = Limits {
        parsing: Parsing::Tolerant,
        fields: 3,
        head_bytes: 100,
        ..Limits::default()
    };
    for (text, want) in [
        (
            "HTTP/1.1 200 OK\nA: 1\n 2\n 3\n 4\n\n".to_owned(),
            Error::TooManyFields { limit: 3 },
        ),
        (
            format!("HTTP/1.1 200 OK\nA: {}\n\n", "a".repeat(100)),
            Error::HeadTooLarge { limit: 100 },
        ),
    ] {
        let mut reader = Reader::client(limits.clone(), Asked::Get);
        reader.feed(text.as_bytes());
        assert_eq!(reader.finish().error, Some(want), "{text:?}");
    }
}

#[test]
fn requests_are_read_strictly_always() {
    let limits = Arc::new(Limits {
        parsing: Parsing::Tolerant,
        ..Limits::default()
    });
    for text in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
    ] {
        let mut conn = Conn::new(Role::Server, Arc::clone(&limits));
        let mut head = Head::with_capacity(64, 4);
        let read = conn.read_head(text.as_bytes(), &mut head);
        assert!(read.is_err(), "{text:?}: {read:?}");
    }
    for (body, want) in [
        ("5\nhello\r\n0\r\n\r\n", Error::ChunkSize),
        ("5;a\nhello\r\n0\r\n\r\n", Error::ChunkExtension),
        ("5\r\nhello\n0\r\n\r\n", Error::ChunkEnd),
        ("0\r\nX: a\n\r\n", Error::BareLf { offset: 4 }),
        ("0\r\nX: a\r\n b\r\n\r\n", Error::Folded),
        ("0\r\nX : a\r\n\r\n", Error::FieldBlank),
    ] {
        let mut reader = Reader::server((*limits).clone());
        reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        reader.feed(body.as_bytes());
        assert_eq!(reader.finish().error, Some(want), "{body:?}");
    }
}

#[test]
fn a_mended_response_is_written_right() {
    let limits = Arc::new(Limits {
        parsing: Parsing::Tolerant,
        ..Limits::default()
    });
    let (_, request, framing) = support::server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut upstream = Conn::new(Role::Client, limits);
    upstream.write_head(&request, framing, &mut Vec::new()).unwrap();
    let mut head = Head::with_capacity(64, 4);
    let raw = b"HTTP/1.1 200 Fine\nX : a\n b\nContent-Length: 2, 2\n\nok";
    let Ok(Step::Ready(message)) = upstream.read_head(raw, &mut head) else {
        panic!("no head");
    };
    assert_eq!(&raw[message.len..], b"ok");
    let (mut client, _, _) = support::server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut out = Vec::new();
    client.write_head(&head, message.framing, &mut out).unwrap();
    let want = "HTTP/1.1 200 Fine\r\nX: a b\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(
        (String::from_utf8(out).unwrap().as_str(), client.next()),
        (want, Next::Busy)
    );
}
