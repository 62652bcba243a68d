//! The table beside the simplest thing that could be right: a list.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lb_persist::{Key, Table, TableOptions, WhenFull};
use lb_types::{BackendId, Time};
use proptest::prelude::*;

const TIMEOUT: u64 = 10;

/// Least recently used first.
struct Model {
    capacity: usize,
    evict: bool,
    entries: Vec<(u8, u8, u64)>,
    full: u64,
    evicted: u64,
}

impl Model {
    fn find(&mut self, key: u8, now: u64) -> Option<usize> {
        let at = self.entries.iter().position(|e| e.0 == key)?;
        if now - self.entries[at].2 < TIMEOUT {
            return Some(at);
        }
        self.entries.remove(at);
        None
    }

    fn lookup(&mut self, key: u8, now: u64) -> Option<u8> {
        let at = self.find(key, now)?;
        let entry = self.entries.remove(at);
        self.entries.push((key, entry.1, now));
        Some(entry.1)
    }

    fn set(&mut self, key: u8, backend: u8, now: u64) {
        if let Some(at) = self.find(key, now) {
            self.entries.remove(at);
        } else if self.entries.len() >= self.capacity {
            if now - self.entries[0].2 >= TIMEOUT {
                self.entries.remove(0);
            } else if self.evict {
                self.evicted += 1;
                self.entries.remove(0);
            } else {
                self.full += 1;
                return;
            }
        }
        self.entries.push((key, backend, now));
    }

    fn claim(&mut self, key: u8, seen: Option<u8>, candidate: u8, now: u64) -> u8 {
        match self.lookup(key, now) {
            Some(found) if seen != Some(found) => found,
            _ => {
                self.set(key, candidate, now);
                candidate
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Lookup(u8),
    Claim(u8, Option<u8>, u8),
    Remember(u8, u8),
    Forget(u8),
    Expire(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u8..12).prop_map(Step::Lookup),
        4 => (0_u8..12, proptest::option::of(0_u8..3), 0_u8..3).prop_map(|(k, s, c)| Step::Claim(k, s, c)),
        3 => (0_u8..12, 0_u8..3).prop_map(|(k, b)| Step::Remember(k, b)),
        1 => (0_u8..3).prop_map(Step::Forget),
        1 => (0_usize..4).prop_map(Step::Expire),
        3 => (0_u64..6).prop_map(Step::Wait),
    ]
}

fn key(n: u8) -> Key {
    Key::Client(IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)))
}

fn id(n: u8) -> BackendId {
    BackendId::from_u64(n.into())
}

proptest! {
    #[test]
    fn every_history_gives_the_same_as_a_list(
        capacity in 1_usize..8, evict: bool, steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut options = TableOptions::new(capacity, Duration::from_nanos(TIMEOUT));
        options.when_full = if evict { WhenFull::EvictOldest } else { WhenFull::Refuse };
        let mut table = Table::new(options);
        let mut model = Model { capacity, evict, entries: Vec::new(), full: 0, evicted: 0 };
        let mut now = 0;
        for step in steps {
            let time = Time::from_nanos(now);
            match step {
                Step::Lookup(k) => prop_assert_eq!(table.lookup(&key(k), time), model.lookup(k, now).map(id)),
                Step::Claim(k, seen, c) => prop_assert_eq!(
                    table.claim(key(k), seen.map(id), id(c), time),
                    id(model.claim(k, seen, c, now))
                ),
                Step::Remember(k, b) => {
                    let _ = table.remember(key(k), id(b), time);
                    model.set(k, b, now);
                }
                Step::Forget(b) => {
                    let before = model.entries.len();
                    model.entries.retain(|e| e.1 != b);
                    prop_assert_eq!(table.forget(id(b)), before - model.entries.len());
                }
                Step::Expire(limit) => {
                    let over = model.entries.iter().take_while(|e| now - e.2 >= TIMEOUT).count().min(limit);
                    model.entries.drain(..over);
                    prop_assert_eq!(table.expire(time, limit), over);
                }
                Step::Wait(wait) => now += wait,
            }
            let want: Vec<_> = model.entries.iter().map(|e| (key(e.0), id(e.1), Time::from_nanos(e.2))).collect();
            let have: Vec<_> = table.iter().map(|e| (e.key, e.backend, e.used)).collect();
            prop_assert_eq!(have, want);
            prop_assert!(table.len() <= capacity);
            prop_assert_eq!(table.len(), model.entries.len());
            prop_assert_eq!((table.counts().full, table.counts().evicted), (model.full, model.evicted));
            let due = model.entries.first().map(|e| Time::from_nanos(e.2 + TIMEOUT));
            prop_assert_eq!(table.poll_timeout(), due);
        }
    }
}
