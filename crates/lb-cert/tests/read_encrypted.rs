//! Encrypted keys and PKCS#12: damage is told from a wrong password, and what is refused is converted by the command printed.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.
#![cfg(all(feature = "pkcs12", feature = "encrypted-keys"))]

mod openssl;

use lb_cert::{Password, Problem, ReadError, ReadErrorKind, ReadOptions, read};
use openssl::Shop;
use openssl::goods::Goods;
use std::process::{Command, Stdio};

fn refused(name: &str, bytes: &[u8], words: &[&str]) -> ReadError {
    let words: Vec<Password> = words.iter().map(|word| Password::from(*word)).collect();
    read(name, bytes, &ReadOptions::with_passwords(&words)).expect_err(name)
}

#[test]
fn with_the_right_password_no_changed_byte_is_called_a_wrong_password() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    for scheme in ["", "-legacy", "-keypbe AES-128-CBC -macalg sha1"] {
        shop.run(&format!(
            "pkcs12 -export -inkey leaf.key -in chain.crt -passout pass:right {scheme} -out site.p12"
        ));
        let whole = shop.bytes("site.p12");
        for at in (0..whole.len()).step_by(whole.len() / 90) {
            let mut bent = whole.clone();
            bent[at] ^= 0x01;
            let error = refused("site.p12", &bent, &["right"]);
            // A changed number of iterations may pass a limit, a changed identifier names what nobody knows.
            assert!(
                !matches!(
                    error.kind(),
                    ReadErrorKind::WrongPassword | ReadErrorKind::PasswordNeeded
                ),
                "{scheme}, byte {at}: {error}"
            );
        }
        let error = refused("site.p12", &whole, &["wrong"]);
        assert_eq!(error.kind(), ReadErrorKind::WrongPassword, "{scheme}: {error}");
    }
}

#[test]
fn a_password_that_opens_a_part_shows_that_the_rest_was_changed() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    shop.run("pkcs12 -export -inkey leaf.key -in chain.crt -passout pass:right -out site.p12");
    let mut bent = shop.bytes("site.p12");
    let at = bent.len() - 30; // in the digest of the MAC, whether its salt has 8 or 16 bytes
    bent[at] ^= 1;
    let error = refused("site.p12", &bent, &["right"]);
    assert_eq!(
        error.to_string(),
        "site.p12: the PKCS#12 is damaged: the password opens it, but its integrity check does not fit"
    );
    assert!(
        error.explain().starts_with("The password is right;"),
        "{}",
        error.explain()
    );
    assert_eq!(
        refused("site.p12", &bent, &["wrong"]).kind(),
        ReadErrorKind::WrongPassword
    );
    // Without a MAC the certificates are opened first and prove the password for the key behind them.
    shop.run(
        "pkcs12 -export -nomac -certpbe AES-256-CBC -inkey leaf.key -in chain.crt -passout pass:right -out site.p12",
    );
    let mut bent = shop.bytes("site.p12");
    // The attribute localKeyID stands behind the key; a bit of the last block but one turns one of the padding.
    let attributes = [0x31, 0x25, 0x30, 0x23, 0x06, 0x09];
    let last = bent.len() - 39;
    assert!(bent[last..].starts_with(&attributes));
    bent[last - 17] ^= 1;
    let error = refused("site.p12", &bent, &["right"]);
    assert_eq!(
        error.to_string(),
        "site.p12: the PKCS#12 is damaged: the password opens one part, but not another"
    );
    bent.truncate(last);
    assert_eq!(refused("site.p12", &bent, &["right"]).kind(), ReadErrorKind::Damaged);
}

#[test]
fn a_key_that_was_cut_is_damaged_whatever_the_password() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "rsa");
    shop.run("rsa -in leaf.key -traditional -aes256 -passout pass:x -out old.pem");
    let whole = shop.text("old.pem");
    let lines: Vec<&str> = whole.lines().collect();
    let cut: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != 9)
        .map(|(_, line)| *line)
        .collect();
    // A line of 64 columns is 48 bytes: three whole blocks, which no length shows.
    assert_eq!(
        refused("old.pem", cut.join("\n").as_bytes(), &["x"]).kind(),
        ReadErrorKind::Damaged
    );
    for (found, instead, reason) in [
        ("AES-256-CBC,", "AES-256-CBC,00", "no vector of the right length"),
        ("AES-256-CBC,", "AES-256-CBC,!", "no vector of the right length"),
        ("DEK-Info: ", "X-Info: ", "no DEK-Info line"),
        (
            "AES-256-CBC,",
            "ROT-13,",
            "old PEM encryption (ROT-13), which is not known",
        ),
    ] {
        let error = refused("old.pem", whole.replace(found, instead).as_bytes(), &["x"]);
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert_eq!(
        refused("old.pem", whole.as_bytes(), &["y"]).kind(),
        ReadErrorKind::WrongPassword
    );
    assert_eq!(
        refused("old.pem", whole.as_bytes(), &[]).kind(),
        ReadErrorKind::PasswordNeeded
    );
}

