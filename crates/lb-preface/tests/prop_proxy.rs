//! Hostile headers: no panic, the same answer for every split, and nothing beyond the input.

mod support;

use lb_preface::proxy::{self, Addresses, Limits, Outgoing, Tlv, Transport};
use proptest::prelude::*;
use std::net::SocketAddr;
use support::{byte_by_byte, open};

fn check(input: &[u8]) {
    byte_by_byte(input, |input| {
        let found = proxy::parse(input, Limits::default()).map(open)?;
        Ok::<_, proxy::Error>(found.map(|(header, len)| {
            assert!(len <= input.len());
            let _ = header.facts();
            // TLVs that were let through are whole.
            assert!(header.tlvs().count() <= len);
            (format!("{header:?}"), len)
        }))
    });
    if let Err(error) = proxy::parse(input, Limits::default()) {
        let text = error.to_string();
        assert!(text.len() < 500 && text.is_ascii(), "{text}");
    }
}

fn tlv() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let kind = prop_oneof![
        1_u8..6,
        Just(0x20),
        Just(0x30),
        Just(0xea),
        Just(0xee),
        Just(0xe0),
        any::<u8>()
    ];
    (kind, prop::collection::vec(any::<u8>(), 0..24))
}

proptest! {
    #[test]
    fn any_bytes_behind_a_signature(rest in prop::collection::vec(any::<u8>(), 0..64)) {
        check(&[&b"\r\n\r\n\0\r\nQUIT\n"[..], &rest].concat());
        check(&[&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x20"[..], &rest].concat());
        check(&[&b"PROXY "[..], &rest].concat());
        check(&rest);
    }

    #[test]
    fn any_line(line in "PROXY (TCP4|TCP6|UNKNOWN|UDP4)( [0-9a-f:.]{0,12}){0,6}(\r\n|\n|\r)x?") {
        check(line.as_bytes());
    }

    #[test]
    fn what_is_written_is_read_and_a_flipped_bit_never_panics(
        source in any::<SocketAddr>(),
        destination in any::<SocketAddr>(),
        tlvs in prop::collection::vec(tlv(), 0..6),
        checksum in any::<bool>(),
        flip in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let tlvs: Vec<Tlv<'_>> = tlvs.iter().map(|(kind, value)| Tlv::Other { kind: kind | 0x80, value }).collect();
        let addresses = Addresses::Ip { source, destination };
        let mut out = Vec::new();
        let outgoing = Outgoing { addresses, transport: Transport::Datagram, tlvs: &tlvs, checksum };
        proxy::write_v2(&outgoing, &mut out).expect("short enough");
        check(&out);
        let found = open(proxy::parse(&out, Limits::default()).unwrap()).unwrap();
        prop_assert_eq!(found.0.addresses().source().map(|address| address.port()), Some(source.port()));
        prop_assert_eq!(found.0.tlvs().count(), tlvs.len() + usize::from(checksum));
        let at = flip.index(out.len());
        out[at] ^= 1_u8 << bit;
        check(&out);
        let mut line = Vec::new();
        proxy::write_v1(&addresses, &mut line);
        prop_assert!(line.len() <= proxy::V1_MOST);
        let found = open(proxy::parse(&line, Limits::default()).unwrap()).unwrap();
        prop_assert_eq!(found.0.addresses().destination().map(|address| address.port()), Some(destination.port()));
        let at = flip.index(line.len());
        line[at] ^= 1_u8 << bit;
        check(&line);
    }

    #[test]
    fn hostile_tlvs_inside_tlvs(value in prop::collection::vec(prop_oneof![Just(0_u8), Just(0x20), Just(0x21), Just(0xff), any::<u8>()], 0..40)) {
        let mut rest = vec![0; 12];
        rest.push(0x20);
        rest.extend((value.len() as u16).to_be_bytes());
        rest.extend(&value);
        let mut input = b"\r\n\r\n\0\r\nQUIT\n\x21\x11".to_vec();
        input.extend((rest.len() as u16).to_be_bytes());
        input.extend(rest);
        check(&input);
    }
}
