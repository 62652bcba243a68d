//! Cookies as RFC 6265 has them, byte for byte: nothing is decoded, joined or sorted.
//!
//! * [`pairs`], [`values`] and [`strip`]: a `Cookie` field of a request.
//! * [`SetCookie`]: a `Set-Cookie` field of a response, written and read.
//! * [`date`]: its dates. [`domain_match`], [`path_match`], [`default_path`]: where it is sent.
//! * [`Jar`]: what a client does with it, for tests and explanations.

pub mod date;
mod jar;
mod matching;
mod request;
mod set_cookie;

pub use jar::Jar;
pub use matching::{default_path, domain_match, path_match};
pub(crate) use request::mentions;
pub use request::{Pairs, Stripped, pairs, strip, values};
pub use set_cookie::{CookieError, SameSite, SetCookie};
