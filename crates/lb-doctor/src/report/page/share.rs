//! Who got how much, beside what weights ask for.

use super::parts::{COLORS, Picture, color, escape, key};
use crate::report::text::percent;
use crate::simulate::{Comparison, Outcome};

pub(super) fn plot(result: &Comparison, best: Option<usize>) -> String {
    if result.backends.len() <= COLORS {
        let names = result.backends.iter().map(|b| b.name.as_str());
        return format!("{}{}", key(names), bars(result, best));
    }
    dots(result, best)
}

/// Few backends: a bar per algorithm, divided among them.
fn bars(result: &Comparison, best: Option<usize>) -> String {
    let rows = result.outcomes.len() as f64 + 1.0;
    let mut picture = Picture::new(WIDTH, ROW * rows + 8.0, "Share of each backend, by algorithm");
    let count = result.backends.len();
    let names: Vec<&str> = result.backends.iter().map(|b| b.name.as_str()).collect();
    let mut bar = |y: f64, name: &str, class: &str, shares: &[f64]| {
        picture.text(class, "start", (8.0, y + ROW / 2.0 + 4.5), name);
        let mut x = LEFT;
        for (place, (share, backend)) in shares.iter().zip(&names).enumerate() {
            let width = share * (WIDTH - LEFT - 4.0);
            picture.raw(&format!(
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"><title>{}: {} gets {}</title></rect>",
                y + 4.0,
                (width - 1.5).max(0.0),
                ROW - 8.0,
                color(place),
                escape(name),
                escape(backend),
                percent(*share)
            ));
            if width > 52.0 {
                picture.text("in", "middle", (x + width / 2.0, y + ROW / 2.0 + 4.0), &percent(*share));
            }
            x += width;
        }
    };
    if let Some(any) = result.outcomes.first() {
        let wanted: Vec<f64> = (0..count).map(|place| any.wanted_share(place)).collect();
        bar(0.0, "by weight", "soft", &wanted);
    }
    for (row, outcome) in result.outcomes.iter().enumerate() {
        let shares: Vec<f64> = (0..count).map(|place| outcome.share(place)).collect();
        let class = if best == Some(row) { "best" } else { "" };
        bar(ROW * (row as f64 + 1.0), &outcome.name, class, &shares);
    }
    picture.to_string()
}

/// Many backends: a dot for each, at its share divided by the wanted one.
fn dots(result: &Comparison, best: Option<usize>) -> String {
    let ratio = |outcome: &Outcome, place: usize| {
        let wanted = outcome.wanted_share(place);
        (wanted > 0.0).then(|| outcome.share(place) / wanted)
    };
    let places = 0..result.backends.len();
    let all = result
        .outcomes
        .iter()
        .flat_map(|o| places.clone().filter_map(move |place| ratio(o, place)));
    let most = all.fold(1.25, f64::max) * 1.03;
    let height = TOP + ROW * result.outcomes.len() as f64 + 26.0;
    let mut picture = Picture::new(
        WIDTH,
        height,
        "Share of each backend divided by the share its weight asks for",
    );
    let x = |value: f64| LEFT + value / most * (WIDTH - LEFT - 20.0);
    let step = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0]
        .into_iter()
        .find(|step| most / step < 9.0)
        .unwrap_or(500.0);
    let mut tick = 0.0;
    while tick <= most {
        picture.line("grid", (x(tick), TOP - 6.0), (x(tick), height - 24.0));
        picture.text("soft", "middle", (x(tick), height - 8.0), &format!("{tick}x"));
        tick += step;
    }
    picture.line("wanted", (x(1.0), TOP - 6.0), (x(1.0), height - 24.0));
    picture.text("soft", "middle", (x(1.0), TOP - 12.0), "as wanted");
    for (row, outcome) in result.outcomes.iter().enumerate() {
        let y = TOP + ROW * (row as f64 + 0.5);
        let is_best = best == Some(row);
        picture.text(
            if is_best { "best" } else { "" },
            "start",
            (8.0, y + 4.5),
            &outcome.name,
        );
        let fill = if is_best { "var(--best)" } else { "var(--c0)" };
        for (place, backend) in result.backends.iter().enumerate().take(MOST_DOTS) {
            let Some(value) = ratio(outcome, place) else { continue };
            picture.raw(&format!(
                "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{fill}\" opacity=\"0.45\"><title>{}: {} gets {value:.2} times its share</title></circle>",
                x(value),
                escape(&outcome.name),
                escape(&backend.name),
            ));
        }
    }
    picture.to_string()
}

const WIDTH: f64 = 1140.0;
const LEFT: f64 = 190.0;
const TOP: f64 = 28.0;
const ROW: f64 = 29.0;

/// Of more backends the first are shown: the page stays small.
const MOST_DOTS: usize = 1000;
