//! Placement byte for byte as in libketama: `cargo test --features ketama`.
#![cfg(feature = "ketama")]
#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use lb_sched::{Bounded, BoundedLoad, Placement, Ring, ketama_hash};
use lb_types::Slot;
use table::members;

const GOLDEN: &str = include_str!("golden/ketama.txt");
const WEIGHTS: [u16; 8] = [2, 2, 2, 2, 1, 1, 1, 1];

fn names() -> Vec<String> {
    (1..=8).map(|n| format!("10.0.1.{n}:11211")).collect()
}

fn ring() -> Ring {
    let names = names();
    let members = members(&WEIGHTS);
    let named: Vec<_> = members.into_iter().zip(names.iter().map(String::as_str)).collect();
    Ring::ketama(&named)
}

fn section(from: &str, to: &str) -> String {
    let (_, after) = GOLDEN.split_once(&format!("\n{from}\n")).unwrap();
    after.split_once(to).map_or(after, |(section, _)| section).to_owned()
}

#[test]
fn every_point_is_libketamas() {
    let points: Vec<String> = ring()
        .points()
        .map(|(at, slot)| format!("{:08x}={}", at >> 32, slot.0 + 1))
        .collect();
    assert_eq!(points.len(), 1_264);
    let section = section("points", "\nend");
    let golden: Vec<&str> = section.split_whitespace().collect();
    assert_eq!(points, golden);
}

#[test]
fn every_key_goes_where_libketama_sends_it() {
    let ring = ring();
    let section = section("keys", "points");
    let golden: Vec<u32> = section.chars().filter_map(|c| c.to_digit(10)).collect();
    assert_eq!(golden.len(), 1_000);
    for (number, server) in golden.iter().enumerate() {
        let hash = ketama_hash(format!("k{number}").as_bytes());
        assert_eq!(ring.place(hash, |_| true), Some(Slot(server - 1)), "k{number}");
    }
    // an idle pool is within its bound
    let bounded = Bounded::new(ring, BoundedLoad::percent(125).unwrap());
    assert_eq!(bounded.placement().points().count(), 1_264);
}

#[test]
fn a_key_that_falls_on_a_point_belongs_to_it() {
    let ring = ring();
    for (at, slot) in ring.points() {
        assert_eq!(ring.place(at >> 32, |_| true), Some(slot));
    }
    let last = ring.points().last().unwrap().0 >> 32;
    let first = ring.points().next().unwrap().1;
    assert_eq!(
        ring.place(last + 1, |_| true),
        Some(first),
        "beyond the last comes the first"
    );
}

#[test]
fn the_order_of_the_members_does_not_matter() {
    let names = names();
    let members = members(&WEIGHTS);
    let mut named: Vec<_> = members.into_iter().zip(names.iter().map(String::as_str)).collect();
    named.reverse();
    assert!(Ring::ketama(&named).points().eq(ring().points()));
}
