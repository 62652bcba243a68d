//! Clients speak TLS: programs by other hands in front.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::{Authority, Backend, Client, Config, Lbd, Output, address, answer, curl, peer, run, until};

/// `openssl s_client` to this address; it ends when it has sent its standard input, which is empty unless it is told to wait.
fn s_client(openssl: &Path, to: SocketAddr, arguments: &[&str]) -> Output {
    run(Command::new(openssl)
        .args(["s_client", "-connect", &to.to_string()])
        .args(arguments))
}

/// The same, with this on standard input, until the server has closed.
fn s_client_saying(openssl: &Path, to: SocketAddr, arguments: &[&str], text: &str) -> Output {
    let mut child = Command::new(openssl)
        .args(["s_client", "-quiet", "-connect", &to.to_string()])
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Output {
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        success: output.status.success(),
    }
}

fn tls(certificates: &[PathBuf]) -> String {
    format!("tls = {{ certificates = {certificates:?} }}")
}

/// A backend that says which scheme and server it was asked by.
fn telling() -> Backend {
    Backend::http(|request| {
        let said = |name: &str| request.head.get(name).unwrap_or("-").to_owned();
        let text = format!(
            "{} {} {}\n",
            said("x-forwarded-proto"),
            said("x-forwarded-port"),
            said("client-cert")
        );
        answer(200, "", text.as_bytes())
    })
}

#[test]
fn s_tls_01_curl_verifies_the_certificate_and_s_tls_12_gets_what_it_would_get_without_tls() {
    let Some(program) = peer("curl") else { return };
    let authority = Authority::new("Root of the test");
    let backend = telling();
    let at = address();
    let site = authority.server("site.pem", &["site.example"]);
    let config = Config::http(at, &[backend.address()])
        .top("log = { access = \"stdout\", format = \"json\" }")
        .listener(&tls(&[site]));
    let lbd = Lbd::start(&config.text());
    let resolve = format!("site.example:{}:127.0.0.1", at.port());
    let root = authority.root();
    let ask = |arguments: &[&str]| {
        let url = format!("https://site.example:{}/", at.port());
        let common = ["--resolve", &resolve, "--cacert", root.to_str().unwrap(), &url];
        curl(&program, common.iter().chain(arguments))
    };
    for version in ["--tlsv1.2", "--tlsv1.3"] {
        let got = ask(&[version]);
        assert_eq!(got.text, format!("https {} -\n", at.port()), "{}", got.errors);
    }
    let got = ask(&["--tls-max", "1.2"]);
    assert!(got.success, "{}", got.errors);
    // A large body in both directions.
    let body = vec![b'x'; 3 << 20];
    let file = authority.folder().path().join("body");
    std::fs::write(&file, &body).unwrap();
    let upload = format!("@{}", file.display());
    let got = ask(&["--data-binary", &upload, "-w", "%{size_upload} %{http_code}"]);
    assert!(
        got.text.ends_with(&format!("{} 200", body.len())),
        "{} {}",
        got.text,
        got.errors
    );
    // Nobody else's root.
    let other = Authority::new("Another root");
    let url = format!("https://site.example:{}/", at.port());
    let got = curl(
        &program,
        ["--resolve", &resolve, "--cacert", other.root().to_str().unwrap(), &url],
    );
    assert!(
        !got.success && got.errors.contains("SSL certificate problem"),
        "{}",
        got.errors
    );
    let log = until("the lines are written", || {
        let log = lbd.stdout();
        (log.matches("\"status\":200").count() >= 4).then_some(log)
    });
    // S-TLS-02: what was agreed on.
    for said in [
        "\"tls_version\":\"TLSv1.3\"",
        "\"tls_version\":\"TLSv1.2\"",
        "\"tls_cipher\":\"TLS_AES_",
        "\"tls_group\":\"X25519",
        "\"tls_sni\":\"site.example\"",
        "\"tls_alpn\":\"http/1.1\"",
        "\"tls_resumed\":false",
    ] {
        assert!(log.contains(said), "{said} is not in {log}");
    }
    lbd.stop();
}

