//! A gibibyte each way, byte-identical, while memory stays small; nobody buffers for a slow reader.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use support::{Backend, Client, Config, Conn, Lbd, Pattern, address, until_still};

const GIBIBYTE: u64 = 1 << 30;
const MEBIBYTE: u64 = 1 << 20;
/// The bound of the issue.
const MEMORY: u64 = 64 * MEBIBYTE;

#[test]
fn a_gibibyte_down_and_a_gibibyte_up_arrive_unchanged() {
    let backend = Backend::start(|mut conn| {
        while let Ok(head) = conn.head() {
            let length = head.get("content-length").map_or(0, |length| length.parse().unwrap());
            if head.method() == "POST" {
                let right = receive(length, || conn.some().unwrap_or_default());
                conn.send(support::answer(200, "", format!("{right}").as_bytes()));
            } else {
                conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {GIBIBYTE}\r\n\r\n"));
                emit(GIBIBYTE, |bytes| conn.send(bytes));
            }
        }
    });
    let (lbd, listener) = start(&backend);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = Client::connect(listener);
            client.send(GET);
            let head = client.head().unwrap();
            assert_eq!(
                head.get("content-length"),
                Some(GIBIBYTE.to_string().as_str()),
                "{head:?}"
            );
            assert!(receive(GIBIBYTE, || client.some().unwrap()), "the download differs");
        });
        scope.spawn(|| {
            let mut client = Client::connect(listener);
            client.send(post(GIBIBYTE));
            emit(GIBIBYTE, |bytes| client.try_send(bytes).is_ok());
            assert_eq!(client.response().text(), "true", "the upload differs");
        });
    });
    assert_memory(&lbd);
    lbd.stop();
}

#[test]
fn slow_readers_hold_the_backend_back_and_lose_nothing() {
    const READERS: u64 = 16;
    const EACH: u64 = 64 * MEBIBYTE;
    let sent = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&sent);
    let backend = Backend::start(move |mut conn| {
        while conn.head().is_ok() {
            conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {EACH}\r\n\r\n"));
            emit(EACH, |bytes| {
                counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                conn.send(bytes)
            });
        }
    });
    let (lbd, listener) = start(&backend);
    let mut clients: Vec<Client> = (0..READERS).map(|_| Client::connect(listener)).collect();
    for client in &mut clients {
        client.send(GET);
    }
    // Nobody reads: the backends stop when the kernel's buffers are full, and lbd adds next to none of its own.
    let waiting = until_still("the backends are held back", || sent.load(Ordering::Relaxed));
    assert!(
        waiting < READERS * EACH / 2,
        "{waiting} bytes are buffered for readers that do not read"
    );
    assert_memory(&lbd);
    for client in &mut clients {
        client.head().unwrap();
        assert!(receive(EACH, || client.some().unwrap()), "a slow reader's bytes differ");
    }
    assert_memory(&lbd);
    lbd.stop();
}

#[test]
fn a_slow_backend_holds_the_client_back_and_loses_nothing() {
    const LENGTH: u64 = 256 * MEBIBYTE;
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let shut = Arc::clone(&gate);
    let backend = Backend::start(move |mut conn: Conn| {
        let Ok(_) = conn.head() else { return };
        drop(shut.1.wait_while(shut.0.lock().unwrap(), |open| !*open).unwrap());
        let right = receive(LENGTH, || conn.some().unwrap_or_default());
        conn.send(support::answer(200, "", format!("{right}").as_bytes()));
    });
    let (lbd, listener) = start(&backend);
    let (sent, done) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = Client::connect(listener);
            client.send(post(LENGTH));
            emit(LENGTH, |bytes| {
                sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                client.try_send(bytes).is_ok()
            });
            assert_eq!(client.response().text(), "true", "the upload differs");
            done.store(true, Ordering::Relaxed);
        });
        let waiting = until_still("the client is held back", || sent.load(Ordering::Relaxed));
        assert!(
            waiting < LENGTH / 2,
            "{waiting} bytes are buffered for a backend that does not read"
        );
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
    });
    assert!(done.load(Ordering::Relaxed));
    assert_memory(&lbd);
    lbd.stop();
}

const GET: &str = "GET / HTTP/1.1\r\nHost: test.example\r\n\r\n";

fn post(length: u64) -> String {
    format!("POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: {length}\r\n\r\n")
}

fn start(backend: &Backend) -> (Lbd, SocketAddr) {
    let listener = address();
    (
        Lbd::start(&Config::http(listener, &[backend.address()]).text()),
        listener,
    )
}

fn assert_memory(lbd: &Lbd) {
    let peak = lbd.memory_peak();
    println!("peak memory: {} KiB", peak / 1024);
    assert!(peak < MEMORY, "lbd took {peak} bytes");
}

/// Gives the first `length` bytes of the pattern to `send`, until it says no.
fn emit(length: u64, mut send: impl FnMut(&[u8]) -> bool) {
    let pattern = Pattern::new();
    let mut position = 0;
    while position < length {
        let bytes = pattern.at(position);
        let count = usize::try_from(length - position).unwrap().min(bytes.len());
        if !send(&bytes[..count]) {
            return;
        }
        position += count as u64;
    }
}

/// Are the next `length` bytes the pattern?
fn receive(length: u64, mut next: impl FnMut() -> Vec<u8>) -> bool {
    let pattern = Pattern::new();
    let mut position = 0;
    while position < length {
        let bytes = next();
        if bytes.is_empty() || !pattern.matches(position, &bytes) {
            return false;
        }
        position += bytes.len() as u64;
    }
    position == length
}
