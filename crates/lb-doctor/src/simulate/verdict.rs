use super::compare::Comparison;
use super::outcome::Outcome;
use crate::spec::{counted, grouped, show, three_digits, verb};
use std::time::Duration;

impl Comparison {
    /// What the numbers say, in words: which algorithm is best here, and why. Sorts the latencies.
    #[must_use]
    pub fn verdict(&mut self) -> String {
        let mut words = Vec::new();
        if self.requests == 0 {
            return "No request came, so there is nothing to compare.".to_owned();
        }
        if self.work.max().is_zero() {
            return "The requests are no work, so there is nothing to compare.".to_owned();
        }
        if self.offered > 1.0 {
            words.push(format!(
                "The backends are overloaded: {} times the work they can do comes in, so lines grow for as long as it \
                 does. No algorithm mends that; more or faster backends do.",
                three_digits(self.offered)
            ));
        }
        let marks: Vec<Mark> = self.outcomes.iter_mut().map(Mark::of).collect();
        let Some(best) = best(&marks) else {
            return words.join(" ");
        };
        if self.offered <= 1.0 && self.waits(&marks, best) {
            let waited = marks.get(best).map(|best| best.p50).unwrap_or_default();
            words.push(format!(
                "Most requests wait, whatever the algorithm: half of them take {} and more although their work is {}. They come in bursts that \
                 the backends cannot serve at once, so the figures are those of lines; with more backends or slower traffic (--speedup, \
                 --rate) they are those of the algorithms.",
                show(waited),
                show(self.work.quantile(50.0))
            ));
        }
        words.extend(self.compared(&marks, best));
        words.join(" ")
    }

    /// The position of the best outcome; `None` when nothing came. Sorts the latencies.
    #[must_use]
    pub fn best(&mut self) -> Option<usize> {
        let marks: Vec<Mark> = self.outcomes.iter_mut().map(Mark::of).collect();
        best(&marks)
    }

    /// A few words for the head of a page: which algorithm to take, and in how far it is the best by its figures.
    #[must_use]
    pub fn headline(&mut self) -> String {
        let marks: Vec<Mark> = self.outcomes.iter_mut().map(Mark::of).collect();
        let found = best(&marks).and_then(|best| marks.get(best));
        let Some(winner) = found.filter(|_| marks.len() > 1) else {
            return "Algorithms side by side".to_owned();
        };
        let (count, name) = (marks.len(), &winner.name);
        if hardly_matters(&marks, winner) {
            return format!("{count} algorithms, hardly a difference: {name} will do");
        }
        match shorter(&marks, winner) {
            None => format!("Best of {count} algorithms: {name}"),
            Some(_) => format!("Of {count} algorithms, the simplest within 5 % of the best: {name}"),
        }
    }

    /// Do most requests wait even with the best algorithm, although the backends can do the work?
    #[must_use]
    pub fn is_line(&mut self) -> bool {
        let marks: Vec<Mark> = self.outcomes.iter_mut().map(Mark::of).collect();
        self.offered <= 1.0 && best(&marks).is_some_and(|best| self.waits(&marks, best))
    }

    /// Is the median of the best algorithm far above the median of the work, on the slowest backend that has a share?
    fn waits(&mut self, marks: &[Mark], best: usize) -> bool {
        let speeds = self.backends.iter().filter(|b| b.weight.get() > 0).map(|b| b.speed);
        let slowest = speeds.fold(f64::INFINITY, f64::min).min(1.0);
        let worked = self.work.quantile(50.0).div_f64(slowest.max(1e-6));
        marks
            .get(best)
            .is_some_and(|best| best.p50 > worked.mul_f64(LINE) && best.p50 > worked + NOTICED)
    }

    fn compared(&mut self, marks: &[Mark], best: usize) -> Vec<String> {
        let Some(winner) = marks.get(best) else {
            return Vec::new();
        };
        let [only] = marks else {
            return self.among(marks, winner);
        };
        vec![format!(
            "{} alone was simulated: p99 is {}, p50 {}.",
            only.name,
            show(only.p99),
            show(only.p50)
        )]
    }

