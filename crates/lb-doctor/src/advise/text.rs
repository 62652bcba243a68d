use super::profile::Profile;
use super::recommend::{Advice, Certainty};
use super::rehearse::Rehearsal;
use crate::log::LONGEST_NAME;
use crate::report::{Table, pretty, wrap};
use crate::simulate::Comparison;
use crate::spec::{counted, grouped, show, verb};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::SocketAddr;

impl Advice {
    /// The advice as a person reads it: what the log is, what to choose and why, the TOML, and the rehearsal.
    #[must_use]
    pub fn text(&self, profile: &mut Profile, rehearsal: Option<&mut Rehearsal>) -> String {
        let mut text = String::new();
        // writing to a String cannot fail
        for line in &profile.reading {
            let _ = writeln!(text, "{}", wrap(line));
        }
        let _ = writeln!(text, "{}\n", wrap(&about(profile)));
        let _ = writeln!(
            text,
            "Recommended: {} (certainty: {})\n",
            self.algorithm,
            self.sure(profile)
        );
        for reason in &self.reasons {
            let _ = writeln!(text, "{}", wrap(reason));
        }
        if profile.backends.len() > 1 {
            let _ = writeln!(text, "\n{}", self.table(profile));
        } else {
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "{}", wrap(note));
        }
        let _ = writeln!(text, "\nTo paste into the configuration:\n\n{}", self.toml());
        match rehearsal {
            Some(rehearsal) => {
                let shown = rehearsal.comparison.text(&rehearsal.setting);
                let _ = writeln!(text, "The algorithms at work on this log:\n\n{shown}");
                if let Some(other) = self.objection(&mut rehearsal.comparison) {
                    let _ = writeln!(text, "{}", wrap(&other));
                }
            }
            None => {
                let _ = writeln!(text, "{}", wrap(NOTHING_TO_SERVE));
            }
        }
        text
    }

    /// The advice for programs: one JSON object with a line break at the end.
    #[must_use]
    pub fn json(&self, profile: &mut Profile, rehearsal: Option<&mut Rehearsal>) -> String {
        let millis = |percent: f64, profile: &mut Profile| profile.durations.quantile(percent).as_secs_f64() * 1e3;
        let weights: Vec<Value> = self
            .weights
            .iter()
            .map(|(name, weight)| json!({ "name": name, "weight": weight }))
            .collect();
        pretty(&json!({
            "algorithm": self.algorithm.word(),
            "certainty": self.certainty.word(),
            "reasons": self.reasons,
            "weights": weights,
            "notes": self.notes,
            "toml": self.toml(),
            "log": {
                "reading": profile.reading,
                "pool": profile.pool,
                "requests": profile.survey.requests,
                "with_duration": profile.durations.count(),
                "seconds": profile.survey.span().as_secs_f64(),
                "clients": profile.clients,
                "p50_ms": millis(50.0, profile),
                "p95_ms": millis(95.0, profile),
                "p95_to_p50": profile.spread(),
            },
            "simulation": rehearsal.map(|it| it.comparison.value(&it.setting)),
        }))
    }

    /// The pool as it stands in a configuration.
    #[must_use]
    pub fn toml(&self) -> String {
        let pool = self
            .pool
            .as_deref()
            .map(name)
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "app".to_owned());
        let mut text = format!(
            "[[pools]]\nname = \"{pool}\"\nalgorithm = \"{}\"\nbackends = [\n",
            self.algorithm
        );
        if self.weights.is_empty() {
            text.push_str(
                "    \"192.0.2.1:80\",  # put your addresses: the log does not name them\n    \"192.0.2.2:80\",\n",
            );
        }
        for ((backend, weight), number) in self.weights.iter().zip(1..) {
            let weight = if *weight == 1 {
                String::new()
            } else {
                format!(", weight = {weight}")
            };
            let _ = match backend.parse::<SocketAddr>() {
                Ok(address) => writeln!(text, "    {{ address = \"{address}\"{weight} }},"),
                // the log has its name only
                Err(_) => writeln!(
                    text,
                    "    {{ name = \"{}\", address = \"192.0.2.{}:80\"{weight} }},  # put its address",
                    name(backend),
                    number % 254 + 1
                ),
            };
        }
        text.push_str("]\n");
        text
    }

    /// What to make of a simulation that prefers another algorithm by more than chance.
    pub(super) fn objection(&self, rehearsal: &mut Comparison) -> Option<String> {
        let best = rehearsal.best()?;
        let mut p99 = |place: usize| {
            rehearsal
                .outcomes
                .get_mut(place)
                .map(|o| (o.name.clone(), o.latency.quantile(99.0)))
        };
        let (name, least) = p99(best)?;
        let own = (0..)
            .map_while(&mut p99)
            .find(|(name, _)| name == self.algorithm.word())?
            .1;
        if name == self.algorithm.word() {
            return None;
        }
        Some(if own <= least.mul_f64(1.1) {
            format!(
                "The recommended {} is within 10 % of it ({}).",
                self.algorithm,
                show(own)
            )
        } else {
            format!(
                "That is not the recommended {} ({}): the rule looks at the spread of durations only, the simulation at this log on backends \
                 that are 70 % busy. If your backends are that busy and the log is typical, follow the simulation.",
                self.algorithm,
                show(own)
            )
        })
    }

    pub(super) fn sure(&self, profile: &Profile) -> String {
        let timed = profile.durations.count();
        let count = counted(timed, "request");
        match self.certainty {
            Certainty::Guess => "a guess".to_owned(),
            Certainty::Low => format!("low, {count} {} few", verb(timed, "is", "are")),
            Certainty::Fair => format!("fair, by {count}"),
            Certainty::High => format!("high, by {count}"),
        }
    }

    fn table(&self, profile: &mut Profile) -> Table {
        let mut table = Table::new(&COLUMNS);
        self.rows(profile).into_iter().for_each(|row| table.row(row));
        table
    }

    /// A row for each backend, under [`COLUMNS`].
    pub(super) fn rows(&self, profile: &mut Profile) -> Vec<[String; 6]> {
        let took = |percent: f64, backend: &mut super::BackendProfile| match backend.durations.count() {
            0 => "-".to_owned(),
            _ => show(backend.durations.quantile(percent)),
        };
        let row = |(backend, (_, weight)): (&mut super::BackendProfile, &(String, u16))| {
            [
                backend.name.clone(),
                grouped(backend.requests),
                grouped(backend.failed),
                took(50.0, backend),
                took(95.0, backend),
                weight.to_string(),
            ]
        };
        profile
            .backends
            .iter_mut()
            .zip(&self.weights)
            .take(SHOWN)
            .map(row)
            .collect()
    }
}

