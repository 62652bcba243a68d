//! Tokens: fixed forms, replicas, forgery.
#![allow(clippy::unwrap_used)] // helpers of tests

use lb_persist::token::{Tokens, Verified};
use lb_types::{BackendId, Wall};
use proptest::prelude::*;

/// 00 01 .. 0f, the key of the SipHash authors' vectors.
const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn backend() -> BackendId {
    BackendId::from_u64(0x0123_4567_89ab_cdef)
}

/// Both computed with a SipHash-2-4-128 and a base64url written in Python, from the layout on the
/// module page.
const PLAIN: &[u8] = b"dH7YTs93NQhBJDUYcN7LdA";
const DATED: &[u8] = b"dH7YTs93NQgAAFZN2Vo6xrZlbPUPUWblgM1F2u-Y";

#[test]
fn tokens_have_their_fixed_form() {
    let tokens = Tokens::new(&KEY, &[backend()]);
    let wall = Wall::from_secs(1_447_942_490);
    assert_eq!(tokens.issue(backend(), None).as_bytes(), PLAIN);
    assert_eq!(tokens.issue(backend(), Some(wall)).as_bytes(), DATED);
    assert_eq!(
        tokens.verify(PLAIN),
        Some(Verified {
            backend: backend(),
            issued: None
        })
    );
    assert_eq!(
        tokens.verify(DATED),
        Some(Verified {
            backend: backend(),
            issued: Some(wall)
        })
    );
}

#[test]
fn s_persist_34_a_token_shows_no_address_cannot_be_forged_and_is_equal_on_every_replica() {
    let names = ["10.0.0.1:8080", "10.0.0.2:8080", "192.168.17.3:80"];
    let ids: Vec<BackendId> = names.iter().map(|name| BackendId::of("web", name)).collect();
    // two programs that know the backends in another order, one key
    let (one, other) = (Tokens::new(&KEY, &ids), Tokens::new(&KEY, &[ids[2], ids[0], ids[1]]));
    let stranger = Tokens::new(&[9; 16], &ids);
    for (name, id) in names.iter().zip(&ids) {
        for issued in [None, Some(Wall::from_secs(1_700_000_000))] {
            let token = one.issue(*id, issued);
            let text = token.as_bytes();
            assert_eq!(text, other.issue(*id, issued).as_bytes());
            assert_eq!(other.verify(text), Some(Verified { backend: *id, issued }));
            assert_eq!(stranger.verify(text), None);
            // no address, no port, no id: as text, as hex, as the number that other balancers write
            let shown = String::from_utf8(text.to_vec()).unwrap();
            let address: std::net::SocketAddrV4 = name.parse().unwrap();
            for secret in [
                address.ip().to_string(),
                id.to_string(),
                id.as_u64().to_string(),
                address.ip().to_bits().to_string(),
                address.ip().to_bits().swap_bytes().to_string(),
                format!("{:x}", address.ip().to_bits()),
            ] {
                assert!(!shown.contains(&secret), "{shown} shows {secret}");
            }
            // any other character at any place is refused
            for at in 0..text.len() {
                for byte in b"ABCXYZabcxyz0189-_=+/. %\0\xff" {
                    let mut forged = text.to_vec();
                    if forged[at] != *byte {
                        forged[at] = *byte;
                        assert_eq!(one.verify(&forged), None, "place {at}");
                    }
                }
            }
            assert_eq!(one.verify(&text[1..]), None);
            assert_eq!(one.verify(&[text, b"A"].concat()), None);
        }
    }
    // nor can the date of one token be moved to another, though the halves are valid
    let (early, late) = (
        one.issue(ids[0], Some(Wall::from_secs(1))),
        one.issue(ids[0], Some(Wall::from_secs(2))),
    );
    let mixed = [&early.as_bytes()[..19], &late.as_bytes()[19..]].concat();
    assert_eq!(one.verify(&mixed), None);
}

#[test]
fn a_token_has_one_spelling_only() {
    let tokens = Tokens::new(&KEY, &[backend()]);
    // the last character of 22 carries four unused bits
    for last in b"BCDEFGHIJKLMNOP" {
        let mut text = PLAIN.to_vec();
        text[21] = *last;
        assert_eq!(tokens.verify(&text), None);
    }
    assert_eq!(tokens.verify(b"dH7YTs93NQhBJDUYcN7LdA=="), None);
}

#[test]
fn debug_output_keeps_key_and_token_secret() {
    let tokens = Tokens::new(&KEY, &[backend()]);
    assert_eq!(format!("{tokens:?}"), "Tokens { backends: 1, .. }");
    assert_eq!(format!("{:?}", tokens.issue(backend(), None)), "Token(22 characters)");
}

proptest! {
    #[test]
    fn what_is_issued_is_verified(key: [u8; 16], ids in proptest::collection::vec(any::<u64>(), 1..40), secs in 0..1_u64 << 48) {
        let ids: Vec<BackendId> = ids.into_iter().map(BackendId::from_u64).collect();
        let tokens = Tokens::new(&key, &ids);
        for id in ids {
            for issued in [None, Some(Wall::from_secs(secs))] {
                prop_assert_eq!(tokens.verify(tokens.issue(id, issued).as_bytes()), Some(Verified { backend: id, issued }));
            }
        }
    }

    #[test]
    fn random_texts_are_refused(text in "[A-Za-z0-9_-]{22}|[A-Za-z0-9_-]{40}|.{0,60}") {
        prop_assert_eq!(Tokens::new(&KEY, &[backend()]).verify(text.as_bytes()), None);
    }
}
