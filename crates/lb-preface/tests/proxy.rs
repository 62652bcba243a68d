//! Headers that arrive: both formats, their limits from both sides, and what their TLVs say.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod support;

use lb_preface::proxy::{self, Addresses, Command, Error, Header, Limits, Tlv, Transport, Version};
use lb_preface::{Step, sniff};
use support::{byte_by_byte, captured, corpus, open};

fn parse(input: &[u8]) -> Result<Option<(Header<'_>, usize)>, Error> {
    proxy::parse(input, Limits::default()).map(open)
}

fn read(input: &[u8]) -> (Header<'_>, usize) {
    parse(input).expect("a header").expect("all of it")
}

fn refused(input: &[u8]) -> String {
    let error = parse(input).expect_err("no header");
    byte_by_byte(input, |input| parse(input).map(|found| found.map(|(_, len)| ((), len))));
    error.to_string()
}

/// A header of version 2 with what stands behind its length.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut out = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    out.extend([command, family]);
    out.extend((rest.len() as u16).to_be_bytes());
    out.extend(rest);
    out
}

fn tcp4(tlvs: &[u8]) -> Vec<u8> {
    v2(
        0x21,
        0x11,
        &[&[192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 4, 1, 0xbb], tlvs].concat(),
    )
}

fn ip(source: &str, destination: &str) -> Addresses<'static> {
    Addresses::Ip {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }
}

#[test]
fn s_xff_02_a_header_of_haproxy_names_the_client() {
    let text = captured("proxy-haproxy-2.6-v1");
    let (header, len) = read(&text);
    assert_eq!(
        (header.version(), header.command(), len),
        (Version::V1, Command::Proxy, text.len())
    );
    assert_eq!(header.addresses(), ip("127.0.0.1:44410", "127.0.0.1:44251"));
    assert_eq!(header.transport(), Some(Transport::Stream));
    let binary = captured("proxy-haproxy-2.6-v2");
    let (header, len) = read(&binary);
    assert_eq!(
        (header.version(), header.command(), len),
        (Version::V2, Command::Proxy, 28)
    );
    // 0x9016 and 0x80c9
    assert_eq!(header.addresses(), ip("127.0.0.1:36886", "127.0.0.1:32969"));
}

