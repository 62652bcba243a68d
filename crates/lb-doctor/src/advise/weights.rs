use super::profile::{BackendProfile, Profile};
use crate::spec::three_digits;

/// Weights by measured speed, each backend's speed beside the fastest, and how far apart they are.
///
/// A backend is as fast as the geometric mean of its durations says: when some requests take 500 times as long as the
/// others, it hardly depends on whether 10 or 12 % of them do, as a mean or a high quantile does. Backends that are
/// within 20 % of the fastest of their kind, or no further from it than chance explains, count as equally fast.
pub(super) fn weights(profile: &mut Profile, notes: &mut Vec<String>) -> (Vec<(String, u16)>, Vec<f64>, f64) {
    let names: Vec<String> = profile.backends.iter().map(|b| b.name.clone()).collect();
    let ones = vec![1.0; names.len()];
    let equal = |names: Vec<String>| names.into_iter().map(|name| (name, 1)).collect::<Vec<_>>();
    let is_timed = |b: &mut BackendProfile| !b.durations.quantile(50.0).is_zero();
    if names.len() < 2 || !profile.backends.iter_mut().all(is_timed) {
        return (equal(names), ones, 1.0);
    }
    if profile.backends.iter().any(|b| b.durations.count() < ENOUGH) {
        notes.push(format!(
            "A backend has fewer than {ENOUGH} requests with durations, so weights are left equal: read a longer log."
        ));
        return (equal(names), ones, 1.0);
    }
    let least = resolution(profile);
    let found: Vec<Typical> = profile.backends.iter().map(|b| Typical::of(b, least)).collect();
    let kinds = kinds(&found);
    let fastest = kinds.iter().copied().fold(f64::INFINITY, f64::min);
    let slowest = kinds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let differ = (slowest - fastest).exp();
    if fastest >= slowest {
        notes.push(alike(&found));
        return (equal(names), ones, 1.0);
    }
    let speeds: Vec<f64> = kinds.iter().map(|kind| (fastest - kind).exp()).collect();
    let tenths: Vec<u16> = speeds
        .iter()
        .map(|speed| ((speed * 10.0).round() as u16).max(1))
        .collect();
    let divisor = tenths.iter().copied().fold(0, gcd).max(1);
    notes.push(
        "Durations contain the time that requests waited at a busy backend: after a change of weights, look again."
            .to_owned(),
    );
    let weights = names.into_iter().zip(tenths.iter().map(|tenth| tenth / divisor));
    (weights.collect(), speeds, differ)
}

/// How long a backend's requests take, as logarithms of seconds: their mean, and how sure it is.
#[derive(Debug, Clone, Copy)]
struct Typical {
    log: f64,
    /// The variance of that mean: of the logarithms, divided by their number.
    variance: f64,
}

impl Typical {
    /// Of all durations; those below `least` seconds, which the log writes as 0, count as `least`.
    fn of(backend: &BackendProfile, least: f64) -> Self {
        let logs = || {
            let seconds = backend.durations.values().map(|value| value.as_secs_f64());
            seconds.map(|seconds| seconds.max(least).ln())
        };
        let count = logs().count().max(2) as f64;
        let log = logs().sum::<f64>() / count;
        let squares: f64 = logs().map(|value| (value - log).powi(2)).sum();
        Self {
            log,
            variance: squares / (count - 1.0) / count,
        }
    }

    /// Is `slower` within 20 %, or no further away than three standard errors?
    fn is_like(&self, slower: &Self) -> bool {
        let apart = slower.log - self.log;
        apart < SAME.ln() || apart < 3.0 * (self.variance + slower.variance).sqrt()
    }
}

/// For each backend the mean of its kind. A kind begins with its fastest backend and has those that are like it.
fn kinds(found: &[Typical]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    let log = |place: &usize| found.get(*place).map_or(0.0, |typical| typical.log);
    order.sort_by(|a, b| log(a).total_cmp(&log(b)));
    let is_like = |a: &usize, b: &usize| found.get(*a).zip(found.get(*b)).is_some_and(|(a, b)| a.is_like(b));
    let mut kinds = vec![0.0; found.len()];
    let mut rest = order.as_slice();
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|place| is_like(first, place)).count().max(1);
        let (kind, others) = rest.split_at(count);
        let mean = kind.iter().map(log).sum::<f64>() / count as f64;
        for place in kind {
            if let Some(value) = kinds.get_mut(*place) {
                *value = mean;
            }
        }
        rest = others;
    }
    kinds
}

/// Why all weights are equal.
fn alike(found: &[Typical]) -> String {
    let logs = || found.iter().map(|typical| typical.log);
    let apart = logs().fold(f64::NEG_INFINITY, f64::max) - logs().fold(f64::INFINITY, f64::min);
    let ratio = apart.exp();
    if ratio < SAME {
        let percent = ((ratio - 1.0) * 100.0).ceil();
        return format!("Backends are equally fast within {percent} %, so their weights are equal.");
    }
    format!(
        "Backends differ up to {} times, but requests differ so much among themselves that it may be chance: weights are left \
         equal, read a longer log.",
        three_digits(ratio)
    )
}

/// What the log tells apart, in seconds: the largest power of ten that every duration is a multiple of.
fn resolution(profile: &Profile) -> f64 {
    let values = profile.backends.iter().flat_map(|b| b.durations.values());
    let all = values.fold(0_u128, |all, value| gcd(all, value.as_nanos()));
    let mut unit = 1_u128;
    while unit < 1_000_000_000 && all.is_multiple_of(unit * 10) {
        unit *= 10;
    }
    unit as f64 / 1e9
}

fn gcd<T: Copy + PartialEq + Default + std::ops::Rem<Output = T>>(a: T, b: T) -> T {
    if b == T::default() { a } else { gcd(b, a % b) }
}

/// Slowest / fastest up to which weights stay equal.
const SAME: f64 = 1.2;
/// Requests that make a backend's speed known.
const ENOUGH: u64 = 100;
