//! Probers against real sockets. No test sleeps: each waits for the event it is about.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::{Admin, Cause, Report, Rules, RulesOptions, Status};
use lb_probe::{Order, Probe, ProbeOptions, Prober, Watched};
use lb_types::{BackendId, Time};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

fn rules(change: impl FnOnce(&mut RulesOptions)) -> Rules {
    let mut options = RulesOptions {
        interval: Duration::from_millis(10),
        jitter_percent: 0,
        ..RulesOptions::default()
    };
    change(&mut options);
    Rules::new(options).unwrap()
}

fn id(name: &str) -> BackendId {
    BackendId::of("pool", name)
}

fn watched(name: &str, backend: SocketAddr, rules: Rules) -> Watched {
    let options = ProbeOptions {
        timeout: Duration::from_secs(60),
        ..ProbeOptions::default()
    };
    Watched::new(id(name), name, Probe::new(backend, options).unwrap()).with_rules(rules)
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn closed_port() -> SocketAddr {
    listener().1
}

#[tokio::test]
async fn a_backend_that_dies_and_returns_is_followed() {
    let (up, address) = listener();
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(vec![watched("a", address, rules(|_| {}))]);
    let event = prober.next().await;
    assert_eq!(
        (event.backend, event.change.from, event.change.to),
        (id("a"), Status::Starting, Status::Up)
    );
    drop(up);
    let event = prober.next().await;
    assert_eq!(
        (event.change.from, event.change.to),
        (Status::Up, Status::Down(Cause::Refused))
    );
    let _up = TcpListener::bind(address).unwrap();
    let event = prober.next().await;
    assert_eq!(
        (event.change.from, event.change.to),
        (Status::Down(Cause::Refused), Status::Up)
    );
}

#[tokio::test]
async fn a_good_probe_says_that_connections_are_taken_again() {
    let (_up, address) = listener();
    let backend = |name| lb_balance::Backend::new("pool", name, address, lb_types::Weight::ONE, None);
    let backends = ["a", "b"].map(|name| std::sync::Arc::new(backend(name)));
    let up = |slot| lb_balance::Standing {
        slot: lb_types::Slot(slot),
        weight: lb_types::Weight::ONE,
        up: true,
    };
    let pool = lb_balance::Pool::new(
        "pool",
        backends.to_vec(),
        Vec::new(),
        lb_sched::Algorithm::RoundRobin,
        &[up(0), up(1)],
        None,
    )
    .unwrap();
    for slot in [0, 1] {
        pool.refused(lb_types::Slot(slot), lb_balance::Refusal::Refused, Time::ZERO);
    }
    let mut prober = Prober::new(1, Time::ZERO);
    // the second is probed elsewhere than it gets its traffic
    let elsewhere = ProbeOptions {
        port: Some(address.port()),
        ..ProbeOptions::default()
    };
    let other = Probe::new(closed_port(), elsewhere).unwrap();
    prober.replace(vec![
        watched("a", address, rules(|_| {})),
        Watched::new(id("b"), "b", other),
    ]);
    for backend in &backends {
        prober.attach(backend.id, backend.contact());
    }
    for _ in 0..2 {
        assert_eq!(prober.next().await.change.to, Status::Up);
    }
    assert_eq!(backends[0].contact().passed_over(), None);
    assert!(backends[1].contact().passed_over().is_some());
}

#[tokio::test(start_paused = true)]
async fn probes_come_on_their_timetable() {
    let start = Time::from_nanos(77);
    let mut prober = Prober::new(1, start);
    let down = Some(Duration::from_secs(2));
    prober.replace(vec![watched(
        "a",
        closed_port(),
        rules(|o| (o.fall, o.interval_down, o.interval_changing) = (1, down, down)),
    )]);
    let event = prober.next().await;
    assert_eq!(
        (event.change.to, event.change.at),
        (Status::Down(Cause::Refused), start)
    );
    // no event comes any more: each further refusal finds it down already
    assert!(
        tokio::time::timeout(Duration::from_secs(11), prober.next())
            .await
            .is_err()
    );
    let view = prober.view(id("a")).unwrap();
    let seconds: Vec<u64> = view
        .results
        .iter()
        .rev()
        .map(|seen| seen.at.since(start).as_secs())
        .collect();
    assert_eq!(seconds, [0, 2, 4, 6, 8, 10]);
    assert_eq!(view.next_probe.unwrap().since(start).as_secs(), 12);
}

#[tokio::test(start_paused = true)]
async fn s_health_08_death_is_noticed_within_the_time_that_is_printed() {
    let (up, address) = listener();
    let mut prober = Prober::new(3, Time::ZERO);
    let rules = Rules::default();
    let probe = Probe::new(address, ProbeOptions::default()).unwrap();
    prober.replace(vec![Watched::new(id("a"), "a", probe)]);
    assert_eq!(prober.next().await.change.to, Status::Up);
    drop(up);
    let died = prober.now();
    let event = prober.next().await;
    assert_eq!(event.change.to, Status::Down(Cause::Refused));
    let promised = prober.view(id("a")).unwrap().detection.unwrap();
    assert_eq!(promised, rules.detection(Duration::from_secs(2)));
    assert_eq!(promised, Duration::from_millis(11_500));
    assert!(
        event.change.at.since(died) <= promised,
        "{:?}",
        event.change.at.since(died)
    );
    assert!(
        event.change.at.since(died) >= Duration::from_millis(6_300),
        "an interval, and two of a second, less a tenth"
    );
}

#[tokio::test]
async fn s_health_04_state_since_results_and_next_probe_are_shown() {
    let (_up, address) = listener();
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(vec![
        watched("a", address, rules(|o| o.interval = Duration::from_secs(3_600))),
        watched("b", closed_port(), rules(|o| o.interval = Duration::from_secs(3_600))),
    ]);
    let before = prober.view(id("a")).unwrap();
    assert_eq!(
        (before.status, before.last(), before.took),
        (Status::Starting, None, None)
    );
    let changed = [prober.next().await, prober.next().await];
    let view = prober.view(id("a")).unwrap();
    assert_eq!(
        (view.status, view.admin, view.ramp_percent, view.against),
        (Status::Up, Admin::Ready, 100, 0)
    );
    assert_eq!(
        view.since,
        changed.iter().find(|e| e.backend == id("a")).unwrap().change.at
    );
    assert_eq!(
        view.last().map(|seen| (seen.at, seen.result)),
        Some((view.since, Ok(())))
    );
    assert_eq!(view.results.len(), 1);
    assert!(view.took.is_some());
    let wait = view.next_probe.unwrap().since(view.since);
    assert!(
        wait <= Duration::from_secs(3_600) && wait > Duration::from_secs(3_000),
        "{wait:?}"
    );
    let view = prober.view(id("b")).unwrap();
    assert_eq!(view.status, Status::Down(Cause::Refused));
    assert_eq!(view.last().map(|seen| seen.result), Some(Err(Cause::Refused)));
    assert_eq!(prober.views().len(), 2);
}

#[tokio::test]
async fn s_health_06_another_port_is_shown() {
    let (_up, backend) = listener();
    let (_health, other) = listener();
    let options = ProbeOptions {
        port: Some(other.port()),
        ..ProbeOptions::default()
    };
    let elsewhere = Watched::new(id("a"), "a", Probe::new(backend, options).unwrap());
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(vec![elsewhere, watched("b", backend, rules(|_| {}))]);
    let view = prober.view(id("a")).unwrap();
    assert_eq!((view.address, view.elsewhere), (Some(other.into()), Some(other.into())));
    let view = prober.view(id("b")).unwrap();
    assert_eq!((view.address, view.elsewhere), (Some(backend.into()), None));
}

#[tokio::test]
async fn a_reload_keeps_what_is_known_of_unchanged_backends() {
    let (_up, address) = listener();
    let closed = closed_port();
    let mut prober = Prober::new(1, Time::ZERO);
    let slow = || rules(|o| o.interval = Duration::from_secs(3_600));
    prober.replace(vec![watched("a", address, slow()), watched("b", closed, slow())]);
    prober.next().await;
    prober.next().await;
    prober.set_admin(id("b"), Admin::Drain);
    let before = prober.view(id("a")).unwrap();

    // a: the same; b: another address, so another server; c: new
    prober.replace(vec![
        watched("a", address, slow()),
        watched("b", address, slow()),
        watched("c", closed, slow()),
    ]);
    assert_eq!(prober.view(id("a")).unwrap(), before);
    let b = prober.view(id("b")).unwrap();
    assert_eq!(
        (b.status, b.admin, b.last()),
        (Status::Draining, Admin::Drain, None),
        "the order stays"
    );
    assert_eq!(prober.view(id("c")).unwrap().status, Status::Starting);

    // other rules: health stays, the next probe comes at once
    prober.replace(vec![watched(
        "a",
        address,
        rules(|o| o.interval = Duration::from_secs(60)),
    )]);
    let a = prober.view(id("a")).unwrap();
    assert_eq!((a.status, a.since), (before.status, before.since));
    assert!(a.next_probe.unwrap() <= prober.now());
    assert_eq!(prober.views().len(), 1);
    assert!(!prober.set_admin(id("b"), Admin::Ready), "no longer watched");
}

#[tokio::test(start_paused = true)]
async fn slow_start_is_told_step_by_step() {
    let (up, address) = listener();
    drop(up);
    let mut prober = Prober::new(1, Time::ZERO);
    let slow = rules(|o| (o.interval, o.slow_start) = (Duration::from_secs(1), Duration::from_secs(90)));
    prober.replace(vec![watched("a", address, slow)]);
    assert_eq!(prober.next().await.change.to, Status::Down(Cause::Refused));
    let _up = TcpListener::bind(address).unwrap();
    let mut shares = Vec::new();
    while shares.last() != Some(&100) {
        let event = prober.next().await;
        assert_eq!(event.change.to, Status::Up);
        shares.push(event.change.percent);
    }
    // on the paused clock a waiting probe may leap over steps, but never back
    assert_eq!(shares.first(), Some(&10));
    assert!(shares.is_sorted() && shares.len() <= 10, "{shares:?}");
}

#[tokio::test]
async fn s_health_10_a_drained_backend_is_still_probed() {
    let (up, address) = listener();
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(vec![watched("a", address, rules(|_| {}))]);
    prober.next().await;
    prober.set_admin(id("a"), Admin::Drain);
    assert_eq!(prober.next().await.change.to, Status::Draining);
    drop(up);
    assert_eq!(prober.next().await.change.to, Status::Down(Cause::Refused));
}

#[tokio::test(start_paused = true)]
async fn without_a_probe_traffic_judges_and_a_rest_ends() {
    let mut prober = Prober::new(1, Time::ZERO);
    let mut passive = watched("a", closed_port(), rules(|o| o.max_failures = Some(2)));
    passive.probe = None;
    prober.replace(vec![passive]);
    assert!(prober.report(id("a"), Report::Traffic { ok: 1, failed: 0 }));
    assert_eq!(prober.next().await.change.to, Status::Up);
    prober.report(id("a"), Report::Row { failed: 2 });
    assert_eq!(prober.next().await.change.to, Status::Down(Cause::Traffic(2)));
    let event = prober.next().await;
    assert_eq!(
        (event.change.to, event.change.lasted.as_millis()),
        (Status::Starting, 10)
    );
    assert!(!prober.report(id("z"), Report::Row { failed: 2 }));
}

#[tokio::test]
async fn changes_that_nobody_fetched_are_told_as_one() {
    let (_up, address) = listener();
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(vec![watched("a", address, rules(|_| {}))]);
    prober.set_admin(id("a"), Admin::Drain);
    prober.set_admin(id("a"), Admin::Maintenance);
    let event = prober.next().await;
    assert_eq!(
        (event.change.from, event.change.to),
        (Status::Starting, Status::Maintenance)
    );
}

#[tokio::test]
async fn a_prober_as_a_task_obeys_orders_and_sends_events() {
    let (up, address) = listener();
    let (orders, orders_end) = mpsc::channel(4);
    let (events_end, mut events) = mpsc::channel(4);
    let task = tokio::spawn(Prober::new(1, Time::ZERO).serve(orders_end, events_end));
    orders
        .send(Order::Replace(vec![watched("a", address, rules(|_| {}))]))
        .await
        .unwrap();
    assert_eq!(events.recv().await.unwrap().change.to, Status::Up);
    drop(up);
    assert_eq!(events.recv().await.unwrap().change.to, Status::Down(Cause::Refused));
    let (answer, views) = oneshot::channel();
    orders.send(Order::Views(answer)).await.unwrap();
    assert_eq!(
        views.await.unwrap().first().map(|view| view.status),
        Some(Status::Down(Cause::Refused))
    );
    orders.send(Order::Admin(id("a"), Admin::Maintenance)).await.unwrap();
    assert_eq!(events.recv().await.unwrap().change.to, Status::Maintenance);
    drop(orders);
    task.await.unwrap();
    assert!(events.recv().await.is_none());
}

#[tokio::test]
async fn orders_are_obeyed_while_nobody_takes_the_events() {
    let (_up, address) = listener();
    let (orders, orders_end) = mpsc::channel(1);
    let (events_end, events) = mpsc::channel(1);
    let task = tokio::spawn(Prober::new(1, Time::ZERO).serve(orders_end, events_end));
    let many = (0..20)
        .map(|n| watched(&n.to_string(), address, rules(|_| {})))
        .collect();
    orders.send(Order::Replace(many)).await.unwrap();
    for _ in 0..50 {
        let (answer, views) = oneshot::channel();
        orders.send(Order::Views(answer)).await.unwrap();
        assert_eq!(views.await.unwrap().len(), 20);
    }
    drop(events);
    drop(orders);
    task.await.unwrap();
}
