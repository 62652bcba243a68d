//! What real programs send, and the records printed in RFC 8448; what is read there is held against what tls-parser reads.

mod support;

use lb_preface::client_hello::{self, ClientHello, Limits, ServerName};
use lb_preface::server_hello::{self, Answer, ServerHello};
use lb_preface::{Step, Version, sniff};
use support::{byte_by_byte, captured, corpus, hex, message, open, records};
use tls_parser::{TlsExtension, TlsMessage, TlsMessageHandshake};

fn hellos() -> Vec<(String, Vec<u8>)> {
    let all = corpus("");
    let is_client = |name: &str| {
        !["server-", "proxy-", "rfc8448-server"]
            .iter()
            .any(|other| name.starts_with(other))
    };
    all.into_iter().filter(|(name, _)| is_client(name)).collect()
}

fn read(input: &[u8]) -> ClientHello<'_> {
    let Ok(Step::Done { value, len }) = client_hello::peek(input, Limits::default()) else {
        panic!("no hello");
    };
    assert_eq!(len, input.len());
    value
}

fn answer(name: &str) -> Answer {
    let bytes = captured(name);
    let Ok(Step::Done { value, .. }) = server_hello::peek(&bytes, Limits::default()) else {
        panic!("{name}: no hello");
    };
    value
}

fn server(name: &str) -> ServerHello {
    let Answer::Hello(hello) = answer(name) else {
        panic!("{name}: no hello")
    };
    hello
}

#[test]
fn s_tls_05_the_names_that_real_clients_ask_for_are_read() {
    for (name, bytes) in hellos() {
        let want = match name.as_str() {
            "openssl-3.0-noname" | "curl-7.88-address" | "wget-1.21" => ServerName::Absent,
            rfc if rfc.starts_with("rfc8448-") => ServerName::Host("server"),
            _ => ServerName::Host("www.example.test"),
        };
        assert_eq!(read(&bytes).server_name(), want, "{name}");
        assert!(matches!(
            sniff::protocol(&bytes),
            Step::Done {
                value: sniff::Protocol::Tls,
                ..
            }
        ));
    }
}

#[test]
fn the_versions_and_protocols_that_real_clients_offer_are_read() {
    // By hand from the bytes of extension 43; OpenSSL names old versions too, unless told otherwise.
    for (name, versions, alpn) in [
        ("openssl-3.0", "TLS 1.0, TLS 1.1, TLS 1.2, TLS 1.3", ""),
        ("openssl-3.0-tls12-alpn", "TLS 1.2 or older", "h2 http/1.1"),
        ("openssl-3.0-tls11", "TLS 1.1 or older", ""),
        ("curl-7.88", "TLS 1.0, TLS 1.1, TLS 1.2, TLS 1.3", "h2 http/1.1"),
        ("gnutls-3.7", "TLS 1.0, TLS 1.1, TLS 1.2, TLS 1.3", ""),
        ("gnutls-3.7-alpn", "TLS 1.2 or older", "h2 http/1.1"),
        ("python-3.11", "TLS 1.2, TLS 1.3", "http/1.1"),
        ("node-20", "TLS 1.2, TLS 1.3", "h2 http/1.1"),
        ("java-17", "TLS 1.2, TLS 1.3", ""),
        ("java-25", "TLS 1.2, TLS 1.3", ""),
        ("rfc8448-client-simple", "TLS 1.3", ""),
    ] {
        let bytes = captured(name);
        let hello = read(&bytes);
        assert_eq!(hello.versions().to_string(), versions, "{name}");
        let offered: Vec<_> = hello.alpn().map(|name| String::from_utf8_lossy(name)).collect();
        assert_eq!(offered.join(" "), alpn, "{name}");
    }
}

