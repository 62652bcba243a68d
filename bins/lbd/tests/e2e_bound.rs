//! Authentication that holds for a connection (NTLM, Negotiate; RFC 4559): nobody is ever taken for somebody else.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Backend, Client, Config, Conn, Lbd, Message, address, answer, curl, peer, until};

/// A server that knows its client by the connection, as IIS does: a handshake of three requests (NTLM), or one that
/// brings its proof at once (Negotiate). Says its name and whom it takes the client for.
fn server(name: &'static str) -> Backend {
    Backend::start(move |conn| serve(conn, name))
}

fn serve(mut conn: Conn, name: &str) {
    let (mut user, mut challenged) = (None::<String>, false);
    while let Ok(request) = conn.request() {
        let said = request.get("authorization").unwrap_or_default().to_owned();
        let response = match said.split_once(' ') {
            Some(("NTLM", message)) => ntlm(message, name, &mut user, &mut challenged),
            Some(("Negotiate", token)) => {
                user = Some(token.to_owned());
                welcome(
                    name,
                    token,
                    "WWW-Authenticate: Negotiate oRQwEqADCgEAoQsGCSqGSIb3EgECAg==\r\n",
                )
            }
            _ => match &user {
                _ if request.head.target().starts_with("/open") => answer(200, "", format!("{name} open").as_bytes()),
                Some(user) => welcome(name, user, ""),
                None => answer(
                    401,
                    "WWW-Authenticate: Basic realm=\"a, b\"\r\nwww-authenticate: Digest realm=\"x\", ntlm\r\n",
                    b"who?",
                ),
            },
        };
        let mut response = response;
        if request.head.method() == "HEAD" {
            let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
            response.truncate(end);
        }
        let closes = request.head.target().starts_with("/bye");
        if !conn.send(response) || closes {
            return;
        }
    }
}

fn ntlm(message: &str, name: &str, user: &mut Option<String>, challenged: &mut bool) -> Vec<u8> {
    let bytes = unbase64(message);
    match bytes.get(8) {
        Some(1) => {
            *challenged = true;
            let challenge = format!("WWW-Authenticate: NTLM {}\r\n", base64(&challenge()));
            answer(401, &challenge, b"prove it")
        }
        Some(3) if std::mem::take(challenged) => {
            let name_of = user_of(&bytes);
            *user = Some(name_of.clone());
            welcome(name, &name_of, "")
        }
        _ => answer(401, "WWW-Authenticate: NTLM\r\n", b"no handshake here"),
    }
}

fn welcome(name: &str, user: &str, fields: &str) -> Vec<u8> {
    answer(200, fields, format!("{name} {user}").as_bytes())
}

/// MS-NLMP, section 2.2.1.2: a challenge without a target, in Unicode.
fn challenge() -> Vec<u8> {
    let mut message = b"NTLMSSP\0\x02\0\0\0".to_vec();
    message.extend([0, 0, 0, 0, 48, 0, 0, 0]); // no target name
    message.extend(0x0000_0201_u32.to_le_bytes()); // NTLM, Unicode
    message.extend(b"12345678"); // the challenge
    message.extend([0; 8]);
    message.extend([0, 0, 0, 0, 48, 0, 0, 0]); // no target information
    message
}

/// MS-NLMP, section 2.2.1.3: the user's name in an answer.
fn user_of(message: &[u8]) -> String {
    let number = |at: usize| usize::from(message[at]) | usize::from(message[at + 1]) << 8;
    let (len, at) = (number(36), number(40));
    let text: Vec<u8> = message[at..at + len]
        .iter()
        .copied()
        .filter(|byte| *byte != 0)
        .collect();
    String::from_utf8(text).unwrap()
}

/// An answer of this user, as far as our server reads it.
fn proof(user: &str) -> String {
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    message.resize(64, 0);
    (message[36], message[40]) = (user.len() as u8, 64);
    message.extend(user.bytes());
    base64(&message)
}

