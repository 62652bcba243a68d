//! HTTP from accept to close: one exchange between two sides, each of which speaks some version of it.

mod answer;
mod begin;
mod bond;
pub(crate) mod client;
pub(crate) mod connection;
mod ending;
pub(crate) mod exchange;
mod flow;
pub(crate) mod idle;
mod intake;
mod out;
mod patience;
mod reach;
mod relay;
mod response;
mod upstream;
