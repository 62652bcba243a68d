//! Backends of TLS that speak when nobody waits for them, stop in the middle, or end without a word.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use rustls::{ContentType, ServerConnection};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{
    Authority, Backend, Broken, Client, Config, Lbd, PATIENCE, Reader, Records, address, answer, chunked, elapsed, now,
    secure_backend, server_config, until,
};

fn lbd(authority: &Authority, at: SocketAddr, backend: &Backend, pool: &str) -> Lbd {
    let config = Config::http(at, &[backend.address()])
        .top("workers = 1\nlog = { access = \"stdout\", format = \"json\" }")
        .pool(&format!(
            "tls = {{ roots = {:?}, server_name = \"app.internal\" }}\n{pool}",
            authority.root()
        ));
    Lbd::start(&config.text())
}

#[test]
fn tickets_that_come_late_leave_the_connection_to_a_backend_usable() {
    let authority = Authority::new("Root of backends");
    let config = server_config(&authority.server("app.pem", &["app.internal"]));
    let (ask, asked) = channel::<()>();
    let (tell, told) = channel::<()>();
    let (asked, told_of) = (Mutex::new(asked), Mutex::new(tell));
    let backend = Backend::start(move |conn| {
        let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let Ok(records) = Records::over(tls, conn.stream().try_clone().unwrap()) else {
            return;
        };
        let shaken = now();
        let mut reader = Reader::new(records);
        let mut number = 0;
        let mut ticket = |records: &mut Records| {
            number += 1;
            records.send_ticket(number).unwrap();
        };
        // One while the first answer is waited for.
        until("50 ms have passed since the handshake", || {
            (elapsed(shaken) > Duration::from_millis(50)).then_some(())
        });
        ticket(&mut reader.input);
        while let Ok(request) = reader.request() {
            // One in the middle of an answer.
            let answer = answer(200, "", &request.body);
            let (first, second) = answer.split_at(answer.len() - 2);
            reader.input.send(ContentType::ApplicationData, first).unwrap();
            ticket(&mut reader.input);
            reader.input.send(ContentType::ApplicationData, second).unwrap();
            // And one while nobody waits for anything, when the test says so.
            if asked.lock().unwrap().recv().is_err() {
                return;
            }
            ticket(&mut reader.input);
            told_of.lock().unwrap().send(()).unwrap();
        }
    });
    let at = address();
    let lbd = lbd(&authority, at, &backend, "timeouts = { upstream_keep_alive = \"60s\" }");
    let mut client = Client::connect(at);
    for number in 0..40 {
        let method = ["GET", "POST"][number % 2];
        let body = format!("body of request {number}");
        let request = format!(
            "{method} / HTTP/1.1\r\nHost: site.example\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let got = client.exchange(request);
        assert_eq!((got.status(), got.text()), (200, body));
        ask.send(()).unwrap();
        told.recv_timeout(PATIENCE).unwrap();
    }
    assert_eq!(backend.accepted(), 1, "it was one connection all the time");
    drop((client, ask));
    lbd.stop();
}

#[test]
fn s_tls_01_an_end_without_close_notify_ends_a_body_only_where_http_says_how_long_it_is() {
    let authority = Authority::new("Root of backends");
    let file = authority.server("app.pem", &["app.internal"]);
    let chunks = |body: &[u8]| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        [&head[..], &chunked(body, 3, "")].concat()
    };
    let chunked = chunks(b"body");
    let length = answer(200, "", b"body");
    let until_the_end = b"HTTP/1.1 200 OK\r\n\r\nbody".to_vec();
    let cut = |whole: &[u8], by: usize| whole[..whole.len() - by].to_vec();
    let cases = [
        (length.clone(), false, true),
        (cut(&length, 1), false, false),
        (cut(&length, 1), true, false),
        (chunked.clone(), false, true),
        (cut(&chunked, 5), false, false),
        (cut(&chunked, 5), true, false),
        (until_the_end.clone(), true, true),
        (until_the_end, false, false),
    ];
    let (next, answers) = (AtomicUsize::new(0), cases.clone());
    let backend = secure_backend(&file, move |mut reader| {
        if reader.request().is_ok() {
            let (answer, in_order, _) = &answers[next.fetch_add(1, Ordering::SeqCst)];
            reader.input.write_all(answer).unwrap();
            reader.input.end(*in_order);
            let _ = reader.input.read(&mut [0]);
        }
    });
    let at = address();
    let lbd = lbd(&authority, at, &backend, "");
    for (sent, in_order, is_whole) in &cases {
        let mut client = Client::connect(at);
        client.send("GET / HTTP/1.1\r\nHost: site.example\r\n\r\n");
        let got = client.response_to("GET");
        let case = format!("{} {in_order}: {got:?}", sent.escape_ascii());
        match got {
            Ok(message) => assert!(*is_whole && message.text() == "body", "{case}"),
            Err(broken) => assert!(!is_whole && matches!(broken, Broken::Truncated), "{case}"),
        }
    }
    assert_eq!(backend.accepted(), cases.len() as u64, "nothing was asked twice");
    until("those that were cut are counted", || {
        (lbd.state().ends("upstream_truncated") == 5).then_some(())
    });
    lbd.stop();
}

#[test]
fn a_backend_that_stops_in_a_record_of_17_kib_is_given_up_at_the_deadline() {
    let authority = Authority::new("Root of backends");
    let file = authority.server("app.pem", &["app.internal"]);
    let stuck = secure_backend(&file, |mut reader| {
        if reader.request().is_ok_and(|request| request.head.target() == "/stop") {
            let record = [&[23, 3, 3, 0x44, 0][..], &[7; 9000]].concat();
            let _ = reader.input.socket.write_all(&record);
            let _ = reader.input.socket.read(&mut [0]);
        } else {
            let _ = reader.input.write_all(&answer(200, "connection: close\r\n", b"here"));
        }
    });
    let at = address();
    let running = lbd(&authority, at, &stuck, "timeouts = { response = \"500ms\" }");
    let mut client = Client::connect(at);
    client.send("GET /stop HTTP/1.1\r\nHost: site.example\r\n\r\n");
    assert_eq!(Client::connect(at).get("/").text(), "here");
    let got = client.response();
    assert_eq!(got.status(), 504, "{got:?}");
    assert_eq!(running.state().ends("upstream_timeout"), 1);
    running.stop();
    // The same where its handshake should be.
    let stuck = Backend::start(|mut conn| {
        let _ = conn.some();
        conn.send([&[22, 3, 3, 0x44, 0][..], &[7; 9000]].concat());
        let _ = conn.await_end();
    });
    let running = lbd(&authority, at, &stuck, "timeouts = { connect = \"500ms\" }");
    let got = Client::connect(at).get("/");
    assert_eq!(got.status(), 504, "{got:?}");
    assert_eq!(running.state().ends("connect_timeout"), 1);
    running.stop();
}