    fn among(&mut self, marks: &[Mark], winner: &Mark) -> Vec<String> {
        let mut words = Vec::new();
        let peers = || marks.iter().filter(|m| m.is_spread || !winner.is_spread);
        let worst = peers().max_by_key(|m| (m.errors, m.p99)).unwrap_or(winner);
        if hardly_matters(marks, winner) {
            words.push(format!(
                "The choice hardly matters here: p99 lies between {} and {} for all that spread requests.",
                show(peers().map(|m| m.p99).min().unwrap_or(winner.p99)),
                show(worst.p99),
            ));
            if winner.is_even() {
                words.push(format!("{} will do.", winner.name));
            }
        } else {
            let usual = marks
                .iter()
                .find(|m| m.name == "weighted_round_robin" && m.name != winner.name);
            let rival = usual.filter(|usual| usual.p99 > winner.p99).unwrap_or(worst);
            let mut text = match shorter(marks, winner) {
                None => format!("{} is best here: its p99 is {}", winner.name, show(winner.p99)),
                Some(other) => format!(
                    "{} is as good as the best here, and simpler: its p99 is {}, {}'s {}",
                    winner.name,
                    show(winner.p99),
                    other.name,
                    show(other.p99)
                ),
            };
            let ratio = seconds(rival.p99) / seconds(winner.p99);
            text.push_str(&format!(
                ", {}'s {} ({} times as long)",
                rival.name,
                show(rival.p99),
                times(ratio)
            ));
            if rival.errors > winner.errors {
                text.push_str(&format!(
                    "; {} {} instead of {}",
                    counted(winner.errors, "request"),
                    verb(winner.errors, "fails", "fail"),
                    grouped(rival.errors)
                ));
            }
            text.push('.');
            words.push(text);
            words.push(self.reason(winner));
        }
        words.extend(uneven(marks));
        if !winner.is_spread {
            return words;
        }
        let hashing: Vec<&str> = marks.iter().filter(|m| !m.is_spread).map(|m| m.name.as_str()).collect();
        if !hashing.is_empty() {
            words.push(format!(
                "{} {} only if you need that.",
                list(&hashing),
                match hashing.len() {
                    1 => "keeps a client at its backend; take it",
                    _ => "keep a client at its backend; take one of them",
                }
            ));
        }
        words.retain(|word| !word.is_empty());
        words
    }

    /// Why the winner wins: by what it looks at, and what differs here.
    fn reason(&mut self, winner: &Mark) -> String {
        let (p50, p95) = (self.work.quantile(50.0), self.work.quantile(95.0));
        let ratio = seconds(p95) / seconds(p50);
        let per_weight = |b: &super::Backend| b.capacity() / f64::from(b.weight.get().max(1));
        let capacities: Vec<f64> = self
            .backends
            .iter()
            .filter(|b| b.weight.get() > 0)
            .map(per_weight)
            .collect();
        let fastest = capacities.iter().copied().fold(0.0, f64::max);
        let slowest = capacities.iter().copied().fold(f64::INFINITY, f64::min);
        let changes = self.backends.iter().any(|b| !b.fails.is_empty() || !b.slow.is_empty());
        let looks = match winner.name.as_str() {
            "least_conn" => "It looks at how many requests each backend has",
            "two_choices" => "It sends each request to the less loaded of two backends",
            "peak_ewma" => "It looks at how long each backend took lately",
            "first" => "It fills one backend after the other",
            _ => return "Taking turns is enough: algorithms that look at the load gain less than 5 %.".to_owned(),
        };
        let mut differs = Vec::new();
        if fastest / slowest > 1.2 {
            differs.push(format!(
                "backends differ in what they can do for their weight (up to {} times)",
                three_digits(fastest / slowest)
            ));
        }
        if changes {
            differs.push("backends fail or slow down".to_owned());
        }
        if ratio > 3.0 {
            differs.push(format!(
                "requests differ in work (p95 is {} times p50)",
                three_digits(ratio)
            ));
        }
        match differs.is_empty() {
            true => format!("{looks}, and that pays because requests come unevenly."),
            false => format!(
                "{looks}, and that pays because {}.",
                list(&differs.iter().map(String::as_str).collect::<Vec<_>>())
            ),
        }
    }
}

/// What the verdict looks at.
#[derive(Debug)]
struct Mark {
    name: String,
    errors: u64,
    p50: Duration,
    p99: Duration,
    mean: Duration,
    /// The largest share beside the one its weight asks for.
    imbalance: f64,
    /// The same of backends that are lighter than the average and should have less than one request at a time.
    light: f64,
    /// It does not keep clients at their backend.
    is_spread: bool,
}

impl Mark {
    fn of(outcome: &mut Outcome) -> Self {
        Self {
            name: outcome.name.clone(),
            errors: outcome.errors(),
            p50: outcome.latency.quantile(50.0),
            p99: outcome.latency.quantile(99.0),
            mean: outcome.latency.mean(),
            imbalance: outcome.imbalance(),
            light: light(outcome),
            is_spread: outcome.moved.is_none(),
        }
    }

    /// Do shares follow the weights?
    fn is_even(&self) -> bool {
        self.imbalance < EVEN
    }
}

/// The largest share beside the wanted one, of backends that are lighter than the average and whose weight asks for
/// less than one of the requests in flight: to count requests is then to count 0 and 1, and weights are not seen.
fn light(outcome: &Outcome) -> f64 {
    let in_flight: f64 = outcome.backends.iter().map(|b| b.in_flight_mean).sum();
    let average = 1.0 / outcome.backends.len().max(1) as f64;
    let places = (0..outcome.backends.len()).filter(|place| {
        let wanted = outcome.wanted_share(*place);
        wanted > 0.0 && wanted < average * 0.999 && wanted * in_flight < 1.0
    });
    let ratios = places.map(|place| outcome.share(place) / outcome.wanted_share(place));
    ratios.fold(0.0, f64::max)
}