fn first() -> String {
    base64(b"NTLMSSP\0\x01\0\0\0\x01\x02\0\0")
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let number = part.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)) << (8 * (3 - part.len()));
        for place in 0..4 {
            let letter = LETTERS[number >> (18 - 6 * place) & 63];
            text.push(if place > part.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

fn unbase64(text: &str) -> Vec<u8> {
    let digits = text
        .bytes()
        .filter_map(|byte| LETTERS.iter().position(|letter| *letter == byte));
    let digits: Vec<usize> = digits.collect();
    let mut bytes = Vec::new();
    for part in digits.chunks(4) {
        let number = part.iter().fold(0, |number, digit| number << 6 | digit) << (6 * (4 - part.len()));
        bytes.extend((1..part.len()).map(|place| (number >> (24 - 8 * place) & 255) as u8));
    }
    bytes
}

fn ask(client: &mut Client, target: &str, credentials: &str) -> Message {
    let line = match credentials {
        "" => String::new(),
        credentials => format!("Authorization: {credentials}\r\n"),
    };
    client.exchange(format!("GET {target} HTTP/1.1\r\nHost: test.example\r\n{line}\r\n"))
}

/// The whole handshake; the name of the backend that it was with.
fn log_in(client: &mut Client, target: &str, user: &str) -> String {
    assert_eq!(ask(client, target, &format!("NTLM {}", first())).status(), 401);
    let last = ask(client, target, &format!("NTLM {}", proof(user)));
    assert_eq!(last.status(), 200, "{last:?}");
    let text = last.text();
    let (backend, taken_for) = text.split_once(' ').unwrap();
    assert_eq!(taken_for, user);
    backend.to_owned()
}

fn two() -> ([Backend; 2], SocketAddr, Lbd) {
    let backends = ["a", "b"].map(server);
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &backends.each_ref().map(Backend::address)).text());
    (backends, listener, lbd)
}

#[test]
fn two_clients_in_turn_are_each_themselves_and_stay_where_they_proved_it() {
    let (backends, listener, lbd) = two();
    let mut clients: Vec<(String, Client)> = (0..6)
        .map(|number| (format!("user{number}"), Client::connect(listener)))
        .collect();
    // The first answers offer NTLM: from there on each has a connection of its own.
    for (_, client) in &mut clients {
        assert_eq!(ask(client, "/", "").status(), 401);
    }
    for (_, client) in &mut clients {
        assert_eq!(ask(client, "/", &format!("NTLM {}", first())).status(), 401);
    }
    for (user, client) in &mut clients {
        assert_eq!(ask(client, "/", &format!("NTLM {}", proof(user))).status(), 200);
    }
    for round in 0..20 {
        for (user, client) in &mut clients {
            let response = client.get(&format!("/{round}"));
            assert_eq!(response.status(), 200);
            let text = response.text();
            assert_eq!(text.split(' ').nth(1), Some(user.as_str()), "taken for somebody else");
        }
        // Strangers come in between, on old and new connections: nobody knows them.
        let mut stranger = Client::connect(listener);
        for _ in 0..4 {
            assert_eq!(stranger.get("/open").status(), 200);
        }
        assert_eq!(stranger.get("/").status(), 401);
    }
    // Its end ends the other.
    until("strangers' connections to the backends have ended", || {
        (backends.iter().map(Backend::open).sum::<usize>() <= 6 + 8).then_some(())
    });
    drop(clients);
    let mut stranger = Client::connect(listener);
    for _ in 0..20 {
        assert_eq!(
            stranger.get("/").status(),
            401,
            "a connection of somebody else was lent"
        );
    }
    drop(stranger);
    lbd.stop();
}

#[test]
fn a_handshake_over_head_completes_though_its_answers_announce_bodies() {
    let (_backends, listener, lbd) = two();
    let mut alice = Client::connect(listener);
    let mut head = |credentials: &str| {
        let line = match credentials {
            "" => String::new(),
            credentials => format!("Authorization: NTLM {credentials}\r\n"),
        };
        alice.send(format!("HEAD / HTTP/1.1\r\nHost: a\r\n{line}\r\n"));
        alice.response_to("HEAD").unwrap().status()
    };
    assert_eq!(
        [head(""), head(&first()), head(&proof("alice")), head("")],
        [401, 401, 200, 200]
    );
    assert_eq!(alice.get("/").text().split(' ').nth(1), Some("alice"));
    lbd.stop();
}

#[test]
fn proof_that_comes_with_the_first_request_binds_as_well() {
    let (_backends, listener, lbd) = two();
    let mut alice = Client::connect(listener);
    let text = ask(&mut alice, "/", "Negotiate alice").text();
    assert_eq!(text.split(' ').nth(1), Some("alice"));
    for _ in 0..10 {
        let mut stranger = Client::connect(listener);
        for _ in 0..3 {
            assert_eq!(stranger.get("/").status(), 401);
        }
        assert_eq!(alice.get("/").text(), text, "the same backend, the same connection");
    }
    // Pipelined requests are of the same client.
    alice.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5));
    for _ in 0..10 {
        assert_eq!(alice.response().text(), text);
    }
    drop(alice);
    lbd.stop();
}

