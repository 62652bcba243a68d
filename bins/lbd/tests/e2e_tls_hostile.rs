//! Clients of TLS that do not mean it, and some that only look like it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use rustls::ContentType;
use rustls::version::{TLS12, TLS13};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::{
    Authority, Backend, Client, Config, Lbd, PATIENCE, Records, Secure, Wanted, address, answer, elapsed, is_read, now,
    peer, raise_descriptor_limit, run, until,
};

/// The kernel's list of connections is long beside ten thousand of another test, and so is a look at it.
const PATIENT: &str = "timeouts = { handshake = \"60s\" }";
const GET: &str = "GET / HTTP/1.1\r\nHost: site.example\r\n\r\n";

/// An lbd that speaks TLS in front of one backend.
struct World {
    authority: Authority,
    backend: Backend,
    at: SocketAddr,
    lbd: Lbd,
}

impl World {
    fn new(listener: &str) -> Self {
        Self::before(listener, |_| answer(200, "", b"here"))
    }

    fn before(listener: &str, respond: impl Fn(&support::Message) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let authority = Authority::new("Root of the test");
        let backend = Backend::http(respond);
        let at = address();
        let site = authority.server("site.pem", &["site.example"]);
        let config = Config::http(at, &[backend.address()])
            .top("workers = 1\nlog = { access = \"stdout\", format = \"json\" }")
            .listener(&format!("tls = {{ certificates = {site:?} }}\n{listener}"));
        let lbd = Lbd::start(&config.text());
        Self {
            authority,
            backend,
            at,
            lbd,
        }
    }

    fn connect(&self) -> support::Reader<Secure> {
        Secure::connect(self.at, &self.authority)
    }

    /// Somebody who means it is served.
    fn serves(&self) {
        assert_eq!(self.connect().exchange(GET).unwrap().text(), "here");
    }

    fn until_logged(&self, end: &str, detail: &str) {
        until(&format!("{end} is logged with {detail:?}"), || {
            let log = self.lbd.stdout();
            let mut lines = log.lines();
            lines
                .any(|line| line.contains(&format!("\"end\":\"{end}\"")) && line.contains(detail))
                .then_some(())
        });
    }

    fn until_ended(&self, end: &str, times: u64) {
        until(&format!("{end} is counted {times} times"), || {
            (self.lbd.state().ends(end) >= times).then_some(())
        });
    }
}

