use super::*;
use lb_sched::Algorithm;
use lb_types::Time;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn one(algorithm: Algorithm) -> [Contender; 1] {
    [Contender::from(algorithm)]
}

/// `places` places of one backend, exponential service of 10 ms, `load` of what it can do.
fn queue(places: u32, load: f64, service: Service, seconds: u64) -> (Outcome, f64) {
    let mut backend = Backend::new("a");
    backend.places = places;
    let rate = load * f64::from(places) / 0.010;
    let mut traffic = Traffic::new(rate);
    traffic.service = service;
    traffic.span = Duration::from_secs(seconds);
    let options = Options::default();
    let result = compare(
        &one(Algorithm::RoundRobin),
        &[backend],
        &options,
        traffic.requests(7),
        Some(traffic.span),
    );
    (result.unwrap().outcomes.remove(0), rate)
}

fn exponential() -> Service {
    Service::Exponential {
        mean: Duration::from_millis(10),
    }
}

fn assert_near(got: f64, want: f64, part: f64) {
    assert!((got / want - 1.0).abs() < part, "{got} instead of {want}");
}

// Theory: L. Kleinrock, Queueing Systems, volume 1 (1975).

#[test]
fn one_place_with_exponential_service_is_the_queue_mm1() {
    // load 0.7: mean in the system 0.7/0.3, waiting 0.49/0.3, time in the system 10 ms/0.3; 210,000 requests, and the
    // relative error of such a mean is about 2 %
    let (mut outcome, rate) = queue(1, 0.7, exponential(), 3000);
    assert_near(outcome.requests as f64, rate * 3000.0, 0.01);
    assert_near(outcome.latency.mean().as_secs_f64(), 0.010 / 0.3, 0.06);
    assert_near(outcome.queue_mean, 0.49 / 0.3, 0.08);
    assert_near(outcome.backends[0].in_flight_mean, 0.7 / 0.3, 0.06);
    assert_near(outcome.backends[0].utilisation, 0.7, 0.02);
    // time in the system is exponential: p50 = ln 2 of the mean, p99 = ln 100
    assert_near(
        outcome.latency.quantile(50.0).as_secs_f64(),
        0.010 / 0.3 * 2_f64.ln(),
        0.06,
    );
    assert_near(
        outcome.latency.quantile(99.0).as_secs_f64(),
        0.010 / 0.3 * 100_f64.ln(),
        0.1,
    );
}

#[test]
fn constant_service_halves_the_line() {
    // M/D/1, Pollaczek and Khinchine: waiting = load^2 / (2 (1 - load)) = 0.49/0.6
    let (outcome, _) = queue(1, 0.7, Service::Constant(Duration::from_millis(10)), 2000);
    assert_near(outcome.queue_mean, 0.49 / 0.6, 0.06);
}

#[test]
fn two_places_are_the_queue_mm2() {
    // M/M/2 with load 0.7 each: mean waiting = 2 load^3 / (1 - load^2) = 0.686/0.51
    let (outcome, _) = queue(2, 0.7, exponential(), 2000);
    assert_near(outcome.queue_mean, 0.686 / 0.51, 0.08);
}

/// Little's law holds for any traffic, any algorithm: in flight = rate x time in the system.
#[test]
fn littles_law_holds_for_every_algorithm() {
    let mut list = backends("3,2,1").unwrap();
    list[1].places = 4;
    let mut traffic = Traffic::new(60.0);
    traffic.span = Duration::from_secs(400);
    let result = compare(
        &Contender::all(&list),
        &list,
        &Options::default(),
        traffic.requests(5),
        Some(traffic.span),
    )
    .unwrap();
    for outcome in &result.outcomes {
        let in_flight: f64 = outcome.backends.iter().map(|b| b.in_flight_mean).sum();
        let rate = outcome.requests as f64 / 400.0;
        // those that are there at the end count in full for the latency
        assert!(
            (in_flight / (rate * outcome.latency.mean().as_secs_f64()) - 1.0).abs() < 0.03,
            "{}",
            outcome.name
        );
    }
}

