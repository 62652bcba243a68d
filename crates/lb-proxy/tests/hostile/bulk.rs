//! Bodies so large that they go by inside the kernel: not a byte more, not a byte less, and every end is
//! seen as ever.

use crate::client::{Client, Gone};
use crate::script::Do;
use crate::world::{SHORT, Setup, World};

/// From here on bodies are not copied; what is read with the head does not count.
const BULK: usize = 512 * 1024;
/// What a pipe holds.
const PIPE: usize = 256 * 1024;
/// The most that is read with a head.
const AHEAD: usize = 16 * 1024;
const MIB: usize = 1024 * 1024;
const GET: &[u8] = b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";

/// No period of it divides a buffer's size.
fn pattern(len: usize) -> Vec<u8> {
    let mut bytes = (0..251).collect::<Vec<u8>>().repeat(len / 251 + 1);
    bytes.truncate(len);
    bytes
}

fn response(len: usize) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n").into_bytes();
    bytes.extend(pattern(len));
    bytes
}

fn post(path: &str, len: usize) -> Vec<u8> {
    let mut bytes = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {len}\r\n\r\n").into_bytes();
    bytes.extend(pattern(len));
    bytes
}

/// Around the threshold, counted from the body's first byte and from the first that was not read
/// with the head; around a pipe's size; and well above.
fn sizes() -> Vec<usize> {
    let mut sizes = vec![MIB + 1, 3 * MIB];
    for border in [BULK, BULK + AHEAD, BULK + PIPE, BULK + PIPE + AHEAD] {
        sizes.extend([border - 100, border - 1, border, border + 1, border + 100]);
    }
    sizes
}

/// Reads a response whose body is the pattern.
fn whole(client: &mut Client, len: usize) {
    let reply = client.reply("GET").expect("an answer");
    assert!(reply.whole && reply.status == 200, "{len}: {}", reply.head);
    assert!(
        reply.body == pattern(len),
        "{len}: the body differs, {} bytes",
        reply.body.len()
    );
}

#[test]
fn responses_of_every_size_are_exact_and_their_connections_used_again() {
    for len in sizes() {
        let world = World::new(&Setup::default(), vec![Do::Send(response(len))]);
        let mut client = world.client();
        for _ in 0..3 {
            client.send(GET);
            whole(&mut client, len);
            client.lives();
        }
        world.backend().look(|seen| assert_eq!(seen.connections, 1, "{len}"));
        world.settle();
    }
}

#[test]
fn requests_of_every_size_are_exact_and_their_connections_used_again() {
    for len in sizes() {
        let world = World::new(&Setup::default(), Vec::new());
        let mut client = world.client();
        for round in 1..=2 {
            client.send(&post("/up", len));
            let reply = client.reply("POST").expect("an answer");
            assert_eq!(reply.text(), format!("0: POST /up {len}"), "{}", reply.head);
            client.lives();
            world.backend().look(|seen| {
                let request = &seen.requests[2 * (round - 1)];
                assert!(request.body == pattern(len), "{len}: the body differs");
                assert!(seen.violations.is_empty(), "{:?}", seen.violations);
            });
        }
        world.backend().look(|seen| assert_eq!(seen.connections, 1, "{len}"));
        world.settle();
    }
}

#[test]
fn what_stands_behind_a_large_request_is_the_next_one() {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    let mut both = post("/first", MIB);
    both.extend(post("/second", MIB + 1));
    both.extend(b"GET /third HTTP/1.1\r\nHost: h\r\n\r\n");
    client.send(&both);
    for want in ["0: POST /first 1048576", "0: POST /second 1048577", "0: GET /third 0"] {
        assert_eq!(client.reply("GET").expect("an answer").text(), want);
    }
    world.settle();
}

