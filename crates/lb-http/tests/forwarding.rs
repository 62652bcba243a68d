//! Hop-by-hop fields and the client's address.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::forward::{
    Forward, PROTECTED, Sender, Statements, client_address, ends_here, received_for, request, response,
};
use lb_types::{Cidr, Fields};
use std::net::IpAddr;
use support::{fields, response_head, server_with};

fn how(peer: &str, trusted: bool) -> Forward<'static> {
    Forward {
        sender: sender(peer, "https", 8443),
        trusted,
        statements: Statements::default(),
        keep_upgrade: false,
        keep_expect: true,
    }
}

fn sender(peer: &str, proto: &'static str, port: u16) -> &'static Sender {
    Box::leak(Box::new(Sender::new(peer.parse().unwrap(), proto, port)))
}

/// The fields of a request with `lines` after forwarding, `Host` left out.
fn forwarded(lines: &str, how: &Forward<'_>) -> String {
    let (_, mut head, _) = server_with(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes());
    request(&mut head, how).unwrap();
    fields(&head)
        .iter()
        .skip(1)
        .map(|(n, v)| format!("{n}: {v}\r\n"))
        .collect()
}

const FRESH: &str = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n";

#[test]
fn s_xff_01_the_backend_is_told_the_client_by_default() {
    assert_eq!(forwarded("", &how("192.0.2.1", false)), FRESH);
    assert_eq!(forwarded("", &how("192.0.2.1", true)), FRESH);
    assert!(forwarded("", &how("2001:db8::1", false)).starts_with("X-Forwarded-For: 2001:db8::1\r\n"));
    assert!(forwarded("", &how("::ffff:192.0.2.1", false)).starts_with("X-Forwarded-For: 192.0.2.1\r\n"));
}

#[test]
fn the_chain_is_known_as_it_came_whatever_became_of_it() {
    for (lines, want) in [
        ("", None),
        ("X-Forwarded-For: 6.6.6.6\r\n", Some("6.6.6.6")),
        (
            "A: b\r\nx-forwarded-FOR:\t6.6.6.6 ,\"7 \r\nX-Forwarded-For: 8.8.8.8\r\n",
            Some("6.6.6.6 ,\"7"),
        ),
        ("X-Forwarded-For:\r\nX-Forwarded-For: 8.8.8.8\r\n", Some("")),
        ("X_Forwarded_For: 6.6.6.6\r\n", None),
        ("X-Forwarded-For-2: 6.6.6.6\r\n", None),
    ] {
        for trusted in [false, true] {
            let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
            let (_, mut head, _) = server_with(text.as_bytes());
            let received =
                |head: &lb_http::Head| received_for(head).map(|value| String::from_utf8(value.to_vec()).unwrap());
            assert_eq!(received(&head).as_deref(), want, "{lines:?}");
            request(&mut head, &how("192.0.2.1", trusted)).unwrap();
            assert_eq!(received(&head).as_deref(), want, "{lines:?}, edited, {trusted}");
            head.clear();
            assert_eq!(received_for(&head), None);
        }
    }
    let mut made = lb_http::Head::with_capacity(64, 4);
    made.start_request(b"GET", b"/").unwrap();
    lb_types::FieldsMut::append(&mut made, "X-Forwarded-For", b"1.1.1.1").unwrap();
    assert_eq!(received_for(&made), None, "it never came");
}

#[test]
fn an_expectation_is_passed_on_only_where_a_body_follows() {
    let lines = "Expect: 100-continue\r\nexpect: 100-continue\r\n";
    let with_body = how("192.0.2.1", false);
    assert_eq!(forwarded(lines, &with_body), format!("{lines}{FRESH}"));
    let without = Forward {
        keep_expect: false,
        ..with_body
    };
    assert_eq!(forwarded(lines, &without), FRESH);
}

#[test]
fn s_xff_03_forged_statements_of_untrusted_peers_are_dropped() {
    let lies = "X-Forwarded-For: 10.0.0.1\r\nx-forwarded-for: 10.0.0.2\r\nX-Forwarded-Proto: http\r\n\
        X-Forwarded-Port: 1\r\nX-Forwarded-Host: evil\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n\
        X_Forwarded_For: 10.0.0.1\r\nX-Forwarded_For: 10.0.0.1\r\nx_real_ip: 10.0.0.1\r\nX_Forwarded_Proto: http\r\n\
        X.Forwarded.Host: evil\r\n";
    assert_eq!(forwarded(lies, &how("192.0.2.1", false)), FRESH);
    // Nor does naming them in Connection save them or remove ours.
    assert_eq!(
        forwarded(
            &format!("Connection: X-Forwarded-For\r\n{lies}"),
            &how("192.0.2.1", false)
        ),
        FRESH
    );
}

/// What untrusted clients may not say, whatever the switch for claims.
const FORWARDED: [&str; 18] = [
    "X-Forwarded",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Forwarded-Scheme",
    "X-Forwarded-Ssl",
    "X-Forwarded-User",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-By",
    "X-Forwarded-Path",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-For-Original",
    "X-Forwarded-Anything",
    "X_Forwarded_Prefix",
    "x_forwarded-ssl",
    "X.Forwarded.Server",
    "X_FORWARDED",
    "X-Forwarded_For",
];

const CLAIMS: [&str; 16] = [
    "X-Original-URL",
    "X_Original_URL",
    "X-Rewrite-URL",
    "X-Original-Host",
    "X-Host",
    "X-HTTP-Host-Override",
    "True-Client-IP",
    "X-Client-IP",
    "CF-Connecting-IP",
    "X-Cluster-Client-IP",
    "Client-IP",
    "Front-End-Https",
    "X-HTTP-Method-Override",
    "Client-Cert",
    "SSL-Client-Verify",
    "SSL_CLIENT_S_DN",
];

#[test]
fn s_xff_03_untrusted_peers_say_nothing_that_only_proxies_may_say() {
    let stranger = how("192.0.2.1", false);
    for name in FORWARDED {
        for name in [name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
            assert_eq!(
                forwarded(&format!("A: 1\r\n{name}: x\r\n"), &stranger),
                format!("A: 1\r\n{FRESH}")
            );
            let nominated = format!("Connection: close, {name}\r\n{name}: x\r\n{name}: y\r\n");
            assert_eq!(forwarded(&nominated, &stranger), FRESH, "{name}");
        }
    }
    let keeping = |trusted| Forward {
        statements: {
            let mut statements = Statements::default();
            statements.drop_claims = false;
            statements
        },
        ..how("192.0.2.1", trusted)
    };
    for name in CLAIMS {
        let line = format!("{name}: x\r\n");
        assert_eq!(forwarded(&line, &stranger), FRESH, "{name}");
        for kept in [keeping(false), keeping(true), how("192.0.2.1", true)] {
            assert_eq!(forwarded(&line, &kept), format!("{line}{FRESH}"), "{name}");
            let nominated = format!("Connection: {name}\r\n{line}");
            assert_eq!(forwarded(&nominated, &kept), format!("{line}{FRESH}"), "{name}");
        }
    }
    for name in FORWARDED {
        assert_eq!(forwarded(&format!("{name}: x\r\n"), &keeping(false)), FRESH, "{name}");
    }
    // Near misses are nobody's business.
    for name in [
        "X-Forwardedness",
        "X-Forward",
        "X-Requested-With",
        "X-Hostname",
        "Client-Ip-Address",
        "X-CSRF-Token",
    ] {
        let line = format!("{name}: x\r\n");
        assert_eq!(forwarded(&line, &stranger), format!("{line}{FRESH}"));
    }
}

#[test]
fn s_xff_03_statements_of_trusted_proxies_are_continued() {
    let said = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\nX-Forwarded-Proto: http\r\n\
        X-Forwarded-Host: shop\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\nX_Forwarded_For: 6.6.6.6\r\n\
        X-Forwarded-Prefix: /shop\r\nX_Forwarded_Prefix: /x\r\n";
    assert_eq!(
        forwarded(said, &how("192.0.2.1", true)),
        "X-Forwarded-For: 203.0.113.9, 10.0.0.1, 10.0.0.2, 192.0.2.1\r\nX-Forwarded-Proto: http\r\n\
        X-Forwarded-Host: shop\r\nForwarded: for=203.0.113.9, for=192.0.2.1\r\nX-Real-IP: 203.0.113.9\r\nX-Forwarded-Prefix: /shop\r\n\
        X-Forwarded-Port: 80\r\n"
    );
    // A trusted proxy's statement cannot be removed through Connection.
    let removed = "Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Prefix\r\nX-Forwarded-For: 1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\n\
        X-Forwarded-Prefix: /a\r\n";
    let kept = forwarded(removed, &how("192.0.2.1", true));
    assert!(
        kept.starts_with("X-Forwarded-For: 1.1.1.1, 192.0.2.1\r\nX-Real-IP: 1.1.1.1\r\nX-Forwarded-Prefix: /a\r\n"),
        "{kept}"
    );
}

#[test]
fn s_xff_03_lines_of_a_trusted_proxy_become_one_chain() {
    for (lines, want) in [
        // HAProxy's `option forwardfor` adds a line of its own, whatever the client sent.
        ("X-Forwarded-For:\r\nX-Forwarded-For: 7.7.7.7\r\n", "7.7.7.7, "),
        ("X-Forwarded-For: 7.7.7.7\r\nX-Forwarded-For:\r\n", "7.7.7.7, "),
        ("X-Forwarded-For:\r\n", ""),
        (
            "X-Forwarded-For:\r\nX-Forwarded-For: \t \r\nx-forwarded-for: ,, ,\r\n",
            "",
        ),
        ("X-Forwarded-For: 7.7.7.7,\r\n", "7.7.7.7, "),
        ("X-Forwarded-For: ,7.7.7.7 , ,\r\n", "7.7.7.7, "),
        (
            "X-Forwarded-For: 6.6.6.6,7.7.7.7\t,\t8.8.8.8\r\n",
            "6.6.6.6, 7.7.7.7, 8.8.8.8, ",
        ),
        (
            "X-Forwarded-For: 6.6.6.6\r\nA: 1\r\nX-FORWARDED-FOR: 7.7.7.7, 8.8.8.8\r\nX-Forwarded-For: 9.9.9.9\r\n",
            "6.6.6.6, 7.7.7.7, 8.8.8.8, 9.9.9.9, ",
        ),
        (
            "X-Forwarded-For: unknown, 7.7.7.7:4711, [2001:db8::7]:80\r\n",
            "unknown, 7.7.7.7:4711, [2001:db8::7]:80, ",
        ),
        ("X-Forwarded-For: a,b,c,d,e,f,g,h\r\n", "a, b, c, d, e, f, g, h, "),
    ] {
        let got = forwarded(lines, &how("192.0.2.1", true));
        assert!(got.contains(&format!("-For: {want}192.0.2.1\r\n")), "{lines:?}: {got}");
        assert_eq!(
            got.to_ascii_lowercase().matches("x-forwarded-for").count(),
            1,
            "{lines:?}: {got}"
        );
        // The client that we take it for is the one that a reader of the chain finds.
        let trusted: Vec<Cidr> = vec!["192.0.2.0/24".parse().unwrap()];
        let client = |lines: &str, peer: &str| {
            let (_, head, _) = server_with(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes());
            client_address(&head, peer.parse().unwrap(), &trusted)
        };
        assert_eq!(client(lines, "192.0.2.1"), client(&got, "192.0.2.77"), "{lines:?}");
    }
}

#[test]
fn s_xff_04_forwarded_of_a_trusted_proxy_is_extended() {
    for (lines, peer, want) in [
        (
            "Forwarded: for=1.1.1.1;proto=https\r\n",
            "192.0.2.1",
            "for=1.1.1.1;proto=https, for=192.0.2.1",
        ),
        (
            "Forwarded: for=1.1.1.1\r\n",
            "2001:db8::1",
            "for=1.1.1.1, for=\"[2001:db8::1]\"",
        ),
        (
            "Forwarded:\r\nForwarded: for=1.1.1.1\r\n",
            "192.0.2.1",
            "for=1.1.1.1, for=192.0.2.1",
        ),
        (
            "Forwarded: for=a,\r\nForwarded: for=b\r\n",
            "::ffff:192.0.2.1",
            "for=a, for=b, for=192.0.2.1",
        ),
        (
            "Forwarded: for=\"_a,,b\\\",\" ,for=c\r\n",
            "192.0.2.1",
            "for=\"_a,,b\\\",\", for=c, for=192.0.2.1",
        ),
    ] {
        let got = forwarded(lines, &how(peer, true));
        assert!(got.contains(&format!("Forwarded: {want}\r\n")), "{lines:?}: {got}");
    }
    let mut statements = Statements::default();
    statements.address = false;
    let silent = Forward {
        statements,
        ..how("192.0.2.1", true)
    };
    assert!(forwarded("Forwarded: for=a\r\n", &silent).starts_with("Forwarded: for=a\r\n"));
    assert!(!forwarded("", &how("192.0.2.1", true)).contains("\r\nForwarded:"));
}

#[test]
fn the_port_agrees_with_the_scheme_that_is_believed() {
    for (lines, port) in [
        ("X-Forwarded-Proto: https\r\n", Some("443")),
        ("X-Forwarded-Proto: HTTPS\r\n", Some("443")),
        ("X-Forwarded-Proto: wss\r\n", Some("443")),
        ("X-Forwarded-Proto: http\r\n", Some("80")),
        ("X-Forwarded-Proto: https, http\r\n", Some("443")),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n",
            Some("443"),
        ),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example:9443\r\n",
            Some("9443"),
        ),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: [::1]:9443, inner:1\r\n",
            Some("9443"),
        ),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Host: [::1]\r\n", Some("443")),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a:123456\r\n",
            Some("443"),
        ),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Host: a:\r\n", Some("443")),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n", Some("8443")),
        ("X-Forwarded-Port: 1\r\n", Some("1")),
        ("X-Forwarded-Proto: spdy\r\n", None),
        // An empty field says nothing: ours is sent, and what else was said holds.
        ("X-Forwarded-Proto:\r\n", Some("8443")),
        ("X-Forwarded-Proto: ,\r\n", Some("8443")),
        ("X-Forwarded-Proto:\r\nX-Forwarded-Proto: https\r\n", Some("443")),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Port:\r\n", Some("443")),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Port: \r\nX-Forwarded-Port:\r\n",
            Some("443"),
        ),
        ("X-Forwarded-Port:\r\n", Some("8443")),
        // A port that cannot be is none.
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.de:99999\r\n",
            Some("443"),
        ),
        (
            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.de:65535\r\n",
            Some("65535"),
        ),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Host: a.de:0\r\n", Some("443")),
        ("X-Forwarded-Proto: wss\r\n", Some("443")),
        ("X-Forwarded-Proto: ws\r\n", Some("80")),
        ("", Some("8443")),
        ("X-Forwarded-Host: shop.example:9443\r\n", Some("8443")),
    ] {
        let got = forwarded(lines, &how("192.0.2.1", true));
        let ports: Vec<&str> = got
            .lines()
            .filter_map(|line| line.strip_prefix("X-Forwarded-Port: "))
            .collect();
        assert_eq!(ports, port.into_iter().collect::<Vec<_>>(), "{lines:?}: {got}");
    }
    // What a stranger says of the scheme changes nothing.
    assert_eq!(
        forwarded("X-Forwarded-Proto: http\r\n", &how("192.0.2.1", false)),
        FRESH
    );
}

