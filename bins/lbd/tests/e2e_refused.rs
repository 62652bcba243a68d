//! Backends that stop, and backends that are not there yet: nobody's request is lost over them.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use support::{Backend, Client, Config, Lbd, Load, address, answer, elapsed, now, until};

fn statuses(listener: SocketAddr, count: usize, method: &str) -> Vec<u16> {
    let request = format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    let ask = |_| Client::connect(listener).exchange(&request).status();
    (0..count).map(ask).filter(|status| *status != 200).collect()
}

#[test]
fn one_of_two_stopped_and_three_hundred_requests_none_of_them_502() {
    for health in ["", "health = { kind = \"tcp\" }", "health = { kind = \"http\" }"] {
        let backend = Backend::saying("here");
        let listener = address();
        let config = Config::http(listener, &[backend.address(), address()]).pool(health);
        let lbd = Lbd::start(&config.text());
        // The body may not be sent twice; nothing was sent to who refused.
        assert_eq!(statuses(listener, 300, "POST"), [0_u16; 0], "{health}");
        let state = lbd.state();
        assert!(state.sum("retries") < 20, "it is passed over: {state:?}");
        lbd.stop();
    }
}

#[test]
fn a_tenth_of_a_pool_that_listens_serves_all_requests() {
    let backend = Backend::saying("here");
    let listener = address();
    let mut all: Vec<SocketAddr> = (0..9).map(|_| address()).collect();
    all.push(backend.address());
    // Neither attempts nor budget are spent by connections that were refused.
    let config = Config::http(listener, &all).pool("retries = { attempts = 1, budget_percent = 0 }");
    let lbd = Lbd::start(&config.text());
    assert_eq!(statuses(listener, 100, "POST"), [0_u16; 0]);
    lbd.stop();
    // Who wants no other backend to be tried gets what he wants.
    let config = Config::http(listener, &all).pool("retries = { attempts = 0 }");
    let lbd = Lbd::start(&config.text());
    assert!(statuses(listener, 10, "GET").contains(&502));
    lbd.stop();
}

#[test]
fn a_backend_that_dies_and_returns_under_load_costs_no_request() {
    for health in ["", "health = { kind = \"tcp\" }"] {
        let steady = Backend::saying("steady");
        let other = address();
        let start = || Backend::start_at(other, |conn| conn.serve(&|_| answer(200, "", b"other")));
        let mut backend = Some(start());
        let listener = address();
        let lbd = Lbd::start(&Config::http(listener, &[steady.address(), other]).pool(health).text());
        let load = Load::start(listener, 8, 50);
        for _ in 0..3 {
            let good = load.good();
            until("requests go on", || (load.good() > good + 200).then_some(()));
            backend.take().unwrap().stop();
            let good = load.good();
            until("requests go on without it", || (load.good() > good + 500).then_some(()));
            let back = start();
            until("it gets requests again", || (back.requests() > 50).then_some(()));
            backend = Some(back);
        }
        let (good, bad) = load.stop();
        assert!(
            bad.is_empty(),
            "{health}: {} of {good} lost:\n{}",
            bad.len(),
            bad.join("\n")
        );
        lbd.stop();
    }
}

#[test]
fn tcp_connections_find_the_one_that_listens() {
    let backend = Backend::start(|mut conn| {
        conn.send("hello");
        let _ = conn.await_end();
    });
    let listener = address();
    let lbd = Lbd::start(&Config::tcp(listener, &[address(), backend.address(), address()]).text());
    for number in 0..2_000 {
        let mut client = Client::connect(listener);
        assert_eq!(client.take(5).unwrap(), b"hello", "connection {number}");
    }
    assert!(lbd.state().sum("retries") < 60);
    lbd.stop();
}

#[test]
fn a_sticky_client_moves_on_at_once() {
    let backends = ["a", "b"].map(Backend::saying);
    let addresses = backends.each_ref().map(Backend::address);
    let listener = address();
    let config = Config::http(listener, &addresses).pool("persistence = { kind = \"client_ip\" }");
    let lbd = Lbd::start(&config.text());
    let home = Client::connect(listener).get("/").text();
    let [a, b] = backends;
    let (home, other) = if home == "a" { (a, "b") } else { (b, "a") };
    home.stop();
    for _ in 0..50 {
        assert_eq!(Client::connect(listener).get("/").text(), other);
    }
    lbd.stop();
}

