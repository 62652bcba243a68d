//! Two lists, one answer.
#![allow(clippy::unwrap_used)] // helpers of tests

use lb_guard::{
    Access, AccessBuilder, AccessError, Built, Cidr, Conflict, Facts, List, Otherwise, Rule, Source, Verdict,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn ranges<'a>(texts: &'a [&str]) -> impl Iterator<Item = Cidr> + 'a {
    texts.iter().map(|text| text.parse().unwrap())
}

fn built(allow: Option<&[&str]>, deny: &[&str]) -> Built {
    let mut builder = Access::builder();
    if let Some(allow) = allow {
        builder.add(List::Allow, Source(1), ranges(allow)).unwrap();
    }
    builder.add(List::Deny, Source(2), ranges(deny)).unwrap();
    builder.build().unwrap()
}

fn check(access: &Access, address: &str) -> Verdict {
    access.check(address.parse().unwrap())
}

fn by(allowed: bool, range: &str) -> Verdict {
    Verdict {
        allowed,
        rule: Some(Rule {
            range: range.parse().unwrap(),
            list: if allowed { List::Allow } else { List::Deny },
            source: Source(if allowed { 1 } else { 2 }),
        }),
    }
}

const DEFAULT: fn(bool) -> Verdict = |allowed| Verdict { allowed, rule: None };

#[test]
fn s_mtls_11_the_longest_prefix_decides_and_is_named() {
    let lists = built(
        Some(&["10.0.0.0/8", "10.1.2.3", "2001:db8::/32"]),
        &["10.1.0.0/16", "0.0.0.0/0", "2001:db8:7::/48"],
    );
    let access = lists.access;
    for (address, want) in [
        ("9.255.255.255", by(false, "0.0.0.0/0")),
        ("10.0.0.0", by(true, "10.0.0.0/8")),
        ("10.0.255.255", by(true, "10.0.0.0/8")),
        ("10.1.0.0", by(false, "10.1.0.0/16")),
        ("10.1.2.2", by(false, "10.1.0.0/16")),
        ("10.1.2.3", by(true, "10.1.2.3/32")),
        ("10.1.2.4", by(false, "10.1.0.0/16")),
        ("10.1.255.255", by(false, "10.1.0.0/16")),
        ("10.2.0.0", by(true, "10.0.0.0/8")),
        ("10.255.255.255", by(true, "10.0.0.0/8")),
        ("11.0.0.0", by(false, "0.0.0.0/0")),
        ("255.255.255.255", by(false, "0.0.0.0/0")),
        ("2001:db8::1", by(true, "2001:db8::/32")),
        ("2001:db8:7:ffff::1", by(false, "2001:db8:7::/48")),
        ("2001:db8:8::", by(true, "2001:db8::/32")),
        ("2001:db9::", DEFAULT(false)),
    ] {
        assert_eq!(check(&access, address), want, "{address}");
    }
    assert_eq!(access.len(), 6);
    assert_eq!(lists.facts.conflicts_total, 0);
}

#[test]
fn s_mtls_11_what_is_in_no_list_goes_by_whether_there_is_an_allow_list() {
    let only_deny = built(None, &["192.0.2.0/24"]).access;
    assert_eq!(check(&only_deny, "192.0.2.1"), by(false, "192.0.2.0/24"));
    assert_eq!(check(&only_deny, "192.0.3.1"), DEFAULT(true));
    assert_eq!(check(&only_deny, "::1"), DEFAULT(true));

    let both = built(Some(&["192.0.2.0/24"]), &[]).access;
    assert_eq!(check(&both, "192.0.3.1"), DEFAULT(false));
    assert_eq!(check(&both, "::1"), DEFAULT(false), "the other family too");

    let lost_its_entries = built(Some(&[]), &[]).access;
    assert!(lost_its_entries.is_empty());
    assert_eq!(check(&lost_its_entries, "192.0.2.1"), DEFAULT(false));

    let none = Access::builder().build().unwrap().access;
    assert_eq!(check(&none, "192.0.2.1"), DEFAULT(true));
}