#[test]
fn whichever_side_ends_first_ends_the_other() {
    let (backends, listener, lbd) = two();
    let open = || backends.iter().map(Backend::open).sum::<usize>();
    let mut alice = Client::connect(listener);
    log_in(&mut alice, "/", "alice");
    assert_eq!(open(), 1);
    drop(alice);
    until("the backend's connection has ended", || (open() == 0).then_some(()));

    // While nothing is under way.
    let mut alice = Client::connect(listener);
    log_in(&mut alice, "/", "alice");
    backends.iter().for_each(Backend::drop_connections);
    assert!(alice.is_closed());

    // With the response under way.
    let mut alice = Client::connect(listener);
    log_in(&mut alice, "/", "alice");
    assert_eq!(alice.get("/bye").status(), 200);
    assert!(alice.is_closed());

    // A backend that says so is passed on.
    let mut alice = Client::connect(listener);
    let said = Backend::http(|_| answer(200, "Connection: close\r\nWWW-Authenticate: Negotiate x\r\n", b"ok"));
    lbd.reload(&Config::http(listener, &[said.address()]).text());
    let last = alice.get("/");
    assert_eq!((last.status(), last.get("connection")), (200, Some("close")));
    assert!(alice.is_closed());
    lbd.stop();
}

#[test]
fn a_request_that_was_sent_over_a_bound_connection_goes_over_no_other() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    // Proves, then hangs up on whatever comes next.
    let quits = || {
        Backend::start(|mut conn| {
            if conn.request().is_ok() && conn.send(answer(200, "WWW-Authenticate: Negotiate x\r\n", b"you")) {
                let _ = conn.request();
                SEEN.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let backends = [quits(), quits()];
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &backends.each_ref().map(Backend::address)).text());
    for (request, answered) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", true),
    ] {
        let before = SEEN.load(Ordering::SeqCst);
        let mut client = Client::connect(listener);
        assert_eq!(ask(&mut client, "/", "Negotiate alice").status(), 200);
        client.send(request);
        if answered {
            let response = client.response();
            assert_eq!((response.status(), response.get("connection")), (502, Some("close")));
        }
        assert!(client.is_closed());
        assert_eq!(SEEN.load(Ordering::SeqCst), before + 1, "sent once");
    }
    lbd.stop();
}

#[test]
fn a_first_request_with_proof_goes_to_whoever_listens() {
    let backend = server("a");
    let closed = address();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[closed, backend.address()]).text());
    for number in 0..6 {
        let mut client = Client::connect(listener);
        let user = format!("user{number}");
        assert_eq!(log_in(&mut client, "/", &user), "a");
    }
    lbd.stop();
}

#[test]
fn a_route_to_another_pool_has_a_bond_of_its_own() {
    let backends = ["a", "b"].map(server);
    let listener = address();
    let config = Config::http(listener, &[backends[0].address()])
        .listener("routes = [{ path = \"/other\", pool = \"other\" }]")
        .rest(&format!(
            "[[pools]]\nname = \"other\"\nbackends = [{{ address = \"{}\" }}]",
            backends[1].address()
        ));
    let lbd = Lbd::start(&config.text());
    let mut alice = Client::connect(listener);
    assert_eq!(log_in(&mut alice, "/", "alice"), "a");
    assert_eq!(alice.get("/other").status(), 401, "nothing was proved there");
    assert_eq!(log_in(&mut alice, "/other", "alice"), "b");
    for _ in 0..5 {
        assert_eq!(alice.get("/").text(), "a alice");
        assert_eq!(alice.get("/other").text(), "b alice");
    }
    assert_eq!((backends[0].open(), backends[1].open()), (1, 1));
    drop(alice);
    let open = || backends.iter().map(Backend::open).sum::<usize>();
    until("both have ended", || (open() == 0).then_some(()));
    lbd.stop();
}

