//! What a run came to: the facts of its end, and what the rules say of them.

use crate::blame;
use crate::history::Line;
use crate::rules::{self, Breach, Counted, Held, Rule};
use crate::site::POOLS;
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) breaches: Vec<Breach>,
    pub(crate) trace: Vec<String>,
    /// What went over the network, when the trace is printed.
    pub(crate) wire: Vec<String>,
    /// Of all that went over the network.
    pub(crate) digest: u64,
    pub(crate) tally: Tally,
}

/// How much a run had of what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) whole: u64,
    pub(crate) retries: u64,
    pub(crate) tunnels: u64,
    pub(crate) upgrades: u64,
    /// By the word of the end.
    pub(crate) ends: BTreeMap<&'static str, u64>,
}

impl World {
    fn held(&self, listeners: u64) -> Held {
        let counted = self.counters.snapshot();
        let site = self.site.borrow();
        // A worker that has ended holds nothing of its own.
        let census = lb_proxy::census().unwrap_or_default();
        Held {
            clients: [
                counted.active().max(census.clients as u64),
                site.http.open() as u64,
                site.tcp.open() as u64,
            ],
            streams: (self.network.descriptors() as u64).saturating_sub(listeners),
            may_keep: 0,
            timers: census.timers as u64,
            pipes: census.pipes as u64,
        }
    }

    /// By the names of the pool and of the end, those that happened.
    fn pool_ends(&self) -> BTreeMap<(String, String), u64> {
        let mut all = BTreeMap::new();
        for pool in POOLS {
            let ends = self.counters.read_pool(pool).ends;
            for (end, count) in ends.iter().filter(|(_, count)| *count > 0) {
                all.insert((pool.to_owned(), end.as_str().to_owned()), count);
            }
        }
        all
    }

    /// All clients are gone, and for so long that nothing is kept.
    pub(crate) fn judge_quiet(&self) {
        let listeners = 1 + u64::from(self.site.borrow().has_tcp);
        let rule = Rule::NothingIsLeft;
        self.ledger
            .judge(rule, rules::nothing_is_held_without_clients(&self.held(listeners)));
        self.ledger.judge(
            Rule::TicketsReturn,
            rules::every_ticket_comes_back(&self.site.borrow().in_flight()),
        );
    }

    /// The worker has ended.
    pub(crate) fn judge(&self) -> Tally {
        let ledger = &self.ledger;
        ledger.judge(
            Rule::NothingIsLeft,
            rules::nothing_is_held_without_clients(&self.held(0)),
        );
        ledger.judge(
            Rule::TicketsReturn,
            rules::every_ticket_comes_back(&self.site.borrow().in_flight()),
        );
        for block in self.lines.try_iter() {
            let lines = String::from_utf8(block).expect("lines are text");
            ledger.change().lines.extend(lines.lines().map(line));
        }
        let snapshot = self.counters.snapshot();
        let counted = Counted {
            opened: snapshot.opened,
            requests: snapshot.requests,
            ends: snapshot
                .ends()
                .map(|(end, count)| (end.as_str().to_owned(), count))
                .collect(),
            pool_ends: self.pool_ends(),
            lost_lines: self.lost.load(Ordering::Relaxed),
            all_were_accepted: *self.weather.latency.end() <= Duration::from_millis(50),
        };
        let verdicts = {
            let history = ledger.history();
            let mut verdicts = vec![
                (
                    Rule::ResponseBelongs,
                    rules::a_response_belongs_to_its_request(&history),
                ),
                (Rule::CutLooksCut, rules::a_cut_response_never_looks_whole(&history)),
                (Rule::OneBackend, rules::what_may_not_be_repeated_comes_once(&history)),
                (Rule::BytesArrive, rules::an_upload_arrives_as_it_was_sent(&history)),
                (
                    Rule::NobodyIsServedInVain,
                    rules::who_takes_nothing_is_not_waited_for(&history, self.write_timeout, &self.way),
                ),
                (
                    Rule::NobodyIsServedInVain,
                    rules::who_resets_is_not_served_further(&history, &self.way),
                ),
                (
                    Rule::InTime,
                    rules::who_answers_in_time_is_not_late(&history, self.response_timeout, &self.way),
                ),
                (
                    Rule::InTime,
                    blame::who_is_called_late_was_asked(&history, self.response_timeout, &self.way),
                ),
                (Rule::Blame, blame::who_is_said_to_have_reset_has_left(&history)),
                (Rule::Blame, blame::a_want_of_ours_is_no_fault_of_a_backend(&history)),
                (Rule::NobodyWaits, blame::who_is_idle_makes_room(&history, &self.way)),
                (
                    Rule::Kept,
                    blame::who_asks_nothing_is_let_go(&history, self.keep_alive.0, &self.way),
                ),
                (
                    Rule::Kept,
                    blame::an_answer_of_our_own_keeps_the_connection(&history, self.keep_alive.1),
                ),
                (Rule::EndsOnce, rules::each_end_is_counted_once(&history, &counted)),
            ];
            for tunnel in &history.tunnels {
                let ip = tunnel.ip.to_string();
                let was = |end| history.lines.iter().any(|line| line.client == ip && line.end == end);
                let by = match (was("tunnel_idle"), was("drain_deadline")) {
                    (true, _) => rules::EndedBy::Idleness,
                    (false, true) => rules::EndedBy::Deadline,
                    (false, false) => rules::EndedBy::Peers,
                };
                verdicts.push((
                    Rule::BytesArrive,
                    rules::a_tunnel_delivers_what_a_direct_connection_would(tunnel, by, &self.way),
                ));
            }
            verdicts
        };
        for (rule, verdict) in verdicts {
            ledger.judge(rule, verdict);
        }
        let history = ledger.history();
        Tally {
            requests: snapshot.requests,
            whole: history
                .asked
                .iter()
                .filter(|asked| asked.answer.is_some_and(|answer| answer.is_whole))
                .count() as u64,
            retries: snapshot.retries,
            tunnels: history.tunnels.len() as u64,
            upgrades: history
                .asked
                .iter()
                .filter(|asked| asked.answer.is_some_and(|a| a.status == 101))
                .count() as u64,
            ends: snapshot
                .ends()
                .filter(|(_, n)| *n > 0)
                .map(|(end, n)| (end.as_str(), n))
                .collect(),
        }
    }
}

fn line(text: &str) -> Line {
    let line: serde_json::Value = serde_json::from_str(text).expect("a line is JSON");
    let began_at = since_begin(line["time"].as_str().unwrap_or_default());
    let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    Line {
        listener: word("listener"),
        pool: word("pool"),
        client: word("client"),
        target: word("target"),
        end: word("end"),
        detail: word("detail"),
        backend: word("backend"),
        began_at,
        ended_at: began_at + Duration::from_micros(line["total_us"].as_u64().unwrap_or_default()),
    }
}

/// A simulated network begins at one second behind midnight.
fn since_begin(time: &str) -> Duration {
    let part = |from: usize, to: usize| {
        time.get(from..to)
            .and_then(|part| part.parse::<u64>().ok())
            .unwrap_or_default()
    };
    let seconds = part(11, 13) * 3_600 + part(14, 16) * 60 + part(17, 19);
    Duration::from_millis((seconds * 1_000 + part(20, 23)).saturating_sub(1_000))
}
