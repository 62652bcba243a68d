//! Which algorithm and which weights the traffic of a log asks for, and why.

mod profile;
mod recommend;
mod rehearse;
mod text;
mod weights;

pub use profile::{BackendProfile, Profile};
pub use recommend::{Advice, Certainty};

#[cfg(test)]
mod tests;
