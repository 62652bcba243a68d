//! A hundred reloads under load lose nothing, and a file that is wrong changes nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, mpsc};
use support::{Backend, Client, Config, Folder, Lbd, Load, address, answer, get_all, raise_descriptor_limit, until};

#[test]
fn a_hundred_reloads_under_load_lose_no_request() {
    let backends = ["a", "b", "c", "d"].map(Backend::saying);
    let all = backends.each_ref().map(Backend::address);
    let listener = address();
    let config = |round: usize| {
        // Weights change each time, and one backend leaves and another comes back.
        let some: Vec<SocketAddr> = (0..4)
            .filter(|number| *number != round % 4)
            .map(|number| all[number])
            .collect();
        let weights = [1, 2, 3].map(|weight| u16::try_from((weight + round) % 7 + 1).unwrap());
        Config::http(listener, &some).weights(&weights).text()
    };
    let lbd = Lbd::start(&config(0));
    let long = Load::start(listener, 6, 1_000_000);
    let short = Load::start(listener, 2, 1);
    for round in 1..=100 {
        let before = long.good() + short.good();
        lbd.reload(&config(round));
        until("the load goes on", || {
            (long.good() + short.good() > before + 10).then_some(())
        });
    }
    for load in [long, short] {
        let (good, bad) = load.stop();
        println!("{good} requests");
        assert!(bad.is_empty(), "{} of {good} failed:\n{}", bad.len(), bad.join("\n"));
    }
    // What counts now is the last file: backend a is out (round 100), the weights of the others are 4, 5, 6.
    let shares = get_all(listener, 15);
    assert_eq!(
        shares,
        [("b", 4), ("c", 5), ("d", 6)]
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
    lbd.stop();
}

#[test]
fn s_ws_16_a_thousand_tunnels_survive_a_hundred_reloads_and_a_drained_backend() {
    raise_descriptor_limit();
    let backends = [(); 2].map(|()| tunnel_backend());
    let (http, tcp) = (address(), address());
    let config = |round: usize| {
        let mut text = "version = 1\ntimeouts = { tunnel = \"5m\", idle = \"5m\" }\n".to_owned();
        for (protocol, address) in [("http", http), ("tcp", tcp)] {
            let table = "[[listeners]]\nname = \"{protocol}\"\n";
            let table = table.replace("{protocol}", protocol);
            write!(
                text,
                "{table}protocol = \"{protocol}\"\naddress = \"{address}\"\npool = \"main\"\n"
            )
            .unwrap();
        }
        let [one, other] = backends.each_ref().map(Backend::address);
        let (weight, drain) = (round % 5 + 1, round % 2 == 1);
        write!(
            text,
            "[[pools]]\nname = \"main\"\nbackends = [{{ address = \"{one}\", weight = {weight} }},\
             {{ address = \"{other}\", drain = {drain} }}]\n"
        )
        .unwrap();
        text
    };
    let lbd = Lbd::start(&config(0));
    let mut tunnels: Vec<Client> = (0..1_000).map(|number| open_tunnel(number, http, tcp)).collect();
    for round in 1..=100 {
        lbd.reload(&config(round));
        for client in tunnels.iter_mut().skip(round % 10).step_by(10) {
            echo(client, b"during");
        }
    }
    for client in &mut tunnels {
        echo(client, b"after");
    }
    assert!(lbd.state().sum("in_flight") >= 1_000);
    drop(tunnels);
    until("the counts return to zero", || {
        (lbd.state().sum("in_flight") == 0).then_some(())
    });
    lbd.stop();
}

#[test]
fn a_bad_file_changes_nothing_and_says_every_problem() {
    let backend = Backend::saying("old");
    let listener = address();
    let good = Config::http(listener, &[backend.address()]).text();
    let lbd = Lbd::start(&good);
    let mut client = Client::connect(listener);
    assert_eq!(client.get("/").text(), "old");
    let bad = good
        .replace("backends =", "backend =")
        .replace("version = 1", "version = 1\nworkerz = 3");
    let said = lbd.reload_refused(&bad);
    for word in ["workerz", "workers", "backend", "backends", "lbd.toml"] {
        assert!(said.contains(word), "{word} is not mentioned:\n{said}");
    }
    assert_eq!(client.get("/").text(), "old", "the connection is still open");
    assert_eq!(Client::connect(listener).get("/").text(), "old");
    lbd.stop();
}

#[test]
fn a_reload_that_finds_its_port_taken_changes_no_limit_of_a_table() {
    let backends = [Backend::saying("a"), Backend::saying("b")];
    let addresses = backends.each_ref().map(Backend::address);
    let (listener, taken) = (address(), TcpListener::bind("127.0.0.1:0").unwrap());
    let sticky = |listener, capacity: u32| {
        let pool =
            format!("persistence = {{ kind = \"client_ip\", capacity = {capacity}, when_full = \"evict_oldest\" }}");
        Config::http(listener, &addresses).pool(&pool).text()
    };
    let lbd = Lbd::start(&sticky(listener, 1000));
    let said = lbd.reload_refused(&sticky(taken.local_addr().unwrap(), 1));
    assert!(said.contains("in use"), "{said}");
    // With room for one, each of these would push out the one before.
    let ask = |client: u8| {
        Client::connect_from([127, 0, 0, client].into(), listener)
            .get("/")
            .text()
    };
    let homes: Vec<String> = (1..=20).map(ask).collect();
    assert!(
        homes.contains(&"a".to_owned()) && homes.contains(&"b".to_owned()),
        "{homes:?}"
    );
    let again: Vec<String> = (1..=20).rev().map(ask).collect();
    assert!(
        again.iter().eq(homes.iter().rev()),
        "{homes:?}, then backwards {again:?}"
    );
    lbd.stop();
}

#[test]
fn a_request_under_way_finishes_on_the_old_snapshot() {
    let (gate, old) = half_answering();
    let new = Backend::saying("new");
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[old.address()]).text());
    let mut client = Client::connect(listener);
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
    let head = client.head().unwrap();
    lbd.reload(&Config::http(listener, &[new.address()]).text());
    assert_eq!(Client::connect(listener).get("/").text(), "new");
    gate.send(()).unwrap();
    assert_eq!(client.body(&head, "GET").unwrap().text(), "old and whole");
    assert_eq!(client.get("/").text(), "new", "the same connection, the next request");
    lbd.stop();
}

