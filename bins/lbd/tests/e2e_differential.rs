//! What lbd passes on, readers by other hands read as the same single message: nginx and haproxy.
//!
//! A raw client sends unusual requests through lbd and a peer to a backend that writes down what arrives. For each
//! request the peer must forward exactly one message with the method, path, fields and body that were sent, and the
//! request behind it must arrive as a message of its own. What lbd refuses must not arrive at all.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

#[path = "differential/hostile.rs"]
mod hostile;
#[path = "differential/legal.rs"]
mod legal;
#[path = "differential/line.rs"]
mod line;
#[path = "differential/request.rs"]
mod request;
mod support;

use hostile::hostile;
use legal::legal;
use line::{Line, Marker, Recorder};
use request::Case;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::{Client, Config, Folder, Lbd, Nginx, address, is_listening, peer, until};

#[test]
fn nginx_reads_what_lbd_forwards_as_the_one_message_that_was_sent() {
    let Some(program) = peer("nginx") else { return };
    let recorder = Recorder::start();
    let (listen, backend) = (address(), recorder.backend.address());
    let servers = format!(
        "upstream recorder {{ server {backend}; keepalive 8; keepalive_requests 1000000; }}\n\
         server {{ listen {listen}; ignore_invalid_headers off; underscores_in_headers on;\n\
         client_header_buffer_size 32k; large_client_header_buffers 8 64k;\n\
         location / {{ proxy_pass http://recorder; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
         proxy_set_header Host $http_host; proxy_request_buffering off; proxy_buffering off;\n\
         proxy_next_upstream off; }} }}"
    );
    let nginx = Nginx::start_with(&program, &servers, vec![listen]);
    compare("nginx", nginx.addresses()[0], &recorder);
}

#[test]
fn haproxy_reads_what_lbd_forwards_as_the_one_message_that_was_sent() {
    let Some(program) = peer("haproxy") else { return };
    let recorder = Recorder::start();
    let haproxy = Haproxy::start(&program, recorder.backend.address());
    compare("haproxy", haproxy.address, &recorder);
}

/// Sends everything through lbd and the peer, which listens on `at`.
fn compare(name: &str, at: SocketAddr, recorder: &Recorder) {
    let listener = address();
    // One worker: all requests share its upstream connections, so that one message read as two shows.
    let config = Config::http(listener, &[at])
        .top("workers = 1")
        .listener("limits = { keep_alive_requests = 1000000 }");
    let lbd = Lbd::start(&config.text());
    let mut line = Line {
        listener,
        client: Client::connect(listener),
        recorder,
        marks: 0,
    };
    let cases: Vec<Case> = legal().into_iter().filter(|case| case.fits(name)).collect();
    for case in &cases {
        line.check(case, Marker::AfterTheAnswer);
        if !case.closes {
            line.check(case, Marker::InTheSameBytes);
        }
    }
    let hostile = hostile();
    for (sent, reaches) in &hostile {
        line.check_refused(sent, *reaches);
    }
    assert!(cases.len() > 400, "only {} requests", cases.len());
    println!(
        "{name} agreed on {} requests; {} were refused",
        cases.len(),
        hostile.len()
    );
    drop(line);
    lbd.stop();
}

/// A haproxy process before one backend.
struct Haproxy {
    child: Child,
    address: SocketAddr,
    /// Holds its configuration.
    _folder: Folder,
}

impl Haproxy {
    fn start(program: &Path, backend: SocketAddr) -> Self {
        let (folder, address) = (Folder::new(), address());
        let config = format!(
            "global\n maxconn 1000\n nbthread 1\n tune.bufsize 65536\n tune.http.maxhdr 256\n\
             defaults\n mode http\n timeout connect 10s\n timeout client 60s\n timeout server 60s\n retries 0\n\
             frontend in\n bind {address}\n default_backend out\n\
             backend out\n http-reuse always\n server recorder {backend}\n"
        );
        let file = folder.write("haproxy.cfg", &config);
        let mut child = Command::new(program)
            .args(["-db", "-q", "-f"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("haproxy listens", || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "haproxy ended: {ended:?}");
            is_listening(address).then_some(())
        });
        Self {
            child,
            address,
            _folder: folder,
        }
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
