//! `lbd simulate`, `lbd advise`, `lbd explain` as they are typed.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(arguments)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn good(arguments: &[&str]) -> String {
    let (code, said, errors) = run(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {errors}");
    said
}

/// A file of this test alone.
fn file(name: &str, text: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// nginx lines, 50 a second, one in ten of which takes 2 s and the others 20 ms.
fn nginx_log(lines: usize) -> String {
    let mut text = String::new();
    for n in 0..lines {
        let took = if n.is_multiple_of(10) { "2.000" } else { "0.020" };
        let (minute, second, client) = (n / 3000, n / 50 % 60, n % 200);
        writeln!(
            text,
            "203.0.113.{client} - - [21/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\" rt={took} upstream=10.0.0.{}:80",
            n % 3 + 1
        )
        .unwrap();
    }
    text
}

#[test]
fn s_sched_13_the_five_scenarios_are_built_in() {
    let list = good(&["simulate", "--list"]);
    assert_eq!(list.lines().count(), 5);
    for (number, counts) in [
        ("1", "c=[3334,3333,3333]"),
        ("2", "c=[52,52,52]"),
        ("3", "c=[60,30,20,10]"),
        ("4", "c=[100,100,100,100,100,100,100,100,100,100,100,50]"),
        ("5", "c=[8,8,4]"),
    ] {
        let text = good(&["simulate", "--scenario", number]);
        assert!(text.contains(counts), "{text}");
        let json: serde_json::Value =
            serde_json::from_str(&good(&["simulate", "--scenario", number, "--json"])).unwrap();
        assert_eq!(json["scenario"].to_string(), number);
    }
    // V-12
    assert!(good(&["simulate", "--scenario", "2"]).contains("c=[67,67,16]"));
    assert_eq!(run(&["simulate", "--scenario", "6"]).0, Some(2));
}

#[test]
fn a_slow_backend_shows_which_algorithms_see_it_and_the_page_is_written() {
    let page = file("page.html", "");
    let path = page.display().to_string();
    let arguments = [
        "simulate",
        "--backends",
        "1*9",
        "--backend",
        "name=slow,speed=0.1",
        "--duration",
        "20s",
        "--html",
        &path,
        "--json",
    ];
    let json: serde_json::Value = serde_json::from_str(&good(&arguments)).unwrap();
    let p99 = |name: &str| {
        let all = json["algorithms"].as_array().unwrap();
        all.iter().find(|a| a["algorithm"] == name).unwrap()["latency_ms"]["p99"]
            .as_f64()
            .unwrap()
    };
    assert!(p99("peak_ewma") * 2.0 < p99("round_robin") && p99("least_conn") * 2.0 < p99("round_robin"));
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("peak_ewma") && html.contains("</html>"));
    // a page is written over, another file is not
    good(&arguments);
    let other = file("notes.txt", "mine").display().to_string();
    let (code, _, errors) = run(&["simulate", "--duration", "1s", "--html", &other]);
    assert!(code == Some(1) && errors.contains("--force writes over it"), "{errors}");
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
    good(&["simulate", "--duration", "1s", "--html", &other, "--force"]);
}

#[test]
fn the_backends_of_a_configuration_are_simulated() {
    let path = file(
        "lbd.toml",
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:8080\"\npool = \"app\"\n[[pools]]\nname = \"app\"\n\
         algorithm = \"ring\"\nbounded_load_percent = 150\n\
         backends = [{ name = \"a\", address = \"10.0.0.1:80\", weight = 3 }, { name = \"b\", address = \"10.0.0.2:80\", max_connections = 2 }]\n",
    );
    let text = good(&["simulate", "--config", &path.display().to_string(), "--duration", "5s"]);
    for part in [
        "From pool \"app\", which uses ring",
        "ring:150",
        "\nfirst ",
        "weight 3",
        "limited",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, _, errors) = run(&["simulate", "--config", &path.display().to_string(), "--pool", "x"]);
    assert!(code == Some(2) && errors.contains("it has app"), "{errors}");
}

