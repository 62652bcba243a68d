//! No path leads a backend to what another rule is for: 50,000 hard paths, read by nginx, Node, Python's servers and Tomcat.
//!
//! A path leaks when lbd forwards it by one route and a backend, by its own reading, finds it under another. What lbd
//! refuses cannot leak, so the number of paths that it forwards is checked too.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

#[path = "readers/paths.rs"]
mod paths;
#[path = "readers/reader.rs"]
mod reader;
mod support;

use paths::{Case, cases};
use reader::{Answer, Server, ask, batch};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use support::{Config, Lbd, Nginx, address, peer, run};

const COUNT: usize = 50_000;

#[test]
fn nginx_finds_no_path_under_another_route_with_and_without_merged_slashes() {
    let Some(program) = peer("nginx") else { return };
    let cases = forwarded(1);
    let servers = nginx(&program, &["on", "off"]);
    let answers = ask_all(servers.addresses(), &targets(&cases));
    for answers in answers {
        report("nginx", &cases, &letters(&answers));
    }
}

#[test]
fn node_finds_no_path_under_another_route() {
    let Some(program) = peer("node") else { return };
    let cases = forwarded(2);
    let mut command = Command::new(program);
    command.args(["-e", include_str!("readers/readers.js")]);
    report("node", &cases, &batch(&mut command, &targets(&cases)));
}

#[test]
fn pythons_servers_find_no_path_under_another_route() {
    // Debian's, which has Debian's packages.
    let program = Path::new("/usr/bin/python3");
    let there = program.is_file() && run(Command::new(program).args(["-c", "import gunicorn, werkzeug"])).success;
    if !require(there, "python3 with gunicorn and werkzeug") {
        return;
    }
    let cases = forwarded(3);
    let mut command = Command::new(program);
    command.args(["-W", "ignore", "-c", include_str!("readers/readers.py")]);
    report("python", &cases, &batch(&mut command, &targets(&cases)));
}

#[test]
fn tomcat_finds_no_path_under_another_route() {
    let Some(java) = peer("java") else { return };
    let jars =
        ["embed-core", "servlet-api", "annotations-api"].map(|name| format!("/usr/share/java/tomcat10-{name}.jar"));
    let compiles = run(Command::new(&java).arg("--list-modules"))
        .text
        .contains("jdk.compiler");
    if !require(
        compiles && jars.iter().all(|jar| Path::new(jar).is_file()),
        "Tomcat 10 (libtomcat10-embed-java, libtomcat10-java) and a JDK",
    ) {
        return;
    }
    let cases = forwarded(4);
    let addresses = [address(), address()];
    let _tomcat = Server::tomcat(&java, &jars.join(":"), addresses);
    let answers = ask_all(&addresses, &targets(&cases));
    for answers in answers {
        report("tomcat", &cases, &letters(&answers));
    }
}

#[test]
fn what_lbd_forwards_no_backend_finds_under_the_forbidden_route() {
    let Some(program) = peer("nginx") else { return };
    let servers = nginx(&program, &["on", "off"]);
    let listener = address();
    let config = Config::http(listener, servers.addresses())
        .pool("algorithm = \"round_robin\"")
        .listener("[[listeners.routes]]\npath = \"/admin\"\nrespond = 403");
    let lbd = Lbd::start(&config.text());
    let mut cases = cases(5, 4_000);
    for target in REPORTED {
        cases.push(Case {
            target: (*target).to_owned(),
            sent: [None; 3],
        });
    }
    let answers = ask(listener, &targets(&cases));
    let mut statuses = [0, 0, 0];
    for (case, answer) in cases.iter().zip(&answers) {
        assert_ne!(answer.letter, b'A', "{}", case.target);
        let place = [200, 403, 400].iter().position(|status| *status == answer.status);
        // nginx refuses some paths by itself: what climbs above its root.
        statuses[place.unwrap_or_else(|| panic!("{}: {}", case.target, answer.status))] += 1;
        if case.sent[1] == Some(1) {
            assert_eq!(answer.status, 403, "{}", case.target);
        }
    }
    println!("200, 403, 400: {statuses:?}");
    assert!(statuses.iter().all(|count| *count > 100), "{statuses:?}");
    lbd.stop();
}

/// Ways around a rule by path that were reported.
const REPORTED: &[&str] = &[
    "/a%5cb/../admin/secret",
    "/./admin//../secret",
    "/./admin/..;/secret",
    "/%61dmin/../secret",
    "//x/admin/secret",
];

fn nginx(program: &Path, merging: &[&str]) -> Nginx {
    let addresses: Vec<_> = merging.iter().map(|_| address()).collect();
    let places = [("/", "R"), ("/public", "P"), ("/admin", "A"), ("/public/secret", "S")];
    let mut text = String::new();
    for (address, merge) in addresses.iter().zip(merging) {
        text += &format!("server {{ listen {address}; merge_slashes {merge};\n");
        for (path, letter) in places {
            let below = path.trim_end_matches('/');
            text += &format!(
                "location = {path} {{ return 200 {letter}; }}\nlocation {below}/ {{ return 200 {letter}; }}\n"
            );
        }
        text += "}\n";
    }
    Nginx::start_with(program, &text, addresses)
}

/// Of so many paths those that lbd forwards by one of the tables: the others cannot leak.
fn forwarded(seed: u64) -> Vec<Case> {
    let mut cases = cases(seed, COUNT);
    cases.retain(|case| case.sent.iter().any(Option::is_some));
    assert!(cases.len() > COUNT / 5, "too much is refused: {} left", cases.len());
    cases
}

/// Each server is asked for all targets, all servers at once.
fn ask_all(servers: &[SocketAddr], targets: &[&str]) -> Vec<Vec<Answer>> {
    std::thread::scope(|scope| {
        let ask = |server: &SocketAddr| {
            let server = *server;
            scope.spawn(move || ask(server, targets))
        };
        let threads: Vec<_> = servers.iter().map(ask).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn targets(cases: &[Case]) -> Vec<&str> {
    cases.iter().map(|case| case.target.as_str()).collect()
}

fn letters(answers: &[Answer]) -> Vec<Vec<u8>> {
    answers.iter().map(|answer| vec![answer.letter]).collect()
}

/// `read`: for each case the letters that the readers found.
fn report(name: &str, cases: &[Case], read: &[Vec<u8>]) {
    let leaks: Vec<String> = cases
        .iter()
        .zip(read)
        .flat_map(|(case, letters)| {
            let leaking = letters.iter().enumerate().filter(|(_, letter)| case.is_leak(**letter));
            leaking.map(move |(reader, letter)| {
                let letter = char::from(*letter);
                format!(
                    "{}: sent to {:?}, read as {letter} by reader {reader}",
                    case.target, case.sent
                )
            })
        })
        .collect();
    let found = read.iter().flatten().filter(|letter| **letter != b'-').count();
    println!(
        "{name}: {} of {COUNT} paths are forwarded, {found} readings, {} leaks",
        cases.len(),
        leaks.len()
    );
    assert!(leaks.is_empty(), "{}", leaks[..leaks.len().min(30)].join("\n"));
    assert!(found > COUNT / 5, "too few readings to show anything");
}

fn require(there: bool, what: &str) -> bool {
    if !there {
        assert!(
            std::env::var_os("LBD_REQUIRE_PEERS").is_none_or(|value| value != "1"),
            "{what} is not installed"
        );
        println!("skipped: {what} is not installed");
    }
    there
}
