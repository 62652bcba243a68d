//! A folder is read: inspect, doctor and bundle.

use super::made::{AT, Ca, ders};
use super::run::Place;
use std::os::unix::fs::symlink;

fn folder() -> (Place, String) {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join("tls/old")).unwrap();
    let root = Ca::root("Root");
    let middle = root.below("Middle");
    let (leaf, key) = middle.leaf("www.example.com");
    place.put("tls/leaf.crt", &leaf);
    place.put("tls/ca.pem", format!("{}{}", root.pem, middle.pem));
    place.put("tls/own.key", key);
    place.put("tls/README", "This folder is kept by certbot.\n");
    place.put("tls/empty", "");
    place.put("tls/old/leaf.crt", &leaf);
    (place, [leaf, middle.pem].concat())
}

#[test]
fn the_files_of_a_folder_are_read_and_what_is_no_certificate_is_noted() {
    let (place, chain) = folder();
    let said = place.cert(&format!("inspect tls {AT}")).with_code(0);
    for line in [
        "tls/ca.pem: PEM, 2 certificates\n",
        "tls/leaf.crt: PEM, 1 certificate\n",
        "tls/own.key: PEM, 1 private key\n",
        "tls/README: left out: ",
        "tls/empty: left out: the file is empty",
        "tls: left out: 1 sub-folder, not entered",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let said = place.cert(&format!("doctor tls {AT} --roots tls/ca.pem")).with_code(0);
    assert!(said.out.contains("[left-out]"), "{}", said.out);
    let said = place.cert(&format!("bundle tls {AT} --out out.pem")).with_code(0);
    assert!(said.errors.contains("tls/README: left out"), "{}", said.errors);
    assert_eq!(ders(&place.text("out.pem")), ders(&chain));
    assert!(place.text("out.pem").contains("PRIVATE KEY"));
    // Together with files, as before.
    place.cert(&format!("inspect tls tls/leaf.crt {AT}")).with_code(0);
}

#[test]
fn a_file_behind_two_links_is_read_once_and_a_pipe_not_at_all() {
    let (place, _) = folder();
    let at = |name: &str| place.path().join("tls").join(name);
    symlink("leaf.crt", at("5ad8a5d6.0")).unwrap();
    symlink("nowhere", at("zz.pem")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(made.success());
    let said = place.cert(&format!("inspect tls {AT}")).with_code(1);
    assert!(said.errors.contains("zz.pem"), "{}", said.errors);
    assert!(said.out.contains("tls/5ad8a5d6.0: PEM, 1 certificate"), "{}", said.out);
    assert!(!said.out.contains("tls/leaf.crt: PEM"), "{}", said.out);
    assert!(said.out.contains("tls/pipe: left out: a pipe"), "{}", said.out);
}

#[test]
fn what_is_damaged_in_a_folder_is_named_behind_the_report_and_stops_a_bundle() {
    let (place, _) = folder();
    let damaged = place.text("tls/leaf.crt").replacen("\nMI", "\nM#", 1);
    place.put("tls/z.crt", damaged);
    let said = place.cert(&format!("doctor tls {AT}")).with_code(3);
    assert!(said.errors.contains("tls/z.crt, block 1 (line 2)"), "{}", said.errors);
    assert!(said.out.contains("www.example.com"), "{}", said.out);
    let said = place.cert(&format!("inspect tls {AT}")).with_code(3);
    assert!(said.out.contains("tls/leaf.crt: PEM"), "{}", said.out);
    place.cert("bundle tls --out out.pem").with_code(3);
    assert!(!place.has("out.pem"));
}

#[test]
fn a_folder_without_anything_of_use_and_one_that_is_too_large_are_refused() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join("none")).unwrap();
    place.put("none/text", "nothing here\n");
    let said = place.cert("inspect none").with_code(4);
    assert!(said.errors.contains("none holds no certificate"), "{}", said.errors);
    std::fs::create_dir_all(place.path().join("many")).unwrap();
    for number in 0..1_001 {
        place.put(&format!("many/{number}"), "x");
    }
    let said = place.cert("doctor many").with_code(6);
    assert!(said.errors.contains("more than 1000 files"), "{}", said.errors);
}

#[test]
fn where_the_order_of_files_has_a_meaning_a_folder_is_refused_with_the_mend() {
    let (place, _) = folder();
    for words in ["verify tls", "convert tls", "match tls tls"] {
        let said = place.cert(words).with_code(1);
        assert!(said.errors.contains("tls is a folder"), "{words}: {}", said.errors);
    }
}
