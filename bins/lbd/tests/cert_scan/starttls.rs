//! The dialogues before TLS, word for word, and what servers may answer instead.

use super::made::AT;
use super::run::Said;
use super::script::{Scripted, Site, Step, hear, say};

/// Each protocol with a dialogue as its document has it, up to TLS.
fn dialogues() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        (
            "smtp",
            vec![
                say("220-mail.example.com ESMTP\r\n220 welcome\r\n"),
                hear("EHLO lbd\r\n"),
                say("250-mail.example.com\r\n250-PIPELINING\r\n250-starttls\r\n250 8BITMIME\r\n"),
                hear("STARTTLS\r\n"),
                say("220 2.0.0 Ready to start TLS\r\n"),
            ],
        ),
        (
            "imap",
            vec![
                say("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"),
                hear("a1 STARTTLS\r\n"),
                say("* NO be quick\r\na1 ok begin\r\n"),
            ],
        ),
        (
            "pop3",
            vec![say("+OK ready\r\n"), hear("STLS\r\n"), say("+OK begin\r\n")],
        ),
        (
            "ftp",
            vec![
                say("220-Welcome\r\n 220 is a nice number\r\nto this\r\n211 more\r\n220 ready\r\n"),
                hear("AUTH TLS\r\n"),
                say("234 go on\r\n"),
            ],
        ),
        (
            "ldap",
            vec![
                hear(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
                // As OpenLDAP answers, and with lengths in the long form, as Active Directory does.
                say(b"\x30\x84\0\0\0\x10\x02\x01\x01\x78\x84\0\0\0\x07\x0a\x01\0\x04\0\x04\0"),
            ],
        ),
        ("postgres", vec![hear([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]), say("S")]),
        ("mysql", vec![say(mysql_greeting(0x08)), hear(mysql_request())]),
        (
            "xmpp",
            vec![
                hear(
                    "<?xml version='1.0'?><stream:stream to='www.example.com' version='1.0' xmlns='jabber:client' \
                     xmlns:stream='http://etherx.jabber.org/streams'>",
                ),
                say(
                    "<?xml version='1.0'?><stream:stream from='www.example.com' id='1' version='1.0' xmlns='jabber:client' \
                     xmlns:stream='http://etherx.jabber.org/streams'><stream:features>\
                     <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
                ),
                hear("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
                say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            ],
        ),
    ]
}

/// `Protocol::HandshakeV10`: length and number of the packet, 10, a version, a thread, eight bytes of a scramble, 0; then
/// the lower flags, of which 0x0800 (in the second byte) is TLS.
fn mysql_greeting(high: u8) -> Vec<u8> {
    let mut body = b"\x0a8.0.36\0\x01\0\0\0abcdefgh\0\xff".to_vec();
    body.extend([0xf7 & high | high, 33, 2, 0, 0xff, 0xc7, 21]);
    body.extend([0; 10]);
    body.extend(b"ijklmnopqrst\0caching_sha2_password\0");
    let mut packet = vec![u8::try_from(body.len()).unwrap(), 0, 0, 0];
    packet.extend(body);
    packet
}

/// 32 bytes as packet 1: the flags 0x8a00 (4.1, TLS, long scramble), packets to 16 MiB, utf8, 23 zeros.
fn mysql_request() -> Vec<u8> {
    let mut packet = vec![32, 0, 0, 1, 0, 0x8a, 0, 0, 0, 0, 0, 1, 33];
    packet.extend([0; 23]);
    packet
}

fn scan(site: &Site, server: &Scripted, protocol: &str) -> Said {
    site.place.cert(&format!(
        "scan www.example.com:25 --connect {} --starttls {protocol} --roots root.pem {AT}",
        server.address
    ))
}

#[test]
fn each_dialogue_leads_to_the_certificates() {
    let site = Site::new();
    for (protocol, mut steps) in dialogues() {
        steps.push(Step::Tls(site.config()));
        let server = Scripted::start(steps);
        let said = scan(&site, &server, protocol).with_code(0);
        assert_eq!(server.end().as_deref(), Some("www.example.com"), "{protocol}");
        assert!(said.out.contains(", after STARTTLS of "), "{}", said.out);
        assert!(said.out.contains(", no ALPN\n"), "{}", said.out);
        assert!(said.out.contains("2 certificates"), "{}", said.out);
    }
}

#[test]
fn a_dialogue_may_come_in_single_bytes() {
    let site = Site::new();
    for (protocol, steps) in dialogues() {
        let mut single: Vec<Step> = steps
            .into_iter()
            .flat_map(|step| match step {
                Step::Say(bytes) => bytes.into_iter().map(|byte| Step::Say(vec![byte])).collect(),
                other => vec![other],
            })
            .collect();
        single.push(Step::Tls(site.config()));
        let server = Scripted::start(single);
        scan(&site, &server, protocol).with_code(0);
        server.end();
    }
}