fn troubled() -> (Vec<Backend>, Traffic) {
    let mut list = backends("10,10,5,1").unwrap();
    list[0].set("fail=5s..9s,fail=12s..12500ms,slow_start=4s").unwrap();
    list[1].set("limit=3,slow=2s..4s*0.2").unwrap();
    list[2].set("join=8s,slow_start=2s,concurrency=3").unwrap();
    list[3].set("held=4,fail=18s..").unwrap();
    let mut traffic = Traffic::new(120.0);
    traffic.arrivals = "bursts:1s/1s".parse().unwrap();
    traffic.service = "pareto:15ms:1.3".parse().unwrap();
    traffic.clients = Clients::new(300, 1.0).unwrap();
    traffic.span = Duration::from_secs(20);
    (list, traffic)
}

#[test]
fn every_request_is_answered_or_lost_whatever_happens() {
    let (list, traffic) = troubled();
    for seed in 0..4 {
        let requests: Vec<Request> = traffic.requests(seed).collect();
        let options = Options::default();
        let result = compare(
            &Contender::all(&list),
            &list,
            &options,
            requests.iter().copied(),
            Some(traffic.span),
        )
        .unwrap();
        assert_eq!(result.requests, requests.len() as u64, "seed {seed}");
        let mut errors = 0;
        for outcome in &result.outcomes {
            let name = &outcome.name;
            assert_eq!(outcome.requests, result.requests, "seed {seed}, {name}");
            assert_eq!(outcome.done + outcome.errors(), outcome.requests, "seed {seed}, {name}");
            let picks: u64 = outcome.backends.iter().map(|b| b.picks).sum();
            assert_eq!(
                picks,
                outcome.done + outcome.cut + outcome.overflow,
                "seed {seed}, {name}"
            );
            assert_eq!(outcome.latency.count(), outcome.done, "seed {seed}, {name}");
            let wanted: f64 = outcome.backends.iter().map(|b| b.wanted).sum();
            assert!(
                (wanted - outcome.requests as f64).abs() < 0.01,
                "seed {seed}, {name}: {wanted}"
            );
            assert!(
                outcome.backends[1].in_flight_worst <= 3,
                "seed {seed}, {name}: above the limit"
            );
            errors += outcome.errors();
        }
        assert!(errors > 0, "seed {seed}: backends died with requests, so some are lost");
    }
}

