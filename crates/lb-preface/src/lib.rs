//! What comes before the first request on a connection.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod client_hello;
mod hello;
pub mod proxy;
mod reader;
pub mod server_hello;
mod shown;
pub mod sniff;
mod step;

pub use hello::{Alert, Offered, Version, fatal_record};
pub use shown::Shown;
pub use step::Step;
