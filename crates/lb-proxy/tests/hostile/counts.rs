//! What is counted: the bytes of both connections as they went over the wire, and each end once.

use crate::script::Do;
use crate::world::{PATIENCE, Setup, World};
use lb_telemetry::End;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

const UPGRADE: &str = "GET /evil HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[test]
fn bytes_mean_the_same_in_all_four_directions() {
    let large = "x".repeat(3 << 20);
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n";
    for (name, request, answer) in [
        (
            "a head alone",
            "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
            "HTTP/1.1 204 No\r\n\r\n".to_owned(),
        ),
        (
            "chunks",
            format!("POST /evil HTTP/1.1\r\nHost: h\r\n{chunked}"),
            format!("HTTP/1.1 200 OK\r\n{chunked}"),
        ),
        (
            "bulk",
            format!(
                "POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{large}",
                large.len()
            ),
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{large}", large.len()),
        ),
        (
            "an upgrade",
            format!("{UPGRADE}early and late"),
            format!("{SWITCH}hello"),
        ),
    ] {
        let is_upgrade = name == "an upgrade";
        let mut script = vec![Do::Body, Do::Send(answer.clone().into_bytes())];
        if is_upgrade {
            script = vec![Do::Send(answer.clone().into_bytes()), Do::Fin, Do::UntilGone];
        }
        let world = World::new(&Setup::default(), script);
        let mut client = TcpStream::connect(world.proxy).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut sender = client.try_clone().unwrap();
        let asked = request.clone();
        let sending = std::thread::spawn(move || {
            sender.write_all(asked.as_bytes()).unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
        });
        let mut seen = Vec::new();
        client.read_to_end(&mut seen).unwrap();
        sending.join().unwrap();
        drop(client);
        let end = if is_upgrade { End::TunnelDone } else { End::Done };
        world.until_ended(end);
        let counts = world.counts();
        assert_eq!(counts.client_in, request.len() as u64, "{name}: from the client");
        assert_eq!(counts.client_out, seen.len() as u64, "{name}: to the client");
        assert_eq!(counts.upstream_in, answer.len() as u64, "{name}: from the backend");
        world
            .backend()
            .until(name, |seen| seen.bytes as u64 >= counts.upstream_out);
        let arrived = world.backend().look(|seen| seen.bytes as u64);
        assert_eq!(counts.upstream_out, arrived, "{name}: to the backend");
        let ends: u64 = counts.ends().map(|(_, count)| count).sum();
        assert_eq!(
            (ends, counts.requests),
            (1, 1),
            "{name}: {:?}",
            counts.ends().collect::<Vec<_>>()
        );
    }
}
