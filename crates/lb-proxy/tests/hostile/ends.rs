//! The drain and its deadline, with an exchange in every phase.

use crate::client::{Client, Gone};
use crate::script::Do;
use crate::world::{Setup, World};
use lb_proxy::Order;

const GET: &[u8] = b"GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";
const LARGE: usize = 64 * 1024 * 1024;

/// What a backend does, what the client sends, and whether the backend's first words are waited for.
struct Phase {
    name: &'static str,
    script: Vec<Do>,
    sent: &'static [u8],
    asked: bool,
    said: usize,
    end: Option<Gone>,
}

fn phases() -> Vec<Phase> {
    let phase = |name, script, sent, asked, said, end| Phase {
        name,
        script,
        sent,
        asked,
        said,
        end,
    };
    let send = |text: &str| Do::Send(text.as_bytes().to_vec());
    let large = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n").into_bytes(),
        vec![b'x'; LARGE],
    ]
    .concat();
    vec![
        phase("nothing sent", vec![], b"", false, 0, None),
        phase("half a head", vec![], b"GET /evil HTT", false, 0, None),
        phase("no answer", vec![Do::UntilGone], GET, true, 0, None),
        phase(
            "half a body up",
            vec![Do::UntilGone],
            b"POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhe",
            true,
            0,
            None,
        ),
        phase(
            "large body up",
            vec![Do::UntilGone],
            b"POST /evil HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\nhe",
            true,
            0,
            None,
        ),
        phase(
            "half a head down",
            vec![send("HTTP/1.1 200 O"), Do::UntilGone],
            GET,
            true,
            1,
            None,
        ),
        phase(
            "half a body down",
            vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhe"), Do::UntilGone],
            GET,
            true,
            1,
            None,
        ),
        phase(
            "half a body until close",
            vec![send("HTTP/1.1 200 OK\r\n\r\nhe"), Do::UntilGone],
            b"GET /evil HTTP/1.0\r\nHost: h\r\n\r\n",
            true,
            1,
            Some(Gone::Rst),
        ),
        phase(
            "large body that nobody reads",
            vec![Do::Send(large), Do::UntilGone],
            GET,
            true,
            0,
            None,
        ),
        phase(
            "tunnel",
            vec![
                send("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nlate"),
                Do::UntilGone,
            ],
            b"GET /evil HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nearly",
            true,
            1,
            None,
        ),
        phase(
            "the end of a refusal",
            vec![],
            b"GET / HTTP/1.1\r\n\r\nmore",
            false,
            0,
            None,
        ),
    ]
}

/// Brings an exchange into its phase.
fn begin(phase: &Phase) -> (World, Client) {
    let world = World::new(&Setup::default(), phase.script.clone());
    let mut client = world.client();
    // Its own exchange shows that the connection was accepted.
    client.lives();
    client.send(phase.sent);
    if phase.asked {
        world.backend().until(phase.name, |seen| {
            seen.connections > 0 && seen.said >= phase.said && seen.bytes > PROBE
        });
    }
    if phase.end.is_some() {
        // How the connection ends depends on what the client has got.
        client.head().unwrap();
        assert_eq!(client.take(2), b"he");
    }
    (world, client)
}

/// More than the first exchange takes, less than the second one adds.
const PROBE: usize = 140;

#[test]
fn the_deadline_ends_every_connection_whatever_it_does() {
    for phase in phases() {
        let (world, mut client) = begin(&phase);
        world.order(Order::Drain);
        world.order(Order::Cut);
        let backend = std::sync::Arc::clone(&world.backends[0]);
        let (counters, proxy) = (world.counters(), world.proxy);
        world.ends_by_itself();
        backend.until(phase.name, |seen| seen.ended == seen.connections);
        let gone = client.gone();
        assert!(phase.end.is_none_or(|end| end == gone), "{}: {gone:?}", phase.name);
        // The exchange that showed that the client was accepted, and this one.
        let listener = counters.read_listener(proxy.into());
        let ends: Vec<_> = listener.ends.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(listener.ends.sum(), 2, "{}: {ends:?}", phase.name);
        assert_eq!((listener.opened, listener.closed), (1, 1), "{}", phase.name);
        let pool = counters.read_pool("app").ends.sum();
        assert_eq!(pool, 1 + u64::from(phase.asked), "{}: {ends:?}", phase.name);
    }
}

#[test]
fn a_cut_without_a_drain_ends_every_connection_too() {
    for phase in phases() {
        let (world, mut client) = begin(&phase);
        world.order(Order::Cut);
        world.ends_by_itself();
        client.gone();
    }
}
