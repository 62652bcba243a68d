use super::*;
use crate::{HttpOptions, Kind, Probe, ProbeOptions};
use lb_health::{Rules, RulesOptions};
use std::net::{SocketAddr, TcpListener};

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Nobody listens there: the answer comes at once, also on a paused clock.
fn closed_port() -> SocketAddr {
    listener().1
}

fn watched(n: u64, address: SocketAddr, options: ProbeOptions) -> Watched {
    let probe = Probe::new(address, options).unwrap();
    Watched::new(BackendId::from_u64(n), "tested", probe)
}

/// Asked with HTTP, a listener that nobody accepts from keeps silent.
fn silent(n: u64, address: SocketAddr) -> Watched {
    let kind = Kind::Http(HttpOptions::default());
    let options = ProbeOptions {
        kind,
        ..ProbeOptions::default()
    };
    watched(n, address, options)
}

fn every(interval: Duration) -> Rules {
    Rules::new(RulesOptions {
        interval,
        interval_changing: Some(interval),
        ..RulesOptions::default()
    })
    .unwrap()
}

/// The events of `time`, on a paused clock.
async fn run(prober: &mut Prober, time: Duration) {
    let end = Instant::now() + time;
    while timeout_at(end, prober.next()).await.is_ok() {}
}

/// How many probes began in each 10 ms from `from` on, over `time`. For probes that end as they begin.
fn bins(prober: &Prober, from: Time, time: Duration) -> Vec<usize> {
    let mut bins = vec![0; usize::try_from(time.as_millis() / 10).unwrap()];
    for seen in prober.views().iter().flat_map(|view| &view.results) {
        let at = seen.at.as_nanos().checked_sub(from.as_nanos());
        if let Some(bin) = at.and_then(|nanos| bins.get_mut(usize::try_from(nanos / 10_000_000).unwrap())) {
            *bin += 1;
        }
    }
    bins
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_backends_are_probed_evenly_from_the_first_second_on_and_after_a_reload() {
    let address = closed_port();
    let many = |interval| {
        let rules = every(interval);
        let backend = |n| watched(n, address, ProbeOptions::default()).with_rules(rules.clone());
        (0..10_000).map(backend).collect::<Vec<_>>()
    };
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(many(Duration::from_secs(5)));
    let time = Duration::from_secs(20);
    run(&mut prober, time).await;
    let counts = bins(&prober, Time::ZERO, time);
    let (sum, most) = (counts.iter().sum::<usize>(), *counts.iter().max().unwrap());
    // four rounds of 10,000 in 20 s: 20 in 10 ms; the rounds shift by the jitter, a tenth of one
    assert!((39_000..=41_000).contains(&sum), "{sum}");
    assert!(most <= 60, "largest burst {most} of a mean of 20");
    for (second, counts) in counts.chunks(100).enumerate() {
        let sum: usize = counts.iter().sum();
        assert!((1_700..=2_300).contains(&sum), "second {second}: {sum}");
    }
    // another interval makes all due at once; they are spread again
    let before = prober.now();
    prober.replace(many(Duration::from_secs(10)));
    run(&mut prober, Duration::from_secs(10)).await;
    let counts = bins(&prober, before, Duration::from_secs(10));
    let (sum, most) = (counts.iter().sum::<usize>(), *counts.iter().max().unwrap());
    assert!((10_000..=11_500).contains(&sum), "{sum}");
    assert!(most <= 30, "largest burst {most} of a mean of 10");
}

#[tokio::test(start_paused = true)]
async fn a_small_pool_is_judged_at_once_beside_a_large_one() {
    let address = closed_port();
    let mut list: Vec<Watched> = (0..5_000)
        .map(|n| watched(n, address, ProbeOptions::default()).with_rules(every(Duration::from_secs(5))))
        .collect();
    for n in 5_000..5_003 {
        let quick = every(Duration::from_secs(1));
        list.push(watched(n, address, ProbeOptions::default()).with_rules(quick));
    }
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(list);
    run(&mut prober, Duration::from_millis(10)).await;
    for n in 5_000..5_003 {
        let view = prober.view(BackendId::from_u64(n)).unwrap();
        assert_eq!(view.last().unwrap().result, Err(Cause::Refused), "backend {n}");
    }
    run(&mut prober, Duration::from_millis(2_500)).await;
    let judged = prober.views().iter().filter(|view| view.last().is_some()).count();
    assert_eq!(judged, 5_003, "2,000 a second");
}

#[tokio::test(start_paused = true)]
async fn no_more_probes_than_the_limit_are_under_way_and_the_longest_overdue_goes_first() {
    let (_listener, address) = listener();
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace((0..300).map(|n| silent(n, address)).collect());
    // one by one they begin, half a millisecond apart
    prober.advance();
    assert_eq!(prober.running.len(), 1);
    run(&mut prober, Duration::from_millis(50)).await;
    assert!((99..=101).contains(&prober.running.len()), "{}", prober.running.len());
    run(&mut prober, Duration::from_millis(150)).await;
    assert_eq!(prober.running.len(), 256);
    assert_eq!(prober.advance(), None, "those that are left wait for a probe to end");
    assert_eq!(prober.running.len(), 256);
    // whoever ends makes room for the one that waits for longest
    prober
        .entries
        .get(&BackendId::from_u64(0))
        .unwrap()
        .task
        .as_ref()
        .unwrap()
        .abort();
    prober.wait(None).await;
    prober.advance();
    assert!(prober.entries.get(&BackendId::from_u64(256)).unwrap().task.is_some());
    assert!(prober.entries.get(&BackendId::from_u64(257)).unwrap().task.is_none());
    prober.replace(Vec::new());
    while prober.running.join_next().await.is_some() {}
    assert_eq!(
        (prober.take_event(), prober.agenda.next(true)),
        (None, None),
        "whoever is not watched any more is stopped, not told of and not planned for"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_probe_never_waits_for_room() {
    let (_listener, address) = listener();
    let mut prober = Prober::new(1, Time::ZERO).with_most_at_once(1);
    let mut passive = silent(1, address).with_rules(every(Duration::from_secs(1)));
    passive.probe = None;
    prober.replace(vec![silent(2, address), silent(3, address), passive]);
    prober.advance();
    assert_eq!(prober.running.len(), 1, "the only place is taken");
    prober.report(BackendId::from_u64(1), Report::Eject(Cause::Traffic(3)));
    assert_eq!(prober.take_event().unwrap().change.to, Status::Down(Cause::Traffic(3)));
    tokio::time::advance(Duration::from_secs(1)).await;
    prober.advance();
    assert_eq!(prober.take_event().unwrap().change.to, Status::Starting);
    assert_eq!(prober.running.len(), 1);
}

#[tokio::test]
async fn a_lost_probe_is_our_fault_and_another_one_follows() {
    let (_listener, address) = listener();
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(vec![silent(7, address).with_rules(Rules::default())]);
    let now = prober.now();
    let lost = prober.running.spawn(async { panic!("this is what the test is about") });
    let entry = prober.entries.get_mut(&BackendId::from_u64(7)).unwrap();
    assert!(entry.machine.probe_due(now));
    entry.task = Some(lost);
    prober.wait(None).await;
    let view = prober.view(BackendId::from_u64(7)).unwrap();
    assert_eq!(view.last().map(|seen| seen.result), Some(Err(Cause::Local)));
    assert!(view.next_probe.is_some());
    assert_eq!(view.status, Status::Starting);
}

#[tokio::test(start_paused = true)]
async fn a_probe_from_before_a_maintenance_says_nothing_after_it() {
    let (_silent, address) = listener();
    let id = BackendId::from_u64(3);
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(vec![silent(3, address)]);
    prober.advance();
    let under_way = prober.entries.get(&id).unwrap().generation;
    prober.set_admin(id, Admin::Maintenance);
    assert!(prober.entries.get(&id).unwrap().task.is_none());
    let now = prober.now();
    prober.set_admin(id, Admin::Ready);
    assert_eq!(
        prober.view(id).unwrap().next_probe,
        Some(now),
        "another one comes at once"
    );
    // it ended at the very moment of the order
    prober.finish(Finished {
        backend: id,
        generation: under_way,
        answer: Err(Cause::Timeout).into(),
        took: Duration::ZERO,
    });
    let view = prober.view(id).unwrap();
    assert_eq!((view.status, view.last()), (Status::Starting, None));
    prober.advance();
    assert!(prober.entries.get(&id).unwrap().task.is_some(), "and is under way");
}

#[tokio::test(start_paused = true)]
async fn another_address_is_another_machine_also_where_only_traffic_judges() {
    let (a, b) = (
        SocketAddr::from(([10, 0, 0, 1], 80)),
        SocketAddr::from(([10, 0, 0, 2], 80)),
    );
    let id = BackendId::from_u64(1);
    let at = |address| vec![Watched::without_probe(id, "passive").with_address(address)];
    let mut prober = Prober::new(1, Time::ZERO);
    prober.replace(at(a));
    prober.set_admin(id, Admin::Drain);
    prober.report(id, Report::Eject(Cause::Traffic(3)));
    prober.replace(at(a));
    assert_eq!(prober.view(id).unwrap().status, Status::Down(Cause::Traffic(3)));
    prober.replace(at(b));
    let view = prober.view(id).unwrap();
    assert_eq!(
        (view.status, view.admin, view.out_until),
        (Status::Draining, Admin::Drain, None)
    );
}
