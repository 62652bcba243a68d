//! Runs seeds on all cores, and says how to replay the one that failed.

use crate::verdict::{Outcome, Tally};
use crate::world;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// `LBD_SEED=7` replays one with its trace; `LBD_SEEDS=N` runs more than usual.
#[test]
#[allow(clippy::disallowed_methods, reason = "how fast it is, is real time")]
fn no_rule_is_broken_under_any_seed() {
    if let Some(seed) = number("LBD_SEED") {
        let outcome = world::run(seed, true);
        if std::env::var_os("LBD_WIRE").is_some() {
            outcome.wire.iter().for_each(|line| say(line));
        }
        assert!(outcome.breaches.is_empty(), "{}", report(seed, &outcome, 0));
        return;
    }
    let count = number("LBD_SEEDS").unwrap_or(SEEDS);
    let (next, began) = (AtomicU64::new(number("LBD_FROM").unwrap_or(0)), Instant::now());
    let end = next.load(Ordering::Relaxed) + count;
    let failed = Mutex::new(Vec::new());
    let sum = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let _watch = Watch::new(seed);
                    let outcome = world::run(seed, false);
                    sum.lock().unwrap().add(&outcome.tally);
                    if !outcome.breaches.is_empty() {
                        failed.lock().unwrap().push((seed, report(seed, &outcome, 25)));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    let (took, sum) = (began.elapsed(), sum.into_inner().unwrap());
    say(&format!(
        "{count} seeds, {:.1} a second: {sum:?}",
        count as f64 / took.as_secs_f64()
    ));
    let unseen: Vec<&&str> = SEEN.iter().filter(|end| !sum.ends.contains_key(**end)).collect();
    if count >= SEEDS {
        assert!(
            unseen.is_empty() && sum.upgrades > 0 && sum.retries > 0,
            "never seen: {unseen:?}"
        );
    }
    let reports: Vec<&str> = failed.iter().map(|(_, report)| report.as_str()).collect();
    assert!(
        failed.is_empty(),
        "{} of {count} seeds failed\n{}",
        failed.len(),
        reports.join("\n")
    );
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 0..20 {
        let (one, two) = (world::run(seed, false), world::run(seed, false));
        let differs = one.trace.iter().zip(&two.trace).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(
            (one.trace.len(), one.digest),
            (two.trace.len(), two.digest),
            "seed {seed}"
        );
    }
}

/// What broke, and its last lines.
fn report(seed: u64, outcome: &Outcome, lines: usize) -> String {
    let mut text = format!("seed {seed}\n");
    for breach in &outcome.breaches {
        text += &format!("  {:?}: {}\n", breach.rule, breach.what);
    }
    let from = outcome.trace.len().saturating_sub(lines);
    for line in &outcome.trace[from..] {
        text += &format!("    {line}\n");
    }
    text + &format!("  {}\n", replay(seed))
}

fn replay(seed: u64) -> String {
    format!("LBD_SEED={seed} cargo test -p lb-proxy --features sim --test simulation -- --nocapture no_rule")
}

/// Ends the process when a seed takes so long that somebody must turn in circles without the clock going on.
#[derive(Debug)]
struct Watch(#[allow(dead_code)] std::sync::mpsc::Sender<()>);

impl Watch {
    fn new(seed: u64) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            if receiver.recv_timeout(TOO_LONG) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                say(&format!(
                    "seed {seed} hangs: nothing waits and nothing ends\n  {}",
                    replay(seed)
                ));
                std::process::exit(1);
            }
        });
        Self(sender)
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.whole += other.whole;
        self.retries += other.retries;
        self.tunnels += other.tunnels;
        self.upgrades += other.upgrades;
        for (end, count) in &other.ends {
            *self.ends.entry(end).or_default() += count;
        }
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[allow(clippy::print_stdout, reason = "for whoever looks on")]
fn say(text: &str) {
    println!("{text}");
}

/// How requests and connections end at least once in that many: a seed that meets no trouble proves nothing.
const SEEN: [&str; 26] = [
    "backends_busy",
    "bad_request",
    "body_too_large",
    "client_idle",
    "client_reset",
    "client_timeout",
    "connect_refused",
    "connect_timeout",
    "done",
    "drain",
    "drain_deadline",
    "local_shortage",
    "made_room",
    "no_backend",
    "request_timeout",
    "response_timeout",
    "tunnel_done",
    "tunnel_idle",
    "tunnel_reset",
    "upgrade_failed",
    "upstream_closed",
    "upstream_protocol",
    "upstream_reset",
    "upstream_timeout",
    "upstream_truncated",
    "write_timeout",
];
/// Run on every change.
const SEEDS: u64 = 2_000;
/// A seed takes milliseconds.
const TOO_LONG: Duration = Duration::from_secs(60);
