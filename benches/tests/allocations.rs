//! A kept-alive HTTP/1 request allocates nothing, on both sides of the proxy.
//!
//! The worker runs in the counting thread; client and backends are threads of their own and are
//! not counted.

#![allow(clippy::unwrap_used)] // a failure of the surroundings is a failure of the test

use lb_benches::{Stickiness, proxy_over};
use lb_proxy::Worker;
use lb_telemetry::Counters;
use lb_tls::{Engine, File, LoadOptions, ServerOptions, SiteOptions, Sites};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;

#[test]
fn the_counter_counts() {
    assert_eq!(
        allocation_counter::measure(|| drop(std::hint::black_box(Box::new(1)))).count_total,
        1
    );
}

#[test]
fn a_kept_alive_request_allocates_nothing() {
    assert_eq!(allocations(Stickiness::None, SMALL), 0);
}

#[test]
fn a_request_with_a_cookie_to_check_allocates_nothing() {
    assert_eq!(allocations(Stickiness::Cookie, BROWSER), 0);
}

#[test]
fn a_request_with_an_address_to_look_up_allocates_nothing() {
    assert_eq!(allocations(Stickiness::ClientIp, BROWSER), 0);
}

/// What rustls needs: the plaintext of the record that came, and the record that leaves. None is ours.
#[test]
fn a_request_over_tls_allocates_what_rustls_needs_and_nothing_more() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec!["bench.local".to_owned()]).unwrap();
        let made = made.self_signed(&key).unwrap();
        let pem = format!("{}{}", made.pem(), key.serialize_pem());
        let engine = Engine::aws_lc(Arc::new(rustls::time_provider::DefaultTimeProvider));
        let file = File {
            label: "bench.pem",
            bytes: pem.as_bytes(),
            password: None,
        };
        let loaded = lb_tls::load([file], &LoadOptions::default(), &engine).unwrap();
        let options = ServerOptions::new("main", SiteOptions::new("main", loaded.identities));
        let sites = Sites::build(options, &engine).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::clone(engine.provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let config = Arc::new(config);
        let connect = move |address| {
            let name = ServerName::try_from("bench.local").unwrap();
            let conn = ClientConnection::new(config, name).unwrap();
            StreamOwned::new(conn, TcpStream::connect(address).unwrap())
        };
        let counted = counted(Some(sites), Stickiness::None, SMALL, connect);
        assert_eq!(counted, 2 * COUNTED as u64, "{version:?}");
    }
}

/// Allocations of the worker's thread during [`COUNTED`] requests on one connection, after some
/// that warm it up.
fn allocations(stickiness: Stickiness, request: &'static str) -> u64 {
    counted(None, stickiness, request, |address| {
        TcpStream::connect(address).unwrap()
    })
}

fn counted<S: Read + Write>(
    sites: Option<Sites>,
    stickiness: Stickiness,
    request: &'static str,
    connect: impl FnOnce(SocketAddr) -> S + Send + 'static,
) -> u64 {
    let backends = [backend(), backend()];
    let any = "127.0.0.1:0".parse().unwrap();
    let (snapshot, listen, address) = proxy_over(sites, any, &backends, stickiness).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())
        .unwrap();
    let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
    orders.send(listen).unwrap();
    runtime.spawn_local(Worker::new(7, snapshot, Arc::new(Counters::new())).run(inbox));

    let (warm, is_warm) = oneshot::channel();
    let (go, may_go) = std::sync::mpsc::channel();
    let (done, is_done) = oneshot::channel();
    let client = thread::spawn(move || {
        let mut client = Client::new(connect(address));
        for _ in 0..WARM {
            client.exchange(request);
        }
        warm.send(()).unwrap();
        may_go.recv().unwrap();
        for _ in 0..COUNTED {
            client.exchange(request);
        }
        done.send(()).unwrap();
    });
    runtime.block_on(is_warm).unwrap();
    go.send(()).unwrap();
    let counted = allocation_counter::measure(|| runtime.block_on(is_done).unwrap());
    client.join().unwrap();
    counted.count_total
}

struct Client<S> {
    stream: S,
    buffer: Vec<u8>,
    cookie: Option<String>,
}

impl<S: Read + Write> Client<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: vec![0; 65536],
            cookie: None,
        }
    }

    fn exchange(&mut self, request: &str) {
        let text = match &self.cookie {
            Some(cookie) => request.replace("Cookie: ", &format!("Cookie: {cookie}; ")),
            None => request.to_owned(),
        };
        self.stream.write_all(text.as_bytes()).unwrap();
        let mut have = 0;
        let head = loop {
            let n = self.stream.read(&mut self.buffer[have..]).unwrap();
            assert!(n > 0, "the proxy closed");
            have += n;
            let text = String::from_utf8_lossy(&self.buffer[..have]).into_owned();
            if let Some(end) = text.find("\r\n\r\n")
                && have >= end + 4 + BODY
            {
                break text[..end].to_owned();
            }
        };
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        for line in head.lines() {
            if let Some(value) = line.strip_prefix("Set-Cookie: ") {
                self.cookie = value.split(';').next().map(str::to_owned);
            }
        }
    }
}

fn backend() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: {BODY}\r\n\r\n{}",
        "x".repeat(BODY)
    );
    let mut buffer = [0; 4096];
    let mut have = 0;
    while let Ok(n @ 1..) = stream.read(&mut buffer[have..]) {
        have += n;
        if buffer[..have].ends_with(b"\r\n\r\n") {
            have = 0;
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

const WARM: usize = 200;
const COUNTED: usize = 2000;
const BODY: usize = 1024;
const SMALL: &str = "GET /1k HTTP/1.1\r\nHost: bench.local\r\n\r\n";
const BROWSER: &str = "GET /1k HTTP/1.1\r\nHost: bench.local\r\nConnection: keep-alive\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,application/xhtml+xml\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://bench.local/shop?page=3\r\n\
    Cookie: sid=0123456789abcdef; theme=dark\r\n\r\n";
