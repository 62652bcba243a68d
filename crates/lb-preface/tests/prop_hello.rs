//! Hostile hellos: no panic, the same answer for every split over packets, and the same hello for every split over records.

mod support;

use lb_preface::client_hello::{self, Limits};
use lb_preface::{server_hello, sniff};
use proptest::prelude::*;
use support::{Hello, byte_by_byte, corpus, message, open, records};

fn check(input: &[u8]) {
    byte_by_byte(input, |input| {
        let found = client_hello::peek(input, Limits::default()).map(open)?;
        // Everything that can be asked; none of it panics.
        if let Some((hello, len)) = &found {
            assert!(*len <= input.len());
            let _ = (hello.versions().to_string(), hello.server_name(), hello.alpn().count());
            let _ = (
                hello.groups().count(),
                hello.certificate_signature_schemes().count(),
                format!("{hello:?}"),
            );
        }
        Ok::<_, client_hello::Error>(found)
    });
    byte_by_byte(input, |input| server_hello::peek(input, Limits::default()).map(open));
    if let Err(error) = client_hello::peek(input, Limits::default()) {
        assert!(error.to_string().len() < 500 && error.to_string().is_ascii());
    }
}

proptest! {
    #[test]
    fn any_bytes(input in prop::collection::vec(any::<u8>(), 0..80)) {
        check(&input);
        byte_by_byte(&input, |input| Ok::<_, ()>(open(sniff::protocol(input))));
        check(&[&[22, 3, 1][..], &input].concat());
        check(&[&[22, 3, 1, 0, 60, 1, 0, 0, 56], &input[..]].concat());
        check(&[&[22, 3, 1, 0, 60, 2, 0, 0, 56], &input[..]].concat());
    }

    #[test]
    fn any_extensions(extensions in prop::collection::vec((prop_oneof![0_u16..60, any::<u16>()], prop::collection::vec(prop_oneof![Just(0_u8), 0_u8..9, any::<u8>()], 0..12)), 0..8)) {
        let hello = extensions.iter().fold(Hello::new(), |hello, (kind, value)| hello.with(*kind, value));
        check(&hello.record());
    }

    #[test]
    fn changed_bytes_of_real_hellos_never_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let files = corpus("");
        let mut bytes = which.get(&files).1.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&bytes);
    }

    #[test]
    fn records_split_anywhere_change_nothing(lengths in prop::collection::vec(1_usize..200, 0..12), flip in any::<Option<(prop::sample::Index, u8)>>()) {
        let mut hello = message(&Hello::browser().record()).to_vec();
        if let Some((at, byte)) = flip {
            // not in the header: there it changes what a record is
            let at = 4 + at.index(hello.len() - 4);
            hello[at] = byte;
        }
        let (whole, split) = (records(&hello, &[]), records(&hello, &lengths));
        let read = |input: &[u8]| client_hello::peek(input, Limits::default()).map(|step| open(step).map(|(hello, _)| hello.into_owned()));
        prop_assert_eq!(read(&whole), read(&split));
    }
}
