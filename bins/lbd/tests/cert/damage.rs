//! Damaged input: a code that is not 0, the file and place named, nothing written, never a panic.

use super::made::{Ca, ders, six};
use super::run::Place;

#[test]
fn s_pem_02_and_07_a_damaged_pem_is_reported_with_its_line() {
    let place = Place::new();
    let (leaf, _) = Ca::root("Root").leaf("www.example.com");
    for (name, damaged, words) in [
        (
            "short-dashes",
            leaf.replacen("-----BEGIN", "----BEGIN", 1),
            vec!["line 1"],
        ),
        ("no-end", leaf.replace("-----END CERTIFICATE-----\n", ""), vec!["END"]),
        (
            "letter",
            leaf.replacen("\nMII", "\nM#I", 1),
            vec!["line 2", "column 2", "#"],
        ),
        ("cut", leaf[..leaf.len() / 2].to_owned(), vec!["END"]),
        (
            "label",
            leaf.replace("END CERTIFICATE", "END CERTIFICATES"),
            vec!["CERTIFICATES"],
        ),
        ("nothing", String::new(), vec!["empty"]),
        ("text", "no certificate here\n".to_owned(), vec![]),
    ] {
        let file = format!("{name}.pem");
        place.put(&file, &damaged);
        let said = place.cert(&format!("convert {file} --out out.pem")).with_code(3);
        assert!(
            said.errors.starts_with(&format!("lbd: {file}")),
            "{name}: {}",
            said.errors
        );
        assert!(said.errors.contains("mend: "), "{name}: {}", said.errors);
        for word in words {
            assert!(said.errors.contains(word), "{name}: {word}: {}", said.errors);
        }
        assert!(!place.has("out.pem"), "{name}");
    }
}

#[test]
fn a_changed_byte_anywhere_in_a_chain_with_its_root_is_noticed() {
    let place = Place::new();
    let [root, gamma, ..] = six();
    let (leaf, _) = gamma.leaf("www.example.com");
    let certificates = [&leaf, &gamma.pem, &root.pem].map(|pem| ders(pem).remove(0));
    let mut noticed = 0;
    for which in 0..3 {
        // Every 17th byte, so that each part of a certificate has its turn.
        for position in (0..certificates[which].len()).step_by(17) {
            let mut changed = certificates.clone();
            changed[which][position] ^= 0x08;
            place.put("changed.pem", changed.iter().map(|der| pem(der)).collect::<String>());
            let said = place.cert("convert changed.pem --out out.pem");
            assert!(
                matches!(said.code, Some(3 | 4)),
                "certificate {which}, byte {position}: {:?} {}",
                said.code,
                said.errors
            );
            assert!(!place.has("out.pem"), "certificate {which}, byte {position}");
            noticed += 1;
        }
    }
    assert!(noticed > 60, "{noticed}");
    place.put("whole.pem", certificates.iter().map(|der| pem(der)).collect::<String>());
    place.cert("convert whole.pem --out out.pem").with_code(0);
}

#[test]
fn a_changed_byte_in_the_key_of_a_certificate_is_noticed() {
    let place = Place::new();
    let (leaf, key) = Ca::root("Root").leaf("www.example.com");
    let der = super::made::blocks(&key, "PRIVATE KEY").remove(0);
    for position in 0..der.len() {
        let mut changed = der.clone();
        changed[position] ^= 0x04;
        let block = pem(&changed).replace("CERTIFICATE", "PRIVATE KEY");
        place.put("pair.pem", format!("{leaf}{block}"));
        let said = place.cert("convert pair.pem --out out.pem");
        assert!(
            matches!(said.code, Some(3 | 4)),
            "byte {position}: {:?} {}",
            said.code,
            said.errors
        );
        assert!(!place.has("out.pem"), "byte {position}");
    }
}

#[test]
fn what_is_cut_off_anywhere_is_noticed() {
    let place = Place::new();
    let [root, gamma, ..] = six();
    let (leaf, _) = gamma.leaf("www.example.com");
    place.put("chain.pem", [&leaf, &gamma.pem, &root.pem].map(String::as_str).concat());
    place.cert("convert chain.pem --to p7b --out chain.p7b").with_code(0);
    let variables = [("SECRET", "tiger")];
    place
        .cert_with(
            "convert chain.pem --to p12 --out chain.p12 --out-password-env SECRET",
            &variables,
            b"",
        )
        .with_code(0);
    for name in ["chain.p7b", "chain.p12"] {
        let whole = place.get(name);
        for length in (1..whole.len()).step_by(37) {
            place.put("cut", &whole[..length]);
            let said = place.cert_with("convert cut --out out.pem --password-env SECRET", &variables, b"");
            assert_eq!(said.code, Some(3), "{name}, {length} bytes: {}", said.errors);
            assert!(!place.has("out.pem"), "{name}, {length} bytes");
        }
    }
}

#[test]
fn what_looks_damaged_is_converted_on_request() {
    let place = Place::new();
    let root = Ca::root("Root");
    let mut der = ders(&root.pem).remove(0);
    *der.last_mut().unwrap() ^= 1;
    place.put("root.der", &der);
    let said = place.cert("convert root.der --out out.pem").with_code(3);
    assert!(said.errors.contains("--unchecked"), "{}", said.errors);
    place.cert("convert root.der --out out.pem --unchecked").with_code(0);
    assert_eq!(ders(&place.text("out.pem")), [der]);
}

/// PEM with 64 columns.
fn pem(der: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut letters = String::new();
    for group in der.chunks(3) {
        let value = group.iter().fold(0u32, |value, byte| (value << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(value >> (18 - 6 * place)) as usize & 63];
            letters.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in letters.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
