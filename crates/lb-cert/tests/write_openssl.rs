//! What we write, openssl reads, and it is what openssl itself writes.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.
#![cfg(all(feature = "pkcs7", feature = "pkcs12", feature = "encrypted-keys"))]

mod openssl;

use lb_cert::write::{self, WriteError};
use lb_cert::{CertificateDer, Contents, KeyFormat, Password, PrivateKey, ReadOptions, read};
use openssl::Shop;
use openssl::goods::{Goods, wrapped};

const KINDS: [&str; 6] = ["rsa", "rsa-pss", "p256", "p384", "p521", "ed25519"];

fn contents(bytes: &[u8]) -> Contents {
    read("made", bytes, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn opened(bytes: &[u8], word: &str) -> Contents {
    let words = [Password::from(word)];
    read("made", bytes, &ReadOptions::with_passwords(&words)).unwrap_or_else(|error| panic!("{error}"))
}

fn chain(goods: &Goods) -> Vec<CertificateDer<'static>> {
    goods
        .chain
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect()
}

/// Both ways of every form of a key: `openssl` arguments that write it, and its file.
fn forms(goods: &Goods) -> Vec<(KeyFormat, &'static str)> {
    let mut forms = vec![(KeyFormat::Pkcs8, "pkey -in leaf.key -outform")];
    match goods.traditional() {
        Some("RSA PRIVATE KEY") => forms.push((KeyFormat::Pkcs1, "rsa -traditional -in leaf.key -outform")),
        Some(_) => forms.push((KeyFormat::Sec1, "ec -in leaf.key -outform")),
        None => {}
    }
    forms
}

#[test]
fn s_pem_03_the_writer_uses_64_columns_and_lf_as_openssl_does() {
    let Some(shop) = Shop::open() else { return };
    let goods = Goods::make(&shop, "rsa");
    let text = write::certificates(&chain(&goods));
    let expected: String = ["leaf.crt", "inter.crt", "root.crt"]
        .map(|name| String::from_utf8_lossy(&shop.run(&format!("x509 -in {name}"))).into_owned())
        .concat();
    assert_eq!(text, expected);
    assert!(
        text.lines()
            .filter(|line| !line.starts_with('-'))
            .all(|line| line.len() <= 64)
    );
    assert_eq!(
        write::revocation_list(&contents(&goods.crl).crls[0].value),
        shop.text("root.crl")
    );
}

#[test]
fn s_pem_04_the_writer_leaves_no_blank_line_between_certificates() {
    let Some(shop) = Shop::open() else { return };
    let goods = Goods::make(&shop, "p256");
    let text = write::certificates(&chain(&goods));
    assert!(!text.contains("\n\n") && !text.contains('\r') && text.ends_with("-----END CERTIFICATE-----\n"));
    assert_eq!(
        text.matches("-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n")
            .count(),
        2
    );
}

#[test]
fn s_pem_05_certificates_of_any_shape_come_out_in_the_same_form() {
    let Some(shop) = Shop::open() else { return };
    let goods = Goods::make(&shop, "p384");
    let odd: String = ["leaf.crt", "inter.crt", "root.crt"]
        .iter()
        .zip([1, 76, 4000])
        .map(|(name, columns)| wrapped(&shop.text(name), columns) + "\n\n")
        .collect();
    let found = contents(odd.replace('\n', "\r\n").as_bytes());
    assert_eq!(
        write::certificates(found.certificates.iter().map(|found| &found.value)),
        shop.text("chain.crt")
    );
    drop(goods);
}

#[test]
fn s_key_02_and_s_key_03_keys_are_written_as_openssl_writes_them_from_any_form() {
    let Some(shop) = Shop::open() else { return };
    for kind in KINDS {
        let goods = Goods::make(&shop, kind);
        let forms = forms(&goods);
        for (_, from) in &forms {
            for encoding in ["PEM", "DER"] {
                let key = contents(&shop.run(&format!("{from} {encoding}"))).keys.remove(0).value;
                for (format, to) in &forms {
                    let written = write::key(&key, *format).expect("the key has this form");
                    let expected = String::from_utf8_lossy(&shop.run(&format!("{to} PEM"))).into_owned();
                    assert_eq!(written, expected, "{kind}: {from} {encoding} to {format:?}");
                }
            }
        }
    }
}

#[test]
fn s_key_01_the_form_of_the_source_loads_again_and_others_are_refused_by_name() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "rsa");
    let key = contents(&shop.bytes("leaf.key")).keys.remove(0).value;
    let written = write::key(&key, KeyFormat::Pkcs1).expect("RSA has PKCS#1");
    assert!(written.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    shop.write("out.pem", &written);
    shop.run("rsa -in out.pem -check -noout");
    let refusal = write::key(&key, KeyFormat::Sec1).expect_err("RSA has no SEC1 form");
    assert_eq!(
        refusal.to_string(),
        "a key for RSA 2048 cannot be written as EC PRIVATE KEY"
    );
    Goods::make(&shop, "ed25519");
    let key = contents(&shop.bytes("leaf.key")).keys.remove(0).value;
    assert_eq!(
        write::key(&key, KeyFormat::Pkcs1),
        Err(WriteError::KeyFormat {
            algorithm: "Ed25519".into(),
            format: KeyFormat::Pkcs1
        })
    );
}

