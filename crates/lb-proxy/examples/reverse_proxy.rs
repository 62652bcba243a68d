//! A reverse proxy from the crates alone: one worker, one listener, round robin.
//!
//! `cargo run -p lb-proxy --example reverse_proxy -- 127.0.0.1:8080 127.0.0.1:9001 127.0.0.1:9002`
//!
//! With `tcp` as a first argument it passes bytes instead of HTTP.

use lb_balance::route::{Action, Host, Prefix, Route};
use lb_balance::{Backend, Pool, Routes, Standing};
use lb_net::{Listener, ListenerOptions as SocketOptions};
use lb_proxy::{
    HttpOptions, ListenerEntry, ListenerOptions, Order, PoolEntry, PoolOptions, Service, Snapshot, TcpOptions, Worker,
};
use lb_sched::Algorithm;
use lb_telemetry::Counters;
use lb_types::{Slot, Weight};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let tcp = arguments.first().is_some_and(|a| a == "tcp");
    if tcp {
        arguments.remove(0);
    }
    let addresses: Vec<SocketAddr> = arguments.iter().map(|a| a.parse()).collect::<Result<_, _>>()?;
    let [listen, backends @ ..] = addresses.as_slice() else {
        return Err("name an address to listen on".into());
    };

    let _ = lb_net::raise_descriptor_limit();
    let snapshot = Arc::new(Snapshot {
        serial: 1,
        listeners: vec![Arc::new(ListenerEntry {
            options: listener(*listen, tcp)?,
            connections: Arc::default(),
        })],
        pools: vec![Arc::new(pool(backends)?)],
    });
    let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
    orders.send(Order::Listen(
        (*listen).into(),
        Listener::bind_fd(&SocketOptions::new(*listen))?,
    ))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default())?;
    runtime.block_on(Worker::new(lb_net::clock::seed(), snapshot, Arc::new(Counters::new())).run(inbox));
    drop(orders);
    Ok(())
}

fn pool(addresses: &[SocketAddr]) -> Result<PoolEntry, Box<dyn Error>> {
    let backends: Vec<Arc<Backend>> = addresses
        .iter()
        .map(|a| Arc::new(Backend::new("app", &a.to_string(), *a, Weight::ONE, None)))
        .collect();
    let standings: Vec<Standing> = (0..)
        .take(backends.len())
        .map(|i| Standing {
            slot: Slot(i),
            weight: Weight::ONE,
            up: true,
        })
        .collect();
    Ok(PoolEntry {
        pool: Arc::new(Pool::new(
            "app",
            backends,
            Vec::new(),
            Algorithm::RoundRobin,
            &standings,
            None,
        )?),
        tables: Default::default(),
        options: PoolOptions {
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            max_idle: 512,
            retries: 2,
            retry_percent: 20,
            server_errors_fail: false,
            limits: Arc::default(),
            tls: Vec::new(),
            proxy: None,
            transparent: false,
        },
    })
}

fn listener(address: SocketAddr, tcp: bool) -> Result<ListenerOptions, Box<dyn Error>> {
    let service = if tcp {
        Service::Tcp(TcpOptions {
            pool: 0,
            idle_timeout: Duration::from_secs(300),
            access_log: false,
        })
    } else {
        Service::Http(HttpOptions {
            guards: Vec::new(),
            routes: Routes::new(vec![Route {
                hosts: vec![Host::Any],
                path: Prefix::new("/")?,
                action: Action::Forward(0),
            }])?,
            limits: Arc::default(),
            keep_alive: Duration::from_secs(75),
            keep_alive_requests: u32::MAX,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            request_timeout: None,
            min_body_rate: None,
            continue_timeout: Duration::from_secs(1),
            tunnel_timeout: Duration::from_secs(60),
            trusted_proxies: Vec::new(),
            statements: Default::default(),
            abort_on_half_close: false,
            access_log: false,
            log_probes: true,
            https: lb_proxy::HttpsOptions::default(),
        })
    };
    Ok(ListenerOptions {
        name: "main".into(),
        address: address.into(),
        backlog: 4096,
        max_connections: 100_000,
        preface: lb_proxy::PrefaceOptions::default(),
        service,
    })
}
