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
fn the_harness_of_the_conformance_tests_is_not_in_the_help_of_users() {
    let said = Place::new().cert("--help").with_code(0);
    assert!(!said.out.to_lowercase().contains("limbo"), "{}", said.out);
}

#[test]
fn damaged_locked_and_unsupported_input_end_with_three_codes() {
    let place = Place::new();
    let (leaf, key) = super::made::Ca::root("Root").leaf("www.example.com");
    place.put("word", "tiger\n");
    place.put("wrong", "lion\n");
    place.put("pair.pem", format!("{leaf}{key}"));
    place
        .cert("convert pair.pem --to p12 --out pair.p12 --out-password-file word")
        .with_code(0);
    place.put("cut.pem", &leaf[..leaf.len() / 2]);
    place.put("cut.p12", &place.get("pair.p12")[..300]);
    place.put(
        "request.pem",
        "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n",
    );
    place.put("unknown", "no certificate here\n");
    // In an AlgorithmIdentifier of PKCS#8: PBES1 with MD2 and DES, which nothing opens any more.
    let old = "MCUwGwYJKoZIhvcNAQUBMA4ECAECAwQFBgcIAgIIAAQGAQIDBAUG";
    place.put(
        "old.key",
        format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{old}\n-----END ENCRYPTED PRIVATE KEY-----\n"),
    );
    for command in [
        "inspect FILE",
        "doctor FILE",
        "convert FILE",
        "bundle FILE --out out.pem",
        "verify FILE",
    ] {
        for (file, code) in [
            ("cut.pem", 3),
            ("cut.p12", 3),
            ("unknown", 3),
            ("request.pem", 4),
            ("pair.p12", 5),
            ("pair.p12 --password-file wrong", 5),
            ("old.key --password-file word", 6),
            ("missing", 1),
        ] {
            let said = place.cert(&command.replace("FILE", file));
            assert_eq!(said.code, Some(code), "{command} {file}: {}", said.errors);
        }
    }
    // Of several the first in this order: unreadable, damaged, locked, unsupported.
    let said = place.cert("inspect old.key pair.p12 cut.pem").with_code(3);
    for name in ["old.key", "pair.p12", "cut.pem"] {
        assert!(said.errors.contains(&format!("lbd: {name}")), "{name}: {}", said.errors);
    }
    place.cert("inspect old.key pair.p12").with_code(5);
    place.cert("inspect old.key missing cut.pem").with_code(1);
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
