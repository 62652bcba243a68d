//! Reads what docs/ARCHITECTURE.md and docs/DEPENDENCIES.md promise about imports.

use std::collections::{BTreeMap, BTreeSet};

/// Who may import what, as the documents say it.
#[derive(Debug, Default)]
pub(crate) struct Map {
    /// Crate name to floor; the roof is one above the highest numbered floor.
    pub(crate) floors: BTreeMap<String, i64>,
    /// Crate name to the crates of ours it may import besides lb-types.
    pub(crate) imports: BTreeMap<String, Allowed>,
    /// Crate name to the outside crates of its row.
    pub(crate) outside: BTreeMap<String, BTreeSet<String>>,
    /// Outside crates that any crate may use in its tests.
    pub(crate) development: BTreeSet<String>,
}

/// One line of the block "Imports, in full".
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Any crate of a lower floor.
    AnyLower,
    /// These, by name.
    Named(BTreeSet<String>),
}

impl Map {
    /// Reads both documents; every line that cannot be read is named.
    pub(crate) fn read(architecture: &str, dependencies: &str) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let floors = floors(architecture, &mut problems);
        let imports = imports(architecture, &mut problems);
        let outside = outside(architecture, &mut problems);
        let development = development(dependencies);
        for (what, empty) in [
            ("the floors block", floors.is_empty()),
            ("the imports block", imports.is_empty()),
            ("the crate table", outside.is_empty()),
            ("the table \"Development only\"", development.is_empty()),
        ] {
            if empty {
                problems.push(format!("{what} was not found"));
            }
        }
        if problems.is_empty() {
            Ok(Self {
                floors,
                imports,
                outside,
                development,
            })
        } else {
            Err(problems)
        }
    }
}

/// `1 mechanisms lb-sched lb-persist ..`, `roof lbd`: level, word, crates, and perhaps `tokio` at the end.
fn floors(text: &str, problems: &mut Vec<String>) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    let mut roof = Vec::new();
    for line in code_block(text, "## Floors") {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((&level, rest)) = words.split_first() else {
            continue;
        };
        let crates = rest.iter().filter(|word| is_ours(word)).map(|word| (*word).to_owned());
        if level == "roof" {
            roof.extend(crates);
        } else if let Ok(level) = level.parse::<i64>() {
            for name in crates {
                if found.insert(name.clone(), level).is_some() {
                    problems.push(format!("{name} stands on two floors"));
                }
            }
        } else if !level.starts_with("---") {
            problems.push(format!("floors block: cannot read {line:?}"));
        }
    }
    let top = found.values().max().map_or(0, |highest| highest + 1);
    found.extend(roof.into_iter().map(|name| (name, top)));
    found
}

/// `lb-a, lb-b -> lb-c lb-d (a remark);  lbd -> all`
fn imports(text: &str, problems: &mut Vec<String>) -> BTreeMap<String, Allowed> {
    let mut found = BTreeMap::new();
    for line in code_block(text, "Imports, in full") {
        let line = without_parentheses(line);
        for rule in line.split(';').filter(|rule| rule.contains("->")) {
            let Some((importers, imported)) = rule.split_once("->") else {
                continue;
            };
            let any = imported.contains("any lower crate") || imported.trim() == "all";
            for importer in importers.split(',').map(str::trim) {
                if !is_ours(importer) {
                    problems.push(format!("imports block: {importer:?} is no crate of ours"));
                }
                let allowed = if any {
                    Allowed::AnyLower
                } else {
                    Allowed::Named(imported.split_whitespace().map(str::to_owned).collect())
                };
                found.insert(importer.to_owned(), allowed);
            }
        }
    }
    for name in found.values().filter_map(|allowed| match allowed {
        Allowed::Named(names) => Some(names),
        Allowed::AnyLower => None,
    }) {
        problems.extend(
            name.iter()
                .filter(|name| !is_ours(name))
                .map(|name| format!("imports block: {name:?} is no crate of ours")),
        );
    }
    found
}

/// The column "outside crates", and the crates that the column "features" puts in parentheses.
fn outside(text: &str, problems: &mut Vec<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for row in text.lines().filter(|line| line.starts_with("| lb")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, _, crates, features] = cells[..] else {
            continue;
        };
        let mut names = BTreeSet::new();
        for piece in without_parentheses(crates).split([',', ';']) {
            let piece = piece.trim().trim_start_matches("with features:").trim();
            if is_crate_name(piece) {
                names.insert(piece.to_owned());
            } else if !piece.is_empty() {
                problems.push(format!("crate table, {name}: {piece:?} is not one crate name"));
            }
        }
        names.remove("none");
        let optional = features.split('(').skip(1).filter_map(|part| part.split(')').next());
        names.extend(
            optional
                .flat_map(|part| part.split(','))
                .map(|word| word.trim().to_owned()),
        );
        if found.insert(name.to_owned(), names).is_some() {
            problems.push(format!("crate table: two rows for {name}"));
        }
    }
    found
}

/// In the table below "## Development only", a crate is a word followed by its version.
fn development(text: &str) -> BTreeSet<String> {
    let section = text
        .split("\n## ")
        .find(|section| section.starts_with("Development only"))
        .unwrap_or_default();
    let words: Vec<&str> = section.split_whitespace().collect();
    words
        .windows(2)
        .filter(|pair| is_crate_name(pair[0]) && pair[1].starts_with(|first: char| first.is_ascii_digit()))
        .map(|pair| pair[0].to_owned())
        .collect()
}

/// The lines of the first ``` block after the line that begins with `title`.
fn code_block<'a>(text: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    let after = text.lines().skip_while(move |line| !line.starts_with(title)).skip(1);
    let owned: Vec<&str> = after
        .skip_while(|line| !line.starts_with("```"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .collect();
    owned.into_iter()
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    text.chars()
        .filter(|&letter| {
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

fn is_ours(word: &str) -> bool {
    word == "lbd" || word.starts_with("lb-")
}

fn is_crate_name(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-' || letter == '_')
}
