//! HTTP probes: their options, checked and made into a request, and the exchange.

mod exchange;
mod options;

pub(crate) use exchange::exchange;
pub(crate) use options::Request;
pub use options::{HttpError, HttpOptions, Method, USER_AGENT};
