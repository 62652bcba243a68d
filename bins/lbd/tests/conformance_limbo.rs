//! x509-limbo's practice cases, where they lie beside the project: the count must not get worse.
//! docs/certificates-conformance.md lists each difference with its reason.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

const SCORER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/tools/limbo.py");
const CASES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/conformance/x509-limbo-practice.json.xz"
);

/// The scorer's summary of `lbd cert limbo-harness`, or nothing with a printed reason.
fn summary() -> Option<Value> {
    for path in [SCORER, CASES] {
        if !Path::new(path).exists() {
            eprintln!("skipped: {path} is not there");
            return None;
        }
    }
    let scored = Command::new("python3")
        .args([SCORER, "--limbo", CASES, "--json", "--"])
        .args([env!("CARGO_BIN_EXE_lbd"), "cert", "limbo-harness"])
        .output();
    let Ok(scored) = scored else {
        eprintln!("skipped: python3 is not there");
        return None;
    };
    assert!(scored.status.success(), "{}", String::from_utf8_lossy(&scored.stderr));
    let document: Value = serde_json::from_slice(&scored.stdout).expect("the scorer's JSON");
    Some(document["summary"].clone())
}

#[test]
fn the_practice_cases_of_limbo_are_answered_as_well_as_before() {
    let Some(summary) = summary() else { return };
    let count = |class: &str, what: &str| {
        summary[class][what]
            .as_u64()
            .unwrap_or_else(|| panic!("{class} {what}"))
    };
    assert_eq!(count("bettertls", "total"), 1961);
    assert_eq!(count("bettertls", "agree"), 1961);
    assert_eq!(count("non-bettertls", "total"), 127);
    // Of the pair that differs only in whether name constraints must be critical, these cases hold the half that refuses.
    assert!(count("non-bettertls", "agree") >= 122, "{}", summary["non-bettertls"]);
    assert!(count("non-bettertls", "false_accept") <= 3);
    assert!(count("non-bettertls", "false_reject") <= 2);
    assert_eq!(count("all", "skipped") + count("all", "no_verdict"), 0);
    for class in ["importance:critical", "group:cve", "group:online", "group:pathological"] {
        assert_eq!(count(class, "agree"), count(class, "total"), "{class}");
    }
}

#[test]
fn a_harness_without_cases_says_what_it_expects() {
    let run = |input: &str| {
        let script = format!(
            "printf '%s' '{input}' | {} cert limbo-harness",
            env!("CARGO_BIN_EXE_lbd")
        );
        Command::new("sh").args(["-c", &script]).output().expect("sh")
    };
    let answer = run("{}");
    assert_eq!(answer.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("x509-limbo"));
    assert_eq!(run("nonsense").status.code(), Some(3));
    let answer = run(r#"{"testcases":[{"id":"x"}]}"#);
    let document: Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!(document["results"][0]["id"], "x");
    assert_eq!(document["results"][0]["actual_result"], "FAILURE");
}

#[test]
fn rules_are_listed_with_their_sections_and_levels() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["cert", "rules"])
            .args(arguments)
            .output();
        let output = output.expect("lbd runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    let (code, text) = run(&["aki.missing"]);
    assert_eq!(code, Some(0));
    assert_eq!(
        text,
        "rule         connection  strict   lenient\n\
         aki.missing  warn        refuse   off    \n    \
         a certificate that is not self-signed names the key that signed it (RFC 5280, section 4.2.1.1)\n"
    );
    let (_, json) = run(&["--json"]);
    let document: Value = serde_json::from_str(&json).expect("JSON");
    let rules = document["rules"].as_array().expect("a list");
    assert!(rules.len() > 60, "{}", rules.len());
    assert!(rules.iter().all(|rule| {
        rule["section"]
            .as_str()
            .is_some_and(|section| section.contains("section"))
    }));
    assert_eq!(run(&["nonsense"]).0, Some(4));
}
