//! The modules of this crate stand on each other, and none stands on one above it.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// For each module at the top: those it names as `crate::module` or by a word that `lib.rs` takes from there.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let modules: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    let mut home: BTreeMap<String, String> = modules.iter().map(|m| (m.clone(), m.clone())).collect();
    for statement in lib.split("pub use ").skip(1) {
        let (from, words) = statement
            .split(';')
            .next()
            .unwrap()
            .split_once("::")
            .unwrap_or_default();
        if modules.contains(from) {
            home.extend(words_in(words).map(|word| (word, from.to_owned())));
        }
    }
    let mut uses = BTreeMap::new();
    for module in modules {
        let mut named = BTreeSet::new();
        let file = src.join(format!("{module}.rs"));
        let folder = src.join(&module);
        each_file(&file, &mut |text| named.extend(words_of_crate(text)));
        each_file(&folder, &mut |text| named.extend(words_of_crate(text)));
        let mut below: BTreeSet<String> = named.iter().filter_map(|word| home.get(word)).cloned().collect();
        below.remove(&module);
        uses.insert(module, below);
    }
    uses
}

fn each_file(path: &Path, look: &mut dyn FnMut(&str)) {
    if path.is_file() {
        look(&fs::read_to_string(path).unwrap());
    } else if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name != "tests.rs") {
                each_file(&path, look);
            }
        }
    }
}

/// `crate::word` and the words of `crate::{..}`, outside comments and tests.
fn words_of_crate(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let plain: String = code.lines().map(|line| line.split("//").next().unwrap()).collect();
    let mut words = Vec::new();
    for rest in plain.split("crate::").skip(1) {
        let end = if rest.starts_with('{') {
            rest.find(';')
        } else {
            rest.find(|c: char| !is_part(c))
        };
        let named = rest.get(..end.unwrap_or(rest.len())).unwrap();
        words.extend(words_in(named));
    }
    words
}

fn words_in(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !is_part(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Everything below a module.
fn below(module: &str, uses: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![module.to_owned()];
    while let Some(next) = open.pop() {
        for under in &uses[&next] {
            if found.insert(under.clone()) {
                open.push(under.clone());
            }
        }
    }
    found
}

#[test]
fn no_module_stands_on_one_that_stands_on_it() {
    let uses = uses();
    for module in uses.keys() {
        let below = below(module, &uses);
        assert!(!below.contains(module), "a circle through `{module}`: {below:?}");
    }
}

#[test]
fn the_plan_knows_no_resolver() {
    let uses = uses();
    for module in ["plan", "write", "build", "changes", "probe", "schema", "grammar"] {
        let below = below(module, &uses);
        assert!(!below.contains("resolve"), "{module} stands on {below:?}");
    }
    // and that this would be seen
    assert!(below("one_liner", &uses).contains("resolve"), "{uses:?}");
    assert!(below("resolve", &uses).contains("plan"));
    assert!(below("build", &uses).contains("secret"));
}
