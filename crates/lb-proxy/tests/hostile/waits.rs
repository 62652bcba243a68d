//! Waiting: interim responses, 100-continue, timeouts, and clients that go away.

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
fn interim_responses_are_passed_on_and_end_repeats() {
    let script = vec![
        Do::Send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: y\r\n\r\n".to_vec()),
        Do::Gate,
        Do::Close,
    ];
    let setup = Setup {
        backends: 2,
        ..Setup::default()
    };
    let world = World::new(&setup, script);
    let mut client = world.client();
    client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
    let (status, head) = client.head().unwrap();
    assert_eq!(status, 103);
    assert!(
        head.contains("Link: </a>") && !head.contains("\r\nConnection") && !head.contains("\r\nX:"),
        "{head}"
    );
    for backend in &world.backends {
        backend.open_gate();
    }
    let reply = client.reply("GET").unwrap();
    assert_eq!(reply.status, 502, "something was heard: no repeat");
    client.lives();
}

#[test]
fn a_backend_may_say_for_long_that_it_is_at_work() {
    let script = vec![
        Do::Send("HTTP/1.1 102 Processing\r\n\r\n".repeat(100).into()),
        Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()),
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
    let reply = client.reply("GET").unwrap();
    assert_eq!((reply.interim, reply.whole), (vec![102; 100], true), "{}", reply.head);
    client.lives();
}

#[test]
fn an_interim_response_is_not_for_http_10() {
    let script = vec![Do::Send(
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
            .to_vec(),
    )];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(b"GET /evil HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
    let reply = client.reply("GET").unwrap();
    assert_eq!((reply.interim.len(), reply.text().as_str()), (0, "hi"));
    client.ends();
}

const EXPECT: &[u8] = b"POST /evil HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

#[test]
fn a_backends_continue_is_passed_on_once() {
    let script = vec![
        Do::Send(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        Do::Body,
        Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()),
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(EXPECT);
    assert_eq!(client.head().unwrap().0, 100);
    let reply = client.send(b"hello").reply("POST").unwrap();
    assert_eq!((reply.interim.len(), reply.text().as_str()), (0, "hi"));
    client.lives();
    world.backend().look(|seen| {
        assert_eq!(seen.requests[0].field("expect"), Some("100-continue"));
    });
}

#[test]
fn a_silent_backend_does_not_keep_the_body_waiting() {
    let script = vec![
        Do::Body,
        Do::Send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()),
    ];
    let setup = Setup {
        continue_timeout: SHORT,
        ..Setup::default()
    };
    let world = World::new(&setup, script);
    let mut client = world.client();
    client.send(EXPECT);
    assert_eq!(client.head().unwrap().0, 100, "ours");
    let reply = client.send(b"hello").reply("POST").unwrap();
    assert_eq!((reply.interim.len(), reply.text().as_str()), (0, "hi"), "only one 100");
    client.lives();
}

#[test]
fn a_client_that_does_not_wait_gets_no_continue_of_ours() {
    let setup = Setup {
        continue_timeout: SHORT,
        ..Setup::default()
    };
    let world = World::new(
        &setup,
        vec![
            Do::Body,
            Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()),
        ],
    );
    let mut client = world.client();
    client.send(EXPECT).send(b"hello");
    let reply = client.reply("POST").unwrap();
    assert!(reply.interim.len() <= 1 && reply.text() == "hi");
    client.lives();
}

#[test]
fn a_final_answer_to_an_expectation_closes() {
    let script = vec![Do::Send(
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno".to_vec(),
    )];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(EXPECT);
    let reply = client.reply("POST").unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (401, "no"));
    assert_eq!(reply.field("connection"), Some("close"));
    // These five bytes and what follows belong to nobody.
    client.send(b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    client.ends();
    world.client().lives();
    world
        .backend()
        .look(|seen| assert!(seen.requests.iter().all(|r| r.target != "/smuggled")));
}

