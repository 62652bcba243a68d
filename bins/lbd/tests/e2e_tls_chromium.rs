//! A browser in front: chromium.
//!
//! Chromium and what it needs take 300 MB and more, too much for every run of the checks: this is for those who have it
//! (Debian: `apt-get install chromium libnss3-tools`). Where it is missing the test says so and is skipped, unless
//! `LBD_REQUIRE_CHROMIUM` is 1.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::process::Command;
use std::{env, fs};
use support::{Authority, Backend, Config, Folder, Lbd, Output, address, answer, run, until};

#[test]
fn s_tls_01_chromium_shows_a_page_whose_root_it_knows_and_refuses_it_otherwise() {
    for program in ["chromium", "certutil"] {
        if Command::new(program).arg("--version").output().is_err() {
            let is_required = env::var_os("LBD_REQUIRE_CHROMIUM").is_some_and(|value| value == "1");
            assert!(!is_required, "{program} is not installed");
            println!("skipped: {program} is not installed");
            return;
        }
    }
    let authority = Authority::new("Root of the test");
    let backend = Backend::http(|request| {
        let page = format!("<p>{} over {}</p>", request.head.target(), scheme(request));
        answer(200, "Content-Type: text/html\r\n", page.as_bytes())
    });
    let at = address();
    let site = authority.server("site.pem", &["site.example"]);
    let config = Config::http(at, &[backend.address()])
        .top("log = { access = \"stdout\", format = \"json\" }")
        .listener(&format!("tls = {{ certificates = {site:?} }}"));
    let lbd = Lbd::start(&config.text());
    let home = Folder::new();
    let database = home.path().join(".pki/nssdb");
    fs::create_dir_all(&database).unwrap();
    let certutil = |arguments: &[&str]| {
        let database = format!("sql:{}", database.display());
        let got = run(Command::new("certutil").args(arguments).args(["-d", &database]));
        assert!(got.success, "{}", got.errors);
    };
    let show = |page: &str| -> Output {
        run(Command::new("timeout")
            .args([
                "60",
                "chromium",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--dump-dom",
            ])
            .arg("--host-resolver-rules=MAP site.example 127.0.0.1")
            .arg(format!("--user-data-dir={}", home.path().join("profile").display()))
            .arg(format!("https://site.example:{}/{page}", at.port()))
            .env("HOME", home.path())
            .env_remove("https_proxy")
            .env_remove("HTTPS_PROXY"))
    };
    certutil(&["-N", "--empty-password"]);
    let got = show("unknown");
    assert!(got.errors.contains("ERR_CERT_AUTHORITY_INVALID"), "{}", got.errors);
    assert!(!got.text.contains("over https"), "{}", got.text);
    let root = authority.root();
    certutil(&["-A", "-n", "root", "-t", "C,,", "-i", root.to_str().unwrap()]);
    let got = show("known");
    assert!(
        got.text.contains("<p>/known over https</p>"),
        "{} {}",
        got.text,
        got.errors
    );
    // lbd tells the two apart as well.
    until("both are logged", || {
        let log = lbd.stdout();
        let refused = log.contains("\"end\":\"client_tls\"") && log.contains("CertificateUnknown");
        let served = log.contains("\"target\":\"/known\"") && log.contains("\"tls_version\":\"TLSv1.3\"");
        (refused && served).then_some(())
    });
    lbd.stop();
}

fn scheme(request: &support::Message) -> &str {
    request.head.get("x-forwarded-proto").unwrap_or("-")
}
