//! docs/terminator.md is right: its configurations run, and backends learn who asked, over what, on which port.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use support::{
    Backend, Config, Folder, Head, Lbd, Nginx, Output, Running, address, answer, curl, is_listening, peer, until,
};

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
    let _front = Running::spawn(Command::new(haproxy).args(["-q", "-db", "-f"]).arg(file));
    world.check(&browser, "--http2", &LIES);
    world.check(&browser, "--http1.1", &LIES);
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
    // The page says that further ones, such as the last, need lines of their own.
    world.check(&browser, "--http1.1", &LIES[..5]);
    world.lbd.stop();
}

#[test]
fn behind_caddy_as_the_page_has_it_backends_know_the_client() {
    let (Some(caddy), Some(browser)) = (peer("caddy"), peer("curl")) else {
        return;
    };
    let world = World::start();
    let folder = Folder::new();
    let (certificate, key) = certificate();
    let (certificate, key) = (folder.write("crt", &certificate), folder.write("key", &key));
    // No authority signs for this machine, and port 80 may be another's.
    let site = format!(
        "{{\nadmin off\nauto_https disable_redirects\n}}\nhttps://localhost:{} {{\nbind 127.0.0.1\ntls {} {}",
        world.front.port(),
        certificate.display(),
        key.display()
    );
    let text = block("caddy")
        .replace("example.com {", &site)
        .replace("127.0.0.1:8080", &world.lbd_address.to_string());
    let file = folder.write("Caddyfile", &text);
    let _front = Running::spawn(
        Command::new(caddy)
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(file)
            .env("HOME", folder.path()),
    );
    for version in ["--http1.1", "--http2"] {
        let head = world.ask(&browser, version);
        world.check_client(&head);
        // What the client asked for, said by Caddy: the port is in it.
        assert_eq!(head.all("x-forwarded-host"), head.all("host"), "{head:?}");
        World::check_no_lies(&head, &LIES[1..]);
    }
    world.lbd.stop();
}

#[test]
fn behind_stunnel_as_the_page_has_it_backends_are_told_of_stunnel_and_nothing_is_believed() {
    let (Some(stunnel), Some(browser)) = (peer("stunnel"), peer("curl")) else {
        return;
    };
    for is_proxy in [false, true] {
        let world = World::start_with("");
        let folder = Folder::new();
        let (certificate, key) = certificate();
        let pem = folder.write("site.pem", &(certificate + &key));
        let mut text = block("stunnel")
            .replace("accept = 443", &format!("accept = {}", world.front))
            .replace("/etc/stunnel/site.pem", &pem.display().to_string())
            .replace("127.0.0.1:8080", &world.lbd_address.to_string());
        if is_proxy {
            text += "protocol = proxy\n";
        }
        let file = folder.write("stunnel.conf", &format!("foreground = yes\npid =\n{text}"));
        let _front = Running::spawn(Command::new(&stunnel).arg(file));
        if is_proxy {
            let said = world.curl(&browser, "--http1.1");
            assert!(said.text.ends_with("400"), "{said:?}");
            assert!(said.text.contains("PROXY protocol"), "{said:?}");
        } else {
            let head = world.ask(&browser, "--http1.1");
            assert_eq!(head.all("x-forwarded-for"), ["127.0.0.1"], "{head:?}");
            assert_eq!(head.all("x-forwarded-proto"), ["http"], "{head:?}");
            let port = world.lbd_address.port().to_string();
            assert_eq!(head.all("x-forwarded-port"), [port], "{head:?}");
            World::check_no_lies(&head, &LIES);
        }
        world.lbd.stop();
    }
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
        // The page's own line.
        let block = block("toml");
        let trusted = block.lines().find(|line| line.starts_with("trusted_proxies"));
        Self::start_with(trusted.unwrap())
    }

    fn start_with(trusted: &str) -> Self {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        let backend = Backend::http(move |request| {
            log.lock().unwrap().push(request.head.clone());
            answer(200, "", b"")
        });
        let lbd_address = address();
        let config = Config::http(lbd_address, &[backend.address()]).listener(trusted);
        Self {
            _backend: backend,
            heads,
            lbd: Lbd::start(&config.text()),
            lbd_address,
            front: address(),
        }
    }

    /// A client that claims to be somebody else asks; what the backend is told.
    fn ask(&self, browser: &Path, version: &str) -> Head {
        let output = self.curl(browser, version);
        assert!(output.success && output.text == "200", "{output:?}");
        let head = self.heads.lock().unwrap().pop().unwrap();
        assert_eq!(head.target(), "/a%20b?x=1");
        head
    }

    fn curl(&self, browser: &Path, version: &str) -> Output {
        until("the terminator listens", || is_listening(self.front).then_some(()));
        let port = self.front.port();
        let mut arguments: Vec<String> = ["--insecure", version, "--interface", "127.0.0.9", "-w", "%{http_code}"]
            .map(str::to_owned)
            .into();
        for (name, value) in LIES {
            arguments.extend(["-H".to_owned(), format!("{name}: {value}")]);
        }
        for lie in [
            "X-Forwarded-For: 6.6.6.6",
            "X-Forwarded-Proto: gopher",
            "X-Forwarded-Port: 70",
        ] {
            arguments.extend(["-H".to_owned(), lie.to_owned()]);
        }
        arguments.extend(["--resolve".to_owned(), format!("localhost:{port}:127.0.0.1")]);
        arguments.push(format!("https://localhost:{port}/a%20b?x=1"));
        curl(browser, arguments)
    }

    fn check(&self, browser: &Path, version: &str, lies: &[(&str, &str)]) {
        let head = self.ask(browser, version);
        self.check_client(&head);
        Self::check_no_lies(&head, lies);
    }

    /// Who asked, over what, on which port.
    fn check_client(&self, head: &Head) {
        let port = self.front.port().to_string();
        assert_eq!(head.all("x-forwarded-for"), ["127.0.0.9, 127.0.0.1"], "{head:?}");
        assert_eq!(head.all("x-forwarded-proto"), ["https"], "{head:?}");
        assert_eq!(head.all("x-forwarded-port"), [port.as_str()], "{head:?}");
        assert_eq!(head.all("host"), [format!("localhost:{port}")], "{head:?}");
    }

    fn check_no_lies(head: &Head, lies: &[(&str, &str)]) {
        for (name, _) in lies {
            assert!(head.all(name).is_empty(), "{name}: {head:?}");
        }
    }
}

/// What a client says that backends must not hear.
const LIES: [(&str, &str); 6] = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Real-IP", "6.6.6.6"),
    ("Forwarded", "for=6.6.6.6;proto=gopher"),
    ("X_Forwarded_For", "6.6.6.6"),
    ("X-Forwarded-User", "root"),
];

/// A certificate of its own, and its key, as PEM.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}
