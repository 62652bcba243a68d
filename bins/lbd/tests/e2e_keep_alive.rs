//! Persistent connections on both sides, HTTP/1.0 included.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use support::{Backend, Client, Config, Lbd, address, answer, elapsed, now, until};

const PLAIN: &str = "GET / HTTP/1.1\r\nHost: test.example\r\n\r\n";

#[test]
fn s_ka_02_two_listeners_keep_idle_connections_for_two_different_times() {
    let backend = Backend::saying("here");
    let (short, long) = (address(), address());
    let second = format!(
        "[[listeners]]\nname = \"long\"\naddress = \"{long}\"\npool = \"main\"\ntimeouts = {{ keep_alive = \"3s\" }}\n"
    );
    let config = Config::http(short, &[backend.address()])
        .listener("timeouts = { keep_alive = \"1s\" }")
        .rest(&second);
    let lbd = Lbd::start(&config.text());
    let mut clients = [short, long].map(Client::connect);
    for client in &mut clients {
        assert_eq!(client.exchange(PLAIN).status(), 200);
    }
    let start = now();
    let closed = clients.map(|mut client| {
        assert!(client.is_closed());
        elapsed(start)
    });
    for (time, expected) in closed.into_iter().zip([1, 3].map(Duration::from_secs)) {
        assert!(
            time.abs_diff(expected) <= Duration::from_secs(1),
            "closed after {time:?}, expected {expected:?}"
        );
    }
    lbd.stop();
}

#[test]
fn s_ka_03_the_hundredth_response_says_close_and_no_request_is_lost() {
    let count = AtomicU64::new(0);
    let backend = Backend::http(move |_| {
        answer(
            200,
            "",
            (count.fetch_add(1, Ordering::SeqCst) + 1).to_string().as_bytes(),
        )
    });
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).listener("limits = { keep_alive_requests = 100 }");
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(listener);
    for number in 1..=99 {
        let response = client.exchange(PLAIN);
        assert_eq!(
            (response.text(), response.get("connection")),
            (number.to_string(), None)
        );
    }
    let last = client.exchange(PLAIN);
    assert_eq!((last.text().as_str(), last.get("connection")), ("100", Some("close")));
    assert!(client.is_closed());
    drop(client);
    assert_eq!(Client::connect(listener).exchange(PLAIN).text(), "101");
    lbd.stop();
}

#[test]
fn s_ka_04_http_1_0_is_one_request_unless_the_client_asks_for_more() {
    let backend = Backend::saying("old");
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    let mut client = Client::connect(listener);
    assert_eq!(client.exchange("GET / HTTP/1.0\r\n\r\n").text(), "old");
    assert!(client.is_closed());
    let mut client = Client::connect(listener);
    for _ in 0..3 {
        let response = client.exchange("GET / HTTP/1.0\r\nHost: test.example\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(response.text(), "old");
        assert!(
            response
                .get("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("keep-alive")),
            "{response:?}"
        );
    }
    lbd.stop();
}

#[test]
fn s_ka_05_http_1_1_persists_by_default_until_close() {
    let backend = Backend::saying("here");
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    let mut client = Client::connect(listener);
    for _ in 0..5 {
        assert_eq!(client.exchange(PLAIN).text(), "here");
    }
    let response = client.exchange("GET / HTTP/1.1\r\nHost: test.example\r\nConnection: close\r\n\r\n");
    assert_eq!(
        (response.text().as_str(), response.get("connection")),
        ("here", Some("close"))
    );
    assert!(client.is_closed());
    lbd.stop();
}

#[test]
fn s_ka_07_the_two_sides_are_independent() {
    // A backend of HTTP/1.0 closes after each answer, without a length.
    let old = Backend::start(|mut conn| {
        if conn.request().is_ok() {
            conn.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
        }
    });
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[old.address()]).text());
    let mut client = Client::connect(listener);
    for _ in 0..5 {
        assert_eq!(
            client.exchange(PLAIN).text(),
            "until the end",
            "one client connection over many of the backend"
        );
    }
    assert_eq!(
        Client::connect(listener).exchange("GET / HTTP/1.0\r\n\r\n").text(),
        "until the end"
    );
    lbd.stop();

    // And the reverse: clients that close, one kept connection to the backend.
    let new = Backend::saying("kept");
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[new.address()]).top("workers = 1").text());
    // Each waits for a connection that has been silent for a moment, or opens one.
    for _ in 0..5 {
        until("a kept connection is used", || {
            let before = new.accepted();
            let reply = Client::connect(listener).exchange("GET / HTTP/1.0\r\n\r\n");
            assert_eq!(reply.text(), "kept");
            (new.accepted() == before).then_some(())
        });
    }
    lbd.stop();
}

#[test]
fn s_ka_12_twenty_resources_of_a_page_come_over_one_connection() {
    let backend = Backend::http(|request| answer(200, "", request.head.target().as_bytes()));
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    let mut client = Client::connect(listener);
    // An answer says that the connection is counted.
    assert_eq!(client.get("/page").text(), "/page");
    let before = lbd.state().sum("connections");
    for number in 0..20 {
        let target = format!("/static/{number}.css");
        assert_eq!(client.get(&target).text(), target);
    }
    assert_eq!(lbd.state().sum("connections"), before);
    lbd.stop();
}

#[test]
fn a_post_without_a_body_that_we_answer_ourselves_keeps_its_connection() {
    let listener = address();
    let routes = "[[listeners.routes]]\npath = \"/moved\"\nredirect = { to = \"https://new.example/\" }\n\
                  [[listeners.routes]]\npath = \"/fixed\"\nrespond = 403\n";
    let nobody = address();
    let config = Config::http(listener, &[nobody]).listener(routes);
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(listener);
    for (method, target, status) in [
        ("POST", "/moved", 302),
        ("PUT", "/fixed", 403),
        ("DELETE", "/moved", 302),
        ("POST", "/nobody", 502),
        ("GET", "/fixed", 403),
    ] {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: test.example\r\nContent-Length: 0\r\n\r\n");
        let response = client.exchange(request);
        assert_eq!(
            (response.status(), response.get("connection")),
            (status, None),
            "{method} {target}"
        );
    }
    // A body that nobody reads ends it.
    client.send("POST /fixed HTTP/1.1\r\nHost: test.example\r\nContent-Length: 5\r\n\r\nhello");
    let response = client.response();
    assert_eq!((response.status(), response.get("connection")), (403, Some("close")));
    lbd.stop();
}
