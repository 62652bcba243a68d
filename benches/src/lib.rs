//! A proxy in this process, for measuring: one worker, one pool, any strategies. And its [`pieces`], one by one;
//! [`scheduling`] alone.

pub mod pieces;
pub mod scheduling;

use lb_balance::route::{Action, Host, Prefix, Route};
use lb_balance::{Backend, Pool, Routes, Standing};
use lb_net::{Listener, ListenerOptions as SocketOptions};
use lb_persist::{ClientIp, ClientIpOptions, CookieInsert, CookieInsertOptions, Strategy};
use lb_proxy::{
    HttpOptions, ListenerEntry, ListenerOptions, Order, PoolEntry, PoolOptions, PrefaceOptions, Service, Sites,
    Snapshot, TlsOptions,
};
use lb_sched::Algorithm;
use lb_store::{Tables, TablesOptions};
use lb_types::{BackendId, Slot, Weight};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How the measured proxy recognises clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stickiness {
    /// Not at all.
    None,
    /// By a cookie.
    Cookie,
    /// By address, in a table.
    ClientIp,
}

/// A snapshot with one HTTP listener in front of `backends`, and the order that opens it.
///
/// # Errors
/// When the address cannot be listened on.
pub fn proxy(
    listen: SocketAddr,
    backends: &[SocketAddr],
    stickiness: Stickiness,
) -> Result<(Arc<Snapshot>, Order, SocketAddr), Box<dyn Error>> {
    proxy_over(None, listen, backends, stickiness)
}

/// The same with clients that speak TLS.
///
/// # Errors
/// When the address cannot be listened on.
pub fn proxy_over(
    sites: Option<Sites>,
    listen: SocketAddr,
    backends: &[SocketAddr],
    stickiness: Stickiness,
) -> Result<(Arc<Snapshot>, Order, SocketAddr), Box<dyn Error>> {
    let socket = std::net::TcpListener::from(Listener::bind_fd(&SocketOptions::new(listen))?);
    let address = socket.local_addr()?;
    let snapshot = Snapshot {
        serial: 1,
        listeners: vec![Arc::new(ListenerEntry {
            options: listener(address, sites)?,
            connections: Arc::default(),
        })],
        pools: vec![Arc::new(pool(backends, stickiness)?)],
    };
    Ok((
        Arc::new(snapshot),
        Order::Listen(address.into(), socket.into()),
        address,
    ))
}

/// Strategies as a pool wants them.
///
/// # Errors
/// Never with these options.
pub fn strategies(stickiness: Stickiness, ids: &[BackendId]) -> Result<Vec<Box<dyn Strategy>>, Box<dyn Error>> {
    Ok(match stickiness {
        Stickiness::None => Vec::new(),
        Stickiness::Cookie => vec![Box::new(CookieInsert::new(CookieInsertOptions::default(), KEY, ids)?)],
        Stickiness::ClientIp => vec![Box::new(ClientIp::new(ClientIpOptions::default())?)],
    })
}

fn pool(addresses: &[SocketAddr], stickiness: Stickiness) -> Result<PoolEntry, Box<dyn Error>> {
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
    let ids: Vec<BackendId> = backends.iter().map(|b| b.id).collect();
    let strategies = strategies(stickiness, &ids)?;
    let table = (stickiness == Stickiness::ClientIp).then(|| Arc::new(Tables::new(TablesOptions::default())));
    Ok(PoolEntry {
        pool: Arc::new(Pool::new(
            "app",
            backends,
            strategies,
            Algorithm::WeightedRoundRobin,
            &standings,
            None,
        )?),
        tables: [table, None, None],
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

fn listener(address: SocketAddr, sites: Option<Sites>) -> Result<ListenerOptions, Box<dyn Error>> {
    let route = Route {
        hosts: vec![Host::Any],
        path: Prefix::new("/")?,
        action: Action::Forward(0),
    };
    Ok(ListenerOptions {
        name: "main".into(),
        address: address.into(),
        backlog: 4096,
        max_connections: 100_000,
        preface: PrefaceOptions {
            tls: sites.map(|sites| Arc::new(TlsOptions { sites })),
            ..PrefaceOptions::default()
        },
        service: Service::Http(HttpOptions {
            guards: Vec::new(),
            routes: Routes::new(vec![route])?,
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
            // Said over TLS, and without allocating.
            https: lb_proxy::HttpsOptions {
                hsts: Some(Duration::from_secs(15_552_000)),
                ..Default::default()
            },
        }),
    })
}

/// Signs the cookies; no secret here.
const KEY: &[u8; 16] = b"sixteen byte key";
