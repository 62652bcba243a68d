//! A pingora proxy whose backends are picked by lb-sched.
//!
//! Weighted round robin over three backends of weights 3, 2 and 1. It starts the backends itself, sends sixty requests
//! and finds 30, 20 and 10; then one backend dies, and no client notices. Building it takes cmake (pingora brings zlib-ng).

mod selection;

use async_trait::async_trait;
use lb_sched::{Algorithm, InFlight, Limit, Load};
use pingora_core::prelude::*;
use pingora_core::protocols::l4::socket::SocketAddr;
use pingora_load_balancing::discovery::Static;
use pingora_load_balancing::{Backend, Backends, LoadBalancer};
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};
use selection::{Selection, Shared};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

struct Proxy(LoadBalancer<Selection>);

/// One request: where it is, and where it was refused.
#[derive(Default)]
struct Request {
    /// Given back when the request ends, however it ends.
    place: Option<InFlight>,
    refused: Vec<SocketAddr>,
}

/// A place at a backend; none if it is full.
fn take(backend: &Backend) -> Option<InFlight> {
    InFlight::take(backend.ext.get::<Arc<Load>>()?, Limit::new(100))
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Request;

    fn new_ctx(&self) -> Request {
        Request::default()
    }

    async fn upstream_peer(&self, _: &mut Session, request: &mut Request) -> Result<Box<HttpPeer>> {
        request.place = None; // the last attempt has ended
        let place = std::cell::OnceCell::new();
        let accept = |backend: &Backend, healthy| {
            let fresh = healthy && !request.refused.contains(&backend.addr);
            // the place is taken with the decision: a backend cannot fill up between the two
            fresh && take(backend).is_some_and(|taken| place.set(taken).is_ok())
        };
        let Some(backend) = self.0.select_with(b"", usize::MAX, accept) else {
            return Error::e_explain(HTTPStatus(503), "no backend is left");
        };
        request.place = place.into_inner();
        Ok(Box::new(HttpPeer::new(backend.addr, false, String::new())))
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        peer: &HttpPeer,
        request: &mut Request,
        mut error: Box<Error>,
    ) -> Box<Error> {
        request.refused.push(peer._address.clone());
        error.set_retry(true);
        error
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (a, _a) = backend('a', 3).await?;
    let (b, task_b) = backend('b', 2).await?;
    let (c, _c) = backend('c', 1).await?;
    let balancer = LoadBalancer::from_backends_with_config(
        Backends::new(Static::new([a, b, c].into())),
        Some(Shared::new(Algorithm::WeightedRoundRobin)),
    );
    balancer.update().await?;

    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?; // a free port
    std::thread::spawn(move || {
        let mut server = Server::new(None).expect("the default configuration");
        server.bootstrap();
        let mut service = http_proxy_service(&server.configuration, Proxy(balancer));
        service.add_tcp(&address.to_string());
        server.add_service(service);
        server.run_forever();
    });
    let started = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "pingora does not listen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let answers = ask(address, 60).await?;
    println!("60 requests by weights 3:2:1: {answers:?}");
    assert_eq!(answers, [30, 20, 10]);

    task_b.abort(); // its socket closes: whoever connects from now on is refused
    assert!(task_b.await.is_err_and(|error| error.is_cancelled()));
    let answers = ask(address, 40).await?;
    println!("40 more without the second:   {answers:?}");
    assert_eq!(answers, [30, 0, 10]);
    Ok(())
}

/// A backend that answers with one letter.
async fn backend(
    letter: char,
    weight: usize,
) -> std::result::Result<(Backend, JoinHandle<()>), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let backend = Backend::new_with_weight(&listener.local_addr()?.to_string(), weight)?;
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.read(&mut [0; 4096]).await?;
                let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{letter}");
                stream.write_all(answer.as_bytes()).await
            });
        }
    });
    Ok((backend, task))
}

/// Sends so many requests: who answered how often?
async fn ask(proxy: std::net::SocketAddr, count: usize) -> std::io::Result<[u32; 3]> {
    let mut answers = [0; 3];
    for _ in 0..count {
        let mut stream = TcpStream::connect(proxy).await?;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answers[usize::from(answer.as_bytes()[answer.len() - 1] - b'a')] += 1;
    }
    Ok(answers)
}
