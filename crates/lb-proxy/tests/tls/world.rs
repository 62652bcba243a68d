//! A worker that speaks TLS with its clients, its backends, or both.

use lb_balance::route::{Action, Host, Prefix, Route};
use lb_balance::{Backend, Pool, Routes, Standing};
use lb_net::{Listener, ListenerOptions as SocketOptions};
use lb_proxy::{
    HttpOptions, HttpsOptions, ListenerEntry, ListenerOptions, Order, PoolEntry, PoolOptions, PrefaceOptions, Service,
    Sites, Snapshot, TlsOptions, Worker,
};
use lb_sched::Algorithm;
use lb_telemetry::{Counters, End};
use lb_tls::client_auth::Authorities;
use lb_tls::upstream::Trust;
use lb_tls::{Engine, File, LoadOptions, ServerOptions, SiteOptions, UpstreamOptions, UpstreamTls};
use lb_types::{Slot, Weight};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const NAME: &str = "site.example";

/// A client's connection.
pub(crate) type Secure = StreamOwned<ClientConnection, TcpStream>;
/// A backend's.
pub(crate) type Served = StreamOwned<ServerConnection, TcpStream>;

/// A certificate that is its own root, with its key.
pub(crate) struct Made {
    pub(crate) pem: String,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) roots: RootCertStore,
    root: String,
}

pub(crate) fn make() -> Made {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "Root of the test");
    let root = params.self_signed(&key).unwrap();
    let issuer = rcgen::Issuer::new(params, key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, NAME);
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2120, 1, 1));
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let made = params.signed_by(&key, &issuer).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(root.der().clone()).unwrap();
    let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.der().clone()], secret)
        .unwrap();
    server.send_tls13_tickets = 2;
    Made {
        pem: format!("{}{}{}", made.pem(), key.serialize_pem(), root.pem()),
        server: Arc::new(server),
        roots,
        root: root.pem(),
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn engine() -> Engine {
    Engine::aws_lc(Arc::new(rustls::time_provider::DefaultTimeProvider))
}

/// What a listener serves.
pub(crate) fn sites(made: &Made) -> Sites {
    let file = File {
        label: "site.pem",
        bytes: made.pem.as_bytes(),
        password: None,
    };
    let loaded = lb_tls::load([file], &LoadOptions::default(), &engine()).unwrap();
    let mut options = ServerOptions::new("main", SiteOptions::new("main", loaded.identities));
    options.tls13_tickets = 2;
    Sites::build(options, &engine()).unwrap()
}

/// How a pool speaks TLS.
pub(crate) fn upstream(made: &Made) -> Arc<UpstreamTls> {
    let file = File {
        label: "root.pem",
        bytes: made.root.as_bytes(),
        password: None,
    };
    let authorities = Authorities::read([file], &engine()).unwrap();
    let options = UpstreamOptions::new(NAME, Trust::Authorities(Arc::new(authorities)));
    Arc::new(UpstreamTls::build(options, &engine()).unwrap())
}

pub(crate) struct World {
    pub(crate) proxy: SocketAddr,
    pub(crate) counters: Arc<Counters>,
    orders: UnboundedSender<Order>,
    worker: JoinHandle<()>,
}

impl World {
    /// `client`: the sites; `backend`: how to speak with the one backend.
    pub(crate) fn new(client: Option<Sites>, backend: SocketAddr, tls: Option<Arc<UpstreamTls>>) -> Self {
        Self::with(client, backend, tls, |_| {})
    }

    pub(crate) fn with(
        client: Option<Sites>,
        backend: SocketAddr,
        tls: Option<Arc<UpstreamTls>>,
        change: impl FnOnce(&mut ListenerOptions),
    ) -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let socket = TcpListener::from(Listener::bind_fd(&SocketOptions::new(any)).unwrap());
        let proxy = socket.local_addr().unwrap();
        let standing = Standing {
            slot: Slot(0),
            weight: Weight::ONE,
            up: true,
        };
        let one = Arc::new(Backend::new("app", "one", backend, Weight::ONE, None));
        let pool = Pool::new("app", vec![one], Vec::new(), Algorithm::RoundRobin, &[standing], None).unwrap();
        let mut options = listener(proxy, client);
        change(&mut options);
        let snapshot = Arc::new(Snapshot {
            serial: 1,
            listeners: vec![Arc::new(ListenerEntry {
                options,
                connections: Arc::default(),
            })],
            pools: vec![Arc::new(PoolEntry {
                pool: Arc::new(pool),
                tables: Default::default(),
                options: PoolOptions {
                    connect_timeout: PATIENCE,
                    response_timeout: PATIENCE,
                    idle_timeout: PATIENCE,
                    max_idle: 8,
                    retries: 1,
                    retry_percent: 100,
                    server_errors_fail: false,
                    limits: Arc::default(),
                    tls: vec![tls],
                    proxy: None,
                    transparent: false,
                },
            })],
        });
        let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
        orders.send(Order::Listen(proxy.into(), socket.into())).unwrap();
        let counters = Arc::new(Counters::new());
        let worker = Worker::new(1, snapshot, Arc::clone(&counters));
        let worker = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build_local(Default::default())
                .unwrap();
            runtime.block_on(worker.run(inbox));
        });
        Self {
            proxy,
            counters,
            orders,
            worker,
        }
    }

    pub(crate) fn until_ended(&self, end: End, times: u64) {
        until(&format!("{times} of {end:?}"), || {
            self.counters.snapshot().ended(end) >= times
        });
    }

    pub(crate) fn stop(self) {
        self.orders.send(Order::Drain).unwrap();
        until("the worker has ended", || self.worker.is_finished());
        self.worker.join().unwrap();
    }
}

pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "{what}: not in time");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn listener(address: SocketAddr, client: Option<Sites>) -> ListenerOptions {
    let route = Route {
        hosts: vec![Host::Any],
        path: Prefix::new("/").unwrap(),
        action: Action::Forward(0),
    };
    ListenerOptions {
        name: "main".into(),
        address: address.into(),
        backlog: 1024,
        max_connections: 20_000,
        preface: PrefaceOptions {
            tls: client.map(|sites| Arc::new(TlsOptions { sites })),
            ..PrefaceOptions::default()
        },
        service: Service::Http(HttpOptions {
            guards: Vec::new(),
            routes: Routes::new(vec![route]).unwrap(),
            limits: Arc::default(),
            keep_alive: PATIENCE,
            keep_alive_requests: 10_000,
            head_timeout: PATIENCE,
            body_timeout: PATIENCE,
            write_timeout: PATIENCE,
            request_timeout: None,
            min_body_rate: None,
            continue_timeout: PATIENCE,
            tunnel_timeout: PATIENCE,
            trusted_proxies: Vec::new(),
            statements: Default::default(),
            abort_on_half_close: false,
            access_log: false,
            log_probes: true,
            https: HttpsOptions::default(),
        }),
    }
}

pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(to).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A client of this version.
pub(crate) fn secure(to: SocketAddr, made: &Made, version: &'static rustls::SupportedProtocolVersion) -> Secure {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(made.roots.clone())
        .with_no_client_auth();
    let name = ServerName::try_from(NAME).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(to))
}

/// Serves each connection on a thread of its own.
pub(crate) fn backend(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (socket, serve) = (socket.unwrap(), Arc::clone(&serve));
            socket.set_nodelay(true).unwrap();
            std::thread::spawn(move || serve(socket));
        }
    });
    address
}

/// The same over TLS.
pub(crate) fn secure_backend(made: &Made, serve: impl Fn(Served) + Send + Sync + 'static) -> SocketAddr {
    let config = Arc::clone(&made.server);
    backend(move |socket| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), socket);
        while stream.conn.is_handshaking() {
            if stream.conn.complete_io(&mut stream.sock).is_err() {
                return;
            }
        }
        let _ = stream.flush();
        serve(stream);
    })
}
