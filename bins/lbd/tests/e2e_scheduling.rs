//! Every algorithm through the program: who gets how much, and who is next when somebody is full, down or elsewhere.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use support::{ALGORITHMS, Backend, Client, Config, Lbd, address, get_all, until};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Backends that answer HTTP with their names.
fn saying(names: &[&str]) -> (Vec<Backend>, Vec<SocketAddr>) {
    let backends: Vec<_> = names.iter().map(|name| Backend::saying(name)).collect();
    let addresses = backends.iter().map(Backend::address).collect();
    (backends, addresses)
}

/// Backends that greet each TCP connection with their name and hold it until the client ends it.
fn holding(names: &[&str]) -> (Vec<Backend>, Vec<SocketAddr>) {
    let hold = |name: &str| {
        let name = name.to_owned();
        Backend::start(move |mut conn| {
            conn.send(&name);
            let _ = conn.await_end();
        })
    };
    let backends: Vec<_> = names.iter().map(|name| hold(name)).collect();
    let addresses = backends.iter().map(Backend::address).collect();
    (backends, addresses)
}

/// A connection, and the one letter that its backend greets with: it is counted before the next one begins.
fn hold(listener: SocketAddr) -> (char, Client) {
    let mut client = Client::connect(listener);
    let name = client.take(1).unwrap();
    (char::from(name[0]), client)
}

fn hold_many(listener: SocketAddr, count: usize) -> (String, Vec<Client>) {
    (0..count).map(|_| hold(listener)).unzip()
}

