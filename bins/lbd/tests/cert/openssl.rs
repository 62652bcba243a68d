//! What openssl writes we read; what we write openssl reads.

use super::made::{AT, Ca, ders};
use super::run::Place;
use std::process::Command;

/// Runs openssl in the folder; `None` with a printed reason when it is absent and need not be there.
pub(super) fn openssl(place: &Place, words: &str) -> Option<Vec<u8>> {
    let output = Command::new("/usr/bin/openssl")
        .args(words.split_whitespace())
        .current_dir(place.path())
        .env("LC_ALL", "C")
        .output();
    match output {
        Ok(output) => {
            assert!(
                output.status.success(),
                "openssl {words}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            Some(output.stdout)
        }
        Err(error) => {
            assert!(std::env::var_os("LBD_REQUIRE_PEERS").is_none(), "openssl: {error}");
            println!("skipped: openssl: {error}");
            None
        }
    }
}

pub(super) fn chain() -> (Place, String) {
    let place = Place::new();
    let root = Ca::root("Root");
    let middle = root.below("Middle");
    let (leaf, key) = middle.leaf("www.example.com");
    let ordered = format!("{leaf}{}{}", middle.pem, root.pem);
    place.put("heap.pem", format!("{}{key}{}{leaf}", root.pem, middle.pem));
    place.put("leaf.pem", leaf);
    place.put("others.pem", format!("{}{}", root.pem, middle.pem));
    place.put("key.pem", key);
    place.put("secret", "tiger\n");
    (place, ordered)
}

#[test]
fn the_fingerprint_is_the_one_that_openssl_prints() {
    let (place, _) = chain();
    let Some(said) = openssl(&place, "x509 -in leaf.pem -noout -fingerprint -sha256") else {
        return;
    };
    let said = String::from_utf8(said).unwrap();
    let (_, fingerprint) = said.trim().split_once('=').unwrap();
    let ours = place.cert(&format!("inspect leaf.pem {AT}")).with_code(0);
    assert!(
        ours.out.contains(&format!("  SHA-256         {fingerprint}\n")),
        "{fingerprint}\n{}",
        ours.out
    );
}

#[test]
fn s_conv_05_and_06_pkcs12_of_openssl_old_and_new_is_read() {
    let (place, ordered) = chain();
    for options in [
        "",
        "-legacy",
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "-nomac",
        "-certpbe NONE",
        "-macalg sha512",
    ] {
        let words = format!(
            "pkcs12 -export -in leaf.pem -inkey key.pem -certfile others.pem -passout file:secret -out a.p12 {options}"
        );
        if openssl(&place, &words).is_none() {
            return;
        }
        place
            .cert("convert a.p12 --out out.pem --password-file secret --force")
            .with_code(0);
        let written = place.text("out.pem");
        assert_eq!(ders(&written), ders(&ordered), "{options}");
        assert!(written.contains("-----BEGIN PRIVATE KEY-----"), "{options}");
        place.cert("match out.pem out.pem").with_code(0);
    }
}

#[test]
fn what_is_written_openssl_reads() {
    let (place, ordered) = chain();
    place
        .cert("convert heap.pem --to p12 --out out.p12 --out-password-file secret")
        .with_code(0);
    let Some(read) = openssl(&place, "pkcs12 -in out.p12 -passin file:secret -nodes") else {
        return;
    };
    let read = String::from_utf8(read).unwrap();
    assert_eq!(ders(&read).first(), ders(&ordered).first());
    assert_eq!(ders(&read).len(), 3);
    assert!(read.contains("PRIVATE KEY"));

    place.cert("convert heap.pem --to p7b --out out.p7b").with_code(0);
    let read = openssl(&place, "pkcs7 -inform DER -in out.p7b -print_certs").unwrap();
    assert_eq!(ders(&String::from_utf8(read).unwrap()).len(), 3);

    for form in ["pkcs8", "sec1"] {
        place
            .cert(&format!("convert key.pem --key-format {form} --out {form}.key"))
            .with_code(0);
        let ours = openssl(&place, &format!("pkey -in {form}.key -pubout")).unwrap();
        assert_eq!(ours, openssl(&place, "pkey -in key.pem -pubout").unwrap(), "{form}");
        place
            .cert(&format!(
                "convert key.pem --key-format {form} --to der --out {form}.der"
            ))
            .with_code(0);
        let ours = openssl(&place, &format!("pkey -inform DER -in {form}.der -pubout")).unwrap();
        assert_eq!(ours, openssl(&place, "pkey -in key.pem -pubout").unwrap(), "{form}");
    }
}

#[test]
fn s_key_03_an_rsa_key_becomes_what_openssl_calls_traditional() {
    let place = Place::new();
    let make = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out old.pem";
    if openssl(&place, make).is_none() {
        return;
    }
    place
        .cert("convert old.pem --key-format pkcs1 --out new.pem")
        .with_code(0);
    let expected = openssl(&place, "pkey -in old.pem -traditional").unwrap();
    assert_eq!(place.get("new.pem"), expected);
    place
        .cert("convert old.pem --key-format traditional --out again.pem")
        .with_code(0);
    assert_eq!(place.get("again.pem"), expected);
    place.cert("convert new.pem --out back.pem").with_code(0);
    assert_eq!(place.get("back.pem"), openssl(&place, "pkey -in old.pem").unwrap());
}

#[test]
fn an_encrypted_key_is_opened_with_its_password() {
    let (place, _) = chain();
    for options in ["-v2 aes-256-cbc", "-v2 des3", "-scrypt"] {
        let words = format!("pkcs8 -topk8 -in key.pem -passout file:secret -out locked.pem {options}");
        if openssl(&place, &words).is_none() {
            return;
        }
        place
            .cert("convert locked.pem --out open.pem --password-file secret --force")
            .with_code(0);
        assert_eq!(place.text("open.pem"), place.text("key.pem"), "{options}");
        place.put("wrong", "lion\n");
        let said = place
            .cert("convert locked.pem --out never.pem --password-file wrong")
            .with_code(5);
        assert!(said.errors.contains("locked.pem"), "{}", said.errors);
        assert!(!place.has("never.pem"));
    }
}
