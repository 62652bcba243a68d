//! Whose patience ends when: each direction has its own, a request may have one for all of it, and bodies a least rate.

use crate::script::Do;
use crate::world::{PATIENCE, SHORT, Setup, World};
use lb_telemetry::End;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

const LARGE: usize = 64 << 20;
const POST: &[u8] = b"POST /evil HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
const GET: &[u8] = b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";

/// More than any buffers hold.
fn large() -> Do {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
    Do::Send([head.into_bytes(), vec![b'x'; LARGE]].concat())
}

fn send(text: &str) -> Do {
    Do::Send(text.as_bytes().to_vec())
}

fn connect(world: &World, request: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(world.proxy).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(request).unwrap();
    client
}

/// Does this again and again, with a pause, until it says no; how long that took.
fn as_long_as(pause: u64, mut does: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while does() {
        assert!(begin.elapsed() < PATIENCE, "it goes on and on");
        std::thread::park_timeout(Duration::from_millis(pause));
    }
    begin.elapsed()
}

#[test]
fn a_client_that_takes_nothing_is_cut_whatever_it_sends() {
    let setup = Setup {
        write_timeout: SHORT,
        ..Setup::default()
    };
    for trickles in [false, true] {
        let world = World::new(&setup, vec![large(), Do::UntilGone]);
        let mut client = connect(&world, if trickles { POST } else { GET });
        as_long_as(20, || {
            if trickles {
                let _ = client.write_all(b"1\r\nx\r\n");
            }
            world.ended(End::WriteTimeout) == 0
        });
        world.backend().until("the end", |seen| seen.ended == 1);
        assert_eq!(world.ended(End::ClientReset), 0, "trickles: {trickles}");
        world.settle();
    }
}

