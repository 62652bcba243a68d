//! Words of other crates of the workspace in public signatures, and those that a crate re-exports. A scan of the text, by
//! the habits of this workspace: one `use` per crate, rustfmt's line breaks, no `pub` on what cannot be reached (a lint).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A crate of ours and a type of it; `"*"` for all.
type Word = (String, String);

/// What is shown below this `src` folder and not re-exported by its `lib.rs`.
pub(crate) fn missing(src: &Path) -> Vec<String> {
    let lib = fs::read_to_string(src.join("lib.rs")).unwrap();
    let ours = exported(&lib);
    let mut missing = BTreeSet::new();
    each_file(src, &mut |text| {
        missing.extend(shown(text).into_iter().filter(|(name, word)| {
            let is_known = |word: &str| ours.contains(&(name.clone(), word.to_owned()));
            !is_known(word) && !is_known("*")
        }));
    });
    missing
        .into_iter()
        .map(|(name, word)| format!("{name}::{word}"))
        .collect()
}

fn each_file(folder: &Path, look: &mut dyn FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, look);
        } else if path.extension().is_some_and(|end| end == "rs") {
            look(&fs::read_to_string(path).unwrap());
        }
    }
}

/// `pub use lb_x;` and `pub use lb_x::{A, y::B};`
fn exported(lib: &str) -> BTreeSet<Word> {
    let mut found = BTreeSet::new();
    for (name, words) in uses(lib, "pub use lb_") {
        if words.is_empty() {
            found.insert((name.clone(), "*".to_owned()));
        }
        found.extend(words.into_iter().map(|word| (name.clone(), word)));
    }
    found
}

/// The words of other crates in what `text` makes public.
fn shown(text: &str) -> BTreeSet<Word> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let plain: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n")
        .collect();
    let imported: BTreeMap<String, String> = uses(&plain, "use lb_")
        .into_iter()
        .flat_map(|(name, words)| words.into_iter().map(move |word| (word, name.clone())))
        .collect();
    let mut found = BTreeSet::new();
    for signature in signatures(&plain) {
        for path in signature.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            let mut parts = path.split("::").filter(|part| !part.is_empty());
            let Some(first) = parts.next() else { continue };
            if first.starts_with("lb_") {
                found.extend(
                    parts
                        .find(|part| is_type(part))
                        .map(|part| (first.to_owned(), part.to_owned())),
                );
            } else if let Some(name) = imported.get(first) {
                found.insert((name.clone(), first.to_owned()));
            }
        }
    }
    found
}

/// The crates and types of the statements that begin so.
fn uses(text: &str, start: &str) -> Vec<(String, Vec<String>)> {
    let statements = text.split(';').filter_map(|statement| {
        let at = statement.rfind(start)?;
        let is_first = statement.get(..at)?.chars().next_back().is_none_or(|c| c == '\n');
        is_first.then(|| statement.get(at..)).flatten()
    });
    statements
        .map(|statement| {
            let words: Vec<&str> = statement
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|word| !word.is_empty())
                .collect();
            let name = words.iter().find(|word| word.starts_with("lb_")).unwrap();
            let types = words.iter().filter(|word| is_type(word));
            ((*name).to_owned(), types.map(|word| (*word).to_owned()).collect())
        })
        .collect()
}

fn is_type(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Functions without their bodies, fields, fields of variants, constants, aliases, functions of traits.
fn signatures(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if !bare.starts_with("pub ") || bare.starts_with("pub use ") || bare.starts_with("pub mod ") {
            continue;
        }
        let is_block = |word: &str| bare.starts_with(word) && bare.ends_with('{');
        if is_block("pub enum ") || is_block("pub trait ") {
            let is_trait = bare.starts_with("pub trait ");
            let mut inside = Vec::new();
            for line in lines.by_ref().take_while(|line| *line != format!("{:indent$}}}", "")) {
                inside.push(line);
            }
            found.extend(if is_trait {
                functions(&inside)
            } else {
                variants(&inside)
            });
        } else if bare.contains(" fn ") {
            let mut signature = bare.to_owned();
            while !signature.ends_with(['{', ';']) && !signature.ends_with('}') {
                let Some(line) = lines.next() else { break };
                signature += line.trim_end();
            }
            found.push(signature);
        } else if bare.starts_with("pub struct ") {
            // Of a tuple only the fields that are public; those of a block stand on lines of their own.
            found.extend(bare.split("pub ").skip(2).map(|rest| one_type(rest).to_owned()));
        } else {
            found.push(bare.split('=').next().unwrap_or_default().to_owned());
            if bare.starts_with("pub type ") {
                found.push(bare.to_owned());
            }
        }
    }
    found
}

/// Up to the comma or bracket behind the type that stands in front.
fn one_type(text: &str) -> &str {
    let mut depth = 0_u32;
    let end = text.find(|c| {
        let is_behind = depth == 0 && matches!(c, ',' | ')');
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_behind
    });
    end.map_or(text, |end| text.split_at(end).0)
}

/// The functions of a trait's body.
fn functions(body: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in body.iter().map(|line| line.trim()) {
        if line.starts_with("fn ") {
            found.push(String::new());
            is_open = true;
        }
        if let Some(last) = found.last_mut().filter(|_| is_open) {
            last.push_str(line);
            is_open = !line.ends_with(['{', ';', '}']);
        }
    }
    found
}

/// What the variants of an enum hold, without their names.
fn variants(body: &[&str]) -> Vec<String> {
    let lines = body
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            line.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
                .to_owned()
        })
        .collect()
}

#[test]
fn the_scan_sees_what_is_public_and_nothing_else() {
    let text = "use lb_one::{A, B, deep::C as D, E};\nuse lb_two::F;\n\
        pub struct S {\n    pub a: Vec<A>,\n    b: B,\n    pub(crate) e: E,\n}\n\
        pub struct T(pub Vec<F>, E);\n\
        impl S {\n    pub fn of(\n        x: &lb_three::part::G,\n    ) -> D {\n        E::new()\n    }\n    fn own(e: E) {}\n}\n\
        pub enum V {\n    E,\n    Held(B),\n    Named {\n        // E\n        h: lb_four::H,\n    },\n}\n\
        pub trait W {\n    fn of(&self) -> lb_five::I {\n        E::new()\n    }\n}\n\
        pub const J: lb_six::J = E;\npub use x::E;\n#[cfg(test)]\nmod tests {\n    pub fn x(e: E) {}\n}\n";
    let found: Vec<String> = shown(text)
        .into_iter()
        .map(|(name, word)| format!("{name}::{word}"))
        .collect();
    let want = "lb_five::I lb_four::H lb_one::A lb_one::B lb_one::C lb_one::D lb_six::J lb_three::G lb_two::F";
    // `C as D`: the scan takes both for words of the crate, and only D stands in a signature.
    assert_eq!(found.join(" "), want.replace("lb_one::C ", ""));
    let ours = exported("#[doc(no_inline)]\npub use lb_one::{A, b::B};\npub use lb_two;\nmod x;\npub use x::C;\n");
    let ours: Vec<String> = ours.into_iter().map(|(name, word)| format!("{name}::{word}")).collect();
    assert_eq!(ours, ["lb_one::A", "lb_one::B", "lb_two::*"]);
}