#[test]
fn s_tls_12_a_listener_with_tls_does_what_one_without_does() {
    let Some(program) = peer("curl") else { return };
    let authority = Authority::new("Root of the test");
    let backends: Vec<Backend> = ["one", "two"]
        .into_iter()
        .map(|name| {
            Backend::http(move |request| {
                let length = request.body.len();
                match request.head.target() {
                    "/none" => answer(204, "", b""),
                    "/gone" => answer(404, "x-why: gone\r\n", b"gone"),
                    _ => answer(
                        200,
                        "",
                        format!("{name} {} {length}\n", request.head.method()).as_bytes(),
                    ),
                }
            })
        })
        .collect();
    let (plain, secure) = (address(), address());
    let site = authority.server("site.pem", &["site.example"]);
    let addresses: Vec<_> = backends.iter().map(Backend::address).collect();
    let config = Config::http(plain, &addresses)
        .pool("persistence = { kind = \"cookie_insert\", name = \"SRV\" }")
        .rest(&format!(
            "[[listeners]]\nname = \"secure\"\nprotocol = \"http\"\naddress = \"{secure}\"\npool = \"main\"\n{}",
            tls(&[site])
        ));
    let lbd = Lbd::start(&config.text());
    let root = authority.root();
    let body = authority.folder().write("body", &"x".repeat(70_000));
    let upload = format!("@{}", body.display());
    let ask = |scheme: &str, to: SocketAddr, jar: &str, path: &str, arguments: &[&str]| {
        let url = format!("{scheme}://site.example:{}{path}", to.port());
        let resolve = format!("site.example:{}:127.0.0.1", to.port());
        let jar = authority.folder().path().join(jar);
        let jar = jar.to_str().unwrap();
        let common = [
            "--resolve",
            &resolve,
            "--cacert",
            root.to_str().unwrap(),
            "-i",
            "-b",
            jar,
            "-c",
            jar,
            &url,
        ];
        let got = curl(&program, common.iter().chain(arguments));
        assert!(got.success, "{url} {arguments:?}: {}", got.errors);
        // What may differ: when, the cookie's value and that it is for TLS alone.
        got.text
            .lines()
            .filter(|line| !line.to_ascii_lowercase().starts_with("date:"))
            .map(|line| match line.to_ascii_lowercase().starts_with("set-cookie: srv=") {
                true => "set-cookie: SRV",
                false => line,
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    let chunked = ["-H", "transfer-encoding: chunked", "--data-binary", &upload];
    let waiting = ["-H", "expect: 100-continue", "--data-binary", &upload];
    let cases: [(&str, &[&str]); 8] = [
        ("/", &["-I"]),
        ("/", &[]),
        ("/", &chunked),
        ("/", &waiting),
        ("/", &["-X", "PUT", "--data-binary", &upload]),
        ("/none", &[]),
        ("/gone", &["-X", "DELETE"]),
        ("/", &["--http1.0"]),
    ];
    let mut seen = Vec::new();
    for (path, arguments) in cases {
        let without = ask("http", plain, "plain", path, arguments);
        let with = ask("https", secure, "secure", path, arguments);
        let place = |text: &str| text.replace("two ", "one ");
        assert_eq!(place(&with), place(&without), "{path} {arguments:?}");
        seen.push(with);
    }
    assert!(seen[0].contains("set-cookie: SRV") && !seen[1].contains("set-cookie: SRV"));
    // The cookie holds: one backend has them all.
    let all = seen.concat();
    assert!(
        all.contains("70000") && all.contains("one ") != all.contains("two "),
        "{all}"
    );
    lbd.stop();
}

#[test]
fn s_tls_05_many_names_on_one_address_and_s_tls_04_a_default_for_none() {
    let Some(openssl) = peer("openssl") else { return };
    let authority = Authority::new("Root of the test");
    let backend = Backend::saying("here");
    let at = address();
    let files = [
        authority.server("first.pem", &["first.example"]),
        authority.server("wild.pem", &["*.wild.example"]),
        authority.server("one.pem", &["one.wild.example"]),
    ];
    let config = Config::http(at, &[backend.address()]).listener(&tls(&files));
    let lbd = Lbd::start(&config.text());
    for (asked, served) in [
        ("first.example", "first.example"),
        ("FIRST.example", "first.example"),
        ("two.wild.example", "*.wild.example"),
        ("one.wild.example", "one.wild.example"),
        // one label, and none that is unknown
        ("a.b.wild.example", "first.example"),
        ("unknown.example", "first.example"),
    ] {
        let got = s_client(&openssl, at, &["-servername", asked]);
        assert!(got.text.contains(&format!("CN = {served}")), "{asked}: {}", got.text);
    }
    let got = s_client(&openssl, at, &["-noservername"]);
    assert!(got.text.contains("CN = first.example"), "{}", got.text);
    lbd.stop();
    let strict = config
        .listener("")
        .text()
        .replace("certificates =", "strict_sni = true, certificates =");
    let lbd = Lbd::start(&strict);
    for arguments in [&["-servername", "unknown.example"][..], &["-noservername"]] {
        let got = s_client(&openssl, at, arguments);
        assert!(got.errors.contains("unrecognized name"), "{}", got.errors);
    }
    assert!(
        s_client(&openssl, at, &["-servername", "a.wild.example"])
            .text
            .contains("*.wild.example")
    );
    until("both are counted", || {
        (lbd.state().ends("unknown_name") == 2).then_some(())
    });
    lbd.stop();
}

#[test]
fn s_tls_08_old_versions_and_s_tls_07_old_suites_are_refused_with_the_alert_and_a_line() {
    let Some(openssl) = peer("openssl") else { return };
    let authority = Authority::new("Root of the test");
    let backend = Backend::saying("here");
    let at = address();
    let config = Config::http(at, &[backend.address()])
        .top("log = { access = \"stdout\", format = \"json\" }")
        .listener(&tls(&[authority.server("site.pem", &["site.example"])]));
    let lbd = Lbd::start(&config.text());
    for version in ["-tls1", "-tls1_1"] {
        let got = s_client(&openssl, at, &[version, "-cipher", "ALL:@SECLEVEL=0"]);
        assert!(
            got.errors.contains("alert protocol version"),
            "{version}: {}",
            got.errors
        );
    }
    for suite in ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"] {
        let got = s_client(&openssl, at, &["-tls1_2", "-cipher", &format!("{suite}:@SECLEVEL=0")]);
        assert!(got.errors.contains("handshake failure"), "{suite}: {}", got.errors);
    }
    // S-TLS-09: compression is not to be had.
    let got = s_client(&openssl, at, &["-tls1_2", "-comp"]);
    assert!(got.text.contains("Compression: NONE"), "{}", got.text);
    let log = until("the lines are written", || {
        let log = lbd.stdout();
        (log.matches("\"end\":\"client_tls\"").count() == 5).then_some(log)
    });
    assert_eq!(lbd.state().ends("client_tls"), 5);
    // S-TLS-03: with what the client has offered.
    assert!(
        log.contains("no_common_version") && log.contains("no_common_suite"),
        "{log}"
    );
    lbd.stop();
}

#[test]
fn s_tls_13_sessions_are_taken_up_again_by_tickets_and_by_number() {
    let Some(openssl) = peer("openssl") else { return };
    let authority = Authority::new("Root of the test");
    let backend = Backend::saying("here");
    let at = address();
    let config = Config::http(at, &[backend.address()])
        .top("workers = 2\nlog = { access = \"stdout\", format = \"json\" }")
        .listener(&tls(&[authority.server("site.pem", &["site.example"])]));
    let socket = authority.folder().path().join("admin.sock");
    let lbd = Lbd::start(&config.rest(&format!("[admin]\nsocket = {socket:?}\n")).text());
    let request = "GET / HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n";
    let session = authority.folder().path().join("session");
    let session = session.to_str().unwrap();
    for (number, arguments) in [&["-tls1_3"][..], &["-tls1_2"], &["-tls1_2", "-no_ticket"]]
        .into_iter()
        .enumerate()
    {
        let first = [arguments, &["-servername", "site.example", "-sess_out", session]].concat();
        let got = s_client_saying(&openssl, at, &first, request);
        assert!(got.text.contains("here"), "{}", got.errors);
        let again = [arguments, &["-servername", "site.example", "-sess_in", session]].concat();
        for _ in 0..4 {
            let got = s_client_saying(&openssl, at, &again, request);
            assert!(got.text.contains("here"), "{}", got.errors);
        }
        // With one use of each ticket a second try may be a full handshake; most are not.
        until("they are logged as taken up", || {
            (lbd.stdout().matches("\"tls_resumed\":true").count() > 2 * number).then_some(())
        });
    }
    // The counts agree with the log.
    let said = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(["status", "--json", "--socket", socket.to_str().unwrap()])
        .output()
        .unwrap();
    let status: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let log = until("every line is written", || {
        Some(lbd.stdout()).filter(|log| log.matches("\"tls_resumed\":").count() >= 15)
    });
    for counts in [&status["totals"], &status["listeners"][0]["counts"]] {
        assert_eq!(counts["tls_handshakes"], 15, "{counts}");
        assert_eq!(
            counts["tls_resumed"],
            log.matches("\"tls_resumed\":true").count(),
            "{counts}"
        );
    }
    lbd.stop();
}

#[test]
fn plain_http_on_a_tls_port_is_told_so_and_tls_on_a_plain_port_is_logged() {
    let authority = Authority::new("Root of the test");
    let backend = Backend::saying("here");
    let (secure, plain) = (address(), address());
    let config = Config::http(secure, &[backend.address()])
        .top("log = { access = \"stdout\", format = \"json\" }")
        .listener(&tls(&[authority.server("site.pem", &["site.example"])]))
        .rest(&format!(
            "[[listeners]]\nname = \"plain\"\naddress = \"{plain}\"\npool = \"main\""
        ));
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(secure);
    let got = client.exchange("GET / HTTP/1.1\r\nHost: site.example\r\n\r\n");
    assert_eq!(got.head.status(), 400);
    assert!(got.text().contains("https://"), "{}", got.text());
    let mut client = Client::connect(plain);
    client.send([&[22, 3, 1, 0, 200, 1][..], &[7; 199]].concat());
    assert_eq!(client.response().head.status(), 400);
    until("both are logged", || {
        let log = lbd.stdout();
        (log.contains("plain_on_tls") && log.contains("TLS")).then_some(())
    });
    assert_eq!(lbd.state().ends("plain_on_tls"), 1);
    lbd.stop();
}

#[test]
fn https_is_asked_for_by_redirect_and_remembered_and_another_site_gets_421() {
    let Some(program) = peer("curl") else { return };
    let authority = Authority::new("Root of the test");
    let backend = Backend::saying("here");
    let (secure, plain) = (address(), address());
    let site = authority.server("site.pem", &["site.example"]);
    let other = authority.server("other.pem", &["other.example"]);
    let root = authority.root();
    let config = Config::http(secure, &[backend.address()])
        .listener("hsts = \"180d\"")
        .listener(&format!(
            "tls = {{ certificates = [{site:?}], sites = [{{ names = [\"other.example\"], certificates = [{other:?}], \
             client_auth = \"required\", authorities = [{root:?}] }}] }}"
        ))
        .rest(&format!(
            "[[listeners]]\nname = \"plain\"\naddress = \"{plain}\"\nredirect_to_https = true\n\
             [[listeners.routes]]\npath = \"/.well-known/acme-challenge\"\nplain = true\npool = \"main\""
        ));
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(plain);
    let got = client.exchange("GET /a?b HTTP/1.1\r\nHost: site.example:8080\r\n\r\n");
    assert_eq!(got.head.status(), 308);
    assert_eq!(got.head.get("location"), Some("https://site.example/a?b"));
    let got = client.exchange("GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: site.example\r\n\r\n");
    assert_eq!((got.status(), got.text()), (200, "here".to_owned()));
    let resolve = format!("site.example:{}:127.0.0.1", secure.port());
    let url = format!("https://site.example:{}/", secure.port());
    let ask = |arguments: &[&str]| {
        let common = ["--resolve", &resolve, "--cacert", root.to_str().unwrap(), "-i", &url];
        curl(&program, common.iter().chain(arguments))
    };
    let got = ask(&[]);
    assert!(
        got.text.contains("Strict-Transport-Security: max-age=15552000"),
        "{}{}",
        got.text,
        got.errors
    );
    let got = ask(&["-H", "Host: other.example"]);
    assert!(got.text.starts_with("HTTP/1.1 421"), "{}", got.text);
    // Our own answers say it as well, and nobody says it without TLS.
    assert!(
        got.text.contains("Strict-Transport-Security: max-age=15552000"),
        "{}",
        got.text
    );
    let got = client.exchange("GET /a?b HTTP/1.1\r\nHost: site.example:8080\r\n\r\n");
    assert_eq!(got.head.get("strict-transport-security"), None);
    lbd.stop();
}
