//! Servers that cannot be asked: what happened, where, and what to do.

use super::run::{Place, Said};
use super::script::{Scripted, Site, Step, hear, say};
use super::support::{address, elapsed, now};
use std::io::Write;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

fn scan(server: &Scripted, options: &str) -> Said {
    let said = Place::new()
        .cert(&format!("scan {} {options}", server.address))
        .with_code(1);
    assert!(said.out.is_empty(), "{}", said.out);
    assert!(
        said.errors.contains(&format!("lbd: {}: ", server.address)),
        "{}",
        said.errors
    );
    said
}

#[track_caller]
fn contains(said: &Said, texts: &[&str]) {
    for text in texts {
        assert!(said.errors.contains(text), "{text}:\n{}", said.errors);
    }
}

#[test]
fn a_name_that_is_not_found_is_named() {
    let said = Place::new().cert("scan no-such-host.invalid:443").with_code(1);
    contains(&said, &["no-such-host.invalid: the ", "--connect"]);
}

#[test]
fn a_refused_port_says_that_nothing_listens() {
    let address = address();
    let said = Place::new().cert(&format!("scan {address}")).with_code(1);
    contains(
        &said,
        &[&format!("cannot connect: {address}: refused, nothing listens there")],
    );
}

#[test]
fn a_port_of_plain_http_is_recognised() {
    let server = Scripted::start(vec![say("HTTP/1.1 400 Bad Request\r\n\r\n"), Step::Wait]);
    let said = scan(&server, "");
    contains(
        &said,
        &[
            "no TLS there: the first bytes look like HTTP without TLS",
            r#""HTTP/1.1 400 Bad Request\r\n\r\n""#,
            "443",
        ],
    );
}

#[test]
fn a_greeting_says_which_starttls_to_ask_with() {
    for (greeting, option) in [
        ("220 mail.example ESMTP\r\n", "--starttls smtp"),
        ("* OK IMAP4rev2 ready\r\n", "--starttls imap"),
        ("+OK POP3 ready\r\n", "--starttls pop3"),
        ("220 FTP server\r\n", "--starttls ftp"),
    ] {
        let said = scan(&Scripted::start(vec![say(greeting), Step::Wait]), "");
        contains(&said, &["no TLS there", option]);
    }
    // One letter is enough to see that it is no TLS, if no more comes.
    let said = scan(&Scripted::start(vec![say("S")]), "");
    contains(&said, &["no protocol known here: \"S\""]);
}

#[test]
fn a_silent_port_is_given_up_at_the_deadline() {
    let begin = now();
    let said = scan(&Scripted::start(vec![Step::Wait]), "--timeout 300ms");
    contains(
        &said,
        &[
            "connected, but within 300ms came no answer to the TLS hello",
            "--timeout",
        ],
    );
    let took = elapsed(begin);
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn one_deadline_counts_for_all_and_not_for_each_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // 1,000 bytes are a line too long: some 50 s.
        while stream.write_all(b"2").is_ok() {
            thread::park_timeout(Duration::from_millis(50));
        }
    });
    let begin = now();
    let words = format!("scan {address} --starttls smtp --timeout 500ms");
    let said = Place::new().cert(&words).with_code(1);
    contains(&said, &["within 500ms came no greeting of SMTP"]);
    assert!(elapsed(begin) < Duration::from_secs(20));
}

#[test]
fn a_server_that_closes_is_told_from_one_that_is_silent() {
    let said = scan(&Scripted::start(vec![hear([0x16, 3, 1])]), "");
    assert!(
        said.errors.contains("where the answer to the TLS hello was to come"),
        "{}",
        said.errors
    );
}

#[test]
fn alerts_have_their_names_and_their_meanings() {
    for (code, name, meaning) in [
        (70, "protocol_version", "neither TLS 1.2 nor 1.3"),
        (40, "handshake_failure", "lbd tls suites"),
        (112, "unrecognized_name", "no host of the name www.example.com"),
        (80, "internal_error", "--sni"),
        (120, "no_application_protocol", "--alpn"),
        (200, "unknown_alert", "log"),
    ] {
        let server = Scripted::start(vec![Step::Say(vec![0x15, 3, 3, 0, 2, 2, code]), Step::Wait]);
        let said = scan(&server, "--sni www.example.com");
        contains(
            &said,
            &[&format!("ends the handshake with the alert {name}\n"), meaning],
        );
    }
}

#[test]
fn damaged_tls_is_an_error_and_no_panic() {
    for bytes in [
        // A server hello that is none, a record of 18 KiB, a record of a handshake message that never ends.
        vec![0x16, 3, 3, 0, 4, 2, 0, 0, 0],
        [vec![0x16, 3, 3, 0x48, 0], vec![0; 0x4800]].concat(),
        [vec![0x16, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff], vec![0x16, 3, 3, 0, 0]].concat(),
    ] {
        let said = scan(&Scripted::start(vec![Step::Say(bytes)]), "");
        assert!(!said.errors.contains("panicked"), "{}", said.errors);
    }
}

#[test]
fn more_than_100_certificates_are_not_taken() {
    let site = Site::new();
    for (number, code) in [(99, 4), (100, 1)] {
        let mut chain = vec![site.leaf.as_str()];
        chain.resize(number + 1, &site.middle.pem);
        let server = Scripted::start(vec![Step::Tls(site.config_with(&chain, b""))]);
        let words = format!("scan www.example.com:443 --connect {} --strict", server.address);
        let said = site.place.cert(&words).with_code(code);
        if code == 1 {
            contains(&said, &["the server sent 101 certificates; 100 are taken at most"]);
        } else {
            assert!(said.out.contains("  100 certificates in "), "{}", said.out);
        }
    }
}

#[test]
fn a_certificate_that_is_damaged_has_code_3_and_its_number() {
    let site = Site::new();
    let broken = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    let server = Scripted::start(vec![Step::Tls(site.config_with(&[&site.leaf, broken], b""))]);
    let words = format!("scan www.example.com:443 --connect {}", server.address);
    let said = site.place.cert(&words).with_code(3);
    contains(&said, &["www.example.com:443, block 2: "]);
}

#[test]
fn wrong_usage_has_code_2_and_says_what_to_write() {
    for (words, mend) in [
        ("", "HOST:PORT"),
        ("www.example.com", "www.example.com:443"),
        ("https://www.example.com/", "write www.example.com:443"),
        ("[::1]", "write HOST:PORT"),
        ("a:1 --starttls gopher", "smtp"),
        ("a:1 --timeout 10", "10s"),
        ("a:1 --timeout 11m", "between 1ms and 10m"),
        ("a:1 --sni a..b", "host name"),
        ("a:1 --print --json", "cannot be used with"),
    ] {
        let said = Place::new().cert(&format!("scan {words}")).with_code(2);
        contains(&said, &[mend]);
    }
    let help = Place::new().cert("scan --help").with_code(0);
    assert!(
        help.out.contains("  lbd cert scan ") && help.out.contains("Exit codes: 0 "),
        "{}",
        help.out
    );
}

#[test]
fn roots_that_cannot_be_read_are_said_before_anybody_is_asked() {
    let said = Place::new()
        .cert(&format!("scan {} --roots missing.pem", address()))
        .with_code(1);
    contains(&said, &["missing.pem"]);
}