/// A client's first flight.
fn hello(authority: &Authority, alpn: Vec<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut client = Wanted {
        alpn,
        ..Wanted::default()
    }
    .client(authority);
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// All that comes until the end, in whatever way that comes.
fn rest(mut socket: &TcpStream) -> Vec<u8> {
    let mut got = Vec::new();
    let _ = socket.read_to_end(&mut got);
    got
}

#[test]
fn new_keys_in_the_middle_of_requests_change_nothing() {
    let world = World::before("", |request| answer(200, "", &request.body));
    let mut client = world.connect();
    for number in 0..100 {
        let body = number.to_string().repeat(500);
        let head = format!(
            "POST / HTTP/1.1\r\nHost: site.example\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let (first, second) = head.split_at(20);
        let (third, fourth) = body.split_at(300);
        for part in [first, second, third, fourth] {
            client.input.update_keys().unwrap();
            client.input.write_all(part.as_bytes()).unwrap();
        }
        assert_eq!(client.response().unwrap().text(), body);
    }
    assert_eq!(world.backend.accepted(), 1);
    drop(client);
    world.lbd.stop();
}

#[test]
fn a_flood_of_new_keys_ends_its_connection_and_others_are_served_meanwhile() {
    const FLOODS: usize = 20;
    const UPDATES: usize = 100_000;
    let world = World::new("");
    world.serves();
    let before = world.lbd.memory();
    let went: Vec<usize> = std::thread::scope(|scope| {
        let flood = || {
            let mut client = world.connect();
            // A request that is not whole: nobody ends the connection because nothing is under way.
            client.input.write_all(&GET.as_bytes()[..10]).unwrap();
            (0..UPDATES).take_while(|_| client.input.update_keys().is_ok()).count()
        };
        let floods: Vec<_> = (0..FLOODS).map(|_| scope.spawn(flood)).collect();
        while floods.iter().any(|flood| !flood.is_finished()) {
            let begun = now();
            world.serves();
            assert!(elapsed(begun) < Duration::from_secs(5), "{:?}", elapsed(begun));
        }
        floods.into_iter().map(|flood| flood.join().unwrap()).collect()
    });
    // What is sent before the end is seen fits into the sockets' buffers; lbd itself takes 32 in a row.
    assert!(went.iter().all(|went| *went < UPDATES), "{went:?}");
    let grown = world.lbd.memory_peak().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes");
    until("all of them are gone, and counted", || {
        let state = world.lbd.state();
        (state.sum("active") == 0 && state.ends("client_tls") == FLOODS as u64).then_some(())
    });
    world.lbd.stop();
}

#[test]
fn a_renegotiation_is_refused_and_a_second_one_ends_the_connection() {
    let world = World::new("");
    if let Some(openssl) = peer("openssl") {
        let file = world.authority.folder().write("again", "R\n");
        let script = "exec timeout 30 \"$0\" s_client -tls1_2 -connect \"$1\" <\"$2\"";
        let got = run(Command::new("sh")
            .args(["-c", script])
            .arg(openssl)
            .arg(world.at.to_string())
            .arg(file));
        assert!(got.errors.contains("RENEGOTIATING"), "{}", got.errors);
        assert!(got.errors.contains("no renegotiation"), "{}", got.errors);
    }
    // One that does not give up.
    let client = Wanted::version(&TLS12).client(&world.authority);
    let mut records = Records::over(client, TcpStream::connect(world.at).unwrap()).unwrap();
    records.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hello = &hello(&world.authority, Vec::new())[5..];
    records.send(ContentType::Handshake, hello).unwrap();
    // RFC 5246, section 7.2: a warning (1), no_renegotiation (100).
    assert_eq!(records.receive().unwrap(), (ContentType::Alert, vec![1, 100]));
    // What was agreed on goes on.
    records.send(ContentType::ApplicationData, GET.as_bytes()).unwrap();
    let mut client = support::Reader::new(records);
    assert_eq!(client.response().unwrap().text(), "here");
    client.input.send(ContentType::Handshake, hello).unwrap();
    assert!(client.response().is_err());
    until("it is gone", || (world.lbd.state().sum("active") == 0).then_some(()));
    world.serves();
    world.lbd.stop();
}

#[test]
fn a_hello_above_the_limit_is_refused_with_both_figures_and_one_at_the_limit_is_taken() {
    for (key, limit) in [("16KiB", 16_384), ("32KiB", 32_768), ("63KiB", 64_512)] {
        let world = World::new(&format!("limits = {{ hello_bytes = \"{key}\" }}"));
        // Names of protocols fill it up, of at most 255 bytes each.
        let protocols = |bytes: usize| {
            let mut alpn = vec![b"http/1.1".to_vec()];
            let mut left = bytes - 9;
            while left > 0 {
                let now = if left > 256 { (left - 2).min(256) } else { left };
                alpn.push(vec![b'x'; now - 1]);
                left -= now;
            }
            alpn
        };
        let length =
            |hello: &[u8]| 4 + usize::from(hello[6]) * 65_536 + usize::from(hello[7]) * 256 + usize::from(hello[8]);
        let some = 1000;
        let others = length(&hello(&world.authority, protocols(some))) - some;
        for over in [0, 1] {
            let alpn = protocols(limit + over - others);
            assert_eq!(length(&hello(&world.authority, alpn.clone())), limit + over);
            let client = Wanted {
                alpn,
                ..Wanted::default()
            }
            .client(&world.authority);
            let mut secure = Secure::over(client, world.at);
            let done = secure.handshake();
            assert_eq!(done.is_ok(), over == 0, "{key}: {done:?}");
            if over == 0 {
                let got = support::Reader::new(secure).exchange(GET).unwrap();
                assert_eq!(got.text(), "here");
            } else {
                let told = done.unwrap_err().to_string();
                assert!(told.contains("HandshakeFailure"), "{key}: {told}");
            }
        }
        let above = limit + 1;
        world.until_logged(
            "client_tls",
            &format!("a hello of {above} bytes, and the limit is {limit};"),
        );
        world.until_ended("client_tls", 1);
        world.lbd.stop();
    }
}

#[test]
fn a_hello_that_comes_byte_by_byte_is_a_hello() {
    let world = World::new(PATIENT);
    for version in [&TLS12, &TLS13] {
        let client = Wanted::version(version).client(&world.authority);
        let mut secure = Secure::over(client, world.at);
        let mut bytes = Vec::new();
        secure.tls.write_tls(&mut bytes).unwrap();
        for (number, byte) in bytes.into_iter().enumerate() {
            secure.socket.write_all(&[byte]).unwrap();
            // Behind these the headers of record and message, version and random are over.
            if number < 60 {
                until("it is read alone", || is_read(&secure.socket).then_some(()));
            }
        }
        secure.handshake().unwrap();
        assert_eq!(support::Reader::new(secure).exchange(GET).unwrap().text(), "here");
    }
    world.lbd.stop();
}

#[test]
fn a_record_of_17_kib_that_never_ends_is_refused_or_ends_at_its_deadline() {
    let world = World::new("timeouts = { head = \"300ms\" }");
    // In the clear no record is so long, and its header says enough: record_overflow.
    let mut client = Client::connect(world.at);
    client.send([22, 3, 1, 0x44, 0]);
    assert_eq!(rest(client.stream()), [21, 3, 3, 0, 2, 2, 22]);
    world.until_logged("client_tls", "a TLS record of 17408 bytes");
    // Encrypted ones may be; they are waited for no longer than anything else.
    let never_ending = [&[23, 3, 3, 0x44, 0][..], &[7; 9000]].concat();
    for version in [&TLS12, &TLS13] {
        let mut secure = Secure::connect_with(Wanted::version(version), world.at, &world.authority);
        secure.socket.write_all(&never_ending).unwrap();
        world.serves();
        assert_eq!(secure.read(&mut [0]).unwrap(), 0);
        let mut secure = Secure::connect_with(Wanted::version(version), world.at, &world.authority);
        secure.write_all(&GET.as_bytes()[..10]).unwrap();
        secure.socket.write_all(&never_ending).unwrap();
        let mut client = support::Reader::new(secure);
        assert_eq!(client.response().unwrap().status(), 408);
    }
    world.until_ended("client_idle", 2);
    world.lbd.stop();
}

#[test]
fn half_handshakes_by_the_thousand_cost_little_each_and_end_at_their_deadline() {
    // Ten thousand of them, where so many descriptors may be had.
    let most = usize::try_from(raise_descriptor_limit()).unwrap();
    let count = 10_000.min(most.saturating_sub(500));
    let world = World::new("timeouts = { handshake = \"10s\" }\nlimits = { max_handshakes = 20000 }");
    world.serves();
    let bytes = hello(&world.authority, Vec::new());
    let mut before = world.lbd.memory();
    let mut held = Vec::new();
    for (what, said, count) in [
        ("half a hello", &bytes[..bytes.len() / 2], count / 5 * 4),
        ("a hello and no more", &bytes[..], count / 5),
    ] {
        for _ in 0..count {
            let mut socket = TcpStream::connect(world.at).unwrap();
            socket.write_all(said).unwrap();
            held.push(socket);
        }
        // Whoever is served now comes after all of them.
        world.serves();
        assert!(world.lbd.descriptors() >= held.len(), "all of them are there at once");
        let memory = world.lbd.memory();
        let each = memory.saturating_sub(before) / count as u64;
        println!("{count} with {what}: {each} bytes each");
        assert!(each < 16 << 10, "{what}: {each} bytes each");
        before = memory;
    }
    world.until_ended("handshake_timeout", held.len() as u64);
    world.serves();
    drop(held);
    world.lbd.stop();
}

#[test]
fn hellos_without_an_end_leave_room_for_whoever_finishes() {
    let world = World::new("limits = { max_handshakes = 100 }");
    let bytes = hello(&world.authority, Vec::new());
    let held: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut socket = TcpStream::connect(world.at).unwrap();
            socket.write_all(&bytes).unwrap();
            // It has its answer, and now it is waited for.
            assert_eq!(socket.read(&mut [0]).unwrap(), 1);
            socket
        })
        .collect();
    for _ in 0..10 {
        world.serves();
    }
    world.until_ended("connection_limit", 200);
    drop(held);
    world.lbd.stop();
}