#[test]
fn s_mtls_11_the_default_can_be_chosen() {
    for (otherwise, want) in [(Otherwise::Allow, true), (Otherwise::Deny, false)] {
        for list in [List::Allow, List::Deny] {
            let mut builder = Access::builder().otherwise(otherwise);
            builder.add(list, Source(1), ranges(&["192.0.2.1"])).unwrap();
            let access = builder.build().unwrap().access;
            assert_eq!(check(&access, "192.0.2.2"), DEFAULT(want));
            assert_eq!(check(&access, "192.0.2.1").allowed, list == List::Allow);
            assert_eq!(access.otherwise(), want);
        }
    }
}

#[test]
fn s_mtls_11_a_range_in_both_lists_is_denied_and_told() {
    let lists = built(
        Some(&["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"]),
        &["10.0.0.0/9", "192.0.2.0/24", "2001:db8::/32"],
    );
    assert_eq!(check(&lists.access, "192.0.2.7"), by(false, "192.0.2.0/24"));
    assert_eq!(lists.facts.conflicts_total, 2);
    let want = |range: &str| Conflict {
        range: range.parse().unwrap(),
        deny: Source(2),
        allow: Source(1),
    };
    assert_eq!(lists.facts.conflicts, [want("192.0.2.0/24"), want("2001:db8::/32")]);
    assert_eq!(
        lists.facts.conflicts[0].to_string(),
        "192.0.2.0/24 is in an allow list and in a deny list; it is denied: take it out of one of them"
    );
}

#[test]
fn a_range_given_again_counts_once_under_the_first_source() {
    let mut builder = Access::builder();
    for source in [9, 4, 7] {
        builder.add(List::Deny, Source(source), ranges(&["192.0.2.1"])).unwrap();
    }
    for source in [3, 2] {
        builder
            .add(List::Allow, Source(source), ranges(&["192.0.2.1"]))
            .unwrap();
    }
    let Built { access, facts, .. } = builder.build().unwrap();
    assert_eq!(access.len(), 1);
    assert_eq!(check(&access, "192.0.2.1").rule.unwrap().source, Source(4));
    assert_eq!((facts.conflicts_total, facts.duplicates), (1, 3));
    assert_eq!(facts.conflicts[0].allow, Source(2));
}

#[test]
fn conflicts_are_kept_up_to_a_limit_and_counted_beyond() {
    for count in [Facts::CONFLICTS_KEPT, Facts::CONFLICTS_KEPT + 1] {
        let many = || (0..count as u32).map(|i| Cidr::host(Ipv4Addr::from_bits(i).into()));
        let mut builder = Access::builder();
        builder.add(List::Allow, Source(0), many()).unwrap();
        builder.add(List::Deny, Source(0), many()).unwrap();
        let facts = builder.build().unwrap().facts;
        assert_eq!(facts.conflicts.len(), Facts::CONFLICTS_KEPT);
        assert_eq!(facts.conflicts_total, count);
    }
}

#[test]
fn s_mtls_11_a_mapped_address_or_range_counts_as_ipv4() {
    let lists = built(
        Some(&["::ffff:10.0.0.0/104", "::/0"]),
        &["192.0.2.0/24", "::ffff:198.51.100.7"],
    );
    let access = &lists.access;
    assert_eq!(check(access, "10.1.2.3"), by(true, "10.0.0.0/8"));
    assert_eq!(check(access, "::ffff:10.1.2.3"), by(true, "10.0.0.0/8"));
    assert_eq!(check(access, "::ffff:192.0.2.3"), by(false, "192.0.2.0/24"));
    assert_eq!(check(access, "198.51.100.7"), by(false, "198.51.100.7/32"));
    assert_eq!(check(access, "203.0.113.1"), DEFAULT(false), "::/0 is IPv6 only");
    assert_eq!(check(access, "::1"), by(true, "::/0"));
    assert_eq!(
        check(access, "::10.1.2.3"),
        by(true, "::/0"),
        "not mapped: another block"
    );
}