#[test]
fn clients_that_come_back_are_seen() {
    let (psk, ticket) = (captured("openssl-3.0-psk"), captured("openssl-3.0-tls12-ticket"));
    assert!(read(&psk).has_psk() && !read(&psk).has_early_data());
    assert!(read(&ticket).session_ticket().is_some_and(|ticket| ticket.len() > 100));
    let id = captured("openssl-3.0-tls12-session-id");
    assert_eq!((read(&id).session_id().len(), read(&id).session_ticket()), (32, None));
    // RFC 8448, section 4.
    let resumed = captured("rfc8448-client-resumed");
    assert!(read(&resumed).has_psk() && read(&resumed).has_early_data());
}

#[test]
fn rfc_8448_its_client_is_read_field_by_field() {
    let bytes = captured("rfc8448-client-simple");
    let hello = read(&bytes);
    assert_eq!(hello.legacy_version(), 0x0303);
    assert_eq!(hello.session_id(), b"");
    assert_eq!(hello.cipher_suites().collect::<Vec<_>>(), [0x1301, 0x1303, 0x1302]);
    assert_eq!(
        hello.groups().collect::<Vec<_>>(),
        [0x1d, 0x17, 0x18, 0x19, 0x100, 0x101, 0x102, 0x103, 0x104]
    );
    assert_eq!(
        hello.signature_schemes().collect::<Vec<_>>(),
        [
            0x403, 0x503, 0x603, 0x203, 0x804, 0x805, 0x806, 0x401, 0x501, 0x601, 0x201, 0x402, 0x502, 0x602, 0x202
        ]
    );
    assert_eq!(hello.session_ticket(), Some(&b""[..]));
    let compatible = captured("rfc8448-client-compatible");
    let id = hex("a80c165581a8e0d06c0018d54d3a06dd32cfd4051eb026fad3fd0ba99269e6ef");
    assert_eq!(read(&compatible).session_id(), id);
}

#[test]
fn rfc_8448_its_servers_are_read() {
    let simple = server("rfc8448-server-simple");
    assert_eq!(
        (simple.version(), simple.cipher_suite(), simple.is_retry()),
        (Some(Version::Tls13), 0x1301, false)
    );
    assert_eq!((simple.session_id(), simple.lasting_session_id()), (&b""[..], None));
    let retry = server("rfc8448-server-retry");
    assert_eq!((retry.version(), retry.is_retry()), (Some(Version::Tls13), true));
    let compatible = server("rfc8448-server-compatible");
    let id = hex("a80c165581a8e0d06c0018d54d3a06dd32cfd4051eb026fad3fd0ba99269e6ef");
    assert_eq!(
        (compatible.session_id(), compatible.version()),
        (&id[..], Some(Version::Tls13))
    );
}

#[test]
fn s_persist_40_the_session_id_of_a_tls_1_2_server_is_read_on_its_way() {
    for (name, suite) in [
        ("server-openssl-3.0-tls12", 0xc02c),
        ("server-nginx-1.22-tls12", 0xc02c),
    ] {
        let hello = server(name);
        assert_eq!(
            (hello.version(), hello.cipher_suite()),
            (Some(Version::Tls12), suite),
            "{name}"
        );
        let lasting = hello.lasting_session_id().expect(name);
        assert_eq!((lasting.len(), lasting), (32, hello.session_id()), "{name}");
        assert!(
            !format!("{hello:?}").contains(&format!("{}, {}", lasting[0], lasting[1])),
            "{name}"
        );
    }
}

#[test]
fn s_persist_42_a_tls_1_3_server_has_no_session_id_that_lasts() {
    for name in [
        "server-openssl-3.0-tls13",
        "server-haproxy-2.6-tls13",
        "server-openssl-3.0-retry",
    ] {
        let hello = server(name);
        assert_eq!(hello.version(), Some(Version::Tls13), "{name}");
        // the client's, sent back
        assert_eq!(
            (hello.session_id().len(), hello.lasting_session_id()),
            (32, None),
            "{name}"
        );
        assert_eq!(hello.is_retry(), name.ends_with("retry"), "{name}");
    }
}

#[test]
fn a_server_that_refuses_is_seen() {
    let refusal = answer("server-openssl-3.0-refuses-tls11");
    // OpenSSL finds no digest that is strong enough for TLS 1.1, and takes that for a fault of its own.
    let (level, description) = (2, 80);
    assert_eq!(refusal, Answer::Alert { level, description });
    assert_eq!(refusal.to_string(), "alert internal_error");
}

