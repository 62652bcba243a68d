use super::*;
use crate::options::{ListenerOptions, PoolOptions, Service, TcpOptions};
use crate::snapshot::{ListenerEntry, PoolEntry, Snapshot};
use lb_balance::{Backend, Standing};
use lb_persist::{ClientIp, ClientIpOptions, Key, KeyShape, Recall, Reply, Strategy};
use lb_sched::Algorithm;
use lb_store::Tables;
use lb_types::{Slot, Weight};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Every request says that it belongs to this backend, as a cookie would.
#[derive(Debug)]
struct Says(BackendId);

impl Strategy for Says {
    fn recall(&self, _: &Facts<'_>, _: Now) -> Recall {
        Recall::Backend {
            id: self.0,
            renew: false,
        }
    }

    fn key_shape(&self) -> Option<KeyShape> {
        None
    }

    fn learn(&self, _: &Recall, _: BackendId, _: Reply<'_>, _: Now) -> Result<Learn, InvalidField> {
        Ok(Learn::Nothing)
    }
}

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// A pool of backends a, b and c with these strategies, and a table for the last of them.
fn pool(strategies: Vec<Box<dyn Strategy>>, core: &Core) -> (Rc<PoolView>, Arc<Tables>) {
    let backends: Vec<_> = ["a", "b", "c"]
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let address: std::net::SocketAddr = ([127, 0, 0, 1], 1 + i as u16).into();
            Arc::new(Backend::new("app", name, address, Weight::ONE, None))
        })
        .collect();
    let standings: Vec<_> = (0..3)
        .map(|slot| Standing {
            slot: Slot(slot),
            weight: Weight::ONE,
            up: true,
        })
        .collect();
    let table = Arc::new(Tables::new(Default::default()));
    let mut tables: [Option<Arc<Tables>>; Pool::STRATEGIES] = Default::default();
    tables[strategies.len() - 1] = Some(Arc::clone(&table));
    let long = Duration::from_secs(60);
    let entry = PoolEntry {
        pool: Arc::new(Pool::new("app", backends, strategies, Algorithm::RoundRobin, &standings, None).unwrap()),
        tables,
        options: PoolOptions {
            connect_timeout: long,
            response_timeout: long,
            idle_timeout: long,
            max_idle: 1,
            retries: 2,
            retry_percent: 100,
            server_errors_fail: false,
            limits: Arc::default(),
            tls: Vec::new(),
            proxy: None,
            transparent: false,
        },
    };
    let listener = ListenerEntry {
        options: ListenerOptions {
            name: "main".to_owned(),
            address: "127.0.0.1:1".parse().unwrap(),
            backlog: 1,
            max_connections: 1,
            preface: crate::PrefaceOptions::default(),
            service: Service::Tcp(TcpOptions {
                pool: 0,
                idle_timeout: long,
                access_log: false,
            }),
        },
        connections: Arc::default(),
    };
    let snapshot = Snapshot {
        serial: 1,
        listeners: vec![Arc::new(listener)],
        pools: vec![Arc::new(entry)],
    };
    let view = crate::view::views(&snapshot, core, 1).remove(0);
    (Rc::clone(view.pool(0).unwrap()), table)
}

fn id(name: &str) -> BackendId {
    BackendId::of("app", name)
}

/// Who is reached, when these do not let us in.
fn reached(course: &mut Course, core: &Core, closed: &[&str]) -> Result<String, End> {
    let refused = NoContact::of(&std::io::Error::from_raw_os_error(111)); // errno(3): ECONNREFUSED
    course.choose(None, core, |_, ticket| {
        let name = ticket.backend().name.to_string();
        if closed.contains(&name.as_str()) {
            Err(refused)
        } else {
            Ok(name)
        }
    })
}

fn client_ip() -> Box<dyn Strategy> {
    Box::new(ClientIp::new(ClientIpOptions::default()).unwrap())
}

#[tokio::test]
async fn what_the_main_strategy_says_goes_before_what_the_table_of_the_fallback_says() {
    let core = Core::new(Arc::default());
    let (pool, table) = pool(vec![Box::new(Says(id("b"))), client_ip()], &core);
    let now = core.now();
    table.remember(Key::Client(CLIENT), id("c"), now.mono);
    let mut course = Course::new();
    course.begin(&pool, &Facts::new(CLIENT), now);
    assert_eq!(reached(&mut course, &core, &[]).unwrap(), "b");
    assert_eq!(table.lookup_memory(&Key::Client(CLIENT), now.mono), Some(id("b")));
}

#[tokio::test]
async fn a_client_moves_on_with_its_entry_when_its_backend_lets_nobody_in() {
    let core = Core::new(Arc::default());
    let (pool, table) = pool(vec![client_ip()], &core);
    let now = core.now();
    table.remember(Key::Client(CLIENT), id("c"), now.mono);
    let mut course = Course::new();
    course.begin(&pool, &Facts::new(CLIENT), now);
    let name = reached(&mut course, &core, &["c"]).unwrap();
    assert_ne!(name, "c");
    assert_eq!(table.lookup_memory(&Key::Client(CLIENT), now.mono), Some(id(&name)));
    course.finish(200, now.mono);
    let mut none = Course::new();
    none.begin(&pool, &Facts::new(CLIENT), now);
    let end = reached(&mut none, &core, &["a", "b", "c"]).unwrap_err();
    assert_eq!(end, End::ConnectRefused, "what really failed, not that nobody is left");
    let in_flight: u32 = pool.entry.pool.backends().iter().map(|b| b.load().in_flight()).sum();
    assert_eq!(in_flight, 0);
}

#[tokio::test]
async fn what_may_not_be_sent_twice_goes_nowhere_else() {
    let core = Core::new(Arc::default());
    for (end, is_repeatable, was_stale, verdict) in [
        (End::UpstreamReset, true, true, Verdict::SameBackend),
        (End::UpstreamReset, false, true, Verdict::Answer(End::UpstreamReset)),
        (End::UpstreamClosed, true, false, Verdict::OtherBackend),
        (End::UpstreamClosed, false, false, Verdict::Answer(End::UpstreamClosed)),
        (End::UpstreamTimeout, true, false, Verdict::Answer(End::UpstreamTimeout)),
        (
            End::UpstreamProtocol,
            true,
            false,
            Verdict::Answer(End::UpstreamProtocol),
        ),
        (End::ConnectTimeout, true, false, Verdict::OtherBackend),
    ] {
        let (pool, _) = pool(vec![client_ip()], &core);
        let mut course = Course::new();
        course.begin(&pool, &Facts::new(CLIENT), core.now());
        reached(&mut course, &core, &[]).unwrap();
        let failed = FailedAttempt {
            end,
            is_repeatable,
            was_stale,
        };
        assert_eq!(course.failed(failed, &core), verdict, "{failed:?}");
        assert_eq!(course.ticket().is_some(), verdict == Verdict::SameBackend, "{failed:?}");
    }
}
