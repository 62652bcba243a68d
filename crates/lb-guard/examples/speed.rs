//! How long a look takes among a million entries, and what they cost: `cargo run --profile bench --example speed`.
//!
//! Half of the addresses looked for are inside an entry, half are random. `apart`: looks that do not depend on each
//! other, as many as the processor can overlap. `in turn`: each waits for the one before, as a look between other work.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

use lb_guard::{Access, Caps, CapsOptions, Cidr, List, Source};
use lb_types::Rng;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

type Draw = fn(&mut Rng, usize) -> Cidr;
const ENTRIES: usize = 1_000_000;

fn main() {
    let sets: [(&str, Draw); 5] = [
        ("IPv4 /32 and /24", |rng, i| v4(rng.next_u64() as u32, i)),
        ("IPv4 /32 and /24 in 10.0.0.0/8", |rng, i| {
            v4(rng.next_u64() as u32 >> 8 | 10 << 24, i)
        }),
        ("IPv6 /48 to /128 in 2000::/3", |rng, i| {
            v6(wide(rng) >> 3 | 1 << 125, i)
        }),
        ("IPv6 /48 to /128 in 20 /32", |rng, i| {
            let provider = 0x2a00_0000 + (rng.below(20) as u128) * 0x1_0003;
            v6(wide(rng) >> 32 | provider << 96, i)
        }),
        ("two thirds IPv4, one IPv6", |rng, i| {
            if i % 3 == 0 {
                v6(wide(rng) >> 3 | 1 << 125, i)
            } else {
                v4(rng.next_u64() as u32, i)
            }
        }),
    ];
    for (name, draw) in sets {
        lists(name, draw);
    }
    caps();
}

fn lists(name: &str, draw: Draw) {
    let mut rng = Rng::new(7);
    let ranges: Vec<Cidr> = (0..ENTRIES).map(|i| draw(&mut rng, i)).collect();
    let addresses: Vec<IpAddr> = (0..4 * ENTRIES)
        .map(|i| {
            if i % 2 == 0 {
                inside(ranges[rng.below(ENTRIES as u64) as usize], &mut rng)
            } else {
                let range = draw(&mut rng, i / 2);
                inside(Cidr::new(range.address(), range.prefix().min(32)).unwrap(), &mut rng)
            }
        })
        .collect();
    let begin = Instant::now();
    let mut builder = Access::builder();
    builder.add(List::Deny, Source(0), ranges.iter().copied()).unwrap();
    let access = builder.build().unwrap().access;
    let built = begin.elapsed();

    let (mut apart, mut in_turn, mut held) = (Vec::new(), Vec::new(), 0);
    let zero = black_box(0_usize);
    for some in addresses.chunks(ENTRIES / 50) {
        let begin = Instant::now();
        held += some.iter().filter(|address| !access.check(**address).allowed).count();
        apart.push(nanos(begin, some.len()));
    }
    for some in addresses.chunks(ENTRIES / 50) {
        let begin = Instant::now();
        let mut last = 0;
        for i in 0..some.len() {
            last = usize::from(access.check(some[i + (last & zero)]).allowed);
        }
        black_box(last);
        in_turn.push(nanos(begin, some.len()));
    }
    let (apart, in_turn) = (spread(apart), spread(in_turn));
    println!(
        "{name}: apart {apart} ns, in turn {in_turn} ns, {:.1} bytes an entry, built in {built:.0?}, {:.0} % held",
        access.heap_bytes() as f64 / access.len() as f64,
        100.0 * held as f64 / addresses.len() as f64
    );
}

fn caps() {
    let caps = Arc::new(Caps::new(&CapsOptions::new(10), 7).unwrap());
    let mut rng = Rng::new(7);
    let addresses: Vec<IpAddr> = (0..ENTRIES)
        .map(|_| Ipv4Addr::from_bits(rng.next_u64() as u32).into())
        .collect();
    for threads in [1, 2] {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for address in &addresses {
                        drop(black_box(caps.enter(*address)));
                    }
                });
            }
        });
        println!("caps, {threads} threads: in and out {:.0} ns", nanos(begin, ENTRIES));
    }
}

/// Best, median.
fn spread(mut figures: Vec<f64>) -> String {
    figures.sort_by(f64::total_cmp);
    format!("{:.0}/{:.0}", figures[0], figures[figures.len() / 2])
}

fn nanos(begin: Instant, count: usize) -> f64 {
    begin.elapsed().as_nanos() as f64 / count as f64
}

fn wide(rng: &mut Rng) -> u128 {
    u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())
}

fn v4(bits: u32, i: usize) -> Cidr {
    Cidr::new(Ipv4Addr::from_bits(bits).into(), [32, 24][i % 2]).unwrap()
}

fn v6(bits: u128, i: usize) -> Cidr {
    Cidr::new(Ipv6Addr::from_bits(bits).into(), 48 + (i % 81) as u8).unwrap()
}

fn inside(range: Cidr, rng: &mut Rng) -> IpAddr {
    let free = |bits: u32| u32::from(range.prefix()) + 128 - bits;
    let mut some = |bits| wide(rng).checked_shr(free(bits)).unwrap_or(0);
    match range.address() {
        IpAddr::V4(address) => (address | Ipv4Addr::from_bits(some(32) as u32)).into(),
        IpAddr::V6(address) => (address | Ipv6Addr::from_bits(some(128))).into(),
    }
}
