//! HTTP/1.1 from accept to close.

mod answer;
mod begin;
mod bond;
pub(crate) mod client;
mod ending;
pub(crate) mod exchange;
mod patience;
mod pipe;
pub(crate) mod pool;
mod relay;
mod response;
mod upstream;
