//! Exchanges with a course: both directions at once, early and late answers, repeats, aborts.

use crate::client::{Client, Gone};
use crate::script::Do;
use crate::world::{SHORT, Setup, World};

fn get(client: &mut Client, path: &str) -> String {
    client.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
    let reply = client.reply("GET").expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.head);
    reply.text()
}

#[test]
fn both_directions_move_at_once() {
    // The backend echoes each part before the next one is sent.
    let script = vec![
        Do::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        Do::SomeBody(8), // "3\r\none\r\n"
        Do::Send(b"3\r\none\r\n".to_vec()),
        Do::SomeBody(16),
        Do::Send(b"3\r\ntwo\r\n".to_vec()),
        Do::Body,
        Do::Send(b"0\r\n\r\n".to_vec()),
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(b"POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(client.head().unwrap().0, 200);
    client.send(b"3\r\none\r\n");
    assert_eq!(client.take(8), b"3\r\none\r\n");
    client.send(b"3\r\ntwo\r\n");
    assert_eq!(client.take(8), b"3\r\ntwo\r\n");
    client.send(b"0\r\n\r\n");
    assert_eq!(client.take(5), b"0\r\n\r\n");
    client.ends();
    world
        .backend()
        .look(|seen| assert_eq!(seen.requests[0].body, b"onetwo"));
    world.client().lives();
    world.settle();
}

#[test]
fn an_early_answer_stops_the_upload_and_closes() {
    for (name, script) in [
        (
            "and stays",
            vec![
                Do::Send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno".to_vec()),
                Do::UntilGone,
            ],
        ),
        (
            "and closes",
            vec![
                Do::Send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno".to_vec()),
                Do::Close,
            ],
        ),
        (
            "and ends its direction",
            vec![
                Do::Send(b"HTTP/1.1 413 Content Too Large\r\n\r\nno".to_vec()),
                Do::Fin,
                Do::UntilGone,
            ],
        ),
    ] {
        let world = World::new(&Setup::default(), script);
        let mut client = world.client();
        client.send(b"POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbegin");
        let reply = client.reply("POST").unwrap();
        assert_eq!(
            (reply.status, reply.text().as_str(), reply.whole),
            (413, "no", true),
            "{name}"
        );
        assert_eq!(reply.field("connection"), Some("close"), "{name}");
        // What is still on its way is taken and dropped, so that the answer is not lost.
        client
            .send(&vec![b'x'; 200_000])
            .send(b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.ends(), Gone::Fin, "{name}");
        world.backend().until("the end", |seen| seen.ended == 1);
        world.backend().look(|seen| {
            assert_eq!((seen.requests.len(), seen.cut), (0, 1), "{name}");
        });
        world.client().lives();
        world.settle();
    }
}

#[test]
fn an_early_answer_whose_upload_ends_in_time_is_whole_too() {
    let script = vec![
        Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi".to_vec()),
        Do::Body,
        Do::Send(b"ho".to_vec()),
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(b"POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe");
    assert_eq!(client.head().unwrap().0, 200);
    client.send(b"llo");
    assert_eq!(client.take(4), b"hiho");
    client.ends();
    world.client().lives();
}

#[test]
fn a_backend_that_speaks_first_poisons_nobody() {
    let greeting = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil".to_vec();
    let world = World::greeting(&Setup::default(), Vec::new(), greeting);
    for _ in 0..4 {
        let mut client = world.client();
        client.send(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        // Our 502 or the greeting itself: never an answer to somebody else's question.
        let reply = client.reply("GET").expect("an answer");
        assert!(reply.status == 502 || reply.text() == "evil", "{reply:?}");
    }
    world.settle();
}

#[test]
fn a_stale_connection_is_replaced_without_a_failure() {
    // The backend answers once and closes after it, as with an idle timeout.
    let script = vec![
        Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()),
        Do::Gate,
        Do::Close,
    ];
    for request in [
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let world = World::new(&Setup::default(), script.clone());
        let mut client = world.client();
        client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.reply("GET").unwrap().text(), "hi");
        world.backend().open_gate();
        world.backend().until("the close", |seen| seen.ended == 1);
        client.send(request.as_bytes());
        let reply = client.reply("POST").unwrap();
        assert_eq!(reply.status, 200, "{request}: {}", reply.head);
        world.backend().look(|seen| {
            assert_eq!((seen.requests.len(), seen.connections), (1, 2), "{request}");
        });
        world.settle();
    }
}

#[test]
fn what_may_not_be_repeated_is_not() {
    // The backend takes the request and goes away without a word.
    for (request, tries) in [
        ("GET /evil HTTP/1.1\r\nHost: h\r\n\r\n", 3),
        ("HEAD /evil HTTP/1.1\r\nHost: h\r\n\r\n", 3),
        ("PUT /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 3),
        ("DELETE /evil HTTP/1.1\r\nHost: h\r\n\r\n", 3),
        ("POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 1),
        ("PATCH /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 1),
        ("POST /evil HTTP/1.1\r\nHost: h\r\n\r\n", 1),
        ("BREW /evil HTTP/1.1\r\nHost: h\r\n\r\n", 1),
    ] {
        for end in [Do::Close, Do::Reset] {
            let setup = Setup {
                backends: 3,
                ..Setup::default()
            };
            let world = World::new(&setup, vec![Do::Body, end.clone()]);
            let mut client = world.client();
            client.send(request.as_bytes());
            let method = request.split(' ').next().unwrap();
            let reply = client.reply(method).unwrap();
            assert_eq!(reply.status, 502, "{request}: {}", reply.head);
            assert!(
                reply.field("proxy-status").unwrap().contains("connection_terminated"),
                "{}",
                reply.head
            );
            let arrived: usize = world.backends.iter().map(|b| b.look(|seen| seen.requests.len())).sum();
            assert_eq!(arrived, tries, "{request} {end:?}");
            world.settle();
        }
    }
}

#[test]
fn a_request_that_is_repeated_is_the_same() {
    // The first exchange leaves a connection behind, which dies under the next request: that goes to the
    // same backend again, then to the others.
    for (request, tries) in [
        (
            "GET /evil?a HTTP/1.1\r\nHost: h\r\nX:  y \r\nExpect: 100-continue\r\nCookie: a=b; c=d\r\n\r\n",
            4,
        ),
        (
            "GET http://h/evil HTTP/1.1\r\nHost: h\r\nConnection: X, close\r\nX: y\r\nE:\r\n\r\n",
            4,
        ),
        (
            "HEAD /evil HTTP/1.0\r\nX-Forwarded-For: 1.2.3.4\r\nConnection: keep-alive\r\n\r\n",
            4,
        ),
        ("DELETE /evil HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n", 4),
        ("DELETE /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 4),
        (
            "GET /evil HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            4,
        ),
        ("PUT /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 4),
        (
            "PUT /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
            4,
        ),
        ("POST /evil HTTP/1.1\r\nHost: h\r\n\r\n", 1),
        (
            "POST /evil HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
            1,
        ),
    ] {
        for end in [Do::Close, Do::Reset] {
            let setup = Setup {
                backends: 3,
                ..Setup::default()
            };
            let world = World::new(&setup, vec![Do::Body, end.clone()]);
            let mut client = world.client();
            for _ in 0..3 {
                client.lives();
            }
            client.send(request.as_bytes());
            let reply = client.reply(request.split(' ').next().unwrap()).unwrap();
            assert_eq!(reply.status, 502, "{request}: {}", reply.head);
            let mut seen: Vec<_> = world
                .backends
                .iter()
                .flat_map(|b| b.look(|seen| seen.requests.clone()))
                .filter(|r| r.target.starts_with("/evil"))
                .collect();
            assert!(
                seen.len() >= tries && (tries > 1 || seen.len() == 1),
                "{request}: {}",
                seen.len()
            );
            seen.dedup();
            assert_eq!(seen.len(), 1, "{request}: {seen:?}");
            world
                .backends
                .iter()
                .for_each(|b| b.look(|seen| assert!(seen.violations.is_empty(), "{seen:?}")));
            world.settle();
        }
    }
}

#[test]
fn a_refused_connection_goes_to_another_backend_whatever_the_method() {
    for request in [
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let setup = Setup {
            backends: 2,
            first_is_dead: true,
            ..Setup::default()
        };
        let world = World::new(&setup, Vec::new());
        let mut client = world.client();
        for _ in 0..4 {
            client.send(request.as_bytes());
            let reply = client.reply("GET").unwrap();
            assert_eq!(reply.status, 200, "{request}: {}", reply.head);
            assert!(reply.text().starts_with("1: "), "{}", reply.text());
        }
        world.settle();
    }
}

#[test]
fn a_dead_backend_alone_is_a_502() {
    let setup = Setup {
        first_is_dead: true,
        ..Setup::default()
    };
    let world = World::new(&setup, Vec::new());
    let mut client = world.client();
    for _ in 0..2 {
        client.send(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        let reply = client.reply("GET").unwrap();
        assert_eq!(reply.status, 502);
        assert!(reply.field("proxy-status").unwrap().contains("connection_refused"));
        assert_eq!(reply.field("connection"), None, "a GET leaves the connection in step");
    }
}

#[test]
fn an_upgrade_becomes_a_tunnel_and_only_then() {
    const ASK: &str = "GET /evil HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const YES: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let script = vec![
        Do::Send(format!("{YES}hello").into()),
        Do::SomeBody(4),
        Do::Send(b"pong".to_vec()),
        Do::Fin,
        Do::UntilGone,
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    // Bytes behind the request belong to the new protocol.
    client.send(ASK.as_bytes()).send(b"ping");
    let (status, head) = client.head().unwrap();
    assert_eq!(status, 101);
    assert!(
        head.contains("Upgrade: websocket") && head.contains("Connection: upgrade"),
        "{head}"
    );
    assert_eq!(client.take(9), b"hellopong");
    client.fin();
    client.ends();
    world.settle();

    // Declined: what stood behind the request is the next request.
    let script = vec![Do::Send(
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".to_vec(),
    )];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client
        .send(ASK.as_bytes())
        .send(b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.reply("GET").unwrap().status, 403);
    assert_eq!(client.reply("GET").unwrap().text(), "0: GET /next 0");
    client.lives();
    world.settle();
}

#[test]
fn a_silent_tunnel_ends() {
    let setup = Setup {
        tunnel_timeout: SHORT,
        ..Setup::default()
    };
    let script = vec![
        Do::Send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n".to_vec()),
        Do::UntilGone,
    ];
    let world = World::new(&setup, script);
    let mut client = world.client();
    client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(client.head().unwrap().0, 101);
    client.ends();
    world.backend().until("the end", |seen| seen.ended == 1);
    world.settle();
}

#[test]
fn an_unasked_for_response_between_two_requests_is_dropped() {
    // The second response comes when the first has been taken: alone, on an idle connection.
    let script = vec![
        Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()),
        Do::Gate,
        Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil".to_vec()),
        Do::Gate,
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.reply("GET").unwrap().text(), "hi");
    world.backend().open_gate();
    world.backend().until("the second response", |seen| seen.said == 2);
    client.lives();
    world.client().lives();
    world.backend().open_gate();
    client.lives();
}

const HEAD_EVIL: &str = "HEAD /evil HTTP/1.1\r\nHost: h\r\n\r\n";
const GET_EVIL: &str = "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";

/// Requests, and heads of responses that announce a body which must not come.
const PHANTOMS: [(&str, &str); 4] = [
    (HEAD_EVIL, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
    (HEAD_EVIL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (GET_EVIL, "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
    (
        GET_EVIL,
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
];

#[test]
fn a_length_in_front_of_no_body_keeps_the_connection() {
    for (request, head) in PHANTOMS {
        let world = World::new(&Setup::default(), vec![Do::Send(head.into())]);
        let mut client = world.client();
        let method = request.split(' ').next().unwrap();
        for _ in 0..20 {
            client.send(request.as_bytes());
            assert!(client.reply(method).unwrap().whole);
            get(&mut client, "/a");
        }
        world.backend().look(|seen| assert_eq!(seen.connections, 1, "{head}"));
        world.settle();
    }
}

#[test]
fn a_body_behind_head_or_304_reaches_nobody() {
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    for (request, head) in PHANTOMS {
        for at_once in [true, false] {
            let send = |text: &str| Do::Send(text.into());
            let script = if at_once {
                vec![send(&format!("{head}{body}")), Do::UntilGone]
            } else {
                vec![send(head), Do::Gate, send(body), Do::UntilGone]
            };
            let world = World::new(&Setup::default(), script);
            let mut client = world.client();
            client.send(request.as_bytes());
            let method = request.split(' ').next().unwrap();
            assert!(client.reply(method).unwrap().whole);
            if !at_once {
                world.backend().open_gate();
                world.backend().until("the body", |seen| seen.said == 2);
            }
            client.send(b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
            assert_eq!(client.reply("GET").unwrap().text(), "0: GET /next 0", "{head}");
            world.backend().until("the end of the first", |seen| seen.ended == 1);
            world.settle();
        }
    }
}

/// Nobody can say where it ends: there is no rule that a client could know.
#[test]
fn a_204_that_claims_a_body_is_the_last_of_its_connection() {
    // The body comes after the next request was sent: no look at an idle connection finds it.
    let head = "HTTP/1.1 204 No Content\r\nContent-Length: 99\r\n\r\n";
    let world = World::new(&Setup::default(), vec![Do::Send(head.into()), Do::UntilGone]);
    let mut client = world.client();
    client
        .send(GET_EVIL.as_bytes())
        .send(b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(client.reply("GET").unwrap().whole);
    assert_eq!(client.reply("GET").unwrap().text(), "0: GET /next 0");
    world.backend().until("the end of the first", |seen| seen.ended == 1);
    world.settle();
}

#[test]
fn a_clean_connection_is_used_again() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    for _ in 0..20 {
        get(&mut client, "/a");
    }
    world.backend().look(|seen| assert_eq!(seen.connections, 1));
}

#[test]
fn a_refused_head_is_answered_without_a_body() {
    for request in [
        "HEAD /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        "HEAD /a HTTP/1.1\r\n\r\n",
        "HEAD /a HTTP/3.0\r\nHost: h\r\n\r\n",
        "HEAD /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
    ] {
        let world = World::new(&Setup::default(), Vec::new());
        let mut client = world.client();
        client.send(request.as_bytes());
        let reply = client.reply("HEAD").unwrap();
        assert!(matches!(reply.status, 400 | 505), "{request:?}");
        client.ends();
    }
}

#[test]
fn a_refused_method_is_told_the_good_ones() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    client.send(b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
    let reply = client.reply("GET").unwrap();
    assert!(reply.status == 405 && reply.field("allow").is_some(), "{}", reply.head);
}
