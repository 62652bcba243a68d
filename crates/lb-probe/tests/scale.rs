//! What it costs to probe 10,000 backends by TCP connect every 5 s from one thread, and how evenly it is done.
//!
//! Not run with the other tests, because it measures:
//! `cargo test --profile dist -p lb-probe --test scale -- --ignored --nocapture`

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::Status;
use lb_probe::{Probe, ProbeOptions, Prober, Watched};
use lb_types::{BackendId, Time};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

const BACKENDS: u32 = 10_000;
const WARM_UP: Duration = Duration::from_secs(6);
const MEASURED: Duration = Duration::from_secs(30);

#[test]
#[ignore = "measures for half a minute; see the top of the file"]
fn ten_thousand_backends_every_5_s_cost_less_than_a_quarter_of_a_core() {
    // one listener answers for every loopback address
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (used, elapsed, views, start) = runtime.block_on(async {
        let mut prober = Prober::new(7, Time::ZERO);
        prober.replace((0..BACKENDS).map(|n| backend(n, port)).collect());
        run(&mut prober, WARM_UP).await;
        let (start, before) = (prober.now(), used_by_this_thread());
        run(&mut prober, MEASURED).await;
        let used = used_by_this_thread() - before;
        (used, prober.now().since(start), prober.views(), start)
    });
    assert!(views.iter().all(|view| view.status == Status::Up));
    let mut bins = vec![0_u32; usize::try_from(MEASURED.as_millis() / 10).unwrap()];
    for seen in views.iter().flat_map(|view| &view.results) {
        assert_eq!(seen.result, Ok(()));
        let bin = seen
            .at
            .as_nanos()
            .checked_sub(start.as_nanos())
            .map(|nanos| nanos / 10_000_000);
        if let Some(bin) = bin.and_then(|bin| bins.get_mut(usize::try_from(bin).unwrap())) {
            *bin += 1;
        }
    }
    let probes: u32 = bins.iter().sum();
    let most = bins.iter().max().unwrap();
    let mean = f64::from(probes) / bins.len() as f64;
    let share = used.as_secs_f64() / elapsed.as_secs_f64() * 100.0;
    println!(
        "{probes} probes in {elapsed:.1?}: {used:.2?} of the thread's time, {share:.1} % of a core, {:.1} us a probe; \
         in 10 ms {mean:.1} on average, {most} at most ({:.1} times)",
        used.as_secs_f64() * 1e6 / f64::from(probes),
        f64::from(*most) / mean
    );
    assert!(probes > 55_000, "six rounds of 10,000, give or take the jitter");
    assert!(share < 25.0, "{share} % of a core");
    assert!(f64::from(*most) <= 3.0 * mean, "a burst of {most}, mean {mean}");
}

fn backend(n: u32, port: u16) -> Watched {
    let address = SocketAddr::from((Ipv4Addr::from(0x7f00_0001 + n), port));
    let probe = Probe::new(address, ProbeOptions::default()).unwrap();
    Watched::new(BackendId::from_u64(u64::from(n)), "loopback", probe)
}

async fn run(prober: &mut Prober, time: Duration) {
    let end = tokio::time::Instant::now() + time;
    while tokio::time::timeout_at(end, prober.next()).await.is_ok() {}
}

/// Time on a core, the kernel's part included: the first number of schedstat, in nanoseconds.
fn used_by_this_thread() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
