//! `lbd cert verify`.

use super::made::{AT, Ca, six};
use super::run::{Place, assert_text, plain};

fn place() -> Place {
    let place = Place::new();
    let [root, gamma, ..] = six();
    let (leaf, key) = gamma.leaf("www.example.com");
    place.put("root.pem", &root.pem);
    place.put("chain.pem", format!("{leaf}{}", gamma.pem));
    place.put("turned.pem", format!("{key}{}{leaf}", gamma.pem));
    place.put("leaf.pem", leaf);
    place
}

#[test]
fn a_good_chain_is_accepted_with_its_path() {
    let place = place();
    for file in ["chain.pem", "turned.pem"] {
        let said = place
            .cert(&format!("verify {file} --name www.example.com --roots root.pem {AT}"))
            .with_code(0);
        let lines: Vec<&str> = said.out.lines().collect();
        assert_eq!(lines[0], "accepted: www.example.com as the server www.example.com");
        assert!(
            lines[1].starts_with(&format!("  www.example.com ({file}, block ")),
            "{}",
            said.out
        );
        assert_eq!(lines[2..], ["  Gamma (sent with it)", "  Root (trusted root)"]);
    }
}

#[test]
fn s_mtls_03_to_05_each_refusal_has_its_reason_and_code_4() {
    let place = place();
    for (words, expected) in [
        ("chain.pem --name www.example.com --at 2028-01-01", "expired"),
        ("chain.pem --name www.example.com --at 2026-02-01", "not yet valid"),
        ("chain.pem --name example.org --at 2026-11-21", "wrong name"),
        ("leaf.pem --name www.example.com --at 2026-11-21", "unknown issuer"),
        ("chain.pem --purpose client --at 2026-11-21", "wrong purpose"),
    ] {
        let said = place.cert(&format!("verify {words} --roots root.pem")).with_code(4);
        assert!(
            said.out.starts_with("refused: www.example.com as "),
            "{words}: {}",
            said.out
        );
        assert!(said.out.contains(expected), "{words}: {}", said.out);
        assert!(said.out.contains("  mend   "), "{words}: {}", said.out);
        assert_text(&said.errors, "");
    }
}

#[test]
fn json_says_the_same() {
    let place = place();
    let said = place
        .cert(&format!(
            "verify chain.pem --name www.example.com --roots root.pem --json {AT}"
        ))
        .with_code(0);
    let out = plain(&said.out);
    for part in [
        "  \"answer\": \"accepted\",\n",
        "  \"path\": [\n    \"CN=www.example.com\",\n    \"CN=Gamma\",\n    \"CN=Root\"\n  ],\n",
        "  \"refusal\": null,\n",
        "  \"warnings\": []\n",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    let said = place
        .cert("verify chain.pem --name www.example.com --roots root.pem --json --at 2030-06-01")
        .with_code(4);
    for part in ["\"answer\": \"refused\"", "\"rule\": ", "\"mend\": ", "\"position\": "] {
        assert!(said.out.contains(part), "{part}\n{}", said.out);
    }
}

#[test]
fn what_openssl_refuses_although_it_is_right_is_a_warning_with_its_mend() {
    let place = Place::new();
    let root = Ca::root("Root");
    let key = rcgen::KeyPair::generate().unwrap();
    let (leaf, _) = root.leaf_with("www.example.com", &key, |parameters| {
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "Root");
        parameters.is_ca = rcgen::IsCa::NoCa; // and so without a key identifier of its own
    });
    place.put("root.pem", &root.pem);
    place.put("leaf.pem", &leaf);
    let words = format!("verify leaf.pem --name www.example.com --roots root.pem {AT}");
    for more in ["", " --profile lenient"] {
        let said = place.cert(&format!("{words}{more}")).with_code(0);
        let (_, warning) = said
            .out
            .split_once("[issuer.taken-for-self-signed]")
            .expect("it is told");
        assert!(
            warning.contains("  mend   have the certificate issued again"),
            "{}",
            said.out
        );
        assert!(warning.contains("subjectKeyIdentifier"), "{}", said.out);
    }
    let said = place.cert(&format!("{words} --json")).with_code(0);
    assert!(
        said.out.contains("\"rule\": \"issuer.taken-for-self-signed\"") && said.out.contains("\"accepted\""),
        "{}",
        said.out
    );
    place
        .cert(&format!("doctor leaf.pem --roots root.pem {AT}"))
        .with_code(4);
}

#[test]
fn an_unknown_profile_or_rule_is_wrong_usage() {
    let place = place();
    let said = place
        .cert("verify chain.pem --roots root.pem --profile loose")
        .with_code(2);
    assert!(
        said.errors.contains("connection, strict and lenient"),
        "{}",
        said.errors
    );
    place
        .cert("verify chain.pem --roots root.pem --warn no.such.rule")
        .with_code(2);
    place.cert("verify chain.pem --roots absent.pem").with_code(1);
    place.cert("verify absent.pem --roots root.pem").with_code(1);
    let said = place
        .cert("verify chain.pem --roots root.pem --crl root.pem")
        .with_code(3);
    assert_text(&said.errors, "lbd: root.pem holds no revocation list\n");
}

#[test]
fn s_mtls_06_a_revoked_certificate_is_refused() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, _) = root.leaf("www.example.com");
    place.put("root.pem", &root.pem);
    place.put("leaf.pem", leaf);
    // The serial number of all certificates that the tests make.
    place.put("bad.crl", root.revocations(&[0x40, 0, 0, 0, 0, 0, 0, 0x07]));
    place.put("good.crl", root.revocations(&[0x05]));
    let verify = |crl: &str, at: &str| {
        place.cert(&format!(
            "verify leaf.pem --name www.example.com --roots root.pem --crl {crl} --at {at}"
        ))
    };
    let said = verify("bad.crl", "2026-11-21").with_code(4);
    assert!(said.out.contains("revoked"), "{}", said.out);
    verify("good.crl", "2026-11-21").with_code(0);
    // The lists end on 2026-12-01.
    verify("good.crl", "2026-12-02").with_code(4);
    let said = verify("good.crl --crl-policy fail-open", "2026-12-02").with_code(0);
    assert!(said.out.contains("warning"), "{}", said.out);
}
