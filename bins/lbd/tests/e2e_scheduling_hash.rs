//! Placing by hash through the program: what belongs together stays together, and few move when backends change.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use support::{Backend, Client, Config, Lbd, address, until};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const HASHING: [&str; 3] = ["ring", "maglev", "rendezvous"];

/// Backends that answer with their names: HTTP requests, and TCP connections that begin with `tcp`.
fn saying(names: &[&str]) -> (Vec<Backend>, Vec<SocketAddr>) {
    let backends: Vec<_> = names.iter().map(|name| Backend::saying(name)).collect();
    let addresses = backends.iter().map(Backend::address).collect();
    (backends, addresses)
}

fn config(listener: SocketAddr, addresses: &[SocketAddr], pool: &str) -> Config {
    Config::http(listener, addresses)
        .names(&NAMES[..addresses.len()])
        .top("workers = 2")
        .pool(pool)
}

/// Who answers each target, over a new connection every twenty requests.
fn places(listener: SocketAddr, targets: &[String]) -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    for some in targets.chunks(20) {
        let mut client = Client::connect(listener);
        for target in some {
            let response = client.get(target);
            assert_eq!(response.status(), 200, "{response:?}");
            places.insert(target.clone(), response.text());
        }
    }
    places
}

/// Who answers a client at 127.0.1.`last`.
fn place_of(listener: SocketAddr, last: u8) -> String {
    let source = IpAddr::V4(Ipv4Addr::new(127, 0, 1, last));
    let response = Client::connect_from(source, listener).get("/");
    assert_eq!(response.status(), 200, "{response:?}");
    response.text()
}

fn finish(lbd: Lbd) {
    until("the counts are back to zero", || {
        let state = lbd.state();
        (state.sum("in_flight") == 0 && state.sum("active") == 0).then_some(())
    });
    lbd.stop();
}

fn moved(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let pairs = before.iter().zip(after);
    let moved = pairs.filter(|((_, from), (_, to))| from != to);
    moved.map(|((_, from), (_, to))| (from.clone(), to.clone())).collect()
}

#[test]
fn s_persist_48_a_url_stays_at_its_cache_when_others_come_and_go() {
    let (_backends, addresses) = saying(&NAMES);
    let urls: Vec<String> = (0..400).map(|n| format!("/images/{n}.png")).collect();
    for algorithm in HASHING {
        let listener = address();
        let pool = format!("algorithm = \"{algorithm}\"\nhash = \"url\"");
        let file = |count: usize| config(listener, &addresses[..count], &pool).text();
        let lbd = Lbd::start(&file(4));
        let four = places(listener, &urls);
        let shares: BTreeSet<&String> = four.values().collect();
        assert_eq!(shares.len(), 4, "{algorithm}: every cache has its part");
        // The query is no part of the URL here, and another connection changes nothing.
        let queries: Vec<String> = urls.iter().map(|url| format!("{url}?v=2")).collect();
        let again: Vec<String> = places(listener, &queries).into_values().collect();
        let mut expected: Vec<(String, &String)> = four.iter().map(|(url, at)| (format!("{url}?v=2"), at)).collect();
        expected.sort();
        assert!(again.iter().eq(expected.into_iter().map(|(_, at)| at)), "{algorithm}");
        // A fifth one: about a fifth moves, and only to it (Maglev: a few of the others, too).
        lbd.reload(&file(5));
        let five = places(listener, &urls);
        let came = moved(&four, &five);
        // Mean 80, deviation 8 for a fair draw; a ring of 160 points is within 8 % (one deviation).
        assert!((40..=130).contains(&came.len()), "{algorithm}: {} of 400", came.len());
        let elsewhere = came.iter().filter(|(_, to)| to != "e").count();
        assert!(
            elsewhere <= if algorithm == "maglev" { 20 } else { 0 },
            "{algorithm}: {came:?}"
        );
        // And gone again: everybody is where he was.
        lbd.reload(&file(4));
        assert_eq!(places(listener, &urls), four, "{algorithm}");
        finish(lbd);
    }
}

#[test]
fn s_persist_08_a_table_keeps_everybody_when_a_backend_is_added_and_a_hash_survives_a_restart() {
    let (_backends, addresses) = saying(&NAMES);
    let clients = || 1..=100_u8;
    let listener = address();
    let where_they_are = |listener| -> BTreeMap<String, String> {
        clients()
            .map(|last| (format!("{last:03}"), place_of(listener, last)))
            .collect()
    };
    // The table: nobody moves, and the new backend gets only new clients.
    let table = "persistence = { kind = \"client_ip\" }";
    let file = |pool: &str, count: usize| config(listener, &addresses[..count], pool).text();
    let lbd = Lbd::start(&file(table, 4));
    let four = where_they_are(listener);
    lbd.reload(&file(table, 5));
    assert_eq!(where_they_are(listener), four, "a table moves nobody");
    finish(lbd);
    // The hash: about a fifth moves, all of them to the new one.
    let hash = "algorithm = \"ring\"\nhash = \"source\"";
    let lbd = Lbd::start(&file(hash, 4));
    let four = where_they_are(listener);
    lbd.reload(&file(hash, 5));
    let came = moved(&four, &where_they_are(listener));
    assert!((5..=40).contains(&came.len()), "{} of 100", came.len());
    assert!(came.iter().all(|(_, to)| to == "e"), "{came:?}");
    finish(lbd);
    // Another process, without any memory, agrees on every place.
    let lbd = Lbd::start(&file(hash, 4));
    assert_eq!(where_they_are(listener), four, "a hash needs no memory");
    finish(lbd);
}

