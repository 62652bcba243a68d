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

/// RFC 5280, section 4.2.1.10, wants name constraints critical, and public CAs may leave that out (CA/Browser Forum,
/// section 7.1.2.10.8): a warning is ordered. The pair that has the other answer is not among the practice cases.
const ORDERED: &str = "rfc5280::nc::permitted-dns-match-noncritical";

/// What is answered otherwise than the suite wants besides, for the reasons in docs/certificates-conformance.md.
const DIFFERENCES: [(&str, &str); 4] = [
    ("false_reject", "rfc5280::ca-as-leaf"),
    ("false_reject", "pathlen::validation-ignores-pathlen-in-leaf"),
    ("false_accept", "webpki::eku::ee-without-eku"),
    ("false_accept", "webpki::cn::not-in-san"),
];

/// What python3 prints when it runs with these words, or nothing with a printed reason.
fn python(words: &[&str]) -> Option<String> {
    for path in [SCORER, CASES] {
        if !Path::new(path).exists() {
            eprintln!("skipped: {path} is not there");
            return None;
        }
    }
    let Ok(output) = Command::new("python3").args(words).output() else {
        eprintln!("skipped: python3 is not there");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// The scorer's summary of `lbd cert limbo-harness`, and each case that is answered wrong: in which way, and its name.
fn scored() -> Option<(Value, Vec<(String, String)>)> {
    let lbd = env!("CARGO_BIN_EXE_lbd");
    let words = [
        SCORER,
        "--limbo",
        CASES,
        "--json",
        "--list",
        "--",
        lbd,
        "cert",
        "limbo-harness",
    ];
    let said = python(&words)?;
    let mut documents = serde_json::Deserializer::from_str(&said).into_iter::<Value>();
    let document = documents.next().expect("a document").expect("the scorer's JSON");
    let wrong = said[documents.byte_offset()..].lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let kind = words.next()?.to_owned();
        Some((kind, words.nth(2)?.to_owned()))
    });
    Some((document["summary"].clone(), wrong.collect()))
}

#[test]
fn the_practice_cases_of_limbo_are_answered_as_well_as_before() {
    let Some((summary, wrong)) = scored() else { return };
    let count = |class: &str, what: &str| {
        summary[class][what]
            .as_u64()
            .unwrap_or_else(|| panic!("{class} {what}"))
    };
    assert_eq!(count("bettertls", "total"), 1961);
    assert_eq!(count("bettertls", "agree"), 1961);
    assert_eq!(count("non-bettertls", "total"), 127);
    assert_eq!(count("all", "skipped") + count("all", "no_verdict"), 0);
    let is_told = |kind: &str, id: &str| wrong.iter().any(|(way, name)| way == kind && name == id);
    let (ordered, others): (Vec<_>, Vec<_>) = wrong.iter().partition(|(_, id)| id == ORDERED);
    assert_eq!(ordered.len(), 1, "the ordered warning is a refusal: {wrong:?}");
    // Of all other cases the bars stand: 123 right with the ordered one, 2 false accepts, 2 false rejects.
    let right = count("non-bettertls", "agree") + 1;
    assert!(right >= 123, "{right}: {others:?}");
    assert_eq!(right, 127 - others.len() as u64, "a line was not read: {wrong:?}");
    for (kind, most) in [("false_accept", 2), ("false_reject", 2)] {
        let found = others.iter().filter(|(way, _)| way == kind).count();
        assert!(found <= most, "{kind}: {others:?}");
    }
    for (kind, id) in &others {
        assert!(
            DIFFERENCES.contains(&(kind.as_str(), id.as_str())),
            "{kind} {id} has no reason"
        );
    }
    for (kind, id) in DIFFERENCES {
        assert!(
            is_told(kind, id),
            "{id} is right now: docs/certificates-conformance.md says otherwise"
        );
    }
    for class in ["importance:critical", "group:cve", "group:online", "group:pathological"] {
        assert_eq!(count(class, "agree"), count(class, "total"), "{class}");
    }
}

#[test]
fn name_constraints_that_are_not_critical_are_a_warning_in_strict() {
    let script = "import json, lzma, sys\n\
                  cases = json.load(lzma.open(sys.argv[1]))['testcases']\n\
                  print(json.dumps([case for case in cases if case['id'] == sys.argv[2]][0]))";
    let Some(case) = python(&["-c", script, CASES, ORDERED]) else {
        return;
    };
    let case: Value = serde_json::from_str(&case).expect("JSON");
    let folder = std::env::temp_dir().join(format!("lbd-limbo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, pem) in [
        ("leaf.pem", &case["peer_certificate"]),
        ("root.pem", &case["trusted_certs"][0]),
    ] {
        std::fs::write(folder.join(name), pem.as_str().expect("PEM")).expect("written");
    }
    let verify = |host: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args([
                "cert",
                "verify",
                "leaf.pem",
                "--roots",
                "root.pem",
                "--profile",
                "strict",
            ])
            .args(["--json", "--name", host])
            .current_dir(&folder)
            .output()
            .expect("lbd runs");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), document)
    };
    let (code, said) = verify(case["expected_peer_name"]["value"].as_str().expect("a name"));
    let (other, stranger) = verify("elsewhere.test");
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!((code, &said["answer"]), (Some(0), &"accepted".into()), "{said}");
    let warnings: Vec<_> = said["warnings"].as_array().expect("a list").iter().collect();
    assert!(
        warnings
            .iter()
            .any(|warning| warning["rule"] == "name-constraints.critical"),
        "{said}"
    );
    // They hold all the same.
    assert_eq!((other, &stranger["answer"]), (Some(4), &"refused".into()), "{stranger}");
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