#[test]
fn what_is_not_decrypted_here_is_converted_by_the_command_that_is_printed() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "rsa");
    let legacy = "-provider legacy -provider default";
    let mut files: Vec<(&str, String, &str)> = Vec::new();
    for cipher in [
        "camellia-128-cbc",
        "camellia-256-cbc",
        "aria-192-cbc",
        "seed-cbc",
        "bf-cbc",
        "cast5-cbc",
    ] {
        for (form, name) in [("pem", "my key.pem"), ("der", "it's.der")] {
            files.push((
                name,
                format!("pkcs8 -topk8 {legacy} -in leaf.key -v2 {cipher} -passout pass:x -outform {form} -out made"),
                "PBES2",
            ));
        }
    }
    for form in ["pem", "der"] {
        files.push((
            "-old.key",
            format!(
                "pkcs8 -topk8 {legacy} -in leaf.key -v1 PBE-SHA1-RC4-128 -passout pass:x -outform {form} -out made"
            ),
            "RC4-128",
        ));
    }
    for cipher in ["camellia256", "aria256", "seed", "bf", "cast5-cbc"] {
        files.push((
            "old.pem",
            format!("rsa {legacy} -traditional -in leaf.key -{cipher} -passout pass:x -out made"),
            "old PEM encryption",
        ));
    }
    for (more, scheme) in [
        ("-keypbe PBE-SHA1-RC4-128", "RC4-128"),
        ("-certpbe PBE-SHA1-RC4-40", "RC4-40"),
        ("-keypbe camellia-256-cbc", "Camellia-256"),
        ("-macalg sha3-256", "SHA3-256"),
    ] {
        files.push((
            "site one.p12",
            format!("pkcs12 -export -legacy -inkey leaf.key -in leaf.crt {more} -passout pass:x -out made"),
            scheme,
        ));
    }
    for (name, make, scheme) in files {
        shop.run(&make);
        let binary = shop.bytes("made");
        let mut forms = vec![binary.clone()];
        if make.starts_with("pkcs12") {
            let base64 = String::from_utf8(shop.run("base64 -in made")).expect("text");
            forms.push(format!("-----BEGIN PKCS12-----\n{base64}-----END PKCS12-----\n").into_bytes());
        }
        for bytes in forms {
            shop.write(name, &bytes);
            let error = refused(name, &bytes, &["x"]);
            assert_eq!(error.kind(), ReadErrorKind::Unsupported, "{make}: {error}");
            assert!(
                matches!(&error.problem, Problem::Scheme { scheme: said, .. } if said.contains(scheme)),
                "{make}: {error}"
            );
            let text = error.explain();
            let command = text
                .split('`')
                .nth(1)
                .unwrap_or_else(|| panic!("{make}: a command: {text}"));
            let done = Command::new("sh")
                .args(["-c", &format!("{command} -passin pass:x")])
                .current_dir(shop.folder())
                .stdin(Stdio::null())
                .output()
                .expect("a shell runs");
            let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(done.status.success(), "{make}: {command}: {complaint}");
            let plain = read("out.pem", &shop.bytes("out.pem"), &ReadOptions::default());
            assert_eq!(plain.expect(command).keys.len(), 1, "{command}");
            std::fs::remove_file(shop.path("out.pem")).expect("it was written");
        }
    }
}

#[test]
fn what_nobody_knows_has_no_command() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    shop.run("pkcs8 -topk8 -in leaf.key -passout pass:x -outform der -out a.der");
    let mut der = shop.bytes("a.der");
    // aes-256-cbc to a neighbour that means nothing.
    let oid = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A];
    let at = der.windows(9).position(|nine| nine == oid).expect("AES-256");
    der[at + 8] = 0x7A;
    let error = refused("a.der", &der, &["x"]);
    assert_eq!(error.kind(), ReadErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "a.der: the encrypted private key uses PBES2 (the cipher 2.16.840.1.101.3.4.1.122, HMAC-SHA-256), which is not known"
    );
    assert!(!error.explain().contains('`'), "{}", error.explain());
}

#[test]
fn an_empty_pkcs12_is_named_as_that() {
    // An empty store: an AuthenticatedSafe without parts, no MAC.
    let empty = [
        0x30, 0x16, 0x02, 0x01, 0x03, 0x30, 0x11, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01,
        0xA0, 0x04, 0x04, 0x02, 0x30, 0x00,
    ];
    let error = refused("empty.p12", &empty, &[]);
    assert_eq!(error.kind(), ReadErrorKind::NothingOfUse, "{error}");
}
