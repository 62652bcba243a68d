//! `cargo bench` in benches/peers.

use criterion::{Criterion, criterion_group, criterion_main};
use lb_types::Rng;
use scheduling_peers::contests;
use scheduling_peers::scheduling::SIZES;
use std::time::Duration;

fn peers(c: &mut Criterion) {
    for size in SIZES {
        for contest in contests(size) {
            let mut group = c.benchmark_group(format!("{}, {size} backends", contest.what));
            group
                .warm_up_time(Duration::from_millis(200))
                .measurement_time(Duration::from_secs(1))
                .sample_size(30);
            let theirs = contest.theirs.into_iter().map(|peer| (peer.name, peer.operation));
            for (name, mut operation) in std::iter::once(("lb-sched", contest.ours)).chain(theirs) {
                let mut rng = Rng::new(1);
                group.bench_function(name, |b| b.iter(|| operation(&mut rng)));
            }
            group.finish();
        }
    }
}

criterion_group!(benches, peers);
criterion_main!(benches);
