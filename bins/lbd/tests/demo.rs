//! `lbd demo` as somebody meets it: start it, do what it says, press Ctrl-C. And README.md, which shows it.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::{Client, Folder, Message, address, until};

const NAMES: [&str; 3] = ["red", "green", "blue"];

#[test]
fn what_the_demo_says_to_try_works() {
    let first_port = address().port();
    let demo = Demo::start(first_port);
    let mut client = Client::connect(demo.address);

    // Turns by weight, from whatever place in the cycle, once all backends are up.
    until("six turns are shared 3 : 2 : 1", || {
        let mut turns: HashMap<String, u32> = HashMap::new();
        for _ in 0..6 {
            *turns.entry(backend(&good(client.get("/")))).or_default() += 1;
        }
        let of = |name: &str| turns.get(name).copied().unwrap_or_default();
        ((of("red"), of("green"), of("blue")) == (3, 2, 1)).then_some(())
    });

    // A cookie keeps a client at its backend.
    let first = good(client.get("/sticky"));
    let home = backend(&first);
    let cookie = cookie(&first);
    for _ in 0..5 {
        assert_eq!(backend(&sticky(&mut client, &cookie, "/sticky")), home);
    }

    // Whoever is drained gets nothing new, whoever is ready gets its turns again.
    let socket = std::env::temp_dir().join(format!("lbd-demo-{}.sock", demo.address.port()));
    let order = |word: &str| {
        let arguments = ["backend", word, "turns/red", "--socket"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_lbd"));
        let output = command.args(arguments).arg(&socket).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    order("drain");
    let mut others: Vec<String> = (0..6).map(|_| backend(&good(client.get("/")))).collect();
    others.sort_unstable();
    others.dedup();
    assert_eq!(others, ["blue", "green"]);
    order("ready");
    assert!((0..6).any(|_| backend(&good(client.get("/"))) == "red"));

    // The same over TLS, as it says.
    if let Some(curl) = support::peer("curl") {
        let said = demo.stdout();
        let line = said.lines().find(|line| line.contains("curl --cacert")).unwrap();
        let got = support::curl(&curl, line.split_whitespace().skip(1));
        assert!(
            got.success && NAMES.iter().any(|name| got.text.contains(name)),
            "{}{}",
            got.text,
            got.errors
        );
    }

    // What a backend is sent.
    let shown = good(client.get("/show")).text();
    assert!(shown.contains("\nX-Forwarded-For: 127.0.0.1\n"), "{shown}");

    // Its backend goes away: nobody notices, and the client finds a new home. Then it comes back.
    let said = sticky(&mut client, &cookie, "/sticky/down?seconds=1").text();
    assert_eq!(said, format!("{home} refuses connections for 1 second\n"));
    let moved = sticky(&mut client, &cookie, "/sticky");
    let new_home = backend(&moved);
    assert_ne!(new_home, home);
    assert_eq!(
        backend(&sticky(&mut client, &self::cookie(&moved), "/sticky")),
        new_home
    );
    until("the backend is back", || {
        (backend(&good(client.get("/"))) == home).then_some(())
    });

    let at = |line: &str| format!("{line} -> 200 {home} ");
    until("a line for each request", || {
        let said = demo.stdout();
        let all = [at("GET /"), at("GET /sticky"), at("GET /sticky") + "(persisted) "];
        all.iter().all(|line| said.contains(line)).then_some(())
    });
    demo.end_by(Signal::INT);
}

#[test]
fn the_demo_shows_a_configuration_that_can_be_used() {
    let demo = Demo::start(address().port());
    let text = good(Client::connect(demo.address).get("/config")).text();
    assert_eq!(check(&text), (Some(0), String::new()));
    demo.end_by(Signal::TERM);
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let demo = Demo::start(address().port());
    let socket = std::env::temp_dir().join(format!("lbd-demo-{}.sock", demo.address.port()));
    let printed = demo
        .stdout()
        .replace(&demo.address.to_string(), "127.0.0.1:8080")
        .replace(&socket.display().to_string(), "/tmp/lbd-demo-8080.sock")
        .replace(
            &socket.with_extension("pem").display().to_string(),
            "/tmp/lbd-demo-8080.pem",
        )
        .replace(env!("CARGO_BIN_EXE_lbd"), "target/release/lbd");
    let (introduction, _) = printed.split_once("Ctrl-C ends it.").unwrap();
    let secure = introduction
        .split_once("https://localhost:")
        .unwrap()
        .1
        .split('/')
        .next()
        .unwrap();
    let introduction = introduction.replace(&format!("localhost:{secure}/"), "localhost:8443/");
    assert!(
        readme().contains(&introduction),
        "README.md does not show this:\n{introduction}"
    );
    demo.end_by(Signal::TERM);
}

#[test]
fn the_configuration_in_the_readme_is_good() {
    let text = readme();
    let mut blocks = 0;
    for block in text.split("```toml\n").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        // As it stands it says where a secret is to be written: who pastes it is told.
        let with_secret = block.replace("what `openssl rand -hex 32` prints", "correct horse battery staple");
        assert_eq!(check(&with_secret), (Some(0), String::new()), "{block}");
        if with_secret != block {
            assert!(check(block).1.contains("bad-secret"), "{block}");
        }
        blocks += 1;
    }
    assert!(blocks > 0, "README.md shows no configuration");
}

#[test]
fn the_readme_lists_every_crate() {
    let text = readme();
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(text.contains(&format!("\n| [{name}](crates/{name}) | ")), "{name}");
    }
}

