//! A small panel per algorithm: requests in flight over time.

use super::parts::{COLORS, Picture, color, escape, key};
use crate::simulate::{Comparison, Outcome};
use crate::spec::{grouped, show, three_digits};
use std::fmt::Write as _;

pub(super) fn panels(result: &Comparison) -> String {
    let highest = result
        .outcomes
        .iter()
        .flat_map(|o| o.series.iter().flatten().copied())
        .max()
        .unwrap_or(0)
        .max(4);
    let scale = Scale {
        highest: f64::from(highest),
        is_log: differ(result),
    };
    let few = result.backends.len() <= COLORS;
    let mut text = if few {
        key(result.backends.iter().map(|b| b.name.as_str()))
    } else {
        "<ul class=\"key\">\n<li><i style=\"background:var(--c0);opacity:.35\"></i>from the least to the most</li>\n\
         <li><i style=\"background:var(--c0)\"></i>mean</li>\n\
         <li><i style=\"background:var(--c1)\"></i>the one with the most on average</li>\n</ul>\n"
            .to_owned()
    };
    if scale.is_log {
        text.push_str("<p class=\"why\">The vertical axis is logarithmic.</p>\n");
    }
    text.push_str("<div class=\"panels\">\n");
    for outcome in &result.outcomes {
        let worst = outcome.backends.iter().map(|b| b.in_flight_worst).max().unwrap_or(0);
        let _ = write!(
            text,
            "<div><h3>{} <span>at most {} at one</span></h3>\n{}</div>\n",
            escape(&outcome.name),
            grouped(worst),
            panel(result, outcome, &scale, few)
        );
    }
    text.push_str("</div>\n");
    text
}

/// Some panels with thousands beside some with a few: only a logarithm shows both.
fn differ(result: &Comparison) -> bool {
    let highest = |o: &Outcome| o.series.iter().flatten().copied().max().unwrap_or(0);
    let least = result.outcomes.iter().map(highest).min().unwrap_or(0);
    let most = result.outcomes.iter().map(highest).max().unwrap_or(0);
    most > 10 * least.max(4)
}

struct Scale {
    highest: f64,
    is_log: bool,
}

impl Scale {
    fn y(&self, value: f64) -> f64 {
        let part = if self.is_log {
            value.ln_1p() / self.highest.ln_1p()
        } else {
            value / self.highest
        };
        TOP + (1.0 - part) * (HEIGHT - TOP - BOTTOM)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.is_log {
            let powers = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
            return std::iter::once(0.0)
                .chain(powers.into_iter().filter(|t| *t <= self.highest))
                .collect();
        }
        let rough = self.highest / 3.5;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|s| s * power)
            .into_iter()
            .find(|s| *s >= rough)
            .unwrap_or(rough)
            .max(1.0);
        (0..)
            .map(|i| f64::from(i) * step)
            .take_while(|t| *t <= self.highest)
            .collect()
    }
}

fn panel(result: &Comparison, outcome: &Outcome, scale: &Scale, few: bool) -> String {
    let mut picture = Picture::new(
        WIDTH,
        HEIGHT,
        &format!("Requests in flight over time with {}", outcome.name),
    );
    for tick in scale.ticks() {
        picture.line("grid", (LEFT, scale.y(tick)), (WIDTH - 4.0, scale.y(tick)));
        picture.text("soft", "end", (LEFT - 5.0, scale.y(tick) + 4.0), &short(tick));
    }
    picture.text("soft", "start", (LEFT, HEIGHT - 4.0), "0 s");
    picture.text("soft", "end", (WIDTH - 4.0, HEIGHT - 4.0), &show(result.span));
    let x = |row: usize| LEFT + row as f64 / (outcome.series.len().max(2) - 1) as f64 * (WIDTH - 4.0 - LEFT);
    let path = |value: &dyn Fn(&[u32]) -> f64| {
        let points = outcome
            .series
            .iter()
            .enumerate()
            .map(|(row, values)| (x(row), scale.y(value(values))));
        points
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut stroke = |points: &str, color: &str, width: f64, name: &str| {
        picture.raw(&format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"><title>{}</title></polyline>",
            escape(name)
        ));
    };
    let at = |values: &[u32], place: usize| f64::from(values.get(place).copied().unwrap_or(0));
    if few {
        for (place, backend) in result.backends.iter().enumerate() {
            stroke(&path(&|values| at(values, place)), &color(place), 1.6, &backend.name);
        }
        return picture.to_string();
    }
    let upper = path(&|values| values.iter().copied().max().unwrap_or(0).into());
    let lower = path(&|values| values.iter().copied().min().unwrap_or(0).into());
    let back = lower.split(' ').rev().collect::<Vec<_>>().join(" ");
    let mean = |values: &[u32]| values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64;
    let most = outcome
        .backends
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.in_flight_mean.total_cmp(&b.1.in_flight_mean));
    stroke(&path(&|values| mean(values)), "var(--c0)", 1.8, "mean of all backends");
    if let Some((place, about)) = most {
        let name = result.backends.get(place).map_or("", |b| b.name.as_str());
        let hint = format!("{name}: {} on average, the most", three_digits(about.in_flight_mean));
        stroke(&path(&|values| at(values, place)), "var(--c1)", 1.6, &hint);
    }
    picture.raw(&format!(
        "<polygon points=\"{upper} {back}\" fill=\"var(--c0)\" opacity=\"0.2\"/>"
    ));
    picture.to_string()
}

/// `12k` for an axis.
fn short(value: f64) -> String {
    if value >= 10_000.0 {
        format!("{}k", value / 1000.0)
    } else {
        format!("{value}")
    }
}

const WIDTH: f64 = 350.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 38.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;