/// Has every algorithm the errors of this one, and a p99 near its own? Those that keep clients do not count, unless
/// it is one.
fn hardly_matters(marks: &[Mark], winner: &Mark) -> bool {
    let peers = marks.iter().filter(|m| m.is_spread || !winner.is_spread);
    let worst = peers.max_by_key(|m| (m.errors, m.p99)).unwrap_or(winner);
    worst.errors == winner.errors && seconds(worst.p99) / seconds(winner.p99) < 1.1
}

/// Who has fewer errors or a shorter p99 than the winner, if its rounded figures show it: the winner is then simpler
/// or more even, and within 5 %.
fn shorter<'a>(marks: &'a [Mark], winner: &Mark) -> Option<&'a Mark> {
    let peers = marks.iter().filter(|m| m.is_spread || !winner.is_spread);
    let best = peers.min_by_key(|m| (m.errors, m.p99))?;
    let is_seen = best.errors < winner.errors || show(best.p99) != show(winner.p99);
    (best.name != winner.name && is_seen).then_some(best)
}

/// Algorithms that look at the load, and send light backends more than their weight asks for because so little is in
/// flight.
fn uneven(marks: &[Mark]) -> Option<String> {
    let looks = |m: &&Mark| matches!(m.name.as_str(), "least_conn" | "two_choices" | "peak_ewma");
    let found: Vec<&Mark> = marks.iter().filter(looks).filter(|m| m.light >= EVEN).collect();
    let names: Vec<&str> = found.iter().map(|m| m.name.as_str()).collect();
    let most = found.iter().map(|m| m.light).fold(0.0, f64::max);
    let give = if names.len() == 1 { "gives" } else { "give" };
    (!names.is_empty()).then(|| {
        format!(
            "With so few requests in flight {} {give} light backends far more than their weight: up to {} times.",
            list(&names),
            three_digits(most)
        )
    })
}

/// The best one; where the choice hardly matters and its shares are far from the weights, the simplest whose shares are
/// not.
fn best(marks: &[Mark]) -> Option<usize> {
    let place = quickest(marks)?;
    let winner = marks.get(place)?;
    if winner.is_even() || !hardly_matters(marks, winner) {
        return Some(place);
    }
    let even = |(_, m): &(usize, &Mark)| m.is_even() && (m.is_spread || !winner.is_spread);
    let places = marks.iter().enumerate().filter(even);
    let other = places.min_by_key(|(_, m)| simplicity(m)).map(|(place, _)| place);
    other.or(Some(place))
}

/// The one with the fewest errors, then the lowest p99; of those whose p99 and mean are within 5 % of the lowest, the
/// simplest. Algorithms that keep clients at their backend only win among themselves.
fn quickest(marks: &[Mark]) -> Option<usize> {
    let any_spread = marks.iter().any(|m| m.is_spread);
    let fewest = marks
        .iter()
        .filter(|m| m.is_spread || !any_spread)
        .map(|m| m.errors)
        .min()?;
    // one error in twenty more is chance
    let good = |m: &&Mark| (m.is_spread || !any_spread) && m.errors <= fewest + fewest / 20;
    let lowest = marks.iter().filter(good).map(|m| m.p99).min()?;
    let near = |m: &&Mark| good(m) && seconds(m.p99) <= seconds(lowest) * 1.05;
    let quickest = marks.iter().filter(near).map(|m| m.mean).min()?;
    let even = |m: &Mark| near(&m) && seconds(m.mean) <= seconds(quickest) * 1.05;
    let places = marks.iter().enumerate().filter(|(_, m)| even(m));
    places.min_by_key(|(_, m)| simplicity(m)).map(|(place, _)| place)
}

/// Low is simple.
fn simplicity(mark: &Mark) -> usize {
    let known = SIMPLEST.iter().position(|name| *name == mark.name);
    known.unwrap_or(SIMPLEST.len())
}

/// p50 beside the work's from which most requests wait.
const LINE: f64 = 3.0;
/// Waiting of less than this is no line, however short the work.
const NOTICED: Duration = Duration::from_millis(1);

/// Imbalance from which shares do not follow the weights.
const EVEN: f64 = 1.5;

/// Of equals the first of these is recommended.
const SIMPLEST: [&str; 5] = [
    "weighted_round_robin",
    "round_robin",
    "two_choices",
    "least_conn",
    "peak_ewma",
];

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64().max(1e-9)
}

/// `1.3`, `2,820`.
fn times(ratio: f64) -> String {
    if ratio >= 1000.0 {
        grouped(ratio as u64)
    } else {
        three_digits(ratio)
    }
}

/// `A, B and C`.
pub(crate) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
