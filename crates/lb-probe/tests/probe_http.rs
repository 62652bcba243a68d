//! HTTP probes against a server that says what the test wants.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::Cause;
use lb_probe::{HttpOptions, Kind, Method, Probe, ProbeOptions};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Answers one request with `answer`, then waits for the probe to close and gives the request.
async fn server(answer: Vec<u8>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_head(&mut stream).await;
        // the probe may have seen enough before all was sent
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
        request
    });
    (address, task)
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.unwrap();
        request.push(byte);
    }
    String::from_utf8(request).unwrap()
}

fn probe(address: SocketAddr, http: HttpOptions) -> Probe {
    let options = ProbeOptions {
        kind: Kind::Http(http),
        timeout: Duration::from_secs(60),
        ..ProbeOptions::default()
    };
    Probe::new(address, options).unwrap()
}

async fn judge(answer: &[u8], http: HttpOptions) -> Result<(), Cause> {
    let (address, task) = server(answer.to_vec()).await;
    let result = probe(address, http).run().await;
    task.await.unwrap();
    result
}

fn any() -> HttpOptions {
    HttpOptions::default()
}

fn text(text: &str) -> HttpOptions {
    HttpOptions {
        body: Some(text.to_owned()),
        ..any()
    }
}

#[tokio::test]
async fn s_health_03_the_status_decides() {
    let answer = |status: u16| format!("HTTP/1.1 {status} Word\r\nContent-Length: 0\r\n\r\n").into_bytes();
    for status in [200, 204, 301, 302, 399] {
        assert_eq!(judge(&answer(status), any()).await, Ok(()), "{status}");
    }
    for status in [400, 401, 404, 500, 503, 599] {
        assert_eq!(
            judge(&answer(status), any()).await,
            Err(Cause::Status(status)),
            "{status}"
        );
    }
    let strict = || HttpOptions {
        expect: vec![200..=200, 401..=403],
        ..any()
    };
    for (status, result) in [
        (200, Ok(())),
        (201, Err(Cause::Status(201))),
        (302, Err(Cause::Status(302))),
        (400, Err(Cause::Status(400))),
        (401, Ok(())),
        (403, Ok(())),
        (404, Err(Cause::Status(404))),
    ] {
        assert_eq!(judge(&answer(status), strict()).await, result, "{status}");
    }
}

