//! What whoever operates it does and sees: limits that are reached, logs that are rotated, addresses that are taken,
//! disks that are full; and the clients of a TCP listener that are known again.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{Backend, Client, Config, Conn, Folder, Lbd, address, elapsed, now, until, until_still};

#[test]
fn s_conn_03_connection_n_plus_1_waits_until_another_one_ends() {
    let backend = echo("");
    let listener = address();
    let config = Config::tcp(listener, &[backend.address()])
        .top("workers = 2")
        .listener("limits = { max_connections = 3 }");
    let lbd = Lbd::start(&config.text());
    // The kernel takes all of them; lbd serves three, whichever worker they came to.
    let mut clients: Vec<Client> = (0..9).map(|_| Client::connect(listener)).collect();
    for client in &mut clients {
        client.send("x");
    }
    let open = until_still("three are served", || backend.open());
    assert_eq!((open, backend.accepted()), (3, 3));
    assert_eq!(lbd.state().sum("connections"), 3 + 3, "of the listener, and of all");
    // Each end lets one in, until all were served.
    for ended in 1..=6 {
        let served = served(&mut clients);
        drop(clients.remove(served));
        until("another one is served", || {
            (backend.accepted() == 3 + ended).then_some(())
        });
        assert!(backend.open() <= 4, "the one that ended may still be seen");
    }
    drop(clients);
    until("the counts return to zero", || {
        let state = lbd.state();
        (state.sum("active") == 0 && state.sum("in_flight") == 0).then_some(())
    });
    lbd.stop();
}

#[test]
fn s_conn_06_a_full_listener_names_its_limit_and_the_key_once() {
    let backend = echo("");
    let listener = address();
    let config = Config::tcp(listener, &[backend.address()])
        .top("workers = 1")
        .listener("limits = { max_connections = 2 }");
    let lbd = Lbd::start(&config.text());
    let clients: Vec<Client> = (0..2).map(|_| Client::connect(listener)).collect();
    until("both are served", || (backend.open() == 2).then_some(()));
    assert_eq!(lbd.state().sum("limited"), 0, "a full listener that nobody waits for");
    let mut third = Client::connect(listener);
    until("one waits, and it is said", || {
        lbd.stderr()
            .contains("listener main: max_connections = 2 reached: 1 connection had to wait")
            .then_some(())
    });
    assert!(lbd.stderr().contains("raise `max_connections` in its `limits`"));
    assert_eq!(lbd.state().sum("limited"), 1);
    drop(clients);
    third.send("y");
    assert_eq!(third.take(1).unwrap(), b"y");
    // Again within the minute: counted, not said.
    let clients: Vec<Client> = (0..2).map(|_| Client::connect(listener)).collect();
    until("one more waits", || (lbd.state().sum("limited") == 2).then_some(()));
    assert_eq!(lbd.stderr().matches("reached").count(), 1);
    drop((clients, third));
    lbd.stop();
}

#[test]
fn s_persist_01_all_connections_of_an_address_go_to_one_backend() {
    let (lbd, listener, _backends) = four_backends("persistence = { kind = \"client_ip\" }");
    let mut chosen = BTreeSet::new();
    for host in 1..=4 {
        let marks: BTreeSet<_> = (0..25)
            .map(|_| mark_of(&mut from([127, 1, 1, host], listener)))
            .collect();
        assert_eq!(marks.len(), 1, "address {host} was led to {marks:?}");
        chosen.extend(marks);
    }
    assert_eq!(chosen.len(), 4, "new addresses are balanced: {chosen:?}");
    lbd.stop();
}

