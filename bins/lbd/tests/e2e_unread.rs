//! Standard error that nobody reads stops neither traffic nor the end.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{Backend, Client, Config, Folder, address, elapsed, is_listening, now, until};

/// `lbd run`, one worker, with a pipe for standard error. Killed when a test fails.
struct Unread(Child, #[expect(dead_code, reason = "kept until the end")] Folder);

impl Unread {
    fn start(config: &Config, listener: SocketAddr) -> Self {
        let folder = Folder::new();
        let path = folder.write("lbd.toml", &config.clone().top("workers = 1").text());
        let child = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["run", "--config"])
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until("lbd listens", || is_listening(listener).then_some(()));
        Self(child, folder)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A pool whose state is some 300 KB of text.
fn wordy(listener: SocketAddr, backend: SocketAddr) -> Config {
    let mut backends = vec![backend];
    backends.extend((0..2_000_u16).map(|n| SocketAddr::from(([127, 0, 0, 1], 3_000 + n))));
    let mut config = Config::http(listener, &backends);
    for number in 1..backends.len() {
        config = config.backend(number, "drain = true");
    }
    config
}

#[test]
fn requests_are_answered_while_nobody_reads_standard_error_and_what_was_dropped_is_said() {
    let (backend, listener) = (Backend::saying("a"), address());
    let mut lbd = Unread::start(&wordy(listener, backend.address()), listener);
    let mut client = Client::connect(listener);
    for _ in 0..5 {
        lbd.signal(Signal::USR1);
        // The signal and the request are looked at in no certain order: each request may be the one behind it.
        for _ in 0..3 {
            let begun = now();
            assert_eq!(client.get("/").status(), 200);
            assert!(elapsed(begun) < Duration::from_secs(1), "{:?}", elapsed(begun));
        }
    }
    // Somebody reads at last: whole lines, in order, and how many more there were.
    let mut stderr = lbd.0.stderr.take().unwrap();
    let mut text = String::new();
    let mut piece = vec![0; 65_536];
    while !text.contains("notes were dropped here: standard error was not read\n") {
        let length = stderr.read(&mut piece).unwrap();
        assert!(length > 0, "{text}");
        text.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    assert!(
        text.starts_with("lbd: ") && text.contains("listening on"),
        "{}",
        &text[..200]
    );
    lbd.signal(Signal::TERM);
    stderr.read_to_string(&mut text).unwrap();
    assert_eq!(lbd.0.wait().unwrap().code(), Some(0));
    assert!(text.contains("lbd: draining"), "it is said again");
}

#[test]
fn the_program_ends_while_nobody_reads_standard_error() {
    let (backend, listener) = (Backend::saying("a"), address());
    let mut lbd = Unread::start(&wordy(listener, backend.address()), listener);
    lbd.signal(Signal::USR1);
    assert_eq!(Client::connect(listener).get("/").status(), 200);
    lbd.signal(Signal::TERM);
    let status = until("it ends", || lbd.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}
