//! Whatever can be put into a head and a body comes out of the other end as it was put in.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::h1::{Conn, Framing, Limits, Role};
use lb_http::{Head, Kind};
use lb_types::{Fields, FieldsMut};
use proptest::prelude::*;
use std::sync::Arc;
use support::{Asked, Reader, requests};

type Pairs = Vec<(String, String)>;

/// Names that mean nothing to the codec, values with everything that is allowed.
fn pairs() -> impl Strategy<Value = Pairs> {
    let value = "([!-~\u{a0}-\u{ff}]([!-~\t \u{a0}-\u{ff}]{0,20}[!-~])?)?";
    proptest::collection::vec(("[Qq][A-Za-z0-9!#$%&'*+.^_`|~-]{0,12}", value), 0..8)
}

fn framing() -> impl Strategy<Value = (Framing, Vec<u8>)> {
    prop_oneof![
        Just((Framing::Empty, Vec::new())),
        proptest::collection::vec(any::<u8>(), 0..60).prop_map(|b| (Framing::Length(b.len() as u64), b)),
        proptest::collection::vec(any::<u8>(), 0..60).prop_map(|b| (Framing::Chunked, b)),
    ]
}

fn write(conn: &mut Conn, head: &Head, framing: Framing, body: &[u8], piece: usize) -> Vec<u8> {
    let mut out = Vec::new();
    conn.write_head(head, framing, &mut out).unwrap();
    for part in body.chunks(piece) {
        let behind = conn.write_body(part.len(), &mut out).unwrap();
        out.extend_from_slice(part);
        out.extend_from_slice(behind);
    }
    conn.write_end(None, &mut out).unwrap();
    out
}

fn ours(fields: &[(String, String)]) -> Pairs {
    fields
        .iter()
        .filter(|(n, _)| n.starts_with(['Q', 'q']))
        .cloned()
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_come_out_as_they_went_in(
        method in "[A-Z]{1,8}", target in "/[a-z0-9._~-]{0,20}(\\?[a-z=&]{0,10})?", pairs in pairs(),
        (framing, body) in framing(), piece in 1_usize..30,
    ) {
        prop_assume!(method != "CONNECT" && method != "TRACE");
        let mut head = Head::with_capacity(0, 0);
        head.start_request(method.as_bytes(), target.as_bytes()).unwrap();
        head.append("Host", b"a").unwrap();
        for (name, value) in &pairs {
            head.append(name, value.as_bytes()).unwrap();
        }
        let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
        let wire = write(&mut conn, &head, framing, &body, piece);
        let story = requests(&wire);
        prop_assert_eq!(story.error, None);
        prop_assert_eq!(story.messages.len(), 1);
        let read = &story.messages[0];
        prop_assert_eq!((&read.method, &read.target, &read.body), (&method, &target, &body));
        prop_assert_eq!(ours(&read.fields), pairs);
        prop_assert!(read.complete && story.rest.is_empty());
    }

    #[test]
    fn responses_come_out_as_they_went_in(
        status in (200_u16..600).prop_filter("no body", |s| ![204, 205, 304].contains(s)),
        pairs in pairs(), (framing, body) in framing(), piece in 1_usize..30,
    ) {
        let mut head = Head::with_capacity(0, 0);
        head.start_response(status).unwrap();
        for (name, value) in &pairs {
            head.append(name, value.as_bytes()).unwrap();
        }
        let (mut conn, _, _) = support::server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let wire = write(&mut conn, &head, framing, &body, piece);
        let mut reader = Reader::client(Limits::default(), Asked::Get);
        reader.feed(&wire);
        let story = reader.finish();
        prop_assert_eq!(story.error, None);
        prop_assert_eq!(story.messages.len(), 1);
        let read = &story.messages[0];
        prop_assert_eq!((read.status, &read.body, read.complete), (status, &body, true));
        prop_assert_eq!(ours(&read.fields), pairs);
    }

    /// Reading and writing again changes nothing but the place of the framing fields.
    #[test]
    fn a_second_pass_changes_nothing(pairs in pairs(), (framing, body) in framing()) {
        let mut head = Head::with_capacity(0, 0);
        head.start_request(b"PUT", b"/x").unwrap();
        head.append("Host", b"a").unwrap();
        for (name, value) in &pairs {
            head.append(name, value.as_bytes()).unwrap();
        }
        let first = write(&mut Conn::new(Role::Client, Arc::new(Limits::default())), &head, framing, &body, 7);
        let (_, head, framing) = support::server_with(&first);
        let second = write(&mut Conn::new(Role::Client, Arc::new(Limits::default())), &head, framing, &body, 7);
        prop_assert_eq!(String::from_utf8_lossy(&first), String::from_utf8_lossy(&second));
    }

    /// A head behaves like a plain list of pairs.
    #[test]
    fn editing_a_head_is_editing_a_list(edits in proptest::collection::vec((0_u8..3, 0_usize..5, 0_usize..3, "[a-z]{0,6}"), 0..30)) {
        const NAMES: [&str; 5] = ["Host", "Cookie", "X-Other", "X_Forwarded_For", "X-Another"];
        let mut head = Head::with_capacity(0, 0);
        head.start_request(b"GET", b"/").unwrap();
        let mut list: Pairs = Vec::new();
        for (what, name, index, value) in edits {
            let name = NAMES[name];
            let place = list.iter().enumerate().filter(|(_, (n, _))| n == name).nth(index).map(|(at, _)| at);
            match what {
                0 => {
                    head.append(name, value.as_bytes()).unwrap();
                    list.push((name.to_string(), value));
                }
                1 => {
                    head.replace(name, index, value.as_bytes()).unwrap();
                    if let Some(at) = place {
                        list[at].1 = value;
                    }
                }
                _ => {
                    prop_assert_eq!(head.remove(name, index), place.is_some());
                    if let Some(at) = place {
                        list.remove(at);
                    }
                }
            }
            prop_assert_eq!(support::fields(&head), list.clone());
            for name in NAMES {
                let want = list.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_bytes());
                prop_assert_eq!(head.first(&name.to_ascii_lowercase()), want);
            }
        }
        prop_assert_eq!(head.kind(), Kind::Request);
    }
}
