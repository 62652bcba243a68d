//! Hostile and broken chunked bodies, and the trailers behind them.

mod support;

use lb_http::h1::{Error, Limits};
use support::{Reader, Story, requests};

fn post(body: &str) -> Story {
    requests(format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}").as_bytes())
}

#[test]
fn chunk_sizes_are_hexadecimal_digits_and_nothing_else() {
    for size in [
        "",
        " 1",
        "\t1",
        "+1",
        "-1",
        "0x1",
        "x",
        "g",
        "1g",
        "1.0",
        "1e+1",
        "1_0",
        "\"1\"",
        "\0",
        "1\0",
        "\u{ff11}",
        "1,1",
        "#1",
        "\r",
        "\n",
        "\x0b1",
        "1\x0b",
        "1\x0c",
        "10000000000000000",
        "8000000000000000",
        "ffffffffffffffff",
        "fffffffffffffffff",
        "100000000000000000000000000000001",
        "80000000000000001",
    ] {
        assert_eq!(
            post(&format!("{size}\r\nx\r\n0\r\n\r\n")).error,
            Some(Error::ChunkSize),
            "{size:?}"
        );
    }
    for (size, end) in [("1 ", "\r\n"), ("1\t", "\r\n"), ("1 ", "x\r\n"), ("1  2", "\r\n")] {
        assert_eq!(
            post(&format!("{size}{end}x\r\n0\r\n\r\n")).error,
            Some(Error::ChunkExtension),
            "{size:?}"
        );
    }
}

/// Old servers pad their sizes to a fixed width; what we pass on is framed anew.
#[test]
fn blanks_at_the_end_of_a_chunk_line_are_read_in_responses_only() {
    let answer = |body: &str| {
        let text = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        support::responses(text.as_bytes(), support::Asked::Get)
    };
    for line in [
        "5 ",
        "5\t",
        "5   ",
        "5 \t ",
        "05  ",
        "5 ;a",
        "5 ; a=b",
        "5;a ",
        "5;a=b ",
        "5;a=\"b\" ",
        "5 ;a=b\t",
    ] {
        let body = format!("{line}\r\nhello\r\n0  \r\n\r\n");
        let story = answer(&body);
        assert_eq!(story.error, None, "{line:?}");
        assert_eq!(
            (story.messages[0].body_text(), story.messages[0].complete),
            ("hello", true)
        );
        assert!(post(&body).error.is_some(), "{line:?} in a request");
    }
    for line in [
        " 5", "5  x", "5 5", "5 ;", "5; ", "5;a= ", "5 \u{a0}", "5 \x0b", " ", "",
    ] {
        let story = answer(&format!("{line}\r\nhello\r\n0\r\n\r\n"));
        assert!(story.error.is_some(), "{line:?}");
    }
    assert_eq!(answer("5 \nhello\r\n").error, Some(Error::ChunkExtension));
    assert_eq!(answer("5 \rhello\r\n").error, Some(Error::BareCr));
    // A long body has many padded lines; one line has its limit.
    let many = "1       \r\nx\r\n".repeat(5_000);
    let story = answer(&format!("{many}0\r\n\r\n"));
    assert_eq!((story.error, story.messages[0].body.len()), (None, 5_000));
    let limit = Limits::default().chunk_line_bytes;
    assert_eq!(answer(&format!("5{}\r\nhello\r\n", " ".repeat(limit - 1))).error, None);
    for pad in [format!("5{}", " ".repeat(limit)), format!("{}5", "0".repeat(limit))] {
        assert_eq!(
            answer(&format!("{pad}\r\nhello\r\n")).error,
            Some(Error::ChunkLineTooLong { limit })
        );
    }
}

#[test]
fn chunk_sizes_in_any_form_that_is_right_are_read() {
    for (size, len) in [
        ("a", 10),
        ("A", 10),
        ("0a", 10),
        ("0000000000000000000000000000000A", 10),
        ("1F", 31),
    ] {
        let story = post(&format!("{size}\r\n{}\r\n000\r\n\r\n", "x".repeat(len)));
        assert_eq!(story.error, None, "{size}");
        assert_eq!(story.messages[0].body.len(), len);
        assert!(story.messages[0].complete);
    }
    // The largest size is a size; its bytes are still to come.
    assert_eq!(post("7fffffffffffffff\r\nx").error, None);
}