#[test]
fn the_readme_says_early_what_there_is_of_tls() {
    let text = readme();
    let (head, _) = text.split_once("\n## ").unwrap();
    assert!(head.contains("TLS"), "{head}");
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let text = readme();
    let first_block = text.split("```").nth(1).unwrap();
    let commands: Vec<&str> = first_block.lines().skip(1).collect();
    assert_eq!(
        commands
            .iter()
            .map(|line| line.split('#').next().unwrap().trim())
            .collect::<Vec<_>>(),
        ["cargo run --release -p lbd -- demo", "cargo test --workspace"]
    );
}

/// A running demo; killed when the test fails.
struct Demo {
    child: Child,
    folder: Folder,
    address: SocketAddr,
}

impl Demo {
    /// Returns when it has said where it is and listens there.
    fn start(first_port: u16) -> Self {
        let folder = Folder::new();
        let file = |name| File::create(folder.path().join(name)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["demo", "--port", &first_port.to_string()])
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        let mut demo = Self {
            child,
            folder,
            address: address(),
        };
        demo.address = until("the demo says where it is", || {
            assert!(demo.child.try_wait().unwrap().is_none(), "{}", demo.said("stderr"));
            let line = demo
                .stdout()
                .lines()
                .find(|line| line.starts_with("  http://"))?
                .to_owned();
            line.trim_start_matches("  http://").parse().ok()
        });
        until("the demo listens", || {
            demo.said("stderr").contains("listening on").then_some(())
        });
        demo
    }

    fn end_by(mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let status = until("the demo ends", || self.child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{}", self.said("stderr"));
    }

    fn stdout(&self) -> String {
        self.said("stdout")
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn good(answer: Message) -> Message {
    assert_eq!(answer.status(), 200, "{}", answer.text());
    answer
}

fn sticky(client: &mut Client, cookie: &str, target: &str) -> Message {
    good(client.exchange(format!(
        "GET {target} HTTP/1.1\r\nHost: test.example\r\nCookie: {cookie}\r\n\r\n"
    )))
}

/// The first word of an answer.
fn backend(answer: &Message) -> String {
    let text = answer.text();
    text.split([',', ' ']).next().unwrap().to_owned()
}

/// `name=value` of the cookie that an answer sets.
fn cookie(answer: &Message) -> String {
    let line = answer.get("set-cookie").expect("a cookie");
    line.split(';').next().unwrap().to_owned()
}

/// What `lbd check` says of a file: its exit code and its complaints.
fn check(text: &str) -> (Option<i32>, String) {
    let folder = Folder::new();
    let path = folder.write("lbd.toml", text);
    let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args([Path::new("check"), Path::new("--config"), path.as_path()])
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), complaints)
}

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap()
}
