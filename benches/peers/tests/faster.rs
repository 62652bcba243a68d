//! Faster than each peer in the same run, or there is a reason: `cargo test --release` in benches/peers.

use lb_types::Rng;
use scheduling_peers::contests;
use scheduling_peers::scheduling::{SIZES, fastest};
use std::time::Duration;

#[test]
#[cfg_attr(debug_assertions, ignore = "measures the release profile: cargo test --release")]
fn every_pick_is_faster_than_the_peers() {
    let mut slower = Vec::new();
    for size in SIZES {
        for mut contest in contests(size) {
            let mut rng = Rng::new(1);
            let (mut ours, mut theirs) = (Duration::MAX, vec![Duration::MAX; contest.theirs.len()]);
            // in turns, so that a busy machine is busy for both
            for _ in 0..10 {
                ours = ours.min(fastest(1, 20_000, || (contest.ours)(&mut rng)));
                for (best, peer) in theirs.iter_mut().zip(&mut contest.theirs) {
                    *best = (*best).min(fastest(1, 20_000, || (peer.operation)(&mut rng)));
                }
            }
            for (best, peer) in theirs.iter().zip(&contest.theirs) {
                let line = format!("{}, {size} backends: {ours:?}; {}: {best:?}", contest.what, peer.name);
                match peer.reason {
                    Some(reason) if ours > *best => println!("{line} ({reason})"),
                    None if ours > *best => slower.push(line),
                    _ => println!("{line}"),
                }
            }
        }
    }
    assert!(slower.is_empty(), "slower: {slower:#?}");
}