#[test]
fn faults_behind_our_continue_still_have_their_status() {
    let setup = Setup {
        continue_timeout: SHORT,
        body_timeout: SHORT,
        ..Setup::default()
    };
    let head = "POST /evil HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (rest, status) in [("junk\r\n", 400), ("5\r\nhello\r\nx", 400), ("5\r\nhe", 408), ("", 408)] {
        let world = World::new(&setup, vec![Do::Body]);
        let mut client = world.client();
        client.send(head.as_bytes());
        assert_eq!(client.head().unwrap().0, 100);
        client.send(rest.as_bytes());
        let reply = client.reply("POST").expect("an answer");
        assert_eq!(reply.status, status, "{rest:?}");
        client.ends();
        world.settle();
    }
}

#[test]
fn a_silent_backend_is_a_504_and_a_slow_one_a_cut_response() {
    let setup = Setup {
        response_timeout: SHORT,
        retries: 2,
        backends: 2,
        ..Setup::default()
    };
    for (name, said, seen) in [
        ("nothing", "", Some(504)),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-", Some(504)),
        ("an interim response", "HTTP/1.1 102 Processing\r\n\r\n", Some(504)),
        ("a head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", None),
        ("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", None),
        (
            "half a chunked body",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
            None,
        ),
        ("a body without end", "HTTP/1.1 200 OK\r\n\r\nhello", None),
    ] {
        let world = World::new(&setup, vec![Do::Send(said.into()), Do::UntilGone]);
        let mut client = world.client();
        client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
        let reply = client.reply("GET").expect("an answer");
        match seen {
            Some(status) => {
                assert_eq!(reply.status, status, "{name}");
                assert!(
                    reply.field("proxy-status").unwrap().contains("http_response_timeout"),
                    "{name}"
                );
                client.lives();
            }
            None => {
                assert!(!reply.whole, "{name}: {reply:?}");
                client.ends();
            }
        }
        let ended: usize = world.backends.iter().map(|b| b.look(|s| s.connections)).sum();
        assert!(ended >= 1, "{name}");
        world.settle();
    }
}