#[test]
fn a_statement_that_is_empty_or_no_port_counts_as_none() {
    let ours = "X-Forwarded-For: 192.0.2.1\r\n";
    for (lines, want) in [
        (
            "X-Forwarded-Proto:\r\n",
            format!("{ours}X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n"),
        ),
        (
            "X-Forwarded-Proto: ,\r\n",
            format!("{ours}X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n"),
        ),
        (
            "X-Forwarded-Port:\r\n",
            format!("{ours}X-Forwarded-Proto: https\r\nX-Forwarded-Port: 8443\r\n"),
        ),
        (
            "X-Forwarded-Proto:\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Proto:\r\n",
            format!("X-Forwarded-Proto: http\r\n{ours}X-Forwarded-Port: 80\r\n"),
        ),
        (
            "X-Forwarded-Port:\r\nX-Forwarded-Port: 81\r\n",
            format!("X-Forwarded-Port: 81\r\n{ours}X-Forwarded-Proto: https\r\n"),
        ),
    ] {
        assert_eq!(forwarded(lines, &how("192.0.2.1", true)), want, "{lines:?}");
    }
    for (host, port) in [
        ("a:0", 443),
        ("a:65535", 65_535),
        ("a:65536", 443),
        ("a:99999", 443),
        ("a:", 443),
        ("a:+80", 443),
    ] {
        let lines = format!("X-Forwarded-Proto: https\r\nX-Forwarded-Host: {host}\r\n");
        let want = format!("{lines}{ours}X-Forwarded-Port: {port}\r\n");
        assert_eq!(forwarded(&lines, &how("192.0.2.1", true)), want);
    }
}

