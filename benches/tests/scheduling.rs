//! What a pick may cost. The bars stand in docs/measurements.md; times are those of the release profile.

#![allow(clippy::disallowed_methods, clippy::print_stdout)] // it measures time, and says what it took
#![allow(clippy::unwrap_used)] // a failure of the surroundings is a failure of the test

use lb_benches::scheduling::{Picks, Plain, SIZES, fastest, members, together};
use lb_sched::{Algorithm, BoundedLoad, Recipe};
use lb_types::Rng;
use std::time::{Duration, Instant};

/// Whatever the number of backends.
const CONSTANT: [Algorithm; 4] = [
    Algorithm::RoundRobin,
    Algorithm::WeightedRoundRobin,
    Algorithm::TwoChoices,
    Algorithm::Maglev,
];

#[test]
fn no_pick_allocates() {
    for algorithm in Algorithm::ALL {
        let bound = algorithm.uses_hash().then(|| BoundedLoad::percent(125).unwrap());
        for recipe in [Recipe::new(algorithm), Recipe::new(algorithm).with_bounded_load(bound)] {
            for idle in [false, true] {
                let picks = Picks::new(recipe, 100).unwrap();
                let picks = if idle { picks.idle() } else { picks };
                let mut rng = Rng::new(5);
                let counted = allocation_counter::measure(|| (0..1_000).for_each(|_| _ = picks.request(&mut rng)));
                assert_eq!(counted.count_total, 0, "{recipe:?}");
            }
        }
    }
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "measures the release profile: cargo test --release -p lb-benches"
)]
fn on_one_thread_a_pick_takes_a_few_times_what_finding_a_backend_takes() {
    for algorithm in CONSTANT {
        for size in SIZES {
            let picks = Picks::new(algorithm, size).unwrap();
            let plain = Plain::new(size);
            let (mut rng, mut other) = (Rng::new(1), Rng::new(1));
            let bar = if size < 1_000 { 12.0 } else { 5.0 }; // what stands beside it is 3 ns where all is near
            within(&format!("{algorithm}, {size} backends"), bar, || {
                let pick = fastest(20, 5_000, || _ = picks.pick(&mut rng));
                Some((pick, fastest(20, 5_000, || plain.find(&mut other))))
            });
        }
    }
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "measures the release profile: cargo test --release -p lb-benches"
)]
fn with_two_threads_on_one_pool_a_pick_takes_a_few_times_what_a_common_counter_takes() {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        println!("skipped: there is one core only");
        return;
    }
    for algorithm in CONSTANT {
        for size in SIZES {
            let picks = Picks::new(algorithm, size).unwrap();
            let plain = Plain::new(size);
            within(&format!("{algorithm}, {size} backends, two threads"), 2.5, || {
                let (pick, common) = together(2, 200_000, |rng| _ = picks.pick(rng));
                let (beside, also) = together(2, 200_000, |rng| plain.find_and_count(rng));
                (common > 0.8 && also > 0.8).then_some((pick, beside)) // else they did not meet
            });
        }
    }
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "measures the release profile: cargo test --release -p lb-benches"
)]
fn least_connections_takes_a_few_times_what_reading_every_load_takes() {
    for (size, bar) in [(64, 10.0), (10_000, 2.0)] {
        for idle in [false, true] {
            let picks = Picks::new(Algorithm::WeightedLeastConn, size).unwrap();
            let picks = if idle { picks.idle() } else { picks };
            let plain = Plain::new(size);
            let mut rng = Rng::new(1);
            within(&format!("least_conn, {size} backends, idle: {idle}"), bar, || {
                let pick = fastest(20, 200_000 / size, || _ = picks.pick(&mut rng));
                Some((pick, fastest(20, 200_000 / size, || plain.lowest())))
            });
        }
    }
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "measures the release profile: cargo test --release -p lb-benches"
)]
fn a_maglev_table_is_built_in_a_few_times_what_looking_at_its_entries_takes() {
    let members = members(10_000);
    let plain = Plain::new(10_000);
    let mut rng = Rng::new(1);
    within("Maglev of 10,000 backends", 3.0, || {
        let build = fastest(1, 1, || drop(Algorithm::Maglev.build(&members).unwrap()));
        Some((
            build,
            fastest(1, 1, || (0..1_000_000).for_each(|_| plain.find(&mut rng))),
        ))
    });
}

/// Measures a thing and what stands beside it, in turns, until it takes at most so many times as long. Something else
/// may take the machine for a while: only after twenty seconds without one good measurement it is the code that is slow.
fn within(what: &str, bar: f64, mut measure: impl FnMut() -> Option<(Duration, Duration)>) {
    let mut best = (f64::MAX, Duration::MAX, Duration::MAX);
    let deadline = Instant::now() + Duration::from_secs(20);
    while best.0 > bar && Instant::now() < deadline {
        if let Some((took, beside)) = measure() {
            let ratio = took.as_secs_f64() / beside.as_secs_f64();
            if ratio < best.0 {
                best = (ratio, took, beside);
            }
        }
    }
    let (ratio, took, beside) = best;
    let said = format!("{what}: {took:?}, {ratio:.2} of {beside:?}");
    assert!(ratio <= bar, "{said} at best, and {bar} is allowed");
    println!("{said}");
}