#[test]
fn listeners_come_and_go_with_the_file() {
    let (gate, backend) = half_answering();
    let new = Backend::saying("new");
    let (first, second) = (address(), address());
    let lbd = Lbd::start(&Config::http(first, &[backend.address()]).text());
    let mut client = Client::connect(first);
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
    let head = client.head().unwrap();
    lbd.reload(&Config::http(second, &[new.address()]).text());
    until("the new listener listens", || {
        support::is_listening(second).then_some(())
    });
    assert_eq!(Client::connect(second).get("/").text(), "new");
    until("the old listener is closed", || {
        (!support::is_listening(first)).then_some(())
    });
    gate.send(()).unwrap();
    let response = client.body(&head, "GET").unwrap();
    assert_eq!(
        response.text(),
        "old and whole",
        "a request of the old listener is not cut"
    );
    lbd.stop();
}

#[test]
fn sigterm_finishes_what_is_under_way() {
    let backend = Backend::http(|request| answer(200, "", &request.body));
    let listener = address();
    let mut lbd = Lbd::start(
        &Config::http(listener, &[backend.address()])
            .top("drain_timeout = \"20s\"")
            .text(),
    );
    let mut idle = Client::connect(listener);
    assert_eq!(idle.get("/").status(), 200);
    let mut busy = Client::connect(listener);
    busy.send("POST / HTTP/1.1\r\nHost: test.example\r\nContent-Length: 10\r\n\r\nhello");
    until("the request is under way", || (backend.requests() == 2).then_some(()));
    lbd.signal(rustix::process::Signal::TERM);
    until("no new connection is taken", || {
        (!support::is_listening(listener)).then_some(())
    });
    assert!(idle.is_closed(), "an idle connection ends at once");
    busy.send("world");
    let response = busy.response();
    assert_eq!(
        (response.text().as_str(), response.get("connection")),
        ("helloworld", Some("close"))
    );
    assert!(busy.is_closed());
    assert_eq!(lbd.wait().code(), Some(0));
}

