//! Clients that are no command-line tools: the TLS of Python, Node.js and Java.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::process::Command;
use support::{Authority, Backend, Config, Lbd, address, answer, peer, run};

/// The lines that a client says of a listener that asks for certificates.
fn said(make: impl FnOnce(&Authority) -> Option<Command>) -> Option<Vec<String>> {
    let authority = Authority::new("Root of the test");
    let mut command = make(&authority)?;
    let backend = Backend::http(|request| {
        let told = request.head.get("x-forwarded-client-cert").unwrap_or("-");
        let who = told.split("Subject=").last().unwrap_or_default();
        answer(200, "", format!("{} {}", request.body.len(), who).as_bytes())
    });
    let at = address();
    let site = authority.server("site.pem", &["localhost"]);
    let certificate = authority.client("alice.pem", "Alice", 5);
    let config = Config::http(at, &[backend.address()])
        .listener("forwarded = { xfcc = true }")
        .listener(&format!(
            "tls = {{ certificates = {site:?}, client_auth = \"required\", authorities = {:?} }}",
            authority.root()
        ));
    let lbd = Lbd::start(&config.text());
    let output = run(command
        .arg(at.port().to_string())
        .arg(authority.root())
        .arg(certificate));
    assert!(output.success, "{}{}", output.text, output.errors);
    lbd.stop();
    Some(output.text.lines().map(str::to_owned).collect())
}

const ANSWERS: &str = "200 0 \"CN=Alice\" | 200 100000 \"CN=Alice\" | 200";

#[test]
fn python_is_served_and_takes_up_its_sessions_and_is_refused_without_a_certificate() {
    let Some(lines) = said(|_| {
        let mut command = Command::new(peer("python3")?);
        command.args(["-c", include_str!("tls_clients/client.py")]);
        Some(command)
    }) else {
        return;
    };
    assert_eq!(lines.len(), 6, "{lines:?}");
    for (version, lines) in ["TLSv1.2", "TLSv1.3"].iter().zip(lines.chunks(3)) {
        assert_eq!(lines[0], format!("{version} | http/1.1 | {ANSWERS}"));
        assert_eq!(lines[1], "again True 200");
        assert!(
            lines[2].starts_with("refused ") && lines[2].contains("ALERT"),
            "{lines:?}"
        );
    }
}

#[test]
fn node_is_served_and_is_refused_without_a_certificate() {
    let Some(lines) = said(|_| {
        let mut command = Command::new(peer("node")?);
        command.args(["-e", include_str!("tls_clients/client.js")]);
        Some(command)
    }) else {
        return;
    };
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (version, lines) in ["TLSv1.2", "TLSv1.3"].iter().zip(lines.chunks(2)) {
        assert_eq!(lines[0], format!("{version} | {ANSWERS}"));
        assert!(lines[1].ends_with(" by an alert"), "{lines:?}");
    }
}

#[test]
fn java_is_served_and_is_refused_without_a_certificate() {
    let Some(lines) = said(|authority| {
        let java = peer("java")?;
        let source = authority
            .folder()
            .write("Client.java", include_str!("tls_clients/Client.java"));
        let mut command = Command::new(java);
        command.arg("-Djava.net.preferIPv4Stack=true").arg(source);
        Some(command)
    }) else {
        return;
    };
    assert_eq!(lines.len(), 4, "{lines:?}");
    for (version, lines) in ["TLSv1.2", "TLSv1.3"].iter().zip(lines.chunks(2)) {
        assert_eq!(lines[0], format!("{version} | HTTP_1_1 | {ANSWERS}"));
        assert!(lines[1].starts_with("refused "), "{lines:?}");
    }
}
