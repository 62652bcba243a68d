//! Headers that are sent: their exact bytes, and that they are read as they were meant.
#![allow(clippy::unwrap_used)] // tests and their helpers

use lb_preface::Step;
use lb_preface::proxy::{
    self, Addresses, Command, Limits, Outgoing, Ssl, Tlv, Transport, UnixName, UnixNameError, WriteError, write_v1,
    write_v2,
};
use lb_types::Address;

fn ip(source: &str, destination: &str) -> Addresses<'static> {
    Addresses::Ip {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }
}

fn line(addresses: Addresses<'_>) -> String {
    let mut out = b"before ".to_vec();
    write_v1(&addresses, &mut out);
    String::from_utf8(out).unwrap().split_off(7)
}

fn block(addresses: Addresses<'_>, tlvs: &[Tlv<'_>], checksum: bool) -> Result<Vec<u8>, WriteError> {
    let mut out = b"before ".to_vec();
    let outgoing = Outgoing {
        addresses,
        transport: Transport::Stream,
        tlvs,
        checksum,
    };
    let result = write_v2(&outgoing, &mut out);
    let written = out.split_off(7);
    assert_eq!(out, b"before ");
    assert!(result.is_ok() || written.is_empty());
    result.map(|()| written)
}

const V4: &str = "192.0.2.1:56324";
const V4_TO: &str = "198.51.100.2:443";
const V6: &str = "[2001:db8::1]:1";

#[test]
fn s_xff_02_a_line_names_the_client() {
    assert_eq!(line(ip(V4, V4_TO)), "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n");
    assert_eq!(
        line(ip(V6, "[2001:db8::2]:65535")),
        "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"
    );
}

#[test]
fn families_that_differ_become_ipv6() {
    assert_eq!(line(ip(V4, V6)), "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 56324 1\r\n");
    assert_eq!(line(ip(V6, V4)), "PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 1 56324\r\n");
    let bytes = block(ip(V4, V6), &[], false).unwrap();
    assert_eq!(bytes[12..16], [0x21, 0x21, 0, 36]);
    assert_eq!(bytes[16..32], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1]);
}

#[test]
fn what_is_not_ip_is_unknown_in_version_1_and_local_in_version_2() {
    let unix = Addresses::Unix {
        source: UnixName::UNNAMED,
        destination: UnixName::path(b"/a").unwrap(),
    };
    assert_eq!(line(Addresses::Unknown), "PROXY UNKNOWN\r\n");
    assert_eq!(line(unix), "PROXY UNKNOWN\r\n");
    assert_eq!(
        block(Addresses::Unknown, &[], false).unwrap(),
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
    );
    let (network, socket): (Address, Address) = (V4.parse().unwrap(), "unix:/a".parse().unwrap());
    assert_eq!(Addresses::between(&network, &socket), Addresses::Unknown);
}

#[test]
fn a_block_has_the_bytes_of_the_document() {
    assert_eq!(
        block(ip(V4, V4_TO), &[Tlv::Alpn(b"h2"), Tlv::Authority(b"example.test")], false).unwrap(),
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x20\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb\x01\0\x02h2\x02\0\x0cexample.test"
    );
    // Of the reference program's vector `v2-crc-ok`.
    assert_eq!(
        block(ip(V4, V4_TO), &[], true).unwrap(),
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb\x03\0\x04\x20\xec\x95\x49"
    );
}

