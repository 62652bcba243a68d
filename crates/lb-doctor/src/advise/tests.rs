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
    let mut rehearsal = advice.rehearse(&profile, 1).unwrap().unwrap();
    let result = &rehearsal.comparison;
    assert_eq!(result.requests, 12_000);
    assert!((result.offered - 0.7).abs() < 0.02, "{}", result.offered);
    assert!(result.outcomes.iter().all(|outcome| outcome.done == 12_000));
    let text = advice.text(&mut profile, Some(&mut rehearsal));
    for part in [
        "Format: common or combined log format (Apache, nginx), found by looking at it.",
        "Durations: the value named urt or upstream_response_time, in seconds.",
        "Recommended: least_conn (certainty: high, by 12,000 requests)",
        "algorithm = \"least_conn\"",
        "10.0.0.3:80",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

/// nginx lines of four backends in turn, 20 a second: 10 ms, a part of them 5 s, both within 20 %; `times` gives how
/// many times as long each backend takes.
fn mixed(slow: f64, seed: u64, times: [f64; 4]) -> String {
    let mut rng = lb_types::Rng::new(seed);
    let mut uniform = move || rng.below(1_000_000) as f64 / 1e6;
    let line = |n: usize| {
        let cost = if uniform() < slow { 5.0 } else { 0.010 };
        let took = cost * (0.8 + 0.4 * uniform()) * times[n % 4];
        let (minute, second) = (n / 1200 % 60, n / 20 % 60);
        format!(
            "10.0.0.{} - - [10/Oct/2026:13:{minute:02}:{second:02} +0000] \"GET /p HTTP/1.1\" 200 123 \"-\" \"ua\" rt={took:.3} urt=\"{took:.3}\" upstream=\"10.1.0.{}:80\"\n",
            n % 200,
            n % 4
        )
    };
    (0..20_000).map(line).collect()
}

fn numbers(advice: &Advice) -> Vec<u16> {
    advice.weights.iter().map(|(_, weight)| *weight).collect()
}

#[test]
fn backends_alike_have_equal_weights_whatever_part_of_their_requests_is_slow() {
    for slow in [0.05, 0.08, 0.10, 0.11, 0.12, 0.20, 0.30] {
        for seed in 1..4 {
            let (advice, _) = advise(mixed(slow, seed, [1.0; 4]));
            assert_eq!(
                numbers(&advice),
                [1; 4],
                "{slow} of them slow, seed {seed}: {:?}",
                advice.notes
            );
        }
    }
}

#[test]
fn half_as_fast_is_half_the_weight_whatever_part_of_the_requests_is_slow() {
    for slow in [0.0, 0.05, 0.10, 0.12, 0.30] {
        let (advice, _) = advise(mixed(slow, 1, [1.0, 1.0, 2.0, 1.0]));
        assert_eq!(
            numbers(&advice),
            [2, 2, 1, 2],
            "{slow} of them slow: {:?}",
            advice.notes
        );
        assert!(advice.reasons.iter().any(|reason| reason.contains("geometric mean")));
    }
}

#[test]
fn few_requests_that_differ_much_do_not_make_backends_differ() {
    // 100 each, a tenth of them slow: the standard error of a difference is 1.9 x sqrt(2/100) = 0.26, so twice as
    // slow is 2.6 of them and may be chance; ten times as slow is 8.7 of them
    let head = |text: String| text.lines().take(400).map(|line| format!("{line}\n")).collect();
    let (advice, _) = advise(head(mixed(0.10, 1, [1.0; 4])));
    assert_eq!(numbers(&advice), [1; 4], "{:?}", advice.notes);
    let (advice, _) = advise(head(mixed(0.10, 1, [1.0, 1.0, 10.0, 1.0])));
    let weights = numbers(&advice);
    assert!(weights[0] >= 4 * weights[2], "{weights:?}");
}

#[test]
fn durations_of_zero_count_as_what_the_log_can_tell() {
    // one in five is below a millisecond, everywhere: the third backend is still half as fast
    let cost = |n: usize| match (n % 15 < 3, n % 3) {
        (true, _) => 0.0,
        (_, 2) => 0.040,
        _ => 0.020,
    };
    // times of 10 ms and a multiple: a zero counts as 10 ms, so it is 2^0.8 = 1.74 times as long, which is 6 tenths
    let (advice, _) = advise(log(3000, cost));
    assert_eq!(numbers(&advice), [5, 5, 3]);
    // most of one backend's are below: how fast it is, is not known
    let (advice, _) = advise(log(3000, |n| if n % 3 == 2 { 0.0 } else { 0.020 }));
    assert_eq!(numbers(&advice), [1; 3]);
}

#[test]
fn a_long_or_unprintable_name_is_one_backend() {
    for (name, shown) in [
        ("a".repeat(125), "a".repeat(125)),
        ("b".repeat(500), "b".repeat(128)),
        ("c\\u0007c".to_owned(), "cc".to_owned()),
    ] {
        let line = |n: usize, name: &str| {
            format!("{{\"ts\":{n}.5,\"status\":200,\"backend\":\"{name}\",\"total_us\":20000}}\n")
        };
        let text: String = (0..300).map(|n| line(n, &name) + &line(n, "other")).collect();
        let (advice, profile) = advise(text);
        let names: Vec<&str> = profile.backends.iter().map(|b| b.name.as_str()).collect();
        let mut wanted = [shown.as_str(), "other"];
        wanted.sort_unstable();
        assert_eq!(names, wanted);
        assert!(profile.backends.iter().all(|b| b.durations.count() == 300));
        assert_eq!(advice.weights.len(), 2);
        assert!(
            advice.notes.iter().any(|note| note.contains("equally fast")),
            "{:?}",
            advice.notes
        );
        assert!(advice.toml().contains(&shown));
    }
    let (advice, _) = advise("{\"ts\":1.5,\"status\":200,\"backend\":\"\\u0007\",\"total_us\":20000}\n".repeat(10));
    assert!(advice.weights.is_empty(), "nothing is left of its name");
}

#[test]
fn without_durations_nothing_is_simulated_and_nothing_made_up() {
    let line = |n: usize| {
        let (minute, second) = (n / 600 % 60, n / 10 % 60);
        format!(
            "203.0.113.{} - - [21/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 612 \"-\" \"c\" {n} 3362\n",
            n % 250
        )
    };
    let (advice, mut profile) = advise((1..3000).map(line).collect());
    assert_eq!(
        (advice.certainty, advice.algorithm),
        (Certainty::Guess, Algorithm::WeightedRoundRobin)
    );
    assert!(advice.rehearse(&profile, 1).unwrap().is_none());
    let text = advice.text(&mut profile, None);
    let page = advice.html(&mut profile, None, "access.log");
    for shown in [&text, &page] {
        assert!(shown.contains("Durations: none."), "{shown}");
        assert!(shown.contains("may be a duration or a number of bytes"), "{shown}");
        assert!(shown.contains("No simulation"), "{shown}");
        for made_up in ["p99", "least_conn (", "% of the work", "20 ms"] {
            assert!(!shown.contains(made_up), "{made_up}: {shown}");
        }
    }
    assert!(advice.json(&mut profile, None).contains("\"simulation\": null"));
}

#[test]
fn requests_without_a_duration_are_given_one_like_the_others() {
    // one in ten is timed, at 500 ms
    let line = |n: usize| {
        let took = if n.is_multiple_of(10) { "rt=0.500" } else { "rt=-" };
        format!(
            "203.0.113.1 - - [21/Nov/2026:10:00:{:02} +0000] \"GET / HTTP/1.1\" 200 612 \"-\" \"c\" {took}\n",
            n / 50
        )
    };
    let (advice, profile) = advise((0..3000).map(line).collect());
    let rehearsal = advice.rehearse(&profile, 1).unwrap().unwrap();
    let mean = rehearsal.comparison.work.mean();
    assert!((0.45..0.55).contains(&mean.as_secs_f64()), "{mean:?}");
    assert!(
        rehearsal
            .setting
            .notes
            .iter()
            .any(|note| note.starts_with("2,700 of them have no duration")),
        "{:?}",
        rehearsal.setting.notes
    );
}

/// 500 requests of 2 ms within 50 ms, then nothing for a minute, and so on.
fn bursts() -> String {
    let line = |n: usize| {
        let (minute, millis) = (n / 500, n % 500 / 10);
        format!(
            "{{\"time\":\"2026-11-21T10:{minute:02}:00.{millis:03}Z\",\"client\":\"192.0.2.1\",\"total_us\":2000,\"backend\":\"b{}\"}}\n",
            n % 3
        )
    };
    (0..6000).map(line).collect()
}

#[test]
fn a_log_of_bursts_is_not_judged_by_lines_that_nobody_saw() {
    let (advice, mut profile) = advise(bursts());
    let mut rehearsal = advice.rehearse(&profile, 1).unwrap().unwrap();
    for outcome in &mut rehearsal.comparison.outcomes {
        let p50 = outcome.latency.quantile(50.0);
        assert!(p50 <= std::time::Duration::from_millis(6), "{}: {p50:?}", outcome.name);
    }
    let note = rehearsal
        .setting
        .notes
        .iter()
        .find(|note| note.starts_with("The log comes in bursts"));
    assert!(
        note.is_some_and(|note| note.contains("where they took 2 ms")),
        "{:?}",
        rehearsal.setting.notes
    );
    let text = advice.text(&mut profile, Some(&mut rehearsal));
    assert!(text.contains("The log comes in bursts"), "{text}");
}

#[test]
fn the_page_says_all_that_the_text_says() {
    let (advice, mut profile) = advise(log(12_000, |n| if n.is_multiple_of(10) { 2.0 } else { 0.020 }));
    let mut rehearsal = advice.rehearse(&profile, 1).unwrap().unwrap();
    let page = advice.html(&mut profile, Some(&mut rehearsal), "/var/log/<a>.log");
    assert!(crate::report::is_page(page.as_bytes()));
    for part in [
        "Advice for /var/log/&lt;a&gt;.log: least_conn",
        "12,000 requests in",
        "by 12,000 requests",
        "Requests differ in cost by orders of magnitude",
        "Durations: the value named urt",
        "<td>10.0.0.3:80</td>",
        "algorithm = &quot;least_conn&quot;\n",
        "The algorithms at work on this log",
        "id=\"latency\"",
        "\"certainty\": \"high\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for note in &advice.notes {
        assert!(page.contains(&crate::report::escape(note)), "{note}");
    }
}

/// Our own default lines: `peers` addresses connect, and say that they do so for `clients`.
fn behind_a_proxy(count: usize, peers: usize, clients: usize) -> String {
    let line = |n: usize| {
        format!(
            "192.0.2.{} - - [21/Nov/2026:10:00:{:02} +0000] \"GET /a HTTP/1.1\" 200 612 \"-\" \"c\" \"6.6.6.{}, 198.51.100.{}\" rt=0.020000 pool=app backend=web{} why=scheduled\n",
            n % peers,
            n / 100 % 60,
            n % 250,
            n % clients,
            n % 2
        )
    };
    (0..count).map(line).collect()
}

#[test]
fn clients_behind_a_trusted_proxy_are_counted_by_the_last_element_of_the_chain() {
    let (advice, profile) = advise(behind_a_proxy(3000, 1, 60));
    assert_eq!((profile.clients, profile.proxies), (60, Some(1)));
    let notes = advice.notes.join("\n");
    assert!(notes.contains("60 clients, 50 requests each on average"), "{notes}");
    assert!(
        notes.contains("last element of X-Forwarded-For") && notes.contains("over 1 address)"),
        "{notes}"
    );
    assert!(!notes.contains("trust its X-Forwarded-For"), "{notes}");
    // few of them: still true
    let (advice, profile) = advise(behind_a_proxy(3000, 2, 6));
    assert_eq!((profile.clients, profile.proxies), (6, Some(2)));
    assert!(
        advice.notes.join("\n").contains("so use a cookie"),
        "{:?}",
        advice.notes
    );
    // one address for each: clients that write the field themselves
    let (_, profile) = advise(behind_a_proxy(3000, 60, 60));
    assert_eq!((profile.clients, profile.proxies), (60, None));
    // one client behind one proxy
    let (_, profile) = advise(behind_a_proxy(3000, 1, 1));
    assert_eq!((profile.clients, profile.proxies), (1, None));
}

#[test]
fn one_of_a_thing_is_said_as_one() {
    // a number, then a word that should be one of it, or a verb that should follow one
    let wrong = |text: &str| {
        let words: Vec<&str> = text
            .split_whitespace()
            .map(|word| word.trim_matches(['(', ')', ',', ';', ':', '.']))
            .collect();
        let place = words.windows(2).position(|pair| {
            let one = matches!(pair[0], "1" | "one");
            let many = matches!(pair[0], "2" | "two");
            let thing = pair[1].trim_end_matches('s');
            let is_thing = matches!(
                thing,
                "request" | "client" | "line" | "backend" | "pool" | "algorithm" | "connection"
            );
            is_thing && ((one && pair[1].ends_with('s')) || (many && !pair[1].ends_with('s')))
        });
        place.map(|place| words[place.saturating_sub(2)..(place + 4).min(words.len())].join(" "))
    };
    assert!(
        wrong("of 1 requests in").is_some() && wrong("2 client ").is_some() && wrong("1 request, 2 clients").is_none()
    );
    for count in [1, 2] {
        let bad = "nonsense\n".repeat(count);
        let lone = "203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 500 6 \"-\" \"c\"\n";
        for text in [
            log(count, |_| 0.020),
            behind_a_proxy(count, 1, 2),
            behind_a_proxy(count, 2, 2),
            log(count, |_| 0.020) + &bad + &lone.repeat(count),
            lone.repeat(count) + &bad,
        ] {
            let (advice, mut profile) = advise(text);
            let mut rehearsal = advice.rehearse(&profile, 1).unwrap();
            let shown = advice.text(&mut profile, rehearsal.as_mut());
            assert_eq!(wrong(&shown), None, "{shown}");
            let page = advice
                .html(&mut profile, rehearsal.as_mut(), "x.log")
                .replace(['<', '>'], " ");
            assert_eq!(wrong(&page), None, "{page}");
            if count == 1 {
                for plural in [
                    "1 requests",
                    "1 lines",
                    "1 request are",
                    "1 of them have",
                    "1 of 2 lines have",
                ] {
                    assert!(!shown.contains(plural), "{plural}: {shown}");
                }
            }
        }
    }
    let (advice, mut profile) = advise(log(1, |_| 0.020));
    let text = advice.text(&mut profile, None);
    assert!(
        text.contains("1 request in 1 s.") && text.contains("(certainty: low, 1 request is few)"),
        "{text}"
    );
    assert!(text.contains("1 client, 1 request;"), "{text}");
}