#[test]
fn s_conv_01_and_s_conv_02_der_becomes_the_pem_that_openssl_makes_of_it() {
    let Some(shop) = Shop::open() else { return };
    for kind in KINDS {
        let goods = Goods::make(&shop, kind);
        shop.write("server.cer", &goods.chain[0]);
        shop.write("privatekey.der", &goods.key);
        let certificate = contents(&shop.bytes("server.cer"));
        let expected = String::from_utf8_lossy(&shop.run("x509 -inform der -in server.cer")).into_owned();
        assert_eq!(
            write::certificates(certificate.certificates.iter().map(|found| &found.value)),
            expected
        );
        let key = contents(&shop.bytes("privatekey.der"));
        let expected = String::from_utf8_lossy(&shop.run("pkey -inform der -in privatekey.der")).into_owned();
        assert_eq!(
            write::key(&key.keys[0].value, KeyFormat::Pkcs8).as_deref(),
            Ok(expected.as_str())
        );
    }
}

#[test]
fn s_conv_03_pkcs7_is_what_openssl_writes_and_what_it_reads() {
    let Some(shop) = Shop::open() else { return };
    let goods = Goods::make(&shop, "p256");
    let written = write::pkcs7(&chain(&goods));
    shop.write("ours.p7b", &written);
    let printed = shop.run("pkcs7 -inform der -in ours.p7b -print_certs");
    let printed = contents(&printed);
    let ders: Vec<Vec<u8>> = printed.certificates.iter().map(|found| found.value.to_vec()).collect();
    assert_eq!(ders, goods.chain, "same certificates, same order");
    shop.run("crl2pkcs7 -nocrl -certfile chain.crt -outform der -out theirs.p7b");
    assert_eq!(written, shop.bytes("theirs.p7b"), "byte by byte");
    shop.write("ours.pem", write::pkcs7_pem(&chain(&goods)));
    shop.run("pkcs7 -in ours.pem -noout");
    shop.run("cms -cmsout -print -inform der -in ours.p7b -noout");
    assert_eq!(contents(&written).certificates.len(), 3);
}

