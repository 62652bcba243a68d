//! A bar per algorithm, from p50 to p99.

use super::parts::{Picture, escape};
use crate::simulate::Outcome;
use crate::spec::show;
use std::time::Duration;

pub(super) fn plot(outcomes: &mut [Outcome], best: Option<usize>) -> String {
    let quantiles: Vec<[f64; 4]> = outcomes.iter_mut().map(of).collect();
    let least = quantiles.iter().map(|q| q[0]).fold(f64::INFINITY, f64::min);
    let most = quantiles.iter().map(|q| q[3]).fold(0.0, f64::max);
    let height = TOP + ROW * outcomes.len() as f64 + 30.0;
    let mut picture = Picture::new(
        WIDTH,
        height,
        "Latency of each algorithm: p50, p90, p99 and the slowest",
    );
    if !(least.is_finite() && most > 0.0) {
        picture.text("soft", "start", (LEFT, TOP), "no request was answered");
        return picture.to_string();
    }
    let axis = Axis::new(least / 1.25, most * 1.25);
    for tick in axis.ticks() {
        let x = axis.place(tick);
        picture.line("grid", (x, TOP - 6.0), (x, height - 26.0));
        picture.text(
            "soft",
            "middle",
            (x, height - 9.0),
            &show(Duration::from_secs_f64(tick)),
        );
    }
    picture.text("soft", "end", (WIDTH - 4.0, TOP - 12.0), "p50 / p99");
    for (place, (outcome, q)) in outcomes.iter().zip(&quantiles).enumerate() {
        row(
            &mut picture,
            &axis,
            outcome,
            q,
            TOP + ROW * place as f64,
            best == Some(place),
        );
    }
    picture.to_string()
}

fn row(picture: &mut Picture, axis: &Axis, outcome: &Outcome, q: &[f64; 4], y: f64, is_best: bool) {
    let (middle, class) = (y + ROW / 2.0, if is_best { "best" } else { "" });
    if is_best {
        picture.raw(&format!(
            "<rect class=\"row\" x=\"0\" y=\"{:.1}\" width=\"{WIDTH}\" height=\"{ROW}\" rx=\"5\"/>",
            y
        ));
    }
    picture.text(class, "start", (8.0, middle + 4.5), &outcome.name);
    if outcome.done == 0 {
        return picture.text("soft", "start", (LEFT, middle + 4.5), "no request was answered");
    }
    let texts = q.map(|seconds| show(Duration::from_secs_f64(seconds)));
    let [p50, p90, p99, max] = q.map(|seconds| axis.place(seconds));
    let color = if is_best { "var(--best)" } else { "var(--c0)" };
    let hint = format!(
        "{}: p50 {}, p90 {}, p99 {}, slowest {}",
        outcome.name, texts[0], texts[1], texts[2], texts[3]
    );
    picture.raw(&format!(
        "<g><title>{}</title>\n\
         <line x1=\"{p99:.1}\" y1=\"{middle:.1}\" x2=\"{max:.1}\" y2=\"{middle:.1}\" stroke=\"{color}\" stroke-width=\"1.5\" opacity=\"0.55\"/>\n\
         <line x1=\"{max:.1}\" y1=\"{:.1}\" x2=\"{max:.1}\" y2=\"{:.1}\" stroke=\"{color}\" stroke-width=\"1.5\" opacity=\"0.55\"/>\n\
         <rect x=\"{p50:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" rx=\"6\" fill=\"{color}\" opacity=\"0.32\"/>\n\
         <circle cx=\"{p50:.1}\" cy=\"{middle:.1}\" r=\"5\" fill=\"{color}\"/>\n\
         <circle cx=\"{p90:.1}\" cy=\"{middle:.1}\" r=\"3.2\" fill=\"{color}\"/>\n\
         <circle cx=\"{p99:.1}\" cy=\"{middle:.1}\" r=\"6\" fill=\"{color}\"/></g>",
        escape(&hint),
        middle - 4.0,
        middle + 4.0,
        middle - 6.0,
        (p99 - p50).max(1.0),
    ));
    picture.text(
        class,
        "end",
        (WIDTH - 4.0, middle + 4.5),
        &format!("{} / {}", texts[0], texts[2]),
    );
}

/// p50, p90, p99 and the slowest, in seconds; infinite and 0 where nothing was answered.
fn of(outcome: &mut Outcome) -> [f64; 4] {
    if outcome.done == 0 {
        return [f64::INFINITY, 0.0, 0.0, 0.0];
    }
    let quantile = |percent| outcome.latency.quantile(percent).as_secs_f64().max(1e-9);
    let [p50, p90, p99] = [50.0, 90.0, 99.0].map(quantile);
    [p50, p90, p99, outcome.latency.max().as_secs_f64().max(1e-9)]
}

/// A logarithmic axis in seconds.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    fn new(from: f64, to: f64) -> Self {
        Self { from, to }
    }

    fn place(&self, seconds: f64) -> f64 {
        let part = (seconds / self.from).ln() / (self.to / self.from).ln();
        LEFT + part.clamp(0.0, 1.0) * (WIDTH - RIGHT - LEFT)
    }

    /// 1, 2, 5, 10 and so on; powers of ten only when there are many.
    fn ticks(&self) -> Vec<f64> {
        let steps: &[f64] = if self.to / self.from > 300.0 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let decades = self.from.log10().floor() as i32..=self.to.log10().ceil() as i32;
        let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
        all.filter(|tick| *tick >= self.from && *tick <= self.to).collect()
    }
}

const WIDTH: f64 = 1140.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 160.0;
const TOP: f64 = 28.0;
const ROW: f64 = 29.0;