#[test]
fn s_persist_04_a_session_of_parallel_and_serial_connections_stays_on_one_backend() {
    let (lbd, listener, _backends) = four_backends("persistence = { kind = \"client_ip\", netmask_v4 = 24 }");
    for net in 1..=4 {
        // At once, before any of them was answered; from all over the network that is one client.
        let mut parallel: Vec<Client> = (1..=20).map(|host| from([127, 2, net, host], listener)).collect();
        for client in &mut parallel {
            client.send("?");
        }
        let mut marks: BTreeSet<_> = parallel.iter_mut().map(|client| client.take(1).unwrap()).collect();
        // While those are open, after they ended, and from the other end of the network.
        marks.insert(mark_of(&mut from([127, 2, net, 254], listener)));
        drop(parallel);
        marks.extend((1..=20).map(|host| mark_of(&mut from([127, 2, net, host], listener))));
        assert_eq!(marks.len(), 1, "network {net} was split over {marks:?}");
    }
    lbd.stop();
}

#[test]
fn s_ka_01_an_idle_connection_is_kept_75_s_by_default_and_closed_at_the_time_that_is_set() {
    let backend = Backend::saying("here");
    let listener = address();
    let config = Config::http(listener, &[backend.address()]);
    let raw = lb_config::parse("lbd.toml", &config.text());
    let plan = lb_config::resolve(&raw, &lb_config::Nowhere).unwrap().plan;
    let lb_config::Service::Http(http) = &plan.listeners[0].service else {
        panic!("an HTTP listener");
    };
    assert_eq!(http.timeouts.keep_alive, Duration::from_secs(75));

    let lbd = Lbd::start(&config.listener("timeouts = { keep_alive = \"2s\" }").text());
    let mut client = Client::connect(listener);
    for _ in 0..2 {
        assert_eq!(client.get("/").status(), 200);
        client.expect_silence(Duration::from_millis(900));
    }
    // The time begins anew with each request.
    assert_eq!(client.get("/").status(), 200);
    let start = now();
    assert!(client.is_closed());
    let time = elapsed(start);
    assert!(
        time.abs_diff(Duration::from_secs(2)) <= Duration::from_secs(1),
        "closed after {time:?}"
    );
    lbd.stop();
}

#[test]
fn a_second_program_on_the_same_address_is_refused_and_takes_no_connection() {
    let (first, second) = (Backend::saying("first"), Backend::saying("second"));
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[first.address()]).text());
    let folder = Folder::new();
    let path = folder.write("lbd.toml", &Config::http(listener, &[second.address()]).text());
    let output = command(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let reason = format!("cannot listen on {listener}: the address is in use by another program");
    assert!(said.contains(&reason), "{said}");
    // The same for a listener that a reload adds, by a program whose own address is free.
    let own = address();
    let other = Config::http(own, &[second.address()]);
    let reloaded = Lbd::start(&other.text());
    let more = format!("[[listeners]]\nname = \"more\"\naddress = \"{listener}\"\npool = \"main\"\n");
    let said = reloaded.reload_refused(&other.rest(&more).text());
    assert!(said.contains(&reason), "{said}");
    for _ in 0..20 {
        assert_eq!(Client::connect(listener).get("/").text(), "first");
        assert_eq!(Client::connect(own).get("/").text(), "second");
    }
    reloaded.stop();
    lbd.stop();
}

#[test]
fn a_listener_that_changes_its_protocol_or_comes_back_finds_its_own_address_free() {
    let backend = Backend::saying("here");
    let (kept, listener) = (address(), address());
    let base = Config::http(kept, &[backend.address()]);
    let with = |protocol: &str| {
        let more = format!(
            "[[listeners]]\nname = \"more\"\nprotocol = \"{protocol}\"\naddress = \"{listener}\"\npool = \"main\"\n"
        );
        base.clone().rest(&more).text()
    };
    let lbd = Lbd::start(&with("http"));
    for protocol in ["tcp", "http", "", "tcp", "", "http"] {
        lbd.reload(&if protocol.is_empty() {
            base.text()
        } else {
            with(protocol)
        });
        if !protocol.is_empty() {
            assert_eq!(Client::connect(listener).get("/").text(), "here", "{protocol}");
        }
    }
    lbd.stop();
}