#[test]
fn who_is_passed_over_is_shown_with_its_reason() {
    let backend = Backend::saying("here");
    let listener = address();
    let gone = address();
    let config = Config::http(listener, &[backend.address(), gone]).names(&["good", "gone"]);
    let lbd = Lbd::start(&config.text());
    assert_eq!(statuses(listener, 2, "GET"), [0_u16; 0]);
    let state = lbd.state();
    let line = state.backend(gone);
    assert!(line.contains(" passed_over=refused "), "{line}");
    assert!(!state.backend(backend.address()).contains("passed_over"));
    lbd.stop();
}

/// Starts backends so many milliseconds after lbd; each must be reached within a second and a half of the moment it
/// listens, and whoever is there already serves all the time.
fn start_late(delays: &[u64], health: &str) {
    const PROMISED: Duration = Duration::from_millis(1_500);
    let addresses: Vec<SocketAddr> = delays.iter().map(|_| address()).collect();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &addresses).pool(health).text());
    let began = now();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Somebody asks all the time.
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let mut client = Client::connect(listener);
                let _ = client.get("/");
                thread::park_timeout(Duration::from_millis(10));
            }
        });
        let started: Vec<_> = addresses
            .iter()
            .zip(delays)
            .map(|(&address, &delay)| {
                scope.spawn(move || {
                    until("its time has come", || {
                        (elapsed(began) >= Duration::from_millis(delay)).then_some(())
                    });
                    let backend = Backend::start_at(address, |conn| {
                        conn.serve(&|_| answer(200, "", b"late"));
                    });
                    let ready = now();
                    (backend, ready)
                })
            })
            .collect();
        let mut kept = Vec::new();
        for (run, delay) in started.into_iter().zip(delays) {
            let (backend, ready) = run.join().unwrap();
            let is_http = health.contains("http");
            until("its first request", || {
                // at most one probe a second
                let probes = if is_http { elapsed(ready).as_secs() + 2 } else { 0 };
                (backend.requests() > probes).then_some(())
            });
            let took = elapsed(ready);
            println!("{health} {delays:?}: {delay} ms after lbd, first requests after {took:?}");
            assert!(took < PROMISED, "{health} {delays:?}: {delay} ms after lbd, {took:?}");
            kept.push(backend);
        }
        over.store(true, Ordering::SeqCst);
    });
    lbd.stop();
}

#[test]
fn s_health_09_backends_that_begin_to_listen_after_lbd_are_used_within_a_second_and_a_half() {
    for health in ["", "health = { kind = \"tcp\" }", "health = { kind = \"http\" }"] {
        thread::scope(|scope| {
            for delays in [
                &[300][..],
                &[1_700],
                &[3_000],
                &[5_000],
                &[0, 2_500, 4_700],
                &[400, 900, 1_400, 3_600],
            ] {
                scope.spawn(move || start_late(delays, health));
            }
        });
    }
}

#[test]
fn a_listener_of_tcp_waits_for_nobody_who_is_there() {
    let listener = address();
    let backend_address = address();
    let lbd = Lbd::start(
        &Config::tcp(listener, &[backend_address])
            .pool("health = { kind = \"tcp\" }")
            .text(),
    );
    // Nobody is there yet: refused at once, again and again.
    for _ in 0..20 {
        let mut client = Client::connect(listener);
        assert!(client.take(1).is_err());
    }
    let backend = Backend::start_at(backend_address, |mut conn| {
        conn.send("hello");
        let _ = conn.await_end();
    });
    let ready = now();
    until("it is reached", || {
        let mut client = Client::connect(listener);
        client.take(5).is_ok().then_some(())
    });
    assert!(elapsed(ready) < Duration::from_millis(1_500), "{:?}", elapsed(ready));
    drop(TcpStream::connect(backend.address()));
    lbd.stop();
}
