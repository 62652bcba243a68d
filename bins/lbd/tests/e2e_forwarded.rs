//! What a backend is told of the client.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use support::{Backend, Client, Config, Folder, Head, Lbd, address, answer};

#[test]
fn s_xff_01_the_client_is_named_without_any_configuration() {
    let (backend, heads) = recording();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    let source: IpAddr = "127.0.0.77".parse().unwrap();
    assert_eq!(Client::connect_from(source, listener).get("/").status(), 200);
    let head = heads.lock().unwrap().pop().unwrap();
    assert_eq!(head.all("x-forwarded-for"), ["127.0.0.77"]);
    assert_eq!(head.all("x-forwarded-proto"), ["http"]);
    assert_eq!(head.all("x-forwarded-port"), [listener.port().to_string()]);
    lbd.stop();
}

#[test]
fn s_xff_03_a_forged_header_is_dropped_and_a_trusted_proxy_is_appended_to() {
    let (backend, heads) = recording();
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).listener("trusted_proxies = [\"127.0.7.0/24\"]");
    let lbd = Lbd::start(&config.text());
    let request = "GET / HTTP/1.1\r\nHost: test.example\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n\
     X-Forwarded-Port: 443\r\nForwarded: for=203.0.113.9\r\n\r\n";
    let stranger = Client::connect_from("127.0.8.1".parse().unwrap(), listener).exchange(request);
    assert_eq!(stranger.status(), 200);
    let head = heads.lock().unwrap().pop().unwrap();
    assert_eq!(head.all("x-forwarded-for"), ["127.0.8.1"], "{head:?}");
    assert_eq!(head.all("x-forwarded-proto"), ["http"], "{head:?}");
    assert_eq!(head.all("x-forwarded-port"), [listener.port().to_string()], "{head:?}");
    assert!(
        !head.all("forwarded").iter().any(|value| value.contains("203.0.113.9")),
        "{head:?}"
    );

    let trusted = Client::connect_from("127.0.7.1".parse().unwrap(), listener).exchange(request);
    assert_eq!(trusted.status(), 200);
    let head = heads.lock().unwrap().pop().unwrap();
    assert_eq!(
        head.all("x-forwarded-for").join(", "),
        "203.0.113.9, 127.0.7.1",
        "{head:?}"
    );
    assert_eq!(head.all("x-forwarded-proto"), ["https"], "{head:?}");
    lbd.stop();
}

#[test]
fn s_xff_03_an_empty_line_of_a_trusted_proxy_breaks_no_chain() {
    let (backend, heads) = recording();
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).listener("trusted_proxies = [\"127.0.7.0/24\"]");
    let lbd = Lbd::start(&config.text());
    let request = "GET / HTTP/1.1\r\nHost: test.example\r\nX-Forwarded-For:\r\nX-Forwarded-For: 7.7.7.7\r\nForwarded: for=7.7.7.7\r\n\
     X-Forwarded-Proto: https\r\nX-Forwarded-Prefix: /shop\r\n\r\n";
    assert_eq!(
        Client::connect_from("127.0.7.1".parse().unwrap(), listener)
            .exchange(request)
            .status(),
        200
    );
    let head = heads.lock().unwrap().pop().unwrap();
    assert_eq!(head.all("x-forwarded-for"), ["7.7.7.7, 127.0.7.1"], "{head:?}");
    assert_eq!(head.all("forwarded"), ["for=7.7.7.7, for=127.0.7.1"], "{head:?}");
    assert_eq!(head.all("x-forwarded-port"), ["443"], "{head:?}");
    assert_eq!(head.all("x-forwarded-prefix"), ["/shop"], "{head:?}");
    lbd.stop();
}

#[test]
fn s_xff_04_what_is_said_of_the_client_can_be_turned_off() {
    let (backend, heads) = recording();
    let listener = address();
    let config = Config::http(listener, &[backend.address()])
        .listener("forwarded = { for = false, port = false, drop_claims = false }");
    let lbd = Lbd::start(&config.text());
    let request = "GET / HTTP/1.1\r\nHost: test.example\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-User: root\r\n\
     X-Original-URL: /x\r\n\r\n";
    assert_eq!(Client::connect(listener).exchange(request).status(), 200);
    let head = heads.lock().unwrap().pop().unwrap();
    assert_eq!(head.all("x-forwarded-proto"), ["http"], "{head:?}");
    for name in ["x-forwarded-for", "x-forwarded-port", "x-forwarded-user"] {
        assert!(head.all(name).is_empty(), "{name}: {head:?}");
    }
    assert_eq!(head.all("x-original-url"), ["/x"], "{head:?}");
    lbd.reload(&Config::http(listener, &[backend.address()]).text());
    assert_eq!(Client::connect(listener).exchange(request).status(), 200);
    let head = heads.lock().unwrap().pop().unwrap();
    assert_eq!(head.all("x-forwarded-for"), ["127.0.0.1"], "{head:?}");
    assert!(head.all("x-original-url").is_empty(), "{head:?}");
    lbd.stop();
}

