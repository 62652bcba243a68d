//! Laws of cookie fields, and another crate's reading of what we write.
#![allow(clippy::unwrap_used)] // helpers of tests

use lb_persist::SameSite;
use lb_persist::cookie::{SetCookie, Stripped, pairs, strip, values};
use lb_types::Wall;
use proptest::prelude::*;

fn crumb() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "(LBD|a|SID|LBDX|lbd)=[a-zA-Z0-9_-]{0,8}".prop_map(String::from),
        1 => "[a-z]{1,5}=\"[a-z ]{0,4}\"".prop_map(String::from),
        1 => "[a-z]{1,5}".prop_map(String::from),
    ]
}

proptest! {
    #[test]
    fn stripping_leaves_exactly_the_others(crumbs in proptest::collection::vec(crumb(), 1..12)) {
        let line = crumbs.join("; ");
        let others: Vec<&str> = crumbs.iter().map(String::as_str).filter(|c| !c.starts_with("LBD=")).collect();
        let mut out = vec![0; line.len()];
        let want = others.join("; ");
        match strip(line.as_bytes(), b"LBD", &mut out) {
            Stripped::Unchanged => prop_assert_eq!(others.len(), crumbs.len()),
            Stripped::Empty => prop_assert!(others.is_empty()),
            Stripped::Shorter(len) => prop_assert_eq!(std::str::from_utf8(&out[..len]).unwrap(), want),
        }
    }

    #[test]
    fn no_line_at_all_keeps_our_name_or_loses_another(line in proptest::collection::vec(
        prop_oneof![4 => proptest::sample::select(b"LBDx=; \t\"".to_vec()), 1 => 0x20_u8..0x7f], 0..60,
    )) {
        let mut out = vec![0; line.len()];
        let ours: Vec<_> = pairs(&line).filter(|(name, _)| *name == b"LBD").map(|(_, value)| value).collect();
        prop_assert_eq!(values(&line, b"LBD").collect::<Vec<_>>(), ours);
        let others: Vec<_> = pairs(&line).filter(|(name, _)| *name != b"LBD").collect();
        match strip(&line, b"LBD", &mut out) {
            Stripped::Unchanged => prop_assert_eq!(pairs(&line).count(), others.len()),
            Stripped::Empty => prop_assert!(others.is_empty()),
            Stripped::Shorter(len) => {
                let kept = &out[..len];
                prop_assert!(len < line.len());
                prop_assert_eq!(kept, kept.trim_ascii()); // may stand in a field
                prop_assert_eq!(pairs(kept).collect::<Vec<_>>(), others);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut out = vec![0; bytes.len()];
        let _ = (pairs(&bytes).count(), strip(&bytes, b"a", &mut out), SetCookie::parse(&bytes));
    }

    #[test]
    fn what_is_written_is_read_back_by_us_and_by_another_crate(
        value in "[A-Za-z0-9_-]{1,40}",
        domain in proptest::option::of("[a-z]{1,9}\\.[a-z]{2,5}"),
        path in proptest::option::of("/[a-z/]{0,20}"),
        max_age in proptest::option::of(1..34_560_000_u64),
        expires in proptest::option::of(0..253_402_300_799_u64),
        (http_only, partitioned) in any::<(bool, bool)>(),
        same_site in proptest::option::of(proptest::sample::select(vec![SameSite::Strict, SameSite::Lax, SameSite::None])),
    ) {
        let ours = SetCookie {
            name: b"LBD",
            value: value.as_bytes(),
            domain: domain.as_ref().map(String::as_bytes),
            path: path.as_ref().map(String::as_bytes),
            max_age,
            expires: expires.map(Wall::from_secs),
            secure: true,
            http_only,
            same_site,
            partitioned,
        };
        prop_assert_eq!(ours.check(), Ok(()));
        let mut out = [0; SetCookie::LONGEST];
        let len = ours.write(&mut out).unwrap();
        prop_assert_eq!(SetCookie::parse(&out[..len]), Some(ours));

        let text = std::str::from_utf8(&out[..len]).unwrap();
        let theirs = cookie::Cookie::parse(text).unwrap();
        prop_assert_eq!((theirs.name(), theirs.value()), ("LBD", value.as_str()));
        prop_assert_eq!(theirs.domain(), domain.as_deref());
        prop_assert_eq!(theirs.path(), path.as_deref());
        prop_assert_eq!(theirs.max_age().map(|d| d.whole_seconds() as u64), max_age);
        prop_assert_eq!(theirs.expires_datetime().map(|d| d.unix_timestamp() as u64), expires);
        prop_assert_eq!((theirs.secure(), theirs.http_only()), (Some(true), http_only.then_some(true)));
        prop_assert_eq!(theirs.partitioned(), partitioned.then_some(true));
        prop_assert_eq!(theirs.same_site(), same_site.map(|s| match s {
            SameSite::Strict => cookie::SameSite::Strict,
            SameSite::Lax => cookie::SameSite::Lax,
            SameSite::None => cookie::SameSite::None,
        }));
    }
}
