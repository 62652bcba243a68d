//! Which algorithm and which weights the traffic of a log asks for, and why.

mod page;
mod profile;
mod recommend;
mod rehearse;
mod text;
mod weights;

pub use profile::{BackendProfile, Profile};
pub use recommend::{Advice, Certainty};
pub use rehearse::Rehearsal;

#[cfg(test)]
mod tests;