fn counted(names: &str) -> BTreeMap<char, usize> {
    let mut counts = BTreeMap::new();
    names.chars().for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

/// Every count of the program is back at zero, and it ends well.
fn finish(lbd: Lbd) {
    until("the counts are back to zero", || {
        let state = lbd.state();
        (state.sum("in_flight") == 0 && state.sum("active") == 0).then_some(())
    });
    lbd.stop();
}

fn shares<const N: usize>(counts: [usize; N]) -> BTreeMap<String, usize> {
    let named = NAMES.iter().zip(counts).filter(|(_, count)| *count > 0);
    named.map(|(name, count)| ((*name).to_owned(), count)).collect()
}

#[test]
fn turns_and_idle_least_connections_share_exactly_with_any_number_of_workers() {
    let (_backends, addresses) = saying(&NAMES);
    // Of 120 requests, one after the other: equal turns; by weights 4:3:2:1; ties of least_conn by the same turns.
    for (algorithm, expected) in [
        ("round_robin", [30, 30, 30, 30]),
        ("weighted_round_robin", [48, 36, 24, 12]),
        ("least_conn", [48, 36, 24, 12]),
    ] {
        let listener = address();
        let config = Config::http(listener, &addresses)
            .weights(&[4, 3, 2, 1])
            .top("workers = 3")
            .pool(&format!("algorithm = \"{algorithm}\""));
        let lbd = Lbd::start(&config.text());
        let found = if algorithm == "least_conn" {
            // Over one connection: another worker may not have counted the end of the last request yet.
            let mut client = Client::connect(listener);
            let mut found = BTreeMap::new();
            for _ in 0..120 {
                *found.entry(client.get("/").text()).or_default() += 1;
            }
            found
        } else {
            get_all(listener, 120)
        };
        assert_eq!(found, shares(expected), "{algorithm}");
        finish(lbd);
    }
}

#[test]
fn draws_share_by_weight_and_reach_everybody() {
    let (_backends, addresses) = saying(&NAMES);
    for algorithm in ["random", "two_choices"] {
        let listener = address();
        let config = Config::http(listener, &addresses)
            .weights(&[4, 3, 2, 1])
            .top("workers = 2")
            .pool(&format!("algorithm = \"{algorithm}\""));
        let lbd = Lbd::start(&config.text());
        let found = get_all(listener, 1_000);
        // Binomial, n = 1000: the deviation of a share of 0.4 is 15.5, so 90 is almost six of them.
        for (name, expected) in shares([400, 300, 200, 100]) {
            let count = found.get(&name).copied().unwrap_or(0);
            assert!(count.abs_diff(expected) < 90, "{algorithm}: {name} got {count} of 1000");
        }
        finish(lbd);
    }
}

#[test]
fn a_full_backend_is_passed_over_and_first_fills_one_after_the_other() {
    let (_backends, addresses) = holding(&["a", "b", "c"]);
    let listener = address();
    let config = Config::tcp(listener, &addresses)
        .backend(0, "max_connections = 2")
        .backend(1, "max_connections = 3")
        .top("workers = 2")
        .pool("algorithm = \"first\"");
    let lbd = Lbd::start(&config.text());
    let (names, mut held) = hold_many(listener, 8);
    assert_eq!(names, "aabbbccc");
    // Who leaves makes room.
    drop(held.remove(3));
    until("the place is free", || {
        lbd.state().backend(addresses[1]).contains("in_flight=2 ").then_some(())
    });
    let (name, again) = hold(listener);
    assert_eq!(name, 'b');
    drop((held, again));
    finish(lbd);
}

#[test]
fn every_algorithm_keeps_to_max_connections_and_refuses_only_when_all_are_full() {
    let (_backends, addresses) = holding(&NAMES);
    for algorithm in ALGORITHMS {
        let listener = address();
        let mut config = Config::tcp(listener, &addresses).pool(&format!("algorithm = \"{algorithm}\""));
        for (number, most) in [4, 3, 2, 1].into_iter().enumerate() {
            config = config.backend(number, &format!("max_connections = {most}"));
        }
        let lbd = Lbd::start(&config.text());
        let (names, held) = hold_many(listener, 10);
        assert_eq!(
            counted(&names),
            [('a', 4), ('b', 3), ('c', 2), ('d', 1)].into(),
            "{algorithm}"
        );
        assert!(
            Client::connect(listener).take(1).is_err(),
            "{algorithm}: the eleventh has no place"
        );
        drop(held);
        finish(lbd);
    }
}

#[test]
fn s_sched_sc2_a_third_server_gets_the_next_fifty_connections() {
    let (_backends, addresses) = holding(&["a", "b", "c"]);
    let listener = address();
    let config = |count: usize| {
        Config::tcp(listener, &addresses[..count])
            .weights(&vec![10; count])
            .top("workers = 2")
            .pool("algorithm = \"least_conn\"")
            .text()
    };
    let lbd = Lbd::start(&config(2));
    let (names, mut held) = hold_many(listener, 100);
    assert_eq!(counted(&names), [('a', 50), ('b', 50)].into());
    lbd.reload(&config(3));
    let (names, more) = hold_many(listener, 50);
    held.extend(more);
    assert_eq!(names, "c".repeat(50), "the third one catches up first");
    let (names, more) = hold_many(listener, 6);
    held.extend(more);
    assert_eq!(counted(&names), [('a', 2), ('b', 2), ('c', 2)].into());
    let state = lbd.state();
    for address in &addresses {
        assert!(
            state.backend(*address).contains("in_flight=52 "),
            "{}",
            state.backend(*address)
        );
    }
    drop(held);
    finish(lbd);
}

#[test]
fn s_sched_sc4_a_server_of_half_the_weight_holds_half_as_many_connections() {
    let (_backends, addresses) = holding(&["a", "b", "c", "d"]);
    let listener = address();
    // The twelve of the scenario are four here: 3 x w=10 and 1 x w=5, 70 connections: 20 each and 10 on the weak one.
    let config = Config::tcp(listener, &addresses)
        .weights(&[10, 10, 10, 5])
        .top("workers = 2")
        .pool("algorithm = \"least_conn\"");
    let lbd = Lbd::start(&config.text());
    let (names, held) = hold_many(listener, 70);
    assert_eq!(counted(&names), [('a', 20), ('b', 20), ('c', 20), ('d', 10)].into());
    drop(held);
    finish(lbd);
}

#[test]
fn two_choices_and_a_bounded_ring_keep_held_connections_even() {
    let (_backends, addresses) = holding(&NAMES);
    // 40 connections of one address: ceil(1.25 * 40 / 4) is the bound; unbounded, a ring gives one backend all of them.
    for (pool, most) in [
        ("algorithm = \"ring\"\nbounded_load_percent = 125", 13),
        ("algorithm = \"maglev\"\nbounded_load_percent = 125", 13),
        ("algorithm = \"two_choices\"", 16),
        ("algorithm = \"ring\"", 40),
    ] {
        let listener = address();
        let lbd = Lbd::start(&Config::tcp(listener, &addresses).pool(pool).text());
        let (names, held) = hold_many(listener, 40);
        let largest = counted(&names).into_values().max().unwrap();
        assert!(largest <= most, "{pool}: {names}");
        assert_eq!(most == 40, largest == 40, "{pool}: {names}");
        drop(held);
        finish(lbd);
    }
}

#[test]
fn a_backup_serves_when_the_others_are_full_or_down_and_steps_back() {
    let (mut backends, addresses) = holding(&["a", "b", "x"]);
    let listener = address();
    let config = Config::tcp(listener, &addresses)
        .backend(0, "max_connections = 1")
        .backend(1, "max_connections = 1")
        .backend(2, "backup = true")
        .pool("health = { kind = \"tcp\", interval = \"50ms\", rise = 1, fall = 1 }");
    let lbd = Lbd::start(&config.text());
    until("all are up", || lbd.state().pool_is("main", "Up").then_some(()));
    let (names, held) = hold_many(listener, 4);
    assert_eq!(counted(&names), [('a', 1), ('b', 1), ('x', 2)].into());
    drop(held);
    let free = |lbd: &Lbd| (lbd.state().sum("in_flight") == 0).then_some(());
    until("all are free", || free(&lbd));
    // Both of the first are gone: refused connections go to the backup at once, before health knows.
    let (b, a) = (backends.remove(1), backends.remove(0));
    a.stop();
    b.stop();
    let (names, held) = hold_many(listener, 3);
    assert_eq!(names, "xxx");
    drop(held);
    let again = Backend::start_at(addresses[0], |mut conn| {
        conn.send("a");
        let _ = conn.await_end();
    });
    until("a is up again", || {
        let state = lbd.state();
        let line = state.backend(addresses[0]);
        (line.contains("status=Up") && !line.contains("passed_over")).then_some(())
    });
    until("all are free", || free(&lbd));
    assert_eq!(hold(listener).0, 'a');
    drop(again);
    finish(lbd);
}

#[test]
fn the_own_zone_serves_first_and_overflows_when_it_is_full() {
    let (_backends, addresses) = holding(&["n", "m", "f"]);
    let listener = address();
    let config = Config::tcp(listener, &addresses)
        .top("zone = \"eu-1a\"")
        .backend(0, "zone = \"eu-1a\", max_connections = 2")
        .backend(1, "zone = \"eu-1a\", max_connections = 2")
        .backend(2, "zone = \"eu-1b\"");
    let lbd = Lbd::start(&config.text());
    let (names, held) = hold_many(listener, 6);
    assert_eq!(names[..4].matches('f').count(), 0, "{names}");
    assert_eq!(&names[4..], "ff");
    drop(held);
    until("all are free", || (lbd.state().sum("in_flight") == 0).then_some(()));
    assert_ne!(hold(listener).0, 'f', "back home");
    finish(lbd);
}

#[test]
fn s_sched_14_known_clients_leave_the_round_of_new_ones_alone() {
    let (_backends, addresses) = saying(&["a", "b", "c"]);
    let listener = address();
    let config = Config::http(listener, &addresses)
        .top("workers = 2")
        .pool("persistence = { kind = \"cookie_insert\", secret = \"correct horse battery staple\" }");
    let lbd = Lbd::start(&config.text());
    let new = || {
        let response = Client::connect(listener).get("/");
        let cookie = response
            .get("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        (response.text(), cookie)
    };
    let (first, cookie) = new();
    for expected in ["b", "c", "a", "b"] {
        let mut known = Client::connect(listener);
        for _ in 0..7 {
            let request = format!("GET / HTTP/1.1\r\nHost: h\r\nCookie: {cookie}\r\n\r\n");
            assert_eq!(known.exchange(request).text(), first);
        }
        assert_eq!(new().0, expected, "the round goes on where it stood");
    }
    finish(lbd);
}

#[test]
fn the_one_liner_takes_an_algorithm() {
    let (_backends, addresses) = saying(&["a", "b"]);
    let listener = address();
    let (listen, [one, other]) = (listener.to_string(), [0, 1].map(|n: usize| addresses[n].to_string()));
    let arguments = [
        "run",
        "--listen",
        &listen,
        "--to",
        &one,
        "--to",
        &other,
        "--algorithm",
        "first",
    ];
    let lbd = Lbd::start_with(&arguments, &[listener]);
    assert_eq!(get_all(listener, 20), [("a".to_owned(), 20)].into());
    assert!(lbd.stdout().contains("algorithm = \"first\""), "{}", lbd.stdout());
    finish(lbd);
}