#[test]
fn a_refusal_is_shown_in_the_servers_words_escaped() {
    let site = Site::new();
    for (protocol, steps, texts) in [
        (
            "smtp",
            vec![say("554 go away\x1b[2J\r\n")],
            [r#"the greeting of SMTP: "554 go away\x1b[2J""#, "mend: "],
        ),
        (
            "smtp",
            vec![
                say("220 hi\r\n"),
                hear("EHLO lbd\r\n"),
                say("250 STARTTLS\r\n"),
                hear("STARTTLS\r\n"),
                say("454 TLS not available\r\n"),
            ],
            [r#"the answer to STARTTLS: "454 TLS not available""#, "switch TLS on"],
        ),
        (
            "smtp",
            vec![
                say("220 hi\r\n"),
                hear("EHLO lbd\r\n"),
                say("250-mail\r\n250 8BITMIME\r\n"),
            ],
            [
                "does not offer TLS: the answer to EHLO does not name it",
                "switch TLS on",
            ],
        ),
        (
            "imap",
            vec![
                say("* OK hi\r\n"),
                hear("a1 STARTTLS\r\n"),
                say("a1 BAD unknown command\r\n"),
            ],
            [r#"the answer to STARTTLS: "a1 BAD unknown command""#, "switch TLS on"],
        ),
        (
            "pop3",
            vec![say("+OK hi\r\n"), hear("STLS\r\n"), say("-ERR what?\r\n")],
            [r#"the answer to STLS: "-ERR what?""#, "switch TLS on"],
        ),
        (
            "ftp",
            vec![say("220 hi\r\n"), hear("AUTH TLS\r\n"), say("530 log in first\r\n")],
            [r#"the answer to AUTH TLS: "530 log in first""#, "switch TLS on"],
        ),
        (
            "ldap",
            vec![say(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\0\x04\0")],
            ["the server says no; the answer to StartTLS: ", "switch TLS on"],
        ),
        (
            "postgres",
            vec![say("N")],
            [r#"the answer to SSLRequest: "N""#, "switch TLS on"],
        ),
        (
            "mysql",
            vec![say(mysql_greeting(0))],
            ["does not offer TLS: the greeting of MySQL", "switch TLS on"],
        ),
        (
            "mysql",
            vec![say(b"\x17\0\0\0\xff\x6a\x04Host is not allowed.")],
            [r#"the greeting of MySQL: "Host is not allowed.""#, "mend: "],
        ),
        (
            "xmpp",
            vec![say("<stream:stream><stream:error><host-unknown/>")],
            [r#"the answer to <stream:stream>: "<host-unknown/""#, "switch TLS on"],
        ),
        (
            "xmpp",
            vec![say("<stream:stream><stream:features/>")],
            ["does not offer TLS: the answer to <stream:stream>", "mend: "],
        ),
    ] {
        let mut steps = steps;
        steps.push(Step::Wait);
        let server = Scripted::start(steps);
        let said = scan(&site, &server, protocol).with_code(1);
        for text in texts {
            assert!(said.errors.contains(text), "{protocol}: {text}:\n{}", said.errors);
        }
    }
}

#[test]
fn another_protocol_is_told_from_the_one_that_was_named() {
    let site = Site::new();
    for protocol in ["smtp", "imap", "pop3", "ftp", "ldap", "postgres", "mysql", "xmpp"] {
        let server = Scripted::start(vec![say("HTTP/1.1 400 Bad Request\r\n\r\n<>>>>>>>>"), Step::Wait]);
        let said = scan(&site, &server, protocol).with_code(1);
        assert!(said.errors.contains(" is not of "), "{protocol}: {}", said.errors);
        assert!(said.errors.contains("--starttls names"), "{protocol}: {}", said.errors);
    }
}

#[test]
fn lines_and_their_number_are_bounded() {
    let site = Site::new();
    let long = Scripted::start(vec![say(format!("220 {}", "a".repeat(2000))), Step::Wait]);
    let said = scan(&site, &long, "smtp").with_code(1);
    assert!(
        said.errors.contains("a line of more than 1000 bytes"),
        "{}",
        said.errors
    );
    assert!(said.errors.len() < 600, "{}", said.errors);

    // 99 lines and the last are taken, one more is not.
    for (more, code) in [(97, 0), (98, 1)] {
        let many = "* OK still here\r\n".repeat(more);
        let server = Scripted::start(vec![
            say("* OK hi\r\n"),
            hear("a1 STARTTLS\r\n"),
            say(many),
            say("* OK one more\r\na1 OK begin\r\n"),
            if code == 0 {
                Step::Tls(site.config())
            } else {
                Step::Wait
            },
        ]);
        let said = scan(&site, &server, "imap").with_code(code);
        assert_eq!(said.errors.contains("100 lines"), code == 1, "{}", said.errors);
    }
}

#[test]
fn what_is_sent_behind_the_last_answer_is_no_tls() {
    let site = Site::new();
    let server = Scripted::start(vec![
        say("+OK hi\r\n"),
        hear("STLS\r\n"),
        say("+OK begin\r\n+OK injected\r\n"),
        Step::Wait,
    ]);
    let said = scan(&site, &server, "pop3").with_code(1);
    assert!(said.errors.contains("no TLS there"), "{}", said.errors);
    assert!(said.errors.contains("+OK injected"), "{}", said.errors);
}
