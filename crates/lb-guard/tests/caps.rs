//! So many at once from one client, over all threads.
#![allow(clippy::unwrap_used)] // helpers of tests

use lb_guard::{Caps, CapsError, CapsOptions, Pass, Refusal, WhenFull};
use lb_types::Rng;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

fn caps(limit: u32) -> Arc<Caps> {
    Arc::new(Caps::new(&CapsOptions::new(limit), 7).unwrap())
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn v4(bits: u32) -> IpAddr {
    Ipv4Addr::from_bits(bits).into()
}

#[test]
fn s_ka_09_one_more_than_the_cap_is_refused_until_one_leaves() {
    let caps = caps(2);
    let client = ip("192.0.2.1");
    let first = caps.enter(client).unwrap();
    let second = caps.enter(client).unwrap();
    assert_eq!(caps.enter(client).unwrap_err(), Refusal::AtLimit { limit: 2 });
    assert_eq!(
        caps.enter(client).unwrap_err().to_string(),
        "the client has 2 open already, as many as one client may"
    );
    let other = caps.enter(ip("192.0.2.2")).unwrap();
    assert_eq!((caps.count(client), caps.clients()), (2, 2));
    drop(first);
    let third = caps.enter(client).unwrap();
    assert!(caps.enter(client).is_err());
    drop((second, third, other));
    assert_eq!((caps.count(client), caps.clients()), (0, 0));
}

#[test]
fn s_ka_09_several_limits_can_share_one_count() {
    let caps = caps(1);
    let client = ip("192.0.2.1");
    let held: Vec<Pass> = (0..3).map(|_| caps.enter_within(client, 3).unwrap()).collect();
    assert_eq!(caps.enter_within(client, 3).unwrap_err(), Refusal::AtLimit { limit: 3 });
    assert_eq!(caps.enter(client).unwrap_err(), Refusal::AtLimit { limit: 1 });
    let more = caps.enter_within(client, u32::MAX).unwrap();
    assert_eq!((caps.count(client), caps.prefixes()), (4, (32, 64)));
    drop((held, more));
    assert_eq!(caps.clients(), 0);
}

#[test]
fn s_ka_09_a_client_is_an_ipv4_address_or_a_64_of_ipv6() {
    let caps = caps(1);
    let _passes = ["192.0.2.1", "2001:db8:1:2::1"].map(|client| caps.enter(ip(client)).unwrap());
    for same in ["::ffff:192.0.2.1", "2001:db8:1:2:ffff::"] {
        assert!(caps.enter(ip(same)).is_err(), "{same}");
    }
    for other in ["192.0.2.0", "2001:db8:1:3::1", "::192.0.2.1"] {
        assert!(caps.enter(ip(other)).is_ok(), "{other}");
    }
}

#[test]
fn a_client_can_be_any_prefix() {
    let mut options = CapsOptions::new(1);
    (options.v4_prefix, options.v6_prefix) = (24, 128);
    let caps = Arc::new(Caps::new(&options, 7).unwrap());
    let _passes = ["192.0.2.1", "2001:db8::1"].map(|client| caps.enter(ip(client)).unwrap());
    assert!(caps.enter(ip("192.0.2.255")).is_err());
    assert!(caps.enter(ip("192.0.3.0")).is_ok());
    assert!(caps.enter(ip("2001:db8::2")).is_ok());
}

#[test]
fn another_limit_counts_from_then_on() {
    let caps = caps(3);
    let client = ip("192.0.2.1");
    let mut passes: Vec<Pass> = (0..3).map(|_| caps.enter(client).unwrap()).collect();
    caps.set_limit(2).unwrap();
    passes.pop();
    assert_eq!(caps.enter(client).unwrap_err(), Refusal::AtLimit { limit: 2 });
    passes.pop();
    assert!(caps.enter(client).is_ok());
    caps.set_limit(4).unwrap();
    passes.extend((0..3).map(|_| caps.enter(client).unwrap()));
    assert!(caps.enter(client).is_err());
}

#[test]
fn options_are_checked_from_both_sides() {
    let with = |change: fn(&mut CapsOptions)| {
        let mut options = CapsOptions::new(1);
        change(&mut options);
        Caps::new(&options, 7).map(|_| ())
    };
    assert_eq!(with(|o| o.limit = 0), Err(CapsError::Limit { limit: 0 }));
    assert_eq!(with(|o| o.limit = 1_048_575), Ok(()));
    assert_eq!(
        with(|o| o.limit = 1_048_576).unwrap_err().to_string(),
        "a limit of 1048576 for each client; it must be 1 to 1048575; to let nobody in, use a deny list"
    );
    assert!(with(|o| o.v4_prefix = 0).is_err());
    assert_eq!(with(|o| o.v4_prefix = 1), Ok(()));
    assert_eq!(
        with(|o| o.v4_prefix = 33),
        Err(CapsError::Prefix {
            prefix: 33,
            longest: 32
        })
    );
    assert_eq!(with(|o| o.v6_prefix = 128), Ok(()));
    assert!(with(|o| o.v6_prefix = 129).is_err());
    assert_eq!(with(|o| o.clients = 15), Err(CapsError::Clients { clients: 15 }));
    assert_eq!(with(|o| o.clients = 16), Ok(()));
    assert!(with(|o| o.clients = 8_388_609).is_err());
    assert!(caps(1).set_limit(0).is_err());
}

#[test]
fn the_memory_is_fixed_and_the_seed_is_not_shown() {
    let caps = Caps::new(&CapsOptions::new(1), 123_456_789).unwrap();
    assert_eq!(caps.heap_bytes(), 512 * 1024);
    assert!(!format!("{caps:?}").contains("123456789"));
    let mut options = CapsOptions::new(1);
    options.clients = 100;
    assert_eq!(Caps::new(&options, 7).unwrap().heap_bytes(), 128 * 8);
}

#[test]
fn a_full_table_says_so_and_lets_in_or_refuses() {
    for when_full in [WhenFull::LetIn, WhenFull::Refuse] {
        let mut options = CapsOptions::new(2);
        (options.clients, options.when_full) = (16, when_full);
        let caps = Arc::new(Caps::new(&options, 7).unwrap());
        // sixteen slots in two buckets: every client can be in any
        let mut passes: Vec<Pass> = (0..16).map(|i| caps.enter(v4(i)).unwrap()).collect();
        assert!(passes.iter().all(Pass::is_counted));
        match caps.enter(v4(16)) {
            Ok(pass) => assert!(when_full == WhenFull::LetIn && !pass.is_counted()),
            Err(refusal) => assert!(when_full == WhenFull::Refuse && refusal == Refusal::Full),
        }
        let again = caps.enter(v4(3)).unwrap();
        assert!(again.is_counted(), "who is counted already may bring more");
        assert!(caps.enter(v4(3)).is_err());
        drop(passes.remove(5));
        let newcomer = caps.enter(v4(16)).unwrap();
        assert!(newcomer.is_counted());
        assert_eq!((caps.count(v4(16)), caps.clients()), (1, 16));
    }
}

#[test]
fn a_table_has_room_for_two_thirds_of_its_size() {
    let mut options = CapsOptions::new(1);
    options.when_full = WhenFull::Refuse;
    for seed in 0..5 {
        let caps = Arc::new(Caps::new(&options, seed).unwrap());
        let passes: Vec<Pass> = (0..43_690).map(|i| caps.enter(v4(i)).unwrap()).collect();
        assert_eq!(caps.clients(), passes.len());
    }
}

#[test]
fn a_million_clients_leave_the_table_as_it_was() {
    let mut options = CapsOptions::new(1);
    (options.clients, options.when_full) = (1024, WhenFull::Refuse);
    let caps = Arc::new(Caps::new(&options, 7).unwrap());
    // each comes and goes
    for i in 0..1_000_000 {
        assert!(caps.enter(v4(i)).is_ok());
    }
    assert_eq!(caps.clients(), 0);
    // all at once: most find no room
    let passes: Vec<Pass> = (0..1_000_000).filter_map(|i| caps.enter(v4(i)).ok()).collect();
    assert_eq!((passes.len(), caps.clients()), (1024, 1024), "every slot is used");
    drop(passes);
    assert_eq!(caps.clients(), 0);
    let passes: Vec<Pass> = (0..682).map(|i| caps.enter(v4(i)).unwrap()).collect();
    assert_eq!(caps.clients(), passes.len());
}

/// Eight threads, each many times, on `clients` clients; returns how often a pass was given.
fn crowd(caps: &Arc<Caps>, clients: u32, limit: u32) -> u32 {
    let inside: Vec<AtomicU32> = (0..clients).map(|_| AtomicU32::new(0)).collect();
    let given = AtomicU32::new(0);
    thread::scope(|scope| {
        for seed in 0..8 {
            let (inside, given) = (&inside, &given);
            scope.spawn(move || {
                let mut rng = Rng::new(seed);
                let mut held: Vec<(u32, Pass)> = Vec::new();
                for _ in 0..20_000 {
                    let client = rng.below(u64::from(clients)) as u32;
                    if rng.below(3) < 2 {
                        if let Ok(pass) = caps.enter(v4(client)) {
                            assert!(pass.is_counted());
                            let now = inside[client as usize].fetch_add(1, SeqCst) + 1;
                            assert!(now <= limit, "{now} at once");
                            given.fetch_add(1, SeqCst);
                            held.push((client, pass));
                        }
                    } else if !held.is_empty() {
                        let (client, pass) = held.swap_remove(rng.below(held.len() as u64) as usize);
                        inside[client as usize].fetch_sub(1, SeqCst);
                        drop(pass);
                    }
                }
                for (client, pass) in held {
                    inside[client as usize].fetch_sub(1, SeqCst);
                    drop(pass);
                }
            });
        }
    });
    given.into_inner()
}

#[test]
fn s_ka_09_threads_together_never_let_in_more_than_the_cap() {
    for (clients, limit) in [(1, 1), (1, 5), (3, 2), (40, 1), (200, 7)] {
        let caps = caps(limit);
        let given = crowd(&caps, clients, limit);
        assert!(given >= clients * limit, "{given}");
        assert_eq!(caps.clients(), 0, "every place was given back");
        for client in 0..clients {
            let passes: Vec<Pass> = (0..limit).map(|_| caps.enter(v4(client)).unwrap()).collect();
            assert!(caps.enter(v4(client)).is_err());
            drop(passes);
        }
    }
}

#[test]
fn s_ka_09_a_client_that_comes_by_all_threads_at_once_is_counted_once() {
    // many first arrivals at the same instant: the race in which one client might get two counts
    const THREADS: usize = 4;
    let caps = caps(3);
    let barrier = Barrier::new(THREADS);
    let inside: Vec<AtomicU32> = (0..3000).map(|_| AtomicU32::new(0)).collect();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for (client, inside) in (0..).zip(&inside) {
                    barrier.wait();
                    let passes: Vec<Pass> = (0..3).filter_map(|_| caps.enter(v4(client)).ok()).collect();
                    inside.fetch_add(passes.len() as u32, SeqCst);
                    barrier.wait();
                    let now = inside.load(SeqCst);
                    assert!((1..=3).contains(&now), "{now} at once");
                    assert_eq!(caps.count(v4(client)), now);
                    barrier.wait();
                    drop(passes);
                }
            });
        }
    });
    let full = inside.iter().filter(|inside| inside.load(SeqCst) == 3).count();
    assert!(full >= 2850, "{full} of 3000 clients got all their places");
    assert_eq!(caps.clients(), 0);
}

#[test]
fn ipv6_clients_do_not_share_counts() {
    let caps = caps(1);
    let client = |i: u128| Ipv6Addr::from_bits(0x2001_0db8 << 96 | i << 64).into();
    let passes: Vec<Pass> = (0..40_000).map(|i| caps.enter(client(i)).unwrap()).collect();
    assert!((0..40_000).all(|i| caps.count(client(i)) == 1));
    assert_eq!(passes.len(), 40_000);
}
