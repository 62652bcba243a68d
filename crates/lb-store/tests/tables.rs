//! Tables under real threads, when full, and over their life.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use lb_persist::{ClientIp, ClientIpOptions, Facts, Key, Recall, Strategy, Table, WhenFull};
use lb_store::{Tables, TablesOptions};
use lb_types::{BackendId, Now, Rng, Time};

fn key(n: u32) -> Key {
    Key::Client(IpAddr::V4(Ipv4Addr::from_bits(n)))
}

fn id(n: u64) -> BackendId {
    BackendId::from_u64(n)
}

fn at(secs: u64) -> Time {
    Time::from_nanos(secs * 1_000_000_000)
}

fn tables(capacity: usize) -> Tables {
    Tables::new(TablesOptions::new(capacity, Duration::from_secs(60)))
}

#[test]
fn s_persist_09_a_hundred_first_requests_at_once_from_one_address_agree() {
    let strategy = ClientIp::new(ClientIpOptions::default()).unwrap();
    let tables = tables(1000);
    for round in 0..20_u8 {
        let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, round));
        let now = Now {
            mono: at(round.into()),
            ..Now::default()
        };
        let (scheduler, start) = (AtomicU64::new(0), Barrier::new(100));
        // each thread is one connection: recall, look up, let the scheduler choose, claim
        let connect = || {
            start.wait();
            let Recall::Lookup(key) = strategy.recall(&Facts::new(client), now) else {
                panic!()
            };
            match tables.lookup_memory(&key, now.mono) {
                Some(known) => known,
                None => {
                    let candidate = id(scheduler.fetch_add(1, Ordering::Relaxed) % 4); // round robin
                    tables.claim(key, None, candidate, now.mono)
                }
            }
        };
        let chosen: Vec<BackendId> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..100).map(|_| scope.spawn(connect)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(
            chosen.iter().all(|backend| *backend == chosen[0]),
            "round {round}: {chosen:?}"
        );
    }
    assert_eq!(tables.len(), 20);
}

#[test]
fn an_entry_of_a_dead_backend_is_replaced_once_by_all_threads_together() {
    let tables = tables(1000);
    tables.remember(key(1), id(0), at(0));
    let start = Barrier::new(32);
    let claim = |candidate: u64| {
        start.wait();
        tables.claim(key(1), Some(id(0)), id(candidate), at(1))
    };
    let chosen: Vec<BackendId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=32).map(|n| scope.spawn(move || claim(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(chosen.iter().all(|backend| *backend == chosen[0]));
    assert_eq!(tables.lookup_memory(&key(1), at(1)), Some(chosen[0]));
}

#[test]
fn s_store_05_loss_eviction_and_a_full_table_never_fail_a_request() {
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        let mut options = TablesOptions::new(600, Duration::from_secs(60));
        options.when_full = when_full;
        let tables = Tables::new(options);
        let (served, sticky) = (AtomicU64::new(0), AtomicU64::new(0));
        let start = Barrier::new(4);
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let (tables, served, sticky, start) = (&tables, &served, &sticky, &start);
                scope.spawn(move || {
                    let mut rng = Rng::new(seed);
                    start.wait();
                    for n in 0..5_000_u64 {
                        let (key, now) = (key(rng.below(2_000) as u32), at(n / 500));
                        let backend = match tables.lookup_memory(&key, now) {
                            Some(known) => {
                                sticky.fetch_add(1, Ordering::Relaxed);
                                known
                            }
                            None => tables.claim(key, None, id(rng.below(4)), now),
                        };
                        assert!(backend.as_u64() < 4);
                        served.fetch_add(1, Ordering::Relaxed);
                        if seed == 0 && n % 1_000 == 999 {
                            // the store loses everything in the middle of the run
                            for lost in 0..4 {
                                tables.forget(id(lost));
                            }
                        }
                        assert!(tables.len() <= 600);
                    }
                });
            }
        });
        let counts = tables.counts();
        assert_eq!(served.into_inner(), 20_000); // none failed
        assert!(sticky.into_inner() > 0);
        assert!(counts.forgotten > 0);
        // and what was lost is counted
        match when_full {
            WhenFull::EvictOldest => assert!(counts.evicted > 0 && counts.full == 0, "{counts:?}"),
            _ => assert!(counts.full > 0 && counts.evicted == 0, "{counts:?}"),
        }
    }
}

#[test]
fn capacity_is_a_bound_on_the_whole_and_nearly_all_of_it_is_used() {
    for capacity in [0, 1, 100, 1_000, 70_001] {
        let tables = tables(capacity);
        for n in 0..(capacity as u32 + 10) * 2 {
            let _ = tables.claim(key(n), None, id(1), at(0));
        }
        assert!(tables.len() <= capacity);
        assert_eq!(tables.len(), capacity, "twice the keys fill every shard");
    }
}

#[test]
fn expire_goes_on_where_its_limit_stopped_it() {
    let tables = tables(100_000);
    for n in 0..10_000 {
        tables.remember(key(n), id(1), at(0));
    }
    assert_eq!(tables.poll_timeout(), Some(at(60)));
    assert_eq!(tables.expire(at(59), 1_000), 0);
    let rounds: Vec<usize> = std::iter::from_fn(|| Some(tables.expire(at(60), 3_000)).filter(|n| *n > 0)).collect();
    assert_eq!(rounds, [3_000, 3_000, 3_000, 1_000]);
    assert_eq!((tables.len(), tables.poll_timeout()), (0, None));
    assert_eq!(tables.counts().expired, 10_000);
}

#[test]
fn forget_reaches_every_shard_and_entries_lists_them_all() {
    let tables = tables(100_000);
    for n in 0..9_000 {
        tables.remember(key(n), id(u64::from(n) % 3), at(0));
    }
    assert_eq!(tables.forget(id(1)), 3_000);
    assert_eq!(tables.entries().len(), 6_000);
    assert!(tables.entries().iter().all(|entry| entry.backend != id(1)));
    assert!(!tables.is_empty());
}

#[test]
fn tables_are_kept_over_a_reload_with_their_entries() {
    let before = Arc::new(tables(1_000));
    before.remember(key(1), id(7), at(0));
    let after = Arc::clone(&before); // what the next snapshot holds
    after.set_options(TablesOptions::new(500, Duration::from_secs(600)));
    drop(before);
    assert_eq!(after.lookup_memory(&key(1), at(300)), Some(id(7)));
}

#[test]
fn memory_per_entry_is_as_published() {
    assert_eq!(Table::BYTES_PER_ENTRY, 153);
}
