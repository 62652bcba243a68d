//! A worker over the network in memory: what it does follows from the seed, whatever else this process does.
#![allow(clippy::unwrap_used)]

use lb_balance::route::{Action, Host, Prefix, Route};
use lb_balance::{Backend, Pool, Routes, Standing};
use lb_net::sim::{End, Listener, Network, Weather};
use lb_proxy::{
    HttpOptions, Limits, ListenerEntry, ListenerOptions, Order, PoolEntry, PoolOptions, Service, Snapshot, Worker,
};
use lb_sched::Algorithm;
use lb_telemetry::Counters;
use lb_types::{Address, Slot, Weight};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::spawn_local;

/// Each answer names the path that was asked for and pads it.
async fn backend(listener: Listener) {
    loop {
        let (mut end, _) = listener.accept().await.unwrap();
        spawn_local(async move {
            while let Some(head) = head(&mut end).await {
                let path = head.split(' ').nth(1).unwrap().to_owned();
                let body = path.repeat(1 + path.len() % 7);
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                if end.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// A head up to its empty line; `None`: there is none.
async fn head(end: &mut End) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if end.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8(head).unwrap())
}

/// Asks a few times on one connection; every answer that comes is its own. Says how many came.
async fn client(network: Network, number: u16) -> u32 {
    let from = SocketAddr::from(([198, 51, 100, 7], 10_000 + number));
    tokio::time::sleep(Duration::from_millis(network.draw(200))).await;
    let Ok(mut end) = network.connect(from, proxy()).await else {
        return 0;
    };
    let mut answers = 0;
    for n in 0..5 {
        let path = format!("/{number}/{n}");
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n\r\n");
        if end.write_all(request.as_bytes()).await.is_err() {
            break;
        }
        let Some(head) = head(&mut end).await else { break };
        let len = head.split("ength: ").nth(1).unwrap().split('\r').next().unwrap();
        let mut body = vec![0; len.parse().unwrap()];
        if end.read_exact(&mut body).await.is_err() {
            break;
        }
        if head.starts_with("HTTP/1.1 200") {
            assert_eq!(String::from_utf8(body).unwrap(), path.repeat(1 + path.len() % 7));
            answers += 1;
        }
    }
    answers
}

fn proxy() -> Address {
    "10.0.0.1:80".parse().unwrap()
}

fn backends() -> [Address; 2] {
    ["10.0.1.1:80", "10.0.1.2:80"].map(|address| address.parse().unwrap())
}

fn snapshot() -> Snapshot {
    let patience = Duration::from_secs(10);
    let server = |(name, address)| Arc::new(Backend::new("app", name, address, Weight::ONE, None));
    let servers = ["one", "two"].into_iter().zip(backends()).map(server).collect();
    let standings = [0, 1].map(|slot| Standing {
        slot: Slot(slot),
        weight: Weight::ONE,
        up: true,
    });
    let pool = Pool::new("app", servers, Vec::new(), Algorithm::RoundRobin, &standings, None).unwrap();
    let http = HttpOptions {
        guards: Vec::new(),
        routes: Routes::new(vec![Route {
            hosts: vec![Host::Any],
            path: Prefix::new("/").unwrap(),
            action: Action::Forward(0),
        }])
        .unwrap(),
        limits: Arc::new(Limits::default()),
        keep_alive: patience,
        keep_alive_requests: 100,
        head_timeout: patience,
        body_timeout: patience,
        write_timeout: patience,
        request_timeout: None,
        min_body_rate: None,
        continue_timeout: patience,
        tunnel_timeout: patience,
        trusted_proxies: Vec::new(),
        statements: Default::default(),
        abort_on_half_close: false,
        access_log: false,
        log_probes: false,
        https: lb_proxy::HttpsOptions::default(),
    };
    Snapshot {
        serial: 1,
        listeners: vec![Arc::new(ListenerEntry {
            options: ListenerOptions {
                name: "main".to_owned(),
                address: proxy(),
                backlog: 64,
                max_connections: 100,
                preface: lb_proxy::PrefaceOptions::default(),
                service: Service::Http(http),
            },
            connections: Arc::default(),
        })],
        pools: vec![Arc::new(PoolEntry {
            pool: Arc::new(pool),
            tables: Default::default(),
            options: PoolOptions {
                connect_timeout: patience,
                response_timeout: patience,
                idle_timeout: patience,
                max_idle: 8,
                retries: 2,
                retry_percent: 100,
                server_errors_fail: false,
                limits: Arc::new(Limits::default()),
                tls: Vec::new(),
                proxy: None,
                transparent: false,
            },
        })],
    }
}

/// Everything that happened under `seed`, as one number, and how many requests were answered.
fn run(seed: u64) -> (u64, u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build_local(Default::default())
        .unwrap();
    runtime.block_on(async {
        let network = Network::new(seed, Weather::of(seed));
        let _entered = network.enter();
        for address in backends() {
            spawn_local(backend(network.listen(address)));
        }
        let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
        let socket = lb_net::Listener::bind_fd(&lb_net::ListenerOptions::new(proxy())).unwrap();
        orders.send(Order::Listen(proxy(), socket)).unwrap();
        let worker = Worker::new(seed, Arc::new(snapshot()), Arc::new(Counters::new()));
        let worker = spawn_local(worker.run(inbox));
        let clients: Vec<_> = (0..20).map(|n| spawn_local(client(network.clone(), n))).collect();
        let mut answers = 0;
        for client in clients {
            let ended = tokio::time::timeout(Duration::from_secs(3_600), client).await;
            answers += ended
                .unwrap_or_else(|_| panic!("seed {seed}: a client waits for ever"))
                .unwrap();
        }
        orders.send(Order::Drain).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(3_600), worker).await;
        ended
            .unwrap_or_else(|_| panic!("seed {seed}: the worker does not end"))
            .unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(network.descriptors(), 0, "seed {seed}");
        (network.digest(), answers)
    })
}

#[test]
fn one_seed_is_one_run_also_beside_others() {
    let runs = || (0..40).map(run).collect::<Vec<_>>();
    let beside = std::thread::spawn(runs);
    let (one, other) = (runs(), beside.join().unwrap());
    assert_eq!(one, other);
    let answers: u32 = one.iter().map(|(_, answers)| answers).sum();
    assert!(answers > 40 * 50, "{answers} of 4000");
}