#[test]
fn slow_clients_are_a_408() {
    let setup = Setup {
        head_timeout: SHORT,
        body_timeout: SHORT,
        ..Setup::default()
    };
    for (name, said) in [
        ("half a line", "GET /ev"),
        ("a line", "GET /evil HTTP/1.1\r\n"),
        ("half a head", "GET /evil HTTP/1.1\r\nHost: h\r\nX: "),
        ("no body", "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"),
        (
            "half a body",
            "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe",
        ),
        (
            "half a chunk size",
            "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5",
        ),
        (
            "half a chunk",
            "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        ),
        (
            "no last chunk",
            "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ),
        (
            "half a trailer",
            "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        ),
    ] {
        let world = World::new(&setup, vec![Do::Body]);
        let mut client = world.client();
        client.send(said.as_bytes());
        let reply = client.reply("POST").expect(name);
        assert_eq!(reply.status, 408, "{name}");
        assert_eq!(reply.field("connection"), Some("close"), "{name}");
        client.ends();
        world.backend().until("the end", |seen| seen.ended == seen.connections);
        world.backend().look(|seen| assert!(seen.requests.is_empty(), "{name}"));
        world.settle();
    }
}

#[test]
fn silent_clients_are_closed_without_a_word() {
    let setup = Setup {
        head_timeout: SHORT,
        keep_alive: SHORT,
        ..Setup::default()
    };
    let world = World::new(&setup, Vec::new());
    assert_eq!(world.client().ends(), Gone::Fin, "before a first request");
    let mut client = world.client();
    get(&mut client, "/a");
    assert_eq!(client.ends(), Gone::Fin, "between requests");
}

#[test]
fn a_half_sent_request_is_a_400_when_its_client_ends() {
    for said in [
        "GET /ev",
        "GET /evil HTTP/1.1\r\nHost: h\r\n",
        "GET /evil HTTP/1.1\r\nHost: h\r\n\r",
        "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n",
        "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell",
        "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "PUT /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n",
    ] {
        let world = World::new(&Setup::default(), vec![Do::Body]);
        let mut client = world.client();
        client.send(said.as_bytes()).fin();
        let reply = client.reply("POST").expect("an answer");
        assert_eq!(reply.status, 400, "{said:?}");
        client.ends();
        world.backend().until("the end", |seen| seen.ended == seen.connections);
        world
            .backend()
            .look(|seen| assert!(seen.requests.is_empty(), "{said:?}"));
        world.settle();
    }
}

#[test]
fn a_clients_reset_ends_the_upstream_work() {
    for (request, sent) in [
        ("GET /evil HTTP/1.1\r\nHost: h\r\n\r\n", ""),
        ("POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe", ""),
        (
            "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
        ),
    ] {
        let world = World::new(&Setup::default(), vec![Do::Send(sent.into()), Do::UntilGone]);
        let mut client = world.client();
        client.send(request.as_bytes());
        world.backend().until("the request", |seen| seen.bytes > 0);
        if !sent.is_empty() {
            assert_eq!(client.head().unwrap().0, 200);
        }
        client.reset();
        world.backend().until("the end", |seen| seen.ended == 1);
        world.settle();
    }
}

#[test]
fn a_clients_fin_ends_the_upstream_work_only_when_asked_for() {
    for abort in [false, true] {
        let setup = Setup {
            abort_on_half_close: abort,
            ..Setup::default()
        };
        let script = vec![
            Do::Gate,
            Do::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".to_vec()),
            Do::UntilGone,
        ];
        let world = World::new(&setup, script);
        let mut client = world.client();
        client.send(b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n");
        world.backend().until("the request", |seen| seen.bytes > 0);
        client.fin();
        if abort {
            client.ends();
            world.backend().open_gate();
            world.backend().until("the end", |seen| seen.ended == 1);
        } else {
            world.backend().open_gate();
            assert_eq!(client.reply("GET").unwrap().text(), "hi");
            client.ends();
        }
        world.settle();
    }
}

/// RFC 9112, section 2.2: old clients send an empty line behind a request body, and mean nothing by it.
#[test]
fn an_empty_line_behind_a_body_is_answered_with_silence() {
    let post = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let setup = Setup {
        head_timeout: SHORT,
        keep_alive: SHORT,
        ..Setup::default()
    };
    let world = World::new(&setup, Vec::new());
    let lines = ["", "\r", "\r\n", "\r\n\r", "\r\n\r\n", "\r\n\r\n\r"].map(|lines| (post, lines));
    for (request, lines) in lines.into_iter().chain([(chunked, "\r\n")]) {
        for (at_once, ends) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut client = world.client();
            client.send(request.as_bytes());
            if at_once {
                client.send(lines.as_bytes());
            }
            assert_eq!(client.reply("POST").unwrap().text(), "0: POST /a 5", "{lines:?}");
            if !at_once {
                client.drip(lines.as_bytes());
            }
            if ends {
                client.fin();
            }
            // Idle, it ends by the timeout.
            client.ends();
            assert_eq!(client.unread(), "", "{lines:?}, at once {at_once}, fin {ends}");
        }
    }
    // The same before anything was asked.
    for lines in ["\r\n", "\r\n\r\n"] {
        let mut client = world.client();
        client.send(lines.as_bytes()).ends();
        assert_eq!(client.unread(), "");
    }
    world.settle();
}

#[test]
fn behind_empty_lines_comes_a_request_and_no_junk() {
    let world = World::new(&Setup::default(), Vec::new());
    for lines in ["\r\n", "\r\n\r\n"] {
        let mut client = world.client();
        for _ in 0..3 {
            client.send(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
            assert_eq!(client.reply("POST").unwrap().status, 200);
            client.drip(lines.as_bytes());
            assert_eq!(get(&mut client, "/b"), "0: GET /b 0");
            client.send(format!("{lines}GET /c HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
            assert_eq!(client.reply("GET").unwrap().text(), "0: GET /c 0");
        }
    }
    // More of them, however they come, or anything else is no request.
    for junk in [
        "\r\n\r\n\r\n",
        "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "\n",
        "\r\n\n",
        "\rGET / HTTP/1.1\r\n",
        "\r\n GET / HTTP/1.1\r\n",
        "\r\n\0",
    ] {
        for drip in [false, true] {
            let mut client = world.client();
            client.send(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
            assert_eq!(client.reply("POST").unwrap().status, 200);
            if drip {
                client.drip(junk.as_bytes());
            } else {
                client.send(junk.as_bytes());
            }
            assert_eq!(client.reply("GET").unwrap().status, 400, "{junk:?}");
            client.ends();
        }
    }
    world.settle();
}