#[test]
fn every_prefix_length_holds_its_first_and_last_address_and_no_neighbour() {
    for prefix in 0..=128_u8 {
        let bits = 0x2001_0db8_a5a5_5a5a_c3c3_3c3c_9696_6969_u128;
        for (address, longest) in [
            (IpAddr::from(Ipv6Addr::from_bits(bits)), 128_u8),
            (IpAddr::from(Ipv4Addr::from_bits(0x2001_0db8)), 32),
        ] {
            let Ok(range) = Cidr::new(address, prefix) else {
                continue;
            };
            let mut builder = Access::builder();
            builder.add(List::Deny, Source(2), [range]).unwrap();
            let access = builder.build().unwrap().access;
            let free = u128::MAX.checked_shr(128 - u32::from(longest - prefix)).unwrap_or(0);
            let to_bits = |address| match address {
                IpAddr::V4(v4) => u128::from(Ipv4Addr::to_bits(v4)),
                IpAddr::V6(v6) => Ipv6Addr::to_bits(v6),
            };
            let first = to_bits(range.address());
            let last = first | free;
            let all = u128::MAX >> (128 - u32::from(longest));
            let held = |bits: u128| {
                let address = match longest {
                    32 => Ipv4Addr::from_bits(bits as u32).into(),
                    _ => Ipv6Addr::from_bits(bits).into(),
                };
                !access.check(address).allowed
            };
            assert!(held(first) && held(last), "{range}");
            assert!(first == 0 || !held(first - 1), "{range}");
            assert!(last == all || !held(last + 1), "{range}");
            assert_eq!(first == 0 && last == all, prefix == 0, "{range}");
        }
    }
}

#[test]
fn the_number_of_entries_has_a_limit() {
    let three = &["192.0.2.1", "192.0.2.2", "::1"];
    let mut builder = Access::builder().at_most(3);
    builder.add(List::Allow, Source(0), ranges(three)).unwrap();
    let error = builder.add(List::Deny, Source(5), ranges(&["::2"])).unwrap_err();
    assert_eq!(
        error,
        AccessError::Entries {
            limit: 3,
            list: List::Deny,
            from: Source(5)
        }
    );
    assert_eq!(
        error.to_string(),
        "more than 3 entries in the lists of addresses; allow more, or merge neighbours into wider ranges"
    );
    assert_eq!(builder.build().unwrap().access.len(), 3);
    let unbounded = format!("{:?}", AccessBuilder::default().at_most(usize::MAX));
    assert!(unbounded.contains("most: 16000000"), "{unbounded}");
}

#[test]
fn the_number_of_combinations_has_a_limit() {
    for (extra, fits) in [(0, true), (1, false)] {
        let mut builder = Access::builder();
        for i in 0..=u16::MAX {
            let address = Ipv4Addr::from_bits(u32::from(i) << 1).into();
            builder.add(List::Deny, Source(i), [Cidr::host(address)]).unwrap();
        }
        for i in 0..extra {
            let address = Ipv4Addr::from_bits(1 << 31 | i).into();
            builder.add(List::Allow, Source(0), [Cidr::host(address)]).unwrap();
        }
        match builder.build() {
            Ok(built) => assert!(fits && built.access.len() == 65_536),
            Err(error) => assert!(!fits && error == AccessError::Combinations),
        }
    }
}

#[test]
fn a_verdict_fits_a_log_line() {
    let access = built(Some(&["2001:db8::/32"]), &["192.0.2.0/24"]).access;
    assert_eq!(check(&access, "192.0.2.1").to_string(), "denied by 192.0.2.0/24");
    assert_eq!(check(&access, "2001:db8::1").to_string(), "allowed by 2001:db8::/32");
    assert_eq!(check(&access, "192.0.3.1").to_string(), "denied: in no list");
}

#[test]
fn the_memory_of_a_large_table_is_as_documented() {
    // evenly spread, none inside another
    let v4 = (0..100_000_u32).map(|i| Cidr::host(Ipv4Addr::from_bits(i * 42_949).into()));
    let v6 = (0..100_000_u128).map(|i| Cidr::host(Ipv6Addr::from_bits((i << 100) | 1 << 125).into()));
    for (ranges, most) in [(v4.collect::<Vec<_>>(), 650_000), (v6.collect(), 1_850_000)] {
        let mut builder = Access::builder();
        builder.add(List::Deny, Source(0), ranges).unwrap();
        let access = builder.build().unwrap().access;
        assert_eq!(access.len(), 100_000);
        assert!(access.heap_bytes() <= most, "{}", access.heap_bytes());
        assert!(access.heap_bytes() >= most * 9 / 10, "{}", access.heap_bytes());
    }
}

#[test]
fn a_table_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Access>();
}
