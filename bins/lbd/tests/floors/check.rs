//! The rules themselves: a map and manifests in, a list of broken rules out.

use crate::manifest::{Import, Kind, Manifest};
use crate::map::{Allowed, Map};
use std::collections::{BTreeMap, BTreeSet};

/// The lowest floor on which sockets, and so tokio, may appear.
pub(crate) const FIRST_FLOOR_WITH_IO: i64 = 3;

/// Every broken rule, one sentence each; empty when all hold.
pub(crate) fn broken(map: &Map, manifests: &[Manifest]) -> Vec<String> {
    let mut problems = Vec::new();
    for manifest in manifests {
        let name = &manifest.name;
        let Some(&floor) = map.floors.get(name) else {
            problems.push(format!("{name} stands on no floor of ARCHITECTURE.md"));
            continue;
        };
        match manifest.floor {
            Some(said) if said == floor => {}
            Some(said) => problems.push(format!(
                "{name}: its metadata says floor {said}, ARCHITECTURE.md says {floor}"
            )),
            None => problems.push(format!("{name}: no [package.metadata.lbd] floor")),
        }
        for import in &manifest.imports {
            let package = import.package.as_str();
            let problem = if map.floors.contains_key(package) || package.starts_with("lb-") {
                import_of_ours(map, name, floor, import)
            } else {
                import_from_outside(map, name, floor, import)
            };
            problems.extend(problem);
        }
        if !map.outside.contains_key(name) {
            problems.push(format!("{name} has no row in the crate table of ARCHITECTURE.md"));
        }
    }
    problems
}

fn import_of_ours(map: &Map, name: &str, floor: i64, import: &Import) -> Option<String> {
    let package = import.package.as_str();
    let Some(&below) = map.floors.get(package) else {
        return Some(format!(
            "{name} imports {package}, which stands on no floor of ARCHITECTURE.md"
        ));
    };
    if below > floor {
        return Some(format!(
            "{name} (floor {floor}) imports {package} (floor {below}): imports never run up"
        ));
    }
    if below == floor {
        return Some(format!(
            "{name} (floor {floor}) imports {package} (floor {below}): imports never run sideways"
        ));
    }
    // What a test borrows from a lower floor is no part of the design; lb-types is for everyone above it.
    if import.kind == Kind::Development || package == "lb-types" {
        return None;
    }
    match map.imports.get(name) {
        Some(Allowed::AnyLower) => None,
        Some(Allowed::Named(names)) if names.contains(package) => None,
        _ => Some(format!(
            "{name} imports {package}, which \"Imports, in full\" does not list for it"
        )),
    }
}

fn import_from_outside(map: &Map, name: &str, floor: i64, import: &Import) -> Option<String> {
    let package = import.package.as_str();
    if floor < FIRST_FLOOR_WITH_IO && is_tokio(package) {
        return Some(format!(
            "{name} (floor {floor}) imports {package}: no tokio below floor {FIRST_FLOOR_WITH_IO}"
        ));
    }
    if map.outside.get(name).is_some_and(|row| row.contains(package)) {
        return None;
    }
    match import.kind {
        Kind::Normal => Some(format!(
            "{name} imports {package}, which its row in ARCHITECTURE.md does not list"
        )),
        Kind::Development if map.development.contains(package) => None,
        Kind::Development => Some(format!(
            "{name} tests with {package}, which \"Development only\" in DEPENDENCIES.md does not name"
        )),
    }
}

fn is_tokio(package: &str) -> bool {
    package == "tokio" || package.starts_with("tokio-")
}

/// Finds the way by which tokio reaches a crate below the floor of sockets through its ordinary imports.
///
/// `lock` maps each package of Cargo.lock to what it depends on.
pub(crate) fn tokio_reached(
    map: &Map,
    manifests: &[Manifest],
    lock: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let low = manifests.iter().filter(|manifest| {
        map.floors
            .get(&manifest.name)
            .is_some_and(|&floor| floor < FIRST_FLOOR_WITH_IO)
    });
    let mut problems = Vec::new();
    for manifest in low {
        let mut seen = BTreeSet::new();
        let mut open: Vec<Vec<&str>> = manifest
            .imports
            .iter()
            // Our own crates are walked from their own manifests: Cargo.lock mixes in what only their tests use.
            .filter(|import| import.kind == Kind::Normal && !map.floors.contains_key(&import.package))
            .map(|import| vec![manifest.name.as_str(), import.package.as_str()])
            .collect();
        while let Some(way) = open.pop() {
            let Some(&last) = way.last() else { continue };
            if is_tokio(last) {
                problems.push(format!("tokio below floor {FIRST_FLOOR_WITH_IO}: {}", way.join(" -> ")));
            } else if seen.insert(last) {
                let next = lock.get(last).into_iter().flatten();
                open.extend(next.map(|name| way.iter().copied().chain([name.as_str()]).collect()));
            }
        }
    }
    problems
}
