//! Load-balancing algorithms as plain functions over a table: no I/O, no clock, no randomness inside.
//!
//! What it is for: deciding which backend gets the next request. A [`Scheduler`] is built once
//! from [`Member`]s and never changes; what changes (counts, masks, the place in the round,
//! randomness, time) is passed in with each [`Ask`]. So a pick can be tested, simulated and
//! explained with the same code that serves traffic.
//!
//! What it is not for: health, persistence, retries, connections. `lb-balance` puts those around it.
//!
//! ```
//! use std::sync::Arc;
//! use lb_sched::{Algorithm, Ask, Cursor, Limit, Load, Member, Usable};
//! use lb_types::{BackendId, Slot, Time, Weight};
//!
//! let weights = [3, 1];
//! let members: Vec<Member> = weights.iter().zip(0..).map(|(weight, slot)| Member {
//!     slot: Slot(slot),
//!     id: BackendId::of("web", &slot.to_string()),
//!     weight: Weight::new(*weight).unwrap(),
//! }).collect();
//! let scheduler = Algorithm::WeightedRoundRobin.build(&members)?;
//!
//! // Shared by all workers:
//! let loads = [Arc::new(Load::new()), Arc::new(Load::new())];
//! let cursor = Cursor::new();
//! let usable = Usable::all(2);
//!
//! let ask = Ask {
//!     hash: None, entropy: 0, cursor: &cursor, usable: &usable,
//!     loads: &loads, limits: &[Limit::NONE, Limit::new(100)], now: Time::ZERO,
//! };
//! let round: Vec<u32> = (0..4).map(|_| scheduler.pick(&ask).unwrap().0).collect();
//! assert_eq!(round, [0, 0, 1, 0]);
//! # Ok::<(), lb_sched::BuildError>(())
//! ```
//!
//! # Which algorithm?
//!
//! Backends and requests alike: [`RoundRobin`]. Backends of different strength, short requests:
//! [`WeightedRoundRobin`]. Requests whose costs differ by orders of magnitude, or long connections:
//! [`WeightedLeastConn`]; the same with more than 1,000 backends or many workers: [`TwoChoices`]. Backends whose speed
//! differs or changes: [`PeakEwma`]. The same key to the same backend (caches, sessions): [`Maglev`] for even shares
//! and speed, [`Ring`] for the fewest moves and for placement that others can compute, [`Rendezvous`] for both with few
//! backends. As few backends as possible: [`First`]. [`Algorithm::facts`] says the same to programs.
//!
//! | algorithm | a pick costs | builds in | keeps per backend | shares |
//! | --- | --- | --- | --- | --- |
//! | `round_robin` | `O(1)`, one shared step | `O(n)` | nothing | equal, exact over all workers |
//! | `weighted_round_robin` | `O(1)`, one shared step | `O(turns)` | its turns | by weight, exact over all workers |
//! | `least_conn` | `O(n)`, a shared step between equals | `O(turns)` | requests in flight, its turns | follow the load, exactly |
//! | `random` | `O(1)`, no shared step | `O(n)` | nothing | by weight, in the mean |
//! | `two_choices` | `O(1)`, no shared step | `O(n)` | requests in flight | follow the load, roughly |
//! | `peak_ewma` | `O(1)`, no shared step | `O(n)` | requests in flight, latency | follow the waiting time |
//! | `ring` | `O(1)`, no shared step | `O(points log points)` | 160 points per weight | by weight, within about 8 % |
//! | `maglev` | `O(1)`, no shared step | `O(entries log entries)` | 100 entries or more | by weight, but for one entry |
//! | `rendezvous` | `O(n)`, no shared step | `O(n log n)` | 16 bytes | by weight, but for chance |
//! | `first` | `O(full backends)`, no shared step | `O(n)` | requests in flight | one after the other |
//!
//! `n` backends. `O(1)` holds while the backend that is picked has room; then the next in the order of the algorithm is
//! looked for, which takes `O(n)` at worst.
//!
//! A [`Recipe`] builds any of them with options: [`BoundedLoad`] keeps a backend that places by hash within a factor of
//! the mean load ([`Bounded`] says exactly what is promised; one shared step). [`groups`] makes [`Tiers`] of
//! backends with priorities and localities.
//!
//! # Measured
//!
//! By the tests of this crate, with fixed seeds:
//! - Maglev, 655 backends, 65,537 entries: the largest share is 1.009 times the mean.
//! - One of 100 backends goes: Maglev moves 1.8 % of all keys with 65,537 entries, 2.6 % with 10,007; ring and rendezvous
//!   move its own keys (1.1 %) and no other.
//! - 100 backends at 90 % utilisation, 100,000 requests: the worst queue is 73 with `random`, 8 with `two_choices`,
//!   2 with `least_conn`.
//! - 20 backends of which one is ten times slower, 70 % utilisation: p99 is 72 ms with `peak_ewma`, 85 ms with
//!   `two_choices`; with `round_robin` the slow one's queue grows without end.
//!
//! # Limits and features
//!
//! Weights up to 256. A round of at most [`Cycle::MAX_LEN`] turns, beyond which weights are rounded and
//! [`Scheduler::is_exact`] says so. A ring of at most [`Ring::MAX_POINTS`] points, a Maglev table of at most [`Maglev::MAX_LEN`]
//! entries. A pick allocates nothing and takes no lock.
//!
//! Feature `ketama`: `Ring::ketama` places by name, byte for byte as libketama does, and `ketama_hash` hashes keys for it.
//!
//! `no_std` with `alloc`; the target needs 64-bit atomics.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod algorithm;
mod ask;
mod bounded;
mod cursor;
mod cycle;
mod draw;
mod facts;
mod first;
pub mod groups;
mod in_flight;
#[cfg(feature = "ketama")]
mod ketama;
mod latency;
mod least_conn;
mod load;
mod maglev;
mod peak_ewma;
mod placement;
mod random;
mod recipe;
mod rendezvous;
mod ring;
mod round_robin;
mod tiers;
mod two_choices;
mod usable;
mod weighted;

#[doc(no_inline)]
pub use lb_types::{BackendId, Slot, Time, Weight};

pub use algorithm::{Algorithm, AlgorithmError};
pub use ask::{Ask, Member, Scheduler};
pub use bounded::{Bounded, BoundedLoad, BoundedLoadError};
pub use cursor::Cursor;
pub use cycle::Cycle;
pub use facts::Facts;
pub use first::First;
pub use in_flight::InFlight;
#[cfg(feature = "ketama")]
pub use ketama::ketama_hash;
pub use least_conn::WeightedLeastConn;
pub use load::{Limit, Load, Tally};
pub use maglev::Maglev;
pub use peak_ewma::PeakEwma;
pub use placement::{Placement, Seat};
pub use random::Random;
pub use recipe::{BuildError, Recipe};
pub use rendezvous::Rendezvous;
pub use ring::Ring;
pub use round_robin::RoundRobin;
pub use tiers::Tiers;
pub use two_choices::TwoChoices;
pub use usable::Usable;
pub use weighted::WeightedRoundRobin;
