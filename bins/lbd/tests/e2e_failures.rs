//! Backends die and come back under load: nothing that may be repeated is lost, health follows, counts return to zero.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;
use support::{Backend, Client, Config, Lbd, Load, Nginx, address, answer, elapsed, get_all, now, peer, until};

/// Down after two failed probes, up after two good ones: 100 ms apart, with 10 % jitter, each at most 200 ms long.
const HEALTH: &str = "health = { kind = \"http\", interval = \"100ms\", timeout = \"200ms\", rise = 2, fall = 2 }";
/// 2 * (110 ms + 200 ms), and as much again for a busy machine.
const STATED: Duration = Duration::from_millis(1_240);
/// Every request may be repeated; by default only a fifth of them.
const RETRIES: &str = "retries = { attempts = 2, budget_percent = 100 }";

#[test]
fn killed_and_restarted_backends_lose_no_request_that_may_be_repeated() {
    let Some(nginx) = peer("nginx") else { return };
    let mut backends = ["a", "b", "c"].map(|name| Nginx::start(&nginx, &[name]));
    let addresses: Vec<SocketAddr> = backends.iter().map(|backend| backend.addresses()[0]).collect();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &addresses).pool(HEALTH).pool(RETRIES).text());
    await_status(&lbd, &addresses, "Up");
    let load = Load::start(listener, 8, 50);
    for round in 0..6 {
        let number = round % backends.len();
        backends[number].kill();
        // Half of the rounds wait for health, the others come back before it notices.
        if round % 2 == 0 {
            await_status(&lbd, &addresses[number..=number], "Down");
        }
        await_good(&load, 300);
        backends[number].restart();
        await_good(&load, 300);
        await_status(&lbd, &addresses[number..=number], "Up");
    }
    let (good, bad) = load.stop();
    println!("{good} requests, {} retries", lbd.state().sum("retries"));
    assert!(bad.is_empty(), "{} of {good} lost:\n{}", bad.len(), bad.join("\n"));
    await_zero(&lbd);
    // All three take part again, and equally; who refused last is passed over for a second.
    until("all three take part again", || {
        let shares: Vec<usize> = get_all(listener, 12).into_values().collect();
        (shares == [4, 4, 4]).then_some(())
    });
    lbd.stop();
}

#[test]
fn health_follows_within_the_stated_time() {
    let Some(nginx) = peer("nginx") else { return };
    let mut backend = Nginx::start(&nginx, &["a"]);
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, backend.addresses()).pool(HEALTH).text());
    until("the backend is up", || (status(listener) == 200).then_some(()));
    for _ in 0..3 {
        backend.kill();
        let start = now();
        // Until health knows, the refusal of the connection is the answer: 502. Then there is no backend: 503.
        until("the backend is known to be down", || {
            (status(listener) == 503).then_some(())
        });
        assert!(elapsed(start) < STATED, "down after {:?}", elapsed(start));
        backend.restart();
        let start = now();
        until("the backend is known to be up", || {
            (status(listener) == 200).then_some(())
        });
        assert!(elapsed(start) < STATED, "up after {:?}", elapsed(start));
    }
    lbd.stop();
}

#[test]
fn s_sched_07_counts_return_to_zero_after_any_mix_of_outcomes() {
    let backends = [(); 3].map(|()| mischievous());
    let addresses = backends.each_ref().map(Backend::address);
    let listener = address();
    let config = Config::http(listener, &addresses)
        .top("timeouts = { response = \"300ms\", tunnel = \"500ms\", body = \"300ms\" }")
        .pool("algorithm = \"least_conn\"")
        .pool(RETRIES);
    let lbd = Lbd::start(&config.text());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    misbehave(listener);
                }
            });
        }
        // Reloads in between: requests under way finish on the old snapshot and count on the same loads.
        for _ in 0..5 {
            lbd.reload(&config.text());
        }
    });
    await_zero(&lbd);
    // Seen from outside: least connections with ties in turn gives equal shares only if nothing is left over.
    let mut client = Client::connect(listener);
    for _ in 0..12 {
        assert_eq!(client.get("/good").status(), 200);
    }
    await_zero(&lbd);
    assert_eq!(get_all(listener, 12).into_values().collect::<Vec<_>>(), [4, 4, 4]);
    lbd.stop();
}

