//! Status codes: those of backends pass unchanged, and each fault has its own, with the reason in Proxy-Status.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use support::{Backend, Client, Config, Lbd, address, answer};

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: test.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[test]
fn s_status_01_unknown_codes_pass_through() {
    let (backend, lbd, listener) = status_server();
    let mut client = Client::connect(listener);
    for code in [299, 399, 499, 599] {
        let response = client.get(&format!("/{code}"));
        assert_eq!((response.status(), response.text()), (code, code.to_string()));
    }
    drop(backend);
    lbd.stop();
}

#[test]
fn s_status_02_all_listed_codes_pass_unchanged() {
    let (backend, lbd, listener) = status_server();
    let mut client = Client::connect(listener);
    let codes = (200..=206).chain(300..=307).chain(400..=417).chain(500..=505);
    let mut count = 0;
    for code in codes {
        let response = client.get(&format!("/{code}"));
        let body = if [204, 205, 304].contains(&code) {
            String::new()
        } else {
            code.to_string()
        };
        assert_eq!((response.status(), response.text()), (code, body), "{response:?}");
        assert_eq!(response.get("proxy-status"), None, "the backend's answer is not ours");
        if response.get("connection") == Some("close") {
            client = Client::connect(listener);
        }
        count += 1;
    }
    // With 100 and 101 the list has 41.
    let mut client = Client::connect(listener);
    client.send("PUT /200 HTTP/1.1\r\nHost: test.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 100);
    assert_eq!(client.exchange("hi").status(), 200);
    let mut client = Client::connect(listener);
    client.send(UPGRADE);
    let head = client.head().unwrap();
    assert_eq!((head.status(), head.get("upgrade")), (101, Some("websocket")));
    assert_eq!(count + 2, 41);
    drop((client, backend));
    lbd.stop();
}

#[test]
fn s_status_04_101_without_upgrade_is_502() {
    let backend = Backend::http(|_| {
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec()
    });
    let (lbd, listener) = start(&backend);
    let response = Client::connect(listener).get("/");
    assert_eq!(response.status(), 502, "{response:?}");
    lbd.stop();
}

#[test]
fn s_status_05_204_205_and_304_have_no_body_and_206_keeps_its_range() {
    let backend = Backend::http(|request| match request.head.target() {
        "/204" => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        "/205" => answer(205, "", b""),
        "/304" => b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5000\r\n\r\n".to_vec(),
        _ => answer(206, "Content-Range: bytes 0-3/10\r\n", b"part"),
    });
    let (lbd, listener) = start(&backend);
    let mut client = Client::connect(listener);
    for code in [204, 205, 304] {
        let response = client.get(&format!("/{code}"));
        assert_eq!((response.status(), response.text().as_str()), (code, ""));
        let length = response.get("content-length");
        assert!(code == 304 || length.is_none_or(|length| length == "0"), "{response:?}");
        assert_eq!(response.get("transfer-encoding"), None, "{response:?}");
    }
    let response = client.get("/206");
    assert_eq!((response.status(), response.text().as_str()), (206, "part"));
    assert_eq!(response.get("content-range"), Some("bytes 0-3/10"));
    lbd.stop();
}

#[test]
fn s_status_07_each_limit_of_a_request_gives_its_code() {
    let backend = Backend::saying("here");
    let listener = address();
    let config = Config::http(listener, &[backend.address()])
        .listener("limits = { head_bytes = \"2KiB\", fields = 10, target_bytes = \"256B\", body_bytes = \"10B\" }")
        .listener("timeouts = { head = \"300ms\", body = \"300ms\" }");
    let lbd = Lbd::start(&config.text());
    let long = |length: usize| "x".repeat(length);
    let fields: String = (0..20).map(|number| format!("X-{number}: 1\r\n")).collect();
    let faults = [
        (
            413,
            "POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 11\r\n\r\nhello world".to_owned(),
        ),
        (
            413,
            "POST / HTTP/1.1\r\nHost: test.example\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"
                .to_owned(),
        ),
        (
            414,
            format!("GET /{} HTTP/1.1\r\nHost: test.example\r\n\r\n", long(300)),
        ),
        (
            431,
            format!("GET / HTTP/1.1\r\nHost: test.example\r\nX: {}\r\n\r\n", long(3_000)),
        ),
        (431, format!("GET / HTTP/1.1\r\nHost: test.example\r\n{fields}\r\n")),
        (
            417,
            "PUT / HTTP/1.1\r\nHost: test.example\r\nExpect: tea\r\nContent-Length: 2\r\n\r\nhi".to_owned(),
        ),
        // Too slow: half a head, half a body.
        (408, "GET / HTTP/1.1\r\nHost: test.exa".to_owned()),
        (
            408,
            "POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 10\r\n\r\nhello".to_owned(),
        ),
    ];
    for (code, request) in faults {
        let mut client = Client::connect(listener);
        client.send(&request);
        let response = client.response();
        assert_eq!(response.status(), code, "{request:?}: {response:?}");
        assert_eq!(response.get("connection"), Some("close"), "{request:?}: {response:?}");
        assert!(response.get("proxy-status").is_some(), "{request:?}: {response:?}");
    }
    // Just within the limits is fine.
    let mut client = Client::connect(listener);
    client.send("POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 10\r\n\r\nhelloworld");
    assert_eq!(client.response().status(), 200);
    lbd.stop();

    // 411 is the backend's to say: whether it needs a length only it knows.
    let backend = Backend::http(|_| answer(411, "", b""));
    let (lbd, listener) = start(&backend);
    assert_eq!(Client::connect(listener).get("/").status(), 411);
    lbd.stop();
}

#[test]
fn s_status_09_each_fault_has_its_code_and_its_reason() {
    let listener = address();
    let gone = address();
    let backend = Backend::start(|mut conn| {
        let Ok(head) = conn.head() else { return };
        match head.target() {
            "/reset" => conn.reset(),
            "/garbage" => drop(conn.send("no HTTP at all\r\n\r\n")),
            "/two-lengths" => drop(conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")),
            "/silent" => drop(conn.await_end()),
            "/big" => drop(conn.send(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000)))),
            _ => {}
        }
    });
    let text = format!(
        "version = 1\n[timeouts]\nresponse = \"300ms\"\n\
         [[listeners]]\nname = \"main\"\naddress = \"{listener}\"\n\
         routes = [{{ path = \"/refused\", pool = \"gone\" }}, {{ path = \"/down\", pool = \"down\" }}, {{ path = \"/b\", pool = \"live\" }},\
         {{ path = \"/reset\", pool = \"live\" }}, {{ path = \"/garbage\", pool = \"live\" }}, {{ path = \"/two-lengths\", pool = \"live\" }},\
         {{ path = \"/silent\", pool = \"live\" }}, {{ path = \"/big\", pool = \"live\" }}, {{ path = \"/close\", pool = \"live\" }}]\n\
         [[pools]]\nname = \"gone\"\nbackends = [\"{gone}\"]\n\
         [[pools]]\nname = \"live\"\nbackends = [\"{}\"]\n\
         [[pools]]\nname = \"down\"\nbackends = [\"{gone}\"]\nhealth = {{ kind = \"tcp\", interval = \"50ms\", fall = 1 }}\n",
        backend.address()
    );
    let lbd = Lbd::start(&text);
    support::until("the pool is down", || lbd.state().pool_is("down", "Down").then_some(()));
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: test.example\r\n\r\n");
    let faults = [
        (
            400,
            get("/b").replace("Host: test.example\r\n", ""),
            "http_request_error",
        ),
        (404, get("/nowhere"), "destination_not_found"),
        (
            501,
            get("/b").replace("\r\n\r\n", "\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            "http_request_error",
        ),
        (505, get("/b").replace("HTTP/1.1", "HTTP/3.0"), "http_request_error"),
        (502, get("/refused"), "connection_refused"),
        (502, get("/reset"), "connection_terminated"),
        (502, get("/close"), "connection_terminated"),
        (502, get("/garbage"), "http_protocol_error"),
        (502, get("/two-lengths"), "http_protocol_error"),
        (502, get("/big"), "http_response_header_section_size"),
        (503, get("/down"), "destination_unavailable"),
        (504, get("/silent"), "http_response_timeout"),
    ];
    for (code, request, reason) in faults {
        let response = Client::connect(listener).exchange(&request);
        assert_eq!(response.status(), code, "{request:?}: {response:?}");
        let status = response.get("proxy-status").unwrap_or_default();
        assert!(
            status.starts_with("lbd;") && status.contains(&format!("error={reason}")),
            "{request:?}: {status:?}"
        );
    }
    lbd.stop();
}

/// Answers /CODE with that code and the code as body, 100 and upgrades as they are asked for.
fn status_server() -> (Backend, Lbd, SocketAddr) {
    let backend = Backend::start(|mut conn| {
        while let Ok(head) = conn.head() {
            if head.get("upgrade").is_some() {
                conn.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
                let _ = conn.await_end();
                return;
            }
            if head.get("expect").is_some() {
                conn.send("HTTP/1.1 100 Continue\r\n\r\n");
            }
            if conn.body(&head).is_err() {
                return;
            }
            let code = head.target().trim_start_matches('/');
            let number: u16 = code.parse().unwrap();
            conn.send(match number {
                204 | 304 => format!("HTTP/1.1 {code} Any\r\n\r\n").into_bytes(),
                205 => answer(number, "", b""),
                _ => answer(number, "", code.as_bytes()),
            });
        }
    });
    let (lbd, listener) = start(&backend);
    (backend, lbd, listener)
}

fn start(backend: &Backend) -> (Lbd, SocketAddr) {
    let listener = address();
    (
        Lbd::start(&Config::http(listener, &[backend.address()]).text()),
        listener,
    )
}
