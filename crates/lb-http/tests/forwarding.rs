//! Hop-by-hop fields and the client's address.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::forward::{Forward, PROTECTED, Sender, client_address, ends_here, request, response};
use lb_types::{Cidr, Fields};
use std::net::IpAddr;
use support::{fields, response_head, server_with};

fn how(peer: &str, trusted: bool) -> Forward<'static> {
    Forward {
        sender: sender(peer, "https", 8443),
        trusted,
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

#[test]
fn s_xff_03_statements_of_trusted_proxies_are_continued() {
    let said = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\nX-Forwarded-Proto: http\r\n\
        X-Forwarded-Host: shop\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\nX_Forwarded_For: 6.6.6.6\r\n";
    assert_eq!(
        forwarded(said, &how("192.0.2.1", true)),
        "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.1\r\nX-Forwarded-Proto: http\r\n\
        X-Forwarded-Host: shop\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\nX-Forwarded-Port: 8443\r\n"
    );
    assert!(forwarded("X-Forwarded-For:\r\n", &how("192.0.2.1", true)).starts_with("X-Forwarded-For: 192.0.2.1\r\n"));
    // A trusted proxy's statement cannot be removed through Connection.
    let removed = "Connection: X-Forwarded-For, X-Real-IP\r\nX-Forwarded-For: 1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\n";
    let kept = forwarded(removed, &how("192.0.2.1", true));
    assert!(
        kept.starts_with("X-Forwarded-For: 1.1.1.1, 192.0.2.1\r\nX-Real-IP: 1.1.1.1\r\n"),
        "{kept}"
    );
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
