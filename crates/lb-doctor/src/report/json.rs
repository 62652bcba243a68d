use super::Setting;
use crate::scenario::Scenario;
use crate::simulate::{Comparison, Outcome, PerBackend};
use serde_json::{Value, json};
use std::time::Duration;

impl Comparison {
    /// The comparison for programs: one JSON object, indented, with a line break at the end. Times are in
    /// milliseconds, shares between 0 and 1. Sorts the latencies.
    #[must_use]
    pub fn json(&mut self, setting: &Setting) -> String {
        pretty(&self.value(setting))
    }

    pub(crate) fn value(&mut self, setting: &Setting) -> Value {
        let verdict = self.verdict();
        let best = self
            .best()
            .and_then(|best| self.outcomes.get(best))
            .map(|o| o.name.clone());
        let backend = |b: &crate::simulate::Backend| json!({ "name": b.name, "weight": b.weight.get(), "speed": b.speed, "concurrency": b.places, "held": b.held });
        let backends: Vec<Value> = self.backends.iter().map(backend).collect();
        let algorithms: Vec<Value> = self.outcomes.iter_mut().map(outcome).collect();
        json!({
            "traffic": setting.traffic,
            "notes": setting.notes,
            "requests": self.requests,
            "seconds": self.span.as_secs_f64(),
            "offered_load": rounded(self.offered),
            "backends": backends,
            "algorithms": algorithms,
            "best": best,
            "verdict": verdict,
        })
    }
}

impl Scenario {
    /// The scenario for programs: one JSON object, indented, with a line break at the end.
    #[must_use]
    pub fn json(&self) -> String {
        let part = |part: &crate::Part| {
            let rows: Vec<Value> = part
                .rows
                .iter()
                .map(|row| json!({ "picks": row.picks, "counts": row.counts }))
                .collect();
            json!({
                "title": part.title, "algorithm": part.algorithm.word(), "weights": part.weights, "unit": part.unit,
                "rows": rows, "remark": part.remark,
            })
        };
        pretty(&json!({
            "scenario": self.number, "title": self.title, "situation": self.situation, "advice": self.advice,
            "parts": self.parts.iter().map(part).collect::<Vec<_>>(),
        }))
    }
}

fn outcome(outcome: &mut Outcome) -> Value {
    let wanted: Vec<f64> = (0..outcome.backends.len())
        .map(|place| outcome.wanted_share(place))
        .collect();
    let shares: Vec<f64> = (0..outcome.backends.len()).map(|place| outcome.share(place)).collect();
    let backend = |((b, wanted), share): ((&PerBackend, f64), f64)| {
        json!({
            "requests": b.picks, "share": rounded(share), "wanted_share": rounded(wanted), "lost": b.cut,
            "in_flight_mean": rounded(b.in_flight_mean), "in_flight_worst": b.in_flight_worst,
            "queue_mean": rounded(b.queue_mean), "queue_worst": b.queue_worst, "utilisation": rounded(b.utilisation),
        })
    };
    let backends: Vec<Value> = outcome.backends.iter().zip(wanted).zip(shares).map(backend).collect();
    let moved = outcome.moved.map(|m| {
        json!({
            "lost": rounded(m.lost), "lost_least": rounded(m.lost_least),
            "added": rounded(m.added), "added_least": rounded(m.added_least),
        })
    });
    let quantile = |percent: f64, outcome: &mut Outcome| millis(outcome.latency.quantile(percent));
    json!({
        "algorithm": outcome.name,
        "requests": outcome.requests,
        "answered": outcome.done,
        "errors": {
            "all": outcome.errors(), "refused": outcome.refused, "no_backend": outcome.nobody, "cut": outcome.cut,
            "queue_full": outcome.overflow,
        },
        "retries": outcome.retries,
        "latency_ms": {
            "mean": millis(outcome.latency.mean()), "p50": quantile(50.0, outcome), "p90": quantile(90.0, outcome),
            "p95": quantile(95.0, outcome), "p99": quantile(99.0, outcome), "max": millis(outcome.latency.max()),
        },
        "queue": { "mean": rounded(outcome.queue_mean), "worst": outcome.queue_worst },
        "imbalance": rounded(outcome.imbalance()),
        "exact_shares": outcome.is_exact,
        "moved_keys": moved,
        "backends": backends,
    })
}

pub(crate) fn pretty(value: &Value) -> String {
    // a Value has no key that is not text, so it can always be written
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// To six places.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
