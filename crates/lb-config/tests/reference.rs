//! docs/configuration.md says what the program does: every key with its default and range, every kind of problem, and
//! examples that load.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::schema::{Key, SECTIONS, Section, Value};
use lb_config::{Environment, Kind, parse, resolve};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

const REFERENCE: &str = include_str!("../../../docs/configuration.md");

#[test]
fn every_key_stands_in_its_table_with_its_default() {
    let mut missing = Vec::new();
    for section in SECTIONS {
        for key in section.keys {
            let Some(row) = row(section, key) else {
                missing.push(format!("{} {}: no row", section.path, key.name));
                continue;
            };
            let default = match key.default {
                "" => continue,
                "required" => "required".to_owned(),
                text if text.starts_with(['"', '[']) || text.starts_with(|c: char| c.is_ascii_digit()) => {
                    format!("`{text}`")
                }
                "true" | "false" => format!("`{}`", key.default),
                words => words.to_owned(),
            };
            if !row.contains(&default) {
                missing.push(format!(
                    "{} {}: default {default} is not in {row}",
                    section.path, key.name
                ));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_range_and_word_stands_in_the_row_of_its_key() {
    let mut missing = Vec::new();
    for section in SECTIONS {
        for key in section.keys {
            let Some(row) = row(section, key) else { continue };
            let expected: Vec<String> = match key.value {
                Value::Integer { least, most } if key.name == "version" || (least, most) == (300, 399) => {
                    vec![format!("| {least}").replace("300", "301, 302, 303, 307, 308")]
                }
                Value::Integer { least, most } => vec![format!("{least} to {most}")],
                Value::Duration { least, most } => vec![format!("{} to {}", shown(least), shown(most))],
                Value::Word(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect(),
                _ => Vec::new(),
            };
            for text in expected.iter().filter(|text| !row.contains(text.as_str())) {
                missing.push(format!("{} {}: {text} is not in {row}", section.path, key.name));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn no_table_names_a_key_that_the_program_does_not_know() {
    let mut heading = "";
    for line in REFERENCE.lines() {
        if line.starts_with('#') {
            heading = line;
        }
        let name = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
        let is_of_keys = heading.contains('`') || heading == "## Top of the file";
        if let Some(name) = name.filter(|_| is_of_keys) {
            let known = SECTIONS.iter().any(|section| {
                titles(section).contains(&heading.to_owned()) && section.keys.iter().any(|key| key.name == name)
            });
            assert!(known, "{heading}: `{name}`");
        }
    }
}

#[test]
fn every_kind_of_problem_is_explained() {
    for kind in Kind::ALL {
        assert!(REFERENCE.contains(&format!("\n| `{}`", kind.id())), "{kind}");
    }
}

#[test]
fn every_example_loads_without_a_warning() {
    let mut count = 0;
    for example in REFERENCE.split("```toml\n").skip(1) {
        let text = example.split("```").next().unwrap();
        let resolved = resolve(&parse("docs/configuration.md", text), &Known).unwrap();
        assert!(resolved.warnings.is_empty(), "{}", resolved.warnings);
        count += 1;
    }
    assert_eq!(count, 2);
}

#[test]
fn every_example_of_the_page_on_scheduling_loads_without_a_warning() {
    let page = include_str!("../../../docs/scheduling.md");
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 3);
    for text in examples {
        let resolved = resolve(&parse("docs/scheduling.md", text), &Known).unwrap();
        assert!(resolved.warnings.is_empty(), "{}", resolved.warnings);
    }
}

/// Knows every host and one secret, so that the examples are complete.
#[derive(Debug)]
struct Known;

impl Environment for Known {
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let last = host
            .bytes()
            .filter(u8::is_ascii_digit)
            .map(|digit| digit - b'0')
            .next()
            .unwrap_or(0);
        Ok(vec![SocketAddr::from(([192, 0, 2, last], port))])
    }

    fn roots(&self) -> io::Result<lb_config::Roots> {
        Fake.roots()
    }

    fn read(&self, _path: &Path) -> io::Result<String> {
        Fake.read(Path::new("/etc/lbd/secret"))
    }
}

/// Headings under which the keys of a section stand.
fn titles(section: &Section) -> Vec<String> {
    match section.path {
        "" => vec!["## Top of the file".into()],
        "listeners.limits" | "pools.limits" => vec!["## `limits`".into()],
        "listeners.timeouts" | "listeners.routes.timeouts" | "pools.timeouts" => vec!["## `timeouts`".into()],
        path => vec![format!("## `{path}`"), format!("### `{path}`")],
    }
}

fn row(section: &Section, key: &Key) -> Option<&'static str> {
    let titles = titles(section);
    let mut inside = false;
    REFERENCE.lines().find(|line| {
        if line.starts_with('#') {
            inside = titles.iter().any(|title| title == line);
        }
        inside && line.starts_with(&format!("| `{}` |", key.name))
    })
}

fn shown(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if millis.is_multiple_of(size) && (millis > 0 || unit == "s") {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}
