//! Clients with certificates.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use rcgen::ExtendedKeyUsagePurpose;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use support::{Authority, Backend, Config, Lbd, Leaf, Output, address, answer, curl, peer, until};

const NAME: &str = "site.example";

/// A backend that says what it is told of the client's certificate.
fn telling() -> Backend {
    Backend::http(|request| {
        let said = |name: &str| request.head.get(name).unwrap_or("-").to_owned();
        // No other spelling reaches a backend that would read it as one of these.
        let folded = |name: &str| name.to_ascii_lowercase().replace('_', "-");
        let like = request.head.fields.iter().filter(|(name, _)| {
            let real = [
                "client-cert",
                "client-cert-chain",
                "x-forwarded-client-cert",
                "x-ssl-client-verify",
            ];
            real.contains(&folded(name).as_str()) && name.contains('_')
        });
        assert_eq!(like.count(), 0, "{:?}", request.head.fields);
        let text = format!(
            "{} | {} | {}\n",
            said("client-cert"),
            said("x-forwarded-client-cert"),
            said("x-ssl-client-verify")
        );
        answer(200, "", text.as_bytes())
    })
}

struct World {
    curl: PathBuf,
    servers: Authority,
    clients: Authority,
    at: SocketAddr,
    lbd: Lbd,
    backend: Backend,
}

impl World {
    fn new(rule: impl FnOnce(&Authority) -> String) -> Option<Self> {
        Self::with("", rule)
    }

    /// With a further line in the listener.
    fn with(line: &str, rule: impl FnOnce(&Authority) -> String) -> Option<Self> {
        let curl = peer("curl")?;
        let (servers, clients) = (Authority::new("Root of servers"), Authority::new("Root of clients"));
        let backend = telling();
        let at = address();
        let site = servers.server("site.pem", &[NAME]);
        let config = Config::http(at, &[backend.address()])
            .top("log = { access = \"stdout\", format = \"json\" }")
            .listener(line)
            .listener("forwarded = { client_cert = true, xfcc = true, client_verify = true, drop_claims = false }")
            .listener(&format!("tls = {{ certificates = {site:?}, {} }}", rule(&clients)));
        let lbd = Lbd::start(&config.text());
        Some(Self {
            curl,
            servers,
            clients,
            at,
            lbd,
            backend,
        })
    }

    fn ask(&self, certificate: Option<&Path>, more: &[&str]) -> Output {
        let url = format!("https://{NAME}:{}/", self.at.port());
        let resolve = format!("{NAME}:{}:127.0.0.1", self.at.port());
        let root = self.servers.root();
        let mut arguments = vec!["--resolve", &resolve, "--cacert", root.to_str().unwrap()];
        if let Some(certificate) = certificate {
            arguments.extend(["--cert", certificate.to_str().unwrap()]);
        }
        arguments.extend(more);
        arguments.push(&url);
        curl(&self.curl, arguments)
    }

    fn until_ended(&self, end: &str, times: u64) {
        until(&format!("{times} of {end}"), || {
            (self.lbd.state().ends(end) == times).then_some(())
        });
    }
}

fn required(clients: &Authority) -> String {
    format!("client_auth = \"required\", authorities = {:?}", clients.root())
}

#[test]
fn s_mtls_02_each_refusal_has_its_own_reason_and_s_mtls_07_no_request_reaches_a_backend() {
    let Some(world) = World::new(|clients| {
        let list = clients.revocation_list("clients.crl", &[66]);
        format!("{}, crl = {list:?}", required(clients))
    }) else {
        return;
    };
    let good = world.clients.client("good.pem", "Alice", 5);
    for version in [&["--tlsv1.3"][..], &["--tls-max", "1.2"]] {
        let got = world.ask(Some(&good), version);
        assert!(got.text.contains("Subject=\"CN=Alice\""), "{}{}", got.text, got.errors);
    }
    let leaf = |years, purpose| Leaf {
        names: &[],
        common_name: "Bob",
        serial: 7,
        years,
        purpose,
    };
    let client = || ExtendedKeyUsagePurpose::ClientAuth;
    let now = (2020, 2119);
    let stranger = Authority::new("Root of strangers");
    let cases = [
        ("client_cert_missing", None),
        // S-MTLS-03
        (
            "client_cert_expired",
            Some(world.clients.issue("old.pem", leaf((2020, 2021), client()))),
        ),
        (
            "client_cert_not_yet_valid",
            Some(world.clients.issue("new.pem", leaf((2100, 2110), client()))),
        ),
        // S-MTLS-04
        (
            "client_cert_untrusted",
            Some(stranger.client("stranger.pem", "Mallory", 8)),
        ),
        // S-MTLS-06
        (
            "client_cert_revoked",
            Some(world.clients.client("revoked.pem", "Eve", 66)),
        ),
        (
            "client_cert_purpose",
            Some(
                world
                    .clients
                    .issue("server.pem", leaf(now, ExtendedKeyUsagePurpose::ServerAuth)),
            ),
        ),
    ];
    for (end, certificate) in &cases {
        for (times, version) in (1..).zip([&["--tlsv1.3"][..], &["--tls-max", "1.2"]]) {
            let got = world.ask(certificate.as_deref(), version);
            assert!(!got.success && got.text.is_empty(), "{end}: {}{}", got.text, got.errors);
            world.until_ended(end, times);
        }
    }
    let log = until("the lines are written", || {
        let log = world.lbd.stdout();
        (log.matches("\"end\":\"client_cert_").count() == 12).then_some(log)
    });
    // The line names the certificate, and no key.
    assert!(log.contains("Mallory") && log.contains("Eve"), "{log}");
    assert_eq!(log.matches("\"status\":200").count(), 2);
    assert!(log.contains("\"client_subject\":\"CN=Alice\"") && log.contains("\"client_verified\":\"ok\""));
    world.lbd.stop();
}