#[test]
fn chunk_lines_and_data_end_in_cr_lf() {
    for (body, want) in [
        ("1\nx\r\n0\r\n\r\n", Error::ChunkSize),
        ("1\rx\r\n0\r\n\r\n", Error::BareCr),
        ("1\r\rx\r\n0\r\n\r\n", Error::BareCr),
        ("1\r\nx\n0\r\n\r\n", Error::ChunkEnd),
        ("1\r\nx\r0\r\n\r\n", Error::ChunkEnd),
        ("1\r\nx0\r\n\r\n", Error::ChunkEnd),
        ("1\r\nxy\r\n0\r\n\r\n", Error::ChunkEnd),
        ("1\r\nx\r\r\n0\r\n\r\n", Error::ChunkEnd),
        ("2\r\nx\r\n0\r\n\r\n", Error::ChunkEnd),
        ("1\r\nx\r\n\r\n0\r\n\r\n", Error::ChunkSize),
        ("1\r\nx\r\n0\n\r\n", Error::ChunkSize),
        ("1\r\nx\r\n0\r\n\n", Error::BareLf { offset: 0 }),
        ("1\r\nx\r\n0\r\n\r\r\n", Error::BareCr),
        ("1;a\nx\r\n0\r\n\r\n", Error::ChunkExtension),
        ("1;a\rx\r\n0\r\n\r\n", Error::BareCr),
        ("1;a=\"\n\"\r\nx\r\n0\r\n\r\n", Error::ChunkExtension),
        ("1;a=\"\r\n\"\r\nx\r\n0\r\n\r\n", Error::ChunkExtension),
    ] {
        assert_eq!(post(body).error, Some(want), "{body:?}");
    }
}

#[test]
fn extensions_are_sound_or_refused_and_never_payload() {
    for extension in [
        ";a",
        ";a=b",
        ";a;b;c",
        ";a=\"b c\"",
        ";a=\"\\\"\"",
        ";a=\"\u{e9};=\"",
        " ;a",
        "; a",
        ";a =b",
        ";a= b",
        "\t;\ta\t=\tb",
        ";a=b ;c",
        ";a=\"\"",
        ";a=\"b\" ;c",
        ";!#$%&'*+-.^_`|~=1",
    ] {
        let story = post(&format!("1{extension}\r\nx\r\n0{extension}\r\n\r\n"));
        assert_eq!(story.error, None, "{extension:?}");
        assert_eq!((story.messages[0].body_text(), story.messages[0].complete), ("x", true));
    }
    for extension in [
        ";",
        ";;a",
        ";a;",
        ";=b",
        ";a=",
        ";a==b",
        ";a=b=c",
        ";a b",
        ";a=b c",
        ";a=\"b",
        ";a=\"b\"c",
        ";a=b\"c\"",
        ";a,b",
        ";a\0",
        ";a=\0",
        ";a=\"\0\"",
        ";a=\"\x7f\"",
        ";a=\"\\\0\"",
        ";a ",
        ";a=b ",
        " ",
        "; ",
        ";a= ",
        ";a=\"b\" ",
        ";\u{e9}",
        ";a=\u{e9}",
        ";a(b)",
        ";a/b",
        ";[a]",
        "; ;a",
        "=a",
        ",a",
    ] {
        let story = post(&format!("1{extension}\r\nx\r\n0\r\n\r\n"));
        let want = if ["=a", ",a"].contains(&extension) {
            Error::ChunkSize
        } else {
            Error::ChunkExtension
        };
        assert_eq!(story.error, Some(want), "{extension:?}");
    }
}