#[test]
fn all_backends_down_is_503_and_one_that_returns_ends_it() {
    let backend = address();
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend]).pool(HEALTH).text());
    await_status(&lbd, &[backend], "Down");
    let mut client = Client::connect(listener);
    let response = client.get("/");
    assert_eq!(response.status(), 503);
    assert!(
        response
            .get("proxy-status")
            .is_some_and(|value| value.contains("error=destination_unavailable")),
        "{response:?}"
    );
    let _back = Backend::start_at(backend, |conn| conn.serve(&|_| answer(200, "", b"back")));
    until("the backend is back", || {
        (client.get("/").status() == 200).then_some(())
    });
    lbd.stop();
}

/// Does what the target says, and names itself by its port otherwise.
fn mischievous() -> Backend {
    Backend::start(|mut conn| {
        let name = conn.stream().local_addr().unwrap().port().to_string();
        while let Ok(head) = conn.head() {
            match head.target() {
                "/reset" => return conn.reset(),
                "/close" => return,
                "/half" => {
                    conn.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                    return;
                }
                "/garbage" => {
                    conn.send("this is no HTTP\r\n\r\n");
                    return;
                }
                "/early" => {
                    conn.send(answer(413, "Connection: close\r\n", b""));
                    return;
                }
                "/silent" => {
                    let _ = conn.await_end();
                    return;
                }
                "/upgrade" => {
                    conn.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
                    let _ = conn.await_end();
                    return;
                }
                _ => {
                    if conn.body(&head).is_err() || !conn.send(answer(200, "", name.as_bytes())) {
                        return;
                    }
                }
            }
        }
    })
}

/// One request of each kind, well-behaved and not.
fn misbehave(listener: SocketAddr) {
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: test.example\r\n\r\n");
    for target in ["/good", "/reset", "/close", "/half", "/garbage", "/silent"] {
        let mut client = Client::connect(listener);
        client.send(get(target));
        let _ = client.response_to("GET");
    }
    // The client goes away: before the answer, during its own body, during a tunnel.
    let post = "POST /good HTTP/1.1\r\nHost: test.example\r\nContent-Length: 100\r\n\r\n";
    let upgrade = "GET /upgrade HTTP/1.1\r\nHost: test.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for (bytes, reset) in [
        (get("/silent").as_str(), true),
        (post, true),
        (post, false),
        (upgrade, true),
        (upgrade, false),
    ] {
        let mut client = Client::connect(listener);
        client.send(bytes);
        if bytes == upgrade {
            assert_eq!(client.head().unwrap().status(), 101);
        }
        if reset {
            client.reset();
        }
    }
    // The body never ends, and the backend does not wait for it.
    let mut client = Client::connect(listener);
    client.send("POST /early HTTP/1.1\r\nHost: test.example\r\nContent-Length: 1000000\r\n\r\nxxx");
    assert_eq!(client.response().status(), 413);
    // The body never ends, and nobody answers: lbd does, after its own timeout.
    let mut client = Client::connect(listener);
    client.send("POST /good HTTP/1.1\r\nHost: test.example\r\nContent-Length: 100\r\n\r\nxxx");
    assert_eq!(client.response().status(), 408);
}

fn status(listener: SocketAddr) -> u16 {
    Client::connect(listener).get("/").status()
}

fn await_status(lbd: &Lbd, addresses: &[SocketAddr], status: &str) {
    let wanted = format!("status={status}");
    until(&format!("{addresses:?} are {status}"), || {
        let state = lbd.state();
        addresses
            .iter()
            .all(|&address| state.backend(address).contains(&wanted))
            .then_some(())
    });
}

fn await_good(load: &Load, more: u64) {
    let before = load.good();
    until("the load goes on", || (load.good() >= before + more).then_some(()));
}

fn await_zero(lbd: &Lbd) {
    until("the counts of all backends are zero", || {
        (lbd.state().sum("in_flight") == 0).then_some(())
    });
}
