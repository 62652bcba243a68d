//! What is said of a server that answers.

use super::made::AT;
use super::script::{Scripted, Site, Step};
use serde_json::Value;
use std::sync::Arc;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_json_is_the_doctors_with_the_server() {
    let site = Site::new();
    let mut config = site.config_with(&[&site.leaf, &site.middle.pem], &[7; 471]);
    Arc::get_mut(&mut config).unwrap().alpn_protocols = vec![b"h2".to_vec()];
    let server = Scripted::start(vec![Step::Tls(config)]);
    let words = format!(
        "scan www.example.com:443 --connect {} --roots root.pem --json {AT}",
        server.address
    );
    let said = site.place.cert(&words).with_code(0);
    assert_eq!(server.end().as_deref(), Some("www.example.com"));
    let json: Value = serde_json::from_str(&said.out).unwrap();
    site.place.put("chain.pem", format!("{}{}", site.leaf, site.middle.pem));
    let doctor = site
        .place
        .cert(&format!("doctor chain.pem --roots root.pem --json {AT}"));
    let doctor: Value = serde_json::from_str(&doctor.out).unwrap();
    let mut expected = keys(&doctor);
    expected.push("server");
    expected.sort_unstable();
    assert_eq!(keys(&json), expected);
    assert_eq!(json["clients"], doctor["clients"]);
    assert_eq!(json["at"], "2026-11-21T00:00:00Z");

    let server = &json["server"];
    assert_eq!(
        keys(server),
        [
            "address",
            "alpn",
            "broken_off",
            "certificate_bytes",
            "client_certificate",
            "group",
            "key_proof",
            "key_proof_reason",
            "name",
            "ocsp_bytes",
            "received_bytes",
            "sent",
            "sni",
            "starttls",
            "suite",
            "target",
            "version",
        ]
    );
    for (key, value) in [
        ("target", "www.example.com:443"),
        ("name", "www.example.com"),
        ("sni", "www.example.com"),
        ("version", "TLS 1.3"),
        ("suite", "TLS_AES_128_GCM_SHA256"),
        ("group", "X25519MLKEM768"),
        ("alpn", "h2"),
        ("key_proof", "given"),
    ] {
        assert_eq!(server[key], value, "{key}");
    }
    for key in ["starttls", "client_certificate", "broken_off", "key_proof_reason"] {
        assert!(server[key].is_null(), "{key}");
    }
    assert_eq!(server["ocsp_bytes"], 471);
    let bytes = super::made::ders(&site.leaf)[0].len() + super::made::ders(&site.middle.pem)[0].len();
    assert_eq!(server["certificate_bytes"], bytes);
    assert!(server["received_bytes"].as_u64().unwrap() > bytes as u64);
    let subjects: Vec<&Value> = server["sent"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["subject"])
        .collect();
    assert_eq!(subjects, ["CN=www.example.com", "CN=Middle"]);
    assert_eq!(server["sent"][1]["place"]["block"], 2);
    assert_eq!(server["sent"][1]["place"]["file"], "www.example.com:443");
}

#[test]
fn an_address_is_asked_without_a_name_and_checked_as_an_address() {
    let site = Site::new();
    let server = Scripted::start(vec![Step::Tls(site.config())]);
    let said = site
        .place
        .cert(&format!("scan {} --roots root.pem {AT}", server.address))
        .with_code(4);
    assert_eq!(server.end(), None);
    assert!(said.out.contains(", asked for no name\n"), "{}", said.out);
    assert!(said.out.contains("error[name-not-covered]"), "{}", said.out);
    assert!(said.out.contains("127.0.0.1"), "{}", said.out);
}

#[test]
fn the_text_tells_of_the_staple_and_print_gives_the_chain() {
    let site = Site::new();
    let config = site.config_with(&[&site.leaf, &site.middle.pem, &site.root.pem], &[7; 471]);
    let server = Scripted::start(vec![Step::Tls(config)]);
    // The name is looked up, and each of its addresses tried.
    let words = format!(
        "scan localhost:{} --sni www.example.com --roots root.pem --print {AT}",
        server.port()
    );
    let said = site.place.cert(&words).with_code(0);
    assert_eq!(server.end().as_deref(), Some("www.example.com"));
    assert!(said.out.contains(", an OCSP response of 471 bytes\n"), "{}", said.out);
    assert!(said.out.contains("[root-included]"), "{}", said.out);
    // The mended chain has no root.
    assert_eq!(
        super::made::ders(&said.out),
        super::made::ders(&format!("{}{}", site.leaf, site.middle.pem))
    );
}

#[test]
fn a_server_that_shows_its_issuer_first_or_has_another_key_is_found_out() {
    let site = Site::new();
    let (other, _) = site.middle.leaf("www.example.com");
    for (chain, findings) in [
        (
            [site.middle.pem.as_str(), site.leaf.as_str()],
            &["error[leaf-not-first]", "error[key-unproven]"][..],
        ),
        ([&other, &site.middle.pem], &["error[key-unproven]"]),
    ] {
        let server = Scripted::start(vec![Step::Tls(site.config_unmatched(&chain))]);
        let words = format!(
            "scan www.example.com:443 --connect {} --roots root.pem {AT}",
            server.address
        );
        let said = site.place.cert(&words).with_code(4);
        for finding in findings {
            assert!(said.out.contains(finding), "{finding}: {}", said.out);
        }
        assert_eq!(said.out.matches("error[").count(), findings.len(), "{}", said.out);
    }
}

#[test]
fn a_server_that_shows_its_store_of_roots_is_told_so() {
    let site = Site::new();
    let root = super::made::Ca::root("Other");
    let chain = [site.root.pem.as_str(), root.pem.as_str()];
    let server = Scripted::start(vec![Step::Tls(site.config_unmatched(&chain))]);
    let words = format!(
        "scan www.example.com:443 --connect {} --roots root.pem {AT}",
        server.address
    );
    let said = site.place.cert(&words).with_code(4);
    for text in [
        "error[no-server-certificate]",
        "warning[root-store]: the server also sends 1 certificate of CAs",
    ] {
        assert!(said.out.contains(text), "{text}: {}", said.out);
    }
}
