//! Ten thousand clients that say nothing: each is still answered, and what each costs is printed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use support::{Backend, Client, Config, Lbd, address, raise_descriptor_limit, until_still};

const CLIENTS: usize = 10_000;
/// The bar for the optimised program too; benches/side-by-side measures it there.
const BYTES_PER_CLIENT: u64 = 3_000;

#[test]
fn s_conn_09_ten_thousand_idle_connections_stay_answered() {
    let _alone = alone();
    if raise_descriptor_limit() < CLIENTS as u64 + 2_000 {
        println!("skipped: the hard descriptor limit is below {}", CLIENTS + 2_000);
        return;
    }
    let backend = Backend::saying("here");
    let listener = address();
    let lbd = Lbd::start(
        &Config::http(listener, &[backend.address()])
            .top("timeouts = { keep_alive = \"10m\" }")
            .text(),
    );
    // Buffers and threads exist before the measuring begins.
    open(listener, 100);
    let before = lbd.memory();
    let mut clients = open(listener, CLIENTS);
    let after = lbd.memory();
    let each = after.saturating_sub(before) / CLIENTS as u64;
    println!("{CLIENTS} idle connections: {each} bytes each ({before} before, {after} after)");
    assert!(each < BYTES_PER_CLIENT, "{each} bytes per idle connection");
    assert!(
        lbd.descriptors() >= CLIENTS,
        "lbd holds only {} descriptors",
        lbd.descriptors()
    );
    ask(&mut clients);
    drop(clients);
    lbd.stop();
}

/// Each of these tests may need nearly all descriptors that a process may have.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens connections and has one request answered on each.
fn open(listener: std::net::SocketAddr, count: usize) -> Vec<Client> {
    let halves = thread::scope(|scope| {
        let half = || {
            let mut clients: Vec<Client> = (0..count / 2).map(|_| Client::connect(listener)).collect();
            ask(&mut clients);
            clients
        };
        let running = [scope.spawn(half), scope.spawn(half)];
        running.map(|half| half.join().unwrap())
    });
    halves.into_iter().flatten().collect()
}

fn ask(clients: &mut [Client]) {
    for client in clients {
        let response = client.get("/");
        assert_eq!((response.status(), response.text().as_str()), (200, "here"));
    }
}

/// With so many the system's pages of 2 MiB make 420 bytes of difference at most.
const CROWD: usize = 5_000;

/// What each of a crowd of connections costs that waits after it was brought there; the first ones warm the program up.
fn cost_of_waiting(lbd: &Lbd, mut one: impl FnMut() -> Client) -> u64 {
    let _warm: Vec<Client> = (0..100).map(|_| one()).collect();
    until_still("it has settled", || lbd.memory());
    let before = lbd.memory();
    let _crowd: Vec<Client> = (0..CROWD).map(|_| one()).collect();
    until_still("it has settled", || lbd.memory());
    let each = lbd.memory().saturating_sub(before) / CROWD as u64;
    println!("{each} bytes each");
    each
}

#[test]
fn an_idle_stream_of_events_holds_no_buffer() {
    let _alone = alone();
    raise_descriptor_limit();
    let backend = Backend::start(|mut conn| {
        if conn.head().is_ok() {
            conn.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: hello\n\n");
            let _ = conn.await_end();
        }
    });
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).top("workers = 1").text());
    let each = cost_of_waiting(&lbd, || {
        let mut client = Client::connect(listener);
        client.send("GET /events HTTP/1.1\r\nHost: test.example\r\n\r\n");
        client.head().unwrap();
        // One chunk: its size, its bytes.
        assert_eq!(client.take(17).unwrap(), b"d\r\ndata: hello\n\n\r\n"[..17]);
        // What some programs put behind a request; it may be the beginning of the next one.
        client.send("\r\n");
        client
    });
    assert!(each <= 4_000, "{each} bytes each");
}

#[test]
fn the_first_byte_of_a_head_holds_no_large_buffer() {
    let _alone = alone();
    raise_descriptor_limit();
    let backend = Backend::saying("here");
    let listener = address();
    let lbd = Lbd::start(
        &Config::http(listener, &[backend.address()])
            .top("workers = 1\ntimeouts = { head = \"1h\" }")
            .text(),
    );
    let each = cost_of_waiting(&lbd, || {
        let mut client = Client::connect(listener);
        client.send("G");
        client
    });
    assert!(each <= 4_000, "{each} bytes each");
}
