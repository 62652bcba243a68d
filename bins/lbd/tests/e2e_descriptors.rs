//! Fewer descriptors than connections: who is idle makes room, and backends are not blamed.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use support::{Backend, Client, Config, Folder, Lbd, address, elapsed, now, until};

/// Room for the program itself and for 40 clients, but not for twice as many connections.
const FEW: u64 = 64;

/// So many clients, each with one answered request behind it.
fn idle_clients(count: usize, listener: SocketAddr) -> Vec<Client> {
    let mut clients = Vec::new();
    for number in 0..count {
        let mut client = Client::connect(listener);
        let answer = client.get("/");
        assert_eq!(answer.status(), 200, "client {number}: {answer:?}");
        clients.push(client);
    }
    clients
}

#[test]
fn with_64_descriptors_and_40_idle_clients_a_new_request_is_answered_within_a_second() {
    for workers in [1, 2] {
        let (backends, listener) = (["a", "b"].map(Backend::saying), address());
        let config = Config::http(listener, &[backends[0].address(), backends[1].address()]);
        let lbd = Lbd::start_limited(&config.top(&format!("workers = {workers}")).text(), FEW);
        let idle = idle_clients(40, listener);
        for _ in 0..10 {
            let begun = now();
            let mut client = Client::connect(listener);
            assert_eq!(client.get("/").status(), 200);
            assert!(elapsed(begun) < Duration::from_secs(1), "{:?}", elapsed(begun));
        }
        let state = lbd.state();
        assert_eq!(state.ends("local_shortage"), 0, "{state:?}");
        drop(idle);
        lbd.stop();
    }
}

#[test]
fn clients_that_only_connected_make_room_too() {
    let (backend, listener) = (Backend::saying("a"), address());
    let config = Config::http(listener, &[backend.address()]).top("workers = 1");
    let lbd = Lbd::start_limited(&config.text(), FEW);
    let _silent: Vec<Client> = (0..70).map(|_| Client::connect(listener)).collect();
    let begun = now();
    assert_eq!(Client::connect(listener).get("/").status(), 200);
    // Room for all who wait before it has to be made: some 20 of them, in turns of 20 ms.
    assert!(elapsed(begun) < Duration::from_secs(2), "{:?}", elapsed(begun));
    lbd.stop();
}

#[test]
fn who_has_been_idle_for_longest_makes_room_first() {
    let (backend, listener) = (Backend::saying("a"), address());
    let config = Config::http(listener, &[backend.address()]).top("workers = 1");
    let lbd = Lbd::start_limited(&config.text(), FEW);
    let mut first = idle_clients(10, listener);
    let _more = idle_clients(20, listener);
    // What makes the first ones the last ones: another request each, a moment later.
    let before = lbd.descriptors();
    let mut rest = Vec::new();
    let begun = now();
    until("ticks of the wheel pass", || {
        (elapsed(begun) > Duration::from_millis(200)).then_some(())
    });
    for client in &mut first {
        assert_eq!(client.get("/").status(), 200);
    }
    while lbd.state().ends("made_room") < 10 {
        rest.extend(idle_clients(1, listener));
        assert!(rest.len() < 100, "{before} descriptors and {} clients", rest.len());
    }
    for client in &mut first {
        assert_eq!(client.get("/").status(), 200, "they were not idle for longest");
    }
    lbd.stop();
}

/// A backend that answers when it is let, and the switch.
fn holding() -> (Backend, Arc<AtomicBool>) {
    let free = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&free);
    let backend = Backend::http(move |_| {
        until("it may answer", || shared.load(Ordering::SeqCst).then_some(()));
        support::answer(200, "", b"late")
    });
    (backend, free)
}

#[test]
fn many_clients_at_once_are_all_answered_by_few_connections() {
    for workers in [1, 2] {
        let (backend, listener) = (Backend::saying("a"), address());
        let config = Config::http(listener, &[backend.address()]).top(&format!("workers = {workers}"));
        let lbd = Lbd::start_limited(&config.text(), FEW);
        let clients: Vec<_> = (0..100)
            .map(|_| thread::spawn(move || Client::connect(listener).get("/").status()))
            .collect();
        let statuses: Vec<u16> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        assert_eq!(statuses, [200; 100]);
        assert_eq!(lbd.state().ends("local_shortage"), 0);
        lbd.stop();
    }
}

