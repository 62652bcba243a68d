//! What comes before a request costs no allocation; only a hello that is split over records costs one.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod support;

use allocation_counter::measure;
use lb_preface::client_hello::{self, Limits};
use lb_preface::{proxy, server_hello, sniff};
use std::hint::black_box;
use support::{Hello, captured, message, records};

#[test]
fn a_header_of_a_proxy_allocates_nothing() {
    for name in ["proxy-haproxy-2.6-v1", "proxy-haproxy-2.6-v2-all"] {
        let bytes = captured(name);
        let counted = measure(|| {
            let header = proxy::parse(&bytes, proxy::Limits::default()).unwrap().done().unwrap();
            black_box((header.facts(), header.tlvs().count()));
            black_box(proxy::parse(&bytes[..20], proxy::Limits::default()).unwrap());
        });
        assert_eq!(counted.count_total, 0, "{name}");
    }
    let refused = measure(|| {
        black_box(proxy::parse(b"PROXY TCP4 1.2.3.4 5.6.7.8 1 x\r\n", proxy::Limits::default()).unwrap_err());
    });
    assert_eq!(refused.count_total, 0);
}

#[test]
fn a_hello_in_one_record_allocates_nothing_and_a_split_one_once() {
    let whole = Hello::browser().record();
    let split = records(message(&whole), &[100, 3]);
    for (bytes, want) in [(&whole, 0), (&split, 1)] {
        let counted = measure(|| {
            let hello = client_hello::peek(bytes, Limits::default()).unwrap().done().unwrap();
            black_box((
                hello.server_name(),
                hello.versions(),
                hello.alpn().count(),
                hello.groups().count(),
            ));
            black_box(client_hello::peek(&bytes[..bytes.len() - 1], Limits::default()).unwrap());
        });
        assert_eq!(counted.count_total, want);
    }
}

#[test]
fn an_answer_of_a_server_and_a_guess_allocate_nothing() {
    let bytes = captured("server-openssl-3.0-tls12");
    let counted = measure(|| {
        black_box(server_hello::peek(&bytes, Limits::default()).unwrap());
        black_box(sniff::protocol(&bytes));
    });
    assert_eq!(counted.count_total, 0);
}