#[test]
fn s_mtls_07_a_client_that_is_refused_reaches_no_backend() {
    let Some(world) = World::new(required) else { return };
    let strangers = Authority::new("Root of strangers");
    let stranger = strangers.client("stranger.pem", "Mallory", 8);
    for (times, version) in (1..).zip([&["--tlsv1.3"][..], &["--tls-max", "1.2"]]) {
        let got = world.ask(Some(&stranger), version);
        // An alert, not just an end.
        assert!(!got.success && got.text.is_empty(), "{}", got.text);
        assert!(got.errors.contains("alert"), "{}", got.errors);
        world.until_ended("client_cert_untrusted", times);
    }
    assert_eq!(world.backend.accepted(), 0);
    let good = world.clients.client("good.pem", "Alice", 5);
    assert!(world.ask(Some(&good), &[]).success);
    assert_eq!(world.backend.accepted(), 1);
    world.lbd.stop();
}

#[test]
fn s_mtls_10_a_proxy_that_is_believed_says_nothing_of_certificates_either() {
    let line = "trusted_proxies = [\"127.0.0.1\"]";
    let Some(world) = World::with(line, |clients| {
        format!("client_auth = \"optional\", authorities = {:?}", clients.root())
    }) else {
        return;
    };
    let got = world.ask(
        None,
        &[
            "-H",
            "Client-Cert: :x:",
            "-H",
            "X-Forwarded-Client-Cert: Subject=\"CN=Root\"",
            "-H",
            "X_Forwarded_Client-Cert: y",
            "-H",
            "X-SSL-Client-Verify: SUCCESS",
        ],
    );
    assert_eq!(got.text, "- | - | NONE\n", "{}", got.errors);
    world.lbd.stop();
}

#[test]
fn s_mtls_09_optional_lets_everybody_in_and_says_which_it_was_and_s_mtls_10_backends_are_told_by_us_alone() {
    let Some(world) = World::new(|clients| format!("client_auth = \"optional\", authorities = {:?}", clients.root()))
    else {
        return;
    };
    let good = world.clients.client("good.pem", "Alice", 5);
    let strangers = Authority::new("Root of strangers");
    let stranger = strangers.client("stranger.pem", "Mallory", 8);
    let forged = [
        "-H",
        "Client-Cert: :forged:",
        "-H",
        "X-Forwarded-Client-Cert: Subject=\"CN=Root\"",
        "-H",
        "client_cert: :x:",
        "-H",
        "X_Forwarded-Client_Cert: Subject=\"CN=Root\"",
        "-H",
        "Client-Cert_Chain: :x:",
        "-H",
        "X-SSL-Client-Verify: SUCCESS",
        "-H",
        "X_SSL_Client-Verify: SUCCESS",
    ];
    let got = world.ask(None, &forged);
    assert_eq!(got.text, "- | - | NONE\n", "{}", got.errors);
    let got = world.ask(Some(&stranger), &forged);
    assert_eq!(got.text, "- | - | FAILED:unknown_authority\n", "{}", got.errors);
    let got = world.ask(Some(&good), &forged);
    assert!(
        got.text.starts_with(":MII") && got.text.contains("Subject=\"CN=Alice\""),
        "{}",
        got.text
    );
    assert!(!got.text.contains("forged"), "{}", got.text);
    assert!(got.text.ends_with(" | SUCCESS\n"), "{}", got.text);
    let log = until("the lines are written", || {
        let log = world.lbd.stdout();
        (log.matches("\"status\":200").count() == 3).then_some(log)
    });
    for word in ["none", "failed", "ok"] {
        assert!(
            log.contains(&format!("\"client_verified\":\"{word}\"")),
            "{word}: {log}"
        );
    }
    world.lbd.stop();
}

