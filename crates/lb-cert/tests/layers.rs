//! Modules lean on each other in one direction: whoever reads one needs to know only those before it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What each module may use stands before it: below are DER and certificates, then rules, then who applies them.
const ORDER: [&str; 24] = [
    "place",
    "count",
    "date",
    "command",
    "explain",
    "tlv",
    "kind",
    "crypto",
    "curve",
    "spki",
    "certificate",
    "key",
    "aws_lc",
    "signature",
    "graph",
    "crl",
    "request",
    "profile",
    "verify",
    "read",
    "write",
    "inspect",
    "bundle",
    "doctor",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter| !is_word(letter)).filter(|word| !word.is_empty())
}

/// Which module the names that lib.rs offers come from.
fn offered(library: &str) -> HashMap<String, String> {
    let mut offered = HashMap::new();
    for statement in library.split("\npub use ").skip(1) {
        let statement = statement.split(';').next().expect("a statement");
        let Some((module, names)) = statement.split_once("::") else {
            continue;
        };
        offered.extend(words(names).map(|name| (name.to_owned(), module.to_owned())));
    }
    offered
}

/// Every Rust file below, without those that only tests have.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        if path.is_dir() {
            files(&path, found);
        } else if name.ends_with(".rs") && !["tests.rs", "testing.rs", "lib.rs"].contains(&name) {
            found.push(path);
        }
    }
}

/// The words behind `crate::`, of code alone: no comments, no tests.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().expect("a part");
    let code = code.split("#[cfg(all(test").next().expect("a part");
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut used = Vec::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(list) => used.extend(words(list.split('}').next().expect("a list")).map(str::to_owned)),
            None => used.extend(words(after).next().map(str::to_owned)),
        }
    }
    used
}

#[test]
fn no_module_uses_one_that_uses_it() {
    let source = source();
    let offered = offered(&text(&source.join("lib.rs")));
    assert_eq!(offered.get("Verifier").map(String::as_str), Some("verify"));
    let mut found = Vec::new();
    files(&source, &mut found);
    let place = |module: &str| ORDER.iter().position(|one| *one == module);
    let mut seen = 0;
    for path in found {
        let inside = path.strip_prefix(&source).expect("below");
        let top = inside.components().next().expect("a part").as_os_str();
        let module = top.to_str().expect("UTF-8").trim_end_matches(".rs");
        let own = place(module).unwrap_or_else(|| panic!("{module} has no place in ORDER"));
        for word in used(&text(&path)) {
            let Some(other) = place(&word).or_else(|| place(offered.get(&word)?)) else {
                continue;
            };
            assert!(other <= own, "{} uses {word}, which may use it", inside.display());
            seen += usize::from(other < own);
        }
    }
    assert!(seen > 150, "{seen}: `crate::` was not found where it stands");
}