#[test]
fn what_stands_behind_a_large_response_is_nobodys_answer() {
    let mut bytes = response(MIB);
    bytes.extend(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    let world = World::new(&Setup::default(), vec![Do::Send(bytes)]);
    let (mut client, mut other) = (world.client(), world.client());
    client.send(GET);
    whole(&mut client, MIB);
    world.backend().until("its words", |seen| seen.said == 1);
    client.lives();
    other.lives();
    world.settle();
}

#[test]
fn a_large_body_until_close_ends_as_the_backend_ends_it() {
    for (end, gone) in [(Do::Fin, Gone::Fin), (Do::Reset, Gone::Rst)] {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        bytes.extend(pattern(2 * MIB));
        let script = vec![Do::Send(bytes), Do::Gate, end, Do::UntilGone];
        let world = World::new(&Setup::default(), script);
        let mut client = world.client();
        client.send(b"GET /evil HTTP/1.0\r\n\r\n");
        assert_eq!(client.head().unwrap().0, 200);
        assert!(client.take(2 * MIB) == pattern(2 * MIB), "the body differs");
        world.backend().open_gate();
        assert_eq!(client.ends(), gone, "{gone:?}");
        world.settle();
    }
}

#[test]
fn a_large_response_that_a_backend_cuts_is_not_taken_for_whole() {
    for end in [Do::Close, Do::Fin, Do::Reset] {
        for version in ["1.1", "1.0"] {
            let mut bytes = response(2 * MIB);
            bytes.truncate(bytes.len() - 1);
            let script = vec![Do::Send(bytes), Do::Gate, end.clone(), Do::UntilGone];
            let world = World::new(&Setup::default(), script);
            let (mut client, mut other) = (world.client(), world.client());
            client.send(format!("GET /evil HTTP/{version}\r\nHost: h\r\n\r\n").as_bytes());
            assert_eq!(client.head().unwrap().0, 200);
            assert!(
                client.take(2 * MIB - 1) == pattern(2 * MIB - 1),
                "what came before the cut differs"
            );
            world.backend().open_gate();
            client.ends();
            other.lives();
            world.settle();
        }
    }
}

#[test]
fn a_large_request_that_a_client_cuts_is_cut_for_the_backend_too() {
    for reset in [false, true] {
        let world = World::new(&Setup::default(), Vec::new());
        let mut client = world.client();
        let mut bytes = post("/up", 2 * MIB);
        bytes.truncate(bytes.len() - 1);
        client.send(&bytes);
        world.backend().until("nearly all", |seen| seen.bytes > 2 * MIB - 1);
        if reset {
            client.reset();
        } else {
            client.fin();
            assert_eq!(client.reply("POST").expect("a refusal").status, 400);
            client.ends();
        }
        world.backend().until("the end", |seen| seen.ended == 1);
        world.backend().look(|seen| {
            assert_eq!((seen.cut, seen.requests.len()), (1, 0), "half a request passed for one");
        });
        world.client().lives();
        world.settle();
    }
}

#[test]
fn a_client_that_resets_inside_a_large_response_ends_the_upstream_work() {
    let world = World::new(&Setup::default(), vec![Do::Send(response(128 * MIB)), Do::UntilGone]);
    let mut client = world.client();
    client.send(GET);
    assert_eq!(client.head().unwrap().0, 200);
    assert!(client.take(2 * MIB) == pattern(2 * MIB));
    client.reset();
    // Its backend cannot have said all: the connection ended under it.
    world.backend().until("the end", |seen| seen.ended == 1);
    world.client().lives();
    world.settle();
}

#[test]
fn a_reader_that_stops_and_goes_on_misses_nothing() {
    let world = World::new(&Setup::default(), vec![Do::Send(response(64 * MIB)), Do::Gate]);
    let mut client = world.client();
    client.send(GET);
    assert_eq!(client.head().unwrap().0, 200);
    // Others are served while it does not read.
    for _ in 0..20 {
        world.client().lives();
    }
    world
        .backend()
        .look(|seen| assert_eq!(seen.said, 0, "64 MiB are in nobody's buffers"));
    assert!(client.take(64 * MIB) == pattern(64 * MIB), "the body differs");
    world.backend().until("its words", |seen| seen.said == 1);
    world.backend().open_gate();
    client.lives();
    world.settle();
}

#[test]
fn a_backend_that_falls_silent_inside_a_large_body_is_a_cut_response() {
    let setup = Setup {
        response_timeout: SHORT,
        ..Setup::default()
    };
    let mut bytes = response(2 * MIB);
    bytes.truncate(MIB);
    let world = World::new(&setup, vec![Do::Send(bytes), Do::UntilGone]);
    let mut client = world.client();
    client.send(GET);
    let reply = client.reply("GET").unwrap();
    assert!(!reply.whole && reply.body.len() > MIB / 2, "{}", reply.body.len());
    client.ends();
    world.backend().until("the end", |seen| seen.ended == 1);
    world.settle();
}

#[test]
fn a_client_that_falls_silent_inside_a_large_body_is_a_408() {
    let setup = Setup {
        body_timeout: SHORT,
        ..Setup::default()
    };
    let world = World::new(&setup, Vec::new());
    let mut client = world.client();
    let mut bytes = post("/up", 2 * MIB);
    bytes.truncate(MIB);
    client.send(&bytes);
    assert_eq!(client.reply("POST").unwrap().status, 408);
    client.ends();
    world.backend().until("the end", |seen| seen.ended == 1);
    world.backend().look(|seen| assert_eq!(seen.cut, 1));
    world.settle();
}

#[test]
fn an_early_answer_inside_a_large_request_is_given() {
    let script = vec![
        Do::SomeBody(MIB),
        Do::Send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno".to_vec()),
        Do::UntilGone,
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    let bytes = post("/evil", 4 * MIB);
    client.send(&bytes[..2 * MIB]);
    let reply = client.reply("POST").unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (413, "no"));
    assert_eq!(reply.field("connection"), Some("close"));
    client.send(&bytes[2 * MIB..]);
    client.ends();
    world.backend().until("the end", |seen| seen.ended == 1);
    world.client().lives();
    world.settle();
}

#[test]
fn large_bodies_go_both_ways_at_once() {
    // The backend reads nothing before it has said all: only who moves both directions at once gets through.
    let script = vec![Do::Send(response(32 * MIB)), Do::Body];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    let mut sender = client.io.try_clone().unwrap();
    let upload = std::thread::spawn(move || std::io::Write::write_all(&mut sender, &post("/evil", 32 * MIB)));
    assert_eq!(client.head().unwrap().0, 200);
    assert!(client.take(32 * MIB) == pattern(32 * MIB), "the download differs");
    world
        .backend()
        .until("the upload", |seen| seen.requests.len() + seen.cut == 1);
    let _ = upload.join().unwrap();
    world.client().lives();
    world.settle();
}

#[test]
fn a_body_that_the_limit_forbids_is_cut_at_the_limit_however_it_goes_by() {
    let mut setup = Setup::default();
    setup.backend_limits.body_bytes = Some(MIB as u64);
    let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    bytes.extend(pattern(2 * MIB));
    let world = World::new(&setup, vec![Do::Send(bytes), Do::Fin, Do::UntilGone]);
    let mut client = world.client();
    client.send(b"GET /evil HTTP/1.0\r\n\r\n");
    assert_eq!(client.head().unwrap().0, 200);
    let got = client.take(2 * MIB);
    assert!(got.len() <= MIB, "{} bytes passed", got.len());
    assert_eq!(client.ends(), Gone::Rst, "a FIN would make it look whole");
    world.settle();
}

#[test]
fn the_answer_to_head_has_no_body_however_large_it_would_be() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {MIB}\r\n\r\n");
    let world = World::new(&Setup::default(), vec![Do::Send(head.into())]);
    let mut client = world.client();
    client.send(b"HEAD /evil HTTP/1.1\r\nHost: h\r\n\r\n");
    let reply = client.reply("HEAD").unwrap();
    assert_eq!(reply.field("content-length"), Some("1048576"));
    client.lives();
    world.settle();
}

