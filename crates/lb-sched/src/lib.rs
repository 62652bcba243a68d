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
//! Which algorithm? Backends and requests alike: [`RoundRobin`]. Backends of different strength,
//! short requests: [`WeightedRoundRobin`]. Requests whose costs differ by orders of magnitude, or
//! long connections: [`WeightedLeastConn`]. The same with many backends or many workers:
//! [`TwoChoices`].
//!
//! | algorithm | a pick costs | keeps per backend | shares |
//! | --- | --- | --- | --- |
//! | `round_robin` | `O(1)`, one shared step | nothing | equal, exact over all workers |
//! | `weighted_round_robin` | `O(1)`, one shared step | nothing | by weight, exact over all workers |
//! | `least_conn` | `O(backends)`, a shared step between equals | requests in flight | follow the load |
//! | `two_choices` | `O(1)`, no shared step | requests in flight | follow the load, roughly |
//!
//! Limits: weights up to 256; a round of at most [`Cycle::MAX_LEN`] turns, beyond which weights
//! are rounded and [`Scheduler::is_exact`] says so. A pick allocates nothing and takes no lock.
//! No features. `no_std` with `alloc`; the target needs 64-bit atomics.
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

pub use algorithm::{Algorithm, AlgorithmError};
pub use ask::{Ask, Member, Scheduler};
pub use bounded::{Bounded, BoundedLoad, BoundedLoadError};
pub use cursor::Cursor;
pub use cycle::Cycle;
pub use facts::Facts;
pub use first::First;
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
