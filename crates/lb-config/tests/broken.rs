//! Broken files, and what is said about each of them.
//!
//! `tests/broken/NAME.toml` is the file, `NAME.txt` the report, read by a person before it was committed. After a
//! change of wording: `LB_CONFIG_BLESS=1 cargo test -p lb-config --test broken`, and read the difference.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{Kind, Problems, Severity};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

#[test]
fn every_broken_file_gets_the_report_beside_it() {
    let mut wrong = Vec::new();
    for (path, problems) in reports() {
        let report = problems.to_string();
        let expected = path.with_extension("txt");
        if std::env::var_os("LB_CONFIG_BLESS").is_some() {
            fs::write(&expected, &report).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != report {
            wrong.push(format!("{}\n{report}", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} reports differ\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn there_are_sixty_broken_files_of_twenty_five_kinds() {
    let reports = reports();
    let kinds: BTreeSet<Kind> = reports
        .iter()
        .flat_map(|(_, problems)| problems.iter().map(|problem| problem.kind))
        .collect();
    assert!(reports.len() >= 60, "{} files", reports.len());
    assert!(kinds.len() >= 25, "{} kinds: {kinds:?}", kinds.len());
}

/// What needs no file of its own: the file that cannot be read or is too large, the data plane's own checks.
const WITHOUT_A_FILE: [Kind; 3] = [Kind::UnreadableFile, Kind::TooMany, Kind::Refused];

#[test]
fn every_kind_has_a_broken_file() {
    let reports = reports();
    let kinds: BTreeSet<Kind> = reports
        .iter()
        .flat_map(|(_, problems)| problems.iter().map(|problem| problem.kind))
        .collect();
    let missing: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| !kinds.contains(kind) && !WITHOUT_A_FILE.contains(kind))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_problem_has_a_place_and_words_for_it() {
    for (path, problems) in reports() {
        for problem in problems.iter() {
            let span = problem
                .span
                .clone()
                .unwrap_or_else(|| panic!("{}: {problem:?}", path.display()));
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.get(span).is_some(), "{}: {problem:?}", path.display());
            assert!(
                !problem.message.is_empty() && !problem.label.is_empty(),
                "{}: {problem:?}",
                path.display()
            );
            assert!(!problem.message.ends_with('.'), "{}: {problem:?}", path.display());
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    for (path, problems) in reports() {
        let mut plain = String::new();
        let colored = problems.render(true);
        let mut parts = colored.split("\u{1b}[");
        plain.push_str(parts.next().unwrap_or_default());
        for part in parts {
            plain.push_str(part.split_once('m').map_or("", |(_, text)| text));
        }
        assert_eq!(plain, problems.render(false), "{}", path.display());
        assert!(colored.contains("\u{1b}["));
    }
}

#[test]
fn warnings_alone_do_not_stop() {
    let text = fs::read_to_string(folder().join("unused_pool.toml")).unwrap();
    let resolved = lb_config::resolve(&lb_config::parse("unused_pool.toml", &text), &Fake).unwrap();
    assert_eq!(resolved.warnings.warnings(), 1);
    assert_eq!(resolved.warnings.errors(), 0);
    assert!(
        resolved
            .warnings
            .iter()
            .all(|problem| problem.severity == Severity::Warning)
    );
}

fn reports() -> Vec<(PathBuf, Problems)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let problems = match lb_config::resolve(&lb_config::parse("lbd.toml", &text), &Fake) {
                Ok(resolved) => resolved.warnings,
                Err(problems) => problems,
            };
            assert!(!problems.is_empty(), "{} is not broken", path.display());
            (path, problems)
        })
        .collect()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/broken"))
}

#[test]
fn hostile_texts_are_answered_in_little_time_and_memory() {
    let lists = format!("version = 1\na = {}", "[".repeat(100_000));
    let tables = format!("version = 1\na = {}", "{ a = ".repeat(100_000));
    let keys = format!("version = 1\n{} = 1", vec!["a"; 100_000].join("."));
    let header = format!("version = 1\n[{}]", vec!["a"; 100_000].join("."));
    let nonsense = "nonsense\n".repeat(10_000);
    let unknown = format!(
        "version = 1\n{}",
        (0..10_000).map(|n| format!("key{n} = 1\n")).collect::<String>()
    );
    let long_line = format!("version = 1\nkey = \"{}\"", "x".repeat(1_000_000));
    for text in [lists, tables, keys, header, nonsense, unknown, long_line] {
        let problems = lb_config::resolve(&lb_config::parse("lbd.toml", &text), &Fake).unwrap_err();
        let report = problems.to_string();
        assert!(problems.errors() > 0);
        assert!(report.len() < 200_000, "{} bytes", report.len());
    }
}

#[test]
fn a_file_that_is_too_large_or_missing_or_no_text_is_a_problem_too() {
    let problems = lb_config::resolve(&lb_config::parse("lbd.toml", &"#".repeat((16 << 20) + 1)), &Fake).unwrap_err();
    assert!(problems.iter().any(|problem| problem.kind == Kind::TooMany));
    let missing = lb_config::load("/nowhere/lbd.toml".as_ref(), &lb_config::System).unwrap_err();
    assert_eq!(
        missing.iter().map(|problem| problem.kind).collect::<Vec<_>>(),
        [Kind::UnreadableFile]
    );
    assert!(missing.to_string().contains("/nowhere/lbd.toml"), "{missing}");
}