#[test]
fn reload_and_drain_leave_a_bound_client_where_it_is_until_it_has_gone() {
    let backends = ["a", "b"].map(server);
    let addresses = backends.each_ref().map(Backend::address);
    let listener = address();
    let config = Config::http(listener, &addresses).names(&["a", "b"]);
    let lbd = Lbd::start(&config.text());
    let mut alice = Client::connect(listener);
    let home = log_in(&mut alice, "/", "alice");
    let number = usize::from(home == "b");
    // Drained: known clients stay.
    lbd.reload(&config.clone().backend(number, "drain = true").text());
    for _ in 0..4 {
        assert_eq!(alice.get("/").text(), format!("{home} alice"));
    }
    // Gone from the file: one more answer, and the client is told to go.
    lbd.reload(
        &Config::http(listener, &[addresses[1 - number]])
            .names(&[["b", "a"][number]])
            .text(),
    );
    let last = alice.get("/");
    assert_eq!(
        (last.text(), last.get("connection")),
        (format!("{home} alice"), Some("close"))
    );
    assert!(alice.is_closed());
    until("its connection to the backend has ended", || {
        (backends[number].open() == 0).then_some(())
    });
    // The process drains: the same.
    let mut bob = Client::connect(listener);
    let other = log_in(&mut bob, "/", "bob");
    assert_ne!(other, home);
    lbd.signal(rustix::process::Signal::TERM);
    until("the listener is closed", || {
        (!support::is_listening(listener)).then_some(())
    });
    drop(bob);
    lbd.stop();
}

#[test]
fn words_that_only_look_like_it_bind_nobody() {
    let challenges = challenges();
    let count = challenges.len();
    let backend = Backend::http(move |request| {
        let number: usize = request.head.target()[1..].parse().unwrap();
        answer(401, &format!("WWW-Authenticate: {}\r\n", challenges[number]), b"who?")
    });
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    for number in 0..count {
        let mut client = Client::connect(listener);
        for _ in 0..3 {
            assert_eq!(client.get(&format!("/{number}")).status(), 401);
        }
    }
    // Nobody's: the next client gets it, when it has been silent for a moment.
    until("a connection was used again by another client", || {
        let before = backend.accepted();
        assert_eq!(Client::connect(listener).get("/0").status(), 401);
        (backend.accepted() == before).then_some(())
    });
    lbd.stop();
}

fn challenges() -> [String; 4] {
    [
        "NTLMx".to_owned(),
        "Basic realm=\"renegotiate\"".to_owned(),
        "X-Negotiate realm=\"a\"".to_owned(),
        format!("Bearer error=\"{}\"", "NTLMv2,".repeat(1_000)),
    ]
}

#[test]
fn curl_logs_in_with_ntlm_over_two_backends_with_two_users_at_once() {
    let Some(curl_path) = peer("curl") else { return };
    if !curl(&curl_path, ["--version"]).text.contains("NTLM") {
        println!("skipped: this curl has no NTLM");
        return;
    }
    let (_backends, listener, lbd) = two();
    let url = format!("http://{listener}/[1-20]");
    let log_in = |user: &'static str| {
        let (curl_path, url) = (curl_path.clone(), url.clone());
        std::thread::spawn(move || {
            let user_and_password = format!("{user}:secret");
            let arguments = ["--ntlm", "--user", &user_and_password, "--write-out", "\\n", &url];
            curl(&curl_path, arguments)
        })
    };
    let users = ["alice", "bob", "carol"];
    let runs = users.map(log_in);
    for (user, run) in users.into_iter().zip(runs) {
        let output = run.join().unwrap();
        let lines: Vec<&str> = output.text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 20, "{output:?}");
        for line in lines {
            assert_eq!(line.split(' ').nth(1), Some(user), "{line}");
        }
    }
    lbd.stop();
}

#[test]
fn a_bound_client_that_waits_costs_no_other_client_its_place() {
    let backend = server("a");
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).backend(0, "max_connections = 1");
    let lbd = Lbd::start(&config.text());
    let nothing_is_under_way = || {
        until("nothing is under way", || {
            (lbd.state().sum("in_flight") == 0).then_some(())
        });
    };
    // A client has its answer a moment before its place at the backend is free again.
    let mut alice = Client::connect(listener);
    log_in(&mut alice, "/", "alice");
    nothing_is_under_way();
    let mut bob = Client::connect(listener);
    log_in(&mut bob, "/", "bob");
    nothing_is_under_way();
    assert_eq!(alice.get("/").text(), "a alice");
    nothing_is_under_way();
    drop((alice, bob));
    lbd.stop();
}