#[test]
fn the_tls_facts_of_haproxy_are_read_and_its_checksum_holds() {
    let bytes = captured("proxy-haproxy-2.6-v2-all");
    let (header, len) = read(&bytes);
    assert_eq!(len, bytes.len());
    let facts = header.facts();
    assert!(facts.is_checked);
    assert_eq!(facts.alpn, Some(&b"http/1.1"[..]));
    assert_eq!(facts.authority, Some(&b"www.example.test"[..]));
    assert!(
        facts
            .unique_id
            .is_some_and(|id| id.ends_with(b"6A2D2F7E") || id.starts_with(b"7F000001:"))
    );
    let ssl = facts.ssl.expect("TLS facts");
    assert!(ssl.is_tls() && ssl.has_certificate() && ssl.is_verified());
    assert_eq!(ssl.version, Some(&b"TLSv1.3"[..]));
    assert_eq!(ssl.cipher, Some(&b"TLS_AES_256_GCM_SHA384"[..]));
    assert_eq!(ssl.common_name, Some(&b"www.example.test"[..]));
    assert_eq!(ssl.key_algorithm, Some(&b"EC256"[..]));
    assert_eq!(ssl.signature_algorithm, Some(&b"ecdsa-with-SHA256"[..]));
    // Any changed byte behind the first 16 is noticed, but for the one that says that there is a sum.
    for at in (16..bytes.len()).filter(|at| *at != 28) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(parse(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn any_split_of_a_header_gives_the_same_answer() {
    for (_, bytes) in corpus("proxy-") {
        byte_by_byte(&bytes, parse);
        byte_by_byte(&[&bytes[..], b"GET / HTTP/1.1\r\n\r\n"].concat(), parse);
    }
    for bytes in [
        &v2(0x20, 0, b"")[..],
        &tcp4(b"\x04\0\0"),
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN x\r\nX",
    ] {
        byte_by_byte(bytes, parse);
    }
}

#[test]
fn a_line_has_107_bytes_at_most() {
    let line = |behind: usize| [b"PROXY UNKNOWN ", "x".repeat(behind).as_bytes(), b"\r\n"].concat();
    assert_eq!(line(91).len(), 107);
    assert_eq!(read(&line(91)).1, 107);
    assert!(refused(&line(92)).contains("no CRLF in the first 107 bytes of \"PROXY UNKNOWN xxx"));
    assert_eq!(parse(&line(92)[..106]), Ok(None));
    // 107 bytes that end in CR
    assert!(refused(&line(92)[..107]).contains("no CRLF"));
}

#[test]
fn an_unknown_client_is_taken_whatever_stands_behind_the_word() {
    for line in [
        &b"PROXY UNKNOWN\r\n"[..],
        b"PROXY UNKNOWN \r\n",
        b"PROXY UNKNOWN a  b\tc\xff\r\n",
    ] {
        let (header, len) = read(line);
        assert_eq!(
            (header.addresses(), header.transport(), len),
            (Addresses::Unknown, None, line.len())
        );
    }
    assert!(refused(b"PROXY UNKNOWNX\r\n").contains("\"UNKNOWNX\" at byte 6 is no family"));
    assert!(refused(b"PROXY UNKNOWN a\nb\r\n").contains("LF without CR before it at byte 15"));
    assert!(refused(b"PROXY UNKNOWN a\rb\r\n").contains("CR without LF behind it at byte 15"));
}

#[test]
fn ports_go_from_0_to_65535() {
    let line = |port: &str| format!("PROXY TCP4 192.0.2.1 198.51.100.2 {port} 443\r\n").into_bytes();
    for (text, port) in [("0", 0), ("1", 1), ("9999", 9999), ("65535", 65535)] {
        assert_eq!(read(&line(text)).0.addresses().source().unwrap().port(), port);
    }
    for text in [
        "65536", "99999", "100000", "00", "01", "+1", "-1", "1a", " 1", "", "0x1",
    ] {
        assert!(parse(&line(text)).is_err(), "{text}");
    }
    let destination = b"PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n";
    assert!(refused(destination).contains("the destination port \"65536\" at byte 36 is no number from 0 to 65535"));
}

#[test]
fn addresses_have_the_forms_of_inet_pton() {
    let line = |address: &str| format!("PROXY TCP6 {address} 2001:db8::2 1 2\r\n").into_bytes();
    for (text, same) in [
        ("::", "[::]:1"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:1"),
        ("2001:DB8:0:0:0:0:0:1", "[2001:db8::1]:1"),
        ("fe80::1", "[fe80::1]:1"),
    ] {
        assert_eq!(
            read(&line(text)).0.addresses().source(),
            Some(same.parse().unwrap()),
            "{text}"
        );
    }
    for text in [
        "fe80::1%eth0",
        "[::1]",
        "1::2::3",
        "192.0.2.1",
        "12345::",
        "::ffff:192.0.02.1",
        ":::",
        "1:2:3:4:5:6:7",
        "",
    ] {
        assert!(parse(&line(text)).is_err(), "{text}");
    }
}

#[test]
fn local_says_nothing_whatever_stands_in_it() {
    for (family, rest) in [
        (0x00, &b""[..]),
        (0x00, b"abcdef"),
        (0x11, b""),
        (0x11, b"short"),
        (0x11, &[1; 12]),
        (0x11, b"twelve bytes\x01\xff\xff"),
        (0x31, &[1; 216]),
        (0x4f, b"what is this"),
        (0xff, b""),
    ] {
        let bytes = v2(0x20, family, rest);
        let (header, len) = read(&bytes);
        assert_eq!((header.command(), len), (Command::Local, bytes.len()), "{family:x}");
        assert_eq!((header.addresses(), header.transport()), (Addresses::Unknown, None));
        assert_eq!(header.tlvs().count(), 0);
    }
    // haproxy sends such: no addresses, but a name.
    let named = v2(0x20, 0, b"\x02\0\x01a");
    assert_eq!(read(&named).0.facts().authority, Some(&b"a"[..]));
}

#[test]
fn an_unspecified_client_is_taken_without_addresses() {
    let twelve = [1; 12];
    for family in [0x00, 0x01, 0x02, 0x10, 0x20, 0x30] {
        let rest = match family >> 4 {
            1 => &twelve[..],
            2 => &[1; 36],
            3 => &[1; 216],
            _ => &[],
        };
        let bytes = v2(0x21, family, rest);
        let (header, _) = read(&bytes);
        assert_eq!(
            (header.command(), header.addresses()),
            (Command::Proxy, Addresses::Unknown),
            "{family:x}"
        );
        assert_eq!(header.transport(), None);
    }
}

#[test]
fn families_and_transports_that_are_not_assigned_are_refused() {
    for family in 4..16 {
        assert!(refused(&v2(0x21, family << 4 | 1, &[0; 216])).contains(&format!("address family 0x{family:x}")));
    }
    for transport in 3..16 {
        let text = refused(&v2(0x21, 0x10 | transport, &[0; 216]));
        assert!(text.contains(&format!("transport protocol 0x{transport:x}")), "{text}");
    }
    for first in (0..=255).filter(|first| !matches!(first, 0x20 | 0x21)) {
        assert!(parse(&v2(first, 0x11, &[0; 12])).is_err(), "{first:x}");
    }
}

#[test]
fn unix_names_are_read_with_their_kind() {
    let block = |name: &[u8]| {
        let mut block = [0; 108];
        block[..name.len()].copy_from_slice(name);
        block
    };
    let long = [b'a'; 108];
    for (from, to, text) in [
        (&b""[..], &b"/run/app.sock"[..], "unnamed /run/app.sock"),
        (b"\0name", b"/a\0garbage", "@name /a"),
        (b"\0a\0b", b"\0", "@a\\x00b unnamed"),
        (b"/a\xff", &long, &format!("/a\\xff {}", "a".repeat(108))),
    ] {
        let bytes = v2(0x21, 0x31, &[block(from), block(to)].concat());
        let (header, _) = read(&bytes);
        let Addresses::Unix { source, destination } = header.addresses() else {
            panic!("{:?}", header.addresses());
        };
        assert_eq!(format!("{source} {destination}"), text);
        assert_eq!(header.transport(), Some(Transport::Stream));
    }
    assert_eq!(
        read(&v2(0x21, 0x32, &[0; 216])).0.transport(),
        Some(Transport::Datagram)
    );
}

#[test]
fn the_limit_holds_from_both_sides_and_is_seen_at_the_length() {
    let limits = Limits { header_bytes: 64 };
    let parse = |input: &[u8]| proxy::parse(input, limits).map(|step| open(step).map(|(_, len)| ((), len)));
    let at = |len: usize| tcp4(&[&[4, 0, (len - 31) as u8][..], &vec![0; len - 31]].concat());
    assert_eq!((at(64).len(), parse(&at(64))), (64, Ok(Some(((), 64)))));
    let error = Err(Error::TooLong { len: 65, limit: 64 });
    assert_eq!(parse(&at(65)), error);
    assert_eq!(parse(&at(65)[..16]), error);
    assert_eq!(parse(&at(65)[..15]), Ok(None));
    byte_by_byte(&at(65), parse);
    // The most that the wire has.
    let most = tcp4(&[&b"\x04\xff\xf0"[..], &[0; 65520]].concat());
    let wide = Limits { header_bytes: 65551 };
    assert_eq!(most.len(), 65551);
    assert!(matches!(proxy::parse(&most, wide), Ok(Step::Done { len: 65551, .. })));
}

#[test]
fn clouds_name_their_endpoints() {
    let bytes = tcp4(
        &[
            &b"\xea\0\x17\x01vpce-08d2bf15fac5001c9"[..],
            // LinkID 0x04030201, little endian
            b"\xee\0\x05\x01\x01\x02\x03\x04",
            b"\xe0\0\x08\0\0\0\0\0\0\x10\x01",
            // other subtypes and lengths
            b"\xea\0\x02\x02x",
            b"\xee\0\x04\x01\x01\x02\x03",
            b"\xe0\0\x01x",
            b"\xea\0\0",
            b"\xf0\0\0",
        ]
        .concat(),
    );
    let (header, _) = read(&bytes);
    let facts = header.facts();
    assert_eq!(facts.aws_vpc_endpoint, Some(&b"vpce-08d2bf15fac5001c9"[..]));
    assert_eq!(facts.azure_link_id, Some(0x0403_0201));
    assert_eq!(facts.google_psc_connection, Some(0x1001));
    let others = header
        .tlvs()
        .filter(|tlv| matches!(tlv, Tlv::Other { .. }))
        .map(|tlv| tlv.kind());
    assert_eq!(others.collect::<Vec<_>>(), [0xea, 0xee, 0xe0, 0xea, 0xf0]);
}

#[test]
fn of_a_tlv_that_comes_twice_the_first_counts() {
    let bytes = tcp4(b"\x02\0\x01a\x02\0\x01b\x01\0\x00\x30\0\x02ns");
    let facts = read(&bytes).0.facts();
    assert_eq!((facts.authority, facts.alpn), (Some(&b"a"[..]), Some(&b""[..])));
    assert_eq!(facts.namespace, Some(&b"ns"[..]));
}

#[test]
fn tlvs_with_wrong_lengths_are_refused_with_their_place() {
    for (tlvs, reason) in [
        (
            &b"\x04\0\0\x01"[..],
            "the TLV at byte 31 runs over the end of the header",
        ),
        (b"\x04\0\x01", "the TLV at byte 28 runs over the end of the header"),
        (b"\x03\0\x03abc", "the TLV 0x03 at byte 28 has 3 bytes, and must have 4"),
        (
            b"\x20\0\x04abcd",
            "the TLV 0x20 at byte 28 has 4 bytes, and must have at least 5",
        ),
        (
            b"\x20\0\x07\x01\0\0\0\0\x21\0",
            "the TLV at byte 36 runs over the end of the TLV it is in",
        ),
        (
            b"\x20\0\x08\x01\0\0\0\0\x21\0\x01\x04\0\0",
            "the TLV at byte 36 runs over the end of the TLV it is in",
        ),
        (
            b"\x20\0\x08\x01\0\0\0\0\x21\xff\xff",
            "the TLV at byte 36 runs over the end of the TLV it is in",
        ),
    ] {
        let text = refused(&tcp4(tlvs));
        assert!(text.contains(reason), "{text}");
    }
    let id = |len: u8| tcp4(&[&[5, 0, len][..], &vec![b'u'; len.into()]].concat());
    assert_eq!(read(&id(128)).0.facts().unique_id, Some(&[b'u'; 128][..]));
    assert!(refused(&id(129)).contains("the TLV 0x05 at byte 28 has 129 bytes, and must have at most 128"));
    assert!(
        refused(&tcp4(b"\x03\0\x04abcd\x04\0\0\x03\0\x04abcd")).contains("a second checksum (TLV 0x03) at byte 38")
    );
    let nothing = tcp4(b"\x20\0\x05\0\0\0\0\0");
    let ssl = read(&nothing).0.facts().ssl.unwrap();
    assert!(!ssl.is_tls() && !ssl.has_certificate() && !ssl.is_verified() && ssl.version.is_none());
}

#[test]
fn what_is_no_header_is_refused_with_what_it_looks_like() {
    for (input, protocol) in [
        (&b"GET / HTTP/1.1\r\n"[..], sniff::Protocol::Http1),
        (b"\x16\x03\x01\x02\0\x01", sniff::Protocol::Tls),
        (b"SSH-2.0-x\r\n", sniff::Protocol::Ssh),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", sniff::Protocol::Http2Preface),
        (b"\r\n\r\n\0\r\nQUIX\n\x21\x11\0\0", sniff::Protocol::Unknown),
        (b"\x01", sniff::Protocol::Unknown),
    ] {
        let error = parse(input).unwrap_err();
        assert!(
            matches!(error, Error::NoHeader { protocol: found, .. } if found == protocol),
            "{error}"
        );
        byte_by_byte(input, parse);
    }
    assert_eq!(
        refused(b"GET / HTTP/1.1\r\n"),
        "no PROXY header: the connection begins with \"GET \", which looks like HTTP/1 without TLS; \
         let the sender put a PROXY header first, or do not ask for one from this sender"
    );
    assert_eq!(parse(b""), Ok(None));
}