pub(super) fn about(profile: &Profile) -> String {
    let mut text = format!(
        "{} in {}",
        counted(profile.survey.requests, "request"),
        show(profile.survey.span())
    );
    if let Some(pool) = &profile.pool {
        let _ = write!(text, " of pool {pool:?}");
    }
    text.push('.');
    if !profile.other_pools.is_empty() {
        let others: Vec<String> = profile
            .other_pools
            .iter()
            .take(SHOWN)
            .map(|(name, count)| format!("{name:?} ({})", grouped(*count)))
            .collect();
        let pools = if profile.other_pools.len() == 1 {
            "Another pool"
        } else {
            "Other pools"
        };
        let _ = write!(text, " {pools} in the log, for --pool: {}.", others.join(", "));
    }
    text
}

/// Letters that a name in a configuration may have.
fn name(text: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '[' | ']') {
            c
        } else {
            '-'
        }
    };
    text.chars().map(letter).take(LONGEST_NAME).collect()
}

/// What is shown of each backend.
pub(super) const COLUMNS: [&str; 6] = ["backend", "requests", "failed", "p50", "p95", "weight"];

/// Instead of a simulation.
pub(super) const NOTHING_TO_SERVE: &str =
    "No simulation: without durations the work of the requests is not known, and made-up work would prove nothing.";

/// Rows of a table.
const SHOWN: usize = 20;
