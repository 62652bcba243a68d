//! One Cargo.toml, reduced to what the floors test asks.

use toml::{Table, Value};

/// A crate of ours and everything it imports.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// `[package] name`.
    pub(crate) name: String,
    /// `[package.metadata.lbd] floor`.
    pub(crate) floor: Option<i64>,
    /// Every dependency of every table, target tables included.
    pub(crate) imports: Vec<Import>,
}

/// One dependency.
#[derive(Debug)]
pub(crate) struct Import {
    /// The package's real name, renames undone.
    pub(crate) package: String,
    /// Which table it stands in.
    pub(crate) kind: Kind,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[dependencies]`, `[build-dependencies]`.
    Normal,
    /// `[dev-dependencies]`.
    Development,
}

impl Manifest {
    /// Reads `text`; `workspace` is the root manifest, whose renames count too.
    pub(crate) fn read(text: &str, workspace: &Table) -> Result<Self, String> {
        let root: Table = text.parse().map_err(|error| format!("{error}"))?;
        let package = root.get("package").ok_or("no [package]")?;
        let name = package
            .get("name")
            .and_then(Value::as_str)
            .ok_or("no package name")?
            .to_owned();
        let floor = package
            .get("metadata")
            .and_then(|metadata| metadata.get("lbd"))
            .and_then(|ours| ours.get("floor"))
            .and_then(Value::as_integer);
        let mut imports = Vec::new();
        collect(&root, workspace, &mut imports);
        let targets = root.get("target").and_then(Value::as_table);
        for target in targets.into_iter().flat_map(Table::values).filter_map(Value::as_table) {
            collect(target, workspace, &mut imports);
        }
        Ok(Self { name, floor, imports })
    }
}

fn collect(tables: &Table, workspace: &Table, imports: &mut Vec<Import>) {
    for (table, kind) in [
        ("dependencies", Kind::Normal),
        ("build-dependencies", Kind::Normal),
        ("dev-dependencies", Kind::Development),
    ] {
        let entries = tables.get(table).and_then(Value::as_table);
        for (key, value) in entries.into_iter().flatten() {
            imports.push(Import {
                package: real_name(key, value, workspace),
                kind,
            });
        }
    }
}

/// The package behind a dependency key: `package = ".."` here or in the workspace's table, else the key.
fn real_name(key: &str, value: &Value, workspace: &Table) -> String {
    let shared = || {
        workspace
            .get("workspace")?
            .get("dependencies")?
            .get(key)?
            .get("package")
    };
    value
        .get("package")
        .or_else(shared)
        .and_then(Value::as_str)
        .unwrap_or(key)
        .to_owned()
}