#[test]
fn wrong_flags_say_the_mend() {
    for (arguments, want) in [
        (["simulate", "--backends", "300"], "give a whole number from 0 to 256"),
        (["simulate", "--backend", "weigth=3"], "did you mean weight?"),
        (["simulate", "--rate", "500"], "write a number per second"),
        (["simulate", "--rate", "0%"], "give 0.1% to 1000%"),
        (["simulate", "--service", "exp"], "write const:20ms"),
        (["simulate", "--arrivals", "poison"], "did you mean poisson?"),
        (["simulate", "--algorithm", "leastconn"], "did you mean least_conn?"),
        (["simulate", "--algorithm", "least_conn:125"], "write least_conn"),
        (["simulate", "--duration", "60"], "write 60s for seconds"),
        (["simulate", "--duration", "0s"], "give more than 0, as in 60s"),
        (["simulate", "--clients", "0"], "give 1 to 1000000"),
        (["explain", "scheduler", "wlc"], "known are round_robin"),
    ] {
        let (code, said, errors) = run(&arguments);
        assert_eq!((code, said.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(errors.contains(want), "{arguments:?}: {errors}");
    }
    let (code, _, errors) = run(&["simulate", "--rate", "1000k/s", "--duration", "1h"]);
    assert!(code == Some(2) && errors.contains("20,000,000 is the most"), "{errors}");
}

#[test]
fn s_sched_09_a_log_whose_costs_differ_by_orders_of_magnitude_gets_least_connections() {
    let path = file("access.log", &(nginx_log(12_000) + "noise\n"))
        .display()
        .to_string();
    let text = good(&["advise", &path]);
    for part in [
        "found by looking at it",
        "1 line could not be read (line 12001: no [time])",
        "Recommended: least_conn (certainty: high, by 12,000 requests)",
        "p95 is 100 times p50",
        "algorithm = \"least_conn\"",
        "{ address = \"10.0.0.2:80\" }",
        "The algorithms at work on this log",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&good(&["advise", &path, "--json"])).unwrap();
    assert_eq!(json["algorithm"], "least_conn");
    assert_eq!(json["simulation"]["requests"], 12_000);
    // the same log, replayed
    let text = good(&["simulate", "--log", &path, "--backends", "2,1,1"]);
    assert!(
        text.contains("12,000 requests in") && text.contains("--speedup 1"),
        "{text}"
    );
}

#[test]
fn the_format_that_advise_asks_for_reads_the_log_it_was_said_of() {
    let line = |n: usize| {
        let took = if n.is_multiple_of(10) { 2.0 } else { 0.050 };
        format!(
            "203.0.113.{} - - [21/Nov/2026:10:00:{:02} +0000] \"GET / HTTP/1.1\" 200 6 \"-\" \"c\" {took:.3} 0.001 {took:.3}\n",
            n % 250,
            n / 100
        )
    };
    let log: String = (0..2000).map(line).collect();
    let path = file("three.log", &log).display().to_string();
    let asked = good(&["advise", &path]);
    assert!(asked.contains("Durations: none."), "{asked}");
    // as it stands on the terminal, line breaks included
    let format = asked
        .split("--format '")
        .nth(1)
        .and_then(|rest| rest.split('\'').next())
        .unwrap();
    let text = good(&["advise", &path, "--format", format]);
    assert!(text.contains("Recommended: two_choices (certainty: fair"), "{text}");
}

#[test]
fn a_log_comes_by_standard_input_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(["advise", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(nginx_log(2000).as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().contains("certainty: fair"));
}

#[test]
fn what_is_no_log_ends_with_3_and_the_reason() {
    let empty = file("empty.log", "").display().to_string();
    let noise = file("noise.log", "hello\nworld\n").display().to_string();
    for (arguments, want) in [
        (["advise", empty.as_str()], "is empty"),
        (["advise", noise.as_str()], "it begins with \"hello\""),
        (["advise", "/nowhere/access.log"], "No such file"),
    ] {
        let (code, _, errors) = run(&arguments);
        assert_eq!(code, Some(3), "{errors}");
        assert!(errors.contains(want), "{errors}");
    }
    let (code, _, errors) = run(&["advise", &noise, "--format", "haproxy"]);
    assert!(
        code == Some(3) && errors.contains("line 1 (no [accept date] as in 06/Feb/2009:12:14:14.655)"),
        "{errors}"
    );
}

#[test]
fn s_sched_12_explain_prints_state_and_cost_of_each_algorithm() {
    let text = good(&["explain", "scheduler"]);
    for algorithm in lb_sched::Algorithm::ALL {
        let facts = algorithm.facts();
        for fact in [algorithm.word(), facts.keeps, facts.pick_cost] {
            assert!(text.contains(fact), "{fact}");
        }
        let one = good(&["explain", "scheduler", algorithm.word()]);
        assert!(one.contains(facts.build_cost) && one.contains("algorithm = "), "{one}");
    }
}