#[test]
fn a_tunnel_carries_bulk_and_small_talk_unchanged() {
    const ASK: &[u8] = b"GET /evil HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const YES: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let script = vec![
        Do::Send(YES.to_vec()),
        Do::Send(pattern(16 * MIB)),
        Do::SomeBody(4),
        Do::Send(b"pong".to_vec()),
        Do::SomeBody(4 + 16 * MIB),
        Do::Send(pattern(16 * MIB)),
        Do::Fin,
        Do::UntilGone,
    ];
    let world = World::new(&Setup::default(), script);
    let mut client = world.client();
    client.send(ASK);
    assert_eq!(client.head().unwrap().0, 101);
    assert!(client.take(16 * MIB) == pattern(16 * MIB), "the first bulk differs");
    client.send(b"ping");
    assert_eq!(client.take(4), b"pong");
    client.send(&pattern(16 * MIB));
    assert!(client.take(16 * MIB) == pattern(16 * MIB), "the second bulk differs");
    client.fin();
    assert_eq!(client.ends(), Gone::Fin);
    world.backend().until("the end", |seen| seen.ended == 1);
    world.settle();
}

#[test]
fn a_client_that_sends_a_large_body_does_not_wait_for_a_continue_any_more() {
    let setup = Setup {
        body_timeout: SHORT,
        ..Setup::default()
    };
    let world = World::new(&setup, vec![Do::Body]);
    let mut client = world.client();
    let head = format!("POST /evil HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: {MIB}\r\n\r\n");
    client.send(head.as_bytes());
    world.backend().until("the head", |seen| seen.bytes > 0);
    client.send(&pattern(MIB / 2));
    // What it is silent with now is its body, not its patience.
    let reply = client.reply("POST").unwrap();
    assert_eq!((reply.status, reply.interim), (408, Vec::new()));
    client.ends();
    world.settle();
}