#[test]
fn a_log_that_was_moved_away_is_opened_anew_by_a_reload_even_a_refused_one() {
    let backend = Backend::saying("here");
    let (listener, folder) = (address(), Folder::new());
    let log = folder.path().join("access.log");
    let config = Config::http(listener, &[backend.address()])
        .rest(&format!("[log]\naccess = \"{}\"\n", log.display()))
        .text();
    let lbd = Lbd::start(&config);
    let lines = |name: &str| {
        let text = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let await_line = |name: &str, target: &str| {
        until("the line is written", || {
            lines(name).iter().any(|line| line.contains(target)).then_some(())
        });
    };
    Client::connect(listener).get("/before");
    await_line("access.log", "/before");
    fs::rename(&log, folder.path().join("access.log.1")).unwrap();
    lbd.reload(&config);
    Client::connect(listener).get("/between");
    await_line("access.log", "/between");
    fs::rename(&log, folder.path().join("access.log.2")).unwrap();
    lbd.reload_refused("version = 2");
    until("the log is there again", || log.exists().then_some(()));
    Client::connect(listener).get("/after");
    await_line("access.log", "/after");
    for (name, target) in [
        ("access.log.1", "/before"),
        ("access.log.2", "/between"),
        ("access.log", "/after"),
    ] {
        assert_eq!(lines(name).len(), 1, "{name}");
        assert!(lines(name)[0].contains(target), "{name}: {:?}", lines(name));
    }
    lbd.stop();
}

#[test]
fn clients_at_work_lose_no_request_to_a_drain() {
    // Head and body in two pieces: some heads have left when the drain begins, and say nothing of it.
    let backend = Backend::start(|mut conn| {
        while conn.request().is_ok() {
            conn.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
            std::thread::park_timeout(Duration::from_millis(20));
            if !conn.send("here") {
                return;
            }
        }
    });
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).text());
    std::thread::scope(|scope| {
        let clients = [(); 20].map(|()| {
            scope.spawn(|| {
                let mut client = Client::connect(listener);
                // Until one says close; a request without an answer panics.
                while client.get("/").get("connection").is_none() {}
                assert!(client.is_closed());
            })
        });
        until("all are at work", || (backend.requests() > 100).then_some(()));
        lbd.stop();
        for client in clients {
            client.join().unwrap();
        }
    });
}

#[test]
fn connections_that_are_cut_are_logged_and_take_no_line_of_others_with_them() {
    let backend = Backend::http(|request| {
        if request.head.line.contains("/never") {
            std::thread::park_timeout(2 * support::PATIENCE);
        }
        support::answer(200, "", b"here")
    });
    let (listener, folder) = (address(), Folder::new());
    let log = folder.path().join("access.log");
    let config = Config::http(listener, &[backend.address()])
        .top("drain_timeout = \"0s\"")
        .rest(&format!("[log]\naccess = \"{}\"\n", log.display()));
    let lbd = Lbd::start(&config.text());
    let mut stuck = Client::connect(listener);
    stuck.send("GET /never HTTP/1.1\r\nHost: test.example\r\n\r\n");
    until("the request is under way", || (backend.requests() == 1).then_some(()));
    for number in 0..50 {
        Client::connect(listener).get(&format!("/{number}"));
    }
    lbd.stop();
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().count(), 51, "{text}");
    assert!(text.lines().any(|line| line.contains("/never")), "{text}");
}