#[test]
fn any_split_gives_the_same_answer() {
    for (name, bytes) in corpus("") {
        let is_server = name.starts_with("server-") || name.starts_with("rfc8448-server");
        if is_server {
            byte_by_byte(&bytes, |input| server_hello::peek(input, Limits::default()).map(open));
        } else if !name.starts_with("proxy-") {
            byte_by_byte(&bytes, |input| client_hello::peek(input, Limits::default()).map(open));
        }
    }
}

#[test]
fn records_split_at_each_place_change_nothing() {
    for (name, bytes) in hellos() {
        let want = read(&bytes);
        let message = message(&bytes);
        for at in 1..message.len() {
            assert_eq!(read(&records(message, &[at])), want, "{name} at {at}");
            assert_eq!(read(&records(message, &[at, 1])), want, "{name} at {at}");
        }
    }
    let bytes = captured("server-openssl-3.0-tls12");
    for at in 1..bytes.len() - 5 {
        let split = records(message(&bytes), &[at]);
        let step = server_hello::peek(&split, Limits::default()).unwrap();
        assert_eq!(
            step.done(),
            Some(Answer::Hello(server("server-openssl-3.0-tls12"))),
            "at {at}"
        );
    }
}

const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

#[test]
fn tls_parser_reads_the_same() {
    let made_up = ("browser".to_owned(), support::Hello::browser().record());
    for (name, bytes) in hellos().into_iter().chain([made_up]) {
        let ours = read(&bytes);
        let (_, theirs) = tls_parser::parse_tls_plaintext(&bytes).expect("a record");
        let TlsMessage::Handshake(TlsMessageHandshake::ClientHello(theirs)) = &theirs.msg[0] else {
            panic!("{name}: no hello");
        };
        let plain = |numbers: Vec<u16>| {
            numbers
                .into_iter()
                .filter(|number| !is_grease(*number))
                .collect::<Vec<_>>()
        };
        assert_eq!(ours.legacy_version(), theirs.version.0, "{name}");
        assert_eq!(ours.session_id(), theirs.session_id.unwrap_or_default(), "{name}");
        let suites = theirs.ciphers.iter().map(|suite| suite.0).collect();
        assert_eq!(ours.cipher_suites().collect::<Vec<_>>(), plain(suites), "{name}");
        let (_, extensions) =
            tls_parser::parse_tls_client_hello_extensions(theirs.ext.expect("extensions")).expect(&name);
        let (mut has_psk, mut ticket) = (false, None);
        for extension in extensions {
            match extension {
                TlsExtension::SNI(names) => {
                    assert_eq!(ours.server_name().host().map(str::as_bytes), Some(names[0].1), "{name}")
                }
                TlsExtension::ALPN(names) => assert_eq!(ours.alpn().collect::<Vec<_>>(), names, "{name}"),
                TlsExtension::EllipticCurves(groups) => {
                    let groups = groups.iter().map(|group| group.0).collect();
                    assert_eq!(ours.groups().collect::<Vec<_>>(), plain(groups), "{name}");
                }
                TlsExtension::SignatureAlgorithms(schemes) => {
                    assert_eq!(ours.signature_schemes().collect::<Vec<_>>(), plain(schemes), "{name}");
                }
                TlsExtension::SupportedVersions(versions) => {
                    let newest = versions
                        .iter()
                        .map(|version| version.0)
                        .filter(|number| !is_grease(*number))
                        .max();
                    assert_eq!(
                        ours.versions().newest(),
                        newest.and_then(Version::from_number),
                        "{name}"
                    );
                }
                TlsExtension::PreSharedKey(_) => has_psk = true,
                TlsExtension::SessionTicket(found) => ticket = Some(found),
                _ => {}
            }
        }
        assert_eq!((ours.has_psk(), ours.session_ticket()), (has_psk, ticket), "{name}");
    }
}
