//! The table alone: claims, bounds, expiry.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lb_persist::{Entry, Key, Table, TableOptions, WhenFull};
use lb_types::{BackendId, Time};

fn key(n: u32) -> Key {
    Key::Client(IpAddr::V4(Ipv4Addr::from_bits(n)))
}

fn backend(n: u64) -> BackendId {
    BackendId::from_u64(n)
}

fn at(secs: u64) -> Time {
    Time::from_nanos(secs * 1_000_000_000)
}

fn table(capacity: usize, when_full: WhenFull) -> Table {
    let mut options = TableOptions::new(capacity, Duration::from_secs(10));
    options.when_full = when_full;
    Table::new(options)
}

#[test]
fn the_first_claim_wins_and_the_others_are_told() {
    let mut table = table(4, WhenFull::Refuse);
    assert_eq!(table.lookup(&key(1), at(0)), None);
    assert_eq!(table.claim(key(1), None, backend(1), at(0)), backend(1));
    assert_eq!(table.claim(key(1), None, backend(2), at(0)), backend(1));
    assert_eq!(table.lookup(&key(1), at(0)), Some(backend(1)));
}

#[test]
fn an_entry_of_a_dead_backend_is_replaced_once_by_whoever_comes_first() {
    let mut table = table(4, WhenFull::Refuse);
    table.remember(key(1), backend(1), at(0));
    // both saw 1 and found it dead; the first takes 2, the second, wanting 3, is told 2
    assert_eq!(table.claim(key(1), Some(backend(1)), backend(2), at(1)), backend(2));
    assert_eq!(table.claim(key(1), Some(backend(1)), backend(3), at(1)), backend(2));
    // a retry passes what its last claim returned
    assert_eq!(table.claim(key(1), Some(backend(2)), backend(4), at(1)), backend(4));
}

#[test]
fn an_entry_that_is_gone_counts_as_unchanged() {
    let mut expired = table(4, WhenFull::Refuse);
    expired.remember(key(1), backend(1), at(0));
    assert_eq!(expired.claim(key(1), Some(backend(1)), backend(2), at(10)), backend(2));
    assert_eq!(expired.lookup(&key(1), at(10)), Some(backend(2)));

    let mut evicting = table(1, WhenFull::EvictOldest);
    evicting.remember(key(1), backend(1), at(0));
    evicting.remember(key(2), backend(5), at(0));
    assert_eq!(evicting.claim(key(1), Some(backend(1)), backend(3), at(1)), backend(3));
}

#[test]
fn a_full_table_gives_the_candidate_and_counts_it() {
    let mut table = table(2, WhenFull::Refuse);
    for n in 1..=2 {
        let _ = table.claim(key(n), None, backend(1), at(0));
    }
    assert_eq!(table.counts().full, 0);
    assert_eq!(table.claim(key(3), None, backend(7), at(1)), backend(7));
    assert_eq!(table.remember(key(4), backend(7), at(1)), None);
    assert_eq!((table.len(), table.counts().full, table.counts().evicted), (2, 2, 0));
    assert_eq!(table.lookup(&key(3), at(1)), None);
    assert_eq!(table.lookup(&key(1), at(1)), Some(backend(1)));
    // a key that is there needs no room
    assert_eq!(table.claim(key(2), Some(backend(1)), backend(2), at(1)), backend(2));
    // room comes back by itself: key 1 and 2 were used at 1 and are over at 11
    assert_eq!(table.claim(key(5), None, backend(5), at(11)), backend(5));
    assert_eq!(table.lookup(&key(5), at(11)), Some(backend(5)));
}

#[test]
fn the_longest_unused_entry_is_evicted_and_returned() {
    let mut table = table(2, WhenFull::EvictOldest);
    table.remember(key(1), backend(1), at(0));
    table.remember(key(2), backend(2), at(1));
    assert_eq!(table.lookup(&key(1), at(2)), Some(backend(1)));
    let out = table.remember(key(3), backend(3), at(3));
    assert_eq!(
        out,
        Some(Entry {
            key: key(2),
            backend: backend(2),
            used: at(1)
        })
    );
    assert_eq!((table.len(), table.counts().evicted, table.counts().full), (2, 1, 0));
}

