//! What each algorithm suits, keeps and costs, in words.

use crate::report::{Table, wrap};
use lb_sched::Algorithm;

/// All algorithms: what each suits, what a pick costs, what is kept.
#[must_use]
pub fn schedulers() -> String {
    let mut text = String::new();
    for algorithm in Algorithm::ALL {
        let facts = algorithm.facts();
        let mut table = Table::new(&["suits", facts.suits]).left(&[0, 1]);
        table.row(["a pick costs".to_owned(), facts.pick_cost.to_owned()]);
        table.row(["state kept".to_owned(), facts.keeps.to_owned()]);
        text.extend([algorithm.word(), "\n", &table.indented(2).to_string(), "\n"]);
    }
    format!(
        "{text}{}\n\n{}\n",
        wrap(
            "weighted_round_robin is the default. \"Stateless\" scheduling (round robin) looks at nothing but whose turn \
             it is; \"stateful\" scheduling (least_conn, two_choices, peak_ewma) counts what each backend has, one \
             counter per backend that every request writes twice. lbd counts in any case, for limits and status, so \
             that a stateful algorithm costs its reading only."
        ),
        "`lbd explain scheduler least_conn` tells more of one, `lbd simulate` shows all at work,\n\
         `lbd advise access.log` chooses for the traffic of a log."
    )
}

/// One algorithm: what it suits, keeps and costs, and when to take another one.
#[must_use]
pub fn scheduler(algorithm: Algorithm) -> String {
    let facts = algorithm.facts();
    let mut table = Table::new(&["suits", facts.suits]).left(&[0, 1]);
    for (name, fact) in [
        ("a pick costs", facts.pick_cost),
        ("a build costs", facts.build_cost),
        ("state kept", facts.keeps),
        ("looks at", looks_at(algorithm)),
    ] {
        table.row([name.to_owned(), fact.to_owned()]);
    }
    format!(
        "{}\n\n{}\n{}\n\nIn the configuration:\n\n  [[pools]]\n  algorithm = \"{}\"\n{}\nSee it at work: lbd simulate --algorithm {},{}\n",
        algorithm.word(),
        table.indented(2),
        wrap(when(algorithm)),
        algorithm.word(),
        if algorithm.uses_hash() {
            "  hash = \"source\"   # what requests are placed by\n"
        } else {
            ""
        },
        other(algorithm).word(),
        algorithm.word(),
    )
}

fn looks_at(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RoundRobin => "whose turn it is",
        Algorithm::WeightedRoundRobin => "whose turn it is; weights decide how often",
        Algorithm::WeightedLeastConn => {
            "requests in flight divided by weight, of all backends; the turn between equals"
        }
        Algorithm::Random => "chance; weights decide how likely",
        Algorithm::TwoChoices => "requests in flight divided by weight, of two backends drawn by weight",
        Algorithm::PeakEwma => "latency lately times requests in flight, of two backends drawn by weight",
        Algorithm::Ring | Algorithm::Maglev | Algorithm::Rendezvous => {
            "the hash of the request; weights decide how many hashes are whose"
        }
        Algorithm::First => "the first backend in the file that is below its max_connections",
        _ => "see the documentation of lb-sched",
    }
}

fn when(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RoundRobin => {
            "Every backend gets the same count, exactly, over all workers. It does not see that a backend is slow or that \
             a request is long: with backends of different strength take weighted_round_robin, with requests of very \
             different cost least_conn or two_choices."
        }
        Algorithm::WeightedRoundRobin => {
            "Shares are exactly as the weights say, and the turns of one backend are spread evenly over the round. Right \
             where requests cost about the same (p95 at most 3 times p50). A new backend gets no more than its share, so \
             long connections stay uneven for as long as they live: take least_conn there."
        }
        Algorithm::WeightedLeastConn => {
            "The least loaded backend for its weight gets the next request. Right where costs differ by orders of \
             magnitude (\"2 ms and 2 s\"), for long connections, and to fill a backend that just joined. It reads the load of \
             every backend: above 1,000 backends take two_choices, which is nearly as even. A backend that fails fast \
             looks idle: give the pool passive health rules."
        }
        Algorithm::Random => {
            "Even on average, uneven at any moment: the longest line is much longer than with two_choices, which costs \
             one more look. Mostly for comparison."
        }
        Algorithm::TwoChoices => {
            "Nearly as even as least_conn at a cost that does not grow with the number of backends, and workers do not all run to \
             the same idle backend. Right for many backends or many workers."
        }
        Algorithm::PeakEwma => {
            "Finds backends that are slow, or become slow, without being told by a weight: one bad answer counts at once and is \
             forgotten slowly. Right where speeds differ or change. With backends that are alike it is no better than two_choices."
        }
        Algorithm::Ring => {
            "The same key goes to the same backend while that one is up; a lost backend moves only its own keys. Shares are off by \
             some percent. Take it when others must compute the same placement (ketama); otherwise maglev has evener shares. \
             A few heavy keys overload their backend: set bounded_load_percent."
        }
        Algorithm::Maglev => {
            "The same key goes to the same backend, shares are even to 1 %, and a pick is one look into a table. A lost backend moves \
             its own keys and up to 2 % of the others. A few heavy keys overload their backend: set bounded_load_percent."
        }
        Algorithm::Rendezvous => {
            "The same key goes to the same backend, a lost backend moves only its own keys, and there is no table to build. \
             Each pick computes one hash per backend: right for a few dozen of them."
        }
        Algorithm::First => {
            "Fills the first backend up to its max_connections, then the next, so that the last ones stay idle and can be \
             switched off. Without max_connections everything goes to the first."
        }
        _ => "",
    }
}

/// What it is best seen beside.
fn other(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::WeightedRoundRobin => Algorithm::WeightedLeastConn,
        Algorithm::Ring => Algorithm::Maglev,
        Algorithm::Maglev | Algorithm::Rendezvous => Algorithm::Ring,
        _ => Algorithm::WeightedRoundRobin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_sched_12_state_and_cost_of_every_algorithm_are_told() {
        let all = schedulers();
        for algorithm in Algorithm::ALL {
            let facts = algorithm.facts();
            for fact in [algorithm.word(), facts.suits, facts.pick_cost, facts.keeps] {
                assert!(all.contains(fact), "{fact}");
            }
            let one = scheduler(algorithm);
            for fact in [
                algorithm.word(),
                facts.suits,
                facts.pick_cost,
                facts.build_cost,
                facts.keeps,
            ] {
                assert!(one.contains(fact), "{one}");
            }
            assert!(
                !when(algorithm).is_empty() && !looks_at(algorithm).starts_with("see"),
                "{algorithm}"
            );
        }
        // "WLC must store connection counts"
        assert!(scheduler(Algorithm::WeightedLeastConn).contains("requests in flight per backend"));
    }
}
