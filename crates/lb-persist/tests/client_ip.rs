//! Clients known by address: strategy and table together, as a proxy uses them.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use std::net::IpAddr;
use std::time::Duration;

use lb_persist::{ClientIp, ClientIpOptions, Facts, Key, NetmaskError, Recall, Strategy, Table, TableOptions};
use lb_types::BackendId;
use support::at;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn masked(mask: &str) -> ClientIp {
    ClientIp::new(ClientIpOptions::default().netmask(ip(mask)).unwrap()).unwrap()
}

/// One connection at `secs`: looks up, else lets the scheduler choose `candidate` and claims.
fn connect(strategy: &ClientIp, table: &mut Table, client: &str, candidate: u64, secs: u64) -> u64 {
    let now = at(secs);
    let Recall::Lookup(key) = strategy.recall(&Facts::new(ip(client)), now) else {
        panic!("no key")
    };
    let known = table.lookup(&key, now.mono);
    known
        .unwrap_or_else(|| table.claim(key, None, BackendId::from_u64(candidate), now.mono))
        .as_u64()
}

#[test]
fn an_address_alone_is_enough_to_stay_at_one_backend() {
    let strategy = ClientIp::new(ClientIpOptions::default()).unwrap();
    let mut table = Table::new(TableOptions::new(10, Duration::from_secs(60)));
    for connection in 0..20 {
        assert_eq!(
            connect(&strategy, &mut table, "192.0.2.1", 1 + connection % 4, connection),
            1
        );
    }
}

#[test]
fn s_persist_02_a_netmask_makes_a_network_one_client() {
    let strategy = masked("255.255.255.0");
    let mut table = Table::new(TableOptions::new(10, Duration::from_secs(60)));
    assert_eq!(connect(&strategy, &mut table, "192.168.1.1", 1, 0), 1);
    assert_eq!(connect(&strategy, &mut table, "192.168.1.254", 2, 1), 1);
    assert_eq!(connect(&strategy, &mut table, "192.168.2.1", 3, 2), 3);
    assert_eq!(table.len(), 2);
    // without a mask each address is its own client, IPv6 too
    let strategy = ClientIp::new(ClientIpOptions::default()).unwrap();
    assert_ne!(strategy.key(ip("192.168.1.1")), strategy.key(ip("192.168.1.2")));
    assert_ne!(strategy.key(ip("2001:db8::1")), strategy.key(ip("2001:db8::2")));
    // IPv6 has a prefix of its own
    let strategy = masked("ffff:ffff:ffff:ffff::");
    assert_eq!(strategy.key(ip("2001:db8::1")), strategy.key(ip("2001:db8::ffff:2")));
    assert_ne!(strategy.key(ip("2001:db8::1")), strategy.key(ip("2001:db8:0:1::1")));
    assert_ne!(strategy.key(ip("192.168.1.1")), strategy.key(ip("192.168.1.2")));
}

#[test]
fn v_10_the_key_of_192_168_1_1_with_24_bits_is_the_network() {
    assert_eq!(
        masked("255.255.255.0").key(ip("192.168.1.1")),
        Key::Client(ip("192.168.1.0"))
    );
    let carrier = masked("255.192.0.0");
    assert_eq!(carrier.key(ip("100.97.136.231")), Key::Client(ip("100.64.0.0")));
    assert_ne!(carrier.key(ip("100.128.0.1")), Key::Client(ip("100.64.0.0")));
}

#[test]
fn s_persist_03_a_gap_below_the_timeout_keeps_the_backend_and_a_longer_one_does_not() {
    let strategy = ClientIp::new(ClientIpOptions::default()).unwrap();
    let mut table = Table::new(TableOptions::new(10, Duration::from_secs(60)));
    assert_eq!(connect(&strategy, &mut table, "192.0.2.1", 1, 0), 1);
    // each use starts the gap anew: 59 + 59 seconds after the first use it is still there
    assert_eq!(connect(&strategy, &mut table, "192.0.2.1", 2, 59), 1);
    assert_eq!(connect(&strategy, &mut table, "192.0.2.1", 2, 118), 1);
    // 61 seconds: a new decision
    assert_eq!(connect(&strategy, &mut table, "192.0.2.1", 2, 179), 2);
    // exactly 60 seconds: documented as gone
    assert_eq!(connect(&strategy, &mut table, "192.0.2.1", 3, 239), 3);
}

#[test]
fn a_mapped_address_is_the_same_client_as_its_ipv4_address() {
    let strategy = masked("255.255.255.0");
    assert_eq!(strategy.key(ip("::ffff:192.168.1.9")), strategy.key(ip("192.168.1.1")));
}

#[test]
fn masks_with_gaps_and_prefixes_beyond_the_address_are_refused() {
    let mask = ip("255.0.255.0");
    assert_eq!(
        ClientIpOptions::default().netmask(mask),
        Err(NetmaskError::Gap { mask })
    );
    assert_eq!(ClientIpOptions::default().netmask(ip("0.0.0.0")).unwrap().prefix_v4, 0);
    let mut options = ClientIpOptions::default();
    options.prefix_v4 = 33;
    assert_eq!(
        ClientIp::new(options).unwrap_err(),
        NetmaskError::Prefix {
            prefix: 33,
            longest: 32
        }
    );
    let mut options = ClientIpOptions::default();
    options.prefix_v6 = 129;
    assert_eq!(
        ClientIp::new(options).unwrap_err().to_string(),
        "prefix length 129 is longer than the address (128 bits)"
    );
}

#[test]
fn only_what_changes_a_key_changes_its_shape() {
    let shape = |v4, v6| {
        let mut options = ClientIpOptions::default();
        (options.prefix_v4, options.prefix_v6) = (v4, v6);
        ClientIp::new(options).unwrap().key_shape().unwrap()
    };
    assert_eq!(shape(24, 64), shape(24, 64));
    assert_eq!(shape(32, 128), ClientIp::default().key_shape().unwrap());
    // 1 and 12, 11 and 2: the same digits
    for other in [shape(24, 65), shape(25, 64), shape(1, 12), shape(11, 2)] {
        assert_ne!(other, shape(24, 64));
    }
    assert_ne!(shape(1, 12), shape(11, 2));
    assert_eq!(shape(24, 64).to_string(), "client_ip 24 64");
    assert_ne!(lb_persist::KeyShape::new("header", "24 64"), shape(24, 64));
}

#[test]
fn who_needs_no_table_has_no_shape() {
    let by: &dyn Strategy = &lb_persist::HashBy::Parameter("id".into());
    assert_eq!(by.key_shape(), None);
}
