//! Deadlines: what came in time is looked at before them, and each side's patience is its own.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use rustix::process::Signal;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use support::{Backend, Client, Config, Lbd, address, answer, elapsed, now, until};

const GET: &str = "GET / HTTP/1.1\r\nHost: test.example\r\n\r\n";

/// Every deadline of these tests.
const PATIENCE: Duration = Duration::from_millis(500);

/// Stops the whole program, says something meanwhile, and lets it go on when the deadline of what began at `since`
/// has passed. `false`, and nothing said: this machine stopped it too late for that to come in time.
fn late(lbd: &Lbd, since: Instant, meanwhile: impl FnOnce()) -> bool {
    lbd.signal(Signal::STOP);
    until("it is stopped", || lbd.is_stopped().then_some(()));
    let in_time = elapsed(since) < IN_TIME;
    if in_time {
        meanwhile();
        let start = now();
        until("the deadline has passed", || {
            (elapsed(start) > PATIENCE + Duration::from_millis(400)).then_some(())
        });
    }
    lbd.signal(Signal::CONT);
    in_time
}

/// Less than the patience by what the program itself may be late.
const IN_TIME: Duration = Duration::from_millis(400);

/// So many rounds that were in time.
fn rounds(wanted: usize, mut round: impl FnMut() -> bool) {
    let mut done = 0;
    for _ in 0..20 * wanted {
        done += usize::from(round());
        if done == wanted {
            return;
        }
    }
    panic!("only {done} of {wanted} rounds were stopped in time");
}

#[test]
fn an_answer_that_came_in_time_is_no_504_after_a_late_turn() {
    let (say, said) = std::sync::mpsc::channel::<()>();
    let said = std::sync::Mutex::new(said);
    let backend = Backend::start(move |mut conn| {
        while conn.request().is_ok() {
            if said.lock().unwrap().recv().is_err() {
                return;
            }
            conn.send(answer(200, "", b"in time"));
        }
    });
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).top("timeouts = { response = \"500ms\" }");
    let lbd = Lbd::start(&config.text());
    let mut too_late = 0;
    rounds(5, || {
        let before = backend.requests();
        let mut client = Client::connect(listener);
        let since = now();
        client.send(GET);
        until("the backend has the request", || {
            (backend.requests() == before + 1).then_some(())
        });
        if !late(&lbd, since, || say.send(()).unwrap()) {
            too_late += 1;
            say.send(()).unwrap();
            return false;
        }
        assert_eq!(client.response().text(), "in time");
        true
    });
    assert!(lbd.state().ends("upstream_timeout") <= too_late);
    lbd.stop();
}

#[test]
fn the_rest_of_a_head_or_a_body_that_came_in_time_is_no_408_after_a_late_turn() {
    let backend = Backend::http(|request| answer(200, "", &request.body));
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).top("timeouts = { head = \"500ms\", body = \"500ms\" }");
    let lbd = Lbd::start(&config.text());
    let head = "POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 4\r\n\r\n";
    for (first, rest) in [
        ("", format!("{head}body")),
        ("P", format!("{}body", &head[1..])),
        (head, "body".to_owned()),
        (&format!("{head}bo"), "dy".to_owned()),
    ] {
        rounds(3, || {
            let since = now();
            let mut client = Client::connect(listener);
            client.send(first);
            until_taken(&lbd, &client);
            let in_time = late(&lbd, since, || client.send(&rest));
            if in_time {
                assert_eq!(client.response().text(), "body", "{first:?}");
            }
            in_time
        });
    }
    lbd.stop();
}

#[test]
fn a_request_that_came_in_time_is_answered_after_a_late_turn() {
    let backend = Backend::saying("here");
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).top("timeouts = { keep_alive = \"500ms\" }");
    let lbd = Lbd::start(&config.text());
    rounds(5, || {
        let mut client = Client::connect(listener);
        let since = now();
        assert_eq!(client.exchange(GET).text(), "here");
        let in_time = late(&lbd, since, || client.send(GET));
        if in_time {
            assert_eq!(client.response().text(), "here");
        }
        in_time
    });
    lbd.stop();
}

#[test]
fn bytes_that_came_in_time_keep_a_tunnel_after_a_late_turn() {
    let backend = Backend::start(|mut conn| {
        while let Ok(bytes) = conn.some() {
            if bytes.is_empty() || !conn.send(bytes) {
                return;
            }
        }
    });
    let listener = address();
    let config = Config::tcp(listener, &[backend.address()]).top("timeouts = { idle = \"500ms\" }");
    let lbd = Lbd::start(&config.text());
    let mut too_late = 0;
    rounds(5, || {
        let since = now();
        let mut client = Client::connect(listener);
        client.send("a");
        assert_eq!(client.take(1).unwrap(), b"a");
        let in_time = late(&lbd, since, || client.send("b"));
        if in_time {
            assert_eq!(client.take(1).unwrap(), b"b");
        } else {
            too_late += 1;
        }
        in_time
    });
    assert!(lbd.state().ends("tunnel_idle") <= too_late);
    lbd.stop();
}

/// Waits until `lbd` has accepted the client's connection and read what it sent.
fn until_taken(lbd: &Lbd, client: &Client) {
    let local = client.address();
    until("lbd has read it all", || {
        (lbd.state().sum("active") > 0 && unread_of(local) == Some(0)).then_some(())
    });
}

/// Bytes from this client that nobody has read, by the kernel's table.
fn unread_of(client: SocketAddr) -> Option<u64> {
    let port = format!(":{:04X}", client.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let row = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|row| row.get(2).is_some_and(|remote| remote.ends_with(&port)))?;
    u64::from_str_radix(row[4].split_once(':')?.1, 16).ok()
}
