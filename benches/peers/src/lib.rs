//! lb-sched beside the schedulers of others: the same pool, the same work, without sockets.

#[path = "../../src/scheduling.rs"]
pub mod scheduling;
mod tower_pool;

use ketama::RingBuilder;
use lb_sched::{Algorithm, Ring, ketama_hash};
use lb_types::{Rng, Time, hash64};
use pingora_load_balancing::selection::{BackendIter, BackendSelection, Consistent, FNVHash, Random, RoundRobin};
use pingora_load_balancing::{Backend, Backends, LoadBalancer, discovery};
use scheduling::{Picks, members};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// Something that is done over and over, with random numbers at hand.
pub type Operation = Box<dyn FnMut(&mut Rng)>;

/// One of ours, and what others do in its place.
pub struct Contest {
    pub what: &'static str,
    pub ours: Operation,
    pub theirs: Vec<Peer>,
}

/// Somebody else's.
pub struct Peer {
    pub name: &'static str,
    pub operation: Operation,
    /// Why it may be faster than ours.
    pub reason: Option<&'static str>,
}

impl Peer {
    fn new(name: &'static str, operation: Operation) -> Self {
        Self {
            name,
            operation,
            reason: None,
        }
    }

    fn faster_because(self, reason: &'static str) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }
}

/// Every contest in a pool of so many backends, set up when it is its turn: tables of others would take the caches.
pub fn contests(size: u32) -> impl Iterator<Item = Contest> {
    let picks = move |algorithm: Algorithm| Picks::new(algorithm, size).expect("a pool");
    let pick = move |algorithm| -> Operation {
        let picks = picks(algorithm);
        Box::new(move |rng| _ = black_box(picks.pick(rng)))
    };
    // a key as a client sends it, hashed on both sides
    let keyed = move |algorithm| -> Operation {
        let picks = picks(algorithm);
        Box::new(move |rng| _ = black_box(picks.pick_for(hash64(0, &key(rng)), 0)))
    };
    (0..8).map(move |number| match number {
        0 => Contest {
            what: "round_robin",
            ours: pick(Algorithm::RoundRobin),
            theirs: vec![Peer::new("pingora RoundRobin", pingora::<RoundRobin>(size))],
        },
        1 => Contest {
            what: "weighted_round_robin",
            ours: pick(Algorithm::WeightedRoundRobin),
            theirs: vec![
                Peer::new("pingora RoundRobin", pingora::<RoundRobin>(size)).faster_because(READS),
                Peer::new("pingora LoadBalancer::select", pingora_select(size)),
            ],
        },
        2 => Contest {
            what: "random",
            ours: pick(Algorithm::Random),
            theirs: vec![Peer::new("pingora Random", pingora::<Random>(size)).faster_because(READS)],
        },
        3 => {
            let two = picks(Algorithm::TwoChoices);
            Contest {
                what: "two_choices, begun and ended",
                ours: Box::new(move |rng| _ = two.request(rng)),
                theirs: vec![Peer::new("tower p2c, PendingRequests", tower_pool::pending_requests(size))],
            }
        }
        4 => {
            let ewma = picks(Algorithm::PeakEwma);
            Contest {
                what: "peak_ewma, begun, observed and ended",
                ours: Box::new(move |rng| ewma.request(rng).observe(Duration::from_millis(1), Time::ZERO)),
                theirs: vec![Peer::new("tower p2c, PeakEwma", tower_pool::peak_ewma(size))],
            }
        }
        5 => Contest {
            what: "maglev, by a key",
            ours: keyed(Algorithm::Maglev),
            theirs: vec![
                Peer::new("pingora Consistent", pingora::<Consistent>(size)),
                Peer::new("pingora FNVHash", pingora::<FNVHash>(size)).faster_because(
                    "a hash modulo the backends: a backend more or less moves nearly all keys, and nobody's load is read",
                ),
            ],
        },
        6 => Contest {
            what: "ring, by a key",
            ours: keyed(Algorithm::Ring),
            theirs: vec![Peer::new("pingora Consistent", pingora::<Consistent>(size))],
        },
        _ => Contest {
            what: "ring as libketama places, by a key",
            ours: our_ketama(size),
            theirs: vec![Peer::new("ketama Ring", their_ketama(size)).faster_because(READS)],
        },
    })
}

/// Some of ours do more.
const READS: &str =
    "ours reads the backend's load, to see that it is not full; with thousands of them it is in no cache";

/// Sixteen bytes, as long as most sessions' names.
fn key(rng: &mut Rng) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&rng.next_u64().to_le_bytes());
    key[8..].copy_from_slice(&rng.next_u64().to_le_bytes());
    key
}

fn name(slot: u32) -> String {
    let [_, a, b, c] = slot.to_be_bytes();
    format!("10.{a}.{b}.{c}:80")
}

fn backends(size: u32) -> BTreeSet<Backend> {
    let backend = |m: &lb_sched::Member| Backend::new_with_weight(&name(m.slot.0), m.weight.get().into());
    members(size).iter().map(|m| backend(m).expect("an address")).collect()
}

/// The selection alone: no health, no set of those tried.
fn pingora<S>(size: u32) -> Operation
where
    S: BackendSelection + 'static,
    S::Iter: BackendIter,
{
    let selection = Arc::new(S::build(&backends(size)));
    Box::new(move |rng| {
        let mut iter = selection.iter(&key(rng));
        assert!(black_box(iter.next()).is_some());
    })
}

/// What a pingora proxy calls.
fn pingora_select(size: u32) -> Operation {
    let balancer = LoadBalancer::<RoundRobin>::from_backends(Backends::new(discovery::Static::new(backends(size))));
    tower_pool::now(balancer.update()).expect("a fixed list");
    Box::new(move |rng| assert!(black_box(balancer.select(&key(rng), 256)).is_some()))
}

fn our_ketama(size: u32) -> Operation {
    let members = members(size);
    let names: Vec<String> = members.iter().map(|m| name(m.slot.0)).collect();
    let named: Vec<_> = members.iter().copied().zip(names.iter().map(String::as_str)).collect();
    let picks = Picks::new(Algorithm::First, size)
        .expect("a pool")
        .with(Ring::ketama(&named));
    Box::new(move |rng| _ = black_box(picks.pick_for(ketama_hash(&key(rng)), 0)))
}

fn their_ketama(size: u32) -> Operation {
    let add = |ring: RingBuilder, m: &lb_sched::Member| ring.node(&name(m.slot.0), 1);
    let ring = members(size).iter().fold(RingBuilder::new(), add).build();
    Box::new(move |rng| _ = black_box(ring.route(&key(rng))))
}
