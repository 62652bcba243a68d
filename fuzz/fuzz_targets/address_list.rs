//! Lists of addresses: no panic, every refusal is one printable line, what was read is read again from its text, and the
//! table of it says what looking at every range says.
#![no_main]

use lb_guard::{Access, Cidr, List, ListLimits, Source, parse};
use libfuzzer_sys::fuzz_target;
use std::net::IpAddr;

fuzz_target!(|data: &[u8]| {
    let mut limits = ListLimits::default();
    limits.entries = 2000;
    let ranges = match parse(data, &limits) {
        Ok(ranges) => ranges,
        Err(error) => {
            let text = error.to_string();
            assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{text}");
            assert!(text.len() < 20_000, "bounded");
            return;
        }
    };
    let text: Vec<String> = ranges.iter().map(Cidr::to_string).collect();
    assert_eq!(parse(text.join("\n").as_bytes(), &limits).as_ref(), Ok(&ranges));

    // every second one is denied
    let mut builder = Access::builder();
    for (range, list) in ranges.iter().zip([List::Allow, List::Deny].into_iter().cycle()) {
        builder.add(list, Source(0), [*range]).expect("below the limit");
    }
    let access = builder.build().expect("few sources").access;
    for range in ranges.iter().take(100) {
        for address in [range.address(), last(*range)] {
            let rule = access.check(address).rule.map(|rule| rule.range);
            assert!(rule.is_none_or(|range| range.contains(address)));
            let holding = ranges
                .iter()
                .map(|range| plain(*range))
                .filter(|range| range.contains(address));
            let longest = holding.map(|range| range.prefix()).max();
            assert_eq!(rule.map(|range| range.prefix()), longest, "{address}");
        }
    }
});

fn last(range: Cidr) -> IpAddr {
    let free = |bits: u32| {
        u128::MAX
            .checked_shr(128 - bits + u32::from(range.prefix()))
            .unwrap_or(0)
    };
    match range.address() {
        IpAddr::V4(first) => IpAddr::V4((first.to_bits() | free(32) as u32).into()),
        IpAddr::V6(first) => IpAddr::V6((first.to_bits() | free(128)).into()),
    }
}

/// A range of mapped addresses as the IPv4 range it is.
fn plain(range: Cidr) -> Cidr {
    match (range.address().to_canonical(), range.prefix().checked_sub(96)) {
        (IpAddr::V4(v4), Some(prefix)) if range.address().is_ipv6() => Cidr::new(v4.into(), prefix).expect("short"),
        _ => range,
    }
}
