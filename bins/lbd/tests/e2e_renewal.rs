//! Certificates change while requests go on.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use support::{Authority, Backend, Config, Lbd, address, answer, curl, peer, run, until};

const NAME: &str = "site.example";

/// The serial number that is served.
fn served(openssl: &Path, at: SocketAddr) -> String {
    let shown = run(Command::new(openssl).args(["s_client", "-connect", &at.to_string(), "-servername", NAME]));
    let mut child = Command::new(openssl)
        .args(["x509", "-noout", "-serial"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), shown.text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn issue(authority: &Authority, serial: u64) -> String {
    let file = authority.issue(
        "made.pem",
        support::Leaf {
            names: &[NAME],
            common_name: NAME,
            serial,
            years: (2020, 2119),
            purpose: rcgen::ExtendedKeyUsagePurpose::ServerAuth,
        },
    );
    fs::read_to_string(file).unwrap()
}

#[test]
fn a_renewed_certificate_is_served_without_a_word_and_one_that_does_not_fit_is_not() {
    let Some(openssl) = peer("openssl") else { return };
    let authority = Authority::new("Root of the test");
    let backend = Backend::saying("here");
    let at = address();
    let folder = authority.folder();
    // As certbot lays them out: links to the files of the moment.
    let live = folder.path().join("live");
    fs::create_dir(&live).unwrap();
    let link = |number: u64, text: &str| {
        let file = folder.write(&format!("archive{number}.pem"), text);
        let (draft, link) = (live.join("draft"), live.join("site.pem"));
        symlink(file, &draft).unwrap();
        fs::rename(draft, link).unwrap();
    };
    link(1, &issue(&authority, 17));
    let path = live.join("site.pem");
    let config = Config::http(at, &[backend.address()]).listener(&format!("tls = {{ certificates = [{path:?}] }}"));
    let lbd = Lbd::start(&config.text());
    assert_eq!(served(&openssl, at), "serial=11");
    link(2, &issue(&authority, 18));
    until("the renewed one is served", || {
        (served(&openssl, at) == "serial=12").then_some(())
    });
    // Half a file: nothing changes, and it is said.
    let whole = issue(&authority, 19);
    link(3, &whole[..whole.len() / 2]);
    until("it is refused", || {
        lbd.stderr().contains("reload refused").then_some(())
    });
    assert_eq!(served(&openssl, at), "serial=12");
    link(4, &whole);
    until("the whole one is served", || {
        (served(&openssl, at) == "serial=13").then_some(())
    });
    lbd.stop();
}

#[test]
fn no_request_fails_while_certificates_and_authorities_change() {
    let Some(program) = peer("curl") else { return };
    let authority = Authority::new("Root of the test");
    let clients = Authority::new("Root of clients");
    let backend = Backend::http(|_| answer(200, "", b"here"));
    let at = address();
    let site = authority.folder().write("site.pem", &issue(&authority, 1));
    let others = Authority::new("Root of other clients");
    let text = |mode: &str, more: bool| {
        let mut authorities = vec![clients.root()];
        authorities.extend(more.then(|| others.root()));
        Config::http(at, &[backend.address()])
            .listener(&format!(
                "tls = {{ certificates = [{site:?}], client_auth = \"{mode}\", authorities = {authorities:?} }}"
            ))
            .text()
    };
    let certificate = clients.client("alice.pem", "Alice", 5);
    let lbd = Lbd::start(&text("optional", false));
    let (stop, done, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let url = format!("https://{NAME}:{}/", at.port());
                    let resolve = format!("{NAME}:{}:127.0.0.1", at.port());
                    let root = authority.root();
                    let arguments = ["--resolve", &resolve, "--cacert", root.to_str().unwrap(), "--cert"];
                    let urls = [certificate.to_str().unwrap(), &url, &url, &url];
                    let got = curl(&program, arguments.iter().chain(&urls));
                    if got.success && got.text == "herehereherehere"[..12] {
                        done.fetch_add(1, Ordering::SeqCst);
                    } else {
                        println!("{}{}", got.text, got.errors);
                        failed.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        for round in 0..100_u64 {
            authority.folder().write("site.pem", &issue(&authority, 100 + round));
            let mode = if round % 2 == 0 { "required" } else { "optional" };
            lbd.reload(&text(mode, round % 3 == 0));
        }
        let before = done.load(Ordering::SeqCst);
        until("requests go on", || {
            (done.load(Ordering::SeqCst) > before + 2).then_some(())
        });
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(failed.load(Ordering::SeqCst), 0);
    assert!(done.load(Ordering::SeqCst) > 10);
    lbd.stop();
}
