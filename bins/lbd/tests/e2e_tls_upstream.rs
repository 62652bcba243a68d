//! Backends speak TLS: nginx and openssl behind.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use rcgen::ExtendedKeyUsagePurpose;
use std::net::SocketAddr;
use std::path::Path;
use support::{Authority, Client, Config, Lbd, Leaf, Nginx, address, is_listening, peer, until};

fn nginx(program: &Path, certificate: &Path, more: &str) -> (Nginx, SocketAddr) {
    let at = address();
    let file = certificate.display();
    let server = format!(
        "server {{ listen {at} ssl; ssl_certificate {file}; ssl_certificate_key {file}; {more} location / {{ return 200 \
         \"$ssl_server_name $ssl_session_reused $ssl_client_verify $connection\\n\"; }} }}\n"
    );
    (Nginx::start_with(program, &server, vec![at]), at)
}

fn get(at: SocketAddr) -> (u16, String, String) {
    let mut client = Client::connect(at);
    let got = client.get("/");
    let status = got.head.get("proxy-status").unwrap_or("").to_owned();
    (got.head.status(), got.text(), status)
}

#[test]
fn s_tls_10_backends_are_verified_and_the_three_failures_are_told_apart() {
    let Some(program) = peer("nginx") else { return };
    let authority = Authority::new("Root of backends");
    let others = Authority::new("Another root");
    let leaf = |names, years| Leaf {
        names,
        common_name: "app.internal",
        serial: 3,
        years,
        purpose: ExtendedKeyUsagePurpose::ServerAuth,
    };
    let now = (2020, 2119);
    let name = &["app.internal"][..];
    for (end, file) in [
        ("", authority.issue("good.pem", leaf(name, now))),
        ("upstream_untrusted", others.issue("untrusted.pem", leaf(name, now))),
        (
            "upstream_wrong_name",
            authority.issue("other.pem", leaf(&["other.internal"], now)),
        ),
        ("upstream_expired", authority.issue("old.pem", leaf(name, (2020, 2021)))),
    ] {
        let (_nginx, backend) = nginx(&program, &file, "");
        let at = address();
        let config = Config::http(at, &[backend])
            .top("log = { access = \"stdout\", format = \"json\" }")
            .pool(&format!(
                "tls = {{ roots = {:?}, server_name = \"app.internal\" }}",
                authority.root()
            ));
        let lbd = Lbd::start(&config.text());
        let (status, text, said) = get(at);
        if end.is_empty() {
            assert_eq!((status, &text[..15]), (200, "app.internal . "), "{text}");
        } else {
            assert_eq!(status, 502, "{end}: {text}");
            assert!(
                said.contains("tls_certificate_error") && said.contains(end),
                "{end}: {said}"
            );
            until("it is counted", || (lbd.state().ends(end) == 1).then_some(()));
            until("it is logged", || {
                lbd.stdout().contains(&format!("\"end\":\"{end}\"")).then_some(())
            });
        }
        lbd.stop();
    }
}

#[test]
fn a_self_signed_backend_is_pinned_a_client_certificate_is_shown_and_sessions_are_resumed() {
    let Some(program) = peer("nginx") else { return };
    let (authority, clients) = (Authority::new("Root of backends"), Authority::new("Root of clients"));
    let file = authority.server("app.pem", &["app.internal"]);
    let own = clients.client("lbd.pem", "lbd", 9);
    let more = format!(
        "ssl_verify_client on; ssl_client_certificate {}; keepalive_requests 1;",
        clients.root().display()
    );
    let (_nginx, backend) = nginx(&program, &file, &more);
    let at = address();
    // A pin that is nobody's says which one it should be.
    let wrong = format!("key-sha256:{}", "00".repeat(32));
    let config = |pin: &str| {
        Config::http(at, &[backend])
            .pool(&format!("tls = {{ pins = [{pin:?}], certificates = {own:?} }}"))
            .text()
    };
    let lbd = Lbd::start(&config(&wrong));
    let (status, _, said) = get(at);
    assert_eq!(status, 502);
    assert!(said.contains("upstream_untrusted") && said.contains("pins"), "{said}");
    let pin = pin_of(&file);
    lbd.reload(&config(&pin));
    let answers: Vec<String> = (0..4)
        .map(|_| {
            let (status, text, said) = get(at);
            assert_eq!(status, 200, "{text} {said}");
            text
        })
        .collect();
    assert!(answers.iter().all(|text| text.contains("SUCCESS")), "{answers:?}");
    assert!(
        answers.iter().skip(1).any(|text| text.contains(" r ")),
        "a session is taken up: {answers:?}"
    );
    lbd.stop();
}

/// As `openssl` makes it of a certificate.
fn pin_of(file: &Path) -> String {
    let script = format!(
        "openssl x509 -in {} -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -r | cut -d' ' -f1",
        file.display()
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    format!("key-sha256:{}", String::from_utf8(output.stdout).unwrap().trim())
}

#[test]
fn connections_made_under_one_trust_are_not_used_under_another() {
    let Some(program) = peer("nginx") else { return };
    let authority = Authority::new("Root of backends");
    let others = Authority::new("Another root");
    let file = authority.server("app.pem", &["app.internal"]);
    let (_nginx, backend) = nginx(&program, &file, "");
    let at = address();
    let config = |root: &Authority| {
        Config::http(at, &[backend])
            .top("workers = 1")
            .pool(&format!(
                "tls = {{ roots = {:?}, server_name = \"app.internal\" }}",
                root.root()
            ))
            .text()
    };
    let lbd = Lbd::start(&config(&authority));
    let mut client = Client::connect(at);
    let first = client.get("/").text();
    assert_eq!(client.get("/").text(), first, "the same connection");
    lbd.reload(&config(&others));
    let (status, _, said) = get(at);
    assert_eq!(status, 502, "{said}");
    lbd.reload(&config(&authority));
    assert_eq!(get(at).0, 200);
    lbd.stop();
}

#[test]
fn probes_speak_tls_where_the_pool_does_and_say_what_is_wrong() {
    let Some(program) = peer("nginx") else { return };
    let authority = Authority::new("Root of backends");
    let file = authority.server("app.pem", &["app.internal"]);
    let (_nginx, good) = nginx(&program, &file, "");
    let plain = Nginx::start(&program, &["plain"]);
    let at = address();
    let config = Config::http(at, &[good, plain.addresses()[0]])
        .pool("health = { kind = \"http\", path = \"/\", interval = \"200ms\", fall = 1 }")
        .pool(&format!(
            "tls = {{ roots = {:?}, server_name = \"app.internal\" }}",
            authority.root()
        ));
    let lbd = Lbd::start(&config.text());
    until("the plain one is found out", || {
        lbd.stderr().contains("the TLS handshake failed: not_tls").then_some(())
    });
    for _ in 0..6 {
        assert_eq!(get(at).0, 200);
    }
    assert!(is_listening(at));
    lbd.stop();
}