#[test]
fn a_table_wins_over_the_hash_which_places_those_who_are_new() {
    let (_backends, addresses) = saying(&NAMES[..4]);
    let listener = address();
    let file = |pool: &str| config(listener, &addresses, pool).text();
    let hashed = "algorithm = \"rendezvous\"\nhash = { parameter = \"id\" }";
    let lbd = Lbd::start(&file(hashed));
    let targets: Vec<String> = (0..40).map(|n| format!("/?x=1&id={n}")).collect();
    let places = places(listener, &targets);
    let (one, home) = places.first_key_value().unwrap();
    let (other, elsewhere) = places.iter().find(|(_, at)| *at != home).unwrap();
    // With a table the address decides: whatever the parameter says, everything follows the first request.
    lbd.reload(&file(&format!("{hashed}\npersistence = {{ kind = \"client_ip\" }}")));
    let mut client = Client::connect(listener);
    assert_eq!(&client.get(one).text(), home, "a new client goes where the hash leads");
    for _ in 0..5 {
        assert_eq!(
            &client.get(other).text(),
            home,
            "and stays, though {other} belongs to {elsewhere}"
        );
    }
    drop(client);
    finish(lbd);
}

#[test]
fn parameters_headers_and_cookies_place_requests_and_without_them_chance_does() {
    let (_backends, addresses) = saying(&NAMES[..4]);
    // Each value in the given form; other parts of the request vary.
    let parameter: fn(usize, usize) -> String =
        |id, n| format!("GET /{n}?n={n}&id={id} HTTP/1.1\r\nHost: h{n}\r\n\r\n");
    let header: fn(usize, usize) -> String = |id, n| format!("GET /{n} HTTP/1.1\r\nHost: h\r\nx-user: u{id}\r\n\r\n");
    let cookie: fn(usize, usize) -> String =
        |id, n| format!("GET / HTTP/1.1\r\nHost: h\r\nCookie: a={n}; sid={id}\r\n\r\n");
    for (by, request) in [
        ("{ parameter = \"id\" }", parameter),
        ("{ header = \"X-User\" }", header),
        ("{ cookie = \"sid\" }", cookie),
    ] {
        for algorithm in HASHING {
            let listener = address();
            let pool = format!("algorithm = \"{algorithm}\"\nhash = {by}");
            let lbd = Lbd::start(&config(listener, &addresses, &pool).text());
            let mut used = BTreeSet::new();
            let mut clients = [Client::connect(listener), Client::connect(listener)];
            for id in 0..24 {
                let mut answers = BTreeSet::new();
                for n in 0..6 {
                    answers.insert(clients[n % 2].exchange(request(id, n)).text());
                }
                assert_eq!(answers.len(), 1, "{algorithm} by {by}: {id} was split over {answers:?}");
                used.extend(answers);
            }
            assert!(used.len() >= 3, "{algorithm} by {by}: only {used:?}");
            // 24 draws miss one of four with a chance of 4 * 0.75^24 = 0.4 %; 60 draws practically never.
            let chance: BTreeSet<String> = (0..60)
                .map(|_| clients[0].exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").text())
                .collect();
            assert_eq!(chance.len(), 4, "{algorithm} by {by}: without a value");
            drop(clients);
            finish(lbd);
        }
    }
}

#[test]
fn a_tcp_and_an_http_listener_lead_one_address_to_one_backend() {
    let (_backends, addresses) = saying(&NAMES[..4]);
    let (http, tcp) = (address(), address());
    let pool = "algorithm = \"maglev\"";
    let file = config(http, &addresses, pool).rest(&format!(
        "[[listeners]]\nname = \"plain\"\nprotocol = \"tcp\"\naddress = \"{tcp}\"\npool = \"main\""
    ));
    let lbd = Lbd::start(&file.text());
    let mut used = BTreeSet::new();
    for last in 1..=30 {
        let at = place_of(http, last);
        assert_eq!(place_of(tcp, last), at, "127.0.1.{last}");
        used.insert(at);
    }
    assert!(used.len() >= 3, "{used:?}");
    finish(lbd);
}

#[test]
fn behind_a_trusted_proxy_the_client_is_the_one_it_names() {
    let (_backends, addresses) = saying(&NAMES[..4]);
    let listener = address();
    let file = config(listener, &addresses, "algorithm = \"ring\"").listener("trusted_proxies = [\"127.0.0.1\"]");
    let lbd = Lbd::start(&file.text());
    let mut client = Client::connect(listener);
    let mut ask = |name: u8| {
        let request = format!("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 127.0.1.{name}\r\n\r\n");
        client.exchange(request).text()
    };
    let direct: Vec<String> = (1..=20).map(|last| place_of(listener, last)).collect();
    let named: Vec<String> = (1..=20).map(&mut ask).collect();
    assert_eq!(named, direct);
    drop(client);
    finish(lbd);
}