#[test]
fn a_request_that_ends_without_close_notify_is_whole_only_when_http_says_so() {
    let whole = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&whole);
    let world = World::before("", move |request| {
        count.fetch_add(1, Ordering::SeqCst);
        answer(200, "", &request.body)
    });
    for (fields, body, status) in [
        ("Content-Length: 4\r\n", "body", 200),
        ("Content-Length: 4\r\n", "bod", 400),
        ("Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n", 200),
        ("Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n", 400),
    ] {
        let mut client = world.connect();
        let request = format!("POST / HTTP/1.1\r\nHost: site.example\r\n{fields}\r\n{body}");
        client.input.write_all(request.as_bytes()).unwrap();
        client.input.end(false);
        assert_eq!(client.response().unwrap().status(), status, "{fields} {body:?}");
    }
    // The backend has had no other one whole.
    assert_eq!(whole.load(Ordering::SeqCst), 2);
    world.until_ended("bad_request", 2);
    world.lbd.stop();
}

#[test]
fn a_proxy_header_may_be_cut_anywhere() {
    let world = World::before(
        &format!("{PATIENT}\nproxy_protocol = \"require\"\nproxy_protocol_from = [\"127.0.0.0/8\"]"),
        |request| answer(200, "", request.head.get("x-forwarded-for").unwrap_or("-").as_bytes()),
    );
    let v2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x01\xbb";
    let v1: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n";
    for header in [v1, v2] {
        for cut in 0..header.len() {
            let (first, second) = header.split_at(cut);
            let mut secure = Secure::over(Wanted::default().client(&world.authority), world.at);
            secure.socket.write_all(first).unwrap();
            until("the first part is read", || is_read(&secure.socket).then_some(()));
            secure.socket.write_all(second).unwrap();
            secure.handshake().unwrap();
            let got = support::Reader::new(secure).exchange(GET).unwrap();
            assert_eq!(got.text(), "192.0.2.1", "cut at {cut}");
            // And where it is cut off, nothing is said to anybody.
            let mut socket = TcpStream::connect(world.at).unwrap();
            socket.write_all(first).unwrap();
            socket.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(&socket), b"", "cut off at {cut}");
        }
    }
    let cut_off = u64::try_from(v1.len() + v2.len()).unwrap() - 2;
    world.until_ended("client_reset", cut_off);
    assert_eq!(world.lbd.state().ends("client_reset"), cut_off);
    world.lbd.stop();
}
