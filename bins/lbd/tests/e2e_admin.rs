//! `lbd status` and `lbd backend` against a running program with real clients.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Authority, Backend, Client, Config, Folder, Lbd, address, until};

/// A program with an admin socket before backends that say who they are.
struct Setup {
    lbd: Lbd,
    listener: SocketAddr,
    folder: Folder,
    config: Config,
}

impl Setup {
    fn start(backends: &[SocketAddr], more: impl Fn(Config) -> Config) -> Self {
        let (listener, folder) = (address(), Folder::new());
        let config = more(Config::http(listener, backends));
        let lbd = Lbd::start(&with_admin(&config, &folder.path().join("admin.sock"), ""));
        Self {
            lbd,
            listener,
            folder,
            config,
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("admin.sock")
    }

    fn ask(&self, arguments: &[&str]) -> Said {
        ask(&self.socket(), arguments)
    }

    fn order(&self, arguments: &[&str]) -> String {
        let said = self.ask(&[&["backend"], arguments].concat());
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.stderr);
        said.stdout
    }

    fn status(&self) -> serde_json::Value {
        let said = self.ask(&["status", "--json"]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    /// The backend at this address, as the status shows it.
    fn backend(&self, address: SocketAddr) -> serde_json::Value {
        let status = self.status();
        let backends = status["pools"][0]["backends"].as_array().unwrap();
        let wanted = address.to_string();
        backends
            .iter()
            .find(|backend| backend["address"] == wanted.as_str())
            .unwrap()
            .clone()
    }

    /// How many of the next `count` requests each backend answers, over one connection.
    fn shares(&self, count: usize) -> BTreeMap<String, usize> {
        let mut client = Client::connect(self.listener);
        let mut shares = BTreeMap::new();
        for _ in 0..count {
            *shares.entry(client.get("/").text()).or_default() += 1;
        }
        shares
    }
}

fn with_admin(config: &Config, socket: &Path, more: &str) -> String {
    let table = format!("[admin]\nsocket = \"{}\"\n{more}", socket.display());
    config.clone().rest(&table).text()
}

struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

fn ask(socket: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(arguments)
        .arg("--socket")
        .arg(socket)
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn named(backend: &Backend) -> String {
    format!("main/{}", backend.address())
}

fn counts(pairs: &[(&str, usize)]) -> BTreeMap<String, usize> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn s_sched_11_weights_change_at_run_time_from_the_next_pick() {
    for workers in ["workers = 1", "workers = 2"] {
        let (a, b) = (Backend::saying("a"), Backend::saying("b"));
        let setup = Setup::start(&[a.address(), b.address()], |config| config.top(workers));
        assert_eq!(setup.shares(20), counts(&[("a", 10), ("b", 10)]));
        let mut kept = Client::connect(setup.listener);
        kept.get("/");
        let table = setup.order(&["weight", "4", &named(&a)]);
        assert!(
            table.contains("weight 4 was set at run time, the configuration says 1"),
            "{table}"
        );
        assert_eq!(setup.shares(20), counts(&[("a", 16), ("b", 4)]));
        // The number behind, as HAProxy has it; 0 drains.
        setup.order(&["weight", &named(&b), "0"]);
        assert_eq!(setup.shares(20), counts(&[("a", 20)]));
        setup.order(&["weight", "256", &named(&b)]);
        setup.order(&["weight", "256", &named(&a)]);
        assert_eq!(setup.shares(512), counts(&[("a", 256), ("b", 256)]));
        setup.order(&["reset", &named(&a), &named(&b)]);
        assert_eq!(setup.shares(20), counts(&[("a", 10), ("b", 10)]));
        let seen = setup.backend(a.address());
        assert_eq!(seen["weight"]["configured"], 1);
        assert_eq!(seen["weight"]["ordered"], serde_json::Value::Null);
        assert_eq!(seen["weight"]["share_percent"], 50.0);
        assert_eq!(kept.get("/").status(), 200, "a connection outlives all orders");
        setup.lbd.stop();
    }
}

#[test]
fn s_sched_11_no_request_is_lost_while_backends_are_drained_maintained_and_weighted_under_load() {
    let backends = ["a", "b", "c"].map(Backend::saying);
    let addresses = backends.each_ref().map(Backend::address);
    let setup = Setup::start(&addresses, |config| {
        config.pool("health = { kind = \"tcp\", interval = \"100ms\" }\nretries = { attempts = 0 }")
    });
    let stop = AtomicBool::new(false);
    let seen: Mutex<BTreeMap<String, usize>> = Mutex::default();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(setup.listener);
                    let mut count = 0;
                    while !stop.load(Ordering::SeqCst) {
                        // A request without an answer panics.
                        let answer = client.get("/");
                        assert_eq!(answer.status(), 200, "{}", answer.text());
                        *seen.lock().unwrap().entry(answer.text()).or_default() += 1;
                        count += 1;
                        if answer.get("connection").is_some() {
                            client = Client::connect(setup.listener);
                        }
                    }
                    count
                })
            })
            .collect();
        let served = |backend: &Backend| backend.requests();
        let moves = |backend: &Backend| {
            let before = served(backend);
            until("it gets requests", || (served(backend) > before).then_some(()));
        };
        let [a, b, c] = &backends;
        for _ in 0..5 {
            for (order, other) in [("drain", b), ("maintain", c)] {
                setup.order(&[order, &named(a)]);
                // What was picked before the order may still arrive; after that nothing does.
                until("nothing is under way there", || {
                    (setup.backend(a.address())["in_flight"] == 0).then_some(())
                });
                let before = served(a);
                moves(other);
                moves(b);
                assert_eq!(served(a), before, "after {order} it gets nothing");
                setup.order(&["ready", &named(a)]);
                moves(a);
            }
            setup.order(&["weight", "9", &named(b), &named(c)]);
            setup.order(&["up", &named(c)]);
            setup.order(&["reset", &named(b), &named(c)]);
        }
        stop.store(true, Ordering::SeqCst);
        for client in clients {
            assert!(client.join().unwrap() > 0);
        }
    });
    assert_eq!(seen.lock().unwrap().len(), 3);
    setup.lbd.stop();
}

