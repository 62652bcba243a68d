//! `lbd tls suites` as it is typed.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use serde_json::Value;
use std::process::Command;

fn said(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(["tls", "suites"])
        .args(words)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn json() -> Value {
    serde_json::from_str(&said(&["--json"])).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item.as_str().or_else(|| item["name"].as_str()).unwrap())
        .collect()
}

/// The reason in the text, its lines joined.
fn reason(text: &str, name: &str) -> String {
    let (_, refused) = text.split_once("\nRefused, and why\n").unwrap();
    let mut lines = refused
        .lines()
        .skip_while(|line| !line.starts_with(&format!("  {name}  ")));
    let first = lines.next().unwrap_or_else(|| panic!("{name} is not refused:\n{text}"));
    let more = lines.take_while(|line| line.starts_with("    "));
    let first = first.trim_start().trim_start_matches(name).trim();
    let words: Vec<&str> = std::iter::once(first).chain(more.map(str::trim)).collect();
    words.join(" ")
}

/// The suites of Mozilla's intermediate profile (Server Side TLS 5.7) without DHE, 128 bits first.
#[test]
fn s_tls_06_the_suites_are_listed_in_the_servers_order() {
    let expected = "
  version  suite                                          certificate
  TLS 1.3  TLS_AES_128_GCM_SHA256                         any
  TLS 1.3  TLS_AES_256_GCM_SHA384                         any
  TLS 1.3  TLS_CHACHA20_POLY1305_SHA256                   any
  TLS 1.2  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256        ECDSA or Ed25519
  TLS 1.2  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256          RSA
  TLS 1.2  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384        ECDSA or Ed25519
  TLS 1.2  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384          RSA
  TLS 1.2  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256  ECDSA or Ed25519
  TLS 1.2  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256    RSA
";
    let text = said(&[]);
    assert!(text.contains(expected), "{text}");
}

#[test]
fn s_tls_07_the_suite_of_the_sources_and_its_kin_are_refused_each_with_its_reason() {
    let text = said(&[]);
    // What the reason must not leave out.
    for (name, fact) in [
        ("DES", "56 bits"),
        ("3DES", "Sweet32"),
        ("RC4", "RFC 7465"),
        ("RC5", "64 bits"),
        ("RSA key exchange", "ROBOT"),
        ("static DH and ECDH", "no forward secrecy"),
        ("anonymous DH", "Nobody proves who they are"),
        ("MD5", "Collisions"),
        ("SHA-1 signatures", "RFC 9155"),
        ("EXPORT suites", "FREAK"),
        ("NULL suites", "encrypt nothing"),
        ("renegotiation", "CVE-2009-3555"),
    ] {
        let reason = reason(&text, name);
        assert!(reason.contains(fact), "{name}: {reason}");
    }
    let json = json();
    for name in names(&json["suites"]) {
        for old in [
            "DES",
            "RC4",
            "RC5",
            "MD5",
            "NULL",
            "EXPORT",
            "CBC",
            "_RSA_WITH_RC",
            "TLS_RSA_",
        ] {
            assert!(!name.contains(old), "{name}");
        }
    }
}

#[test]
fn s_tls_08_old_versions_are_refused_and_1_2_and_1_3_offered() {
    let (text, json) = (said(&[]), json());
    for (name, source) in [
        ("SSL 2.0 and SSL 3.0", "RFC 7568"),
        ("TLS 1.0", "RFC 8996"),
        ("TLS 1.1", "RFC 8996"),
    ] {
        let reason = reason(&text, name);
        assert!(reason.contains(source), "{name}: {reason}");
    }
    assert_eq!(names(&json["versions"]), ["TLS 1.3", "TLS 1.2"]);
}

#[test]
fn s_tls_09_compression_is_refused_for_what_it_gives_away() {
    let reason = reason(&said(&[]), "compression");
    assert!(reason.contains("CRIME"), "{reason}");
}

#[test]
fn the_list_reads_at_80_columns() {
    for line in said(&[]).lines() {
        assert!(line.len() <= 80, "{} columns: {line}", line.len());
        assert!(!line.ends_with(' '), "{line:?}");
    }
}

#[test]
fn the_json_has_everything_that_the_text_has() {
    let (text, json) = (said(&[]), json());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["groups", "refused", "signatures", "suites", "versions"]);
    for key in keys {
        let names = names(&json[key]);
        assert!(!names.is_empty(), "{key}");
        for name in names {
            assert!(text.contains(name), "{key}: {name}");
        }
    }
    for one in json["refused"].as_array().unwrap() {
        assert!(text.contains(one["why"].as_str().unwrap()), "{one}");
    }
    for suite in json["suites"].as_array().unwrap() {
        assert!(suite["cipher"].is_string() && suite["proof"].is_string(), "{suite}");
    }
}
