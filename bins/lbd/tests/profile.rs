//! The profile that builds with `--profile dist` are laid out by (`benches/profile`) was made for this compiler and these crates, and
//! what stands before rustc gives it to those builds only.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

#[test]
fn the_profile_was_made_for_this_compiler_and_these_crates() {
    let made_for = fs::read_to_string(folder().join("made-for")).unwrap();
    let tree = tree("lbd");
    let mut built = vec![format!("rustc {}", pinned())];
    for (package, features) in tree.lines().filter_map(|line| line.split_once('|')) {
        let mut words = package.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap());
        built.push(format!("{name} {} {features}", version.trim_start_matches('v')));
    }
    let stale: Vec<&str> = made_for
        .lines()
        .filter(|line| !built.iter().any(|built| built == line))
        .collect();
    for expected in ["rustc ", "lb-http ", "lb-proxy ", "lbd ", "tokio "] {
        assert!(
            made_for.lines().any(|line| line.starts_with(expected)),
            "{expected} is not in {made_for}"
        );
    }
    assert!(
        stale.is_empty(),
        "the profile knows {stale:?} (name, version, features), which this build does not have: run benches/profile/train \
         and commit what it writes"
    );
}

#[test]
fn packaged_builds_are_built_as_when_the_profile_was_made() {
    let profiles = &toml("Cargo.toml")["profile"];
    let settings: toml::Table = "opt-level = 3\ndebug = 1\nlto = 'fat'\ncodegen-units = 1"
        .parse()
        .unwrap();
    let mut dist = settings.clone();
    dist.insert("inherits".to_owned(), "release".into());
    for (name, whole) in [("dist", &dist), ("bench", &settings)] {
        let mut found = profiles[name].as_table().unwrap().clone();
        let own = found.remove("package").unwrap();
        assert_eq!(found, *whole, "{name}: names of functions carry a hash of these");
        // What `release` says of a package is inherited, whatever `name` says for all of them.
        for (package, settings) in profiles["release"]["package"].as_table().unwrap() {
            let settings = own.get(package).unwrap_or(settings).as_table().unwrap();
            assert_eq!(
                (settings.len(), settings["opt-level"].as_integer()),
                (1, Some(3)),
                "{package} in {name}"
            );
        }
    }
    assert!(
        profiles["release"].get("lto").is_none(),
        "it would be given the profile, which fits nothing there"
    );
}

#[test]
fn what_a_request_meets_is_optimised_in_quick_builds_too() {
    let optimised = &toml("Cargo.toml")["profile"]["release"]["package"];
    // A certificate is looked at once per handshake that asks for one: in a quick build it may take its time.
    let certificates = tree("lb-cert");
    let is_of_certificates = |name: &String| {
        let mut names = certificates.lines().filter_map(|line| line.split(' ').next());
        names.any(|known| known == name) && !name.starts_with("aws-lc")
    };
    let mut missing: Vec<String> = tree("lb-proxy")
        .lines()
        .filter_map(|line| Some(line.split(' ').next()?.to_owned()))
        .chain(["libmimalloc-sys", "mimalloc"].map(str::to_owned))
        .filter(|name| !NOTHING_TO_OPTIMISE.contains(&name.as_str()))
        .filter(|name| !is_of_certificates(name))
        .filter(|name| optimised.get(name).and_then(|it| it["opt-level"].as_integer()) != Some(3))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    assert!(
        missing.is_empty(),
        "without opt-level = 3 in [profile.release.package]: {missing:?}"
    );
}

/// Parts of the data path that are types, macros and generic code, which is compiled where it is used, or are called once.
/// Those with a build script are not optimised because `dist` inherits that, and its names of functions would change:
/// of libm `exp` is slower by 60 ns, which is one call for each answer with `peak_ewma`.
/// Four are for DSA keys.
const NOTHING_TO_OPTIMISE: [&str; 16] = [
    "bitflags",
    "cmov",
    "cpubits",
    "crypto-bigint",
    "ctutils",
    "errno",
    "libc",
    "libm",
    "linux-raw-sys",
    "once_cell",
    "pin-project-lite",
    "serde_core",
    "serde_json",
    "signal-hook-registry",
    "thiserror",
    "zmij",
];