#[test]
fn everything_that_is_written_is_read_as_it_was_meant() {
    let ssl = Ssl {
        client: 7,
        verify: 0,
        version: Some(b"TLSv1.3"),
        common_name: Some(b"client"),
        cipher: Some(b"TLS_AES_128_GCM_SHA256"),
        signature_algorithm: Some(b"SHA256"),
        key_algorithm: Some(b"RSA2048"),
        group: Some(b"X25519MLKEM768"),
        signature_scheme: Some(b"rsa_pss_rsae_sha256"),
        client_certificate: Some(&[0x30; 700]),
    };
    let tlvs = [
        Tlv::Alpn(b"h2"),
        Tlv::Authority(b"example.test"),
        Tlv::Noop(b"\0\0"),
        Tlv::UniqueId(&[b'u'; 128]),
        Tlv::Ssl(ssl),
        Tlv::Namespace(b"blue"),
        Tlv::AwsVpcEndpoint(b"vpce-1"),
        Tlv::AzureLinkId(0x0403_0201),
        Tlv::GooglePscConnection(u64::MAX),
        Tlv::Other { kind: 0xf1, value: b"" },
    ];
    let unix = Addresses::Unix {
        source: UnixName::of_abstract(b"app").unwrap(),
        destination: UnixName::path(&[b'/'; 108]).unwrap(),
    };
    for addresses in [Addresses::Unknown, ip(V4, V4_TO), ip(V6, V6), unix] {
        for checksum in [false, true] {
            let bytes = block(addresses, &tlvs, checksum).unwrap();
            let Ok(Step::Done { value, len }) = proxy::parse(&bytes, Limits::default()) else {
                panic!("{addresses:?}");
            };
            let is_known = addresses != Addresses::Unknown;
            assert_eq!((len, value.addresses()), (bytes.len(), addresses));
            assert_eq!(value.command(), if is_known { Command::Proxy } else { Command::Local });
            assert_eq!(value.transport(), is_known.then_some(Transport::Stream));
            let read: Vec<_> = value.tlvs().collect();
            assert_eq!(read[..tlvs.len()], tlvs);
            assert_eq!(
                (read.len() - tlvs.len(), value.facts().is_checked),
                (usize::from(checksum), checksum)
            );
            assert_eq!(value.facts().ssl, Some(ssl));
        }
    }
}

#[test]
fn a_header_above_2048_bytes_is_not_written() {
    // 28 bytes of header, 3 of the TLV, 7 of the checksum
    let value = [0; 2018];
    let tlv = |len: usize| Tlv::Noop(&value[..len]);
    let addresses = ip(V4, V4_TO);
    assert_eq!(block(addresses, &[tlv(2017)], false).map(|out| out.len()), Ok(2048));
    let too_long = |len| Err(WriteError::TooLong { len, most: 2048 });
    assert_eq!(block(addresses, &[tlv(2018)], false), too_long(2049));
    assert_eq!(block(addresses, &[tlv(2010)], true).map(|out| out.len()), Ok(2048));
    assert_eq!(block(addresses, &[tlv(2011)], true), too_long(2049));
    assert_eq!(block(addresses, &[Tlv::Noop(&[0; 70_000])], false), too_long(70_031));
}

#[test]
fn what_the_document_does_not_allow_is_not_written() {
    let addresses = ip(V4, V4_TO);
    let id = [0; 129];
    assert!(block(addresses, &[Tlv::UniqueId(&id[..128])], false).is_ok());
    assert_eq!(
        block(addresses, &[Tlv::UniqueId(&id)], false),
        Err(WriteError::UniqueId { len: 129, most: 128 })
    );
    assert_eq!(block(addresses, &[Tlv::Checksum(1)], false), Err(WriteError::Checksum));
}

#[test]
fn names_of_sockets_fit_or_are_refused() {
    let long = [b'a'; 109];
    assert!(UnixName::path(&long[..108]).is_ok() && UnixName::of_abstract(&long[..107]).is_ok());
    assert_eq!(
        UnixName::path(&long),
        Err(UnixNameError::TooLong { len: 109, most: 108 })
    );
    assert_eq!(
        UnixName::of_abstract(&long[..108]),
        Err(UnixNameError::TooLong { len: 108, most: 107 })
    );
    assert_eq!(UnixName::path(b"/a\0"), Err(UnixNameError::Zero { offset: 2 }));
    let (a, b): (Address, Address) = ("unix:@app".parse().unwrap(), "unix:/run/app".parse().unwrap());
    let Addresses::Unix { source, destination } = Addresses::between(&a, &b) else {
        panic!()
    };
    assert_eq!((source.as_bytes(), source.is_abstract()), (&b"app"[..], true));
    assert_eq!(
        (destination.as_bytes(), destination.is_abstract()),
        (&b"/run/app"[..], false)
    );
}
