//! Help and wrong usage.

use super::run::Place;

#[test]
fn every_sub_command_has_examples_and_its_exit_codes_in_its_help() {
    let place = Place::new();
    for command in ["inspect", "verify", "doctor", "convert", "bundle", "match"] {
        let said = place.cert(&format!("{command} --help")).with_code(0);
        assert!(
            said.out.contains(&format!("  lbd cert {command}")),
            "{command}: {}",
            said.out
        );
        assert!(said.out.contains("Exit codes: 0 "), "{command}: {}", said.out);
    }
    let said = place.cert("--help").with_code(0);
    for word in [
        "inspect",
        "verify",
        "doctor",
        "convert",
        "bundle",
        "match",
        "Exit codes: 0 ",
    ] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}

#[test]
fn wrong_usage_has_code_2() {
    let place = Place::new();
    for words in [
        "",
        "fly",
        "inspect",
        "inspect a.pem --at yesterday",
        "convert a.pem --to docx",
        "convert a.pem --key-format pkcs9",
        "convert a.pem --no-key --only-key",
        "bundle a.pem",
        "verify",
        "doctor a.pem --force",
        "doctor a.pem --print --json",
        "match a.pem",
        "inspect a.pem --password x --password-env Y",
    ] {
        let said = place.cert(words).with_code(2);
        assert!(said.out.is_empty(), "{words}: {}", said.out);
    }
    let said = place.cert("inspect a.pem --at yesterday");
    assert!(said.errors.contains("2026-11-21T06:55:00Z"), "{}", said.errors);
}