#[test]
fn the_log_has_the_client_that_is_believed_and_the_chain_as_it_came() {
    let (backend, _heads) = recording();
    let (listener, folder) = (address(), Folder::new());
    for (format, want) in [
        ("json", ["\"client\":\"CLIENT\"", "\"x_forwarded_for\":\"CHAIN\""]),
        ("combined_xff", ["CLIENT - - [", "\" \"CHAIN\""]),
        ("combined_timed", ["CLIENT - - [", "\" \"CHAIN\""]),
    ] {
        let log = folder.path().join(format);
        let config = Config::http(listener, &[backend.address()])
            .top("workers = 1")
            .listener("trusted_proxies = [\"127.0.7.0/24\", \"10.0.0.0/8\"]")
            .rest(&format!(
                "[log]\naccess = \"{}\"\nformat = \"{format}\"\n",
                log.display()
            ));
        let lbd = Lbd::start(&config.text());
        let cases = [
            ("127.0.7.1", "203.0.113.9", "203.0.113.9"),
            ("127.0.7.1", "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("127.0.7.1", "[2001:db8::7]:4711", "2001:db8::7"),
            ("127.0.7.1", "unknown", "127.0.7.1"),
            ("127.0.8.1", "203.0.113.9", "127.0.8.1"),
        ];
        for (peer, chain, _) in cases {
            let request = format!("GET / HTTP/1.1\r\nHost: test.example\r\nX-Forwarded-For: {chain}\r\n\r\n");
            let mut client = Client::connect_from(peer.parse().unwrap(), listener);
            assert_eq!(client.exchange(request).status(), 200);
        }
        // Refused before it could be passed on: the same.
        let mut client = Client::connect_from("127.0.7.1".parse().unwrap(), listener);
        client.send("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
        assert_eq!(client.response().status(), 400);
        let mut bare = Client::connect_from("127.0.7.1".parse().unwrap(), listener);
        assert_eq!(bare.get("/").status(), 200);
        lbd.stop();
        let text = std::fs::read_to_string(&log).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let refused = ("127.0.7.1", "203.0.113.9", "203.0.113.9");
        for ((_, chain, client), line) in cases.iter().chain([&refused]).zip(&lines) {
            for part in want {
                let part = part.replace("CLIENT", client).replace("CHAIN", chain);
                assert!(line.contains(&part), "{part}: {line}");
            }
        }
        let last = lines.last().unwrap();
        assert!(last.contains(&want[0].replace("CLIENT", "127.0.7.1")), "{last}");
        assert!(
            !last.contains("x_forwarded_for") && !last.contains("\" \"127.0.7.1\""),
            "{last}"
        );
    }
}

#[test]
fn a_host_that_is_no_name_is_refused() {
    let long = |len: usize| format!("{}.corp.test", "a".repeat(len - 10));
    let (backend, _heads) = recording();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    for (host, status) in [
        ("test.example", 200),
        ("test.example.", 200),
        ("[0:0::1]", 200),
        (".corp.test", 400),
        ("admin.test..", 400),
        ("a..b:80", 400),
        (".", 400),
        ("[fe80::1%25eth0]", 400),
        (&long(253), 200),
        (&format!("{}.:80", long(253)), 200),
        (&long(254), 400),
        (&long(4000), 400),
    ] {
        let answer = Client::connect(listener).exchange(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(answer.status(), status, "{host}");
    }
    lbd.stop();
}

#[test]
fn an_expectation_reaches_the_backend_only_with_a_body_behind_it() {
    let (backend, heads) = recording();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    let expecting = |rest: &str| format!("PUT / HTTP/1.1\r\nHost: test.example\r\nExpect: 100-continue\r\n{rest}");
    let mut client = Client::connect(listener);
    assert_eq!(client.exchange(expecting("\r\n")).status(), 200);
    assert!(heads.lock().unwrap().pop().unwrap().all("expect").is_empty());
    assert_eq!(client.exchange(expecting("Content-Length: 2\r\n\r\nhi")).status(), 200);
    assert_eq!(heads.lock().unwrap().pop().unwrap().all("expect"), ["100-continue"]);
    lbd.stop();
}

#[test]
fn the_host_field_reaches_the_backend_unchanged() {
    let (backend, heads) = recording();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    Client::connect(listener).exchange("GET /a?b=%20c HTTP/1.1\r\nhost: Example.COM:8080\r\n\r\n");
    let head = heads.lock().unwrap().pop().unwrap();
    assert_eq!(
        (head.target(), head.all("host")),
        ("/a?b=%20c", vec!["Example.COM:8080"])
    );
    lbd.stop();
}

fn recording() -> (Backend, Arc<Mutex<Vec<Head>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heads);
    let backend = Backend::http(move |request| {
        log.lock().unwrap().push(request.head.clone());
        answer(200, "", b"")
    });
    (backend, heads)
}
