//! What is counted by listener, pool and backend: several views of the same events, each event once in each.

use crate::client::Client;
use crate::parts::{NAMES, Pools, Running, close, get, socket, tcp, upgraded};
use crate::script::{Do, Script};
use crate::world::{PATIENCE, SHORT, Setup, listener_to, pool, pool_options};
use lb_proxy::{Order, PoolEntry};
use lb_telemetry::{BackendCounts, End, ListenerCounts, PoolCounts};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

fn ends(counts: &lb_telemetry::EndCounts) -> BTreeMap<&'static str, u64> {
    let known = counts.iter().filter(|(_, count)| *count > 0);
    known.map(|(end, count)| (end.as_str(), count)).collect()
}

fn table<const N: usize>(ends: [(End, u64); N]) -> BTreeMap<&'static str, u64> {
    ends.into_iter().map(|(end, count)| (end.as_str(), count)).collect()
}

/// The parts against the sum, for a worker with nothing under way.
fn parts_are_the_sum(running: &Running, listeners: &[SocketAddr], pools: &Pools) {
    let sum = running.counters.snapshot();
    let clients: ListenerCounts = listeners.iter().map(|address| running.listener(*address)).sum();
    let upstream: PoolCounts = NAMES.iter().map(|name| running.counters.read_pool(name)).sum();
    assert_eq!(
        (sum.opened, sum.closed, sum.requests, sum.responses),
        (clients.opened, clients.closed, clients.requests, clients.responses)
    );
    assert_eq!((sum.client_in, sum.client_out), (clients.client_in, clients.client_out));
    assert!(sum.ends().eq(clients.ends.iter()));
    assert_eq!(
        (sum.upstream_in, sum.upstream_out),
        (upstream.upstream_in, upstream.upstream_out)
    );
    assert_eq!(
        (
            sum.upstream_connects,
            sum.upstream_reuses,
            sum.stale_reuses,
            sum.retries
        ),
        (
            upstream.upstream_connects,
            upstream.upstream_reuses,
            upstream.stale_reuses,
            upstream.retries
        )
    );
    for (index, name) in NAMES.iter().enumerate() {
        let pool = running.counters.read_pool(name);
        let backends: BackendCounts = running.backends(pools.pool(index)).into_iter().sum();
        assert_eq!(
            (
                pool.upstream_in,
                pool.upstream_out,
                pool.upstream_connects,
                pool.upstream_reuses
            ),
            (
                backends.upstream_in,
                backends.upstream_out,
                backends.upstream_connects,
                backends.upstream_reuses
            ),
            "pool {name}"
        );
        assert_eq!(
            backends.requests,
            pool.ends.sum() + pool.retries,
            "pool {name}: each attempt"
        );
    }
}

