//! What requests are placed by. Expected hashes come from another implementation of SipHash-2-4.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use std::collections::HashSet;
use std::hash::Hasher;
use std::net::IpAddr;

use lb_persist::{ClientIp, ClientIpOptions, Facts, HashBy, Recall, Strategy};
use proptest::prelude::*;
use siphasher::sip::SipHasher24;
use support::{Lines, at};

/// `lbd hash`, read as a big-endian number.
const SEED: u64 = 0x6c62_6420_6861_7368;

fn siphash(seed: u64, bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(seed, 0);
    hasher.write(bytes);
    hasher.finish()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn request(by: &HashBy, target: &str, lines: &[(&str, &str)]) -> Option<u64> {
    let lines = Lines::new(lines);
    by.hash(&Facts {
        target: Some(target.as_bytes()),
        fields: Some(&lines),
        ..Facts::new(ip("192.0.2.1"))
    })
}

fn source(v4: u8, v6: u8) -> HashBy {
    let mut options = ClientIpOptions::default();
    options.prefix_v4 = v4;
    options.prefix_v6 = v6;
    HashBy::Source(ClientIp::new(options).unwrap())
}

#[test]
fn s_persist_08_the_hash_of_a_source_needs_no_table_and_never_changes() {
    assert_eq!(HashBy::SEED, SEED);
    let by = source(32, 128);
    let hash = |by: &HashBy, client| by.recall(&Facts::new(ip(client)), at(0));
    assert_eq!(
        hash(&by, "192.0.2.7"),
        Recall::Hash(siphash(SEED, &[192, 0, 2, 7])),
        "the four bytes of the address"
    );
    assert_eq!(hash(&by, "::ffff:192.0.2.7"), hash(&by, "192.0.2.7"));
    let v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    assert_eq!(hash(&by, "2001:db8::9"), Recall::Hash(siphash(SEED, &v6)));
    // nginx's ip_hash: three octets
    let by = source(24, 64);
    assert_eq!(
        hash(&by, "192.0.2.7"),
        Recall::Hash(siphash(SEED, &[192, 0, 2, 0])),
        "what the mask takes away is zero"
    );
    assert_eq!(hash(&by, "192.0.2.200"), hash(&by, "192.0.2.7"));
    assert_ne!(hash(&by, "192.0.3.7"), hash(&by, "192.0.2.7"));
    assert_eq!(hash(&by, "2001:db8::9"), hash(&by, "2001:db8::ffff:1"));
    // the same client has a table's strategy, under another name
    assert!(matches!(
        ClientIp::default().recall(&Facts::new(ip("192.0.2.7")), at(0)),
        Recall::Lookup(_)
    ));
}

#[test]
fn s_persist_48_a_url_is_its_host_and_path() {
    let by = HashBy::Url { query: false };
    let host = [("Host", "static.example.com")];
    let plain = request(&by, "/logo.png", &host);
    assert_eq!(
        plain,
        Some(siphash(siphash(SEED, b"static.example.com"), b"/logo.png")),
        "the hash of the host is the seed for the path"
    );
    for (same, lines) in [
        ("/logo.png?v=2", &host[..]),
        ("/logo.png", &[("host", "STATIC.Example.com:8080")]),
        ("http://static.example.com/logo.png", &[]),
        (
            "http://static.example.com:80/logo.png?x",
            &[("Host", "ignored.example")],
        ),
    ] {
        assert_eq!(request(&by, same, lines), plain, "{same}");
    }
    for other in ["/Logo.png", "/logo.png/", "/logo%2epng", "/"] {
        assert_ne!(request(&by, other, &host), plain, "{other}");
    }
    assert_ne!(request(&by, "/logo.png", &[("Host", "other.example.com")]), plain);
    assert_ne!(request(&by, "/logo.png", &[]), plain);
}

#[test]
fn a_url_may_be_taken_with_its_query() {
    let by = HashBy::Url { query: true };
    let host = [("Host", "a")];
    assert_eq!(
        request(&by, "/x?a=1", &host),
        Some(siphash(siphash(SEED, b"a"), b"/x?a=1"))
    );
    assert_ne!(request(&by, "/x?a=1", &host), request(&by, "/x?a=2", &host));
    assert_eq!(
        request(&by, "http://a?q", &[]),
        Some(siphash(siphash(SEED, b"a"), b"?q"))
    );
}

#[test]
fn forms_of_a_target_without_a_path_stand_for_themselves() {
    let by = HashBy::Url { query: false };
    let host = [("Host", "[2001:DB8::1]:80")];
    let seed = siphash(SEED, b"[2001:db8::1]");
    assert_eq!(request(&by, "*", &host), Some(siphash(seed, b"*")));
    assert_eq!(request(&by, "http://[2001:db8::1]:80", &[]), Some(siphash(seed, b"")));
    assert_eq!(by.hash(&Facts::new(ip("192.0.2.1"))), None, "no request, no URL");
}

#[test]
fn a_parameter_is_the_first_of_its_name_in_the_query() {
    let by = HashBy::Parameter("id".into());
    let value = |text: &str| Some(siphash(SEED, text.as_bytes()));
    for (target, want) in [
        ("/basket?id=7", value("7")),
        ("/basket?x=1&id=7&id=8", value("7")),
        ("/basket?xid=1&id=a%20b", value("a%20b")),
        ("/basket?id=7#id=9", value("7")),
        ("/basket?id=a=b", value("a=b")),
        ("http://h/basket?id=7", value("7")),
        ("/basket?id=", None),
        ("/basket?id", None),
        ("/basket?ID=7", None),
        ("/basket?idx=7", None),
        ("/id=7", None),
        ("/basket", None),
    ] {
        assert_eq!(request(&by, target, &[]), want, "{target}");
    }
}

#[test]
fn a_header_and_a_cookie_are_places_too() {
    let header = HashBy::Header("X-User".into());
    let value = |text: &str| Some(siphash(SEED, text.as_bytes()));
    assert_eq!(
        request(&header, "/", &[("x-user", "ann"), ("X-User", "bob")]),
        value("ann")
    );
    assert_eq!(request(&header, "/", &[("X-User", "")]), None);
    assert_eq!(request(&header, "/", &[]), None);
    let cookie = HashBy::Cookie("sid".into());
    assert_eq!(
        request(&cookie, "/", &[("Cookie", "a=b; sid=\"q1\"; sid=q2")]),
        value("q1")
    );
    assert_eq!(
        request(&cookie, "/", &[("Cookie", "a=b"), ("Cookie", "sid=q2")]),
        value("q2")
    );
    assert_eq!(request(&cookie, "/", &[("Cookie", "sid=; SID=1")]), None);
    assert_eq!(header.recall(&Facts::new(ip("192.0.2.1")), at(0)), Recall::Nothing);
}

#[test]
fn a_host_of_any_length_is_hashed_piece_by_piece() {
    let by = HashBy::Url { query: false };
    let long = "A".repeat(300);
    let seed = siphash(siphash(SEED, "a".repeat(256).as_bytes()), "a".repeat(44).as_bytes());
    assert_eq!(request(&by, "/", &[("Host", &long)]), Some(siphash(seed, b"/")));
}

proptest! {
    #[test]
    fn no_request_makes_it_panic(target in proptest::collection::vec(any::<u8>(), 0..80), value in "\\PC{0,40}", v4 in 0_u8..=32) {
        let lines = Lines::new(&[("Host", &value), ("Cookie", &value), ("X", &value)]);
        let facts = Facts { target: Some(&target), fields: Some(&lines), ..Facts::new(ip("192.0.2.1")) };
        for by in [
            source(v4, 64), HashBy::Url { query: false }, HashBy::Url { query: true },
            HashBy::Parameter("a".into()), HashBy::Header("x".into()), HashBy::Cookie("a".into()),
        ] {
            prop_assert_eq!(by.hash(&facts), by.hash(&facts));
        }
    }
}

#[test]
fn ten_thousand_values_have_ten_thousand_places() {
    let by = HashBy::Parameter("id".into());
    let places: HashSet<_> = (0..10_000)
        .map(|id| request(&by, &format!("/?id={id}"), &[]).unwrap())
        .collect();
    assert_eq!(places.len(), 10_000);
}
