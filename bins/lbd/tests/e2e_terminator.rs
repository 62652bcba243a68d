//! docs/terminator.md is right: its configurations run, and backends learn who asked, over what, on which port.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use support::{Backend, Config, Folder, Head, Lbd, Nginx, address, answer, curl, is_listening, peer, until};

const PAGE: &str = include_str!("../../../docs/terminator.md");

/// The configuration of the page in this language.
fn block(language: &str) -> String {
    let start = PAGE.split_once(&format!("```{language}\n")).unwrap().1;
    start.split_once("```").unwrap().0.to_owned()
}

#[test]
fn behind_haproxy_as_the_page_has_it_backends_know_the_client() {
    let (Some(haproxy), Some(browser)) = (peer("haproxy"), peer("curl")) else {
        return;
    };
    let world = World::start();
    let folder = Folder::new();
    let (certificate, key) = certificate();
    let pem = folder.write("site.pem", &(certificate + &key));
    let text = block("haproxy")
        .replace(":443", &world.front.to_string())
        .replace("/etc/haproxy/site.pem", &pem.display().to_string())
        .replace("127.0.0.1:8080", &world.lbd_address.to_string());
    let file = folder.write("haproxy.cfg", &text);
    let _front = Front(
        Command::new(haproxy)
            .args(["-q", "-db", "-f"])
            .arg(file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap(),
    );
    world.check(&browser, "--http2");
    world.check(&browser, "--http1.1");
    world.lbd.stop();
}

#[test]
fn behind_nginx_as_the_page_has_it_backends_know_the_client() {
    let (Some(nginx), Some(browser)) = (peer("nginx"), peer("curl")) else {
        return;
    };
    let world = World::start();
    let folder = Folder::new();
    let (certificate, key) = certificate();
    let (certificate, key) = (folder.write("crt", &certificate), folder.write("key", &key));
    let text = block("nginx")
        .replace("listen 443", &format!("listen {}", world.front))
        .replace("/etc/nginx/site.crt", &certificate.display().to_string())
        .replace("/etc/nginx/site.key", &key.display().to_string())
        .replace("127.0.0.1:8080", &world.lbd_address.to_string());
    let _front = Nginx::start_with(&nginx, &text, vec![world.front]);
    world.check(&browser, "--http1.1");
    world.lbd.stop();
}

#[test]
fn behind_caddy_as_the_page_has_it_backends_know_the_client() {
    // Not among the programs that every machine with the tests has.
    let Some(browser) = peer("curl") else { return };
    let Some(caddy) = std::env::var_os("CADDY") else {
        println!("skipped: CADDY names no program");
        return;
    };
    let world = World::start();
    let folder = Folder::new();
    let (certificate, key) = certificate();
    let (certificate, key) = (folder.write("crt", &certificate), folder.write("key", &key));
    let site = format!(
        "{{\nadmin off\nauto_https disable_redirects\n}}\nhttps://localhost:{} {{\ntls {} {}",
        world.front.port(),
        certificate.display(),
        key.display()
    );
    let text = block("caddy").replace("example.com {", &site).replace(
        "127.0.0.1:8080",
        &format!(
            "{} {{\nheader_up -Forwarded\nheader_up -X-Real-Ip\nheader_up -X-Forwarded-*\n}}",
            world.lbd_address
        ),
    );
    let file = folder.write("Caddyfile", &text);
    let _front = Front(
        Command::new(caddy)
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(file)
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    world.ask(&browser, "--http1.1");
    let head = world.heads.lock().unwrap().pop().unwrap();
    println!("{head:?}");
    world.lbd.stop();
}

/// lbd with a backend that writes down what it is told.
struct World {
    _backend: Backend,
    heads: Arc<Mutex<Vec<Head>>>,
    lbd: Lbd,
    lbd_address: SocketAddr,
    /// Where the terminator listens.
    front: SocketAddr,
}

impl World {
    fn start() -> Self {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        let backend = Backend::http(move |request| {
            log.lock().unwrap().push(request.head.clone());
            answer(200, "", b"")
        });
        let lbd_address = address();
        // The page's own line.
        let trusted = block("toml");
        let trusted = trusted
            .lines()
            .find(|line| line.starts_with("trusted_proxies"))
            .unwrap();
        let config = Config::http(lbd_address, &[backend.address()]).listener(trusted);
        Self {
            _backend: backend,
            heads,
            lbd: Lbd::start(&config.text()),
            lbd_address,
            front: address(),
        }
    }

    /// A client that claims to be somebody else asks.
    fn ask(&self, browser: &Path, version: &str) {
        until("the terminator listens", || is_listening(self.front).then_some(()));
        let port = self.front.port();
        let mut arguments = vec![
            "--insecure".to_owned(),
            version.to_owned(),
            "--interface".to_owned(),
            "127.0.0.9".to_owned(),
        ];
        for lie in [
            "X-Forwarded-For: 6.6.6.6",
            "X-Forwarded-Proto: gopher",
            "X-Forwarded-Port: 70",
            "X-Forwarded-Host: evil.example",
            "X-Forwarded-Prefix: /evil",
            "X-Real-IP: 6.6.6.6",
            "Forwarded: for=6.6.6.6;proto=gopher",
            "X_Forwarded_For: 6.6.6.6",
        ] {
            arguments.extend(["-H".to_owned(), lie.to_owned()]);
        }
        arguments.extend([
            "-w".to_owned(),
            "%{http_code}".to_owned(),
            format!("https://localhost:{port}/a%20b?x=1"),
        ]);
        arguments.extend(["--resolve".to_owned(), format!("localhost:{port}:127.0.0.1")]);
        let output = curl(browser, arguments);
        assert!(output.success && output.text == "200", "{output:?}");
    }

    fn check(&self, browser: &Path, version: &str) {
        self.ask(browser, version);
        let head = self.heads.lock().unwrap().pop().unwrap();
        assert_eq!(head.target(), "/a%20b?x=1");
        assert_eq!(head.all("x-forwarded-for"), ["127.0.0.9, 127.0.0.1"], "{head:?}");
        assert_eq!(head.all("x-forwarded-proto"), ["https"], "{head:?}");
        assert_eq!(
            head.all("x-forwarded-port"),
            [self.front.port().to_string()],
            "{head:?}"
        );
        assert_eq!(
            head.all("host"),
            [format!("localhost:{}", self.front.port())],
            "{head:?}"
        );
        for name in [
            "x-forwarded-host",
            "x-forwarded-prefix",
            "x-real-ip",
            "forwarded",
            "x_forwarded_for",
        ] {
            assert!(head.all(name).is_empty(), "{name}: {head:?}");
        }
    }
}

/// A certificate of its own, and its key, as PEM.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

struct Front(Child);

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
