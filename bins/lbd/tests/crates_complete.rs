//! Each crate can stand alone on a registry page: version, description, keywords, categories, README, a crate page
//! whose example runs; and it takes versions and lints from the workspace, where each stands once.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "crates_complete/words.rs"]
mod words;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use toml::{Table, Value};

#[test]
fn each_manifest_says_what_the_crate_is() {
    assert_all(|manifest, _| {
        let package = table(manifest, "package");
        let mut missing = Vec::new();
        let text = |key| package.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("version").is_empty() {
            missing.push("no version of its own".to_owned());
        }
        if text("description").len() < 20 {
            missing.push("no description".to_owned());
        }
        if text("readme") != "README.md" {
            missing.push("readme is not README.md".to_owned());
        }
        // crates.io takes five of each at most.
        for key in ["keywords", "categories"] {
            let count = package.get(key).and_then(Value::as_array).map_or(0, Vec::len);
            if !(1..=5).contains(&count) {
                missing.push(format!("{count} {key}, expected 1 to 5"));
            }
        }
        missing
    });
}

#[test]
fn a_package_has_both_licences_and_no_tests() {
    let mut wrong = Vec::new();
    for manifest in crate_manifests() {
        let output = Command::new(env!("CARGO"))
            .args(["package", "--list", "--allow-dirty", "--offline", "--manifest-path"])
            .arg(&manifest)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let files: Vec<&str> = text.lines().collect();
        let complain = |what: String| format!("{}: {what}", manifest.display());
        if !output.status.success() {
            wrong.push(complain(String::from_utf8_lossy(&output.stderr).into_owned()));
            continue;
        }
        for needed in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "Cargo.toml", "src/lib.rs"] {
            if !files.contains(&needed) {
                wrong.push(complain(format!("{needed} is missing")));
            }
        }
        let allowed = |file: &&&str| {
            let of_cargo = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"].contains(*file);
            let is_example = file.strip_prefix("examples/").is_some_and(|name| !name.contains('/'));
            of_cargo || is_example || file.starts_with("src/") || file.starts_with("LICENSE-") || **file == "README.md"
        };
        wrong.extend(
            files
                .iter()
                .filter(|file| !allowed(file))
                .map(|file| complain(format!("{file} is packaged"))),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_crate_re_exports_the_words_of_others_that_its_signatures_show() {
    let wrong: Vec<String> = crate_manifests()
        .iter()
        .flat_map(|manifest| {
            let folder = manifest.parent().unwrap();
            let missing = words::missing(&folder.join("src"));
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            missing.into_iter().map(move |word| format!("{name}: pub use {word}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The manifests of the crates.
fn crate_manifests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path().join("Cargo.toml")).collect()
}

/// A clone on a file system that does not tell capitals apart would lose one of them.
#[test]
fn no_two_files_differ_in_capitals_only() {
    let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))];
    let (mut seen, mut double) = (HashSet::new(), Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if [".git", "target", "node_modules"].contains(&&*entry.file_name().to_string_lossy()) {
                continue;
            }
            if !seen.insert(entry.path().to_string_lossy().to_lowercase()) {
                double.push(entry.path());
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert!(seen.len() > 500, "{} is not the whole project", seen.len());
    assert!(double.is_empty(), "{double:?}");
}

#[test]
fn versions_and_lints_come_from_the_workspace() {
    assert_all(|manifest, _| {
        let mut wrong = Vec::new();
        if table(manifest, "lints").get("workspace") != Some(&Value::Boolean(true)) {
            wrong.push("[lints] workspace = true is missing".to_owned());
        }
        for key in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in table(manifest, key) {
                if value.get("workspace") != Some(&Value::Boolean(true)) {
                    wrong.push(format!("{key}: {name} does not say workspace = true"));
                }
            }
        }
        wrong
    });
}

#[test]
fn each_readme_shows_an_example() {
    assert_all(|_, folder| {
        let text = fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut wrong = Vec::new();
        if !text.starts_with(&format!("# {name}")) {
            wrong.push(format!("README.md does not begin with \"# {name}\""));
        }
        if !text.contains("```") {
            wrong.push("README.md shows no example".to_owned());
        }
        wrong
    });
}

#[test]
fn each_crate_page_has_an_example_that_runs() {
    assert_all(|_, folder| {
        let library = folder.join("src/lib.rs");
        // A program has no doc tests; its README and --help carry the examples.
        let (path, needs_example) = if library.exists() {
            (library, true)
        } else {
            (folder.join("src/main.rs"), false)
        };
        page_problems(&fs::read_to_string(path).unwrap_or_default(), needs_example)
    });
}

#[test]
fn a_page_whose_example_does_not_run_is_found() {
    assert_eq!(
        page_problems("mod x;\n", true),
        [
            "no crate page (//!) at the top",
            "the crate page has no example that runs"
        ]
    );
    for fence in [
        "```ignore",
        "```rust,ignore",
        "```text",
        "```no_run",
        "```toml",
        "```should_panic",
    ] {
        let page = format!("//! A crate.\n//!\n//! {fence}\n//! let x = 1;\n//! ```\n");
        assert_eq!(
            page_problems(&page, true),
            ["the crate page has no example that runs"],
            "{fence}"
        );
        assert_eq!(page_problems(&page, false), [""; 0], "{fence}");
    }
    for fence in ["```", "```rust"] {
        let page = format!("//! A crate.\n//!\n//! {fence}\n//! let x = 1;\n//! ```\n");
        assert_eq!(page_problems(&page, true), [""; 0], "{fence}");
    }
}

fn page_problems(source: &str, needs_example: bool) -> Vec<String> {
    let page: Vec<&str> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .collect();
    let mut problems = Vec::new();
    if page.is_empty() {
        problems.push("no crate page (//!) at the top".to_owned());
    }
    let fences = page.iter().filter(|line| line.starts_with("```"));
    // Every second fence closes a block.
    let runs = fences.step_by(2).any(|fence| matches!(*fence, "```" | "```rust"));
    if needs_example && !runs {
        problems.push("the crate page has no example that runs".to_owned());
    }
    problems
}

fn assert_all(problems_of: impl Fn(&Table, &Path) -> Vec<String>) {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let folders = ["crates", "bins"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("a folder of crates"));
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.expect("a readable folder").path()).collect();
    folders.retain(|folder| folder.join("Cargo.toml").exists());
    folders.sort();
    assert!(folders.len() >= 2, "only {} crates found", folders.len());
    let mut all = Vec::new();
    for folder in folders {
        let text = fs::read_to_string(folder.join("Cargo.toml")).expect("a readable manifest");
        let manifest: Table = text.parse().expect("a manifest is TOML");
        let problems = problems_of(&manifest, &folder);
        all.extend(
            problems
                .into_iter()
                .map(|problem| format!("{}: {problem}", folder.display())),
        );
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

fn table(manifest: &Table, key: &str) -> Table {
    manifest.get(key).and_then(Value::as_table).cloned().unwrap_or_default()
}
