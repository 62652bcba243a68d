//! The examples of RFC 9112 and those of RFC 9110 that show messages.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::h1::{Error, Framing};
use lb_http::{forward, upgrade};
use support::{Asked, client_with, refusal, requests, response_head, responses, server_with};

/// What a backend gets of `request`, without the forwarding fields.
fn relayed(request: &[u8]) -> String {
    String::from_utf8(client_with(request).1).unwrap()
}

/// RFC 9110, section 3.9.
#[test]
fn rfc_9110_3_9_a_get_and_its_answer() {
    let request = b"GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\n\
        Accept-Language: en, mi\r\n\r\n";
    let (_, head, framing) = server_with(request);
    assert_eq!((head.method(), head.target()), (&b"GET"[..], &b"/hello.txt"[..]));
    assert_eq!(
        (head.authority(), framing),
        (Some(&b"www.example.com"[..]), Framing::Empty)
    );
    assert_eq!(relayed(request).as_bytes(), request);

    let response = b"HTTP/1.1 200 OK\r\nDate: Mon, 27 Jul 2009 12:28:53 GMT\r\nServer: Apache\r\n\
        Last-Modified: Wed, 22 Jul 2009 19:15:56 GMT\r\nETag: \"34aa387-d-1568eb00\"\r\nAccept-Ranges: bytes\r\n\
        Content-Length: 51\r\nVary: Accept-Encoding\r\nContent-Type: text/plain\r\n\r\n\
        Hello World! My content includes a trailing CRLF.\r\n";
    let story = responses(response, Asked::Get);
    let message = &story.messages[0];
    assert_eq!((message.status, message.reason.as_str()), (200, "OK"));
    assert_eq!(
        message.body_text(),
        "Hello World! My content includes a trailing CRLF.\r\n"
    );
    assert!(message.complete && story.rest.is_empty());
}

