//! The whole data path under a seed: README.md beside this file says what is in it, what it checks and how to replay.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod answer;
mod backend;
mod blame;
mod client;
mod conn;
mod dice;
mod events;
mod history;
mod panics;
mod rules;
mod script;
mod seeds;
mod site;
mod tunnel;
mod verdict;
mod weather;
mod wire;
mod world;
mod wrong;