#[test]
fn a_want_of_descriptors_is_no_fault_of_the_backend_and_has_its_own_end() {
    let ((backend, free), listener, folder) = (holding(), address(), Folder::new());
    let (log, socket) = (folder.path().join("access.log"), folder.path().join("s"));
    let config = Config::http(listener, &[backend.address()])
        .top("workers = 1")
        .pool("retries = { attempts = 5 }")
        .pool("timeouts = { connect = \"300ms\" }")
        .rest(&format!("[log]\naccess = \"{}\"\nformat = \"json\"\n", log.display()))
        .rest(&format!("[admin]\nsocket = \"{}\"\n", socket.display()));
    let lbd = Lbd::start_limited(&config.text(), FEW);
    let mut clients = Vec::new();
    for _ in 0..60 {
        let mut client = Client::connect(listener);
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        clients.push(client);
    }
    until("some found no descriptor", || {
        (lbd.state().ends("local_shortage") > 0).then_some(())
    });
    until("the operator hears of it, and of the limit", || {
        let said = lbd.stderr();
        (said.contains("for want of descriptors (of 64)") && said.contains("LimitNOFILE")).then_some(())
    });
    free.store(true, Ordering::SeqCst);
    let (mut good, mut short) = (0, 0);
    for client in &mut clients {
        match client.response_to("GET") {
            Ok(answer) if answer.status() == 200 => good += 1,
            Ok(answer) => {
                let said = answer.get("proxy-status").unwrap();
                let expected = "lbd; error=proxy_internal_error; details=\"local_shortage: no free file descriptor\"";
                assert_eq!((answer.status(), said), (503, expected));
                assert_eq!(answer.get("connection"), Some("close"));
                short += 1;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(good >= 4 && short > 0, "{good} were served and {short} not");
    let state = lbd.state();
    assert_eq!((state.sum("retries"), state.ends("local_shortage")), (0, short));
    let log = until("each has its line", || {
        let log = std::fs::read_to_string(&log).unwrap();
        (log.matches("\"end\":\"local_shortage\"").count() as u64 >= short).then_some(log)
    });
    assert!(log.contains("\"detail\":\"no free file descriptor\""), "{log}");
    drop(clients);
    // The admin socket needs a descriptor too.
    let status = until("the state can be asked for", || {
        let mut status = Command::new(env!("CARGO_BIN_EXE_lbd"));
        let status = support::run(status.args(["status", "--socket"]).arg(&socket));
        status.success.then_some(status.text)
    });
    assert!(
        !status.contains("last failure") && !status.contains("passed over"),
        "{status}"
    );
    lbd.stop();
}

#[test]
fn a_tcp_client_waits_outside_until_there_is_a_descriptor_for_its_backend_too() {
    let ((backend, free), listener) = (holding(), address());
    let config = Config::tcp(listener, &[backend.address()]).top("workers = 1");
    let lbd = Lbd::start_limited(&config.pool("timeouts = { connect = \"5s\" }").text(), FEW);
    let mut clients = Vec::new();
    for _ in 0..60 {
        let mut client = Client::connect(listener);
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        clients.push(client);
    }
    until("as many as fit are in", || {
        (lbd.state().sum("upstream_connects") >= 15).then_some(())
    });
    until("who is held back is counted, and shown to whoever asks", || {
        (lbd.state().sum("crowded") > 0).then_some(())
    });
    free.store(true, Ordering::SeqCst);
    // Each that has its answer goes, and lets the next one in.
    for mut client in clients {
        match client.response_to("GET") {
            Ok(answer) => assert_eq!(answer.status(), 200),
            Err(error) => panic!("{error:?}, {:?}, {}", lbd.state(), lbd.stderr()),
        }
    }
    assert_eq!(lbd.state().ends("local_shortage"), 0);
    lbd.stop();
}

#[test]
fn check_says_when_there_are_fewer_descriptors_than_connections_need_and_the_mend() {
    let folder = Folder::new();
    let check = |most: u32, descriptors: u32| {
        let config = Config::http(address(), &[address()])
            .top("workers = 1")
            .listener(&format!("limits = {{ max_connections = {most} }}"));
        let path = folder.write("lbd.toml", &config.text());
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {descriptors} && exec \"$0\" check \"$1\"")]);
        let output = support::run(shell.arg(env!("CARGO_BIN_EXE_lbd")).arg(path));
        assert!(
            output.success && output.errors.is_empty(),
            "it is no mistake: {}",
            output.errors
        );
        output.text.lines().skip(1).map(str::to_owned).collect::<String>()
    };
    // Two per connection, 32 for the program, 5 for a worker and its listener.
    assert_eq!(check(100, 237), "");
    let said = check(101, 237);
    assert!(said.contains("listener \"main\" may have 101 connections"), "{said}");
    assert!(said.contains("need 239 descriptors"), "{said}");
    assert!(said.contains("LimitNOFILE=239"), "{said}");
    assert!(said.contains("lower `max_connections` to 100"), "{said}");
}
