//! `--out -`: to standard output, never into a file of that name, and no key to a terminal.

use super::made::{Ca, blocks, ders};
use super::run::Place;
use std::process::{Command, Stdio};

fn pair() -> Place {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, key) = root.leaf("www.example.com");
    place.put("pair.pem", format!("{leaf}{}{key}", root.pem));
    place.put("leaf.pem", leaf);
    place.put("word", "tiger\n");
    place
}

/// Runs `lbd cert` on a terminal of its own; `None` where `script` is missing and need not be there.
fn on_a_terminal(place: &Place, words: &str) -> Option<(Option<i32>, String)> {
    let command = format!("{} cert {words}", env!("CARGO_BIN_EXE_lbd"));
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => Some((
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )),
        Err(error) => {
            assert!(std::env::var_os("LBD_REQUIRE_PEERS").is_none(), "script: {error}");
            println!("skipped: script: {error}");
            None
        }
    }
}

#[test]
fn a_minus_sign_is_standard_output_for_all_that_write() {
    let place = pair();
    let before = place.files();
    for words in [
        "convert pair.pem --out -",
        "convert pair.pem",
        "bundle pair.pem --out -",
        "doctor pair.pem --at 2026-11-21 --out -",
        "convert pair.pem --out - --force",
    ] {
        let said = place.cert(words);
        assert!(
            said.out.starts_with("-----BEGIN CERTIFICATE-----\n"),
            "{words}: {}",
            said.out
        );
        assert_eq!(blocks(&said.out, "PRIVATE KEY").len(), 1, "{words}");
        assert!(
            said.out.ends_with("-----END PRIVATE KEY-----\n"),
            "{words}: {}",
            said.out
        );
        assert_eq!(place.files(), before, "{words}");
    }
    let said = place.cert("convert leaf.pem --to der --out -").with_code(0);
    assert!(said.out.len() > 100);
    let said = place.cert("bundle pair.pem --out -").with_code(0);
    assert!(
        said.errors.contains("1 www.example.com (pair.pem, block 1"),
        "{}",
        said.errors
    );
    assert!(!said.errors.contains("written:"), "{}", said.errors);
}

#[test]
fn a_file_of_that_name_is_written_and_read_with_its_folder() {
    let place = pair();
    place.cert("convert leaf.pem --out ./-").with_code(0);
    assert_eq!(ders(&place.text("-")).len(), 1);
    place.cert("inspect ./-").with_code(0);
}

#[test]
fn a_terminal_is_shown_certificates_but_no_key_and_nothing_binary() {
    let place = pair();
    for (words, reason) in [
        ("convert pair.pem --out -", "a private key is not shown on a terminal"),
        ("convert pair.pem", "a private key is not shown on a terminal"),
        ("bundle pair.pem --out -", "a private key is not shown on a terminal"),
        (
            "doctor pair.pem --at 2026-11-21 --roots pair.pem --out -",
            "a private key is not shown on a terminal",
        ),
        ("convert leaf.pem --to der --out -", "binary"),
        ("convert leaf.pem --to p7b", "binary"),
        ("convert pair.pem --to p12 --out - --out-password-file word", "binary"),
    ] {
        let Some((code, seen)) = on_a_terminal(&place, words) else {
            return;
        };
        assert_eq!(code, Some(2), "{words}: {seen}");
        assert!(seen.contains(reason), "{words}: {seen}");
        assert!(!seen.contains("BEGIN PRIVATE KEY"), "{words}: {seen}");
    }
    for words in ["convert leaf.pem --out -", "convert pair.pem --no-key"] {
        let (code, seen) = on_a_terminal(&place, words).unwrap();
        assert_eq!(code, Some(0), "{words}: {seen}");
        assert!(seen.contains("-----BEGIN CERTIFICATE-----"), "{words}: {seen}");
    }
}

#[test]
fn several_files_are_converted_into_one() {
    let place = pair();
    let root = Ca::root("Root");
    let middle = root.below("Middle");
    let (leaf, key) = middle.leaf("www.example.com");
    place.put("root.pem", &root.pem);
    place.put("middle.pem", &middle.pem);
    place.put("leaf.pem", &leaf);
    place.put("own.key", &key);
    let ordered = [leaf, middle.pem, root.pem].concat();
    place
        .cert("convert own.key root.pem leaf.pem middle.pem --to p12 --out a.p12 --out-password-file word")
        .with_code(0);
    let said = place.cert("convert a.p12 --password-file word").with_code(0);
    assert_eq!(ders(&said.out), ders(&ordered));
    assert_eq!(blocks(&said.out, "PRIVATE KEY"), blocks(&key, "PRIVATE KEY"));
    let said = place.cert("convert leaf.pem middle.pem --to der").with_code(4);
    assert!(
        said.errors.contains("leaf.pem, middle.pem holds 2 certificates"),
        "{}",
        said.errors
    );
    place.put("other.key", Ca::root("Other").leaf("other.example").1);
    place.cert("convert leaf.pem other.key").with_code(4);
    let said = place.cert("convert leaf.pem missing.key").with_code(1);
    assert!(said.errors.contains("missing.key"), "{}", said.errors);
}