#[test]
fn s_conv_05_and_s_conv_06_pkcs12_opens_in_openssl_with_the_chain_and_the_key() {
    let Some(shop) = Shop::open() else { return };
    for kind in KINDS {
        let goods = Goods::make(&shop, kind);
        let key = contents(&goods.key).keys.remove(0).value;
        for word in ["tiger", "pässwörd-密码", ""] {
            let written = write::pkcs12(&chain(&goods), Some(&key), &Password::from(word)).expect("it can be written");
            shop.write("ours.p12", &written);
            let pass = format!("pass:{word}");
            let output = shop.attempt_with(&["pkcs12", "-in", "ours.p12", "-passin", &pass, "-nodes"]);
            assert!(
                output.status.success(),
                "{kind} {word:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.contains("Bag Attributes"), "openssl prints them");
            // S-CONV-08: the text of the bag attributes is left out.
            let theirs = contents(text.as_bytes());
            let ders: Vec<Vec<u8>> = theirs.certificates.iter().map(|found| found.value.to_vec()).collect();
            assert_eq!(ders, goods.chain, "{kind} {word:?}: chain, leaf first");
            assert_eq!(
                theirs.keys[0].value.to_pkcs8().secret_pkcs8_der(),
                goods.key,
                "{kind} {word:?}"
            );
            let ours = opened(&written, word);
            assert_eq!((ours.certificates.len(), ours.keys.len()), (3, 1));
        }
        let info = shop.attempt("pkcs12 -in ours.p12 -passin pass: -info -noout");
        let info = String::from_utf8_lossy(&info.stderr).into_owned();
        assert!(
            info.contains("PBES2") && info.contains("AES-256-CBC") && info.contains("MAC: sha256"),
            "{info}"
        );
    }
}

#[test]
fn a_pkcs12_without_a_key_holds_all_certificates() {
    let Some(shop) = Shop::open() else { return };
    let goods = Goods::make(&shop, "p256");
    let written = write::pkcs12(&chain(&goods), None, &Password::from("tiger")).expect("it can be written");
    shop.write("ours.p12", &written);
    let theirs = contents(&shop.run("pkcs12 -in ours.p12 -passin pass:tiger -nokeys"));
    let ders: Vec<Vec<u8>> = theirs.certificates.iter().map(|found| found.value.to_vec()).collect();
    assert_eq!(ders, goods.chain);
}

#[test]
fn a_password_outside_the_basic_plane_opens_what_is_written() {
    let Some(shop) = Shop::open() else { return };
    let python = std::process::Command::new("/usr/bin/python3")
        .args(["-c", "import cryptography"])
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    assert!(
        python || std::env::var_os("LBD_REQUIRE_PEERS").is_none(),
        "python3-cryptography is required"
    );
    for kind in ["p256", "rsa"] {
        let goods = Goods::make(&shop, kind);
        let key = PrivateKey::from_der(&goods.key).expect("a key");
        for word in [
            "tiger\u{1F511}",
            "\u{1F511}",
            "\u{10FFFF}\u{E4}\u{1F600}x",
            "\u{FFFF}\u{10000}",
        ] {
            for key in [Some(&key), None] {
                let written = write::pkcs12(&chain(&goods), key, &Password::from(word)).expect("it can be written");
                shop.write("ours.p12", &written);
                let ours = opened(&written, word);
                assert_eq!(
                    (ours.certificates.len(), ours.keys.len()),
                    (3, usize::from(key.is_some()))
                );
                let pass = format!("pass:{word}");
                let output = shop.attempt_with(&["pkcs12", "-in", "ours.p12", "-passin", &pass, "-nodes"]);
                assert!(
                    output.status.success(),
                    "{kind} {word:?}: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
                let theirs = contents(&output.stdout);
                let ders: Vec<Vec<u8>> = theirs.certificates.iter().map(|found| found.value.to_vec()).collect();
                assert_eq!(ders, goods.chain, "{kind} {word:?}");
                assert_eq!(theirs.keys.len(), usize::from(key.is_some()), "{kind} {word:?}");
                let wrong = shop.attempt_with(&["pkcs12", "-in", "ours.p12", "-passin", "pass:stand-in", "-nodes"]);
                assert!(!wrong.status.success(), "{kind} {word:?}: the stand-in opens nothing");
                if python && key.is_some() {
                    let script = "import sys\nfrom cryptography.hazmat.primitives.serialization import pkcs12\n\
                                  key, leaf, more = pkcs12.load_key_and_certificates(open(sys.argv[1], 'rb').read(), \
                                  sys.argv[2].encode())\nassert key and leaf and len(more) == 2\n";
                    let output = std::process::Command::new("/usr/bin/python3")
                        .args(["-c", script])
                        .arg(shop.path("ours.p12"))
                        .arg(word)
                        .output()
                        .expect("it runs");
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                }
            }
        }
    }
}

#[test]
fn a_password_that_is_not_utf_8_is_refused_and_not_shown() {
    let Some(shop) = Shop::open() else { return };
    let goods = Goods::make(&shop, "p256");
    let refusal = write::pkcs12(&chain(&goods), None, &Password::new(b"tiger\xE4".to_vec())).expect_err("not text");
    assert!(
        !format!("{refusal} {refusal:?} {}", refusal.explain()).contains("tiger"),
        "{refusal}"
    );
}
