//! An event simulation on a virtual clock, through the schedulers that serve traffic.

mod backend;
mod compare;
mod draw;
mod engine;
mod moved;
mod outcome;
mod sample;
mod server;
mod traffic;
mod verdict;

pub use backend::{Backend, backends};
pub use compare::{Comparison, Contender, Options, SimulationError, compare};
pub use moved::Moved;
pub use outcome::{Outcome, PerBackend};
pub use sample::Sample;
pub use traffic::{Arrivals, Clients, Request, Requests, Service, Traffic};

#[cfg(test)]
mod tests;
