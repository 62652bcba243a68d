use super::profile::Profile;
use super::weights::weights;
use crate::spec::{counted, grouped, show, three_digits, verb};
use lb_sched::Algorithm;
use std::time::Duration;

/// What to choose for the traffic of a log, and why.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Advice {
    /// Who shall get the next request.
    pub algorithm: Algorithm,
    /// How much the log says.
    pub certainty: Certainty,
    /// Why, a sentence each, the deciding one first.
    pub reasons: Vec<String>,
    /// Backends with their weights; empty when the log names none.
    pub weights: Vec<(String, u16)>,
    /// How fast each of them is beside the fastest: 0 to 1.
    pub(super) speeds: Vec<f64>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    pub(super) pool: Option<String>,
}

/// How much a log says, by the number of requests whose duration is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Certainty {
    /// No durations: a default, no advice.
    Guess,
    /// Fewer than 1,000.
    Low,
    /// Fewer than 10,000.
    Fair,
    /// 10,000 and more.
    High,
}

impl Certainty {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Low => "low",
            Self::Fair => "fair",
            Self::High => "high",
        }
    }
}

impl Advice {
    /// What this traffic asks for: weighted round robin where p95 is at most 3 times p50, weighted least connections
    /// from 100 times on, and between them what follows the load at little cost.
    #[must_use]
    pub fn of(profile: &mut Profile) -> Self {
        let mut notes = Vec::new();
        let (weights, speeds, differ) = weights(profile, &mut notes);
        let timed = profile.durations.count();
        let (algorithm, mut reasons) = match profile.spread() {
            Some(spread) => by_spread(profile, spread, differ),
            None => unknown(profile),
        };
        if weights
            .iter()
            .any(|(_, weight)| Some(weight) != weights.first().map(|(_, first)| first))
        {
            reasons.push(
                "Weights follow the geometric mean of each backend's durations: slow requests count by how many times as long they take, \
                 so a few of them do not decide."
                    .to_owned(),
            );
        }
        clients(profile, weights.len(), &mut notes);
        let certainty = match timed {
            _ if profile.spread().is_none() => Certainty::Guess,
            0..1000 => Certainty::Low,
            1000..10_000 => Certainty::Fair,
            _ => Certainty::High,
        };
        Self {
            algorithm,
            certainty,
            reasons,
            weights,
            speeds,
            notes,
            pool: profile.pool.clone(),
        }
    }
}

fn by_spread(profile: &mut Profile, spread: f64, differ: f64) -> (Algorithm, Vec<String>) {
    let (p50, p95) = (profile.durations.quantile(50.0), profile.durations.quantile(95.0));
    let figures = format!(
        "p95 is {} times p50 ({} and {})",
        three_digits(spread),
        show(p95),
        show(p50)
    );
    let mut reasons = Vec::new();
    let algorithm = if spread >= FAR_APART {
        reasons.push(format!(
            "Requests differ in cost by orders of magnitude: {figures}. Taking turns would pile long ones up on one backend by \
             chance; least connections sees how many each one still has."
        ));
        Algorithm::WeightedLeastConn
    } else if spread <= ALIKE {
        reasons.push(format!(
            "Requests cost about the same: {figures}. Taking turns by weight is then as even as counting, and it keeps no state."
        ));
        Algorithm::WeightedRoundRobin
    } else {
        reasons.push(format!(
            "Requests differ in cost, but not by orders of magnitude: {figures}; weighted round robin is for up to 3, weighted least \
             connections from 100 on. Between them an algorithm that looks at the load of two backends is nearly as even as one that \
             looks at all, and costs no more than taking turns."
        ));
        if differ >= UNEVEN {
            reasons.push(format!(
                "Backends differ in speed as well (up to {} times), which the weights say. If their speeds change from hour to hour, \
                 take peak_ewma: it looks at latency and finds out itself.",
                three_digits(differ)
            ));
        }
        Algorithm::TwoChoices
    };
    if p50 >= LONG {
        reasons.push(format!(
            "They are long (p50 {}): after a backend joined or came back, only least connections evens out soon.",
            show(p50)
        ));
    }
    (algorithm, reasons)
}

fn unknown(profile: &Profile) -> (Algorithm, Vec<String>) {
    let why = if profile.durations.count() == 0 {
        "The log has no durations, so how much requests differ is not known, and the default is the best guess. nginx writes them with \
         `log_format timed '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \
         \"$http_user_agent\" rt=$request_time urt=\"$upstream_response_time\" upstream=\"$upstream_addr\"';`, Apache with %D at the end of \
         the line."
    } else {
        "Most durations are below what the log can tell (its p50 is 0), so how much requests differ is not known, and the default is the \
         best guess."
    };
    (Algorithm::WeightedRoundRobin, vec![why.to_owned()])
}

fn clients(profile: &Profile, backends: usize, notes: &mut Vec<String>) {
    let backends = backends.max(2) as u64;
    let (requests, clients) = (profile.survey.requests, profile.clients);
    if profile.persisted > 0 {
        let percent = profile.persisted as f64 / requests.max(1) as f64 * 100.0;
        notes.push(format!(
            "{} % of the requests came back to the backend they were at (persistence): only the others are spread by the algorithm.",
            three_digits(percent)
        ));
    }
    if clients == 0 {
        return;
    }
    let each = three_digits(requests as f64 / clients as f64);
    let plural = if each == "1" { "" } else { "s" };
    let mut text = format!("{}, {each} request{plural}", counted(clients, "client"));
    text.push_str(if clients == 1 { "" } else { " each on average" });
    if let Some(proxies) = profile.proxies {
        text.push_str(&format!(
            " (counted by the last element of X-Forwarded-For, which is whom the nearest proxy saw; all came over {})",
            counted_as(proxies, "address", "addresses")
        ));
    }
    let is_uneven = clients < 20 * backends || profile.busiest_client > 0.5 / backends as f64;
    let busiest = three_digits(profile.busiest_client * 100.0);
    text.push_str(&match (is_uneven, profile.proxies) {
        (true, None) => format!(
            "; the busiest sends {busiest} %: persistence or hashing by client address would be uneven (a proxy in front? then use a cookie, or \
             trust its X-Forwarded-For)"
        ),
        (true, Some(_)) => {
            format!("; the busiest sends {busiest} %: persistence or hashing by client address would be uneven, so use a cookie")
        }
        (false, None) => ": enough of them for persistence or hashing by client address to be even".to_owned(),
        (false, Some(_)) => {
            ": enough of them for persistence or hashing by client address to be even, if trusted_proxies names the proxy".to_owned()
        }
    });
    notes.push(format!("{text}."));
    if profile.failed > 0 {
        let percent = profile.failed as f64 / requests.max(1) as f64 * 100.0;
        notes.push(format!(
            "{} % of the requests failed with a status of 500 or above; a backend that fails fast looks idle to least connections: give the pool \
             health rules.",
            three_digits(percent)
        ));
    }
}

fn counted_as(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), verb(number, one, many))
}

/// p95 / p50 from which costs differ by orders of magnitude ("2 ms and 2 s").
const FAR_APART: f64 = 100.0;
/// p95 / p50 up to which requests cost about the same.
const ALIKE: f64 = 3.0;
/// Slowest / fastest from which latency is worth looking at.
const UNEVEN: f64 = 1.5;
/// p50 from which requests are long.
const LONG: Duration = Duration::from_secs(10);
