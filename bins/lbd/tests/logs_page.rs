//! docs/logs.md has every field and every end reason of the program, as the program has them.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use lb_telemetry::{Access, End, Format};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

const PAGE: &str = include_str!("../../../docs/logs.md");

#[test]
fn every_end_reason_stands_on_the_page_of_logs_as_the_program_has_it() {
    let expected: Vec<String> = End::ALL
        .iter()
        .map(|end| {
            let status = end.status().map(|status| status.to_string()).unwrap_or_default();
            let proxy = end.proxy_status().map(|token| format!("`{token}`")).unwrap_or_default();
            format!(
                "| `{}` | {} | {status} | {proxy} | {} |",
                end.as_str(),
                end.side().as_str(),
                end.explain()
            )
        })
        .map(|row| normal(&row))
        .collect();
    let rows = rows("## End reasons");
    let missing: Vec<_> = expected.iter().filter(|row| !rows.contains(*row)).collect();
    assert!(missing.is_empty(), "docs/logs.md lacks these rows:\n{missing:#?}");
    let unknown: Vec<_> = rows.iter().filter(|row| !expected.contains(row)).collect();
    assert!(unknown.is_empty(), "the program has no such ends:\n{unknown:#?}");
}

#[test]
fn every_field_of_the_json_log_stands_on_the_page_of_logs() {
    let documented: BTreeSet<String> = rows("## Fields of the JSON log").iter().map(|row| first(row)).collect();
    let fields: BTreeSet<String> = written().union(&in_the_source()).cloned().collect();
    let missing: Vec<_> = fields.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/logs.md lacks rows for {missing:?}");
    let unknown: Vec<_> = documented.difference(&fields).collect();
    assert!(unknown.is_empty(), "the log has no such fields: {unknown:?}");
}

/// The fields of a line about which everything is known.
fn written() -> BTreeSet<String> {
    let mut access = Access::new([192, 0, 2, 1].into(), lb_telemetry::Wall::from_millis(1));
    access.user = Some(b"u");
    access.method = b"GET";
    access.target = b"/";
    access.version = "HTTP/1.1";
    access.status = 502;
    (access.bytes, access.request_bytes) = (1, 1);
    access.host = Some(b"h");
    access.referer = Some(b"r");
    access.user_agent = Some(b"a");
    access.x_forwarded_for = Some(b"x");
    (access.listener, access.pool, access.backend) = ("l", "p", "b");
    (access.why, access.persist) = ("w", "p");
    access.end = End::ConnectRefused;
    access.phases.connect = Some(Duration::ZERO);
    access.phases.first_byte = Some(Duration::ZERO);
    let mut line = Vec::new();
    Format::Json.write(&access, &mut line);
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&line).unwrap();
    object.into_iter().map(|(key, _)| key).collect()
}

/// Members that the crate writes anywhere: one that this test knows nothing of yet is found too.
fn in_the_source() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/lb-telemetry/src");
    let mut folders = vec![folder];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for line in text.lines().map(str::trim) {
                let member = ["text(\"", "number(\"", "micros(\"", "boolean(\""]
                    .iter()
                    .find_map(|call| line.strip_prefix(call))
                    .and_then(|rest| rest.split_once("\", "));
                found.extend(member.map(|(name, _)| name.to_owned()));
            }
        }
    }
    assert!(
        found.contains("client") || found.contains("method"),
        "the source is written differently now"
    );
    found
}

/// The rows of the first table under a heading.
fn rows(heading: &str) -> Vec<String> {
    let (_, text) = PAGE.split_once(&format!("\n{heading}\n")).unwrap();
    text.lines()
        .skip_while(|line| !line.starts_with("| "))
        .take_while(|line| line.starts_with("| "))
        .filter(|line| line.starts_with("| `"))
        .map(normal)
        .collect()
}

/// With single blanks between cells.
fn normal(row: &str) -> String {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    cells.join(" | ").trim().to_owned()
}

fn first(row: &str) -> String {
    row.trim_start_matches("| `").split('`').next().unwrap().to_owned()
}
