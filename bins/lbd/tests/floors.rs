//! The floors of docs/ARCHITECTURE.md, enforced.
//!
//! Reads every manifest and the two documents, and fails when an import runs up or sideways, when tokio appears
//! below floor 3, when a crate imports one of ours that "Imports, in full" does not list, when it imports an outside
//! crate that its row does not list, or when its metadata names another floor than the map. The second half shows on
//! made-up manifests that each of these rules can fail.

#[path = "floors/check.rs"]
mod check;
#[path = "floors/manifest.rs"]
mod manifest;
#[path = "floors/map.rs"]
mod map;

use manifest::Manifest;
use map::{Allowed, Map};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

#[test]
fn imports_go_down_and_stand_in_the_map() {
    let problems = check::broken(&real_map(), &real_manifests());
    assert!(
        problems.is_empty(),
        "{} broken:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn tokio_reaches_no_crate_below_floor_3() {
    let lock: Table = read(&root().join("Cargo.lock")).parse().expect("Cargo.lock is TOML");
    let problems = check::tokio_reached(&real_map(), &real_manifests(), &packages(&lock));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn each_folder_is_named_after_its_package() {
    for path in manifest_paths() {
        let folder = path
            .parent()
            .and_then(Path::file_name)
            .expect("a manifest lies in a folder");
        let manifest = Manifest::read(&read(&path), &Table::new()).expect("a readable manifest");
        assert_eq!(folder.to_string_lossy(), manifest.name);
    }
}

#[test]
fn the_real_map_is_read_whole() {
    let map = real_map();
    assert_eq!(map.floors.get("lb-types"), Some(&0));
    assert_eq!(map.floors.get("lb-guard"), Some(&1));
    assert_eq!(map.floors.get("lb-proxy"), Some(&4));
    assert_eq!(map.floors.get("lbd"), Some(&7));
    assert_eq!(
        map.imports.get("lb-store"),
        Some(&Allowed::Named(["lb-persist".to_owned()].into()))
    );
    assert_eq!(map.imports.get("lb-import"), Some(&Allowed::AnyLower));
    assert!(
        map.outside["lb-sched"].contains("md-5"),
        "crates of a feature are read from the column \"features\""
    );
    assert!(map.development.contains("proptest") && map.development.contains("criterion"));
}

// ---- the checker itself, on made-up crates ----

const ARCHITECTURE: &str = "\
## Floors

```
roof     lbd
3 upper  lb-net               tokio
--------------------- no I/O below
2 middle lb-balance
1 lower  lb-sched  lb-persist
0 words  lb-types
```

Imports, in full (a remark):

```
lb-balance  -> lb-sched (a remark)
lb-net      -> lb-balance; lbd -> all
```

| crate | one responsibility | std? | outside crates | features |
| --- | --- | --- | --- | --- |
| lb-types | words | no_std | none | none |
| lb-sched | picks | no_std | thiserror | `ketama` (md-5) |
| lb-persist | keeps | std | der (writing), thiserror | none |
| lb-balance | joins | std | thiserror | none |
| lb-net | sockets | std | tokio, socket2; with features: h2 | none |
| lbd | runs | std | tokio | none |
";

const DEPENDENCIES: &str = "# x\n\n## Always compiled\n| TOML | toml 1.2 |\n\n## Development only\n\n| properties | proptest 1.12° | x |\n\n## Refused\nopenssl 1\n";

#[test]
fn a_good_crate_has_no_problem() {
    assert_eq!(
        problems_of(
            "lb-balance",
            2,
            "lb-types.workspace = true\nlb-sched.workspace = true\nthiserror = '2'"
        ),
        [""; 0]
    );
    assert_eq!(
        problems_of(
            "lb-sched",
            1,
            "md-5 = { version = '1', optional = true }\n[dev-dependencies]\nproptest = '1'"
        ),
        [""; 0]
    );
    assert_eq!(
        problems_of(
            "lb-net",
            3,
            "h2 = '1'\ntokio = '1'\nlb-balance = { path = '../lb-balance' }"
        ),
        [""; 0]
    );
    assert_eq!(problems_of("lbd", 4, "lb-net = '1'\nlb-persist = '1'"), [""; 0]);
}

#[test]
fn an_import_that_runs_up_is_found() {
    assert_found("lb-sched", 1, "lb-balance.workspace = true", "imports never run up");
    assert_found(
        "lb-sched",
        1,
        "[dev-dependencies]\nlb-balance.workspace = true",
        "imports never run up",
    );
    assert_found(
        "lb-types",
        0,
        "[build-dependencies]\nlb-sched = '1'",
        "imports never run up",
    );
    assert_found(
        "lb-sched",
        1,
        "[target.'cfg(unix)'.dependencies]\nlb-net = '1'",
        "imports never run up",
    );
}

#[test]
fn an_import_that_runs_sideways_is_found_even_under_another_name() {
    assert_found(
        "lb-sched",
        1,
        "lb-persist.workspace = true",
        "imports never run sideways",
    );
    assert_found(
        "lb-sched",
        1,
        "innocent = { package = 'lb-persist', version = '1' }",
        "imports never run sideways",
    );
    assert_found("lb-sched", 1, "renamed.workspace = true", "imports never run sideways");
}

#[test]
fn an_import_that_the_map_does_not_list_is_found() {
    assert_found(
        "lb-balance",
        2,
        "lb-persist = '1'",
        "\"Imports, in full\" does not list",
    );
    assert_found("lb-balance", 2, "lb-newcomer = '1'", "stands on no floor");
}

#[test]
fn tokio_below_floor_3_is_found_in_every_table() {
    assert_found("lb-balance", 2, "tokio = '1'", "no tokio below floor 3");
    assert_found(
        "lb-balance",
        2,
        "tokio-util = { version = '1', optional = true }",
        "no tokio below floor 3",
    );
    assert_found(
        "lb-balance",
        2,
        "[dev-dependencies]\ntokio = '1'",
        "no tokio below floor 3",
    );
}

#[test]
fn tokio_behind_another_crate_is_found() {
    let map = Map::read(ARCHITECTURE, DEPENDENCIES).expect("a readable map");
    let manifests = [
        made_up("lb-balance", 2, "thiserror = '2'"),
        made_up("lb-net", 3, "thiserror = '2'"),
    ];
    let lock = "[[package]]\nname = 'thiserror'\ndependencies = ['middle 1.0.0']\n[[package]]\nname = 'middle'\ndependencies = ['tokio']\n";
    let lock = packages(&lock.parse().expect("TOML"));
    let problems = check::tokio_reached(&map, &manifests, &lock);
    assert_eq!(
        problems,
        ["tokio below floor 3: lb-balance -> thiserror -> middle -> tokio"]
    );
    assert_eq!(check::tokio_reached(&map, &manifests, &BTreeMap::new()), [""; 0]);
}

#[test]
fn an_outside_crate_that_the_row_does_not_list_is_found() {
    assert_found(
        "lb-persist",
        1,
        "serde = '1'",
        "its row in ARCHITECTURE.md does not list",
    );
    assert_found(
        "lb-persist",
        1,
        "proptest = '1'",
        "its row in ARCHITECTURE.md does not list",
    );
    assert_found(
        "lb-persist",
        1,
        "[dev-dependencies]\ntoml = '1'",
        "\"Development only\" in DEPENDENCIES.md does not name",
    );
    assert_found(
        "lb-persist",
        1,
        "[dev-dependencies]\nopenssl = '1'",
        "\"Development only\" in DEPENDENCIES.md does not name",
    );
}

#[test]
fn a_wrong_or_missing_floor_is_found() {
    assert_found("lb-persist", 2, "", "its metadata says floor 2, ARCHITECTURE.md says 1");
    let map = Map::read(ARCHITECTURE, DEPENDENCIES).expect("a readable map");
    let unnamed = Manifest::read("[package]\nname = 'lb-sched'\n", &Table::new()).expect("a readable manifest");
    assert_eq!(
        check::broken(&map, &[unnamed]),
        ["lb-sched: no [package.metadata.lbd] floor"]
    );
    assert_found("lb-unknown", 1, "", "stands on no floor of ARCHITECTURE.md");
}

#[test]
fn a_crate_without_a_row_is_found() {
    let without = ARCHITECTURE.replace("| lb-persist | keeps", "| persist | keeps");
    let map = Map::read(&without, DEPENDENCIES).expect("a readable map");
    assert_eq!(
        check::broken(&map, &[made_up("lb-persist", 1, "")]),
        ["lb-persist has no row in the crate table of ARCHITECTURE.md"]
    );
}

#[test]
fn documents_that_cannot_be_read_are_problems_and_not_permissions() {
    assert!(Map::read("", DEPENDENCIES).is_err());
    assert!(Map::read(ARCHITECTURE, "").is_err());
    let prose = ARCHITECTURE.replace("tokio, socket2;", "tokio and whatever is needed;");
    let problems = Map::read(&prose, DEPENDENCIES).expect_err("prose is no list");
    assert_eq!(
        problems,
        ["crate table, lb-net: \"tokio and whatever is needed\" is not one crate name"]
    );
    let twice = ARCHITECTURE.replace("2 middle lb-balance", "2 middle lb-balance lb-sched");
    assert_eq!(
        Map::read(&twice, DEPENDENCIES).expect_err("a crate on two floors"),
        ["lb-sched stands on two floors"]
    );
}

// ---- reading the workspace ----

fn assert_found(name: &str, floor: i64, dependencies: &str, rule: &str) {
    let problems = problems_of(name, floor, dependencies);
    assert!(
        problems.iter().any(|problem| problem.contains(rule)),
        "expected {rule:?}, found {problems:?}"
    );
}

fn problems_of(name: &str, floor: i64, dependencies: &str) -> Vec<String> {
    let map = Map::read(ARCHITECTURE, DEPENDENCIES).expect("a readable map");
    check::broken(&map, &[made_up(name, floor, dependencies)])
}

fn made_up(name: &str, floor: i64, dependencies: &str) -> Manifest {
    let workspace: Table = "[workspace.dependencies]\nrenamed = { package = 'lb-persist', version = '1' }\n"
        .parse()
        .expect("TOML");
    let text = format!(
        "[package]\nname = '{name}'\n[package.metadata.lbd]\nfloor = {floor}\n[dependencies]\n{dependencies}\n"
    );
    Manifest::read(&text, &workspace).expect("a readable manifest")
}

fn real_map() -> Map {
    let architecture = read(&root().join("docs/ARCHITECTURE.md"));
    let dependencies = read(&root().join("docs/DEPENDENCIES.md"));
    Map::read(&architecture, &dependencies).unwrap_or_else(|problems| panic!("{}", problems.join("\n")))
}

fn real_manifests() -> Vec<Manifest> {
    let workspace: Table = read(&root().join("Cargo.toml"))
        .parse()
        .expect("the root manifest is TOML");
    let one = |path: &PathBuf| {
        Manifest::read(&read(path), &workspace).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    manifest_paths().iter().map(one).collect()
}

/// crates/*/Cargo.toml and bins/*/Cargo.toml.
fn manifest_paths() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["crates", "bins"]
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).expect("a folder of crates"))
        .map(|entry| entry.expect("a readable folder").path().join("Cargo.toml"))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    assert!(found.len() >= 2, "only {} manifests found", found.len());
    found
}

/// Cargo.lock as "package -> the packages it depends on"; versions of one name are taken together.
fn packages(lock: &Table) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
        let name = package
            .get("name")
            .and_then(Value::as_str)
            .expect("a package has a name");
        let needs = package
            .get("dependencies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let names = needs
            .filter_map(Value::as_str)
            .filter_map(|need| need.split(' ').next())
            .map(str::to_owned);
        found.entry(name.to_owned()).or_default().extend(names);
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