#[test]
fn the_same_seed_gives_the_same_result_and_another_one_does_not() {
    let (list, traffic) = troubled();
    let text = |seed| {
        let requests = traffic.requests(seed);
        let mut result = compare(
            &Contender::all(&list),
            &list,
            &Options::default(),
            requests,
            Some(traffic.span),
        )
        .unwrap();
        result.text(&crate::report::Setting::new("x"))
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn all_algorithms_meet_the_same_requests() {
    let traffic = Traffic::new(100.0);
    let all: Vec<Request> = traffic.requests(3).collect();
    assert_eq!(all, traffic.requests(3).collect::<Vec<_>>());
    // another service time moves no arrival and no client
    let mut slower = traffic.clone();
    slower.service = "const:1s".parse().unwrap();
    for (a, b) in all.iter().zip(slower.requests(3)) {
        assert_eq!((a.at, a.hash, a.entropy), (b.at, b.hash, b.entropy));
    }
}

#[test]
fn arrivals_have_the_rate_that_was_asked_for() {
    for (arrivals, tolerance) in [("uniform", 0.001), ("poisson", 0.015), ("bursts:1s/9s", 0.02)] {
        let mut traffic = Traffic::new(1000.0);
        traffic.arrivals = arrivals.parse().unwrap();
        traffic.span = Duration::from_secs(100);
        let all: Vec<Request> = traffic.requests(11).collect();
        assert_near(all.len() as f64, 100_000.0, tolerance);
        assert!(all.iter().map(|r| r.at).is_sorted(), "{arrivals}");
    }
    let mut traffic = Traffic::new(1000.0);
    traffic.arrivals = "bursts:1s/9s".parse().unwrap();
    let in_burst = |at: Time| at.since(Time::ZERO).as_millis() % 10_000 < 1000;
    assert!(
        traffic.requests(1).all(|r| in_burst(r.at)),
        "nothing comes in the pauses"
    );
}

#[test]
fn services_have_the_mean_that_was_asked_for_and_their_shape() {
    for (text, tolerance) in [
        ("const:20ms", 1e-9),
        ("exp:20ms", 0.02),
        ("lognormal:20ms:1", 0.03),
        ("pareto:20ms:3", 0.03),
        ("mix:2ms*95+2s*5", 0.05),
    ] {
        let service: Service = text.parse().unwrap();
        let mut rng = lb_types::Rng::new(9);
        let sum: f64 = (0..100_000).map(|_| service.draw(&mut rng).as_secs_f64()).sum();
        assert_near(sum / 100_000.0, service.mean().as_secs_f64(), tolerance);
    }
    let mean = "mix:2ms*95+2s*5".parse::<Service>().unwrap().mean();
    assert_eq!(mean.as_micros(), 101_900, "0.95 x 2 ms + 0.05 x 2 s");
}

#[test]
fn zipf_gives_the_first_client_its_share() {
    // exponent 1, 100 clients: the first has 1/H(100) = 1/5.187 of all
    let mut traffic = Traffic::new(1000.0);
    traffic.clients = Clients::new(100, 1.0).unwrap();
    let all: Vec<Request> = traffic.requests(2).collect();
    let first = all.iter().filter(|r| r.hash == Some(super::traffic::key(0))).count();
    assert_near(first as f64 / all.len() as f64, 1.0 / 5.187_377_5, 0.05);
}

#[test]
fn a_dead_backend_gets_nothing_once_noticed_and_its_share_afterwards() {
    let mut list = backends("1,1").unwrap();
    list[1].fails.push(10 * SECOND..20 * SECOND);
    let mut traffic = Traffic::new(10.0);
    traffic.arrivals = Arrivals::Uniform;
    traffic.service = "const:1ms".parse().unwrap();
    traffic.span = 40 * SECOND;
    let options = Options::default();
    let result = compare(
        &one(Algorithm::RoundRobin),
        &list,
        &options,
        traffic.requests(1),
        Some(traffic.span),
    )
    .unwrap();
    let outcome = &result.outcomes[0];
    // refused ones are tried at the other: none is lost. A refusal takes one turn and the second attempt the other, so
    // all 20 requests of the two seconds begin at the dead one
    assert_eq!((outcome.errors(), outcome.retries), (0, 20));
    // half of 10 s before, nothing for 12 s (2 s to notice the death, 2 s to notice the recovery), half of 18 s
    let second = outcome.backends[1].picks;
    assert!((139..=141).contains(&second), "{second}");
    let wanted = outcome.backends[1].wanted;
    assert!(
        (149.0..=151.0).contains(&wanted),
        "its weight asks for half of the 30 s that it is believed in: {wanted}"
    );
}

#[test]
fn a_backend_that_joins_gets_a_growing_share() {
    let mut list = backends("10,10").unwrap();
    list[1].set("join=10s,slow_start=10s").unwrap();
    let mut traffic = Traffic::new(100.0);
    traffic.arrivals = Arrivals::Uniform;
    traffic.service = "const:1ms".parse().unwrap();
    traffic.span = 20 * SECOND;
    let options = Options::default();
    let contender = one(Algorithm::WeightedRoundRobin);
    let result = compare(&contender, &list, &options, traffic.requests(1), Some(traffic.span)).unwrap();
    // weights 10:1 to 10:10 in ten steps of 100 requests each: the sum of 100 i/(10 + i) over i = 1..10 is 331.23
    let joined = result.outcomes[0].backends[1].picks as f64;
    assert!((joined - 331.2).abs() < 12.0, "{joined}");
    assert!(
        (result.outcomes[0].imbalance() - 1.0).abs() < 0.03,
        "shares follow the weights of the moment"
    );
}

#[test]
fn overload_is_called_overload() {
    let list = backends("1").unwrap();
    let mut traffic = Traffic::new(200.0);
    traffic.span = 5 * SECOND;
    let mut result = compare(
        &Contender::all(&list),
        &list,
        &Options::default(),
        traffic.requests(1),
        Some(traffic.span),
    )
    .unwrap();
    assert!(result.offered > 3.0);
    assert!(
        result.verdict().starts_with("The backends are overloaded"),
        "{}",
        result.verdict()
    );
}

#[test]
fn an_algorithm_whose_shares_are_far_from_the_weights_is_not_called_sufficient() {
    let mut list = backends("256,1").unwrap();
    list.iter_mut().for_each(|backend| backend.places = 4);
    let traffic = Traffic::new(100.0);
    let verdict = |words: &[Algorithm]| {
        let contenders: Vec<Contender> = words.iter().copied().map(Contender::from).collect();
        let requests = traffic.requests(1);
        let result = compare(&contenders, &list, &Options::default(), requests, Some(traffic.span));
        let mut result = result.unwrap();
        let name = result.best().map(|place| result.outcomes[place].name.clone()).unwrap();
        (result.verdict(), name)
    };
    let (text, best) = verdict(&[Algorithm::WeightedRoundRobin, Algorithm::TwoChoices]);
    assert_eq!(best, "weighted_round_robin", "{text}");
    assert!(
        text.contains("two_choices gives light backends far more than their weight: up to "),
        "{text}"
    );
    assert!(!text.contains("two_choices will do"), "{text}");
    // where no other takes part, nothing is called sufficient
    let (text, _) = verdict(&[Algorithm::TwoChoices, Algorithm::WeightedLeastConn]);
    assert!(!text.contains("will do"), "{text}");
    assert!(text.contains("give light backends far more"), "{text}");
    // where shares follow the weights, nothing is said of that
    let even = backends("1,1,1,1").unwrap();
    let requests = traffic.requests(1);
    let mut result = compare(
        &Contender::all(&even),
        &even,
        &Options::default(),
        requests,
        Some(traffic.span),
    )
    .unwrap();
    assert!(!result.verdict().contains("light backends"), "{}", result.verdict());
}

#[test]
fn requests_without_work_are_nothing_to_compare() {
    let list = backends("1,1").unwrap();
    let request = |n: u64| Request {
        at: Time::from_nanos(n),
        work: Duration::ZERO,
        hash: None,
        entropy: n,
    };
    let contenders = Contender::all(&list);
    let mut result = compare(&contenders, &list, &Options::default(), (0..100).map(request), None).unwrap();
    assert_eq!(
        result.verdict(),
        "The requests are no work, so there is nothing to compare."
    );
}

#[test]
fn a_line_has_a_bound() {
    let list = backends("1").unwrap();
    let request = |n: u64| Request {
        at: Time::from_nanos(n),
        work: SECOND,
        hash: None,
        entropy: 0,
    };
    let result = compare(
        &one(Algorithm::RoundRobin),
        &list,
        &Options::default(),
        (0..100_010).map(request),
        None,
    )
    .unwrap();
    let outcome = &result.outcomes[0];
    // one is at work, 100,000 wait
    assert_eq!(
        (outcome.overflow, outcome.queue_worst, outcome.done),
        (9, 100_000, 100_001)
    );
}

#[test]
fn nothing_to_compare_is_an_error_with_the_reason() {
    let none: Vec<Request> = Vec::new();
    let check = |contenders: &[Contender], list: &[Backend]| {
        compare(contenders, list, &Options::default(), none.clone(), None)
            .map(|_| ())
            .unwrap_err()
    };
    let all = Contender::all(&[]);
    assert_eq!(check(&[], &backends("1").unwrap()), SimulationError::NoAlgorithm);
    assert_eq!(check(&all, &[]), SimulationError::NoBackend);
    assert_eq!(check(&all, &backends("0,0").unwrap()), SimulationError::NoBackend);
    let twice = [Backend::new("a"), Backend::new("a")];
    assert_eq!(check(&all, &twice), SimulationError::NameTwice { name: "a".into() });
    let many = vec![Backend::new("a"); 10_001];
    assert_eq!(check(&all, &many), SimulationError::TooManyBackends { count: 10_001 });
}

#[test]
fn contenders_read_as_the_words_of_the_configuration() {
    for contender in Algorithm::ALL.map(Contender::from) {
        assert_eq!(contender.to_string().parse(), Ok(contender));
    }
    let error = "leastconn".parse::<Contender>().unwrap_err().to_string();
    assert!(error.contains("did you mean least_conn?"), "{error}");
}

#[test]
fn who_is_called_the_best_is_the_best_by_the_figures_shown() {
    use crate::spec::show;
    for (weights, service, load) in [
        ("1,1,1", "const:20ms", 0.5),
        ("1,1,1", "exp:20ms", 0.7),
        ("3,2,1", "lognormal:20ms:1.5", 0.8),
        ("10,1", "exp:20ms", 0.3),
        ("1*20", "mix:2ms*95+2s*5", 0.7),
    ] {
        for seed in 1..3 {
            let backends = backends(weights).unwrap();
            let capacity: f64 = backends.iter().map(Backend::capacity).sum();
            let mut traffic = Traffic::new(0.0);
            traffic.service = service.parse().unwrap();
            traffic.per_second = load * capacity / traffic.service.mean().as_secs_f64();
            traffic.span = Duration::from_secs(6);
            let all = Contender::all(&backends);
            let mut result = compare(
                &all,
                &backends,
                &Options::default(),
                traffic.requests(seed),
                Some(traffic.span),
            )
            .unwrap();
            let (headline, verdict) = (result.headline(), result.verdict());
            let claims = headline.starts_with("Best of") || verdict.contains(" is best here");
            let best = result.best().unwrap();
            let spread: Vec<usize> = (0..result.outcomes.len())
                .filter(|place| result.outcomes[*place].moved.is_none())
                .collect();
            let p99s: Vec<Duration> = spread
                .iter()
                .map(|place| result.outcomes[*place].latency.quantile(99.0))
                .collect();
            let least = p99s.iter().min().unwrap();
            let own = result.outcomes[best].latency.quantile(99.0);
            assert!(
                !claims || show(own) == show(*least),
                "{weights} {service} {seed}: {headline}; {verdict}"
            );
            assert!(
                own.as_secs_f64() <= least.as_secs_f64() * 1.1,
                "{weights} {service} {seed}"
            );
        }
    }
}

#[test]
fn lines_are_called_lines() {
    // 200 at once each ten seconds, on three places: 2 ms of work, most wait
    let mut traffic = Traffic::new(20.0);
    traffic.arrivals = "bursts:10ms/9990ms".parse().unwrap();
    traffic.service = "const:20ms".parse().unwrap();
    traffic.span = Duration::from_secs(100);
    let mut backends = backends("1,1,1").unwrap();
    backends.iter_mut().for_each(|b| b.places = 1);
    let all = Contender::all(&backends);
    let mut result = compare(
        &all,
        &backends,
        &Options::default(),
        traffic.requests(1),
        Some(traffic.span),
    )
    .unwrap();
    assert!(result.offered < 0.5 && result.is_line());
    assert!(
        result
            .verdict()
            .starts_with("Most requests wait, whatever the algorithm"),
        "{}",
        result.verdict()
    );
}
