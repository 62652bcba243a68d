//! Hellos of clients, made up: what is read, what is refused and with which alert, and the limits from both sides.

mod support;

use lb_preface::client_hello::{self, ClientHello, Error, Limits, NameFault, Part, ServerName};
use lb_preface::{Alert, Step, Version, fatal_record, sniff};
use std::net::IpAddr;
use support::{Hello, byte_by_byte, framed, hex, open, records};

fn peek(input: &[u8]) -> Result<Option<(ClientHello<'_>, usize)>, Error> {
    client_hello::peek(input, Limits::default()).map(open)
}

fn read(input: &[u8]) -> ClientHello<'_> {
    let (hello, len) = peek(input).expect("a hello").expect("all of it");
    assert_eq!(len, input.len());
    hello
}

fn refused(input: &[u8], alert: Option<Alert>) -> Error {
    let error = peek(input).expect_err("no hello");
    assert_eq!(error.alert(), alert, "{error}");
    byte_by_byte(input, peek);
    error
}

/// What is wrong with the message of this hello.
fn fault(hello: &Hello, alert: Alert) -> Error {
    refused(&hello.record(), Some(alert))
}

#[test]
fn a_hello_of_a_browser_is_read_in_full() {
    let bytes = Hello::browser().record();
    assert!((1750..1900).contains(&bytes.len()), "{}", bytes.len());
    let hello = read(&bytes);
    assert_eq!(hello.server_name(), ServerName::Host("www.example.test"));
    assert_eq!(hello.alpn().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
    assert_eq!(hello.versions().to_string(), "TLS 1.2, TLS 1.3");
    assert_eq!(hello.legacy_version(), 0x0303);
    assert_eq!(hello.cipher_suites().count(), 15, "sixteen, one of them GREASE");
    assert_eq!(hello.groups().collect::<Vec<_>>(), [0x11ec, 0x1d, 0x17, 0x18]);
    let schemes = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
    assert_eq!(hello.signature_schemes().collect::<Vec<_>>(), schemes);
    assert_eq!(hello.certificate_signature_schemes().collect::<Vec<_>>(), schemes);
    assert_eq!(hello.session_id(), [7; 32]);
    assert_eq!(hello.session_ticket(), Some(&b""[..]));
    assert_eq!(hello.compression_methods(), [0]);
    assert!(hello.has_encrypted_hello() && !hello.has_psk() && !hello.has_early_data());
}

#[test]
fn schemes_for_certificates_may_differ() {
    let bytes = Hello::new()
        .numbers(13, &[0x0403])
        .numbers(50, &[0x0401, 0x0a0a])
        .record();
    let hello = read(&bytes);
    assert_eq!(hello.signature_schemes().collect::<Vec<_>>(), [0x0403]);
    assert_eq!(hello.certificate_signature_schemes().collect::<Vec<_>>(), [0x0401]);
}

#[test]
fn a_hello_shows_no_secret() {
    let mut hello = Hello::new()
        .named(b"a.test")
        .with(35, b"TICKETTICKET")
        .with(41, b"TICKETTICKET");
    hello.session_id = b"SESSION".to_vec();
    let text = format!("{:?}", read(&hello.record()));
    assert!(
        text.contains("Host(\"a.test\")") && text.contains("TLS 1.2 or older"),
        "{text}"
    );
    for secret in ["SESSION", "TICKET", "84, 73, 67"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn versions_are_told_for_a_log() {
    let offered = |versions: &[u16]| read(&Hello::new().versions(versions).record()).versions().to_string();
    assert_eq!(offered(&[0x0301, 0x0302]), "TLS 1.0, TLS 1.1");
    assert_eq!(offered(&[0x0304]), "TLS 1.3");
    // Drafts, GREASE, and what is to come.
    assert_eq!(offered(&[0x7f1c, 0x0303, 0x8a8a, 0x0305]), "TLS 1.2");
    assert_eq!(offered(&[0x7f1c]), "no known version");
    let legacy = |number: u16| {
        let mut hello = Hello::new();
        hello.legacy_version = number;
        let bytes = hello.record();
        let versions = read(&bytes).versions();
        (
            versions.to_string(),
            versions.newest(),
            versions.contains(Version::Ssl30),
        )
    };
    assert_eq!(legacy(0x0300), ("SSL 3.0".into(), Some(Version::Ssl30), true));
    assert_eq!(legacy(0x0302), ("TLS 1.1 or older".into(), Some(Version::Tls11), true));
    assert_eq!(legacy(0x0304), ("TLS 1.2 or older".into(), Some(Version::Tls12), true));
    assert_eq!(legacy(0x0200), ("no known version".into(), None, false));
}

#[test]
fn s_tls_05_the_name_is_a_host_an_address_or_none_with_a_reason() {
    let kind = |name: &[u8]| {
        let bytes = Hello::new().named(name).record();
        match read(&bytes).server_name() {
            ServerName::Host(name) => Ok(name.to_owned()),
            ServerName::Address(address) => Ok(address.to_string()),
            ServerName::Unusable { name: found, fault } => {
                assert_eq!(found, name);
                Err(fault)
            }
            other => panic!("{other:?}"),
        }
    };
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    for name in [
        "www.example.test",
        "WWW.Example.TEST",
        "a",
        "_x.a-b.test",
        "xn--bcher-kva.test",
        "1.2.3.4.5",
        &longest,
    ] {
        assert_eq!(kind(name.as_bytes()), Ok(name.to_owned()));
        let bytes = Hello::new().named(name.as_bytes()).record();
        assert_eq!(read(&bytes).server_name().host(), Some(name));
    }
    for address in ["192.0.2.1", "2001:db8::1"] {
        let bytes = Hello::new().named(address.as_bytes()).record();
        let want: IpAddr = address.parse().unwrap();
        assert_eq!(read(&bytes).server_name(), ServerName::Address(want));
        assert_eq!(read(&bytes).server_name().host(), None);
    }
    assert_eq!(kind(b"[2001:db8::1]"), Ok("2001:db8::1".into()));
    for (name, fault) in [
        (&b""[..], NameFault::Empty),
        (b"a.test\0.evil.test", NameFault::Zero),
        (b"a.test.", NameFault::TrailingDot),
        (b".", NameFault::TrailingDot),
        (b".a", NameFault::EmptyLabel),
        (b"a..b", NameFault::EmptyLabel),
        (b"a b", NameFault::Character(b' ')),
        (b"*.a.test", NameFault::Character(b'*')),
        (b"b\xc3\xbccher.test", NameFault::Character(0xc3)),
        (b"a.test:443", NameFault::Character(b':')),
        (format!("{label}a.test").as_bytes(), NameFault::TooLong),
        (format!("{longest}a").as_bytes(), NameFault::TooLong),
    ] {
        assert_eq!(kind(name), Err(fault), "{}", name.escape_ascii());
    }
    assert_eq!(read(&Hello::new().record()).server_name(), ServerName::Absent);
}

#[test]
fn names_of_other_kinds_are_passed_over_and_two_hosts_are_refused() {
    let two = |kind: u8| {
        let list = [&b"\0\0\x01a"[..], &[kind], b"\0\x01b"].concat();
        Hello::new().with(0, &[&(list.len() as u16).to_be_bytes()[..], &list].concat())
    };
    assert_eq!(read(&two(1).record()).server_name(), ServerName::Host("a"));
    assert_eq!(
        read(&Hello::new().with(0, b"\0\x04\x01\0\x01b").record()).server_name(),
        ServerName::Absent
    );
    assert!(matches!(
        fault(&two(0), Alert::IllegalParameter),
        Error::TwoNames { .. }
    ));
}

#[test]
fn a_hello_without_extensions_is_read() {
    // Of a client of TLS 1.0: 47 bytes, made by hand from RFC 2246, section 7.4.1.2.
    let bytes = hex(&format!(
        "16 0301 002f 01 00002b 0301 {} 00 0004 002f 0035 01 00",
        "42".repeat(32)
    ));
    let hello = read(&bytes);
    assert_eq!(hello.versions().to_string(), "TLS 1.0 or older");
    assert_eq!(hello.cipher_suites().collect::<Vec<_>>(), [0x2f, 0x35]);
    assert_eq!((hello.session_id(), hello.session_ticket()), (&b""[..], None));
    assert_eq!((hello.alpn().count(), hello.groups().count()), (0, 0));
    byte_by_byte(&bytes, peek);
}

#[test]
fn a_record_may_be_split_anywhere() {
    let message = Hello::browser().message();
    let whole = records(&message, &[]);
    let want = read(&whole);
    for at in 1..message.len() {
        let bytes = records(&message, &[at]);
        let (hello, len) = peek(&bytes).unwrap().unwrap();
        assert_eq!((&hello, len), (&want, bytes.len()), "at {at}");
    }
    byte_by_byte(&records(&message, &[1, 1, 1, 1, 300, 2]), peek);
    // Every byte in its own record, and the size of TLS record splitting tools.
    let small = Hello::new().named(b"a.test").message();
    let split = records(&small, &vec![1; small.len()]);
    byte_by_byte(&split, peek);
    assert_eq!(read(&split).server_name(), ServerName::Host("a.test"));
    assert_eq!(read(&split).into_owned(), read(&records(&small, &[])).into_owned());
}

#[test]
fn bytes_behind_the_hello_are_not_looked_at() {
    let message = Hello::new().message();
    let bytes = records(&message, &[]);
    for behind in [&b"\x14\x03\x03\0\x01\x01"[..], b"garbage", &[0; 100]] {
        let more = [&bytes[..], behind].concat();
        assert_eq!(peek(&more).unwrap().map(|(_, len)| len), Some(bytes.len()));
    }
    // A second message in the same record.
    let two = records(&[&message[..], &message].concat(), &[]);
    assert_eq!(peek(&two).unwrap().map(|(_, len)| len), Some(bytes.len()));
    byte_by_byte(&two, peek);
}

#[test]
fn what_speaks_no_tls_is_named() {
    for (input, protocol, words) in [
        (
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            sniff::Protocol::Http1,
            "use https on this port",
        ),
        (
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            sniff::Protocol::Http2Preface,
            "use https on this port",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", sniff::Protocol::Ssh, "looks like SSH"),
        (
            b"PROXY TCP4 192.0.2.1 ",
            sniff::Protocol::ProxyV1,
            "read PROXY headers here",
        ),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11",
            sniff::Protocol::ProxyV2,
            "read PROXY headers here",
        ),
        (
            b"\0\0\0\x08\x04\xd2\x16\x2f",
            sniff::Protocol::Postgres,
            "asks for TLS in a protocol of its own",
        ),
        (
            b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0",
            sniff::Protocol::Rdp,
            "Remote Desktop",
        ),
        (
            b"\x16\x02\x01\0\x05",
            sniff::Protocol::Unknown,
            "no protocol known here",
        ),
        (b"\x15\x01", sniff::Protocol::Unknown, "begins with \"\\x15\""),
    ] {
        let error = refused(input, None);
        assert!(
            matches!(error, Error::NotTls { protocol: found, .. } if found == protocol),
            "{error}"
        );
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(peek(b""), Ok(None));
}

#[test]
fn a_hello_of_ssl_2_is_named() {
    // RFC 5246, appendix E.2: length, client hello, version 3.1, and the lengths of its parts.
    let bytes = hex("80 2e 01 0301 0015 0000 0010 00 00 39 00 00 38 00 00 35 00 00 16 00 00 13 00 00 0a 07 00 c0");
    let error = refused(&bytes, Some(Alert::ProtocolVersion));
    assert_eq!(error, Error::Sslv2 { major: 3, minor: 1 });
    assert_eq!(
        refused(&hex("80 2e 01 0002 0015"), Some(Alert::ProtocolVersion)),
        Error::Sslv2 { major: 0, minor: 2 }
    );
}

#[test]
fn other_records_and_messages_are_refused() {
    for kind in [20, 21, 23, 24] {
        let error = refused(&[kind, 3, 3, 0, 2, 1, 0], Some(Alert::UnexpectedMessage));
        assert_eq!(error, Error::RecordKind { kind, offset: 0 });
    }
    let error = refused(&records(&framed(2, &[0; 70]), &[]), Some(Alert::UnexpectedMessage));
    assert_eq!(error, Error::Message { kind: 2, wanted: 1 });
    // In the middle of a hello.
    let first = records(&Hello::new().message()[..10], &[]);
    let error = refused(
        &[&first[..], b"\x15\x03\x03\0\x02\x01\0"].concat(),
        Some(Alert::UnexpectedMessage),
    );
    assert_eq!(error, Error::RecordKind { kind: 21, offset: 15 });
    let error = refused(
        &[&first[..], b"\x16\x02\x03\0\x02\x01\0"].concat(),
        Some(Alert::ProtocolVersion),
    );
    assert_eq!(
        error,
        Error::RecordVersion {
            major: 2,
            minor: 3,
            offset: 15
        }
    );
}

#[test]
fn a_record_has_1_to_16384_bytes() {
    assert_eq!(
        refused(&[22, 3, 1, 0, 0], Some(Alert::UnexpectedMessage)),
        Error::RecordLength { len: 0, offset: 3 }
    );
    assert_eq!(peek(&[22, 3, 1, 0x40, 0]), Ok(None));
    let error = refused(&[22, 3, 1, 0x40, 1], Some(Alert::RecordOverflow));
    assert_eq!(error, Error::RecordLength { len: 16385, offset: 3 });
    let first = records(&Hello::new().message()[..10], &[]);
    let error = refused(
        &[&first[..], b"\x16\x03\x03\0\0"].concat(),
        Some(Alert::UnexpectedMessage),
    );
    assert_eq!(error, Error::RecordLength { len: 0, offset: 18 });
}

#[test]
fn the_limit_of_bytes_holds_from_both_sides_and_is_seen_at_the_length() {
    let sized = |len: usize| {
        let hello = Hello::new().with(21, b"");
        let hello = Hello::new().with(21, &vec![0; len - hello.message().len()]);
        assert_eq!(hello.message().len(), len);
        records(&hello.message(), &[])
    };
    let error = Error::TooLarge {
        len: 16385,
        limit: 16384,
    };
    assert!(peek(&sized(16384)).unwrap().is_some());
    let over = [&[22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfd][..], &[0; 16380]].concat();
    assert_eq!(refused(&over[..30], Some(Alert::HandshakeFailure)), error);
    assert_eq!((peek(&over[..8]), peek(&over[..9])), (Ok(None), Err(error)));
    let limits = Limits {
        hello_bytes: 300,
        ..Limits::default()
    };
    assert!(matches!(
        client_hello::peek(&sized(300), limits),
        Ok(Step::Done { len: 305, .. })
    ));
    assert_eq!(
        client_hello::peek(&sized(301), limits),
        Err(Error::TooLarge { len: 301, limit: 300 })
    );
    // 64 KiB over several records
    let wide = Limits {
        hello_bytes: 70_000,
        ..Limits::default()
    };
    let big = records(
        &framed(1, &Hello::new().with(21, &[0; 65000]).message()[4..]),
        &[16384, 16384, 16384],
    );
    let Ok(Step::Done { value, .. }) = client_hello::peek(&big, wide) else {
        panic!()
    };
    assert_eq!(value.cipher_suites().count(), 3);
    assert!(matches!(peek(&big), Err(Error::TooLarge { .. })));
}

#[test]
fn the_limit_of_records_holds_from_both_sides() {
    let message = Hello::new().message();
    let limits = Limits {
        records: 5,
        ..Limits::default()
    };
    let peek = |input| client_hello::peek(input, limits).map(open);
    let five = records(&message, &[1, 1, 1, 1]);
    assert!(peek(&five).unwrap().is_some());
    let six = records(&message, &[1, 1, 1, 1, 1]);
    byte_by_byte(&six, peek);
    assert_eq!(peek(&six), Err(Error::TooManyRecords { limit: 5 }));
    assert_eq!(
        Limits::default(),
        Limits {
            hello_bytes: 16384,
            records: 1024
        }
    );
}

#[test]
fn lengths_that_do_not_fit_are_refused_with_their_place() {
    let at = |part: Part, offset: usize| Error::Malformed { part, offset };
    let message = Hello::new().numbers(10, &[29]).message();
    // 4 + 2 + 32: the session id; then 32 bytes of it, three suites, one method, the extensions
    let changed = |place: usize, byte: u8| {
        let mut message = message.clone();
        message[place] = byte;
        refused(&records(&message, &[]), Some(Alert::DecodeError))
    };
    assert_eq!(changed(38, 33), at(Part::SessionId, 38));
    assert_eq!(changed(38, 255), at(Part::SessionId, 38));
    assert_eq!(changed(72, 5), at(Part::CipherSuites, 71));
    assert_eq!(changed(72, 0), at(Part::CipherSuites, 71));
    assert_eq!(changed(71, 1), at(Part::CipherSuites, 71));
    assert_eq!(changed(79, 0), at(Part::Compression, 79));
    assert_eq!(changed(79, 99), at(Part::Compression, 79));
    assert_eq!(changed(82, 7), at(Part::Extensions, 81));
    assert_eq!(changed(82, 9), at(Part::Extensions, 81));
    assert_eq!(changed(86, 5), at(Part::Extension(10), 83));
    assert_eq!(changed(86, 3), at(Part::Extension(10), 83));
    let short = |len: usize| refused(&records(&framed(1, &message[4..len]), &[]), Some(Alert::DecodeError));
    assert_eq!(short(37), at(Part::Start, 4));
    assert_eq!(short(38), at(Part::SessionId, 38));
    assert_eq!(
        short(81 + 3).to_string(),
        "the list of extensions at byte 81 of the hello has a length that does not fit; \
         the other side's TLS library, or something on the way, writes it wrongly"
    );
    assert_eq!(
        changed(86, 5).to_string(),
        "extension 10 (supported_groups) at byte 83 of the hello has a length that does not fit; \
         the other side's TLS library, or something on the way, writes it wrongly"
    );
}

#[test]
fn lists_in_extensions_are_whole_and_not_empty() {
    for (kind, value) in [
        (0, &b""[..]),
        (0, b"\0\0"),
        (0, b"\0\x04\0\0\x02a"),
        (0, b"\0\x04\0\0\x01a\0"),
        (0, b"\0\x02\0\0"),
        (10, b""),
        (10, b"\0\0"),
        (10, b"\0\x03\0\x1d\0"),
        (10, b"\0\x02\0\x1d\0"),
        (13, b"\0\x02\x04"),
        (16, b"\0\0"),
        (16, b"\0\x01\0"),
        (16, b"\0\x03\x03h2"),
        (16, b"\0\x03\x02h2x"),
        (43, b"\0"),
        (43, b"\x02\x03"),
        (43, b"\x02\x03\x04\x03"),
        (43, b"\x03\x03\x04\x03"),
        (50, b"\0\0"),
    ] {
        let error = fault(&Hello::new().with(kind, value), Alert::DecodeError);
        assert_eq!(
            error,
            Error::Malformed {
                part: Part::Extension(kind),
                offset: 83
            },
            "{}",
            value.escape_ascii()
        );
    }
}

#[test]
fn an_extension_comes_once() {
    for kind in [0, 10, 43, 127, 128, 0x0a0a, 0xfe0d, 0xffff] {
        let hello = Hello::new()
            .with(23, b"")
            .versions(&[0x0304])
            .numbers(10, &[29])
            .named(b"a");
        let value: &[u8] = if kind == 0 { b"\0\x04\0\0\x01b" } else { b"" };
        let twice = match kind {
            0 | 10 | 43 => hello.with(kind, value),
            _ => hello.with(kind, value).with(7, b"").with(kind, value),
        };
        let error = fault(&twice, Alert::IllegalParameter);
        assert!(
            matches!(error, Error::ExtensionTwice { kind: found, .. } if found == kind),
            "{error}"
        );
    }
}

#[test]
fn high_types_are_counted_and_low_ones_are_not() {
    let many = |range: std::ops::Range<u16>| range.fold(Hello::new(), |hello, kind| hello.with(kind, b""));
    read(&many(1000..1032).record());
    let error = fault(&many(1000..1033), Alert::HandshakeFailure);
    assert_eq!(error, Error::TooManyExtensions { limit: 32 });
    read(&many(54..128).record());
}

#[test]
fn pre_shared_key_is_the_last() {
    let last = Hello::new().with(42, b"").with(41, b"anything").record();
    let hello = read(&last);
    assert!(hello.has_psk() && hello.has_early_data());
    let error = fault(&Hello::new().with(41, b"").with(21, b""), Alert::IllegalParameter);
    assert_eq!(error, Error::PskNotLast { offset: 87 });
}

#[test]
fn an_alert_is_seven_bytes() {
    // RFC 8446, sections 5.1 and 6: type 21, version 3.3, length 2, fatal, and the number.
    for (alert, number, name) in [
        (Alert::UnexpectedMessage, 10, "unexpected_message"),
        (Alert::RecordOverflow, 22, "record_overflow"),
        (Alert::HandshakeFailure, 40, "handshake_failure"),
        (Alert::IllegalParameter, 47, "illegal_parameter"),
        (Alert::AccessDenied, 49, "access_denied"),
        (Alert::DecodeError, 50, "decode_error"),
        (Alert::ProtocolVersion, 70, "protocol_version"),
        (Alert::InternalError, 80, "internal_error"),
        (Alert::UnrecognizedName, 112, "unrecognized_name"),
        (Alert::NoApplicationProtocol, 120, "no_application_protocol"),
    ] {
        assert_eq!(fatal_record(alert), [21, 3, 3, 0, 2, 2, number]);
        assert_eq!(alert.to_string(), name);
    }
    assert_eq!(Alert::name_of(255), None);
}
