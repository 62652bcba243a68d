//! What goes through: statuses, cookies, trailers, HEAD, upgrades. Requirement rows by id.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::h1::{Conn, Error, Framing, Limits, Next, Role, Step};
use lb_http::{Head, forward, upgrade};
use std::sync::Arc;
use support::{client_with, response_head, server_with};

/// `response` as the client of `request` gets its head.
fn relayed(request: &[u8], response: &[u8]) -> (String, Next) {
    let (mut client, _, _) = server_with(request);
    let (mut upstream, _) = client_with(request);
    let mut head = Head::with_capacity(1024, 16);
    let Ok(Step::Ready(message)) = upstream.read_head(response, &mut head) else {
        panic!("no head")
    };
    let switches = head.status() == 101;
    forward::response(&mut head, switches);
    let mut out = Vec::new();
    client.write_head(&head, message.framing, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), client.next())
}

fn ours(keep_upgrade: bool) -> forward::Forward<'static> {
    let sender = forward::Sender::new([192, 0, 2, 1].into(), "http", 80);
    forward::Forward {
        sender: Box::leak(Box::new(sender)),
        trusted: false,
        statements: forward::Statements::default(),
        keep_upgrade,
        keep_expect: true,
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn s_status_01_unknown_codes_pass_as_they_are() {
    for status in [299, 499, 599, 600, 999] {
        let text = format!("HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(relayed(GET, text.as_bytes()), (text, Next::Reuse));
    }
}

#[test]
fn s_status_02_all_listed_codes_pass_with_the_right_framing() {
    let codes = (200..=206).chain(300..=307).chain(400..=417).chain(500..=505);
    let mut count = 0;
    for status in codes {
        let text = format!("HTTP/1.1 {status} Reason {status}\r\nX: y\r\nContent-Length: 4\r\n\r\n");
        let (out, _) = relayed(GET, text.as_bytes());
        let want = match status {
            204 => format!("HTTP/1.1 {status} Reason {status}\r\nX: y\r\n\r\n"),
            205 => format!("HTTP/1.1 {status} Reason {status}\r\nX: y\r\nContent-Length: 0\r\n\r\n"),
            _ => text,
        };
        assert_eq!(out, want);
        count += 1;
    }
    // 100 and 101 have their own tests below: 41 codes in all.
    assert_eq!(count + 2, 41);
}

#[test]
fn s_status_02_interim_codes_pass_and_the_final_one_follows() {
    let (mut client, _, _) = server_with(GET);
    let (mut upstream, _) = client_with(GET);
    let input = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (mut head, mut out, mut at) = (Head::with_capacity(512, 8), Vec::new(), 0);
    for last in [false, false, true] {
        let Ok(Step::Ready(message)) = upstream.read_head(&input[at..], &mut head) else {
            panic!("a head")
        };
        at += message.len;
        client.write_head(&head, message.framing, &mut out).unwrap();
        assert_eq!((upstream.reading_done(), client.writing_done()), (last, last));
    }
    assert_eq!(out, input);
}

#[test]
fn s_status_03_the_wish_to_wait_goes_on_and_100_comes_back() {
    let request = b"PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    let (_, mut head, framing) = server_with(request);
    assert!(head.expects_continue());
    forward::request(&mut head, &ours(false)).unwrap();
    let mut upstream = Conn::new(Role::Client, Arc::new(Limits::default()));
    let mut out = Vec::new();
    upstream.write_head(&head, framing, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("\r\nExpect: 100-continue\r\n"));
    // An expectation that nobody meets is 417.
    let other = b"PUT /x HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(support::refusal(other).map(|e| e.status()), Some(417));
    // A backend may say 417 itself.
    let (out, _) = relayed(GET, b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
    assert!(out.starts_with("HTTP/1.1 417 Expectation Failed\r\n"));
}

#[test]
fn http10_gets_no_interim_responses_and_its_expectation_is_dropped() {
    let (mut client, mut head, _) = server_with(b"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    assert!(!head.expects_continue());
    forward::request(&mut head, &ours(false)).unwrap();
    assert!(!support::fields(&head).iter().any(|(n, _)| n == "Expect"));
    let mut out = Vec::new();
    head.start_response(100).unwrap();
    client.write_head(&head, Framing::Empty, &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn s_status_04_101_only_answers_an_upgrade() {
    let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let (mut upstream, _) = client_with(GET);
    let mut head = Head::with_capacity(512, 8);
    let error = upstream.read_head(switch, &mut head).map(|_| ()).unwrap_err();
    assert_eq!((error, error.status()), (Error::UnexpectedSwitch, 502));
    // And we never write one that was not asked for.
    let (mut client, _, _) = server_with(GET);
    head.start_response(101).unwrap();
    assert!(client.write_head(&head, Framing::Tunnel, &mut Vec::new()).is_err());
}

#[test]
fn s_cookie_02_set_cookie_lines_stay_separate() {
    use lb_types::FieldsMut;
    let (mut head, framing) = response_head(
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Expires=Thu, 19-Nov-15 14:14:50 GMT\r\nset-cookie: b=2\r\n\
        Set-Cookie: c=3\r\nContent-Length: 0\r\n\r\n",
    );
    head.append("Set-Cookie", b"SERVERID=x; Path=/").unwrap();
    forward::response(&mut head, false);
    let (mut client, _, _) = server_with(GET);
    let mut out = Vec::new();
    client.write_head(&head, framing, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Expires=Thu, 19-Nov-15 14:14:50 GMT\r\nset-cookie: b=2\r\n\
        Set-Cookie: c=3\r\nSet-Cookie: SERVERID=x; Path=/\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn the_answer_to_head_tells_the_length_of_get() {
    let head_request = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    let text = "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 45\r\n\r\n";
    assert_eq!(relayed(head_request, text.as_bytes()), (text.to_string(), Next::Reuse));
    let (out, next) = relayed(head_request, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!((out.as_str(), next), ("HTTP/1.1 200 OK\r\n\r\n", Next::Reuse));
}

#[test]
fn methods_that_have_content_say_when_they_have_none() {
    for (method, told) in [
        ("POST", true),
        ("PUT", true),
        ("PATCH", true),
        ("GET", false),
        ("DELETE", false),
    ] {
        let (_, out) = client_with(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.contains("Content-Length: 0\r\n"), told, "{out}");
    }
}

#[test]
fn a_request_without_host_gets_an_empty_one() {
    let (_, out) = client_with(b"GET / HTTP/1.0\r\n\r\n");
    assert_eq!(out, b"GET / HTTP/1.1\r\nHost:\r\n\r\n");
}

const HANDSHAKE: &[u8] = b"GET /webfin/websocket/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: xqBt3ImNzJbYqRINxEFlkg==\r\nOrigin: http://localhost:8080\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: K7DJLdLooIwIG/MOpvWFB3y3FE8=\r\n";

/// A handshake through both connections: what the backend and what the client reads.
fn handshake(request: &[u8], response: &[u8]) -> (String, String, Next, Next) {
    let (mut client, mut head, framing) = server_with(request);
    let wanted = upgrade::wanted(&head).is_some();
    assert_eq!(client.offered_upgrade(), wanted);
    forward::request(&mut head, &ours(wanted)).unwrap();
    let mut upstream = Conn::new(Role::Client, Arc::new(Limits::default()));
    let mut to_backend = Vec::new();
    upstream.write_head(&head, framing, &mut to_backend).unwrap();
    let Ok(Step::Ready(message)) = upstream.read_head(response, &mut head) else {
        panic!("no head")
    };
    let switches = head.status() == 101;
    forward::response(&mut head, switches);
    let mut to_client = Vec::new();
    client.write_head(&head, message.framing, &mut to_client).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(to_backend), text(to_client), client.next(), upstream.next())
}

#[test]
fn s_ws_01_the_handshake_goes_through_both_ways() {
    let response = [SWITCH, b"Connection: Upgrade\r\n\r\n"].concat();
    let (to_backend, to_client, client, upstream) = handshake(HANDSHAKE, &response);
    assert_eq!(
        to_backend,
        "GET /webfin/websocket/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: xqBt3ImNzJbYqRINxEFlkg==\r\nOrigin: http://localhost:8080\r\nSec-WebSocket-Version: 13\r\n\
        X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\nConnection: upgrade\r\n\r\n"
    );
    let text = std::str::from_utf8(SWITCH).unwrap();
    assert_eq!(to_client, format!("{text}Connection: upgrade\r\n\r\n"));
    assert_eq!((client, upstream), (Next::Switch, Next::Switch));
}

#[test]
fn s_ws_02_key_and_accept_pass_unchanged() {
    for (key, accept) in [
        ("xqBt3ImNzJbYqRINxEFlkg==", "K7DJLdLooIwIG/MOpvWFB3y3FE8="), // V-05
        ("qhiuFIg2USbwzjyKs28zrg==", "TgxnYhlXJHsvWZbPJEleQA8+XNo="), // V-06
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), // V-07
    ] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        );
        let response = format!(
            "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let (to_backend, to_client, ..) = handshake(request.as_bytes(), response.as_bytes());
        assert!(to_backend.contains(&format!("\r\nSec-WebSocket-Key: {key}\r\n")));
        assert!(to_client.contains(&format!("\r\nSec-WebSocket-Accept: {accept}\r\n")));
    }
}

#[test]
fn a_refused_upgrade_is_an_ordinary_answer() {
    let (_, to_client, client, upstream) = handshake(HANDSHAKE, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(to_client, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((client, upstream), (Next::Reuse, Next::Reuse));
}

#[test]
fn s_ws_07_http10_cannot_upgrade() {
    let request = b"GET / HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let (_, head, _) = server_with(request);
    assert_eq!(upgrade::wanted(&head), None);
    let (to_backend, ..) = handshake(request, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert!(
        to_backend.starts_with("GET / HTTP/1.1\r\n"),
        "the upstream leg is HTTP/1.1"
    );
    assert!(!to_backend.to_ascii_lowercase().contains("upgrade"));
}

#[test]
fn s_ws_09_tokens_have_no_case_and_names_no_space() {
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nconnection: keep-alive, upgrade\r\nupgrade: WebSocket\r\n\r\n";
    let (_, head, _) = server_with(request);
    assert_eq!(upgrade::wanted(&head), Some(&b"WebSocket"[..]));
    let spaced = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade : websocket\r\n\r\n";
    assert_eq!(support::refusal(spaced).map(|e| e.status()), Some(400));
}

#[test]
fn s_ws_10_extensions_are_opaque() {
    let line = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{line}\r\n");
    let response = format!("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{line}\r\n");
    let (to_backend, to_client, ..) = handshake(request.as_bytes(), response.as_bytes());
    assert!(to_backend.contains(line) && to_client.contains(line));
}

#[test]
fn s_ws_11_other_fields_of_the_handshake_pass() {
    let lines = "Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (Windows NT 6.1; WOW64)\r\n\
        Accept-Encoding: gzip, deflate, sdch\r\nAccept-Language: zh-CN,zh;q=0.8\r\n\
        Origin: chrome-extension://fgponpodhbmadfljofbimhhlengambbn\r\nSec-WebSocket-Version: 13\r\n";
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n{lines}Upgrade: websocket\r\n\r\n");
    let (to_backend, ..) = handshake(request.as_bytes(), b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n");
    assert!(to_backend.contains(lines), "{to_backend}");
}

#[test]
fn what_only_looks_like_an_upgrade_is_none() {
    for lines in [
        "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x",
        "Connection: Upgrade\r\nUpgrade: websocket, h2c",
        "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket",
        "Connection: Upgrade\r\nUpgrade: websocket/13",
        "Connection: Upgrade\r\nUpgrade:",
        "Connection: Upgrade\r\nUpgrade: TLS/1.0",
        "Connection: keep-alive\r\nUpgrade: websocket",
        "Connection: xupgrade\r\nUpgrade: websocket",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
        let (client, mut head, framing) = server_with(request.as_bytes());
        assert!(!client.offered_upgrade(), "{lines}");
        let wanted = upgrade::wanted(&head).is_some();
        forward::request(&mut head, &ours(wanted)).unwrap();
        let mut upstream = Conn::new(Role::Client, Arc::new(Limits::default()));
        let mut out = Vec::new();
        upstream.write_head(&head, framing, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap().to_ascii_lowercase();
        assert!(
            !out.contains("upgrade") && !out.contains("http2-settings") && !out.contains("connection"),
            "{out}"
        );
        // A backend that switches all the same is refused.
        let switch = b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
        assert!(upstream.read_head(switch, &mut head).is_err(), "{lines}");
    }
    let post = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(upgrade::wanted(&server_with(post).1), None);
}

#[test]
fn trailers_are_relayed_behind_chunks_only() {
    let (_, mut trailers, _) = {
        let mut reader = Conn::new(Role::Client, Arc::new(Limits::default()));
        let (_, head, _) = server_with(GET);
        reader.write_head(&head, Framing::Empty, &mut Vec::new()).unwrap();
        let mut head = Head::with_capacity(64, 4);
        reader
            .read_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &mut head)
            .unwrap();
        reader.read_body(b"0\r\n").unwrap();
        let step = reader
            .read_trailers(b"X-Sum: 1\r\nContent-Length: 9\r\n\r\n", &mut head)
            .unwrap();
        (step, head, ())
    };
    let (mut client, _, _) = server_with(GET);
    let mut head = Head::with_capacity(64, 4);
    head.start_response(200).unwrap();
    let mut out = Vec::new();
    client.write_head(&head, Framing::Chunked, &mut out).unwrap();
    out.clear();
    client.write_end(Some(&trailers), &mut out).unwrap();
    assert_eq!(out, b"0\r\nX-Sum: 1\r\n\r\n");
    let (mut client, _, _) = server_with(b"GET / HTTP/1.0\r\n\r\n");
    client.write_head(&head, Framing::Chunked, &mut out).unwrap();
    out.clear();
    client.write_end(Some(&trailers), &mut out).unwrap();
    assert!(out.is_empty());
    trailers.clear();
}
