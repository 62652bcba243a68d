//! What is configured, drawn from the seed: listeners, pools, timeouts, and what becomes of them in reloads.

use crate::backend::Temper;
use crate::dice::Dice;
use lb_balance::route::{Action, Host, Prefix, Route};
use lb_balance::{Algorithm, Backend, Contact, Load, Pool, Routes, Standing, Strategy};
use lb_persist::{ClientIp, CookieInsert, CookieInsertOptions};
use lb_proxy::{
    Address, HttpOptions, ListenerEntry, ListenerOptions, Occupancy, PoolEntry, PoolOptions, Service, Snapshot, Tables,
    TcpOptions,
};
use lb_store::TablesOptions;
use lb_types::{BackendId, Slot, Weight};
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

/// The two pools.
pub(crate) const WEB: usize = 0;
pub(crate) const RAW: usize = 1;
/// Their names.
pub(crate) const POOLS: [&str; 2] = ["web", "raw"];

/// A backend over all reloads.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) pool: usize,
    pub(crate) temper: Temper,
    pub(crate) load: Arc<Load>,
    contact: Arc<Contact>,
    weight: u16,
    /// It is in the configuration.
    is_in: bool,
    is_up: bool,
}

/// All that is configured.
#[derive(Debug)]
pub(crate) struct Site {
    dice: Dice,
    pub(crate) backends: Vec<Known>,
    /// The pools of all snapshots, newest last.
    pools: Vec<Arc<Pool>>,
    pub(crate) http: Arc<Occupancy>,
    pub(crate) tcp: Arc<Occupancy>,
    /// The TCP listener is configured.
    pub(crate) has_tcp: bool,
    tables: Option<Arc<Tables>>,
    serial: u64,
    algorithm: Algorithm,
    pub(crate) options: PoolOptions,
    max_connections: usize,
    max_per_backend: Option<u32>,
    seed: u64,
    /// The longest wait of anybody that does not wait by his own wish.
    pub(crate) longest: Duration,
}

