//! What `openssl s_server` shows.

use super::made::AT;
use super::run::{Place, Said};
use super::script::Site;
use super::support::{Running, address, is_listening, peer, until};
use rcgen::{KeyPair, date_time_ymd};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// A server with these options, in the folder with its files.
fn serve(openssl: &Path, place: &Place, options: &str) -> (Running, SocketAddr) {
    let address = address();
    let mut running = Running::spawn(
        Command::new(openssl)
            .args(["s_server", "-quiet", "-accept", &address.to_string()])
            .args(options.split_whitespace())
            .current_dir(place.path()),
    );
    until("openssl listens", || {
        assert!(!running.has_ended(), "openssl s_server {options} ended");
        is_listening(address).then_some(())
    });
    (running, address)
}

/// Serves so, and scans with these options for `www.example.com`.
fn scan(openssl: &Path, place: &Place, server: &str, options: &str) -> Said {
    let (_running, address) = serve(openssl, place, server);
    place.cert(&format!(
        "scan www.example.com:443 --connect {address} --roots root.pem {AT} {options}"
    ))
}

const LEAF: &str = "-cert leaf.pem -key key.pem";

#[test]
fn a_whole_chain_is_good() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let server = format!("{LEAF} -cert_chain middle.pem -alpn http/1.1");
    let said = scan(&openssl, &site.place, &server, "").with_code(0);
    for text in [
        "www.example.com:443 at 127.0.0.1:",
        ", asked for www.example.com\n",
        "  TLS 1.3, TLS_AES_",
        ", ALPN http/1.1\n",
        "  2 certificates in ",
        ", no OCSP response\n",
        "Middle",
        "good",
    ] {
        assert!(said.out.contains(text), "{text}:\n{}", said.out);
    }
    assert!(!said.out.contains("private key"), "{}", said.out);
    assert!(!said.out.contains("name-not-covered"), "{}", said.out);
}

#[test]
fn a_missing_intermediate_is_named_with_its_address() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let said = scan(&openssl, &site.place, LEAF, "").with_code(4);
    assert!(said.out.contains("  1 certificate in "), "{}", said.out);
    assert!(said.out.contains("error[missing-intermediate]"), "{}", said.out);
    assert!(said.out.contains("http://ca.example/middle.cer"), "{}", said.out);
    assert!(
        said.out.contains("  where  www.example.com:443, block 1\n"),
        "{}",
        said.out
    );
}

#[test]
fn the_order_is_the_one_in_which_the_server_sends() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let lower = site.middle.below("Lower");
    let (leaf, key) = lower.leaf("www.example.com");
    site.place.put("leaf.pem", leaf);
    site.place.put("key.pem", key);
    let [middle, lower] = [&site.middle.pem, &lower.pem];
    for (chain, code, is_wrong) in [([middle, lower], 4, true), ([lower, middle], 0, false)] {
        site.place.put("chain.pem", format!("{}{}", chain[0], chain[1]));
        let server = format!("{LEAF} -cert_chain chain.pem");
        let said = scan(&openssl, &site.place, &server, "--strict");
        assert_eq!(said.code, Some(code), "{}", said.out);
        assert_eq!(said.out.contains("[chain-order]"), is_wrong, "{}", said.out);
        assert!(said.out.contains("  3 certificates in "), "{}", said.out);
    }
}

#[test]
fn an_expired_certificate_and_a_wrong_name_are_errors() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let key = KeyPair::generate().unwrap();
    let (leaf, pem) = site.middle.leaf_with("www.example.com", &key, |parameters| {
        parameters.not_after = date_time_ymd(2026, 11, 1);
    });
    site.place.put("old.pem", leaf);
    site.place.put("old.key", pem);
    let server = "-cert old.pem -key old.key -cert_chain middle.pem";
    let said = scan(&openssl, &site.place, server, "").with_code(4);
    assert!(said.out.contains("error[expired]"), "{}", said.out);

    let server = format!("{LEAF} -cert_chain middle.pem");
    let said = scan(&openssl, &site.place, &server, "--sni www.example.net").with_code(4);
    assert!(said.out.contains("error[name-not-covered]"), "{}", said.out);
    assert!(said.out.contains("www.example.net"), "{}", said.out);
    let said = scan(&openssl, &site.place, &server, "--name www.example.org").with_code(4);
    assert!(said.out.contains("www.example.org"), "{}", said.out);
}