#[test]
fn who_was_revoked_cannot_take_up_a_session_from_before_on_any_worker_or_process() {
    let (Some(openssl), Some(_)) = (peer("openssl"), peer("curl")) else {
        return;
    };
    let (servers, clients) = (Authority::new("Root of servers"), Authority::new("Root of clients"));
    let backend = telling();
    let site = servers.server("site.pem", &[NAME]);
    let secret = servers.folder().write("tickets.key", &"0123456789abcdef".repeat(4));
    let list = clients.revocation_list("clients.crl", &[]);
    let rule = format!(
        "{}, crl = {list:?}, ticket_secret_file = {secret:?}",
        required(&clients)
    );
    let (first_at, second_at) = (address(), address());
    let start = |at| {
        let config = Config::http(at, &[backend.address()])
            .top("workers = 2\nlog = { access = \"stdout\", format = \"json\" }")
            .listener(&format!("tls = {{ certificates = {site:?}, {rule} }}"));
        Lbd::start(&config.text())
    };
    let (first, second) = (start(first_at), start(second_at));
    let eve = clients.client("eve.pem", "Eve", 66);
    let session = clients.folder().path().join("session");
    let ask = |at: SocketAddr, version: &str, how: &str| {
        let mut child = std::process::Command::new(&openssl)
            .args([
                "s_client",
                "-quiet",
                "-connect",
                &at.to_string(),
                "-servername",
                NAME,
                version,
            ])
            .args([how, session.to_str().unwrap()])
            .args(["-cert", eve.to_str().unwrap(), "-key", eve.to_str().unwrap()])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), request.as_bytes());
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let resumed = |lbd: &Lbd| lbd.stdout().matches("\"tls_resumed\":true").count();
    for version in ["-tls1_3", "-tls1_2"] {
        let got = ask(first_at, version, "-sess_out");
        assert!(
            got.contains("HTTP/1.1 200"),
            "{got}\n{}\n{}",
            first.stdout(),
            first.stderr()
        );
        let before = resumed(&second);
        assert!(
            ask(second_at, version, "-sess_in").contains("HTTP/1.1 200"),
            "{version}: the other process knows it"
        );
        until("it was taken up", || (resumed(&second) > before).then_some(()));
    }
    // Sessions from before, of either version.
    let kept: Vec<(&str, Vec<u8>)> = ["-tls1_3", "-tls1_2"]
        .into_iter()
        .map(|version| {
            assert!(ask(first_at, version, "-sess_out").contains("HTTP/1.1 200"));
            (version, std::fs::read(&session).unwrap())
        })
        .collect();
    // The list is renewed in place: both processes notice by themselves.
    clients.revocation_list("clients.crl", &[66]);
    for lbd in [&first, &second] {
        until("the new list is in force", || {
            lbd.stderr().contains("configuration 2 is in force").then_some(())
        });
    }
    for (version, bytes) in kept {
        for at in [first_at, second_at] {
            for _ in 0..4 {
                std::fs::write(&session, &bytes).unwrap();
                assert!(!ask(at, version, "-sess_in").contains("HTTP/1.1 200"), "{version}");
            }
        }
    }
    until("they are counted", || {
        (first.state().ends("client_cert_revoked") >= 8).then_some(())
    });
    first.stop();
    second.stop();
}

#[test]
fn s_mtls_09_a_route_may_be_for_verified_clients_alone() {
    let line = "routes = [{ path = \"/members\", verified = true, respond = 204 }]";
    let Some(world) = World::with(line, |clients| {
        format!("client_auth = \"optional\", authorities = {:?}", clients.root())
    }) else {
        return;
    };
    let good = world.clients.client("good.pem", "Alice", 5);
    let strangers = Authority::new("Root of strangers");
    let stranger = strangers.client("stranger.pem", "Mallory", 8);
    let code = |certificate: Option<&Path>, path: &str| {
        let target = ["--request-target", path, "-o", "/dev/null", "-w", "%{http_code}"];
        world.ask(certificate, &target).text
    };
    assert_eq!(code(Some(&good), "/members/list"), "204");
    assert_eq!(code(None, "/members/list"), "403");
    assert_eq!(code(Some(&stranger), "/members"), "403");
    // No other spelling leads around it, and everything else is for everybody.
    assert_eq!(code(None, "/x/..;/%6dembers"), "400");
    assert_eq!(code(None, "/"), "200");
    let log = until("the lines are written", || {
        let log = world.lbd.stdout();
        (log.matches("\"status\":403").count() == 2).then_some(log)
    });
    assert!(log.contains("for clients with a verified certificate"), "{log}");
    world.lbd.stop();
}