#[test]
fn optimised_builds_of_the_pinned_compiler_are_given_the_profile() {
    let profile = format!("-Cprofile-use={}", folder().join("lbd.profdata").display());
    // What cargo says for libraries and for programs with `lto = "fat"`.
    for lto in ["linker-plugin-lto", "lto"] {
        let args = ["--crate-name", "x", "-C", lto, "src/lib.rs"];
        let got = called(&args, &pinned(), None);
        assert_eq!(got[..args.len()], args);
        assert!(got.contains(&profile), "{lto}: {got:?}");
    }
}

#[test]
fn all_other_builds_are_left_as_they_are() {
    for args in [
        &["--print", "cfg"][..],
        &["--crate-name", "x", "-C", "embed-bitcode=no", "a b.rs"],
        &["--crate-name", "lto", "--out-dir", "/tmp/lto"],
        &["--crate-name", "x", "-C", "lto=thin"],
    ] {
        assert_eq!(called(args, &pinned(), None), args, "unchanged, blanks included");
    }
}

#[test]
fn another_compiler_is_not_given_a_profile_that_it_cannot_use() {
    let args = ["--crate-name", "x", "-C", "lto"];
    assert_eq!(called(&args, "1.85.0", None), args);
}

#[test]
fn the_environment_turns_it_off_or_makes_a_program_that_counts() {
    let args = ["--crate-name", "x", "-C", "linker-plugin-lto"];
    assert_eq!(called(&args, &pinned(), Some("none")), args);
    let counted = called(&args, &pinned(), Some("count"));
    assert_eq!(counted[..args.len()], args);
    assert_eq!(counted[args.len()..], ["-Cprofile-generate"]);
}

#[test]
fn a_checkout_without_the_profile_builds_too() {
    let args = ["--crate-name", "x", "-C", "lto"];
    assert_eq!(called_by(&FILES.1, &args, &pinned(), None), args);
}

/// All that this package is built of, itself included, without macros: a line for each, "tokio v1.54.1|default,net", and
/// "lb-net v0.1.0 (its folder)|" for one of ours.
fn tree(package: &str) -> String {
    let tree = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            package,
            "--edges",
            "normal,no-proc-macro",
        ])
        .args(["--prefix", "none", "--format", "{p}|{f}"])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{tree:?}");
    String::from_utf8(tree.stdout).unwrap()
}

/// With what the compiler is called when cargo calls it with `args`, by one that says it is `release`.
fn called(args: &[&str], release: &str, asked: Option<&str>) -> Vec<String> {
    called_by(&folder().join("rustc"), args, release, asked)
}

/// A compiler that says with what it was called, and our script in a folder where nothing else is. Written before any test
/// starts a process: one that is being started would keep the files busy.
static FILES: LazyLock<(PathBuf, PathBuf)> = LazyLock::new(|| {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profile");
    fs::create_dir_all(place.join("alone")).unwrap();
    let (compiler, alone) = (place.join("compiler"), place.join("alone/rustc"));
    let script = "#!/bin/sh\nif [ \"$*\" = -vV ]; then echo \"release: $RELEASE\"; else printf '%s\\n' \"$@\"; fi\n";
    fs::write(&compiler, script).unwrap();
    fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(folder().join("rustc"), &alone).unwrap();
    (compiler, alone)
});

fn called_by(wrapper: &Path, args: &[&str], release: &str, asked: Option<&str>) -> Vec<String> {
    let mut command = Command::new(wrapper);
    command.arg(&FILES.0).args(args).env("RELEASE", release);
    match asked {
        Some(asked) => command.env("LBD_PROFILE", asked),
        None => command.env_remove("LBD_PROFILE"),
    };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn pinned() -> String {
    let toolchain = toml("rust-toolchain.toml");
    toolchain["toolchain"]["channel"].as_str().unwrap().to_owned()
}

fn folder() -> PathBuf {
    root().join("benches/profile")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn toml(file: &str) -> toml::Table {
    fs::read_to_string(root().join(file)).unwrap().parse().unwrap()
}
