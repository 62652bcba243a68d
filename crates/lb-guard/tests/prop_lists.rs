//! Lists against a linear scan.
#![allow(clippy::unwrap_used)] // helpers of tests

use lb_guard::{Access, Cidr, List, Source, Verdict};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

type Entry = (List, u16, Cidr);

/// Addresses close to each other and far apart: ranges lie inside each other, end where others begin, and fill nodes of
/// any depth.
fn v4() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        Just(u32::MAX),
        any::<u32>(),
        (any::<u8>(), any::<u8>()).prop_map(|(a, b)| 10 << 24 | u32::from(a % 3) << 16 | u32::from(b)),
        any::<u8>().prop_map(|a| 0xc000_0200 | u32::from(a)),
    ]
}

fn v6() -> impl Strategy<Value = u128> {
    let low = || any::<u8>().prop_map(u128::from);
    prop_oneof![
        Just(0),
        Just(u128::MAX),
        any::<u128>(),
        low().prop_map(|a| 0x2001_0db8 << 96 | a),
        (low(), low()).prop_map(|(a, b)| 0x2001_0db8 << 96 | a << 64 | b),
        (low(), low()).prop_map(|(a, b)| 0x2a00 << 112 | (a % 4) << 80 | b << 8),
        v4().prop_map(|a| 0xffff << 32 | u128::from(a)),
    ]
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        v4().prop_map(|bits| Ipv4Addr::from_bits(bits).into()),
        v6().prop_map(|bits| Ipv6Addr::from_bits(bits).into()),
    ]
}

fn range() -> impl Strategy<Value = Cidr> {
    let prefix = |longest: u8| prop_oneof![Just(longest), 0..=longest];
    prop_oneof![
        (v4(), prefix(32)).prop_map(|(bits, prefix)| Cidr::new(Ipv4Addr::from_bits(bits).into(), prefix).unwrap()),
        (v6(), prefix(128)).prop_map(|(bits, prefix)| Cidr::new(Ipv6Addr::from_bits(bits).into(), prefix).unwrap()),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let list = prop_oneof![Just(List::Allow), Just(List::Deny)];
    (list, 0..3_u16, range())
}

fn built(entries: &[Entry]) -> Access {
    let mut builder = Access::builder();
    for (list, source, range) in entries {
        builder.add(*list, Source(*source), [*range]).unwrap();
    }
    builder.build().unwrap().access
}

/// A range of mapped addresses as the IPv4 range it is.
fn plain(range: Cidr) -> Cidr {
    match range.address().to_canonical() {
        v4 @ IpAddr::V4(_) if range.address().is_ipv6() && range.prefix() >= 96 => {
            Cidr::new(v4, range.prefix() - 96).unwrap()
        }
        _ => range,
    }
}

/// The answer by looking at every entry.
fn model(entries: &[Entry], address: IpAddr) -> (bool, Option<(List, u16, Cidr)>) {
    let holds = entries
        .iter()
        .map(|(list, source, range)| (*list, *source, plain(*range)))
        .filter(|(_, _, range)| range.contains(address));
    // the longest; of those deny; of those the lowest source
    let best = holds.min_by_key(|(list, source, range)| (128 - range.prefix(), *list == List::Allow, *source));
    let has_allow = entries.iter().any(|(list, ..)| *list == List::Allow);
    (best.map_or(!has_allow, |(list, ..)| list == List::Allow), best)
}

fn neighbours(range: Cidr) -> Vec<IpAddr> {
    match range.address() {
        IpAddr::V4(a) => {
            let first = a.to_bits();
            let last = first | u32::MAX.checked_shr(range.prefix().into()).unwrap_or(0);
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
                .map(|bits| Ipv4Addr::from_bits(bits).into())
                .to_vec()
        }
        IpAddr::V6(a) => {
            let first = a.to_bits();
            let last = first | u128::MAX.checked_shr(range.prefix().into()).unwrap_or(0);
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
                .map(|bits| Ipv6Addr::from_bits(bits).into())
                .to_vec()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn s_mtls_11_the_table_says_what_a_scan_of_all_entries_says(
        entries in prop_oneof![vec(entry(), 0..12), vec(entry(), 0..400)],
        others in vec(address(), 50),
    ) {
        let access = built(&entries);
        let near = entries.iter().flat_map(|(_, _, range)| neighbours(*range));
        for address in near.chain(others) {
            let Verdict { allowed, rule } = access.check(address);
            let rule = rule.map(|rule| (rule.list, rule.source.0, rule.range));
            prop_assert_eq!((allowed, rule), model(&entries, address), "{}", address);
        }
    }

    #[test]
    fn the_order_of_entries_does_not_count(mut entries in vec(entry(), 0..80), others in vec(address(), 20)) {
        let one = built(&entries);
        entries.reverse();
        let other = built(&entries);
        for address in entries.iter().flat_map(|(_, _, range)| neighbours(*range)).chain(others) {
            prop_assert_eq!(one.check(address), other.check(address));
        }
    }
}
