//! Clients that do not mean it.

use crate::http::echo;
use crate::world::{World, backend, connect, make, secure, sites, until};
use lb_telemetry::End;
use rustls::version::TLS13;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(300);

/// What comes until the end.
fn rest(mut socket: TcpStream) -> Vec<u8> {
    let mut got = Vec::new();
    let _ = socket.read_to_end(&mut got);
    got
}

#[test]
fn whoever_does_not_finish_is_let_go_at_the_deadline_and_others_are_served_meanwhile() {
    let made = make();
    let world = World::with(Some(sites(&made)), backend(echo), None, |listener| {
        listener.preface.timeout = SHORT;
    });
    let hello = [22, 3, 1, 2, 0, 1, 0, 1, 252];
    let beginnings: [&[u8]; 4] = [b"", &hello[..1], &hello, &[22, 3, 1, 64, 0]];
    let sockets: Vec<TcpStream> = beginnings
        .into_iter()
        .map(|bytes| {
            let mut socket = connect(world.proxy);
            socket.write_all(bytes).unwrap();
            socket
        })
        .collect();
    let mut client = secure(world.proxy, &made, &TLS13);
    client
        .write_all(b"GET /3 HTTP/1.1\r\nHost: site.example\r\n\r\n")
        .unwrap();
    assert!(crate::http::head(&mut client).unwrap().starts_with("HTTP/1.1 200"));
    for socket in sockets {
        assert!(rest(socket).is_empty());
    }
    world.until_ended(End::HandshakeTimeout, 4);
    world.stop();
}

#[test]
fn what_is_no_tls_gets_an_alert_or_nothing_and_never_an_answer_of_a_backend() {
    let made = make();
    let world = World::new(Some(sites(&made)), backend(echo), None);
    let too_long = [&[22, 3, 1, 0x44, 0][..], &[0; 0x4400]].concat();
    let cases: [(&[u8], &[u8]); 5] = [
        // record_overflow, unexpected_message, decode_error: RFC 8446, section 6.2
        (&too_long, &[21, 3, 3, 0, 2, 2, 22]),
        (&[23, 3, 3, 0, 1, 0], &[]),
        (&[22, 3, 1, 0, 4, 2, 0, 0, 0], &[21, 3, 3, 0, 2, 2, 10]),
        (&[22, 3, 1, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0], &[21, 3, 3, 0, 2, 2, 50]),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", &[]),
    ];
    for (said, answer) in cases {
        let mut socket = connect(world.proxy);
        let _ = socket.write_all(said);
        let got = rest(socket);
        assert!(
            got == answer || (answer.is_empty() && got.len() == 7),
            "{said:?}: {got:?}"
        );
    }
    world.until_ended(End::ClientTls, 5);
    world.stop();
}

#[test]
fn half_handshakes_by_the_thousand_leave_room_for_whoever_finishes() {
    let made = make();
    let world = World::with(Some(sites(&made)), backend(echo), None, |listener| {
        listener.preface.max_handshakes = 100;
    });
    let mut half: Vec<TcpStream> = Vec::new();
    for _ in 0..400 {
        half.push(connect(world.proxy));
    }
    until("those beyond the limit are refused", || {
        world.counters.snapshot().ended(End::ConnectionLimit) >= 300
    });
    // Those who have kept us waiting for longest went, and who comes now finishes although 100 are there still.
    let mut client = secure(world.proxy, &made, &TLS13);
    client
        .write_all(b"GET /3 HTTP/1.1\r\nHost: site.example\r\n\r\n")
        .unwrap();
    assert!(crate::http::head(&mut client).unwrap().starts_with("HTTP/1.1 200"));
    let gone = half.iter().filter(|socket| {
        socket.set_nonblocking(true).unwrap();
        matches!((&**socket).read(&mut [0]), Ok(0))
    });
    assert!(gone.count() >= 300);
    drop(half);
    world.stop();
}

#[test]
fn a_client_that_asks_for_new_keys_without_end_is_let_go() {
    let made = make();
    let world = World::new(Some(sites(&made)), backend(echo), None);
    let mut client = secure(world.proxy, &made, &TLS13);
    client
        .write_all(b"GET /3 HTTP/1.1\r\nHost: site.example\r\n\r\n")
        .unwrap();
    assert!(crate::http::head(&mut client).is_some());
    let mut refused = false;
    for _ in 0..10_000 {
        if client.conn.refresh_traffic_keys().is_err() || client.flush().is_err() {
            refused = true;
            break;
        }
    }
    assert!(refused, "10,000 key updates were taken");
    world.stop();
}
