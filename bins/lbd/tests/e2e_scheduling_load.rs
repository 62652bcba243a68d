//! Backends killed, slowed and added under load, with every algorithm: no request is lost that need not be.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use support::{ALGORITHMS, Backend, Config, Lbd, Load, address, answer, until};

const HEALTH: &str = "health = { kind = \"tcp\", interval = \"50ms\", rise = 1, fall = 1 }";
/// Every request may be repeated; by default only a fifth of them.
const RETRIES: &str = "retries = { attempts = 3, budget_percent = 100 }";

/// A backend that takes as long as it is told, in milliseconds.
fn taking(millis: &Arc<AtomicU64>) -> Backend {
    let millis = Arc::clone(millis);
    let bytes = answer(200, "", b"here");
    Backend::http(move |_| {
        let service = Duration::from_millis(millis.load(Ordering::SeqCst));
        if !service.is_zero() {
            thread::park_timeout(service); // its service time, not a wait for something
        }
        bytes.clone()
    })
}

fn addresses(backends: &[&Backend]) -> Vec<SocketAddr> {
    backends.iter().map(|backend| backend.address()).collect()
}

fn await_good(load: &Load, more: u64) {
    let before = load.good();
    until("the load goes on", || (load.good() >= before + more).then_some(()));
}

fn finish(lbd: Lbd) {
    until("the counts are back to zero", || {
        let state = lbd.state();
        (state.sum("in_flight") == 0 && state.sum("active") == 0).then_some(())
    });
    lbd.stop();
}

#[test]
fn backends_are_killed_slowed_and_added_under_load_without_an_error() {
    for algorithm in ALGORITHMS {
        let pace = [(); 4].map(|()| Arc::new(AtomicU64::new(0)));
        let [a, b, c, d] = pace.each_ref().map(taking);
        let listener = address();
        let file = |backends: &[&Backend]| {
            let mut config = Config::http(listener, &addresses(backends))
                .top("workers = 2")
                .pool(&format!("algorithm = \"{algorithm}\""))
                .pool(HEALTH)
                .pool(RETRIES);
            // So that `first`, too, needs more than one of them.
            for number in 0..backends.len() {
                config = config.backend(number, "max_connections = 3");
            }
            config.text()
        };
        let lbd = Lbd::start(&file(&[&a, &b, &c]));
        until("all are up", || lbd.state().pool_is("main", "Up").then_some(()));
        let load = Load::start(listener, 4, 25);
        await_good(&load, 100);
        pace[1].store(20, Ordering::SeqCst);
        await_good(&load, 50);
        let address_of_a = a.address();
        a.stop();
        until("a is known to be down", || {
            lbd.state().backend(address_of_a).contains("status=Down").then_some(())
        });
        await_good(&load, 50);
        lbd.reload(&file(&[&b, &c, &d]));
        await_good(&load, 50);
        pace[1].store(0, Ordering::SeqCst);
        await_good(&load, 100);
        let (good, bad) = load.stop();
        assert!(
            bad.is_empty(),
            "{algorithm}: {} of {good} failed:\n{}",
            bad.len(),
            bad.join("\n")
        );
        finish(lbd);
    }
}

#[test]
fn peak_ewma_spares_a_slow_backend_that_round_robin_asks_as_often_as_the_others() {
    let share_of_the_slow_one = |algorithm: &str| {
        let quick = Arc::new(AtomicU64::new(0));
        let slow = Arc::new(AtomicU64::new(20));
        let backends = [taking(&quick), taking(&quick), taking(&slow)];
        let listener = address();
        let config = Config::http(listener, &backends.each_ref().map(Backend::address))
            .pool(&format!("algorithm = \"{algorithm}\""));
        let lbd = Lbd::start(&config.text());
        let load = Load::start(listener, 4, 50);
        await_good(&load, 240);
        let (good, bad) = load.stop();
        assert!(bad.is_empty(), "{bad:?}");
        let counts = backends.each_ref().map(Backend::requests);
        println!("{algorithm}: {counts:?} of {good}");
        finish(lbd);
        counts[2] * 100 / good
    };
    let (turns, ewma) = (share_of_the_slow_one("round_robin"), share_of_the_slow_one("peak_ewma"));
    assert!((32..=34).contains(&turns), "{turns} %");
    // Asked once to learn it, and now and then by those who found two slow ones.
    assert!(ewma <= 15, "{ewma} %");
}

#[test]
fn a_backend_that_refuses_does_not_look_fast() {
    // Refusals are quicker than any answer: without a price for them, latency would lead everybody there.
    let gone = address();
    let quick = Arc::new(AtomicU64::new(0));
    let backends = [taking(&quick), taking(&quick)];
    let listener = address();
    let mut all = addresses(&[&backends[0], &backends[1]]);
    all.push(gone);
    let config = Config::http(listener, &all)
        .top("workers = 1")
        .pool("algorithm = \"peak_ewma\"")
        .pool(RETRIES);
    let lbd = Lbd::start(&config.text());
    let load = Load::start(listener, 2, 50);
    await_good(&load, 400);
    let (good, bad) = load.stop();
    assert!(bad.is_empty(), "{bad:?}");
    let state = lbd.state();
    let retries = state.sum("retries");
    println!("{retries} retries for {good} requests");
    assert!(
        retries * 20 <= good,
        "{retries} of {good} were sent to a backend that refuses"
    );
    finish(lbd);
}