#[test]
fn extensions_have_a_price() {
    let limits = Limits {
        chunk_line_bytes: 10,
        chunk_extension_bytes: 20,
        ..Limits::default()
    };
    let read = |body: &str| {
        let mut reader = Reader::server(limits.clone());
        reader.feed(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        reader.feed(body.as_bytes());
        reader.finish()
    };
    assert_eq!(read("1;23456789\r\nx\r\n0\r\n\r\n").error, None);
    assert_eq!(
        read("1;234567890\r\nx\r\n0\r\n\r\n").error,
        Some(Error::ChunkLineTooLong { limit: 10 })
    );
    assert_eq!(read("0000000001\r\nx\r\n0\r\n\r\n").error, None);
    assert_eq!(
        read("00000000001\r\nx\r\n0\r\n\r\n").error,
        Some(Error::ChunkLineTooLong { limit: 10 })
    );
    // Ten bytes of extension on each of two lines are the most of a message.
    assert_eq!(read("1;abcdefgh\r\nx\r\n1;abcdefgh\r\nx\r\n0;a\r\n\r\n").error, None);
    let third = read("1;abcdefgh\r\nx\r\n1;abcdefgh\r\nx\r\n1;ab\r\nx\r\n0\r\n\r\n");
    assert_eq!(third.error, Some(Error::ChunkLineTooLong { limit: 20 }));
}

#[test]
fn trailers_are_read_like_fields() {
    for (trailers, want) in [
        ("X : 1\r\n\r\n", Error::FieldBlank),
        (" X: 1\r\n\r\n", Error::Folded),
        ("X: 1\r\n folded\r\n\r\n", Error::Folded),
        ("X\r\n\r\n", Error::FieldColon),
        ("X Y: 1\r\n\r\n", Error::FieldName),
        ("X: a\0b\r\n\r\n", Error::FieldValue),
        ("X: a\rb\r\n\r\n", Error::FieldValue),
        ("X: 1\n\r\n", Error::BareLf { offset: 4 }),
        ("X: 1\r\n\n", Error::BareLf { offset: 6 }),
        ("GET / HTTP/1.1\r\n\r\n", Error::FieldColon),
    ] {
        assert_eq!(post(&format!("0\r\n{trailers}")).error, Some(want), "{trailers:?}");
    }
}

#[test]
fn trailers_that_would_change_the_message_are_dropped() {
    let forbidden = [
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Host: b",
        "Connection: close",
        "Trailer: X",
        "TE: trailers",
        "Upgrade: h2c",
        "Keep-Alive: 5",
        "Authorization: x",
        "Proxy-Authorization: x",
        "Cookie: a=b",
        "Set-Cookie: a=b",
        "WWW-Authenticate: x",
        "Content-Type: text/html",
        "Content-Encoding: gzip",
        "Content-Range: bytes 0-1/2",
        "Cache-Control: no-store",
        "Expect: 100-continue",
        "Max-Forwards: 1",
        "Range: bytes=0-",
        "If-Match: *",
        "If-None-Match: x",
        "Location: /",
        "Date: x",
        "Age: 1",
        "Expires: 0",
        "Vary: *",
        "Retry-After: 1",
        "Pragma: no-cache",
        "X-Forwarded-For: 1.2.3.4",
        "X_Forwarded_For: 1.2.3.4",
        "Forwarded: for=1.2.3.4",
        "X-Real-IP: 1.2.3.4",
        "Content_Length: 5",
        "transfer_encoding: chunked",
        "Origin: x",
        "Via: x",
        "Proxy: x",
        "Proxy-Connection: x",
        "HTTP2-Settings: x",
        "Access-Control-Allow-Origin: *",
        "Sec-WebSocket-Key: x",
        "X-Original-URL: /admin",
    ];
    let story = post(&format!(
        "0\r\nX-Before: 1\r\n{}\r\nETag: \"x\"\r\n\r\n",
        forbidden[..30].join("\r\n")
    ));
    let want = vec![
        ("X-Before".to_string(), "1".to_string()),
        ("ETag".to_string(), "\"x\"".to_string()),
    ];
    assert_eq!((story.error, &story.messages[0].trailers), (None, &want));
    let story = post(&format!(
        "0\r\nX-Before: 1\r\n{}\r\nETag: \"x\"\r\n\r\n",
        forbidden[30..].join("\r\n")
    ));
    assert_eq!((story.error, &story.messages[0].trailers), (None, &want));
}

#[test]
fn what_follows_a_body_is_the_next_request() {
    let story = post("1\r\nx\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: b\r\n\r\n");
    assert_eq!((story.error, story.messages.len()), (None, 2));
    assert_eq!(story.messages[1].target, "/next");
    // A body that looks like a request stays a body.
    let inner = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    let story = post(&format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len()));
    assert_eq!((story.messages.len(), story.messages[0].body_text()), (1, inner));
}