#[test]
fn a_server_that_signed_itself_is_not_trusted_for_showing_itself() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let make = |file: &str, options: &str| {
        let command = format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {file}.key -out {file}.pem -days 90 {options}"
        );
        let mut openssl = Command::new(&openssl);
        let made = super::support::run(openssl.args(command.split_whitespace()).current_dir(site.place.path()));
        assert!(made.success, "{}", made.errors);
    };
    // Without options it is marked as a CA, and has no alternative name.
    let named = "-subj /CN=www.example.com -addext subjectAltName=DNS:www.example.com";
    make("bare", "-subj /CN=www.example.com");
    make("ca", named);
    make("leaf", &format!("{named} -addext basicConstraints=critical,CA:FALSE"));
    for (file, finding) in [
        ("bare", "error[no-server-certificate]"),
        ("ca", "[self-signed]"),
        ("leaf", "[self-signed]"),
    ] {
        let options = format!("-cert {file}.pem -key {file}.key");
        let (_running, address) = serve(&openssl, &site.place, &options);
        let words = format!("scan www.example.com:443 --connect {address} --strict");
        let said = site.place.cert(&words).with_code(4);
        assert!(said.out.contains(finding), "{file}: {}", said.out);
        assert!(!said.out.contains("a root store"), "{file}: {}", said.out);
        assert!(
            !said.out.contains("with the roots of the files"),
            "{file}: {}",
            said.out
        );
    }
}

#[test]
fn the_certificate_is_the_one_of_the_name_that_was_asked_for() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let (leaf, key) = site.middle.leaf("www.example.net");
    site.place.put("other.pem", leaf);
    site.place.put("other.key", key);
    let server = format!("{LEAF} -cert_chain middle.pem -servername www.example.net -cert2 other.pem -key2 other.key");
    for (sni, subject) in [
        ("--sni www.example.com", "CN=www.example.com"),
        ("--sni www.example.net", "CN=www.example.net"),
    ] {
        let said = scan(&openssl, &site.place, &server, &format!("{sni} --json"));
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(json["server"]["sent"][0]["subject"], subject, "{sni}");
    }
}

#[test]
fn s_tls_08_a_server_of_old_versions_ends_with_the_alert_by_its_name() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let server = format!("{LEAF} -tls1_1 -cipher DEFAULT@SECLEVEL=0");
    let said = scan(&openssl, &site.place, &server, "").with_code(1);
    assert!(said.errors.contains("the alert protocol_version"), "{}", said.errors);
    assert!(said.errors.contains("neither TLS 1.2 nor 1.3"), "{}", said.errors);
    assert!(said.out.is_empty(), "{}", said.out);
}

#[test]
fn a_server_without_a_suite_in_common_ends_with_handshake_failure() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let server = format!("{LEAF} -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256");
    let said = scan(&openssl, &site.place, &server, "").with_code(1);
    assert!(said.errors.contains("the alert handshake_failure"), "{}", said.errors);
    assert!(said.errors.contains("lbd tls suites"), "{}", said.errors);
}

#[test]
fn a_client_certificate_that_is_demanded_does_not_hide_the_chain() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    for (version, shown) in [
        ("-tls1_2", "TLS 1.2, TLS_ECDHE_ECDSA_"),
        ("-tls1_3", "TLS 1.3, TLS_AES_"),
    ] {
        let server = format!("{LEAF} -cert_chain middle.pem -Verify 1 -CAfile root.pem {version}");
        let said = scan(&openssl, &site.place, &server, "").with_code(0);
        assert!(said.out.contains(shown), "{version}: {}", said.out);
        let asks = "  asks for a client certificate of 1 authority\n";
        assert!(said.out.contains(asks), "{version}: {}", said.out);
        // In 1.2 the server refuses before it is done, in 1.3 behind the handshake.
        let is_broken_off = said.out.contains("broken off behind the certificates: the alert ");
        assert_eq!(is_broken_off, version == "-tls1_2", "{}", said.out);
    }
}

#[test]
fn a_port_that_begins_with_tls_is_silent_to_a_dialogue() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let said = scan(&openssl, &site.place, LEAF, "--starttls smtp --timeout 500ms").with_code(1);
    assert!(
        said.errors.contains("within 500ms came no greeting of SMTP"),
        "{}",
        said.errors
    );
    assert!(said.errors.contains("leave --starttls out"), "{}", said.errors);
}

#[test]
fn a_key_of_a_kind_that_is_not_checked_is_not_called_a_wrong_one() {
    let Some(openssl) = peer("openssl") else { return };
    let site = Site::new();
    let words = "req -x509 -newkey rsa:1024 -nodes -keyout short.key -out short.pem -subj /CN=www.example.com \
                 -addext subjectAltName=DNS:www.example.com";
    let mut command = Command::new(&openssl);
    let made = super::support::run(command.args(words.split_whitespace()).current_dir(site.place.path()));
    assert!(made.success, "{}", made.errors);
    let server = "-cert short.pem -key short.key -cipher DEFAULT@SECLEVEL=0";
    let said = scan(&openssl, &site.place, server, "").with_code(4);
    assert!(said.out.contains("error[key-strength]"), "{}", said.out);
    assert!(said.out.contains("warning[key-unproven]"), "{}", said.out);
    assert!(!said.out.contains("BadSignature"), "{}", said.out);
}