#[test]
fn each_event_is_counted_once_by_its_listener_its_pool_and_its_backend() {
    let pools = Pools::new();
    let [(web, for_web), (other, for_other), (raw, for_raw)] = [socket(), socket(), socket()];
    let short = Setup {
        keep_alive: SHORT,
        ..Setup::default()
    };
    let snapshot = pools.snapshot(vec![
        listener_to(web, &Setup::default(), &[("/a", 0), ("/b", 1), ("/c", 2), ("/evil", 1)]),
        listener_to(other, &short, &[("/", 1)]),
        tcp(raw),
    ]);
    let running = Running::start(1, &snapshot, vec![(web, for_web), (other, for_other), (raw, for_raw)]);

    let mut client = Client::new(web);
    for path in ["/a", "/a", "/a", "/a", "/b", "/b"] {
        assert_eq!(get(&mut client, path), 200);
    }
    assert_eq!(get(&mut client, "/c"), 502);
    assert_eq!(get(&mut client, "/nowhere"), 404);
    client.send(b"GET /a HTTP/1.1\r\n\r\n");
    assert_eq!(client.reply("GET").unwrap().status, 400);
    close(client);
    close(upgraded(web));

    let mut idle = Client::new(other);
    assert_eq!(get(&mut idle, "/b"), 200);
    idle.ends();
    let mut gone = Client::new(other);
    gone.send(b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhe");
    running.until("second request", |counters| {
        counters.read_listener(other.into()).requests == 2
    });
    gone.reset();

    for _ in 0..2 {
        let mut tunnel = TcpStream::connect(raw).unwrap();
        tunnel.set_read_timeout(Some(PATIENCE)).unwrap();
        tunnel.write_all(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        tunnel.shutdown(Shutdown::Write).unwrap();
        tunnel.read_to_end(&mut Vec::new()).unwrap();
    }
    running.until_ends(15);

    let counts = running.listener(web);
    // What broke the rules was no request yet.
    assert_eq!((counts.opened, counts.requests), (2, 9));
    assert_eq!(counts.responses, [0, 1, 6, 0, 2, 1]);
    assert_eq!(
        ends(&counts.ends),
        table([
            (End::Done, 6),
            (End::ConnectRefused, 1),
            (End::NoRoute, 1),
            (End::BadRequest, 1),
            (End::TunnelDone, 1)
        ])
    );
    let counts = running.listener(other);
    assert_eq!(
        (counts.opened, counts.requests, counts.responses),
        (2, 2, [0, 0, 1, 0, 0, 0])
    );
    assert_eq!(
        ends(&counts.ends),
        table([(End::Done, 1), (End::ClientIdle, 1), (End::ClientReset, 1)])
    );
    let counts = running.listener(raw);
    assert_eq!((counts.opened, counts.requests, counts.responses), (2, 0, [0; 6]));
    assert_eq!(ends(&counts.ends), table([(End::TunnelDone, 2)]));

    let [a, b, c] = NAMES.map(|name| running.counters.read_pool(name));
    assert_eq!(ends(&a.ends), table([(End::Done, 4), (End::TunnelDone, 2)]));
    assert_eq!(
        ends(&b.ends),
        table([(End::Done, 3), (End::TunnelDone, 1), (End::ClientReset, 1)])
    );
    assert_eq!(ends(&c.ends), table([(End::ConnectRefused, 1)]));
    assert_eq!(
        (a.responses, b.responses, c.responses),
        ([0, 0, 4, 0, 0, 0], [0, 1, 3, 0, 0, 0], [0, 0, 0, 0, 0, 1])
    );

    let dead_and_good = running.backends(pools.pool(0));
    let [dead, good] = dead_and_good.as_slice() else {
        panic!("two")
    };
    assert!(dead.requests > 0, "it was tried");
    assert_eq!(
        (dead.requests, dead.responses, dead.upstream_in),
        (a.retries, [0; 6], 0)
    );
    assert_eq!(ends(&dead.failures), table([(End::ConnectRefused, a.retries)]));
    assert_eq!((good.requests, good.responses[2], good.failures.sum()), (6, 4, 0));
    let seen = pools.scripts[0][1].look(|seen| seen.bytes as u64);
    assert_eq!(good.upstream_out, seen, "what it was sent is what it got");
    let only = &running.backends(pools.pool(1))[0];
    assert_eq!(
        (only.requests, only.responses, only.failures.sum()),
        (5, [0, 1, 3, 0, 0, 0], 0)
    );
    let refused = &running.backends(pools.pool(2))[0];
    assert_eq!((refused.requests, refused.responses), (1, [0; 6]));
    assert_eq!(ends(&refused.failures), table([(End::ConnectRefused, 1)]));
    parts_are_the_sum(&running, &[web, other, raw], &pools);
    running.end();
}

#[test]
fn bytes_of_each_attempt_count_for_the_backend_that_had_it() {
    let broken = vec![Do::Send("HTTP/1.1 1".into()), Do::Reset];
    let silent = vec![Do::Close];
    for evil in [silent, broken] {
        let first = Script::start(0, evil, Vec::new(), false);
        let answer = "HTTP/1.1 204 No\r\n\r\n";
        let second = Script::start(1, vec![Do::Send(answer.into())], Vec::new(), false);
        let mut pools = Pools::new();
        let scripts = vec![first, second];
        let entry = PoolEntry {
            pool: Arc::new(pool("a", &scripts)),
            tables: Default::default(),
            options: pool_options(&Setup::default()),
        };
        pools.entries[0] = Arc::new(entry);
        let (web, socket) = socket();
        let snapshot = pools.snapshot(vec![listener_to(web, &Setup::default(), &[("/", 0)])]);
        let running = Running::start(1, &snapshot, vec![(web, socket)]);
        let mut client = Client::new(web);
        let status = get(&mut client, "/evil");
        close(client);
        running.until_ends(1);
        let backends = running.backends(pools.pool(0));
        for (script, counts) in scripts.iter().zip(&backends) {
            script.until("what was sent", |seen| seen.bytes as u64 >= counts.upstream_out);
            assert_eq!(counts.upstream_out, script.look(|seen| seen.bytes as u64));
            assert_eq!(counts.requests > 0, counts.upstream_out > 0);
        }
        assert_eq!(backends[0].failures.sum(), 1);
        let came = if status == 204 { answer.len() as u64 } else { 0 };
        assert_eq!(backends[1].upstream_in, came);
        parts_are_the_sum(&running, &[web], &pools);
        running.end();
    }
}

#[test]
fn a_reload_keeps_the_numbers_and_what_is_gone_stays_in_the_sum() {
    let pools = Pools::new();
    let [(web, for_web), (other, for_other), (late, for_late)] = [socket(), socket(), socket()];
    let to_a = |address| listener_to(address, &Setup::default(), &[("/", 0)]);
    let to_b = |address| listener_to(address, &Setup::default(), &[("/", 1)]);
    let first = pools.snapshot(vec![to_a(web), to_b(other)]);
    let running = Running::start(1, &first, vec![(web, for_web), (other, for_other)]);
    let mut client = Client::new(web);
    assert_eq!(get(&mut client, "/"), 200);
    let tunnel = upgraded(other);

    // The other listener and its pool go away, a third one comes: who is served there was accepted after the reload.
    let reload = |listeners| {
        let mut next = Arc::into_inner(pools.snapshot(listeners)).unwrap();
        next.pools.truncate(1);
        Order::Apply(Arc::new(next))
    };
    running.order(reload(vec![to_a(web), to_a(late)]));
    running.order(Order::Unlisten(other.into()));
    running.order(Order::Listen(late.into(), for_late));
    let mut last = Client::new(late);
    assert_eq!(get(&mut last, "/"), 200);
    assert_eq!(get(&mut client, "/"), 200);
    running.until("two at the first", |counters| {
        counters.read_listener(web.into()).ends.of(End::Done) == 2
    });
    assert_eq!(running.listener(web).requests, 2);

    // What goes on where it began is counted there.
    close(tunnel);
    running.until("end of the tunnel", |counters| {
        counters.snapshot().ended(End::TunnelDone) == 1
    });
    assert_eq!(ends(&running.listener(other).ends), table([(End::TunnelDone, 1)]));
    assert_eq!(
        ends(&running.counters.read_pool("b").ends),
        table([(End::TunnelDone, 1)])
    );
    running.until("end of the connection", |counters| {
        let other = counters.read_listener(other.into());
        other.opened == 1 && other.active() == 0
    });
    let kept = running.counters.snapshot();
    let before = running.listener(other);

    running.until("forgetting", |counters| {
        // The next reload forgets; the one that comes when handshakes are waited for no more.
        running.order(reload(vec![to_a(web), to_a(late)]));
        counters.read_listener(other.into()) == ListenerCounts::default()
            && counters.read_pool("b") == PoolCounts::default()
            && counters.read_backend(pools.pool(1).backends()[0].id) == BackendCounts::default()
    });
    assert_eq!(
        running.counters.snapshot(),
        kept,
        "nothing is lost, nothing counted twice"
    );
    close(client);
    close(last);
    running.until("last connection", |counters| counters.snapshot().active() == 0);
    let mut clients: ListenerCounts = [web, late].into_iter().map(|address| running.listener(address)).sum();
    clients.merge(&before);
    let sum = running.counters.snapshot();
    assert_eq!(
        (sum.opened, sum.requests, sum.client_in),
        (clients.opened, clients.requests, clients.client_in)
    );
    assert_eq!((sum.opened, sum.requests), (3, 4));
    running.end();
}

#[test]
fn two_workers_count_while_somebody_reads_and_reloads_come() {
    const CLIENTS: u64 = 4;
    const EACH: u64 = 50;
    let pools = Pools::new();
    let sockets = [socket(), socket()];
    let addresses = [sockets[0].0, sockets[1].0];
    let snapshot = || {
        pools.snapshot(
            addresses
                .map(|address| listener_to(address, &Setup::default(), &[("/", 1)]))
                .into(),
        )
    };
    let first = snapshot();
    let workers: Vec<Running> = (0..)
        .zip(sockets)
        .map(|(seed, socket)| Running::start(seed, &first, vec![socket]))
        .collect();
    let clients: Vec<JoinHandle<()>> = (0..CLIENTS as usize)
        .map(|client| {
            let proxy = addresses[client % 2];
            std::thread::spawn(move || {
                let mut client = Client::new(proxy);
                for _ in 0..EACH {
                    assert_eq!(get(&mut client, "/"), 200);
                }
                close(client);
            })
        })
        .collect();
    let mut last = (0, 0, 0, 0);
    while !clients.iter().all(JoinHandle::is_finished) {
        let each = workers.iter();
        let listeners: ListenerCounts = each
            .clone()
            .flat_map(|worker| addresses.map(|address| worker.listener(address)))
            .sum();
        let pool: PoolCounts = each.clone().map(|worker| worker.counters.read_pool("b")).sum();
        let backend: BackendCounts = each
            .clone()
            .map(|worker| worker.backends(pools.pool(1)).remove(0))
            .sum();
        let sum: lb_telemetry::Snapshot = each.map(|worker| worker.counters.snapshot()).sum();
        // Each was read after the one before, and none ever goes back.
        assert!(last.0 <= listeners.requests && last.1 <= pool.upstream_out && last.2 <= backend.requests);
        assert!(listeners.requests <= sum.requests && pool.upstream_out <= sum.upstream_out);
        assert!(last.3 <= sum.requests);
        last = (listeners.requests, pool.upstream_out, backend.requests, sum.requests);
        for worker in &workers {
            worker.order(Order::Apply(snapshot()));
        }
        std::thread::yield_now();
    }
    for client in clients {
        client.join().unwrap();
    }
    for (worker, address) in workers.iter().zip(addresses) {
        worker.until_ends(CLIENTS / 2 * EACH);
        let counts = worker.listener(address);
        assert_eq!((counts.opened, counts.requests), (CLIENTS / 2, CLIENTS / 2 * EACH));
        assert_eq!(ends(&counts.ends), table([(End::Done, CLIENTS / 2 * EACH)]));
        assert_eq!(worker.backends(pools.pool(1))[0].requests, CLIENTS / 2 * EACH);
        parts_are_the_sum(worker, &addresses, &pools);
    }
    workers.into_iter().for_each(Running::end);
}
