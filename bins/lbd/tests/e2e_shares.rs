//! Weighted shares, counted from outside: nginx as the backends, curl as the clients.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use support::{Config, Lbd, Nginx, address, curl, peer};

const REQUESTS: usize = 12_000;

#[test]
fn s_sched_sc3_weights_60_30_20_10_give_exactly_these_shares_with_any_number_of_workers() {
    let (Some(nginx), Some(curl)) = (peer("nginx"), peer("curl")) else {
        return;
    };
    let nginx = Nginx::start(&nginx, &["a", "b", "c", "d"]);
    for workers in [1, 2, 5] {
        let config = Config::http(address(), nginx.addresses())
            .weights(&[60, 30, 20, 10])
            .top(&format!("workers = {workers}"));
        let (lbd, target) = start(&config);
        let shares = count(&curl, &target, 12, REQUESTS / 12);
        // Of 120: 60, 30, 20, 10.
        let expected = [("a", 6_000), ("b", 3_000), ("c", 2_000), ("d", 1_000)];
        assert_eq!(
            shares,
            expected.map(|(name, count)| (name.to_owned(), count)).into(),
            "{workers} workers"
        );
        lbd.stop();
    }
}

#[test]
fn one_keep_alive_connection_gets_the_same_shares_as_many() {
    let (Some(nginx), Some(curl)) = (peer("nginx"), peer("curl")) else {
        return;
    };
    let nginx = Nginx::start(&nginx, &["a", "b", "c", "d"]);
    let (lbd, target) = start(&Config::http(address(), nginx.addresses()).weights(&[60, 30, 20, 10]));
    // Every window of 12 that begins with a cycle: 6, 3, 2, 1.
    for _ in 0..3 {
        let shares = count(&curl, &target, 1, 12);
        let expected = [("a", 6), ("b", 3), ("c", 2), ("d", 1)];
        assert_eq!(shares, expected.map(|(name, count)| (name.to_owned(), count)).into());
    }
    lbd.stop();
}

fn start(config: &Config) -> (Lbd, String) {
    let text = config.text();
    let lbd = Lbd::start(&text);
    let address = text
        .split("address = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    (lbd, address)
}

/// Runs so many curl processes at once, each with `each` requests over one connection, and counts the answers.
fn count(program: &Path, target: &str, processes: usize, each: usize) -> BTreeMap<String, usize> {
    let url = format!("http://{target}/[1-{each}]");
    let outputs: Vec<String> = thread::scope(|scope| {
        let one = || {
            let output = curl(program, [&url]);
            assert!(output.success, "curl: {}", output.errors);
            output.text
        };
        let running: Vec<_> = (0..processes).map(|_| scope.spawn(one)).collect();
        running.into_iter().map(|process| process.join().unwrap()).collect()
    });
    let mut shares = BTreeMap::new();
    for line in outputs.iter().flat_map(|output| output.lines()) {
        *shares.entry(line.to_owned()).or_default() += 1;
    }
    assert_eq!(shares.values().sum::<usize>(), processes * each);
    shares
}
