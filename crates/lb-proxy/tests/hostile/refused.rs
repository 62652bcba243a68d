//! Requests that must not reach a backend: the answer, the close, and no byte of what follows.

use crate::requests::{BODIES, Case, HEADS};
use crate::run::each;
use crate::world::{Setup, World};

/// What follows on the same connection and must never be taken for a request.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

#[derive(Debug, Clone, Copy)]
struct Way {
    case: Case,
    body: bool,
    drip: bool,
}

fn ways(cases: &[Case], body: bool) -> Vec<Way> {
    [false, true]
        .into_iter()
        .flat_map(|drip| {
            cases.iter().map(move |case| Way {
                case: *case,
                body,
                drip,
            })
        })
        .collect()
}

fn judge(way: &Way) {
    let (_, bytes, statuses) = way.case;
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    let head = if way.body {
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    } else {
        ""
    };
    let all = [head, bytes, SMUGGLED].concat();
    if way.drip {
        client.drip(all.as_bytes());
    } else {
        client.send(all.as_bytes());
    }
    let method = if bytes.starts_with("HEAD ") { "HEAD" } else { "GET" };
    let reply = client.reply(method).expect("an answer");
    assert!(
        statuses.contains(&reply.status),
        "{} is not in {statuses:?}",
        reply.status
    );
    assert!(reply.interim.is_empty() && reply.whole, "{reply:?}");
    assert_eq!(reply.field("connection"), Some("close"));
    assert!(
        reply
            .field("proxy-status")
            .is_some_and(|v| v.starts_with("lbd; error=http_request_")),
        "{}",
        reply.head
    );
    client.ends();
    world.settle();
    let backend = world.backend();
    if way.body {
        backend.until("the end of its connections", |seen| seen.ended == seen.connections);
    }
    backend.look(|seen| {
        assert!(seen.requests.is_empty(), "the backend got {:?}", seen.requests);
        assert!(seen.violations.is_empty(), "{:?}", seen.violations);
        assert!(way.body || seen.connections == 0, "the backend heard of it");
    });
}

fn run(cases: &[Case], body: bool) {
    let name = |way: &Way| format!("{}{}", way.case.0, if way.drip { ", byte by byte" } else { "" });
    each(&ways(cases, body), name, judge);
}

#[test]
fn hostile_heads_are_refused_before_a_backend_hears_of_them() {
    run(HEADS, false);
}

#[test]
fn hostile_bodies_never_become_whole_requests() {
    run(BODIES, true);
}
