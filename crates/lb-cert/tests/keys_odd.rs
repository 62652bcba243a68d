//! Keys outside of what libraries of TLS compute with: their numbers are compared all the same, and points are told apart as
//! SEC 1 says. Made by openssl.
#![cfg(feature = "aws-lc-rs")]

mod openssl;

use lb_cert::{AwsLc, Certificate, KeyMatch, ReadErrorKind, ReadOptions, match_key, read};
use openssl::Shop;

fn attempt(name: &str, bytes: &[u8]) -> Result<lb_cert::Contents, lb_cert::ReadError> {
    read(name, bytes, &ReadOptions::default().crypto(&AwsLc))
}

#[test]
fn a_changed_bit_of_an_rsa_key_is_found_at_any_length_and_exponent() {
    let Some(shop) = Shop::open() else { return };
    for (bits, exponent) in [(512, 65537), (1024, 3), (2047, 65537), (2048, 3), (2056, 17)] {
        shop.run(&format!(
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} -pkeyopt rsa_keygen_pubexp:{exponent} -out k.pem"
        ));
        let der = shop.run("rsa -in k.pem -traditional -outform DER");
        assert!(attempt("k.der", &der).is_ok(), "{bits}");
        let mut wrong = Vec::new();
        // The last bit of every number: they end where the next tag begins.
        for (at, _) in der.iter().enumerate().skip(12).step_by(7) {
            let mut changed = der.clone();
            changed[at] ^= 0x10;
            if attempt("k.der", &changed).is_ok() {
                wrong.push(at);
            }
        }
        assert!(wrong.is_empty(), "{bits} bits: {wrong:?} of {}", der.len());
    }
}

#[test]
fn an_rsa_key_of_three_primes_is_for_openssl() {
    let Some(shop) = Shop::open() else { return };
    shop.run("genrsa -primes 3 -out k.pem 2048");
    let error = attempt("k.pem", &shop.bytes("k.pem")).expect_err("three primes");
    assert_eq!(error.kind(), ReadErrorKind::Unsupported);
    assert!(
        error.explain().contains("nginx, HAProxy and Apache serve with it"),
        "{}",
        error.explain()
    );
}

#[test]
fn the_label_of_sm2_is_known() {
    let Some(shop) = Shop::open() else { return };
    shop.run("genpkey -algorithm SM2 -out k.pem");
    let output = shop.attempt("ec -in k.pem -out sm2.pem");
    let text = shop.text("sm2.pem");
    assert!(output.status.success() && text.contains("SM2 PRIVATE KEY"), "{text}");
    assert_eq!(attempt("sm2.pem", text.as_bytes()).expect("SM2").keys.len(), 1);
}

/// A certificate and its key on this curve, both with points in this form.
fn pair(shop: &Shop, curve: &str, form: &str, encoding: &str) -> (Certificate, Vec<u8>) {
    shop.run(&format!("ecparam -name {curve} -genkey -noout -out made.pem"));
    shop.run(&format!(
        "ec -in made.pem -param_enc {encoding} -conv_form {form} -out k.pem"
    ));
    shop.run("req -x509 -key k.pem -subj /CN=a -days 9 -out c.pem");
    let made = attempt("c.pem", &shop.bytes("c.pem"))
        .expect("a certificate")
        .certificates
        .remove(0)
        .value;
    (Certificate::parse(made).expect("ours reads it"), shop.bytes("k.pem"))
}

fn matched(certificate: &Certificate, key: &[u8]) -> KeyMatch {
    let mut made = attempt("k.pem", key).unwrap_or_else(|error| panic!("{error}"));
    match_key(certificate, &made.keys.remove(0).value, &AwsLc)
}

#[test]
fn hybrid_points_on_binary_curves_are_whole() {
    let Some(shop) = Shop::open() else { return };
    for curve in ["sect163k1", "sect233r1"] {
        for _ in 0..6 {
            let (certificate, key) = pair(&shop, curve, "hybrid", "named_curve");
            assert!(matches!(matched(&certificate, &key), KeyMatch::Match { .. }), "{curve}");
            shop.run("ec -in k.pem -conv_form uncompressed -out long.pem");
            assert!(
                matches!(matched(&certificate, &shop.bytes("long.pem")), KeyMatch::Match { .. }),
                "{curve}"
            );
            shop.run("ec -in k.pem -conv_form compressed -out short.pem");
            assert!(
                matches!(matched(&certificate, &shop.bytes("short.pem")), KeyMatch::Match { .. }),
                "{curve}"
            );
        }
    }
}

#[test]
fn what_cannot_be_told_is_no_mismatch() {
    let Some(shop) = Shop::open() else { return };
    for curve in [
        "wap-wsg-idm-ecid-wtls6",
        "wap-wsg-idm-ecid-wtls7",
        "wap-wsg-idm-ecid-wtls12",
    ] {
        let (certificate, key) = pair(&shop, curve, "uncompressed", "named_curve");
        assert!(matches!(matched(&certificate, &key), KeyMatch::Match { .. }), "{curve}");
        shop.run("ec -in k.pem -param_enc explicit -out numbers.pem");
        assert!(
            matches!(
                matched(&certificate, &shop.bytes("numbers.pem")),
                KeyMatch::Match { .. }
            ),
            "{curve}"
        );
        shop.run("ec -in k.pem -conv_form compressed -out short.pem");
        assert_eq!(
            matched(&certificate, &shop.bytes("short.pem")),
            KeyMatch::Unknown,
            "{curve}"
        );
        shop.run("ec -in k.pem -conv_form hybrid -out both.pem");
        assert!(
            matches!(matched(&certificate, &shop.bytes("both.pem")), KeyMatch::Match { .. }),
            "{curve}"
        );
        let (other, _) = pair(&shop, curve, "uncompressed", "named_curve");
        assert!(
            matches!(matched(&other, &shop.bytes("short.pem")), KeyMatch::Mismatch { .. }),
            "{curve}"
        );
    }
}