#[test]
fn s_xff_04_each_statement_of_ours_can_be_left_out() {
    for bits in 0..8_u8 {
        let mut statements = Statements::default();
        (statements.address, statements.proto, statements.port) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let wanted: String = FRESH
            .split_inclusive("\r\n")
            .enumerate()
            .filter(|(place, _)| bits >> place & 1 != 0)
            .map(|(_, line)| line)
            .collect();
        for trusted in [false, true] {
            let how = Forward {
                statements,
                ..how("192.0.2.1", trusted)
            };
            let mut got: Vec<String> = forwarded("", &how).split_inclusive("\r\n").map(str::to_owned).collect();
            let mut wanted: Vec<String> = wanted.split_inclusive("\r\n").map(str::to_owned).collect();
            got.sort();
            wanted.sort();
            assert_eq!(got, wanted, "{bits:03b} {trusted}");
        }
        // Nobody else's is let through for that.
        let lies = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Port: 70\r\n";
        let stranger = Forward {
            statements,
            ..how("192.0.2.1", false)
        };
        assert_eq!(forwarded(lies, &stranger), wanted);
        // What a trusted proxy said stays as it is.
        let trusted = Forward {
            statements,
            ..how("192.0.2.1", true)
        };
        let address = if statements.address {
            "6.6.6.6, 192.0.2.1"
        } else {
            "6.6.6.6"
        };
        assert_eq!(forwarded(lies, &trusted), lies.replace("6.6.6.6", address));
    }
}

