//! `lbd run --listen .. --to ..`
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{Check, Plan, Problems, parse, resolve};
use lb_sched::Algorithm;

fn one_liner(listens: &[&str], tos: &[&str]) -> Result<Plan, Problems> {
    with_algorithm(listens, tos, None)
}

fn with_algorithm(listens: &[&str], tos: &[&str], algorithm: Option<&str>) -> Result<Plan, Problems> {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Plan::from_one_liner(&own(listens), &own(tos), algorithm, &Fake).map(|resolved| resolved.plan)
}

#[test]
fn a_port_alone_and_a_star_are_no_weights_and_no_names() {
    for to in ["22031", ":22031", "*:22031", "22031*3", ":22031*3"] {
        let problems = one_liner(&["127.0.0.1:8080"], &[to]).unwrap_err().to_string();
        assert!(problems.contains("write \"127.0.0.1:22031\""), "{problems}");
    }
    let plan = one_liner(&["127.0.0.1:8080"], &["unix:/run/app.sock*3"]).unwrap();
    let backend = &plan.pools[0].backends[0];
    assert_eq!((backend.name.as_str(), backend.weight.get()), ("unix:/run/app.sock", 3));
}

#[test]
fn a_command_line_gets_its_warnings() {
    let own = |text: &str| vec![text.to_owned()];
    let resolved = Plan::from_one_liner(&own("127.0.0.1:8080"), &own("two.internal:80"), None, &Fake).unwrap();
    let warnings = resolved.warnings.to_string();
    assert!(warnings.contains("host \"two.internal\" has 2 addresses"), "{warnings}");
    assert!(warnings.contains("--to two.internal:80"), "{warnings}");
}

#[test]
fn addresses_and_weights_become_a_plan_and_the_plan_a_file() {
    let plan = one_liner(
        &["127.0.0.1:8080", "[::1]:8081"],
        &["127.0.0.1:9001", "127.0.0.1:9002*3", "one.internal:80*0"],
    )
    .unwrap();
    let names: Vec<_> = plan.listeners.iter().map(|listener| listener.name.as_str()).collect();
    assert_eq!(names, ["web", "web-2"]);
    let weights: Vec<_> = plan.pools[0]
        .backends
        .iter()
        .map(|backend| backend.weight.get())
        .collect();
    assert_eq!(weights, [1, 3, 0]);
    assert_eq!(plan.pools[0].backends[2].address.to_string(), "192.0.2.1:80");
    assert_eq!(plan.pools[0].health.as_ref().unwrap().check, Check::Tcp);
    let text = plan.to_toml();
    assert_eq!(
        text,
        r#"version = 1

[[listeners]]
name = "web"
address = "127.0.0.1:8080"
pool = "app"

[[listeners]]
name = "web-2"
address = "[::1]:8081"
pool = "app"

[[pools]]
name = "app"
backends = [
    "127.0.0.1:9001",
    { address = "127.0.0.1:9002", weight = 3 },
    { address = "one.internal:80", weight = 0 },
]

[pools.health]
kind = "tcp"
"#
    );
    assert_eq!(resolve(&parse("lbd.toml", &text), &Fake).unwrap().plan, plan);
}

#[test]
fn mistakes_are_underlined_in_the_command_line() {
    let problems = one_liner(&[":8080"], &["127.0.0.1", "127.0.0.1:9002*300", "127.0.0.1:9003*x"]).unwrap_err();
    assert_eq!(
        problems.to_string(),
        r#"error[bad-address]: `--listen` is ":8080", not a usable address
 --> command line:1:18
  |
1 | lbd run --listen :8080 --to 127.0.0.1 --to 127.0.0.1:9002*300 --to 127.0.0.1:9003*x
  |                  ^^^^^ the address is missing
  |
  = help: write "0.0.0.0:8080" for every IPv4 address of this machine, "[::]:8080" for IPv6 too

error[bad-address]: `--to` is "127.0.0.1", not a usable address
 --> command line:1:29
  |
1 | lbd run --listen :8080 --to 127.0.0.1 --to 127.0.0.1:9002*300 --to 127.0.0.1:9003*x
  |                             ^^^^^^^^^ the port is missing
  |
  = help: write "127.0.0.1:80"

error[out-of-range]: the weight of 127.0.0.1:9002 is "300", out of range
 --> command line:1:44
  |
1 | lbd run --listen :8080 --to 127.0.0.1 --to 127.0.0.1:9002*300 --to 127.0.0.1:9003*x
  |                                            ^^^^^^^^^^^^^^^^^^ allowed: 0 to 256

error[out-of-range]: the weight of 127.0.0.1:9003 is "x", out of range
 --> command line:1:68
  |
1 | lbd run --listen :8080 --to 127.0.0.1 --to 127.0.0.1:9002*300 --to 127.0.0.1:9003*x
  |                                                                    ^^^^^^^^^^^^^^^^ allowed: 0 to 256

command line: 4 errors
"#
    );
}

#[test]
fn mistakes_that_only_the_whole_shows_are_underlined_too() {
    let twice = one_liner(&["127.0.0.1:8080"], &["127.0.0.1:9001", "127.0.0.1:9001*2"]).unwrap_err();
    let spans: Vec<_> = twice
        .iter()
        .map(|problem| (problem.kind.id(), twice.place(problem.span.clone().unwrap().start)))
        .collect();
    assert_eq!(spans, [("duplicate-backend", (1, 58))]);
    let gone = one_liner(&["127.0.0.1:8080"], &["gone.internal:80"]).unwrap_err();
    let spans: Vec<_> = gone
        .iter()
        .map(|problem| (problem.kind.id(), gone.place(problem.span.clone().unwrap().start)))
        .collect();
    assert_eq!(spans, [("unresolved-host", (1, 38))]);
    let own = one_liner(&["127.0.0.1:8080"], &["127.0.0.1:8080"]).unwrap_err();
    assert_eq!(
        own.iter().map(|problem| problem.kind.id()).collect::<Vec<_>>(),
        ["forwarding-loop"]
    );
}

#[test]
fn an_algorithm_is_one_word_more() {
    let plan = with_algorithm(&["127.0.0.1:8080"], &["127.0.0.1:9001"], Some("peak_ewma")).unwrap();
    assert_eq!(plan.pools[0].algorithm, Algorithm::PeakEwma);
    assert!(plan.to_toml().contains("\nalgorithm = \"peak_ewma\"\n"));
    let problems = with_algorithm(&["127.0.0.1:8080"], &["127.0.0.1:9001"], Some("leastconn")).unwrap_err();
    let report = problems.to_string();
    assert!(report.contains("`--algorithm` is \"leastconn\""), "{report}");
    assert!(report.contains("did you mean \"least_conn\"?"), "{report}");
    assert!(report.contains("--to 127.0.0.1:9001 --algorithm leastconn"), "{report}");
}