#[test]
fn s_sched_11_what_is_under_way_goes_on_in_drain_and_maintenance() {
    let gate = std::sync::Arc::new(AtomicBool::new(false));
    let open = std::sync::Arc::clone(&gate);
    let slow = Backend::http(move |_| {
        until("the gate opens", || open.load(Ordering::SeqCst).then_some(()));
        support::answer(200, "", b"slow")
    });
    let setup = Setup::start(&[slow.address()], |config| config);
    let mut client = Client::connect(setup.listener);
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
    until("it is under way", || (slow.requests() == 1).then_some(()));
    assert_eq!(setup.backend(slow.address())["in_flight"], 1);
    for (order, state) in [("drain", "draining"), ("maintain", "maintenance")] {
        setup.order(&[order, &named(&slow)]);
        let seen = setup.backend(slow.address());
        assert_eq!((&seen["state"], &seen["in_flight"]), (&state.into(), &1.into()));
        assert_eq!(
            Client::connect(setup.listener).get("/").status(),
            503,
            "nobody is left for new requests"
        );
    }
    gate.store(true, Ordering::SeqCst);
    assert_eq!(client.response().text(), "slow");
    setup.order(&["ready", &named(&slow)]);
    assert_eq!(client.get("/").text(), "slow");
    setup.lbd.stop();
}

