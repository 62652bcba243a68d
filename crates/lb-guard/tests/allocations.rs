//! A connection costs no allocation.
#![allow(clippy::unwrap_used)] // tests and their helpers

use allocation_counter::measure;
use lb_guard::{Access, Caps, CapsOptions, Cidr, List, Source};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

#[test]
fn neither_a_look_nor_a_pass_allocates() {
    let mut builder = Access::builder();
    let ranges = (0..5000).map(|i| Cidr::host(Ipv4Addr::from_bits(i * 7919).into()));
    builder.add(List::Deny, Source(0), ranges).unwrap();
    let access = builder.build().unwrap().access;
    let caps = Arc::new(Caps::new(&CapsOptions::new(2), 7).unwrap());
    let mut denied = 0;
    let cost = measure(|| {
        for i in 0..1000 {
            let address = IpAddr::from(Ipv4Addr::from_bits(i * 7919));
            denied += u32::from(!black_box(access.check(address)).allowed);
            let passes = [caps.enter(address), caps.enter(address), caps.enter(address)];
            drop(black_box(passes));
        }
    });
    assert_eq!(denied, 1000);
    assert_eq!(cost.count_total, 0);
}