#[test]
fn a_backend_that_takes_nothing_of_a_request_is_a_504_and_no_end_of_an_answer_that_has_begun() {
    let setup = Setup {
        response_timeout: 2 * SHORT,
        ..Setup::default()
    };
    for answers in [false, true] {
        let mut script = vec![Do::Gate];
        if answers {
            // A byte now and then, for longer than the patience for the upload.
            script.insert(0, send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"));
            script = (0..12).fold(script, |script, _| [script, vec![send("x"), Do::Gate]].concat());
        }
        let world = World::new(&setup, script);
        let mut client = connect(
            &world,
            b"POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n",
        );
        let mut sender = client.try_clone().unwrap();
        let sending = std::thread::spawn(move || sender.write_all(&vec![b'y'; LARGE]).is_ok());
        let reading = std::thread::spawn(move || {
            let mut all = Vec::new();
            let _ = client.read_to_end(&mut all);
            String::from_utf8(all).unwrap()
        });
        as_long_as(100, || {
            if answers {
                world.backend().open_gate();
            }
            !reading.is_finished()
        });
        world.backend().open_gate();
        let seen = reading.join().unwrap();
        assert!(
            seen.starts_with(if answers { "HTTP/1.1 200" } else { "HTTP/1.1 504" }),
            "{seen}"
        );
        assert!(!answers || seen.ends_with("\r\n\r\nxxxxxxxxxxxx"), "{seen}");
        let _ = sending.join().unwrap();
        world.settle();
    }
}

#[test]
fn a_request_takes_no_longer_than_it_may_in_all() {
    let setup = Setup {
        request_timeout: Some(2 * SHORT),
        ..Setup::default()
    };
    let half = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (name, sent, more, script, status, end) in [
        (
            "a head",
            &b"GET / HTTP/1.1\r\nX: "[..],
            &b"x"[..],
            vec![],
            408,
            End::ClientTimeout,
        ),
        ("a body", POST, b"1\r\nx\r\n", vec![Do::Body], 408, End::ClientTimeout),
        ("no answer", GET, b"", vec![Do::UntilGone], 504, End::RequestTimeout),
        (
            "half an answer",
            GET,
            b"",
            vec![send(half), Do::UntilGone],
            200,
            End::RequestTimeout,
        ),
        (
            "an answer not taken",
            GET,
            b"",
            vec![large(), Do::UntilGone],
            0,
            End::RequestTimeout,
        ),
    ] {
        let world = World::new(&setup, script);
        let mut client = connect(&world, sent);
        let time = as_long_as(20, || {
            let _ = client.write_all(more);
            world.ended(end) == 0
        });
        assert!((SHORT..8 * SHORT).contains(&time), "{name}: {time:?}");
        let mut seen = [0; 12];
        if status > 0 {
            client.read_exact(&mut seen).unwrap();
            assert_eq!(&seen, format!("HTTP/1.1 {status}").as_bytes(), "{name}");
        }
        drop(client);
        world.settle();
        // The backend is not blamed, and the next request has its own time.
        world.client().lives();
    }
}

#[test]
fn a_body_slower_than_the_least_rate_is_cut_and_a_faster_one_is_not() {
    let rate = |rate| Setup {
        body_timeout: SHORT,
        write_timeout: SHORT,
        min_body_rate: NonZeroU64::new(rate),
        ..Setup::default()
    };
    // One byte each 50 ms are 20 a second.
    for (least, is_cut) in [(1_000, true), (2, false)] {
        let world = World::new(
            &rate(least),
            vec![Do::Body, send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")],
        );
        let mut client = connect(&world, POST);
        let mut left = 30;
        as_long_as(50, || {
            left -= 1;
            let _ = client.write_all(b"1\r\nx\r\n");
            left > 0 && world.ended(End::ClientTimeout) == 0
        });
        let _ = client.write_all(b"0\r\n\r\n");
        let mut seen = [0; 12];
        client.read_exact(&mut seen).unwrap();
        let status = if is_cut { "408" } else { "200" };
        assert_eq!(&seen, format!("HTTP/1.1 {status}").as_bytes(), "{least}");
    }
    // 64 KiB each 20 ms are 3 MiB a second.
    for (least, is_cut) in [(200 << 20, true), (1 << 18, false)] {
        // The kernel tells of room in large pieces.
        let setup = Setup {
            write_timeout: 4 * SHORT,
            ..rate(least)
        };
        let world = World::new(&setup, vec![large(), Do::UntilGone]);
        let mut client = connect(&world, GET);
        let mut room = vec![0; 1 << 16];
        let mut left = 150;
        as_long_as(20, || {
            left -= 1;
            let _ = client.read(&mut room);
            left > 0 && world.ended(End::WriteTimeout) == 0
        });
        assert_eq!(world.ended(End::WriteTimeout), u64::from(is_cut), "{least}");
    }
    // A backend that takes its time is not the client's slowness, and a stream of events is none of anybody's.
    let slow = Setup {
        response_timeout: PATIENCE,
        ..rate(1_000_000)
    };
    let world = World::new(
        &slow,
        vec![
            Do::Gate,
            send("HTTP/1.1 200 OK\r\n\r\nx"),
            Do::Gate,
            send("y"),
            Do::Close,
        ],
    );
    let mut client = connect(&world, GET);
    let mut all = Vec::new();
    for _ in 0..2 {
        let begin = Instant::now();
        as_long_as(20, || begin.elapsed() < 3 * SHORT);
        world.backend().open_gate();
    }
    client.read_to_end(&mut all).ok();
    assert!(String::from_utf8(all).unwrap().contains("y"));
}

#[test]
fn a_clients_reset_is_seen_while_its_upload_is_stuck() {
    let setup = Setup {
        response_timeout: 10 * PATIENCE,
        ..Setup::default()
    };
    let early = send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxx");
    for script in [vec![Do::Gate], vec![early, Do::Gate]] {
        let world = World::new(&setup, script);
        let client = connect(
            &world,
            b"POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n",
        );
        client.set_nonblocking(true).unwrap();
        // Until nothing more is taken for a while.
        let (mut sent, mut still) = (0, 0);
        as_long_as(10, || {
            let more = (&client).write(&[b'y'; 1 << 16]).unwrap_or(0);
            sent += more;
            still = if more > 0 { 0 } else { still + 1 };
            still < 30
        });
        crate::script::reset(&client);
        drop(client);
        as_long_as(10, || world.ended(End::ClientReset) == 0);
        world.settle();
        world.backend().open_gate();
    }
    // The same behind more pipelined bytes than are read ahead.
    let world = World::new(&setup, vec![Do::Gate]);
    let mut client = connect(&world, GET);
    client.write_all(&[b'z'; 100_000]).unwrap();
    world.backend().until("the request", |seen| seen.bytes > 0);
    crate::script::reset(&client);
    drop(client);
    as_long_as(10, || world.ended(End::ClientReset) == 0);
    world.backend().open_gate();
}

#[test]
fn an_idle_connection_gets_no_new_time_by_a_false_alarm() {
    let setup = Setup {
        keep_alive: 4 * SHORT,
        head_timeout: 4 * SHORT,
        ..Setup::default()
    };
    for asks in [true, false] {
        for line in ["\r\n", "\r"] {
            let world = World::new(&setup, Vec::new());
            let mut client = world.client();
            if asks {
                client.send(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
                assert_eq!(client.reply("GET").unwrap().status, 200);
            }
            let begin = Instant::now();
            as_long_as(10, || begin.elapsed() < 3 * SHORT);
            client.send(line.as_bytes());
            client.ends();
            let time = begin.elapsed();
            assert!(time < 6 * SHORT, "asks {asks}, {line:?}: {time:?}");
            assert_eq!(world.ended(End::ClientIdle), 1, "asks {asks}, {line:?}");
        }
    }
}
