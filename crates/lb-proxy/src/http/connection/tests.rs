use super::*;
use crate::http::flow::Sink;
use crate::options::{HttpOptions, ListenerOptions, PoolOptions, Service};
use crate::snapshot::{ListenerEntry, PoolEntry, Snapshot};
use lb_balance::route::{Action, Host, Prefix, Route, Routes};
use lb_balance::{Backend, Pool, Standing};
use lb_sched::Algorithm;
use lb_types::{Slot, Weight};
use std::sync::Arc;

async fn pair() -> (Stream, std::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().await.unwrap().0.into(), other)
}

#[tokio::test]
async fn answers_of_our_own_leave_others_their_turn() {
    let core = Core::new(Arc::default());
    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let snapshot = Snapshot {
        serial: 1,
        listeners: vec![Arc::new(ListenerEntry {
            options: redirecting(address),
            connections: Arc::default(),
        })],
        pools: Vec::new(),
    };
    let view = crate::view::views(&snapshot, &core, 1).remove(0);
    let count = Count::one_of(&view.entry.connections);
    let (io, mut other) = pair().await;
    let mut asked = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(500);
    asked.truncate(16 * 1024 - 16);
    std::io::Write::write_all(&mut other, &asked).unwrap();
    let place = ListenerHandle::new(view);
    let mut connection = Connection::new(Rc::clone(&core), place, io, address, count);
    let mut turns = Vec::new();
    std::future::poll_fn(|cx| {
        let before = core.counters.snapshot().requests;
        assert!(Pin::new(&mut connection).poll(cx).is_pending());
        let now = core.counters.snapshot().requests;
        turns.push(now - before);
        if now >= 500 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    // tokio: 128 to a turn; the last one may have begun.
    assert!(turns.iter().all(|turn| *turn <= 130), "{turns:?}");
}

/// How many bytes went to the client in the longest turn of a download.
async fn longest_turn(head: &str, before: &[u8], len: usize) -> u64 {
    use std::io::{Read, Write};
    let core = Core::new(Arc::default());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let body = [before, &vec![b'x'; len]].concat();
    let answer = [head.as_bytes(), &body].concat();
    let backend = std::thread::spawn(move || {
        let mut io = listener.accept().unwrap().0;
        let _ = io.read(&mut [0; 1024]).unwrap();
        let _ = io.write_all(&answer);
    });
    let backends = vec![Arc::new(Backend::new("app", "b", address, Weight::ONE, None))];
    let snapshot = forwarding(address, backends);
    let view = crate::view::views(&snapshot, &core, 1).remove(0);
    let count = Count::one_of(&view.entry.connections);
    let (io, mut other) = pair().await;
    other
        .write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .unwrap();
    let reader = std::thread::spawn(move || {
        let mut room = vec![0; 1 << 20];
        while other.read(&mut room).is_ok_and(|got| got > 0) {}
    });
    let place = ListenerHandle::new(view);
    let mut connection = Connection::new(core, place, io, address, count);
    let sent = |connection: &Connection| match &connection.stage {
        Stage::Open(client, Some(_)) => client.side.sent(),
        _ => 0,
    };
    let mut longest = 0;
    std::future::poll_fn(|cx| {
        let before = sent(&connection);
        let end = Pin::new(&mut connection).poll(cx);
        longest = longest.max(sent(&connection).saturating_sub(before));
        end
    })
    .await;
    drop(connection);
    backend.join().unwrap();
    reader.join().unwrap();
    longest
}

#[tokio::test]
async fn bulk_leaves_others_their_turn() {
    const LEN: usize = 64 << 20;
    let spliced = format!("HTTP/1.1 200 OK\r\nContent-Length: {LEN}\r\n\r\n");
    let copied = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{LEN:x}\r\n");
    for (head, before) in [(spliced.as_str(), ""), (copied, chunk.as_str())] {
        let longest = longest_turn(head, before.as_bytes(), LEN).await;
        assert!(longest > 0 && longest < 1 << 20, "{longest} bytes in one turn: {head}");
    }
}

/// A listener whose requests go to these backends, the first one first.
fn forwarding(address: SocketAddr, backends: Vec<Arc<Backend>>) -> Snapshot {
    let standings: Vec<Standing> = (0..backends.len())
        .map(|slot| Standing {
            slot: Slot(slot as u32),
            weight: if slot == 0 { Weight::MAX } else { Weight::ONE },
            up: true,
        })
        .collect();
    let pool = Pool::new("app", backends, Vec::new(), Algorithm::RoundRobin, &standings, None).unwrap();
    let mut options = redirecting(address);
    if let Service::Http(http) = &mut options.service {
        let route = Route {
            hosts: vec![Host::Any],
            path: Prefix::new("/").unwrap(),
            action: Action::Forward(0),
        };
        http.routes = Routes::new(vec![route]).unwrap();
    }
    let forever = Duration::from_secs(60);
    Snapshot {
        serial: 1,
        listeners: vec![Arc::new(ListenerEntry {
            options,
            connections: Arc::default(),
        })],
        pools: vec![Arc::new(PoolEntry {
            pool: Arc::new(pool),
            tables: Default::default(),
            options: PoolOptions {
                connect_timeout: forever,
                response_timeout: forever,
                idle_timeout: forever,
                max_idle: 1,
                retries: 1,
                retry_percent: 100,
                server_errors_fail: false,
                limits: Arc::default(),
                tls: Vec::new(),
                proxy: None,
                transparent: false,
            },
        })],
    }
}

/// A backend that hangs up before it has read anything makes our first write fail: the next one gets the whole request.
#[tokio::test]
async fn what_the_first_backend_never_took_the_second_gets_whole() {
    use std::io::{Read, Write};
    const BODY: &[u8] = b"hello";
    for method in ["POST", "PUT", "GET"] {
        let path = std::env::temp_dir().join(format!("lb-proxy-{}-{method}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let hangs_up = std::os::unix::net::UnixListener::bind(&path).unwrap();
        hangs_up.set_nonblocking(true).unwrap();
        let works = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = works.local_addr().unwrap();
        let unix: lb_types::Address = format!("unix:{}", path.display()).parse().unwrap();
        let backends = vec![
            Arc::new(Backend::new("app", "x", unix, Weight::MAX, None)),
            Arc::new(Backend::new("app", "y", address, Weight::ONE, None)),
        ];
        let core = Core::new(Arc::default());
        let snapshot = forwarding(address, backends);
        let view = crate::view::views(&snapshot, &core, 1).remove(0);
        let count = Count::one_of(&view.entry.connections);
        let (io, mut client) = pair().await;
        let asked = format!("{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
        client.write_all(asked.as_bytes()).unwrap();
        client.write_all(BODY).unwrap();
        let backend = std::thread::spawn(move || {
            let mut io = works.accept().unwrap().0;
            let mut got = Vec::new();
            while !got.ends_with(BODY) {
                let mut room = [0; 1024];
                let len = io.read(&mut room).unwrap();
                assert!(len > 0, "cut: {got:?}");
                got.extend_from_slice(&room[..len]);
            }
            io.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        });
        let mut connection = Connection::new(Rc::clone(&core), ListenerHandle::new(view), io, address, count);
        let mut has_hung_up = false;
        let served = std::future::poll_fn(|cx| {
            let end = Pin::new(&mut connection).poll(cx);
            has_hung_up |= hangs_up.accept().is_ok();
            end
        });
        tokio::time::timeout(Duration::from_secs(20), served).await.unwrap();
        assert!(has_hung_up, "{method}: the first backend was not asked");
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 204 "), "{method}: {answer}");
        backend.join().unwrap();
        assert_eq!(core.counters.snapshot().retries, 1, "{method}");
        std::fs::remove_file(&path).unwrap();
    }
}

fn redirecting(address: SocketAddr) -> ListenerOptions {
    ListenerOptions {
        name: "main".into(),
        address: address.into(),
        backlog: 1,
        max_connections: 1,
        preface: crate::PrefaceOptions::default(),
        service: Service::Http(HttpOptions::for_tests()),
    }
}

#[test]
fn an_idle_connection_is_small() {
    // What a waiting connection costs beside the runtime's own record of it.
    assert!(size_of::<Connection>() <= 320, "{}", size_of::<Connection>());
}
