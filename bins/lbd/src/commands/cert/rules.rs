//! `lbd cert rules`: the rules that chains are checked against.

use super::args::Rules;
use super::{Failure, output};
use lb_cert::{Rule, rules};
use serde_json::{Value, json};
use std::fmt::Write;

/// The built-in profiles, in the order of the columns.
const PROFILES: [&str; 3] = ["connection", "strict", "lenient"];

pub(super) fn run(asked: &Rules) -> Result<(), Failure> {
    let prefix = asked.prefix.as_deref().unwrap_or_default();
    let found: Vec<&Rule> = rules().filter(|rule| rule.id.starts_with(prefix)).collect();
    if found.is_empty() {
        return Err(Failure::Refused(format!("no rule begins with \"{prefix}\"")));
    }
    let text = if asked.json {
        let list: Vec<Value> = found.into_iter().map(as_json).collect();
        format!("{:#}\n", json!({ "rules": list }))
    } else {
        as_text(&found)
    };
    output::print(text.as_bytes())
}

fn as_text(found: &[&Rule]) -> String {
    let width = found.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    // Writing to a String cannot fail.
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:width$}  {:10}  {:7}  {:7}",
        "rule", PROFILES[0], PROFILES[1], PROFILES[2]
    );
    for rule in found {
        let [connection, strict, lenient] = PROFILES.map(|profile| level(rule, profile));
        let _ = writeln!(text, "{:width$}  {connection:10}  {strict:7}  {lenient:7}", rule.id);
        let _ = writeln!(text, "    {} ({})", rule.what, rule.section);
    }
    text
}

fn as_json(rule: &Rule) -> Value {
    let [connection, strict, lenient] = PROFILES.map(|profile| level(rule, profile));
    json!({
        "id": rule.id,
        "section": rule.section,
        "what": rule.what,
        "mend": rule.mend,
        "levels": { "connection": connection, "strict": strict, "lenient": lenient },
    })
}

fn level(rule: &Rule, profile: &str) -> String {
    if rule.is_fixed() {
        String::from("always")
    } else {
        rule.level(profile).to_string()
    }
}