#[test]
fn remember_returns_what_it_overwrites() {
    let mut table = table(2, WhenFull::Refuse);
    assert_eq!(table.remember(key(1), backend(1), at(0)), None);
    assert_eq!(table.remember(key(1), backend(1), at(1)), None);
    let old = table.remember(key(1), backend(2), at(2));
    assert_eq!(
        old,
        Some(Entry {
            key: key(1),
            backend: backend(1),
            used: at(1)
        })
    );
}

#[test]
fn a_table_without_capacity_serves_and_keeps_nothing() {
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        let mut table = table(0, when_full);
        assert_eq!(table.claim(key(1), None, backend(1), at(0)), backend(1));
        assert!(table.is_empty());
        assert_eq!(table.counts().full, 1);
    }
}

#[test]
fn expire_drops_the_oldest_first_and_never_more_than_its_limit() {
    let mut table = table(100, WhenFull::Refuse);
    assert_eq!(table.poll_timeout(), None);
    for n in 0..6 {
        table.remember(key(n), backend(1), at(u64::from(n)));
    }
    assert_eq!(table.poll_timeout(), Some(at(10)));
    assert_eq!(table.expire(at(9), 100), 0);
    assert_eq!(table.expire(at(13), 3), 3); // 0 to 3 are over
    assert_eq!(table.poll_timeout(), Some(at(13)));
    assert_eq!(table.len(), 3);
    assert_eq!(table.lookup(&key(3), at(13)), None); // over, though not dropped by `expire`
    assert_eq!(table.expire(at(13), 3), 0);
    assert_eq!(table.poll_timeout(), Some(at(14)));
    assert_eq!(table.counts().expired, 4);
}

#[test]
fn forget_drops_the_entries_of_one_backend() {
    let mut table = table(100, WhenFull::Refuse);
    for n in 0..10 {
        table.remember(key(n), backend(u64::from(n) % 2), at(0));
    }
    assert_eq!(table.forget(backend(1)), 5);
    assert_eq!(table.forget(backend(1)), 0);
    assert_eq!((table.len(), table.counts().forgotten), (5, 5));
    assert_eq!(table.lookup(&key(1), at(1)), None);
    assert_eq!(table.lookup(&key(2), at(1)), Some(backend(0)));
}

#[test]
fn a_clock_that_lags_on_another_thread_does_not_shorten_a_life() {
    let mut table = table(10, WhenFull::Refuse);
    table.remember(key(1), backend(1), at(5));
    table.remember(key(2), backend(2), at(4)); // counts as 5
    assert_eq!(table.lookup(&key(2), at(14)), Some(backend(2)));
    assert_eq!(table.poll_timeout(), Some(at(15)));
}

#[test]
fn new_options_keep_the_entries() {
    let mut table = table(4, WhenFull::Refuse);
    for n in 0..4 {
        table.remember(key(n), backend(1), at(0));
    }
    table.set_options(TableOptions::new(2, Duration::from_secs(100)));
    assert_eq!(table.lookup(&key(0), at(50)), Some(backend(1)));
    assert_eq!(table.claim(key(9), None, backend(1), at(50)), backend(1));
    assert_eq!((table.len(), table.counts().full), (4, 1));
    table.set_options(TableOptions::new(5, Duration::from_secs(100)));
    assert_eq!(table.claim(key(9), None, backend(1), at(50)), backend(1));
    assert_eq!(table.len(), 5);
}

#[test]
fn entries_are_listed_from_the_least_recently_used() {
    let mut table = table(4, WhenFull::Refuse);
    for n in 0..3 {
        table.remember(key(n), backend(1), at(0));
    }
    let _ = table.lookup(&key(0), at(1));
    let keys: Vec<Key> = table.iter().map(|entry| entry.key).collect();
    assert_eq!(keys, [key(1), key(2), key(0)]);
}

#[test]
fn an_entry_takes_at_most_153_bytes() {
    // A node: key 17, backend 8, last use 8, two links of 4: 48 with padding; a vector doubles,
    // so twice that at worst. A place in the map: 24 and one control byte, 16/7 of it at worst.
    assert_eq!(Table::BYTES_PER_ENTRY, 96 + 57);
}