#[test]
fn the_drain_has_a_deadline_and_what_it_cuts_is_logged() {
    let folder = Folder::new();
    let log = folder.path().join("access.log");
    let backend = Backend::start(|mut conn| {
        let _ = conn.await_end();
    });
    let listener = address();
    let mut lbd = Lbd::start(
        &Config::http(listener, &[backend.address()])
            .top("drain_timeout = \"300ms\"")
            .rest(&format!("[log]\naccess = \"{}\"\nformat = \"json\"\n", log.display()))
            .text(),
    );
    let mut client = Client::connect(listener);
    client.send("GET /cut HTTP/1.1\r\nHost: test.example\r\n\r\n");
    until("the request is under way", || (backend.accepted() == 1).then_some(()));
    lbd.signal(rustix::process::Signal::TERM);
    assert_eq!(lbd.wait().code(), Some(0), "the deadline is no failure");
    assert!(client.head().is_err());
    let lines = std::fs::read_to_string(log).unwrap();
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(lines.contains("/cut") && lines.contains("drain_deadline"), "{lines}");
}

/// Answers with "old and whole", the second half when the gate is opened.
fn half_answering() -> (mpsc::Sender<()>, Backend) {
    let (gate, opened) = mpsc::channel();
    let opened = Mutex::new(opened);
    let backend = Backend::start(move |mut conn| {
        while conn.request().is_ok() {
            conn.send("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nold");
            let Ok(()) = opened.lock().unwrap().recv() else { return };
            conn.send(" and whole");
        }
    });
    (gate, backend)
}

fn tunnel_backend() -> Backend {
    Backend::start(|mut conn| {
        // Of an HTTP listener comes an upgrade, of a TCP listener plain bytes; both begin with a whole head.
        let Ok(head) = conn.head() else { return };
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        if head.get("upgrade").is_none() || !conn.send(answer) {
            return;
        }
        while let Ok(bytes) = conn.some() {
            if bytes.is_empty() || !conn.send(bytes) {
                return;
            }
        }
    })
}

/// Half of the tunnels are upgrades over the HTTP listener, half run over the TCP listener.
fn open_tunnel(number: usize, http: SocketAddr, tcp: SocketAddr) -> Client {
    let mut client = Client::connect(if number.is_multiple_of(2) { http } else { tcp });
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 101);
    echo(&mut client, b"before");
    client
}

fn echo(client: &mut Client, bytes: &[u8]) {
    client.send(bytes);
    assert_eq!(client.take(bytes.len()).unwrap(), bytes);
}

#[test]
fn a_request_that_began_before_a_reload_is_tried_again_where_one_of_now_would_be() {
    // What became of the second backend meanwhile; the third is the one to go to.
    for change in ["gone", "drained", "elsewhere"] {
        let (begun, has_begun) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let (begun, ends) = (Mutex::new(begun), Mutex::new(ends));
        let first = Backend::start(move |mut conn| {
            if conn.request().is_ok() {
                begun.lock().unwrap().send(()).unwrap();
                let _ = ends.lock().unwrap().recv();
            }
            conn.reset();
        });
        let [second, third] = ["second", "third"].map(Backend::saying);
        let listener = address();
        let all = [first.address(), second.address(), third.address()];
        let names = ["a", "b", "c"];
        let base = |backends: &[SocketAddr], names: &[&str]| {
            let config = Config::http(listener, backends).names(names);
            config.pool("algorithm = \"first\"").top("workers = 1")
        };
        // `first` takes the first one that has room.
        let most = |config: Config, last: usize| {
            (0..last).fold(config, |config, number| config.backend(number, "max_connections = 9"))
        };
        let lbd = Lbd::start(&most(base(&all, &names), 2).text());
        let mut client = Client::connect(listener);
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        has_begun.recv().unwrap();
        let changed = match change {
            "gone" => most(base(&[all[0], all[2]], &["a", "c"]), 1),
            "drained" => most(base(&all, &names), 2).backend(1, "drain = true"),
            _ => most(base(&[all[0], address(), all[2]], &names), 2),
        };
        lbd.reload(&changed.text());
        end.send(()).unwrap();
        assert_eq!(client.response().text(), "third", "{change}");
        assert_eq!(second.requests(), 0, "{change}");
        drop(client);
        lbd.stop();
    }
}