/// RFC 9112, section 3.2.1.
#[test]
fn rfc_9112_3_2_1_origin_form() {
    let (_, head, _) = server_with(b"GET /where?q=now HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    assert_eq!((head.target(), head.path()), (&b"/where?q=now"[..], &b"/where"[..]));
}

/// RFC 9112, section 3.2.2: the target, not `Host`, says where a request goes.
#[test]
fn rfc_9112_3_2_2_absolute_form() {
    let request =
        b"GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1\r\nHost: www.example.org\r\nAccept: */*\r\n\r\n";
    assert_eq!(
        relayed(request),
        "GET /pub/WWW/TheProject.html HTTP/1.1\r\nHost: www.example.org\r\nAccept: */*\r\n\r\n"
    );
    for (target, host, want) in [
        ("http://a", "a", "/"),
        ("http://a?x", "a", "/?x"),
        ("http://a:80/x", "a", "/x"),
        ("HTTPS://a/x?http://b/", "A:443", "/x?http://b/"),
        ("http://[::1]:8080/", "[::1]:8080", "/"),
    ] {
        let (_, head, _) = server_with(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(std::str::from_utf8(head.target()), Ok(want));
        let authority = target.split("://").nth(1).unwrap().split(['/', '?']).next().unwrap();
        assert_eq!(head.authority(), Some(authority.as_bytes()), "Host is that of {target}");
    }
    // HTTP/1.0 may lack Host; the target tells it.
    assert_eq!(
        relayed(b"GET http://a:8/x HTTP/1.0\r\n\r\n"),
        "GET /x HTTP/1.1\r\nHost: a:8\r\n\r\n"
    );
}

/// RFC 9112, section 3.2.3.
#[test]
fn rfc_9112_3_2_3_authority_form() {
    let request = b"CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
    assert_eq!(refusal(request), Some(Error::Connect));
}

/// RFC 9112, section 3.2.4.
#[test]
fn rfc_9112_3_2_4_asterisk_form() {
    let (_, head, _) = server_with(b"OPTIONS * HTTP/1.1\r\nHost: www.example.org\r\n\r\n");
    assert_eq!(head.target(), b"*");
    assert_eq!(
        relayed(b"OPTIONS http://www.example.org:8001 HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n"),
        "OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n"
    );
}

/// RFC 9112, section 3.3.
#[test]
fn rfc_9112_3_3_the_target_uri_is_put_together() {
    let (_, head, _) = server_with(b"GET /pub/WWW/TheProject.html HTTP/1.1\r\nHost: www.example.org:8080\r\n\r\n");
    assert_eq!(head.authority(), Some(&b"www.example.org:8080"[..]));
    assert_eq!(head.target(), b"/pub/WWW/TheProject.html");
    let (_, head, _) = server_with(b"OPTIONS * HTTP/1.1\r\nHost: www.example.org:8080\r\n\r\n");
    assert_eq!(head.authority(), Some(&b"www.example.org:8080"[..]));
}

/// RFC 9112, section 6.1.
#[test]
fn rfc_9112_6_1_gzip_then_chunked_is_not_understood() {
    let error = refusal(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
    assert_eq!(error.map(|e| e.status()), Some(501));
}

/// RFC 9112, section 6.2 (as in RFC 9110, section 8.6).
#[test]
fn rfc_9112_6_2_content_length() {
    let (_, _, framing) = server_with(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3495\r\n\r\n");
    assert_eq!(framing, Framing::Length(3_495));
}

/// RFC 9112, section 7.1: sizes in hexadecimal, extensions ignored, trailers behind.
#[test]
fn rfc_9112_7_1_chunked_coding() {
    let story = requests(
        b"POST / HTTP/1.1\r\nHost: a\r\nTrailer: Expires, X-Check\r\nTransfer-Encoding: chunked\r\n\r\n\
        4\r\nWiki\r\n7;name=value;q=\"a;b\"\r\npedia i\r\nB\r\nn \r\nchunks.\r\n0\r\nX-Check: 5\r\n\r\n",
    );
    // 4 + 7 + 11 bytes; the CRLF inside the third chunk is payload.
    assert_eq!(story.error, None);
    assert_eq!(story.messages[0].body_text(), "Wikipedia in \r\nchunks.");
    assert_eq!(story.messages[0].trailers, [("X-Check".to_string(), "5".to_string())]);
}

/// RFC 9112, section 7.4: `TE` is for one hop.
#[test]
fn rfc_9112_7_4_te_is_not_forwarded() {
    for value in ["deflate", "", "trailers, deflate;q=0.5"] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nTE: {value}\r\nConnection: TE\r\n\r\n");
        let (_, mut head, _) = server_with(request.as_bytes());
        forward::response(&mut head, false);
        assert_eq!(support::fields(&head), [("Host".to_string(), "a".to_string())]);
    }
}

/// RFC 9112, section 11.1: a response cannot be split by what a backend puts into a value.
#[test]
fn rfc_9112_11_1_response_splitting() {
    let story = responses(
        b"HTTP/1.1 302 Found\r\nLocation: /x\rContent-Length: 0\r\r\r\n\r\n",
        Asked::Get,
    );
    assert_eq!(story.error, Some(Error::FieldValue));
}

/// RFC 9110, section 7.8.
#[test]
fn rfc_9110_7_8_an_upgrade_that_is_not_passed_on() {
    let (_, head, _) = server_with(
        b"GET /hello HTTP/1.1\r\nHost: www.example.com\r\nConnection: upgrade\r\n\
        Upgrade: websocket, IRC/6.9, RTA/x11\r\n\r\n",
    );
    assert_eq!(upgrade::wanted(&head), None);
}

/// RFC 9110, section 10.1.1.
#[test]
fn rfc_9110_10_1_1_expect() {
    let (_, head, framing) = server_with(
        b"PUT /somewhere/fun HTTP/1.1\r\nHost: origin.example.com\r\nContent-Type: video/h264\r\n\
        Content-Length: 1234567890987\r\nExpect: 100-continue\r\n\r\n",
    );
    assert!(head.expects_continue());
    assert_eq!(framing, Framing::Length(1_234_567_890_987));
}

/// RFC 9110, section 15.3.7.1.
#[test]
fn rfc_9110_15_3_7_partial_content() {
    let (head, framing) = response_head(
        b"HTTP/1.1 206 Partial Content\r\nDate: Wed, 15 Nov 1995 06:25:24 GMT\r\n\
        Last-Modified: Wed, 15 Nov 1995 04:58:08 GMT\r\nContent-Range: bytes 21010-47021/47022\r\n\
        Content-Length: 26012\r\nContent-Type: image/gif\r\n\r\n",
    );
    assert_eq!((head.status(), framing), (206, Framing::Length(26_012)));
}

/// RFC 9112, section 2.2: an empty line before a request is skipped; white space is not.
#[test]
fn rfc_9112_2_2_empty_lines_before_a_request() {
    assert_eq!(requests(b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").messages.len(), 1);
    assert_eq!(refusal(b"GET / HTTP/1.1\r\n  Host: a\r\n\r\n"), Some(Error::Folded));
}

#[test]
fn a_response_to_head_tells_the_length_it_does_not_send() {
    use lb_http::h1::{Conn, Framing, Role, Step};
    let mut conn = Conn::new(Role::Server, std::sync::Arc::default());
    let mut head = lb_http::Head::with_capacity(256, 8);
    let read = conn.read_head(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", &mut head);
    assert!(matches!(read, Ok(Step::Ready(_))));
    head.clear();
    head.start_response(200).unwrap();
    let mut out = Vec::new();
    conn.write_head(&head, Framing::Length(42), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\r\nContent-Length: 42\r\n"), "{text}");
    assert!(conn.writing_done(), "no byte of content follows");
}
