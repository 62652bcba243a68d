//! A pick by each algorithm, in pools of 3 to 10,000 backends, by one thread and by two on one pool:
//! `cargo bench -p lb-benches --bench scheduling`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up measures nothing")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lb_benches::scheduling::{Picks, SIZES, members, together};
use lb_sched::{Algorithm, BoundedLoad, Recipe};
use lb_types::Rng;
use std::time::Duration;

fn one_thread(c: &mut Criterion) {
    let mut group = c.benchmark_group("pick");
    brief(&mut group);
    for (name, recipe) in recipes() {
        for size in SIZES {
            let picks = Picks::new(recipe, size).unwrap();
            let mut rng = Rng::new(1);
            group.bench_function(BenchmarkId::new(&name, size), |b| b.iter(|| picks.pick(&mut rng)));
        }
    }
    group.finish();
}

fn two_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("pick, two threads");
    brief(&mut group);
    for (name, recipe) in recipes() {
        for size in SIZES {
            let picks = Picks::new(recipe, size).unwrap();
            group.bench_function(BenchmarkId::new(&name, size), |b| {
                b.iter_custom(|count| {
                    let each = u32::try_from(count).unwrap_or(u32::MAX);
                    together(2, each, |rng| _ = picks.pick(rng)).0 * each
                });
            });
        }
    }
    group.finish();
}

fn build(c: &mut Criterion) {
    let mut group = c.benchmark_group("build");
    brief(&mut group);
    group.sample_size(10);
    for algorithm in Algorithm::ALL {
        for size in [64, 10_000] {
            let members = members(size);
            group.bench_function(BenchmarkId::new(algorithm.word(), size), |b| {
                b.iter(|| algorithm.build(&members).unwrap());
            });
        }
    }
    group.finish();
}

fn recipes() -> Vec<(String, Recipe)> {
    let plain = Algorithm::ALL.into_iter().map(|a| (a.to_string(), Recipe::new(a)));
    let bounded = Algorithm::ALL.into_iter().filter(|a| a.uses_hash()).map(|a| {
        let bound = BoundedLoad::percent(125).unwrap();
        (format!("{a}, bounded"), Recipe::new(a).with_bounded_load(bound))
    });
    plain.chain(bounded).collect()
}

/// There are over a hundred of them.
fn brief(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>) {
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    group.sample_size(30);
}

criterion_group!(benches, one_thread, two_threads, build);
criterion_main!(benches);
