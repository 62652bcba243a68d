//! How well algorithms do what they are for: queues on a virtual clock, with fixed seeds.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod sim;
mod table;

use lb_sched::Algorithm;
use sim::Scene;
use std::time::Duration;

const SEEDS: [u64; 3] = [1, 2, 3];
const MS: Duration = Duration::from_millis(1);

#[test]
fn two_choices_keeps_the_worst_queue_far_below_that_of_random() {
    for seed in SEEDS {
        let scene = Scene {
            means: &[MS * 10; 100],
            utilisation: 0.9,
            requests: 100_000,
            seed,
        };
        let [random, two, least] = [Algorithm::Random, Algorithm::TwoChoices, Algorithm::WeightedLeastConn]
            .map(|algorithm| scene.run(algorithm).worst_queue);
        println!("seed {seed}: worst queue of random {random}, two choices {two}, least connections {least}");
        // with random each backend is a queue of its own: P(queue >= k) = 0.9^k; with two choices 0.9^(2^k - 1)
        assert!(two * 4 <= random, "{two} and {random}");
        assert!(least <= two);
    }
}

#[test]
fn peak_ewma_halves_the_p99_of_round_robin_beside_a_slow_backend() {
    for seed in SEEDS {
        let mut means = [MS * 10; 20];
        means[7] = MS * 100;
        let scene = Scene {
            means: &means,
            utilisation: 0.7,
            requests: 100_000,
            seed,
        };
        let robin = scene.run(Algorithm::RoundRobin).percentile(99);
        let ewma = scene.run(Algorithm::PeakEwma).percentile(99);
        println!("seed {seed}: p99 of round robin {robin:?}, peak EWMA {ewma:?}");
        assert!(ewma * 2 <= robin, "{ewma:?} and {robin:?}");
    }
}

#[test]
fn peak_ewma_spares_the_slow_backend_even_where_it_could_carry_its_turn() {
    // One of twenty is four times slower; at 20 % it is not overloaded by a twentieth of the requests.
    let mut means = [MS * 10; 20];
    means[7] = MS * 40;
    for seed in SEEDS {
        let scene = Scene {
            means: &means,
            utilisation: 0.2,
            requests: 100_000,
            seed,
        };
        let robin = scene.run(Algorithm::RoundRobin);
        let ewma = scene.run(Algorithm::PeakEwma);
        assert_eq!(robin.shares[7], 5_000);
        assert!(ewma.shares[7] < 2_500, "less than half its turn: {}", ewma.shares[7]);
        assert!(
            ewma.shares[7] > 50,
            "but it is tried again and again: {}",
            ewma.shares[7]
        );
        assert!(ewma.percentile(99) < robin.percentile(99));
    }
}
