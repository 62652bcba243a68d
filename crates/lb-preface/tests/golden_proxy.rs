//! Vectors of the PROXY protocol, versions 1 and 2, made by a small reference program from the document's own examples
//! and rules, not by this crate. The text after each name is the input as Rust writes bytes.

use lb_preface::Step;
use lb_preface::proxy::{self, Addresses, Command, Error, Header, Limits, Tlv};

/// Name, input, and the addresses that must come out; bytes behind the header begin with `X`.
const VALID: [(&str, &[u8], &str, &str); 18] = [
    (
        "v1-tcp4",
        b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nX",
        "192.0.2.1:56324",
        "198.51.100.2:443",
    ),
    (
        "v1-tcp6",
        b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\nX",
        "[2001:db8::1]:1",
        "[2001:db8::2]:65535",
    ),
    (
        "v1-tcp6-max",
        b"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 \
          65535\r\n",
        "",
        "",
    ),
    ("v1-unknown", b"PROXY UNKNOWN\r\nX", "", ""),
    (
        "v1-unknown-long",
        b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65\
          535 65535\r\nX",
        "",
        "",
    ),
    ("v2-local", b"\r\n\r\n\0\r\nQUIT\n \0\0\0", "", ""),
    (
        "v2-local-addr",
        b"\r\n\r\n\0\r\nQUIT\n \x11\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
        "",
        "",
    ),
    (
        "v2-tcp4",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
        "192.0.2.1:56324",
        "198.51.100.2:443",
    ),
    (
        "v2-tcp6",
        b"\r\n\r\n\0\r\nQUIT\n!!\0$ \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x01 \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\
          \0\x01\0\x02",
        "[2001:db8::1]:1",
        "[2001:db8::2]:2",
    ),
    (
        "v2-udp4",
        b"\r\n\r\n\0\r\nQUIT\n!\x12\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
        "",
        "",
    ),
    ("v2-unspec", b"\r\n\r\n\0\r\nQUIT\n!\0\0\0", "", ""),
    ("v2-unspec-len", b"\r\n\r\n\0\r\nQUIT\n!\0\0\x06abcdef", "", ""),
    (
        "v2-unix",
        b"\r\n\r\n\0\r\nQUIT\n!1\0\xd8/a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0/b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "",
        "",
    ),
    (
        "v2-tlv-alpn",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0 \xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\x01\0\x02h2\x02\0\x0cexampl\
          e.test",
        "",
        "",
    ),
    (
        "v2-tlv-noop",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x37\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\x04\0(\0\0\0\0\0\0\0\0\0\0\0\
          \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "",
        "",
    ),
    (
        "v2-tlv-unique",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x8f\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\x05\0\x80uuuuuuuuuuuuuuu\
          uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu\
          uuuuuuuuuuuuuuuuu",
        "",
        "",
    ),
    (
        "v2-tlv-unknown",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x10\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\xe0\0\x01x",
        "",
        "",
    ),
    (
        "v2-crc-ok",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x13\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\x03\0\x04 \xec\x95I",
        "",
        "",
    ),
];

const INVALID: [(&str, &[u8]); 26] = [
    ("v1-bad-lf", b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n"),
    ("v1-bad-2sp", b"PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n"),
    ("v1-bad-port-big", b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n"),
    ("v1-bad-port-zero-lead", b"PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n"),
    ("v1-bad-port-neg", b"PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n"),
    ("v1-bad-ip-bad", b"PROXY TCP4 256.0.2.1 198.51.100.2 1 2\r\n"),
    ("v1-bad-fam-mix", b"PROXY TCP4 2001:db8::1 198.51.100.2 1 2\r\n"),
    ("v1-bad-lower", b"proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n"),
    ("v1-bad-trail", b"PROXY TCP4 192.0.2.1 198.51.100.2 1 2 x\r\n"),
    ("v1-bad-short", b"PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"),
    ("v1-bad-udp4", b"PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"),
    (
        "v1-bad-no-crlf-108",
        b"PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
          xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
          xxxxxxxxxxxxxxxxxxxxxx\r\n",
    ),
    ("v1-bad-tab", b"PROXY\tTCP4 192.0.2.1 198.51.100.2 1 2\r\n"),
    ("v1-bad-hex-ip", b"PROXY TCP4 0xc0.0.2.1 198.51.100.2 1 2\r\n"),
    ("v1-bad-octal-ip", b"PROXY TCP4 192.0.02.1 198.51.100.2 1 2\r\n"),
    ("v1-bad-none", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "v2-crc-bad",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x13\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\x03\0\x04 \xec\x95H",
    ),
    (
        "v2-bad-version",
        b"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
    ),
    (
        "v2-bad-cmd",
        b"\r\n\r\n\0\r\nQUIT\n\"\x11\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
    ),
    (
        "v2-short-addr",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x08\xc0\0\x02\x01\xc63d\x02",
    ),
    (
        "v2-short-addr6",
        b"\r\n\r\n\0\r\nQUIT\n!!\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
    ),
    (
        "v2-tlv-overrun",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x11\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\x01\xff\xffab",
    ),
    (
        "v2-tlv-half",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0e\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb\x01\0",
    ),
    (
        "v2-bad-sig",
        b"\r\n\r\n\0\r\nQUIT\r!\x11\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
    ),
    (
        "v2-bad-fam",
        b"\r\n\r\n\0\r\nQUIT\n!A\0\x0c\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
    ),
    (
        "v2-huge-len",
        b"\r\n\r\n\0\r\nQUIT\n!\x11\xff\xff\xc0\0\x02\x01\xc63d\x02\xdc\x04\x01\xbb",
    ),
];

fn read(input: &[u8]) -> Result<(Header<'_>, usize), Error> {
    match proxy::parse(input, Limits::default())? {
        Step::Done { value, len } => Ok((value, len)),
        Step::NeedMore => panic!("no answer: {}", input.escape_ascii()),
    }
}

#[test]
fn s_xff_02_every_valid_vector_is_read_with_its_addresses() {
    for (name, input, source, destination) in VALID {
        let (header, len) = read(input).unwrap_or_else(|error| panic!("{name}: {error}"));
        let behind = &input[len..];
        assert!(behind.is_empty() || behind == b"X", "{name}: {behind:?} is left");
        if source.is_empty() {
            continue;
        }
        let want = Addresses::Ip {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
        };
        assert_eq!((header.command(), header.addresses()), (Command::Proxy, want), "{name}");
    }
}

#[test]
fn every_invalid_vector_is_refused_for_its_own_reason() {
    // Written down by hand from the names.
    let reasons = [
        ("v1-bad-lf", "LF without CR before it at byte 37"),
        ("v1-bad-2sp", "\"\" at byte 6 is no family"),
        ("v1-bad-port-big", "source port \"65536\" at byte 34"),
        ("v1-bad-port-zero-lead", "source port \"01\" at byte 34"),
        ("v1-bad-port-neg", "source port \"-1\" at byte 34"),
        ("v1-bad-ip-bad", "source address \"256.0.2.1\" at byte 11"),
        (
            "v1-bad-fam-mix",
            "source address \"2001:db8::1\" at byte 11 is no IPv4 address",
        ),
        ("v1-bad-lower", "begins with \"proxy \""),
        ("v1-bad-trail", "has 7 words instead of 6"),
        ("v1-bad-short", "has 5 words instead of 6"),
        ("v1-bad-udp4", "\"UDP4\" at byte 6 is no family"),
        ("v1-bad-no-crlf-108", "no CRLF in the first 107 bytes"),
        ("v1-bad-tab", "begins with \"PROXY\\t\""),
        ("v1-bad-hex-ip", "source address \"0xc0.0.2.1\""),
        ("v1-bad-octal-ip", "source address \"192.0.02.1\""),
        ("v1-bad-none", "which looks like HTTP/1 without TLS"),
        (
            "v2-crc-bad",
            "the checksum at byte 31 is 20ec9548, and that of the bytes that arrived is 20ec9549",
        ),
        ("v2-bad-version", "version 1 at byte 12"),
        ("v2-bad-cmd", "command 0x2 at byte 12"),
        (
            "v2-short-addr",
            "8 bytes of addresses (length at byte 14), and the family 0x1 has 12",
        ),
        (
            "v2-short-addr6",
            "12 bytes of addresses (length at byte 14), and the family 0x2 has 36",
        ),
        ("v2-tlv-overrun", "the TLV at byte 28 runs over the end of the header"),
        ("v2-tlv-half", "the TLV at byte 28 runs over the end of the header"),
        ("v2-bad-sig", "no PROXY header"),
        ("v2-bad-fam", "address family 0x4 at byte 13"),
        ("v2-huge-len", "65551 bytes (length at byte 14), and the limit is 4096"),
    ];
    assert_eq!(INVALID.map(|(name, _)| name), reasons.map(|(name, _)| name));
    for ((name, input), (_, reason)) in INVALID.into_iter().zip(reasons) {
        let error = read(input).expect_err(name).to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn the_tlvs_of_the_vectors_come_out() {
    let tlvs = |wanted: &str| -> Vec<Tlv<'static>> {
        let (_, input, ..) = VALID.into_iter().find(|(name, ..)| *name == wanted).unwrap();
        read(input).unwrap().0.tlvs().collect()
    };
    assert_eq!(tlvs("v2-tlv-alpn"), [Tlv::Alpn(b"h2"), Tlv::Authority(b"example.test")]);
    assert_eq!(tlvs("v2-tlv-noop"), [Tlv::Noop(&[0; 40])]);
    assert_eq!(tlvs("v2-tlv-unique"), [Tlv::UniqueId(&[b'u'; 128])]);
    assert_eq!(
        tlvs("v2-tlv-unknown"),
        [Tlv::Other {
            kind: 0xe0,
            value: b"x"
        }]
    );
    assert_eq!(tlvs("v2-crc-ok"), [Tlv::Checksum(0x20ec_9549)]);
    assert_eq!(tlvs("v2-unspec-len"), []);
}