#[tokio::test]
async fn s_health_03_the_method_is_get_or_head() {
    for (method, word) in [
        (Method::Get, "GET /up?x=1 HTTP/1.1\r\n"),
        (Method::Head, "HEAD /up?x=1 HTTP/1.1\r\n"),
    ] {
        // the answer to HEAD tells a length and has no body
        let body = if method == Method::Get { "hello" } else { "" };
        let (address, task) = server(format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{body}").into_bytes()).await;
        let http = HttpOptions {
            method,
            path: "/up?x=1".to_owned(),
            ..any()
        };
        assert_eq!(probe(address, http).run().await, Ok(()));
        assert!(task.await.unwrap().starts_with(word));
    }
}

#[tokio::test]
async fn s_health_03_a_text_in_the_body_can_be_asked_for() {
    let length = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nall is well";
    assert_eq!(judge(length, text("is well")).await, Ok(()));
    assert_eq!(judge(length, text("is ill")).await, Err(Cause::Body));
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nall is\r\n5\r\n well\r\n0\r\n\r\n";
    assert_eq!(judge(chunked, text("is well")).await, Ok(()), "across two chunks");
    assert_eq!(judge(chunked, text("well!")).await, Err(Cause::Body));
    let until_close = b"HTTP/1.0 200 OK\r\n\r\nall is well";
    assert_eq!(judge(until_close, text("well")).await, Ok(()));
    assert_eq!(judge(until_close, text("ill")).await, Err(Cause::Body));
    let none = b"HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(judge(none, text("well")).await, Err(Cause::Body));
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nall is";
    assert_eq!(judge(cut, text("well")).await, Err(Cause::Closed));
    let wrong_status = b"HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\nwell";
    assert_eq!(judge(wrong_status, text("well")).await, Err(Cause::Status(500)));
}

#[tokio::test]
async fn s_health_09_the_host_that_was_set_arrives() {
    let (address, task) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let http = HttpOptions {
        host: Some("www.example.com".to_owned()),
        ..any()
    };
    assert_eq!(probe(address, http).run().await, Ok(()));
    let request = task.await.unwrap();
    assert_eq!(request.matches("\r\nHost: www.example.com\r\n").count(), 1, "{request}");
    assert_eq!(request.to_lowercase().matches("\r\nhost:").count(), 1, "{request}");
}

#[tokio::test]
async fn s_health_09_without_one_the_backends_address_is_the_host() {
    let (address, task) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    assert_eq!(probe(address, any()).run().await, Ok(()));
    let request = task.await.unwrap();
    assert!(request.contains(&format!("\r\nHost: {address}\r\n")), "{request}");
}

#[tokio::test]
async fn s_xff_11_probes_say_who_they_are() {
    let (address, task) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
    let probe = probe(address, any());
    assert_eq!(probe.run().await, Ok(()));
    let request = task.await.unwrap();
    assert!(request.contains("\r\nUser-Agent: lbd-probe/0."), "{request}");
    assert_eq!(
        probe.request_bytes().unwrap(),
        request.as_bytes(),
        "what is shown is what is sent"
    );
}

#[tokio::test]
async fn interim_responses_are_not_the_answer() {
    let answer = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(judge(answer, any()).await, Err(Cause::Status(503)));
}

#[tokio::test]
async fn what_is_no_http_is_a_protocol_fault() {
    let alert = b"\x15\x03\x03\x00\x02\x02\x28";
    assert_eq!(judge(alert, any()).await, Err(Cause::Tls));
    for (answer, rule) in [
        (
            b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n".as_slice(),
            "the first byte cannot begin an HTTP/1 message",
        ),
        (
            b"220 mail.example ESMTP\r\n\r\n",
            "the first byte cannot begin an HTTP/1 message",
        ),
        (
            b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            "line feed without carriage return",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "101 without a matching upgrade request",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding and Content-Length in one message",
        ),
    ] {
        let cause = judge(answer, any()).await.unwrap_err();
        assert_eq!(cause, Cause::Protocol(rule), "{}", answer.escape_ascii());
        assert!(cause.to_string().ends_with(rule), "{cause}");
        let is_read_when_asked = ["line feed", "Transfer-Encoding and"]
            .iter()
            .any(|part| rule.contains(part));
        assert_eq!(
            cause.mend().contains("tolerant"),
            is_read_when_asked,
            "{}",
            cause.mend()
        );
        assert!(
            !cause.mend().contains("TLS") && !cause.mend().contains("HTTP/1"),
            "{}",
            cause.mend()
        );
    }
}

#[tokio::test]
async fn a_probe_reads_what_its_pool_reads() {
    for answer in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\nContent-Length : 0, 0\nX: a\n b\n\n",
    ] {
        let options = HttpOptions {
            parsing: lb_http::h1::Parsing::Tolerant,
            ..any()
        };
        assert!(matches!(judge(answer, any()).await, Err(Cause::Protocol(_))));
        assert_eq!(judge(answer, options).await, Ok(()));
    }
}

#[tokio::test]
async fn an_early_end_is_closed() {
    for answer in [b"".as_slice(), b"HTTP/1.1 200 OK\r\nConte"] {
        assert_eq!(judge(answer, any()).await, Err(Cause::Closed));
    }
}

#[tokio::test]
async fn a_head_without_end_is_read_up_to_its_limit() {
    let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
    answer.extend(b"X-Filler: 0123456789\r\n".repeat(50_000));
    assert_eq!(
        judge(&answer, any()).await,
        Err(Cause::Protocol("head exceeds the limit of field lines"))
    );
}

#[tokio::test]
async fn a_body_is_looked_at_up_to_64_kib() {
    let page = |before: usize| {
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", before + 4).into_bytes();
        answer.extend(std::iter::repeat_n(b'.', before));
        answer.extend(b"well");
        answer
    };
    assert_eq!(judge(&page(65_532), text("well")).await, Ok(()));
    assert_eq!(judge(&page(65_533), text("well")).await, Err(Cause::Body));
    assert_eq!(judge(&page(5_000_000), text("well")).await, Err(Cause::Body));
}

#[tokio::test]
async fn a_reset_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        socket2::SockRef::from(&stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    });
    assert_eq!(probe(address, any()).run().await, Err(Cause::Reset));
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_not_a_timeout_and_the_socket_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kind = Kind::Http(any());
    let options = ProbeOptions {
        kind,
        ..ProbeOptions::default()
    };
    let probe = Probe::new(listener.local_addr().unwrap(), options).unwrap();
    assert_eq!(probe.run().await, Err(Cause::Silent));
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    // ends only because the probe's side is closed
    stream.read_to_end(&mut seen).await.unwrap();
}
