//! Whom a table knows after a reload: the clients of the strategy that reads its keys, and nobody else.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use support::{Backend, Client, Config, Lbd, address};

const COOKIE: &str = "{ kind = \"cookie_insert\" }";

/// A pool of two with these ways; clients are whom `X-Forwarded-For` names.
fn config(listener: SocketAddr, backends: &[Backend; 2], ways: &[&str]) -> String {
    Config::http(listener, &backends.each_ref().map(Backend::address))
        .listener("trusted_proxies = [\"127.0.0.0/8\"]")
        .pool(&format!("persistence = [{}]", ways.join(", ")))
        .text()
}

fn by_address(bits: u8, more: &str) -> String {
    format!("{{ kind = \"client_ip\", netmask_v4 = {bits}{more} }}")
}

/// The name of the backend that serves this client, who brings no cookie.
fn home(listener: SocketAddr, client: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: test.example\r\nX-Forwarded-For: {client}\r\n\r\n");
    Client::connect(listener).exchange(request).text()
}

#[test]
fn clients_stay_where_they_are_while_their_strategy_moves_about() {
    let backends = [Backend::saying("a"), Backend::saying("b")];
    let listener = address();
    let lbd = Lbd::start(&config(listener, &backends, &[&by_address(32, "")]));
    let clients: Vec<String> = (1..=20).map(|last| format!("192.0.2.{last}")).collect();
    let homes = || clients.iter().map(|client| home(listener, client)).collect::<Vec<_>>();
    let first = homes();
    assert!(
        first.contains(&"a".to_owned()) && first.contains(&"b".to_owned()),
        "{first:?}"
    );
    // A pick of anybody else moves the round, so that nobody comes home by chance.
    let mut stranger = 0;
    for ways in [
        vec![COOKIE, &by_address(32, "")],
        vec![&by_address(32, ""), COOKIE],
        vec![&by_address(
            32,
            ", capacity = 500, timeout = \"1h\", when_full = \"evict_oldest\"",
        )],
    ] {
        lbd.reload(&config(listener, &backends, &ways));
        stranger += 1;
        home(listener, &format!("198.51.100.{stranger}"));
        assert_eq!(homes(), first, "with {ways:?}");
    }
    lbd.stop();
}

#[test]
fn a_network_does_not_inherit_the_entry_of_its_first_address() {
    let backends = [Backend::saying("a"), Backend::saying("b")];
    let listener = address();
    let lbd = Lbd::start(&config(listener, &backends, &[&by_address(32, "")]));
    let of_one = home(listener, "192.0.2.0");
    lbd.reload(&config(listener, &backends, &[&by_address(24, "")]));
    // The round goes on, so whoever is new gets the other backend.
    let of_all = home(listener, "192.0.2.7");
    assert_ne!(of_all, of_one, "an entry of one address served its whole network");
    assert_eq!(home(listener, "192.0.2.0"), of_all);
    assert_eq!(home(listener, "192.0.2.255"), of_all);
    // And back: the entry of the network is none of the address.
    lbd.reload(&config(listener, &backends, &[COOKIE, &by_address(32, "")]));
    assert_eq!(home(listener, "192.0.2.0"), of_one);
    assert_eq!(home(listener, "192.0.2.255"), of_all, "the next in the round");
    lbd.stop();
}