#[test]
fn s_health_04_state_since_last_results_and_next_probe_are_seen_while_a_backend_dies_and_comes_back() {
    let (a, b) = (Backend::saying("a"), Backend::saying("b"));
    let place = b.address();
    let setup = Setup::start(&[a.address(), place], |config| {
        config.pool("health = { kind = \"http\", interval = \"100ms\", rise = 2, fall = 2 }")
    });
    let up = until("both are up", || {
        let seen = [setup.backend(a.address()), setup.backend(place)];
        seen.iter().all(|backend| backend["state"] == "up").then_some(seen)
    });
    assert_eq!(up[1]["probe"]["last"]["ok"], true);
    assert_eq!(up[1]["takes"], "everybody");
    assert_eq!(up[1]["cause"], serde_json::Value::Null);

    b.stop();
    let down = until("it is down", || {
        Some(setup.backend(place)).filter(|seen| seen["state"] == "down")
    });
    assert_eq!(down["cause"]["kind"], "refused");
    assert!(down["cause"]["mend"].as_str().unwrap().contains("start the service"));
    assert_eq!(down["takes"], "nobody");
    assert_eq!(down["probe"]["last"]["ok"], false);
    assert_eq!(down["weight"]["share_percent"], 0.0);
    let since = down["since_seconds"].as_f64().unwrap();
    assert!((0.0..30.0).contains(&since), "{since}");
    let full = until("ten results are bad", || {
        let seen = setup.backend(place);
        let bad = seen["probe"]["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|result| result["ok"] == false);
        (bad.count() == 10).then_some(seen)
    });
    let ages: Vec<f64> = full["probe"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["seconds_ago"].as_f64().unwrap())
        .collect();
    assert!(ages.is_sorted(), "newest first: {ages:?}");
    assert!(
        full["since_seconds"].as_f64() > down["since_seconds"].as_f64(),
        "it lasts"
    );
    assert_eq!(
        full["since"].as_str().unwrap().get(..19),
        down["since"].as_str().unwrap().get(..19)
    );
    let table = setup.ask(&["status"]).stdout;
    assert!(table.contains("1 of 2 up"), "{table}");
    assert!(table.contains("connection refused, "), "{table}");
    assert!(table.contains("xxxxxxxxxx"), "{table}");

    let b = Backend::start_at(place, |conn| conn.serve(&|_| support::answer(200, "", b"b")));
    let back = until("it is back", || {
        Some(setup.backend(place)).filter(|seen| seen["state"] == "up")
    });
    assert!(
        back["since_seconds"].as_f64() < full["since_seconds"].as_f64(),
        "a new state has a new beginning"
    );
    until("it shows when the next probe is due", || {
        setup.backend(place)["probe"]["next_seconds"].as_f64()
    });
    drop(b);
    setup.lbd.stop();
}

#[test]
fn s_health_04_a_backend_forced_up_takes_requests_whatever_its_probes_say() {
    let a = Backend::http(|request| {
        let status = if request.head.line.contains("/health") {
            500
        } else {
            200
        };
        support::answer(status, "", b"a")
    });
    let setup = Setup::start(&[a.address()], |config| {
        config.pool("health = { kind = \"http\", path = \"/health\", interval = \"100ms\" }")
    });
    until("it is down", || {
        (setup.backend(a.address())["state"] == "down").then_some(())
    });
    assert_eq!(Client::connect(setup.listener).get("/").status(), 503);
    setup.order(&["up", &named(&a)]);
    assert_eq!(Client::connect(setup.listener).get("/").text(), "a");
    setup.order(&["reset", &named(&a)]);
    until("health decides again", || {
        (Client::connect(setup.listener).get("/").status() == 503).then_some(())
    });
    setup.lbd.stop();
}

#[test]
fn s_sched_11_orders_outlive_reloads_until_the_file_says_something_new() {
    let (a, b) = (Backend::saying("a"), Backend::saying("b"));
    let setup = Setup::start(&[a.address(), b.address()], |config| config);
    let reload = |config: &Config| setup.lbd.reload(&with_admin(config, &setup.socket(), ""));
    setup.order(&["weight", "3", &named(&a)]);
    setup.order(&["drain", &named(&b)]);
    reload(&setup.config.clone().pool("retries = { attempts = 1 }"));
    assert_eq!(setup.shares(10), counts(&[("a", 10)]));
    setup.order(&["ready", &named(&b)]);
    assert_eq!(setup.shares(20), counts(&[("a", 15), ("b", 5)]));
    reload(&setup.config.clone().weights(&[1, 2]));
    assert_eq!(
        setup.shares(20),
        counts(&[("a", 12), ("b", 8)]),
        "3 by order beside 2 of the file"
    );
    reload(&setup.config.clone().weights(&[5, 2]));
    assert_eq!(
        setup.shares(21),
        counts(&[("a", 15), ("b", 6)]),
        "the file is newer than the order"
    );
    let said = setup.lbd.stderr();
    assert!(
        said.contains("the file now says weight = 5; the weight 3 that was set ends"),
        "{said}"
    );
    setup.lbd.stop();
}

#[test]
fn an_unknown_name_changes_nothing_and_is_answered_with_the_one_that_was_meant() {
    let a = Backend::saying("a");
    let setup = Setup::start(&[a.address()], |config| config);
    let before = setup.backend(a.address());
    for (arguments, error, help) in [
        (
            vec!["backend", "drain", "mian/x"],
            "there is no pool \"mian\"",
            "did you mean \"main\"?",
        ),
        (
            vec!["backend", "drain", "main/x"],
            "pool \"main\" has no backend \"x\"",
            "backends: 127.0.0.1:",
        ),
        (
            vec!["status", "--pool", "mains"],
            "there is no pool \"mains\"",
            "did you mean \"main\"?",
        ),
    ] {
        let said = setup.ask(&arguments);
        assert_eq!((said.code, said.stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(
            said.stderr.contains(error) && said.stderr.contains(help),
            "{}",
            said.stderr
        );
    }
    // All or none: the first of the two is known.
    let said = setup.ask(&["backend", "drain", &named(&a), "main/x"]);
    assert_eq!(said.code, 1);
    let after = setup.backend(a.address());
    assert_eq!((&after["admin"], &after["state"]), (&before["admin"], &before["state"]));
    for wrong in [
        vec!["backend", "drain", "nobody"],
        vec!["backend", "weight", "257", "main/x"],
        vec!["backend", "stop", "a/b"],
    ] {
        assert_eq!(setup.ask(&wrong).code, 2, "{wrong:?}");
    }
    setup.lbd.stop();
}

#[test]
fn a_backup_stands_by_until_it_is_needed() {
    let (a, b) = (Backend::saying("a"), Backend::saying("b"));
    let setup = Setup::start(&[a.address(), b.address()], |config| config.backend(1, "backup = true"));
    let seen = |backend: &Backend| {
        let seen = setup.backend(backend.address());
        let takes = seen["takes"].as_str().unwrap().to_owned();
        (takes, seen["weight"]["share_percent"].as_f64().unwrap())
    };
    assert_eq!(seen(&a), ("everybody".to_owned(), 100.0));
    assert_eq!(seen(&b), ("overflow".to_owned(), 0.0));
    assert!(setup.ask(&["status"]).stdout.contains("stands by"));
    setup.order(&["maintain", &named(&a)]);
    assert_eq!(seen(&a), ("nobody".to_owned(), 0.0));
    assert_eq!(seen(&b), ("everybody".to_owned(), 100.0));
    assert_eq!(setup.shares(3), counts(&[("b", 3)]));
    setup.lbd.stop();
}

#[test]
fn several_backends_are_shown_in_the_order_they_were_named() {
    let backends = ["a", "b", "c"].map(Backend::saying);
    let setup = Setup::start(&backends.each_ref().map(Backend::address), |config| config);
    let [a, b, c] = backends.each_ref().map(named);
    let seen: serde_json::Value = serde_json::from_str(&setup.order(&["drain", &c, &a, &b, &a, "--json"])).unwrap();
    let names: Vec<String> = seen
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| format!("main/{}", seen["name"].as_str().unwrap()))
        .collect();
    assert_eq!(names, [c, a, b], "the one that was named twice is shown once");
    setup.lbd.stop();
}

#[test]
fn shares_are_those_of_the_algorithm_where_it_ignores_weights() {
    for (algorithm, shares) in [("round_robin", [50.0, 50.0]), ("first", [100.0, 0.0])] {
        let (a, b) = (Backend::saying("a"), Backend::saying("b"));
        let setup = Setup::start(&[a.address(), b.address()], |config| {
            config.weights(&[3, 1]).pool(&format!("algorithm = \"{algorithm}\""))
        });
        for (backend, share) in [&a, &b].into_iter().zip(shares) {
            let seen = setup.backend(backend.address());
            assert_eq!(seen["weight"]["share_percent"], share, "{algorithm}");
        }
        setup.lbd.stop();
    }
}

#[test]
fn weights_that_an_algorithm_ignores_are_refused() {
    let (a, b) = (Backend::saying("a"), Backend::saying("b"));
    let setup = Setup::start(&[a.address(), b.address()], |config| {
        config.pool("algorithm = \"round_robin\"")
    });
    let said = setup.ask(&["backend", "weight", "5", &named(&a)]);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("round_robin, which ignores weights"),
        "{}",
        said.stderr
    );
    setup.order(&["weight", "0", &named(&a)]);
    assert_eq!(setup.shares(4), counts(&[("b", 4)]));
    setup.order(&["weight", "1", &named(&a)]);
    assert_eq!(setup.shares(4), counts(&[("a", 2), ("b", 2)]));
    setup.lbd.stop();
}

#[test]
fn the_socket_has_its_mode_moves_with_a_reload_and_goes_at_the_end() {
    let a = Backend::saying("a");
    let setup = Setup::start(&[a.address()], |config| config);
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&setup.socket()), 0o600);
    setup
        .lbd
        .reload(&with_admin(&setup.config, &setup.socket(), "mode = \"0660\"\n"));
    assert_eq!(mode(&setup.socket()), 0o660);
    setup.status();
    let other = setup.folder.path().join("other.sock");
    setup
        .lbd
        .reload(&with_admin(&setup.config, &other, "mode = \"0640\"\n"));
    assert!(!setup.socket().exists());
    assert_eq!(mode(&other), 0o640);
    assert_eq!(ask(&other, &["status"]).code, 0);
    setup.lbd.reload(&setup.config.text());
    assert!(!other.exists(), "without the section there is no socket");
    setup.lbd.reload(&with_admin(&setup.config, &setup.socket(), ""));
    setup.status();
    let said = setup
        .lbd
        .reload_refused(&with_admin(&setup.config, &setup.folder.path().join("no/x.sock"), ""));
    assert!(said.contains("there is no folder"), "{said}");
    assert_eq!(setup.ask(&["status"]).code, 0, "a refused reload changes nothing");
    let socket = setup.socket();
    setup.lbd.stop();
    assert!(!socket.exists());
    drop(setup.folder);
}