#[test]
fn s_xff_03_the_client_is_the_rightmost_untrusted_address() {
    let trusted: Vec<Cidr> = ["10.0.0.0/8", "100.64.0.0/10", "2001:db8::/32"]
        .iter()
        .map(|c| c.parse().unwrap())
        .collect();
    for (lines, peer, want) in [
        ("", "192.0.2.1", "192.0.2.1"),
        ("X-Forwarded-For: 1.1.1.1\r\n", "192.0.2.1", "192.0.2.1"),
        ("", "10.0.0.1", "10.0.0.1"),
        ("X-Forwarded-For: 1.1.1.1\r\n", "10.0.0.1", "1.1.1.1"),
        ("X-Forwarded-For: 6.6.6.6, 1.1.1.1\r\n", "10.0.0.1", "1.1.1.1"),
        (
            "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.9.9.9,100.97.136.231\r\n",
            "10.0.0.1",
            "1.1.1.1",
        ),
        (
            "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 10.1.1.1\r\n",
            "10.0.0.1",
            "1.1.1.1",
        ),
        ("X-Forwarded-For: 10.1.1.1, 10.2.2.2\r\n", "10.0.0.1", "10.1.1.1"),
        (
            "X-Forwarded-For: 6.6.6.6, garbage, 10.2.2.2\r\n",
            "10.0.0.1",
            "10.2.2.2",
        ),
        ("X-Forwarded-For: garbage\r\n", "10.0.0.1", "10.0.0.1"),
        ("X-Forwarded-For: ,, 1.1.1.1 ,,\r\n", "10.0.0.1", "1.1.1.1"),
        ("X-Forwarded-For: 1.1.1.1:4711\r\n", "::ffff:10.0.0.1", "1.1.1.1"),
        (
            "X-Forwarded-For: [2a00::1]:80, 2001:db8::2\r\n",
            "2001:db8::1",
            "2a00::1",
        ),
        ("X_Forwarded_For: 6.6.6.6\r\n", "10.0.0.1", "10.0.0.1"),
    ] {
        let (_, head, _) = server_with(format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").as_bytes());
        let got = client_address(&head, peer.parse().unwrap(), &trusted);
        assert_eq!(got, want.parse::<IpAddr>().unwrap(), "{lines:?} from {peer}");
    }
}

#[test]
fn hop_by_hop_fields_go_no_further() {
    let lines = "A: 1\r\nConnection: X-One, keep-alive\r\nX-One: 1\r\nB: 2\r\nconnection:x-two ,, X-Absent\r\nX-Two: 1\r\n\
        x-one: 2\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: websocket\r\n\
        HTTP2-Settings: x\r\nProxy-Authorization: Basic x\r\nProxy-Authenticate: x\r\nProxy: evil\r\nC: 3\r\n";
    assert_eq!(
        forwarded(lines, &how("192.0.2.1", false)),
        format!("A: 1\r\nB: 2\r\nC: 3\r\n{FRESH}")
    );
}

#[test]
fn connection_cannot_remove_itself_to_save_others() {
    let lines = "Connection: Connection\r\nConnection: X-One\r\nX-One: 1\r\n";
    assert_eq!(forwarded(lines, &how("192.0.2.1", false)), FRESH);
}

#[test]
fn connection_cannot_remove_what_others_rely_on() {
    for name in PROTECTED {
        if ["Host", "Content-Length"].contains(&name) || name.starts_with("X-") || name == "Forwarded" {
            continue; // refused when read, or shown above
        }
        let value = if name == "Expect" { "100-continue" } else { "x" };
        let line = format!("{}: {value}\r\n", name.to_ascii_uppercase());
        let kept = forwarded(&format!("Connection: {name}\r\n{line}"), &how("192.0.2.1", false));
        assert_eq!(kept, format!("{line}{FRESH}"));
    }
}

#[test]
fn hop_by_hop_fields_of_responses_go_no_further() {
    let text = b"HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
        Proxy-Authenticate: Basic\r\nUpgrade: h2\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n";
    let (mut head, _) = response_head(text);
    response(&mut head, false);
    assert_eq!(fields(&head), [("X".to_string(), "y".to_string())]);
    let (mut head, _) = response_head(text);
    response(&mut head, true);
    assert_eq!(head.first("upgrade"), Some(&b"h2"[..]));
}

#[test]
fn max_forwards_counts_down_for_options_only() {
    for (method, value, left, ends) in [
        ("OPTIONS", "1", "0", false),
        ("OPTIONS", "10", "9", false),
        ("OPTIONS", "0", "0", true),
        ("OPTIONS", "99999999", "65534", false),
        ("OPTIONS", "x", "x", false),
        ("OPTIONS", "", "", false),
        ("GET", "0", "0", false),
        ("GET", "7", "7", false),
    ] {
        let input = format!("{method} /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: {value}\r\n\r\n");
        let (_, mut head, _) = server_with(input.as_bytes());
        assert_eq!(ends_here(&head), ends, "{method} {value}");
        request(&mut head, &how("192.0.2.1", false)).unwrap();
        assert_eq!(head.first("max-forwards"), Some(left.as_bytes()), "{method} {value}");
    }
}

#[test]
fn ports_and_protocols_are_told_once() {
    let how = Forward {
        sender: sender("192.0.2.1", "http", 80),
        ..how("192.0.2.1", false)
    };
    assert_eq!(
        forwarded("", &how),
        "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n"
    );
}