impl Site {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::of(seed, 1);
        let (web, raw) = (dice.between(1, 4), dice.between(1, 2));
        let backends = (0..web + raw)
            .map(|n| Known {
                name: format!("b{n}"),
                address: SocketAddr::from(([10, 9, 0, n as u8 + 1], 8_000)),
                pool: if n < web { WEB } else { RAW },
                temper: dice.pick(&Temper::ALL),
                load: Arc::default(),
                contact: Arc::default(),
                weight: dice.between(1, 5) as u16,
                is_in: true,
                is_up: true,
            })
            .collect();
        let mut ms = |of: &[u64]| Duration::from_millis(dice.pick(of));
        let options = PoolOptions {
            connect_timeout: ms(&[300, 2_000, 4_000]),
            response_timeout: ms(&[500, 2_000, 5_000, 10_000]),
            idle_timeout: ms(&[1_000, 5_000, 10_000]),
            max_idle: 0,
            retries: 0,
            retry_percent: 0,
            server_errors_fail: false,
            limits: Arc::default(),
            tls: Vec::new(),
            proxy: None,
            transparent: false,
        };
        let options = PoolOptions {
            max_idle: dice.pick(&[0, 1, 8, 8]),
            retries: dice.pick(&[0, 1, 2, 3]),
            retry_percent: dice.pick(&[20, 100]),
            server_errors_fail: dice.percent(50),
            ..options
        };
        let max_connections = dice.weighted(&[(7, 1_000), (1, 3)]);
        let attempts = u32::from(options.retries) + 2;
        let crowded = if max_connections < 10 { 300 } else { 0 };
        let longest =
            (options.connect_timeout + options.response_timeout) * attempts + Duration::from_secs(40 + crowded);
        Self {
            backends,
            pools: Vec::new(),
            http: Arc::default(),
            tcp: Arc::default(),
            has_tcp: true,
            tables: dice
                .percent(40)
                .then(|| Arc::new(Tables::new(TablesOptions::new(100, Duration::from_secs(10))))),
            serial: 0,
            algorithm: dice.pick(&Algorithm::ALL),
            options,
            max_connections,
            max_per_backend: dice.percent(25).then_some(2),
            seed,
            longest,
            dice,
        }
    }

    /// A snapshot of what is configured now.
    pub(crate) fn snapshot(&mut self) -> Arc<Snapshot> {
        self.serial += 1;
        let pools = vec![self.pool(WEB, POOLS[WEB]), self.pool(RAW, POOLS[RAW])];
        let mut listeners = vec![self.listener("http", HTTP, Service::Http(self.http_options()), &self.http)];
        if self.has_tcp {
            let tcp = TcpOptions {
                pool: RAW,
                idle_timeout: self.patience(8, &[1_500, 6_000, 20_000]),
                access_log: true,
            };
            listeners.push(self.listener("tcp", TCP, Service::Tcp(tcp), &self.tcp));
        }
        Arc::new(Snapshot {
            serial: self.serial,
            listeners,
            pools,
        })
    }

    fn listener(
        &self,
        name: &str,
        address: Address,
        service: Service,
        connections: &Arc<Occupancy>,
    ) -> Arc<ListenerEntry> {
        Arc::new(ListenerEntry {
            options: ListenerOptions {
                name: name.into(),
                address,
                backlog: 64,
                max_connections: self.max_connections,
                preface: lb_proxy::PrefaceOptions::default(),
                service,
            },
            connections: Arc::clone(connections),
        })
    }

    /// A timeout: the same in every snapshot.
    fn patience(&self, part: u64, of: &[u64]) -> Duration {
        Duration::from_millis(Dice::of(self.seed, 100 + part).pick(of))
    }

    pub(crate) fn http_options(&self) -> HttpOptions {
        let mut dice = Dice::of(self.seed, 2);
        let limits = lb_proxy::Limits {
            body_bytes: dice.percent(10).then_some(8_000),
            ..Default::default()
        };
        HttpOptions {
            guards: Vec::new(),
            routes: Routes::new(vec![Route {
                hosts: vec![Host::Any],
                path: Prefix::new("/").expect("a path"),
                action: Action::Forward(WEB),
            }])
            .expect("a route"),
            limits: Arc::new(limits),
            keep_alive: self.patience(1, &[500, 3_000, 10_000]),
            keep_alive_requests: dice.pick(&[2, 4, 1_000, 1_000]),
            head_timeout: self.patience(2, &[700, 5_000]),
            body_timeout: self.patience(3, &[700, 5_000]),
            write_timeout: self.patience(4, &[700, 5_000]),
            request_timeout: dice.percent(15).then(|| self.patience(5, &[2_000, 10_000])),
            min_body_rate: NonZeroU64::new(dice.weighted(&[(8, 0), (1, 100)])),
            continue_timeout: self.patience(6, &[100, 1_000]),
            tunnel_timeout: self.patience(7, &[1_500, 6_000, 20_000]),
            trusted_proxies: Vec::new(),
            statements: Default::default(),
            abort_on_half_close: dice.percent(15),
            access_log: true,
            log_probes: true,
            https: lb_proxy::HttpsOptions::default(),
        }
    }

    fn pool(&mut self, number: usize, name: &str) -> Arc<PoolEntry> {
        let members: Vec<&Known> = self.members(number).collect();
        let standings = standings(&members);
        let backends: Vec<Arc<Backend>> = members
            .iter()
            .map(|known| {
                let weight = Weight::new(known.weight).expect("a weight");
                let backend = Backend::new(name, &known.name, known.address, weight, self.max_per_backend);
                let (load, contact) = (Arc::clone(&known.load), Arc::clone(&known.contact));
                Arc::new(backend.with_load(load).with_contact(contact))
            })
            .collect();
        let ids: Vec<BackendId> = backends.iter().map(|backend| backend.id).collect();
        let mut tables: [Option<Arc<Tables>>; Pool::STRATEGIES] = Default::default();
        let mut strategies: Vec<Box<dyn Strategy>> = Vec::new();
        if let Some(table) = &self.tables {
            tables[0] = Some(Arc::clone(table)).filter(|_| number == WEB);
            strategies.push(Box::new(ClientIp::default()));
        } else if number == WEB && self.seed.is_multiple_of(2) {
            let options = CookieInsertOptions::for_pool(name);
            strategies.push(Box::new(CookieInsert::new(options, &[7; 16], &ids).expect("a cookie")));
        }
        let previous = self
            .pools
            .iter()
            .rev()
            .find(|pool| pool.name() == name)
            .map(Arc::as_ref);
        let pool = Pool::new(name, backends, strategies, self.algorithm, &standings, previous).expect("a pool");
        let pool = Arc::new(pool);
        self.pools.push(Arc::clone(&pool));
        let options = self.options.clone();
        Arc::new(PoolEntry { pool, tables, options })
    }

    fn members(&self, pool: usize) -> impl Iterator<Item = &Known> {
        self.backends
            .iter()
            .filter(move |known| known.pool == pool && known.is_in)
    }

    /// One backend is up, or down, from now on; says which.
    pub(crate) fn change_health(&mut self) -> String {
        let at = self.dice.between(0, self.backends.len() as u64 - 1) as usize;
        self.backends[at].is_up = !self.backends[at].is_up;
        // The control thread tells the pools of older snapshots too.
        for pool in &self.pools {
            let of = if pool.name() == "web" { WEB } else { RAW };
            let standings: Vec<Standing> = pool
                .backends()
                .iter()
                .zip(0..)
                .filter_map(|(backend, slot)| {
                    let known = self
                        .backends
                        .iter()
                        .find(|known| known.pool == of && known.name == backend.name)?;
                    Some(Standing {
                        slot: Slot(slot),
                        weight: backend.weight,
                        up: known.is_up && known.is_in,
                    })
                })
                .collect();
            pool.update(&standings).expect("the slots are the pool's");
        }
        format!("{} is up: {}", self.backends[at].name, self.backends[at].is_up)
    }

    /// Something of the configuration is another from now on.
    pub(crate) fn reconfigure(&mut self) -> String {
        let at = self.dice.between(0, self.backends.len() as u64 - 1) as usize;
        let others = self.members(self.backends[at].pool).count();
        let weight = self.dice.between(1, 9) as u16;
        let known = &mut self.backends[at];
        if self.dice.percent(50) && (others > 1 || !known.is_in) {
            known.is_in = !known.is_in;
            return format!("{} is configured: {}", known.name, known.is_in);
        }
        known.weight = weight;
        format!("{} has weight {weight}", known.name)
    }

    /// What is in flight at each backend.
    pub(crate) fn in_flight(&self) -> Vec<(String, u32)> {
        self.backends
            .iter()
            .map(|known| (known.name.clone(), known.load.in_flight()))
            .collect()
    }
}

fn standings(members: &[&Known]) -> Vec<Standing> {
    let standing = |(known, slot): (&&Known, u32)| Standing {
        slot: Slot(slot),
        weight: Weight::new(known.weight).expect("a weight"),
        up: known.is_up,
    };
    members.iter().zip(0..).map(standing).collect()
}

/// Where the listeners are.
pub(crate) const HTTP: Address = address(80);
pub(crate) const TCP: Address = address(9_000);

const fn address(port: u16) -> Address {
    Address::Ip(SocketAddr::new(
        std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
        port,
    ))
}
