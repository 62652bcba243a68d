use super::*;
use crate::log::Log;
use lb_sched::Algorithm;
use std::io::Cursor;

/// nginx lines, 100 a second: `took` gives the seconds of each.
fn log(count: usize, took: impl Fn(usize) -> f64) -> String {
    let line = |n: usize| {
        let (second, minute) = (n / 100 % 60, n / 6000);
        format!(
            "203.0.113.{} - - [21/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET /a HTTP/1.1\" 200 612 \"-\" \"c\" rt={:.3} urt=\"{:.3}\" upstream=\"10.0.0.{}:80\"\n",
            n % 250 + 1,
            took(n),
            took(n),
            n % 3 + 1
        )
    };
    (0..count).map(line).collect()
}

fn advise(text: String) -> (Advice, Profile) {
    let mut log = Log::new(Cursor::new(text), None).unwrap();
    let mut profile = Profile::read(&mut log, None);
    (Advice::of(&mut profile), profile)
}

#[test]
fn s_sched_09_costs_orders_of_magnitude_apart_ask_for_least_connections() {
    // one request in ten takes 2 s, the others 20 ms: p95/p50 = 100
    let (advice, _) = advise(log(12_000, |n| if n.is_multiple_of(10) { 2.0 } else { 0.020 }));
    assert_eq!(advice.algorithm, Algorithm::WeightedLeastConn);
    assert!(
        advice.reasons[0].contains("p95 is 100 times p50 (2 s and 20 ms)"),
        "{:?}",
        advice.reasons
    );
    assert_eq!(advice.certainty, Certainty::High);
}

#[test]
fn s_sched_09_costs_alike_ask_for_weighted_round_robin() {
    // p95/p50 = 3
    let (advice, _) = advise(log(3000, |n| if n.is_multiple_of(10) { 0.060 } else { 0.020 }));
    assert_eq!(advice.algorithm, Algorithm::WeightedRoundRobin);
    assert!(advice.reasons[0].contains("p95 is 3 times p50"), "{:?}", advice.reasons);
    assert_eq!(advice.certainty, Certainty::Fair);
}

#[test]
fn s_sched_09_between_the_two_it_says_so() {
    for slow in [0.061, 1.999] {
        let (advice, _) = advise(log(900, |n| if n.is_multiple_of(10) { slow } else { 0.020 }));
        assert_eq!(advice.algorithm, Algorithm::TwoChoices, "{slow}");
        assert!(
            advice.reasons[0].contains("weighted round robin is for up to 3, weighted least connections from 100 on")
        );
        assert_eq!(advice.certainty, Certainty::Low);
    }
}

#[test]
fn slower_backends_get_lower_weights_and_peak_ewma_is_named() {
    // the third backend takes twice as long; costs differ in between
    let cost = |n: usize| if n.is_multiple_of(10) { 0.200 } else { 0.020 } * if n % 3 == 2 { 2.0 } else { 1.0 };
    let (advice, _) = advise(log(6000, cost));
    let weights: Vec<(&str, u16)> = advice
        .weights
        .iter()
        .map(|(name, weight)| (name.as_str(), *weight))
        .collect();
    assert_eq!(weights, [("10.0.0.1:80", 2), ("10.0.0.2:80", 2), ("10.0.0.3:80", 1)]);
    assert_eq!(advice.algorithm, Algorithm::TwoChoices);
    assert!(advice.reasons[1].contains("peak_ewma"), "{:?}", advice.reasons);
}

#[test]
fn the_printed_pool_is_a_configuration() {
    let cost = |n: usize| if n % 3 == 2 { 0.040 } else { 0.020 };
    let named = log(3000, cost);
    let unnamed = named.replace("upstream=", "x=");
    let strange = "10.0.1.2:1 [06/Feb/2009:12:14:14.655] in st\"at/sr\\v1 1/0/3/9/19 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"\n".repeat(200);
    for text in [named, unnamed, strange] {
        let (advice, _) = advise(text);
        let toml = advice.toml();
        let pool = toml.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
        let file =
            format!("version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:8080\"\npool = {pool}\n{toml}");
        let resolved = lb_config::resolve(&lb_config::parse("lbd.toml", &file), &lb_config::Nowhere);
        let plan = resolved.unwrap_or_else(|problems| panic!("{problems}\n{file}")).plan;
        assert_eq!(plan.pools[0].algorithm, advice.algorithm);
    }
}

#[test]
fn a_log_without_durations_gets_the_default_and_the_way_to_log_them() {
    let text: String = log(500, |_| 0.0)
        .lines()
        .map(|line| format!("{}\n", line.split(" rt=").next().unwrap()))
        .collect();
    let (advice, _) = advise(text);
    assert_eq!(
        (advice.algorithm, advice.certainty),
        (Algorithm::WeightedRoundRobin, Certainty::Guess)
    );
    assert!(advice.reasons[0].contains("$upstream_response_time"));
}

#[test]
fn the_pool_with_most_requests_is_looked_at_unless_told_otherwise() {
    let line = |pool: &str, server: &str| {
        format!(
            "10.0.1.2:1 [06/Feb/2009:12:14:14.655] in {pool}/{server} 1/0/3/9/19 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET / HTTP/1.1\"\n"
        )
    };
    let text = line("api", "a1").repeat(10) + &line("static", "s1").repeat(30);
    let read = |pool| Profile::read(&mut Log::new(Cursor::new(text.clone()), None).unwrap(), pool);
    let profile = read(None);
    assert_eq!((profile.pool.as_deref(), profile.survey.requests), (Some("static"), 30));
    assert_eq!(profile.other_pools, [("api".to_owned(), 10)]);
    assert_eq!(read(Some("api")).survey.requests, 10);
    assert_eq!(read(Some("none")).survey.requests, 0);
}

#[test]
fn the_rehearsal_serves_every_request_of_the_log_at_seventy_percent() {
    let (advice, mut profile) = advise(log(12_000, |n| if n.is_multiple_of(10) { 2.0 } else { 0.020 }));
    let (mut result, setting) = advice.rehearse(&profile, 1).unwrap();
    assert_eq!(result.requests, 12_000);
    assert!((result.offered - 0.7).abs() < 0.02, "{}", result.offered);
    assert!(result.outcomes.iter().all(|outcome| outcome.done == 12_000));
    let text = advice.text(&mut profile, &mut result, &setting);
    for part in [
        "Format: common or combined log format (Apache, nginx), found by looking at it.",
        "Recommended: least_conn (certainty: high, by 12,000 requests)",
        "algorithm = \"least_conn\"",
        "10.0.0.3:80",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