#[test]
fn of_two_programs_the_second_is_refused_and_a_killed_ones_socket_is_replaced() {
    let a = Backend::saying("a");
    let mut setup = Setup::start(&[a.address()], |config| config);
    let second = Config::http(address(), &[a.address()]);
    let path = setup
        .folder
        .write("second.toml", &with_admin(&second, &setup.socket(), ""));
    let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(["run", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another program answers there"), "{said}");
    setup.status();
    setup.lbd.signal(Signal::KILL);
    setup.lbd.wait();
    let dead = setup.ask(&["status"]);
    assert_eq!(dead.code, 1);
    assert!(
        dead.stderr.contains("the program that made it has ended"),
        "{}",
        dead.stderr
    );
    let lbd = Lbd::start(&with_admin(&second, &setup.socket(), ""));
    setup.status();
    lbd.stop();
}

#[test]
fn a_stopping_program_shows_its_state_takes_no_orders_and_gives_its_socket_away() {
    let gate = std::sync::Arc::new(AtomicBool::new(false));
    let open = std::sync::Arc::clone(&gate);
    let slow = Backend::http(move |_| {
        until("the gate opens", || open.load(Ordering::SeqCst).then_some(()));
        support::answer(200, "", b"slow")
    });
    let mut setup = Setup::start(&[slow.address()], |config| config);
    let mut client = Client::connect(setup.listener);
    client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
    until("it is under way", || (slow.requests() == 1).then_some(()));
    setup.lbd.signal(Signal::TERM);
    until("it is stopping", || {
        (setup.status()["process"]["stopping"] == true).then_some(())
    });
    assert_eq!(setup.backend(slow.address())["in_flight"], 1);
    let said = setup.ask(&["backend", "drain", &named(&slow)]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("stopping"), "{}", said.stderr);
    let next = Lbd::start(&with_admin(
        &Config::http(address(), &[slow.address()]),
        &setup.socket(),
        "",
    ));
    assert_eq!(setup.status()["process"]["stopping"], false);
    gate.store(true, Ordering::SeqCst);
    assert_eq!(client.response().text(), "slow");
    assert_eq!(setup.lbd.wait().code(), Some(0));
    setup.status();
    next.stop();
}

#[test]
fn a_program_from_the_command_line_has_a_socket_when_it_is_asked_for_one() {
    let (a, listener, folder) = (Backend::saying("a"), address(), Folder::new());
    let socket = folder.path().join("lbd.sock");
    let (listen, to) = (listener.to_string(), a.address().to_string());
    let path = socket.display().to_string();
    let lbd = Lbd::start_with(
        &["run", "--listen", &listen, "--to", &to, "--socket", &path],
        &[listener],
    );
    assert!(lbd.stdout().contains("[admin]"), "{}", lbd.stdout());
    let said = ask(&socket, &["status"]);
    assert!(said.stdout.contains("from the command line"), "{}", said.stdout);
    lbd.stop();
    let said = ask(&socket, &["status"]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("is lbd running"), "{}", said.stderr);
}

#[test]
fn the_socket_is_found_by_the_configuration_file() {
    let a = Backend::saying("a");
    let setup = Setup::start(&[a.address()], |config| config);
    let run = |text: &str| {
        let path = setup.folder.write("lbd.toml", text);
        let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["status", "--config"])
            .arg(path)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run(&with_admin(&setup.config, &setup.socket(), "")), (0, String::new()));
    let (code, said) = run(&setup.config.text());
    assert_eq!(code, 3);
    assert!(
        said.contains("has no [admin] section") && said.contains("add the line [admin]"),
        "{said}"
    );
    let (code, said) = run("version = 1\n[admin]\nsocket = \"x\"\n");
    assert_eq!(code, 3);
    assert!(said.contains("bad-path"), "{said}");
    setup.lbd.stop();
}

#[test]
fn a_silent_client_of_the_socket_slows_nobody_down() {
    let a = Backend::saying("a");
    let setup = Setup::start(&[a.address()], |config| config.top("workers = 1"));
    let silent: Vec<_> = (0..200)
        .map(|_| std::os::unix::net::UnixStream::connect(setup.socket()).unwrap())
        .collect();
    assert_eq!(setup.shares(100), counts(&[("a", 100)]));
    setup.status();
    drop(silent);
    until("their descriptors are free again", || {
        (setup.lbd.descriptors() < 64).then_some(())
    });
    setup.lbd.stop();
}

#[test]
fn reloads_that_were_refused_are_counted() {
    let backend = Backend::saying("a");
    let setup = Setup::start(&[backend.address()], |config| config);
    assert_eq!(setup.status()["process"]["refused"], 0);
    assert!(!setup.ask(&["status"]).stdout.contains("refused"));
    for count in 1..3 {
        setup.lbd.reload_refused("version = 2\n");
        assert_eq!(setup.status()["process"]["refused"], count);
    }
    assert!(
        setup
            .ask(&["status"])
            .stdout
            .contains("2 reloads refused since the start: the log says why")
    );
}

#[test]
fn a_pool_that_believes_any_certificate_is_marked_until_it_no_longer_does() {
    let backend = Backend::saying("a");
    let authority = Authority::new("Root of backends");
    let with = |config: Config, tls: &str| config.pool(&format!("tls = {{ server_name = \"a.internal\", {tls} }}"));
    let setup = Setup::start(&[backend.address()], |config| with(config, "verify = \"none\""));
    assert_eq!(setup.status()["pools"][0]["unverified"], true);
    let table = setup.ask(&["status"]).stdout;
    assert!(
        table.contains("UNVERIFIED: `verify = \"none\"` believes whoever answers"),
        "{table}"
    );
    let roots = format!("roots = {:?}", authority.root());
    let mended = with(Config::http(setup.listener, &[backend.address()]), &roots);
    setup.lbd.reload(&with_admin(&mended, &setup.socket(), ""));
    assert_eq!(setup.status()["pools"][0]["unverified"], false);
    assert!(!setup.ask(&["status"]).stdout.contains("UNVERIFIED"));
}
