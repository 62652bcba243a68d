use super::{Table, wrap};
use crate::simulate::{Backend, Comparison, Outcome};
use crate::spec::{counted, grouped, show, three_digits};
use std::fmt::Write as _;

/// What was simulated, in words, for the head of a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Setting {
    /// The traffic: "Poisson arrivals at 500/s, ..".
    pub traffic: String,
    /// What else one has to know: the seed, what was assumed.
    pub notes: Vec<String>,
}

impl Setting {
    /// Of this traffic.
    #[must_use]
    pub fn new(traffic: impl Into<String>) -> Self {
        Self {
            traffic: traffic.into(),
            notes: Vec::new(),
        }
    }
}

impl Comparison {
    /// The comparison as a person reads it at a terminal: what was simulated, tables, the verdict. Sorts the latencies.
    #[must_use]
    pub fn text(&mut self, setting: &Setting) -> String {
        let mut text = String::new();
        // writing to a String cannot fail
        let _ = writeln!(text, "{}", wrap(&format!("Traffic: {}", setting.traffic)));
        let _ = writeln!(text, "{}", wrap(&format!("Backends: {}", describe(&self.backends))));
        let _ = writeln!(
            text,
            "{}",
            wrap(&format!(
                "{} in {}, the same for each algorithm; {} % of the work that the backends can do.",
                counted(self.requests, "request"),
                show(self.span),
                three_digits(self.offered * 100.0)
            ))
        );
        for note in &setting.notes {
            let _ = writeln!(text, "{}", wrap(note));
        }
        let _ = writeln!(text, "\n{}", self.figures());
        let _ = writeln!(text, "{}", self.shares());
        let _ = writeln!(text, "{}", wrap(&self.verdict()));
        text
    }

    fn figures(&mut self) -> Table {
        let has_moved = self.outcomes.iter().any(|o| o.moved.is_some());
        let mut heads = vec![
            "algorithm",
            "p50",
            "p90",
            "p99",
            "max",
            "queue",
            "worst",
            "imbalance",
            "errors",
        ];
        if has_moved {
            heads.extend(["moved: lost", "added"]);
        }
        let mut table = Table::new(&heads);
        for outcome in &mut self.outcomes {
            let mut cells = vec![outcome.name.clone()];
            cells.extend([50.0, 90.0, 99.0].map(|percent| show(outcome.latency.quantile(percent))));
            cells.push(show(outcome.latency.max()));
            cells.push(three_digits(outcome.queue_mean));
            cells.push(grouped(outcome.queue_worst));
            cells.push(format!(
                "{:.3}{}",
                outcome.imbalance(),
                if outcome.is_exact { "" } else { "~" }
            ));
            cells.push(grouped(outcome.errors()));
            if has_moved {
                cells.extend(match &outcome.moved {
                    Some(moved) => [moved.lost, moved.added].map(percent),
                    None => ["-".to_owned(), "-".to_owned()],
                });
            }
            table.row(cells);
        }
        table
    }

    /// Who got how much of the requests: each backend while they are few, otherwise the least and the most.
    fn shares(&self) -> Table {
        if self.backends.len() > FEW {
            return self.spans();
        }
        let mut heads = vec!["share of requests"];
        heads.extend(self.backends.iter().map(|b| b.name.as_str()));
        let mut table = Table::new(&heads);
        let row = |name: &str, share: &dyn Fn(usize) -> f64| {
            let shares = (0..self.backends.len()).map(|place| percent(share(place)));
            std::iter::once(name.to_owned()).chain(shares).collect::<Vec<_>>()
        };
        if let Some(any) = self.outcomes.first() {
            table.row(row("by weight", &|place| any.wanted_share(place)));
        }
        for outcome in &self.outcomes {
            table.row(row(&outcome.name, &|place| outcome.share(place)));
        }
        table
    }

    fn spans(&self) -> Table {
        let mut table = Table::new(&["share of requests", "least", "most", "least / wanted", "most / wanted"]);
        for outcome in &self.outcomes {
            let ratio = |o: &Outcome, place: usize| o.share(place) / o.wanted_share(place).max(f64::MIN_POSITIVE);
            let wanted = |place: &usize| outcome.wanted_share(*place) > 0.0;
            let places = || (0..self.backends.len()).filter(wanted);
            let ends = |values: Vec<f64>| {
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                (least, values.iter().copied().fold(0.0, f64::max))
            };
            let (least, most) = ends(places().map(|place| outcome.share(place)).collect());
            let (low, high) = ends(places().map(|place| ratio(outcome, place)).collect());
            table.row([
                outcome.name.clone(),
                percent(least),
                percent(most),
                format!("{low:.2}"),
                format!("{high:.2}"),
            ]);
        }
        table
    }
}

/// The backends in words; those that are alike together.
pub(crate) fn describe(backends: &[Backend]) -> String {
    let about = |b: &Backend| {
        let mut text = format!("weight {}, {} at once", b.weight.get(), grouped(b.places.into()));
        let remarks = b.remarks();
        if !remarks.is_empty() {
            text = format!("{text}, {remarks}");
        }
        text
    };
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for backend in backends {
        let about = about(backend);
        match groups.iter_mut().find(|(same, _)| *same == about) {
            Some((_, names)) => names.push(&backend.name),
            None => groups.push((about, vec![&backend.name])),
        }
    }
    let group = |(about, names): &(String, Vec<&str>)| {
        let names = match names.as_slice() {
            [first, .., last] if names.len() > 3 => format!("{first} .. {last} ({})", names.len()),
            _ => names.join(", "),
        };
        format!("{names} ({about})")
    };
    groups.iter().map(group).collect::<Vec<_>>().join("; ")
}

/// `33.3 %`.
pub(crate) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// Backends that have a column each.
const FEW: usize = 8;