#[test]
fn no_secret_of_a_request_is_logged_in_any_format() {
    let backend = Backend::saying("here");
    for format in ["combined_timed", "combined_xff", "combined", "common", "json"] {
        let (listener, folder) = (address(), Folder::new());
        let log = folder.path().join("access.log");
        let table = format!("[log]\naccess = \"{}\"\nformat = \"{format}\"\n", log.display());
        let lbd = Lbd::start(&Config::http(listener, &[backend.address()]).rest(&table).text());
        let secrets = "Authorization: Basic s3cret\r\nCookie: a=s3cret\r\nProxy-Authorization: s3cret\r\n";
        for request in [
            format!("GET /good HTTP/1.1\r\nHost: x\r\n{secrets}\r\n"),
            format!("GET /bad HTTP/1.1\r\n{secrets}\r\n"),
            format!("GET /worse HTTP/1.1\r\nHost: x\r\n{secrets}Space : s3cret\r\n\r\n"),
            format!("s3cret\r\n{secrets}\r\n"),
        ] {
            Client::connect(listener).exchange(request);
        }
        lbd.stop();
        let text = fs::read_to_string(&log).unwrap();
        assert_eq!(text.lines().count(), 4, "{format}:\n{text}");
        assert!(!text.contains("s3cret"), "{format}:\n{text}");
    }
}

#[test]
fn a_full_disk_behind_standard_error_or_a_reader_that_left_ends_nothing() {
    let backend = Backend::saying("here");
    let (reader, pipe) = std::io::pipe().unwrap();
    drop(reader);
    let full = File::options().write(true).open("/dev/full").unwrap();
    for stderr in [Stdio::from(full), Stdio::from(pipe)] {
        let (listener, folder) = (address(), Folder::new());
        let config = Config::http(listener, &[backend.address()]).text();
        let mut lbd = Running(
            command(&folder.write("lbd.toml", &config))
                .stderr(stderr)
                .spawn()
                .unwrap(),
        );
        until("it listens", || support::is_listening(listener).then_some(()));
        for bad in [true, false] {
            folder.write("lbd.toml", if bad { "version = 2" } else { &config });
            for signal in [Signal::HUP, Signal::USR1] {
                kill_process(Pid::from_child(&lbd.0), signal).unwrap();
                assert_eq!(Client::connect(listener).get("/").text(), "here");
            }
        }
        kill_process(Pid::from_child(&lbd.0), Signal::TERM).unwrap();
        let status = until("lbd ends", || lbd.0.try_wait().unwrap());
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn what_waits_for_the_next_start_is_said() {
    let backend = Backend::saying("here");
    let listener = address();
    let config = Config::http(listener, &[backend.address()]);
    let lbd = Lbd::start(&config.clone().top("workers = 1").text());
    lbd.reload(&config.listener("backlog = 100").top("workers = 2").text());
    for what in ["`workers`", "`backlog` of listener main"] {
        let line = format!("{what} takes effect at the next start");
        assert!(lbd.stderr().contains(&line), "{}", lbd.stderr());
    }
    lbd.stop();
}

/// Sends back what comes, or `mark` for each piece.
fn echo(mark: &'static str) -> Backend {
    Backend::start(move |mut conn: Conn| {
        while let Ok(bytes) = conn.some() {
            let answer = if mark.is_empty() { &*bytes } else { mark.as_bytes() };
            if bytes.is_empty() || !conn.send(answer) {
                return;
            }
        }
    })
}

fn four_backends(persistence: &str) -> (Lbd, SocketAddr, [Backend; 4]) {
    let backends = ["a", "b", "c", "d"].map(echo);
    let listener = address();
    let config = Config::tcp(listener, &backends.each_ref().map(Backend::address)).pool(persistence);
    (Lbd::start(&config.text()), listener, backends)
}

fn from(source: [u8; 4], listener: SocketAddr) -> Client {
    Client::connect_from(IpAddr::from(source), listener)
}

/// Which backend is it?
fn mark_of(client: &mut Client) -> Vec<u8> {
    client.send("?");
    client.take(1).unwrap()
}

/// The place of a client that has an answer waiting.
fn served(clients: &mut [Client]) -> usize {
    until("one has an answer", || {
        clients.iter().position(|client| {
            let stream = client.stream();
            stream.set_nonblocking(true).unwrap();
            let seen = stream.peek(&mut [0]);
            stream.set_nonblocking(false).unwrap();
            matches!(seen, Ok(1))
        })
    })
}

fn command(config: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lbd"));
    command
        .args(["run", "--config"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Killed when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
